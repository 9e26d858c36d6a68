"""Read `permmigrate.toml`: the account's key, environments' keys, the host and the way to it.

    api_url = "https://api-eu.cloudinary.com"     # or: region = "eu"
    proxy = "http://proxy.example:3128"
    ca_bundle = "company-ca.pem"                  # beside this file, or a whole path
    cld = ["production"]                          # saved `cld` configurations to use; false: none

    [account]
    url = "account://KEY:SECRET@ACCOUNT_ID"       # or: id, key, secret

    [environments.production]
    url = "cloudinary://KEY:SECRET@CLOUD_NAME"    # or: cloud_name, key, secret

An entry it does not know is a problem, told by its line; no value is ever shown.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from permmigrate.cloudinary.credentials import (
    AccountKeyPair,
    EnvironmentKeyPair,
    KeyPair,
    account_from,
    environment_from,
)
from permmigrate.errors import InvalidFileError, Problem, UsageError
from permmigrate.model import AccountId

T = TypeVar("T")

NAME: Final = "permmigrate.toml"

_TOP: Final = ("api_url", "region", "proxy", "ca_bundle", "cld", "account", "environments")
_ACCOUNT: Final = ("id", "key", "secret")
_ENVIRONMENT: Final = ("cloud_name", "key", "secret")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the file says."""

    account: AccountKeyPair | None = None
    environments: tuple[EnvironmentKeyPair, ...] = ()
    texts: Mapping[str, str] | None = None
    """`api_url`, `region`, `proxy`, `ca_bundle`, as far as they are given."""
    cld: tuple[str, ...] | None = None
    """The saved `cld` configurations to use; None is all of them."""


def read(path: Path) -> Settings:
    """Read the file. Raises InvalidFileError with every problem in it."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        content = tomllib.loads(text)
    except OSError as error:
        raise InvalidFileError(f"`{path.name}` cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidFileError(f"`{path.name}` is not UTF-8 text", hint="save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        problem = Problem(path.name, int(line[1]) if line else 0, "is not TOML", "put texts in quotes")
        raise InvalidFileError(f"`{path.name}` is not TOML", problems=(problem,)) from None
    reading = _Reading(path.name, text)
    settings = reading.settings(content)
    if reading.problems:
        raise InvalidFileError(f"`{path.name}` has entries that do not fit", problems=tuple(reading.problems))
    return settings


class _Reading:
    """One pass over the file that gathers what is wrong."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._lines = text.splitlines()
        self.problems: list[Problem] = []

    def settings(self, content: Mapping[str, Any]) -> Settings:
        self._known(content, _TOP)
        texts = {
            name: value
            for name in ("api_url", "region", "proxy", "ca_bundle")
            if (value := self._text(content, name))
        }
        account: AccountKeyPair | None = None
        if "account" in content:
            account = self._account(self._table(content, "account"))
        environments = [
            self._environment(f"environments.{name}", self._table(table, name))
            for table in [self._table(content, "environments")]
            for name in table
        ]
        return Settings(
            account, tuple(one for one in environments if one is not None), texts, self._cld(content)
        )

    def _account(self, table: Mapping[str, Any]) -> AccountKeyPair | None:
        source = f"account in {self._name}"
        given = self._key(table, "account", _ACCOUNT)
        if isinstance(given, str):
            return self._parsed("account", lambda: account_from(given, source))
        return given and AccountKeyPair(AccountId(given[0]), KeyPair(given[1], given[2], source))

    def _environment(self, where: str, table: Mapping[str, Any]) -> EnvironmentKeyPair | None:
        source = f"{where} in {self._name}"
        given = self._key(table, where, _ENVIRONMENT)
        if isinstance(given, str):
            return self._parsed(where, lambda: environment_from(given, source))
        return given and EnvironmentKeyPair(given[0], KeyPair(given[1], given[2], source))

    def _key(
        self, table: Mapping[str, Any], where: str, names: tuple[str, str, str]
    ) -> str | tuple[str, str, str] | None:
        """The URL, or the three parts, or None with a problem."""
        self._known(table, ("url", *names), where)
        if url := self._text(table, "url", where):
            if len(table) > 1:
                self._problem("url", f"`{where}` has a url and other entries", "keep one way", where)
            return url
        first, key, secret = (self._text(table, name, where) for name in names)
        if first and key and secret:
            return first, key, secret
        lacking = " and ".join(f"`{name}`" for name in names if not table.get(name))
        self._problem(where, f"`{where}` lacks {lacking}", "or give its `url`")
        return None

    def _parsed(self, where: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except UsageError as error:
            self._problem("url", error.message, error.hint, where)
            return None

    def _cld(self, content: Mapping[str, Any]) -> tuple[str, ...] | None:
        match content.get("cld"):
            case None | True:
                return None
            case False:
                return ()
            case list(names) if all(isinstance(name, str) for name in names):
                return tuple(names)
            case _:
                self._problem("cld", "`cld` is neither a list of names nor false")
                return None

    def _table(self, content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        value = content.get(name, {})
        if isinstance(value, dict):
            return value
        self._problem(name, f"`{name}` is not a table", f"write [{name}]")
        return {}

    def _text(self, table: Mapping[str, Any], name: str, where: str = "") -> str:
        value = table.get(name, "")
        if isinstance(value, str):
            return value.strip()
        self._problem(name, f"`{name}` is not text", "put it in quotes: keys keep their zeros", where)
        return ""

    def _known(self, table: Mapping[str, Any], names: tuple[str, ...], where: str = "") -> None:
        for name in table:
            if name not in names:
                close = difflib.get_close_matches(name, names, 1)
                hint = f"did you mean `{close[0]}`" if close else f"there are {', '.join(names)}"
                self._problem(name, f"there is no entry `{name}`", hint, where)

    def _problem(self, entry: str, message: str, hint: str = "", table: str = "") -> None:
        self.problems.append(Problem(self._name, self._line(entry, table), message, hint))

    def _line(self, entry: str, table: str) -> int:
        """The line an entry begins on, as well as it can be told from the text; 0 when it cannot."""
        start = 0
        if table:
            start = self._line(table, "")
        pattern = re.compile(rf"\s*(\[\s*{re.escape(entry)}\s*\]|[\"']?{re.escape(entry)}[\"']?\s*=)")
        for number, line in enumerate(self._lines[start:], start + 1):
            if pattern.match(line):
                return number
        return start

"""Read the configurations that the vendor's `cld` command saved, for the keys in them.

They are another program's file: what cannot be used is set aside with a sentence, never an error. The file is
`config.json` in `CLOUDINARY_HOME` or in `~/.cloudinary-cli`; each entry is a name and a `cloudinary://` URL
(github.com/cloudinary/cloudinary-cli, cloudinary_cli/defaults.py and utils/config_utils.py).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

from permmigrate.cloudinary.credentials import (
    AccountKeyPair,
    EnvironmentKeyPair,
    account_from,
    environment_from,
)
from permmigrate.errors import UsageError

_DEFAULT: Final = "__default__"
"""The reserved entry that names the default configuration."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What the saved configurations offer."""

    account: AccountKeyPair | None = None
    environments: tuple[EnvironmentKeyPair, ...] = ()
    """One a cloud name: the default configuration first, then by name."""
    notices: tuple[str, ...] = ()


def location(env: Mapping[str, str], home: Path) -> Path:
    """Where `cld` keeps its configurations."""
    return Path(env.get("CLOUDINARY_HOME") or home / ".cloudinary-cli") / "config.json"


def read(path: Path, wanted: Collection[str] | None = None) -> Saved:
    """Read the configurations named, or all. Raises UsageError when one that was asked for is not there."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return Saved(notices=("the `cld` configurations cannot be read and are not used",))
    if not isinstance(content, dict):
        return Saved(notices=("the `cld` configurations are not of a known form and are not used",))
    names = sorted(name for name in content if not (name.startswith("__") and name.endswith("__")))
    if missing := sorted(set(wanted or ()) - set(names)):
        raise UsageError(
            f"there is no saved `cld` configuration `{missing[0]}`", hint="`cld config --ls` lists them"
        )
    names = [name for name in names if wanted is None or name in wanted]
    default = content.get(_DEFAULT)
    names.sort(key=lambda name: name != default)
    return _read({name: content[name] for name in names}, str(default or ""))


def _read(entries: Mapping[str, object], default: str) -> Saved:
    environments: dict[str, EnvironmentKeyPair] = {}
    accounts: dict[str, AccountKeyPair] = {}
    notices: list[str] = []
    for name, url in entries.items():
        source = f"cld configuration {name}"
        query = _query(url)
        if "oauth_token" in query:
            notices.append(f"`{source}` is a login without an API key: not used")
            continue
        try:
            one = environment_from(str(url), source)
            if "account_url" in query:
                accounts[name] = account_from(query["account_url"][0], source)
        except UsageError:
            notices.append(f"`{source}` is not of a known form: not used")
            continue
        first = environments.setdefault(one.cloud_name, one)
        if (first.pair.key, first.pair.secret) != (one.pair.key, one.pair.secret):
            notices.append(f"`{source}` is not used: `{first.pair.source}` is for the same cloud name")
    return Saved(_one_account(accounts, default, notices), tuple(environments.values()), tuple(notices))


def _one_account(
    accounts: Mapping[str, AccountKeyPair], default: str, notices: list[str]
) -> AccountKeyPair | None:
    """The default configuration's account key, or the only one there is."""
    if default in accounts:
        return accounts[default]
    if len({(one.id, one.pair.key, one.pair.secret) for one in accounts.values()}) > 1:
        notices.append("the `cld` configurations hold several account keys and no default: none is used")
        return None
    return next(iter(accounts.values()), None)


def _query(url: object) -> Mapping[str, list[str]]:
    try:
        return parse_qs(urlsplit(str(url)).query)
    except ValueError:
        return {}

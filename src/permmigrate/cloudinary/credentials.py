"""Who we are to the vendor: one account key, and a key for each product environment that is read.

Read from the variables and URLs people already have. No value of theirs is ever put in a message:
what is wrong is named by the variable or option it came from.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from permmigrate.errors import UsageError
from permmigrate.model import AccountId

ACCOUNT_FORM: Final = "account://KEY:SECRET@ACCOUNT_ID"
ENVIRONMENT_FORM: Final = "cloudinary://KEY:SECRET@CLOUD_NAME"

_URL = re.compile(
    r"(?P<scheme>[a-z]+)://(?P<key>[^:@/\s]+):(?P<secret>[^@/\s]+)@(?P<owner>[^@/?#\s]+)(?:[/?#]\S*)?"
)
_VENDOR_NAMES: Final = (
    "CLOUDINARY_ACCOUNT_ID",
    "CLOUDINARY_PROVISIONING_API_KEY",
    "CLOUDINARY_PROVISIONING_API_SECRET",
)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key and its secret. The secret has no place in a repr and leaves only as a header."""

    key: str
    secret: str = field(repr=False)
    source: str
    """The variable or option it came from: what a message may name."""

    def authorization(self) -> str:
        """The value of the `Authorization` header (HTTP Basic, spec: securitySchemes.basicAuth)."""
        return "Basic " + base64.b64encode(f"{self.key}:{self.secret}".encode()).decode("ascii")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The account key, and the environments' keys by cloud name."""

    account_id: AccountId
    account: KeyPair
    environments: Mapping[str, KeyPair] = field(default_factory=dict)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret, for masking text that comes back from the service."""
        return tuple(pair.secret for pair in (self.account, *self.environments.values()))


def from_environment(env: Mapping[str, str]) -> Credentials:
    """Find the credentials in the environment's variables; a secret has no place on a command line.

    `CLOUDINARY_ACCOUNT_URL` is used before the three variables that the vendor's SDK reads.
    `CLOUDINARY_URL` may be given several times, as `CLOUDINARY_URL_2` and so on. Raises UsageError when the
    account's key is missing or a value is malformed.
    """
    account_id, account = _account(env)
    environments = _unique(_environment(name, url) for name, url in _environment_variables(env))
    return Credentials(account_id, account, environments)


def _account(env: Mapping[str, str]) -> tuple[AccountId, KeyPair]:
    if url := env.get("CLOUDINARY_ACCOUNT_URL", "").strip():
        owner, pair = _parse("CLOUDINARY_ACCOUNT_URL", url, "account", ACCOUNT_FORM)
        return AccountId(owner), pair
    values = {known: env.get(known, "").strip() for known in _VENDOR_NAMES}
    missing = [known for known, value in values.items() if not value]
    if not missing:
        account_id, key, secret = values.values()
        return AccountId(account_id), KeyPair(key, secret, "CLOUDINARY_PROVISIONING_API_KEY")
    if len(missing) < len(values):
        raise UsageError(
            f"the account credentials lack {' and '.join(f'`{name}`' for name in missing)}",
            hint=f"set all three variables, or `CLOUDINARY_ACCOUNT_URL` as {ACCOUNT_FORM}",
        )
    raise UsageError(
        "no account credentials were given",
        hint=f"set `CLOUDINARY_ACCOUNT_URL` as {ACCOUNT_FORM} (Console: Settings > Account API Keys)",
    )


def _environment_variables(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in sorted(env):
        if re.fullmatch(r"CLOUDINARY_URL(_\w+)?", name) and env[name].strip():
            yield name, env[name]


def _environment(name: str, url: str) -> tuple[str, KeyPair]:
    return _parse(name, url.strip(), "cloudinary", ENVIRONMENT_FORM)


def _unique(pairs: Iterable[tuple[str, KeyPair]]) -> Mapping[str, KeyPair]:
    found: dict[str, KeyPair] = {}
    for cloud, pair in pairs:
        first = found.setdefault(cloud, pair)
        if (first.key, first.secret) != (pair.key, pair.secret):
            raise UsageError(
                f"`{first.source}` and `{pair.source}` give two keys for one cloud name",
                hint="keep one of them",
            )
    return found


def _parse(name: str, url: str, scheme: str, form: str) -> tuple[str, KeyPair]:
    match = _URL.fullmatch(url)
    if match is None or match["scheme"] != scheme:
        raise UsageError(
            f"`{name}` is not of the form {form}",
            hint="write `@`, `:` and `/` inside a part percent-encoded (%40, %3A, %2F)",
        )
    return unquote(match["owner"]), KeyPair(unquote(match["key"]), unquote(match["secret"]), name)

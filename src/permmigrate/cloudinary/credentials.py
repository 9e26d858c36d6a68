"""Who we are to the vendor: one account key, and a key for each product environment that is read.

What is here reads variables and URLs that are already at hand; `sources` knows where they are kept. No value
of theirs is ever put in a message: what is wrong is named by the variable or file it came from.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, unquote

from permmigrate.errors import UsageError
from permmigrate.model import AccountId

ACCOUNT_FORM: Final = "account://KEY:SECRET@ACCOUNT_ID"
ENVIRONMENT_FORM: Final = "cloudinary://KEY:SECRET@CLOUD_NAME"

_URL = re.compile(
    r"(?P<scheme>[a-z]+)://(?P<key>[^:@/\s]+):(?P<secret>[^@/\s]+)@(?P<owner>[^@/?#\s]+)"
    r"/?(?:\?(?P<query>[^#\s]*))?(?:[/#]\S*)?"
)
_ACCOUNT_NAMES: Final = (
    "CLOUDINARY_ACCOUNT_ID",
    "CLOUDINARY_PROVISIONING_API_KEY",
    "CLOUDINARY_PROVISIONING_API_SECRET",
)
_CLOUD_NAMES: Final = ("CLOUDINARY_CLOUD_NAME", "CLOUDINARY_API_KEY", "CLOUDINARY_API_SECRET")


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key and its secret. The secret has no place in a repr and leaves only as a header."""

    key: str
    secret: str = field(repr=False)
    source: str
    """The variable or file entry it came from: what a message may name."""

    def authorization(self) -> str:
        """The value of the `Authorization` header (HTTP Basic, spec: securitySchemes.basicAuth)."""
        return "Basic " + base64.b64encode(f"{self.key}:{self.secret}".encode()).decode("ascii")


@dataclass(frozen=True, slots=True)
class AccountKeyPair:
    """The account's id and a key of it."""

    id: AccountId
    pair: KeyPair


@dataclass(frozen=True, slots=True)
class EnvironmentKeyPair:
    """A key of one product environment, and the host it was saved for, if that was said."""

    cloud_name: str
    pair: KeyPair
    host: str | None = None
    """`upload_prefix` of a `CLOUDINARY_URL`: how the vendor's SDKs are told a region or another host."""


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
    """Read the credentials of one set of variables; `sources.find` looks at files too.

    `CLOUDINARY_ACCOUNT_URL` is used before the three variables that the vendor's SDK reads.
    `CLOUDINARY_URL` may be given several times, as `CLOUDINARY_URL_2` and so on. Raises UsageError when the
    account's key is missing or a value is malformed.
    """
    account = account_in(env)
    if account is None:
        raise no_account()
    keys = unique(environment_keys_in(env))
    return Credentials(account.id, account.pair, {cloud: one.pair for cloud, one in keys.items()})


def no_account(hint: str = "") -> UsageError:
    """The error for an account key that is nowhere to be found."""
    return UsageError(
        "no account credentials were given",
        hint=hint or f"set `CLOUDINARY_ACCOUNT_URL` as {ACCOUNT_FORM} (Console: Settings > Account API Keys)",
    )


def account_in(env: Mapping[str, str], where: str = "") -> AccountKeyPair | None:
    """The account key of a set of variables; `where` follows a variable's name (` in .env`)."""
    if url := env.get("CLOUDINARY_ACCOUNT_URL", "").strip():
        return account_from(url, f"CLOUDINARY_ACCOUNT_URL{where}")
    values = {name: env.get(name, "").strip() for name in _ACCOUNT_NAMES}
    missing = [name for name, value in values.items() if not value]
    if not missing:
        account_id, key, secret = values.values()
        return AccountKeyPair(
            AccountId(account_id), KeyPair(key, secret, f"CLOUDINARY_PROVISIONING_API_KEY{where}")
        )
    if len(missing) < len(values):
        raise UsageError(
            f"the account credentials{where} lack {' and '.join(f'`{name}`' for name in missing)}",
            hint=f"set all three in one place, or `CLOUDINARY_ACCOUNT_URL` as {ACCOUNT_FORM}",
        )
    return None


def environment_keys_in(env: Mapping[str, str], where: str = "") -> tuple[EnvironmentKeyPair, ...]:
    """The environments' keys of a set of variables, in the order of the variables' names."""
    return tuple(_environment_keys(env, where))


def _environment_keys(env: Mapping[str, str], where: str) -> Iterator[EnvironmentKeyPair]:
    for name in sorted(env):
        if re.fullmatch(r"CLOUDINARY_URL(_\w+)?", name) and (url := env[name].strip()):
            yield environment_from(url, f"{name}{where}")
    cloud, key, secret = (env.get(name, "").strip() for name in _CLOUD_NAMES)
    if cloud and key and secret:
        yield EnvironmentKeyPair(cloud, KeyPair(key, secret, f"CLOUDINARY_API_KEY{where}"))


def unused_in(env: Mapping[str, str], where: str = "") -> tuple[str, ...]:
    """A sentence on variables that say something of a key and are not enough for one."""
    given = [name for name in _CLOUD_NAMES if env.get(name, "").strip()]
    if not given or len(given) == len(_CLOUD_NAMES):
        return ()
    lacking = [name for name in _CLOUD_NAMES if name not in given]
    return (f"`{given[0]}`{where} is not used: `{lacking[0]}` is not set beside it",)


def account_from(url: str, source: str) -> AccountKeyPair:
    """Read an `account://` URL. Raises UsageError that names the source and shows nothing of the value."""
    owner, pair, _ = _parse(source, url, "account", ACCOUNT_FORM)
    return AccountKeyPair(AccountId(owner), pair)


def environment_from(url: str, source: str) -> EnvironmentKeyPair:
    """Read a `cloudinary://` URL. Raises UsageError that names the source and shows nothing of the value."""
    owner, pair, query = _parse(source, url, "cloudinary", ENVIRONMENT_FORM)
    return EnvironmentKeyPair(owner, pair, query.get("upload_prefix", [""])[0] or None)


def unique(keys: Iterable[EnvironmentKeyPair]) -> Mapping[str, EnvironmentKeyPair]:
    """The keys of one source by cloud name. Raises UsageError when two differ for one name."""
    found: dict[str, EnvironmentKeyPair] = {}
    for one in keys:
        first = found.setdefault(one.cloud_name, one)
        if (first.pair.key, first.pair.secret) != (one.pair.key, one.pair.secret):
            raise UsageError(
                f"`{first.pair.source}` and `{one.pair.source}` give two keys for one cloud name",
                hint="keep one of them",
            )
    return found


def _parse(source: str, url: str, scheme: str, form: str) -> tuple[str, KeyPair, Mapping[str, list[str]]]:
    match = _URL.fullmatch(url)
    if match is None or match["scheme"] != scheme:
        raise UsageError(
            f"`{source}` is not of the form {form}",
            hint="write `@`, `:` and `/` inside a part percent-encoded (%40, %3A, %2F)",
        )
    pair = KeyPair(unquote(match["key"]), unquote(match["secret"]), source)
    return unquote(match["owner"]), pair, parse_qs(match["query"] or "")

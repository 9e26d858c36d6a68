"""Find the credentials, the host and the way to it, where people keep such things.

In this order, each credential from one place: the environment's variables, `.env` in the working folder,
`permmigrate.toml` there, the configurations that the `cld` command saved. Nothing is asked of the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx

from permmigrate.cloudinary import cldfile, envfile, settingsfile
from permmigrate.cloudinary.credentials import (
    AccountKeyPair,
    Credentials,
    KeyPair,
    no_account,
    unique,
)
from permmigrate.cloudinary.places import OF_CLD, Choice, Place, of_settings, of_variables
from permmigrate.cloudinary.settingsfile import Settings
from permmigrate.cloudinary.transport import (
    DEFAULT_API_URL,
    check_api_url,
    is_loopback,
    network,
    proxy_from,
)
from permmigrate.errors import UsageError

ENV_FILE: Final = ".env"


@dataclass(frozen=True, slots=True)
class Found:
    """All there is to reach an account, each thing with its source."""

    account: AccountKeyPair | None
    environments: Mapping[str, KeyPair]
    """Keys by cloud name."""
    api_url: Choice
    proxy: Choice | None = None
    ca_bundle: Choice | None = None
    exposed: tuple[Path, ...] = ()
    """Files that hold secrets and that others on this machine can read."""
    notices: tuple[str, ...] = ()
    """What was there and is not used, in a sentence each."""

    def credentials(self) -> Credentials:
        """The credentials of a snapshot. Raises UsageError when there is no account key."""
        if self.account is None:
            raise no_account()
        return Credentials(self.account.id, self.account.pair, self.environments)

    def network(self, connections: int = 8) -> httpx.BaseTransport:
        """The way out, through the proxy and with the certificates that were found; it is not guarded yet."""
        proxy, bundle = self.proxy, self.ca_bundle
        return network(
            proxy=proxy.value if proxy else None,
            ca_bundle=bundle.value if bundle else None,
            connections=connections,
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret, for masking text that comes back from the service."""
        account = (self.account.pair.secret,) if self.account else ()
        return (*account, *(pair.secret for pair in self.environments.values()))


def find(
    env: Mapping[str, str], *, folder: Path, home: Path | None = None, api_url: str | None = None
) -> Found:
    """Look in every place; `api_url` is what the command line said and wins. Reads files, never the network.

    Raises UsageError (a malformed value, two keys of one place for one cloud name, a host that a file of the
    folder may not choose) or InvalidFileError. That there are no credentials at all is not an error here.
    """
    toml = folder / settingsfile.NAME
    settings = settingsfile.read(toml) if toml.is_file() else Settings()
    dotenv = folder / ENV_FILE
    layers = [of_variables(env, "", None)]
    if dotenv.is_file():
        layers.append(of_variables(envfile.read(dotenv), f" in {ENV_FILE}", dotenv))
    if toml.is_file():
        layers.append(of_settings(settings, toml))
    saved_at = cldfile.location(env, home or Path.home())
    if saved_at.is_file() and settings.cld != ():
        saved = cldfile.read(saved_at, settings.cld)
        layers.append(
            Place(saved.account, saved.environments, where=OF_CLD, path=saved_at, notices=saved.notices)
        )
    account = next((layer for layer in layers if layer.account), layers[0])
    host = _host(layers, api_url)
    keys, passed_over = _keys(layers, host.value)
    return Found(
        account.account,
        keys,
        host,
        _proxy(layers, host.value),
        next((layer.ca_bundle for layer in layers if layer.ca_bundle), None),
        tuple(layer.path for layer in layers if layer.path and layer.exposed),
        (*(notice for layer in layers for notice in layer.notices), *passed_over, *_later(layers, account)),
    )


def _keys(layers: Sequence[Place], host: str) -> tuple[Mapping[str, KeyPair], list[str]]:
    """The first key of each cloud name, and a sentence on each that was passed over."""
    keys: dict[str, KeyPair] = {}
    passed_over: list[str] = []
    for layer in layers:
        for cloud, one in unique(layer.environments).items():
            if layer.where == OF_CLD and one.host and _bare(one.host) != _bare(host):
                passed_over.append(f"`{one.pair.source}` is not used: it is for another host")
            elif keys.setdefault(cloud, one.pair) is not one.pair:
                passed_over.append(f"`{one.pair.source}` is not used: `{keys[cloud].source}` comes first")
    return keys, passed_over


def _later(layers: Sequence[Place], first: Place) -> list[str]:
    return [
        f"`{layer.account.pair.source}` is not used: `{first.account.pair.source}` comes first"
        for layer in layers
        if layer.account and first.account and layer is not first
    ]


def _host(layers: Sequence[Place], api_url: str | None) -> Choice:
    """The one host to call: said outright, or by the `upload_prefix` of URLs, or the vendor's default."""
    if api_url:
        return Choice(check_api_url(api_url), "--api-url")
    for layer in layers:
        if layer.host:
            return _may_choose(layer, layers, layer.host)
    for layer in layers:
        said = {_bare(one.host): one for one in layer.environments if one.host}
        if len(said) > 1 and layer.where != OF_CLD:
            first, second = sorted(one.pair.source for one in said.values())[:2]
            raise UsageError(
                f"`{first}` and `{second}` name two hosts, and one run talks to one",
                hint="say which with `--api-url`",
            )
        unsaid = layer.where == OF_CLD and any(one.host is None for one in layer.environments)
        if len(said) == 1 and not unsaid:
            one = next(iter(said.values()))
            source = f"upload_prefix of {one.pair.source}"
            return _may_choose(layer, layers, Choice(one.host or "", source))
    return Choice(DEFAULT_API_URL, "the default")


def _may_choose(layer: Place, layers: Sequence[Place], host: Choice) -> Choice:
    """Refuse a file of the folder that would send others' secrets to a host that is not the vendor's."""
    url = check_api_url(host.value, host.source)
    name = urlsplit(url).hostname or ""
    trusted = name == "cloudinary.com" or name.endswith(".cloudinary.com") or is_loopback(name)
    others = [one for one in layers if one is not layer and one.first_key]
    if layer.in_folder and others and not trusted:
        raise UsageError(
            f"`{host.source}` would send `{others[0].first_key}` to `{name}`, which is not the vendor's",
            hint="if you mean it, say so with `--api-url` or the variable `CLOUDINARY_API_URL`",
        )
    return Choice(url, host.source)


def _proxy(layers: Sequence[Place], api_url: str) -> Choice | None:
    """The first place's proxy; `NO_PROXY` of the environment holds for all of them."""
    bypass = layers[0].variables.get("no_proxy") or layers[0].variables.get("NO_PROXY") or ""
    for layer in layers:
        variables = {"no_proxy": bypass, **layer.variables}
        if proxy := proxy_from(variables, api_url):
            return Choice(proxy, f"the proxy settings{layer.where or ' of the environment'}")
    return None


def _bare(url: str) -> str:
    return url.strip().rstrip("/").lower()

"""The places where credentials and settings are kept, each as what it says; `sources` puts them in order."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from permmigrate.cloudinary import settingsfile
from permmigrate.cloudinary.credentials import (
    AccountKeyPair,
    EnvironmentKeyPair,
    account_in,
    environment_keys_in,
    unused_in,
)
from permmigrate.cloudinary.settingsfile import Settings

CA_VARIABLES: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
OF_CLD: Final = " of cld"


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting and where it came from; the value of a proxy may hold a password."""

    value: str = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True)
class Place:
    """What one place says."""

    account: AccountKeyPair | None = None
    environments: tuple[EnvironmentKeyPair, ...] = ()
    host: Choice | None = None
    ca_bundle: Choice | None = None
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What may hold proxy variables."""
    where: str = ""
    path: Path | None = None
    notices: tuple[str, ...] = ()

    @property
    def in_folder(self) -> bool:
        """Whether it is a file of the working folder: whoever made the folder wrote it."""
        return self.path is not None and self.where != OF_CLD

    @property
    def first_key(self) -> str:
        """The name of a key that is kept here, or nothing."""
        pairs = [one.pair for one in (self.account, *self.environments) if one]
        return pairs[0].source if pairs else ""

    @property
    def exposed(self) -> bool:
        """Whether it is a file with secrets that others on this machine can read."""
        if self.path is None or not self.first_key or os.name == "nt":
            return False
        return bool(self.path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def of_variables(env: Mapping[str, str], where: str, path: Path | None) -> Place:
    bundle = next((name for name in CA_VARIABLES if env.get(name, "").strip()), None)
    return Place(
        account_in(env, where),
        environment_keys_in(env, where),
        _host_in(env, where),
        Choice(env[bundle].strip(), f"{bundle}{where}") if bundle else None,
        env,
        where,
        path,
        unused_in(env, where),
    )


def of_settings(settings: Settings, path: Path) -> Place:
    where, texts = f" in {settingsfile.NAME}", settings.texts or {}
    host: Choice | None = None
    if "api_url" in texts:
        host = Choice(texts["api_url"], f"api_url{where}")
    elif "region" in texts:
        host = Choice(_of_region(texts["region"]), f"region{where}")
    bundle = texts.get("ca_bundle")
    ca_bundle = Choice(str(path.parent / bundle), f"ca_bundle{where}") if bundle else None
    proxy = {"all_proxy": texts["proxy"]} if "proxy" in texts else {}
    return Place(settings.account, settings.environments, host, ca_bundle, proxy, where, path)


def _host_in(env: Mapping[str, str], where: str) -> Choice | None:
    if url := env.get("CLOUDINARY_API_URL", "").strip():
        return Choice(url, f"CLOUDINARY_API_URL{where}")
    if region := env.get("CLOUDINARY_REGION", "").strip():
        return Choice(_of_region(region), f"CLOUDINARY_REGION{where}")
    return None


def _of_region(region: str) -> str:
    """`eu`, `ap`, `api-eu` and `api` as addresses; the `cld` command spells regions the same way."""
    name = region.strip().lower()
    return f"https://{name if name.startswith('api') else f'api-{name}'}.cloudinary.com"

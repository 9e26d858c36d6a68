"""An imitation of the vendor's API for the demo and the tests; it shares no code with the client.

In process it is a WSGI callable; over sockets see `sandbox.server`. Nothing here is the vendor's word: its
catalog is illustrative, and what the specifications leave open is decided here and said where it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import quote

from permmigrate.sandbox import accounts, shares
from permmigrate.sandbox.app import App
from permmigrate.sandbox.catalog import load
from permmigrate.sandbox.columns import Assignment
from permmigrate.sandbox.context import CANARY, Context
from permmigrate.sandbox.decide import Resource
from permmigrate.sandbox.knobs import Knobs
from permmigrate.sandbox.migrated import migrate
from permmigrate.sandbox.shares import Shares
from permmigrate.sandbox.state import Account, AccountKey, Key
from permmigrate.sandbox.wire import DroppedConnectionError, Request, Response

__all__ = ["CANARY", "DroppedConnectionError", "Knobs", "Resource", "Sandbox"]

EPOCH: Final = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
"""The moment at which a sandbox's clock stands unless another is given."""
STATES: Final = ("legacy", "migrated")
_TABLES: Final = ("environments", "users", "groups", "folders")


def _fixed() -> datetime:
    return EPOCH


class Sandbox:
    """One imaginary account and the service in front of it."""

    def __init__(
        self,
        account: str = "small",
        seed: int = 1,
        state: str = "legacy",
        knobs: Knobs | None = None,
        *,
        now: Callable[[], datetime] = _fixed,
        ticks: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Make the account. Raises ValueError for an unknown size or state."""
        if state not in STATES:
            raise ValueError(f"there is no state `{state}`: use {' or '.join(STATES)}")
        self.size, self.seed, self.state = account, seed, state
        self.knobs = knobs or Knobs()
        self._born = int(now().timestamp())
        self.account: Account = accounts.make(account, seed, self._born, enforced=state == "migrated")
        self._users = list(self.account.users.values())
        self._groups = list(self.account.groups.values())
        self._folders = len(self.account.folders)
        self._first_keys = list(self.account.keys.values())
        if state == "migrated":
            migrate(self.account, self._shares, load().bundles, self._born)
        self._context = Context(self.account, self.knobs, now)
        self._app = App(self._context, ticks=ticks, sleep=sleep)

    @property
    def wsgi(self) -> Callable[..., Iterable[bytes]]:
        """The WSGI callable, for a server or for an in-process client."""
        return self._app

    def answer(self, request: Request) -> Response:
        """Answer one call without WSGI in between."""
        return self._app.answer(request)

    @property
    def log(self) -> list[dict[str, object]]:
        """The latest calls, one record each, as the log knob writes them."""
        return list(self._app.log.records)

    @property
    def effects(self) -> list[tuple[str, Assignment]]:
        """Every role assignment that a call really added or removed, in order."""
        return self.account.assignments.effects()

    def after_writes(self, number: int, do: Callable[[], None]) -> None:
        """Let something happen right after so many writes took effect."""
        self._app.events[number] = do

    @property
    def account_id(self) -> str:
        return self.account.id

    @property
    def account_name(self) -> str:
        return self.account.name

    @cached_property
    def _main(self) -> AccountKey:
        return next(iter(self.account.account_keys.values()))

    @property
    def account_key(self) -> str:
        """The main account management key."""
        return self._main.id

    @property
    def account_secret(self) -> str:
        return self._main.secret

    @property
    def audit_key(self) -> AccountKey:
        """The second account management key: once migrated it may read people and roles and nothing else."""
        return list(self.account.account_keys.values())[1]

    @property
    def cloud_names(self) -> list[str]:
        return [environment.cloud_name for environment in self.account.environments]

    def keys(self, cloud_name: str) -> list[Key]:
        """The API keys of an environment, in the order they were made. Raises KeyError for an unknown one."""
        environment = self.account.by_cloud(cloud_name)
        if environment is None:
            raise KeyError(cloud_name)
        return [key for key in self.account.keys.values() if key.environment_id == environment.id]

    def account_url(self, base: str = "") -> str:
        """`account://KEY:SECRET@ACCOUNT_ID`; the service's address is not part of it, as with the vendor."""
        return f"account://{self.account_key}:{quote(self.account_secret)}@{self.account_id}"

    def cloudinary_urls(self, base: str = "") -> list[str]:
        """`cloudinary://KEY:SECRET@CLOUD` of each enabled environment's first enabled key."""
        found = []
        for environment in self.account.environments:
            if environment.enabled:
                key = next(k for k in self._first_keys if k.environment_id == environment.id and k.enabled)
                found.append(f"cloudinary://{key.id}:{quote(key.secret)}@{environment.cloud_name}")
        return found

    def environ(self, base: str) -> dict[str, str]:
        """The variables that the vendor's own SDKs read, this sandbox's address among them."""
        return {
            "CLOUDINARY_ACCOUNT_URL": self.account_url(base),
            "CLOUDINARY_ACCOUNT_ID": self.account_id,
            "CLOUDINARY_PROVISIONING_API_KEY": self.account_key,
            "CLOUDINARY_PROVISIONING_API_SECRET": self.account_secret,
            "CLOUDINARY_URL": f"{self.cloudinary_urls(base)[0]}?upload_prefix={base}",
        }

    def describe(self, base: str) -> dict[str, object]:
        """What `sandbox serve --json` prints first."""
        return {
            "url": base,
            "account_url": self.account_url(base),
            "cloudinary_urls": self.cloudinary_urls(base),
        }

    def cut_over(self) -> None:
        """Retire the legacy system: from now on keys may do what their roles allow and nothing else."""
        self.account.enforced = True

    def allowed(
        self,
        principal_type: str,
        principal_id: str,
        environment_id: str | None,
        action: str,
        resource: Resource,
    ) -> bool:
        """Ask Cedar whether a principal may do an action on a resource: the oracle for tests."""
        return self._context.decider.allowed(principal_type, principal_id, environment_id, action, resource)

    @cached_property
    def _shares(self) -> Shares:
        size = accounts.SIZES[self.size]
        environments = len(self.account.environments)
        return shares.make(
            self.seed, size.shares, self.account.folders, self._users, self._groups, environments
        )

    def share_rows(self) -> Iterator[dict[str, str]]:
        """The share list that the account's people keep: ids in some rows, names and addresses in others.

        It is the list of the account as it was made; later writes do not change it.
        """
        environments, folders = self.account.environments, self.account.folders
        listed = self._shares
        people, parties = len(self._users), len(self._groups)
        for number, share in enumerate(listed):
            by_id = (number * 2_654_435_761 >> 7) % 3 == 0
            if share.content < 0:
                collection = listed.collections[-1 - share.content]
                environment = environments[collection.environment]
                kind, content, name = "collection", collection.id, collection.name
            else:
                environment = environments[folders.environments[share.content]]
                kind, name = "folder", ""
                content = (folders.ids if by_id else folders.paths)[share.content]
            if share.principal < people:
                user = self._users[share.principal]
                principal_type, principal = "user", user.id if number % 4 == 0 else user.email
            elif share.principal < people + parties:
                group = self._groups[share.principal - people]
                principal_type, principal = "group", group.name if number % 3 == 0 else group.id
            elif share.principal < people + parties + len(shares.LEFT):
                principal_type, principal = "user", shares.LEFT[share.principal - people - parties]
            else:
                principal_type, principal = "group", shares.GONE_GROUP
            yield {
                "environment": environment.id if number % 2 else environment.cloud_name,
                "content_type": kind,
                "content": content,
                "content_name": name,
                "principal_type": principal_type,
                "principal": principal,
                "level": shares.LEVELS[share.level],
            }

    def write_shares(self, path: Path, limit: int | None = None) -> int:
        """Write the share list as .csv, .json or .xlsx; return how many rows it has."""
        return shares.write(path, islice(self.share_rows(), limit))

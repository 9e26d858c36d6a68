"""What the areas judge from: the snapshot, the tables, the comparison, and the look-ups they share.

It finds nothing wrong by itself; it answers questions, each worked out once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from permmigrate.diff import Diff, Finding
from permmigrate.mapping.lint import Notice
from permmigrate.mapping.lookup import Lookup
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import (
    ApiKey,
    ContentKind,
    Group,
    LedgerEntry,
    PrincipalRef,
    PrincipalType,
    Share,
    User,
    UserId,
)
from permmigrate.readiness.scoring import SECTION
from permmigrate.snapshot import Snapshot


@dataclass(frozen=True)
class Evidence:
    """Everything an area may look at."""

    snapshot: Snapshot
    tables: MappingTables
    diff: Diff
    notices: tuple[Notice, ...] = ()

    @cached_property
    def now(self) -> datetime:
        """The moment of the capture: the report's only clock."""
        return _utc(datetime.fromisoformat(self.snapshot.captured_at))

    def days_since(self, stamp: str | None) -> int | None:
        """Whole days from a timestamp to the capture; None when it is missing or not a date."""
        try:
            return (self.now - _utc(datetime.fromisoformat(stamp))).days if stamp else None
        except ValueError:
            return None

    @cached_property
    def lookup(self) -> Lookup:
        """Which rows translate a grant, as the translation itself asks, on the day of the capture."""
        return Lookup(self.tables, self.snapshot, self.now.date())

    @cached_property
    def expansions(self) -> Mapping[PrincipalRef, Sequence[Finding]]:
        """The findings that gain or may gain access, by principal."""
        found: dict[PrincipalRef, list[Finding]] = defaultdict(list)
        for finding in self.diff.findings:
            if finding.verdict.is_expansion:
                found[finding.principal].append(finding)
        return dict(found)

    def gainers(self, kinds: Iterable[PrincipalType]) -> int:
        """How many principals of these kinds gain or may gain access."""
        wanted = frozenset(kinds)
        return sum(principal.type in wanted for principal in self.expansions)

    @cached_property
    def ledger(self) -> Mapping[str, Sequence[LedgerEntry]]:
        """The ledger's lines by area."""
        found: dict[str, list[LedgerEntry]] = defaultdict(list)
        for entry in self.snapshot.ledger:
            found[entry.area].append(entry)
        return dict(found)

    def unread(self, *areas: str) -> tuple[str, ...]:
        """What is not known to have been read: the gaps of these ledger areas, and areas without a line."""
        found: list[str] = []
        for name in areas:
            lines = self.ledger.get(name, ())
            if not lines:
                found.append(f"{name}: the ledger has no line")
            found += (describe(entry) for entry in lines if entry.status.is_gap)
        return tuple(found)

    def unread_of(self, key: str) -> tuple[str, ...]:
        """What was not read of one area of the report."""
        return self.unread(*SECTION[key].reads)

    @cached_property
    def active(self) -> frozenset[UserId]:
        """The users who can act today: enabled and not pending."""
        return frozenset(user.id for user in self.snapshot.users if user.enabled and not user.pending)

    @cached_property
    def sharers(self) -> frozenset[PrincipalRef]:
        """Who holds a share of their own."""
        return frozenset(share.principal for share in self.snapshot.shares)

    def shares_of(self, kind: ContentKind) -> Mapping[int, Share]:
        """The shares of folders or collections by their place in the snapshot."""
        return {at: share for at, share in enumerate(self.snapshot.shares) if share.content.kind is kind}

    @cached_property
    def environment_names(self) -> Mapping[str, str]:
        return {each.id: each.name or each.cloud_name or each.id for each in self.snapshot.environments}

    def key_name(self, key: ApiKey) -> str:
        """A key with its value and environment: names of keys repeat."""
        place = self.environment_names.get(key.environment_id, key.environment_id)
        return f"{key.name} ({key.id}) in {place}" if key.name else f"{key.id} in {place}"

    def share_name(self, share: Share) -> str:
        """A share in words, with where it was read."""
        content, principal = share.content, share.principal
        where = self.snapshot.content_labels.get(content, content.id)
        place = self.environment_names.get(content.environment_id, content.environment_id)
        user = self.snapshot.user_by_id.get(principal.id) if principal.type is PrincipalType.USER else None
        who = user_name(user) if user else self.snapshot.principal_name(principal)
        return f"{where} in {place}: {share.level} for {principal.type.label} {who} ({share.source})"


def user_name(user: User) -> str:
    """A user with the e-mail address: names of people repeat."""
    if user.name and user.email:
        return f"{user.name} ({user.email})"
    return user.name or user.email or user.id


def group_name(group: Group) -> str:
    """A group by its name, or its id when it has none."""
    return group.name or group.id


def describe(entry: LedgerEntry) -> str:
    """A line of the ledger in words: what, for what, and what came of it."""
    subject = f" of {entry.subject}" if entry.subject else ""
    status = f" ({entry.http_status})" if entry.http_status else ""
    detail = f": {entry.detail}" if entry.detail else ""
    return f"{entry.area}{subject}, {entry.endpoint}: {entry.status.value}{status}{detail}"


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

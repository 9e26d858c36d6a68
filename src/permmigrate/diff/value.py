"""The values of a comparison: what every renderer counts from. The modules beside find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from permmigrate.model import PrincipalRef, PrincipalType, UserId

BY_MAPPING: Final = "the mapping tables"
"""`Diff.compared_with` when the after side is what the tables would make."""


class Verdict(StrEnum):
    """The six answers of a comparison. A maybe gates like a yes."""

    GAINED = "gained"
    MAYBE_GAINED = "maybe gained"
    LOST = "lost"
    MAYBE_LOST = "maybe lost"
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"

    @property
    def is_expansion(self) -> bool:
        return self in (Verdict.GAINED, Verdict.MAYBE_GAINED)

    @property
    def is_reduction(self) -> bool:
        return self in (Verdict.LOST, Verdict.MAYBE_LOST)


_VERDICT_RANKS: Final = {verdict: rank for rank, verdict in enumerate(Verdict)}


class Severity(StrEnum):
    """How much a capability matters, from `mappings/severity.csv`."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for critical, 3 for low: sorts the worst first."""
        return _RANKS[self]


_RANKS: Final = {severity: rank for rank, severity in enumerate(Severity)}


class RegionKind(StrEnum):
    """How far a finding reaches."""

    ACCOUNT = "account"
    ENVIRONMENT = "environment"
    FOLDER = "folder"
    COLLECTION = "collection"


@dataclass(frozen=True, slots=True, order=True)
class Capability:
    """One atom of permission: an action on a resource type or feature, under a condition."""

    scope: str
    """`account` or `prodenv`."""
    action: str
    """`read`; with its namespace when that is not the vendor's main one."""
    resource: str
    """`Asset`, `Folder`, or `Feature cld::global::ml::access`."""
    condition: str
    """`access_control is public`, or empty."""
    label: str
    """In words: "Delete assets"."""
    severity: Severity


@dataclass(frozen=True, slots=True)
class Region:
    """The largest region a finding holds for; never one line per descendant folder."""

    kind: RegionKind
    environment_id: str
    """Empty for the account."""
    content_id: str
    """The folder's or collection's id, or empty."""
    label: str
    """`Brands/Aurora`, the collection's name, the environment's name, or `the account`."""
    folders: int = 0
    """How many folders it covers: the subtree less what deeper grants take out; 0 when not a folder."""


@dataclass(frozen=True, slots=True)
class Witness:
    """The smallest request that shows a finding, as Cedar was asked it: once under each side's policies."""

    principal: str
    """The entity that asks: `Cloudinary::User::"u-17"`."""
    action: str
    """`Cloudinary::Action::"delete"`."""
    resource: str
    """`Cloudinary::Asset::"an asset in Brands/Aurora"`."""
    attributes: Mapping[str, object]
    """What the resource is given, at the top of the region: `{"ancestor_ids": ["f-1", "f-9"]}`."""
    context: Mapping[str, object]
    before: str
    """Cedar's decision: `allow` or `deny`; for a maybe both, with and without what nobody knows:
    `allow or deny`."""
    after: str
    """Likewise."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between before and after for one principal in one region.

    What a group gains, its members gain: they are listed with the group's finding. Users who gain the same
    along the same paths are listed with the first of them. Everybody else has findings of their own.
    """

    id: str
    """`f` and twelve hex digits, which no spreadsheet takes for a number. They depend on principal, verdict,
    region and capabilities only: a mapping row that moves to another line leaves them as they are."""
    principal: PrincipalRef
    verdict: Verdict
    severity: Severity
    """The worst of its capabilities."""
    region: Region
    capabilities: tuple[int, ...]
    """Indexes into `Diff.capabilities`, the most severe first."""
    before: tuple[str, ...]
    """What granted it before, or may have, each a path in words: "group EMEA › Can edit on Brands"."""
    after: tuple[str, ...]
    """What grants it after, likewise."""
    causes: tuple[str, ...]
    """The mapping rows behind it, `user_roles.csv:17`, or a vendor default in words."""
    reason: str = ""
    """For a maybe or an unknown: what is not known, and which row or statement says so."""
    dormant: bool = False
    """The principal is disabled or pending: it could do this only once it is active."""
    others: tuple[UserId, ...] = ()
    """The other users for whom exactly this finding holds in the same way, who have none of their own for it:
    a group's members, or people who hold the same grants."""

    witness: Witness | None = None
    """Confirmed by Cedar; None for an unknown."""
    sensitivity: str = ""
    """The label of `mappings/sensitivity.csv` that applied to the severity, or empty: `confidential (holds
    Brands/legal)` when it is a folder below that it was said of."""

    def sort_key(self) -> tuple[object, ...]:
        """The order of `Diff.findings`."""
        rank = (self.severity.rank, _VERDICT_RANKS[self.verdict])
        region = (self.region.label, self.region.environment_id, self.region.content_id)
        return (*rank, str(self.principal), *region, self.capabilities, self.id)

    @property
    def principals(self) -> tuple[PrincipalRef, ...]:
        """The principal, and the users it stands for."""
        return (self.principal, *(PrincipalRef(PrincipalType.USER, other) for other in self.others))


@dataclass(frozen=True, slots=True)
class Cause:
    """A mapping row or vendor default, with what it makes."""

    ref: str
    """`user_roles.csv:17`, or a vendor default in words."""
    text: str
    """The row in words: "admin → access bundle Admin, in each environment the user has"."""
    confidence: str
    expansions: int
    """Findings gained or maybe gained that name this cause."""
    sole_expansions: int
    """Those that would go if this row went: no other cause makes them."""
    reductions: int
    principals: int
    severity: Severity
    """The worst among its expansions; `LOW` when it has none."""


@dataclass(frozen=True, slots=True)
class PrincipalSummary:
    """One principal, before and after."""

    principal: PrincipalRef
    name: str
    detail: str
    """E-mail address, key value, or number of members."""
    before: tuple[str, ...]
    """Legacy grants in words."""
    after: tuple[str, ...]
    """New roles in words."""
    counts: Mapping[Verdict, int]
    """Findings that hold for it by verdict, those listed with its groups among them; zeros left out."""
    admin_before: bool
    admin_after: bool
    """Whether it surely may do something critical to the account: manage users, roles, security."""
    dormant: bool
    last_login: str | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """How one mapping row was used."""

    ref: str
    text: str
    uses: int
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """Something that could not be known or decided, and what it touches."""

    kind: str
    """`gap`, `baseline`, `unmapped`, `statement`, `orphan share`."""
    subject: str
    reason: str
    findings: int = 0


class ConcernKind(StrEnum):
    """What deserves a reader's eye beside the differences of today."""

    FUTURE_SCOPE = "future scope"
    """Equal today, wider tomorrow: all environments, a parent folder, a group that others fill."""
    ADMIN_PROMOTION = "admin promotion"
    KEY_DENIED = "key would get 403"
    KEY_OVERPOWERED = "key holds more than it held"


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing of its own kind about one principal, which no single finding says."""

    kind: ConcernKind
    principal: PrincipalRef
    severity: Severity
    text: str
    """What is the matter, in one sentence."""
    details: tuple[str, ...] = ()
    """The API operations a key would lose or gains, the environments or folders concerned, in words."""
    causes: tuple[str, ...] = ()
    """As in a finding."""


@dataclass(frozen=True)
class Diff:
    """The whole comparison; every renderer counts from this and nothing else."""

    account_id: str
    captured_at: str
    tool_version: str
    snapshot_digest: str
    mapping_digest: str
    catalog_digest: str
    catalog_source: str
    compared_with: str
    """What "after" is: `the mapping tables`, or a later snapshot's capture time and digest."""
    capabilities: tuple[Capability, ...]
    findings: Sequence[Finding]
    """Sorted: worst severity first, then verdict, principal, region."""
    causes: tuple[Cause, ...]
    """Sorted by expansions, most first."""
    principals: Sequence[PrincipalSummary]
    coverage: tuple[Coverage, ...]
    uncertainties: tuple[Uncertainty, ...]
    assumptions: tuple[str, ...]
    """What the engine took for granted, in words, for the method section."""
    complete: bool
    """No gap in the ledger and nothing untranslated."""
    concerns: tuple[Concern, ...] = ()
    """Sorted by kind, severity and principal."""
    decided: int = 0
    """How many (principal, capability, breakpoint region) questions were decided."""
    counts: Mapping[Verdict, int] = field(default_factory=dict)
    """Findings by verdict, every verdict present; `UNCHANGED` counts the principals for whom none holds."""

    @property
    def is_planned(self) -> bool:
        """Whether "after" is what the mapping tables would make, and not yet a fact."""
        return self.compared_with == BY_MAPPING

    @property
    def headline(self) -> str:
        """The verdict banner: `EXPANDS`, `INCOMPLETE` or `NO EXPANSION PROVED`."""
        if self.counts.get(Verdict.GAINED, 0):
            return "EXPANDS"
        undecided = self.counts.get(Verdict.MAYBE_GAINED, 0) + self.counts.get(Verdict.UNKNOWN, 0)
        return "INCOMPLETE" if undecided or not self.complete else "NO EXPANSION PROVED"

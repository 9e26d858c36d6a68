"""Comparisons and snapshots for the report's tests: a small account, and whatever Hypothesis thinks of."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict

from hypothesis import strategies as st

from permmigrate.catalog import Catalog
from permmigrate.diff import (
    Capability,
    Cause,
    Coverage,
    Diff,
    Finding,
    PrincipalSummary,
    Region,
    RegionKind,
    Severity,
    Uncertainty,
    Verdict,
)
from permmigrate.model import (
    ApiKey,
    EnvironmentId,
    Folder,
    FolderId,
    Group,
    GroupId,
    LedgerEntry,
    OrphanShare,
    PrincipalRef,
    PrincipalType,
    ProductEnvironment,
    ReadStatus,
    User,
    UserId,
)
from permmigrate.readiness import Area, AreaVerdict, Readiness, ReadinessFinding
from permmigrate.snapshot import Snapshot

CAPABILITIES = (
    Capability("account", "create", "User", "", "Create users", Severity.CRITICAL),
    Capability("account", "update", "Role", "", "Change roles", Severity.CRITICAL),
    Capability("prodenv", "delete", "Asset", "", "Delete assets", Severity.HIGH),
    Capability("prodenv", "read", "Feature cld::global::api_keys::view", "", "See API keys", Severity.HIGH),
    Capability("prodenv", "update", "Asset", "", "Edit assets", Severity.MEDIUM),
    Capability("prodenv", "create", "Asset", "", "Upload assets", Severity.MEDIUM),
    Capability(
        "prodenv",
        "read",
        "Asset",
        'access_control == "public"',
        "View and download public assets",
        Severity.LOW,
    ),
    Capability("prodenv", "read", "Report", "", "View usage reports", Severity.LOW),
)

_FIRST = [
    "Amara",
    "Bilal",
    "Chloé",
    "Dmitri",
    "Elena",
    "Farid",
    "Grace",
    "Hiroshi",
    "Inés",
    "Jonas",
    "Katarzyna",
    "Liam",
    "Mei",
    "Noor",
    "Olga",
    "Pedro",
    "Quinn",
    "Rosa",
    "Sven",
    "Tomasz",
]
_LAST = [
    "Okafor",
    "Haddad",
    "Laurent",
    "Volkov",
    "Rossi",
    "Nasser",
    "Kim",
    "Tanaka",
    "García",
    "Lindqvist",
    "Nowak",
    "Murphy",
    "Chen",
    "Rahman",
    "Petrova",
    "Silva",
    "Baker",
    "Ortiz",
    "Berg",
    "Zieliński",
]
_BRANDS = ["Aurora", "Borealis", "Cascade", "Dune", "Ember", "Fjord", "Grove", "Harbor"]
_ROLES = (
    ("media_library_user", "Media Library User"),
    ("media_library_admin", "Media Library Admin"),
    ("technical_admin", "Technical Admin"),
    ("admin", "Admin"),
    ("reports", "Reports"),
    ("billing", "Billing"),
    ("master_admin", "Master Admin"),
)


def user(at: int, **changes: object) -> User:
    """A user with a dull default for everything."""
    first, last = _FIRST[at % 20], _LAST[(at // 20 + at) % 20]
    values: dict[str, object] = {
        "id": UserId(f"u{at:05d}"),
        "name": f"{first} {last}",
        "email": f"{first}.{last}.{at}@example.com".lower(),
        "legacy_role": _ROLES[0][0] if at % 7 else _ROLES[(at // 7) % 7][0],
        "enabled": at % 23 != 5,
        "pending": at % 31 == 8,
        "last_login": None if at % 11 == 3 else f"2026-{1 + at % 9:02d}-{1 + at % 27:02d}T09:12:00Z",
    }
    return User(**(values | changes))  # type: ignore[arg-type]


def snapshot(size: int = 40, **changes: object) -> Snapshot:
    """An account of two environments with a gap and an orphan share."""
    environments = (
        ProductEnvironment(EnvironmentId("e1"), "Production", "acme-prod", True),
        ProductEnvironment(EnvironmentId("e2"), "Staging", "acme-stage", True),
    )
    values: dict[str, object] = {
        "account_id": "acc-4711",
        "captured_at": "2026-11-22T07:05:00Z",
        "tool_version": "0.1.0",
        "api_url": "https://api.cloudinary.com",
        "environments": environments,
        "users": tuple(user(at) for at in range(size)),
        "groups": (
            Group(GroupId("g1"), "EMEA Marketing", tuple(UserId(f"u{at:05d}") for at in range(0, size, 3))),
            Group(GroupId("g2"), "Agencies", ()),
        ),
        "api_keys": tuple(
            ApiKey(f"{734211898771000 + at * 977}", name, EnvironmentId(f"e{1 + at % 2}"), enabled=at != 4)
            for at, name in enumerate(
                ("website upload", "CI asset sync", "", "PIM connector", "old importer", "analytics export")
            )
        ),
        "folders": tuple(
            Folder(FolderId(f"f{at}"), EnvironmentId("e1"), f"Brands/{brand}")
            for at, brand in enumerate(_BRANDS)
        ),
        "orphan_shares": (
            OrphanShare(
                (
                    ("environment", "acme-prod"),
                    ("content", "Brands/Gone"),
                    ("principal", "left@example.com"),
                    ("level", "can_edit"),
                ),
                "no user has this e-mail address",
                "shares.csv:12",
            ),
        ),
        "catalog": Catalog.of(
            (), (), source="https://api.cloudinary.com/v2/accounts/permissions/public/catalog"
        ),
        "ledger": (
            LedgerEntry(
                "people", "GET /v1_1/provisioning/accounts/{account_id}/users", "", ReadStatus.READ, size, 200
            ),
            LedgerEntry(
                "groups",
                "GET /v1_1/provisioning/accounts/{account_id}/user_groups",
                "",
                ReadStatus.READ,
                2,
                200,
            ),
            LedgerEntry("keys", "GET /sub_accounts/{id}/access_keys", "Production", ReadStatus.READ, 3, 200),
            LedgerEntry(
                "keys",
                "GET /sub_accounts/{id}/access_keys",
                "Staging",
                ReadStatus.DENIED,
                0,
                403,
                "the key may not list access keys here",
            ),
            LedgerEntry("shares", "list shares.csv", "", ReadStatus.READ, 118),
            LedgerEntry("policies", "GET /permissions/policies/custom", "Staging", ReadStatus.EMPTY, 0, 200),
        ),
        "digest": hashlib.sha256(b"snapshot").hexdigest(),
    }
    return Snapshot.of(**(values | changes))  # type: ignore[arg-type]


def region(at: int) -> Region:
    """Account, environment, folder or collection in turn."""
    match at % 5:
        case 0:
            return Region(RegionKind.ENVIRONMENT, "e1", "", "Production")
        case 4:
            return Region(RegionKind.COLLECTION, "e1", f"c{at % 3}", f"Launch {2024 + at % 3}")
        case _:
            brand = _BRANDS[at % 8]
            deep = f"/{2020 + at % 7}/Campaign {at % 19}" if at % 3 else ""
            return Region(
                RegionKind.FOLDER, "e1", f"f{at % 997}", f"Brands/{brand}{deep}", folders=1 + at * 7 % 240
            )


def finding(
    at: int,
    principal: PrincipalRef,
    verdict: Verdict,
    capabilities: tuple[int, ...],
    where: Region,
    others: tuple[UserId, ...] = (),
) -> Finding:
    """One finding with its paths in words."""
    maybe = "maybe" in verdict.value or verdict is Verdict.UNKNOWN
    causes = (f"user_roles.csv:{4 + at % 6}",) if at % 4 else ("folder_levels.csv:7", "overrides.csv:3")
    seed = f"{principal}{verdict}{where}{capabilities}{at}"
    return Finding(
        id="f" + hashlib.sha256(seed.encode()).hexdigest()[:12],
        principal=principal,
        verdict=verdict,
        severity=min((CAPABILITIES[index].severity for index in capabilities), key=lambda s: s.rank),
        region=where,
        capabilities=capabilities,
        before=()
        if verdict.is_expansion and at % 3
        else (f"group EMEA Marketing › Can edit on {where.label}",),
        after=()
        if verdict.is_reduction
        else (f"Media Library Admin ({causes[0]})", f"folder Editor on {where.label}")[: 1 + at % 2],
        causes=causes,
        reason="legacy_baseline.csv:31 does not say whether `media_library_user` could download originals"
        if maybe
        else "",
        dormant=at % 23 == 5,
        others=others,
    )


def diff(findings: int = 60, users: int = 40, **changes: object) -> Diff:
    """A comparison over `snapshot(users)`: some gain, some lose, some cannot be told."""
    account = snapshot(users)
    people = [PrincipalRef(PrincipalType.USER, u.id) for u in account.users]
    others = [
        PrincipalRef(PrincipalType.GROUP, "g1"),
        *(PrincipalRef(PrincipalType.API_KEY, k.id) for k in account.api_keys),
    ]
    verdicts = (
        Verdict.GAINED,
        Verdict.GAINED,
        Verdict.MAYBE_GAINED,
        Verdict.LOST,
        Verdict.MAYBE_LOST,
        Verdict.UNKNOWN,
    )
    made = []
    for at in range(findings):
        principal = others[at % 7] if at % 6 == 1 else people[at * 7 % max(1, len(people) * 2 // 3 - 1)]
        few = tuple(sorted({at % 8, (at * 3 + 1) % 8, at % 3 + 2}))[: 1 + at % 3]
        members = account.groups[0].member_ids[at % 5 :: 3] if principal.type is PrincipalType.GROUP else ()
        made.append(finding(at, principal, verdicts[at % 6], few, region(at), members))
    ordered = sorted(made, key=lambda f: (f.severity.rank, f.verdict, f.principal, f.region.label, f.id))
    return assemble(account, tuple(ordered), **changes)


def assemble(account: Snapshot, found: tuple[Finding, ...], **changes: object) -> Diff:
    """Everything a comparison carries beside its findings, counted from them."""
    everyone = [
        *(PrincipalRef(PrincipalType.USER, u.id) for u in account.users),
        *(PrincipalRef(PrincipalType.GROUP, g.id) for g in account.groups),
        *(PrincipalRef(PrincipalType.API_KEY, k.id) for k in account.api_keys),
    ]
    by_principal: dict[PrincipalRef, Counter[Verdict]] = defaultdict(Counter)
    for each in found:
        for principal in each.principals:
            by_principal[principal][each.verdict] += 1
    everyone += sorted(set(by_principal) - set(everyone))
    untouched = set(everyone) - set(by_principal)
    counts = {v: sum(f.verdict is v for f in found) for v in Verdict if v is not Verdict.UNCHANGED}
    values: dict[str, object] = {
        "account_id": account.account_id,
        "captured_at": account.captured_at,
        "tool_version": "0.1.0",
        "snapshot_digest": account.digest,
        "mapping_digest": hashlib.sha256(b"mapping").hexdigest(),
        "catalog_digest": hashlib.sha256(b"catalog").hexdigest(),
        "catalog_source": account.catalog.source,
        "compared_with": "the mapping tables",
        "capabilities": CAPABILITIES,
        "findings": found,
        "causes": causes_of(found),
        "principals": tuple(summary(account, principal, by_principal) for principal in everyone),
        "coverage": tuple(
            Coverage(
                f"user_roles.csv:{2 + at}",
                f"{legacy} → access bundle {new}, in each environment the user has",
                at * 5 % 13,
                "vendor's overview page, Apr-20-2026",
                "inferred",
            )
            for at, (legacy, new) in enumerate(_ROLES)
        ),
        "uncertainties": (
            Uncertainty(
                "baseline",
                "media_library_user · download originals",
                "no source says what the legacy role allowed",
                14,
            ),
            Uncertainty(
                "unmapped",
                "Can manage on collection Launch 2025",
                "collection_levels.csv has no row for this level",
                3,
            ),
        ),
        "assumptions": (
            "A folder lists itself among its own ancestors.",
            "Groups' members are those the snapshot read.",
        ),
        "complete": False,
        "decided": 48_213,
        "counts": counts | {Verdict.UNCHANGED: len(untouched)},
    }
    return Diff(**(values | changes))  # type: ignore[arg-type]


def causes_of(found: tuple[Finding, ...]) -> tuple[Cause, ...]:
    """The causes with the counts that follow from the findings."""
    made = []
    for at, ref in enumerate(sorted({cause for f in found for cause in f.causes})):
        mine = [f for f in found if ref in f.causes]
        gains = [f for f in mine if f.verdict.is_expansion]
        made.append(
            Cause(
                ref=ref,
                text=f"{_ROLES[at % 7][0]} → role environment/{_ROLES[at % 7][1]}, in each environment",
                confidence="inferred",
                expansions=len(gains),
                sole_expansions=sum(f.causes == (ref,) for f in gains),
                reductions=sum(f.verdict.is_reduction for f in mine),
                principals=len({f.principal for f in mine}),
                severity=min((f.severity for f in gains), key=lambda s: s.rank, default=Severity.LOW),
            )
        )
    return tuple(sorted(made, key=lambda c: (-c.expansions, c.ref)))


def summary(
    account: Snapshot, principal: PrincipalRef, counts: dict[PrincipalRef, Counter[Verdict]]
) -> PrincipalSummary:
    """A principal's line, with administrators where the legacy role says so."""
    person = account.user_by_id.get(principal.id)
    legacy = person.legacy_role if person else ""
    new = dict(_ROLES).get(legacy, "Master Admin")
    return PrincipalSummary(
        principal=principal,
        name=account.principal_name(principal),
        detail=person.email if person else principal.id,
        before=(f"legacy role {legacy}",) if person else ("full access to its environment",),
        after=(f"{new} in Production", f"{new} in Staging") if person else ("Master Admin in Production",),
        counts=dict(counts[principal]),
        admin_before=legacy in ("master_admin", "admin"),
        admin_after=legacy in ("master_admin", "technical_admin"),
        dormant=bool(person and (not person.enabled or person.pending)),
        last_login=person.last_login if person else None,
    )


def readiness(**changes: object) -> Readiness:
    """A readiness of three areas: one ready, one blocked, one unknown."""
    blocked = ReadinessFinding(
        Severity.CRITICAL,
        "4 keys become Master Admin",
        "A key that only uploads could delete everything.",
        "give each key the role it needs in api_keys.csv",
        ("CI asset sync", "website upload"),
        4,
    )
    areas = (
        Area(
            "people",
            "People",
            AreaVerdict.READY,
            40,
            1.0,
            "Every user has a known role.",
            (),
            (("Users", "40"),),
        ),
        Area(
            "keys",
            "Keys",
            AreaVerdict.BLOCKED,
            40,
            0.5,
            "Half of the keys fit.",
            (blocked,),
            (("Keys", "6"),),
        ),
        Area("folders", "Folders", AreaVerdict.UNKNOWN, 20, 0.0, "No share list was given.", (), ()),
    )
    values: dict[str, object] = {
        "account_id": "acc-4711",
        "captured_at": "2026-11-22T07:05:00Z",
        "tool_version": "0.1.0",
        "snapshot_digest": "a" * 64,
        "mapping_digest": "b" * 64,
        "catalog_digest": "c" * 64,
        "catalog_source": "https://api.cloudinary.com/v2/accounts/permissions/public/catalog",
        "areas": areas,
        "score": 60,
        "arithmetic": (
            ("People", "weight 40 × score 1.00 = 40.00"),
            ("Keys", "weight 40 × score 0.50 = 20.00"),
        ),
        "complete": False,
    }
    return Readiness(**(values | changes))  # type: ignore[arg-type]


HOSTILE = (
    '=HYPERLINK("http://evil.example/","click")',
    "<img src=x onerror=\"document.title='owned'\">",
    "</script><script>document.title='owned'</script>",
    "{{ 7 * 7 }}{% raw %}",
    "+1+cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "-2+3",
    "bell\x07 null\x00 escape\x1b[31m",
    "\u202egpj.exe\u202c",
    "مرحبا بالعالم",
    "👩‍👩‍👧 team 🎨",
    "x" * 10_000,
    "tab\tand\nline",
    "\ud800 lone",
    "javascript:alert(1)",
    "'; DROP TABLE users; --",
    "_x0041_ {=1+1}",
)

names = st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1, max_size=30))


@st.composite
def diffs(draw: st.DrawFn) -> tuple[Diff, Snapshot]:
    """Any small comparison with hostile names, and the snapshot it is about."""
    size = draw(st.integers(1, 6))
    people = tuple(
        user(at, name=draw(names), legacy_role=draw(st.sampled_from(["admin", "", "media_library_user"])))
        for at in range(size)
    )
    account = snapshot(users=people)
    principals = [
        *(PrincipalRef(PrincipalType.USER, u.id) for u in people),
        PrincipalRef(PrincipalType.GROUP, "g1"),
        PrincipalRef(PrincipalType.API_KEY, account.api_keys[0].id),
        PrincipalRef(PrincipalType.ACCOUNT_KEY, "91827364"),
    ]
    found = []
    for at in range(draw(st.integers(0, 12))):
        where = Region(
            draw(st.sampled_from(list(RegionKind))),
            draw(st.sampled_from(["", "e1", "gone"])),
            draw(st.sampled_from(["", "f1"])),
            draw(names),
            draw(st.integers(0, 9)),
        )
        kinds = [v for v in Verdict if v is not Verdict.UNCHANGED]
        few = tuple(draw(st.lists(st.integers(0, 7), min_size=1, max_size=4, unique=True)))
        found.append(finding(at, draw(st.sampled_from(principals)), draw(st.sampled_from(kinds)), few, where))
    return assemble(account, tuple(found), complete=draw(st.booleans())), account

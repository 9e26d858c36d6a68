"""The view counts and says what the comparison found."""

from __future__ import annotations

import pytest
import report_builders as builders

from permmigrate.catalog import Catalog, is_illustrative
from permmigrate.diff import Region, RegionKind, Verdict
from permmigrate.model import (
    ManagementType,
    PermissionType,
    PrincipalRef,
    PrincipalType,
    Role,
    RoleId,
    ScopeType,
    UserId,
)
from permmigrate.readiness import AreaVerdict
from permmigrate.report.text import listed, moment, plural, visible
from permmigrate.report.view import diff_view, readiness_view
from permmigrate.report.words import dormant_sentence

REGION = Region(RegionKind.ENVIRONMENT, "e1", "", "Production")


def one(verdict: Verdict, principal: PrincipalRef, members: tuple[UserId, ...] = ()) -> tuple[object, ...]:
    return (builders.finding(1, principal, verdict, (0,), REGION, members),)


USER = PrincipalRef(PrincipalType.USER, "u00001")
GROUP = PrincipalRef(PrincipalType.GROUP, "g1")


def banner(found: tuple[object, ...], **changes: object) -> str:
    account = builders.snapshot()
    return diff_view(builders.assemble(account, found, **changes), account).banner.sentence  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "changes", "expected"),
    [
        (one(Verdict.GAINED, USER), {}, "1 person would gain access they do not have today."),
        (
            one(Verdict.GAINED, USER),
            {"compared_with": "the snapshot of 2026-12-01"},
            "1 person gained access they did not have before.",
        ),
        (
            one(Verdict.GAINED, GROUP, (UserId("u00003"), UserId("u00006"))),
            {},
            "2 people and 1 group would gain access they do not have today.",
        ),
        (
            one(Verdict.MAYBE_GAINED, USER),
            {"complete": True},
            "No certain gain was found, but 1 person may gain access: not enough is known to rule it out.",
        ),
        (
            one(Verdict.LOST, USER),
            {"complete": False},
            "No gain was found in what could be read, but not everything could be read or decided.",
        ),
        (one(Verdict.LOST, USER), {"complete": True}, "No one would gain access."),
    ],
)
def test_banner_sentence(found: tuple[object, ...], changes: dict[str, object], expected: str) -> None:
    """The banner names who gains, says when it cannot tell, and claims nothing more."""
    assert expected == banner(found, **changes)


def test_members_count_with_their_group() -> None:
    """A group's finding holds for its listed members: they change outcome, and are not unchanged."""
    account = builders.snapshot()
    diff = builders.assemble(account, one(Verdict.GAINED, GROUP, (UserId("u00003"),)))  # type: ignore[arg-type]
    view = diff_view(diff, account)
    outcome = {r["principal_id"]: r["outcome"] for r in view.table("principals").records()}
    assert ("gained", "gained", "unchanged") == (outcome["g1"], outcome["u00003"], outcome["u00004"])
    record = next(view.table("expansions").records())
    people = view.table("principals").values("principal_id")
    assert (1, ["u00003"]) == (record["people"], [people[at] for at in record["others"]])
    assert [2] == view.table("places").values("principals")


def test_figures_of_a_fixed_comparison() -> None:
    """A golden of the figures: sixty findings, ten of each kind, gained twice."""
    view = diff_view(builders.diff(), builders.snapshot())
    assert {
        "gained": 20,
        "maybe_gained": 10,
        "lost": 10,
        "maybe_lost": 10,
        "unknown": 10,
    } == {f.key: f.value for f in view.figures if f.key != "unchanged"}
    assert 48 == sum(sum(counts) for _, counts in view.by_kind.rows)
    assert 40 == sum(sum(counts) for _, counts in view.by_legacy_role.rows)


def test_roles_are_told_apart_by_the_catalog() -> None:
    """The matrix reads a role's whole name, through groups, and no custom policy."""

    def role(name: str) -> Role:
        return Role(
            RoleId(f"r-{name}"),
            name,
            "",
            ManagementType.SYSTEM,
            PermissionType.GLOBAL,
            ScopeType.ENVIRONMENT,
            (),
        )

    account = builders.snapshot(catalog=Catalog.of((), (role("Admin"), role("Admin in training"))))
    summary = builders.diff().principals[1]
    after = (
        "group EMEA › environment role Admin in training in Production",
        "environment role Admin in Production, Staging",
        "custom policy environment role Admin",
    )
    changed = type(summary)(**{f: getattr(summary, f) for f in summary.__slots__} | {"after": after})
    view = diff_view(builders.diff(principals=(changed,)), account)
    assert ("media_library_user",) == view.roles.columns
    assert (("Admin (environment)", (1,)), ("Admin in training (environment)", (1,))) == view.roles.rows


@pytest.mark.parametrize(
    ("after", "severity"), [(0, "critical"), (1, "high")], ids=["nobody left", "one left"]
)
def test_lockout_risk(after: int, severity: str) -> None:
    """Fewer than two active administrators afterwards is said first."""
    base = builders.diff()
    people = tuple(
        type(s)(
            **{f: getattr(s, f) for f in s.__slots__}
            | {"admin_before": True, "admin_after": at < after, "dormant": False}
        )
        for at, s in enumerate(base.principals)
        if s.principal.type is PrincipalType.USER
    )
    view = diff_view(builders.diff(principals=people), builders.snapshot())
    assert severity == view.risks[0].severity


def test_gaps_and_orphans_are_shown() -> None:
    """A refused read and a share that fits nothing are tables of their own, gaps first in the ledger."""
    view = diff_view(builders.diff(), builders.snapshot())
    assert ["denied"] == view.table("gaps").values("status")
    assert "denied" == view.table("ledger").values("status")[0]
    assert ["no user has this e-mail address"] == view.table("orphans").values("reason")
    assert view.read_summary == (
        "1 of 6 reads left a gap, 1 of them refused: what lies there is not known. "
        "1 share fits nothing in the account and is not compared."
    )


def test_orphans_sort_by_line() -> None:
    """Line 9 of a list comes before line 10 and line 225."""
    one = builders.snapshot().orphan_shares[0]
    sources = ("shares.csv:10", "shares.csv:225", "shares.csv:9")
    orphans = tuple(
        type(one)(**{f: getattr(one, f) for f in one.__slots__} | {"source": source}) for source in sources
    )
    view = diff_view(builders.diff(), builders.snapshot(orphan_shares=orphans))
    assert ["shares.csv:9", "shares.csv:10", "shares.csv:225"] == view.table("orphans").values("source")


def test_banner_says_who_cannot_act_today() -> None:
    """The disabled and pending among those who gain are counted beside the headline, and only they."""
    account = builders.snapshot()
    people = [user for user in account.users if user.id in ("u00001", "u00005", "u00008")]
    assert [True, False] == [people[0].enabled and not people[0].pending, people[1].enabled]
    refs = [PrincipalRef(PrincipalType.USER, user.id) for user in people]

    def details(*found: PrincipalRef) -> str:
        made = tuple(
            builders.finding(at, ref, Verdict.GAINED, (0,), REGION, ()) for at, ref in enumerate(found)
        )
        return " ".join(diff_view(builders.assemble(account, made), account).banner.details)

    assert "these people" not in details(refs[0])
    assert "1 of these people is disabled or pending today." in details(*refs[:2])
    assert "2 of these people are disabled or pending today." in details(*refs)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, ""),
        ({PrincipalType.API_KEY: 1}, "1 of these keys is disabled today."),
        (
            {PrincipalType.API_KEY: 3, PrincipalType.USER: 1},
            "3 of these keys and 1 of these people are disabled or pending today.",
        ),
    ],
)
def test_dormant_sentence(counts: dict[PrincipalType, int], expected: str) -> None:
    """Keys and people are told apart, and keys are never pending."""
    assert expected == dormant_sentence(counts, planned=True)


def test_incomplete_readiness_says_why() -> None:
    """What keeps an account from being called ready stands beside the headline."""
    base = builders.readiness().areas[0]
    area = type(base)(**{f: getattr(base, f) for f in base.__slots__} | {"verdict": AreaVerdict.READY})
    report = builders.readiness(areas=(area,), complete=False)
    banner = readiness_view(report, builders.snapshot()).banner
    assert "INCOMPLETE" == banner.headline
    assert "1 share fits nothing in the account and is not compared." in banner.details
    clean = builders.snapshot(orphan_shares=(), ledger=())
    assert any("could not decide" in line for line in readiness_view(report, clean).banner.details)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("sandbox", True),
        ("http://127.0.0.1:8080/v2/accounts/permissions/public/catalog", True),
        ("http://localhost:1/", True),
        ("https://api.cloudinary.com/v2/accounts/permissions/public/catalog", False),
    ],
)
def test_illustrative_catalog(source: str, expected: bool) -> None:
    """Whatever comes from this machine is labelled as an example."""
    assert expected == is_illustrative(source)


@pytest.mark.parametrize(
    ("verdicts", "complete", "headline"),
    [
        (["ready", "ready"], True, "READY"),
        (["ready", "ready"], False, "INCOMPLETE"),
        (["ready", "attention"], True, "NEARLY READY"),
        (["attention", "unknown"], True, "INCOMPLETE"),
        (["unknown", "blocked"], False, "NOT READY"),
    ],
)
def test_readiness_headline(verdicts: list[str], complete: bool, headline: str) -> None:
    """Ready is said only of a complete account with every area ready."""
    base = builders.readiness().areas[0]
    areas = tuple(
        type(base)(**{f: getattr(base, f) for f in base.__slots__} | {"verdict": AreaVerdict(v)})
        for v in verdicts
    )
    view = readiness_view(builders.readiness(areas=areas, complete=complete), builders.snapshot())
    assert headline == view.banner.headline


def test_hidden_characters_become_visible() -> None:
    """Controls become pictures, direction marks their numbers; joiners and letters stay."""
    assert "a␀b␛␡" == visible("a\x00b\x1b\x7f")
    assert "‹U+202E›gpj.exe" == visible("\u202egpj.exe")
    assert "‹U+D800›" == visible("\ud800")
    assert "👩‍👩‍👧 مرحبا" == visible("👩‍👩‍👧 مرحبا")


def test_words() -> None:
    """Numbers and lists read as people write them."""
    assert "1 person, 2,300 people" == f"{plural(1, 'person', 'people')}, {plural(2300, 'person', 'people')}"
    assert ["", "a", "a and b", "a, b and c"] == [listed(list("abc")[:n]) for n in range(4)]
    assert "22 November 2026, 07:05 UTC" == moment("2026-11-22T07:05:00Z")
    assert ("soon", "2026-11-22T07:05:00") == (moment("soon"), moment("2026-11-22T07:05:00"))

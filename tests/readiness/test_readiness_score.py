"""The figure: what an area's score is, that the sum adds up, and what a gap does to both."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest
import quiet_account as quiet
from hypothesis import given, settings
from hypothesis import strategies as st
from quiet_account import builders

from permmigrate.diff.compare import compare
from permmigrate.model import OrphanShare, ReadStatus
from permmigrate.readiness import SECTIONS, AreaVerdict, Readiness, Severity, assess, scoring
from permmigrate.snapshot import Snapshot
from sampling import times

pytestmark = pytest.mark.sampled

TODAY = date(2026, 11, 22)
ROLES = ("master_admin", "admin", "billing", "reports", "media_library_user", "wizard", "")
PATHS = ("A", "A/B", "A/B/C", "D", "Gone")
LEVELS = ("can_view", "can_contribute", "can_edit", "can_manage", "can_fly")
DATES = (None, "2024-01-01T00:00:00Z", "2026-11-01T00:00:00Z", "soon")


def judge(snapshot: Snapshot, **changes: Any) -> Readiness:
    return assess(snapshot, quiet.tables(), quiet.diff(**changes))


@st.composite
def accounts(draw: st.DrawFn) -> dict[str, tuple[Any, ...]]:
    """The tables of a small account with anything wrong in it, in any order."""
    users = draw(
        st.lists(
            st.builds(
                quiet.user,
                st.sampled_from("abcdef"),
                st.sampled_from(ROLES),
                enabled=st.booleans(),
                pending=st.booleans(),
                last_login=st.sampled_from(DATES),
            ),
            max_size=6,
            unique_by=lambda user: user.id,
        )
    )
    members = st.lists(st.sampled_from("abcdefg"), max_size=5, unique=True)
    groups = [
        builders.group(name, *draw(members)) for name in draw(st.sets(st.sampled_from(["g1", "g2", "g3"])))
    ]
    holders = [builders.a_user(user.id) for user in users] + [builders.a_group(group.id) for group in groups]
    shares = (
        st.lists(
            st.builds(
                builders.share,
                st.sampled_from(PATHS),
                st.sampled_from(holders),
                st.sampled_from(LEVELS),
                line=st.integers(2, 99),
            ),
            max_size=12,
        )
        if holders
        else st.just([])
    )
    keys = st.lists(
        st.builds(
            quiet.key,
            st.sampled_from(["111", "222", "333"]),
            name=st.sampled_from(["", "site", "SITE"]),
            enabled=st.booleans(),
            created_at=st.sampled_from(DATES),
        ),
        max_size=3,
        unique_by=lambda key: key.id,
    )
    gaps = [
        quiet.line(area, draw(st.sampled_from(list(ReadStatus))))
        for area in draw(st.sets(st.sampled_from(quiet.AREAS)))
    ]
    return {
        "users": tuple(users),
        "groups": tuple(groups),
        "shares": tuple(draw(shares)),
        "api_keys": tuple(draw(keys)),
        "ledger": quiet.ledger(*gaps),
    }


def test_the_weights_are_a_hundred() -> None:
    """A figure of 100 is every area at its best, each area once."""
    assert 100 == sum(section.weight for section in SECTIONS)
    assert [s.key for s in SECTIONS] == [area.key for area in judge(quiet.snapshot()).areas]


@given(accounts())
@settings(deadline=None, max_examples=times(20, 60))
def test_the_sum_adds_up_as_it_is_shown(tables: dict[str, Any]) -> None:
    """Each line is weight times score, the last line adds the lines, and the figure is that, rounded down."""
    readiness = judge(quiet.snapshot(**tables))
    *lines, (_, total) = readiness.arithmetic
    shown = [re.match(r"weight (\d+) × score (\d\.\d\d) = (\d+)\.(\d\d)", text) for _, text in lines]
    hundredths = []
    for area, match in zip(readiness.areas, shown, strict=True):
        assert match is not None
        weight, score, whole, part = match.groups()
        assert (area.weight, f"{area.score:.2f}") == (int(weight), score)
        assert int(weight) * int(score.replace(".", "")) == int(whole + part)
        hundredths.append(int(whole + part))
    assert sum(hundredths) // 100 == readiness.score
    added, _, rest = total.partition(" = ")
    assert hundredths == [int(part.replace(".", "")) for part in added.split(" + ")]
    assert f"{sum(hundredths) / 100:.2f}, rounded down to {readiness.score}" == rest


@given(accounts())
@settings(deadline=None, max_examples=times(20, 60))
def test_every_area_keeps_the_rules_of_its_score(tables: dict[str, Any]) -> None:
    """Full marks without grave findings, none when blocked or unknown; the worst finding decides."""
    for area in judge(quiet.snapshot(**tables)).areas:
        grave = [f for f in area.findings if f.severity in (Severity.CRITICAL, Severity.HIGH)]
        critical = any(f.severity is Severity.CRITICAL for f in area.findings)
        match area.verdict:
            case AreaVerdict.UNKNOWN:
                assert 0 == area.score
            case AreaVerdict.BLOCKED:
                assert critical
                assert 0 == area.score
            case AreaVerdict.ATTENTION:
                assert not critical
                assert bool(grave) == (area.score < 1)
            case AreaVerdict.READY:
                assert {f.severity for f in area.findings} <= {Severity.LOW}
                assert 1 == area.score
        assert area.findings == tuple(
            sorted(area.findings, key=lambda f: (f.severity.rank, -f.count, f.title))
        )
        for finding in area.findings:
            assert finding.subjects == tuple(sorted(finding.subjects, key=as_people_count))


def as_people_count(text: str) -> tuple[list[int | str], str]:
    """Line 9 before line 10, upper case like lower."""
    parts = re.split(r"(\d+)", text.casefold())
    return [int(part) if at % 2 else part for at, part in enumerate(parts)], text


@given(accounts(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=times(15, 40))
def test_the_order_of_reading_is_invisible(tables: dict[str, Any], random: Any) -> None:
    """The same account read in another order gives the same report."""
    shuffled = {name: tuple(random.sample(rows, len(rows))) for name, rows in tables.items()}
    assert judge(quiet.snapshot(**tables)) == judge(quiet.snapshot(**shuffled))


@given(accounts(), st.sampled_from(quiet.AREAS))
@settings(deadline=None, max_examples=times(20, 60))
def test_knowing_less_never_scores_more(tables: dict[str, Any], area: str) -> None:
    """A read that failed cannot raise the figure, and is never complete."""
    lines = tuple(entry for entry in tables["ledger"] if entry.area != area)
    with_gap = tables | {"ledger": (*lines, quiet.line(area, ReadStatus.FAILED))}
    without = tables | {"ledger": (*lines, quiet.line(area))}
    less = judge(quiet.snapshot(**with_gap))
    assert less.score <= judge(quiet.snapshot(**without)).score
    assert not less.complete


@pytest.mark.parametrize(
    ("read", "areas"),
    [
        ("environments", {"keys", "folders", "collections"}),
        ("people", {"people"}),
        ("groups", {"groups"}),
        ("keys", {"keys"}),
        ("folders", {"folders"}),
        ("shares", {"folders", "collections"}),
        ("catalog", set()),
        ("roles", {"access"}),
        ("policies", {"policies", "access"}),
        ("assignments", {"access"}),
    ],
)
@pytest.mark.parametrize("status", [ReadStatus.FAILED, ReadStatus.SKIPPED, ReadStatus.UNREADABLE, None])
def test_a_gap_makes_its_areas_unknown(read: str, areas: set[str], status: ReadStatus | None) -> None:
    """What was not read, or is not on record as read, is unknown: it counts 0 and says why."""
    lines = [entry for entry in quiet.ledger() if entry.area != read]
    if status:
        lines.append(quiet.line(read, status))
    readiness = judge(quiet.snapshot(ledger=tuple(lines)))
    unknown = [area for area in readiness.areas if area.verdict is AreaVerdict.UNKNOWN]
    assert areas == {area.key for area in unknown}
    assert all(read in area.explanation and area.score == 0 for area in unknown)
    assert status is None or not readiness.complete
    assert quiet.area(readiness, "completeness").score < 1


def test_a_snapshot_without_a_ledger_is_unknown_everywhere() -> None:
    """Nothing says what was read, so nothing is promised."""
    readiness = judge(quiet.snapshot(ledger=()))
    assert {AreaVerdict.UNKNOWN} == {area.verdict for area in readiness.areas}
    assert (0, False) == (readiness.score, readiness.complete)


def test_a_refused_permissions_api_blocks_only_the_way_by_api() -> None:
    """A plan without the API is a fact: the area is blocked, and custom policies are unknown."""
    refused = tuple(
        quiet.line(area, ReadStatus.FAILED, http_status=404) for area in ("roles", "policies", "assignments")
    )
    readiness = judge(quiet.snapshot(ledger=quiet.ledger(*refused)))
    verdicts = {area.key: area.verdict for area in readiness.areas if area.verdict is not AreaVerdict.READY}
    assert {
        "policies": AreaVerdict.UNKNOWN,
        "access": AreaVerdict.BLOCKED,
        "completeness": AreaVerdict.ATTENTION,
    } == verdicts


def test_an_area_scores_the_share_of_its_things_without_a_grave_finding() -> None:
    """Two users of seven have grave findings, one of them two; a medium finding costs nothing."""
    users = (
        *quiet.USERS[:2],
        quiet.user("m3", "wizard", last_login=None),
        quiet.user("m4", "master_admin", last_login=None),
        *quiet.USERS[2:],
        quiet.user("cy", last_login=None),
    )
    people = quiet.area(judge(quiet.snapshot(users=users)), "people")
    assert (AreaVerdict.ATTENTION, 0.71) == (people.verdict, people.score)
    assert "5 of 7 users have no finding of high severity or worse." == people.explanation


def test_an_area_without_things_has_full_marks_and_says_so() -> None:
    """An account without custom policies has nothing to settle there."""
    policies = quiet.area(judge(quiet.snapshot()), "policies")
    assert (1.0, "There is no custom policy to move: full marks.") == (policies.score, policies.explanation)


@pytest.mark.parametrize(
    ("account", "changes"),
    [
        ({"orphan_shares": (OrphanShare((), "nobody", "shares.csv:2"),)}, {}),
        ({"ledger": quiet.ledger(quiet.line("catalog", ReadStatus.FAILED))}, {}),
        ({}, {"complete": False}),
    ],
)
def test_what_is_missing_anywhere_makes_it_incomplete(
    account: dict[str, Any], changes: dict[str, Any]
) -> None:
    """Orphans, gaps and whatever made the comparison incomplete are never forgotten."""
    assert not judge(quiet.snapshot(**account), **changes).complete


def test_a_real_comparison_is_judged() -> None:
    """With the shipped tables: keys become Master Admin, and a billing user's share comes to life."""
    snapshot = quiet.snapshot(
        users=(*quiet.USERS, quiet.user("cy", "billing")),
        groups=(*quiet.GROUPS, builders.group("g3", "cy")),
        shares=(*quiet.SHARES, builders.share("A/B", builders.a_group("g3"), "can_edit")),
    )
    diff = compare(snapshot, quiet.shipped(), today=TODAY, tool_version="0.1.0")
    readiness = assess(snapshot, quiet.shipped(), diff)
    woken = quiet.found(readiness, "people", "Shares that come to life")
    assert woken is not None
    assert ("User cy (cy@example.com): billing",) == woken.subjects
    keys = quiet.area(readiness, "keys")
    assert (0.0, AreaVerdict.ATTENTION) == (keys.score, keys.verdict)
    assert quiet.found(readiness, "people", "Fewer than two administrators after the move") is None
    assert (diff.catalog_digest, diff.mapping_digest) == (readiness.catalog_digest, readiness.mapping_digest)


def test_ages_are_counted_to_the_capture_and_not_to_today() -> None:
    """The same files give the same report on any day."""
    later = replace(quiet.snapshot(), captured_at="2028-11-22T08:00:00Z")
    stale = quiet.found(judge(later), "people", "Users who have not logged in for 180 days")
    assert stale is not None
    assert len(quiet.USERS) == stale.count


def test_the_readiness_names_what_it_was_made_from() -> None:
    """Account, moment and digests are those of the snapshot and the tables."""
    snapshot = quiet.snapshot(digest="d1")
    readiness = judge(snapshot)
    assert {
        "account_id": "acc1",
        "captured_at": snapshot.captured_at,
        "tool_version": "0.1.0",
        "snapshot_digest": "d1",
        "mapping_digest": quiet.tables().digest,
        "catalog_digest": snapshot.catalog.digest,
        "catalog_source": quiet.VENDOR,
    } == {field.name: getattr(readiness, field.name) for field in fields(readiness)[:7]}


def test_names_sort_as_people_count() -> None:
    """Line 9 comes before line 10 and line 225; a number longer than any line is no obstacle."""
    names = ["shares.csv:10", "Shares.csv:225", "shares.csv:9", "7" * 5000]
    finding = scoring.issue(Severity.LOW, "t", "d", "a", names).finding
    assert ("7" * 5000, "shares.csv:9", "shares.csv:10", "Shares.csv:225") == finding.subjects
    assert scoring.natural("A2") == scoring.natural("a02")


@pytest.mark.parametrize(("left", "verb"), [(0, "have"), (1, "has"), (2, "have")])
def test_one_thing_has(left: int, verb: str) -> None:
    """One thing has and several have no finding."""
    marked = scoring.issue(Severity.HIGH, "t", "d", "a", range(16 - left))
    said = scoring.area("keys", 16, (marked,), ()).explanation
    assert f"{left} of 16 keys {verb} no finding of high severity or worse." == said

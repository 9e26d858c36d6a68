"""A gate passes what is tolerated or accepted, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from permmigrate.diff import (
    Capability,
    Diff,
    Finding,
    PrincipalSummary,
    Region,
    RegionKind,
    Severity,
    Verdict,
)
from permmigrate.diff.accepted import Accepted, load, write
from permmigrate.diff.gate import Limits, judge
from permmigrate.errors import InvalidFileError
from permmigrate.model import PrincipalRef, PrincipalType, UserId

TODAY = date(2026, 11, 22)


def diff_of(*found: tuple[Verdict, Severity], complete: bool = True, promoted: int = 0) -> Diff:
    """A comparison with these findings and so many new administrators."""
    capability = Capability("prodenv", "delete", "Asset", "", "Delete assets", Severity.HIGH)
    findings = tuple(
        Finding(
            id=f"f{number:012x}",
            principal=PrincipalRef(PrincipalType.USER, f"u-{number}"),
            verdict=verdict,
            severity=severity,
            region=Region(RegionKind.FOLDER, "e-1", "f-1", "Brands, Inc/Aurora", 3),
            capabilities=(0,),
            before=(),
            after=("folder role Editor on Brands",),
            causes=("folder_levels.csv:2",),
        )
        for number, (verdict, severity) in enumerate(found)
    )
    principals = tuple(
        PrincipalSummary(PrincipalRef(PrincipalType.USER, f"a-{n}"), "A", "", (), (), {}, False, True, False)
        for n in range(promoted)
    )
    return Diff(
        *("account", "2026-11-22T10:00:00Z", "0", "", "", "", "", "the mapping tables"),
        capabilities=(capability,),
        findings=findings,
        causes=(),
        principals=principals,
        coverage=(),
        uncertainties=(),
        assumptions=(),
        complete=complete,
    )


findings = st.lists(st.tuples(st.sampled_from(Verdict), st.sampled_from(Severity)), max_size=12)


@given(findings, st.sampled_from(Severity), st.integers(0, 5))
def test_a_gate_fails_exactly_past_its_number(
    found: list[tuple[Verdict, Severity]], severity: Severity, most: int
) -> None:
    """Certain, possible and undecided expansions of that severity or worse count; reductions do not."""
    outcome = judge(diff_of(*found), Limits({severity: most}), Accepted(), TODAY)
    gates = (Verdict.GAINED, Verdict.MAYBE_GAINED, Verdict.UNKNOWN)
    number = sum(verdict in gates and each.rank <= severity.rank for verdict, each in found)
    assert (number > most) == bool(outcome.failures)


def test_incomplete_data_do_not_pass() -> None:
    """Unless it is asked for, and never silently when nothing is limited."""
    diff = diff_of(complete=False)
    assert judge(diff, Limits({Severity.LOW: 0}), Accepted(), TODAY).failures
    assert judge(diff, Limits(promotions=0), Accepted(), TODAY).failures
    assert not judge(diff, Limits({Severity.LOW: 0}, None, True), Accepted(), TODAY).failures


def test_new_administrators_are_limited_on_their_own() -> None:
    """Whoever was one already does not count."""
    diff = diff_of(promoted=3)
    assert judge(diff, Limits(promotions=2), Accepted(), TODAY).failures
    assert not judge(diff, Limits(promotions=3), Accepted(), TODAY).failures
    had_it = replace(diff, principals=tuple(replace(p, admin_before=True) for p in diff.principals))
    assert not judge(had_it, Limits(promotions=0), Accepted(), TODAY).failures


def accepted_from(path: Path, *lines: str) -> Accepted:
    """Read a file of these lines under the usual header."""
    path.write_text(
        "finding,people,expires,accepted_by,reason,what\n" + "\n".join(lines) + "\n", encoding="utf-8"
    )
    return load(path)


def test_what_is_accepted_does_not_count_until_it_ends(tmp_path: Path) -> None:
    """An acceptance holds on its last day and not on the next; one for what is gone is named."""
    diff = diff_of((Verdict.GAINED, Severity.HIGH), (Verdict.UNKNOWN, Severity.LOW))
    accepted = accepted_from(
        tmp_path / "accepted.csv",
        "f000000000000,pe3b0c44298fc,2026-11-22,ana,needed for the launch,",
        "f000000000001,pe3b0c44298fc,,ana,cannot be told,",
        "f00000000000f,pe3b0c44298fc,,ana,was there once,",
    )
    outcome = judge(diff, Limits({Severity.LOW: 0}), accepted, TODAY)
    assert not outcome.failures
    assert 2 == outcome.accepted
    assert [4] == [entry.line for entry in outcome.idle]
    later = judge(diff, Limits({Severity.LOW: 0}), accepted, date(2026, 11, 23))
    assert later.failures
    assert [2] == [entry.line for entry in later.expired]


def test_who_joins_was_not_accepted(tmp_path: Path) -> None:
    """A finding that holds for further people counts again, and its line is named."""
    diff = diff_of((Verdict.GAINED, Severity.HIGH))
    accepted = accepted_from(tmp_path / "accepted.csv", "f000000000000,pe3b0c44298fc,,ana,one person,")
    assert not judge(diff, Limits({Severity.LOW: 0}), accepted, TODAY).failures
    joined = replace(diff, findings=tuple(replace(f, others=(UserId("new"),)) for f in diff.findings))
    outcome = judge(joined, Limits({Severity.LOW: 0}), accepted, TODAY)
    assert outcome.failures
    assert [2] == [entry.line for entry in outcome.outgrown]


def test_every_mistake_of_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    """An id that is none, a missing reason, a date that is none, a doubled finding."""
    with pytest.raises(InvalidFileError) as told:
        accepted_from(
            tmp_path / "accepted.csv",
            "nonsense,pe3b0c44298fc,,ana,a reason,",
            "f00000000000a,pe3b0c44298fc,,ana,,",
            "f00000000000b,pe3b0c44298fc,tomorrow,ana,a reason,",
            "f00000000000c,pe3b0c44298fc,,ana,a reason,",
            "f00000000000c,pe3b0c44298fc,,bo,another,",
        )
    assert [2, 3, 4, 6] == sorted({problem.line for problem in told.value.problems})
    with pytest.raises(InvalidFileError):
        load(tmp_path / "none.csv")


@given(found=findings)
def test_a_written_file_is_accepted_once_it_has_reasons(
    tmp_path_factory: pytest.TempPathFactory, found: list[tuple[Verdict, Severity]]
) -> None:
    """It lists every expansion, is refused while a reason is missing, and keeps the words it had."""
    diff = diff_of(*found)
    path = tmp_path_factory.mktemp("baseline") / "accepted.csv"
    text = write(diff, Accepted(), TODAY)
    path.write_text(text, encoding="utf-8")
    expansions = [finding for finding in diff.findings if finding.verdict.is_expansion]
    if expansions:
        with pytest.raises(InvalidFileError):
            load(path)
    path.write_text(text.replace(",,,,", ",2027-01-01,ana,agreed,"), encoding="utf-8")
    accepted = load(path)
    assert [finding.id for finding in expansions] == [entry.finding for entry in accepted.entries]
    assert path.read_text(encoding="utf-8") == write(diff, accepted, TODAY)
    assert len(expansions) == judge(diff, Limits(), accepted, TODAY).accepted

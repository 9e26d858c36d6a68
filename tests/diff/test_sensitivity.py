"""Severities that sensitive folders raise: on the folder, above it, and in the whole environment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from builders import ROOT, a_user, api_key, environment, folder, folder_id, share, snapshot, user
from permmigrate.diff.compare import compare
from permmigrate.diff.sensitivity import Sensitivity
from permmigrate.diff.value import ConcernKind, Diff, Finding, Severity
from permmigrate.entitlements import FolderTree, Place
from permmigrate.mapping import RowRef
from permmigrate.mapping.rows import Origin
from permmigrate.mapping.sensitivity import SensitivityRow
from permmigrate.mapping.tables import MappingTables, load
from permmigrate.model import Confidence

CRITICAL, HIGH, MEDIUM, LOW = Severity
PATHS = (
    "Brands",
    "Brands/Aurora",
    "Brands/Aurora/legal",
    "Brands/Aurora/legal/2026",
    "Brands/Borealis",
    "HR",
)
WIDE = Place()


def rows(*wanted: tuple[str, str, int]) -> tuple[SensitivityRow, ...]:
    return tuple(
        SensitivityRow(
            origin=Origin(RowRef("sensitivity.csv", line), "test", Confidence.CUSTOMER),
            environment="*",
            folder=glob,
            label=label,
            steps=steps,
        )
        for line, (glob, label, steps) in enumerate(wanted, start=2)
    )


def sensitivity(wanted: Sequence[SensitivityRow], paths: Sequence[str] = PATHS) -> Sensitivity:
    tree = FolderTree.of([folder(path) for path in paths], ["unread"])
    return Sensitivity(tuple(wanted), {"env1": environment()}, {"env1": tree})


def on(path: str) -> Place:
    return Place("folder", folder_id(path))


def test_a_folder_raises_what_is_found_on_it_in_it_and_above_it() -> None:
    """The label is the folder's own, or says which folder below carries it; others stay as they are."""
    found = sensitivity(rows(("**/legal", "confidential", 1)))

    def raised(place: Place) -> tuple[Severity, str]:
        return found.raised("env1", place, MEDIUM, MEDIUM)

    above = "confidential (holds Brands/Aurora/legal)"
    assert (HIGH, "confidential") == raised(on("Brands/Aurora/legal"))
    assert (HIGH, "confidential") == raised(on("Brands/Aurora/legal/2026"))
    assert (HIGH, above) == raised(on("Brands/Aurora")) == raised(on("Brands")) == raised(WIDE)
    assert (MEDIUM, "") == raised(on("Brands/Borealis")) == raised(on("HR"))
    assert (MEDIUM, "") == raised(Place("folder", "unread"))


def test_only_what_lies_in_folders_is_raised() -> None:
    """A page of the Console stays as severe, and so does what is found on collections and the account."""
    found = sensitivity(rows(("/**", "secret", 1)))

    assert (HIGH, "") == found.raised("env1", WIDE, HIGH, None)
    assert (HIGH, "secret (holds Brands)") == found.raised("env1", WIDE, HIGH, LOW)
    assert (HIGH, "secret (holds Brands)") == found.raised("env1", WIDE, MEDIUM, MEDIUM)
    assert (LOW, "") == found.raised("env1", Place("collection", "spring"), LOW, LOW)
    assert (LOW, "") == found.raised("", WIDE, LOW, LOW)
    assert (LOW, "") == sensitivity(()).raised("env1", WIDE, LOW, LOW)


def test_the_worst_below_counts_and_an_exemption_stays_where_it_is() -> None:
    """Of several labels the worst applies; one that raises nothing is told on its folders only."""
    found = sensitivity(
        rows(("**/legal/2026", "open", 0), ("**/legal", "secret", 2), ("/Brands", "internal", 1))
    )

    assert (MEDIUM, "internal") == found.raised("env1", on("Brands/Borealis"), LOW, LOW)
    assert (HIGH, "secret (holds Brands/Aurora/legal)") == found.raised("env1", on("Brands"), LOW, LOW)
    assert (LOW, "open") == found.raised("env1", on("Brands/Aurora/legal/2026"), LOW, LOW)
    assert (CRITICAL, "internal") == found.raised("env1", on("Brands"), CRITICAL, CRITICAL)
    lonely = sensitivity(rows(("/HR", "open", 0)))
    assert (LOW, "open") == lonely.raised("env1", on("HR"), LOW, LOW)
    assert (LOW, "") == lonely.raised("env1", WIDE, LOW, LOW)


NAMES = st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map("/".join)
GLOBS = st.sampled_from(["/a", "/b", "**/a", "**/b", "/a/b", "/a/*", "/**", "/b/**/a"])


@given(
    st.sets(NAMES, min_size=1).map(sorted),
    st.lists(
        st.tuples(GLOBS, st.sampled_from("xyz"), st.integers(0, 3)), max_size=3, unique_by=lambda r: r[0]
    ),
    st.sampled_from(list(Severity)),
)
def test_the_precomputed_answer_is_the_worst_of_the_subtree(
    paths: list[str], wanted: list[tuple[str, str, int]], severity: Severity
) -> None:
    """For each folder and for the environment it is what asking the table folder by folder gives."""
    found = sensitivity(rows(*wanted), paths)
    tables = MappingTables(sensitivities=rows(*wanted))

    def worst(below: list[str]) -> Severity:
        asked = (tables.sensitivity(environment(), path) for path in below)
        return Severity(
            min((row.raised(severity) if row else severity for row in asked), key=list(Severity).index)
        )

    assert worst([*paths, "unread"]) == found.raised("env1", WIDE, severity, severity)[0]
    for path in paths:
        below = [other for other in paths if (other + "/").startswith(path + "/")]
        assert worst(below) == found.raised("env1", on(path), severity, severity)[0]


def test_a_hundred_thousand_folders_are_asked_about_once() -> None:
    """The first answer measures the tree in seconds at most; each one after it is a look-up."""
    paths = [f"top {n % 100}/middle {n % 3000}/low {n}" for n in range(100_000)]
    found = sensitivity(rows(("**/low 77", "secret", 1), ("/top 3/**", "internal", 1)), paths)
    places = [on(path) for path in paths[:1000]]
    found.raised("env1", places[0], LOW, LOW)

    started = time.process_time()
    raised = [found.raised("env1", place, LOW, LOW)[0] for place in places * 100]
    assert time.process_time() - started < 5
    assert 100 * (10 + 1) == raised.count(MEDIUM)


def test_a_comparison_is_rated_by_its_folders() -> None:
    """The same findings come out, each as severe as its folders make it, sorted anew, causes with them."""
    account = snapshot(
        users=(user("ana", "media_library_user"),),
        folders=(folder("Brands"), folder("Brands/legal"), folder("HR")),
        shares=(share("Brands", a_user("ana"), "can_edit"), share("HR", a_user("ana"), "can_edit", line=3)),
        api_keys=(api_key(),),
    )
    shipped = load(ROOT / "mappings")
    sensitive = replace(shipped, sensitivities=rows(("**/legal", "secret", 3)))

    def compared(tables: MappingTables) -> Diff:
        return compare(account, tables, today=date(2026, 11, 22), tool_version="0")

    plain, found = compared(shipped), compared(sensitive)

    before = {finding.id: finding for finding in plain.findings}
    assert before.keys() == {finding.id for finding in found.findings}
    assert sorted(found.findings, key=Finding.sort_key) == list(found.findings)
    assert list(plain.findings) == sorted(plain.findings, key=Finding.sort_key)
    labels = {(f.region.label, f.sensitivity, f.severity) for f in found.findings if f.sensitivity}
    assert ("Brands", "secret (holds Brands/legal)", CRITICAL) in labels
    assert ("Env1", "secret (holds Brands/legal)", CRITICAL) in labels  # the key shares folders everywhere
    for finding in found.findings:
        if not finding.sensitivity:
            assert before[finding.id] == finding
    assert "HR" in {finding.region.label for finding in found.findings if not finding.sensitivity}
    assert [c.ref for c in plain.causes] == [c.ref for c in found.causes]
    raised = [c.ref for c, was in zip(found.causes, plain.causes, strict=True) if c.severity != was.severity]
    assert ["folder_levels.csv:4"] == raised
    assert {ConcernKind.KEY_OVERPOWERED} == {concern.kind for concern in found.concerns}

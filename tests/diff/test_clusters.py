"""Clusters: every finding in one of them, named by what they are and signed by what is in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from cedar_agreement import TODAY

from builders import a_group, a_user, environment, folder, group, sandbox_catalog, share, snapshot, user
from permmigrate.diff.clusters import Cluster, cluster
from permmigrate.diff.compare import compare
from permmigrate.diff.value import Diff, RegionKind, Severity, Verdict
from permmigrate.mapping import RowRef
from permmigrate.mapping.tables import MappingTables, load
from permmigrate.model import RoleAssignment, RoleId
from permmigrate.resources import mappings_dir
from permmigrate.snapshot import Snapshot
from random_accounts import account

SHIPPED = load(mappings_dir())


def diff(made: Snapshot, tables: MappingTables = SHIPPED, assigned: Snapshot | None = None) -> Diff:
    return compare(made, tables, today=TODAY, tool_version="0", assigned=assigned)


def small(**fields: object) -> Snapshot:
    """People of two roles and a group, with shares below two top-level folders."""
    usual: dict[str, object] = {
        "environments": (environment("env1"), environment("env2")),
        "users": (user("ana"), user("bob"), user("eve", "reports"), user("kim")),
        "groups": (group("g1", "kim"),),
        "folders": tuple(folder(path) for path in ("Brands", "Brands/A", "Brands/B", "HR")),
        "shares": (
            share("Brands/A", a_user("ana"), "can_contribute"),
            share("Brands/B", a_user("bob"), "can_contribute", line=3),
            share("HR", a_user("bob"), "can_contribute", line=4),
            share("Brands/B", a_group("g1"), "can_contribute", line=5),
            share("Brands/B", a_user("eve"), "can_contribute", line=6),
        ),
    }
    return snapshot(**(usual | fields))


@pytest.mark.parametrize("seed", range(300, 312))
def test_every_finding_is_in_one_cluster(seed: int) -> None:
    """The clusters' findings are the comparison's, none twice; the counts are theirs; ids tell them apart."""
    made = account(seed)
    found = diff(made.snapshot, made.tables, made.assigned)
    clusters = cluster(found, made.snapshot)

    by_id = {finding.id: finding for finding in found.findings}
    assert Counter(list(by_id)) == Counter(id_ for each in clusters for id_ in each.findings)
    assert len(clusters) == len({each.id for each in clusters}) == len({each.digest for each in clusters})
    for each in clusters:
        members = [by_id[id_] for id_ in each.findings]
        assert each.counts == Counter(member.verdict for member in members)
        assert each.severities == Counter(member.severity for member in members)
        assert each.severity is min((m.severity for m in members), key=lambda s: s.rank)
        assert each.expansions == sum(member.verdict.is_expansion for member in members)
        assert each.people == len({who for member in members for who in member.principals})
        assert {each.causes} == {member.causes for member in members}
        assert set(each.examples) <= set(each.findings)
        assert min(3, len(members)) == len(each.examples)
    assert sorted(-each.expansions for each in clusters) == [-each.expansions for each in clusters]


def test_a_cluster_is_a_cause_a_kind_of_people_and_a_top_level_folder() -> None:
    """Two users of one role below one folder are one cluster; another folder, role or kind is another."""
    clusters = cluster(diff(small()), small())

    folders = {
        (each.principals, each.region.label, each.people)
        for each in clusters
        if each.causes == ("folder_levels.csv:3",) and each.region.kind is RegionKind.FOLDER
    }
    assert {
        ("users with legacy role media_library_user", "Brands", 2),
        ("users with legacy role media_library_user", "HR", 1),
        ("users with legacy role reports", "Brands", 1),
        ("groups", "Brands", 2),  # the group and its member
    } <= folders
    assert {each.principals for each in clusters} >= {"users with legacy role reports"}
    assert {each.region.content_id for each in clusters} == {""}


def named(clusters: tuple[Cluster, ...]) -> dict[str, str]:
    return {each.id: each.digest for each in clusters}


def test_ids_outlive_what_changes_beside_them() -> None:
    """Rows that move, names that change, people who come: the ids stay; digests follow the contents."""
    plain = named(cluster(diff(small()), small()))

    moved = replace(
        SHIPPED,
        folder_levels=tuple(
            replace(row, origin=replace(row.origin, ref=RowRef(row.ref.file, row.ref.line + 7)))
            for row in SHIPPED.folder_levels
        ),
    )
    assert plain == named(cluster(diff(small(), moved), small()))

    renamed = small(
        folders=(*(replace(f, path=f.path.replace("Brands", "Marken")) for f in small().folders),),
        users=tuple(replace(one, name=one.name[::-1]) for one in small().users),
        environments=tuple(replace(one, name="Z") for one in small().environments),
    )
    assert plain == named(cluster(diff(renamed), renamed))

    shares = small().shares
    more = small(
        users=(*small().users, user("zoe")), shares=(*shares, share("HR", a_user("zoe"), "can_edit"))
    )
    other = named(cluster(diff(more), more))
    assert plain.keys() <= other.keys()
    joined = small(groups=(group("g1", "kim", "ana"),))
    followed = named(cluster(diff(joined), joined))
    assert {id_ for id_ in plain.keys() & followed.keys() if plain[id_] != followed[id_]}


def test_places_that_are_no_folder_are_told_whole() -> None:
    """The account, an environment and its collections are regions of their own; nobody's role is guessed."""
    book = sandbox_catalog()
    before = small(users=(user("ana", ""),), groups=(), shares=())
    roles = (
        RoleAssignment(a_user("ana"), RoleId("cld::role::account::admin")),
        RoleAssignment(a_user("ana"), book.resolve("environment/Reports").id, "env1"),
        RoleAssignment(a_user("new"), book.resolve("environment/Reports").id, "env1"),
        RoleAssignment(a_user("ana"), book.resolve("collection/Viewer").id, "env2", collection_id="spring"),
    )
    later = replace(before, users=(*before.users, user("new")), assignments=roles)
    clusters = cluster(diff(before, SHIPPED, later), before)

    gained = {(c.principals, c.region.label) for c in clusters if c.expansions}
    assert {
        ("users without a legacy role", "the account"),
        ("users without a legacy role", "Env1"),
        ("users whom the snapshot does not have", "Env1"),
        ("users without a legacy role", "collections"),
    } <= gained
    assert {Verdict.GAINED, Verdict.MAYBE_GAINED} & {v for c in clusters for v in c.counts}
    assert Severity.CRITICAL is next(c for c in clusters if c.region.kind is RegionKind.ACCOUNT).severity

"""What changed between two captures: each thing once, and nothing called gone that was not read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import (
    a_group,
    a_key,
    a_user,
    api_key,
    environment,
    folder,
    group,
    sandbox_catalog,
    share,
    snapshot,
    user,
)
from permmigrate.catalog import Catalog
from permmigrate.model import (
    CustomPolicy,
    FolderId,
    LedgerEntry,
    ReadStatus,
    RoleAssignment,
    RoleId,
    ScopeType,
)
from permmigrate.snapshot.change import holders_of, snapshot_changes
from random_accounts import account

BEFORE = snapshot(
    users=(user("u1"), user("u2", "admin"), user("u3")),
    groups=(group("g1", "u1", "u2"), group("g2")),
    api_keys=(api_key("k1"), api_key("k2")),
    folders=tuple(folder(path, id_=f"id:{path}") for path in ("A", "A/x", "A/x/y", "B", "B/z")),
    shares=(share("A", a_user("u1")), share("B", a_group("g1"), line=3)),
    custom_policies=(
        CustomPolicy("c1", "One", "", ScopeType.ENVIRONMENT, "env1", "permit(principal, action, resource);"),
    ),
    assignments=(RoleAssignment(a_user("u1"), RoleId("cld::role::account::admin")),),
)


def told(before: Any, after: Any) -> list[tuple[str, str, str, tuple[Any, ...]]]:
    return [(c.area, c.kind, c.subject, c.fields) for c in snapshot_changes(before, after).changes]


def moved(*paths: tuple[str, str]) -> Any:
    """BEFORE with folders (their old path and their new one)."""
    return replace(
        BEFORE, folders=tuple(folder(new, id_=f"id:{old}") for old, new in paths)
    )  # fmt: skip


def test_the_same_is_nothing() -> None:
    """A capture against itself, and against one that only noted its shares elsewhere."""
    later = replace(
        BEFORE, captured_at="later", shares=tuple(replace(s, source="other.csv:9") for s in BEFORE.shares)
    )

    assert [] == told(BEFORE, later)


@pytest.mark.parametrize("seed", range(30))
def test_back_and_forth(seed: int) -> None:
    """Over random accounts: nothing against itself; there and back are each other's mirror."""
    one, other = account(seed).snapshot, account(seed + 100).snapshot
    turned = {"added": "removed", "removed": "added"}

    there, back = snapshot_changes(one, other), snapshot_changes(other, one)

    assert () == snapshot_changes(one, one).changes
    assert there == snapshot_changes(one, other)
    assert {(c.area, c.kind, c.id) for c in there.changes} == {
        (c.area, turned.get(c.kind, c.kind), c.id) for c in back.changes
    }


def test_people_groups_and_keys() -> None:
    """New, gone, another role, another member, switched off."""
    after = replace(
        BEFORE,
        users=(user("u1", "admin", name="New Name"), user("u2", "admin"), user("u4")),
        groups=(group("g1", "u1", "u4"),),
        api_keys=(api_key("k1", enabled=False), api_key("k2")),
    )

    assert [
        ("people", "changed", "u1@example.com",
         (("name", "User u1", "New Name"), ("legacy_role", "media_library_user", "admin"))),
        ("people", "removed", "u3@example.com", ()),
        ("people", "added", "u4@example.com", ()),
        ("groups", "changed", "Group g1",
         (("member", "u2@example.com", ""), ("member", "", "u4@example.com"))),
        ("groups", "removed", "Group g2", ()),
        ("keys", "changed", "website", (("enabled", "yes", "no"),)),
    ] == told(BEFORE, after)  # fmt: skip


def test_a_folder_moves_once_with_all_below_it() -> None:
    """Moving, renaming, adding and removing a tree is one change each, with how many folders went along."""
    tree = [("A", "B/A"), ("A/x", "B/A/x"), ("A/x/y", "B/A/x/y"), ("B", "B"), ("B/z", "B/z")]
    renamed = [("A", "Alpha"), ("A/x", "Alpha/x"), ("A/x/y", "Alpha/x/y"), ("B", "B"), ("B/z", "B/z")]
    both = [("A", "Alpha"), ("A/x", "Alpha/x"), ("A/x/y", "B/y"), ("B", "B"), ("B/z", "B/z")]

    assert [("folders", "moved", "Env1: B/A", (("path", "A", "B/A"), ("folders below", "", "2")))] == told(
        BEFORE, moved(*tree)
    )
    assert [
        ("folders", "renamed", "Env1: Alpha", (("path", "A", "Alpha"), ("folders below", "", "2")))
    ] == told(BEFORE, moved(*renamed))
    assert [
        ("folders", "renamed", "Env1: Alpha", (("path", "A", "Alpha"), ("folders below", "", "1"))),
        ("folders", "moved", "Env1: B/y", (("path", "A/x/y", "B/y"),)),
    ] == told(BEFORE, moved(*both))
    gone = moved(("B", "B"), ("B/z", "B/z"))
    assert [("folders", "removed", "Env1: A", (("folders below", "", "2"),))] == told(BEFORE, gone)
    assert [("folders", "added", "Env1: A", (("folders below", "", "2"),))] == told(gone, BEFORE)


def test_a_folder_made_anew_under_its_old_path_is_another_folder() -> None:
    """Ids tell folders apart, not paths."""
    anew = replace(BEFORE, folders=(*BEFORE.folders[:-1], replace(BEFORE.folders[-1], id=FolderId("new"))))

    assert [("removed", "Env1: B/z"), ("added", "Env1: B/z")] == sorted(
        ((kind, subject) for _, kind, subject, _ in told(BEFORE, anew)), reverse=True
    )


def test_shares_assignments_and_policies() -> None:
    """A level that changed is a change, not a loss and a gain; roles are named with who and where."""
    after = replace(
        BEFORE,
        shares=(share("A", a_user("u1"), "can_edit"), share("A", a_group("g1"), line=3)),
        assignments=(
            RoleAssignment(a_key("k1"), RoleId("cld::role::folder::viewer"), "env1", FolderId("id:A")),
        ),
        custom_policies=(replace(BEFORE.custom_policies[0], enabled=False),),
    )

    found = told(BEFORE, after)

    assert (
        "shares",
        "changed",
        "u1@example.com on folder f:A in Env1",
        (("level", "can_view", "can_edit"),),
    ) in found
    assert (
        "shares",
        "removed",
        "group Group g1 on folder f:B in Env1",
        (("level", "can_view", ""),),
    ) in found
    assert ("shares", "added", "group Group g1 on folder f:A in Env1", (("level", "", "can_view"),)) in found
    assert ("assignments", "added", "folder/Viewer for API key website on folder A in Env1", ()) in found
    assert ("assignments", "removed", "account/Admin for u1@example.com in the account", ()) in found
    assert ("custom policies", "changed", "One", (("enabled", "yes", "no"),)) in found
    assert 6 == len(found)


@pytest.mark.parametrize(
    ("area", "table", "shown"),
    [
        ("people", "users", "people"),
        ("groups", "groups", "groups"),
        ("keys", "api_keys", "keys"),
        ("folders", "folders", "folders"),
        ("shares", "shares", "shares"),
        ("assignments", "assignments", "assignments"),
        ("policies", "custom_policies", "custom policies"),
    ],
)
def test_what_was_not_read_is_never_gone_nor_new(area: str, table: str, shown: str) -> None:
    """With a gap in its area a thing is only maybe removed (gap later) or maybe added (gap earlier)."""
    gap = (LedgerEntry(area, "GET /x", "", ReadStatus.DENIED, 0, 403),)
    unread = replace(BEFORE, ledger=gap, **{table: ()})
    there, back = snapshot_changes(BEFORE, unread), snapshot_changes(unread, BEFORE)

    assert {"maybe removed"} == {c.kind for c in there.changes if c.area == shown}
    assert {"maybe added"} == {c.kind for c in back.changes if c.area == shown}
    assert area in there.incomplete
    assert area in back.incomplete


def test_another_account_is_said() -> None:
    """Two accounts side by side are no change in time."""
    assert snapshot_changes(BEFORE, replace(BEFORE, account_id="other")).other_account
    assert not snapshot_changes(BEFORE, BEFORE).other_account


def test_a_catalog_change_touches_holders_and_members() -> None:
    """Who holds a reached role, by themselves or through a group."""
    role = RoleId("cld::role::folder::viewer")
    held = replace(BEFORE, assignments=(RoleAssignment(a_group("g1"), role, "env1", FolderId("id:A")),))
    book = sandbox_catalog()
    other = Catalog.of(
        book.policies.values(),
        [replace(r, policy_ids=()) if r.id == role else r for r in book.roles.values()],
        book.schema,
    )

    found = snapshot_changes(held, replace(held, catalog=other))

    assert (role,) == found.catalog.roles
    assert (a_group("g1"), a_user("u1"), a_user("u2")) == found.touched
    assert () == holders_of(held, [RoleId("none")])


def test_the_move_of_a_company(sandboxes: Any) -> None:
    """The sandbox before and after its migration: roles were assigned, and nothing else changed."""
    found = snapshot_changes(sandboxes(1, "legacy"), sandboxes(1, "migrated"))

    assert {"assignments", "account keys"} == {area for area, _ in found.counts}
    assert {"added"} == {kind for _, kind in found.counts}
    assert len(sandboxes(1, "migrated").assignments) == found.counts["assignments", "added"]
    assert not found.catalog.changes


def test_names_of_other_places() -> None:
    """An environment that is new is named by its own name."""
    after = replace(BEFORE, environments=(*BEFORE.environments, environment("env2", name="Second")))

    assert [("environments", "added", "Second", ())] == told(BEFORE, after)

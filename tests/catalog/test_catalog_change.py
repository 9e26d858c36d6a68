"""What changed between two catalogs, and what that reaches."""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from typing import Any

import pytest

from builders import sandbox_catalog
from permmigrate.catalog import Catalog, CatalogChange, catalog_changes
from permmigrate.model import Policy, PolicyId, Role, RoleId
from random_accounts import catalog

BOOK = sandbox_catalog()
VIEWER = RoleId("cld::role::folder::viewer")
VIEW = PolicyId("cld::policy::content::folder::view_download")


def changed(
    *,
    roles: dict[str, Role | None] | None = None,
    policies: dict[str, Policy | None] | None = None,
    schema: Any = None,
) -> Catalog:
    """The sandbox's catalog with some roles and policies exchanged, or taken out by None."""
    all_roles = {**BOOK.roles, **(roles or {})}
    all_policies = {**BOOK.policies, **(policies or {})}
    return Catalog.of(
        [p for p in all_policies.values() if p], [r for r in all_roles.values() if r], schema or BOOK.schema
    )


def told(after: Catalog) -> list[tuple[str, str, str]]:
    return [(c.subject, c.id, c.kind) for c in catalog_changes(BOOK, after).changes]


def test_nothing_changed() -> None:
    """A catalog is what it is, wherever it was read from."""
    same = catalog_changes(BOOK, replace(changed(), source="elsewhere"))

    assert ((), ()) == (same.changes, same.roles)


def test_each_kind_of_change_of_a_role() -> None:
    """Renamed, reworded, other contents, gone, new, and the same under another id."""
    viewer = BOOK.roles[VIEWER]

    def one(role: Role | None) -> list[tuple[str, str, str]]:
        return told(changed(roles={VIEWER: role}))

    assert [("role", VIEWER, "renamed")] == one(replace(viewer, name="Looker"))
    assert [("role", VIEWER, "reworded")] == one(replace(viewer, description="Looks"))
    assert [("role", VIEWER, "contents changed")] == one(replace(viewer, policy_ids=viewer.policy_ids[:1]))
    assert [] == one(replace(viewer, policy_ids=viewer.policy_ids[::-1]))
    assert [("role", VIEWER, "removed")] == one(None)
    assert [("role", VIEWER, "changed")] == one(replace(viewer, parameters=("folder_id", "x")))
    new = replace(viewer, id=RoleId("cld::role::content::folder::viewer"))
    assert [("role", new.id, "has another id")] == told(changed(roles={VIEWER: None, new.id: new}))
    other = replace(new, name="Other")
    assert [("role", new.id, "added"), ("role", VIEWER, "removed")] == told(
        changed(roles={VIEWER: None, new.id: other})
    )


def test_each_kind_of_change_of_a_policy() -> None:
    """A statement counts by its meaning for a reader: blanks outside literals are nothing."""
    view = BOOK.policies[VIEW]

    def one(policy: Policy | None) -> list[tuple[str, str, str]]:
        return told(changed(policies={VIEW: policy}))

    assert [("policy", VIEW, "renamed")] == one(replace(view, name="See"))
    assert [("policy", VIEW, "reworded")] == one(replace(view, category="Elsewhere"))
    assert [] == one(replace(view, statement=view.statement.replace(" ", "\n  ")))
    assert [("policy", VIEW, "statement changed")] == one(
        replace(view, statement=view.statement.replace("<folder_id>", "<folder id>"))
    )
    assert [("policy", VIEW, "removed")] == one(None)


def test_a_changed_statement_reaches_the_roles_that_hold_it() -> None:
    """Every role with the policy is reached, and no other; a new name reaches none."""
    view = BOOK.policies[VIEW]
    holders = {role.id for role in BOOK.roles.values() if VIEW in role.policy_ids}

    reached = catalog_changes(
        BOOK, changed(policies={VIEW: replace(view, statement="permit(principal, action, resource);")})
    )
    renamed = catalog_changes(BOOK, changed(policies={VIEW: replace(view, name="See")}))

    assert len(holders) > 2
    assert holders == set(reached.roles)
    assert () == renamed.roles


def test_schema_changes_reach_what_is_named() -> None:
    """A new action on folders reaches the roles with statements on folders."""
    schema = copy.deepcopy(dict(BOOK.schema))
    schema["Cloudinary"]["actions"]["levitate"] = {
        "appliesTo": {"principalTypes": ["User"], "resourceTypes": ["Folder"]}
    }
    del schema["Cloudinary"]["entityTypes"]["Portal"]

    found = catalog_changes(BOOK, changed(schema=schema))

    assert [
        ("schema", "action Cloudinary::levitate", "added"),
        ("schema", "entity type Cloudinary::Portal", "removed"),
    ] == [(c.subject, c.id, c.kind) for c in found.changes]
    assert "appliesTo.resourceTypes: Folder" in found.changes[0].after
    assert VIEWER in found.roles
    assert RoleId("cld::role::prodenv::reports") not in found.roles


@pytest.mark.parametrize("seed", range(20))
def test_back_and_forth(seed: int) -> None:
    """What is added one way is removed the other way, over random pairs of catalogs."""
    rng = random.Random(seed)

    def some() -> Catalog:
        whole = catalog(opaque=rng.random() < 0.5, forbids=rng.random() < 0.5)
        keep = [r for r in whole.roles.values() if rng.random() < 0.8]
        return Catalog.of([p for p in whole.policies.values() if rng.random() < 0.8], keep, whole.schema)

    one, other = some(), some()
    there, back = catalog_changes(one, other), catalog_changes(other, one)
    turned = {"added": "removed", "removed": "added"}

    def turn(c: CatalogChange) -> tuple[Any, ...]:
        return (c.subject, c.id, turned.get(c.kind, c.kind), c.after, c.before)

    assert {(c.subject, c.id, c.kind, c.before, c.after) for c in there.changes} == set(
        map(turn, back.changes)
    )
    assert there.roles == back.roles

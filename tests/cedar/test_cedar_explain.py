"""Roles and statements in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders import sandbox_catalog
from permmigrate.catalog import Catalog
from permmigrate.cedar import Universe, Unparsed, parse
from permmigrate.cedar.explain import explain
from permmigrate.cedar.words import statement_words
from permmigrate.model import PolicyId, RoleId
from random_accounts import IN_FOLDER, PUBLIC, catalog, permit

BOOK = sandbox_catalog()


def words(text: str) -> list[str]:
    parsed = parse(text)
    assert not isinstance(parsed, Unparsed)
    return [statement_words(statement) for statement in parsed]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (permit("read", "Folder"), "may view folders"),
        (permit("", "UploadPreset"), "may do anything to upload presets"),
        (permit("", "Feature cld::global::users::create"), "may use users › create"),
        (
            permit("download", "Asset", IN_FOLDER, PUBLIC),
            "may download assets in the folder where access_control is public",
        ),
        (permit("read", "Asset", 'resource.ancestor_ids.contains("f1")'), "may view assets in folder f1"),
        (permit("update", "Collection <collection_id>"), "may edit the collection"),
        (permit("delete", "Asset", effect="forbid"), "may never delete assets"),
        ("permit(principal, action, resource);", "may do anything to anything"),
        (
            'forbid(principal in Cloudinary::Group::"g", action in [Cloudinary::Action::"read", '
            'Cloudinary::Action::"delete"], resource);',
            "group g and its members may never delete and view anything",
        ),
        (
            "permit(principal is Cloudinary::APIKey, action, resource is Cloudinary::Asset) unless { true };",
            "API keys may do anything to assets (at most: it has an `unless` condition)",
        ),
        (permit("run", "MediaFlows::EasyFlow"), "may run easy flows"),
    ],
)  # fmt: skip
def test_statements_in_words(text: str, expected: str) -> None:
    """One sentence a statement; what is not exact says so."""
    assert [expected] == words(text)


def test_a_folder_role() -> None:
    """What, where, by whom: the vendor's own Viewer."""
    viewer = explain(BOOK, BOOK.roles[RoleId("cld::role::folder::viewer")])

    assert [
        ("assets", "the folder", ("view", "download where access_control is public")),
        ("folders", "the folder", ("view",)),
    ] == [(a.resource, a.where, a.actions) for a in viewer.may]
    assert ["provisioningKey"] == [h.type.value for h in viewer.holders if h.refusal]
    assert "folder" in viewer.binding
    assert ((), ()) == (viewer.may_never, viewer.unclear)


def test_what_cannot_be_said_is_said_to_be_unclear() -> None:
    """A policy that is not there, is not Cedar, or is outside the decided shapes is never left out."""
    role = BOOK.roles[RoleId("cld::role::folder::viewer")]
    view = BOOK.policies[role.policy_ids[0]]
    gone = explain(Catalog.of((), [role], BOOK.schema), role)
    broken = explain(Catalog.of([replace(view, statement="prrmit(;")], [role], BOOK.schema), role)
    odd_text = f"permit(principal, action, resource is Cloudinary::Asset) unless {{ {PUBLIC} }};"
    odd = explain(Catalog.of([replace(view, statement=odd_text)], [role], BOOK.schema), role)

    assert () == gone.may == broken.may == odd.may
    assert all(
        f"policy {policy_id} is not in the catalog" in " ".join(gone.unclear) for policy_id in role.policy_ids
    )
    assert "is not Cedar" in broken.unclear[0]
    assert "`unless`" in odd.unclear[0]


def test_what_a_role_forbids() -> None:
    """A policy that forbids is told apart, and taken off what the role may."""
    book = catalog()
    careful = explain(book, book.roles[RoleId("system::environment::careful")])

    assert ("assets", ("delete",)) in [(a.resource, a.actions) for a in careful.may_never]
    assert ["view"] == [x for a in careful.may if a.resource == "assets" for x in a.actions]


@pytest.mark.parametrize("forbidden", ["", IN_FOLDER])
def test_what_is_forbidden_is_not_among_what_it_may(forbidden: str) -> None:
    """A statement that forbids takes away what another of the role permits, there and nowhere else."""
    role = BOOK.roles[RoleId("cld::role::folder::viewer")]
    text = permit("", "Folder", IN_FOLDER) + permit(
        "delete", "Folder", *([forbidden] if forbidden else []), effect="forbid"
    )
    policies = [replace(BOOK.policies[role.policy_ids[0]], statement=text)]
    one = replace(role, policy_ids=role.policy_ids[:1])

    found = explain(Catalog.of(policies, [one], BOOK.schema), one)

    assert 1 == len(found.may)
    assert "view" in found.may[0].actions
    assert "delete" not in found.may[0].actions
    assert [("delete",)] == [a.actions for a in found.may_never]


@pytest.mark.parametrize(
    "role_id", [role.id for role in BOOK.roles.values() if not role.id.startswith("custom")]
)
def test_every_role_explains_whole(role_id: RoleId) -> None:
    """Each of the sandbox's roles permits something, is clear, and leaves out no policy."""
    role = BOOK.roles[role_id]
    found = explain(BOOK, role)

    assert found.may
    assert () == found.unclear
    assert list(role.policy_ids) == [p.policy.id for p in found.policies]
    assert all(p.sentences for p in found.policies)
    assert any(not h.refusal for h in found.holders)


def test_the_words_hold_every_atom() -> None:
    """For a role at one scope: as many actions in words as the engine has atoms, conditions told apart."""
    role = BOOK.roles[RoleId("cld::role::prodenv::contributor")]
    statements = [
        s
        for p in BOOK.policies.values()
        if p.scope_type is role.scope_type
        for s in parse(p.statement)  # type: ignore[union-attr]
    ]
    universe = Universe.of(BOOK.schema, statements)
    mask = 0
    for policy_id in role.policy_ids:
        for statement in parse(BOOK.policies[PolicyId(policy_id)].statement):  # type: ignore[union-attr]
            mask |= universe.compile(statement).mask
    atoms = [universe.atoms[bit] for bit in universe.bits(mask)]
    actions = {
        (a.resource_type, a.entity_id, a.action) for a in atoms if not a.resource_type.endswith("Feature")
    }
    told = [a for a in explain(BOOK, role).may if a.resource != "Console features"]

    assert len(actions) == len({(a.resource, x.partition(" where ")[0]) for a in told for x in a.actions})

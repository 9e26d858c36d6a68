"""The vendor's shapes: what they may leave out, what they may say otherwise, and what they may not."""

from __future__ import annotations

from typing import Any

import pytest

from permmigrate.cloudinary import wire
from permmigrate.cloudinary.record import Record
from permmigrate.errors import MalformedAnswerError
from permmigrate.model import ManagementType, PermissionType


def answer(**fields: Any) -> Record:
    return Record(fields, "GET /x")


def role(**fields: Any) -> dict[str, Any]:
    return {"id": "cld::role::prodenv::r", "permission_type": "global", "scope_type": "prodenv"} | fields


def policy(statement: str, **fields: Any) -> dict[str, Any]:
    return {"id": "p", "scope_type": "prodenv", "policy": statement} | fields


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"all_sub_accounts": True}, (True, True, ())),
        ({"all_sub_accounts": False}, (False, False, ())),
        ({"all_sub_accounts": False, "sub_account_ids": []}, (False, True, ())),
        ({"all_sub_accounts": False, "sub_account_ids": ["b", "a", "a"]}, (False, True, ("a", "b"))),
        ({"sub_account_ids": []}, (True, True, ())),
        ({"sub_account_ids": ["a"]}, (False, True, ("a",))),
        ({"role": "master_admin", "sub_account_ids": ["a"]}, (True, True, ())),
        ({}, (False, False, ())),
    ],
)
def test_environments_of_a_user(fields: dict[str, Any], expected: tuple[bool, bool, tuple[str, ...]]) -> None:
    """Old and new servers say it differently; what neither says is asked for, never assumed."""
    (listed,) = wire.users(answer(users=[{"id": "u"} | fields]))
    user = listed.user

    assert expected == (user.all_environments, listed.environments_known, user.environment_ids)


def test_a_user_may_be_nearly_empty() -> None:
    """Every field but the id may be missing or null; half a character in a name does no harm."""
    (listed,) = wire.users(answer(users=[{"id": "u", "role": None, "name": "a\ud800", "extra": 1}]))

    assert ("", "a\ufffd", True, False) == (
        listed.user.legacy_role,
        listed.user.name,
        listed.user.enabled,
        listed.user.pending,
    )


@pytest.mark.parametrize(
    ("statement", "kind", "parameters"),
    [
        ("permit(principal, action, resource);", PermissionType.GLOBAL, ()),
        ('... contains("<folder_id>")', PermissionType.CONTENT, ("folder_id",)),
        ('... contains("\\<folder_id\\>")', PermissionType.CONTENT, ("folder_id",)),
        ('... contains("<collection_id>")', PermissionType.CONTENT, ("collection_id",)),
    ],
)
def test_a_policy_says_by_its_statement_what_it_is(
    statement: str, kind: PermissionType, parameters: tuple[str, ...]
) -> None:
    """One of the spec's own policies leaves out its permission type; the statement shows it."""
    found = wire.catalog(answer(catalog={"system_policies": [policy(statement)], "system_roles": []}))

    assert (kind, parameters) == (found.policies[0].permission_type, found.policies[0].parameters)


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ({}, "environment"),
        ({"scope_type": "account"}, "account"),
        ({"id": "cld::role::folder::x", "permission_type": "content"}, "folder"),
        ({"id": "cld::role::collection::x", "permission_type": "content"}, "collection"),
        ({"permission_type": "content", "policy_parameters": ["collection_id"]}, "collection"),
        ({"permission_type": "content", "system_policy_ids": ["p"]}, "collection"),
    ],
)
def test_a_catalog_role_has_its_level(fields: dict[str, Any], level: str) -> None:
    """The catalog does not always say what a role is bound to: its policies or its id do."""
    policies = [policy('"<collection_id>"')]
    found = wire.catalog(answer(catalog={"system_policies": policies, "system_roles": [role(**fields)]}))

    assert (level, ManagementType.SYSTEM) == (found.roles[0].level, found.roles[0].management_type)


def test_a_role_that_does_not_repeat_its_scope_has_the_one_asked_for() -> None:
    """One of the spec's examples leaves `scope_id` out."""
    principals = [
        {"type": "user", "id": "u", "roles": [role(), role(scope_id="all"), role(scope_type="account")]}
    ]

    found = wire.assignments(answer(data={"principals": principals}), "e1")  # type: ignore[arg-type]

    assert ["e1", "all", None] == [one.scope_id for one in found]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (answer(users=[{"id": ""}]), "`users[0].id` is missing"),
        (answer(users=[{"id": "u", "providers": "google"}]), "`users[0].providers` is not a list of texts"),
        (answer(users=["u"]), "`users[0]` is not an object"),
    ],
)
def test_what_does_not_fit_is_named(record: Record, message: str) -> None:
    """The field is named by its path in the answer."""
    with pytest.raises(MalformedAnswerError) as caught:
        wire.users(record)

    assert message in caught.value.message


def test_an_unknown_kind_of_principal_is_not_dropped() -> None:
    """A principal type of tomorrow fails the read loudly; leaving it out would hide who has access."""
    principals = [{"type": "robot", "id": "r", "roles": []}, {"type": "robot", "id": "r", "roles": [role()]}]

    with pytest.raises(MalformedAnswerError, match="does not know"):
        wire.assignments(answer(data={"principals": principals}), None)

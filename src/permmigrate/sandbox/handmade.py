"""The custom policies that somebody wrote by hand before the move, awkward for any analysis on purpose."""

from __future__ import annotations

from typing import Final

from permmigrate.sandbox.columns import Folders
from permmigrate.sandbox.context import stable_id
from permmigrate.sandbox.people import IMAGE
from permmigrate.sandbox.policies import normalised
from permmigrate.sandbox.state import CustomPolicy, Environment, Group, Key, User

DAY: Final = 86_400


def policies(
    seed: int,
    environments: list[Environment],
    users: list[User],
    groups: list[Group],
    keys: list[Key],
    folders: Folders,
    now: int,
) -> list[CustomPolicy]:
    """Forbids, a group, conditions of many shapes, one that is off, one for all, one of the account."""
    action, first = "Cloudinary::Action", environments[0].id
    archive, aurora = (folders.ids[folders.by_path(0, path) or 0] for path in ("Archive", "Brands/Aurora"))
    importer = next(key.id for key in keys if key.name == "legacy-import")
    uploader = next(key.id for key in keys if key.name == "ci-uploader")
    person, group = users[14].id, groups[2].id
    made = (
        (
            "Nobody deletes from the archive",
            first,
            f'forbid(principal == Cloudinary::APIKey::"{importer}", action == {action}::"delete", '
            f'resource is Cloudinary::Asset) when {{ resource.ancestor_ids.contains("{archive}") }};',
            True,
        ),
        (
            "CI uploads into Aurora",
            first,
            f'permit(principal == Cloudinary::APIKey::"{uploader}", action in [{action}::"create", '
            f'{action}::"read"], resource is Cloudinary::Asset) '
            f'when {{ resource.ancestor_ids.contains("{aurora}") }};',
            True,
        ),
        (
            "Press folders for a freelancer",
            first,
            f'permit(principal == Cloudinary::User::"{person}", action == {action}::"read", '
            'resource is Cloudinary::Folder) when { resource.name like "public-*" };',
            True,
        ),
        (
            "Agency may move assets out",
            first,
            f'permit(principal == Cloudinary::Group::"{group}", action == {action}::"move", '
            'resource is Cloudinary::Asset) when { context has direction && context.direction == "out" };',
            True,
        ),
        (
            "Agency never edits restricted assets",
            first,
            f'forbid(principal == Cloudinary::Group::"{group}", action == {action}::"update", '
            'resource is Cloudinary::Asset) when { resource.access_control == "restricted" };',
            True,
        ),
        (
            "Videos for everyone (switched off)",
            environments[1].id,
            f'permit(principal, action == {action}::"read", resource is Cloudinary::Asset) '
            'when { resource.resource_type == "video" };',
            False,
        ),
        (
            IMAGE,
            "all",
            f'permit(principal == Cloudinary::User::"{users[27].id}", action == {action}::"read", '
            'resource is Cloudinary::Report) when { resource.type == "env_usage" };',
            True,
        ),
        (
            "Root only changes the account",
            None,
            f'forbid(principal is Cloudinary::User, action == {action}::"update", '
            "resource is Cloudinary::Account) unless { principal has root && principal.root };",
            True,
        ),
    )
    return [
        CustomPolicy(
            stable_id(seed, "policy", n, 24),
            name,
            None if n == 5 else "Written by hand before the move",
            "prodenv" if scope else "account",
            scope,
            normalised(text),
            enabled,
            now - (700 - n) * DAY,
            now - (500 - n) * DAY,
        )
        for n, (name, scope, text, enabled) in enumerate(made)
    ]

"""How many calls a snapshot will take, endpoint by endpoint, and how long at the allowed rate. Pure.

It mirrors how `reader`, `listing` and `foldertree` read, so it changes with them; a test holds it against the
calls of real captures. What it cannot know before the crawl it extrapolates and says so.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from permmigrate.cloudinary.diagnosis import Allowance, Budget, Line
from permmigrate.cloudinary.foldertree import CHILDREN, ROOT, SEARCH, SEARCH_LIMIT

WINDOW: Final = 3600.0
"""Seconds for which an allowance is given, where the service says no more (the vendor speaks of hours)."""

_SEARCH_PAGE: Final = 500
DESCENDANTS: Final = "PUT /v1_1/{cloud_name}/folders/descendants"
"""A read, spelled PUT (spec: getFolderDescendants)."""
PROVISIONING: Final = "GET /v1_1/provisioning/accounts/{account_id}"
PERMISSIONS: Final = "GET /v2/accounts/{account_id}/permissions"
PUBLIC: Final = "GET /v2/accounts/permissions/public"


@dataclass(frozen=True, slots=True)
class Tree:
    """What is known of an environment's folders before they are read."""

    cloud_name: str
    total: int | None
    """None when the search does not tell."""
    roots: int = 0
    """Folders at the top, counted where a search cannot give the whole tree."""
    below: bool = True
    """Whether the service answers with all that is below a folder."""


@dataclass(frozen=True, slots=True)
class Paged:
    """Pages of a list that is read for the account and for every environment."""

    account: int
    environment: int
    exact: bool
    """Whether that is known of the account and of the environment that was looked at."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is to read, as far as a few first pages tell."""

    environments: int
    user_pages: int
    users: int
    users_exact: bool
    limited_users: int
    """Users whose environments the list does not name: a call each."""
    unknown_groups: int
    """Groups whose members the list does not name: a call each."""
    key_pages: int
    """Pages of the environment whose keys were looked at."""
    custom_roles: int
    policy_pages: Paged
    assignment_pages: Paged
    trees: tuple[Tree, ...]


def estimate(
    sizes: Sizes, allowances: Mapping[str, Allowance], *, share: float, workers: int, latency: float
) -> Budget:
    """Add up the calls and the waiting that the allowances ask for."""
    lines = (*_account_lines(sizes), *_permission_lines(sizes), *_folder_lines(sizes.trees))
    return Budget(lines, share, workers, latency, waiting(lines, allowances, share))


def numbered(pages: int) -> int:
    """The calls for a list that is paged by number and tells no total: the first page, then 1 to one more."""
    return pages + 2


def _account_lines(sizes: Sizes) -> Iterable[Line]:
    lane, everything = "provisioning", "every environment"
    yield Line(f"{PROVISIONING}/sub_accounts", lane, 1, "one list")
    yield Line(
        f"{PROVISIONING}/users",
        lane,
        numbered(sizes.user_pages),
        f"{sizes.users:,} users, pages in all: {sizes.user_pages:,}, and one to see the end",
    )
    yield Line(
        f"{PROVISIONING}/users/{{user_id}}/sub_accounts",
        lane,
        sizes.limited_users,
        "each user who does not have every environment",
        sizes.users_exact,
    )
    yield Line(f"{PROVISIONING}/user_groups", lane, 1, "one list with its members")
    if sizes.unknown_groups:
        yield Line(f"{PROVISIONING}/user_groups/{{group_id}}/users", lane, sizes.unknown_groups, "each group")
    keys = sizes.environments * (sizes.key_pages if sizes.key_pages == 1 else sizes.key_pages + 1)
    endpoint = f"{PROVISIONING}/sub_accounts/{{sub_account_id}}/access_keys"
    yield Line(endpoint, lane, keys, everything, sizes.environments <= 1)


def _permission_lines(sizes: Sizes) -> Iterable[Line]:
    lane = "permissions"
    yield Line(f"{PUBLIC}/catalog", "public", 1, "once")
    yield Line(f"{PUBLIC}/schema", "public", 1, "once")
    yield Line(f"{PERMISSIONS}/roles", lane, 3, "once a kind of role")
    if sizes.custom_roles:
        yield Line(
            f"{PERMISSIONS}/roles/{{role_id}}", lane, sizes.custom_roles, "each role not in the catalog"
        )
    for name, paged in (
        ("policies/custom", sizes.policy_pages),
        ("principal_roles/inspect", sizes.assignment_pages),
    ):
        calls = paged.account + paged.environment * sizes.environments
        exact = paged.exact and sizes.environments <= 1
        yield Line(f"{PERMISSIONS}/{name}", lane, calls, "the account and every environment", exact)


def _folder_lines(trees: Sequence[Tree]) -> Iterable[Line]:
    for tree in trees:
        lane, name = f"admin {tree.cloud_name}", tree.cloud_name
        if tree.total is not None and tree.total < SEARCH_LIMIT:
            pages = max(1, math.ceil(tree.total / _SEARCH_PAGE))
            yield Line(SEARCH, lane, pages, f"{name}: {tree.total:,} folders")
            continue
        yield Line(SEARCH, lane, 1, f"{name}: to see that a search would not be whole")
        yield Line(ROOT, lane, 1, f"{name}: the top of the tree")
        if tree.below:
            yield Line(DESCENDANTS, lane, tree.roots, f"{name}: all below each folder at the top")
        else:
            folders = max(tree.total or 0, tree.roots)
            yield Line(CHILDREN, lane, folders, f"{name}: folder by folder, if nothing shorter works", False)


def waiting(lines: Iterable[Line], allowances: Mapping[str, Allowance], share: float) -> float:
    """Seconds of waiting, one lane after another: what a window does not allow is left for the next.

    Each lane has an allowance of its own; `share` of it is ours, in the present window less than that when
    less is left.
    """
    calls: Counter[str] = Counter()
    for line in lines:
        calls[line.lane] += line.calls
    return sum(_wait(count, allowances[lane], share) for lane, count in calls.items() if lane in allowances)


def _wait(calls: int, allowance: Allowance, share: float) -> float:
    ours = max(1, math.floor(allowance.limit * share))
    later = calls - min(allowance.remaining, ours)
    if later <= 0:
        return 0.0
    first = WINDOW if allowance.resets_in is None else allowance.resets_in
    return first + (math.ceil(later / ours) - 1) * WINDOW

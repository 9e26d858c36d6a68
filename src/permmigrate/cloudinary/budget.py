"""How many calls a snapshot will take, endpoint by endpoint, and how long at the allowed rate. Pure.

The rules are those of `choices`, by which the reader reads; a test holds the sums against the calls of real
captures. What it cannot know before the crawl it extrapolates and says so.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from permmigrate.cloudinary import choices
from permmigrate.cloudinary.diagnosis import Allowance, Budget, Line
from permmigrate.cloudinary.foldertree import CHILDREN, DESCENDANTS, ROOT, SEARCH

WINDOW: Final = 3600.0
"""Seconds for which an allowance is given, where the service says no more (the vendor speaks of hours)."""

_ROUND: Final = (10, 20, 25, 50, 100, 200, 250, 500, 1000)
"""What services let a page hold."""
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
class Glimpse:
    """A first page of role assignments: what it holds, and how many there must be of whom."""

    rows: Mapping[str, tuple[int, int]]
    """By kind of principal: how many are on the page, and how many assignments they have together."""
    whole: bool
    """Whether there is no other page."""
    expected: Mapping[str, int]
    """By kind of principal: how many may hold a role here."""
    weight: float = 1.0
    """How much larger than the place the page is of this one is: more folders, more assignments to each."""

    @property
    def entries(self) -> int:
        return sum(principals for principals, _ in self.rows.values())


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is to read, as far as a few first pages tell."""

    environments: int
    users: int
    users_a_page: int
    limited_users: int
    """Users whose environments the list does not name."""
    users_exact: bool
    unknown_groups: int
    """Groups whose members the list does not name: a call each."""
    keys: int
    """Keys of the environment that was looked at."""
    other_roles: int
    """Roles that the public catalog does not have: a call each."""
    policies: Paged
    assignments: tuple[int, ...]
    """Pages for the account and for each environment."""
    assignments_exact: bool
    trees: tuple[Tree, ...]


def estimate(
    sizes: Sizes, allowances: Mapping[str, Allowance], *, share: float, workers: int, latency: float
) -> Budget:
    """Add up the calls and the waiting that the allowances ask for."""
    lines = (*_account_lines(sizes), *_permission_lines(sizes), *_folder_lines(sizes.trees))
    return Budget(lines, share, workers, latency, waiting(lines, allowances, share))


def foretell(glimpses: Sequence[Glimpse]) -> tuple[int, ...]:
    """How many pages each list of assignments has, from its first page or from that of another.

    A page ends with a number of principals or, before that, with an amount of assignments; neither is said.
    The number is taken for the next round one above the fullest page; who holds much fills pages sooner.
    """
    fullest = max((glimpse.entries for glimpse in glimpses), default=1)
    most = next((number for number in _ROUND if number >= fullest), fullest)
    return tuple(1 if glimpse.whole else max(2, math.ceil(_pages(glimpse, most))) for glimpse in glimpses)


def _pages(glimpse: Glimpse, most: int) -> float:
    held = sum(assignments for _, assignments in glimpse.rows.values())
    pages = 0.0
    for kind, expected in glimpse.expected.items():
        principals, assignments = glimpse.rows.get(kind, (0, 0))
        share = assignments / principals / held if principals and held else 0.0
        pages += expected * max(1 / most, share * glimpse.weight)
    return pages


def _numbered(rows: int, size: int) -> int:
    """The calls for a list paged by number without a total: a first page, then 1, 2, ... to an empty one."""
    return max(1, math.ceil(rows / size)) + 2


def _account_lines(sizes: Sizes) -> Iterable[Line]:
    lane = "provisioning"
    yield Line(f"{PROVISIONING}/sub_accounts", lane, 1, "one list")
    yield from _user_lines(sizes, lane)
    yield Line(f"{PROVISIONING}/user_groups", lane, 2, "one list with its members, and its end once more")
    if sizes.unknown_groups:
        endpoint = f"{PROVISIONING}/user_groups/{{group_id}}/users"
        yield Line(endpoint, lane, sizes.unknown_groups, "each group")
    pages = max(1, math.ceil(sizes.keys / choices.KEYS_A_PAGE))
    endpoint = f"{PROVISIONING}/sub_accounts/{{sub_account_id}}/access_keys"
    calls = sizes.environments * (pages + (pages > 1))
    yield Line(endpoint, lane, calls, "each environment, by what one of them has", sizes.environments <= 1)


def _user_lines(sizes: Sizes, lane: str) -> Iterable[Line]:
    """The users, and where they are: asked of each limited user, or of each environment if that is less."""
    endpoint = f"{PROVISIONING}/users"
    pages = math.ceil(sizes.users / sizes.users_a_page)
    full = pages == 1 or (sizes.users > 0 and sizes.users % sizes.users_a_page == 0)
    calls = _numbered(sizes.users, sizes.users_a_page) + choices.looked_at_again(pages, numbered=True) + full
    yield Line(endpoint, lane, calls, f"{sizes.users:,} users by pages, and each once more")
    limited, sample = sizes.limited_users, min(choices.SAMPLE, sizes.limited_users)
    each = f"{endpoint}/{{user_id}}/sub_accounts"
    if choices.by_environment(sizes.users, limited, sizes.environments):
        inside = sizes.users - limited + limited // max(1, sizes.environments)
        size = sizes.users_a_page
        straight = sizes.users >= size  # then the reader has seen how the server counts pages
        calls = sizes.environments * (inside // size + 1 if straight else _numbered(inside, size))
        basis = f"where {limited:,} limited users are, by each environment's users"
        yield Line(f"{endpoint}?sub_account_id={{sub_account_id}}", lane, calls, basis, exact=False)
        yield Line(each, lane, sample, "some of them one by one, to compare")
    elif limited:
        yield Line(each, lane, limited, "each user who does not have every environment", sizes.users_exact)


def _permission_lines(sizes: Sizes) -> Iterable[Line]:
    lane = "permissions"
    yield Line(f"{PUBLIC}/catalog", "public", 1, "once")
    yield Line(f"{PUBLIC}/schema", "public", 1, "once")
    yield Line(f"{PERMISSIONS}/roles", lane, 3, "once a kind of role")
    if sizes.other_roles:
        endpoint = f"{PERMISSIONS}/roles/{{role_id}}"
        yield Line(endpoint, lane, sizes.other_roles, "each role not in the public catalog")
    policies, one = sizes.policies, sizes.environments <= 1
    yield Line(
        f"{PERMISSIONS}/policies/custom",
        lane,
        policies.account + policies.environment * sizes.environments,
        "the account and each environment",
        policies.exact and one,
    )
    yield Line(
        f"{PERMISSIONS}/principal_roles/inspect",
        lane,
        sum(n + choices.looked_at_again(n, numbered=False) for n in sizes.assignments),
        "the account and each environment, and the ends once more",
        sizes.assignments_exact and one,
    )


def _folder_lines(trees: Sequence[Tree]) -> Iterable[Line]:
    for tree in trees:
        lane, name = f"admin {tree.cloud_name}", tree.cloud_name
        if tree.total is not None and choices.searched_whole(tree.total):
            pages = max(1, math.ceil(tree.total / choices.FOLDERS_A_PAGE))
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

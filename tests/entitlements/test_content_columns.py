"""The columns of what is held on folders and collections, against a reading one by one; and folder trees."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from permmigrate.entitlements import NOT_CARRIED_OVER, Entitlements, FolderTree, content
from permmigrate.entitlements.content import Shared, mixed
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import (
    ContentKind,
    ContentRef,
    EnvironmentId,
    Folder,
    FolderId,
    PrincipalRef,
    PrincipalType,
    ProductEnvironment,
    Share,
    User,
    UserId,
)
from permmigrate.snapshot import Snapshot
from random_accounts import catalog

HOME = EnvironmentId("e")
CONTENTS = [ContentRef(HOME, kind, id_) for kind in ContentKind for id_ in ("a", "b")]
AWAY = ContentRef(EnvironmentId("gone"), ContentKind.FOLDER, "a")
PEOPLE = [PrincipalRef(PrincipalType.USER, id_) for id_ in ("u", "v", "nobody")]
SHARES = st.lists(
    st.builds(
        Share,
        st.sampled_from([*CONTENTS, AWAY]),
        st.sampled_from(PEOPLE),
        st.sampled_from(["can_view", "can_edit", "can_manage"]),
        st.integers(1, 99).map("a.csv:{}".format),
    ),
    max_size=12,
)


def account(shares: list[Share]) -> Entitlements:
    snapshot = Snapshot.of(
        account_id="acc",
        captured_at="2026-11-22T08:00:00Z",
        tool_version="0",
        environments=(ProductEnvironment(HOME, "E", "e", True),),
        users=tuple(User(UserId(id_), id_, f"{id_}@x", "") for id_ in ("u", "v")),
        folders=(Folder(FolderId("a"), HOME, "A"),),
        catalog=catalog(),
        shares=shares,
    )
    return Entitlements(snapshot, MappingTables(), ())


def origin(share: Share) -> int:
    code = np.array([int(share.source.removeprefix("a.csv:")) + 2], dtype=np.uint64)
    return int(mixed(code)[0])


Held = dict[tuple[int, int], tuple[tuple[object, ...], int]]


def one_by_one(account: Entitlements) -> Held:
    """(holder, place) to the sorts of grants there, and the sum of the numbers of their sources."""
    people = {one: number for number, one in enumerate(account.principals)}
    found: dict[tuple[int, int], list[Share]] = defaultdict(list)
    for share in account.snapshot.shares:
        place = int(account.places.of_contents([share.content])[0])
        if share.principal in people and place >= 0:
            found[people[share.principal], place].append(share)
    return {
        at: (
            tuple(sorted({Shared(one.content.kind, one.level, NOT_CARRIED_OVER) for one in shares})),
            sum(map(origin, shares)) % (1 << 64),
        )
        for at, shares in found.items()
    }


def in_columns(account: Entitlements) -> Held:
    held = account.content
    holder = np.repeat(np.arange(len(held.starts) - 1), np.diff(held.starts))
    entries = zip(
        holder.tolist(), held.place.tolist(), held.combination.tolist(), held.origin.tolist(), strict=True
    )
    return {(who, at): (tuple(sorted(held.sorts[one])), origin) for who, at, one, origin in entries}


@settings(max_examples=50, deadline=None)
@given(SHARES)
def test_columns_say_what_shares_say(shares: list[Share]) -> None:
    """Every holder has at every place what its shares there give, told apart by where they were read."""
    assert in_columns(account(shares)) == one_by_one(account(shares))


def test_many_shares_of_one_folder_are_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """More shares of one person on one folder than a number can hold, beside others; also in small parts."""
    monkeypatch.setattr(content, "_AT_ONCE", 2)
    levels = ["can_view", "can_edit"]
    many = [Share(CONTENTS[0], PEOPLE[0], levels[n % 2], f"a.csv:{n + 1}") for n in range(70)]
    others = [Share(one, PEOPLE[1], "can_view", "a.csv:7") for one in CONTENTS]

    both = account(many + others)

    assert in_columns(both) == one_by_one(both)
    assert len(in_columns(both)) == 5


PATHS = st.lists(st.sampled_from(["a", "a b", "a!", "a\0", "a\1", "\0", "b", ""]), min_size=1, max_size=4)


@given(st.lists(PATHS.map("/".join), max_size=10), st.sets(st.sampled_from(["x", "x/y", "f0"])))
def test_a_tree_is_in_the_order_of_its_paths(paths: list[str], unread: set[str]) -> None:
    """Folders come by the parts of their paths, each under the nearest above; unread ones last."""
    folders = [Folder(FolderId(f"f{n}"), HOME, path) for n, path in enumerate(paths)]
    wanted = sorted((tuple(one.path.split("/")), str(one.id)) for one in folders)
    roots = sorted(unread - {one for _, one in wanted})

    tree = FolderTree.of(folders, unread)

    assert tree.ids == (*(one for _, one in wanted), *roots)
    assert tree.paths == (*("/".join(parts) for parts, _ in wanted), *roots)
    parts = [parts for parts, _ in wanted]
    inside: npt.NDArray[np.bool_] = np.eye(len(tree.ids), dtype=bool)
    for upper in range(len(tree.ids)):
        inside[upper, upper : tree.ends[upper]] = True
    for lower in range(len(tree.ids)):
        above = [n for n in range(lower) if lower < len(parts) and _is_above(parts[n], parts[lower])]
        nearest = [n for n in above if len(parts[n]) == max(len(parts[m]) for m in above)]
        assert tree.parents[lower] == (nearest[-1] if nearest else -1)
        assert inside[:, lower].sum() == len(tree.ancestor_ids(lower))


def _is_above(upper: tuple[str, ...], lower: tuple[str, ...]) -> bool:
    return len(upper) < len(lower) and lower[: len(upper)] == upper

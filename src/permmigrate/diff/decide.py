"""One question at a time: what holds at one place. The sweep answers all of them, this one of them."""

from __future__ import annotations

from collections.abc import Iterable

from permmigrate.diff.value import Verdict
from permmigrate.diff.verdicts import COMPARED, State, judge
from permmigrate.entitlements import FolderTree, Holding


def state_at(
    holding: Holding, tree: FolderTree, folder_id: str | None = None, collection_ids: Iterable[str] = ()
) -> State:
    """Everything granted on both sides to a resource in this folder (None: in none) and these collections."""
    state = State().with_grants(holding.before.wide, holding.after.wide)
    if folder_id is not None:
        for above in tree.ancestor_ids(tree.index[folder_id]):
            state = state.with_grants(
                holding.before.folders.get(above, ()), holding.after.folders.get(above, ())
            )
    for name in collection_ids:
        state = state.with_grants(
            holding.before.collections.get(name, ()), holding.after.collections.get(name, ())
        )
    return state


def verdict_at(state: State, atom: int) -> Verdict:
    """The verdict on one atom (its number) in one state."""
    verdicts = judge(state)
    for verdict in COMPARED:
        if verdicts.of(verdict) >> atom & 1:
            return verdict
    return Verdict.UNCHANGED

"""Folder shares: folders nobody knows, levels that contradict each other, folders that everybody reaches."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final

from permmigrate.diff import Severity
from permmigrate.entitlements import FolderTree
from permmigrate.mapping import LegacyKind
from permmigrate.mapping.rows import LEGACY_LEVELS
from permmigrate.model import ContentKind, Folder, GroupId, PrincipalType, Share, UserId
from permmigrate.readiness.evidence import Evidence
from permmigrate.readiness.scoring import Issue, area, issue, plural
from permmigrate.readiness.value import Area

_RANK: Final = {level: rank for rank, level in enumerate(LEGACY_LEVELS)}

Shares = Mapping[int, Share]
"""Shares by their place in the snapshot, in its order: by environment and folder."""


def assess_area(evidence: Evidence) -> Area:
    """Judge the folder shares; each share is a thing."""
    shares = evidence.shares_of(ContentKind.FOLDER)
    facts = _facts(evidence, shares)
    return area("folders", len(shares), _issues(evidence, shares), facts, evidence.unread_of("folders"))


def _issues(evidence: Evidence, shares: Shares) -> Iterator[Issue]:
    def name(at: int) -> str:
        return evidence.share_name(shares[at])

    lookup = evidence.lookup
    unknown_level = [
        at
        for at, share in shares.items()
        if share.level not in _RANK
        and not lookup.of_value(share.principal, LegacyKind.FOLDER_LEVEL, share.level).rows
    ]
    if unknown_level:
        yield issue(
            Severity.HIGH,
            "Folder shares at an unknown level",
            "The four legacy levels are can_view, can_contribute, can_edit and can_manage; nobody can say "
            "what these shares allowed.",
            "Correct the level in the share list, or add it to folder_levels.csv.",
            unknown_level,
            name,
        )
    trees = _trees(evidence)
    if not evidence.unread("environments", "folders"):
        nowhere = [at for at, share in shares.items() if _position(trees, share) is None]
        if nowhere:
            yield issue(
                Severity.HIGH,
                "Shares of folders that are not in the account",
                "The folder was deleted, moved or never read: the share cannot become a folder role.",
                "Take the lines out of the share list, or name the folder as it is called now.",
                nowhere,
                name,
            )
    if overruled := _overruled(trees, shares):
        yield issue(
            Severity.HIGH,
            "Nested shares with a lower level than the folder above",
            "The same holder has more on a folder above. Folder roles hold for all nested folders, so the "
            "lower level restricts nothing after the move.",
            "Lower the share above, or take the lower one out so that nobody relies on it.",
            overruled,
            name,
        )
    if doubled := _doubled(evidence, shares):
        yield issue(
            Severity.MEDIUM,
            "Users and their groups with different levels on one folder",
            "The user has one level and a group of theirs another on the same folder: the higher one counts.",
            "Keep the group's share and remove the user's, unless the user's is higher on purpose.",
            doubled,
            name,
        )
    if open_to_all := _shared_with_everybody(evidence, shares):
        yield issue(
            Severity.MEDIUM,
            "Folders shared with everybody",
            "The group that holds the share has every active user in it.",
            "Confirm that each of these folders is meant for everybody, new people included.",
            open_to_all,
            name,
        )


def _trees(evidence: Evidence) -> Mapping[str, FolderTree]:
    by_environment: dict[str, list[Folder]] = defaultdict(list)
    for folder in evidence.snapshot.folders:
        by_environment[folder.environment_id].append(folder)
    return {environment: FolderTree.of(folders) for environment, folders in by_environment.items()}


def _position(trees: Mapping[str, FolderTree], share: Share) -> int | None:
    tree = trees.get(share.content.environment_id)
    return tree.index.get(share.content.id) if tree else None


def _overruled(trees: Mapping[str, FolderTree], shares: Shares) -> list[int]:
    """The shares below a higher share of the same holder; one walk down the tree for each holder."""
    held: dict[tuple[str, str, str], list[tuple[int, int, int]]] = defaultdict(list)
    for at, share in shares.items():
        position, rank = _position(trees, share), _RANK.get(share.level)
        if position is not None and rank is not None:
            principal = share.principal
            holder = (share.content.environment_id, principal.type.value, principal.id)
            held[holder].append((position, rank, at))
    found: list[int] = []
    for (environment, _, _), places in held.items():
        if len(places) > 1:
            found += _below_higher(trees[environment], places)
    return found


def _below_higher(tree: FolderTree, places: list[tuple[int, int, int]]) -> Iterator[int]:
    """The shares, of (position, rank, place in the snapshot), that rank below one on a folder above."""
    above: list[tuple[int, int]] = []
    """The shared folders around the present one: where each subtree ends, and the highest rank down to it."""
    for position, same in groupby(sorted(places), key=lambda place: place[0]):
        here = list(same)
        while above and above[-1][0] <= position:
            above.pop()
        highest = above[-1][1] if above else -1
        yield from (at for _, rank, at in here if rank < highest)
        above.append((tree.ends[position], max(highest, *(rank for _, rank, _ in here))))


def _doubled(evidence: Evidence, shares: Shares) -> list[int]:
    """The users' shares of folders that a group of theirs has at another level."""
    groups_of = evidence.snapshot.groups_of
    found: list[int] = []
    for _, same in groupby(shares.items(), key=lambda pair: pair[1].content):
        here = list(same)
        groups: dict[str, set[str]] = defaultdict(set)
        for _, share in here:
            if share.principal.type is PrincipalType.GROUP:
                groups[share.principal.id].add(share.level)
        if groups:
            found += (
                at
                for at, share in here
                if share.principal.type is PrincipalType.USER
                and any(
                    groups.get(group, set()) - {share.level}
                    for group in groups_of.get(UserId(share.principal.id), ())
                )
            )
    return found


def _shared_with_everybody(evidence: Evidence, shares: Shares) -> list[int]:
    active = evidence.active
    everybody: set[GroupId] = set()
    if len(active) > 1:
        everybody = {group.id for group in evidence.snapshot.groups if active.issubset(group.member_ids)}
    return [
        at
        for at, share in shares.items()
        if share.principal.type is PrincipalType.GROUP and share.principal.id in everybody
    ]


def _facts(evidence: Evidence, shares: Shares) -> Iterator[tuple[str, str]]:
    folders = evidence.snapshot.folders
    yield "Folders", f"{len(folders):,}"
    deepest = max((folder.path.count("/") + 1 for folder in folders), default=0)
    yield "Deepest path", plural(deepest, "level")
    yield "Folder shares", f"{len(shares):,}"
    kinds = Counter(share.principal.type for share in shares.values())
    for kind in PrincipalType:
        if kinds[kind]:
            yield f"Held by a {kind.label}", f"{kinds[kind]:,}"
    levels = Counter(share.level for share in shares.values())
    for level, count in sorted(levels.items()):
        yield f"Level {level or '(none)'}", f"{count:,}"

"""Who holds which legacy shares, reduced to what makes a difference: level, legacy role, reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from permmigrate.model import ContentKind, EnvironmentId, GroupId, PrincipalRef, PrincipalType, User, UserId
from permmigrate.snapshot import Snapshot

Reach = Callable[[User], frozenset[str]]
"""The environments a legacy user could work in."""


@dataclass(slots=True)
class Sharing:
    """Everybody who holds shares of one level on folders, or on collections."""

    users: dict[UserId, set[bool]] = field(default_factory=dict)
    """For each user whether its own shares are in environments within its reach: yes, no, or both."""
    groups: dict[GroupId, set[EnvironmentId]] = field(default_factory=dict)
    """For each group the environments of its shares."""

    @property
    def holders(self) -> int:
        return len(self.users) + len(self.groups)

    def types(self) -> tuple[PrincipalType, ...]:
        held = {PrincipalType.USER: self.users, PrincipalType.GROUP: self.groups}
        return tuple(kind for kind, found in held.items() if found)


def sharing(snapshot: Snapshot, reach: Reach) -> Mapping[tuple[ContentKind, str], Sharing]:
    """Everybody's shares by kind of content and level; holders the snapshot does not list are left out."""
    found: dict[tuple[ContentKind, str], Sharing] = {}
    for kind, environment, level, principal in _distinct(snapshot):
        held = found.setdefault((kind, level), Sharing())
        if principal.type is PrincipalType.GROUP and principal.id in snapshot.group_by_id:
            held.groups.setdefault(GroupId(principal.id), set()).add(environment)
        elif principal.type is PrincipalType.USER and principal.id in snapshot.user_by_id:
            user = snapshot.user_by_id[principal.id]
            held.users.setdefault(user.id, set()).add(environment in reach(user))
    return {key: found[key] for key in sorted(found)}


def _distinct(snapshot: Snapshot) -> Iterator[tuple[ContentKind, EnvironmentId, str, PrincipalRef]]:
    """What shares differ in once it does not matter which folder or collection they are on."""
    shares = snapshot.share_columns
    areas: dict[tuple[ContentKind, EnvironmentId], int] = {}
    area_of = np.array(
        [areas.setdefault((c.kind, c.environment_id), len(areas)) for c in shares.contents], dtype=np.int64
    )
    levels, principals = len(shares.levels), len(shares.principals)
    codes = (area_of[shares.content] * levels + shares.level) * principals + shares.principal
    by_number = tuple(areas)
    for code in np.unique(codes).tolist():
        rest, principal = divmod(code, principals)
        area, level = divmod(rest, levels)
        yield *by_number[area], shares.levels[level], shares.principals[principal]

"""Who holds which legacy shares, reduced to what makes a difference: level, legacy role, reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from permmigrate.model import ContentKind, EnvironmentId, GroupId, PrincipalType, User, UserId
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
    """Go through the shares once; holders that the snapshot does not list are left out."""
    found: dict[tuple[ContentKind, str], Sharing] = {}
    for share in snapshot.shares:
        content, principal = share.content, share.principal
        key = content.kind, share.level
        if key not in found:
            found[key] = Sharing()
        if principal.type is PrincipalType.GROUP:
            if principal.id in snapshot.group_by_id:
                found[key].groups.setdefault(GroupId(principal.id), set()).add(content.environment_id)
        elif principal.type is PrincipalType.USER:
            user = snapshot.user_by_id.get(principal.id)
            if user is not None:
                within = content.environment_id in reach(user)
                found[key].users.setdefault(user.id, set()).add(within)
    return {key: found[key] for key in sorted(found)}

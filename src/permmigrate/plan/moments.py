"""The guards that look at every moment of a plan: who administers the account, who writes, who is protected.

Each is shown the account before the first operation and after every one, and remembers the worst it saw.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from permmigrate.model import PrincipalRef, RoleAssignment
from permmigrate.plan.operation import Operation
from permmigrate.plan.value import GuardResult
from permmigrate.plan.walk import MASTER_ADMIN, Right, Walk, covered


def _when(operation: Operation | None, number: int) -> str:
    if operation is None:
        return "before the first operation"
    subject = operation.principal or operation.definition.id
    return f"after operation {number:,} (wave {operation.wave}: {operation.kind}, {subject})"


def _names(principals: Iterable[PrincipalRef]) -> str:
    some = sorted(principals)
    return ", ".join(map(str, some[:3])) + (f" and {len(some) - 3:,} more" if len(some) > 3 else "")


@dataclass
class MasterAdmins:
    """At least so many effective master admins: at the end, and from the moment there are so many."""

    least: int
    _at_first: int = 0
    _most_so_far: int = 0
    _now: int = 0
    _lowest: int = 0
    _broken: str = ""

    def look(self, walk: Walk, operation: Operation | None, number: int) -> None:
        self._now = len(walk.masters())
        if operation is None:
            self._at_first = self._now
        if self._now < min(self.least, self._most_so_far) and not self._broken:
            self._broken, self._lowest = _when(operation, number), self._now
        self._most_so_far = max(self._most_so_far, self._now)

    def result(self, walk: Walk) -> GuardResult:
        name, limit = "master admins", f"at least {self.least:,}"
        if not walk.world.knows_assignments and self._now == self._at_first:
            words = "the account cannot tell its master admins, and the plan makes and takes none"
            return GuardResult(name, limit, "not known", True, words)
        if not walk.master_roles:
            words = f"the catalog has no role `{MASTER_ADMIN}`, so nobody can be told to be a master admin"
            return GuardResult(name, limit, "not known", False, words)
        if self._broken:
            words = f"{self._lowest:,} effective master admins are left {self._broken}, not {self.least:,}"
            return GuardResult(name, limit, f"{self._lowest:,}", False, words)
        words = f"{self._now:,} effective master admins at the end, where {self.least:,} must be"
        return GuardResult(name, limit, f"{self._now:,}", self._now >= self.least, words)


@dataclass
class RequiredAdmins:
    """Those named administer the account at the end, and lose that at no moment between."""

    required: tuple[PrincipalRef, ...]
    _were: frozenset[PrincipalRef] = frozenset()
    _lost: dict[PrincipalRef, str] = field(default_factory=dict)

    def look(self, walk: Walk, operation: Operation | None, number: int) -> None:
        now = frozenset(who for who in self.required if _administers(walk, who))
        for who in sorted(self._were - now):
            self._lost.setdefault(who, _when(operation, number))
        self._were |= now

    def result(self, walk: Walk) -> GuardResult:
        missing = {who: "at the end" for who in self.required if not _administers(walk, who)} | self._lost
        limit, measured = f"all {len(self.required):,}", f"{len(self.required) - len(missing):,}"
        if not missing:
            words = f"all {len(self.required):,} required admins administer the account"
            return GuardResult("required admins", limit, measured, True, words)
        first = min(missing)
        words = (
            f"{len(missing):,} of {len(self.required):,} required admins do not administer the account: "
            f"{_names(missing)}, {first} not {missing[first]}"
        )
        return GuardResult("required admins", limit, measured, False, words)


def _administers(walk: Walk, who: PrincipalRef) -> bool:
    return who in walk.admins() and walk.world.can_act(who) and not walk.forbidden(who)


@dataclass
class ActingKey:
    """The key that writes loses nothing on the way: what it has at the start lets it finish and undo."""

    key: PrincipalRef | None
    returned: frozenset[RoleAssignment] = frozenset()
    """What an undo plan takes back from it: before it was given that, it could act without."""
    _needs: frozenset[Right] = frozenset()
    _forbids: frozenset[str] = frozenset()
    _lost: int = 0
    _broken: str = ""

    def look(self, walk: Walk, operation: Operation | None, number: int) -> None:
        if self.key is None:
            return
        rights, forbids = walk.rights(self.key), walk.forbidden_anywhere(self.key)
        if operation is None:
            self._needs, self._forbids = walk.rights(self.key, self.returned), forbids
        lost = sum(not covered(right, rights) for right in self._needs) + len(forbids - self._forbids)
        if lost and not self._broken:
            self._broken = _when(operation, number)
        self._lost = max(self._lost, lost)

    def result(self, walk: Walk) -> GuardResult:
        name, limit = "acting key", "nothing lost"
        if self.key is None:
            words = "the key that will write is not said yet; it is checked before anything is written"
            return GuardResult(name, limit, "not said", True, words)
        if not self._lost:
            return GuardResult(
                name, limit, "0 lost", True, f"{self.key} keeps all it has to finish and to undo"
            )
        words = (
            f"{self.key}, the key that writes, loses {self._lost:,} of its permissions {self._broken}: leave "
            f"it out with `plan make --protect {self.key}`, or write with another key"
        )
        return GuardResult(name, limit, f"{self._lost:,} lost", False, words)


@dataclass
class BreakGlass:
    """Nothing is done to the protected, and nothing is taken from their groups or forbidden to them."""

    protected: tuple[PrincipalRef, ...]
    _touches: int = 0
    _first: str = ""
    _forbids: dict[PrincipalRef, frozenset[str]] = field(default_factory=dict)

    def look(self, walk: Walk, operation: Operation | None, number: int) -> None:
        forbids = {who: walk.forbidden_anywhere(who) for who in self.protected}
        if operation is not None and self._touched(walk, operation, forbids):
            self._touches += 1
            self._first = self._first or _when(operation, number)
        self._forbids = forbids

    def _touched(self, walk: Walk, operation: Operation, forbids: dict[PrincipalRef, frozenset[str]]) -> bool:
        if any(forbids[who] - self._forbids[who] for who in self.protected):
            return True
        target = operation.principal
        if target is None or target in self.protected:
            return target is not None
        return operation.kind.revokes and any(who in walk.world.reach(target) for who in self.protected)

    def result(self, walk: Walk) -> GuardResult:
        holds = not self._touches
        words = (
            f"none of {len(self.protected):,} break-glass principals is touched"
            if holds
            else f"{self._touches:,} operations touch break-glass principals, the first {self._first}"
        )
        return GuardResult(
            "break-glass principals", "untouched", f"{self._touches:,} operations", holds, words
        )


@dataclass
class Promotions:
    """Who becomes an administrator, if only for a moment, without having been one."""

    limit: int | None
    before: tuple[PrincipalRef, ...]
    _known: frozenset[PrincipalRef] = frozenset()
    _promoted: frozenset[PrincipalRef] = frozenset()
    _first: str = ""

    def look(self, walk: Walk, operation: Operation | None, number: int) -> None:
        now = walk.admins()
        if operation is None:
            self._known = now | frozenset(self.before)
        promoted = self._promoted | (now - self._known)
        if self.limit is not None and len(promoted) > self.limit and not self._first:
            self._first = _when(operation, number)
        self._promoted = promoted

    def result(self, walk: Walk) -> GuardResult:
        count = len(self._promoted)
        limit = "no limit" if self.limit is None else f"at most {self.limit:,}"
        if not self._first:
            words = (
                f"{count:,} principals become administrators" if count else "nobody becomes an administrator"
            )
            return GuardResult("admin promotions", limit, f"{count:,}", True, words)
        words = (
            f"{count:,} principals become administrators where {limit} may: {_names(self._promoted)}, "
            f"past the limit {self._first}"
        )
        return GuardResult("admin promotions", limit, f"{count:,}", False, words)

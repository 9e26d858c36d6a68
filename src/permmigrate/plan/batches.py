"""Which operations one call can carry: the only place that knows how many.

One call gives or takes one role for many principals, each at its own scope and content (spec: permissions,
PUT roles/{role_id}/principals); one call of the Admin API gives or takes up to ten roles of one principal on
one folder (spec: asset-management, folder_operations/invite). Definitions go alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Final

from permmigrate.model import PrincipalRef
from permmigrate.plan.operation import Definition, Kind, Operation
from permmigrate.plan.value import Expected

READ_PAGE: Final = 100
"""Principals a page of `inspect`; the vendor's number is not documented."""
VERIFYING_READS: Final = 2
"""How often a wave's principals are read after its last write, everywhere."""
READ_AHEAD: Final = 4
"""Calls that one reading of their principals serves: what is sent was read moments before."""


@dataclass(frozen=True, slots=True)
class WireLimits:
    """How much one call may carry."""

    principals: int = 100
    """Entries of a role's principals. No limit is documented; a refused batch is split."""
    roles: int = 10
    """Roles an invitation to a folder takes (spec: asset-management)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Operations that one call does, all of one kind and wave."""

    kind: Kind
    wave: int
    operations: tuple[Operation, ...]

    def halves(self) -> tuple[Batch, Batch]:
        """The same in two calls, to find what a refused batch was refused for. Raises ValueError for one."""
        middle = len(self.operations) // 2
        if not middle:
            raise ValueError("a single operation cannot be split")
        first, second = self.operations[:middle], self.operations[middle:]
        return Batch(self.kind, self.wave, first), Batch(self.kind, self.wave, second)


def batches(operations: Iterable[Operation], limits: WireLimits | None = None) -> Iterator[Batch]:
    """Cut operations in a plan's order into calls, in the same order."""
    limits = limits or WireLimits()
    for _, together in groupby(operations, key=_call):
        group = iter(together)
        first = next(group)
        most = _most(first.kind, limits)
        part = (first, *islice(group, most - 1))
        while part:
            yield Batch(first.kind, first.wave, part)
            part = tuple(islice(group, most))


def _call(operation: Operation) -> Hashable:
    subject = operation.subject
    if isinstance(subject, Definition):
        return (operation.kind, operation.wave, subject.id)
    if operation.kind.by_admin_api:
        return (operation.kind, operation.wave, subject.scope_id, subject.folder_id, subject.principal)
    return (operation.kind, operation.wave, subject.role_id)


def _most(kind: Kind, limits: WireLimits) -> int:
    if kind.by_admin_api:
        return limits.roles
    return limits.principals if kind in (Kind.ASSIGN, Kind.REMOVE) else 1


def writing_calls(operations: Iterable[Operation], limits: WireLimits | None = None) -> int:
    """How many calls the operations, in any order, take when none fails."""
    limits = limits or WireLimits()
    together: Counter[tuple[Kind, Hashable]] = Counter((each.kind, _call(each)) for each in operations)
    return sum(-(-count // _most(kind, limits)) for (kind, _), count in together.items())


def in_sight(calls: Iterable[Batch]) -> Iterator[list[Batch]]:
    """Calls that follow each other, as many as one reading of their principals serves."""
    together: list[Batch] = []
    for call in calls:
        alone = call.kind.phase != together[0].kind.phase if together else False
        if together and (alone or len(together) == READ_AHEAD or call.operations[0].principal is None):
            yield together
            together = []
        together.append(call)
    if together:
        yield together


def reading_calls(operations: Iterable[Operation]) -> int:
    """About how many calls read, page by page, the principals of operations in a plan's order.

    They are read where something changes before it does, and twice everywhere when their wave is done.
    """
    reads = 0
    for _, wave in groupby(operations, key=lambda each: each.wave):
        places: set[_Place] = set()
        concerned: set[PrincipalRef] = set()
        for together in in_sight(batches(wave)):
            seen: dict[_Place, set[PrincipalRef]] = {}
            for operation in (each for call in together for each in call.operations):
                if operation.principal is not None:
                    seen.setdefault(_place(operation), set()).add(operation.principal)
            reads += sum(map(_pages, seen.values()))
            places |= seen.keys()
            concerned |= set().union(*seen.values())
        if any(folder is None for _, folder in places):
            places.add((None, None))
        reads += len(places) * _pages(concerned) * VERIFYING_READS
    return reads


_Place = tuple[str | None, str | None]
"""Where something shows: the account, an environment, or one folder by the Admin API."""


def _place(operation: Operation) -> _Place:
    row = operation.assignment
    return row.scope_id, row.folder_id if operation.kind.by_admin_api else None


def _pages(principals: Collection[PrincipalRef]) -> int:
    return -(-len(principals) // READ_PAGE)


def expected_of(operations: Iterable[Operation], calls_an_hour: int) -> Expected:
    """How many calls operations, in a plan's order, take at that rate."""
    in_order = tuple(operations)
    return Expected(writing_calls(in_order), reading_calls(in_order), calls_an_hour)

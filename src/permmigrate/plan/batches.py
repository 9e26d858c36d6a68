"""Which operations one call can carry: the only place that knows how many.

One call gives or takes one role for many principals, each at its own scope and content (spec: permissions,
PUT roles/{role_id}/principals); one call of the Admin API gives or takes up to ten roles of one principal on
one folder (spec: asset-management, folder_operations/invite). Definitions go alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Final

from permmigrate.model import PrincipalRef
from permmigrate.plan.operation import Definition, Kind, Operation
from permmigrate.plan.value import Expected

READ_PAGE: Final = 100
"""Principals a page of `inspect`; the vendor's number is not documented."""
VERIFYING_READS: Final = 3
"""How often a wave's principals are read: before its first write, and twice after its last."""


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


def reading_calls(operations: Iterable[Operation]) -> int:
    """About how many calls read the principals of every wave, page by page, before it and twice after it."""
    seen: dict[tuple[int, str], set[PrincipalRef]] = {}
    for operation in operations:
        subject = operation.subject
        if not isinstance(subject, Definition):
            seen.setdefault((operation.wave, subject.scope_id or ""), set()).add(subject.principal)
    return sum(-(-len(principals) // READ_PAGE) for principals in seen.values()) * VERIFYING_READS


def expected_of(operations: Iterable[Operation], calls_an_hour: int) -> Expected:
    """How many calls operations, in any order, take at that rate."""
    in_order = tuple(operations)
    return Expected(writing_calls(in_order), reading_calls(in_order), calls_an_hour)

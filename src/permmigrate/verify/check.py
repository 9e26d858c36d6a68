"""Hold what was read live against a plan: everybody the plan names, and everything they hold.

It looks for what is there and should not be as hard as for what is missing. It reads nothing itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from permmigrate.model import (
    ALL_ENVIRONMENTS,
    ContentKind,
    ContentRef,
    EnvironmentId,
    PrincipalRef,
    RoleAssignment,
)
from permmigrate.plan import NEW_ROLE, Kind, Operation, Plan
from permmigrate.plan.definitions import catalog_digest, found, same
from permmigrate.plan.operation import role_id_of
from permmigrate.plan.words import name
from permmigrate.plan.world import World, held_by
from permmigrate.snapshot import Snapshot
from permmigrate.verify.value import Deviation, Standing, Verification

MATTERING = ("assignments", "catalog", "roles", "policies", "people", "groups", "keys", "environments")
"""The areas of the ledger whose gaps leave a verification incomplete."""


def check(plan: Plan, live: Snapshot, *, steady: bool = True, waves: int | None = None) -> Verification:
    """Compare a live account with a plan, all of it or its first waves.

    `live` is a snapshot taken after the plan was applied; `steady` says whether two readings of its
    assignments agreed. What the plan lists to be done by hand counts like the rest.
    """
    by_hand = {entry.operation.id: entry.reason for entry in plan.by_hand}
    operations = [each for each in plan.operations if waves is None or each.wave <= waves]
    later = [each for each in plan.operations if waves is not None and each.wave > waves]
    operations += [entry.operation for entry in plan.by_hand]
    checking = _Checking(plan, World.of(live), live, by_hand)
    checking.name_what_was_made(later)
    checking.catalog()
    checking.definitions([each for each in operations if each.principal is None])
    checking.assignments(
        [each for each in operations if each.principal is not None],
        [each for each in later if each.principal is not None],
    )
    return Verification(
        account_id=plan.account_id,
        plan_digest=plan.digest,
        plan_created=plan.created,
        read_at=live.captured_at,
        steady=steady,
        gaps=tuple(
            f"{gap.area}{f' ({gap.subject})' if gap.subject else ''}: {gap.detail or gap.status.value}"
            for gap in live.gaps
            if gap.area in MATTERING
        ),
        as_planned=checking.as_planned,
        untouched=checking.untouched,
        deviations=tuple(sorted(checking.deviations, key=Deviation.sort_key)),
    )


@dataclass
class _Checking:
    plan: Plan
    world: World
    live: Snapshot
    by_hand: dict[str, str]
    given: dict[str, str] = field(default_factory=dict)
    """The ids of roles that the plan made, by the plan's names for them."""
    deviations: list[Deviation] = field(default_factory=list)
    as_planned: int = 0
    untouched: int = 0

    def catalog(self) -> None:
        """What roles and policies mean, other than the plan's: who holds a role that grew has grown."""
        if any(gap.area in ("catalog", "roles") for gap in self.live.gaps):
            return
        if catalog_digest(self.world, self.plan.operations) != self.plan.digests.catalog:
            self.deviations.append(
                Deviation(
                    standing=Standing.CHANGED,
                    principal=None,
                    name="the catalog",
                    what="roles and policies of the account and the vendor",
                    reason="they are not what they were when the plan was made, and so is what they allow: "
                    "`permmigrate catalog diff` says what is new, `verify --against` who gains by it",
                )
            )

    def name_what_was_made(self, later: Iterable[Operation]) -> None:
        """Find the ids of roles that later waves make, for those who hold them already."""
        for operation in later:
            if operation.kind is Kind.CREATE_ROLE:
                there_id, there = found(operation.definition, self.world)
                if there is not None:
                    self.given[operation.definition.id] = there_id

    def definitions(self, operations: Iterable[Operation]) -> None:
        """Custom roles and policies: there, as they were made; or gone, when that was planned."""
        for operation in operations:
            definition = operation.definition
            there_id, there = found(definition, self.world)
            if there is not None:
                self.given[definition.id] = there_id
            if same(there, definition.after):
                self.as_planned += 1
            elif there is None:
                self._define(operation, Standing.MISSING, "there is none of that name")
            elif definition.after is None:
                self._define(operation, Standing.EXTRA, "it should have been deleted")
            elif same(there, definition.before):
                self._define(operation, Standing.MISSING, "it is as it was before the plan")
            else:
                self._define(operation, Standing.CHANGED, "it is not what the plan made of it")

    def _define(self, operation: Operation, standing: Standing, reason: str) -> None:
        definition = operation.definition
        body = definition.after or definition.before
        kind = "role" if operation.kind in (Kind.CREATE_ROLE, Kind.DELETE_ROLE) else "policy"
        self.deviations.append(
            Deviation(
                standing=standing,
                principal=None,
                name=body.name if body else definition.id,
                what=f"custom {kind} {body.name if body else definition.id}",
                reason=reason,
                cause=operation.cause,
                operation=operation.id,
            )
        )

    def assignments(self, operations: Iterable[Operation], later: Iterable[Operation] = ()) -> None:
        """What everybody whom the plan names holds; what later waves do may be done already, or not."""
        planned: defaultdict[PrincipalRef, dict[RoleAssignment, Operation]] = defaultdict(dict)
        for operation in operations:
            row = self._row(operation)
            if row is None:
                continue
            planned[row.principal][row] = operation
        either: defaultdict[PrincipalRef, set[RoleAssignment]] = defaultdict(set)
        for operation in later:
            if operation.needs_role is None or operation.needs_role in self.given:
                row = replace(operation.assignment, role_id=role_id_of(operation.assignment, self.given))
                either[row.principal].add(row)
        live = held_by(self.live.assignments)
        for principal in sorted(planned.keys() | self.plan.held.keys()):
            now = live.get(principal, frozenset())
            self._principal(principal, planned[principal], now, either[principal])

    def _row(self, operation: Operation) -> RoleAssignment | None:
        """The operation's assignment as the service has it; None when it was told already why not."""
        row = operation.assignment
        if operation.kind.by_admin_api and not any(
            entry.area == "assignments" and not entry.status.is_gap for entry in self.live.ledger
        ):
            reason = "no API of this account lists who holds folder roles"
            self._deviate(Standing.UNREAD, row, reason, operation)
            return None
        if not row.role_id.startswith(NEW_ROLE):
            return row
        if row.role_id not in self.given:
            self._deviate(Standing.MISSING, row, "its role was not made", operation)
            return None
        return replace(row, role_id=role_id_of(row, self.given))

    def _principal(
        self,
        principal: PrincipalRef,
        planned: dict[RoleAssignment, Operation],
        live: frozenset[RoleAssignment],
        either: set[RoleAssignment],
    ) -> None:
        if not live and not self.live.has(principal):
            for row, operation in planned.items():
                self._deviate(Standing.CHANGED, row, "it is not in the account any more", operation)
            return
        before = frozenset(self.plan.held.get(principal, ()))
        for row, operation in planned.items():
            if operation.kind.grants == (row in live):
                self.as_planned += 1
            elif operation.kind.grants:
                self._deviate(Standing.MISSING, row, self._why(operation, "the plan gives it"), operation)
            else:
                self._deviate(Standing.EXTRA, row, self._why(operation, "the plan takes it away"), operation)
        left_alone = before - planned.keys() - either
        self.untouched += len(left_alone & live)
        for row in left_alone - live:
            self._deviate(Standing.CHANGED, row, "it was held when the plan was made, and is gone")
        for row in live - before - planned.keys() - either:
            self._deviate(
                Standing.EXTRA, row, "it was not held when the plan was made, and is not of the plan"
            )

    def _why(self, operation: Operation, otherwise: str) -> str:
        by_hand = self.by_hand.get(operation.id)
        return f"to be done by hand: {by_hand}" if by_hand else otherwise

    def _deviate(
        self, standing: Standing, row: RoleAssignment, reason: str, operation: Operation | None = None
    ) -> None:
        self.deviations.append(
            Deviation(
                standing=standing,
                principal=row.principal,
                name=name(row.principal, self.plan),
                what=self._words(row),
                reason=reason,
                cause=operation.cause if operation else "",
                operation=operation.id if operation else "",
            )
        )

    def _words(self, row: RoleAssignment) -> str:
        """`Editor on Brands/Aurora in Production`, by the plan's names, or else by those read live."""
        role = self.live.catalog.roles.get(row.role_id)
        known = f"{role.level} role {role.name}" if role else row.role_id
        words = self.plan.labels.get(f"role:{row.role_id}", known)
        for kind, identity in (
            (ContentKind.FOLDER, row.folder_id),
            (ContentKind.COLLECTION, row.collection_id),
        ):
            if identity:
                content = ContentRef(EnvironmentId(row.scope_id or ""), kind, identity)
                read = self.live.content_labels.get(content, identity)
                words += f" on {kind.value} {self.plan.labels.get(f'{kind.value}:{identity}', read)}"
        if row.scope_id == ALL_ENVIRONMENTS:
            return f"{words} in all environments"
        if row.scope_id is None:
            return words
        environment = self.live.environment_by_id.get(row.scope_id)
        read = (environment.name or environment.cloud_name) if environment else row.scope_id
        return f"{words} in {self.plan.labels.get(f'environment:{row.scope_id}', read)}"


def satisfied(
    plan: Plan, live: Snapshot, assignments: Iterable[RoleAssignment], waves: int | None = None
) -> bool:
    """Whether these assignments, read now, are all that the plan wants; for waiting until caches are past."""
    now = replace(live, assignments=tuple(assignments))
    return not any(_wrong(check(plan, now, waves=waves)))


def _wrong(verification: Verification) -> Iterator[Deviation]:
    return (each for each in verification.deviations if each.standing is not Standing.UNREAD)

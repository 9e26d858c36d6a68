"""One run over a plan: wave by wave, each read back before the next; who changed meanwhile is left alone.

It decides when to stop and nothing else: what to do is the plan's, how it is sent is `sending`'s.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from permmigrate.apply.belief import Belief, Drift, Item, Place
from permmigrate.apply.journal import Journal
from permmigrate.apply.leftover import retry_plan
from permmigrate.apply.live import Live
from permmigrate.apply.outcome import Outcome, Progress, Result, Status
from permmigrate.apply.past import Past
from permmigrate.apply.reading import Pace, Reading
from permmigrate.apply.sending import Breaker, Sender, Stopped
from permmigrate.apply.standing import Standing
from permmigrate.errors import CredentialsError, ServiceError
from permmigrate.model import EnvironmentId, PrincipalRef, RoleAssignment
from permmigrate.plan import Kind, Operation, Plan
from permmigrate.plan.batches import Batch, WireLimits, batches, in_sight
from permmigrate.plan.definitions import same
from permmigrate.plan.undo import PLACEHOLDERS

CANARY: Final = 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What part of a plan is to be done, and how far errors may go."""

    wave: int | None = None
    only: frozenset[PrincipalRef] = frozenset()
    """Nobody else is touched; empty for everybody."""
    keep_going: bool = False
    """Go on after a canary that failed, and past principals that others changed."""

    def part(self, plan: Plan) -> tuple[Operation, ...]:
        """The operations that are asked for, in the plan's order; with `only`, the roles they need, too."""
        here = [each for each in plan.operations if self.wave is None or each.wave == self.wave]
        if not self.only:
            return tuple(here)
        theirs = {each.needs_role for each in here if each.principal in self.only}
        return tuple(
            each
            for each in here
            if each.principal in self.only or (each.principal is None and each.definition.id in theirs)
        )


class Run:
    """A run under way."""

    def __init__(
        self,
        plan: Plan,
        live: Live,
        journal: Journal,
        environments: Sequence[EnvironmentId],
        pace: Pace,
        *,
        asked: Asked | None = None,
        limits: WireLimits | None = None,
        past: Past | None = None,
        held: Mapping[PrincipalRef, frozenset[RoleAssignment]] | None = None,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        """`environments` are all of the account's; `past` is what earlier runs under the journal did.

        `held` is what everybody was read to hold a moment ago: who differs from the plan is not touched.
        """
        self._plan = plan
        self._live = live
        self._journal = journal
        self._pace = pace
        self._asked = asked or Asked()
        self._limits = limits
        self._past = past or Past()
        self._held = held
        self._progress = progress
        self._belief = Belief(plan)
        self._reading = Reading(live, self._belief, environments, pace)
        self._breaker = Breaker()
        self._standing = Standing(self._belief, self._reading.place)
        self._sender = Sender(
            live, journal, self._belief, self._reading, self._breaker, pace, self._standing.tell
        )
        self._ids = dict(zip(map(id, plan.operations), plan.ids, strict=True))
        self._verified: list[int] = []
        self._wave = 0
        wanted = self._asked.part(plan)
        self._waves: dict[int, list[Operation]] = defaultdict(list)
        for operation in wanted:
            self._waves[operation.wave].append(operation)
        self._total = len(wanted)

    def go(self) -> Result:
        """Do what is asked for; whatever happens to the service, every operation ends in the result."""
        stopped = ""
        try:
            self._remember()
            for number, operations in sorted(self._waves.items()):
                self._do_wave(number, operations)
        except Stopped as stop:
            stopped = stop.why
        except ServiceError as error:
            stopped = error.message
        outcomes = self._every_outcome(stopped)
        counts = Counter(outcome.status.value for outcome in outcomes.values())
        fields = {"counts": dict(sorted(counts.items())), "stopped": stopped, "calls": self._live.calls}
        self._journal.write("end", fields)
        done = Result(
            self._plan,
            outcomes,
            self._live.calls,
            stopped,
            self._journal.head,
            tuple(self._verified),
            dict(sorted(self._standing.left.items())),
        )
        left = [(operation, outcome) for _, operation, outcome in done.left]
        return replace(done, retry=retry_plan(self._plan, left, self._belief, self._pace.now()))

    def _every_outcome(self, stopped: str) -> dict[str, Outcome]:
        outcomes = {}
        for operations in self._waves.values():
            for operation in operations:
                identity = self._ids[id(operation)]
                told = self._standing.outcomes.get(identity)
                outcomes[identity] = told or Outcome(Status.NOT_REACHED, stopped)
        return outcomes

    def _item(self, operation: Operation) -> Item:
        return self._belief.item(operation, self._ids[id(operation)])

    def _remember(self) -> None:
        """Take over what earlier runs did, and find out what became of what they sent last."""
        by_id = self._plan.by_id
        for identity, done in self._past.done.items():
            operation = by_id[identity]
            if operation.principal is None and done.given_id:
                self._belief.name(operation.definition.id, done.given_id)
        self._name_what_is_there()
        self._belief.open(map(self._item, self._plan.operations))
        for identity, done in self._past.done.items():
            self._take_over(identity, by_id[identity], done.after)
        for sent in self._past.open:
            items = [self._item(by_id[identity]) for identity in sent.before]
            self._sender.resolve(sent.number, items, sent.before)
        if self._held is not None:
            for principal in sorted(self._of):
                held = self._held.get(principal, frozenset())
                if drift := self._belief.drift_anywhere(principal, held):
                    self._leave(principal, drift)

    def _name_what_is_there(self) -> None:
        """Find the ids of what the plan knows by name only and is there: as it wants it, or to be deleted."""
        for operation in self._plan.operations:
            if operation.principal is not None:
                continue
            name = operation.definition.id
            if name.startswith(PLACEHOLDERS) and name not in self._belief.given:
                found = self._sender.definitions.find(operation, self._ids[id(operation)], "")
                deletes = operation.kind in (Kind.DELETE_ROLE, Kind.DELETE_POLICY)
                if found.id and (deletes or same(found.body, operation.definition.after)):
                    self._belief.name(name, found.id)

    def _take_over(self, identity: str, operation: Operation, after: object) -> None:
        item = self._item(operation)
        if item.row is not None:
            self._belief.settle(item.row, held=bool(after))
            done = bool(after) == operation.kind.grants
        else:
            wanted = operation.definition.after
            done = after is None if wanted is None else same(wanted, after)  # type: ignore[arg-type]
        if done:
            self._standing.tell(item, Outcome(Status.DONE, "by an earlier run"))

    def _do_wave(self, number: int, operations: Sequence[Operation]) -> None:
        self._wave = number
        todo = [each for each in operations if not self._is_good(each)]
        self._journal.write("wave", {"wave": number, "operations": len(operations), "left": len(todo)})
        for together in in_sight(batches(todo, self._limits)):
            self._say("writing")
            self._do(together)
        self._say("reading back")
        self._verify(number, operations)
        whole = number in self._verified and all(map(self._is_good, operations))
        if number == CANARY and not self._asked.keep_going and not whole:
            raise Stopped("the first wave, which tries every mapping row once, was not done in full")

    def _is_good(self, operation: Operation) -> bool:
        return self._standing.is_good(self._ids[id(operation)])

    def _say(self, doing: str) -> None:
        self._progress(
            Progress(self._wave, max(self._waves), self._standing.good, self._total, self._live.calls, doing)
        )

    def _do(self, together: Sequence[Batch]) -> None:
        calls = [[self._item(operation) for operation in batch.operations] for batch in together]
        calls = [may for items in calls if (may := [item for item in items if self._standing.may(item)])]
        if not calls:
            return
        try:
            if calls[0][0].row is None:
                self._definition(calls[0][0])
            else:
                self._assignments(calls)
        except CredentialsError as error:
            raise Stopped(error.message, error) from error
        except ServiceError as error:
            for item in (item for items in calls for item in items):
                if item.id not in self._standing.outcomes:
                    self._standing.tell(
                        item, Outcome(Status.FAILED, f"it could not be read before: {error.message}")
                    )
            self._breaker.hit(error.message)

    def _assignments(self, calls: Sequence[Sequence[Item]]) -> None:
        """Read everybody concerned, leave out who changed, and send the rest, call by call."""
        there: dict[Place, list[Item]] = defaultdict(list)
        readers: dict[Place, set[PrincipalRef]] = defaultdict(set)
        for item in (item for items in calls for item in items):
            there[self._reading.place(item)].append(item)
            shown = self._standing.granted[item.principal] if item.operation.kind.revokes else set()
            for place in {self._reading.place(item), *shown}:
                readers[place].add(item.principal)
        held: set[str] = set()
        for place, principals in readers.items():
            seen, drifts = self._reading.expected(principals, place)
            for principal, drift in drifts.items():
                self._leave(principal, drift)
            held.update(item.id for item in there[place] if item.row in (seen[item.principal] or ()))
        for items in calls:
            still = [item for item in items if self._standing.may(item)]
            done = [item for item in still if (item.id in held) == item.operation.kind.grants]
            self._sender.already(done)
            todo = [item for item in still if (item.id in held) != item.operation.kind.grants]
            if todo:
                self._sender.send(todo)

    def _definition(self, item: Item) -> None:
        definition = item.operation.definition
        given = self._belief.given.get(definition.id, "")
        found = self._sender.definitions.find(item.operation, item.id, given)
        if same(found.body, definition.after):
            self._sender.already([item], found.id, found.body)
        elif same(found.body, definition.before):
            self._sender.define(item, found)
        else:
            what = "is there with other contents" if definition.before is None else "was changed"
            self._journal.write("stale", {"what": definition.id, "found": found.id})
            self._standing.tell(
                item, Outcome(Status.STALE, f"`{definition.id}` {what}, and is left as it is")
            )

    def _leave(self, principal: PrincipalRef, drift: Drift) -> None:
        """Touch a principal no more: it is not what the plan was made for."""
        if principal in self._standing.left:
            return
        fields = {"missing": sorted(map(_text, drift.missing)), "extra": sorted(map(_text, drift.extra))}
        self._journal.write("stale", {"principal": str(principal), "gone": drift.gone, **fields})
        items = map(self._item, self._of.get(principal, ()))
        self._standing.leave(principal, f"changed by others: {drift.words}", items)

    @cached_property
    def _of(self) -> Mapping[PrincipalRef, list[Operation]]:
        """The operations that were asked for, by principal."""
        found: defaultdict[PrincipalRef, list[Operation]] = defaultdict(list)
        for operations in self._waves.values():
            for operation in operations:
                if operation.principal is not None:
                    found[operation.principal].append(operation)
        return dict(found)

    def _verify(self, number: int, operations: Iterable[Operation]) -> None:
        """Read back everybody of the wave, twice, and put down what is missing and what is too much."""
        items = [self._item(operation) for operation in operations if operation.principal is not None]
        still = [item for item in items if item.principal not in self._standing.left]
        drifts, read = self._reading.twice_everywhere(still)
        self._judge(items, drifts)
        if not any(item.principal in self._standing.left for item in items):
            self._verified.append(number)
        self._journal.write(
            "verified",
            {
                "wave": number,
                "principals": read,
                "missing": sum(len(drift.missing) for drift in drifts.values()),
                "extra": sum(len(drift.extra) for drift in drifts.values()),
            },
        )

    def _judge(self, items: Iterable[Item], drifts: Mapping[PrincipalRef, Drift]) -> None:
        """What was done and does not show is no longer done; whoever differs is left alone from now on."""
        for item in items:
            drift = drifts.get(item.principal)
            if drift and item.row in drift.missing | drift.extra:
                shown = "is not there" if item.operation.kind.grants else "is still there"
                self._standing.tell(
                    item, Outcome(Status.FAILED, f"it was done, and {shown} when it is read back")
                )
        for principal, drift in sorted(drifts.items()):
            self._leave(principal, drift)


def _text(row: RoleAssignment) -> str:
    return " ".join(filter(None, row.sort_key()[2:]))

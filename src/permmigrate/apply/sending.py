"""Sends a batch and finds out what came of it: journal first, then the call, then what the account shows.

A write that was not answered is never sent again before its effect was read. A batch that is refused is
halved until what it is refused for is alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from permmigrate.apply.belief import Belief, Item
from permmigrate.apply.definitions import Definitions, Found, write_for
from permmigrate.apply.journal import Journal
from permmigrate.apply.live import Answer, Assign, Invite, Live, Verdict, Write
from permmigrate.apply.outcome import Outcome, Status
from permmigrate.apply.past import written
from permmigrate.apply.reading import Pace, Reading
from permmigrate.errors import CredentialsError, PermmigrateError, RefusedError, ServiceError
from permmigrate.model import EnvironmentId, FolderId
from permmigrate.plan import Body, Kind
from permmigrate.plan.definitions import same

ATTEMPTS: Final = 4
"""How often an operation is sent whose effect is read not to be there."""
IN_A_ROW: Final = 5
"""So many errors one after the other mean that it is not the operations' fault."""


class Stopped(Exception):  # noqa: N818 - it is no error of the program, it ends a run
    """The run ends here: going on would not do any good."""

    def __init__(self, why: str, error: PermmigrateError | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.error = error


class Breaker:
    """Counts errors in a row."""

    def __init__(self) -> None:
        self._count = 0

    def hit(self, why: str) -> None:
        """An error. Raises Stopped when it is one too many."""
        self._count += 1
        if self._count >= IN_A_ROW:
            raise Stopped(f"{self._count} errors in a row, the last: {why}")

    def reset(self) -> None:
        self._count = 0


class Sender:
    """Does batches on a live account."""

    def __init__(
        self,
        live: Live,
        journal: Journal,
        belief: Belief,
        reading: Reading,
        breaker: Breaker,
        pace: Pace,
        tell: Callable[[Item, Outcome], None],
    ) -> None:
        """`tell` is told what became of each operation."""
        self._live = live
        self._journal = journal
        self._belief = belief
        self._reading = reading
        self._breaker = breaker
        self._pace = pace
        self._tell = tell
        self.definitions = Definitions(live)

    def already(self, items: Sequence[Item], given: str = "", body: Body | None = None) -> None:
        """Put down that these need nothing done."""
        if not items:
            return
        state = written(body) if items[0].row is None else items[0].operation.kind.grants
        self._journal.write("already", {"operations": [[item.id, state, given] for item in items]})
        for item in items:
            self._settle(item, item.operation.kind.grants, given)
            self._tell(item, Outcome(Status.ALREADY))

    def send(self, items: Sequence[Item], attempt: int = 1) -> None:
        """Do operations that one call can carry, and none of which is done. Raises Stopped."""
        before = {item.id: not item.operation.kind.grants for item in items}
        intent = self._intent(items, before)
        answer = self._answer(intent, items, before, _write(items))
        if answer is None:
            return
        if answer.verdict is Verdict.TOOK:
            wanted = {item.id: item.operation.kind.grants for item in items}
            self._close(intent, items, before, wanted, "answered", answer)
            self._breaker.reset()
            return
        after = self._read_back(items, before, answer)
        if after is None:
            return
        self._close(intent, items, before, after, "read back", answer)
        rest = [item for item in items if after[item.id] == before[item.id]]
        if not rest:
            self._breaker.reset()
        elif answer.verdict is Verdict.REFUSED:
            self._isolate(items, rest, answer)
        else:
            self._again(rest, attempt, answer)

    def define(self, item: Item, found: Found, attempt: int = 1) -> None:
        """Make, change or delete a definition that was found as the plan expects it. Raises Stopped."""
        wanted = item.operation.definition.after
        before: dict[str, Any] = {item.id: found.body}
        intent = self._intent([item], before)
        answer = self._answer(intent, [item], before, write_for(item.operation, item.id, found))
        if answer is None:
            return
        try:
            there = self._found_after(item, answer, answer.given_id or found.id)
        except ServiceError as error:
            self._unsure([item], error)
            return
        given = there.id or answer.given_id
        how = "answered" if answer.verdict is Verdict.TOOK else "read back"
        took = same(there.body, wanted)
        after = {item.id: wanted if took else there.body}
        self._close(intent, [item], before, after, how, answer, given)
        if took:
            self._breaker.reset()
        elif answer.verdict in (Verdict.TOOK, Verdict.REFUSED):
            why = answer.why or "the service has it otherwise than it was sent"
            self._failed([item], why)
            self._breaker.hit(why)
        else:
            self._again([item], attempt, answer, found)

    def _found_after(self, item: Item, answer: Answer, given: str) -> Found:
        """What is there after a write: what was answered with success may show only after a while."""
        wanted = item.operation.definition.after
        patience = {Verdict.TOOK: None, Verdict.UNSURE: 1}.get(answer.verdict, 0)
        found = self.definitions.find(item.operation, item.id, given)
        for pause in self._pace.pauses[:patience]:
            if same(found.body, wanted):
                break
            self._pace.sleep(pause)
            found = self.definitions.find(item.operation, item.id, given)
        return found

    def resolve(self, number: int, items: Sequence[Item], before: Mapping[str, Body | bool | None]) -> None:
        """Find out what a call did that was sent before a kill, and close its line. Raises ServiceError."""
        assigned = [item for item in items if item.row is not None]
        after: dict[str, Body | bool | None] = dict(self._reading.back(assigned)) if assigned else {}
        given = ""
        for item in items:
            if item.row is None:
                known = self._belief.given.get(item.operation.definition.id, "")
                found = self.definitions.find(item.operation, item.id, known)
                wanted = item.operation.definition.after
                given = found.id
                after[item.id] = wanted if same(found.body, wanted) else found.body
        self._close(number, items, before, after, "read back after it was cut short", None, given)

    def _intent(self, items: Sequence[Item], before: Mapping[str, Any]) -> int:
        kind = items[0].operation.kind
        fields: dict[str, Any] = {"call": kind.value, "wave": items[0].operation.wave}
        if items[0].row is not None and not kind.by_admin_api:
            fields["role"] = items[0].row.role_id
        fields["operations"] = [[item.id, written(before[item.id]), _named(item)] for item in items]
        number = self._journal.write("intent", fields)
        self._belief.open(items)
        return number

    def _answer(
        self, intent: int, items: Sequence[Item], before: Mapping[str, Any], write: Write
    ) -> Answer | None:
        """Send it; None when it was not sent at all, which is then put down."""
        try:
            return self._live.write(write)
        except CredentialsError as error:
            self._close(intent, items, before, before, "refused", Answer(Verdict.REFUSED, 401, error.message))
            raise Stopped(error.message, error) from error
        except RefusedError as error:
            why = Answer(Verdict.REFUSED, None, error.message)
            self._close(intent, items, before, before, "not sent", why)
            self._failed(items, error.message)
        except ServiceError as error:
            why = Answer(Verdict.UNSURE, error.status, error.message)
            self._close(intent, items, before, before, "not sent", why)
            raise Stopped(error.message, error) from error
        return None

    def _read_back(
        self, items: Sequence[Item], before: Mapping[str, bool], answer: Answer
    ) -> Mapping[str, bool] | None:
        """What is held now; None when that could not be read, and then nobody knows."""
        if answer.verdict is Verdict.LATER:
            return before
        if answer.verdict is Verdict.UNSURE:
            self._pace.sleep(self._pace.pauses[0] if self._pace.pauses else 0.0)
        try:
            return self._reading.back(items)
        except ServiceError as error:
            self._unsure(items, error)
            return None

    def _unsure(self, items: Sequence[Item], error: ServiceError) -> None:
        """Leave the line open: resuming reads again."""
        for item in items:
            self._tell(
                item, Outcome(Status.UNSURE, f"it was sent, and could not be read back: {error.message}")
            )
        if isinstance(error, CredentialsError):
            raise Stopped(error.message, error) from error
        self._breaker.hit(error.message)

    def _close(
        self,
        intent: int,
        items: Sequence[Item],
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        how: str,
        answer: Answer | None,
        given: str = "",
    ) -> None:
        rows = [[item.id, written(before[item.id]), written(after[item.id]), given] for item in items]
        fields: dict[str, Any] = {"intent": intent, "how": how, "operations": rows}
        if answer is not None:
            fields |= {"status": answer.status, "request_id": answer.request_id, "why": answer.why}
        self._journal.write("done", fields)
        for item in items:
            if item.row is not None:
                self._settle(item, bool(after[item.id]), given)
                took = after[item.id] == item.operation.kind.grants
            else:
                took = same(after[item.id], item.operation.definition.after)
                if took:
                    self._settle(item, True, given)
            if took:
                self._tell(item, Outcome(Status.DONE, "" if how == "answered" else how))

    def _settle(self, item: Item, held: bool, given: str) -> None:
        if item.row is not None:
            self._belief.settle(item.row, held=held)
        elif given:
            self._belief.name(item.operation.definition.id, given)

    def _isolate(self, items: Sequence[Item], rest: Sequence[Item], answer: Answer) -> None:
        """Send a refused batch in halves; what is refused alone has failed."""
        if len(items) == 1:
            self._failed(rest, answer.why)
            self._breaker.hit(answer.why)
            return
        middle = len(rest) // 2
        for part in (rest[:middle], rest[middle:]):
            if part:
                self.send(part)

    def _again(self, rest: Sequence[Item], attempt: int, answer: Answer, found: Found | None = None) -> None:
        """Send once more what was read not to have taken effect, as long as that is worth it."""
        why = answer.why or "no answer came"
        self._breaker.hit(why)
        if attempt >= ATTEMPTS:
            self._failed(rest, why)
            return
        pauses = self._pace.pauses
        self._pace.sleep(pauses[min(attempt, len(pauses)) - 1] if pauses else 0.0)
        if found is not None:
            self.define(rest[0], found, attempt + 1)
        else:
            self.send(rest, attempt + 1)

    def _failed(self, items: Sequence[Item], why: str) -> None:
        self._journal.write("failed", {"operations": [item.id for item in items], "why": why})
        for item in items:
            self._tell(item, Outcome(Status.FAILED, why))


def _write(items: Sequence[Item]) -> Write:
    kind, first = items[0].operation.kind, items[0].held
    if not kind.by_admin_api:
        return Assign(kind is Kind.ASSIGN, first.role_id, tuple(item.held for item in items))
    return Invite(
        kind is Kind.ASSIGN_FOLDER,
        EnvironmentId(first.scope_id or ""),
        FolderId(first.folder_id or ""),
        first.principal,
        tuple(item.held.role_id for item in items),
    )


def _named(item: Item) -> list[Any]:
    """What an operation is about, in the journal: enough to read it without the plan."""
    if item.row is None:
        definition = item.operation.definition
        return [definition.id, written(definition.after)]
    row = replace(item.row)
    return [
        row.principal.type.value,
        row.principal.id,
        row.role_id,
        row.scope_id,
        row.folder_id,
        row.collection_id,
    ]

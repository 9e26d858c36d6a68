"""What every part of a doctor's visit shares: ask something, and put down how it went.

It decides nothing about an account; the parts do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from permmigrate.cloudinary.credentials import AccountKeyPair, KeyPair
from permmigrate.cloudinary.diagnosis import Check, Finding
from permmigrate.cloudinary.probe import Probe
from permmigrate.cloudinary.record import Record
from permmigrate.errors import AbsentError, CredentialsError, DeniedError, ServiceError, ThrottledError

T = TypeVar("T")

_NO_PLAN: Final = "this plan or account does not have it: ask the vendor, or describe the account by lists"


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask, in words and on the wire."""

    area: str
    subject: str
    lane: str
    endpoint: str
    values: Mapping[str, str]
    key: KeyPair | None = None
    params: Mapping[str, str | int | bool] | None = None
    body: Mapping[str, str | bool] | None = None
    needed: bool = True
    """Whether a snapshot is incomplete without it."""
    absent: str = ""
    """What to do when there is no such thing here (404)."""


def of_account(
    account: AccountKeyPair,
    area: str,
    subject: str,
    endpoint: str,
    *,
    params: Mapping[str, str | int | bool] | None = None,
    **values: str,
) -> Question:
    """A question to one of the account's APIs, with the account's key."""
    return Question(
        area,
        subject,
        area.partition(" ")[0].lower(),
        endpoint,
        {"account_id": account.id} | values,
        account.pair,
        params,
        absent=_NO_PLAN,
    )


class Visit:
    """The checks so far."""

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.checks: list[Check] = []
        self.errors: dict[str, ServiceError] = {}
        """What was answered to a subject instead of what was asked for."""

    def add(self, area: str, subject: str, finding: Finding, detail: str, remedy: str = "") -> None:
        self.checks.append(Check(area, subject, finding, detail, remedy))

    def unchecked(self, area: str, subject: str, because: str) -> None:
        self.add(area, subject, Finding.UNCHECKED, because, "mend what failed above and run it again")

    def ask(
        self, question: Question, parse: Callable[[Record], T], good: Callable[[T], str] | None
    ) -> T | None:
        """Ask, read the answer, and put down how it went; `good` tells a good answer, None keeps quiet."""
        result = self.peek(question, parse)
        if isinstance(result, ServiceError):
            self.refused(question, result)
            return None
        if good is not None:
            self.answered(question, good(result))
        return result

    def answered(self, question: Question, detail: str) -> None:
        """Put down a good answer, unless another part of the same subject had none."""
        if question.subject in self.errors:
            return
        self.checks.append(
            Check(
                question.area,
                question.subject,
                Finding.OK,
                detail,
                endpoint=question.endpoint,
                status=200,
            )
        )

    def peek(self, question: Question, parse: Callable[[Record], T]) -> T | ServiceError:
        """Ask and read the answer, and put nothing down."""
        found = self.probe.ask(
            question.lane,
            question.endpoint,
            question.values,
            question.params,
            question.key,
            question.body,
        )
        if isinstance(found, ServiceError):
            return found
        try:
            return parse(found)
        except ServiceError as error:
            return error

    def refused(self, question: Question, error: ServiceError) -> None:
        """Put down what was answered in place of what was asked for."""
        self.errors[question.subject] = error
        self.checks.append(
            Check(
                question.area,
                question.subject,
                Finding.FAILED if question.needed else Finding.NOTE,
                error.message,
                remedy(question, error),
                question.endpoint,
                error.status,
            )
        )


def remedy(question: Question, error: ServiceError) -> str:
    """What to do, in the words of where it is done."""
    match error:
        case CredentialsError() if question.key:
            return (
                f"compare `{question.key.source}` with the Console, its key, secret and what it belongs to; "
                "an account of another region needs `--api-url`"
            )
        case DeniedError() if question.key and question.lane.startswith("admin"):
            return "give the key a role that reads all folders (Console: Settings > API Keys)"
        case DeniedError() if question.key:
            return "give the key a role that reads this (Console: Settings > Account API Keys)"
        case AbsentError() if question.absent:
            return question.absent
        case ThrottledError():
            return "wait until the allowance is renewed, and run it again"
        case _:
            return error.hint or "run it again; if it stays so, look for a newer version of permmigrate"

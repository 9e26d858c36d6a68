"""What can go wrong, as values a shell and a person can both act on.

    PermmigrateError
     ├─ UsageError            2  the call's words are off
     ├─ InvalidFileError      3  a file is broken; carries every problem found in it
     ├─ ServiceError          4  the vendor's service failed or refused
     │   ├─ CredentialsError     who you are was not accepted (401)
     │   ├─ DeniedError          who you are may not read this (403)
     │   ├─ AbsentError          there is no such thing, or the plan does not have it (404)
     │   ├─ ThrottledError       the rate limit held until patience ran out (420, 429)
     │   ├─ UnreachableError     no answer came
     │   └─ MalformedAnswerError an answer came that is not what the vendor's contract says
     ├─ FindingsError         5  findings past `--fail-on`
     ├─ RefusedError          6  a stale plan or the operator said no
     │   └─ GuardError            guards do not hold
     └─ PartlyAppliedError    7  some of a plan was done, some was not

Exit code 1 is a bug and has no class.
Nothing here prints, and no message may hold a secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """The process exit codes, documented in the README."""

    OK = 0
    BUG = 1
    USAGE = 2
    INVALID_FILE = 3
    SERVICE = 4
    FINDINGS = 5
    REFUSED = 6
    PARTLY_APPLIED = 7


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a file a person can edit."""

    file: str
    line: int
    """1-based; 0 when the whole file is meant."""
    message: str
    hint: str = ""
    cell: str = ""
    """`Sheet!B7` for a workbook; replaces `file:line` when present."""

    @property
    def where(self) -> str:
        if self.cell:
            return f"{self.file} {self.cell}"
        return f"{self.file}:{self.line}" if self.line else self.file

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class PermmigrateError(Exception):
    """A failure with a message for people, a remedy and an exit code."""

    exit_code: ExitCode = ExitCode.BUG

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(PermmigrateError):
    """The command was called with words that do not fit."""

    exit_code = ExitCode.USAGE


class InvalidFileError(PermmigrateError):
    """A file is broken; `problems` holds every mistake found, in file order."""

    exit_code = ExitCode.INVALID_FILE

    def __init__(self, message: str, *, hint: str = "", problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


class ServiceError(PermmigrateError):
    """The vendor's service failed or refused; `status` is the HTTP status, if there was one."""

    exit_code = ExitCode.SERVICE

    def __init__(self, message: str, *, hint: str = "", status: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class CredentialsError(ServiceError):
    """401: the credentials were not accepted."""


class DeniedError(ServiceError):
    """403: the credentials are good but may not do this."""


class AbsentError(ServiceError):
    """404: not found, or not part of the account's plan."""


class ThrottledError(ServiceError):
    """420 or 429 until the retries' budget was spent."""


class UnreachableError(ServiceError):
    """No answer: name resolution, connection, TLS or time-out."""


class MalformedAnswerError(ServiceError):
    """An answer that is not JSON, or not of the shape the vendor's contract gives."""


class FindingsError(PermmigrateError):
    """There are findings past the threshold the caller set."""

    exit_code = ExitCode.FINDINGS


class RefusedError(PermmigrateError):
    """A guard, a stale plan or the operator said no."""

    exit_code = ExitCode.REFUSED


class GuardError(RefusedError):
    """Guards do not hold; `failures` has each with its numbers, one sentence a guard."""

    def __init__(self, message: str, *, hint: str = "", failures: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.failures = failures


class PartlyAppliedError(PermmigrateError):
    """Some of a plan was done and some was not; what was not is in a file beside the journal."""

    exit_code = ExitCode.PARTLY_APPLIED

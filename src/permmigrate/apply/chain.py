"""The journal's lines and their chain: each holds the hash of the one before, so that none can be changed,
taken out or put in without showing. Pure: text in, lines out.

A chain cannot show that its end was cut off; whoever needs that keeps the last hash elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from permmigrate.errors import InvalidFileError, Problem
from permmigrate.snapshot.archive import canonical

FORMAT: Final = 1
GENESIS: Final = "0" * 64
"""What stands for the hash before the first line."""
_OWN: Final = frozenset({"n", "at", "kind", "prev", "hash"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a journal, proved."""

    number: int
    """From 1."""
    at: str
    kind: str
    fields: Mapping[str, Any]
    hash: str


@dataclass(slots=True)
class Chain:
    """A journal that is proved line by line as it is gone through; no more than one line is held.

    What it says of itself is said of the lines that were gone through last.
    """

    path: Path
    count: int = 0
    """The whole lines."""
    head: str = GENESIS
    """The hash of the last line."""
    kind: str = ""
    """What the last line is."""
    size: int = 0
    """The bytes of the whole lines."""
    torn: bytes = b""
    """What follows the last whole line: a line that a kill cut short. It proves nothing and is not lost."""

    def __iter__(self) -> Iterator[Line]:
        """Give each line once it is proved. Raises InvalidFileError that names the first that is broken."""
        self.count, self.head, self.kind, self.size, self.torn = 0, GENESIS, "", 0, b""
        try:
            with self.path.open("rb") as file:
                for text in file:
                    if not text.endswith(b"\n"):
                        self.torn = text
                        break
                    line = _line(self.path, self.count + 1, text[:-1], self.head)
                    self.count, self.head, self.kind = line.number, line.hash, line.kind
                    self.size += len(text)
                    yield line
        except OSError as error:
            raise InvalidFileError(
                f"`{self.path}` cannot be read: {(error.strerror or 'input/output error').lower()}"
            ) from None
        if not self.count:
            raise _broken(self.path, 0, "it has no first line", "begin again: nothing was done under it")

    @property
    def lines(self) -> tuple[Line, ...]:
        """All of them at once."""
        return tuple(self)


def encode(number: int, at: str, kind: str, fields: Mapping[str, Any], previous: str) -> tuple[bytes, str]:
    """A line as the file has it, and its hash."""
    content = {**fields, "n": number, "at": at, "kind": kind, "prev": previous}
    digest = hashlib.sha256(canonical(content)).hexdigest()
    return canonical({**content, "hash": digest}) + b"\n", digest


def check(path: Path) -> Chain:
    """Read a journal and prove its chain. Raises InvalidFileError that names the first line that is broken.

    Only the very end may be cut short, as a kill leaves it.
    """
    chain = Chain(path)
    for _ in chain:
        pass
    return chain


def _line(path: Path, number: int, text: bytes, previous: str) -> Line:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise _broken(path, number, "is not JSON") from None
    if not isinstance(content, dict) or not content.keys() >= _OWN:
        raise _broken(path, number, "is not a line of a journal")
    digest = content.pop("hash")
    if hashlib.sha256(canonical(content)).hexdigest() != digest:
        raise _broken(path, number, "was changed: its hash does not fit what it says")
    if content["prev"] != previous or content["n"] != number:
        raise _broken(path, number, "does not follow the line before it: lines were taken out or put in")
    if canonical({**content, "hash": digest}) != text:
        raise _broken(path, number, "is not written as a journal writes it")
    if number == 1 and (content["kind"] != "begin" or content.get("journal") != FORMAT):
        raise _broken(path, number, "is not the beginning of a journal of this version")
    fields = {name: value for name, value in content.items() if name not in _OWN}
    return Line(number, content["at"], content["kind"], fields, digest)


def _broken(path: Path, number: int, what: str, hint: str = "") -> InvalidFileError:
    problem = Problem(str(path), number, what, hint)
    return InvalidFileError(
        f"the journal is not whole: `{problem.where}` {what}",
        hint=hint or "look for a copy of it that is; nothing that follows that line is proved",
        problems=(problem,),
    )

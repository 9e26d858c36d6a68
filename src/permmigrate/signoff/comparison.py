"""Read from a comparison's document (`diff.json`) what is to be decided, when nobody changed the file."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from permmigrate.errors import InvalidFileError
from permmigrate.signoff.value import Clause

SCHEMA: Final = 2
_DIGEST: Final = re.compile(rb'([{,])"digest":"([0-9a-f]{64})"')


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a sign-off needs of a comparison."""

    account_id: str
    digest: str
    """Of what was compared and what was found; the same whenever and wherever it is written."""
    captured_at: str
    headline: str
    clauses: tuple[Clause, ...]
    """The clusters with an expansion or an undecided finding, in the report's order."""


def read(path: Path) -> Comparison:
    """What is to be decided about a `diff.json`; raises `InvalidFileError`."""
    document = document_of(path)
    return Comparison(
        account_id=document["account_id"],
        digest=document["comparison"],
        captured_at=document["captured_at"],
        headline=document["banner"]["headline"],
        clauses=_clauses(document["tables"]),
    )


def document_of(path: Path) -> dict[str, Any]:
    """Read and check a `diff.json`; raises `InvalidFileError`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidFileError(f"cannot read `{path}`: {error.strerror or error}") from error
    _check(path, content)
    document: dict[str, Any] = json.loads(content)
    if document.get("kind") != "diff" or document.get("schema") != SCHEMA:
        raise InvalidFileError(
            f"`{path}` is no comparison of this version",
            hint="give the diff.json that `permmigrate diff` wrote, or run `permmigrate diff` again",
        )
    return document


def _check(path: Path, content: bytes) -> None:
    found = _DIGEST.search(content)
    if not found:
        raise InvalidFileError(
            f"`{path}` is no comparison", hint="give the diff.json that `permmigrate diff` wrote"
        )
    seal = hashlib.sha256(content[: found.start()] + content[found.end() :])
    if found[1] == b"{":
        seal = hashlib.sha256(b"{" + content[found.end() + 1 :])
    if seal.hexdigest() != found[2].decode():
        raise InvalidFileError(
            f"`{path}` was changed after it was written", hint="run `permmigrate diff` again"
        )


def _clauses(tables: dict[str, list[dict[str, Any]]]) -> tuple[Clause, ...]:
    members: dict[str, list[str]] = defaultdict(list)
    for key in ("expansions", "undecided"):
        for row in tables[key]:
            members[row["cluster"]].append(row["id"])
    return clauses_of(tables["clusters"], members)


def clauses_of(
    rows: Iterable[Mapping[str, Any]], members: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> tuple[Clause, ...]:
    """What is to be decided among a report's clusters; `members` has the ids of the findings in each."""
    return tuple(
        Clause(
            id=row["id"],
            contents=row["contents"],
            severity=row["severity"],
            environment=row["environment"],
            region=row["region"],
            causes=tuple(row["causes"]),
            locked=locked_texts(row),
            findings=tuple(sorted(members.get(row["id"], ()))),
        )
        for row in rows
        if row["expansions"] or row["undecided"]
    )


def locked_texts(row: Mapping[str, Any]) -> tuple[str, ...]:
    """The cells of a cluster's row that nobody may change, as text."""
    where = row["region"]
    if row["environment"] and row["region_kind"] != "environment":
        where = f"{row['environment']}: {where}"
    because = [
        f"{ref}: {text}" if ref != text else ref
        for ref, text in zip(row["causes"], row["because"], strict=True)
    ]
    return (
        row["id"],
        row["severity"],
        str(row["expansions"]),
        str(row["undecided"]),
        row["principals"],
        str(row["people"]),
        where,
        "\n".join(because) or "no mapping row",
    )

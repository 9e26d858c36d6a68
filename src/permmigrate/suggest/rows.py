"""Choices as rows of the mapping tables, put into the tables' own text: comments and other rows stay.

It takes text and gives text; reading and writing files is the caller's.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from permmigrate.mapping.custom_roles import CUSTOM_ROLES
from permmigrate.mapping.reading import separator_of
from permmigrate.mapping.schema import OVERRIDES
from permmigrate.suggest.phrases import cost_words, counted, policies
from permmigrate.suggest.value import Choice, Pick, Suggestion

_BOM: Final = "\ufeff"
KEYS: Final = {
    "user_roles.csv": ("legacy_role",),
    "folder_levels.csv": ("level", "principal_type"),
    "collection_levels.csv": ("level", "principal_type"),
    "api_keys.csv": ("match", "environment", "enabled"),
    "account_keys.csv": ("match",),
    "overrides.csv": ("principal_type", "match_by", "match", "applies_to", "legacy"),
}
"""The columns that a choice's keys fill."""
_MAY_BE_ABSENT: Final = (OVERRIDES, CUSTOM_ROLES)


class _Edit(NamedTuple):
    """Rows to put in the place of others, or at the end when they replace none."""

    replaces: tuple[int, ...]
    rows: list[dict[str, str]]


def rewritten(texts: Mapping[str, str], suggestion: Suggestion) -> dict[str, str]:
    """The tables' texts by file name with the changed choices' rows in them; unchanged files are the same."""
    found = dict(texts)
    for file, edits in sorted(_edits(suggestion).items()):
        if file not in found:
            columns = next(table.columns for table in _MAY_BE_ABSENT if table.file == file)
            found[file] = ",".join(columns) + "\n"
        found[file] = _edited(found[file], edits)
    return found


def _edits(suggestion: Suggestion) -> dict[str, list[_Edit]]:
    edits: dict[str, list[_Edit]] = {}
    for choice in suggestion.changed:
        for key in choice.keys:
            rows = list(_rows(choice, key, suggestion.source))
            edits.setdefault(choice.file, []).append(_Edit(choice.replaces, rows))
    for role in suggestion.new_roles:
        row = {
            "role": role.name,
            "level": role.level,
            "policies": " ".join(role.policies),
            "description": role.description,
            **_origin(suggestion.source, f"exactly what is needed: {policies(role)}"),
        }
        edits.setdefault(CUSTOM_ROLES.file, []).append(_Edit((), [row]))
    return edits


def _rows(choice: Choice, key: tuple[str, ...], source: str) -> Iterator[dict[str, str]]:
    cells = dict(zip(KEYS[choice.file], key, strict=True)) | _origin(source, note(choice))
    if choice.file == OVERRIDES.file:
        cells["reason"] = choice.why
    if not choice.picks:
        yield cells | {"target_type": "none"}
    for pick in choice.picks:
        yield cells | _target(pick)


def _target(pick: Pick) -> dict[str, str]:
    return {"target_type": "role", "target": pick.target, "scope": str(pick.scope)}


def _origin(source: str, words: str) -> dict[str, str]:
    return {"source": source, "confidence": "inferred", "note": words}


def note(choice: Choice) -> str:
    """Why the row is there and what it costs each holder."""
    if choice.file == OVERRIDES.file:
        instead = counted(choice.given_cost.gained)
        return f"adds {counted(choice.cost.gained)}; what everybody gets would add {instead}"
    was = "" if choice.given_cost == choice.cost else f"; before: {cost_words(choice.given_cost)}"
    return f"{choice.why}{was}; held by {choice.holders}"


def _edited(text: str, edits: Iterable[_Edit]) -> str:
    bom = _BOM if text.startswith(_BOM) else ""
    blocks = list(_blocks(text.removeprefix(_BOM)))
    head = next(block for block in blocks if block.cells)
    end = "\r\n" if head.lines[0].endswith("\r\n") else "\n"
    if not blocks[-1].lines[-1].endswith(("\n", "\r")):
        blocks.append(_Block(0, [end], []))
    columns = ["_".join(name.strip().casefold().replace("-", " ").split()) for name in head.cells]
    at: dict[int, list[dict[str, str]]] = {}
    gone: set[int] = set()
    for edit in edits:
        gone.update(edit.replaces)
        at.setdefault(min(edit.replaces, default=0), []).extend(edit.rows)
    delimiter = separator_of(text.removeprefix(_BOM))
    out = io.StringIO()
    out.write(bom)
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    for block in blocks:
        if block.line in at and block.line:
            writer.writerows([row.get(column, "") for column in columns] for row in at[block.line])
        if block.line not in gone:
            out.writelines(block.lines)
    writer.writerows([row.get(column, "") for column in columns] for row in at.get(0, ()))
    return out.getvalue()


class _Block(NamedTuple):
    """A record or a comment, as it is written."""

    line: int
    """Where it begins; 0 for what is no line of the file."""
    lines: list[str]
    cells: list[str]
    """Empty for a comment or a blank line."""


def _blocks(text: str) -> Iterator[_Block]:
    lines = list(io.StringIO(text, newline=""))
    delimiter, number = separator_of(text), 0
    while number < len(lines):
        line = lines[number]
        if not line.strip() or line.lstrip().startswith("#"):
            yield _Block(number + 1, [line], [])
            number += 1
            continue
        reader = csv.reader(iter(lines[number:]), delimiter=delimiter, strict=True)
        record = next(reader)
        cells = [] if record[0].lstrip().startswith("#") else record
        yield _Block(number + 1, lines[number : number + reader.line_num], cells)
        number += reader.line_num

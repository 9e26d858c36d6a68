"""The comparison as Markdown for a pull request: the banner, what is not known, causes, and the worst rows.

It stays under what a comment may hold, says what it left out, and lets no name become a link or a mention.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from typing import Final

from permmigrate.report.table import Cell
from permmigrate.report.text import plural, visible
from permmigrate.report.value import DiffView

MOST_CHARACTERS: Final = 60_000
"""A comment on GitHub holds 65,536; the rest is left for whoever puts a heading above."""
MOST_IN_CELL: Final = 160
ROWS: Final = {"uncertainties": 10, "causes": 15, "administrators": 15, "keys": 20}

_LINKED: Final = re.compile(r"@|#\d|://|www\.|\bGH-\d", re.IGNORECASE)
_SPECIAL: Final = re.compile(r"([\\`*_\[\]#|~$])")


def markdown(view: DiffView) -> str:
    """The whole comment. Same view, same text."""
    parts = [_head(view), _unknown(view), _causes(view), _administrators(view), _keys(view)]
    text = "\n".join(part for part in parts if part)
    text += _findings(view, MOST_CHARACTERS - len(text))
    return text


def _head(view: DiffView) -> str:
    lines = [f"## {view.banner.headline}", "", plain(view.banner.sentence), ""]
    if view.illustrative:
        lines += [
            "**Illustrative catalog**: roles and policies are this project's own, not the vendor's.",
            "",
        ]
    lines += _table(
        [figure.label for figure in view.figures], [[f"{figure.value:,}" for figure in view.figures]]
    )
    lines += ["", *(f"- {plain(detail)}" for detail in view.banner.details), ""]
    facts = [f"account {plain(view.account_id)}", f"snapshot of {plain(view.captured_at)}"]
    facts += [f"{label.lower()} {digest[:12]}" for label, digest in view.digests]
    return "\n".join([*lines, " · ".join(facts), ""])


def _unknown(view: DiffView) -> str:
    if view.complete and not len(view.table("uncertainties")):
        return "### Completeness\n\nEverything was read and decided.\n"
    state = "complete, with open questions" if view.complete else "**incomplete**"
    intro = f"The data are {state}. {plain(view.read_summary)} {plain(view.known_summary)}"
    return _section(view, "Completeness", "uncertainties", ("kind", "subject", "reason", "findings"), intro)


def _causes(view: DiffView) -> str:
    return _section(
        view, "Causes", "causes", ("ref", "text", "severity", "expansions", "sole_expansions", "principals")
    )


def _administrators(view: DiffView) -> str:
    risks = "\n".join(f"- **{plain(risk.title)}** {plain(risk.detail)}" for risk in view.risks)
    return f"### Administrators\n\n{risks}\n" if risks else ""


def _keys(view: DiffView) -> str:
    columns = ("risk", "principal", "principal_id", "environment", "gained", "lost")
    table = view.table("keys")
    at = [column.key for column in table.columns].index("risk")
    rows = [row for row in table.rows if row[at] != "none found"]
    return _section(view, "API keys at risk", "keys", columns, rows=rows) if rows else ""


def _section(
    view: DiffView,
    title: str,
    key: str,
    columns: Sequence[str],
    intro: str = "",
    rows: Sequence[tuple[Cell, ...]] | None = None,
) -> str:
    table = view.table(key)
    rows = table.rows if rows is None else rows
    places = [[column.key for column in table.columns].index(name) for name in columns]
    shown = [[_cell(row[at]) for at in places] for row in rows[: ROWS[key]]]
    lines = [f"### {title}", "", *([intro, ""] if intro else [])]
    if shown:
        lines += [*_table([table.columns[at].label for at in places], shown), ""]
    if len(rows) > len(shown):
        lines += [f"{plural(len(rows) - len(shown), 'more row is', 'more rows are')} in the report.", ""]
    return "\n".join(lines)


def _findings(view: DiffView, room: int) -> str:
    """The expansions, worst first, as many as there is room for; and how many there are of each kind."""
    columns = ("severity", "verdict", "principal", "can", "region", "causes", "id")
    table = view.table("expansions")
    if not len(table):
        return ""
    places = [[column.key for column in table.columns].index(name) for name in columns]
    head = ["", "### Expansions", "", *_table([table.columns[at].label for at in places], [])]
    tail_room = 200
    lines, left = head, room - sum(len(line) + 1 for line in head) - tail_room
    shown = 0
    for row in table.rows:
        line = _row([_cell(row[at]) for at in places])
        if len(line) + 1 > left:
            break
        lines.append(line)
        left -= len(line) + 1
        shown += 1
    rest = len(table) - shown
    note = f"{plural(rest, 'more expansion is', 'more expansions are')} in the report." if rest else ""
    return "\n".join([*lines, "", note]).rstrip() + "\n"


def _table(heads: Iterable[str], rows: Iterable[Sequence[str]]) -> list[str]:
    heads = [plain(head) for head in heads]
    return [_row(heads), _row(["---"] * len(heads)), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _cell(value: Cell) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    text = value if isinstance(value, str) else ", ".join(map(str, value))
    return plain(text if len(text) <= MOST_IN_CELL else text[: MOST_IN_CELL - 1] + "…")


def plain(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML; what could become a link or mention is code."""
    shown = visible(text)
    if _LINKED.search(shown):
        return _code(shown)
    return _SPECIAL.sub(r"\\\1", html.escape(shown, quote=False))


def _code(text: str) -> str:
    """A code span whose fence is longer than any in the text; a bar is escaped, for it would end the cell."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{pad}{text.replace('|', chr(92) + '|')}{pad}{fence}"

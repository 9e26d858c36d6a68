"""Render a finished view as one HTML page that needs no network and says its main things without a script.

Every value is escaped by Jinja, data reaches the script through `tojson` alone, and the page's own policy
(`default-src 'none'`, hashes for its one style and one script) stops whatever an escape might have missed.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from permmigrate.report import charts
from permmigrate.report.island import MOST_ROWS, Packer
from permmigrate.report.layout import LAYOUTS, ORDERS, SHORTENED
from permmigrate.report.shorthand import KINDS, shortened
from permmigrate.report.table import Table
from permmigrate.report.text import moment, plural, visible
from permmigrate.report.value import DiffView, ReadinessView

FIRST_ROWS: Final = 10
"""Rows in sight of a table that is readable without a script; the next ones open with a click."""

STATIC_ROWS: Final = 200
"""Rows of a table that is readable without a script; the rest is counted and is in the workbook."""

_SCRIPTS: Final = ("hash.js", "store.js", "grid.js", "detail.js", "page.js")


def render(view: DiffView | ReadinessView, templates: Path) -> str:
    """The page of a comparison or a readiness; `templates` is the folder of the report templates."""
    packer = Packer()
    tables = {table.key: table for table in view.tables}
    capabilities = list(tables["capabilities"].records()) if "capabilities" in tables else []
    if isinstance(view, DiffView):
        tables |= {key: shortened(tables[key], view.places, capabilities) for key in SHORTENED}
    data = [(key, packer.table(table, LAYOUTS[key])) for key, table in tables.items() if key in LAYOUTS]
    if "principals" in tables:
        data.append(("people", packer.people(tables["principals"])))
    data.append(("pool", packer.pool()))
    causes = tables["causes"].records() if "causes" in tables else iter(())
    words = {
        "capabilities": [_plain(record) for record in capabilities],
        "causes": {visible(str(record["ref"])): _plain(record) for record in causes},
        "kinds": KINDS,
        "orders": ORDERS,
        "explain": view.explain if isinstance(view, DiffView) else "",
        "no_cause": "no assigned role"
        if isinstance(view, DiffView) and not view.planned
        else "no mapping row",
    }
    name = "diff.html.j2" if isinstance(view, DiffView) else "readiness.html.j2"
    data.append(("words", packer.words(words)))
    return _page(templates, name, view=view, data=data)


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    return {key: visible(value) if isinstance(value, str) else value for key, value in record.items()}


def _page(templates: Path, name: str, **values: Any) -> str:
    style = _read(templates / "report.css")
    script = "(() => {\n'use strict';\n" + "".join(_read(templates / part) for part in _SCRIPTS) + "})();\n"
    policy = (
        f"default-src 'none'; style-src '{content_hash(style)}'; script-src '{content_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    page = _environment(templates).get_template(name)
    return page.render(
        style=Markup(style),  # noqa: S704 - our own file, hashed above
        script=Markup(script),  # noqa: S704 - our own file, hashed above
        policy=policy,
        **values,
    )


@cache
def _environment(templates: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=visible_unless_markup,
    )
    environment.filters |= {
        "number": lambda count: f"{count:,}",
        "moment": moment,
        "slug": _slug,
        "visible": visible,
    }
    environment.globals |= {
        "bars": charts.bars,
        "boughs": charts.boughs,
        "portion": charts.portion,
        "heat": charts.heat,
        "dial": charts.dial,
        "plural": plural,
        "first_rows": FIRST_ROWS,
        "static_rows": STATIC_ROWS,
        "most_rows": MOST_ROWS,
        "columns_of": _columns_of,
    }
    return environment


def visible_unless_markup(value: object) -> object:
    """What a template shows of a value: text made visible, markup as it is."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def _columns_of(table: Table, keys: list[str]) -> list[tuple[int, Any]]:
    """(place in the row, column) for the columns a static table shows."""
    places = {column.key: place for place, column in enumerate(table.columns)}
    return [(places[key], table.columns[places[key]]) for key in keys]


def _slug(word: str) -> str:
    """A class name for a word of a closed set; anything else becomes letters and dashes."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in word.lower())


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def content_hash(text: str) -> str:
    """The hash by which a page's policy allows one style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

"""What a workbook must keep to so that Excel opens it without repair, looked up in its XML.

Limits are those of Microsoft's "Excel specifications and limits" and of ECMA-376 part 1, section 18.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from openpyxl.utils.cell import range_boundaries

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
MOST_UNITS, MOST_LINE_FEEDS = 32_767, 253
ROWS, COLUMNS = 1_048_576, 16_384
_DEFINED_NAME = re.compile(r"[A-Za-z_\\][\w.\\]*")
_LOOKS_LIKE_A_CELL = re.compile(r"[A-Za-z]{1,3}\d+|[RrCc]|[Rr]\d*[Cc]\d*")


def problems(path: Path) -> list[str]:
    """Everything that Excel would repair, or that could be run."""
    with zipfile.ZipFile(path) as book:
        found = [f"damaged: {name}" for name in [book.testzip()] if name]
        found += [f"{name} twice" for name in {*book.namelist()} if book.namelist().count(name) > 1]
        parts = {name: ElementTree.fromstring(book.read(name)) for name in book.namelist()}
    found += [f"{name} runs" for name in parts if re.search(r"vba|externalLink|activeX|embedding", name)]
    sheets = {name: tree for name, tree in parts.items() if name.startswith("xl/worksheets/sheet")}
    found += [problem for name, tree in sheets.items() for problem in _sheet(name, tree)]
    found += _texts(parts["xl/sharedStrings.xml"], "si") if "xl/sharedStrings.xml" in parts else ()
    found += _book(parts["xl/workbook.xml"])
    for name, tree in parts.items():
        if name.endswith(".rels"):
            found += [f"{name} leads outside" for each in tree if each.get("TargetMode") == "External"]
    tables = [tree.get("displayName") for name, tree in parts.items() if name.startswith("xl/tables/")]
    return [*found, *(f"table {name} twice" for name in {*tables} if tables.count(name) > 1)]


def _book(tree: ElementTree.Element) -> Iterator[str]:
    names = [str(sheet.get("name")) for sheet in tree.iter(f"{MAIN}sheet")]
    for name in names:
        if not 0 < len(name) <= 31 or re.search(r"[\[\]:*?/\\]|^'|'$", name) or name.casefold() == "history":
            yield f"sheet name {name}"
    if len({name.casefold() for name in names}) < len(names):
        yield "a sheet name twice"
    for each in tree.iter(f"{MAIN}definedName"):
        name, formula = str(each.get("name")), each.text or ""
        if not name.startswith("_xlnm.") and (
            not _DEFINED_NAME.fullmatch(name) or _LOOKS_LIKE_A_CELL.fullmatch(name) or len(name) > 255
        ):
            yield f"defined name {name}"
        for sheet, quoted in re.findall(r"(?:^|,)(?:'((?:[^']|'')+)'|([^'!,]+))!", formula):
            if (sheet.replace("''", "'") or quoted) not in names:
                yield f"{name} is {formula}"


def _sheet(name: str, tree: ElementTree.Element) -> Iterator[str]:
    yield from (f"{name}!{problem}" for problem in _cells(tree))
    for each in tree.iter(f"{MAIN}row"):
        if float(each.get("ht", "15")) > 409:
            yield f"{name}: row {each.get('r')} is too tall"
    for each in tree.iter(f"{MAIN}col"):
        if not 0 <= float(each.get("width", "9")) <= 255:
            yield f"{name}: column {each.get('min')} is too wide"
    for kind in ("mergeCell", "autoFilter", "hyperlink", "dimension"):
        for each in tree.iter(MAIN + kind):
            yield from _reaches(name, str(each.get("ref")))
    for kind in ("conditionalFormatting", "dataValidation", "ignoredError"):
        for each in tree.iter(MAIN + kind):
            for area in str(each.get("sqref")).split():
                yield from _reaches(name, area)
    merged = [range_boundaries(str(each.get("ref"))) for each in tree.iter(f"{MAIN}mergeCell")]
    for at, (left, top, right, bottom) in enumerate(merged):
        for other in merged[:at]:
            if not (right < other[0] or other[2] < left or bottom < other[1] or other[3] < top):
                yield f"{name}: merged cells overlap at row {top}"
    for each in tree.iter(f"{MAIN}dataValidation"):
        if any(len(child.text or "") > 255 for child in each):
            yield f"{name}: a validation of more than 255 characters"
        if any(len(each.get(key, "")) > most for key, most in (("errorTitle", 32), ("promptTitle", 32))):
            yield f"{name}: a validation's title of more than 32 characters"
        if any(len(each.get(key, "")) > 255 for key in ("error", "prompt")):
            yield f"{name}: a validation's message of more than 255 characters"
    for each in tree.iter(f"{MAIN}headerFooter"):
        if any(len(child.text or "") > 255 for child in each):
            yield f"{name}: a footer of more than 255 characters"


def _cells(tree: ElementTree.Element) -> Iterator[str]:
    last = (0, 0)
    for cell in tree.iter(f"{MAIN}c"):
        place = str(cell.get("r"))
        column, row, *_ = range_boundaries(place)
        if (row, column) <= last or row > ROWS or column > COLUMNS:
            yield f"{place} is out of order"
        last = (row, column)
        if cell.find(f"{MAIN}f") is not None:
            yield f"{place} is a formula"
        if cell.get("t", "n") not in ("s", "inlineStr", "n"):
            yield f"{place} is of type {cell.get('t')}"
    yield from _texts(tree, "is")


def _texts(tree: ElementTree.Element, kind: str) -> Iterator[str]:
    for each in tree.iter(MAIN + kind):
        text = "".join(each.itertext())
        if len(text.encode("utf-16-le", "surrogatepass")) > 2 * MOST_UNITS:
            yield f"a text of {len(text):,} characters"
        if text.count("\n") > MOST_LINE_FEEDS:
            yield f"a text of {text.count(chr(10))} lines"
        if text != text.strip() and not any(part.get(f"{{{XML}}}space") == "preserve" for part in each):
            yield f"the space around `{text[:20]}` would go"


XML = "http://www.w3.org/XML/1998/namespace"


def _reaches(name: str, area: str) -> Iterator[str]:
    left, top, right, bottom = range_boundaries(area)
    if not (1 <= left <= right <= COLUMNS and 1 <= top <= bottom <= ROWS):
        yield f"{name}: the range {area}"

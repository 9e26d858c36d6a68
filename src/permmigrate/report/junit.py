"""The comparison as JUnit XML: a case for each mapping row, failed when it widens; one for completeness."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from permmigrate.report.text import plural, visible
from permmigrate.report.value import DiffView


def junit(view: DiffView) -> str:
    """One suite. Its properties hold the counts of the report."""
    cases = [
        _completeness(view),
        *(_cause(row, planned=view.planned) for row in view.table("causes").records()),
    ]
    failures = sum(case.find("failure") is not None for case in cases)
    suite = ElementTree.Element(
        "testsuite",
        name="permmigrate diff",
        tests=str(len(cases)),
        failures=str(failures),
        errors="0",
        skipped="0",
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (
        ("headline", view.banner.headline),
        *((figure.key, str(figure.value)) for figure in view.figures),
    ):
        ElementTree.SubElement(properties, "property", name=name, value=value)
    suite.extend(cases)
    suites = ElementTree.Element("testsuites", tests=str(len(cases)), failures=str(failures), errors="0")
    suites.append(suite)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=False) + "\n"


def _completeness(view: DiffView) -> ElementTree.Element:
    case = _case("completeness", "everything was read, translated and decided")
    rows = list(view.table("uncertainties").records())
    undecided = len(view.table("undecided"))
    if not view.complete or undecided:
        lines = [f"{row['kind']}: {row['subject']}: {row['reason']}" for row in rows]
        if undecided:
            lines.append(plural(undecided, "finding") + " could not be decided either way")
        _fail(case, view.known_summary, "\n".join(lines))
    return case


def _cause(row: dict[str, Any], *, planned: bool) -> ElementTree.Element:
    ref, text = str(row["ref"]), str(row["text"])
    file = ref.rpartition(":")[0] or ref
    case = _case("mapping." + file if planned else "assigned", f"{ref}: {text}")
    if row["expansions"]:
        message = (
            f"{plural(row['expansions'], 'expansion')}, worst {row['severity']}, "
            f"for {plural(row['principals'], 'principal')}; {row['sole_expansions']:,} by it alone"
        )
        _fail(case, message, f"{ref}: {text} ({row['confidence'] or 'no confidence stated'})")
    return case


def _case(group: str, name: str) -> ElementTree.Element:
    return ElementTree.Element("testcase", classname=visible(group), name=visible(name))


def _fail(case: ElementTree.Element, message: str, text: str) -> None:
    failure = ElementTree.SubElement(case, "failure", message=visible(message), type="expansion")
    failure.text = "\n".join(visible(line) for line in text.split("\n"))

"""The page says a finding's lines and id in shorthand, and shows them whole."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import report_builders as builders

from permmigrate.diff import Diff, Finding, RegionKind
from permmigrate.diff.value import Witness
from permmigrate.model import EnvironmentId, Folder, FolderId, ProductEnvironment
from permmigrate.report import html
from permmigrate.report.shorthand import CONTENT, PRINCIPAL, REGION, TRAIL, shortened
from permmigrate.report.view import DiffView, diff_view
from permmigrate.resources import templates_dir
from permmigrate.snapshot import Snapshot

ODD = "Brands \ufdd0 and \x07 \U0001f3a8"


def told(finding: Finding, diff: Diff) -> Finding:
    """The finding with the id that the engine gives it, and a request."""
    lines = sorted(
        "\t".join((c.scope, c.action, c.resource, c.condition))
        for c in (diff.capabilities[number] for number in finding.capabilities)
    )
    region = finding.region
    who = (str(finding.principal), finding.verdict, region.kind, region.environment_id, region.content_id)
    principal = f'Cloudinary::User::"{finding.principal.id}"'
    asset = f'Cloudinary::Asset::"any Asset in {region.label}"'
    trail = {"ancestor_ids": [region.content_id, "f-brands"]}
    return replace(
        finding,
        id="f" + hashlib.sha256("\n".join((*who, *lines)).encode()).hexdigest()[:12],
        witness=Witness(principal, 'Action::"read"', asset, trail, {}, "deny", "allow"),
    )


def account() -> tuple[Diff, Snapshot]:
    """Findings with ids by the rule in folders whose parents are known, one of them oddly named."""
    found = builders.diff(60)
    odd = replace(found.findings[0].region, kind=RegionKind.FOLDER, content_id="f-odd", label=ODD)
    findings = list(found.findings)
    findings[0] = replace(findings[0], region=odd, after=(f"folder role Editor on {ODD}",))
    folders = [
        Folder(FolderId("f-brands"), EnvironmentId("e1"), "Brands"),
        *(
            Folder(FolderId(f.region.content_id), EnvironmentId("e1"), f.region.label)
            for f in findings
            if f.region.kind is RegionKind.FOLDER
        ),
    ]
    snapshot = builders.snapshot(folders=tuple({each.id: each for each in folders}.values()))
    return replace(found, findings=tuple(told(each, found) for each in findings)), snapshot


@pytest.fixture(scope="module")
def view() -> DiffView:
    return diff_view(*account())


def test_lines_share_what_their_rows_say(view: DiffView) -> None:
    """A line has marks for its row's principal and place, and an id is written where no place tells it."""
    table = view.table("expansions")
    short = shortened(table, view.places, list(view.table("capabilities").records()))
    assert len(table) == len(short)
    places = zip(*(table.values(key) for key in ("environment", "region_kind", "region")), strict=True)
    known = [place in view.places for place in places]
    assert known == [not id_ for id_ in short.values("id")]
    assert 20 < sum(known) < len(known)
    seen = "\n".join("\n".join(lines) for key in ("after", "witness") for lines in short.values(key))  # type: ignore[arg-type]
    for mark in (REGION, f'"{PRINCIPAL}"'):
        assert mark in seen
    whole = "\n".join("\n".join(lines) for lines in table.values("after"))  # type: ignore[arg-type]
    assert ODD in whole
    assert ODD not in seen
    assert len(set(short.values("witness"))) < len(set(table.values("witness")))
    assert {TRAIL, CONTENT}.isdisjoint("".join(str(cell) for cell in table.values("witness")))


def test_places_that_share_a_name_are_told_apart_by_nothing(view: DiffView) -> None:
    """Where two environments have one name, lines and ids are written whole."""
    diff, snapshot = account()
    twins = (
        ProductEnvironment(EnvironmentId("e1"), "Same", "acme-prod", True),
        ProductEnvironment(EnvironmentId("e2"), "Same", "acme-stage", True),
    )
    twin = diff_view(diff, replace(snapshot, environments=twins))
    assert {"account"} >= {kind for _, kind, _ in twin.places}
    table = twin.table("expansions")
    short = shortened(table, twin.places, list(twin.table("capabilities").records()))
    inside = [row for row in short.records() if row["region_kind"] != "account"]
    assert inside
    assert all(row["id"] for row in inside)


@pytest.mark.browser
def test_the_page_shows_them_whole(open_page: Callable[..., Any], view: DiffView) -> None:
    """Ids and lines in the page's CSV are the view's; a row is found by how its id begins."""
    page = open_page(html.render(view, templates_dir()))
    table = view.table("expansions")
    place = page.locator("[data-table=expansions]")
    place.scroll_into_view_if_needed()
    place.locator(".rows .row").first.wait_for()
    with page.expect_download() as download:
        place.locator("button", has_text="Export").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8-sig"))))
    assert table.values("id") == [row["Finding"] for row in rows]
    labels = {column.key: column.label for column in table.columns}
    picture = {ord("\x07"): "\u2407", ord("\ufdd0"): "\u2039U+FDD0\u203a"}
    for key in ("before", "after", "witness"):
        expected = [" | ".join(cell).translate(picture) for cell in table.values(key)]  # type: ignore[arg-type]
        assert expected == [row[labels[key]].translate(picture) for row in rows]
    wanted = str(table.values("id")[7])
    place.locator("input").fill(wanted[:9])
    assert "1 of" in place.locator(".status").inner_text()
    place.locator(".rows .row").first.click()
    assert f"permmigrate explain {wanted}" in page.locator("dialog").inner_text()

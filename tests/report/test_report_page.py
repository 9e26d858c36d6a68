"""The page in a real browser: readable without a script, harmless with hostile names, usable by keyboard."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any

import pytest
import report_builders as builders
from playwright.sync_api import expect
from test_report_workbook import hostile_view

from permmigrate.report import html
from permmigrate.report.view import diff_view, readiness_view
from permmigrate.resources import templates_dir

pytestmark = pytest.mark.browser

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def page_text() -> str:
    return html.render(diff_view(builders.diff(90), builders.snapshot()), templates_dir())


@pytest.fixture(scope="module")
def hostile_text() -> str:
    return html.render(hostile_view(), templates_dir())


def rows(page: Any, table: str = "expansions") -> Any:
    return page.locator(f"[data-table={table}] .rows .row")


def status(page: Any, table: str = "expansions") -> str:
    return str(page.locator(f"[data-table={table}] .status").text_content())


def test_first_sections_need_no_script(open_page: Open, page_text: str) -> None:
    """With scripts off the verdict, completeness, causes and administrators are there to read."""
    page = open_page(page_text, java_script_enabled=False)
    seen = page.locator("main").inner_text()
    for text in (
        "EXPANDS",
        "would gain access",
        "left a gap",
        "the key may not list access keys here",
        "no user has this e-mail address",
        "by this row alone",
        "administrator",
    ):
        assert text in seen
    assert "This table needs JavaScript" in page.locator("[data-table=expansions]").inner_text()


def test_hostile_names_do_nothing(open_page: Open, hostile_text: str) -> None:
    """No script of a name runs, no element of a name exists, and the name is there to read."""
    page = open_page(hostile_text)
    for table in ("expansions", "principals", "hygiene"):
        page.locator(f"[data-table={table}]").scroll_into_view_if_needed()
        rows(page, table).first.wait_for()
    page.locator("[data-table=principals] input").fill("onerror")
    rows(page, "principals").first.click()
    assert (
        "<img src=x onerror=\"document.title='owned'\">"
        == page.locator("#detail-title bdi").first.text_content()
    )
    assert 0 == page.locator("img").count()
    assert "EXPANDS" in page.title()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_hostile_names_fit_a_phone(open_page: Open, hostile_text: str) -> None:
    """A name of 10,000 letters does not widen the page."""
    page = open_page(hostile_text, viewport={"width": 390, "height": 844})
    page.locator("[data-table=principals]").scroll_into_view_if_needed()
    rows(page, "principals").first.wait_for()
    assert 390 == page.evaluate("document.documentElement.scrollWidth")


def test_an_injected_script_is_refused(chromium: Any, page_text: str, tmp_path: Any) -> None:
    """Even if an escape were missed, the page's own policy stops the script and any request."""
    place = tmp_path / "broken.html"
    broken = page_text.replace(
        "<main", "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script><main"
    )
    assert broken != page_text
    place.write_text(broken)
    page = chromium.new_page()
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text))
    page.goto(place.as_uri())
    page.wait_for_timeout(200)
    assert "owned" != page.title()
    assert any("Content Security Policy" in text for text in refused)
    page.close()


def test_search_facets_and_address(open_page: Open, page_text: str) -> None:
    """Search and facets narrow the rows, count what is left, and live in the address."""
    page = open_page(page_text)
    page.locator("[data-table=expansions]").scroll_into_view_if_needed()
    rows(page).first.wait_for()
    assert "45 rows" == status(page)
    page.locator('[data-table=expansions] [data-name="verdict=maybe gained"]').click()
    assert "15 of 45 rows" == status(page)
    page.locator("[data-table=expansions] input").fill("aurora")
    narrowed = status(page)
    assert narrowed.endswith("of 45 rows")
    assert narrowed != "15 of 45 rows"
    assert "expansions.q=aurora" in page.url
    again = open_page(page_text, hash_="#" + page.url.partition("#")[2])
    rows(again).first.wait_for()
    assert narrowed == status(again)


def test_facet_counts_match_the_rows(open_page: Open, page_text: str) -> None:
    """A facet's count is the number of rows that choosing it shows."""
    page = open_page(page_text, hash_="#expansions.severity=critical")
    rows(page).first.wait_for()
    chips = page.locator("[data-table=expansions] [data-name^='region_kind=']")
    for at in range(chips.count()):
        promised = chips.nth(at).locator(".count").text_content()
        chips.nth(at).click()
        assert status(page).startswith(f"{promised} of ")
        chips.nth(at).click()


def test_keyboard_opens_a_row(open_page: Open, page_text: str) -> None:
    """Arrows move, Enter opens the detail with its reason and rows, Escape comes back to the row."""
    page = open_page(page_text, hash_="#expansions.verdict=maybe+gained")
    rows(page).first.wait_for()
    rows(page).first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    detail = page.locator("dialog .content").inner_text()
    for text in (
        "maybe gained",
        "Before",
        "After",
        "Everything it covers",
        "Why it is not certain",
        "Mapping rows",
        "Finding",
        "create on User",
        "permmigrate explain f",
    ):
        assert text in detail
    assert "expansions.open=" in page.url
    page.keyboard.press("Escape")
    expect(page.locator("[data-table=expansions] .rows [data-at='1']")).to_be_focused()
    assert "expansions.open=" not in page.url


def test_sort(open_page: Open, page_text: str) -> None:
    """A click on a heading sorts, a second one turns the order round, and it is told to screen readers."""
    page = open_page(page_text, hash_="#principals.sort=principal")
    rows(page, "principals").first.wait_for()
    names = [
        text.lower()
        for text in page.locator(
            "[data-table=principals] .rows .at-principal > span:first-child"
        ).all_text_contents()
    ]
    assert names == sorted(names)
    head = page.locator("[data-table=principals] [role=columnheader]").nth(1)
    assert "ascending" == head.get_attribute("aria-sort")
    head.locator("button").click()
    assert "descending" == head.get_attribute("aria-sort")


def test_export_is_what_is_seen(open_page: Open, hostile_text: str) -> None:
    """The CSV holds the filtered rows, and no cell of it is a formula."""
    page = open_page(hostile_text, hash_="#principals.q=hyperlink")
    rows(page, "principals").first.wait_for()
    with page.expect_download() as download:
        page.locator("[data-table=principals] button", has_text="Export").click()
    text = download.value.path().read_bytes().decode("utf-8-sig")
    assert '"\'=HYPERLINK(""http://evil.example/"",""click"")"' in text
    assert int(status(page, "principals").split()[0]) == len(text.strip().split("\r\n")) - 1


def test_cause_links_to_its_findings(open_page: Open, page_text: str) -> None:
    """A cause's link shows exactly the expansions that name it."""
    page = open_page(page_text)
    page.locator("[data-table=undecided]").scroll_into_view_if_needed()
    rows(page, "undecided").first.wait_for()
    count = page.locator(".causes li").first.locator(".gauge strong").text_content()
    page.locator(".causes li").first.locator("a").click()
    rows(page).first.wait_for()
    expect(page.locator("[data-table=expansions] .status")).to_contain_text(" of ")
    assert status(page).startswith(f"{count} of ")


def test_assigned_roles_are_not_called_mapping_rows(open_page: Open) -> None:
    """Where after is what is assigned already, nothing on the page asks to change a mapping row."""
    found = builders.diff(90, compared_with="the roles assigned on 2026-12-01T00:00:00Z")
    page = open_page(html.render(diff_view(found, builders.snapshot()), templates_dir()))
    expect(page.locator("[data-table] .grid")).to_have_count(page.locator("[data-table]").count())
    assert 0 == page.locator("#mapping").count()
    rows(page).first.click()
    seen = page.locator("main").inner_text() + page.locator("dialog").inner_text()
    assert "by this role alone" in seen
    assert "Assigned roles" in seen
    for phrase in ("mapping row", "Mapping row", "this row", "Mapping coverage"):
        assert phrase not in seen


@pytest.mark.parametrize("width", [390, 1280])
def test_administrators_fit_the_screen(open_page: Open, page_text: str, width: int) -> None:
    """Administrators stack on a phone; they and the role matrix need no scrolling sideways on a desk."""
    page = open_page(page_text, viewport={"width": width, "height": 844})
    if width < 720:
        display = page.locator("#administrators td").first.evaluate("node => getComputedStyle(node).display")
        assert "grid" == display
    else:
        cut = page.locator("#administrators .wrap, #before-after .wrap").evaluate_all(
            "nodes => nodes.filter((n) => n.checkVisibility() && n.scrollWidth > n.clientWidth).length"
        )
        assert 0 == cut
    assert width == page.evaluate("document.documentElement.scrollWidth")


def test_print_shows_rows(open_page: Open, page_text: str) -> None:
    """Printing lays the rows out whole instead of a window onto them."""
    page = open_page(page_text, hash_="#expansions.sort=principal")
    rows(page).first.wait_for()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert 45 == page.locator("[data-table=expansions] .row.printed").count()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert 0 == page.locator(".row.printed").count()


def test_print_needs_no_scrolling(open_page: Open, page_text: str) -> None:
    """What nobody scrolled to is printed too, and nothing on the paper speaks of missing JavaScript."""
    page = open_page(page_text)
    tables = page.locator("[data-table]").count()
    expect(page.locator("[data-table] .grid")).to_have_count(tables)
    page.evaluate("addEventListener('beforeprint', () => { globalThis.paper = document.body.innerText; })")
    page.pdf()
    paper = page.evaluate("globalThis.paper")
    assert "JavaScript" not in paper
    page.emulate_media(media="print")
    expect(page.locator("[data-table=expansions] .row.printed")).to_have_count(45)
    for table in page.locator("[data-table]").all():
        assert min(100, int(table.get_attribute("data-rows"))) == table.locator(".row.printed").count()
        assert table.locator("thead th").count() == table.locator(".row.head .cell").count()
    page.emulate_media(media="screen")
    expect(page.locator(".row.printed")).to_have_count(0)


def test_print_at_once_blames_nobody(open_page: Open, page_text: str) -> None:
    """Printed before anything is unpacked, the page says where the rows are and blames no script."""
    hasty = page_text.replace("    this.unpackInTurn();", "")
    page = open_page(rehashed(hasty))
    unread = page.locator("[data-table=ledger]")
    assert "JavaScript" not in unread.inner_text()
    assert "sheet “Completeness” of the workbook" in unread.inner_text()


def test_the_browsers_search_finds_everybody(open_page: Open, page_text: str) -> None:
    """Every name of a table of usual size stands in the page without scrolling."""
    page = open_page(page_text)
    expect(rows(page, "principals")).to_have_count(48)
    assert page.evaluate("window.find('.39@example.com')")


def rehashed(text: str) -> str:
    """The page with its policy made anew for a changed script."""
    script = text.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return re.sub(r"script-src &#39;.*?&#39;", f"script-src &#39;sha256-{digest}&#39;", text)


def test_an_old_browser_is_told(open_page: Open, page_text: str) -> None:
    """Without DecompressionStream the table says so and names the workbook."""
    page = open_page(page_text, first="delete globalThis.DecompressionStream")
    expect(page.locator("[data-table=places]")).to_contain_text("cannot unpack")


def test_readiness_opens(open_page: Open) -> None:
    """The readiness page has its score, areas and findings without a script, and no error with one."""
    text = html.render(
        readiness_view(builders.readiness(catalog_source="sandbox"), builders.snapshot()), templates_dir()
    )
    seen = open_page(text, java_script_enabled=False).locator("main").inner_text()
    for expected in (
        "NOT READY",
        "Illustrative catalog",
        "4 keys become Master Admin",
        "give each key the role",
    ):
        assert expected in seen
    page = open_page(text, color_scheme="dark", viewport={"width": 390, "height": 844})
    page.locator("[data-table=hygiene]").scroll_into_view_if_needed()
    rows(page, "hygiene").first.wait_for()
    assert 390 == page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(open_page: Open, page_text: str, scheme: str) -> None:
    """Text on its ground has a contrast of 4.5 to 1 or more, in both schemes."""
    page = open_page(page_text, color_scheme=scheme, hash_="#expansions.verdict=maybe+gained")
    rows(page).first.wait_for()
    poor = page.evaluate(CONTRAST)
    assert [] == poor


CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (v) => (v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => .2126 * linear(r / 255) + .7152 * linear(g / 255) + .0722 * linear(b / 255);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return [255, 255, 255];
  };
  const speaks = (node) =>
    [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  const poor = new Set();
  for (const node of document.querySelectorAll('main *, nav *, .top *')) {
    if (!speaks(node) || node.closest('svg, script, .chip.none, button:disabled')) continue;
    if (!node.checkVisibility()) continue;
    const ink = light(rgba(getComputedStyle(node).color));
    const [more, less] = [ink, light(ground(node))].sort((a, b) => b - a);
    const words = `${node.className} ${node.textContent.trim().slice(0, 30)}`;
    if ((more + .05) / (less + .05) < 4.5) poor.add(words);
  }
  return [...poor];
}"""

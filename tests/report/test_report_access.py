"""axe-core finds nothing serious on the pages, whatever the size and the colours of the screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
import report_builders as builders

from permmigrate.report import html
from permmigrate.report.view import diff_view, readiness_view
from permmigrate.resources import templates_dir

pytestmark = pytest.mark.browser

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SCREENS = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    comparison = diff_view(builders.diff(30), builders.snapshot(12), no_plan="nobody said who may write")
    return {
        "diff": html.render(comparison, templates_dir()),
        "readiness": html.render(
            readiness_view(builders.readiness(), builders.snapshot(12)), templates_dir()
        ),
    }


def violations(page: Any) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")["violations"]
    return [
        f"{each['impact']} {each['id']}: {each['nodes'][0]['target']}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("screen", list(SCREENS))
@pytest.mark.parametrize("kind", ["diff", "readiness"])
def test_axe_finds_nothing_serious(
    open_page: Callable[..., Any], pages: dict[str, str], kind: str, screen: str
) -> None:
    """With every table unpacked and one row open, beside others that are not, by day and by night."""
    page = open_page(pages[kind], viewport=SCREENS[screen], bypass_csp=True)
    page.wait_for_function(
        "[...document.querySelectorAll('[data-table]')].every((place) => place.querySelector('.grid'))"
    )
    assert page.locator(".rows .row").count() > 1
    page.locator(".rows .row").first.click()
    inks = set()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert [] == violations(page), scheme
        inks.add(page.evaluate("getComputedStyle(document.body).color"))
    assert len(inks) == 2

"""One headless Chromium for all browser tests, and what they open."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = "/usr/bin/chromium"
DESK = {"width": 1280, "height": 900}
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser; without one the test is skipped, but never in CI."""
    place = CHROMIUM if Path(CHROMIUM).exists() else shutil.which("chromium")
    if place is None:
        reason = "there is no chromium on this machine"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=place, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def window(chromium: Any) -> Callable[..., Any]:
    """Windows that stay from test to test, one for each way to browse: to open one takes a second of work."""
    kept: dict[tuple[object, ...], Any] = {}

    def opened(number: int, first: str, **options: Any) -> Any:
        key = (number, first, *sorted(options.items()))
        if key not in kept:
            kept[key] = chromium.new_context(**options).new_page()
            kept[key].set_default_timeout(60_000)
            if first:
                kept[key].add_init_script(first)
        return kept[key]

    return opened


@pytest.fixture
def open_page(window: Callable[..., Any], tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open HTML text from a file; afterwards fail if the page erred or asked the network for anything.

    `first` is a script that runs before the page's own, `options` are those of a browser's context.
    """
    pages: list[Any] = []
    complaints: list[str] = []

    def outside(asked: Any) -> None:
        if not asked.url.startswith(("file:", "blob:")):
            complaints.append(asked.url)

    def told(said: Any) -> None:
        if said.type in ("error", "warning"):
            complaints.append(said.text)

    heard = {
        "pageerror": lambda error: complaints.append(f"error: {error}"),
        "console": told,
        "request": outside,
    }

    def opened(
        html: str,
        *,
        hash_: str = "",
        first: str = "",
        viewport: dict[str, int] = DESK,
        color_scheme: str = "light",
        **options: Any,
    ) -> Any:
        place = tmp_path / f"page{len(pages)}.html"
        place.write_bytes(html.encode())
        page = window(len(pages), first, **options)
        pages.append(page)
        page.bring_to_front()
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme, media="null")
        for event, hear in heard.items():
            page.on(event, hear)
        page.goto(f"{place.as_uri()}{hash_}")
        return page

    yield opened
    for page in pages:
        page.goto("about:blank")
        for event, hear in heard.items():
            page.remove_listener(event, hear)
    assert [] == complaints

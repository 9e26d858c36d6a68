"""One headless Chromium for all browser tests, and what they open."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = "/usr/bin/chromium"
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


@pytest.fixture
def open_page(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open HTML text from a file; afterwards fail if the page erred or asked the network for anything."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def outside(url: str) -> None:
        if not url.startswith(("file:", "blob:")):
            complaints.append(url)

    def opened(html: str, *, hash_: str = "", **options: Any) -> Any:
        place = tmp_path / f"page{len(contexts)}.html"
        place.write_bytes(html.encode())
        context = chromium.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.on(
            "request",
            lambda asked: None if asked.url.startswith(("file:", "blob:")) else complaints.append(asked.url),
        )
        page.goto(f"{place.as_uri()}{hash_}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [] == complaints

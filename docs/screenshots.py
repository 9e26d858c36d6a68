"""Take the README's picture: the demo's diff report in headless Chromium."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parent / "images"


def main() -> None:
    """Run the demo into a temporary folder and picture its first screen."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        subprocess.run(
            [sys.executable, "-m", "permmigrate", "demo", "--dry-run", "--out", folder], check=True
        )
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1360, "height": 940}, device_scale_factor=1)
        page.goto((Path(folder) / "reports" / "diff.html").as_uri())
        page.screenshot(path=str(IMAGES / "diff.png"))
        browser.close()


if __name__ == "__main__":
    main()

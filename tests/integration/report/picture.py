"""The picture of the report in the README: python -m tests.integration.report.picture"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, "collections")

from ansible_collections.ai_platform.agent.plugins.module_utils._report_page import page as report_page
from PIL import Image, PngImagePlugin
from playwright.sync_api import sync_playwright

from lab import browser
from tests.unit.report.runs import PICTURE, look_of, troubled

WIDTH, HEIGHT = 1120, 1640


def main() -> None:
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        path = Path(place) / "report.html"
        path.write_text(report_page(troubled(), "https://example.com/docs/runbook.md"), encoding="utf-8")
        started = playwright.chromium.launch(executable_path=browser.ensure(), args=["--no-sandbox"])
        shown = started.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        shown.goto(path.as_uri())
        taken = shown.screenshot()
        started.close()
    # Few colours: a quarter of the bytes, and nobody sees it.
    image = Image.open(io.BytesIO(taken)).convert("RGB").quantize(96, dither=Image.Dither.NONE)
    about = PngImagePlugin.PngInfo()
    about.add_text("look", look_of())
    PICTURE.parent.mkdir(exist_ok=True)
    image.save(PICTURE, optimize=True, pnginfo=about)
    print(f"{PICTURE.stat().st_size} bytes")


if __name__ == "__main__":
    main()

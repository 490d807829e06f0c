"""The picture of the report in the README: python -m tests.integration.report.picture"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, "collections")

from ansible_collections.ai_platform.agent.plugins.module_utils._page.page import page as report_page
from PIL import Image, PngImagePlugin
from playwright.sync_api import sync_playwright

from dev import browser
from tests.unit.plugins.module_utils._page.runs import PICTURE, look_of, troubled

WIDTH, GAP = 1120, 18
# What a reader of the README looks at; the rest of the page is left out.
PARTS = ("header", ".summary", "section:has(#done)", "section:has(#latency)")


def main() -> None:
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        path = Path(place) / "report.html"
        path.write_text(report_page(troubled(), "https://example.com/docs/runbook.md"), encoding="utf-8")
        started = playwright.chromium.launch(executable_path=browser.ensure(), args=["--no-sandbox"])
        shown = started.new_page(viewport={"width": WIDTH, "height": 900})
        # The machine may be at other work.
        shown.set_default_timeout(180_000)
        shown.goto(path.as_uri())
        taken = [Image.open(io.BytesIO(shown.locator(part).screenshot())).convert("RGB") for part in PARTS]
        started.close()
    width = max(part.width for part in taken)
    image = Image.new(
        "RGB", (width + 2 * GAP, sum(part.height + GAP for part in taken) + GAP), taken[0].getpixel((0, 0))
    )
    top = GAP
    for part in taken:
        image.paste(part, (GAP, top))
        top += part.height + GAP
    about = PngImagePlugin.PngInfo()
    about.add_text("look", look_of())
    PICTURE.parent.mkdir(exist_ok=True)
    # Few colours: a quarter of the bytes, and nobody sees it.
    image.quantize(96, dither=Image.Dither.NONE).save(PICTURE, optimize=True, pnginfo=about)
    print(f"{PICTURE.stat().st_size} bytes")


if __name__ == "__main__":
    main()

"""Draw docs/images/view.png: the page of `neurodrift view`, in a Chromium that is on the path.

python docs/draw_view.py
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import neurodrift as nd
from neurodrift.viewer.cells import Cells
from neurodrift.viewer.marks import Marks
from neurodrift.viewer.serve import serve

OUT = Path(__file__).parent / "images" / "view.png"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))


def main() -> None:
    """Turn to a cell of the example, mark it, and take the picture."""
    mouse = nd.load_example("mouse")
    results = nd.analyze(mouse, measures=["sparsity", "place_cells", "smoothed_maps"])
    with tempfile.TemporaryDirectory() as folder:
        served = serve(Cells(results, mouse), Marks(Path(folder) / "mouse-curation.yaml", of="m"))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1180, "height": 600})
            page.goto(served.address)
            page.locator(".head h1").wait_for()
            for _ in range(9):
                page.locator(".next button").click()
            page.locator(".note input").fill("two cells in one mask")
            page.locator(".out button").click()
            page.locator(".head .out").wait_for()
            page.wait_for_timeout(800)
            page.screenshot(path=OUT)
            browser.close()
        served.stop()
    Image.open(OUT).convert("RGB").quantize(64).save(OUT, optimize=True)


if __name__ == "__main__":
    main()

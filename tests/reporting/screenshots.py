"""Draw the pictures of a report or of `explore`'s page that the README shows: light, dark, phone.

python tests/reporting/screenshots.py slmfit-out/ag_news-1a2b3c/report.html docs/images report [FONT]

FONT stands in for the system's typeface, for a machine that has no good one.
"""

import sys
import tempfile
from pathlib import Path

from browsing import CHROMIUM, FLAGS
from playwright.sync_api import sync_playwright

# name -> width, height, colour scheme, pixels per pixel, what is scrolled to the top
PICTURES = {
    "light": (1280, 1340, "light", 1, None),
    "dark": (1280, 900, "dark", 1, "#failures, #words"),
    "phone": (390, 844, "light", 2, None),
}


def main(page: Path, folder: Path, name: str, font: str = "") -> None:
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as work, sync_playwright() as driver:
        copy = Path(work) / "page.html"
        copy.write_text(text.replace("system-ui,", f"{font}, system-ui,") if font else text, encoding="utf-8")
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for kind, (width, height, scheme, scale, top) in PICTURES.items():
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                device_scale_factor=scale,
                bypass_csp=bool(font),  # the policy names the style by its hash
            )
            shown = context.new_page()
            shown.goto(copy.as_uri())
            shown.wait_for_timeout(800)
            if top and shown.query_selector(top):
                shown.evaluate("(top) => document.querySelector(top).scrollIntoView()", top)
            path = folder / f"{name}-{kind}.png"
            shown.screenshot(path=path)
            print(path, path.stat().st_size)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])

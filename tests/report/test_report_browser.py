"""The page in a real browser: nothing on the console, no sideways scrolling on a phone or a desk."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--hide-scrollbars",
]  # fmt: skip
PROBE = """<script>
for (const d of document.querySelectorAll('details')) d.open = true;
const root = document.documentElement;
console.error(`probe: ${root.scrollWidth} of ${innerWidth} in ${document.title}.`);
</script></body>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium binary on this machine")


def browse(page: Path, width: int, profile: Path) -> tuple[str, str]:
    """Open a page; the document as the browser has it, and what the browser logged."""
    command = [
        str(CHROMIUM),
        *FLAGS,
        f"--user-data-dir={profile}",
        f"--window-size={width},900",
        "--dump-dom",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout, done.stderr


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_scrolls_sideways_even_with_everything_open(page: Path, tmp_path: Path, width: int):
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text("utf-8"))
    (tmp_path / "probed.html").write_text(text.replace("</body>", PROBE), "utf-8")
    frame = tmp_path / "frame.html"  # a frame, since a browser's window cannot be as narrow as a phone
    frame.write_text(f'<iframe src="probed.html" width="{width}" height="900" style="border:0"></iframe>')
    _, log = browse(frame, 1400, tmp_path / "profile")
    found = re.search(r"probe: (\d+) of (\d+) in (.*?)\.", log)
    assert found, "the probe did not run, so the silence of the other test means nothing either"
    assert int(found[1]) == int(found[2]) == width
    assert found[3] == "hornbook · fake"  # no hostile text ran


def test_the_console_stays_silent(page: Path, tmp_path: Path):
    dom, log = browse(page, 1280, tmp_path / "profile")
    assert "What the data was worth" in dom
    assert "CONSOLE" not in log

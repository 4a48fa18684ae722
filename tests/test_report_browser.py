"""The report in a real Chromium: it asks nobody for anything, complains of nothing, and fits a phone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import FLAGS, chromium
from runs_for_tests import GOOD, config, recording

from reward_agent.agent import synthesize
from reward_agent.chronicle import read_chronicle
from reward_agent.messages import Key
from reward_agent.report.of_run import report_run
from reward_agent.spoken import Spoken
from reward_agent.store import Run

pytestmark = pytest.mark.needs("browser")
HOSTILE = "</script></style><img src=http://reward-agent.invalid/a onerror=alert(1)><script>alert(2)</script>"
LONG = f"def compute_reward(state, action, next_state):\n    x = {' + '.join(['0.0'] * 200)}  # {'w' * 500}\n"


def clip(path: Path) -> None:
    """Two seconds of grey that grows lighter."""
    import imageio_ffmpeg

    writer = imageio_ffmpeg.write_frames(str(path), (64, 64), fps=10, codec="libx264", pix_fmt_out="yuv420p")
    writer.send(None)
    for level in np.linspace(0, 255, 20):
        writer.send(np.full((64, 64, 3), level, np.uint8))
    writer.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    sources = {Key(0, 0, 0): f"# {HOSTILE}\n{LONG}", Key(0, 0, 1): f"# {HOSTILE} {'y' * 400}\n{GOOD}"}
    told = config(recording(root / "replies.jsonl", sources), iterations=1, candidates=1, budget=512, final_seeds=1)
    synthesize(told, root=root, name="one")
    with Run.open(root / "one") as run:
        run.record(Key(0, 0, 0, "words"), Spoken(f"{HOSTILE} {'z' * 400}"))
    (candidate,) = read_chronicle(root / "one").candidates
    clip(candidate.folder / "video.mp4")
    return report_run(root / "one").path


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield running
        running.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark"), (320, "light")])
def test_it_is_whole_and_quiet(chrome: Any, report: Path, width: int, scheme: str, tmp_path: Path) -> None:
    page = chrome.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    page.wait_for_function("document.querySelector('video').readyState >= 1")
    assert page.evaluate("document.querySelector('video').duration") == pytest.approx(2.0, abs=0.2)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert "onerror=alert(1)" in page.inner_text("body")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(21, 23, 26)")  # the style sheet is in force
    page.screenshot(path=str(tmp_path / "report.png"), full_page=True)
    elsewhere = [url for url in asked if url != report.as_uri() and not url.startswith("data:")]
    assert (said, elsewhere) == ([], [])
    page.close()


def test_it_is_read_without_seeing(chrome: Any, report: Path) -> None:
    """Names of what a screen reader stops at; headings without a gap."""
    page = chrome.new_page()
    page.goto(report.as_uri())
    for selector in ("[role=img]", "[role=region]", "video", "nav"):
        names = page.eval_on_selector_all(selector, "all => all.map(each => each.getAttribute('aria-label'))")
        assert names and all(names), selector
    levels = page.eval_on_selector_all("h1, h2, h3", "all => all.map(each => Number(each.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.close()

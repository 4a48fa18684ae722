"""Chromium without a window, drawing in software, that can reach nothing but this machine.

with browser() as browse, browse(view.url) as page:
    page.text()                     what is written
    page.picture()                  (H, W, 3) of the whole page
    page.requests                   every address that was asked for
"""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZE = {"width": 600, "height": 320}
"""In narrower windows the panel of text lies below the scene."""
FLAGS = (
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def chromium() -> str | None:
    """The program: the system's, or the one that `playwright install` brought."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    brought = sorted(Path("~/.cache/ms-playwright").expanduser().glob("chromium-*/chrome-linux*/chrome"))
    return found or next((str(path) for path in brought), None)


class Browsed:
    """One page."""

    def __init__(self, page: Any, url: str) -> None:
        self._page = page
        self.requests: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.goto(url)
        page.wait_for_selector("canvas")
        # viser's word on machines without a GPU, which lies over the scene
        page.add_style_tag(content=".mantine-Notifications-root { display: none }")

    def text(self) -> str:
        return str(self._page.inner_text("body"))

    def picture(self, save: Path | None = None) -> NDArray[np.int64]:
        """Red, green and blue from 0 to 255, signed so that they can be subtracted."""
        from PIL import Image

        png = self._page.screenshot()
        if save is not None:
            save.write_bytes(png)
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.int64)

    def until(self, holds: Callable[[], bool], seconds: float = 30.0) -> bool:
        """Whether it came to hold; the page goes on meanwhile."""
        ends = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > ends:
                return False
            self._page.wait_for_timeout(100)
        return True


@contextmanager
def browser() -> Iterator[Callable[[str], AbstractContextManager[Browsed]]]:
    """Opens pages by their addresses, one after the other, in one process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:

            @contextmanager
            def browse(url: str) -> Iterator[Browsed]:
                page = running.new_page(viewport=SIZE)
                try:
                    yield Browsed(page, url)
                finally:
                    page.close()

            yield browse
        finally:
            running.close()

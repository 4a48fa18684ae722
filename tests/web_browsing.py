"""What tests of the page in a browser share: one person's Chromium, and what they look for in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from web_for_tests import answer_of


class Browser:
    """One person's Chromium: what its pages asked for, and what its console told."""

    def __init__(self, context: Any) -> None:
        self.context = context
        self.requests: list[str] = []
        self.errors: list[str] = []
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("console", lambda message: self._told(message.type, message.text))
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    def open(self, link: str) -> Any:
        page = self.context.new_page()
        page.set_default_timeout(20_000)
        page.goto(link)
        return page

    def _told(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.errors.append(text)


def until(page: Any, holds: Callable[[], object], what: str) -> None:
    for _ in range(200):
        if holds():
            return
        page.wait_for_timeout(100)
    pytest.fail(f"it never came to hold: {what}\n{page.inner_text('main')}")


def saved(page: Any, run: Path, iteration: int = 0, rater: str = "me", **wanted: object) -> None:
    """Wait until the answer on disk says so."""

    def holds() -> bool:
        try:
            kept = answer_of(run, rater, iteration)
        except FileNotFoundError:
            return False
        return all(kept[name] == value for name, value in wanted.items())

    until(page, holds, f"{wanted} in the answer")


def times(page: Any) -> list[float]:
    found: list[float] = page.evaluate(
        "[...document.querySelectorAll('.clip:not([hidden]) video')].map(film => film.currentTime)"
    )
    return found


def fits(page: Any) -> bool:
    """Nothing has to be scrolled sideways."""
    return bool(page.evaluate("document.scrollingElement.scrollWidth <= window.innerWidth"))


def unnamed(page: Any) -> list[str]:
    """Controls that have no name for who does not see them."""
    return [
        line
        for line in page.locator("body").aria_snapshot().splitlines()
        if re.match(r"\s*- (button|link|textbox|slider|checkbox|combobox)(?! \")", line)
    ]

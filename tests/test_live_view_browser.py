"""The live view in a real Chromium that draws in software."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from browsing import Browsed, browser

from reward_agent.envs.episodes import Episodes
from reward_agent.envs.registry import find_task
from reward_agent.live import LiveView

pytestmark = pytest.mark.needs("browser")
BELOW = 135
"""Row of pictures under which nothing lies over the scene."""


Browse = Callable[[str], AbstractContextManager[Browsed]]


@pytest.fixture(scope="module")
def browse() -> Iterator[Browse]:
    with browser() as opened:
        yield opened


def running(name: str, steps: int) -> Episodes:
    """One episode, some steps on."""
    episodes, rng = Episodes(find_task(name), 1, ()), np.random.default_rng(0)
    episodes.reset(np.ones(1, bool), np.array([3]))
    for _ in range(steps):
        episodes.step(rng.uniform(episodes.action_space.low, episodes.action_space.high)[None])
    return episodes


def brown(page: Browsed) -> tuple[int, float]:
    """How many pixels have the colour of Gymnasium's robots (ground, grid and sky are grey), and their mean column."""
    picture = page.picture()[BELOW:]
    columns = np.nonzero(picture[..., 0] - picture[..., 2] > 25)[1]
    return len(columns), float(columns.mean()) if len(columns) else np.nan


def test_the_robot_is_seen_where_it_is(browse: Browse, tmp_path: Path) -> None:
    posed = running("mujoco/ant-forward", 20).posed
    far, aside = posed.pose(0), posed.pose(0)
    far[0] += 500.0
    aside[:2] += (-2.0, -4.0)
    with LiveView(posed.model) as view, browse(view.url) as page:  # from a place that stands still
        view.show(far, time=0.0)
        # the text may be there before the picture is
        assert page.until(lambda: "0.0 s" in page.text() and brown(page)[0] == 0)
        nothing = page.picture()
        view.show(posed.pose(0), time=1.0)
        assert page.until(lambda: brown(page)[0] > 100)
        here, middle = page.picture(tmp_path / "ant.png"), brown(page)[1]
        assert len(np.unique(here[BELOW:].reshape(-1, 3), axis=0)) > 50
        assert (np.abs(here - nothing)[BELOW:].max(axis=2) > 25).sum() > 100
        view.show(aside, time=2.0)
        assert page.until(lambda: abs(brown(page)[1] - middle) > 50)
        assert brown(page)[0] > 100


def test_a_robot_that_travels_stays_in_the_picture(browse: Browse, tmp_path: Path) -> None:
    posed = running("mujoco/halfcheetah-run", 5).posed
    with LiveView(posed.model, viewpoint=posed.viewpoint) as view, browse(view.url) as page:
        view.show(posed.pose(0), time=1.0)
        assert page.until(lambda: brown(page)[0] > 1000)
        before, (_, middle) = page.picture(tmp_path / "cheetah.png"), brown(page)
        ahead = posed.pose(0)
        ahead[0] += 30.3
        view.show(ahead, time=2.0)
        assert page.until(lambda: (np.abs(page.picture() - before)[BELOW:].max(axis=2) > 25).sum() > 200)
        assert brown(page)[1] == pytest.approx(middle, abs=5)  # the ground has moved on, not the robot


def test_the_page_says_what_the_robot_is_told_and_asks_nobody_else(browse: Browse) -> None:
    posed = running("quadruped/sit-down", 0).posed
    told = "sit <b>down</b> <img src='http://reward-agent.invalid/a.png'> ![b](http://reward-agent.invalid/b.png)"
    with LiveView(posed.model, viewpoint=posed.viewpoint) as view, browse(view.url) as page:
        view.show(posed.pose(0), time=12.3, caption=told)
        assert page.until(lambda: told in page.text() and "12.3 s" in page.text())
        times = iter(range(20, 2000))

        def goes_on() -> bool:
            view.show(posed.pose(0), time=float(next(times)), caption=told)
            return "× real time" in page.text()

        assert page.until(goes_on)
        hosts = {urlsplit(address.removeprefix("blob:")).netloc for address in page.requests if address[:5] != "data:"}
        assert hosts == {view.url.removeprefix("http://")}

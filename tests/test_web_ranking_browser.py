"""Ranking sessions in a real Chromium: six clips, two rounds, and everything that goes wrong on the way."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browsing import FLAGS, chromium
from test_cli_runs import call
from web_browsing import Browser, fits, saved, times, unnamed, until
from web_for_tests import Page, answer_of, clips_of, served, waiting_run

pytestmark = [pytest.mark.needs("browser"), pytest.mark.needs("rendering")]
WIDE, NARROW = {"width": 1200, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def launched() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def browse(launched: Any) -> Iterator[Callable[..., Browser]]:
    contexts = []

    def new(size: dict[str, int] = WIDE, **more: object) -> Browser:
        contexts.append(launched.new_context(viewport=size, **more))
        return Browser(contexts[-1])

    yield new
    for context in contexts:
        context.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_session_of_six_clips_and_two_rounds_leads_to_the_next_prompts(
    browse: Callable[..., Browser], tmp_path: Path
) -> None:
    run, port = waiting_run(tmp_path / "runs", candidates=6, rounds=3), free_port()
    ids = clips_of(run)
    serve = ("rank", "one", "--port", str(port))
    browser = browse()

    with served(*serve, cwd=tmp_path) as server:
        page = browser.open(server.link)
        assert urlsplit(page.url).path == "/runs/one/rank/0" and "token" not in page.url
        assert page.locator("video").count() == 6
        _films_go_together(page)

        page.click(f"#best-{ids[1]}")
        saved(page, run, best=ids[1])
        page.reload()
        assert page.get_attribute(f"#best-{ids[1]}", "aria-pressed") == "true"
        page.focus(f"#clip-{ids[2]}")
        page.keyboard.press("w")
        saved(page, run, worst=ids[2])
        page.goto(f"{server.origin}/runs/one")
        page.go_back()
        assert page.get_attribute(f"#worst-{ids[2]}", "aria-pressed") == "true"
        page.keyboard.press("u")
        saved(page, run, worst=None)
        page.uncheck("#keys")
        page.focus(f"#clip-{ids[2]}")
        page.keyboard.press("w")
        page.wait_for_timeout(500)
        assert answer_of(run)["worst"] is None, "shortcuts were turned off"
        page.check("#keys")

        _two_tabs(browser, page, run, ids)
        assert not browser.errors or all("409" in told for told in browser.errors), browser.errors
        browser.errors.clear()

        browser.context.set_offline(True)
        page.click(f"#best-{ids[1]}")
        page.wait_for_selector("#unsent:not([hidden])")
        assert "connection is lost" in page.inner_text("#unsent")
        assert answer_of(run)["best"] == ids[0]
        browser.context.set_offline(False)
        saved(page, run, best=ids[1])
        until(page, lambda: page.is_hidden("#unsent"), "all is sent")

        server.process.send_signal(signal.SIGKILL)
        server.process.wait(20)
        page.click(f"#worst-{ids[4]}")
        page.click(f"#clip-{ids[1]} summary")
        page.fill(f"#remark-{ids[1]}", "it reaches the goal </script> <b>and</b> stays")
        page.wait_for_selector("#unsent:not([hidden])")

    with served(*serve, cwd=tmp_path) as server:  # on the same port, with another token
        until(page, lambda: "started anew" in page.inner_text("#unsent"), "the old token is refused")
        page.goto(server.link)
        saved(page, run, best=ids[1], worst=ids[4])
        saved(
            page,
            run,
            remarks={ids[0]: "typed in the second tab", ids[1]: "it reaches the goal </script> <b>and</b> stays"},
        )
        browser.errors.clear()

        page.click("#submit")
        page.wait_for_selector("text=goes on with the run")
        assert answer_of(run)["final"]
        page.keyboard.press("w")
        assert "handed in" in page.inner_text("#unsent"), "a key that does nothing any more says so"
        assert "waits for" in call("resume", "one", cwd=tmp_path, code=4).stderr
        page.wait_for_selector("text=This round is judged")
        page.click("text=Judge iteration 1")
        page.wait_for_url("**/runs/one/rank/1?rater=me")
        _second_round_in_pairs(page, run)
        call("resume", "one", cwd=tmp_path, code=4)
        page.wait_for_selector("text=Judge iteration 2")
        assert not browser.errors, browser.errors

    second, third = (_prompt(run, number) for number in (1, 2))
    assert "# program 0 1" in second and "# program 0 4" in second and "# program 0 3" not in second
    assert "it reaches the goal" in second and "typed in the second tab" not in second
    judged = json.loads(_prompt(run, 2, "messages.json"))[-2]["text"]
    assert "# program 1 5" in judged and "# program 1 0" in third
    hosts = {urlsplit(address).netloc for address in browser.requests}
    assert hosts == {f"127.0.0.1:{port}"}, "no request leaves the machine"


def _films_go_together(page: Any) -> None:
    page.locator("h1").click()
    page.keyboard.press("Space")
    until(page, lambda: min(times(page)) > 0.3, "the clips play")
    assert page.inner_text("#play") == "Pause"
    page.keyboard.press("Space")
    stopped = times(page)
    assert max(stopped) - min(stopped) < 0.25 and page.inner_text("#play") == "Play"
    page.wait_for_timeout(300)
    assert times(page) == stopped
    page.fill("#seek", "500")
    until(page, lambda: all(abs(each - 1.525) < 0.05 for each in times(page)), "the middle of 3.05 s")
    page.select_option("#speed", "2")
    page.click("#play")
    until(page, lambda: max(times(page)) < 1.4, "they begin anew")
    assert page.evaluate("document.querySelector('video').playbackRate") == 2
    page.uncheck("#loop")
    until(page, lambda: page.inner_text("#play") == "Play", "they stop at their end")


def _two_tabs(browser: Browser, page: Any, run: Path, ids: dict[int, str]) -> None:
    other = browser.open(page.url)
    other.click(f"#best-{ids[0]}")
    saved(other, run, best=ids[0])
    other.click(f"#clip-{ids[0]} summary")
    other.type(f"#remark-{ids[0]}", "typed in the second tab")
    saved(other, run, remarks={ids[0]: "typed in the second tab"})
    page.click(f"#worst-{ids[3]}")  # it still shows the answer as it was before
    page.wait_for_selector("text=changed in another tab")
    assert answer_of(run)["worst"] is None and page.get_attribute(f"#best-{ids[0]}", "aria-pressed") == "true"
    assert page.input_value(f"#remark-{ids[0]}") == "typed in the second tab"
    page.click("#force")
    saved(page, run, worst=ids[3], best=ids[0], remarks={ids[0]: "typed in the second tab"})
    other.close()


def _second_round_in_pairs(page: Any, run: Path) -> None:
    """The higher candidate is always better, and all are better than the champion."""
    ids = clips_of(run, 1)
    assert len(ids) == 7 and -1 in ids
    candidate = {clip: index for index, clip in ids.items()}
    page.click("#mode-pairs")
    for made in range(10):
        page.wait_for_selector(f"text={made} of 10 comparisons made")
        shown = page.get_attribute(".pair button", "value")  # the first of the two is better
        first, second = shown.split(":")[1:3]
        seen = page.eval_on_selector_all(".clip:not([hidden])", "all => all.map(each => each.dataset.clip)")
        assert {*seen} == {first, second}
        page.locator("h1").click()
        page.keyboard.press("1" if candidate[first] > candidate[second] else "2")
    page.wait_for_selector("text=10 of 10 comparisons made")
    page.click("#submit")
    saved(page, run, 1, final=True)


def _prompt(run: Path, iteration: int, name: str = "messages.json") -> str:
    return (run / f"iter_{iteration:02d}/cand_00/attempt_00/{name}").read_text()


def test_a_run_that_ends_meanwhile_tells_so_and_keeps_what_is_entered(
    browse: Callable[..., Browser], tmp_path: Path
) -> None:
    run = waiting_run(tmp_path / "runs", candidates=2, rounds=1)
    browser = browse(NARROW)
    with served("serve", "--port", "0", cwd=tmp_path) as server:
        listing = browser.open(server.link)
        page = browser.open(f"{server.origin}/runs/one/rank/0?rater=late")
        watched = browser.open(f"{server.origin}/runs/one")
        assert "closeness" not in watched.inner_text("main")
        page.fill("#words", "neither stays")
        saved(page, run, rater="late", words="neither stays", none_right=True)
        other = Page(server.link, server.process, server.cookie)
        for version, do in enumerate([f"best:{clips_of(run)[1]}", "submit"]):
            other.send("/runs/one/rank/0", rater="ann", version=version, do=do)
        call("resume", "one", cwd=tmp_path)
        page.wait_for_selector("text=The run is done")
        page.click("#best-a")
        saved(page, run, rater="late", best="a")
        watched.wait_for_selector("text=on the report seeds")
        assert "closeness" in watched.inner_text("main")
        listing.wait_for_selector("text=finished")
        assert not browser.errors, browser.errors


def test_a_clip_that_cannot_be_played_says_so(browse: Callable[..., Browser], tmp_path: Path) -> None:
    run = waiting_run(tmp_path / "runs", candidates=2, rounds=1)
    clip = run / "iter_00/judging/clips/a.mp4"
    clip.unlink()  # the candidate's own is another link to it
    clip.write_bytes(b"no film")
    with served("serve", "--port", "0", cwd=tmp_path) as server:
        page = browse().open(server.link)
        page.goto(f"{server.origin}/runs/one/rank/0?rater=me")
        page.wait_for_selector("#clip-a >> text=cannot be played")
        assert page.locator("#clip-b video").count() == 1
        page.click("#play")
        until(page, lambda: times(page) and times(page)[0] > 0, "the other clip plays")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_pages_fit_and_name_their_controls(
    browse: Callable[..., Browser], size: dict[str, int], scheme: str, seen: Path, page: Page
) -> None:
    browser = browse(size, color_scheme=scheme)
    shown = browser.open(page.link)
    rater = f"{scheme}{size['width']}"
    rank = f"/runs/one/rank/0?rater={rater}"
    for name, path in {"list": "/", "run": "/runs/one", "candidate": "/runs/one/candidates/0/1", "rank": rank}.items():
        shown.goto(page.origin + path)
        assert fits(shown) and not unnamed(shown), path
        shown.screenshot(path=seen / f"{name}-{rater}.png", full_page=True)
    for mode in ("pairs", "rank"):
        shown.click(f"#mode-{mode}")
        until(shown, lambda mode=mode: shown.get_attribute(f"#mode-{mode}", "aria-pressed") == "true", mode)
        if mode == "rank":
            for clip in ("c", "a", "b"):
                shown.click(f"#place-{clip}")
                shown.wait_for_selector(f"#out-{clip}")
            shown.click("#tie-b")
            shown.wait_for_selector("text=C ≻ A = B")
        assert fits(shown) and not unnamed(shown), mode
        shown.screenshot(path=seen / f"{mode}-{rater}.png", full_page=True)
    assert not browser.errors, browser.errors


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    place = tmp_path_factory.mktemp("pages")
    waiting_run(place / "runs")
    with served("serve", "--port", "0", cwd=place) as page:
        yield page


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of the pages go, for whoever wants to look."""
    return tmp_path_factory.mktemp("seen")

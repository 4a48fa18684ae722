"""A ranking session, click by click: what is kept, undone and refused, and what raters may not see."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_for_tests import Page, answer_of, clips_of, served, waiting_run

from reward_agent.agent import resume
from reward_agent.errors import WaitingForPersonError
from reward_agent.history import CHAMPION
from reward_agent.judges.ballots import Ballot, Pair
from reward_agent.judges.paired import next_pair, planned
from reward_agent.judges.pairs import published_queries
from reward_agent.judges.raters import order
from reward_agent.judges.sheets import Clip, Sheet, read_sheet
from reward_agent.web.ballot_box import BallotBox, rater_name
from reward_agent.web.steps import handed_in, step

RANK = "/runs/one/rank/0"


def sheet(clips: int, champion: bool = False) -> Sheet:
    ids = "abcdefgh"[:clips]
    return Sheet(
        0, "hop", 1, tuple(Clip(each, CHAMPION if champion and each == "c" else n, None) for n, each in enumerate(ids))
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return waiting_run(tmp_path_factory.mktemp("ranking") / "runs")


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    """A copy of its own."""
    shutil.copytree(made, tmp_path / "runs" / "one")
    return tmp_path / "runs" / "one"


@pytest.fixture
def page(run: Path) -> Iterator[Page]:
    with served("serve", "--port", "0", cwd=run.parent.parent) as page:
        yield page


def steps(ballot: Ballot, *dos: str, clips: int = 4) -> Ballot:
    for do in dos:
        ballot = step(ballot, do, "", sheet(clips))
    return ballot


@pytest.mark.parametrize(
    ("dos", "ranking"),
    [
        (["place:c", "place:a"], (("c",), ("a",))),
        (["place:c", "place:a", "up:a"], (("a",), ("c",))),
        (["place:c", "place:a", "up:c"], (("c",), ("a",))),
        (["place:c", "place:a", "down:c"], (("a",), ("c",))),
        (["place:c", "place:a", "tie:a"], (("c", "a"),)),
        (["place:c", "place:a", "tie:a", "up:a"], (("a",), ("c",))),
        (["place:c", "place:a", "tie:a", "down:c"], (("a",), ("c",))),
        (["place:c", "place:a", "place:b", "tie:a", "tie:b"], (("c", "a", "b"),)),
        (["place:c", "place:a", "out:c"], (("a",),)),
        (["place:c", "out:c"], None),
        (["place:c", "place:c"], (("c",),)),
        (["tie:a"], None),
    ],
)
def test_a_full_order(dos: list[str], ranking: object) -> None:
    assert steps(Ballot("me"), *dos).ranking == ranking


def test_the_best_cannot_be_the_worst() -> None:
    ballot = steps(Ballot("me"), "best:a", "worst:b", "worst:a")
    assert (ballot.best, ballot.worst) == (None, "a")
    assert steps(ballot, "best:a", "best:").best is None


@pytest.mark.parametrize("champion", [False, True])
@pytest.mark.parametrize("clips", [3, 4, 6, 7])
def test_pairs_find_both_ends_in_as_many_comparisons_as_the_paper_counts(clips: int, champion: bool) -> None:
    asked = sheet(clips, champion)
    value = {each: n for n, each in enumerate("ecagbdfh")}  # the lower the better
    made: tuple[Pair, ...] = ()
    while (pair := next_pair(asked, made)) is not None:
        made += (Pair(*pair, "first" if value[pair[0]] < value[pair[1]] else "second"),)
    own = [each for each in asked.ids if each != asked.champion]
    found = [each for group in order(Ballot("me", pairs=made), asked.ids) for each in group if each != asked.champion]
    assert found[0] == min(own, key=value.__getitem__) and found[-1] == max(own, key=value.__getitem__)
    assert len(made) == planned(asked) == published_queries(len(own), 1) + champion
    again = Sheet(asked.iteration, asked.instruction, 3, asked.clips)
    assert next_pair(again, made[:2]) == ((made[2].first, made[2].second) if len(made) > 2 else None)


def test_ties_and_skips_go_on_to_the_next_pair() -> None:
    asked, made = sheet(4, champion=True), ()
    while (pair := next_pair(asked, made)) is not None:
        made += (Pair(*pair, "tie" if len(made) % 2 else "skip"),)
    assert len(made) == planned(asked)


def test_only_the_way_that_was_chosen_is_handed_in() -> None:
    ballot = steps(Ballot("me"), "best:a", "worst:b", "place:c", "mode:rank", "submit")
    assert handed_in(ballot).ranking == (("c",),) and handed_in(ballot).best is None
    assert handed_in(steps(ballot, "mode:best", "submit")).best == "a"


@pytest.mark.parametrize("name", ["ann", "Ann B. Lee", "j-r", "Zoë", "7"])
def test_names_of_raters(name: str) -> None:
    assert rater_name(f" {name} ") == name


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/b", "a\\b", "a" * 41, ".ann", "ann.", "a\x00b", "a:b", "-x"])
def test_names_that_no_file_should_have(name: str) -> None:
    with pytest.raises(ValueError, match="A name has"):
        rater_name(name)


def test_every_click_is_saved_and_undone_one_by_one(page: Page, run: Path) -> None:
    for version, do in enumerate(["best:a", "worst:b", "mode:rank", "place:c"]):
        assert page.send(RANK, rater="me", version=version, do=do)[0] == 200
    kept = answer_of(run)
    assert (kept["best"], kept["worst"], kept["ranking"], kept["final"]) == ("a", "b", [["c"]], False)
    assert page.send(RANK, rater="me", version=4, do="remark:a", text="limps\r\nbadly")[0] == 200
    for version in range(5, 8):
        page.send(RANK, rater="me", version=version, do="undo")
    kept = answer_of(run)
    assert (kept["best"], kept["worst"], kept["ranking"], kept["mode"]) == ("a", None, None, "best")
    assert kept["remarks"] == {"a": "limps\nbadly"}, "what was typed is not undone with a click"
    page.send(RANK, rater="me", version=8, do="undo")
    assert answer_of(run)["best"] is None
    assert page.send(RANK, rater="me", version=9, do="undo")[0] == 200 and answer_of(run)["version"] == 9


def test_the_later_of_two_tabs_is_told_and_nothing_is_lost(page: Page, run: Path) -> None:
    page.send(RANK, rater="me", version=0, do="best:a")
    status, text = page.send(RANK, rater="me", version=0, do="remark:b", text="my words")
    assert status == 409 and "another tab" in text and "my words" in text and "remark: B" in text
    assert answer_of(run)["remarks"] == {} and answer_of(run)["best"] == "a"
    status, _ = page.send(RANK, rater="me", version=1, do="remark:b", text="my words", force="yes")
    assert status == 200 and answer_of(run)["remarks"] == {"b": "my words"} and answer_of(run)["best"] == "a"


def test_a_click_that_comes_twice_changes_nothing(page: Page, run: Path) -> None:
    for _ in range(2):
        assert page.send(RANK, rater="me", version=0, do="best:a")[0] == 200
    assert answer_of(run)["version"] == 1


def test_a_click_that_moves_and_is_sent_again_is_done_once(page: Page, run: Path) -> None:
    for version, do in enumerate(["mode:rank", "place:a", "place:b", "place:c"]):
        page.send(RANK, rater="me", version=version, do=do)
    for version in (4, 4, 5):  # no answer came; then the page was loaded again and knows the new version
        assert page.send(RANK, rater="me", version=version, do="up:c", click="first")[0] == 200
    assert answer_of(run)["ranking"] == [["a"], ["c"], ["b"]]
    for version in (5, 5, 6):
        assert page.send(RANK, rater="me", version=version, do="undo", click="second")[0] == 200
    assert answer_of(run)["ranking"] == [["a"], ["b"], ["c"]] and answer_of(run)["version"] == 6
    assert page.send(RANK, rater="me", version=6, do="up:c", click="third")[0] == 200, "another click is done"
    assert answer_of(run)["ranking"] == [["a"], ["c"], ["b"]]
    page.send(RANK, rater="me", version=7, do="submit", click="fourth")
    for version in (8, 8, 9):
        page.send(RANK, rater="me", version=version, do="up:c", click="fifth")
    assert answer_of(run)["ranking"] == [["c"], ["a"], ["b"]]


def test_a_reason_that_is_deleted_says_no_longer_that_none_is_right() -> None:
    def said(ballot: Ballot, *texts: str) -> bool:
        for text in texts:
            ballot = step(ballot, "words", text, sheet(3))
        return ballot.none_right

    assert said(Ballot("me"), "They all fall.") and not said(Ballot("me"), "They all fall.", " ")
    assert said(steps(Ballot("me"), "none:yes"), ""), "who pressed it and gives no reason"


def test_clicks_at_the_same_time_are_taken_one_after_the_other(page: Page, run: Path) -> None:
    codes: list[int] = []

    def click(clip: str) -> None:
        codes.append(page.send(RANK, rater="me", version=0, do=f"remark:{clip}", text=clip)[0])

    clicks = [threading.Thread(target=click, args=(clip,)) for clip in "abc"]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join()
    assert sorted(codes) == [200, 409, 409] and len(answer_of(run)["remarks"]) == 1


def test_handing_in_and_changing_it(page: Page, run: Path) -> None:
    for version, do in enumerate(["best:a", "place:b", "submit"]):
        page.send(RANK, rater="me", version=version, do=do)
    kept = answer_of(run)
    assert kept["final"] and kept["best"] == "a" and kept["ranking"] is None
    assert "goes on with the run" in page.ask(f"{RANK}/status?rater=me")[1]
    page.send(RANK, rater="me", version=3, do="reopen")
    kept = answer_of(run)
    assert not kept["final"] and kept["best"] == "a" and kept["ranking"] == [["b"]], "the other ways come back as well"


def test_without_a_script_a_form_leads_back_to_the_page(page: Page) -> None:
    body = b"rater=me&version=0&do=best:a"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": page.origin}
    assert page.ask(RANK, method="POST", body=body, headers=headers)[0] == 303
    assert page.last["location"] == f"{RANK}?rater=me"


def test_an_answer_that_is_damaged_is_set_aside(page: Page, run: Path) -> None:
    path = run / "iter_00/judging/answers/me.json"
    path.write_text("{")
    assert page.ask(RANK)[0] == 200
    assert page.send(RANK, rater="me", version=0, do="best:a")[0] == 200
    assert answer_of(run)["best"] == "a" and path.with_name("me.json.refused").read_text() == "{"


def test_raters_see_no_score_and_no_name_before_the_run_is_done(page: Page, run: Path) -> None:
    _, text = page.ask(RANK)
    assert "cand" not in text and "candidate" not in text and "closeness" not in text
    for path in ("/", "/runs/one", "/runs/one/rounds", "/runs/one/candidates/0/0"):
        _, text = page.ask(path)
        assert "closeness" not in text and "success <b>" not in text, path
    ids = clips_of(run)
    for iteration in range(2):
        if iteration:
            ids = clips_of(run, 1)
        for version, do in enumerate([f"best:{ids[1]}", f"worst:{ids[0]}", "submit"]):
            page.send(f"/runs/one/rank/{iteration}", rater="me", version=version, do=do)
        if iteration == 0:
            with pytest.raises(WaitingForPersonError):
                resume(run)
            assert "This round is judged" in page.ask(f"{RANK}/status?rater=me")[1]
            assert page.ask("/runs/one/rank")[0] == 303 and page.last["location"] == "/runs/one/rank/1"
            assert page.raw("/runs/one/candidates/0/0/video.mp4")[0] == 200, "once judged, its clip is shown by name"
    resume(run)
    assert "closeness" in page.ask("/runs/one")[1]
    assert "All its rounds are judged" in page.ask("/runs/one/rank")[1]
    assert page.ask("/runs/one/rank-when-open")[0] == 200 and "hx-redirect" not in page.last


def test_a_run_that_ended_meanwhile_loses_nothing(page: Page, run: Path) -> None:
    ids = clips_of(run)
    for version, do in enumerate([f"best:{ids[1]}", f"worst:{ids[0]}", "submit"]):
        page.send(RANK, rater="ann", version=version, do=do)
    with pytest.raises(WaitingForPersonError):
        resume(run)
    status, text = page.send(RANK, rater="bob", version=0, do="best:a")
    assert status == 200 and "gone on without it" in text and answer_of(run, "bob")["best"] == "a"


def test_several_raters_and_their_agreement(run: Path) -> None:
    with pytest.raises(WaitingForPersonError):
        resume(run, changes={"judge": "page:raters=3"})
    asked = read_sheet(run / "iter_00/judging")
    assert asked is not None and asked.raters == 3
    with served("serve", "--port", "0", cwd=run.parent.parent) as page:
        status, text = page.ask(RANK)
        assert status == 200 and "Who are you?" in text and "3 raters" in text
        assert page.ask(f"{RANK}?rater=a%2Fb")[0] == 400
        for rater, turned in (("ann", "abc"), ("bob", "acb"), ("cid", "abc")):
            dos = ["mode:rank", *(f"place:{clip}" for clip in turned), "submit"]
            for version, do in enumerate(dos):
                page.send(RANK, rater=rater, version=version, do=do)
        assert "3 of 3 handed in" in page.ask(f"{RANK}/status?rater=ann")[1]
        with pytest.raises(WaitingForPersonError, match="3 people"):
            resume(run)
        told = page.ask(f"{RANK}/status?rater=ann")[1]
        assert re.search(r"Kendall’s W\): <b>0\.7778</b>", told) and "Best: clip A" in told
        assert "Iteration 0 is judged" in page.ask(RANK)[1]


def test_news_are_told_once(page: Page) -> None:
    page.ask("/runs/one/rank-when-open")
    assert page.last["hx-redirect"] == "/runs/one/rank", "who waited for the round is led to it"
    for path in ("/rows", "/runs/one/rounds", f"{RANK}/status?rater=me"):
        _, text = page.ask(path)
        again = re.search(r'hx-get="([^"]+)"', text)
        assert again
        assert page.ask(again[1].replace("&amp;", "&"))[0] == 204
    page.send(RANK, rater="me", version=0, do="submit")
    assert page.ask(again[1].replace("&amp;", "&"))[0] == 200


def test_undo_survives_a_restart(run: Path) -> None:
    asked = read_sheet(run / "iter_00/judging")
    assert asked is not None
    BallotBox(run / "iter_00/judging", asked).save("me", "best:a", "", 0)
    box = BallotBox(run / "iter_00/judging", asked)
    assert box.can_undo("me") and box.save("me", "undo", "", 1).ballot.best is None
    (run / "iter_00/judging/undo/me.json").write_text("[1]")
    assert not box.can_undo("me")


def test_words_of_a_person_reach_the_run_that_waits_for_them(tmp_path: Path) -> None:
    from runs_for_tests import config, two_rounds

    from reward_agent.agent import synthesize

    made = config(
        two_rounds(tmp_path / "s.jsonl"), method="text2reward", words="file", candidates=1, budget=512, final_seeds=1
    )
    with pytest.raises(WaitingForPersonError):
        synthesize(made, root=tmp_path / "runs", name="one")
    run = tmp_path / "runs/one"
    with served("serve", "--port", "0", cwd=tmp_path) as page:
        assert "waits for words" in page.ask("/runs/one")[1]
        where = "/runs/one/candidates/0/0"
        assert "Your words" in page.ask(where)[1]
        assert page.send(f"{where}/words", text=" ")[0] == 409
        status, text = page.send(f"{where}/words", text="a" * 8001)
        assert status == 409 and "Shorten" in text and "a" * 8001 in text
        assert page.send("/runs/one/candidates/0/7/words", text="hi")[0] == 404
        assert page.send(f"{where}/words", text="<b>faster</b>\r\nplease")[0] == 303
        assert (run / "iter_00/cand_00/words.md").read_bytes() == b"<b>faster</b>\nplease\n"
        status, text = page.send(f"{where}/words", text="too late")
        assert status == 409 and "too late" in text
        resume(run)
        assert "faster" in json.dumps(json.loads((run / "iter_01/cand_00/attempt_00/messages.json").read_text()))
        assert "&lt;b&gt;faster" in page.ask(where)[1]

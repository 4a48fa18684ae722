"""People as the judge: the files that they are asked by and answer in, and how several raters become one judgement."""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judged import EmptyDesk, question

from reward_agent.errors import UsageError, WaitingForPersonError
from reward_agent.history import Judgement, Preference, Remark
from reward_agent.judges import Question, find_judge
from reward_agent.judges.ballots import MAX_BYTES, MAX_TEXT, Pair
from reward_agent.judges.paired import came_to, next_pair, planned
from reward_agent.judges.sheets import Sheet, read_sheet


@dataclass
class Desk(EmptyDesk):
    told: list[str] = field(default_factory=list)

    def tell(self, text: str) -> None:
        self.told.append(text)


def asked(folder: Path, candidates: int = 4, champion: bool = False) -> tuple[Question, dict[int, str]]:
    """A question that lies beside its run, and the clips' ids by candidate."""
    made = question(folder, [0.0] * candidates, champion=0.0 if champion else None, iteration=1)
    filmed = []
    for entrant in (*made.entrants, *([made.champion] if made.champion else [])):
        entrant.folder.mkdir(parents=True, exist_ok=True)
        (entrant.folder / "video.mp4").write_bytes(b"clip of %d %d" % entrant.at)
        filmed.append(replace(entrant, video=entrant.folder / "video.mp4"))
    made = replace(made, entrants=tuple(filmed[:candidates]), champion=filmed[-1] if champion else None)
    with pytest.raises(WaitingForPersonError):
        find_judge("page").compare(made, Desk())
    sheet = read_sheet(made.folder)
    assert sheet is not None
    return made, {clip.candidate: clip.id for clip in sheet.clips}


def answer(made: Question, rater: str = "ann", **said: Any) -> Path:
    path = made.folder / "answers" / f"{rater}.json"
    path.write_text(json.dumps({"rater": rater, "final": True, **said}))
    return path


def judged(made: Question, raters: int = 1) -> Judgement:
    return find_judge(f"page:raters={raters}").compare(made, Desk())


def test_the_question_is_blind_and_shuffled_and_lies_there_until_somebody_answers(tmp_path: Path) -> None:
    made, ids = asked(tmp_path, champion=True)
    with pytest.raises(WaitingForPersonError) as caught:
        find_judge("page:raters=2").compare(made, Desk())
    assert caught.value.exit_code == 4
    for told in ("2 people", "iteration 1", f"rank {tmp_path}", "reward-agent resume RUN"):
        assert told in str(caught.value)
    asked_for = json.loads((made.folder / "question.json").read_text())
    assert asked_for["raters"] == 2 and asked_for["instruction"] == made.task.instruction
    assert sorted(clip["candidate"] for clip in asked_for["clips"]) == [-1, 0, 1, 2, 3]
    assert [clip["id"] for clip in asked_for["clips"]] == ["a", "b", "c", "d", "e"]
    for entrant in made.entrants:
        assert (made.folder / f"clips/{ids[entrant.at[1]]}.mp4").read_bytes() == b"clip of %d %d" % entrant.at


def test_the_order_of_the_clips_is_another_in_each_run_and_stays_once_it_is_asked(tmp_path: Path) -> None:
    orders = []
    for number in range(12):
        made, ids = asked(tmp_path / f"run-{number}", champion=True)
        orders.append("".join(ids[index] for index in (-1, 0, 1, 2, 3)))
        with pytest.raises(WaitingForPersonError):
            find_judge("page").compare(replace(made, seed=7), Desk())
        again = read_sheet(made.folder)
        assert again is not None and {clip.candidate: clip.id for clip in again.clips} == ids
    assert len(set(orders)) > 8 and len({order[0] for order in orders}) > 2, "the champion is not always the same clip"


def test_each_of_several_raters_sees_the_clips_in_an_order_of_their_own(tmp_path: Path) -> None:
    made, _ = asked(tmp_path, champion=True)
    sheet = read_sheet(made.folder)
    assert sheet is not None and sheet.seen_by("ann") == sheet, "who is asked alone"
    several = replace(sheet, raters=3)
    seen = [several.seen_by(rater) for rater in ("ann", "bob", "cid", "ann")]
    assert len({each.ids for each in seen}) == 3 and seen[0] == seen[3]
    assert all(sorted(each.clips, key=lambda clip: clip.id) == list(sheet.clips) for each in seen)
    firsts = {next_pair(several.seen_by(f"rater {number}"), ()) for number in range(30)}
    assert len(firsts) > 4, "nor do all compare the same two first"


def test_the_best_and_the_worst_of_one_person(tmp_path: Path) -> None:
    made, ids = asked(tmp_path)
    answer(made, best=ids[2], worst=ids[0], remarks={ids[3]: " limps "})
    found = judged(made)
    assert (found.judge, found.best, found.worst, found.beats_champion) == ("page", 2, 0, None)
    assert found.queries == 3 + 2 and found.agreement is None
    assert found.remarks == (Remark(3, "limps", "ann"),)
    assert found.rankings["ann"][0] == (2,) and found.rankings["ann"][-1] == (0,)


def test_a_draft_does_not_count(tmp_path: Path) -> None:
    made, ids = asked(tmp_path)
    answer(made, best=ids[2], final=False)
    with pytest.raises(WaitingForPersonError):
        judged(made)


@pytest.mark.parametrize(("over", "beats"), [(True, True), (False, False)])
def test_the_champion_is_one_of_the_clips(over: bool, beats: bool, tmp_path: Path) -> None:
    made, ids = asked(tmp_path, champion=True)
    rest = [[ids[3]], [ids[0], ids[1]]]
    answer(made, ranking=[[ids[2]], [ids[-1]], *rest] if over else [[ids[-1]], [ids[2]], *rest])
    found = judged(made)
    assert (found.best, found.beats_champion) == (2, beats) and found.queries == 4
    assert found.worst is not None and found.worst in (0, 1)
    assert -1 in itertools.chain(*found.rankings["ann"])


def test_a_champion_that_was_skipped_is_not_beaten(tmp_path: Path) -> None:
    made, ids = asked(tmp_path, champion=True)
    answer(made, ranking=[[ids[2]], [ids[0]]])
    found = judged(made)
    assert (found.best, found.worst, found.beats_champion, found.queries) == (2, 0, False, 1)


def test_pairs_tell_an_order_also_by_way_of_others(tmp_path: Path) -> None:
    made, ids = asked(tmp_path, champion=True)
    pairs = [(0, 1, "second"), (1, 2, "first"), (1, 3, "second"), (0, 2, "tie"), (2, 0, "first"), (3, -1, "skip")]
    answer(made, pairs=[{"first": ids[a], "second": ids[b], "answer": said} for a, b, said in pairs])
    found = judged(made)
    assert (found.best, found.worst, found.beats_champion, found.queries) == (3, 0, False, 6)
    assert found.rankings["ann"] == ((3,), (1,), (2,), (0,))
    assert found.preferences[0] == Preference((1, 0), (1, 1), "second")
    assert found.preferences[-1] == Preference((1, 3), (0, 9), "skip")


def test_what_was_found_alike_is_alike(tmp_path: Path) -> None:
    made, ids = asked(tmp_path, candidates=3)
    pairs = [(0, 1, "tie"), (0, 2, "first"), (1, 2, "skip")]
    answer(made, pairs=[{"first": ids[a], "second": ids[b], "answer": said} for a, b, said in pairs])
    (ranking,) = judged(made).rankings.values()
    assert [set(group) for group in ranking] == [{0, 1}, {2}]


def test_none_is_right_is_told_without_a_reason_too(tmp_path: Path) -> None:
    made, _ = asked(tmp_path)
    answer(made, none_right=True)
    assert judged(made).words == "None is right."


def test_who_picks_the_champion_alone_prefers_none_of_the_round(tmp_path: Path) -> None:
    made, ids = asked(tmp_path, champion=True)
    answer(made, best=ids[-1], worst=ids[2])
    found = judged(made)
    assert (found.best, found.worst, found.beats_champion) == (None, 2, None)


def test_a_circle_of_preferences_is_a_tie(tmp_path: Path) -> None:
    made, ids = asked(tmp_path)
    pairs = [(0, 1), (1, 2), (2, 0), (2, 3)]
    answer(made, pairs=[{"first": ids[a], "second": ids[b], "answer": "first"} for a, b in pairs])
    found = judged(made)
    assert {*found.rankings["ann"][0]} == {0, 1, 2} and found.worst == 3 and found.best in (0, 1, 2)


def test_none_is_right_unless_somebody_ranks(tmp_path: Path) -> None:
    made, ids = asked(tmp_path)
    answer(made, none_right=True, words=" all fall ")
    found = judged(made)
    assert (found.best, found.worst, found.words, found.queries) == (None, None, "all fall", 0)
    answer(made, none_right=True, words="all fall", worst=ids[1])
    assert (judged(made).best, judged(made).worst) == (None, 1)
    answer(made, "bob", best=ids[0], worst=ids[1])
    found = judged(made, 2)
    assert (found.best, found.worst, found.words) == (0, 1, "all fall")


def test_who_finds_all_alike_prefers_none(tmp_path: Path) -> None:
    made, ids = asked(tmp_path)
    answer(made, ranking=[list(ids.values())])
    found = judged(made)
    assert (found.best, found.worst) == (None, None)


def test_whoever_hands_in_nothing_prefers_none(tmp_path: Path) -> None:
    made, _ = asked(tmp_path)
    answer(made)
    found = judged(made)
    assert (found.best, found.worst, found.queries, found.rankings) == (None, None, 0, {})


def test_several_raters_are_combined_by_mean_rank(tmp_path: Path) -> None:
    made, ids = asked(tmp_path)
    for rater, places in {"ann": [0, 1, 2, 3], "bob": [1, 0, 2, 3], "cid": [1, 0, 3, 2]}.items():
        answer(made, rater, ranking=[[ids[each]] for each in places])
    answer(made, "dan", ranking=[[ids[1]], [ids[2]]])  # skipped two, so no part of the agreement
    found = judged(made, 4)
    assert (found.judge, found.best, found.worst) == ("page:raters=4", 1, 3)
    assert found.queries == 3 * 3 + 1
    assert [*found.rankings] == ["ann", "bob", "cid", "dan"]
    ranks = [[1, 2, 3, 4], [2, 1, 3, 4], [2, 1, 4, 3]]
    spread = sum((sum(column) - 7.5) ** 2 for column in zip(*ranks, strict=True))
    assert found.agreement == pytest.approx(12 * spread / (9 * (64 - 4)))  # the definition


def test_agreement_is_of_those_who_ranked_all_and_of_two_at_least(tmp_path: Path) -> None:
    made, ids = asked(tmp_path)
    for rater in ("ann", "bob"):
        answer(made, rater, ranking=[[ids[0]], [ids[1], ids[2]], [ids[3]]])
    assert judged(made, 2).agreement == pytest.approx(1.0)
    answer(made, "bob", ranking=[[ids[3]], [ids[1], ids[2]], [ids[0]]])
    assert judged(made, 2).agreement == pytest.approx(0.0)
    answer(made, "bob", ranking=[[ids[3]], [ids[1], ids[2]]])
    assert judged(made, 2).agreement is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no JSON object"),
        (b'{"final": "yes"}', "expected bool"),
        (b'{"best": "z", "final": true}', "no clip 'z'"),
        (b'{"best": "a", "worst": "a", "final": true}', "same clip"),
        (b'{"ranking": [["a"], ["a"]], "final": true}', "twice"),
        (b'{"ranking": 3, "final": true}', "is none of"),
        (b'{"pairs": [{"first": "a", "second": "a", "answer": "tie"}], "final": true}', "with itself"),
        (b'{"pairs": [{"first": "a", "second": "b", "answer": "best"}], "final": true}', "is none of"),
        (b'{"remarks": {"../../x": "hi"}, "final": true}', "no clip"),
        (b'{"remarks": [], "final": true}', ""),
        (b'{"words": "' + b"a" * (MAX_TEXT + 1) + b'", "final": true}', "longer than"),
        (b" " * (MAX_BYTES + 1), "larger than"),
    ],
    ids=range(15),
)
def test_what_is_no_answer_is_set_aside_and_told_of_once(content: bytes, why: str, tmp_path: Path) -> None:
    made, ids = asked(tmp_path)
    path = made.folder / "answers" / "eve.json"
    path.write_bytes(content)
    desk = Desk()
    for _ in range(2):
        with pytest.raises(WaitingForPersonError):
            find_judge("page").compare(made, desk)
    assert len(desk.told) == 1 and why in desk.told[0] and "eve.json.refused" in desk.told[0]
    assert (path.parent / "eve.json.refused").read_bytes() == content and not path.exists()
    answer(made, best=ids[1])
    assert judged(made).best == 1


def test_links_pipes_and_folders_are_no_answers(tmp_path: Path) -> None:
    made, ids = asked(tmp_path)
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps({"best": ids[0], "final": True}))
    answers = made.folder / "answers"
    (answers / "link.json").symlink_to(outside)
    os.mkfifo(answers / "pipe.json")
    (answers / "folder.json").mkdir()
    desk = Desk()
    with pytest.raises(WaitingForPersonError):
        find_judge("page").compare(made, desk)
    assert len(desk.told) == 3 and outside.exists()


@pytest.mark.parametrize("setting", ["raters=0", "raters=100", "raters=two", "3", "raters=1.5", "rater=2"])
def test_settings_that_there_are_not(setting: str) -> None:
    with pytest.raises(UsageError, match=r"page:raters=N"):
        find_judge(f"page:{setting}")


def compared(sheet: Sheet, values: dict[str, float], ties: float) -> tuple[Pair, ...]:
    """All comparisons of a rater who goes by these values."""
    made: tuple[Pair, ...] = ()
    while (two := next_pair(sheet, made)) is not None:
        gap = values[two[0]] - values[two[1]]
        made += (Pair(*two, "tie" if abs(gap) <= ties else "first" if gap > 0 else "second"),)
    return made


@pytest.mark.parametrize("ties", [0.0, 0.1, 0.3])
def test_one_who_compares_two_at_a_time_judges_as_judges_do_that_answer_at_once(ties: float, tmp_path: Path) -> None:
    made, ids = asked(tmp_path, champion=True)
    sheet = read_sheet(made.folder)
    assert sheet is not None and sheet.champion is not None
    for seed in range(60):
        drawn = np.random.default_rng(seed).random(len(sheet.ids))
        values = dict(zip(sheet.ids, drawn.tolist(), strict=True))
        pairs = compared(sheet, values, ties)
        assert len(pairs) == planned(sheet)
        answer(made, pairs=[vars(pair) for pair in pairs], mode="pairs")
        found = judged(made)
        if found.best is None:
            continue
        gap = values[ids[found.best]] - values[sheet.champion]
        assert found.beats_champion == (gap > ties), "a tie changes nothing: the champion stays"
        last = next(pair for pair in reversed(pairs) if sheet.champion in (pair.first, pair.second))
        assert ids[found.best] in (last.first, last.second), "the best is the one that was compared with the champion"


def test_comparisons_hold_though_the_clips_are_shown_in_another_order(tmp_path: Path) -> None:
    made, _ = asked(tmp_path, champion=True)
    sheet = read_sheet(made.folder)
    assert sheet is not None
    values = dict(zip(sheet.ids, (0.3, 0.1, 0.5, 0.2, 0.4), strict=True))
    half = compared(sheet, values, 0.0)[:4]
    other = replace(sheet, raters=3).seen_by("ann")
    pairs, asked_for = half, []
    while (two := next_pair(other, pairs)) is not None:
        asked_for.append(frozenset(two))
        pairs += (Pair(*two, "first" if values[two[0]] > values[two[1]] else "second"),)
        assert len(asked_for) <= planned(sheet)
    assert came_to(other, pairs) is not None

"""The schedule of comparisons, and the metric as a stand-in."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pointmass
import pytest
from judged import NOBODY, entrant, question

from reward_agent.errors import UsageError
from reward_agent.history import Judgement, Preference, Remark
from reward_agent.judges import Entrant, find_judge
from reward_agent.judges.pairs import Answer, best_and_worst, published_queries
from reward_agent.judging import require


@pytest.mark.parametrize("order", itertools.permutations([0.1, 0.2, 0.3, 0.4]))
def test_the_best_and_the_worst_are_found_by_2k_minus_3_comparisons(order: tuple[float, ...], tmp_path: Path) -> None:
    judgement = find_judge("metric").compare(question(tmp_path, order), NOBODY)
    assert judgement.best == order.index(0.4) and judgement.worst == order.index(0.1)
    assert judgement.beats_champion is None
    assert judgement.queries == len(judgement.preferences) == 2 * len(order) - 3


def test_rounds_take_as_many_comparisons_as_the_paper_counts(tmp_path: Path) -> None:
    scores = [0.1, 0.5, 0.3, 0.2, 0.4, 0.6]
    rounds = [question(tmp_path, scores, champion=0.55 if number else None, iteration=number) for number in range(5)]
    made = [find_judge("metric").compare(each, NOBODY) for each in rounds]
    assert sum(judgement.queries for judgement in made) == published_queries(6, 5) == 49
    assert [judgement.beats_champion for judgement in made] == [None, True, True, True, True]


@pytest.mark.parametrize(("candidates", "rounds", "queries"), [(6, 5, 49), (2, 1, 1), (1, 3, 2), (1, 1, 0)])
def test_queries_as_they_are_published(candidates: int, rounds: int, queries: int) -> None:
    assert published_queries(candidates, rounds) == queries


def test_the_champion_stays_where_it_is_as_good(tmp_path: Path) -> None:
    asked = question(tmp_path, [0.1, 0.3], champion=0.3)
    judgement = find_judge("metric").compare(asked, NOBODY)
    assert judgement.best == 1 and judgement.beats_champion is False
    assert judgement.preferences[-1].answer == "tie"


def test_where_nothing_tells_a_round_apart_none_is_preferred(tmp_path: Path) -> None:
    judgement = find_judge("metric").compare(question(tmp_path, [0.5, 0.5, 0.5], champion=0.5), NOBODY)
    assert (judgement.best, judgement.worst, judgement.beats_champion) == (None, None, None)
    assert {made.answer for made in judgement.preferences} == {"tie"}
    better = find_judge("metric").compare(question(tmp_path, [0.5, 0.5, 0.5], champion=0.2), NOBODY)
    assert better.best is not None and (better.worst, better.beats_champion) == (None, True)


def test_one_candidate_alone_is_best_without_a_question(tmp_path: Path) -> None:
    judgement = find_judge("metric").compare(question(tmp_path, [0.2]), NOBODY)
    assert (judgement.best, judgement.worst, judgement.queries) == (0, None, 0)


def test_who_stands_first_is_shuffled_and_the_same_when_asked_again(tmp_path: Path) -> None:
    def first_always(first: Entrant, second: Entrant) -> Answer:
        return "first"

    pairs = []
    for seed in range(20):
        made = [
            best_and_worst(replace(question(tmp_path, [0.0] * 6), seed=seed), "biased", first_always) for _ in (1, 2)
        ]
        assert made[0] == made[1]
        pairs.append(made[0].preferences)
    assert len(set(pairs)) > 15  # not one order for all seeds
    assert isinstance(pairs[0][0], Preference)


def test_a_named_metric_decides(tmp_path: Path) -> None:
    name = pointmass.task.metrics[0].name
    assert find_judge(f"metric:{name}").missing(pointmass.task) is None
    assert "Available" in str(find_judge("metric:nosuch").missing(pointmass.task))


@pytest.mark.parametrize("spec", ["metrics", "", "metric:no such"])
def test_a_judge_that_there_is_not(spec: str) -> None:
    with pytest.raises(UsageError, match="metric"):
        find_judge(spec)


OWN = '''
from dataclasses import dataclass

from reward_agent.history import Judgement
from reward_agent.judges.pairs import best_and_worst


@dataclass
class Lightest:
    """Prefers the shortest program."""

    name: str
    wants_video: bool = False
    model: str | None = None

    def missing(self, task):
        return None

    def compare(self, question, desk):
        def prefer(first, second):
            return "first" if len(first.program.source) < len(second.program.source) else "second"

        return best_and_worst(question, self.name, prefer)


def make(setting):
    return Lightest(f"lightest {setting}".strip())
'''


def test_a_judge_of_ones_own_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own_judge.py"
    path.write_text(OWN)
    judge = find_judge(f"{path}:really")
    assert judge.name == "lightest really"
    entrants = tuple(entrant(tmp_path, (0, index), 0.0, "x = 1\n" * (3 - index)) for index in range(3))
    judgement = judge.compare(replace(question(tmp_path, [0.0]), entrants=entrants), NOBODY)
    assert (judgement.best, judgement.worst) == (2, 0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "makes no judge"),
        ("def make(setting): return 3", "is no judge"),
        ("def make(:", "The judge .* line 1"),
    ],
)
def test_a_file_that_makes_no_judge(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "judge.py").write_text(text)
    with pytest.raises(UsageError, match=said):
        find_judge(str(tmp_path / "judge.py"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "judge.py").write_text(OWN)
    with pytest.raises(UsageError, match=r"Did you mean .*judge\.py"):
        find_judge(str(tmp_path / "juge.py"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Judgement("j", True, None, None, 1), "its best is of True, which is none of [0, 1]"),
        (Judgement("j", 1, 2, None, 1), "its worst is of 2, which is none of [0, 1]"),
        (Judgement("j", 1, 1, True, 1), "its best and its worst are both 1"),
        (Judgement("j", 1, 0, True, -5), "it says that it made -5 comparisons"),
        (Judgement("j", None, 0, True, 1), "else None; it is True"),
        (Judgement("j", 1, 0, None, 1), "True or False where there are both, else None; it is None"),
        (Judgement("j", 1, 0, True, 0, (Preference((1, 0), (1, 1), "tie"),)), "0 comparisons, and tells of 1"),
        (Judgement("j", 1, 0, True, 1, (Preference((1, 0), (1, 0), "tie"),)), "of a candidate and itself"),
        (Judgement("j", 1, 0, True, 1, rankings={"ann": ((1,), (1, 0))}), "a ranking has a candidate twice"),
        (Judgement("j", 1, 0, True, 1, agreement=float("nan")), "its agreement is nan"),
        (
            Judgement("j", 1, 0, None, 1, rankings={"ann": ((1,), (42,))}),
            "its ranking is of 42, which is none of [0, 1, -1]",
        ),
        (
            Judgement("j", 1, 0, None, 1, remarks=(Remark(33, "good"),)),
            "its remark is of 33, which is none of [0, 1, -1]",
        ),
        (
            Judgement("j", 1, 0, None, 1, (Preference((7, 7), (1, 0), "first"),)),
            "its preference is of (7, 7), which is none of [(1, 0), (1, 1), (0, 9)]",
        ),
    ],
)
def test_a_judgement_that_is_not_of_the_round_is_refused(given: Judgement, said: str, tmp_path: Path) -> None:
    asked = question(tmp_path, [0.1, 0.2], champion=0.1, iteration=1)
    with pytest.raises(TypeError, match=re.escape(said)):
        require(given, asked)
    whole = Judgement("j", 1, 0, True, 2, (Preference((1, 0), (0, 9), "first"),), {"ann": ((1,), (-1, 0))})
    require(replace(whole, remarks=(Remark(-1, "good"),)), asked)

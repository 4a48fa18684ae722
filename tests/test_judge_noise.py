"""Stand-ins that err as people do: what each setting does, how raters agree, and what erring costs in a pool."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pointmass
import pytest
import runs_for_tests as runs
from judged import NOBODY, entrant, outcome, question
from scipy.stats import friedmanchisquare

from reward_agent.agent import synthesize
from reward_agent.codec import decode
from reward_agent.errors import UsageError
from reward_agent.history import CHAMPION, Interval, Judgement
from reward_agent.judges import Question, find_judge
from reward_agent.judges.agreement import kendall_w, order_of
from reward_agent.judges.pairs import Answer
from reward_agent.messages import Key
from reward_agent.store import read_steps
from reward_agent.task import Metric

SCORES = [0.1, 0.5, 0.3, 0.2, 0.4, 0.6]


def compare(spec: str, asked: Question) -> Judgement:
    return find_judge(spec).compare(asked, NOBODY)


def answers(
    spec: str, folder: Path, pair: tuple[float, float], champion: float | None = None, times: int = 400
) -> Counter[str]:
    """How often the first of two, the second or none was preferred, by the question's first comparison."""
    judge, asked = find_judge(spec), question(folder, pair, champion)
    counted: Counter[str] = Counter()
    for seed in range(times):
        made = judge.compare(replace(asked, seed=seed), NOBODY).preferences[0]
        if made.answer in ("tie", "skip"):
            counted[made.answer] += 1
        else:
            counted["first" if (made.first[1] == 0) == (made.answer == "first") else "second"] += 1
    return counted


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("metric:closeness", "metric:closeness"),
        ("metric:mistakes=0.2, raters=3", "metric:mistakes=0.2,raters=3"),
        ("metric:ties=0.05,metric=closeness,mistakes=0", "metric:closeness,ties=0.05"),
        ("metric:by=regret,segment=0.5", "metric:segment=0.5,by=regret"),
    ],
)
def test_a_judge_is_named_by_what_was_changed_of_it(spec: str, name: str) -> None:
    judge = find_judge(spec)
    assert judge.name == name and find_judge(name) == judge
    assert judge.missing(pointmass.task) is None


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("mistake=0.2", "Did you mean 'mistakes'"),
        ("mistakes=2", "at least 0 and at most 1, not 2"),
        ("mistakes=often", "wants a number"),
        ("raters=0", "at least 1"),
        ("raters=2.5", "whole number"),
        ("ties=0.1,ties=0.2", "set twice"),
        ("closeness,success", "set twice"),
        ("mistakes:0.2", "says nothing by 'mistakes:0.2'"),
        ("mistakes=0.2,", "says nothing by ''"),
        ("by=regrets,segment=0.5", "must be return or regret"),
        ("by=regret", "segment"),
        ("by=regret,segment=0.5,myopia=0.5", "short-sighted"),
        ("segment=0", "above 0"),
    ],
)
def test_settings_that_cannot_be(setting: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        find_judge(f"metric:{setting}")


def test_where_nothing_succeeds_the_graded_metric_decides_as_elsewhere(tmp_path: Path) -> None:
    success, closeness = pointmass.task.metrics
    touched = Metric("touched", "success", "at some time", (), lambda episode: 0.0)
    task = replace(pointmass.task, metrics=(success, touched, closeness))

    def one(index: int, *means: float) -> object:
        metrics = {m.name: Interval(mean, mean, mean) for m, mean in zip(task.metrics, means, strict=True)}
        made = entrant(tmp_path, (0, index), 0.0)
        return replace(made, outcome=replace(outcome(0.0), metrics=metrics))

    asked = replace(question(tmp_path, [0.0]), task=task)
    nothing = replace(asked, entrants=(one(0, 0.0, 1.0, -2.0), one(1, 0.0, 0.0, -1.0)))
    some = replace(asked, entrants=(one(0, 0.5, 0.0, -2.0), one(1, 0.0, 1.0, -1.0)))
    equal = replace(asked, entrants=(one(0, 0.5, 0.0, -2.0), one(1, 0.5, 0.0, -1.0)))
    no_number = replace(asked, entrants=(one(0, 0.5, 0.0, -2.0), one(1, float("nan"), 0.0, -1.0)))
    assert [compare("metric", each).best for each in (nothing, some, equal, no_number)] == [1, 0, 1, 0]
    assert compare("metric:touched", nothing).best == 0


def test_who_always_errs_turns_the_round_upside_down(tmp_path: Path) -> None:
    right, wrong = (compare(spec, question(tmp_path, SCORES, 0.55)) for spec in ("metric", "metric:mistakes=1"))
    assert (right.best, right.worst, right.beats_champion) == (5, 0, True)
    assert (wrong.best, wrong.worst, wrong.beats_champion) == (0, 5, True)  # the worst, against a better champion
    assert wrong.queries == right.queries == 10


def test_the_same_question_gets_the_same_answer(tmp_path: Path) -> None:
    spec = "metric:mistakes=0.3,skips=0.2,temperature=0.2,raters=3"
    asked = [replace(question(tmp_path, SCORES), seed=seed) for seed in range(20)]
    made = [compare(spec, each) for each in asked]
    assert made == [compare(spec, each) for each in asked]
    assert len({judgement.best for judgement in made}) > 1


def test_how_often_each_errs(tmp_path: Path) -> None:
    """Of 400 answers; the bounds are more than three standard deviations from what is expected."""
    pair = (0.2, 0.8)
    assert answers("metric", tmp_path, pair) == {"second": 400}
    assert 50 <= answers("metric:mistakes=0.2", tmp_path, pair)["first"] <= 110
    assert 50 <= answers("metric:skips=0.2", tmp_path, pair)["skip"] <= 110
    # a majority of three is wrong where two or three are: 0.104
    assert 20 <= answers("metric:mistakes=0.2,raters=3", tmp_path, pair)["first"] <= 64
    # one temperature apart: 1 / (1 + e)
    assert 78 <= answers("metric:temperature=1", tmp_path, pair)["first"] <= 137
    assert answers("metric:temperature=0.01", tmp_path, pair) == {"second": 400}


def test_near_ones_are_tied_and_poor_ones_left_out(tmp_path: Path) -> None:
    """The champion widens the range to 1."""
    assert answers("metric:ties=0.05", tmp_path, (0.5, 0.54), 1.5, 5) == {"tie": 5}
    assert answers("metric:ties=0.03", tmp_path, (0.5, 0.54), 1.5, 5) == {"second": 5}
    assert answers("metric:poor=0.3", tmp_path, (0.5, 0.7), 1.5, 5) == {"skip": 5}
    assert answers("metric:poor=0.1", tmp_path, (0.5, 0.7), 1.5, 5) == {"second": 5}


def test_someone_who_watches_one_clip_goes_by_that_one(tmp_path: Path) -> None:
    asked = question(tmp_path, [0.3, 0.5])
    lucky = replace(asked.entrants[0], scores=dict.fromkeys(asked.entrants[0].scores, (0.9, 0.1, 0.1, 0.1)))
    asked = replace(asked, entrants=(lucky, asked.entrants[1]))
    assert [compare(spec, asked).best for spec in ("metric", "metric:clips=1", "metric:clips=4")] == [1, 0, 1]


def test_raters_are_asked_each_and_their_agreement_is_told(tmp_path: Path) -> None:
    asked = question(tmp_path, SCORES, 0.55)
    sure, unsure = (compare(spec, asked) for spec in ("metric:raters=3", "metric:raters=3,mistakes=0.4"))
    assert sure.best == 5 and sure.queries == 3 * 10 and sure.agreement == 1.0
    assert unsure.agreement is not None and unsure.agreement < 1.0
    assert list(unsure.rankings) == ["rater 1", "rater 2", "rater 3"] and len(set(unsure.rankings.values())) > 1
    for ranking in unsure.rankings.values():
        assert sorted(one for group in ranking for one in group) == [CHAMPION, 0, 1, 2, 3, 4, 5]
    assert compare("metric", asked).agreement is None


def test_agreement_is_kendalls_w() -> None:
    alike = [[[0], [1], [2]]] * 2
    assert kendall_w(alike) == 1.0 and kendall_w([[[0], [1], [2]], [[2], [1], [0]]]) == 0.0
    assert kendall_w(alike[:1]) is None and kendall_w([]) is None and kendall_w([[[0, 1]], [[1, 0]]]) is None
    assert kendall_w([[[0], [1], [2]], [[0], [2]]]) == 1.0  # of those that both ranked
    generator = np.random.default_rng(0)
    for _ in range(20):
        scores = generator.integers(0, 4, (4, 6))
        rankings = [[np.flatnonzero(row == level).tolist() for level in np.unique(row)] for row in scores]
        friedman = friedmanchisquare(*scores.T).statistic / (4 * 5)  # the same but for a factor, ties included
        assert kendall_w(rankings) == pytest.approx(friedman)


def test_a_ranking_follows_the_answers() -> None:
    said: list[tuple[int, int, Answer]] = [(0, 1, "second"), (1, CHAMPION, "tie"), (2, CHAMPION, "skip")]
    assert order_of(said) == ((CHAMPION, 1), (0,)), "those found alike are tied"
    long_held: list[tuple[int, int, Answer]] = [(1, 0, "first"), (2, 1, "second"), (3, 1, "second"), (4, 1, "first")]
    assert order_of(long_held)[0] == (4,), "who beat a long-standing holder stands before it, with fewer wins"
    assert order_of([(0, 1, "first"), (1, 2, "first"), (2, 0, "first")]) == ((0, 1, 2),)
    lifted: list[tuple[int, int, Answer]] = [(0, 1, "first"), (1, 2, "tie"), *((2, n, "first") for n in (3, 4, 5))]
    places = [number for group in order_of(lifted) for number in group]
    assert places.index(0) < places.index(1), "a tie lifts nobody past who was preferred to them"
    assert order_of([(0, 1, "tie"), (1, 2, "tie"), (0, 2, "first")]) == ((0, 1), (2,)), "not all ties can hold"


@pytest.mark.parametrize("ties", [0.1, 0.2, 0.5])
def test_ties_turn_no_preference_of_a_raters_round(ties: float, tmp_path: Path) -> None:
    for seed in range(100):
        scores = np.random.default_rng(seed).random(7)
        asked = replace(question(tmp_path, scores[:-1].tolist(), float(scores[-1]), iteration=1), seed=seed)
        judgement = compare(f"metric:raters=3,ties={ties}", asked)
        for ranking in judgement.rankings.values():
            place = {number: place for place, group in enumerate(ranking) for number in group}
            for made in judgement.preferences:
                first, second = (CHAMPION if at == (0, 9) else at[1] for at in (made.first, made.second))
                if made.answer in ("first", "second"):
                    assert (place[first] < place[second]) == (made.answer == "first")


def test_raters_who_never_err_are_told_with_an_order_that_contradicts_no_answer_of_theirs(tmp_path: Path) -> None:
    for seed in range(100):
        scores = np.random.default_rng(seed).permutation(SCORES)
        asked = question(tmp_path, scores[:-1].tolist(), float(scores[-1]), iteration=1)
        judgement = compare("metric:raters=3", replace(asked, seed=seed))
        for ranking in judgement.rankings.values():
            numbers = [number for group in ranking for number in group]
            assert next(number for number in numbers if number != CHAMPION) == judgement.best
            place = {number: place for place, group in enumerate(ranking) for number in group}
            for made in judgement.preferences:
                first, second = (CHAMPION if at == (0, 9) else at[1] for at in (made.first, made.second))
                assert (place[first] < place[second]) == (made.answer == "first")


def test_a_run_by_raters_who_err(tmp_path: Path) -> None:
    model = runs.recording(tmp_path / "s.jsonl", {Key(0, 0, 0): runs.TIMID, Key(0, 1, 0): runs.GOOD})
    spec = "metric:mistakes=1,raters=3,segment=0.5,myopia=0.5"
    config = runs.config(model, method="icpl", judge=spec, iterations=1, final_seeds=1)
    result = synthesize(config, root=tmp_path, name="one")
    assert result.candidate == 0, "who is always wrong prefers the reward that rests"
    assert result.judge == "metric:mistakes=1.0,raters=3,segment=0.5,myopia=0.5" and result.queries == 3
    (kept,) = [value for key, value in read_steps(tmp_path / "one").items() if key.stage == "judgement"]
    judgement = decode(Judgement, kept)
    assert judgement.agreement == 1.0 and judgement.rankings["rater 3"] == ((0,), (1,))


def test_erring_costs_what_the_results_say(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    import judge_noise as bench

    kept = (repository / "benchmarks/results/judge_noise.jsonl").read_text().splitlines()
    printed = bench.markdown([json.loads(line) for line in kept]).splitlines()
    written = (repository / "docs/results.md").read_text()
    assert len(printed) == 2 + len(bench.JUDGES) and [line for line in printed if line not in written] == []

    pool = bench.pool_of("mujoco/halfcheetah-run")
    named = {name: find_judge(bench.spec_of(name, pool.metric)) for name in (bench.ORACLE, "metric:mistakes=0.4")}
    sure, unsure, coin = ([bench.search(pool, judge, seed) for seed in range(40)] for judge in (*named.values(), None))
    assert all(all(each.best_right) and all(each.worst_right) and each.queries == 49 for each in sure)
    reached = [float(np.mean([each.reached for each in found])) for found in (sure, unsure, coin)]
    assert 1.0 >= reached[0] > reached[1] > reached[2] > 0.0
    row = next(row for row in map(json.loads, kept) if (row["task"], row["judge"]) == (pool.task.id, bench.ORACLE))
    low, high = np.mean([each.reached for each in sure]) + np.array([-0.05, 0.05])
    assert low < row["reached"][0] < high and row["repetitions"] >= 200

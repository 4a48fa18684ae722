"""Scoring: seeds that never meet, one whole episode a seed, intervals, floors, clips."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from optimisation import NearSource
from pointmass import pointmass_task

from reward_agent.errors import UsageError
from reward_agent.optimise.sb3 import RESET_SEEDS
from reward_agent.schema import Array
from reward_agent.scoring import (
    SeedPlan,
    confidence_interval,
    no_op,
    play,
    random_policy,
    record_video,
    roll_out,
)
from reward_agent.task import Episode, Metric
from reward_agent.wording import interval

RUNS = (0, 1, 2, 12345, 2**40)


def to_goal(observations: Array) -> Array:
    """A controller by hand that reaches the goal and stays."""
    return np.clip(3.0 * (observations[:, 2:] - observations[:, :1]) - 2.0 * observations[:, 1:2], -1, 1)


def outwards(observations: Array) -> Array:
    """Leaves by the nearest side: rows end at different steps."""
    return np.where(observations[:, :1] > 0, 1.0, -0.9)


def recorder(name: str, score: Callable[[Episode], float], *fields: str) -> Metric:
    return Metric(name, "fitness", "for a test", fields, score)


def test_the_four_streams_of_seeds_never_meet() -> None:
    plan = SeedPlan()
    training = {plan.training_seed(run, i, c) for run in RUNS for i in range(20) for c in range(20)}
    final = {plan.final_seed(run, i) for run in RUNS for i in range(100)}
    select = {int(seed) for run in RUNS for seed in plan.select_seeds(run, 500)}
    report = {int(seed) for run in RUNS for seed in plan.report_seeds(run, 500)}
    assert [len(s) for s in (training, final, select, report)] == [2000, 500, 2500, 2500]
    assert len(training | final | select | report) == 7500
    # not by luck: each stream has numbers of its own, and episodes of a training yet others
    assert all(seed % 2 == 0 and 0 <= seed < 2**32 for seed in training)
    assert all(seed % 2 == 1 and 0 <= seed < 2**32 for seed in final)
    assert all(RESET_SEEDS <= seed < 2 * RESET_SEEDS for seed in select)
    assert all(2 * RESET_SEEDS <= seed < 4 * RESET_SEEDS for seed in report)


def test_seeds_of_an_evaluation_are_none_of_a_run() -> None:
    plan = SeedPlan()
    for seed in RUNS:
        training = {plan.evaluation_training_seed(seed, i) for i in range(100)}
        assert len(training) == 100 and all(s % 2 == 1 and 0 <= s < 2**32 for s in training), "none of a search's"
        assert not training & {plan.final_seed(run, i) for run in RUNS for i in range(100)}
        report = {int(s) for s in plan.evaluation_report_seeds(seed, 500)}
        assert len(report) == 500 and all(2 * RESET_SEEDS <= s < 4 * RESET_SEEDS for s in report)
        assert not report & {int(s) for run in RUNS for s in plan.report_seeds(run, 500)}
    np.testing.assert_array_equal(plan.evaluation_report_seeds(3, 50)[:8], plan.evaluation_report_seeds(3, 8))


def test_seeds_of_a_run_are_those_of_earlier_versions() -> None:
    """A run goes on with the seeds it began with."""
    plan = SeedPlan()
    found = [plan.training_seed(0, 1, 2), plan.final_seed(0, 1), *plan.select_seeds(0, 2), *plan.report_seeds(0, 2)]
    searched, final = 743855360, 618621611
    selected = 4362428932912746689, 3563284323268274843
    assert found == [searched, final, *selected, 7921283343640752879, 9000267625463972181]


def test_seeds_are_the_same_each_time_and_a_longer_list_begins_with_the_shorter() -> None:
    assert SeedPlan.training_seed(3, 1, 2) == SeedPlan.training_seed(3, 1, 2) != SeedPlan.training_seed(3, 2, 1)
    np.testing.assert_array_equal(SeedPlan.select_seeds(3, 50)[:8], SeedPlan.select_seeds(3, 8))
    assert SeedPlan.select_seeds(3, 8).dtype == np.int64
    further = SeedPlan.further_seeds(3, 50, 10)
    assert len(further) == 10 and not set(further) & set(SeedPlan.report_seeds(3, 50))
    np.testing.assert_array_equal(further, SeedPlan.report_seeds(3, 60)[50:])


def test_scores_are_of_the_whole_episode_and_in_the_order_of_the_seeds() -> None:
    seeds = SeedPlan.select_seeds(0, 23)
    metrics = (
        recorder("start", lambda e: float(e.state.start.point.position[0]), "start.point.position"),
        recorder("steps", lambda e: float(len(e.action))),
        recorder("states", lambda e: float(len(e.state.point.position)), "point.position"),
        recorder("last", lambda e: float(e.state.point.position[-1]), "point.position"),
        recorder("ended", lambda e: float(e.terminated)),
        recorder("time", lambda e: float(e.state.episode.time[-1]), "episode.time"),
        recorder("force", lambda e: float(e.action.mean())),
        recorder("seconds", lambda e: e.dt * e.constants.dt),
    )
    scores = roll_out(pointmass_task(), outwards, seeds, metrics, num_envs=4)
    starts = [np.random.default_rng(seed).uniform(-0.1, 0.1) for seed in seeds]
    np.testing.assert_allclose(scores["start"], starts)
    np.testing.assert_allclose(scores["states"], scores["steps"] + 1)
    assert scores["ended"].all() and (np.abs(scores["last"]) > 3).all() and (np.abs(scores["last"]) < 3.2).all()
    np.testing.assert_allclose(scores["time"], scores["steps"] * 0.05)
    np.testing.assert_allclose(scores["force"], np.where(np.array(starts) > 0, 1.0, -0.9))
    assert len(set(scores["steps"])) > 1 and scores["steps"].max() < 60
    np.testing.assert_allclose(scores["seconds"], 0.0025)


@pytest.mark.parametrize("num_envs", [1, 3, 64])
def test_how_many_are_played_at_once_changes_nothing(num_envs: int) -> None:
    seeds = SeedPlan.report_seeds(1, 10)
    together = roll_out(pointmass_task(), outwards, seeds, num_envs=10)
    scores = roll_out(pointmass_task(), outwards, seeds, num_envs=num_envs)
    np.testing.assert_array_equal(scores["closeness"], together["closeness"])


def test_the_metric_judges_and_the_floors_are_low() -> None:
    task, seeds = pointmass_task(), SeedPlan.report_seeds(0, 40)
    assert roll_out(task, to_goal, seeds)["success"].mean() == 1.0
    assert roll_out(task, no_op(task), seeds)["success"].mean() == 0.0
    assert roll_out(task, random_policy(task, 0), seeds)["success"].mean() < 0.3


def test_floors_act_within_the_bounds() -> None:
    task = pointmass_task()
    drawn = random_policy(task, 0)(np.zeros((5000, 3)))
    assert drawn.shape == (5000, 1) and drawn.min() < -0.99 and drawn.max() > 0.99 and np.abs(drawn).max() <= 1
    np.testing.assert_array_equal(drawn, random_policy(task, 0)(np.zeros((5000, 3))))
    np.testing.assert_array_equal(no_op(task)(np.zeros((2, 3))), np.zeros((2, 1)))


def test_a_metric_reads_what_rewards_may_not() -> None:
    hidden = replace(pointmass_task(), hide=("goal",))
    seeds = SeedPlan.select_seeds(2, 5)
    np.testing.assert_array_equal(
        roll_out(hidden, to_goal, seeds)["closeness"], roll_out(pointmass_task(), to_goal, seeds)["closeness"]
    )


def test_no_seeds_no_scores() -> None:
    assert roll_out(pointmass_task(), to_goal, [])["success"].shape == (0,)


def test_a_policy_that_wants_the_time_gets_it() -> None:
    class Timed:
        observe_time = True
        seen: list[float] = []  # noqa: RUF012

        def __call__(self, observations: Array) -> Array:
            self.seen.append(float(observations[0, 3]))
            return np.zeros((len(observations), 1))

    roll_out(pointmass_task(), Timed(), [1, 2])
    np.testing.assert_allclose(Timed.seen, np.arange(60) / 60)


def test_actions_beyond_the_bounds_are_judged_as_applied() -> None:
    episodes: list[Episode] = []
    play(pointmass_task(), lambda o: np.full((len(o), 1), 7.0), [5], set(), lambda _, e: episodes.append(e))
    assert (episodes[0].action == 1.0).all()


@pytest.mark.parametrize("runs", [3, 40])
def test_an_interval_covers_the_mean_as_often_as_it_says(runs: int) -> None:
    """With three runs as well, which is what is usual."""
    generator = np.random.default_rng(0)
    intervals = [confidence_interval(generator.normal(3.0, 1.0, (runs, 1))) for _ in range(400)]
    covered = sum(low <= 3.0 <= high for _, low, high in intervals)
    assert 367 <= covered <= 393, "95 % of 400, give or take three deviations"


def test_an_interval_shrinks_with_samples() -> None:
    wide, narrow = confidence_interval(np.arange(10.0)), confidence_interval(np.tile(np.arange(10.0), 100))
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)


def test_an_interval_over_runs_hears_of_runs_alone() -> None:
    runs = np.array([[0.0, 10.0, 5.0], [5.0, 5.0, 5.0], [8.0, 2.0, 5.0]])
    assert confidence_interval(runs) == (5.0, 5.0, 5.0)
    apart = confidence_interval(np.array([[1.0] * 50, [3.0] * 50]))
    assert apart.mean == 2.0 and apart.low < 1.0 and apart.high > 3.0, "two runs say little"
    one = confidence_interval(np.array([[1.0, 3.0] * 50]))
    assert 1.7 < one.low < 2.0 < one.high < 2.3
    with pytest.raises(UsageError, match="no samples"):
        confidence_interval([])


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([[0], [0], [1]], (1 / 3, 0.0, 1.0)),
        ([[1], [1], [1]], (1.0, 0.025 ** (1 / 3), 1.0)),
        ([[0, 0]] * 3, (0.0, 0.0, 1 - 0.025 ** (1 / 3))),
        ([[0] * 50], (0.0, 0.0, 1 - 0.025 ** (1 / 50))),
        ([[1], [0]], (0.5, 0.0, 1.0)),
        ([[1] * 3 + [0] * 7], (0.3, 0.066739511, 0.652452850)),  # R: binom.test(3, 10)
        ([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0]], (5 / 12, 5 / 12 - 4.3026527 / 12, 5 / 12 + 4.3026527 / 12)),
    ],
)
def test_an_interval_of_successes_is_one_of_shares(runs: list[list[int]], expected: tuple[float, ...]) -> None:
    assert confidence_interval(runs, "success") == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", ["success", "fitness"])
def test_one_episode_has_a_score_and_no_interval(kind: Literal["success", "fitness"]) -> None:
    one = confidence_interval([1.0], kind)
    assert one.single and interval(one) == "1" and one.in_data() == {"mean": 1.0, "low": None, "high": None}
    alike = confidence_interval([1.0] * 20)
    assert alike == (1.0, 1.0, 1.0) and not alike.single and interval(alike) == "1 [1, 1]"
    assert interval(confidence_interval([1.0] * 20, "success")) == "1 [0.8316, 1]"


def test_an_interval_of_successes_covers_their_rate() -> None:
    generator = np.random.default_rng(0)
    for rate in (0.02, 0.5, 0.97):
        intervals = [confidence_interval(generator.random(20) < rate, "success") for _ in range(400)]
        assert sum(low <= rate <= high for _, low, high in intervals) >= 367, "at least 95 % of 400, within three sigma"


def test_successes_that_are_no_numbers_have_no_interval() -> None:
    for runs in ([[float("nan"), 1.0]], [[float("nan")], [1.0]]):
        assert np.isnan(confidence_interval(runs, "success")).all()


@pytest.mark.parametrize(("act", "frames"), [(to_goal, 21), (outwards, None)])
def test_a_clip_is_short_whole_and_in_real_time(
    act: Callable[[Array], Array], frames: int | None, tmp_path: Path
) -> None:
    import imageio_ffmpeg

    path = tmp_path / "clip.mp4"
    record_video(pointmass_task(), act, 3, path, max_frames=30)
    count, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    steps: list[int] = []
    play(pointmass_task(), act, [3], set(), lambda _, e: steps.append(len(e.action)))
    assert 15 < count <= 30 and (frames is None or count == frames)
    assert seconds == pytest.approx(steps[0] * 0.05, abs=0.25)
    probe = subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path)], capture_output=True, text=True)
    assert "128x32" in probe.stderr


def test_training_and_evaluation_episodes_never_share_a_seed() -> None:
    from reward_agent.optimise.sb3 import TaskVecEnv

    env = TaskVecEnv(pointmass_task(), NearSource(), 64, SeedPlan.training_seed(0, 0, 0))
    drawn = env._generator.integers(RESET_SEEDS, size=100_000)
    assert drawn.max() < min(SeedPlan.select_seeds(0, 1000).min(), SeedPlan.report_seeds(0, 1000).min())

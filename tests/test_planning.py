"""Planning: splines, samplers, copies of episodes, and the planner as an optimiser like any other."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pointmass
import pytest
from pointmass import EXPERT, forking_task, numbered_task, pointmass_task

from reward_agent.api import evaluate
from reward_agent.cli.answer import plain
from reward_agent.cli.eval import _text, _value
from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.envs.registry import find_task
from reward_agent.errors import UsageError
from reward_agent.events import Event, Scoring, TrainingStarted
from reward_agent.history import Outcome
from reward_agent.optimise import find_optimiser
from reward_agent.optimise.choice import choose_training, real_time_factor, scoring_steps, usual
from reward_agent.optimise.policy import load_policy
from reward_agent.planning.imagination import Imagination
from reward_agent.planning.performance import Performing
from reward_agent.planning.planner import PlannerSettings
from reward_agent.planning.policy import PlannedPolicy
from reward_agent.planning.samplers import SAMPLERS, Spread, find_sampler
from reward_agent.planning.splines import weights
from reward_agent.program import Program, Rewards
from reward_agent.schema import Array
from reward_agent.scoring import play, record_video, roll_out
from reward_agent.sources.cell import CellSource
from reward_agent.task import Bools, Task

QUICK = PlannerSettings(samples=16, seconds=0.5, threads=1)


class Nearness:
    """A reward source of our own: minus the distance to the goal."""

    term_names = ("near",)
    fields = ("point.position", "goal.position")

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        self.shapes.append(next_state.shape)
        near = -np.abs(next_state[..., 0] - next_state[..., 1])
        return Rewards(near, near[..., None])

    def close(self) -> None:
        pass


@pytest.mark.parametrize("order", ["zero", "linear", "cubic"])
def test_splines_go_through_their_knots_and_keep_what_is_constant(order: str) -> None:
    knots = np.array([0.3, -1.0, 0.5, 0.2])
    at_knots = weights(np.linspace(0, 1, 4), 4, order) @ knots
    np.testing.assert_allclose(at_knots, knots, atol=1e-12)
    table = weights(np.linspace(0, 1.5, 40), 4, order)
    np.testing.assert_allclose(table.sum(axis=1), 1.0)
    assert table[-1] @ knots == pytest.approx(0.2)  # after the end the last knot holds
    np.testing.assert_allclose(weights(np.linspace(0, 1, 5), 1, order), 1.0)


def test_linear_splines_are_straight_and_cubic_ones_smooth() -> None:
    ramp = np.array([0.0, 1.0, 2.0])
    times = np.linspace(0, 1, 9)
    np.testing.assert_allclose(weights(times, 3, "linear") @ ramp, 2 * times)
    corner = np.array([0.0, 0.0, 1.0, 1.0])
    fine = np.linspace(0, 1, 301)
    cubic, linear = (np.abs(np.diff(weights(fine, 4, order) @ corner, 2)).max() for order in ("cubic", "linear"))
    assert cubic < linear / 5


def test_an_unknown_order_or_sampler_names_the_closest() -> None:
    with pytest.raises(UsageError, match="cubic"):
        weights(np.zeros(1), 3, "qubic")
    with pytest.raises(UsageError, match="predictive"):
        find_sampler("predictiv")


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers_climb_a_hill_without_losing_it(name: str) -> None:
    target = np.array([0.6, -0.4])

    def value(knots: Array) -> Array:
        return -((knots[:, 0] - target) ** 2).sum(axis=-1)

    sampler = SAMPLERS[name](1, 2, 40, Spread(0.3, 0.3, 0.7))
    generator = np.random.default_rng(0)
    for _ in range(10):
        for iteration in range(3):
            proposed = sampler.propose(generator, iteration)
            assert proposed.shape == (40, 1, 2) and np.abs(proposed).max() <= 1.0
            np.testing.assert_array_equal(proposed[0], sampler.mean)
            sampler.update(proposed, value(proposed))
    assert np.abs(sampler.mean[0] - target).max() < 0.1
    sampler.begin()
    assert not sampler.mean.any()


def test_the_best_stay_in_the_running() -> None:
    sampler = find_sampler("cem")(2, 1, 20, Spread(0.3, 0.3, 1.0))
    generator, lucky = np.random.default_rng(0), np.array([[0.9], [-0.9]])
    proposed = sampler.propose(generator, 0)
    proposed[-1] = lucky
    sampler.update(proposed, np.append(np.full(19, -1.0), 0.0))
    again = sampler.propose(generator, 1)
    sampler.update(again, np.full(20, -2.0))  # none as good as those before
    assert sampler.mean[0, 0] > 0.2  # of three, with the lucky one among them
    sampler.advance(np.eye(2)[::-1])
    assert any(np.array_equal(plan, lucky[::-1]) for plan in sampler.propose(generator, 0))


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("samples", [4, 6, 12])
def test_few_samples_explore_in_every_plan(name: str, samples: int) -> None:
    sampler, generator = find_sampler(name)(1, 1, samples, Spread(0.3, 0.3, 1.0)), np.random.default_rng(0)
    for _ in range(3):
        first, second = (copy.deepcopy(sampler).propose(np.random.default_rng(seed), 0) for seed in (1, 2))
        assert (first != second).any(), "all of it is what was known before"
        sampler.update(proposed := sampler.propose(generator, 0), np.arange(len(proposed), dtype=float))
        sampler.advance(np.eye(1))


def test_fewer_samples_than_explore_are_refused() -> None:
    task = forking_task()
    assert choose_training(task, "mpc", changes={"samples": 4})
    with pytest.raises(UsageError, match="samples"):
        choose_training(task, "mpc", changes={"samples": 3})


def test_the_deviation_narrows_with_decay() -> None:
    def spread_of(decay: float) -> float:
        sampler = find_sampler("cem")(1, 1, 400, Spread(0.3, 0.3, decay))
        generator = np.random.default_rng(0)
        proposed = sampler.propose(generator, 0)
        sampler.update(proposed, -np.abs(proposed[:, 0, 0]))
        return float(sampler.propose(generator, 1)[3:].std())

    assert spread_of(0.1) < spread_of(1.0)


def test_noise_changes_along_the_plan_and_with_each_iteration() -> None:
    sampler = find_sampler("predictive")(3, 1, 4000, Spread(0.1, 0.3, 0.5))
    generator = np.random.default_rng(1)
    first, second = (sampler.propose(generator, i)[3:, :, 0].std(axis=0) for i in (0, 1))
    np.testing.assert_allclose(first, [0.1, 0.2, 0.3], rtol=0.1)
    np.testing.assert_allclose(second, first / 2, rtol=0.1)


@pytest.mark.parametrize("task", [forking_task(), find_task("quadruped/lift-paw"), find_task("mujoco/ant-wave-leg")])
def test_copies_go_on_exactly_as_the_episodes_they_are_of(task: Task) -> None:
    fields = [f.path for f in task.world.schema().fields if not f.hidden][:6]
    wanted = ("front_left_foot.air_time", "start.torso.position", "episode.time", "episode.previous_action")
    fields += [path for path in wanted if path in task_schema(task)]
    real, copies = Episodes(task, 2, [*fields, task.world.schema().fields[-1].path]), Episodes(task, 3, fields)
    generator = np.random.default_rng(0)
    real.reset(np.ones(2, bool), np.array([3, 4]))
    actions = [real.actions.draw(generator, 2) for _ in range(12)]
    for action in actions[:5]:
        real.step(action)
    rows = np.array([1, 0, 1])
    copies.fork(real, rows)
    before = real.save()
    columns = real.schema.indices(copies.schema.by_path)
    np.testing.assert_array_equal(copies.states, real.states[rows][:, columns])
    imagined = [copies.step(action[rows]) for action in actions[5:]]
    for name, values in real.save().items():
        np.testing.assert_array_equal(values, before[name])  # what is imagined leaves no trace
    for action, copied in zip(actions[5:], imagined, strict=True):
        step = real.step(action)
        np.testing.assert_array_equal(copied.states, step.states[rows][:, columns])
        np.testing.assert_array_equal(copied.terminated, step.terminated[rows])
    real.close()
    copies.close()


def test_all_rewards_of_a_plan_are_asked_for_at_once_and_end_with_the_episode() -> None:
    source, task = Nearness(), forking_task()
    real = Episodes(task, 2, source.fields)
    real.reset(np.ones(2, bool), np.array([0, 1]))
    imagination = Imagination(task, source, 2, 3)
    actions = np.zeros((2, 3, 60, 1))
    actions[0, 1], actions[0, 2] = 1.0, -1.0
    returns = imagination.returns(real, actions)
    assert source.shapes == [(60, 6, 2)]
    assert imagination.steps == 60 * 6
    assert returns.shape == (2, 3)
    goal = real.states[0, 1]
    assert returns[0, 1 if goal > 0 else 2] > returns[0, 2 if goal > 0 else 1]
    imagination.close()


def test_the_same_seed_gives_the_same_actions_and_threads_change_nothing() -> None:
    def actions(settings: PlannerSettings, seed: int) -> Array:
        task = find_task("quadruped/lift-paw")
        source = _Low()
        with Performing(task, source, settings, seed) as performing:
            performing.begin(5)
            return performing.go_on(4).actions

    one = PlannerSettings(samples=6, seconds=0.2, threads=1)
    np.testing.assert_array_equal(actions(one, 0), actions(one, 0))
    np.testing.assert_array_equal(actions(one, 0), actions(replace(one, threads=2), 0))
    assert np.abs(actions(one, 0) - actions(one, 1)).max() > 0.01


@pytest.mark.parametrize("beside", [[], [7], [6, 7, 8]])
def test_an_episode_is_acted_in_as_if_it_were_alone(beside: list[int]) -> None:
    def scores(seeds: list[int]) -> Array:
        policy = PlannedPolicy(None, replace(QUICK, rows=2), 0, source=Nearness())
        return roll_out(forking_task(), policy, seeds)["closeness"]

    assert scores([5, *beside])[0] == scores([5])[0] == scores([*beside, 5])[-1]


@pytest.mark.needs("bubblewrap")
def test_an_episode_of_a_robot_depends_on_its_program_and_seed_alone() -> None:
    task = replace(find_task("quadruped/spin"), horizon=25)
    assert task.expert
    program = Program(task.expert.read_text())

    def torso(rows: int) -> Array:
        settings = replace(QUICK, rows=rows, samples=8, seconds=0.1, every=0.06)
        episodes: dict[int, Array] = {}
        fields = {"torso.position", "joints.angles"}
        played = PlannedPolicy(program, settings, 0)
        play(task, played, [3, 4, 5], fields, lambda index, e: episodes.update({index: e.state.joints.angles}))
        return np.stack([episodes[index] for index in range(3)])

    np.testing.assert_array_equal(torso(1), torso(2))


class _Low(Nearness):
    """Minus the height of the torso."""

    fields = ("torso.position",)

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        low = -next_state[..., 2]
        return Rewards(low, low[..., None])


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_planning_on_a_program_reaches_the_goal(sampler: str) -> None:
    policy = PlannedPolicy(Program(EXPERT), replace(QUICK, sampler=sampler), 0)
    scores = roll_out(forking_task(), policy, list(range(6)))
    assert scores["success"].mean() >= 5 / 6
    away = Program(EXPERT.replace("-2.0 *", "2.0 *"))
    assert roll_out(forking_task(), PlannedPolicy(away, QUICK, 0), [0, 1])["success"].mean() == 0


@pytest.mark.needs("bubblewrap")
def test_a_policy_that_plans_is_saved_loaded_and_filmed(tmp_path: Path) -> None:
    policy = PlannedPolicy(Program(EXPERT), QUICK, 3)
    policy.save(tmp_path)
    again = load_policy(tmp_path)
    assert again == policy
    first, second = (roll_out(forking_task(), each, [1, 2])["closeness"] for each in (policy, again))
    np.testing.assert_array_equal(first, second)
    record_video(forking_task(), again, 1, tmp_path / "clip.mp4")
    assert (tmp_path / "clip.mp4").stat().st_size > 1000


def test_no_file_can_take_its_program_out_of_the_sandbox(tmp_path: Path) -> None:
    PlannedPolicy(Program(EXPERT), QUICK, 3, unsafe=True).save(tmp_path)
    facts = json.loads((tmp_path / "policy.json").read_text())
    (tmp_path / "policy.json").write_text(json.dumps(facts | {"unsafe": True}))
    found = load_policy(tmp_path)
    assert isinstance(found, PlannedPolicy) and not found.unsafe
    asked_for = load_policy(tmp_path, unsafe=True)
    assert isinstance(asked_for, PlannedPolicy) and asked_for.unsafe


def test_a_planner_on_no_program_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="plans on a reward program"):
        PlannedPolicy(None, QUICK, 0, source=Nearness()).save(tmp_path)


@pytest.mark.needs("bubblewrap")
def test_it_is_an_optimiser_like_any_other() -> None:
    task = forking_task()
    source = CellSource(Program(EXPERT), task)
    progress: list[int] = []
    trained = find_optimiser("mpc")(
        task, source, 20_000, 0, settings={"samples": 8}, progress=lambda at: progress.append(at.steps)
    )
    assert trained.steps >= 20_000 and trained.curves.steps[-1] == trained.steps == progress[-1]
    assert set(trained.curves.terms) == {"near", "effort"}
    near = trained.curves.terms["near"]
    assert near[-1] > near[0]  # within its first episode it goes to the goal
    stopped = find_optimiser("mpc")(task, source, 20_000, 0, settings={"samples": 16}, stop=lambda: True)
    assert stopped.steps < 20_000
    source.close()


def test_tasks_that_cannot_be_planned_are_refused_with_a_way_out() -> None:
    for task in (pointmass_task(), numbered_task()):
        with pytest.raises(UsageError, match="--optimiser ppo"):
            choose_training(task, "mpc")
    assert usual("mpc").trainings == 1 and usual("ppo").trainings == 3


@pytest.mark.needs("bubblewrap")
def test_eval_takes_the_tasks_own_optimiser_and_few_episodes() -> None:
    expert = find_task("quadruped/lift-paw").expert
    assert expert
    told: list[Event] = []
    found = evaluate(
        expert,
        "quadruped/lift-paw",
        budget=1000,
        episodes=1,
        events=told.append,
        settings={"samples": 8, "seconds": 0.2, "every": 0.08, "threads": 1},
        jobs=1,
    )
    assert found.ok and found.choice.optimiser == "mpc" and len(found.outcomes) == 1
    assert 0.0 <= found.metrics["progress"].mean <= 1.0
    (factor,), (outcome,) = found.real_time_factors, found.outcomes
    assert isinstance(outcome, Outcome)
    task = find_task("quadruped/lift-paw")
    assert factor == real_time_factor(found.choice, task, outcome.steps / outcome.seconds)
    assert [event.doing for event in told if isinstance(event, TrainingStarted)] == [usual("mpc").doing]
    assert [(event.done, event.episodes) for event in told if isinstance(event, Scoring)] == [(0, 1), (1, 1)]
    shown = plain(_value(found, "quadruped/lift-paw"))
    assert shown["metrics"]["progress"]["low"] is None and "[" not in _text(found, "mine.py").split("\n")[1]
    told_of_two = _text(replace(found, seeds=(5, 7), real_time_factors=(0.04, 0.5)), "mine.py").splitlines()
    assert "  seed 0: planned at 0.04 times real time" in told_of_two
    assert "  seed 1: planned at 0.5 times real time" in told_of_two
    one = replace(found, real_time_factors=(0.5,))
    assert "  planned at 0.5 times real time" in _text(one, "mine.py").splitlines()
    assert _value(one, "quadruped/lift-paw")["real_time_factor"] == [0.5]
    second_alone = replace(found, seeds=(5, 7), real_time_factors=(None, 0.5))
    assert _value(second_alone, "quadruped/lift-paw")["real_time_factor"] == [None, 0.5], "one a seed"


@pytest.mark.needs("bubblewrap")
def test_of_what_failed_as_it_was_planned_on_no_factor_is_known_and_each_is_told(tmp_path: Path) -> None:
    fails = "import numpy as np\n\n" + EXPERT.partition("import numpy as np")[2].strip()
    fails = fails.replace("    return", "    assert len(action) != 60, 'as many as no probe gives'\n    return")
    (tmp_path / "reward.py").write_text(fails)
    settings = {"samples": 60, "seconds": 0.05, "iterations": 1, "threads": 1}
    where = f"{pointmass.__file__}:forking"
    found = evaluate(
        tmp_path / "reward.py", where, budget=500, seeds=2, episodes=1, optimiser="mpc", settings=settings, jobs=1
    )
    assert found.verdict.ok and not found.ok
    assert found.real_time_factors == (None, None)


def test_a_plan_of_a_run_counts_the_episodes_that_are_planned_to_be_scored() -> None:
    task = find_task("quadruped/spin")
    choice = choose_training(task, "mpc", changes={"samples": 10, "iterations": 2, "seconds": 0.2, "every": 0.04})
    # 150 plans of 300 steps, each of 20 variations of 10 steps
    assert scoring_steps(choice, task) == 150 * 20 * 10
    assert scoring_steps(choose_training(task, "ppo"), task) == 0
    # an episode of 6 s that takes 12 s to plan
    assert real_time_factor(choice, task, 150 * 20 * 10 / 12) == pytest.approx(0.5)
    assert real_time_factor(choose_training(task, "ppo"), task, 1e4) is None

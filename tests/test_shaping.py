"""What subgoals are worth: the latch, order, decay, potential, the task's own goal; a training that goes by them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pointmass
import pytest

from reward_agent.api import as_vec_env
from reward_agent.envs.episodes import task_schema
from reward_agent.errors import UsageError
from reward_agent.optimise import Optimised, find_optimiser
from reward_agent.optimise.policy import Policy
from reward_agent.optimise.ppo import optimise
from reward_agent.program import SUBGOALS, Fault, Program, Rewards
from reward_agent.schema import Array
from reward_agent.sources import CountingSource, EpisodicSource, SourceFaultError
from reward_agent.sources.making import source_of
from reward_agent.sources.shaping import ShapedSource, shaping_of
from reward_agent.task import Bools
from reward_agent.vet import vet
from reward_agent.wrapper import SubgoalReward

PROGRAM = """
import numpy as np

def subgoals(state, action, next_state):
    near = np.abs(next_state.point.position - next_state.goal.position) < 0.2
    return {"moves": np.abs(next_state.point.velocity) > 0.05, "near": near}
"""


class Told(CountingSource):
    """Says what the test wrote into the first columns of the next state."""

    term_names = ("first", "second", "third")
    fields = ("point.position", "point.velocity", "goal.position")
    rewards = bad_rewards = 0

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        said = next_state[..., :3]
        return Rewards(said.sum(-1), said)

    def restore(self, rewards: int, bad_rewards: int) -> None:
        """Nothing is counted."""

    def close(self) -> None:
        """There is nothing to end."""


def paid(
    said: list[str],
    starts: tuple[int, ...] = (0,),
    ends: tuple[int, ...] = (),
    *,
    parts: int = 1,
    **shaping: float | bool,
) -> list[list[float]]:
    """What each step pays for first, second and third, where `said` has the digits of those that are reached."""
    source = ShapedSource(Told(), pointmass.task, shaping_of({"weight": 1.0, **shaping}))
    states = np.array([[[float(str(k) in each) for k in range(3)]] for each in said])
    width = task_schema(pointmass.task).select(source.fields).width
    states = np.concatenate([states, np.zeros((*states.shape[:2], width - 3))], -1)
    was_reset, terminated = (np.array([[t in at] for t in range(len(said))]) for at in (starts, ends))
    found = []
    for part in np.array_split(np.arange(len(said)), parts):
        given = source.of_episodes(
            states[part], np.zeros((len(part), 1, 1)), states[part], was_reset[part], terminated[part]
        )
        np.testing.assert_allclose(given.total, given.terms.sum(-1))
        found += given.terms[:, 0].tolist()
    return found


def test_a_subgoal_pays_once_an_episode() -> None:
    said = ["0", "01", "", "012", "0", "01"]
    wanted = [[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert paid(said, starts=(0, 4)) == wanted
    for parts in (2, 3, 6):  # the latch holds from one call to the next
        assert paid(said, starts=(0, 4), parts=parts) == wanted


def test_in_order_one_counts_only_after_those_before_it() -> None:
    assert paid(["1", "0", "1", "2"], ordered=True) == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert paid(["12", "012"], ordered=True) == [[0, 0, 0], [1, 1, 1]]


def test_decay_counts_the_steps_of_the_episode() -> None:
    assert paid(["", "0", "", "1"], starts=(0, 2), decay=0.5) == [[0, 0, 0], [0.5, 0, 0], [0, 0, 0], [0, 0.5, 0]]


def test_a_potential_adds_up_to_nothing_over_an_episode_that_ends() -> None:
    gamma = 0.9
    steps = np.array(paid(["0", "", "1", "2"], ends=(3,), potential=True, discount=gamma))
    assert steps[0].tolist() == [gamma, 0, 0] and steps[3, 2] == 0.0
    discounted = (gamma ** np.arange(4)[:, None] * steps).sum(0)
    np.testing.assert_allclose(discounted, 0.0, atol=1e-12)
    cut = np.array(paid(["0", "", "1", "2"], potential=True, discount=gamma))
    np.testing.assert_allclose((gamma ** np.arange(4)[:, None] * cut).sum(0), gamma**4)


def test_what_cannot_be_meant_so_is_refused() -> None:
    with pytest.raises(UsageError, match="Did you mean 'weight'"):
        shaping_of({"weigth": 1.0})
    with pytest.raises(UsageError, match="above 0"):
        shaping_of({"decay": 0.0})


def test_the_tasks_own_goal_is_paid_at_each_step_on_which_it_is_reached() -> None:
    task = replace(pointmass.task, goal="secret.reached")
    source = source_of(Program(PROGRAM, SUBGOALS), task, {"weight": 0.25, "goal": 2.0})
    assert source.term_names == ("goal", "moves", "near") and "secret.reached" in source.fields
    packed = task_schema(task).select(source.fields)
    states = np.zeros((3, 2, packed.width))
    states[1:, 0, packed.columns["secret.reached"]] = 1.0
    states[..., packed.columns["goal.position"]] = 5.0  # far, as the program sees it, who cannot read the flag
    given = source(states, np.zeros((3, 2, 1)), states, np.array([[True, True], [False, False], [False, False]]))
    assert given.terms[:, 0].tolist() == [[0, 0, 0], [2, 0, 0], [2, 0, 0]] and not given.terms[:, 1].any()
    source.close()


def test_a_program_tells_subgoals_in_the_cell() -> None:
    verdict = vet(Program(PROGRAM, SUBGOALS), pointmass.task)
    assert verdict.ok and verdict.term_names == ("moves", "near")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('return {"near": next_state.point.velocity}', "of dtype float64, but must be bool"),
        ("return next_state.point.velocity > 0", "must return a dict"),
        ("return {}", "dict of subgoals is empty"),
        ('return {"near": next_state.point.velocity[:, None] > 0}', "The subgoal 'near' has shape"),
        ('return {"ne ar": next_state.point.velocity > 0}', "A subgoal is named 'ne ar'"),
        ("pass", "returns nothing; return a dict of bool arrays"),
        ('return {"near": next_state.point.velocity > next_state.point.velocity.mean()}', "subgoal `near` of one"),
    ],
)
def test_what_tells_no_subgoals_is_a_fault(body: str, said: str) -> None:
    program = Program(f"def subgoals(state, action, next_state):\n    {body}\n", SUBGOALS)
    (fault,) = vet(program, pointmass.task).faults
    assert said.lower() in fault.message.lower(), fault


def test_an_entry_of_another_kind_is_missed() -> None:
    (fault,) = vet(Program(PROGRAM), pointmass.task).faults
    assert isinstance(fault, Fault) and "compute_reward" in fault.message


def train(folder: Path, budget: int, stop_after: int | None = None) -> Optimised:
    source = source_of(Program(PROGRAM, SUBGOALS), pointmass.task, {"weight": 0.5})
    assert isinstance(source, EpisodicSource)
    seen: list[dict[str, float]] = []
    try:
        optimised = optimise(
            pointmass.task,
            source,
            budget,
            0,
            settings={"num_envs": 4, "rollout": 32, "checkpoint_seconds": 0},
            checkpoint=folder,
            progress=lambda progress: seen.append(dict(progress.terms)),
            stop=lambda: stop_after is not None and len(seen) >= stop_after,
        )
    finally:
        source.close()
    return optimised


def test_a_training_goes_by_subgoals_and_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", 768)
    assert whole.steps == 768 and set(whole.curves.terms) == {"moves", "near"}
    assert whole.curves.terms["moves"].max() > 0
    assert train(tmp_path / "parts", 768, stop_after=3).steps == 384
    parts = train(tmp_path / "parts", 768)
    for name, values in whole.curves.terms.items():
        np.testing.assert_array_equal(parts.curves.terms[name], values)
        np.testing.assert_array_equal(parts.curves.reached[name], whole.curves.reached[name])
    np.testing.assert_array_equal(parts.curves.episode_return, whole.curves.episode_return)
    assert isinstance(parts.policy, Policy) and isinstance(whole.policy, Policy)
    for one, other in zip(parts.policy.weights, whole.policy.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_was_reached_is_in_the_memory_of_a_training() -> None:
    """Cut anywhere: what comes after is paid as if it had not been."""
    generator, width = np.random.default_rng(3), task_schema(pointmass.task).select(Told.fields).width
    said = np.pad((generator.random((30, 2, 3)) < 0.3).astype(float), ((0, 0), (0, 0), (0, width - 3)))
    begins = generator.random((30, 2)) < 0.15
    begins[0] = True

    def ask(source: ShapedSource, steps: slice) -> list[list[list[float]]]:
        actions = np.zeros((len(said[steps]), 2, 1))
        return source(said[steps], actions, said[steps], begins[steps]).terms.tolist()

    made = partial(ShapedSource, Told(), pointmass.task, shaping_of({"decay": 0.9, "ordered": True}))
    whole = ask(made(), slice(None))
    for cut in (1, 7, 20, 29):
        first, later = made(), made()
        paid = ask(first, slice(cut))
        later.remember(first.memory())
        assert paid + ask(later, slice(cut, None)) == whole


def test_a_program_that_fails_later_is_a_fault_of_the_training() -> None:
    fails = "if (next_state.episode.time > 0.3).any():\n        raise ValueError('late')\n    return {"
    late = PROGRAM.replace("return {", fails)
    source = source_of(Program(late, SUBGOALS), pointmass.task)
    with pytest.raises(SourceFaultError, match="late"):
        optimise(pointmass.task, source, 2_000, 0, settings={"num_envs": 4, "rollout": 32})
    source.close()


def test_a_planner_refuses_what_hangs_on_the_episode() -> None:
    source = source_of(Program(PROGRAM, SUBGOALS), pointmass.task)
    with pytest.raises(UsageError, match="--optimiser ppo"):
        find_optimiser("mpc")(pointmass.task, source, 100, 0)
    source.close()


def test_ones_own_trainer_gets_what_subgoals_pay() -> None:
    env = as_vec_env(pointmass.task, Program(PROGRAM, SUBGOALS), num_envs=4)
    env.reset()
    paid = sum(env.step(np.ones((4, 1)))[1] for _ in range(10))
    assert ((paid > 0.09) & (paid < 0.21)).all(), "each moves, and may come near: once an episode each"
    env.close()


def test_shares_are_of_the_episodes_that_ended() -> None:
    width = task_schema(pointmass.task).select(Told.fields).width
    said = np.zeros((5, 2, width))
    said[0, 0, 0] = said[1, 0, 1] = said[3, 1, 2] = 1.0
    begins = np.array([[1, 1], [0, 0], [1, 0], [0, 0], [0, 1]], bool)

    def source_of_steps(steps: slice) -> ShapedSource:
        source = ShapedSource(Told(), pointmass.task, shaping_of({}))
        source(said[steps], np.zeros((len(said[steps]), 2, 1)), said[steps], begins[steps])
        return source

    source = source_of_steps(slice(None))
    assert source.reached_names == ("first", "second", "third")
    assert source.tally().tolist() == [2, 1, 1, 1], "two ended: one reached the first and second, one the third"
    assert source.tally().tolist() == [0, 0, 0, 0]
    later, again = source_of_steps(slice(None)), source_of_steps(slice(1))
    again.remember(later.memory())
    assert again.tally().tolist() == [2, 1, 1, 1], "a training that goes on counts from there"


@pytest.mark.parametrize(
    "changes",
    [{}, {"weight": 0.5, "decay": 0.9}, {"ordered": True, "decay": 0.5}, {"potential": True, "discount": 0.8}],
)
def test_what_is_exported_pays_as_the_training_did(changes: dict[str, float | bool]) -> None:
    generator, pay = np.random.default_rng(0), shaping_of(changes)
    width = task_schema(pointmass.task).select(Told.fields).width
    said = np.pad((generator.random((40, 1, 3)) < 0.2).astype(float), ((0, 0), (0, 0), (0, width - 3)))
    begins, ends = np.zeros((40, 1), bool), np.zeros((40, 1), bool)
    begins[[0, 15, 30]], ends[[14, 39]] = True, True
    source = ShapedSource(Told(), pointmass.task, pay)
    wanted = source.of_episodes(said, np.zeros((40, 1, 1)), said, begins, ends).terms[:, 0]
    settings = {name: getattr(pay, name) for name in ("weight", "decay", "ordered", "potential", "discount")}
    exported = SubgoalReward(lambda *step: dict(zip(Told.term_names, step[2][:, :3].T > 0.5, strict=True)), **settings)
    for step in range(40):
        if begins[step, 0]:
            exported.begin()
        total, terms = exported(None, None, said[step], bool(ends[step, 0]))
        np.testing.assert_allclose([terms[name][0] for name in Told.term_names], wanted[step])
        np.testing.assert_allclose(total[0], wanted[step].sum())


def test_settings_that_say_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="does not decay"):
        shaping_of({"potential": True, "decay": 0.9})
    with pytest.raises(UsageError, match="potential=true"):
        shaping_of({"discount": 0.9})

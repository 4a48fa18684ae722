"""Expert programs: the eleven native rewards beside Gymnasium's own, step for step, and all of them in the contract."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest

from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.envs.mujoco import tasks
from reward_agent.envs.mujoco.metrics import load_trusted
from reward_agent.program import Program
from reward_agent.static_check import check
from reward_agent.task import Episode

NATIVE = {
    "Hopper-v5": "hopper-forward",
    "HalfCheetah-v5": "halfcheetah-run",
    "Walker2d-v5": "walker2d-walk",
    "Ant-v5": "ant-forward",
    "Humanoid-v5": "humanoid-walk",
    "HumanoidStandup-v5": "humanoid-standup",
    "Swimmer-v5": "swimmer-swim",
    "Reacher-v5": "reacher-reach",
    "Pusher-v5": "pusher-push",
    "InvertedPendulum-v5": "inverted-pendulum-balance",
    "InvertedDoublePendulum-v5": "inverted-double-pendulum-balance",
}
NO_CONTACT_COSTS: dict[str, dict[str, Any]] = {
    "Ant-v5": {"contact_cost_weight": 0.0},
    "Humanoid-v5": {"contact_cost_weight": 0.0},
    "HumanoidStandup-v5": {"impact_cost_weight": 0.0},
}


def play(env: str, steps: int, *, up_to_date: bool) -> tuple[list[Episode], list[list[float]]]:
    """The same random actions through our world and through Gymnasium's environment, from the same seeds.

    Args:
        up_to_date: have Gymnasium compute positions for the state it is in. Left alone it reads positions as the
            last physics step left them, which belong to that sub-step's start.

    Returns:
        Our episodes with just the fields that the native metric reads, and Gymnasium's rewards.
    """
    import mujoco

    task = tasks()[f"mujoco/{NATIVE[env]}"]
    theirs = gymnasium.make(env, **NO_CONTACT_COSTS.get(env, {})).unwrapped
    if up_to_date:
        simulate = theirs.do_simulation

        def do_simulation(ctrl: Any, n_frames: int) -> None:
            simulate(ctrl, n_frames)
            mujoco.mj_kinematics(theirs.model, theirs.data)

        theirs.do_simulation = do_simulation
    ours = Episodes(task, 1, task.metrics[0].fields)
    rng = np.random.default_rng(0)
    episodes, rewards = [], []
    while sum(map(len, rewards)) < steps:
        seed = len(episodes)
        theirs.reset(seed=seed)
        if up_to_date:
            mujoco.mj_kinematics(theirs.model, theirs.data)
        ours.reset(np.ones(1, bool), np.array([seed]))
        states, actions, given, ended = [ours.states[0]], [], [], False
        while not ended and sum(map(len, rewards)) + len(given) < steps:
            action = rng.uniform(ours.action_space.low, ours.action_space.high).astype(np.float64)
            _, reward, terminated, _, _ = theirs.step(action)
            step = ours.step(action[None])
            assert bool(step.terminated[0]) == terminated
            states.append(step.states[0])
            actions.append(action)
            given.append(float(reward))
            ended = bool(step.terminated[0] or step.truncated[0])
        view, constants = ours.schema.view(np.stack(states)), task_schema(task).constants_view()
        episodes.append(Episode(view, np.stack(actions), bool(step.terminated[0]), constants, task.world.dt))
        rewards.append(given)
    return episodes, rewards


def cut(node: Any, rows: slice) -> Any:
    if isinstance(node, SimpleNamespace):
        return SimpleNamespace(**{name: cut(value, rows) for name, value in vars(node).items()})
    return node[rows]


@pytest.mark.parametrize("env", NATIVE)
def test_native_rewards_are_gymnasiums(env: str) -> None:
    task = tasks()[f"mujoco/{NATIVE[env]}"]
    assert task.expert is not None
    episodes, rewards = play(env, 1000, up_to_date=True)
    for episode, given in zip(episodes, rewards, strict=True):
        reward = load_trusted(task.expert, episode.constants)
        total, terms = reward(cut(episode.state, slice(None, -1)), episode.action, cut(episode.state, slice(1, None)))
        np.testing.assert_allclose(total, given, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(sum(terms.values()), total, rtol=0, atol=1e-12)
        assert task.metrics[0].score(episode) == pytest.approx(sum(given), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("env", "share"), [("Ant-v5", 1e-3), ("Humanoid-v5", 1e-5), ("Pusher-v5", 1e-3)])
def test_returns_differ_little_where_gymnasium_reads_positions_a_sub_step_old(env: str, share: float) -> None:
    task = tasks()[f"mujoco/{NATIVE[env]}"]
    episodes, rewards = play(env, 300, up_to_date=False)
    ours = sum(task.metrics[0].score(episode) for episode in episodes)
    theirs = sum(map(sum, rewards))
    assert ours == pytest.approx(theirs, rel=share)


@pytest.mark.parametrize("name", [name for name, task in tasks().items() if task.metrics])
def test_every_expert_passes_the_static_check_and_is_portable(name: str) -> None:
    task = tasks()[name]
    assert task.expert is not None
    report = check(Program(task.expert.read_text(encoding="utf-8")), task_schema(task).visible())
    assert report.faults == ()
    assert report.portable, report.unportable


@pytest.mark.parametrize("name", [f"mujoco/{task}" for task in NATIVE.values()])
def test_a_native_metric_declares_exactly_what_its_program_reads(name: str) -> None:
    task = tasks()[name]
    assert task.expert is not None
    report = check(Program(task.expert.read_text(encoding="utf-8")), task_schema(task).visible())
    assert set(report.fields) == set(task.metrics[0].fields)

"""Any `gymnasium.Env` as a world: it steps, ends, draws and fails as the environment itself."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from own_envs import (
    Blinded,
    Float,
    Leaking,
    Machine,
    Remembering,
    SmallSeeds,
    Spaces,
    Unseeded,
    float_state,
    middle,
)
from own_tasks import SENTENCE, all_fields, float_task

from reward_agent import Task
from reward_agent.envs.episodes import Episodes
from reward_agent.envs.gymnasium import GymnasiumWorld
from reward_agent.errors import MissingComponentError, RewardAgentError, UsageError
from reward_agent.scoring import EVALUATION_SEEDS

IMAGE = spaces.Box(0, 255, (8, 8, 3), np.uint8)


@pytest.mark.parametrize("workers", [1, 2])
def test_it_steps_as_the_environment_itself(workers: int) -> None:
    task, rng = float_task(), np.random.default_rng(0)
    episodes = Episodes(task, 3, all_fields(task), threads=workers)
    try:
        seeds = np.array([4, EVALUATION_SEEDS + 5, 2**63 - 1])
        seen, env = episodes.reset(np.ones(3, bool), seeds), [Float() for _ in seeds]
        theirs = [one.reset(seed=int(seed))[0] for one, seed in zip(env, seeds, strict=True)]
        for _ in range(30):
            assert np.array_equal(seen, np.array(theirs))
            state = episodes.schema.view(episodes.states)
            assert state.float.motion.tolist() == [[one.x, one.v] for one in env]
            assert state.float.left.tolist() == [one.x < 0 for one in env]
            actions = rng.uniform(-3, 3, (3, 1))
            step = episodes.step(actions)
            seen = step.observations
            played = [one.step(np.clip(a, -2, 2).astype(np.float32)) for one, a in zip(env, actions, strict=True)]
            theirs = [one[0] for one in played]
            assert step.terminated.tolist() == [one[2] for one in played]
        assert step.truncated.all()
    finally:
        episodes.close()


def test_a_lambda_steps_here_where_others_cannot_import_it_and_that_is_said_once() -> None:
    def place(env: Float, observation: Any) -> dict[str, Any]:
        return {"float.motion": [env.x, env.v]}

    def told(threads: int) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            episodes = Episodes(task, 2, ("float.motion",), threads=threads)
            episodes.reset(np.ones(2, bool), np.arange(2))
            assert episodes.step(np.zeros((2, 1))).states.shape == (2, 2)
            episodes.close()
        return [str(warning.message) for warning in caught]

    for factory, state, what in (
        (lambda: Float(), float_state, "what makes it cannot be sent to others"),
        (Float, place, "what reads its state cannot be sent to others"),
    ):
        task = Task.from_gymnasium(factory, SENTENCE, state=state, metric=middle, horizon=5, id="own/float")
        assert told(threads=1) == []
        (message,) = told(threads=2)
        assert what in message and "step in one process" in message and "at the top of a module" in message
        assert told(threads=2) == []
    task = float_task()
    assert told(threads=2) == []


def test_cart_pole_steps_by_numbers() -> None:
    names = ("cart.position", "cart.velocity", "pole.angle", "pole.rate")
    world = GymnasiumWorld("CartPole-v1", columns=names, actions=("left", "right"))
    schema = world.schema()
    assert schema.action.discrete and schema.action.names == ("left", "right") and world.limit == 500
    batch, env = world.make(2, schema), gymnasium.make("CartPole-v1")
    observations, states = batch.reset(np.ones(2, bool), np.array([3, 3]))
    theirs, _ = env.reset(seed=3)
    for number in (1, 1, 0, 1, 0, 0):
        assert np.array_equal(observations[0], theirs) and np.array_equal(states, observations)
        step = batch.step(np.array([[float(number)], [0.0]]))
        observations, states = step.observations, step.states
        theirs = env.step(number)[0]
    assert not np.array_equal(observations[0], observations[1])


def test_a_film_shows_what_was_played_though_nothing_drew_before() -> None:
    world = GymnasiumWorld(partial(Float, current=0.5), state=float_state)
    batch, env = world.make(1, world.schema()), Float("rgb_array", 0.5)
    batch.reset(np.ones(1, bool), np.array([2]))
    env.reset(seed=2)
    for _ in range(15):
        batch.step(np.full((1, 1), 2.0))
        env.step(np.full(1, 2.0, np.float32))
    assert np.array_equal(batch.render(0), env.render()[:20, :40])
    after, theirs = batch.step(np.ones((1, 1))), env.step(np.ones(1, np.float32))[0]
    assert np.array_equal(after.observations[0], theirs)


def test_what_cannot_be_drawn_says_how_it_could() -> None:
    world = GymnasiumWorld(Machine)
    batch = world.make(1, world.schema())
    batch.reset(np.ones(1, bool), np.array([2]))
    with pytest.raises(MissingComponentError, match="take `render_mode`"):
        batch.render(0)


def test_seeds_stay_apart_where_only_small_ones_are_taken() -> None:
    world = GymnasiumWorld(SmallSeeds, state=float_state)
    batch = world.make(4, world.schema())
    _, states = batch.reset(np.ones(4, bool), np.array([1, 1 + 2**32, 1 + 2**62, 1]))
    first = states[:, 0].tolist()
    assert len(set(first)) == 3 and first[0] == first[3]


def test_what_an_episode_remembers_or_throws_is_told() -> None:
    for unsound in (Unseeded, Remembering):
        with pytest.raises(RewardAgentError, match=r"not determined by their seed and actions.*np_random"):
            GymnasiumWorld(unsound).schema()

    def peeks(env: Any, observation: Any) -> dict[str, Any]:
        env.v += 0.01
        return {"float.position": env.x}

    with pytest.raises(RewardAgentError, match="Reading the state of Float changes what it simulates"):
        GymnasiumWorld(Float, peeks).schema()


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (
            Leaking,
            r"at step 21 of the episode with the seed 9; it cannot step: .*own_envs\.py, line \d+: ValueError: water",
        ),
        (Blinded, r"failed at step 20 of .* number 1 of its observation is not finite"),
    ],
)
def test_an_environment_that_fails_says_where(env: type[Float], message: str) -> None:
    world = GymnasiumWorld(env, state=float_state)
    batch = world.make(1, world.schema())
    batch.reset(np.ones(1, bool), np.array([9]))
    with pytest.raises(RewardAgentError, match=message):
        for _ in range(30):
            batch.step(np.zeros((1, 1)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"observed": IMAGE}, "images or the like"),
        ({"observed": spaces.Dict({"eye": IMAGE})}, r"observations \(eye\) are images"),
        ({"observed": spaces.Sequence(spaces.Discrete(2))}, "length may vary"),
        ({"acted": spaces.MultiDiscrete([2, 2])}, "several discrete choices at once"),
        ({"acted": spaces.MultiBinary(2)}, "several discrete choices at once"),
        ({"acted": spaces.Box(-np.inf, np.inf, (1,))}, r"have no bounds.*action_bounds=\(-1.0, 1.0\)"),
        ({"acted": spaces.Box(0, 3, (1,), np.int64)}, "numbers between bounds"),
    ],
)
def test_spaces_that_cannot_be_used_are_refused_with_a_way_out(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Task.from_gymnasium(partial(Spaces, **changes), SENTENCE, state=float_state, metric=middle, horizon=5)


def test_bounds_can_be_given_and_actions_fit_the_space_they_go_to() -> None:
    boundless = partial(Spaces, acted=spaces.Box(-np.inf, np.inf, (1, 1), np.float64))
    world = GymnasiumWorld(boundless, float_state, action_bounds=(-0.1, 0.3))
    batch = world.make(1, world.schema())
    assert batch.action_space.shape == (1,)
    batch.reset(np.ones(1, bool), np.zeros(1, np.int64))
    batch.step(np.array([[0.3]]))
    # 0.1 as a float32 is more than 0.1: an environment that checks its actions must not be given that
    tight = GymnasiumWorld(partial(Spaces, acted=spaces.Box(-0.1, 0.1, (1,), np.float64)), float_state)
    batch = tight.make(1, tight.schema())
    batch.reset(np.ones(1, bool), np.zeros(1, np.int64))
    batch.step(batch.action_space.high[None].astype(float))

"""What must be known of an environment before a batch of it is made: found by playing a few steps of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reward_agent.envs.gymnasium.making import Env, Factory, close, limit_of, make, name_of
from reward_agent.envs.gymnasium.spaces import applied_as, flat_space, flatten
from reward_agent.envs.gymnasium.state import Docs, Read, Source
from reward_agent.errors import RewardAgentError, raised
from reward_agent.schema import ActionSpec, Array

STEPS = 12
LARGE_SEED, SMALL_SEED = (1 << 63) - 25, 5
"""Seeds of evaluation lie up to 2⁶³; older generators take 32 bits."""


@dataclass(frozen=True)
class Survey:
    """What was found."""

    source: Source
    action: ActionSpec
    samples: tuple[Mapping[str, Any], ...]
    """States of a short episode."""
    docs: Docs
    """What the source says of its fields."""
    limit: int | None
    """Steps of the environment's `TimeLimit`."""
    dt: float
    """Seconds of simulated time a step, as far as it tells; 1 where it does not."""
    small_seeds: bool
    """It takes no seed over 32 bits."""


@dataclass(frozen=True)
class _Played:
    observations: list[Array]
    states: list[Mapping[str, Any]]
    seconds: float | None
    """Simulated time of the last step."""


def survey(env: Env, factory: Factory, source: Source, spec: ActionSpec) -> Survey:
    """Play a few steps, with and without reading the state.

    Args:
        env: one that `factory` made, as are those it is compared with.
        factory: makes another.
        source: how the state is read.
        spec: of the actions.

    Raises:
        RewardAgentError: it fails; its episodes are not determined by seed and actions, or reading changes them.
        UsageError, MissingComponentError: see `making.make`.
    """
    name = name_of(factory)
    flat_space(env.observation_space, name)
    small = _takes_small_seeds_only(env, name)
    seed = SMALL_SEED if small else LARGE_SEED
    first = _play(env, name, spec, seed, source.bind(env, None))
    second = _play(env, name, spec, seed, None)
    another = make(factory)
    try:
        differs = _first_difference(second.observations, _play(another, name, spec, seed, None).observations)
    finally:
        close(another)
    if differs is not None:
        raise RewardAgentError(_not_determined(name, differs))
    differs = _first_difference(first.observations, second.observations)
    if differs is not None:
        raise RewardAgentError(
            f"Reading the state of {name} changes what it simulates: observation {differs} of an episode is another "
            "one when it is not read. `state` must only look: no step, no draw from `env.np_random`, no `mj_forward` "
            "on the environment's own data."
        )
    dt = first.seconds or _stated_seconds(env)
    return Survey(source, spec, tuple(first.states), source.describe(env), limit_of(env), dt, small)


def fold(seed: int) -> int:
    """A seed as 31 bits, all of its own counting."""
    return int(np.random.SeedSequence(seed).generate_state(1)[0]) >> 1


def _takes_small_seeds_only(env: Env, name: str) -> bool:
    try:
        env.reset(seed=LARGE_SEED)
    except (ValueError, OverflowError, TypeError) as large:
        try:
            env.reset(seed=SMALL_SEED)
        except Exception:
            raise RewardAgentError(f"{name} cannot be reset: {raised(large)}.") from large
        return True
    except Exception as error:
        raise RewardAgentError(f"{name} cannot be reset: {raised(error)}.") from error
    return False


def _play(env: Env, name: str, spec: ActionSpec, seed: int, read: Read | None) -> _Played:
    """A short episode by actions that are always the same; states where they are read."""
    actions = _actions(spec, STEPS)
    apply, space = applied_as(env.action_space, spec), env.observation_space
    observations: list[Array] = []
    states: list[Mapping[str, Any]] = []
    seconds, doing = None, "reset"
    try:
        observation, _ = env.reset(seed=seed)
        for step in range(STEPS + 1):
            doing = "be observed"
            observations.append(flatten(space, observation))
            if read:
                doing = "have its state read"
                states.append({path: np.array(value) for path, value in read(observation).items()})
            if step == STEPS:
                break
            doing, before = "step", _clock(env)
            observation, _, terminated, truncated, _ = env.step(apply(actions[step]))
            after = _clock(env)
            if before is not None and after is not None and after > before:
                seconds = float(f"{after - before:.9g}")  # the clock is a sum of many sub-steps
            if terminated or truncated:
                break
    except RewardAgentError:
        raise
    except Exception as error:
        raise RewardAgentError(f"{name} cannot {doing}: {raised(error)}.") from error
    return _Played(observations, states, seconds)


def _actions(spec: ActionSpec, steps: int) -> Array:
    generator = np.random.default_rng(0)
    if spec.discrete:
        return generator.integers(len(spec.names), size=(steps, 1)).astype(np.float64)
    return generator.uniform(spec.low, spec.high, (steps, spec.width))


def _clock(env: Env) -> float | None:
    """Simulated time, where the environment holds MuJoCo's."""
    data = getattr(env.unwrapped, "data", None)
    time = getattr(data, "time", None)
    return float(time) if isinstance(time, float | int) else None


def _stated_seconds(env: Env) -> float:
    """Seconds a step by what environments use to call it (`dt`, `tau`), or by the frames a second they are drawn in."""
    inner = env.unwrapped
    for name in ("dt", "tau"):
        value = getattr(inner, name, None)
        if isinstance(value, float | int) and 0 < value < np.inf:
            return float(value)
    frames = (inner.metadata or {}).get("render_fps")
    return 1.0 / frames if isinstance(frames, float | int) and frames > 0 else 1.0


def _first_difference(ours: Sequence[Array], theirs: Sequence[Array]) -> int | None:
    if len(ours) != len(theirs):
        return min(len(ours), len(theirs))
    pairs = enumerate(zip(ours, theirs, strict=True))
    return next((index for index, (a, b) in pairs if not np.array_equal(a, b, equal_nan=True)), None)


def _not_determined(name: str, differs: int) -> str:
    return (
        f"Episodes of {name} are not determined by their seed and actions: played again by another instance, "
        f"observation {differs} is another one. Trainings could neither be resumed nor compared. In `reset`, call "
        "`super().reset(seed=seed)` first and draw from `self.np_random` alone (neither `np.random` nor `random`), and "
        "begin everything anew that an episode changes."
    )

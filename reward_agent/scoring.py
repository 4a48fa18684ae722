"""Evaluation: fresh episodes judged by a task's metrics alone, on seeds that training never sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reward_agent.envs.actions import Actions
from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.errors import UsageError
from reward_agent.history import Interval
from reward_agent.schema import Array
from reward_agent.task import Episode, Ints, Kind, Metric, Task

Act = Callable[[Array], Array]
"""Actions `(N, A)` (`(N, 1)` of their numbers, where they are discrete) for observations `(N, O)`;
these end with the share of the horizon passed where it has a true `observe_time`."""


class Ready(NamedTuple):
    """A policy that is ready to act in episodes of a task."""

    fields: tuple[str, ...]
    """Paths that the episodes must pack for it."""
    choose: Callable[[Episodes, Array], Array]
    """Actions `(N, A)` of running episodes, given what is observed of them `(N, O)`."""
    remembers: bool = False
    """It must be asked at every step of an episode, from the first, whoever acts."""


@runtime_checkable
class Planning(Protocol):
    """A policy that needs the episodes themselves, as a planner does and one that remembers; stands wherever an `Act`
    does."""

    @property
    def rows(self) -> int:
        """Episodes that it plays side by side; 0 for as many as the world finds worth it."""
        ...

    def ready(self, task: Task, rows: int) -> AbstractContextManager[Ready]:
        """Made for `rows` episodes of a task, as long as the context lasts."""
        ...


Acting = Act | Planning

EVALUATION_SEEDS = 1 << 61
"""Seeds of evaluation episodes begin here; a training's episodes begin from seeds below."""


class _Stream(IntEnum):
    TRAINING, FINAL, SELECT, REPORT, EVALUATION_TRAINING, EVALUATION_REPORT = range(6)


class SeedPlan:
    """Four streams of seeds that never meet, each from a run's seed, and two of an evaluation without a run.

    Training seeds are even and final seeds odd, both below 2³²: an optimiser draws its episodes' own seeds, below 2⁶¹,
    from them. Select seeds lie in [2⁶¹, 2⁶²) and report seeds in [2⁶², 2⁶³).

    `evaluate` may be asked again and again while a reward is written, so that its seeds are none that a run quotes:
    they are drawn apart, odd and in the report's range, and two meet by chance alone (1 in 2³¹ and 1 in 2⁶²).
    """

    @staticmethod
    def training_seed(run_seed: int, iteration: int, candidate: int) -> int:
        """Of the training of one candidate."""
        return 2 * int(_draw(_Stream.TRAINING, run_seed, (iteration, candidate), 1)[0] >> 33)

    @staticmethod
    def final_seed(run_seed: int, index: int) -> int:
        """Of the winner's `index`-th training from scratch."""
        return _odd(_Stream.FINAL, run_seed, index)

    @staticmethod
    def select_seeds(run_seed: int, count: int) -> Ints:
        """Episodes that choose among candidates; the first n of a longer list are the shorter one."""
        return (_draw(_Stream.SELECT, run_seed, (), count) >> 3).astype(np.int64) + EVALUATION_SEEDS

    @staticmethod
    def report_seeds(run_seed: int, count: int) -> Ints:
        """Episodes that the quoted result comes from, and nothing else; they too begin a longer list."""
        return _topmost(_Stream.REPORT, run_seed, count)

    @staticmethod
    def further_seeds(run_seed: int, reported: int, count: int) -> Ints:
        """Episodes after the first `reported` of the report: neither chosen by nor quoted from."""
        return SeedPlan.report_seeds(run_seed, reported + count)[reported:]

    @staticmethod
    def evaluation_training_seed(seed: int, index: int) -> int:
        """Of the `index`-th training of `evaluate`."""
        return _odd(_Stream.EVALUATION_TRAINING, seed, index)

    @staticmethod
    def evaluation_report_seeds(seed: int, count: int) -> Ints:
        """Episodes that `evaluate` scores on; they too begin a longer list."""
        return _topmost(_Stream.EVALUATION_REPORT, seed, count)


def _odd(stream: _Stream, seed: int, index: int) -> int:
    return 2 * int(_draw(stream, seed, (index,), 1)[0] >> 33) + 1


def _topmost(stream: _Stream, seed: int, count: int) -> Ints:
    return (_draw(stream, seed, (), count) >> 2).astype(np.int64) + 2 * EVALUATION_SEEDS


def _draw(stream: _Stream, run_seed: int, key: tuple[int, ...], count: int) -> NDArray[np.uint64]:
    sequence = np.random.SeedSequence(run_seed, spawn_key=(stream, *key))
    return sequence.generate_state(count, np.uint64).astype(np.uint64)


def roll_out(
    task: Task,
    act: Acting,
    seeds: Sequence[int] | Ints,
    metrics: Sequence[Metric] | None = None,
    *,
    num_envs: int | None = None,
    threads: int = 1,
    told: Callable[[], None] | None = None,
) -> dict[str, Array]:
    """Play one episode a seed and score each by every metric.

    Args:
        task: whose episodes.
        act: the policy; see `Act`.
        seeds: of the episodes, `(E,)`.
        metrics: the task's own unless given.
        num_envs: episodes played at once; as many as the world finds worth it unless given.
        threads: for the physics.
        told: called after each episode.

    Returns:
        Scores `(E,)` by metric name, in the order of `seeds`. Where there is no metric nothing is played.
    """
    chosen = task.metrics if metrics is None else tuple(metrics)
    if not chosen:
        return {}
    scores = {metric.name: np.full(len(seeds), np.nan) for metric in chosen}
    fields = {path for metric in chosen for path in metric.fields}

    def judge(index: int, episode: Episode) -> None:
        for metric in chosen:
            scores[metric.name][index] = metric.score(episode)
        if told:
            told()

    play(task, act, seeds, fields, judge, num_envs=num_envs, threads=threads)
    return scores


def play(
    task: Task,
    act: Acting,
    seeds: Sequence[int] | Ints,
    fields: set[str],
    ended: Callable[[int, Episode], None],
    *,
    num_envs: int | None = None,
    threads: int = 1,
) -> None:
    """Play one episode a seed and hand each, with the states of `fields`, to `ended(index of its seed, episode)`."""
    rows = min(num_envs or rows_of(act, task), len(seeds))
    if rows:
        with ready(act, task, rows) as acting:
            wanted = fields | set(acting.fields)
            episodes = Episodes(task, rows, wanted, threads=threads, observe_time=_observes_time(act))
            _play(task, episodes, acting, seeds, ended)


def rows_of(act: Acting, task: Task) -> int:
    """Episodes that are best played side by side."""
    return (isinstance(act, Planning) and act.rows) or task.world.parallel_envs


def ready(act: Acting, task: Task, rows: int) -> AbstractContextManager[Ready]:
    """Any policy, made ready for `rows` episodes of a task."""
    if isinstance(act, Planning):
        return act.ready(task, rows)
    return nullcontext(Ready((), lambda episodes, observations: act(observations)))


def _play(
    task: Task, episodes: Episodes, acting: Ready, seeds: Sequence[int] | Ints, ended: Callable[[int, Episode], None]
) -> None:
    waiting, rows = list(range(len(seeds))), episodes.num_envs
    constants = episodes.schema.constants_view()
    states = np.empty((rows, task.horizon + 1, episodes.schema.width))
    actions = np.empty((rows, task.horizon, task_schema(task).action.width))
    playing = np.full(rows, -1)
    """Index of each row's seed; -1 where nothing is left to play (the row steps on, unread)."""
    try:
        begin = np.ones(rows, bool)
        while True:
            begun = np.zeros(rows, np.int64)
            for row in np.flatnonzero(begin):
                playing[row] = waiting.pop(0) if waiting else -1
                begun[row] = seeds[max(int(playing[row]), 0)]
            if (playing < 0).all():
                return
            observations = episodes.reset(begin, begun)
            states[begin, 0] = episodes.states[begin]
            begin = np.zeros(rows, bool)
            while not begin.any():
                at = episodes.elapsed.copy()
                applied = episodes.actions.applied(acting.choose(episodes, observations))
                step = episodes.step(applied)
                observations, every = step.observations, np.arange(rows)
                actions[every, at] = applied
                states[every, at + 1] = step.states
                begin = step.terminated | step.truncated
            for row in np.flatnonzero(begin & (playing >= 0)):
                length = int(episodes.elapsed[row])
                state = episodes.schema.view(states[row, : length + 1].copy())
                terminated = bool(step.terminated[row])
                episode = Episode(state, actions[row, :length].copy(), terminated, constants, task.world.dt)
                ended(int(playing[row]), episode)
    finally:
        episodes.close()


def record_video(task: Task, act: Acting, seed: int, path: Path, max_frames: int = 200) -> None:
    """Play the episode of `seed` and write it to `path` (mp4), at most `max_frames` frames in real time.

    Raises:
        MissingComponentError: no off-screen rendering works on this machine.
    """
    played: list[Array] = []
    play(task, act, [seed], set(), lambda _, episode: played.append(episode.action), num_envs=1)
    episodes = Episodes(task, 1, ())
    try:
        episodes.reset(np.ones(1, bool), np.array([seed]))
        film_actions(episodes, played[0], path, max_frames)
    finally:
        episodes.close()


def film_actions(episodes: Episodes, actions: Array, path: Path, max_frames: int = 200) -> None:
    """Go on with the one episode by `actions` `(T, A)`, to its end at most, and write that to `path` (mp4).

    Raises:
        MissingComponentError: no off-screen rendering works on this machine.
    """
    from reward_agent.envs.rendering import write_video

    every = -(-(len(actions) + 1) // max_frames)
    frames = [episodes.render(0)]
    for number, action in enumerate(actions, 1):
        step = episodes.step(action[None])
        if number % every == 0:
            frames.append(episodes.render(0))
        if step.terminated[0] or step.truncated[0]:
            break
    write_video(frames, path, fps=1.0 / (episodes.task.world.dt * every))


def no_op(task: Task) -> Act:
    """The floor below every policy: no action at all (zeros, within the bounds; the idle one of discrete ones)."""
    actions = Actions.of(task_schema(task).action)
    return lambda observations: actions.idle(len(observations))


def random_policy(task: Task, seed: int) -> Act:
    """Actions drawn evenly between the bounds, or among the numbers, from a generator of its own."""
    actions, generator = Actions.of(task_schema(task).action), np.random.default_rng(seed)
    return lambda observations: actions.draw(generator, len(observations))


def confidence_interval(samples: ArrayLike, kind: Kind = "fitness") -> Interval:
    """The mean of `samples` with its 95 % interval.

    It is by Student's t. Over few runs that is wide, and rightly so: resampling three runs would give no more than
    their range. An interval of successes lies within [0, 1]; over the episodes of one run, and where every run has
    only successes or only failures, it is by Clopper and Pearson (1934). One episode has a score and no interval.

    Args:
        samples: `(runs, episodes)`, or `(episodes,)` of one run. Runs are the units, for episodes of one policy say
            nothing of the next training; with one run, its episodes.
        kind: of the metric; a success is 1 or 0.

    Raises:
        UsageError: no samples.
    """
    from scipy.special import stdtrit

    table = np.atleast_2d(np.asarray(samples, np.float64))
    if not table.size:
        raise UsageError("There is no interval of no samples: evaluate at least one episode.")
    if table.size == 1:
        return Interval.alone(float(table.item()))
    units = table[0] if len(table) == 1 else table.mean(1)
    mean, count = float(units.mean()), len(units)
    if kind == "success" and (len(table) == 1 or mean in (0.0, 1.0)):
        return _clopper_pearson(float(units.sum()), count)
    half = float(stdtrit(count - 1, 0.975) * units.std(ddof=1) / math.sqrt(count))
    low, high = mean - half, mean + half
    return Interval(mean, max(low, 0.0), min(high, 1.0)) if kind == "success" else Interval(mean, low, high)


def intervals_of(runs: Sequence[Mapping[str, ArrayLike]], metrics: Sequence[Metric]) -> dict[str, Interval]:
    """The interval of each metric over runs (over the episodes of one). A run gives its episodes' scores by metric."""
    return {m.name: confidence_interval(np.array([run[m.name] for run in runs]), m.kind) for m in metrics}


def _clopper_pearson(successes: float, count: int) -> Interval:
    from scipy.special import betaincinv

    failures = count - successes
    low = float(betaincinv(successes, failures + 1, 0.025)) if successes != 0 else 0.0
    high = float(betaincinv(successes + 1, failures, 0.975)) if failures != 0 else 1.0
    return Interval(successes / count, low, high)


def _observes_time(act: Acting) -> bool:
    return bool(getattr(act, "observe_time", False))

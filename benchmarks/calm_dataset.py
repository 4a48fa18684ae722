"""The trajectories that `calm_offline.py` scores on: MiniHack's KeyRoom-S5, played by players good and bad.

Each is of a seed of its own, to the horizon of the task at most: at random, by the scripted player, by the same with
some of its actions drawn at random, and by a policy at four points of a training on the task's expert reward (100k
steps, of which it keeps a checkpoint, so it can be killed), with one action in twenty drawn at random, for a policy
that always takes its first choice may stand still for ever.

Every episode is played three times from its seed and actions: for the screens, for the state that programs read, and
for the labels (`envs/minihack/labels.py`), which go by what neither of the two shows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reward_agent.crediting.trajectories import Trajectory, write_trajectories
from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.envs.minihack.labels import KeyRoomLabels
from reward_agent.envs.minihack.row import MiniHackRow
from reward_agent.envs.minihack.scripted import Player
from reward_agent.envs.minihack.world import MiniHack
from reward_agent.envs.registry import find_task
from reward_agent.optimise import Progress, find_optimiser
from reward_agent.optimise.policy import Policy, load_policy
from reward_agent.program import Program
from reward_agent.sources.making import source_of
from reward_agent.task import Task

TASK = "minihack/keyroom-s5"
POINTS = (10_000, 30_000, 60_000, 100_000)
"""Of the training, in steps."""
NOISE = 0.05
"""Share of a policy's actions that are drawn at random."""
FIRST_SEED = 1 << 20

Choose = Callable[[MiniHackRow, np.ndarray, np.random.Generator], int]
"""The next action, of a row and what a policy observes there."""


@dataclass(frozen=True)
class Actor:
    name: str
    episodes: int
    make: Callable[[np.random.Generator], Choose]
    """For an episode."""


def actors(task: Task, folder: Path) -> list[Actor]:
    """Who plays, and how often."""
    names = task.world.schema().action.names

    def at_random(_: np.random.Generator) -> Choose:
        return lambda row, observed, random: int(random.integers(len(names)))

    def scripted(epsilon: float) -> Callable[[np.random.Generator], Choose]:
        def make(random: np.random.Generator) -> Choose:
            player = Player(names, random)
            player.begin()
            return noisy(lambda row, observed: player(row.seen), epsilon, len(names))

        return make

    def learnt(policy: Policy) -> Callable[[np.random.Generator], Choose]:
        return lambda _: noisy(lambda row, observed: int(policy.act(observed[None])[0, 0]), NOISE, len(names))

    return [
        Actor("random", 60, at_random),
        Actor("scripted", 40, scripted(0.0)),
        *(Actor(f"scripted, {epsilon:.0%} at random", 40, scripted(epsilon)) for epsilon in (0.2, 0.4, 0.6)),
        *(
            Actor(f"policy after {steps // 1000}k steps", 30, learnt(policy))
            for steps, policy in zip(POINTS, train(task, folder), strict=True)
        ),
    ]


def noisy(choose: Callable[[MiniHackRow, np.ndarray], int], epsilon: float, count: int) -> Choose:
    """Now and then another action, drawn among all; `choose` is asked all the same, for it may remember."""

    def act(row: MiniHackRow, observed: np.ndarray, random: np.random.Generator) -> int:
        wanted, drawn = choose(row, observed), int(random.integers(count))
        return drawn if random.random() < epsilon else wanted

    return act


def train(task: Task, folder: Path) -> Iterator[Policy]:
    """The policy at each of `POINTS` of one training on the expert reward; it goes on from where it was killed."""
    assert task.expert is not None
    program, optimise = Program(task.expert.read_text()), find_optimiser(task.optimiser)
    for steps in POINTS:
        kept = folder / f"policy_{steps}"
        if not kept.exists():
            at = [0]

            def note(progress: Progress, at: list[int] = at) -> None:
                at[0] = progress.steps

            source = source_of(program, task)
            try:
                optimised = optimise(
                    task,
                    source,
                    POINTS[-1],
                    0,
                    checkpoint=folder / "checkpoint",
                    progress=note,
                    stop=lambda at=at, steps=steps: at[0] >= steps,  # type: ignore[misc]
                )
            finally:
                source.close()
            assert isinstance(optimised.policy, Policy)
            optimised.policy.save(kept)
            print(f"trained for {optimised.steps:,} steps", file=sys.stderr, flush=True)
        policy = load_policy(kept)
        assert isinstance(policy, Policy)
        yield policy


class Recorder:
    """Plays episodes of the task and keeps what there is to see, to read and to know of them."""

    def __init__(self, task: Task) -> None:
        world = task.world
        assert isinstance(world, MiniHack)
        self.task, self.names = task, world.schema().action.names
        self._row = MiniHackRow(world.env, world.level, world.schema())
        self._episodes = Episodes(task, 1, task_schema(task).visible().by_path)
        self._labels = KeyRoomLabels(world.env, world.level)

    def play(self, name: str, by: str, seed: int, choose: Choose, random: np.random.Generator) -> Trajectory:
        """One episode."""
        observed = self._row.reset(seed)
        screens, actions, ended = [self._row.screen()], [], False
        while not ended and len(actions) < self.task.horizon:
            actions.append(choose(self._row, observed, random))
            step = self._row.step(np.array([actions[-1]]))
            observed, ended = step.observation, step.terminated
            screens.append(self._row.screen())
        return Trajectory(
            id=name,
            task=self.task.id,
            seed=seed,
            by=by,
            actions=tuple(self.names[action] for action in actions),
            screens=tuple(screens),
            fields=tuple(self._episodes.schema.by_path),
            states=self._states(seed, actions),
            reached=tuple(self.label(seed, actions)),
        )

    def label(self, seed: int, actions: list[int]) -> list[dict[str, bool]]:
        """What each action reached."""
        self._labels.reset(seed)
        return [self._labels.step(action) for action in actions]

    def close(self) -> None:
        for each in (self._row, self._episodes, self._labels):
            each.close()

    def _states(self, seed: int, actions: list[int]) -> np.ndarray:
        self._episodes.reset(np.ones(1, bool), np.array([seed]))
        states = [self._episodes.states[0].copy()]
        states += [self._episodes.step(np.array([[float(action)]])).states[0].copy() for action in actions]
        return np.array(states)


def make(path: Path, folder: Path) -> None:
    """Write the dataset; `folder` keeps the training."""
    task = find_task(TASK)
    made: list[Trajectory] = []
    recorder = Recorder(task)
    try:
        for actor in actors(task, folder):
            for _ in range(actor.episodes):
                seed = FIRST_SEED + len(made)
                random = np.random.default_rng(seed)
                made.append(recorder.play(f"t{len(made):03d}", actor.name, seed, actor.make(random), random))
            print(f"{actor.name}: {actor.episodes} episodes", file=sys.stderr, flush=True)
    finally:
        recorder.close()
    write_trajectories(path, made)

"""Tries to win a task's metric without doing what was asked: a policy searched on the metric itself, no reward between.

    python benchmarks/cheat_metric.py mujoco/ant-wave-leg --out cheats/ [--minutes 10] [--json]

Augmented random search (Mania, Guy and Recht 2018) over linear policies of the observation and of sines of the time, so
that it finds rhythms too. What it climbs is the sum of the task's metrics, on other episodes each iteration. It keeps a
clip and the numbers of the best policy: whether they show the behaviour or a hole in the metric is for a person to see.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from reward_agent import find_task
from reward_agent.envs.episodes import Episodes
from reward_agent.scoring import play, record_video
from reward_agent.task import Episode, Task

PERIODS = (0.25, 0.5, 1.0, 2.0)
"""Of the sines a policy is given [s]."""
CHECKED = 64
"""Fresh episodes that the best policy is scored on in the end."""


class Linear:
    """One linear policy a row, or one for all: of shifted and scaled observations and of sines of the time."""

    observe_time = True

    def __init__(self, weights: np.ndarray, mean: np.ndarray, scale: np.ndarray, seconds: float) -> None:
        self.weights, self.mean, self.scale, self.seconds = weights, mean, scale, seconds
        self.seen: list[np.ndarray] = []

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        self.seen.append(observations[:, :-1])
        phase = 2 * np.pi * self.seconds * observations[:, -1:] / np.array(PERIODS)
        body = (observations[:, :-1] - self.mean) / self.scale
        inputs = np.hstack([body, np.ones((len(body), 1)), np.sin(phase), np.cos(phase)])
        actions: np.ndarray = np.einsum("...ai,...i->...a", self.weights, inputs)
        return actions


def scores(task: Task, policy: Linear, seeds: np.ndarray) -> dict[str, np.ndarray]:
    """Each metric of one episode a row."""
    found = {metric.name: np.zeros(len(seeds)) for metric in task.metrics}

    def judge(index: int, episode: Episode) -> None:
        for metric in task.metrics:
            found[metric.name][index] = metric.score(episode)

    fields = {path for metric in task.metrics for path in metric.fields}
    # each row plays one episode, so that a policy a row is scored by its own
    play(task, policy, seeds, fields, judge, num_envs=len(seeds))
    return found


def search(task: Task, *, minutes: float, directions: int, top: int, seed: int) -> tuple[Linear, list[float]]:
    """The best policy, and the mean fitness by iteration."""
    generator = np.random.default_rng(seed)
    spaces = Episodes(task, 1, ())
    size, width = spaces.action_space.shape[0], spaces.observation_space.shape[0]
    low, high = spaces.action_space.low, spaces.action_space.high
    spaces.close()
    columns = width + 1 + 2 * len(PERIODS)
    weights, mean, variance, count = np.zeros((size, columns)), np.zeros(width), np.ones(width), 1e-4
    noise, rate, seconds = 0.1 * float((high - low).mean()), 0.05, task.horizon * task.world.dt
    curve: list[float] = []
    best: tuple[float, Linear] = (-np.inf, Linear(weights, mean, np.ones(width), seconds))
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        delta = generator.normal(size=(directions, size, columns))
        tried = np.concatenate([weights + noise * delta, weights - noise * delta, weights[None]])
        policy = Linear(tried, mean, np.sqrt(variance) + 1e-6, seconds)
        episode = int(generator.integers(2**31))
        fitness = sum(scores(task, policy, np.full(len(tried), episode)).values())
        assert isinstance(fitness, np.ndarray)
        plus, minus = fitness[:directions], fitness[directions:-1]
        best = max(
            best,
            (float(fitness.max()), Linear(tried[fitness.argmax()], mean, np.sqrt(variance) + 1e-6, seconds)),
            key=lambda b: b[0],
        )
        used = np.argsort(-np.maximum(plus, minus))[:top]
        spread = np.concatenate([plus[used], minus[used]]).std()
        if spread > 0:
            weights = weights + rate / spread * np.einsum("k,kai->ai", (plus - minus)[used], delta[used]) / top
        seen = np.concatenate(policy.seen)
        share = len(seen) / (count + len(seen))
        variance = variance + share * (seen.var(0) - variance + (1 - share) * (seen.mean(0) - mean) ** 2)
        mean = mean + share * (seen.mean(0) - mean)
        count += len(seen)
        curve.append(round(float(fitness.mean()), 4))
    return best[1], curve


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task")
    parser.add_argument("--out", type=Path, required=True, help="folder for the clip and the numbers")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--directions", type=int, default=32)
    parser.add_argument("--top", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one line")
    args = parser.parse_args()
    task = find_task(args.task)
    found, curve = search(task, minutes=args.minutes, directions=args.directions, top=args.top, seed=args.seed)
    seeds = np.arange(CHECKED) + 10_000
    reached = scores(task, found, seeds)
    shown = int(np.argmax(sum(reached.values())))
    args.out.mkdir(parents=True, exist_ok=True)
    clip = args.out / f"{task.id.split('/')[-1]}.mp4"
    record_video(task, found, int(seeds[shown]), clip)
    value: dict[str, Any] = {
        "task": task.id,
        "iterations": len(curve),
        "mean": {name: round(float(values.mean()), 3) for name, values in reached.items()},
        "best": {name: round(float(values.max()), 3) for name, values in reached.items()},
        "clip": str(clip),
        "curve": curve[:: max(1, len(curve) // 20)],
    }
    clip.with_suffix(".json").write_text(json.dumps(value, indent=2) + "\n")
    print(json.dumps(value, indent=None if args.json else 2))


if __name__ == "__main__":
    main()

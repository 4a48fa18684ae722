"""An environment of your own, of any kind: a ball on a tray that tilts. A sentence and a metric make it a task.

python examples/own_gymnasium.py                                      train on the reward below, with no model
python examples/own_gymnasium.py --llm anthropic:claude-sonnet-5-5    have a model improve it, round by round

`docs/own_environment.md` says it at length.
"""

from __future__ import annotations

import argparse

import gymnasium
import numpy as np
from gymnasium import spaces

from reward_agent import Program, Task, evaluate, synthesize

REWARD = '''
def compute_reward(state, action, next_state):
    """Bring the ball to the mark and let it rest there."""
    distance = norm(next_state.ball.position - next_state.mark.position)
    near = gaussian(distance, 0.1)
    terms = {
        "come": 0.5 - distance,
        "near": near,
        "rest": -0.5 * near * norm(next_state.ball.velocity),
    }
    return sum(terms.values()), terms
'''


class Tray(gymnasium.Env):
    """A ball rolls on a square tray, 1 m wide; two motors tilt it. The ball can fall off."""

    def __init__(self) -> None:
        self.observation_space = spaces.Box(-np.inf, np.inf, (8,))
        self.action_space = spaces.Box(-1.0, 1.0, (2,))  # rad/s about each axis

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.ball, self.mark = self.np_random.uniform(-0.35, 0.35, (2, 2))
        self.velocity, self.tilt = np.zeros(2), np.zeros(2)
        return self.observe(), {}

    def step(self, action):
        self.tilt = np.clip(self.tilt + 0.05 * np.asarray(action), -0.2, 0.2)
        self.velocity = 0.99 * self.velocity + 0.05 * (5 / 7) * 9.81 * np.sin(self.tilt)  # 5/7: it rolls
        self.ball = self.ball + 0.05 * self.velocity
        fallen = bool((np.abs(self.ball) > 0.5).any())
        return self.observe(), 0.0, fallen, False, {}

    def observe(self):
        return np.concatenate([self.ball, self.velocity, 5 * self.tilt, self.mark - self.ball]).astype(np.float32)


def state(tray: Tray, observation):
    """What a reward may read."""
    return {
        "ball.position": tray.ball,
        "ball.velocity": tray.velocity,
        "mark.position": tray.mark,
        "tray.tilt": tray.tilt,
    }


def resting(episode) -> bool:
    """In each of the last 20 states the ball lies within 5 cm of the mark."""
    apart = episode.state.ball.position[-20:] - episode.state.mark.position[-20:]
    return bool((np.linalg.norm(apart, axis=-1) < 0.05).all()) and not episode.terminated


def closeness(episode) -> float:
    """Minus the mean distance [m] of the ball from the mark over the last 20 states; -1 where it fell off."""
    apart = episode.state.ball.position[-20:] - episode.state.mark.position[-20:]
    return -1.0 if episode.terminated else -float(np.linalg.norm(apart, axis=-1).mean())


task = Task.from_gymnasium(
    Tray,
    "roll the ball to the mark on the tray and let it rest there",
    id="own/tray",
    state=state,
    metrics=(resting, closeness),
    horizon=150,
    dt=0.05,
    fields={
        "ball": "a ball that rolls on the tray",
        "ball.position": "along the tray's x and y; beyond ±0.5 m it falls off [m]",
        "ball.velocity": "along the tray's x and y [m/s]",
        "mark.position": "where the ball belongs [m]",
        "tray": "a square tray, 1 m wide",
        "tray.tilt": "positive makes the ball roll towards +x and +y, within ±0.2 [rad]",
    },
    actions=("tilt_x", "tilt_y"),
    control="a tray that two motors tilt about its axes, each by up to 1 rad/s",
    preset="balance",
    budget=200_000,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--llm", help="provider:model that improves the reward; none is asked unless given")
    parser.add_argument("--budget", type=int, default=task.budget, help="environment steps of each training")
    args = parser.parse_args()

    if args.llm:
        result = synthesize(task, args.llm, init=Program(REWARD), iterations=2, candidates=2, budget=args.budget)
        print(f"{result.metrics} by {result.reward}")
        return
    found = evaluate(Program(REWARD), task, budget=args.budget)
    for who, scores in {"this reward": found.metrics, **found.floors}.items():
        print(f"{who:12} {', '.join(f'{name} {s.mean:.3f} [{s.low:.3f}, {s.high:.3f}]' for name, s in scores.items())}")


# trainings run in processes of their own, which import this file
if __name__ == "__main__":
    main()

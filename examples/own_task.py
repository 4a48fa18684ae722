"""A task of your own: a robot, a sentence, a metric. Your reward is trained on and scored; a model may improve it.

python examples/own_task.py                                      train on the reward below, with no model
python examples/own_task.py --llm anthropic:claude-sonnet-5-5    have a model improve it, round by round
"""

from __future__ import annotations

import argparse

import numpy as np

from reward_agent import Metric, Program, Task, evaluate, synthesize
from reward_agent.envs.mujoco.world import MujocoWorld

REWARD = '''
import numpy as np

def compute_reward(state, action, next_state):
    """Crouch: torso low, upright, still."""
    low = 2.0 * np.exp(-((next_state.torso.position[:, 2] - 0.9) / 0.2) ** 2)
    upright = np.exp(-((pitch(next_state.torso.orientation)) / 0.3) ** 2)
    still = -0.1 * norm(next_state.torso.linear_velocity)
    terms = {"low": low, "upright": upright, "still": still}
    return sum(terms.values()), terms
'''


def crouched(episode) -> float:
    """The share of the episode that the torso was between 0.8 m and 1.0 m high and leant less than 0.3 rad."""
    height, lean = episode.state.torso.position[1:, 2], episode.state.joints.root_pitch.angle[1:]
    held = (height > 0.8) & (height < 1.0) & (np.abs(lean) < 0.3)
    return float(held.sum() / 200)  # an episode that ends early has not held it


task = Task(
    id="mine/hopper-crouch",
    instruction="make the hopper crouch low on its foot and stay there without falling over",
    world=MujocoWorld("Hopper-v5"),
    horizon=200,
    metrics=(
        Metric(
            name="crouched",
            kind="fitness",
            doc="share of 200 steps with the torso between 0.8 m and 1.0 m and upright",
            fields=("torso.position", "joints.root_pitch.angle"),
            score=crouched,
        ),
    ),
    terminates="never",
    preset="locomotion",
    budget=100_000,
    control="a one-legged hopper in a vertical plane: torques at hip, knee and ankle",
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
    print(f"warnings: {list(found.verdict.warnings)}")
    for who, scores in {"this reward": found.metrics, **found.floors}.items():
        print(f"{who:12} {', '.join(f'{name} {s.mean:.3f} [{s.low:.3f}, {s.high:.3f}]' for name, s in scores.items())}")


# trainings run in processes of their own, which import this file
if __name__ == "__main__":
    main()

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
    """Balance the pole with the cart half a metre to the right."""
    place = gaussian(next_state.joints.cart.position - 0.5, 0.3)
    upright = gaussian(next_state.joints.pole.angle, 0.2)
    still = -0.05 * np.abs(next_state.joints.cart.velocity)
    terms = {"place": place, "upright": upright, "still": still}
    return sum(terms.values()), terms
'''


def parked(episode) -> float:
    """The share of the last 100 steps with the cart within 0.1 m of the place and the pole upright."""
    place, angle = episode.state.joints.cart.position[101:], episode.state.joints.pole.angle[101:]
    held = (np.abs(place - 0.5) < 0.1) & (np.abs(angle) < 0.1)
    return float(held.sum() / 100)  # an episode that ended early has not held it


task = Task(
    id="mine/park-the-cart",
    instruction="balance the pole upright with the cart parked half a metre to the right of the middle",
    world=MujocoWorld("InvertedPendulum-v5"),
    horizon=200,
    metrics=(
        Metric(
            name="parked",
            kind="fitness",
            doc="share of steps 101 to 200 with the cart within 0.1 m of +0.5 m and the pole within 0.1 rad of upright",
            fields=("joints.cart.position", "joints.pole.angle"),
            score=parked,
        ),
    ),
    preset="balance",
    budget=60_000,
    control="a cart on a rail, pushed by one force, that carries a pole on a hinge",
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

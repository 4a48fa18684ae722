"""A task on the stand-in for Isaac Gym (`isaac_standin/`), in a worker of its own: `…/isaac_cartpole.py:task`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from reward_agent.envs.isaac.metrics import time_alive
from reward_agent.envs.isaac.schema import TaskTensor
from reward_agent.envs.isaac.world import IsaacGym
from reward_agent.schema import Field
from reward_agent.task import Task

STANDIN = Path(__file__).parent / "isaac_standin"

REWARD = '''
import numpy as np

def compute_reward(state, action, next_state):
    """Keep the pole upright and the cart near the middle."""
    upright = np.exp(-4.0 * next_state.joints.cart_to_pole.angle ** 2)
    middle = -0.1 * next_state.joints.slider_to_cart.position ** 2
    terms = {"upright": upright, "middle": middle}
    return sum(terms.values()), terms
'''


def standin(kind: str = "Cartpole", **changes: Any) -> IsaacGym:
    """The world of one of the stand-in's tasks; its interpreter is this one unless the environment names another."""
    trouble = changes.pop("trouble", "")
    world = IsaacGym(
        task="standin_tasks:make",
        python=os.environ.get("REWARD_AGENT_STANDIN_PYTHON", sys.executable),
        device="cpu",
        state=("actors", "joints", "links"),
        tensors=(TaskTensor("targets", Field("goal.place", "where the beacon stands", "m", (2,))),),
        options=(("kind", kind), ("trouble", trouble)),
        paths=(str(STANDIN),),
        start_timeout=60.0,
        step_timeout=60.0,
        action_names=("push",),
        parallel_envs=16,
    )
    return replace(world, **changes)


task = Task(
    id="standin/balance",
    instruction="balance the pole upright on the cart",
    world=standin(state=("joints",), tensors=()),
    horizon=200,
    metrics=(time_alive(),),
    preset="balance",
    budget=20_000,
    control="a cart on a rail, pushed by one force, that carries a pole on a hinge",
)

"""Hop forward: Gymnasium's own goal of Hopper-v5, and Text2Reward's hopper moving forward."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics import distance_travelled, native_return
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

EXPERT = Path(__file__).parents[1] / "experts" / "hopper_forward.py"

task = Task(
    id="mujoco/hopper-forward",
    instruction="make the hopper hop forward as fast as it can without falling over",
    world=MujocoWorld("Hopper-v5"),
    horizon=1000,
    metrics=(
        native_return(
            EXPERT,
            (
                "torso.position",
                "joints.root_pitch.angle",
                "joints.root_pitch.velocity",
                "joints.root_x.velocity",
                "joints.root_z.velocity",
                "joints.angles",
                "joints.velocities",
            ),
        ),
        distance_travelled(),
    ),
    preset="locomotion",
    budget=1_000_000,
    expert=EXPERT,
    control="a one-legged hopper in a vertical plane: torques at hip, knee and ankle",
    reward_version="Gymnasium v5",
    benchmark="Gymnasium Hopper-v5",
)

"""Walk forward: Gymnasium's own goal of Walker2d-v5."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics import distance_travelled, native_return
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

EXPERT = Path(__file__).parents[1] / "experts" / "walker2d_walk.py"

task = Task(
    id="mujoco/walker2d-walk",
    instruction="make the two-legged walker walk forward as fast as it can without falling over",
    world=MujocoWorld("Walker2d-v5"),
    horizon=1000,
    metrics=(
        native_return(EXPERT, ("torso.position", "joints.root_pitch.angle")),
        distance_travelled(),
    ),
    preset="locomotion",
    budget=1_000_000,
    expert=EXPERT,
    control="a two-legged walker in a vertical plane: torques at hip, knee and ankle of each leg",
    reward_version="Gymnasium v5",
    benchmark="Gymnasium Walker2d-v5",
)

"""Walk forward: Gymnasium's own goal of Humanoid-v5."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics import distance_travelled, native_return
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

EXPERT = Path(__file__).parents[1] / "experts" / "humanoid_walk.py"

task = Task(
    id="mujoco/humanoid-walk",
    instruction="make the humanoid walk forward as fast as it can without falling over",
    world=MujocoWorld("Humanoid-v5"),
    horizon=1000,
    metrics=(
        native_return(EXPERT, ("torso.position", "center_of_mass.position")),
        distance_travelled(),
    ),
    preset="locomotion",
    budget=3_000_000,
    expert=EXPERT,
    control="a humanoid: torques at abdomen, hips, knees, shoulders and elbows",
    reward_version="Gymnasium v5",
    benchmark="Gymnasium Humanoid-v5",
)

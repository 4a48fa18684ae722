"""Stand up from lying: Gymnasium's own goal of HumanoidStandup-v5."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics import final_height, native_return
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

EXPERT = Path(__file__).parents[1] / "experts" / "humanoid_standup.py"

task = Task(
    id="mujoco/humanoid-standup",
    instruction="make the humanoid, which lies on its back, stand up and stay standing",
    world=MujocoWorld("HumanoidStandup-v5"),
    horizon=1000,
    metrics=(
        native_return(EXPERT, ("torso.position",)),
        final_height("torso"),
    ),
    preset="locomotion",
    budget=3_000_000,
    expert=EXPERT,
    control="a humanoid: torques at abdomen, hips, knees, shoulders and elbows",
    reward_version="Gymnasium v5",
    benchmark="Gymnasium HumanoidStandup-v5",
)

"""ICPL's jump that looks human (Yu et al., 2024): no metric, people or another judge compare."""

from reward_agent.envs.mujoco.endings import fallen
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

task = Task(
    id="mujoco/humanoid-jump",
    instruction=(
        "make the humanoid jump up as a person does: bend the knees, swing the arms, push off with both feet "
        "together, land on both feet and stay upright"
    ),
    world=MujocoWorld("Humanoid-v5"),
    horizon=300,
    metrics=(),
    terminates=fallen(0.7),
    preset="acrobatics",
    budget=2_000_000,
    control="a humanoid: torques at abdomen, hips, knees, shoulders and elbows",
)

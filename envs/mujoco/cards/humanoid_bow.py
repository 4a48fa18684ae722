"""A gesture: no metric, people or another judge compare."""

from reward_agent.envs.mujoco.endings import fallen
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

task = Task(
    id="mujoco/humanoid-bow",
    instruction=(
        "make the humanoid bow politely: bend forward at the waist with straight legs, stay so for a moment, "
        "then stand upright again, feet where they were"
    ),
    world=MujocoWorld("Humanoid-v5"),
    horizon=300,
    metrics=(),
    terminates=fallen(0.7),
    preset="posture",
    budget=2_000_000,
    control="a humanoid: torques at abdomen, hips, knees, shoulders and elbows",
)

"""Push an object to a goal: Gymnasium's own goal of Pusher-v5."""

from pathlib import Path

from reward_agent.envs.mujoco.metrics import final_distance, native_return
from reward_agent.envs.mujoco.world import MujocoWorld
from reward_agent.task import Task

EXPERT = Path(__file__).parents[1] / "experts" / "pusher_push.py"

task = Task(
    id="mujoco/pusher-push",
    instruction="push the object onto the goal with the arm's fingertip",
    world=MujocoWorld("Pusher-v5"),
    horizon=100,
    metrics=(
        native_return(EXPERT, ("fingertip.position", "object.position", "goal.position")),
        final_distance("object", "goal", seconds=0.5, axes=2),
    ),
    preset="manipulation",
    budget=1_000_000,
    expert=EXPERT,
    control="a seven-joint arm over a table: torques at every joint",
    reward_version="Gymnasium v5",
    benchmark="Gymnasium Pusher-v5",
)

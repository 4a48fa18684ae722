"""Open a door with a latch: AdroitHandDoor of gymnasium-robotics."""

from pathlib import Path

from reward_agent.envs.robotics.metrics import final_value, success_held, success_once
from reward_agent.envs.robotics.scenes import ADROIT
from reward_agent.envs.robotics.world import DENSE, robotics_world
from reward_agent.task import Task

CRITERION = "the door is open by 1.35 rad or more"

task = Task(
    id="robotics/adroit-door",
    instruction="undo the latch by turning the door's handle, and swing the door wide open",
    world=robotics_world("AdroitHandDoor-v1"),
    horizon=200,
    metrics=(
        success_held(CRITERION, 25),
        final_value("opening", "joints.door_hinge.angle", "angle [rad] of the hinge at the last state"),
        success_once(CRITERION),
    ),
    preset="manipulation",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "adroit_door.py",
    reward_version=DENSE,
    control=ADROIT,
    benchmark="Gymnasium-Robotics AdroitHandDoor-v1",
)

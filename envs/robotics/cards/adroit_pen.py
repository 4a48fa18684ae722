"""Turn a pen as another one is: AdroitHandPen of gymnasium-robotics."""

from pathlib import Path

from reward_agent.envs.robotics.metrics import final_alignment, success_held, success_once
from reward_agent.envs.robotics.scenes import ADROIT
from reward_agent.envs.robotics.world import DENSE, robotics_world
from reward_agent.task import Task

CRITERION = "the pen is within 7.5 cm of its place and points as the target does (cosine above 0.95)"

task = Task(
    id="robotics/adroit-pen",
    instruction="turn the pen in the hand until it points as the target pen does, and hold it in place",
    world=robotics_world("AdroitHandPen-v1"),
    horizon=200,
    metrics=(
        success_held(CRITERION, 20),
        final_alignment("pen_top", "pen_bottom", "target_top", "target_bottom"),
        success_once(CRITERION),
    ),
    preset="manipulation",
    budget=2_000_000,
    expert=Path(__file__).parents[1] / "experts" / "adroit_pen.py",
    reward_version=DENSE,
    control=ADROIT,
    benchmark="Gymnasium-Robotics AdroitHandPen-v1",
)

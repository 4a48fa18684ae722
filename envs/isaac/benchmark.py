"""The nine tasks of IsaacGymEnvs that Eureka and ICPL publish results on, as one table.

Names of actors and joints, horizons and thresholds are IsaacGymEnvs'. They were read, not run: see docs/isaac.md.
"""

from __future__ import annotations

from reward_agent.envs.isaac.metrics import distance_forward, goals_reached, nearness, opened, time_alive, tracking
from reward_agent.envs.isaac.schema import TaskTensor
from reward_agent.envs.isaac.world import IsaacGym
from reward_agent.schema import Field
from reward_agent.task import Metric, Task

_COMMAND = TaskTensor(
    "commands",
    Field("command.velocity", "asked for: forward and sideways, m/s, and yaw rate, rad/s, robot's frame", "", (3,)),
)


def _task(
    name: str,
    instruction: str,
    control: str,
    metrics: tuple[Metric, ...],
    horizon: int,
    preset: str,
    budget: int,
    world: IsaacGym,
) -> Task:
    return Task(
        id=f"isaac/{name}",
        instruction=instruction,
        world=world,
        horizon=horizon,
        metrics=metrics,
        preset=preset,
        budget=budget,
        control=control,
        benchmark=f"IsaacGymEnvs {world.task}",
    )


TASKS = (
    _task(
        "cartpole",
        "balance the pole upright on the cart, near the middle of the rail",
        "a cart on a rail, pushed by one force, that carries a pole on a hinge",
        (time_alive(),),
        500,
        "balance",
        500_000,
        IsaacGym("Cartpole", action_names=("push",)),
    ),
    _task(
        "ball-balance",
        "keep the ball on the tray",
        "a round tray on three legs, whose lower joints are driven by targets that move at the rate of the action",
        (time_alive(),),
        500,
        "balance",
        2_000_000,
        IsaacGym("BallBalance", clears=("dof_position_targets",)),
    ),
    _task(
        "quadcopter",
        "fly to the point one metre above the middle of the ground and hover there",
        "a quadcopter: tilt of its four rotors (8 joints) and their thrust (4), each by its rate",
        (nearness("quadcopter", (0.0, 0.0, 1.0)),),
        500,
        "posture",
        5_000_000,
        IsaacGym("Quadcopter", clears=("thrusts", "forces", "dof_position_targets=dof_positions")),
    ),
    _task(
        "anymal",
        "walk at the velocity and yaw rate that are commanded",
        "a four-legged robot of 12 joints, driven by targets around a stance",
        (tracking("anymal", "command.velocity"),),
        2500,
        "locomotion",
        10_000_000,
        IsaacGym("Anymal", tensors=(_COMMAND,)),
    ),
    _task(
        "ant",
        "run forward, along +x, as fast as possible",
        "a four-legged ant: torques at the hip and the ankle of each leg",
        (distance_forward("ant"),),
        1000,
        "locomotion",
        10_000_000,
        IsaacGym("Ant"),
    ),
    _task(
        "humanoid",
        "run forward, along +x, as fast as possible",
        "a humanoid of 21 joints, each driven by a torque",
        (distance_forward("humanoid"),),
        1000,
        "locomotion",
        20_000_000,
        IsaacGym("Humanoid"),
    ),
    _task(
        "franka-cabinet",
        "open the top drawer of the cabinet",
        "a seven-jointed arm with a gripper of two fingers, driven by targets that move at the rate of the action",
        opened("drawer_top_joint"),
        500,
        "manipulation",
        10_000_000,
        IsaacGym("FrankaCabinet", state=("actors", "joints", "links")),
    ),
    _task(
        "shadow-hand",
        "turn the object in the hand to the goal's orientation, one goal after another, and do not drop it",
        "a hand of 24 joints, 20 of them driven by targets",
        (goals_reached("object", "goal_object"),),
        600,
        "manipulation",
        20_000_000,
        IsaacGym("ShadowHand", state=("actors", "joints", "links")),
    ),
    _task(
        "allegro-hand",
        "turn the object in the hand to the goal's orientation, one goal after another, and do not drop it",
        "a hand of 16 joints, all driven by targets",
        (goals_reached("object", "goal_object"),),
        600,
        "manipulation",
        20_000_000,
        IsaacGym("AllegroHand", state=("actors", "joints", "links")),
    ),
)

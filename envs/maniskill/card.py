"""What cards of this world share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reward_agent.envs.maniskill.names import ROBOTS, control
from reward_agent.envs.maniskill.readiness import VERSION
from reward_agent.envs.maniskill.world import ManiSkill, Sim
from reward_agent.task import Metric, Task

EXPERTS = Path(__file__).parent / "experts"
MANISKILL3 = f"ManiSkill3 {VERSION}"
"""`reward_version` of an expert that equals the dense reward of the environment."""


def card(
    name: str,
    env: str,
    instruction: str,
    *metrics: Metric,
    horizon: int,
    budget: int,
    robot: str = "panda",
    control_mode: str = "pd_joint_delta_pos",
    hide: tuple[str, ...] = (),
    family: str = "",
    benchmark: str = "",
    reward_version: str = "",
) -> Task:
    """A task of ManiSkill's: its expert is the file of its name in `experts/`, where there is one.

    Success does not end an episode: ManiSkill ends it there, but then a reward that pays for every step teaches to put
    success off. Who wants it otherwise replaces `terminates` by `"native"`.

    Args:
        name: of the task, after the world's.
        env: ManiSkill's name of the environment.
        instruction: in plain language.
        metrics: the first selects, the next break ties.
        horizon: steps; ManiSkill's own unless the card says why not.
        budget: steps of one training.
        robot: whose words describe it.
        control_mode: see `names.CONTROL_MODES`.
        hide: fields or entities that are no part of the task.
        family: see `Task.family`.
        benchmark: ManiSkill3's name unless given.
        reward_version: see `Task.reward_version`.
    """
    expert = EXPERTS / f"{name.replace('-', '_')}.py"
    return Task(
        id=f"maniskill/{name}",
        instruction=instruction,
        world=ManiSkill(env, control_mode=control_mode),
        horizon=horizon,
        metrics=metrics,
        terminates="never",
        hide=hide,
        preset="manipulation",
        budget=budget,
        expert=expert if expert.is_file() else None,
        reward_version=reward_version,
        control=control(robot, control_mode),
        family=family,
        benchmark=benchmark or f"ManiSkill3 {env}",
    )


def with_options(
    task: Task, *, control_mode: str = "", horizon: int | None = None, sim: Sim | None = None, robot: str = ""
) -> Task:
    """A task of this world with another controller, horizon, robot or way of simulating.

    Args:
        task: one of `tasks()`.
        control_mode: as `pd_ee_delta_pose`, Text2Reward's.
        horizon: steps, as Text2Reward's 100.
        sim: `physx_cpu` or `physx_cuda`.
        robot: another that the environment takes, as `fetch`.

    Raises:
        UsageError: there is no such way of simulating; of other names the world tells when it is made.
    """
    world = task.world
    assert isinstance(world, ManiSkill), "only tasks of this world have these options"
    mode = control_mode or world.control_mode
    made = replace(world, control_mode=mode, sim=sim or world.sim, robot=robot or world.robot)
    words = task.control if mode == world.control_mode and not robot else control(robot or _robot_of(task), mode)
    return replace(task, world=made, horizon=horizon or task.horizon, control=words)


def _robot_of(task: Task) -> str:
    """The robot that a card's words tell of."""
    return next(name for name, words in ROBOTS.items() if task.control.startswith(words))

"""What every Meta-World task has in common: robot, horizon, metrics, and the name the benchmark has for it."""

from __future__ import annotations

from pathlib import Path

from reward_agent.envs.metaworld.metrics import progress, success, success_at_end
from reward_agent.envs.metaworld.names import SUCCESS
from reward_agent.envs.metaworld.world import MetaWorld
from reward_agent.task import Task

HORIZON = 200
"""Steps (2.5 s). Meta-World's is 500; `docs/metaworld.md` has how far its scripted policies get in either."""
CONTROL = (
    "a Sawyer arm behind a table, seen from which x points to the right, y ahead and z up: actions move its hand in "
    "x, y and z, which keeps its orientation, and open or close its gripper, whose fingers point down"
)
EXPERTS = Path(__file__).parent / "experts"


def metaworld_task(
    env: str, instruction: str, *, measured: tuple[str, str] | None = None, family: str = "", expert: bool = False
) -> Task:
    """The task `metaworld/<env>` without its version.

    Args:
        env: as `drawer-open-v3`.
        instruction: in plain language.
        measured: the part whose distance to the goal is graded, and the axes along which it is; None for no grade.
        family: see `Task.family`.
        expert: there is one, of the environment's name, among `experts/`.
    """
    name = env.rpartition("-")[0]
    graded = (progress(*measured),) if measured else ()
    return Task(
        id=f"metaworld/{name}",
        instruction=instruction,
        world=MetaWorld(env),
        horizon=HORIZON,
        terminates="never",
        metrics=(success(), success_at_end(), *graded),
        goal=SUCCESS,
        preset="tabletop",
        budget=300_000,
        expert=EXPERTS / f"{name.replace('-', '_')}.py" if expert else None,
        reward_version="Meta-World v2" if expert else "",
        control=CONTROL,
        family=family,
        benchmark=f"Meta-World {env}",
    )

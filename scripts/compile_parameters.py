"""Compile the reward parameters that an expert's docstring holds, again: run it after a change of what calls mean.

python scripts/compile_parameters.py envs/quadruped/experts/*.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from reward_agent.envs.registry import find_task
from reward_agent.parameters import Parameterised
from reward_agent.parameters.calls import read_calls
from reward_agent.parameters.compiling import compile_plan, plan_in
from reward_agent.parameters.plan import Plan, gather
from reward_agent.program import Program


def compiled(path: Path) -> str:
    """The program of a file of calls, or of a program that was compiled from some.

    Raises:
        SystemExit: it is neither.
    """
    task = find_task(f"{path.parents[1].name}/{path.stem.replace('_', '-')}")
    assert isinstance(task.world, Parameterised)
    api, text = task.world.reward_api(), path.read_text(encoding="utf-8")
    found = plan_in(Program(text), api)
    if found is None:
        calls = read_calls(f"```python\n{text}\n```", api)
        found = gather(calls, api) if isinstance(calls, tuple) else calls
    program = compile_plan(found, api) if isinstance(found, Plan) else found
    if not isinstance(program, Program):
        raise SystemExit(f"{path}, line {program.line}: {program.message}")
    return program.source


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(compiled(Path(name)), encoding="utf-8")

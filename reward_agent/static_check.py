"""The static check: what surely breaks the contract, with lines and hints, and which fields a program reads.

It helps whoever wrote the program. It is not the wall: the cell is. What only values show is for the probe.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from reward_agent import contract
from reward_agent.fields_read import FieldReader
from reward_agent.portability import unportable
from reward_agent.program import REWARD, Fault, Program, parse
from reward_agent.sandbox.helpers import UPRIGHT
from reward_agent.schema import StateSchema

TIME = "episode.time"
MANY_FIELDS = 60


@dataclass(frozen=True)
class CheckReport:
    """What the text of a program says."""

    faults: tuple[Fault, ...] = ()
    """In order of lines; empty when the program may be probed."""
    warnings: tuple[str, ...] = ()
    portable: bool = False
    """It keeps to the Python Array API without in-place writes: it also runs on torch and JAX arrays."""
    fields: tuple[str, ...] = ()
    """Paths it reads, in the schema's order; a superset where the text leaves it open."""
    unportable: tuple[str, ...] = ()
    """What keeps it from being portable, each with its line."""

    @property
    def reads_time(self) -> bool:
        """The policy must then observe the time too."""
        return TIME in self.fields


def check(program: Program, schema: StateSchema) -> CheckReport:
    """Read a program without running it.

    Args:
        program: its source and entry point.
        schema: the task's visible schema, `task_schema(task).visible()`.
    """
    tree = parse(program.source)
    if isinstance(tree, Fault):
        return CheckReport(faults=(tree,))
    try:
        entry = contract.signature(tree, program.entry)
        if isinstance(entry, Fault):
            return CheckReport(faults=_in_order([entry, *contract.broken(tree)]))
        reader = FieldReader(schema)
        reader.read(tree, entry)
        faults = _in_order([*contract.broken(tree), *contract.returns(entry), *reader.faults, *_upright(tree, schema)])
    except RecursionError:
        return CheckReport(faults=(Fault("check", "The program is nested too deeply to be read; write it flatter."),))
    kept_from = tuple(f"{what} (line {line})" for what, line in sorted(unportable(tree).items()))
    return CheckReport(
        faults=faults,
        warnings=tuple(_warnings(program, entry, reader.fields)),
        portable=not kept_from and not faults,
        fields=tuple(path for path in schema.by_path if path in reader.fields),
        unportable=kept_from,
    )


def _upright(tree: ast.Module, schema: StateSchema) -> Iterator[Fault]:
    """Calls of helpers that take z as up where it is not."""
    if schema.up == "z":
        return
    own = set(contract.bound_names(ast.walk(tree)))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in UPRIGHT - own:
            mend = "turn the axis you mean with `rotate`"
            yield contract.fault(node, f"`{node.id}` takes z as up; in this world {schema.up} is up: {mend}.")


def _in_order(faults: list[Fault]) -> tuple[Fault, ...]:
    """By line, each place and message once."""
    return tuple(sorted(dict.fromkeys(faults), key=lambda fault: (fault.line or 0, fault.message)))


def _warnings(program: Program, entry: ast.FunctionDef, fields: set[str]) -> Iterator[str]:
    what = "reward" if program.entry == REWARD else "program"
    named = {node.id for node in ast.walk(entry) if isinstance(node, ast.Name)}
    state, action, next_state = (parameter.arg for parameter in (*entry.args.posonlyargs, *entry.args.args))
    if next_state not in named and state in named:
        yield (
            f"The {what} reads `{state}`, from before the action, and never `{next_state}`: what the action led to is "
            "only seen a step later, and never for the last step."
        )
    elif not named & {state, action, next_state}:
        yield f"The {what} reads nothing of the state or the action: it is the same whatever happens."
    if TIME in fields and program.entry == REWARD:
        yield f"It reads `{TIME}`, so the policy's observation will carry the time too."
    if len([path for path in fields if not path.startswith("start.")]) > MANY_FIELDS:
        yield f"It reads more than {MANY_FIELDS} fields; naming them one by one keeps training fast."

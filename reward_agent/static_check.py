"""The static check: what would surely fail or breaks the contract, with lines and hints, and which fields are read.

It helps whoever wrote the program. It is not the wall: the cell is.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from reward_agent.program import Fault, Program, parse
from reward_agent.reading import rules
from reward_agent.reading.fields import START, is_start
from reward_agent.reading.reader import Reader
from reward_agent.reading.values import NONE, Arr, Items, Node, Table, Value, only
from reward_agent.sandbox.protocol import MAX_NAME, MAX_TERMS
from reward_agent.schema import StateSchema

TIME = "episode.time"


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
    # here, as the helpers are listed beside the cell that gives them to programs
    from reward_agent.sandbox.helpers import HELPERS

    tree = parse(program.source)
    if isinstance(tree, Fault):
        return CheckReport(faults=(tree,))
    entry = rules.signature(tree, program.entry)
    if isinstance(entry, Fault):
        return CheckReport(faults=_in_order([entry, *rules.broken(tree, _nothing(program.entry))]))
    reader = Reader(schema, HELPERS)
    try:
        reader.read(tree, entry)
    except RecursionError:
        return CheckReport(faults=(Fault("check", "The program is nested too deeply to be read; write it flatter."),))
    faults = [*rules.broken(tree, entry), *reader.faults.values(), *_returns(reader, entry)]
    unportable = tuple(f"{what} (line {line})" for what, line in sorted(reader.unportable.items()))
    return CheckReport(
        faults=_in_order(faults),
        warnings=tuple(_warnings(reader, entry)),
        portable=not unportable and not faults and not reader.gave_up,
        fields=tuple(path for path in schema.by_path if path in reader.fields),
        unportable=unportable,
    )


def _in_order(faults: list[Fault]) -> tuple[Fault, ...]:
    """By line, each place and message once."""
    return tuple(sorted(dict.fromkeys(faults), key=lambda fault: (fault.line or 0, fault.message)))


def _nothing(name: str) -> ast.FunctionDef:
    """Stands for a missing entry, so that the rest can be looked at."""
    tree = ast.parse(f"def {name}(): pass")
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    return function


def _returns(reader: Reader, entry: ast.FunctionDef) -> list[Fault]:
    """What is wrong with what the entry returns; silent where it cannot be known."""
    contract = "return the total and the dict of its terms: `return sum(terms.values()), terms`"
    if reader.gave_up:
        return []
    if not reader.returns:
        return [Fault("check", f"`{entry.name}` returns nothing; {contract}.", entry.lineno)]
    faults = []
    for line, value in reader.returns:
        what = _wrong_pair(value)
        if what:
            faults.append(Fault("check", f"`{entry.name}` returns {what}; {contract}.", line))
            continue
        for pair in value:
            if isinstance(pair, Items):
                faults += [Fault("check", message, line) for message in _wrong_terms(pair.items[1])]
    return faults


def _wrong_pair(value: Value) -> str | None:
    """What it is, if it surely is not a pair of an array and a dictionary."""
    if value == NONE:
        return "None"
    if only(value, Arr):
        return "the total alone"
    if only(value, Table):
        return "the terms alone"
    if only(value, Node):
        return "a part of the state"
    if not only(value, Items):
        return None
    sizes = {len(pair.items) for pair in value}
    if 2 not in sizes:
        return f"{min(sizes)} values"
    total, terms = next(pair.items for pair in value if len(pair.items) == 2)
    if only(total, Table):
        return "the terms first and the total second" if not only(terms, Table) else "two dictionaries"
    if only(terms, Arr) or only(terms, Items) or terms == NONE:
        return (
            f"{'None' if terms == NONE else 'an array' if only(terms, Arr) else 'a list or tuple'} as its second value"
        )
    return None


def _wrong_terms(terms: Value) -> list[str]:
    """What is wrong with the names of the terms."""
    if len(terms) != 1 or not only(terms, Table):
        return []
    (table,) = terms
    names = [name for name, _ in table.entries if name is not None]
    if not table.entries:
        return ["The dict of terms is empty; give each summand of the total a name in it."]
    if len(set(names)) > MAX_TERMS:
        return [f"There are {len(set(names))} terms; at most {MAX_TERMS} are allowed. Sum some that belong together."]
    return [
        f"The term name {name[:80]!r} must be a Python identifier of at most {MAX_NAME} characters."
        for name in names
        if not name.isidentifier() or len(name) > MAX_NAME
    ]


def _warnings(reader: Reader, entry: ast.FunctionDef) -> list[str]:
    named = {node.id for node in ast.walk(entry) if isinstance(node, ast.Name)}
    state, action, next_state = (parameter.arg for parameter in (*entry.args.posonlyargs, *entry.args.args))
    found = []
    if next_state not in named and state in named:
        found.append(
            f"The reward reads `{state}`, from before the action, and never `{next_state}`: what the action led to is "
            "only paid a step later, and never for the last step."
        )
    elif not named & {state, action, next_state}:
        found.append("The reward reads nothing of the state or the action: it is the same whatever happens.")
    if TIME in reader.fields:
        found.append("It reads `episode.time`, so the policy's observation will carry the time too.")
    if reader.gave_up:
        found.append(f"The program is too tangled to follow; everything but `{START}.` counts as read.")
    if entry.body and rules.ends_without_return(entry.body) and reader.returns:
        found.append(f"`{entry.name}` can reach its end without a `return`.")
    if len([path for path in reader.fields if not is_start(path)]) > 60:
        found.append("It reads more than 60 fields; naming them one by one keeps training fast.")
    return found

"""Reading what a model says of transitions, strictly: what is not exactly what was asked for is a fault."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from reward_agent.crediting import Reached
from reward_agent.program import Fault, fenced_blocks

QUOTED = 80
"""Characters of a reply that a fault repeats."""


def read_transitions(reply: str, names: Sequence[str], count: int) -> list[Reached | Fault] | Fault:
    """The answer for each of `count` transitions; one fault where the reply as a whole cannot be read."""
    found = _object(reply)
    if isinstance(found, Fault):
        return found
    if count == 1:
        return [_reached(found, names)]
    numbers = [str(number) for number in range(1, count + 1)]
    if found.keys() != set(numbers):
        return _fault(f'It must have the keys "1" to "{count}", one a transition; it has {_listed(found)}.')
    return [
        _reached(each, names, f"Transition {number}: ")
        if isinstance(each := found[number], dict)
        else _fault(f"Transition {number} is {_quoted(each)}, not an object of subgoals.")
        for number in numbers
    ]


def read_times(reply: str, names: Sequence[str], steps: int) -> dict[str, int | None] | Fault:
    """By which step, from 1 on, each subgoal was reached first; None for one that never was."""
    found = _object(reply)
    if isinstance(found, Fault):
        return found
    if fault := _other_names(found, names, ""):
        return fault
    for name, value in found.items():
        if not (value is None or (type(value) is int and 1 <= value <= steps)):
            return _fault(f"`{name}` is {_quoted(value)}; it must be a step from 1 to {steps}, or null.")
    return {name: found[name] for name in names}


def _reached(found: Mapping[str, Any], names: Sequence[str], where: str = "") -> Reached | Fault:
    if fault := _other_names(found, names, where):
        return fault
    for name, value in found.items():
        if not isinstance(value, bool):
            return _fault(f"{where}`{name}` is {_quoted(value)}; it must be true or false.")
    return {name: found[name] for name in names}


def _other_names(found: Mapping[str, Any], names: Sequence[str], where: str) -> Fault | None:
    for name in found:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            meant = f" Is `{close[0]}` meant?" if close else ""
            return _fault(f"{where}there is no subgoal {_quoted(name)}.{meant} They are {_listed(names)}.")
    missing = [name for name in names if name not in found]
    return _fault(f"{where}it says nothing of {_listed(missing)}.") if missing else None


def _object(reply: str) -> dict[str, Any] | Fault:
    """The JSON object that a reply is, or that its only fenced block is."""
    blocks = list(fenced_blocks(reply))
    if len(blocks) > 1:
        return _fault(f"It has {len(blocks)} code blocks, and which one is the answer cannot be told.")
    text = blocks[0].source if blocks else reply
    try:
        found = json.loads(text, object_pairs_hook=_pairs)
    except (ValueError, RecursionError) as error:
        return _fault(f"It is no JSON object ({str(error)[:QUOTED]}).")
    return found if isinstance(found, dict) else _fault(f"It is {_quoted(found)}, not a JSON object.")


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def _fault(message: str) -> Fault:
    return Fault("extract", message)


def _quoted(value: Any) -> str:
    return f"`{json.dumps(value)[:QUOTED]}`"


def _listed(names: Sequence[str] | Mapping[str, Any]) -> str:
    return (", ".join(f"`{name}`" for name in names) or "none")[: 4 * QUOTED]

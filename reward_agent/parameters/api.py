"""What can be called: functions with typed arguments, and the terms of a reward that their values make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

Value = float | str | bool | None
"""Of an argument; None takes the target away."""


@dataclass(frozen=True)
class Argument:
    """One argument of a function. It is a number in its range, one of its choices, or a yes or no."""

    name: str
    doc: str
    unit: str = ""
    low: float = float("-inf")
    high: float = float("inf")
    choices: tuple[str, ...] = ()
    """Where there are any, it is one of these texts."""
    flag: bool = False
    """It is True or False."""
    required: bool = False
    """Must be given in each call."""
    default: Value = None
    """What it is until a call sets it; None is no target."""

    @property
    def kind(self) -> str:
        """What may be given, in words."""
        if self.choices:
            return "one of " + ", ".join(f'"{choice}"' for choice in self.choices)
        if self.flag:
            return "True or False"
        bounds = "" if self.low == float("-inf") else f" from {self.low:g} to {self.high:g}"
        return f"a number{bounds}{f' [{self.unit}]' if self.unit else ''}"


class Term(NamedTuple):
    """One named term of a reward: a Python expression of shape `(N,)` over `state`, `action` and `next_state`."""

    name: str
    expression: str
    unless: str = ""
    """Name of a term beside which this one is left out."""


Values = Mapping[str, Value]
"""Of a function's arguments, by name."""


@dataclass(frozen=True)
class Function:
    """Sets values; what they mean for the reward is said by `terms`."""

    name: str
    doc: str
    arguments: tuple[Argument, ...]
    terms: Callable[[Values], Iterable[Term]]
    """Of the values set; those that are None are no targets."""
    key: tuple[str, ...] = ()
    """Arguments that name what is set, as `foot_name`: calls with others stand side by side, calls with the same go on
    from each other."""
    skill: str = ""
    """What a skill takes hold of, as `palm`: a call says all of it, and takes the place of what any function of this
    name set before for the same key. Empty where calls go on from each other."""
    fault: Callable[[Values], str] = lambda values: ""
    """What is wrong with values each of which is right by itself; empty where nothing is."""

    @property
    def by_name(self) -> dict[str, Argument]:
        return {argument.name: argument for argument in self.arguments}


@dataclass(frozen=True)
class RewardApi:
    """All that can be called in a world.

    Beside its functions every one has `execute_plan(plan_duration)`, which ends a phase, and `reset_reward()`, which
    forgets everything set so far.
    """

    robot: str
    """What it is and how its frame lies, for prompts."""
    functions: tuple[Function, ...]
    always: tuple[Term, ...] = ()
    """Terms of every reward: effort and the like."""
    definitions: str = ""
    """Source of pure functions that expressions call; those that a program needs are put into it."""
    motion: str = ""
    """The template that a Motion Descriptor fills in; empty where there is none."""
    advice: str = ""
    """What a Reward Coder should know of this robot, a list in markdown."""

    @property
    def by_name(self) -> dict[str, Function]:
        return {function.name: function for function in self.functions}

    def render(self) -> str:
        """The functions for a prompt: signature, meaning, and one line an argument."""
        return "\n".join(_render(function) for function in (*self.functions, EXECUTE, RESET))


DURATION = "plan_duration"
LONGEST_PLAN = 60.0

EXECUTE = Function(
    "execute_plan",
    "Act on what is set. A later phase begins where this one ends; the last one goes on.",
    (Argument(DURATION, "how long", "s", 0.1, LONGEST_PLAN, default=4.0),),
    lambda values: (),
)
RESET = Function(
    "reset_reward",
    "Forget everything set so far. Without it, what was set before stays in force beside the new.",
    (),
    lambda values: (),
)


def _render(function: Function) -> str:
    shown = ", ".join(a.name if a.required else f"{a.name}={a.default!r}" for a in function.arguments)
    lines = [f"def {function.name}({shown}):", f'    """{function.doc}']
    if function.arguments:
        lines.append("")
        lines += [f"    {a.name}: {a.doc}; {a.kind}" for a in function.arguments]
        return "\n".join([*lines, '    """', ""])
    return "\n".join([lines[0], f'{lines[1]}"""', ""])

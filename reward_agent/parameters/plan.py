"""What calls amount to: phases one after the other, each with all that is set in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reward_agent.parameters.api import DURATION, EXECUTE, RESET, RewardApi, Value
from reward_agent.parameters.calls import Call

At = tuple[str, tuple[Value, ...]]
"""A function's name (a skill's: what it takes hold of), and the values of its key."""


@dataclass(frozen=True)
class Phase:
    """What is set while it lasts."""

    settings: Mapping[At, Call] = field(default_factory=dict)
    seconds: float | None = None
    """How long it lasts; None where nothing said so."""

    def calls(self) -> tuple[Call, ...]:
        """Calls that set just this, after a reset."""
        return tuple(self.settings.values())


@dataclass(frozen=True)
class Plan:
    """At least one phase. The last one goes on after its time."""

    phases: tuple[Phase, ...] = (Phase(),)

    def calls(self) -> tuple[Call, ...]:
        """Calls that make this plan from nothing."""
        found: list[Call] = []
        for number, phase in enumerate(self.phases):
            found += [Call(RESET.name, {})] * (number > 0)
            found += phase.calls()
            found += [Call(EXECUTE.name, {DURATION: phase.seconds})] if phase.seconds is not None else []
        return tuple(found)


def gather(calls: Iterable[Call], api: RewardApi, before: Plan | None = None) -> Plan:
    """The plan of `calls`, what the last phase of `before` set being in force at first (the paper's carried state).

    A call changes the values it gives and leaves the others of the same function and key as they were; a skill's call
    is all that its kind amounts to.
    """
    functions = api.by_name
    settings: dict[At, Call] = dict(before.phases[-1].settings) if before else {}
    phases: list[Phase] = []
    changed = False
    for call in calls:
        if call.function == EXECUTE.name:
            seconds = call.values.get(DURATION) or EXECUTE.arguments[0].default
            assert isinstance(seconds, float)
            phases.append(Phase(dict(settings), seconds))
            changed = False
            continue
        changed = True
        if call.function == RESET.name:
            settings = {}
            continue
        function = functions[call.function]
        at = function.skill or function.name, tuple(call.values.get(name) for name in function.key)
        earlier = settings.pop(at, None)  # what is set last stands last
        kept = {} if earlier is None or function.skill else earlier.values
        given = {name: value for name, value in {**kept, **call.values}.items() if value is not None}
        settings[at] = Call(function.name, given)
    if changed or not phases:
        phases.append(Phase(dict(settings)))
    return Plan(tuple(phases))

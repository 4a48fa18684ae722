"""Recorded trajectories with labels: what offline evaluation of who judges transitions goes by.

A file is gzipped JSON lines, a trajectory each. Screens and inventories that come again are written once, and a column
of the state that never changes as one number.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from reward_agent.crediting import Glimpse, Reached
from reward_agent.errors import UsageError, no_such_file, unknown_name
from reward_agent.files import atomic
from reward_agent.schema import Array
from reward_agent.task import Screen


@dataclass(frozen=True)
class Trajectory:
    """One episode, T steps of it, as a person saw it and as programs read it.

    Raises:
        ValueError: its parts are not of one length.
    """

    id: str
    task: str
    seed: int
    by: str
    """Who acted."""
    actions: tuple[str, ...]
    """T of them, by name."""
    screens: tuple[Screen, ...]
    """T+1 of them."""
    fields: tuple[str, ...]
    """Paths that the state packs, in order."""
    states: Array = field(compare=False)
    """`(T+1, D)`."""
    reached: tuple[Reached | None, ...]
    """What each transition reached, by subgoal; None where nobody says."""

    def __post_init__(self) -> None:
        steps = len(self.actions)
        if not len(self.screens) == len(self.states) == steps + 1 == len(self.reached) + 1:
            raise ValueError(f"{self.id}: {steps} actions do not go with its screens, states or labels")

    def glimpse(self, step: int) -> Glimpse:
        """Transition `step`, from 0 on, as a person sees it."""
        return Glimpse(self.screens[step], self.actions[step], self.screens[step + 1])

    @property
    def glimpses(self) -> list[Glimpse]:
        """All T transitions."""
        return [self.glimpse(step) for step in range(len(self.actions))]


@dataclass(frozen=True)
class Place:
    """One transition of a set of trajectories."""

    trajectory: int
    """By its place in the set."""
    step: int
    """From 0 on."""


def balanced(trajectories: Sequence[Trajectory], seed: int = 0, count: int | None = None) -> list[Place]:
    """Labelled transitions, as many that reached any subgoal as reached none, in order.

    Without `count` all that reached one, and as many others drawn among all. With it half of `count` of each kind, in
    turns of the trajectories in drawn order, so that they come from as many as there can be.

    Raises:
        UsageError: there are not so many.
    """
    generator = np.random.default_rng(seed)
    kinds: tuple[list[Place], list[Place]] = ([], [])
    for number in generator.permutation(len(trajectories)).tolist():
        for step in generator.permutation(len(trajectories[number].reached)).tolist():
            said = trajectories[number].reached[step]
            if said is not None:
                kinds[any(said.values())].append(Place(number, step))
    none, some = kinds
    wanted = len(some) if count is None else count // 2
    if wanted > min(len(some), len(none)):
        raise UsageError(
            f"{2 * wanted} balanced transitions are wanted, and of the labelled ones {len(some)} reach a subgoal and "
            f"{len(none)} reach none: ask for {2 * min(len(some), len(none))} or fewer."
        )
    if count is None:
        chosen = [none[index] for index in generator.choice(len(none), wanted, replace=False).tolist()] + some
    else:
        chosen = [*in_turns(none)[:wanted], *in_turns(some)[:wanted]]
    return sorted(chosen, key=lambda place: (place.trajectory, place.step))


def in_turns(places: Iterable[Place]) -> list[Place]:
    """The first of each trajectory, then the second of each, and so on."""
    before: Counter[int] = Counter()
    turns: list[tuple[int, int, Place]] = []
    for number, place in enumerate(places):
        turns.append((before[place.trajectory], number, place))
        before[place.trajectory] += 1
    return [place for *_, place in sorted(turns, key=lambda turn: turn[:2])]


def write_trajectories(path: Path, trajectories: Iterable[Trajectory]) -> None:
    """Write a file, whole; the same trajectories make the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(_to_json(each), separators=(",", ":")) + "\n" for each in trajectories)
    with atomic(path) as temporary:
        temporary.write_bytes(gzip.compress(text.encode(), mtime=0))


def read_trajectories(path: Path) -> list[Trajectory]:
    """All that a file holds.

    Raises:
        UsageError: it cannot be read, or a line is none of a trajectory.
    """
    found = []
    for number, line in enumerate(_lines(path), 1):
        try:
            found.append(_from_json(json.loads(line)))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise UsageError(f"{path}, line {number}, is no trajectory ({error!r:.120}).") from error
    return found


def lay_over(trajectories: Sequence[Trajectory], path: Path) -> list[Trajectory]:
    """The same with another's labels, as a person's: JSON lines of `{"trajectory": id, "step": from 0 on, "reached":
    {subgoal: true or false}}`, gzipped or not. What the file does not tell has no label, so that no two who label are
    ever mixed.

    Raises:
        UsageError: it cannot be read, names a trajectory or a step that there is not, tells a step twice, or does not
            always tell the same subgoals.
    """
    by_id = {each.id: each for each in trajectories}
    labels: dict[str, list[Reached | None]] = {each.id: [None] * len(each.actions) for each in trajectories}
    names: set[str] | None = None
    for number, line in enumerate(_lines(path), 1):
        where = f"{path}, line {number}"
        try:
            entry = json.loads(line)
            name, step, said = entry["trajectory"], entry["step"], entry["reached"]
            if type(step) is not int or not said or not all(isinstance(each, bool) for each in said.values()):
                raise ValueError("`step` is a number, `reached` an object of true and false")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{where}, is no label ({error!r:.120}).") from error
        if name not in by_id:
            raise unknown_name(f"trajectory (in {where})", str(name), by_id)
        if not 0 <= step < len(labels[name]):
            raise UsageError(f"{where}: {name} has steps 0 to {len(labels[name]) - 1}, and no step {step}.")
        if labels[name][step] is not None:
            raise UsageError(f"{where}: step {step} of {name} is labelled for the second time. Leave one out.")
        names = names or set(said)
        if set(said) != names:
            raise UsageError(f"{where} tells {', '.join(said)}; lines before tell {', '.join(sorted(names))}.")
        labels[name][step] = dict(said)
    return [replace(each, reached=tuple(labels[each.id])) for each in trajectories]


def _lines(path: Path) -> Iterator[str]:
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode()
    except FileNotFoundError as error:
        raise UsageError(f"{path} cannot be read: {no_such_file(path)}") from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.") from error
    return (line for line in text.split("\n") if line.strip())


def _to_json(each: Trajectory) -> dict[str, Any]:
    carried = {screen.inventory: None for screen in each.screens}
    inventories = {inventory: number for number, inventory in enumerate(carried)}
    seen = {screen: number for number, screen in enumerate(dict.fromkeys(each.screens))}
    columns: list[Any] = []
    for column in each.states.T:
        numbers = [int(value) if value == int(value) else float(value) for value in column.tolist()]
        columns.append(numbers[0] if len(set(numbers)) == 1 else numbers)
    return {
        "id": each.id,
        "task": each.task,
        "seed": each.seed,
        "by": each.by,
        "actions": list(each.actions),
        "inventories": [list(inventory) for inventory in inventories],
        "seen": [[s.crop, s.full, s.message, inventories[s.inventory]] for s in seen],
        "screens": [seen[screen] for screen in each.screens],
        "fields": list(each.fields),
        "state": columns,
        "reached": [None if said is None else dict(said) for said in each.reached]
        if any(said is None for said in each.reached)
        else _steps(each.reached),
    }


def _steps(reached: Sequence[Reached | None]) -> dict[str, list[int]]:
    """Steps that reached it, by subgoal; where all have a label."""
    names = next((said for said in reached if said is not None), {})
    return {name: [step for step, said in enumerate(reached) if said and said[name]] for name in names}


def _from_json(data: Mapping[str, Any]) -> Trajectory:
    inventories = [tuple(inventory) for inventory in data["inventories"]]
    seen = [Screen(crop, full, message, inventories[number]) for crop, full, message, number in data["seen"]]
    screens = tuple(seen[number] for number in data["screens"])
    states = np.empty((len(screens), len(data["state"])))
    for number, column in enumerate(data["state"]):
        states[:, number] = column
    labels, steps = data["reached"], range(len(data["actions"]))
    if isinstance(labels, dict):
        sets = {name: set(reached) for name, reached in labels.items()}
        labels = [{name: step in reached for name, reached in sets.items()} for step in steps]
    return Trajectory(
        id=data["id"],
        task=data["task"],
        seed=data["seed"],
        by=data["by"],
        actions=tuple(data["actions"]),
        screens=screens,
        fields=tuple(data["fields"]),
        states=states,
        reached=tuple(labels),
    )

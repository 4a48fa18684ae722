"""Programs held to labelled transitions: where one does not tell of a subgoal what the labels say, that is a fault.

What a subgoal pays hangs on its first reach in an episode. So of each subgoal the labelled transitions of a trajectory
are looked at up to the first that the labels say reached it: a program may go on telling what lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

from reward_agent.crediting import Reached
from reward_agent.crediting.programs import line_of, told_by
from reward_agent.crediting.trajectories import Place, Trajectory, in_turns, read_trajectories
from reward_agent.crediting.view import View, transition_text
from reward_agent.envs.episodes import START, task_schema
from reward_agent.errors import UsageError, unknown_name
from reward_agent.program import Fault, Program
from reward_agent.schema import Array, Field
from reward_agent.sources import SourceFaultError
from reward_agent.static_check import check
from reward_agent.task import Task

SHOWN = 6
"""Disagreements that are shown."""
MOST_FIELDS = 12
"""Fields that are told of each."""
WANTED = (
    "Labels are recorded trajectories, with what each transition reached, as `crediting.trajectories."
    "write_trajectories` writes them. (The `labels.jsonl` of a training has screens and no states, so that no program "
    "can be asked of it.)"
)


@dataclass(frozen=True)
class Labels:
    """Labelled transitions of one task.

    Raises:
        UsageError: `errors` is no share.
    """

    trajectories: tuple[Trajectory, ...]
    """Those with any label."""
    errors: float = 0.0
    """Of the transitions that reach a subgoal, by label or program, the share on which the two may differ."""

    def __post_init__(self) -> None:
        require_share(self.errors)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the subgoals that are labelled."""
        said = (said for each in self.trajectories for said in each.reached if said is not None)
        return tuple(dict.fromkeys(name for reached in said for name in reached))


@dataclass(frozen=True)
class Held:
    """What came of holding a program to labels."""

    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Subgoals that the labels tell too."""


@dataclass
class Tally:
    """Of one subgoal, where program and labels differ."""

    name: str
    reached: int = 0
    """Trajectories that the labels say reached it."""
    others: int = 0
    """Transitions before, which did not."""
    missed: list[Place] = field(default_factory=list)
    wrong: list[Place] = field(default_factory=list)

    @property
    def differ(self) -> int:
        return len(self.missed) + len(self.wrong)

    @property
    def share(self) -> float:
        """Of the transitions that reach it by label or program, those on which the two differ."""
        return self.differ / max(self.reached + len(self.wrong), 1)

    def __str__(self) -> str:
        return (
            f"`{self.name}` is missed in {len(self.missed):,} of {self.reached:,} transitions that reach it, and told "
            f"in {len(self.wrong):,} of {self.others:,} that do not"
        )


def require_share(errors: float) -> None:
    """Raise `UsageError` where it is no share of transitions that may differ."""
    if not 0 <= errors < 1:
        raise UsageError(f"`label_errors` is a share, at least 0 and below 1 (0.02 is one in fifty), not {errors:g}.")


def read_labels(path: Path, task: Task, errors: float = 0.0) -> Labels:
    """The labelled transitions in a file of trajectories.

    Raises:
        UsageError: it cannot be read, has no labels, or is not of this task as it is now.
    """
    try:
        found = read_trajectories(path)
    except UsageError as error:
        raise UsageError(f"{error} {WANTED}") from error
    labelled = tuple(each for each in found if any(said is not None for said in each.reached))
    if not labelled:
        raise UsageError(f"No transition in {path} has a label. {WANTED}")
    for each in labelled:
        _require_of(each, task, path)
    return Labels(labelled, errors)


def hold(program: Program, names: Sequence[str], task: Task, labels: Labels, *, unsafe: bool = False) -> Held:
    """Ask a program in the cell of all labelled transitions, and compare.

    Args:
        program: that tells subgoals of these `names`, and passed check and probe.
        names: see above.
        task: what it is for.
        labels: of this task.
        unsafe: run it without the cell's layers.

    Raises:
        MissingComponentError: this machine cannot lock a cell.
    """
    held = tuple(name for name in names if name in labels.names)
    warnings = _not_held(names, held, labels)
    if not held:
        return Held(warnings=warnings)
    try:
        told = told_by(program, task, labels.trajectories, unsafe=unsafe)
    except SourceFaultError as error:
        return Held((replace(error.fault, stage="labels"),), warnings, held)
    tallies = [_compare(name, labels.trajectories, told) for name in held]
    wrong = [each for each in tallies if each.share > labels.errors]
    borne = [
        f"{each}: within the share of {labels.errors:g} that may differ."
        for each in tallies
        if each.differ and each not in wrong
    ]
    if not wrong:
        return Held(warnings=(*warnings, *borne), names=held)
    return Held((_summary(wrong, labels), *_shown(wrong, program, task, labels)), (*warnings, *borne), held)


def _require_of(each: Trajectory, task: Task, path: Path) -> None:
    if each.task != task.id:
        raise UsageError(
            f"The trajectory {each.id} in {path} is of {each.task}, and subgoals are those of {task.id}. {WANTED}"
        )
    schema = task_schema(task)
    for name in each.actions:
        if name not in schema.action.names:
            raise unknown_name(f"action (in the trajectory {each.id} of {path})", name, schema.action.names)
    there = schema.select(name for name in each.fields if name in schema)
    missing = [name for name in schema.visible().by_path if name not in there]
    if missing or tuple(there.by_path) != each.fields or each.states.shape[1] != there.width:
        lacks = f"lacks the field {missing[0]}" if missing else "has other fields, or in another order"
        raise UsageError(
            f"The trajectory {each.id} in {path} {lacks}, so it was recorded of another version of {task.id}: a "
            "program could not be asked of it. Record and label it again."
        )


def _not_held(names: Sequence[str], held: Sequence[str], labels: Labels) -> tuple[str, ...]:
    others = [name for name in names if name not in held]
    if not others:
        return ()
    return (f"The labels tell {_quoted(labels.names)} and say nothing of {_quoted(others)}: not held to them.",)


def _compare(name: str, trajectories: Sequence[Trajectory], told: Sequence[Sequence[Reached]]) -> Tally:
    tally = Tally(name)
    for number, (each, said) in enumerate(zip(trajectories, told, strict=True)):
        for step, (label, answer) in enumerate(zip(each.reached, said, strict=True)):
            if label is None or name not in label:
                continue
            if label[name]:
                tally.reached += 1
                tally.missed += [] if answer[name] else [Place(number, step)]
                break
            tally.others += 1
            tally.wrong += [Place(number, step)] if answer[name] else []
    return tally


def _summary(wrong: Sequence[Tally], labels: Labels) -> Fault:
    differ = sum(each.differ for each in wrong)
    shown = f"{SHOWN} of these {differ:,} follow" if differ > SHOWN else "These follow"
    allowed = (
        f" (labels err too: of what either calls reached, a share of {labels.errors:g} may differ)"
        if labels.errors
        else ""
    )
    return Fault(
        "labels",
        f"Recorded transitions are labelled otherwise: {'; '.join(map(str, wrong))}. Where they differ, the labels are "
        f"right{allowed}. {shown}, with the fields that the program reads or that changed, and with what a person saw "
        "before and after. What an episode does after it first reached a subgoal was not looked at: it pays once.",
    )


def _shown(wrong: Sequence[Tally], program: Program, task: Task, labels: Labels) -> list[Fault]:
    """Disagreements as a person would see them, of each subgoal and kind in turns, and of many trajectories."""
    read = check(program, task_schema(task).visible()).fields
    kinds = [
        [(each.name, missed, place) for place in in_turns(places)]
        for each in wrong
        for missed, places in ((True, each.missed), (False, each.wrong))
    ]
    turns = [one for turn in zip_longest(*kinds) for one in turn if one is not None]
    found = []
    for name, missed, place in turns[:SHOWN]:
        each = labels.trajectories[place.trajectory]
        said = "does not tell" if missed else "tells"
        was = "reached" if missed else "did not reach"
        glimpse = each.glimpse(place.step)
        carried = glimpse.before.inventory != glimpse.after.inventory
        found.append(
            Fault(
                "labels",
                f"The program {said} `{name}` of step {place.step} of {each.id}, which {was} it by its label. "
                f"{_fields(each, place.step, task, read)}\n{transition_text(glimpse, View(inventory=carried))}",
                line_of(program.source, name),
            )
        )
    return found


def _fields(each: Trajectory, step: int, task: Task, read: Sequence[str]) -> str:
    """The fields before and after: those that the program reads, then others of the world that changed."""
    schema = task_schema(task).select(each.fields)
    before, after = each.states[step], each.states[step + 1]
    of_world = [
        path for path, field in schema.by_path.items() if not field.hidden and not path.startswith((START, "episode."))
    ]
    told = []
    for path in dict.fromkeys((*read, *of_world)):
        columns = schema.columns[path]
        was, now = (_value(schema.by_path[path], state[columns]) for state in (before, after))
        if path in read or was != now:
            told.append(f"{path} {was} -> {now}" if was != now else f"{path} {was}")
    more = f"; and {len(told) - MOST_FIELDS} more" if len(told) > MOST_FIELDS else ""
    return f"Fields: {'; '.join(told[:MOST_FIELDS])}{more}." if told else "No field changed."


def _value(field: Field, numbers: Array) -> str:
    if field.kind == "bool":
        told = [str(bool(number)) for number in numbers]
    else:
        told = [f"{number:.0f}" if field.kind == "int" else f"{number:.4g}" for number in numbers]
    return told[0] if len(told) == 1 else f"({', '.join(told)})"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)

"""One verdict on a program: static check, then probe in a fresh cell, then labels where it tells subgoals and there are
some. What `check`, `eval` and the loop all use."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from reward_agent.crediting.verifying import Held, Labels, hold
from reward_agent.envs.episodes import task_schema
from reward_agent.probe import Battery, probe, record_battery
from reward_agent.program import DESCRIBED, SUBGOALS, Fault, Program
from reward_agent.ranking import Examples, ranks
from reward_agent.sandbox.cell import Cell
from reward_agent.schema import StateSchema
from reward_agent.static_check import TIME, check
from reward_agent.task import Task, TextWorld


@dataclass(frozen=True)
class Verdict:
    """Whether a program may be trained on, and what is known of it."""

    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]
    portable: bool
    fields: tuple[str, ...]
    """Paths it reads, in schema order: the columns that cross into the cell."""
    term_names: tuple[str, ...] = ()
    microseconds_per_call: float | None = None
    """Of one call over the battery; None when it was not probed."""
    layers: tuple[str, ...] = ()
    """Layers of the cell it was probed in."""
    labelled: tuple[str, ...] = ()
    """Subgoals that it was held to labels of."""

    @property
    def ok(self) -> bool:
        return not self.faults

    @property
    def reads_time(self) -> bool:
        """The policy must then observe the time too."""
        return TIME in self.fields

    def to_json(self) -> dict[str, Any]:
        """What `check --json` prints."""
        return {
            "ok": self.ok,
            "faults": [asdict(fault) for fault in self.faults],
            "warnings": list(self.warnings),
            "portable": self.portable,
        }


def vet(
    program: Program,
    task: Task,
    *,
    unsafe: bool = False,
    battery: Battery | None = None,
    examples: Examples | None = None,
    labels: Labels | None = None,
) -> Verdict:
    """Check a program, and probe it if the check finds no fault.

    Args:
        program: not trusted.
        task: what it is for.
        unsafe: run it without the cell's layers.
        battery: recorded transitions of this task, where many programs are vetted; else recorded here.
        examples: good and bad episodes, where some are known; what orders them wrongly gets a warning.
        labels: transitions of this task whose subgoals a program that tells some must tell as well.

    Raises:
        MissingComponentError: this machine lacks what locks the cell, or what the world needs.
    """
    schema = task_schema(task).visible()
    if program.entry == DESCRIBED:
        return _described(task, schema)
    report = check(program, schema)
    if report.faults:
        return Verdict(report.faults, report.warnings, False, report.fields)
    battery = battery or record_battery(task)
    with Cell(unsafe=unsafe) as cell:
        probed = probe(program, schema.select(report.fields), battery, cell)
        layers = cell.layers
    if any(fault.message.startswith(("AttributeError", "TypeError")) for fault in probed.faults):
        with Cell(unsafe=unsafe) as cell:  # with every field, so that what there is can be named
            whole = probe(program, schema, battery, cell)
        probed = whole if whole.faults else probed
    ranked: tuple[str, ...] = ()
    if examples is not None and not probed.faults:
        with Cell(unsafe=unsafe) as cell:
            ranking = ranks(program, schema.select(report.fields), examples, cell)
        # it ran on the battery; what happens on other states is for the training to find
        said = None if isinstance(ranking, Fault) else ranking.warning()
        ranked = (said,) if said else ()
    held = Held()
    if labels is not None and program.entry == SUBGOALS and not probed.faults:
        held = hold(program, probed.term_names, task, labels, unsafe=unsafe)
    faults = (*probed.faults, *held.faults)
    return Verdict(
        faults=faults,
        warnings=(*report.warnings, *probed.warnings, *ranked, *held.warnings),
        portable=report.portable and not faults,
        fields=report.fields,
        term_names=probed.term_names,
        microseconds_per_call=probed.microseconds_per_call,
        layers=layers,
        labelled=held.names,
    )


def _described(task: Task, schema: StateSchema) -> Verdict:
    """Of subgoals in words: whether a model can look for them here."""
    faults: tuple[Fault, ...] = ()
    if not isinstance(task.world, TextWorld) or not schema.action.discrete:
        said = (
            f"{task.id} has no screens of characters and actions with names, which a model that judges transitions "
            "reads: take a task of `minihack` or `minigrid`, or `--method calm`, whose program reads any state."
        )
        faults = (Fault("check", said),)
    return Verdict(faults, (), False, ())

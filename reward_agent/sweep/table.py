"""A sweep's table for a terminal, as Markdown, as CSV and as plain data: the same rows each time."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reward_agent.history import Interval
from reward_agent.sweep.rows import Row
from reward_agent.wording import count, interval, number

HEADINGS = (
    "task",
    "reward",
    "metric",
    "done",
    "mean [95 %]",
    "over",
    "bootstrap",
    "IQM [95 %]",
    "steps",
    "hours",
    "tokens",
    "US$",
)
NUMBERS = frozenset({"steps", "hours", "tokens", "US$"})
"""Headings of columns to be set flush right."""
LEGEND = (
    "done: jobs with a score, of those of the row. mean [95 %]: by Student's t over what stands under `over`; by "
    "Clopper and Pearson where all succeed or fail, or over episodes. bootstrap, IQM: of the mean and the "
    "interquartile mean, stratified by task (rliable). Steps are those of a row's finished runs, hours and costs those "
    "of all its runs, one after another. `no-op` and `random`: doing nothing and acting at random."
)
_SIGNS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Table:
    """As a person reads it."""

    headings: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    """Below the table, each with the sign that its lines bear; then what each metric counts."""


def make_table(rows: Sequence[Row]) -> Table:
    """The rows in words."""
    said = list(dict.fromkeys(note for row in rows for note in row.notes))
    signs = {note: _SIGNS[index % len(_SIGNS)] * (1 + index // len(_SIGNS)) for index, note in enumerate(said)}
    metrics = _metrics(rows)
    lines = tuple(
        _line(row, "".join(f" ({signs[note]})" for note in row.notes), metrics[row.judged.definition]) for row in rows
    )
    notes = (*(f"({sign}) {note}" for note, sign in signs.items()), *explained(rows))
    return Table(HEADINGS, lines, notes)


def explained(rows: Sequence[Row]) -> list[str]:
    """What each first metric counts, over how long, and whose reward the expert's is; what is not averaged, and why."""
    own = [row for row in rows if row.kind != "all"]
    lines = [
        f"{name}: {definition[2]}. {_circumstances([row for row in own if row.judged.definition == definition])}"
        for definition, name in _metrics(own).items()
    ]
    tasks = {row.task for row in own}
    if len(tasks) > 1 and len(lines) > 1:
        lines.append("Tasks whose first metrics count different things are never averaged.")
    if len(tasks) > 1 and any(row.judged.kind != "success" for row in own):
        lines.append("Metrics that are no success have no common scale, and are not averaged over tasks.")
    return lines


def _metrics(rows: Sequence[Row]) -> dict[tuple[str, str, str], str]:
    """A name for each definition: the metric's, numbered where there are several definitions."""
    found = list(dict.fromkeys(row.judged.definition for row in rows))
    return {each: f"{each[0]} [{number}]" if len(found) > 1 else each[0] for number, each in enumerate(found, 1)}


def _circumstances(rows: Sequence[Row]) -> str:
    """Horizon and version of the published reward, by task where tasks differ in them."""
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        version = f", expert reward of {row.judged.reward_version}" if row.judged.reward_version else ""
        found.setdefault(f"Episodes of {count(row.judged.horizon, 'step')}{version}", {})[row.task] = None
    return "; ".join(what + (f" ({', '.join(tasks)})" if len(found) > 1 else "") for what, tasks in found.items()) + "."


def to_markdown(table: Table) -> str:
    """Columns as wide as what is in them, so that it can be read as it is."""
    cells = [tuple(cell.replace("|", "\\|") for cell in line) for line in (table.headings, *table.lines)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(table.headings))]

    def drawn(line: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if heading in NUMBERS else cell.ljust(width)
            for cell, width, heading in zip(line, widths, table.headings, strict=True)
        ]
        return f"| {' | '.join(padded)} |"

    rules = [
        "-" * (width - 1) + ":" if heading in NUMBERS else "-" * width
        for width, heading in zip(widths, table.headings, strict=True)
    ]
    below = [*table.notes, LEGEND]
    return (
        "\n".join([drawn(cells[0]), drawn(rules), *map(drawn, cells[1:]), "", *(f"{line}  " for line in below)]) + "\n"
    )


def to_csv(rows: Sequence[Row]) -> str:
    """All that is known, with numbers as they are; empty where there is none."""
    records = to_records(rows)
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(records[0]) if records else ["task"], lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({name: "" if value is None else value for name, value in record.items()})
    return file.getvalue()


def to_records(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Plain data, one flat object a row."""
    return [_record(row) for row in rows]


def _record(row: Row) -> dict[str, Any]:
    found = row.summary
    return {
        "task": row.task,
        "reward": row.label,
        "kind": row.kind,
        "metric": row.judged.metric,
        "judged": row.judged.counts,
        "horizon": row.judged.horizon or None,
        "reward_version": row.judged.reward_version or None,
        **_ends("", found.interval if found else None, mean="mean"),
        "unit": found.unit if found else None,
        "units": found.units if found else 0,
        **_ends("bootstrap_", found.bootstrap if found else None),
        **_ends("iqm_", found.iqm if found else None, mean="iqm"),
        "jobs": row.jobs,
        "done": row.done,
        "failed": row.failed,
        "unpaid": row.unpaid,
        "waiting": row.waiting,
        "steps": row.steps,
        "seconds": round(row.seconds, 1),
        "tokens": row.tokens,
        "usd": row.usd,
        "sees": row.sees,
        "notes": "; ".join(row.notes),
    }


def _ends(prefix: str, value: Interval | None, mean: str = "") -> Mapping[str, float | None]:
    known = value.in_data() if value else {}
    first = {mean: known.get("mean")} if mean else {}
    return first | {f"{prefix}{end}": known.get(end) for end in ("low", "high")}


def _line(row: Row, signs: str, metric: str) -> tuple[str, ...]:
    found, costs = row.summary, row.kind != "floor"
    bootstrap = f"[{number(found.bootstrap.low)}, {number(found.bootstrap.high)}]" if found and found.bootstrap else ""
    return (
        row.task,
        row.label + signs,
        metric,
        _done(row) if costs else "",
        interval(found.interval) if found else "",
        count(found.units, found.unit) if found else "",
        bootstrap,
        interval(found.iqm) if found and found.iqm else "",
        f"{row.steps:,}" if costs else "",
        f"{row.seconds / 3600:.2f}" if costs else "",
        f"{row.tokens:,}" if costs else "",
        f"{row.usd:.2f}" if costs else "",
    )


def _done(row: Row) -> str:
    """As `2/3, 1 failed`."""
    others = {"failed": row.failed, "unpaid": row.unpaid, "waiting": row.waiting}
    return ", ".join([f"{row.done}/{row.jobs}", *(f"{number} {state}" for state, number in others.items() if number)])

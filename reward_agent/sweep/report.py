"""The files that a sweep leaves beside its runs: its table and its learning curves, made anew from what there is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reward_agent.files import write_atomically
from reward_agent.sweep import curves, table
from reward_agent.sweep.groups import gather, merged
from reward_agent.sweep.jobs import Job
from reward_agent.sweep.rows import Row, make_rows

TABLE_CSV, TABLE_MARKDOWN, CURVES_CSV, CURVES_PNG = "table.csv", "table.md", "curves.csv", "curves.png"


def write_report(folder: Path, jobs: Sequence[Job]) -> tuple[tuple[Row, ...], tuple[Path, ...]]:
    """The rows of what is done of the sweep in `folder`, and the files that were written; none while nothing is done.

    Raises:
        MissingComponentError: rliable or matplotlib is not installed.
    """
    groups = gather(folder, jobs)
    rows, finished = make_rows(groups), merged(list(groups.values())).finished
    if not any(row.done for row in rows):
        return rows, ()
    content = {
        TABLE_CSV: table.to_csv(rows).encode(),
        TABLE_MARKDOWN: table.to_markdown(table.make_table(rows)).encode(),
    }
    picture = curves.to_png(finished)
    if picture is not None:
        content |= {CURVES_CSV: curves.to_csv(finished).encode(), CURVES_PNG: picture}
    for name, data in content.items():
        write_atomically(folder / name, data)
    return rows, tuple(folder / name for name in content)

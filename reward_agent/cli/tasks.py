"""`reward-agent tasks`: what can be asked for here."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from reward_agent.cli.answer import Answer

if TYPE_CHECKING:
    from reward_agent.task import Task

HELP = "list the tasks: instruction, metrics, whether this machine can run them, recordings"


def add_arguments(parser: ArgumentParser) -> None:
    what = "only tasks whose id contains this; or path/to/file.py:variable"
    parser.add_argument("pattern", nargs="?", default="", metavar="TEXT", help=what)
    what = "also every field, helper and constant that a reward may read there, as prompts show them"
    parser.add_argument("--fields", action="store_true", help=what)


def run(args: Namespace) -> Answer:
    from reward_agent.envs.registry import DISGUISE, find_task, recordings, tasks

    chosen = [task for name, task in tasks().items() if args.pattern in name]
    if ".py" in args.pattern or DISGUISE in args.pattern or not chosen:
        chosen = [find_task(args.pattern)]
    rows = [_describe(task, tuple(recordings(task.id))) for task in chosen]
    if args.fields:
        # the fields of a task that cannot run here are not known: a schema is derived from the simulator's scene
        rows = [
            row | {"fields": _readable(task) if row["ready"] else None} for row, task in zip(rows, chosen, strict=True)
        ]
    return Answer(rows, _listing(rows))


def _describe(task: Task, recorded: tuple[str, ...]) -> dict[str, Any]:
    missing = task.world.missing()
    return {
        "id": task.id,
        "world": task.id.partition("/")[0],
        "instruction": task.instruction,
        "corrections": list(task.corrections),
        "metrics": [{"name": m.name, "kind": m.kind, "doc": m.doc} for m in task.metrics],
        "horizon": task.horizon,
        "budget": task.budget,
        "optimiser": task.optimiser,
        "expert": None if task.expert is None else str(task.expert),
        "ready": missing is None,
        "missing": missing,
        "recordings": list(recorded),
    }


def _readable(task: Task) -> str:
    from reward_agent.envs.episodes import prompt_schema
    from reward_agent.sandbox.helpers import describe

    schema = prompt_schema(task)
    return f"{schema.render().strip()}\n\n# helpers, defined already\n{describe(schema.up).strip()}"


def _listing(rows: list[dict[str, Any]]) -> str:
    lines = []
    for row in rows:
        metrics = ", ".join(metric["name"] for metric in row["metrics"])
        notes = [f"measured by {metrics}" if metrics else "judged by comparison"]
        notes += [f"recorded: {', '.join(row['recordings'])}"] if row["recordings"] else []
        notes += [] if row["ready"] else [f"not ready: {row['missing']}"]
        told = "; then: ".join([row["instruction"], *row["corrections"]])
        lines += [row["id"], f"    {told}", f"    {'; '.join(notes)}"]
        lines += ["", row["fields"], ""] if row.get("fields") else []
    return "\n".join(lines)

"""`reward-agent show`: what a run did so far, from its journal; without a run, the runs there are."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import RUNS, find
from reward_agent.invocation import resume_command

if TYPE_CHECKING:
    from reward_agent.messages import Key
    from reward_agent.store import Manifest

HELP = "show a run's rounds, candidates, faults, scores and cost; without RUN, list the runs"


def add_arguments(parser: ArgumentParser) -> None:
    what = f"a run's folder, its name in {RUNS}/, or `last`"
    parser.add_argument("name", metavar="RUN", nargs="?", help=what)


def run(args: Namespace) -> Answer:
    if args.name is None:
        rows = [_summary(path.parent) for path in sorted(RUNS.glob("*/run.json"))]
        text = "\n".join(
            f"{row['run']:40} {'finished' if row['finished'] else 'unfinished':11} {row['task']} by {_method(row)}"
            for row in rows
        )
        return Answer(rows, text or f"No run in {RUNS}/. `reward-agent run TASK` starts one.")
    folder = find(args.name)
    value = _summary(folder) | _journalled(folder)
    return Answer(value, _text(value, folder))


def _summary(folder: Path) -> dict[str, Any]:
    from reward_agent.result import load_result
    from reward_agent.store import read_manifest

    manifest, result = read_manifest(folder), load_result(folder)
    return {
        "run": manifest.id,
        "folder": str(folder),
        "task": manifest.task,
        "instruction": manifest.instruction,
        "method": manifest.config["method"],
        "llm": manifest.config["llm"],
        "created": manifest.created,
        "sandbox": list(manifest.sandbox),
        "unsafe": manifest.unsafe,
        "finished": result is not None,
        "variant": result.variant if result else _variant(manifest),
        "result": None if result is None else result.to_json(),
    }


def _variant(manifest: Manifest) -> str:
    from reward_agent.errors import UsageError
    from reward_agent.sittings import config_of
    from reward_agent.variant import variant

    try:
        return variant(config_of(manifest, {}))
    except (UsageError, TypeError, ValueError):
        return ""  # of another release, or by a method that is not installed here


def _journalled(folder: Path) -> dict[str, Any]:
    """Candidates by round, what the replies cost, who is asked now, and layers of the sandbox after they changed."""
    from reward_agent.codec import decode, encode
    from reward_agent.program import TrainingFault
    from reward_agent.search import Vetted, spent_in
    from reward_agent.sittings import config_of, layers_of
    from reward_agent.store import read_manifest, read_steps
    from reward_agent.trial import Trained

    candidates: dict[tuple[int, int], dict[str, Any]] = {}
    steps = read_steps(folder)
    manifest = read_manifest(folder)
    config = config_of(manifest, steps)

    def candidate(key: Key) -> dict[str, Any]:
        empty = {"candidate": key.candidate, "attempts": [], "metrics": None, "fault": None, "words": None}
        return candidates.setdefault((key.iteration, key.candidate), empty)

    for key, value in steps.items():
        match key.stage:
            case "vet":
                vetted = decode(Vetted, value)
                attempt: dict[str, Any] = {
                    "attempt": key.attempt,
                    "ok": vetted.program is not None and not vetted.faults,
                }
                attempt["program_sha256"] = vetted.program.id if vetted.program else None
                candidate(key)["attempts"].append(attempt | {"faults": encode(vetted.faults)})
            case "train":
                trained = decode(Trained | TrainingFault, value)
                if isinstance(trained, TrainingFault):
                    candidate(key)["fault"] = encode(trained)
                else:
                    metrics = {name: interval._asdict() for name, interval in trained.outcome.metrics.items()}
                    candidate(key)["metrics"] = metrics
                    candidate(key)["steps"] = trained.outcome.steps
            case "words" | "automatic":
                candidate(key)["words"] = {"text": value["text"], "automatic": key.stage == "automatic"}
    rounds: dict[int, list[dict[str, Any]]] = {}
    for (iteration, _), row in sorted(candidates.items()):
        rounds.setdefault(iteration, []).append(row)
    return {
        "rounds": [{"iteration": number, "candidates": rows} for number, rows in rounds.items()],
        "spent": encode(spent_in(steps, config.prices)),
        "llm": config.llm,
        "sandbox_later": [list(layers) for layers in layers_of(manifest, steps)[1:]],
    }


def _text(value: dict[str, Any], folder: Path) -> str:
    from reward_agent.cli.board import cost, count
    from reward_agent.cli.results import describe_result
    from reward_agent.result import load_result

    lines = [
        f"{value['run']}: {value['task']} by {_method(value)}, with {value['llm']}, begun {value['created']}",
        f"“{value['instruction']}”",
        f"sandbox: {'UNSAFE, none' if value['unsafe'] else ', '.join(value['sandbox'])}",
    ]
    lines += [f"sandbox after a resume: {', '.join(layers)}" for layers in value["sandbox_later"]]
    for each in value["rounds"]:
        lines.append(f"iteration {each['iteration']}")
        lines += [line for row in each["candidates"] for line in _candidate(row)]
    lines.append(f"{count(value['spent']['replies'], 'reply')}, {cost(_tokens(value['spent']), value['spent']['usd'])}")
    result = load_result(folder)
    goes_on = f"Not finished. `{resume_command(folder)}` goes on with it."
    return "\n".join([*lines, goes_on if result is None else describe_result(result)])


def _method(value: dict[str, Any]) -> str:
    """The method's name and what makes this run another row of a table than others by it."""
    return ", ".join(filter(None, (value["method"], value["variant"])))


def _tokens(spent: dict[str, Any]) -> int:
    return int(spent["input_tokens"]) + int(spent["output_tokens"])


def _candidate(row: dict[str, Any]) -> list[str]:
    from reward_agent.cli.board import interval
    from reward_agent.history import Interval

    head = f"  candidate {row['candidate']}: "
    faults = [
        f"    attempt {attempt['attempt']}: {fault['stage']} fault"
        + (f", line {fault['line']}" if fault["line"] else "")
        + f": {fault['message']}"
        for attempt in row["attempts"]
        for fault in attempt["faults"]
    ]
    if row["metrics"] is not None:
        scores = ", ".join(f"{name} {interval(Interval(**each))}" for name, each in row["metrics"].items())
        told = scores or "trained; no metric scores it"
    elif row["fault"]:
        told = f"failed in training: {row['fault']['message']}"
    else:
        told = "not trained"
    words = (
        [f"    words{' (automatic)' if row['words']['automatic'] else ''}: {row['words']['text']}"]
        if row["words"]
        else []
    )
    return [head + told, *faults, *words]

"""`reward-agent show`: what a run did so far, from its journal; without a run, the runs there are."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import RUNS, find
from reward_agent.invocation import rank_command, resume_command

if TYPE_CHECKING:
    from reward_agent.chronicle import CandidateRecord
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
    from reward_agent.chronicle import read_chronicle
    from reward_agent.codec import encode

    run = read_chronicle(folder)
    return {
        "state": run.state,
        "waits_for": run.waits_for,
        "rounds": [
            {
                "iteration": each.iteration,
                "candidates": [_row(candidate, blind=run.blind) for candidate in each.candidates],
                "judgement": encode(each.judgement),
            }
            for each in run.rounds
        ],
        "spent": encode(run.spent),
        "llm": run.llm,
        "sandbox_later": [list(layers) for layers in run.layers[1:]],
    }


def _row(candidate: CandidateRecord, *, blind: bool) -> dict[str, Any]:
    """Without its scores where a judge, who may be looking on, still compares."""
    from reward_agent.codec import encode

    outcome, words = candidate.outcome, {"text": candidate.words, "by": candidate.words_of}
    row = {
        "candidate": candidate.index,
        "attempts": [
            {
                "attempt": attempt.number,
                "ok": attempt.ok,
                "program_sha256": attempt.program.id if attempt.program else None,
                "faults": encode(attempt.faults),
            }
            for attempt in candidate.attempts
            if attempt.vetted and attempt.stage == "reply"
        ],
        "metrics": {n: i._asdict() for n, i in outcome.metrics.items()} if outcome and not blind else None,
        "fault": encode(candidate.fault),
        "words": words if candidate.words else None,
    }
    return row | ({"steps": outcome.steps} if outcome else {})


def _text(value: dict[str, Any], folder: Path) -> str:
    from reward_agent.cli.board import cost, count
    from reward_agent.cli.results import describe_result
    from reward_agent.cli.view import verdict
    from reward_agent.codec import decode
    from reward_agent.history import Judgement
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
        if each["judgement"]:
            lines.append(f"  {verdict(decode(Judgement, each['judgement']))}")
    lines.append(f"{count(value['spent']['replies'], 'reply')}, {cost(_tokens(value['spent']), value['spent']['usd'])}")
    result = load_result(folder)
    stands = {"running": "It is at work.", "waiting": "It waits for people."}.get(value["state"], "Not finished.")
    if value["waits_for"] == "judgement":
        stands = f"It waits for people to compare: `{rank_command(folder)}` opens the page."
    elif value["waits_for"] == "words":
        stands = "It waits for a person's words on a policy; going on says which, and where they are to be written."
    goes_on = stands if value["state"] == "running" else f"{stands} `{resume_command(folder)}` goes on with it."
    return "\n".join([*lines, goes_on if result is None else describe_result(result)])


def _method(value: dict[str, Any]) -> str:
    """The method's name and what makes this run another row of a table than others by it."""
    return ", ".join(filter(None, (value["method"], value["variant"])))


def _tokens(spent: dict[str, Any]) -> int:
    return int(spent["input_tokens"]) + int(spent["output_tokens"])


def _candidate(row: dict[str, Any]) -> list[str]:
    from reward_agent.cli.board import interval
    from reward_agent.history import Interval
    from reward_agent.variant import SPOKEN

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
    elif "steps" in row:
        told = "trained; its scores are told when the judge is done"
    elif row["fault"]:
        told = f"failed in training: {row['fault']['message']}"
    else:
        told = "not trained"
    words = [f"    {SPOKEN[row['words']['by']]}: {row['words']['text']}"] if row["words"] else []
    return [head + told, *faults, *words]

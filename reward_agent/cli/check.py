"""`reward-agent check`: is this reward program fit to be trained on? No model, no training."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import add_labels, add_program, read_program

if TYPE_CHECKING:
    from reward_agent.vet import Verdict

HELP = "check a reward of your own: syntax, fields, shapes and values, in the sandbox"


def add_arguments(parser: ArgumentParser) -> None:
    add_program(parser)
    add_labels(parser)


def run(args: Namespace) -> Answer:
    from reward_agent.crediting.verifying import read_labels
    from reward_agent.envs.registry import find_task
    from reward_agent.program import Fault
    from reward_agent.vet import Verdict, vet

    task = find_task(args.task)
    labels = read_labels(args.labels, task, args.label_errors or 0.0) if args.labels else None
    program = read_program(args.file)
    if isinstance(program, Fault):
        verdict = Verdict(faults=(program,), warnings=(), portable=False, fields=())
    else:
        verdict = vet(program, task, unsafe=args.unsafe, labels=labels)
    return Answer(verdict.to_json(), describe(verdict, args.file), exit_code=0 if verdict.ok else 1)


def describe(verdict: Verdict, location: str) -> str:
    """Faults and warnings as a compiler would print them, then the verdict in one line."""
    lines = [f"{location}{f':{f.line}' if f.line else ''}: {f.stage} fault: {f.message}" for f in verdict.faults]
    lines += [f"{location}: warning: {warning}" for warning in verdict.warnings]
    if verdict.ok:
        portable = "portable to torch and JAX arrays" if verdict.portable else "numpy only"
        held = f"; as labelled: {', '.join(verdict.labelled)}" if verdict.labelled else ""
        lines.append(f"{location} is fit for training: terms {', '.join(verdict.term_names)}{held}; {portable}.")
    else:
        lines.append(f"{location} is not fit for training.")
    return "\n".join(lines)

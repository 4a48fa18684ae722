"""`reward-agent resume`: go on with a run that was stopped, killed, or waits for a person."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import add_run, find

HELP = "go on with a run that was stopped, killed or waits for a person"


def add_arguments(parser: ArgumentParser) -> None:
    from reward_agent.cli.running import add_model

    add_run(parser)
    add_model(parser)


def run(args: Namespace) -> Answer:
    from reward_agent.agent import resume
    from reward_agent.cli.running import finished, person, telling
    from reward_agent.store import read_manifest

    folder = find(args.name)
    options = {
        "llm": args.llm,
        "base_url": args.base_url,
        "max_tokens": args.token_budget,
        "max_usd": args.money_budget,
        "jobs": args.jobs,
    }
    changes = {name: value for name, value in options.items() if value is not None}
    llm = str(args.llm or read_manifest(folder).config["llm"])
    replayed = llm.startswith("replay:")
    with telling(0, story=False, replayed=replayed) as view:
        result = resume(folder, changes=changes, events=view, ask_person=person(args, view, replayed=replayed))
    return finished(result)

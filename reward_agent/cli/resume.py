"""`reward-agent resume`: go on with a run that was stopped, killed, or waits for a person."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace
from pathlib import Path

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import add_run, find
from reward_agent.cli.running import ASKED

HELP = "go on with a run that was stopped, killed or waits for a person"
_CHANGES = {**ASKED, "jobs": "jobs", "words": "words", "judge": "judge"}
"""Names in `RunConfig` of the options that change it."""


def add_arguments(parser: ArgumentParser) -> None:
    from reward_agent.cli.running import add_judge, add_model

    add_run(parser)
    add_model(parser, absent=SUPPRESS)
    add_judge(parser, absent=SUPPRESS)


def run(args: Namespace) -> Answer:
    from reward_agent.agent import resume
    from reward_agent.cli.running import asking, finished, person, person_is_there, telling
    from reward_agent.sittings import config_of
    from reward_agent.store import read_manifest, read_steps

    folder = find(args.name)
    if read_manifest(folder).chat is not None:
        return _chat(folder, args)
    changes = {_CHANGES[option]: value for option, value in vars(args).items() if option in _CHANGES}
    llm = str(changes.get("llm") or config_of(read_manifest(folder), read_steps(folder)).llm)
    replayed = llm.startswith("replay:")
    asked, heard = person_is_there(args, replayed=replayed), person_is_there(args, replayed=False)
    with telling(0, story=False, replayed=replayed) as view:
        result = resume(
            folder,
            changes=changes,
            events=view,
            ask_person=person(view) if asked else None,
            ask_line=asking(view) if heard else None,
        )
    return finished(result)


def _chat(folder: Path, args: Namespace) -> Answer:
    """A session with a person goes on as one."""
    from reward_agent.cli.chat import again, refuse_others

    refuse_others(args, ("name",), "This is a chat, which hears your own words and trains when you say so")
    return again(folder, {ASKED[option]: value for option, value in vars(args).items() if option in ASKED})

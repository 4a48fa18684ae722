"""`reward-agent rank`: compare the clips of a round in the browser."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import add_run, find
from reward_agent.cli.serve import add_serving, serve_until_stopped
from reward_agent.errors import UsageError

HELP = "compare the clips of a run's round in your browser, for `--judge page`"


def add_arguments(parser: ArgumentParser) -> None:
    add_run(parser)
    add_serving(parser)


def run(args: Namespace) -> Answer:
    from reward_agent.chronicle import read_chronicle
    from reward_agent.web.components import require
    from reward_agent.web.runs import open_rounds

    require()
    folder = find(args.name)
    judge = read_chronicle(folder).judge
    if not open_rounds(folder) and (judge or "").partition(":")[0] not in ("page", "terminal"):
        who = f"`--judge {judge}` compares there" if judge else "nobody compares there"
        raise UsageError(
            f"{folder.name} asks no person on the page: {who}. Start it with `--judge page`, go on with it so "
            f"(`reward-agent resume {args.name} --judge page`), or see it with `reward-agent serve`."
        )
    # by their own names: a run that is reached through a link is one of the folder that it lies in
    whole = Path(folder).resolve()
    return serve_until_stopped(whole.parent, args, f"/runs/{whole.name}/rank")

"""`reward-agent serve`: the page with all runs."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import RUNS, natural
from reward_agent.errors import UsageError

HELP = "show the runs in your browser: rounds, programs, curves, clips; live, on this machine alone"


def add_arguments(parser: ArgumentParser) -> None:
    add_serving(parser)
    parser.add_argument("--out", type=Path, default=RUNS, metavar="DIR", help=f"the folder of the runs ({RUNS}/)")


def add_serving(parser: ArgumentParser) -> None:
    """The options of commands that serve the page."""
    add = parser.add_argument
    add("--port", type=natural, metavar="PORT", help="where it is served (8325, or a free one where that is taken)")
    add("--no-browser", action="store_true", help="print the link and open no browser")


def run(args: Namespace) -> Answer:
    if not args.out.is_dir() and args.out != RUNS:
        raise UsageError(f"There is no folder {args.out} to show the runs of; `--out DIR` names the one they are in.")
    return serve_until_stopped(args.out, args, "/")


def serve_until_stopped(root: Path, args: Namespace, path: str) -> Answer:
    """Serve the page, with the link on standard error, until Ctrl-C: its usual end."""
    import sys

    from reward_agent.errors import Terminated
    from reward_agent.web.server import serve

    links: list[str] = []

    def started(link: str) -> None:
        links.append(link)
        print(f"The page is at\n\n  {link}\n\nfor browsers on this machine alone. Ctrl-C ends it.", file=sys.stderr)
        sys.stderr.flush()
        if not args.no_browser:
            open_browser(link)

    try:
        serve(root, args.port, started, path)
    except Terminated:
        raise
    except KeyboardInterrupt:
        pass
    return Answer({"served": links[0].partition("?")[0] if links else None}, "The page is closed.")


def open_browser(link: str) -> None:
    """Open the link where there is a browser with a window; what it prints is of no use here."""
    import os
    import sys
    import threading
    import webbrowser

    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    threading.Timer(0.3, webbrowser.open, (link,)).start()

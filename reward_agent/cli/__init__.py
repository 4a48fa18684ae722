"""The command line. Each command is a module here with `HELP`, `add_arguments(parser)` and `run(args) -> Answer`.

Commands are found by folder, and only the chosen one is imported: `reward-agent --help` reads the others' `HELP`
from their text. `main` returns the exit code.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import traceback
from argparse import ArgumentParser
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.resources import files
from typing import NoReturn

from reward_agent.cli.answer import Answer, give, only_answers
from reward_agent.cli.terminated import kill_as_ctrl_c
from reward_agent.errors import RewardAgentError, UsageError

_HEAD = """\
usage: reward-agent COMMAND [options]

From a sentence to a reward function and a trained policy.

commands:
"""
_FOOT = """
options of every command:
  --help     its own options
  --json     print one JSON value on standard output, nothing else there
  --debug    on an error, show where it was raised
`reward-agent --version` prints the version.

exit codes: 0 done, 1 the work failed, 2 wrong usage, 3 a missing component, 4 waiting for a person,
130 interrupted, by Ctrl-C or `kill` (what was done is saved, and the command that goes on is printed)
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Errors are one paragraph on standard error; `--debug` lets them through.

    Only what nobody expected has its traceback on standard error; it too is one JSON value under `--json`.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    debug, as_json = "--debug" in words, "--json" in words
    try:
        with only_answers(as_json), kill_as_ctrl_c():
            answer = _answer([word for word in words if word != "--debug"], debug)
        give(answer, as_json=as_json)
    except BrokenPipeError:  # the reader had enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    return answer.exit_code


def commands() -> dict[str, str]:
    """Every command's name and its line of help, in name order. No command is imported for it."""
    texts = {entry.name: entry for entry in files(__package__).iterdir() if entry.name.endswith(".py")}
    lines = {name.removesuffix(".py"): _help(entry.read_text(encoding="utf-8")) for name, entry in texts.items()}
    return {name: line for name, line in sorted(lines.items()) if line}


def _answer(words: Sequence[str], debug: bool) -> Answer:
    try:
        return _run(words)
    except (RewardAgentError, OSError) as error:
        if debug or isinstance(error, BrokenPipeError):
            raise
        print(f"reward-agent: {error}", file=sys.stderr)
        return Answer({"error": str(error)}, exit_code=getattr(error, "exit_code", 1))
    except KeyboardInterrupt:
        if debug:
            raise
        print("\nreward-agent: interrupted", file=sys.stderr)
        return Answer({"error": "interrupted"}, exit_code=130)
    except Exception as error:
        if debug:
            raise
        traceback.print_exc()
        said = f"{type(error).__name__}: {error}"
        print(f"reward-agent: a mistake in this package, or in a task of your own: {said}", file=sys.stderr)
        return Answer({"error": f"{said} (unexpected; its traceback is on standard error)"}, exit_code=1)


def _run(words: Sequence[str]) -> Answer:
    known = commands()
    if not words:
        print(_listing(known), file=sys.stderr)
        return Answer({"error": "no command"}, exit_code=2)
    name, *rest = words
    if name in ("-h", "--help"):
        return Answer(known, _listing(known).rstrip())
    if name == "--version":
        from importlib.metadata import version

        return Answer({"version": version("reward-agent")}, f"reward-agent {version('reward-agent')}")
    if name not in known:
        raise _unknown("command", name, known, "reward-agent --help")
    module = import_module(f"{__package__}.{name}")
    parser = _Parser(prog=f"reward-agent {name}", description=module.HELP, allow_abbrev=False)
    module.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON value on standard output, nothing else")
    answer: Answer = module.run(parser.parse_args(rest))
    return answer


class _Parser(ArgumentParser):
    """Its errors are `UsageError`, and an option it does not know gets the closest that it does."""

    def error(self, message: str) -> NoReturn:
        stray = re.match(r"unrecognized arguments: (\S+)", message)
        if stray and stray[1].startswith("-"):
            option = stray[1].partition("=")[0]
            raise _unknown("option", option, re.findall(r"--[a-z-]+", self.format_usage()), f"{self.prog} --help")
        raise UsageError(f"{message[:1].upper()}{message[1:].rstrip('.')}. `{self.prog} --help` has the usage.")


def _unknown(kind: str, name: str, known: Sequence[str] | dict[str, str], usage: str) -> UsageError:
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    suggestion = f" Did you mean {close[0]}?" if close else ""
    return UsageError(f"There is no {kind} {name}.{suggestion} `{usage}` lists them.")


def _help(source: str) -> str:
    """The text that a module assigns to `HELP`, or nothing when it is no command."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            if names == ["HELP"]:
                return str(node.value.value)
    return ""


def _listing(known: dict[str, str]) -> str:
    width = max(map(len, known)) + 2
    return _HEAD + "".join(f"  {name:{width}}{line}\n" for name, line in known.items()) + _FOOT

"""What `run` and `resume` share: options, following the run, a person's words, and how it ends."""

from __future__ import annotations

import sys
import textwrap
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reward_agent.cli.answer import Answer
from reward_agent.cli.options import amount, limit, money_limit, positive
from reward_agent.cli.results import describe_result
from reward_agent.invocation import command

if TYPE_CHECKING:
    from reward_agent.cli.view import View
    from reward_agent.history import Candidate, Outcome
    from reward_agent.judges import AskLine
    from reward_agent.result import Result
    from reward_agent.spoken import AskPerson
    from reward_agent.task import Task


ASKED = {
    "llm": "llm",
    "base_url": "base_url",
    "prices": "prices",
    "token_budget": "max_tokens",
    "money_budget": "max_usd",
}
"""Names in `RunConfig` of the options that say who is asked, and for how long."""


def add_asked(parser: ArgumentParser, *, absent: Any = None, but: str = "") -> None:
    """Options that say who is asked; `absent` is their default, and the provider `but` is not told of."""
    from reward_agent.plugins import PROVIDERS

    def add(option: str, **how: Any) -> None:
        parser.add_argument(option, default=absent, **how)

    add("--llm", metavar="PROVIDER:MODEL", help=f"who writes the rewards, by {PROVIDERS.choices(but=but)}")
    add("--base-url", metavar="URL", help="of a server of your own")
    what = "the model's, in US$ per million input and output tokens, where they are not known or not as listed"
    add("--prices", type=amount, nargs=2, metavar=("IN", "OUT"), help=what)
    add("--token-budget", type=limit, metavar="N", help="stop asking the model after so many tokens, or `none`")
    what = "stop asking the model after so much money, or `none`; its prices must be known"
    add("--money-budget", type=money_limit, metavar="USD", help=what)


def add_model(parser: ArgumentParser, *, absent: Any = None) -> None:
    """Options that a resumed run may change as well; `absent` is the default of those that can be changed."""
    add_asked(parser, absent=absent)
    what = (
        "where words on a policy come from, for a method that wants some: `ask` at the terminal, wait for a `file` in "
        "the candidate's folder, or `automatic` ones"
    )
    add = parser.add_argument
    add("--words", default=absent, choices=("ask", "file", "automatic"), metavar="SOURCE", help=what)
    add("--jobs", default=absent, type=positive, metavar="J", help="trainings side by side; one a core unless given")
    add(
        "--yes",
        action="store_true",
        help="ask nothing: start at once, and make words from the outcome (unless they come from a file)",
    )


def add_judge(parser: ArgumentParser, *, absent: Any = None) -> None:
    """The option that says who compares."""
    from reward_agent.plugins import JUDGES

    what = (
        f"who says which reward of a round is best and worst, by {JUDGES.choices()}, in place of the metric: `metric` "
        "stands in for a person, `page` is people in a browser (`reward-agent rank RUN`), `vlm:PROVIDER:MODEL` a model "
        "that sees"
    )
    parser.add_argument("--judge", default=absent, metavar="NAME[:SETTING]", help=what)


def person_is_there(args: Namespace, *, replayed: bool) -> bool:
    """Whether somebody at the terminal can be asked for words. Ask this before a view takes standard output over."""
    return not (args.yes or args.json or replayed) and sys.stdin.isatty() and sys.stdout.isatty()


def person(view: View) -> AskPerson:
    """The person at the terminal, who gives words on a policy."""

    def ask(task: Task, candidate: Candidate, outcome: Outcome, folder: Path) -> str:
        from reward_agent.spoken import FEEDBACK
        from reward_agent.trial import VIDEO

        with view.aside():
            print(f"\n“{task.instruction}”: iteration {candidate.iteration}, candidate {candidate.index} is trained.")
            for name, value in outcome.metrics.items():
                within = "" if value.single else f" ({value.low:.4g} to {value.high:.4g})"
                print(f"  {name} {value.mean:.4g}{within}")
            if (folder / FEEDBACK).exists():
                print("How the training went:\n" + textwrap.indent((folder / FEEDBACK).read_text().rstrip(), "  "))
            clip = folder / VIDEO
            print(f"Watch it: {clip}" if clip.exists() else f"There is no clip of it; its files are in {folder}.")
            print("What did it do, and what should it do better? As many lines as you like; an empty one ends them.")
            print("(Nothing at all: words made from the outcome.)")
            return "\n".join(_lines())

    return ask


def asking(view: View) -> AskLine:
    """The person at the terminal, who is asked for a line."""

    def ask(text: str) -> str:
        with view.aside():
            return input(text)

    return ask


def _lines() -> Iterator[str]:
    """What is typed, until an empty line or the end of input."""
    while True:
        try:
            line = input("> ")
        except EOFError:
            return
        if not line.strip():
            return
        yield line


@contextmanager
def telling(planned_steps: int, *, story: bool, replayed: bool) -> Iterator[View]:
    """The view of a run that suits standard output and the options."""
    from reward_agent.cli.story import Story
    from reward_agent.cli.view import following

    with following(planned_steps, Story(replayed=replayed) if story else None) as view:
        yield view


def finished(result: Result, *, story: bool = False) -> Answer:
    """The answer of a run that came to its end."""
    text = "\n" + describe_result(result)
    return Answer(result.to_json(), f"{text}\n\n{now_yours()}" if story else text)


def now_yours() -> str:
    """The line to copy after the demo, last of all."""
    return f"Now yours, with any chat window as the model:\n{command()} run mujoco/hopper-back-flip --llm manual"


def confirm(question: str, ask: Callable[[str], str] = input) -> bool:
    """Whether the person at the terminal agrees; Enter is yes."""
    return ask(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")

"""Judges: who says which candidates of a round are best and worst, where no metric does; one file each.

A judge is a module with `make(setting) -> Judge`; its file's name is its name, as in `--judge NAME:SETTING`. A
user's own is an entry point of group `reward_agent.judges`, or a file that defines `make`, as in `--judge judge.py` and
`--judge judge.py:SETTING`. `pairs` has what those who compare two at a time share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

from reward_agent.envs.task_files import load
from reward_agent.errors import RewardAgentError, UsageError, no_such_file, raised, unknown_name
from reward_agent.history import At, Judgement, Outcome
from reward_agent.messages import Message, Reply
from reward_agent.plugins import JUDGES
from reward_agent.program import Program
from reward_agent.task import Task
from reward_agent.templates import Templates


@dataclass(frozen=True)
class Entrant:
    """A trained candidate that is compared."""

    at: At
    program: Program
    outcome: Outcome
    scores: Mapping[str, tuple[float, ...]]
    """Of each select episode, by metric; for judges that stand in for a person. A model is never told."""
    folder: Path
    """With its policy and curves."""
    video: Path | None
    """A clip of its policy; every entrant's begins from the same state. None where none could be made."""


@dataclass(frozen=True)
class Question:
    """What a judge is asked at the end of a round."""

    task: Task
    iteration: int
    entrants: tuple[Entrant, ...]
    """Of the round, at least one, in the order of their index."""
    champion: Entrant | None
    """The best of the rounds before."""
    folder: Path
    """For the judge's own files."""
    seed: int
    """Of everything random about the answer."""


AskLine = Callable[[str], str]
"""Puts a text to whoever is at the terminal and gives the line that they type. Raises `EOFError` where none comes."""


class Desk(Protocol):
    """What a run offers to its judge."""

    person: AskLine | None
    """Whoever is at the terminal."""
    resume: str
    """The command that goes on with the run."""
    templates: Templates
    """Of prompts, a user's own among them."""

    def ask(self, name: str, messages: Sequence[Message]) -> Reply:
        """The reply of the judge's own model (`Judge.model`) at temperature 0, asked once for each name and journalled.

        Raises:
            LLMError, BudgetError, WaitingForPersonError: there is none (yet).
        """
        ...

    def tell(self, text: str) -> None:
        """A note to the user."""
        ...


class Judge(Protocol):
    """Compares. The same question gets the same answer, as far as a person can."""

    @property
    def name(self) -> str:
        """As results name it, `metric` or `vlm:openai:MODEL`."""
        ...

    @property
    def wants_video(self) -> bool:
        """It watches: clips are made before it is asked."""
        ...

    @property
    def model(self) -> str | None:
        """The model that it asks, `provider:model`; None where it asks none."""
        ...

    def missing(self, task: Task) -> str | None:
        """Why it cannot judge this task, and the way out; None where it can."""
        ...

    def compare(self, question: Question, desk: Desk) -> Judgement:
        """Which of the round is best, which worst, and whether the best is better than the champion.

        Raises:
            WaitingForPersonError: the answer is a person's to give, and a resumed run takes it up.
        """
        ...


def find_judge(spec: str) -> Judge:
    """The judge of this name, as `metric`, `page:raters=3` or `vlm:openai:MODEL`.

    Raises:
        UsageError: there is none, or it cannot be set so; with the closest valid name.
    """
    name, _, setting = spec.partition(":")
    if name.endswith(".py"):
        return _in_file(Path(name), setting)
    users = {point.name: point for point in entry_points(group=JUDGES.group)}
    if name not in JUDGES.names():
        raise unknown_name("judge", name, JUDGES.names(), hint="Judges are named NAME or NAME:SETTING, as `metric`.")
    module = import_module(users[name].value if name in users else f"{__name__}.{name}")
    make = cast("Callable[[str], Judge]", module.make)
    return make(setting)


def _in_file(path: Path, setting: str) -> Judge:
    """A judge of the user's own. Raises `UsageError` where the file is none, fails, or makes no judge."""
    if not path.is_file():
        raise UsageError(f"The judge {path} cannot be read: {no_such_file(path)}")
    made = getattr(load(path.resolve(), str(path), "judge"), "make", None)
    if not callable(made):
        raise UsageError(f"{path} makes no judge: define `make(setting)`, which returns one (docs/judging.md).")
    try:
        judge = made(setting)
    except RewardAgentError:
        raise
    except Exception as error:
        told = f"`make` in {path} fails: {raised(error)}. It is called as `make(setting)` (docs/judging.md)."
        raise UsageError(told) from error
    lacking = [name for name in ("name", "wants_video", "model", "missing", "compare") if not hasattr(judge, name)]
    if lacking:
        raise UsageError(f"`make` in {path} gave {judge!r:.80}, which is no judge: it has no {', '.join(lacking)}.")
    return cast("Judge", judge)

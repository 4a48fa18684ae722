"""Subgoals by name: those that a task's card gives, or a person's own in a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from reward_agent.errors import UsageError, no_such_file

MOST = 32
"""As many as a program may tell."""
GOAL = "goal"
"""The term of the task's own sparse reward: no subgoal's name."""
CARD = "card"
"""In place of a file: those of the task's card."""
GIVEN = "subgoals.txt"
"""In a run's folder: those that were given."""
HOW = "Write one a line, as `picked_up_key: the key was picked up`."


@dataclass(frozen=True)
class Subgoal:
    """A step on the way to a task's goal.

    Raises:
        UsageError: its name is no identifier.
    """

    name: str
    doc: str
    """What is then so."""

    def __post_init__(self) -> None:
        if self.name == GOAL:
            raise UsageError("No subgoal is named `goal`, which is the task's own: name it after what is then so.")
        if not self.name.isidentifier():
            raise UsageError(f"A subgoal is named {self.name!r:.80}; names are identifiers, as `picked_up_key`. {HOW}")


def read_subgoals(path: Path) -> tuple[Subgoal, ...]:
    """Those in a file, a line each: `name: what is then so`; empty lines and those that begin with `#` are left out.

    Raises:
        UsageError: there is no such file, or it has no subgoals, too many, or one twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise UsageError(
            f"The subgoals {path} cannot be read: {no_such_file(path)} (`{CARD}` is for those of the task's card.)"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        why = "it is no text" if isinstance(error, UnicodeDecodeError) else str(error.strerror or error).lower()
        raise UsageError(f"The subgoals {path} cannot be read: {why}. {HOW}") from error
    return parse_subgoals(text, str(path))


def given_subgoals(said: str, own: tuple[Subgoal, ...], task: str) -> tuple[Subgoal, ...]:
    """Those of a file, or a task's own (`card`), as an option says.

    Raises:
        UsageError: there are none; see `read_subgoals`.
    """
    if said != CARD:
        return read_subgoals(Path(said))
    if not own:
        raise UsageError(f"The card of {task} gives no subgoals: name a file of your own, or leave `--subgoals` out.")
    return own


def as_lines(subgoals: Iterable[Subgoal]) -> str:
    """As `read_subgoals` reads them."""
    return "".join(f"{each.name}: {each.doc}\n" for each in subgoals)


def parse_subgoals(text: str, where: str) -> tuple[Subgoal, ...]:
    """Those in a text; see `read_subgoals`. `where` it is from is for messages.

    Raises:
        UsageError: it has no subgoals, too many, or one twice.
    """
    found: list[Subgoal] = []
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip().removeprefix("- ")
        if not said or said.startswith("#"):
            continue
        name, separator, doc = (part.strip() for part in said.partition(":"))
        if not separator or not doc:
            raise UsageError(f"{where}, line {number}, says no subgoal: {line.strip()[:80]!r}. {HOW}")
        if name in {each.name for each in found}:
            raise UsageError(f"{where}, line {number}, has the subgoal {name!r} for the second time: leave one out.")
        found.append(Subgoal(name, doc))
    if not 0 < len(found) <= MOST:
        raise UsageError(f"{where} has {len(found)} subgoals; there may be 1 to {MOST}. {HOW}")
    return tuple(found)

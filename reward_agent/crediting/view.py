"""What a reader is shown of a transition: the ablations of CALM (Pignatelli et al., 2024) as options, and the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from reward_agent.checked import Checked
from reward_agent.crediting import Glimpse
from reward_agent.task import Screen


@dataclass(frozen=True)
class View(Checked):
    """What is shown, and how.

    Raises:
        UsageError: a value that there is not.
    """

    role: bool = True
    """Who the reader is."""
    legend: bool = True
    """What characters stand for, where the world tells."""
    action: bool = True
    """By name."""
    message: bool = True
    """What the game says, before and after."""
    inventory: bool = False
    """What the agent carries, before and after."""
    observation: Literal["crop", "full"] = "crop"
    """The agent's surroundings, or all of the screen."""
    tokenised: bool = False
    """A space between characters, so that each is a token of its own to most models."""
    one_shot: bool = False
    """An answer is shown as an example of the form."""


def transition_text(glimpse: Glimpse, view: View) -> str:
    """One transition: what was there, what was done, what is there now."""
    parts = ["Before:", *_screen(glimpse.before, view)]
    parts += [f"Action: {glimpse.action}"] if view.action else []
    return "\n".join([*parts, "After:", *_screen(glimpse.after, view)])


def episode_text(glimpses: Sequence[Glimpse], view: View) -> str:
    """Successive transitions of an episode, their steps numbered from 1: each screen once."""
    lines = ["At first:", *_screen(glimpses[0].before, view)]
    for number, glimpse in enumerate(glimpses, 1):
        done = f", action: {glimpse.action}" if view.action else ""
        lines += ["", f"# Step {number}{done}", *_screen(glimpse.after, view)]
    return "\n".join(lines)


def _screen(screen: Screen, view: View) -> Iterator[str]:
    lines = (screen.crop if view.observation == "crop" else screen.full).split("\n")
    yield "```"
    yield from (" ".join(line) if view.tokenised else line for line in lines)
    yield "```"
    if view.message:
        yield f"Message: {screen.message or '(none)'}"
    if view.inventory:
        yield f"Carries: {'; '.join(screen.inventory) or '(nothing)'}"

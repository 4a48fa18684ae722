"""What can be done in a session by a word with a slash: one function each, found by its `usage`.

A function marked `@usage("/name ARGUMENTS")` is a command; the first line of its docstring is its help.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reward_agent.cli.board import cost, count
from reward_agent.errors import RewardAgentError, UsageError, unknown_name

if TYPE_CHECKING:
    from reward_agent.chat import Session
    from reward_agent.chat.viewing import View
    from reward_agent.cli.chatting.screen import Screen


class Leave(Exception):  # noqa: N818 - no error: the person goes
    """The session is over for now."""


@dataclass
class Chat:
    """What a command works on."""

    session: Session
    screen: Screen
    view: View | None = None
    wants_view: bool = field(default=False)
    """A view opens before the next look."""


@dataclass(frozen=True)
class Command:
    """What a word with a slash does."""

    usage: str
    """How it is typed, with its arguments."""
    does: Callable[[Chat, str], None]
    """Is given what follows its name; the first line of its docstring is its help."""

    @property
    def name(self) -> str:
        return self.usage.split()[0]

    @property
    def takes(self) -> bool:
        """Whether anything may follow its name."""
        return " " in self.usage

    @property
    def help(self) -> str:
        return (self.does.__doc__ or "").splitlines()[0]


def usage(text: str) -> Callable[[Callable[[Chat, str], None]], Command]:
    """Makes a command of a function, by how it is typed."""
    return lambda function: Command(text, function)


def perform(chat: Chat, line: str) -> None:
    """Do what a line says: a command, or words to the model.

    Raises:
        UsageError: an unknown command, with the closest; or what the command is given cannot be.
        Leave: the person goes.
        And whatever else the session raises.
    """
    if not line.startswith("/"):
        talk(chat, line)
        return
    name, _, rest = line.partition(" ")
    if name not in COMMANDS:
        raise unknown_name("command", name, COMMANDS, hint="`/help` lists them.")
    command, given = COMMANDS[name], rest.strip()
    if given and not command.takes:
        raise UsageError(f"`{name}` takes nothing after it, and {given!r} was given: {name} alone will {command.help}.")
    command.does(chat, given)


def talk(chat: Chat, words: str) -> None:
    """Say something to the model, and show what comes of it."""
    _open_view(chat)
    with chat.screen.busy(_answering(chat)):
        turn = chat.session.say(words)
    chat.screen.came_of(turn)


@usage("/help")
def help_(chat: Chat, rest: str) -> None:
    """list the commands"""
    width = max(len(command.usage) for command in COMMANDS.values()) + 2
    for command in COMMANDS.values():
        chat.screen.say(f"{command.usage:{width}}{command.help}")
    chat.screen.note("Anything else is said to the model. Esc-Enter, or a \\ at the end, begins another line.")


@usage("/reward")
def reward(chat: Chat, rest: str) -> None:
    """show the reward as it is now"""
    program = chat.session.with_program().program
    assert program is not None
    chat.screen.program(program)


@usage("/diff")
def diff(chat: Chat, rest: str) -> None:
    """show what the last turn changed in the reward"""
    programs = [turn.program for turn in chat.session.talk.in_force if turn.program is not None]
    if len(programs) < 2:
        raise UsageError("There are no two rewards to compare yet; `/reward` shows the one there is.")
    chat.screen.difference(programs[-2], programs[-1])


@usage("/undo")
def undo(chat: Chat, rest: str) -> None:
    """take the last turn back"""
    turn = chat.session.undo()
    left = len(chat.session.talk.in_force)
    chat.screen.say(f"Taken back: “{turn.words or '/go'}”. {count(left, 'turn')} {'is' if left == 1 else 'are'} left.")


@usage("/look")
def look(chat: Chat, rest: str) -> None:
    """see again what the reward leads to"""
    chat.session.with_program()
    _open_view(chat)
    with chat.screen.busy("looking"):
        turn = chat.session.look()
    chat.screen.came_of(turn)


@usage("/video [FILE]")
def video(chat: Chat, rest: str) -> None:
    """make a clip of the policy that was trained, else of the last look"""
    from reward_agent.chat.clips import make_clip

    with chat.screen.busy("filming"):
        path = make_clip(chat.session, Path(rest).expanduser() if rest else None)
    chat.screen.say(f"The clip is {path}.")


@usage("/train [STEPS]")
def train(chat: Chat, rest: str) -> None:
    """turn the reward into a policy by reinforcement learning"""
    steps = _steps(rest)
    with chat.screen.busy("training"):
        turn = chat.session.train(steps)
    if turn is None:
        chat.screen.say("Stopped. The same command goes on from its last checkpoint.", "yellow")
    else:
        chat.screen.trained(turn)


@usage("/save [NAME]")
def save(chat: Chat, rest: str) -> None:
    """keep reward, policy, clip and transcript in a folder"""
    from reward_agent.chat.keeping import save as keep

    chat.screen.say(f"Kept in {keep(chat.session, Path(rest).expanduser() if rest else None)}.")


@usage("/export FILE")
def export(chat: Chat, rest: str) -> None:
    """write the reward as one file that needs nothing of this package"""
    from reward_agent.chat.keeping import export as write

    if not rest:
        raise UsageError("Say which file, as `/export reward.py`.")
    written = write(chat.session, Path(rest).expanduser())
    chat.screen.say(f"{written} needs nothing of this package; its head says how to use it.")


@usage("/cost")
def spent(chat: Chat, rest: str) -> None:
    """tell what the model has cost so far"""
    total = chat.session.llm.spent
    unpriced = " (some at no known price)" if total.unpriced else ""
    chat.screen.say(f"{count(total.replies, 'reply')}, {cost(total.tokens, total.usd)}{unpriced}.")


@usage("/score")
def score(chat: Chat, rest: str) -> None:
    """tell the metrics of the policy that was trained, else of the last look"""
    from reward_agent.chat.keeping import scores
    from reward_agent.chat.transcript import cut_short_in_words
    from reward_agent.history import Outcome

    turn = chat.session.with_program()
    made, metrics = scores(turn)
    seen = turn.looks[-1].outcome if turn.looks else None
    if not metrics and isinstance(seen, Outcome) and (why := cut_short_in_words(seen)):
        chat.screen.say(f"The last look was {why}.")
        return
    if not metrics and not chat.session.task.metrics:
        raise UsageError("No metric scores what is done in this task: `/look` at it.")
    if not metrics:
        raise UsageError("Nothing was measured yet: `/look` at the reward, or `/train` a policy on it.")
    chat.screen.scores(metrics, "The trained policy" if made else "The last look")


@usage("/go")
def go(chat: Chat, rest: str) -> None:
    """go on without new words: with the task's own instruction, what was stopped, or what the numbers say"""
    _open_view(chat)
    with chat.screen.busy(_answering(chat)):
        turn = chat.session.go()
    chat.screen.came_of(turn)


@usage("/view")
def view(chat: Chat, rest: str) -> None:
    """open the view in the browser, where looks are drawn as they are played"""
    if chat.view is None:
        _view(chat)
    else:
        chat.screen.say(f"Watch it at {chat.view.url}")


@usage("/quit")
def quit_(chat: Chat, rest: str) -> None:
    """leave; what was done is saved"""
    raise Leave


COMMANDS: dict[str, Command] = {each.name: each for each in list(globals().values()) if isinstance(each, Command)}
"""By name, in the order above."""


def _answering(chat: Chat) -> str:
    return "waiting for the answer" if chat.session.llm.by_person else "the model writes"


def _open_view(chat: Chat) -> None:
    """As `--view` wants it, once; what cannot be opened stops nothing."""
    if chat.wants_view and chat.view is None:
        chat.wants_view = False
        try:
            _view(chat)
        except RewardAgentError as error:
            chat.screen.trouble(error)


def _view(chat: Chat) -> None:
    from reward_agent.chat.viewing import View

    chat.view = View(chat.session.task)
    chat.session.showing.watch = chat.view.watch
    chat.screen.say(f"Watch it at {chat.view.url}")
    if chat.session.settings.way(chat.session.task) != "planner":
        chat.screen.note(
            "It will stand still: rewards are looked at by a training here, and only what the planner plays is drawn "
            "there. `/video` films what a training came to; `--look planner`, where the world can be planned in, moves "
            "the view."
        )


def _steps(text: str) -> int | None:
    from argparse import ArgumentTypeError

    from reward_agent.cli.options import positive

    try:
        return positive(text) if text else None
    except ArgumentTypeError as error:
        raise UsageError(f"{error} `/train` alone takes the task's own budget.") from error

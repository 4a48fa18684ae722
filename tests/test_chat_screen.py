"""What a session writes: nothing that a model says can steer the terminal, and a script gets programs as they are."""

from __future__ import annotations

import ast
import io
import re
import unicodedata

import pytest
from rich.console import Console
from runs_for_tests import GOOD

from reward_agent.chat import Turn
from reward_agent.cli.chatting.screen import Screen
from reward_agent.events import Faulted, Looking, Noted, TrainingProgress, Trial
from reward_agent.messages import Key
from reward_agent.program import Fault, Program
from reward_agent.sandbox.text import plain

EVIL = "\x1b]52;c;cm0gLXJm\x07\x1b]0;title\x1b\\\x1b[2J\x9b2J\x9d0;title\x9c\x90q\x00\b\r\x7f\u202e\u200b"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
DRAWN = re.compile(r"\x1b\[(\?25[lh]|[0-9]*[AK])|\r")
"""The cursor is hidden, the line of what goes on is cleared."""


def written(*, terminal: bool = True) -> tuple[Screen, io.StringIO]:
    file = io.StringIO()
    return Screen(Console(file=file, force_terminal=terminal, width=80, highlight=False)), file


def steering(text: str) -> str:
    """What is left in it that is no text, beside our colours."""
    return "".join(c for c in COLOURS.sub("", text) if c not in "\n\t" and unicodedata.category(c)[0] == "C")


def test_plain_text_is_kept_as_it_is() -> None:
    text = "def f(x):\n\treturn 2 * x  # größer als π — 好"
    assert plain(text) == text and plain("x" * 5_000) == "x" * 5_000
    assert steering(plain(EVIL)) == ""


@pytest.mark.parametrize("write", ["say", "note", "program", "before", "now", "faulty", "story", "trouble", "noted"])
def test_nothing_that_is_said_steers_the_terminal(write: str) -> None:
    screen, file = written()
    bad, good = Program(f"# {EVIL}\n{GOOD}"), Program(GOOD)
    {
        "say": lambda: screen.say(f"a{EVIL}b"),
        "note": lambda: screen.note(EVIL),
        "program": lambda: screen.program(bad),
        "before": lambda: screen.difference(bad, good),
        "now": lambda: screen.difference(good, bad),
        "faulty": lambda: screen(Faulted(Key(0, 0, 0), None, (Fault("check", EVIL),), False)),
        "story": lambda: screen.story((Turn(0, 0, EVIL),)),
        "trouble": lambda: screen.trouble(ValueError(EVIL)),
        "noted": lambda: screen(Noted(EVIL)),
    }[write]()
    shown = file.getvalue()
    assert "title" in shown and steering(shown) == ""


def test_an_escape_in_pieces_steers_nothing_either() -> None:
    screen, file = written()
    for letter in f"one{EVIL}two":
        screen.piece(letter)
    shown = COLOURS.sub("", file.getvalue())
    assert shown.startswith("one") and shown.endswith("two") and steering(shown) == ""


def test_a_term_of_any_name_steers_nothing_while_it_is_trained_on() -> None:
    screen, file = written()
    with screen.busy("training"):
        screen(TrainingProgress(Trial("candidate", 0, 0), 10, 100, 5.0, 1.0, 1.0, {f"[red]{EVIL}": 1.0}))
    shown = DRAWN.sub("", file.getvalue())
    assert steering(shown) == "" and "[red]" in shown


def test_a_look_shows_how_much_of_it_was_played() -> None:
    screen, file = written()
    with screen.busy("the model writes"):
        screen(Looking(1.2, 6.0))
    assert "looking: 1.2 of 6 s (Ctrl-C stops it)" in file.getvalue()
    screen, file = written(terminal=False)
    screen(Looking(1.2, 6.0))
    assert file.getvalue() == ""


def test_a_piece_of_nothing_but_controls_leaves_the_line_open() -> None:
    screen, file = written(terminal=False)
    screen.piece("half a line")
    screen.piece("\x00")
    screen.say("another")
    assert file.getvalue() == "half a line\nanother\n"


def test_a_script_gets_the_program_as_it_is() -> None:
    screen, file = written(terminal=False)
    long = GOOD.replace("near = np", f"near = {' + '.join(['0.125'] * 40)} + np")
    screen.program(Program(long))
    assert file.getvalue() == long + "\n"
    assert ast.dump(ast.parse(file.getvalue())) == ast.dump(ast.parse(long))

"""`reward-agent chat` as a real process: typed at in a terminal of its own, or piped at."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pexpect
from runs_for_tests import BROKEN, GOOD, TIMID, recording
from test_cli_runs import command, environment

from reward_agent.messages import Key

CALM = TIMID + "\n# calmer\n"


LOOK = ("--look-budget", "2048", "--set", "num_envs=16", "--set", "rollout=32", "--method", "text2reward")


def replies(path: Path) -> str:
    """Two rounds, the second in two branches, the first with a repair."""
    asked = {Key(0, 0, 0): BROKEN, Key(0, 0, 1): GOOD, Key(1, 0, 0): TIMID, Key(1, 1, 0): CALM}
    return recording(path, asked)


def piped(text: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), cwd=cwd, env=environment(), input=text, capture_output=True, text=True, timeout=300
    )


class Terminal:
    """The command in a terminal of its own."""

    def __init__(self, place: Path, *words: str, keys: dict[str, str] | None = None) -> None:
        more = {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "XDG_STATE_HOME": str(place / "state")}
        self.child = pexpect.spawn(
            "env",
            ["--default-signal=INT", *command("chat", *words)],
            cwd=str(place),
            env=environment() | more | (keys or {}),
            dimensions=(50, 200),
            timeout=60,
            encoding="utf-8",
        )
        self.child.delaybeforesend = 0.2
        self.greeting = self.ready()

    def ready(self) -> str:
        """Wait until it asks; what was shown before."""
        self.child.expect(r"\x1b\[\?2004h")  # a prompt begins by asking for pasted text to be marked
        before = plain(self.child.before)
        self.child.expect("you>")
        return before

    def say(self, line: str) -> str:
        """Type a line; what was shown until it asks again."""
        self.child.send(line + "\r")
        self.child.expect(r"\x1b\[\?2004l")
        return self.ready()

    def quit(self, line: str = "/quit\r") -> str:
        self.child.send(line)
        self.child.expect(pexpect.EOF)
        self.child.close()
        return plain(self.child.before)


def plain(text: Any) -> str:
    """Without what colours and moves."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r", "", str(text))

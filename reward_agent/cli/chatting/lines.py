"""Where the person's lines come from: a prompt with history and completion, or standard input as it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyBindings

PROMPT = "you> "
HISTORY = "history"
TAKES_FILE = frozenset({"/video", "/save", "/export"})


class Source(Protocol):
    """Gives what is said, one utterance at a time."""

    interactive: bool

    def read(self) -> str | None:
        """The next; None at the end.

        Raises:
            KeyboardInterrupt: Ctrl-C.
        """
        ...


class Piped:
    """Standard input of a script; a line that ends with a backslash goes on in the next. What is read is shown."""

    interactive = False

    def __init__(self, lines: Iterable[str], show: Callable[[str], None]) -> None:
        self._lines, self._show = iter(lines), show

    def read(self) -> str | None:
        parts: list[str] = []
        for line in self._lines:
            text = line.rstrip("\n")
            parts.append(text.removesuffix("\\"))
            if not text.endswith("\\"):
                break
        if not parts:
            return None
        said = "\n".join(parts).strip()
        if said:
            self._show(f"{PROMPT}{said}")
        return said


class Typed:
    """A prompt at the terminal."""

    interactive = True

    def __init__(self, commands: Iterable[str], folder: Path) -> None:
        """`folder` is the run's, which keeps a history of its own beside the user's."""
        from prompt_toolkit import PromptSession

        self._session: PromptSession[str] = PromptSession(
            history=_history(folder),
            completer=_completer(sorted(commands)),
            complete_while_typing=False,
            multiline=True,
            key_bindings=_keys(),
            prompt_continuation=lambda width, number, wrapped: " " * width,
        )

    def read(self) -> str | None:
        try:
            return self._session.prompt(PROMPT).strip()
        except EOFError:
            return None


def choose(question: str, names: Mapping[str, str]) -> str:
    """One of `names` (with what each is), typed at the terminal or read as a line; empty at the end of input."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return sys.stdin.readline().strip()
    from prompt_toolkit import prompt
    from prompt_toolkit.completion import WordCompleter

    known = WordCompleter(list(names), meta_dict=dict(names), sentence=True, match_middle=True)
    try:
        return prompt(question, completer=known).strip()
    except EOFError:
        return ""


def state_file() -> Path:
    """The user's history of all sessions."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "reward-agent" / HISTORY


def _history(folder: Path) -> History:
    from prompt_toolkit.history import FileHistory, History

    class Both(History):
        """What was typed in this session goes before what was typed in others."""

        def __init__(self) -> None:
            super().__init__()
            self.files = {path: FileHistory(str(path)) for path in (folder / HISTORY, state_file())}

        def load_history_strings(self) -> Iterable[str]:
            seen = set()
            for file in self.files.values():
                try:
                    texts = list(file.load_history_strings())
                except OSError:
                    continue  # as where it cannot be written
                for text in texts:
                    if text not in seen:
                        seen.add(text)
                        yield text

        def store_string(self, string: str) -> None:
            for path, file in self.files.items():
                try:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    file.store_string(string)
                except OSError:
                    continue  # a home that cannot be written costs the history, not the session

    return Both()


def _completer(commands: list[str]) -> Completer:
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
    from prompt_toolkit.document import Document

    paths = PathCompleter(expanduser=True)

    class Words(Completer):
        """Commands, then files where a command takes one."""

        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            text = document.text_before_cursor
            name, space, rest = text.partition(" ")
            if not space and text.startswith("/"):
                yield from (Completion(each, -len(text)) for each in commands if each.startswith(text))
            elif space and name in TAKES_FILE:
                yield from paths.get_completions(Document(rest), complete_event)

    return Words()


def _keys() -> KeyBindings:
    """Enter sends; Esc-Enter (Alt-Enter), or Enter after a backslash, begins another line."""
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    keys = KeyBindings()

    @keys.add("enter")
    def _send(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion is not None:
            buffer.complete_state = None
        elif buffer.document.text_before_cursor.endswith("\\"):
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def _another(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys

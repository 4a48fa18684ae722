"""A person (with any chat window) as the model: prompts go out as files, replies come back as files."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock

from reward_agent.errors import UsageError, WaitingForPersonError
from reward_agent.files import write_atomically
from reward_agent.invocation import resume_command
from reward_agent.llm.base import LLM, Heard, Options
from reward_agent.llm.chat import now, prompt_sha256
from reward_agent.messages import Key, Message, Reply, named_images

EXAMPLE = "manual:NAME"

_CLIPBOARDS = (
    ("pbcopy",),
    ("wl-copy",),
    ("xclip", "-selection", "clipboard"),
    ("xsel", "--clipboard", "--input"),
    ("clip.exe",),
)


def missing() -> str | None:
    """Nothing: it needs no key."""
    return None


def connect(model: str, options: Options) -> LLM:
    """A person answers; `model` is kept as the model's name.

    Raises:
        UsageError: there is no folder to leave prompts in.
    """
    if options.folder is None:
        raise UsageError("`manual` leaves its prompts in a run's folder: give `Options(folder=...)`.")
    at_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    return Manual(model, options.folder, wait=options.wait if options.wait is not None else at_terminal or 0.0)


class Manual:
    """Writes each prompt beside where its reply is awaited; several keys can wait at once, each in its own folder."""

    by_person = True

    def __init__(self, model: str, folder: Path, *, wait: float | bool, settle: float = 1.0) -> None:
        """`wait` in seconds, True for ever; a reply is whole when its size has not changed for `settle` seconds."""
        self.name = f"manual:{model}" if model else "manual"
        self._model, self._folder, self._settle = model or "manual", folder, settle
        self._wait = float("inf") if wait is True else float(wait)
        # as it is now: whoever draws on the terminal later may put something else in its place, which says it is none
        self._at_terminal = sys.stderr.isatty()
        self._open: list[tuple[Key, str]] = []
        self._lock = Lock()

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        """The reply a person has put, or puts while we wait, into `reply.md` beside the prompt.

        Raises:
            WaitingForPersonError: there is none yet; a resumed run takes it up.
        """
        return self._answer(messages, key, lambda paragraph: self._tell(f"{paragraph}\n"), alone=False)

    def stream(self, messages: Sequence[Message], key: Key, heard: Heard) -> Reply:
        """The same; whoever listens is told which file to answer, and where. They ask for one reply at a time: what is
        still open they have given up.

        Raises:
            WaitingForPersonError: as `complete` does.
        """
        reply = self._answer(messages, key, heard.waits, alone=True)
        heard.piece(reply.text)
        return reply

    def paths(self, key: Key) -> tuple[Path, Path]:
        """Where a prompt is written and where its reply is awaited."""
        return self._folder / key.path("prompt.md"), self._folder / key.path("reply.md")

    def _answer(self, messages: Sequence[Message], key: Key, tell: Callable[[str], None], *, alone: bool) -> Reply:
        prompt, reply = self.paths(key)
        images = {self._folder / key.path(name): image.data for name, image in named_images(messages)}
        wanted = (
            f"{self.name} waits for a person: give {prompt}{_with(len(images))} to a model (or answer it yourself), "
            f"save the whole answer as {reply}"
        )
        text = as_text(messages, key)
        prompt.parent.mkdir(parents=True, exist_ok=True)
        for path, data in images.items():
            write_atomically(path, data)
        if not prompt.is_file() or prompt.read_text(encoding="utf-8") != text:
            write_atomically(prompt, text.encode())
        if not _read(reply) and self._wait > 0:
            tell(f"{wanted}: it goes on as soon as the file is there.")
        self._push(key, text, alone=alone)
        try:
            answer = self._await(reply)
        finally:
            self._pop(key)
        if answer is None:
            raise WaitingForPersonError(f"{wanted}, then `{resume_command(self._folder)}` goes on.")
        return Reply(text=answer, model=self._model, date=now(), prompt_sha256=prompt_sha256(messages))

    def _await(self, path: Path) -> str | None:
        deadline = time.monotonic() + self._wait
        while True:
            # a reply that is being written grows; one that does not any more is whole
            if before := _read(path):
                time.sleep(self._settle)
                if _read(path) == before:
                    return before
            elif time.monotonic() >= deadline:
                return None
            else:
                time.sleep(min(0.25, self._settle))

    def _push(self, key: Key, text: str, *, alone: bool) -> None:
        with self._lock:
            self._open = [*(() if alone else self._open), (key, text)]
            if len(self._open) == 1 and self._wait > 0:
                self._copy()

    def _pop(self, key: Key) -> None:
        with self._lock:
            # a key that was given up and asked for again waits twice, and one reply ends both
            was_first = bool(self._open) and self._open[0][0] == key
            self._open = [entry for entry in self._open if entry[0] != key]
            if was_first and self._open and self._wait > 0:
                self._copy()

    def _copy(self) -> None:
        """The prompt that has waited longest goes to the clipboard: there is one clipboard for all of them."""
        key, text = self._open[0]
        if self._at_terminal and copy_to_clipboard(text):
            self._tell(f"The prompt {self.paths(key)[0]} is on the clipboard.\n")

    def _tell(self, line: str) -> None:
        if self._at_terminal:
            sys.stderr.write(line)
            sys.stderr.flush()


def as_text(messages: Sequence[Message], key: Key) -> str:
    """Messages as one text to paste into a chat window: each under a line that names its role.

    Where an image belongs stands the name of its file, which is to be attached.
    """
    names = (Path(key.path(name)).name for name, _ in named_images(messages))
    said = []
    for message in messages:
        parts = [part.strip() if isinstance(part, str) else f"[image: {next(names)}]" for part in message.parts]
        said.append("\n".join([f"===== {message.role.upper()} =====\n", *parts]))
    return "\n\n".join(said) + "\n"


def _with(images: int) -> str:
    """What is told to be given to a model beside the prompt's text."""
    if not images:
        return ""
    return " with the image named in it" if images == 1 else f" with the {images} images named in it"


def copy_to_clipboard(text: str) -> bool:
    """Whether a tool of this machine took `text` to the clipboard."""
    for command in _CLIPBOARDS:
        if shutil.which(command[0]) is None:
            continue
        try:
            # no pipes: xclip stays behind to serve what it holds, and would keep them open
            done = subprocess.run(
                command,
                input=text.encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=5,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return True
    return False


def _read(path: Path) -> str:
    """The text of a file, empty where there is none (or only white space)."""
    try:
        # an editor may leave a byte order mark, and not every editor writes UTF-8
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except FileNotFoundError:
        return ""
    return text if text.strip() else ""

"""A run on disk: what it was started with (`run.json`), its journal, and the files of each candidate.

Only `run.json` and `journal.jsonl` are needed to resume. What was deleted of the rest is made again, but for policies,
curves and clips of the search's candidates, whose scores the journal holds.
"""

from __future__ import annotations

import hashlib
import json
import platform
import secrets
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from reward_agent.codec import decode, encode
from reward_agent.errors import UsageError, closest
from reward_agent.files import write_atomically
from reward_agent.journal import Journal, read_journal
from reward_agent.messages import Image, Key, Message, Usage, named_images

T = TypeVar("T")
UNANSWERED = "unanswered"
"""Ends the stage of what requests without a reply cost."""

MANIFEST, JOURNAL = "run.json", "journal.jsonl"
LATEST = 3
"""Runs that are listed where one is not found."""
_PACKAGES = (
    "reward-agent",
    "numpy",
    "torch",
    "stable-baselines3",
    "sb3-contrib",
    "gymnasium",
    "mujoco",
    "mjbatch",
    "metaworld",
    "mani_skill",
    "sapien",
    "gymnasium-robotics",
    "minihack",
    "nle",
    "minigrid",
)


@dataclass(frozen=True)
class Manifest:
    """What a run was started with; written once."""

    id: str
    task: str
    """How the task is found again: its id, or `file.py:variable`."""
    instruction: str
    config: Mapping[str, Any]
    """Encoded `RunConfig`."""
    versions: Mapping[str, str]
    platform: Mapping[str, str]
    sandbox: tuple[str, ...]
    """Layers in force; empty under `--unsafe`."""
    unsafe: bool
    git_commit: str | None
    created: str
    """UTC, ISO 8601."""
    chat: Mapping[str, Any] | None = None
    """Encoded `chat.ChatSettings`, where the run is a session with a person; None where it is a search."""


class Run:
    """An open run that this process alone may write. Close it, or use it as a context manager."""

    def __init__(self, folder: Path, manifest: Manifest, journal: Journal) -> None:
        self.folder, self.manifest, self.journal = folder, manifest, journal

    @classmethod
    def create(cls, root: Path, manifest: Manifest) -> Run:
        """A new run in `root/<id>`.

        Raises:
            UsageError: there is one of that id.
        """
        folder = root / manifest.id
        if (folder / MANIFEST).exists():
            raise UsageError(
                f"There is a run {manifest.id} in {root}. "
                f"`reward-agent resume {manifest.id}` goes on with it; "
                "a new one needs another name."
            )
        folder.mkdir(parents=True, exist_ok=True)
        journal = Journal(folder / JOURNAL)
        # last, so that a folder with a manifest is a run that can be resumed
        write_atomically(folder / MANIFEST, _pretty(encode(manifest)))
        return cls(folder, manifest, journal)

    @classmethod
    def open(cls, folder: Path) -> Run:
        """The run in `folder`, to go on writing it.

        Raises:
            UsageError: no run is there, or its files are damaged.
            RunBusyError: another process is writing it.
        """
        run = cls(folder, read_manifest(folder), Journal(folder / JOURNAL))
        for left in folder.rglob(".*.tmp"):  # by writers that were killed
            left.unlink(missing_ok=True)
        return run

    @property
    def id(self) -> str:
        return self.manifest.id

    def once(self, key: Key, kind: type[T] | Any, compute: Callable[[], T]) -> T:
        """The journalled value of a step, of type `kind`; where there is none yet, compute it and journal it first."""
        found: T | None = self.recorded(key, kind)
        if found is None:
            self.record(key, compute())
            found = decode(kind, self.journal[key])
        return found

    def recorded(self, key: Key, kind: type[T] | Any) -> Any:
        """The journalled value of a step, of type `kind` (a class, or a union of some), if it is there."""
        return decode(kind, self.journal[key]) if key in self.journal else None

    def record(self, key: Key, value: object) -> None:
        """Journal a step's value."""
        self.journal.write(key, encode(value))

    def record_unanswered(self, key: Key, usage: Usage | None) -> None:
        """Keep what a request without a reply cost, after what others with that key did: a resumed run counts it."""
        if usage:
            key = key._replace(stage=f"{key.stage}.{UNANSWERED}")
            self.record(key, (*(self.recorded(key, tuple[Usage, ...]) or ()), usage))

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file of the run, whole or not at all; `name` is relative to its folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content.encode() if isinstance(content, str) else content)
        return path

    def write_json(self, name: str, value: object) -> Path:
        """Write a value as indented JSON."""
        return self.write(name, _pretty(encode(value)))

    def write_prompt(self, key: Key, messages: Sequence[Message]) -> None:
        """Write what is asked as `messages.json`; its images are files beside it, named there with their SHA-256."""
        images = dict(named_images(messages))
        for name, image in images.items():
            self.write(key.path(name), image.data)
        names = iter(images)
        told = [
            {"role": message.role, "text": message.text}
            | ({"images": [_told(image, next(names), key) for image in message.images]} if message.images else {})
            for message in messages
        ]
        self.write_json(key.path("messages.json"), told)

    def close(self) -> None:
        self.journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_manifest(folder: Path) -> Manifest:
    """What the run in `folder` was started with.

    Raises:
        UsageError: no run is there, or the file is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise UsageError(f"{folder} is no run: it holds no {MANIFEST}. `reward-agent show` lists the runs there are.")
    try:
        manifest: Manifest = decode(Manifest, json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path} cannot be read ({error}). Restore it from a copy.") from error
    return manifest


def read_steps(folder: Path) -> dict[Key, Any]:
    """The finished steps of the run in `folder`, as plain data by key; takes no lock."""
    return read_journal(folder / JOURNAL)


def find_run(name: str, root: Path, *, begins: str = "run") -> Path:
    """The folder of a run given by its folder, its id, or `last` for the newest in `root`.

    Raises:
        UsageError: there is none, with the closest id, the latest ones and the command that `begins` one.
    """
    if (Path(name) / MANIFEST).is_file():
        return Path(name)
    runs = {path.parent.name: path.parent for path in root.glob(f"*/{MANIFEST}")}
    if name == "last" and runs:
        return max(runs.values(), key=lambda folder: (read_manifest(folder).created, folder.name))
    if name not in runs:
        close = closest(name, runs)
        latest = sorted(runs, key=lambda run: (runs[run] / MANIFEST).stat().st_mtime, reverse=True)[:LATEST]
        told = [f"There is no run named {name!r} in {root}/."]
        told += [f"Did you mean {close!r}?"] if close else []
        told += [f"The latest: {', '.join(latest)}."] if latest else []
        raise UsageError(f"{' '.join(told)} `reward-agent {begins} TASK` starts one.")
    return runs[name]


def new_run_id(task_id: str) -> str:
    """Date, task and four random hex digits, as `20260131-hopper-forward-3f9a`."""
    return f"{datetime.now(UTC):%Y%m%d}-{task_id.rpartition('/')[2]}-{secrets.token_hex(2)}"


def new_manifest(
    run_id: str,
    *,
    task: str,
    instruction: str,
    config: Mapping[str, Any],
    sandbox: tuple[str, ...],
    unsafe: bool,
    chat: Mapping[str, Any] | None = None,
) -> Manifest:
    """A manifest of this machine and moment."""
    return Manifest(
        id=run_id,
        task=task,
        instruction=instruction,
        config=config,
        versions=installed_versions(),
        platform={
            "system": platform.platform(),
            "machine": platform.machine(),
            "python": platform.python_version(),
        },
        sandbox=sandbox,
        unsafe=unsafe,
        git_commit=_git_commit(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        chat=chat,
    )


def installed_versions() -> dict[str, str]:
    """Versions of the packages that a result depends on, as far as they are installed."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def sha256(path: Path) -> str:
    """Of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _told(image: Image, name: str, key: Key) -> dict[str, str]:
    """What `messages.json` says of an image."""
    return {"file": Path(key.path(name)).name, "media_type": image.media_type, "sha256": image.sha256}


def _git_commit() -> str | None:
    """Of the checkout this package runs from, with `+` where it was changed since; None outside one."""
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        return None
    try:
        commit = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return commit.stdout.strip() or None


def _pretty(value: Any) -> bytes:
    return (json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode()

"""Recorded replies laid where the provider `manual` awaits a person's, so that an experiment can go on elsewhere."""

from __future__ import annotations

from pathlib import Path

from reward_agent.llm.recordings import read_recording


def lay_replies(recording: Path, folder: Path) -> None:
    """Put those of a recording, where there is one, into the folder of a run; what lies there stays."""
    for key, reply in read_recording(recording).replies.items() if recording.is_file() else ():
        path = folder / key.path("reply.md")
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(reply.text, encoding="utf-8")

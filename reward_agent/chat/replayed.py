"""What a session says of the recording that answers it: how far it goes, which others go further, how to go on."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from reward_agent.envs.registry import recordings, tasks
from reward_agent.invocation import command
from reward_agent.llm import Metered
from reward_agent.llm.recordings import Recording, read_recording, shown_name
from reward_agent.llm.replay import Replay
from reward_agent.messages import Key
from reward_agent.recorded import recorded_method
from reward_agent.wording import count


def recording_of(llm: Metered) -> Recording | None:
    """What is replayed; None where a model, or a person, answers."""
    return llm.llm.recording if isinstance(llm.llm, Replay) else None


def at_its_end(recording: Recording, key: Key, method: str, folder: Path) -> str:
    """A paragraph for somebody whose words a recording has no reply to.

    Args:
        recording: that is replayed.
        key: of the reply that it lacks.
        method: of the session.
        folder: of the session's run.
    """
    turn = key.iteration + 1
    tries = {known.candidate for known in recording.replies if known.iteration == key.iteration}
    of = f"This recording, {shown_name(recording.path)},"
    ends = f"{of} has {count(recording.turns, 'turn')} of words, and this is turn {turn}."
    if tries:
        ends = f"{of} holds {count(len(tries), 'try')} of turn {turn}, and no reply to this one."
    others = ", ".join(f"{name} ({count(turns, 'turn')})" for name, turns in with_corrections(method).items())
    return (
        f"{ends}{f' Recordings with corrections: {others}.' if others else ''} To go on in words of your own, leave "
        f"(`/quit`) and come back with somebody who answers them: `{command()} chat --resume {quote(str(folder))} "
        "--llm manual`, or another `--llm PROVIDER:MODEL`."
    )


def with_corrections(method: str) -> dict[str, int]:
    """Turns of the recordings by this method of tasks that are corrected in words, by `world/task/name`."""
    found = {}
    for task in tasks().values():
        for name, path in recordings(task.id).items() if task.corrections else ():
            recording = read_recording(path)
            if recorded_method(recording) == method and recording.turns > 1:
                found[f"{task.id}/{name}"] = recording.turns
    return found

"""What a person takes away from a session: the reward as one file, or with policy, clip and transcript in a folder."""

from __future__ import annotations

from pathlib import Path

from reward_agent.chat.clips import filmed_from
from reward_agent.chat.session import TRANSCRIPT, Session
from reward_agent.chat.talk import Turn
from reward_agent.chat.transcript import transcript
from reward_agent.errors import UsageError
from reward_agent.export import Provenance, export_reward
from reward_agent.files import write_atomically, writing
from reward_agent.history import Interval, Outcome
from reward_agent.optimise.policy import ARCHITECTURE, TENSORS
from reward_agent.sittings import layers_of, weakest
from reward_agent.trial import VIDEO, Trained

BEST, REWARD = "best", "reward.py"


def export(session: Session, to: Path) -> Path:
    """Write the last reward as one file that needs nothing of this package.

    Raises:
        UsageError: there is none, or `to` is there already.
    """
    with writing(to):
        if to.exists():
            raise UsageError(f"{to} is there already. Name another file.")
    text = _exported(session)
    with writing(to):
        to.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(to, text.encode())
    return to


def save(session: Session, folder: Path | None = None) -> Path:
    """Keep the last reward, its policy, clip and the transcript in a folder: `best/` of the run unless given.

    Raises:
        UsageError: there is no reward, or the folder holds something else already.
    """
    to = folder or session.run.folder / BEST
    with writing(to):
        if folder is not None and folder.exists():
            raise UsageError(f"{folder} is there already. Name a folder that is not.")
    turn, text = session.with_program(), _exported(session)
    policy = session.run.folder / turn.policy if turn.policy else None
    with writing(to):
        to.mkdir(parents=True, exist_ok=True)
        for name, source in ((TENSORS, policy), (ARCHITECTURE, policy), (VIDEO, filmed_from(session, turn))):
            (to / name).unlink(missing_ok=True)  # of another reward, kept before
            if source is not None and (source / name).exists():
                write_atomically(to / name, (source / name).read_bytes())
        write_atomically(to / REWARD, text.encode())
        write_atomically(to / TRANSCRIPT, transcript(session.talk).encode())
    return to


def scores(turn: Turn) -> tuple[Trained | None, dict[str, Interval]]:
    """Of the policy that was trained last, else of the last look, unless it was cut short; the training, where it is
    one."""
    made = next((result for result in reversed(turn.trained) if isinstance(result, Trained)), None)
    if made is not None:
        return made, made.outcome.metrics
    outcome = turn.looks[-1].outcome if turn.looks else None
    return None, dict(outcome.metrics) if isinstance(outcome, Outcome) and outcome.scored else {}


def _exported(session: Session) -> str:
    turn = session.with_program()
    assert turn.program is not None
    made, _ = scores(turn)
    run, config = session.run, session.config
    origin = Provenance(
        run=run.id,
        method=session.method.name,
        model=turn.attempts[-1].reply.model,
        # a look is no score to quote
        metrics=made.outcome.metrics if made else {},
        trainings=1 if made else 0,
        failed=0,
        budget=made.outcome.steps if made else 0,
        unsafe=config.unsafe,
        sandbox=() if config.unsafe else weakest(layers_of(run.manifest, run.journal.values)),
    )
    return export_reward(session.task, turn.program, origin)

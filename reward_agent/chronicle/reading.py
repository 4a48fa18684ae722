"""A chronicle, read off a run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reward_agent.chronicle.records import AttemptRecord, CandidateRecord, Chronicle, Retraining, Round, there
from reward_agent.chronicle.waiting import waits_for
from reward_agent.codec import decode
from reward_agent.config import RunConfig
from reward_agent.errors import UsageError
from reward_agent.history import At, Attempt, Candidate, History, Judgement
from reward_agent.journal import is_written
from reward_agent.judging import JUDGEMENT
from reward_agent.messages import MAIN, Key, Reply
from reward_agent.program import TrainingFault
from reward_agent.result import load_result
from reward_agent.search import Vetted, folder_of, is_reply, spent_in
from reward_agent.sittings import config_of, layers_of
from reward_agent.store import JOURNAL, Manifest, read_manifest, read_steps
from reward_agent.trial import Trained
from reward_agent.variant import WORDS_OF, variant


def read_chronicle(folder: Path) -> Chronicle:
    """What the run in `folder` did so far.

    Raises:
        UsageError: no run is there, its files are damaged, or another release wrote them.
    """
    manifest, steps = read_manifest(folder), read_steps(folder)
    try:
        return _chronicle(folder, manifest, steps)
    except (TypeError, ValueError, KeyError) as error:
        raise UsageError(
            f"The run in {folder} cannot be read ({error}): another release wrote it, with version "
            f"{manifest.versions.get('reward-agent', 'unknown')}. Show it with that one."
        ) from error


def _chronicle(folder: Path, manifest: Manifest, steps: Mapping[Key, Any]) -> Chronicle:
    config, result = config_of(manifest, steps), load_result(folder)
    judgements: dict[int, Judgement] = {
        key.iteration: decode(Judgement, value) for key, value in steps.items() if key.stage == JUDGEMENT
    }
    history = _history(steps, judgements)

    def best(before: int | None = None) -> Candidate | None:
        # no metric says what is best where a judge compares, not even before it has
        return None if config.judge and not judgements else history.best(before)

    rounds: dict[int, list[CandidateRecord]] = {number: [] for number in judgements}
    for at in sorted(history.candidates):
        rounds.setdefault(at[0], []).append(_candidate(folder, steps, at, best(at[0]) if at[0] else None))
    waiting = "" if result else waits_for(folder, config, steps, judgements)
    held = is_written(folder / JOURNAL)
    return Chronicle(
        folder=folder,
        manifest=manifest,
        config=config,
        state="finished" if result else "waiting" if waiting else "running" if held else "stopped",
        waits_for=waiting,
        updated=_written(folder),
        variant=result.variant if result else _variant(config, steps),
        rounds=tuple(
            Round(
                iteration=number,
                candidates=tuple(rounds[number]),
                judgement=judgements.get(number),
                best_so_far=_at(best(number + 1)),
                folder=folder / f"iter_{number:02d}",
            )
            for number in sorted(rounds)
        ),
        best=_at(best()),
        finals=tuple(
            Retraining(of, key.candidate, decode(Trained | TrainingFault, value), _retrained(folder, key))
            for of in ("final", "expert")
            for key, value in sorted(steps.items())
            if key.stage.startswith(f"{of}/")
        ),
        replies={key: decode(Reply, value) for key, value in steps.items() if is_reply(value)},
        spent=spent_in(steps, config.prices),
        layers=layers_of(manifest, steps),
        result=result,
    )


def _history(steps: Mapping[Key, Any], judgements: dict[int, Judgement]) -> History:
    """Candidates as the loop has them, which says what is the best."""
    candidates: dict[At, Candidate] = {}
    for key, value in steps.items():
        at = key.iteration, key.candidate
        known = candidates.get(at, Candidate(*at))
        match key.stage:
            case "vet":
                vetted = decode(Vetted, value)
                reply = Reply("", "")
                attempt = Attempt(key._replace(stage=MAIN), (), reply, vetted.program, vetted.faults)
                candidates[at] = Candidate(*at, (*known.attempts, attempt), known.outcome)
            case "train":
                trained: Trained | TrainingFault = decode(Trained | TrainingFault, value)
                outcome = trained.outcome if isinstance(trained, Trained) else trained
                candidates[at] = Candidate(*at, known.attempts, outcome)
            case stage if stage == MAIN and is_reply(value):
                candidates[at] = known
    return History(candidates, judgements)


def _candidate(folder: Path, steps: Mapping[Key, Any], at: At, parent: Candidate | None) -> CandidateRecord:
    own = {key: value for key, value in steps.items() if key[:2] == at}
    ends = [decode(Trained | TrainingFault, value) for key, value in own.items() if key.stage == "train"]
    spoken = [(whose, str(own[key]["text"])) for whose, stage in WORDS_OF.items() if (key := Key(*at, 0, stage)) in own]
    whose, words = spoken[0] if spoken else ("nobody", "")
    return CandidateRecord(
        *at,
        attempts=_attempts(folder, own),
        trained=ends[-1] if ends else None,
        words=words,
        words_of=whose,
        folder=folder / folder_of(*at),
        parent=_at(parent),
        parent_program=parent.program if parent else None,
    )


def _attempts(folder: Path, own: Mapping[Key, Any]) -> tuple[AttemptRecord, ...]:
    """Of one candidate, in the order of its replies."""
    # replies of other stages count where they were taken for a candidate: a judge's model replies as well
    asked = {key: value for key, value in own.items() if is_reply(value) and (key.stage == MAIN or _vetted(key) in own)}
    brought = [key._replace(stage=MAIN) for key in own if key.stage == "vet"]
    found = []
    for key in dict.fromkeys([*asked, *brought]):
        vetted: Vetted | None = decode(Vetted, own[at]) if (at := _vetted(key)) in own else None
        found.append(
            AttemptRecord(
                number=key.attempt,
                stage=key.stage,
                reply=decode(Reply, asked[key]) if key in asked else None,
                program=vetted.program if vetted else None,
                faults=vetted.faults if vetted else (),
                warnings=vetted.verdict.warnings if vetted and vetted.verdict else (),
                vetted=vetted is not None,
                prompt=there(folder / key.path("messages.json")),
            )
        )
    return tuple(found)


def _vetted(key: Key) -> Key:
    return key._replace(stage="vet" if key.stage == MAIN else f"{key.stage}.vet")


def _at(candidate: Candidate | None) -> At | None:
    return (candidate.iteration, candidate.index) if candidate else None


def _retrained(folder: Path, key: Key) -> Path:
    return folder / key.stage / f"seed_{key.candidate:02d}"


def _variant(config: RunConfig, steps: Mapping[Key, Any]) -> str:
    try:
        return variant(config, steps)
    except UsageError:
        return ""  # by a method that is not installed here


def _written(folder: Path) -> str:
    path = folder / JOURNAL
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds") if path.exists() else ""

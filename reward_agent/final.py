"""The end of a run: the best program trained from scratch on fresh seeds, scored on seeds that nothing was chosen by.

Beside it stand what no policy reaches (the floors) and the task's expert reward with the same budget and seeds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from reward_agent.crediting.distilling import LABELS, answers_in, labels_in
from reward_agent.envs.registry import DISGUISE
from reward_agent.errors import NoResultError
from reward_agent.events import Noted, Phase, Trial
from reward_agent.export import Provenance, export_reward
from reward_agent.files import write_atomically
from reward_agent.history import Candidate, History, Outcome, crowned, judged_by
from reward_agent.llm import Spent
from reward_agent.messages import Key
from reward_agent.methods import Method
from reward_agent.optimise.policy import ARCHITECTURE, TENSORS
from reward_agent.program import DESCRIBED, Fault, Program, TrainingFault
from reward_agent.result import RESULT, Result
from reward_agent.scoring import SeedPlan, intervals_of
from reward_agent.search import folder_of
from reward_agent.sittings import layers_of, weakest
from reward_agent.store import sha256
from reward_agent.trainings import Trainer, Training, quoted, run_floors
from reward_agent.trial import FloorsSpec, Scores, Trained, reference
from reward_agent.variant import variant

BEST = "best"
FLOORS, FLOORS_KIND = Key(0, 0, 0, "floors"), dict[str, dict[str, tuple[float, ...]]]
"""Their line in the journal, and its type: scores by floor and metric."""


def conclude(trainer: Trainer, history: History, method: Method, llm: str, spent: Spent, reason: str) -> Result:
    """Retrain, score, keep the best policy in `best/`, and write `result.json`.

    Raises:
        NoResultError: no program could be trained, in the search or now.
    """
    best = history.best() or _given(history)
    if best is None or best.program is None:
        raise NoResultError(_nothing_to_keep(history))
    config, task, run = trainer.config, trainer.task, trainer.run
    wanted = _trainings("final", best.program, trainer)
    known = task.undisguised
    # without a metric there is nothing to quote of it
    compared = config.expert and known.expert and task.metrics
    expert = Program(known.expert.read_text(encoding="utf-8")) if compared and known.expert else None
    if expert:
        at = None if known is task else reference(known, config.task.partition(DISGUISE)[0])
        wanted += [replace(training, reference=at) for training in _trainings("expert", expert, trainer)]
    below = _floors(trainer)
    results = trainer.train(wanted)
    if best.program.entry == DESCRIBED:
        trainer.events(Noted(_judged(llm, [run.folder / training.folder for training in wanted])))
    outcomes = [results[training.trial] for training in wanted if training.trial.phase == "final"]
    finals = {t: result for t, result in results.items() if isinstance(result, Trained) and t.phase == "final"}
    failed = tuple(result for result in outcomes if isinstance(result, TrainingFault))
    if not finals:
        raise NoResultError(
            f"The best program (iteration {best.iteration}, candidate {best.index}) failed in every training from "
            f"scratch: {failed[0].message} Its files are in {run.folder / folder_of(best.iteration, best.index)}."
        )
    of_expert = [results[training.trial] for training in wanted if training.trial.phase == "expert"]
    experts = quoted(of_expert, below, task.metrics)
    # where a judge decides no metric does, not even here
    kept = (
        min(finals, key=lambda t: t.index)
        if config.judge
        else max(finals, key=lambda t: (finals[t].outcome.score(), -t.index))
    )
    folder = next(run.folder / training.folder for training in wanted if training.trial == kept)
    (run.folder / BEST).mkdir(exist_ok=True)
    for name in (TENSORS, ARCHITECTURE):
        write_atomically(run.folder / BEST / name, (folder / name).read_bytes())
    result = Result(
        run=run.id,
        folder=run.folder,
        task=task.id,
        instruction=task.instruction,
        method=method.name,
        sees=method.sees,
        llm=llm,
        model=best.attempts[-1].reply.model,
        program=best.program,
        iteration=best.iteration,
        candidate=best.index,
        metrics=quoted(outcomes, below, task.metrics),
        trainings=len(outcomes),
        failed=failed,
        floors={name: intervals_of([scores], task.metrics) for name, scores in below.items()},
        expert=experts or None,
        budget=config.steps(task),
        report_episodes=config.report_episodes,
        policy_seed=SeedPlan.final_seed(config.seed, kept.index),
        policy_sha256=sha256(run.folder / BEST / TENSORS),
        steps=_steps(history, results),
        spent=_and_judging(spent, [run.folder / training.folder for training in wanted]),
        reason=reason,
        unsafe=config.unsafe,
        sandbox=weakest(layers_of(run.manifest, run.journal.values)),
        variant=variant(config, run.journal.values),
        horizon=task.horizon,
        judged={metric.name: metric.doc for metric in task.metrics},
        reward_version=task.reward_version,
        judge=judged_by(history.judgements.values()),
        shaping=config.shaping,
        preferred=not history.judgements or crowned(history.judgements) is not None,
        queries=sum(judgement.queries for judgement in history.judgements.values()),
    )
    described = best.program.entry == DESCRIBED
    text = best.program.source if described else export_reward(task, best.program, Provenance.of(result))
    write_atomically(result.reward, text.encode())
    # where it is, all of `best/` is but the clip, which may fail as a driver or an encoder does
    run.write_json(RESULT, result)
    if config.video:
        trainer.film({kept: run.folder / BEST}, int(SeedPlan.report_seeds(config.seed, 1)[0]))
    return result


def _judged(llm: str, folders: Iterable[Path]) -> str:
    """How much a model judged of each training."""
    counts = [labels_in(folder) for folder in folders if (folder / LABELS).is_file()]
    if not any(counts):
        return f"{llm} judged no transition, so nothing but the task's own goal was paid; the run's logs say why."
    told = ", ".join(f"{count:,}" for count in counts)
    return f"{llm} judged {told} transitions of the {len(counts)} trainings from scratch."


def _and_judging(spent: Spent, folders: Iterable[Path]) -> Spent:
    """With what models that judged the transitions of trainings said."""
    for reply in (reply for folder in folders for reply in answers_in(folder)):
        spent = spent.plus(reply)
    return spent


def final_stage(program: Program, phase: Phase = "final") -> str:
    """Of the trainings from scratch on a program in the journal, where the candidate says which; also their folder."""
    return f"{phase}/{program.id[:12]}"


def _trainings(phase: Phase, program: Program, trainer: Trainer) -> list[Training]:
    # by program: should a larger budget for the model find a better one later, these are not taken for its own
    name, points = final_stage(program, phase), trainer.config.curve_points
    return [
        Training(
            Trial(phase, 0, index),
            program,
            SeedPlan.final_seed(trainer.config.seed, index),
            f"{name}/seed_{index:02d}",
            stage=name,
            measured_at=tuple(point / points for point in range(points)),
            reported=True,
        )
        for index in range(trainer.config.final_seeds)
    ]


def _given(history: History) -> Candidate | None:
    """The reward that was brought, where the method is to train nothing on the way and compare it with nothing."""
    (*others, only) = history.candidates.values() or (None,)
    return only if only and not others and only.program and only.outcome is None else None


def _floors(trainer: Trainer) -> Mapping[str, Scores]:
    if not trainer.task.metrics:
        return {}
    seed = trainer.config.seed
    seeds = tuple(int(s) for s in SeedPlan.report_seeds(seed, trainer.config.report_episodes))

    def compute() -> Mapping[str, Scores]:
        return run_floors(trainer.pool, FloorsSpec(trainer.reference, seeds, random_seed=seed))

    return trainer.run.once(FLOORS, FLOORS_KIND, compute)


def _steps(history: History, results: Mapping[Trial, Trained | TrainingFault]) -> int:
    """Simulated for training, those trainings in which the program failed as well."""
    ends: list[object] = [candidate.outcome for candidate in history.candidates.values()]
    ends += [result.outcome if isinstance(result, Trained) else result for result in results.values()]
    return sum(end.steps for end in ends if isinstance(end, Outcome | TrainingFault))


def _nothing_to_keep(history: History) -> str:
    candidates = list(history.candidates.values())
    said = [_why_not(candidate) for candidate in candidates]
    return (
        f"None of {len(candidates)} candidates could be trained to the end, so there is no result. The last one: "
        f"{said[-1] if said else 'the model gave no program at all'} Ask a stronger model, or for more candidates."
    )


def _why_not(candidate: Candidate) -> str:
    if isinstance(candidate.outcome, Fault):
        return f"it failed while training: {candidate.outcome.message}"
    faults = candidate.attempts[-1].faults if candidate.attempts else ()
    return f"{faults[0].stage} fault: {faults[0].message}" if faults else "no reply."

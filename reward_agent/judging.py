"""What a run does to have a round compared: clips, the question to its judge, and the answer in the journal."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reward_agent.codec import decode, encode, to_line
from reward_agent.config import RunConfig
from reward_agent.errors import MissingComponentError, RewardAgentError, UsageError, raised
from reward_agent.events import Best, Evaluated, Event, Events, Noted, Trial
from reward_agent.history import CHAMPION, At, Candidate, History, Judgement, Outcome
from reward_agent.invocation import resume_command
from reward_agent.judges import AskLine, Entrant, Judge, Question
from reward_agent.llm import LLM, LLMError
from reward_agent.messages import Key, Message, Reply
from reward_agent.optimise.policy import TENSORS
from reward_agent.scoring import SeedPlan
from reward_agent.store import Run
from reward_agent.task import Task
from reward_agent.templates import Templates
from reward_agent.trainings import Trainer
from reward_agent.trial import VIDEO, Trained

JUDGEMENT = "judgement"
"""Stage of a round's judgement in the journal."""
FolderOf = Callable[[int, int], str]
"""Of a candidate, relative to the run's."""
JUDGES = "judges"
"""Stage of the names of those whose own models were asked about a round."""
ASKED = "judge."
"""Begins the stages of what a judge's own model was asked."""


@dataclass
class RunDesk:
    """What a run offers to its judge, about one round."""

    run: Run
    iteration: int
    llm: LLM | None
    events: Events
    person: AskLine | None
    templates: Templates
    judge: str = ""
    """Its name."""
    resume: str = field(init=False)

    def __post_init__(self) -> None:
        self.resume = resume_command(self.run.folder)

    def ask(self, name: str, messages: Sequence[Message]) -> Reply:
        if self.llm is None:
            raise MissingComponentError("This judge has no model to ask.")
        key, llm = Key(self.iteration, 0, self._place(), f"{ASKED}{name}"), self.llm
        reply: Reply | None = self.run.recorded(key, Reply)
        if reply is None:
            self.run.write_prompt(key, messages)
            try:
                reply = llm.complete(messages, key)
            except LLMError as error:
                self.run.record_unanswered(key, error.usage)
                raise
            self.run.record(key, reply)
        return reply

    def _place(self) -> int:
        """Of this judge among those who asked about the round: what another was told is not its own."""
        key = Key(self.iteration, 0, 0, JUDGES)
        known: tuple[str, ...] = self.run.recorded(key, tuple[str, ...]) or ()
        if self.judge not in known:
            known = (*known, self.judge)
            self.run.record(key, known)
        return known.index(self.judge)

    def tell(self, text: str) -> None:
        self.events(Noted(text))


def blinded(events: Events) -> Events:
    """Events whose listeners learn no score of a candidate: who watches and judges must not see any."""

    def told(event: Event) -> None:
        if isinstance(event, Evaluated) and event.trial.phase == "candidate" and isinstance(event.outcome, Outcome):
            event = replace(event, outcome=event.outcome.unscored)
        elif isinstance(event, Best):
            event = replace(event, metrics={})
        events(event)

    return told


@dataclass(frozen=True)
class Judging:
    """Who in a run compares."""

    run: Run
    task: Task
    config: RunConfig
    judge: Judge
    llm: LLM | None
    """The judge's own model."""
    trainer: Trainer
    events: Events
    person: AskLine | None

    def compare(
        self, history: History, iteration: int, trained: Mapping[At, Trained], folder_of: FolderOf
    ) -> tuple[Judgement, bool]:
        """What comparing a round came to, journalled before anyone reads it; and whether it was in the journal.

        Raises:
            WaitingForPersonError: the answer is a person's to give.
        """
        key = Key(iteration, 0, 0, JUDGEMENT)
        found: Judgement | None = self.run.recorded(key, Judgement)
        if found is not None:
            return found, True
        entrants = [self._entrant(*each, trained, folder_of) for each in history.trained(iteration)]
        best = history.best(before=iteration)
        champion = None
        if best is not None and isinstance(best.outcome, Outcome):
            champion = self._entrant(best, best.outcome, trained, folder_of)
        if self.judge.wants_video:
            self._film([*entrants, *([champion] if champion else [])])
        question = Question(
            task=self.task,
            iteration=iteration,
            entrants=tuple(map(_with_clip, entrants)),
            champion=_with_clip(champion) if champion else None,
            folder=self.run.folder / f"iter_{iteration:02d}" / "judging",
            seed=self.config.seed,
        )
        templates = Templates(self.config.prompts)
        desk = RunDesk(self.run, iteration, self.llm, self.events, self.person, templates, self.judge.name)
        judgement = self._compared(question, desk)
        self.run.record(key, judgement)
        return judgement, False

    def _compared(self, question: Question, desk: RunDesk) -> Judgement:
        try:
            judgement = self.judge.compare(question, desk)
            require(judgement, question)
        except RewardAgentError:
            raise
        except Exception as error:
            if type(self.judge).__module__.startswith("reward_agent.judges."):
                raise
            raise UsageError(
                f"The judge {self.config.judge} fails on iteration {question.iteration}: {raised(error)}. Mend it, "
                f"then `{desk.resume}` goes on; what was trained is kept."
            ) from error
        return judgement

    def _entrant(
        self,
        candidate: Candidate,
        outcome: Outcome,
        trained: Mapping[At, Trained],
        folder_of: Callable[[int, int], str],
    ) -> Entrant:
        at = (candidate.iteration, candidate.index)
        assert candidate.program is not None, "it was trained on"
        return Entrant(at, candidate.program, outcome, trained[at].select, self.run.folder / folder_of(*at), None)

    def _film(self, entrants: Sequence[Entrant]) -> None:
        """A clip of each whose policy is still there, all from the same initial state."""
        there = {Trial("candidate", *each.at): each.folder for each in entrants if (each.folder / TENSORS).exists()}
        self.trainer.film(there, int(SeedPlan.select_seeds(self.config.seed, 1)[0]))


def require(judgement: object, question: Question) -> None:
    """Raise `TypeError` where what a judge gave is no judgement of this round, or cannot be kept."""
    if not isinstance(judgement, Judgement):
        raise TypeError(f"it gave {judgement!r:.80}, which is no Judgement")
    candidates = [entrant.at[1] for entrant in question.entrants]
    known = [*candidates, *([CHAMPION] if question.champion else [])]
    ats = [entrant.at for entrant in (*question.entrants, *([question.champion] if question.champion else []))]
    ranked = [number for ranking in judgement.rankings.values() for group in ranking for number in group]
    for what, given, possible in (
        ("best", [judgement.best], [None, *candidates]),
        ("worst", [judgement.worst], [None, *candidates]),
        ("ranking", ranked, known),
        ("remark", [remark.candidate for remark in judgement.remarks], known),
        ("preference", [at for made in judgement.preferences for at in (made.first, made.second)], ats),
    ):
        # `True` is equal to 1, and no candidate's index
        if wrong := [one for one in given if isinstance(one, bool) or one not in possible]:
            there = [one for one in possible if one is not None]
            raise TypeError(f"its {what} is of {wrong[0]!r:.40}, which is none of {there}")
    if (judgement.beats_champion is None) != (judgement.best is None or question.champion is None):
        raise TypeError(
            "its beats_champion says whether its best is preferred to the best of the rounds before: True or False "
            f"where there are both, else None; it is {judgement.beats_champion}"
        )
    if judgement.best is not None and judgement.best == judgement.worst:
        raise TypeError(f"its best and its worst are both {judgement.best}")
    if isinstance(judgement.queries, bool) or judgement.queries < len(judgement.preferences):
        told = len(judgement.preferences)
        raise TypeError(f"it says that it made {judgement.queries} comparisons, and tells of {told}")
    if any(made.first == made.second for made in judgement.preferences):
        raise TypeError("a preference is of a candidate and itself")
    for ranking in judgement.rankings.values():
        if len({number for group in ranking for number in group}) < sum(map(len, ranking)):
            raise TypeError("a ranking has a candidate twice")
    if judgement.agreement is not None and not 0 <= judgement.agreement <= 1:
        raise TypeError(f"its agreement is {judgement.agreement}, which is none between 0 and 1")
    decode(Judgement, json.loads(to_line(encode(judgement))))


def _with_clip(entrant: Entrant) -> Entrant:
    clip = entrant.folder / VIDEO
    return replace(entrant, video=clip if clip.exists() else None)

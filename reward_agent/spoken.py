"""Words on a trained policy: of whoever is there, in a file, said when the replies were recorded; else automatic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from reward_agent.config import RunConfig
from reward_agent.errors import WaitingForPersonError
from reward_agent.events import Trial
from reward_agent.feedback import automatic_words
from reward_agent.history import Candidate, Outcome, Whose
from reward_agent.invocation import resume_command
from reward_agent.llm import LLM
from reward_agent.messages import Key
from reward_agent.optimise.policy import TENSORS
from reward_agent.scoring import SeedPlan
from reward_agent.store import Run
from reward_agent.task import Task
from reward_agent.trainings import Trainer
from reward_agent.trial import VIDEO
from reward_agent.variant import WORDS_OF

AskPerson = Callable[[Task, Candidate, Outcome, Path], str | None]
"""Gets a person's words on a trained candidate, whose files are in the folder; None or nothing when none are given."""
WORDS, FEEDBACK = "words.md", "feedback.md"


@dataclass(frozen=True)
class Spoken:
    """Words on a candidate, as journalled."""

    text: str


@dataclass(frozen=True)
class Heard:
    """Words on a candidate, and how they came."""

    text: str
    whose: Whose
    recorded: bool
    """They were in the journal."""


@dataclass(frozen=True)
class Listener:
    """Who in a run can be asked for words."""

    run: Run
    task: Task
    config: RunConfig
    llm: LLM
    trainer: Trainer
    ask_person: AskPerson | None

    def hear(
        self, candidate: Candidate, outcome: Outcome, folder: Path, said: str = "", whose: Whose = "person"
    ) -> Heard:
        """Words on a candidate whose files are in `folder`, journalled before anyone reads them.

        Args:
            candidate, outcome, folder: which.
            said: what was said of it already, when it was compared with others.
            whose: by whom.

        Raises:
            WaitingForPersonError: they are to come from a file that holds none yet.
        """
        keys = {who: Key(candidate.iteration, candidate.index, 0, stage) for who, stage in WORDS_OF.items()}
        for who, key in keys.items():
            known: Spoken | None = self.run.recorded(key, Spoken)
            if known is not None:
                return Heard(known.text, who, recorded=True)
        if not said:
            said, whose = self._said(candidate, outcome, folder), "person"
        if not said:
            said, whose = self._automatic(outcome), "nobody"
        self.run.record(keys[whose], Spoken(said))
        return Heard(said, whose, recorded=False)

    def _automatic(self, outcome: Outcome) -> str:
        if self.config.judge is None:
            return automatic_words(self.task, outcome)
        # where a judge decides, no metric reaches the model by this way either
        return automatic_words(replace(self.task, metrics=()), outcome.unscored)

    def _said(self, candidate: Candidate, outcome: Outcome, folder: Path) -> str:
        """A person's words; nothing where nobody gives any."""
        if self.config.words == "automatic":
            return ""
        replayed = getattr(self.llm, "words", None)
        if self.ask_person is None and replayed:
            said = (replayed(candidate.iteration, candidate.index) or "").strip()
            if said:
                return str(said)
        if self.ask_person is None and self.config.words == "ask":
            return ""
        self._film(candidate, folder)
        if self.config.words == "file":
            return self._in_file(candidate, folder)
        assert self.ask_person is not None
        if self.config.judge is not None:  # who gives words may judge as well
            candidate, outcome = replace(candidate, outcome=outcome.unscored), outcome.unscored
        return (self.ask_person(self.task, candidate, outcome, folder) or "").strip()

    def _film(self, candidate: Candidate, folder: Path) -> None:
        """A clip for the person, where one can be made."""
        if self.config.video and (folder / TENSORS).exists():
            trial = Trial("candidate", candidate.iteration, candidate.index)
            self.trainer.film({trial: folder}, int(SeedPlan.select_seeds(self.config.seed, 1)[0]))

    def _in_file(self, candidate: Candidate, folder: Path) -> str:
        path = folder / WORDS
        text = path.read_text(encoding="utf-8-sig", errors="replace").strip() if path.is_file() else ""
        if text:
            return text
        clip = f"watch {folder / VIDEO}, " if (folder / VIDEO).exists() else ""
        raise WaitingForPersonError(
            f"{self.run.id} waits for your words on the policy of iteration {candidate.iteration}: {clip}see how its "
            f"training went ({folder / FEEDBACK}), write what it does and should do better into {path}, then "
            f"`{resume_command(self.run.folder)}` goes on. With `--words automatic` it goes on without you."
        )

"""A session over an open run: what a person can do in it. Every step is journalled before the next one reads it."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from reward_agent.chat.asking import Asker
from reward_agent.chat.data import in_data
from reward_agent.chat.ledger import Ledger
from reward_agent.chat.settings import ChatSettings
from reward_agent.chat.showing import Showing
from reward_agent.chat.talk import STOPPED, TRAIN, TURN, UNDO, Folding, Said, Talk, Turn, policy_folder
from reward_agent.chat.training import Trainings
from reward_agent.chat.transcript import transcript
from reward_agent.codec import encode
from reward_agent.config import RunConfig
from reward_agent.errors import Terminated, UsageError
from reward_agent.events import Events, Noted, Trial
from reward_agent.feedback import automatic_words
from reward_agent.history import Outcome
from reward_agent.llm import BudgetError, Heard, LLMError, Metered
from reward_agent.messages import Key
from reward_agent.methods import Ask, Done, Method, Train, Words
from reward_agent.scoring import SeedPlan
from reward_agent.store import Run
from reward_agent.task import Task
from reward_agent.workers import Pool

TRANSCRIPT = "transcript.md"


class Session:
    """One person's talk with one model on one task. Close it, or use it as a context manager.

    A Ctrl-C ends what is under way and no more: the method returns, and the session lives.
    """

    def __init__(
        self,
        run: Run,
        config: RunConfig,
        settings: ChatSettings,
        folding: Folding,
        llm: Metered,
        reference: str | Task,
        *,
        events: Events,
        heard: Heard,
    ) -> None:
        self.run, self.config, self.settings, self.llm = run, config, settings, llm
        self.events = events
        self.reference = reference
        """How a worker finds the task."""
        self.ledger = Ledger(run, folding)
        self.pool = Pool[Trial](config.jobs, logs=run.folder / "logs")
        self.trainings = Trainings(config, reference, self.pool, events)
        self.asker = Asker(self.ledger, llm, events, heard, config)
        self.showing = Showing(self.ledger, settings, self.trainings, self.seed)

    @property
    def talk(self) -> Talk:
        return self.ledger.talk

    @property
    def task(self) -> Task:
        """With the instruction that was given."""
        return self.ledger.task

    @property
    def method(self) -> Method:
        return self.ledger.folding.method

    @property
    def seed(self) -> int:
        """Of the episodes that are played to be seen."""
        return int(SeedPlan.select_seeds(self.config.seed, 1)[0])

    @property
    def unfinished(self) -> bool:
        """The last turn was begun, and neither came to its program and look nor failed for good."""
        last = self.talk.last
        if last is None or last.outcome is not None or self.ledger.folding.is_first(last):
            return False
        return last.program is not None or self._asks_for(last)

    def say(self, words: str) -> Turn:
        """Begin a turn with these words, and go on until its program was looked at, or is given up.

        Raises:
            UsageError: there are no words.
            LLMError, BudgetError, WaitingForPersonError: a reply could not be had; `go` tries again.
        """
        if not words.strip():
            raise UsageError("Say what you want, or `/help`.")
        last = self.talk.last
        # other words take the place of those that came to nothing
        instead = self.unfinished and last is not None and last.program is None
        return self._begin(Said(words.strip()), instead=instead)

    def go(self) -> Turn:
        """Go on without new words: with what was left unfinished, or failed; with the task's own instruction, and its
        corrections one after the other; else by what the last reward led to.

        Raises:
            UsageError: nothing is known of the last reward, or the method goes by words.
            And as `say`.
        """
        last = self.talk.last
        if last is None:
            return self._begin(Said(""))
        if self.unfinished:
            return self._go_on(last)
        if last.program is None:
            return self._begin(Said(last.words, last.automatic))
        said, own = [turn.words for turn in self.talk.in_force], ("", *self.ledger.folding.task.corrections)
        if len(said) < len(own) and said == list(own[: len(said)]):
            return self._begin(Said(own[len(said)]))
        if isinstance(last.outcome, Outcome) and not last.outcome.measured:
            raise UsageError("Nothing is known of this reward yet: say what it should do better, or `/look` first.")
        wanted = isinstance(self.method.next(self.task, self.talk.history), Words)
        made = automatic_words(self.task, last.outcome) if wanted and isinstance(last.outcome, Outcome) else ""
        return self._begin(Said(made, automatic=True))

    def undo(self) -> Turn:
        """Take the last turn back; that turn.

        Raises:
            UsageError: there is none to take back.
        """
        last = self.talk.last
        if last is None or self.ledger.folding.is_first(last):
            raise UsageError("There is no turn to take back.")
        self.ledger.mark((0, 0), UNDO)
        self._write()
        return last

    def look(self) -> Turn:
        """Look at the last program (again).

        Raises:
            UsageError: there is none.
        """
        turn = self.showing.look(self.with_program(), asked=True)
        self._write()
        return turn

    def train(self, steps: int | None = None) -> Turn | None:
        """Make a policy of the last program, with `steps` of training; None when it was stopped by Ctrl-C.

        A training that was stopped goes on from where it was when it is asked for again.

        Raises:
            UsageError: there is no program.
        """
        turn = self.with_program()
        assert turn.program is not None
        number, budget = len(turn.trained), steps or self.config.steps(self.task)
        try:
            folder = self.run.folder / policy_folder(turn, number)
            made = self.trainings.train(Trial("candidate", *turn.at), turn.program, budget, folder)
        except Terminated:
            raise
        except KeyboardInterrupt:
            return None
        self.ledger.record(Key(*turn.at, number, TRAIN), made)
        self._write()
        return self.ledger.turn(turn.at)

    def with_program(self) -> Turn:
        """The last turn that has a program.

        Raises:
            UsageError: none has.
        """
        for turn in reversed(self.talk.in_force):
            if turn.program is not None:
                return turn
        raise UsageError("There is no reward yet. Say what you want, or `/go` for the task's own instruction.")

    def to_json(self) -> dict[str, Any]:
        """The session as plain data."""
        return {
            "run": self.run.id,
            "folder": str(self.run.folder),
            "task": self.task.id,
            "instruction": self.task.instruction,
            "method": self.method.name,
            "llm": self.llm.name,
            "turns": [in_data(turn) for turn in self.talk.turns],
            "spent": encode(self.llm.spent),
            "unsafe": self.config.unsafe,
        }

    def close(self) -> None:
        """End the workers, and give the run's lock back."""
        self.pool.close()
        self.run.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self, said: Said, *, instead: bool = False) -> Turn:
        """Begin a turn, `instead` of the last one or after it; nothing is journalled where it would lead to nothing."""
        talk, folding = self.talk, self.ledger.folding
        if instead or not self._would_go_on(talk, said):
            fruitless = talk.last is not None and talk.last.program is None and not folding.is_first(talk.last)
            before = folding.step(talk, Key(0, 0, 0, UNDO), True)
            if not fruitless or not self._would_go_on(before, said):
                raise UsageError(f"{self.method.name} goes by your words: say what should be different.")
            self.undo()  # a conversation that came to nothing, which the method does not go on with
        at = self.talk.next_at()
        self.ledger.record(Key(*at, 0, TURN), said)
        return self._go_on(self.ledger.turn(at))

    def _go_on(self, turn: Turn) -> Turn:
        try:
            self._drive(turn)
        except Terminated:
            raise
        except KeyboardInterrupt:
            self.ledger.mark(turn.at, STOPPED)
        except (LLMError, BudgetError):
            self.ledger.mark(turn.at, STOPPED)
            raise
        finally:
            self._write()
        return self.ledger.turn(turn.at)

    def _drive(self, turn: Turn) -> None:
        """Do what the method says, until the turn has come to its end."""
        while True:
            action = self.method.next(self.task, self.talk.history)
            match action:
                case Ask(prompts=prompts):
                    ours = [prompt for prompt in prompts if prompt.key.iteration == turn.iteration]
                    if not ours:
                        return  # the method gave its candidate up, and would begin another round
                    for prompt in ours:
                        self.asker.ask(turn, prompt)
                case Train(candidates=candidates):
                    for iteration, _ in candidates:
                        self.showing.look(self.talk.in_force[iteration])
                    if (turn.iteration, 0) in candidates:
                        return
                case Words():
                    return
                case Done(reason=reason):
                    self.events(Noted(reason))
                    return

    def _would_go_on(self, talk: Talk, said: Said) -> bool:
        """Whether the method would have something to do, were this said next."""
        folding = self.ledger.folding
        talk = folding.step(talk, Key(*talk.next_at(), 0, TURN), encode(said))
        return isinstance(self.method.next(folding.task_of(talk), talk.history), Ask | Train)

    def _asks_for(self, turn: Turn) -> bool:
        action = self.method.next(self.task, self.talk.history)
        return isinstance(action, Ask) and any(prompt.key.iteration == turn.iteration for prompt in action.prompts)

    def _write(self) -> None:
        """For people to read: nothing is read back from it."""
        self.run.write(TRANSCRIPT, transcript(self.talk))

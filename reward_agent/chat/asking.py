"""A reply for a turn: asked for, journalled, read, checked and probed. Its faults are the method's to send back."""

from __future__ import annotations

from functools import cached_property

from reward_agent.chat.ledger import Ledger
from reward_agent.chat.replayed import at_its_end
from reward_agent.chat.speaking import ask
from reward_agent.chat.talk import VET, Turn
from reward_agent.codec import encode
from reward_agent.config import RunConfig
from reward_agent.crediting.verifying import Labels
from reward_agent.events import Accepted, Asked, Described, Events, Faulted, Replied
from reward_agent.llm import Heard, LLMError, Metered
from reward_agent.llm.replay import NotRecordedError
from reward_agent.messages import MAIN, Key, Reply
from reward_agent.methods import Prompt
from reward_agent.probe import Battery, record_battery
from reward_agent.program import Program
from reward_agent.search import Vetted, look_over
from reward_agent.store import UNANSWERED
from reward_agent.vet import Verdict, vet


class Asker:
    """Gets replies from the session's model."""

    def __init__(self, ledger: Ledger, llm: Metered, events: Events, heard: Heard, config: RunConfig) -> None:
        self.ledger, self.llm, self.events, self.heard = ledger, llm, events, heard
        self._config = config

    def ask(self, turn: Turn, prompt: Prompt) -> None:
        """Get the reply to a method's prompt, unless it is there, and make an attempt of it.

        Raises:
            KeyboardInterrupt: Ctrl-C; a reply that had come is kept.
            LLMError, BudgetError, WaitingForPersonError: a reply could not be had.
        """
        run, key = self.ledger.run, prompt.key._replace(candidate=turn.branch)
        reply = self.ledger.turn(turn.at).waiting.get(prompt.key)
        if reply is None:
            run.write_prompt(key, prompt.messages)
            self.events(Asked(key, prompt.messages))
            try:
                reply = ask(self.llm, prompt.messages, key, self.heard)
            except NotRecordedError as error:
                method = self.ledger.folding.method.name
                raise LLMError(at_its_end(error.recording, key, method, run.folder)) from error
            except LLMError as error:
                self._count(key, error)
                raise
            self.ledger.record(key, reply)
            run.write(key.path("reply.md"), reply.text)
            self.events(Replied(key, reply, self.llm.spent.tokens, self.llm.spent.usd, False))
        vetted = self._vetted(prompt, reply)
        self.ledger.record(key._replace(stage=VET if key.stage == MAIN else f"{key.stage}.{VET}"), vetted)
        if vetted.is_data:
            self.events(Described(key, reply.text, False))
            return
        if vetted.program:
            run.write(key.path("program.py"), vetted.program.source)
        if vetted.program and not vetted.faults:
            warnings = vetted.verdict.warnings if vetted.verdict else ()
            self.events(Accepted(key, vetted.program, warnings, False, vetted.subgoals))
        else:
            self.events(Faulted(key, vetted.program, vetted.faults, False))

    def _vetted(self, prompt: Prompt, reply: Reply) -> Vetted:
        read = self.ledger.folding.method.read(self.ledger.task, self.ledger.talk.history, prompt, reply.text)
        return look_over(read, self._vet)

    def _vet(self, program: Program) -> Verdict:
        return vet(
            program,
            self.ledger.folding.task,
            unsafe=self._config.unsafe,
            battery=self._battery,
            labels=self._labels,
        )

    @cached_property
    def _battery(self) -> Battery:
        return record_battery(self.ledger.folding.task)

    @cached_property
    def _labels(self) -> Labels | None:
        return self._config.read_labels(self.ledger.folding.task)

    def _count(self, key: Key, error: LLMError) -> None:
        """Keep what a request without a reply cost, as a search does."""
        if error.usage:
            key = key._replace(stage=f"{key.stage}.{UNANSWERED}")
            before = self.ledger.run.journal.values.get(key, ())
            self.ledger.record(key, (*before, encode(error.usage)))

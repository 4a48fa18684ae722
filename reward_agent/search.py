"""The loop of a run: does what the method says, keeps what comes of it, asks the method again.

Every step is journalled before the next reads it, and a step in the journal is taken from there: a resumed run goes
through the same code and ends up where the killed one was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from reward_agent import ranking
from reward_agent.codec import decode
from reward_agent.config import RunConfig
from reward_agent.crediting.programs import described
from reward_agent.crediting.verifying import Labels
from reward_agent.errors import UsageError
from reward_agent.events import (
    Accepted,
    Asked,
    Best,
    Described,
    Events,
    Faulted,
    Judged,
    Noted,
    Replied,
    Spoke,
    Trial,
    Unanswered,
)
from reward_agent.feedback import deciding, reflection, traces
from reward_agent.history import At, Attempt, Candidate, Outcome, crowned
from reward_agent.judging import ASKED, Judging
from reward_agent.llm import BudgetError, LLMError, Metered, Spent, ask_many
from reward_agent.llm.chat import prompt_sha256
from reward_agent.messages import MAIN, Key, Message, Reply, Usage
from reward_agent.methods import Ask, Compare, Data, Done, Method, Prompt, Train, Words
from reward_agent.methods.base import starting_history
from reward_agent.probe import Battery, record_battery
from reward_agent.program import SUBGOALS, Fault, Program
from reward_agent.ranking import EPISODES, Examples, record_episodes
from reward_agent.scoring import SeedPlan
from reward_agent.spoken import FEEDBACK, WORDS, AskPerson, Listener
from reward_agent.store import UNANSWERED, Run
from reward_agent.subgoals import GIVEN, Subgoal, as_lines
from reward_agent.task import Task
from reward_agent.trainings import MEASURED_SHARES, Trainer, Training
from reward_agent.trial import Trained, files_are_whole
from reward_agent.vet import Verdict, vet


@dataclass(frozen=True)
class Vetted:
    """What became of a reply before training."""

    program: Program | None
    faults: tuple[Fault, ...]
    verdict: Verdict | None
    """None when no program could be read."""

    @property
    def subgoals(self) -> tuple[Subgoal, ...]:
        """Those that it tells, for a person to review; none of a reward."""
        if self.program is None or self.verdict is None or self.program.entry != SUBGOALS:
            return ()
        return described(self.program, self.verdict.term_names)

    @property
    def is_data(self) -> bool:
        """Neither a program nor anything wrong."""
        return self.program is None and not self.faults


def look_over(read: Program | Data | Fault, vet_it: Callable[[Program], Verdict]) -> Vetted:
    """What becomes of what a method read in a reply; only a program is looked at further."""
    if isinstance(read, Data):
        return Vetted(None, (), None)
    if isinstance(read, Fault):
        return Vetted(None, (read,), None)
    verdict = vet_it(read)
    return Vetted(read, verdict.faults, verdict)


def is_reply(value: object) -> bool:
    """Whether a line of a journal is a model's reply."""
    return isinstance(value, Mapping) and {"text", "model", "usage"} <= value.keys()


INITIAL_VETTED = Key(0, 0, 0, "vet")
"""Of the user's own reward, where there is one."""


class Search:
    """One run's search for a program; `go` gives the reason why it ended, `history` what it found."""

    def __init__(
        self,
        run: Run,
        task: Task,
        config: RunConfig,
        method: Method,
        llm: Metered,
        trainer: Trainer,
        events: Events,
        ask_person: AskPerson | None,
        judging: Judging | None = None,
    ) -> None:
        self.run, self.task, self.config, self.method, self.llm = run, task, config, method, llm
        self.trainer, self.events, self._judging = trainer, events, judging
        self._listener = Listener(run, task, config, llm.llm, trainer, ask_person)
        self.history = starting_history(config.method_settings())
        self._best: Candidate | None = None
        self._trained: dict[At, Trained] = {}
        self._examples: dict[tuple[ranking.At, ranking.At], Examples] = {}

    def go(self) -> str:
        """Search until the method is done or the budget for the model is used up.

        Raises:
            LLMError: a reply could not be had; those that could are kept.
            WaitingForPersonError: a reply is a person's to give.
            BudgetError: the budget was used up before any program was trained, or judged where a judge compares.
            UsageError: the user's own reward cannot be trained on.
        """
        self._vet_initial()
        if self.config.subgoals:
            self._keep(GIVEN, as_lines(self.config.subgoals))
        try:
            while True:
                action = self.method.next(self.task, self.history)
                match action:
                    case Ask():
                        self._ask(action.prompts)
                    case Train():
                        self._train(action.candidates)
                    case Compare():
                        self._compare(action.iteration)
                    case Words():
                        self._words(action.iteration, action.candidate)
                    case Done():
                        return action.reason
        except BudgetError as error:
            waiting = [key for key, c in self.history.candidates.items() if c.program and c.outcome is None]
            self._train(tuple(waiting))
            self._compare_rest()
            unjudged = self._judging is not None and not self.history.judgements
            if unjudged or self.history.best() is None:
                # without any judgement the metric would choose
                raise
            self.events(Noted(str(error)))
            return str(error)

    def _vet_initial(self) -> None:
        program = self.config.initial
        if program is not None:
            self.run.once(INITIAL_VETTED, Vetted, lambda: vet_initial(program, self.task, self.config))
            self._keep(f"{INITIAL_VETTED.folder}/program.py", program.source)

    def _ask(self, prompts: Sequence[Prompt]) -> None:
        replies: dict[Key, Reply] = {}
        waiting = []
        for prompt in prompts:
            reply = self.run.recorded(prompt.key, Reply)
            if reply is None:
                waiting.append((prompt.key, prompt.messages))
                # anew: a run killed before this reply may have left what it would have asked by other templates
                self.run.write_prompt(prompt.key, prompt.messages)
                self.events(Asked(prompt.key, prompt.messages))
            else:
                self._heard(prompt.key, reply, replies, recorded=True)
        failed: LLMError | None = None
        try:
            for key, answer in ask_many(self.llm, waiting):
                if isinstance(answer, Reply):
                    self.run.record(key, answer)
                    self._heard(key, answer, replies, recorded=False)
                    self._compare_prompt(key, dict(waiting)[key], answer)
                else:
                    self.run.record_unanswered(key, answer.usage)
                    self.events(Unanswered(key, str(answer)))
                    failed = failed or answer
        finally:
            # also when the budget has ended: what was paid for is used
            for prompt in prompts:
                if prompt.key in replies:
                    self._take(prompt, replies[prompt.key])
        if failed:
            raise failed

    def _heard(self, key: Key, reply: Reply, replies: dict[Key, Reply], *, recorded: bool) -> None:
        replies[key] = reply
        self._keep(key.path("reply.md"), reply.text)
        spent = self.llm.spent
        self.events(Replied(key, reply, spent.tokens, spent.usd, recorded))

    def _compare_prompt(self, key: Key, messages: Sequence[Message], reply: Reply) -> None:
        """Say so when a recorded reply answered another first prompt; later ones tell of trainings, which differ."""
        if key[:3] == (0, 0, 0) and reply.prompt_sha256 != prompt_sha256(messages):
            self.events(
                Noted(
                    "The recorded replies answered an earlier form of these prompts (templates change, or are others); "
                    "what they hold is checked and trained on like any reply."
                )
            )

    def _take(self, prompt: Prompt, reply: Reply) -> None:
        """Make an attempt of a reply, and add it to its candidate."""
        key = prompt.key._replace(stage="vet" if prompt.key.stage == MAIN else f"{prompt.key.stage}.vet")
        recorded = key in self.run.journal
        read = partial(self.method.read, self.task, self.history, prompt, reply.text)
        vetted = self.run.once(key, Vetted, lambda: look_over(read(), self._vet))
        warnings = vetted.verdict.warnings if vetted.verdict else ()
        attempt = Attempt(prompt.key, prompt.messages, reply, vetted.program, vetted.faults, warnings)
        at = (key.iteration, key.candidate)
        candidate = self.history.candidates.get(at, Candidate(*at))
        self._put(replace(candidate, attempts=(*candidate.attempts, attempt)))
        if vetted.is_data:
            self.events(Described(prompt.key, reply.text, recorded))
            return
        self._keep_attempt(key, vetted)
        if attempt.program is not None and attempt.ok:
            self.events(Accepted(prompt.key, attempt.program, warnings, recorded, vetted.subgoals))
        else:
            self.events(Faulted(prompt.key, attempt.program, attempt.faults, recorded))

    def _vet(self, program: Program) -> Verdict:
        known, labels = self._known(), self._labels
        return vet(program, self.task, unsafe=self.config.unsafe, battery=self._battery, examples=known, labels=labels)

    @cached_property
    def _battery(self) -> Battery:
        return record_battery(self.task)

    @cached_property
    def _labels(self) -> Labels | None:
        return self.config.read_labels(self.task)

    def _known(self) -> Examples | None:
        """Episodes of the best and of the worst candidate so far, where one is clearly better and both are on disk.

        None where a judge compares: no metric may say what ranks rightly.
        """
        if self._judging is not None or self.task.graded is None:
            return None
        metric = self.task.graded.name
        pair = ranking.clear_pair({at: trained.select for at, trained in self._trained.items()}, metric)
        if pair is None:
            return None
        if pair not in self._examples:
            folders = [self.run.folder / folder_of(*at) for at in pair]
            good, bad = (self._trained[at] for at in pair)
            if not all(files_are_whole(f, t.files) for f, t in zip(folders, (good, bad), strict=True)):
                return None
            seeds = SeedPlan.select_seeds(self.config.seed, self.config.select_episodes)
            best, worst = ranking.order(good.select, metric)[-EPISODES:], ranking.order(bad.select, metric)[:EPISODES]
            self._examples[pair] = Examples(
                self._episodes(folders[0], seeds[best].tolist()),
                self._episodes(folders[1], seeds[worst].tolist()),
            )
        return self._examples[pair]

    def _episodes(self, folder: Path, seeds: Sequence[int]) -> tuple[Battery, ...]:
        return record_episodes(self.task, folder, seeds, unsafe=self.config.unsafe)

    def _train(self, candidates: Sequence[tuple[int, int]]) -> None:
        wanted = []
        for iteration, index in candidates:
            program = self.history.candidates[iteration, index].program
            assert program is not None, "a method trains what passed"
            wanted.append(
                Training(
                    Trial("candidate", iteration, index),
                    program,
                    SeedPlan.training_seed(self.config.seed, iteration, index),
                    folder_of(iteration, index),
                    stage="train",
                    measured_at=MEASURED_SHARES,
                )
            )
        for trial, result in self.trainer.train(wanted).items():
            candidate = self.history.candidates[trial.iteration, trial.index]
            if isinstance(result, Trained):
                self._trained[trial.iteration, trial.index] = result
            outcome = result if isinstance(result, Fault) else result.outcome
            self._put(replace(candidate, outcome=outcome))
            if isinstance(outcome, Outcome):
                told = traces(outcome) if self._judging else reflection(deciding(self.task, outcome), outcome)
                self._keep(f"{folder_of(trial.iteration, trial.index)}/{FEEDBACK}", told)
        if self._judging is None:
            self._tell_best()

    def _compare(self, iteration: int) -> None:
        assert self._judging is not None, "a method wants comparisons where it is told that a judge is there"
        judgement, recorded = self._judging.compare(self.history, iteration, self._trained, folder_of)
        self.history = replace(self.history, judgements={**self.history.judgements, iteration: judgement})
        self.events(Judged(iteration, judgement, recorded))
        self._tell_best()

    def _compare_rest(self) -> None:
        """Judge what was trained on when the budget for models ended, if that takes no more of it."""
        if self._judging is None:
            return
        with suppress(BudgetError):
            for iteration in sorted({candidate.iteration for candidate, _ in self.history.evaluated()}):
                if iteration not in self.history.judgements:
                    self._compare(iteration)

    def _tell_best(self) -> None:
        best = self.history.best()
        if self.history.judgements and crowned(self.history.judgements) is None:
            return
        if best and isinstance(best.outcome, Outcome) and (self._best is None or best.program != self._best.program):
            self._best = best
            self.events(Best(best.iteration, best.index, best.outcome.metrics))

    def _words(self, iteration: int, index: int) -> None:
        candidate = self.history.candidates[iteration, index]
        outcome, folder = candidate.outcome, folder_of(iteration, index)
        assert isinstance(outcome, Outcome), "a method wants words on what was trained"
        judgement = self.history.judgements.get(iteration)
        said = (judgement.said_of(index), judgement.whose(index)) if judgement else ()
        heard = self._listener.hear(candidate, outcome, self.run.folder / folder, *said)
        self._put(replace(candidate, words=heard.text))
        self._keep(f"{folder}/{WORDS}", heard.text)
        self.events(Spoke(iteration, index, heard.text, heard.whose, heard.recorded))

    def _put(self, candidate: Candidate) -> None:
        at = (candidate.iteration, candidate.index)
        self.history = replace(self.history, candidates={**self.history.candidates, at: candidate})

    def _keep_attempt(self, key: Key, vetted: Vetted) -> None:
        if vetted.program:
            self._keep(f"{key.folder}/program.py", vetted.program.source)
        verdict = vetted.verdict or Verdict(vetted.faults, (), False, ())
        self._keep_json(f"{key.folder}/check.json", verdict.to_json() | {"fields": verdict.fields})
        if verdict.microseconds_per_call is not None:
            probed = {"terms": verdict.term_names, "microseconds_per_call": verdict.microseconds_per_call}
            self._keep_json(f"{key.folder}/probe.json", probed | {"layers": verdict.layers})

    def _keep(self, name: str, content: str) -> None:
        """Write a file for people to read, unless a killed run left it already."""
        if not (self.run.folder / name).exists():
            self.run.write(name, content)

    def _keep_json(self, name: str, value: object) -> None:
        if not (self.run.folder / name).exists():
            self.run.write_json(name, value)


def spent_in(steps: Mapping[Key, Any], prices: tuple[float, float] | None = None) -> Spent:
    """What the requests in a journal cost, those without a reply as well.

    `prices`, in US$ per million input and output tokens, are those of requests that were made without a known one: of
    the model that writes, not of a judge's.
    """
    answers: list[Reply | Usage] = []
    for key, value in steps.items():
        own = None if key.stage.startswith(ASKED) else prices
        if key.stage.endswith(UNANSWERED):
            answers += (_priced(usage, own) for usage in decode(tuple[Usage, ...], value))
        elif is_reply(value):
            reply: Reply = decode(Reply, value)
            answers.append(replace(reply, usage=_priced(reply.usage, own)))
    return Spent.on(answers)


def _priced(usage: Usage, prices: tuple[float, float] | None) -> Usage:
    if prices is None or usage.cost_usd is not None:
        return usage
    return replace(usage, cost_usd=(usage.input_tokens * prices[0] + usage.output_tokens * prices[1]) / 1e6)


def folder_of(iteration: int, index: int) -> str:
    """A candidate's, relative to the run's."""
    return f"iter_{iteration:02d}/cand_{index:02d}"


def vet_initial(program: Program, task: Task, config: RunConfig) -> Vetted:
    """What check, probe and labels say of the user's own reward.

    Raises:
        UsageError: it cannot be trained on, and why.
        MissingComponentError: this machine cannot lock a cell.
    """
    verdict = vet(program, task, unsafe=config.unsafe, labels=config.read_labels(task))
    if verdict.faults:
        told = "\n".join(f"  line {fault.line or '?'}, {fault.stage}: {fault.message}" for fault in verdict.faults)
        raise UsageError(
            f"The reward to improve cannot be trained on:\n{told}\n"
            "`reward-agent check FILE --task TASK` tells the same; mend it and start again."
        )
    return Vetted(program, (), verdict)

"""What methods of rounds share: ask, repair, train, go on; the task as templates see it; a reward to begin with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from reward_agent.envs.episodes import prompt_schema
from reward_agent.feedback import as_data, faults_text, fenced
from reward_agent.history import Attempt, Candidate, History, Outcome
from reward_agent.messages import Key, Message, Reply
from reward_agent.methods import Action, Ask, Compare, Data, Done, Prompt, Settings, Train
from reward_agent.program import Fault, Program, extract
from reward_agent.sandbox.helpers import describe
from reward_agent.task import Task, Termination
from reward_agent.templates import Templates

USER = "user"
"""The model's name in the record of a program that a person brought."""
MAX_REPLY = 24_000
"""Characters of a faulty reply that are shown again."""


def starting_history(settings: Settings) -> History:
    """The history a run begins with: empty, or a person's own reward as iteration 0."""
    if settings.initial is None:
        return History()
    key = Key(0, 0, 0)
    reply = Reply(fenced(settings.initial.source), model=USER)
    own = Candidate(0, 0, attempts=(Attempt(key, (), reply, settings.initial),))
    return History({(0, 0): own})


def brief(task: Task, *, only_name: bool = False) -> Mapping[str, Any]:
    """A task as the templates see it: nothing hidden, nothing of its metrics.

    With `only_name` neither its instruction nor what the robot is, but what its benchmark calls it.
    """
    schema = prompt_schema(task)
    match task.terminates:
        case Termination(doc=doc):
            ending = f", and ends earlier when this happens: {doc}"
        case "never":
            ending = ", and nothing else ends it"
        case _:
            ending = ", and ends earlier when the environment's own rule says so (as a fall), where it has one"
    return {
        "instruction": "" if only_name else task.instruction.strip().rstrip(".") + ".",
        "control": "" if only_name else task.control.strip().rstrip("."),
        "benchmark": task.benchmark if only_name else "",
        "world": task.world.name,
        "horizon": task.horizon,
        "dt": f"{task.world.dt:g}",
        "seconds": f"{task.horizon * task.world.dt:g}",
        "ending": ending,
        "schema": schema.render().strip(),
        "helpers": describe(schema.up).strip(),
        "up": schema.up,
    }


class Rounds(ABC):
    """A method of rounds: in each, candidates are asked for, repaired, trained; then the next learns from them."""

    name: ClassVar[str]
    sees: ClassVar[str]
    shows_examples: ClassVar[bool] = False
    """Its first prompt shows `Settings.examples`."""
    compares: ClassVar[Literal["always", "may", "never"]] = "never"
    """Whether a judge says which candidate is best: it must, it may where one is named, or a metric does."""
    ablations: ClassVar[tuple[str, ...]] = ()
    """Parts that `Settings.without` can name."""
    opens_like: ClassVar[str] = ""
    """Whose system and first templates it has, where they are not its own."""
    shows_words: ClassVar[bool] = False
    """Its own prompts show what a person said of a candidate; else what was said is appended to them."""

    def __init__(self, settings: Settings, templates: Templates) -> None:
        self.settings, self.templates = settings, templates

    @abstractmethod
    def messages(self, task: Task, history: History, iteration: int) -> tuple[Message, ...]:
        """What to ask for the candidates of an iteration, all earlier ones being done."""

    def between(self, task: Task, history: History, iteration: int) -> Action | None:
        """What else is wanted when an iteration is trained; nothing by default."""
        return None

    def next(self, task: Task, history: History) -> Action:
        """What to do now; the same for the same task and history."""
        for iteration in range(self.settings.rounds):
            prompts: list[Prompt] = []
            train: list[tuple[int, int]] = []
            for index in range(self.settings.width(iteration)):
                candidate = history.candidates.get((iteration, index), Candidate(iteration, index))
                if candidate.outcome is not None or self._given_up(candidate):
                    continue
                if candidate.program is not None:
                    train.append((iteration, index))
                    continue
                messages = self._repair(candidate) if candidate.attempts else self._asking(task, history, iteration)
                prompts.append(Prompt(Key(iteration, index, len(candidate.attempts)), messages))
            if prompts:
                return Ask(tuple(prompts))
            if train:
                return Train(tuple(train))
            if self.settings.judged and iteration not in history.judgements and history.trained(iteration):
                return Compare(iteration)
            wanted = self.between(task, history, iteration)
            if wanted is not None:
                return wanted
        if history.best() is None:
            return Done("No program could be trained on.")
        return Done(f"All {self.settings.rounds} rounds are done.")

    def read(self, task: Task, history: History, prompt: Prompt, reply: str) -> Program | Data | Fault:
        return extract(reply)

    def _asking(self, task: Task, history: History, iteration: int) -> tuple[Message, ...]:
        """The method's own messages, and what a person said of the rounds before where these would not show it."""
        last = chosen(history, iteration - 1)
        if self.shows_words or last is None or not last.words:
            return self.messages(task, history, iteration)
        unseen = isinstance(last.outcome, Outcome) and not last.outcome.measured
        if unseen:
            # of what nothing acted on a method has nothing to tell: the program and the words are all there is
            own = (*self.opening(task), Message("assistant", shown(last)), Message("user", ""))
        else:
            own = self.messages(task, history, iteration)
        earlier = [chosen(history, number) for number in range(iteration)]
        hidden = last.program and not any(last.program.source.strip() in message.text for message in own)
        said = self.templates.render(
            "words.jinja",
            said=[(each.iteration + 1, each.words.strip()) for each in earlier if each and each.words],
            unseen=unseen,
            program=fenced(last.program.source) if last.program and hidden else "",
        )
        return (*own[:-1], Message("user", f"{own[-1].text}\n{said}".lstrip()))

    def _given_up(self, candidate: Candidate) -> bool:
        return candidate.program is None and len(candidate.attempts) > self.settings.repairs

    def _repair(self, candidate: Candidate) -> tuple[Message, ...]:
        """The conversation so far, the faulty reply, and what is wrong with it."""
        last = candidate.attempts[-1]
        described = faults_text(last.faults, last.program)
        return (
            *last.messages,
            Message("assistant", last.reply.text[:MAX_REPLY]),
            Message("user", self.templates.render("repair.jinja", faults=last.faults, described=described)),
        )

    def beside(self, task: Task) -> Mapping[str, Any]:
        """What the method's own templates see beside the task."""
        return {"examples": self.settings.examples}

    def opening(self, task: Task) -> tuple[Message, ...]:
        """The method's own system and first messages."""
        values = {**brief(task, only_name=self.settings.only_name), **self.beside(task)}
        folder = self.opens_like or self.name
        return (
            Message("system", self.templates.render(f"{folder}/system.jinja", **values)),
            Message("user", self.templates.render(f"{folder}/first.jinja", **values)),
        )

    def after_failure(self, opening: tuple[Message, ...], history: History, iteration: int) -> tuple[Message, ...]:
        """Nothing could be trained yet: the last try and what was wrong with it."""
        last = chosen(history, iteration - 1)
        if last is None:
            return opening
        said = self.templates.render("eureka/failed.jinja", described=failure(last))
        return (*opening, Message("assistant", shown(last)), Message("user", said))

    def is_initial(self, candidate: Candidate) -> bool:
        """Whether it is the reward a person brought."""
        return self.settings.initial is not None and candidate.iteration == 0


def noticed(candidate: Candidate) -> tuple[str, ...]:
    """What check, probe and ranking found odd in the program that was trained."""
    return candidate.attempts[-1].warnings if candidate.program else ()


def failure(candidate: Candidate) -> str:
    """Why a candidate was not trained through, as data for a prompt."""
    if isinstance(candidate.outcome, Fault):
        return faults_text((candidate.outcome,), candidate.program)
    if not candidate.attempts:
        return as_data("no reply")
    last = candidate.attempts[-1]
    return faults_text(last.faults, last.program)


def shown(candidate: Candidate) -> str:
    """A candidate as the assistant's message: its program, or its last reply where it has none."""
    last = candidate.attempts[-1]
    return fenced(last.program.source) if last.program else last.reply.text[:MAX_REPLY]


def chosen(history: History, iteration: int) -> Candidate | None:
    """The candidate that stands for an iteration: the best trained one, else the last with any reply.

    Where a judge compared and preferred none it is the first that was trained.
    """
    candidates = [candidate for candidate in history.iteration(iteration) if candidate.attempts]
    trained = history.trained(iteration)
    if trained and iteration in history.judgements:
        best = history.judgements[iteration].best
        return history.candidates[iteration, best] if best is not None else trained[0][0]
    if trained:
        return max(trained, key=lambda pair: (pair[1].score(), -pair[0].index))[0]
    return candidates[-1] if candidates else None

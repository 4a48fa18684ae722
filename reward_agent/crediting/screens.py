"""A model that reads screens, as in CALM (Pignatelli et al., 2024): it says which subgoals a transition reached.

Three departures from the paper's code: a reply is parsed, not evaluated; what cannot be read is asked for again and
then a fault, never "no"; and each judgement is made once, kept by its content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from reward_agent.crediting import Glimpse, Reached
from reward_agent.crediting.asking import ask_for
from reward_agent.crediting.cache import Judgements, content_sha256
from reward_agent.crediting.replies import read_times, read_transitions
from reward_agent.crediting.view import View, episode_text, transition_text
from reward_agent.errors import UsageError
from reward_agent.feedback import as_data
from reward_agent.llm import LLM
from reward_agent.messages import Message
from reward_agent.program import Fault
from reward_agent.subgoals import Subgoal
from reward_agent.task import Task, TextWorld
from reward_agent.templates import Templates

CROPPED = "Only the squares around the agent are shown, with the agent in the middle."
"""What a cropped screen is, where the world does not say otherwise (`cropped`)."""
MOST_BATCHED = 64
"""Transitions a prompt may have."""


class ScreenReader:
    """Reads transitions, some to a prompt, or whole episodes (`crediting.Reader`).

    Args:
        llm: asked.
        task: whose world has screens of text.
        subgoals: what is looked for.
        view: what is shown of a transition.
        batch: transitions a prompt; 1 is the paper's. A judgement counts for prompts of that size alone.
        whole: what `read` is given is one episode, shown in one prompt that asks for the time of each subgoal.
        judgements: what was judged before, and where to keep what is judged now.
        templates: of prompts, a user's own among them.
        concurrency: prompts that are asked at once.

    Raises:
        UsageError: the task has no screens of text, there are no subgoals, or no such batch.
    """

    def __init__(
        self,
        llm: LLM,
        task: Task,
        subgoals: Sequence[Subgoal],
        view: View | None = None,
        *,
        batch: int = 1,
        whole: bool = False,
        judgements: Judgements | None = None,
        templates: Templates | None = None,
        concurrency: int = 8,
    ) -> None:
        if not isinstance(task.world, TextWorld):
            raise UsageError(
                f"{task.id} has no screens of text to read; tasks of minihack and minigrid do. A program that tells "
                "subgoals serves any task: `--method calm`."
            )
        if not subgoals:
            raise UsageError("There are no subgoals to look for: give at least one.")
        if not 1 <= batch <= MOST_BATCHED:
            raise UsageError(f"A prompt has 1 to {MOST_BATCHED} transitions, not {batch}.")
        self.names: tuple[str, ...] = tuple(each.name for each in subgoals)
        self.view, self.batch, self.whole = view or View(), batch, whole
        # not `or`: one without any judgement yet is false
        self.judgements = Judgements() if judgements is None else judgements
        self._llm, self._templates, self._concurrency = llm, templates or Templates(), concurrency
        self._system = self._templates.render(
            "crediting/system.jinja",
            instruction=as_data(task.instruction),
            legend=task.world.legend() if self.view.legend else {},
            subgoals=subgoals,
            view=self.view,
            cropped=getattr(task.world, "cropped", CROPPED),
            batch=batch,
            whole=whole,
            example=self._example(),
        )

    def read(self, glimpses: Sequence[Glimpse]) -> list[Reached | Fault]:
        """See `crediting.Reader`.

        Raises:
            LLMError: a reply could not be had. What others said is kept, and not asked again.
            WaitingForPersonError: some replies are a person's to give; likewise.
            BudgetError: the budget is used up; likewise.
        """
        if not glimpses:
            return []
        return self._whole(glimpses) if self.whole else self._transitions(glimpses)

    def _transitions(self, glimpses: Sequence[Glimpse]) -> list[Reached | Fault]:
        texts = [transition_text(glimpse, self.view) for glimpse in glimpses]
        by_content = {self._content(text): text for text in texts}
        wanted = [sha256 for sha256 in by_content if self.judgements.get(sha256) is None]
        batches = [wanted[at : at + self.batch] for at in range(0, len(wanted), self.batch)]
        members = {content_sha256(*batch): batch for batch in batches}
        faults: dict[str, Fault] = {}

        def read(prompt: str, reply: str) -> list[Reached | Fault] | Fault:
            found = read_transitions(reply, self.names, len(members[prompt]))
            if isinstance(found, Fault):
                return found
            # one that cannot be read sends the whole answer back: what is right in it may be said again
            return next((each for each in found if isinstance(each, Fault)), found)

        def got(prompt: str, reply: str, found: list[Reached | Fault] | Fault) -> None:
            batch = members[prompt]
            if isinstance(found, Fault):
                again = read_transitions(reply, self.names, len(batch))
                found = [again] * len(batch) if isinstance(again, Fault) else again
            said = dict(zip(batch, found, strict=True))
            faults.update((sha256, each) for sha256, each in said.items() if isinstance(each, Fault))
            self.judgements.add({sha256: each for sha256, each in said.items() if not isinstance(each, Fault)})

        prompts = [
            (prompt, self._messages("crediting/transitions.jinja", texts=[by_content[sha256] for sha256 in batch]))
            for prompt, batch in members.items()
        ]
        ask_for(self._llm, prompts, read, got, templates=self._templates, concurrency=self._concurrency)
        return [self._kept(self._content(text), faults) for text in texts]

    def _whole(self, glimpses: Sequence[Glimpse]) -> list[Reached | Fault]:
        text = episode_text(glimpses, self.view)
        content = self._content(text)
        faults: dict[str, Fault] = {}

        def got(prompt: str, reply: str, found: Mapping[str, Any] | Fault) -> None:
            if isinstance(found, Fault):
                faults[prompt] = found
            else:
                self.judgements.add({prompt: found})

        if self.judgements.get(content) is None:
            prompts = [(content, self._messages("crediting/whole.jinja", text=text))]
            ask_for(
                self._llm,
                prompts,
                lambda _, reply: read_times(reply, self.names, len(glimpses)),
                got,
                templates=self._templates,
            )
        times = self._kept(content, faults)
        if isinstance(times, Fault):
            return [times] * len(glimpses)
        return [{name: times[name] == number for name in self.names} for number in range(1, len(glimpses) + 1)]

    def _kept(self, content: str, faults: Mapping[str, Fault]) -> Any:
        found = self.judgements.get(content)
        return faults[content] if found is None else found

    def _content(self, text: str) -> str:
        """Of all that a judgement hangs on: view, batch and subgoals are in the text of the prompt."""
        return content_sha256(self._llm.name, self._system, text)

    def _messages(self, template: str, **values: Any) -> list[Message]:
        return [Message("system", self._system), Message("user", self._templates.render(template, **values))]

    def _example(self) -> str:
        """An answer in the right form."""
        if self.whole:
            return json.dumps({name: None if number % 2 else 12 for number, name in enumerate(self.names)})
        said = {name: number == 0 for number, name in enumerate(self.names)}
        if self.batch == 1:
            return json.dumps(said)
        return json.dumps({"1": dict.fromkeys(self.names, False), "2": said})

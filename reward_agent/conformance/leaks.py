"""Is what judges named anywhere that a model or a reward may look: in the schema, a first prompt, an example?"""

from __future__ import annotations

from collections.abc import Iterator

from reward_agent.conformance.finding import Finding, counted, failed, listed, passed
from reward_agent.conformance.subject import Subject
from reward_agent.conformance.words import IN_LINES, JUDGES, Leak, found, in_schema, in_text
from reward_agent.envs.episodes import prompt_schema
from reward_agent.errors import UsageError
from reward_agent.history import History
from reward_agent.methods import Ask, Settings, find_method
from reward_agent.plugins import METHODS
from reward_agent.program import Program
from reward_agent.static_check import check
from reward_agent.task import Task, Termination
from reward_agent.templates import Templates

LEAKS, EXPERT = "leaks", "expert"


def leaks(subject: Subject) -> Iterator[Finding]:
    """No readable word of the world, the task, or the first prompt of any method gives away what judges."""
    task = subject.task
    told: list[Leak] = [*in_schema(prompt_schema(task)), *found("the task's `control`", task.control, IN_LINES)]
    if isinstance(task.terminates, Termination):
        told += found("the line of the task's termination", task.terminates.doc, JUDGES)
    secrets = sorted({name for testimony in subject.testimony for name in testimony.secrets})
    methods = METHODS.names()
    for method in methods:
        text, where = first_prompt(method, task), f"the first prompt of the method {method}"
        told += in_text(text, task, where=where, secrets=secrets)
    if told:
        yield failed(
            LEAKS,
            f"Words that give away what judges: {listed([str(leak) for leak in dict.fromkeys(told)], 3)}.",
            contract="Success flags, native rewards, scores, `evaluate()` and goal checks are in no schema, prompt or "
            "example.",
            change="Hide the field (`Field(…, hidden=True)`: metrics still read it), or, where the word means "
            "something else, say it otherwise: a model that reads it would take it for the judge's.",
        )
        return
    fields, constants = counted(len(prompt_schema(task).fields), "field"), len(subject.full.constants)
    prompts = f"the first prompts of {listed(list(methods))}"
    yield passed(LEAKS, f"{fields}, {counted(constants, 'constant')} and {prompts} say nothing of what judges.")


def expert(subject: Subject) -> Iterator[Finding]:
    """The expert reward, which may be shown as an example, is a program over visible fields and says nothing else."""
    path = subject.task.expert
    if path is None:
        yield passed(EXPERT, "The task has no expert reward.")
        return
    source, visible = path.read_text(encoding="utf-8"), subject.full.visible()
    report = check(Program(source), visible)
    wrong = [f"{path.name}{f', line {f.line}' if f.line else ''}: {f.message}" for f in report.faults]
    wrong += [f"{leak}." for leak in found(path.name, source, JUDGES)]
    if wrong:
        yield failed(
            EXPERT,
            f"The expert reward breaks the contract. {listed(wrong, 3)}",
            contract="An expert is a reward program like any other, over visible fields alone, and what it says may be "
            "shown to a model.",
            change="`reward-agent check` tells its faults line by line.",
        )
        return
    yield passed(EXPERT, f"{path.name} reads {len(report.fields)} of {counted(len(visible.fields), 'visible field')}.")


def first_prompt(method: str, task: Task) -> str:
    """What a method says to a model that knows nothing yet; nothing where it needs more than a task to begin."""
    try:
        action = find_method(method)(Settings(iterations=1, candidates=1), Templates()).next(task, History())
    except UsageError:
        return ""
    prompts = action.prompts if isinstance(action, Ask) else ()
    return "\n".join(message.text for prompt in prompts for message in prompt.messages)

"""Words that give away what no reward may know of: success, the native reward, a goal that was reached.

Names and lines of a schema may not speak of success, rewards, scores or evaluation at all, and a flag (a bool or int
field) may not tell that a goal was reached; goals' places are fair. A text that goes to a model may speak of the reward
it asks for, and of nothing else that judges: not of a metric by its name, its line or its hidden fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reward_agent.envs.episodes import task_schema
from reward_agent.schema import StateSchema
from reward_agent.task import Task

JUDGES = (
    r"(?:is )?success(?:es|ful|fully)?|succeed(?:s|ed)?|fitness|evaluat(?:e|es|ed|ion|or)|task scores?|native rewards?"
    r"|solved|done flag|is done"
)
"""What judges an episode, by whatever name; underscores count as spaces."""
IN_LINES = rf"{JUDGES}|rewards?"
"""What a schema has no cause to say."""
IN_NAMES = rf"{IN_LINES}|scores?|returns?|terminated|truncated|done"
"""What nothing in it may be called."""
MET = "reached|achieved|accomplished|attained|completed?|finished|fulfilled|satisfied|placed|met"
"""What a flag may not be called; that a thing touches, moves or exists is fair."""
GOAL = "(?:goal|target|task)"
NEAR_GOAL = rf"(?:{MET}|within|inside|near|close to|at|on)(?: \S+){{0,6}} {GOAL}"
GOAL_MET = rf"{GOAL}\b[^;,]*\b(?:{MET})|{NEAR_GOAL}"
"""What the line of a flag may not say."""
LONG = 4
"""Words that a metric's line must have to be looked for as it stands."""


@dataclass(frozen=True)
class Leak:
    """Words that should not be there."""

    where: str
    words: str

    def __str__(self) -> str:
        return f"{self.where} says {self.words!r}"


def in_schema(schema: StateSchema) -> Iterator[Leak]:
    """What the visible names and lines of a schema give away."""
    schema = schema.visible()
    for field in schema.fields:
        yield from in_name(f"the field `{field.path}`", field.path, field.doc)
        if field.kind != "float":
            yield from found(f"the name of the flag `{field.path}`", field.name, MET)
            yield from found(f"the line of the flag `{field.path}`", field.doc, GOAL_MET)
    for entity in schema.entities:
        yield from in_name(f"the entity `{entity.name}`", f"{entity.name} {entity.kind}", entity.doc)
    for constant in schema.constants:
        yield from in_name(f"the constant `{constant.name}`", constant.name, constant.doc)
    yield from in_name("the action", " ".join(schema.action.names), "")


def in_name(where: str, name: str, line: str) -> Iterator[Leak]:
    """What a name and the line that goes with it give away."""
    yield from dict.fromkeys((*found(where, name, IN_NAMES), *found(where, line, IN_LINES)))


def in_text(
    text: str, task: Task, *, where: str = "the text", secrets: Iterable[str] = (), allowed: Iterable[str] = ()
) -> Iterator[Leak]:
    """What a text for a model gives away of how a task is judged.

    Args:
        text: as the model gets it.
        task: whose; its instruction may say what it likes, and does not count.
        where: what the text is.
        secrets: further names that must not appear, as those of a witness's secrets.
        allowed: words that it may hold nevertheless, as `task_score` where a method tells one.
    """
    text = text.replace(task.instruction.strip().rstrip("."), "")
    permitted = {_plain(word) for word in allowed}
    yield from (leak for leak in found(where, text, JUDGES) if leak.words not in permitted)
    for name in sorted(_telling(task, secrets)):
        if _plain(name) not in permitted and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text):
            yield Leak(where, name)


def found(where: str, text: str, pattern: str) -> Iterator[Leak]:
    """Each different hit of a pattern, in small letters."""
    hits = re.finditer(rf"(?<![a-z])(?:{pattern})(?![a-z])", _plain(text))
    yield from (Leak(where, words) for words in dict.fromkeys(hit.group(0) for hit in hits))


def _telling(task: Task, secrets: Iterable[str]) -> set[str]:
    """Names made for judging, and what metrics say of themselves.

    A name of one plain word may stand in any sentence; one that was put together for a purpose may not.
    """
    schema = task_schema(task)
    spoken = {part for path in schema.visible().by_path for part in path.split(".")}
    spoken |= {constant.name for constant in schema.constants}
    hidden = [field.path for field in schema.fields if field.hidden]
    names = [*hidden, *secrets, *(part for path in hidden for part in path.split(".") if part not in spoken)]
    names += [name for metric in task.metrics for name in (metric.name, getattr(metric.score, "__name__", ""))]
    made = {name for name in names if re.search(r"\w[_.]\w", name)}
    return made | {metric.doc for metric in task.metrics if len(metric.doc.split()) >= LONG}


def _plain(text: str) -> str:
    """Small letters, with spaces for underscores and dots and between the words of `camelCase`."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return re.sub(r"[_.]+", " ", apart).lower()

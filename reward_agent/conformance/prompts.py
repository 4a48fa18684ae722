"""Can the world be told to a model: every readable field named, placed, and documented?"""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Iterator

from reward_agent.conformance.finding import Finding, failed, listed, passed
from reward_agent.conformance.subject import Subject
from reward_agent.envs.episodes import prompt_schema
from reward_agent.schema import StateSchema

NAME = "prompts"
RESERVED = ("episode", "start")
"""Entities that every task has of its own."""


def prompts(subject: Subject) -> Iterator[Finding]:
    """The schema renders, and the rendering says all of it."""
    problem = _problem(subject.schema) or _kinds(prompt_schema(subject.task)) or _constants(subject)
    if problem:
        yield failed(
            NAME,
            problem[0],
            contract="A prompt shows each kind of entity once, as a class with one documented line a field, and then "
            "the entities; a reward reads them by these names.",
            change=problem[1],
        )
        return
    schema = prompt_schema(subject.task)
    text = schema.render()
    unsaid = [field.path for field in schema.fields if field.doc not in text or f"    {field.name}: " not in text]
    unsaid += [entity.name for entity in schema.entities if f"    {entity.name}: {entity.kind}" not in text]
    if unsaid:
        yield failed(
            NAME,
            f"The rendered schema does not tell of {listed(unsaid)}.",
            contract="Everything a reward may read stands in the prompt.",
            change="See `StateSchema.render`.",
        )
        return
    kinds = len({entity.kind for entity in schema.entities})
    yield passed(
        NAME,
        f"{len(schema.fields)} fields of {len(schema.entities)} entities of {kinds} kinds in {len(text)} characters.",
    )


def _problem(schema: StateSchema) -> tuple[str, str] | None:
    """What is wrong with names, places and docs, hidden fields' too, and what to do."""
    paths = Counter(field.path for field in schema.fields)
    entities = Counter(entity.name for entity in schema.entities)
    for name, count in (paths + entities).items():
        if count > 1 and not (paths[name] == 1 == entities[name]):
            return f"`{name}` is there {count} times.", "Give each field and entity a name of its own."
        if paths[name] and entities[name]:
            return f"`{name}` is both a field and an entity.", "Rename one of them."
        if any(not part.isidentifier() or keyword.iskeyword(part) for part in name.split(".")):
            return f"`{name}` cannot be written in Python.", "Use names that Python takes, with dots between them."
        if name.split(".")[0] in RESERVED:
            return f"`{name}` begins with a name that every task has of its own.", f"Avoid {' and '.join(RESERVED)}."
    for field in schema.fields:
        if field.entity not in entities:
            return f"`{field.path}` belongs to no entity of the schema.", f"List an `Entity({field.entity!r}, …)`."
        if any(other.startswith(field.path + ".") for other in paths):
            return (
                f"`{field.path}` is a field and has fields of its own.",
                "Move it beside them, under a name of its own.",
            )
        if not field.doc.strip() or "\n" in field.doc:
            return f"`{field.path}` has no line of meaning.", "Say in one line what it is, with its frame and sign."
    for entity in schema.entities:
        if not entity.doc.strip() or "\n" in entity.doc:
            return f"The entity `{entity.name}` has no line of meaning.", "Say in one line what it is."
        if not entity.kind.isidentifier():
            return f"The kind {entity.kind!r} of `{entity.name}` is no name of a class.", "As `Body` or `Hinge`."
    return None


def _kinds(schema: StateSchema) -> tuple[str, str] | None:
    """Entities of one kind that have not the same visible fields."""
    members: dict[str, tuple[str, dict[str, str]]] = {}
    for entity in schema.entities:
        fields = {
            field.name: f"{field.kind} {field.shape} [{field.unit}] {field.doc}"
            for field in schema.fields
            if field.entity == entity.name
        }
        first, known = members.setdefault(entity.kind, (entity.name, fields))
        if fields != known:
            odd = sorted({*fields.items()} ^ {*known.items()})[0][0]
            return (
                f"`{first}` and `{entity.name}` are both of the kind {entity.kind}, and their `{odd}` is not the same "
                "(in one alone, or of another shape, unit or meaning).",
                "Give them kinds of their own, or the same fields.",
            )
    return None


def _constants(subject: Subject) -> tuple[str, str] | None:
    for constant in subject.schema.constants:
        if not constant.doc.strip() or not constant.name.isidentifier():
            return (
                f"The constant `{constant.name}` has no line of meaning or no proper name.",
                "Say in one line what it is.",
            )
        if constant.name == "dt" and constant.value != subject.task.world.dt:
            return (
                f"The constant `dt` is {constant.value} and a step of the world lasts {subject.task.world.dt} s.",
                "Give both from one number.",
            )
    return None

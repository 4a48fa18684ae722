"""A schema from samples of a state: shapes and kinds as they are seen, meaning and units as far as they are told."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from reward_agent.envs.gymnasium.state import Docs
from reward_agent.errors import UsageError, unknown_name
from reward_agent.schema import Entity, Field, FieldKind

RESERVED = {"episode": "the episode's own fields", "start": "the values at reset", "command": "what a task commands"}

Values = Mapping[str, Any]


def describe(samples: Sequence[Values], known: Docs, told: Docs) -> tuple[tuple[Field, ...], tuple[Entity, ...]]:
    """Fields in the order of the samples, and the entities they belong to.

    Args:
        samples: values by path, of several instants.
        known: what the source says of its fields and entities.
        told: what the user says of them: `Field`, `Entity`, or text whose end may be a unit in brackets. It wins.

    Raises:
        UsageError: a path or value that no field can have, samples that differ in paths or shapes, a `Field` that is
            not as its values are, or something told of a field that there is not.
    """
    first = samples[0]
    if not first:
        raise UsageError("`state` returned no values: a reward would have nothing to read.")
    for path in first:
        _check_path(path)
    for sample in samples:
        if sample.keys() != first.keys():
            differing = ", ".join(sorted(sample.keys() ^ first.keys()))
            raise UsageError(f"`state` does not always return the same paths: {differing} is there at times only.")
    fields = tuple(_field(path, [sample[path] for sample in samples], known, told) for path in first)
    names = list(dict.fromkeys(field.entity for field in fields))
    for path in told:
        if path not in first and path not in names:
            raise unknown_name("state field or entity", path, {*first, *names})
    _check_tree([*first])
    return fields, tuple(_entity(name, known, told) for name in names)


def _field(path: str, values: Sequence[Any], known: Docs, told: Docs) -> Field:
    arrays = [_array(path, value) for value in values]
    shapes = {array.shape for array in arrays}
    if len(shapes) > 1:
        raise UsageError(f"The shape of {path!r} changes: {sorted(shapes)}. A field always has the same.")
    seen = Field(path, _words(path), shape=arrays[0].shape, kind=_kind(arrays))
    field = _with_doc(seen, known.get(path))
    return _with_doc(field, told.get(path))


def _with_doc(seen: Field, doc: Field | Entity | str | None) -> Field:
    if isinstance(doc, str):
        text, unit = split_unit(doc)
        return replace(seen, doc=text, unit=unit or seen.unit)
    if not isinstance(doc, Field):
        return seen
    if doc.path != seen.path or doc.shape != seen.shape:
        raise UsageError(
            f"The field told of {seen.path!r} is {doc.path!r} of shape {doc.shape}, but its values have the shape "
            f"{seen.shape}: say `Field({seen.path!r}, …, shape={seen.shape})`."
        )
    return doc


def _entity(name: str, known: Docs, told: Docs) -> Entity:
    entity = known.get(name)
    kind = "".join(word.capitalize() for word in re.split(r"[._]", name))
    found = entity if isinstance(entity, Entity) else Entity(name, kind, entity if isinstance(entity, str) else "")
    said = told.get(name)
    if isinstance(said, Entity):
        return said
    return replace(found, doc=said) if isinstance(said, str) else replace(found, doc=found.doc or _words(f".{name}"))


def split_unit(text: str) -> tuple[str, str]:
    """`along the rail [m]` as its text and its unit."""
    found = re.fullmatch(r"(.*?)\s*\[([^\[\]]*)\]\s*", text, re.DOTALL)
    return (found[1], found[2]) if found else (text, "")


def _words(path: str) -> str:
    return path.rpartition(".")[2].replace("_", " ") if "." in path else path


def _array(path: str, value: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"The value of {path!r} is no array: {error}.") from error
    if array.dtype.kind not in "biuf":
        raise UsageError(
            f"The value of {path!r} is {value!r:.60} ({type(value).__name__}); a field is a number, a truth value or "
            "an array of them."
        )
    return array


def _kind(arrays: Sequence[np.ndarray[Any, Any]]) -> FieldKind:
    kinds = {array.dtype.kind for array in arrays}
    if kinds == {"b"}:
        return "bool"
    return "int" if kinds <= {"i", "u"} else "float"


def _check_path(path: object) -> None:
    parts = path.split(".") if isinstance(path, str) else []
    wrong = [p for p in parts if not p.isidentifier() or keyword.iskeyword(p) or p.startswith("_")]
    if not isinstance(path, str) or not path or wrong:
        raise UsageError(
            f"{path!r} cannot be a field: its path is an entity and a name with a dot between, each as Python's names "
            "are, for programs read `next_state.cart.position`."
        )
    if len(parts) < 2:
        raise UsageError(
            f"The field {path!r} belongs to nothing. Give the thing that it is of, as 'cart.{path}': programs then "
            f"read `next_state.cart.{path}`, and the entities tell a model what there is."
        )
    if parts[0] in RESERVED:
        raise UsageError(
            f"The field {path!r} cannot be named so: {parts[0]!r} holds {RESERVED[parts[0]]}. Name its entity "
            "otherwise."
        )


def _check_tree(paths: Sequence[str]) -> None:
    """No field is at once an entity."""
    for path in paths:
        inner = next((other for other in paths if other.startswith(path + ".")), None)
        if inner is not None:
            raise UsageError(f"{path!r} is a field, and {inner!r} would be a field of it: give one another name.")

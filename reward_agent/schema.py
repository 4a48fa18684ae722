"""The state schema: the named, documented quantities a reward may read, and how they are packed.

A packed state is one contiguous array `(N, D)`; the schema says which columns are which field. The same
schema renders the typed class abstraction that prompts show (`StateSchema.render`), and builds the
namespace a reward program or a metric reads (`StateSchema.view`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from reward_agent.errors import unknown_name

FieldKind = Literal["float", "int", "bool"]
Frame = Literal["auto", "world", "none"]
Array = NDArray[np.float64]

LENGTHS = ("m", "m/s", "m/s^2", "N")
"""Units of which three numbers are taken for a vector in space."""

_DTYPES: dict[FieldKind, type] = {"float": np.float64, "int": np.int64, "bool": np.bool_}


@dataclass(frozen=True)
class Field:
    """One quantity of the state, a column or a few of the packed array."""

    path: str
    """Dotted: the entity, then the name, as `torso.position` or `joints.knee.angle`."""
    doc: str
    """One line of meaning."""
    unit: str = ""
    """SI, as `m/s`; empty where there is none."""
    shape: tuple[int, ...] = ()
    """Shape of one environment's value; programs see `(N, *shape)`."""
    kind: FieldKind = "float"
    hidden: bool = False
    """Readable by metrics and terminations alone, never by a reward."""
    frame: Frame = "auto"
    """Whether its last axis holds components along x, y and z: 3 of a vector, 4 of a quaternion (wxyz), 6 of two
    vectors or 7 of a vector and a quaternion. `auto` goes by unit and name, see `is_spatial`."""

    @property
    def is_spatial(self) -> bool:
        """Its last axis holds components in space; where it does not say so itself, 3 of a length, a speed, an
        acceleration, a force or an angular velocity, 4 of an orientation, and 7 of a pose."""
        last, name = (self.shape or (0,))[-1], self.name
        if self.frame == "auto":
            return (
                (last == 3 and (self.unit in LENGTHS or name.endswith("angular_velocity")))
                or (last == 4 and name.endswith(("orientation", "quaternion")))
                or (last == 7 and name.endswith("pose"))
            )
        return self.frame == "world" and last in (3, 4, 6, 7)

    @property
    def entity(self) -> str:
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def width(self) -> int:
        return prod(self.shape)


@dataclass(frozen=True)
class Entity:
    """A thing of the world that fields belong to, as `torso`, `joints.knee` or `episode`."""

    name: str
    kind: str
    """The class name shown in prompts (`Body`, `Foot`, `Hinge`); entities of one kind have the same fields."""
    doc: str


@dataclass(frozen=True)
class Constant:
    """A number (or a few) that never changes within a task, as a size or a limit; read as `constants.<name>`."""

    name: str
    value: float | tuple[float, ...]
    doc: str
    unit: str = ""
    frame: Frame = "auto"
    """Whether it is a vector in space, or a size along its own axes; `auto` takes three of a length for one."""

    @property
    def is_spatial(self) -> bool:
        """Its three numbers are components along x, y and z."""
        several = isinstance(self.value, tuple) and len(self.value) == 3
        return several and (self.frame == "world" or (self.frame == "auto" and self.unit in LENGTHS))


@dataclass(frozen=True)
class ActionSpec:
    """What `action` is: float `(N, A)` with one name a column, or int `(N,)` with one name a value, from 0 on."""

    names: tuple[str, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    unit: str = ""
    discrete: bool = False
    idle: int = 0
    """Number of the discrete action that does nothing, or of the one that stands for it where none does."""

    @property
    def width(self) -> int:
        """Columns of the packed action."""
        return 1 if self.discrete else len(self.names)


@dataclass(frozen=True)
class StateSchema:
    """Fields in packing order, the entities they belong to, constants and the action."""

    fields: tuple[Field, ...]
    entities: tuple[Entity, ...]
    action: ActionSpec
    constants: tuple[Constant, ...] = ()
    up: Literal["x", "y", "z"] = "z"
    """The axis that points up. It is z wherever nothing is disguised."""

    @cached_property
    def columns(self) -> dict[str, slice]:
        """Columns of the packed state by field path."""
        slices, at = {}, 0
        for field in self.fields:
            slices[field.path] = slice(at, at + field.width)
            at += field.width
        return slices

    def indices(self, paths: Iterable[str]) -> NDArray[np.intp]:
        """Columns of the packed state that these fields have, `(K,)`, field after field."""
        slices = [self.columns[path] for path in paths]
        return np.concatenate([np.arange(0), *(np.arange(at.start, at.stop) for at in slices)]).astype(np.intp)

    @property
    def width(self) -> int:
        """Columns of the packed state, D."""
        return sum(field.width for field in self.fields)

    @cached_property
    def by_path(self) -> dict[str, Field]:
        return {field.path: field for field in self.fields}

    def __contains__(self, path: str) -> bool:
        return path in self.by_path

    def visible(self) -> StateSchema:
        """The schema a reward program may read: hidden fields are gone."""
        return self._keep(field for field in self.fields if not field.hidden)

    def select(self, paths: Iterable[str]) -> StateSchema:
        """The schema of only these fields, in this schema's order.

        Raises:
            UsageError: a path is no field of this schema.
        """
        wanted = set(paths)
        for path in sorted(wanted - self.by_path.keys()):
            raise unknown_name("state field", path, self.by_path)
        return self._keep(field for field in self.fields if field.path in wanted)

    def edit(
        self, *, hide: Iterable[str] = (), rename: Mapping[str, str] | None = None, add: Iterable[Field] = ()
    ) -> StateSchema:
        """A task's own version: fields (or whole entities) hidden, entities or fields renamed, fields added.

        `hide` and `rename` take a field's path or an entity's name, `hide` also `constants.<name>`. Raises `UsageError`
        on an unknown one.
        """
        schema = replace(self, fields=(*self.fields, *add))
        known = {*schema.by_path, *(entity.name for entity in schema.entities)}
        numbers = {f"constants.{constant.name}" for constant in schema.constants}
        hidden = set(hide)
        for name in sorted((hidden - known - numbers) | (set(rename or {}) - known)):
            raise unknown_name("field or entity", name, known)
        constants = tuple(c for c in schema.constants if f"constants.{c.name}" not in hidden)
        fields = [
            replace(field, hidden=field.hidden or field.path in hidden or field.entity in hidden)
            for field in schema.fields
        ]
        entities = list(schema.entities)
        for old, new in (rename or {}).items():
            fields = [replace(f, path=_renamed(f.path, old, new)) for f in fields]
            entities = [replace(e, name=new) if e.name == old else e for e in entities]
        return replace(schema, fields=tuple(fields), entities=tuple(entities), constants=constants)

    def view(self, packed: Array) -> SimpleNamespace:
        """A namespace tree of views into `packed`, of shape `(..., D)`: `view.torso.position` is `(..., 3)`.

        Bool and int fields are converted copies, float fields share memory with `packed`.
        """
        root = SimpleNamespace()
        for field, columns in zip(self.fields, self.columns.values(), strict=True):
            value: Any = packed[..., columns].reshape((*packed.shape[:-1], *field.shape))
            if field.kind != "float":
                value = value.astype(_DTYPES[field.kind])
            *parents, name = field.path.split(".")
            node = root
            for parent in parents:
                if not hasattr(node, parent):
                    setattr(node, parent, SimpleNamespace())
                node = getattr(node, parent)
            setattr(node, name, value)
        return root

    def constants_view(self) -> SimpleNamespace:
        """The constants as a namespace: floats, and read-only arrays for those of several numbers."""
        return SimpleNamespace(
            **{c.name: np.array(c.value) if isinstance(c.value, tuple) else c.value for c in self.constants}
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data, as the cell is told it."""
        return {
            "fields": [vars(field) | {"shape": list(field.shape)} for field in self.fields],
            "entities": [dict(vars(entity)) for entity in self.entities],
            "action": dict(vars(self.action)),
            "constants": [dict(vars(constant)) for constant in self.constants],
        }

    def render(self) -> str:
        """The typed class abstraction for prompts: each kind of entity once, then the entities."""
        return "\n".join(_render(self.visible()))

    def _keep(self, fields: Iterable[Field]) -> StateSchema:
        kept = tuple(fields)
        owners = {field.entity for field in kept}
        return replace(self, fields=kept, entities=tuple(e for e in self.entities if e.name in owners))


def _renamed(path: str, old: str, new: str) -> str:
    if path == old:
        return new
    return new + path[len(old) :] if path.startswith(old + ".") else path


def _numbers(value: float | tuple[float, ...]) -> str:
    """To six digits: a prompt needs no more."""
    return f"({', '.join(f'{v:.6g}' for v in value)})" if isinstance(value, tuple) else f"{value:.6g}"


def _render(schema: StateSchema) -> Iterator[str]:
    by_entity = {entity.name: [f for f in schema.fields if f.entity == entity.name] for entity in schema.entities}
    kinds: dict[str, list[Entity]] = {}
    for entity in schema.entities:
        kinds.setdefault(entity.kind, []).append(entity)
    for kind, members in kinds.items():
        yield f"class {kind}:"
        for field in by_entity[members[0].name]:
            shape = ", ".join(["N", *map(str, field.shape)]) + ("" if field.shape else ",")
            unit = f" [{field.unit}]" if field.unit else ""
            yield f"    {field.name}: {field.kind} array ({shape}){unit}  # {field.doc}"
        yield ""
    yield "class State:"
    for entity in schema.entities:
        yield f"    {entity.name}: {entity.kind}  # {entity.doc}"
    yield ""
    action = schema.action
    if action.discrete:
        yield "action: int array (N,)  # " + ", ".join(f"{i} = {name}" for i, name in enumerate(action.names))
    else:
        yield f"action: float array (N, {action.width})  # one column each:"
        for i, name in enumerate(action.names):
            unit = f" {action.unit}" if action.unit else ""
            yield f"    # [{i}] {name}, {action.low[i]:g} to {action.high[i]:g}{unit}"
    if schema.constants:
        yield ""
        yield "constants:"
        for constant in schema.constants:
            unit = f" [{constant.unit}]" if constant.unit else ""
            yield f"    constants.{constant.name} = {_numbers(constant.value)}{unit}  # {constant.doc}"

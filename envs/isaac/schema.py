"""The state schema of a `VecTask`, derived from the actors, degrees of freedom and links that Isaac Gym names.

Isaac Gym's tensors lie flat: an actor's root and a link are 13 numbers (position, quaternion xyzw, linear velocity,
angular velocity), a degree of freedom is two. A field is some of their columns; a quaternion's are taken in the order
wxyz, so that nothing has to be computed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reward_agent.errors import UsageError
from reward_agent.schema import ActionSpec, Constant, Entity, Field, StateSchema

GROUPS = ("actors", "joints", "links")
"""What `IsaacGym.state` may name: roots of actors, degrees of freedom, rigid bodies."""

NATIVE = ("rew_buf", "reset_buf", "reset_goal_buf", "timeout_buf", "successes", "consecutive_successes", "extras")
"""Tensors of a task that judge: never a field."""

_POSE: tuple[tuple[str, str, str, tuple[int, ...]], ...] = (
    ("position", "where it is, in the environment's own frame", "m", (0, 1, 2)),
    ("orientation", "quaternion wxyz, from its own frame to the world's", "", (6, 3, 4, 5)),
    ("linear_velocity", "its velocity, in the world's axes", "m/s", (7, 8, 9)),
    ("angular_velocity", "angular velocity, in the world's axes", "rad/s", (10, 11, 12)),
)
_FIRST = "in an episode's first state it is placed roughly, from its actor's root"


@dataclass(frozen=True)
class TaskTensor:
    """A tensor of the task's own that is a field, as `commands` of Anymal.

    Raises:
        UsageError: it is one that judges (`NATIVE`).
    """

    attribute: str
    """Of the task; `(N, …)`."""
    field: Field
    """Its shape is one environment's."""

    def __post_init__(self) -> None:
        if self.attribute in NATIVE:
            raise UsageError(
                f"The tensor {self.attribute!r} is the task's own judgement (reward, reset, success): no reward may "
                f"read it. Score with a metric that reads states instead; these are kept out: {', '.join(NATIVE)}."
            )


@dataclass(frozen=True)
class Derived:
    """A schema, and where each field lies."""

    schema: StateSchema
    columns: Mapping[str, tuple[int, ...]]
    """By field path: columns of all the worker's tables side by side."""
    links: Mapping[str, tuple[int, int]]
    """By a link's entity: the first of its 13 columns, and the first of its actor's root."""


def derive(
    told: Mapping[str, Any], state: Iterable[str], tensors: Iterable[TaskTensor], action_names: tuple[str, ...] = ()
) -> Derived:
    """The schema of what a worker tells of its task.

    Args:
        told: as `server.describe` says it, with `widths`.
        state: which of `GROUPS` are fields.
        tensors: fields of the task's own.
        action_names: what each action drives; numbered where empty.

    Raises:
        UsageError: a tensor's shape is not its field's, there are more actions than names or fewer, or the simulator's
            tensors are not N times what environment 0 has.
    """
    _alike(told)
    starts, at = {}, 0
    for table, width in told["widths"].items():
        starts[table], at = at, at + width
    state, found = set(state), _Found([], [], {}, {})
    names = _Names()
    owners = [(names.take(actor["name"]), actor) for actor in told["actors"]]
    if "actors" in state:
        for number, (name, actor) in enumerate(owners):
            doc = f"the actor {actor['name']}; its root link"
            found.pose(Entity(name, "Actor", doc), starts["actors"] + 13 * number)
    if "joints" in state:
        _joints(told, starts["joints"], found)
    if "links" in state:
        number, links = 0, _Names()
        for owner, actor in enumerate(told["actors"]):
            for link in actor["links"]:
                doc = f"the link {link} of {actor['name']}; {_FIRST}"
                name = f"links.{links.take(link, actor['name'])}"
                found.pose(Entity(name, "Link", doc), starts["links"] + 13 * number)
                found.links[name] = starts["links"] + 13 * number, starts["actors"] + 13 * owner
                number += 1
    for tensor in tensors:
        width = told["widths"][tensor.attribute]
        if width != tensor.field.width:
            raise UsageError(
                f"The task's tensor {tensor.attribute!r} has {width} numbers an environment, the field "
                f"{tensor.field.path!r} {tensor.field.width}: set its `shape`."
            )
        of = tensor.field.entity
        if all(entity.name != of for entity in found.entities):
            found.entities.append(Entity(of, of.rpartition(".")[2].title(), f"the task's own {of}"))
        found.add(tensor.field, range(starts[tensor.attribute], starts[tensor.attribute] + width))
    constants = [
        Constant("dt", told["dt"], "time from state to next_state", "s"),
        Constant("gravity", abs(told["gravity"]), "points to -z", "m/s^2"),
        *_limits(told),
    ]
    count = told["actions"]
    named = action_names or tuple(f"action_{i}" for i in range(count))
    if len(named) != count:
        raise UsageError(f"The task has {count} actions, and `action_names` has {len(named)}: name each, or none.")
    action = ActionSpec(names=named, low=(-1.0,) * count, high=(1.0,) * count)
    schema = StateSchema(tuple(found.fields), tuple(found.entities), action, tuple(constants))
    return Derived(schema, found.columns, found.links)


def _alike(told: Mapping[str, Any]) -> None:
    """Every environment has what environment 0 has, or columns would be another's."""
    counts = {
        "actors": 13 * len(told["actors"]),
        "joints": 2 * sum(len(actor["dofs"]) for actor in told["actors"]),
        "links": 13 * sum(len(actor["links"]) for actor in told["actors"]),
    }
    for table, width in counts.items():
        if told["widths"].get(table, width) != width:
            raise UsageError(
                f"The simulator's {table} are {told['widths'][table]} numbers an environment, those of environment 0 "
                f"{width}: environments of one batch must have the same actors, made one environment after another."
            )


@dataclass
class _Found:
    fields: list[Field]
    entities: list[Entity]
    columns: dict[str, tuple[int, ...]]
    links: dict[str, tuple[int, int]]

    def add(self, field: Field, columns: Iterable[int]) -> None:
        self.fields.append(field)
        self.columns[field.path] = tuple(columns)

    def pose(self, entity: Entity, at: int) -> None:
        self.entities.append(entity)
        for name, doc, unit, columns in _POSE:
            field = Field(f"{entity.name}.{name}", doc, unit, (len(columns),))
            self.add(field, (at + column for column in columns))


def _joints(told: Mapping[str, Any], at: int, found: _Found) -> None:
    """Each degree of freedom, and all together in the tensor's order."""
    names, number = _Names(), 0
    for actor in told["actors"]:
        for dof in actor["dofs"]:
            kind, value, unit = ("Slide", "position", "m") if dof["slides"] else ("Hinge", "angle", "rad")
            limits = "" if dof["limits"] is None else f", from {dof['limits'][0]:.3g} to {dof['limits'][1]:.3g} {unit}"
            entity = f"joints.{names.take(dof['name'], actor['name'])}"
            found.entities.append(Entity(entity, kind, f"{dof['name']} of {actor['name']}{limits}"))
            doc = "how far it is along its axis" if dof["slides"] else "angle by the right-hand rule"
            found.add(Field(f"{entity}.{value}", doc, unit), [at + 2 * number])
            found.add(Field(f"{entity}.velocity", f"rate of that {value}", f"{unit}/s"), [at + 2 * number + 1])
            number += 1
    if number > 1:
        found.entities.append(Entity("joints", "Joints", "all of them together, in the simulator's order"))
        doc = "each in m where it slides, in rad where it turns"
        found.add(Field("joints.positions", doc, "", (number,)), range(at, at + 2 * number, 2))
        found.add(
            Field("joints.velocities", "their rates, each in m/s or rad/s", "", (number,)),
            range(at + 1, at + 2 * number, 2),
        )


def _limits(told: Mapping[str, Any]) -> Iterator[Constant]:
    limits = [dof["limits"] for actor in told["actors"] for dof in actor["dofs"]]
    if len(limits) > 1 and all(limits):
        for side, name in enumerate(("joint_low", "joint_high")):
            word = ("lower", "upper")[side]
            yield Constant(
                name, tuple(pair[side] for pair in limits), f"{word} limits, in the order of joints.positions"
            )


class _Names:
    """Names as Python's identifiers, each once."""

    def __init__(self) -> None:
        self._taken = {"joints", "links", "episode", "start", "positions", "velocities"}

    def take(self, name: str, owner: str = "") -> str:
        plain = _identifier(name)
        if plain in self._taken and owner:
            plain = f"{_identifier(owner)}_{plain}"
        chosen, number = plain, 2
        while chosen in self._taken:
            chosen, number = f"{plain}_{number}", number + 1
        self._taken.add(chosen)
        return chosen


def _identifier(name: str) -> str:
    plain = re.sub(r"\W+", "_", name).strip("_") or "part"
    return f"_{plain}" if plain[0].isdigit() else plain

"""Quantities of ManiSkill's environments as torch tensors `(N, k)`, on whatever device the simulation lives on.

The same functions serve one environment on a CPU and thousands of sub-scenes on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, Literal, NamedTuple

Env = Any
"""A `mani_skill.envs.sapien_env.BaseEnv`."""
Info = Mapping[str, Any]
"""What its last reset or step told beside observations."""

What = Literal[
    "value", "fingers", "pose", "linear_velocity", "origin_velocity", "angular_velocity", "size", "grasp", "forces"
]


class Reading(NamedTuple):
    """Numbers of the simulator: what is read, of what. Readings that are equal are read once."""

    of: Literal["actor", "attribute", "info"]
    name: str
    """Of the actor, the attribute (dotted, from the environment) or the key."""
    what: What = "value"
    angle: float = 0.0
    """For a grasp: see `names.Scene`."""


class Packer:
    """Packs readings: `columns[i]` of `readings[i]` are the next columns of the packed state.

    Args:
        readings: of each field, in packing order.
        columns: of each field, among its reading's.
    """

    def __init__(self, readings: Sequence[Reading], columns: Sequence[tuple[int, ...]]) -> None:
        self._readings = list(dict.fromkeys(readings))
        self._wanted = [(self._readings.index(reading), part) for reading, part in zip(readings, columns, strict=True)]
        self._index: Any = None
        self._sizes: dict[Reading, Any] = {}

    def pack(self, env: Env, info: Info) -> Any:
        """The packed states, a tensor `(N, D)` of single precision on the simulation's device."""
        import torch

        if not self._readings:
            return torch.zeros((env.num_envs, 0), device=env.device)
        read = [self._read(env, info, reading) for reading in self._readings]
        if self._index is None:
            begins = [sum(tensor.shape[1] for tensor in read[:number]) for number in range(len(read))]
            index = [begins[number] + column for number, part in self._wanted for column in part]
            self._index = torch.tensor(index, device=env.device)
        return torch.cat(read, dim=1)[:, self._index]

    def _read(self, env: Env, info: Info, reading: Reading) -> Any:
        """One reading; sizes are asked of each body in turn, so that they are kept where no reset builds others."""
        if reading.what != "size" or env.reconfiguration_freq:
            return read_tensor(env, info, reading)
        if reading not in self._sizes:
            self._sizes[reading] = read_tensor(env, info, reading)
        return self._sizes[reading]


def read_tensor(env: Env, info: Info, reading: Reading) -> Any:
    """One reading, `(N, k)`, of single precision."""
    import torch

    if reading.of == "info":
        value = info[reading.name]
    elif reading.of == "actor":
        value = _OF_BODY[reading.what](env, actor(env, reading.name), reading)
    else:
        value = attribute(env, reading.name)
        if reading.what != "value":
            value = _OF_BODY[reading.what](env, value, reading)
    return value.to(device=env.device, dtype=torch.float32).reshape(env.num_envs, -1)


def actor(env: Env, name: str) -> Any:
    """An actor of the scene, or a view of different ones in each sub-scene."""
    views = env.scene.actor_views
    return views[name] if name in views else env.scene.actors[name]


def attribute(env: Env, dotted: str) -> Any:
    """What an attribute holds; a function is called."""
    value = reduce(getattr, dotted.split("."), env)
    return value() if callable(value) else value


def centre_of_mass(body: Any) -> Any:
    """Of an actor or link, in its own frame, `(N, 3)`."""
    return body.cmass_local_pose.p


def half_sizes(body: Any) -> list[tuple[float, ...]]:
    """Of an actor's only shape in each sub-scene: three for a box, a radius for a sphere; empty for any other body."""
    found = []
    for part in body._bodies:
        shapes = part.collision_shapes if part is not None else []
        if len(shapes) != 1:
            return []
        size = getattr(shapes[0], "half_size", None)
        if size is None:
            size = [shapes[0].radius] if hasattr(shapes[0], "radius") and not hasattr(shapes[0], "half_length") else []
        found.append(tuple(float(number) for number in size))
    return found if found and found[0] else []


def _pose(env: Env, body: Any, reading: Reading) -> Any:
    """Position and quaternion wxyz, of a body or of a pose itself."""
    return body.raw_pose if hasattr(body, "raw_pose") else body.pose.raw_pose


def _linear_velocity(env: Env, body: Any, reading: Reading) -> Any:
    return body.linear_velocity


def _angular_velocity(env: Env, body: Any, reading: Reading) -> Any:
    return body.angular_velocity


def _origin_velocity(env: Env, body: Any, reading: Reading) -> Any:
    """PhysX tells the velocity of the centre of mass; this is the origin's, where that is another point."""
    import torch

    arm = _turned(body.pose.q, centre_of_mass(body).to(env.device))
    return body.linear_velocity - torch.linalg.cross(body.angular_velocity, arm)


def _turned(quaternion: Any, vector: Any) -> Any:
    """A vector of the body's frame, in the world: `(N, 4)` wxyz, `(N, 3)` -> `(N, 3)`."""
    import torch

    real, axis = quaternion[:, :1], quaternion[:, 1:]
    across = 2 * torch.linalg.cross(axis, vector)
    return vector + real * across + torch.linalg.cross(axis, across)


def _size(env: Env, body: Any, reading: Reading) -> Any:
    import torch

    return torch.tensor(half_sizes(body))


def _grasp(env: Env, body: Any, reading: Reading) -> Any:
    return env.agent.is_grasping(body, max_angle=reading.angle)


def _forces(env: Env, body: Any, reading: Reading) -> Any:
    """Of each finger on the body, their lengths."""
    import torch

    fingers = (env.agent.finger1_link, env.agent.finger2_link)
    forces = [env.scene.get_pairwise_contact_forces(finger, body) for finger in fingers]
    return torch.linalg.norm(torch.stack(forces, dim=1), dim=-1)


def _fingers(env: Env, joints: Any, reading: Reading) -> Any:
    """Of a hand's two fingers, which are the last joints, together."""
    return joints[:, -2:].sum(dim=1)


_OF_BODY: Mapping[str, Callable[[Env, Any, Reading], Any]] = {
    "fingers": _fingers,
    "pose": _pose,
    "linear_velocity": _linear_velocity,
    "origin_velocity": _origin_velocity,
    "angular_velocity": _angular_velocity,
    "size": _size,
    "grasp": _grasp,
    "forces": _forces,
}

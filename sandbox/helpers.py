"""The pure helpers that every reward program may call without an import.

Each takes arrays whose last axis is the vector or quaternion (wxyz) and whose leading axes are free, as `(N, 3)`.
They keep to the Python Array API, so the same text works on numpy, torch and JAX arrays. World frame: z is up.
"""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable
from typing import Any


def _namespace(array: Any) -> Any:
    """The array library that `array` belongs to, with the functions of the Array API."""
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    import array_api_compat  # for torch, whose tensors do not name theirs

    return array_api_compat.array_namespace(array)


def norm(vector: Any) -> Any:
    """Length of each vector (..., k) -> (...)."""
    xp = _namespace(vector)
    return xp.sqrt(xp.sum(vector * vector, axis=-1))


def unit(vector: Any) -> Any:
    """Each vector scaled to length 1, (..., k) -> (..., k); a zero vector stays zero."""
    xp = _namespace(vector)
    length = norm(vector)[..., None]
    return vector / xp.where(length > 0, length, xp.ones_like(length))


def rotate(quaternion: Any, vector: Any) -> Any:
    """Vector of the body's frame, in the world: (..., 4), (..., 3) -> (..., 3)."""
    w, x, y, z = (quaternion[..., i] for i in range(4))
    a, b, c = (vector[..., i] for i in range(3))
    # v + 2 w (q × v) + 2 q × (q × v), with t = 2 (q × v)
    t, u, v = 2 * (y * c - z * b), 2 * (z * a - x * c), 2 * (x * b - y * a)
    turned = (a + w * t + y * v - z * u, b + w * u + z * t - x * v, c + w * v + x * u - y * t)
    return _namespace(quaternion).stack(turned, axis=-1)


def inverse_rotate(quaternion: Any, vector: Any) -> Any:
    """Vector of the world, in the body's frame: (..., 4), (..., 3) -> (..., 3)."""
    w, x, y, z = (quaternion[..., i] for i in range(4))
    return rotate(_namespace(quaternion).stack((w, -x, -y, -z), axis=-1), vector)


def up_vector(quaternion: Any) -> Any:
    """Direction of the body's own z axis in the world, (..., 4) -> (..., 3): z is 1 upright, -1 upside down."""
    w, x, y, z = (quaternion[..., i] for i in range(4))
    along = (2 * (x * z + w * y), 2 * (y * z - w * x), w * w - x * x - y * y + z * z)
    return _namespace(quaternion).stack(along, axis=-1)


def forward_vector(quaternion: Any) -> Any:
    """Direction of the body's own x axis in the world, (..., 4) -> (..., 3)."""
    w, x, y, z = (quaternion[..., i] for i in range(4))
    along = (w * w + x * x - y * y - z * z, 2 * (x * y + w * z), 2 * (x * z - w * y))
    return _namespace(quaternion).stack(along, axis=-1)


def pitch(quaternion: Any) -> Any:
    """Nose-down angle in rad, -pi to pi, (..., 4) -> (...): 0 level, pi/2 nose straight down, ±pi on the back.

    From how far the body's x axis points down and its z axis up, so heading does not matter and a planar robot's
    whole turn counts (no fold at ±pi/2); for small roll it is the usual Euler pitch.
    """
    return _namespace(quaternion).atan2(-forward_vector(quaternion)[..., 2], up_vector(quaternion)[..., 2])


def roll(quaternion: Any) -> Any:
    """Right-side-down angle in rad about the body's x axis, -pi to pi, (..., 4) -> (...); 0 level."""
    w, x, y, z = (quaternion[..., i] for i in range(4))
    return _namespace(quaternion).atan2(2 * (y * z + w * x), up_vector(quaternion)[..., 2])


def yaw(quaternion: Any) -> Any:
    """Heading of the body's x axis in rad, -pi to pi, (..., 4) -> (...): 0 along world x, pi/2 along world y."""
    forward = forward_vector(quaternion)
    return _namespace(quaternion).atan2(forward[..., 1], forward[..., 0])


def angle_difference(first: Any, second: Any) -> Any:
    """Shortest turn from `second` to `first` in rad, -pi to pi; any shapes that broadcast."""
    difference = first - second
    xp = _namespace(difference)
    return xp.atan2(xp.sin(difference), xp.cos(difference))


def gaussian(value: Any, width: float = 1.0) -> Any:
    """exp(-(value / width)²): 1 at zero, 0.37 at `width`, smooth."""
    scaled = value / width
    return _namespace(value).exp(-(scaled * scaled))


def tolerance(value: Any, lower: Any = 0.0, upper: Any = 0.0, margin: Any = 0.0) -> Any:
    """1 from `lower` to `upper`; outside falls smoothly, to 0.1 at `margin` away (without one at once); arrays, too."""
    xp = _namespace(value)
    zero, one = xp.zeros_like(value), xp.ones_like(value)
    outside = xp.maximum(xp.maximum(lower - value, value - upper), zero)
    margin = zero + margin
    smooth = margin > 0
    scaled = outside / xp.where(smooth, margin, one)
    return xp.where(smooth, xp.exp(math.log(0.1) * scaled * scaled), xp.where(outside > 0, zero, one))


HELPERS: dict[str, Callable[..., Any]] = {
    helper.__name__: helper
    for helper in (
        norm,
        unit,
        rotate,
        inverse_rotate,
        up_vector,
        forward_vector,
        pitch,
        roll,
        yaw,
        angle_difference,
        gaussian,
        tolerance,
    )
}
"""What a program's globals hold, by name."""


UPRIGHT = frozenset(("up_vector", "forward_vector", "pitch", "roll", "yaw"))
"""Helpers that take z as up and x as ahead."""


def describe(up: str = "z") -> str:
    """The helpers for a prompt: one line each, signature and meaning; where z is not up, those that hold there."""
    return "\n".join(_describe(helper) for name, helper in HELPERS.items() if up == "z" or name not in UPRIGHT)


def source_of(*names: str) -> str:
    """Source of these helpers and of all they call, with the imports they need: a text that stands alone.

    Raises:
        KeyError: a name is no helper.
    """
    functions: dict[str, str] = {}
    for name in names:
        _gather(HELPERS[name], functions)
    return "import math\nfrom typing import Any\n\n\n" + "\n\n\n".join(functions.values()) + "\n"


def _describe(helper: Callable[..., Any]) -> str:
    parameters = inspect.signature(helper).parameters.values()
    shown = ", ".join(p.name if p.default is p.empty else f"{p.name}={p.default}" for p in parameters)
    return f"{helper.__name__}({shown})  # {(helper.__doc__ or '').splitlines()[0]}"


def _gather(function: Callable[..., Any], into: dict[str, str]) -> None:
    """Add `function` to `into`, after what it calls."""
    source = inspect.getsource(function)
    called = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    for name in sorted(called):
        other = globals().get(name)
        if inspect.isfunction(other) and other is not function and name not in into:
            _gather(other, into)
    into[function.__name__] = source.rstrip()

"""Indexing arrays whose shape is known: what `field[:, 2]` is, and what surely fails."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from reward_agent.reading.values import OTHER, Arr, Value

AXES = {"x": 0, "y": 1, "z": 2}


def index(node: ast.Subscript, array: Arr) -> Value | str:
    """What an index by numbers and slices gives, or what is wrong with it; anything else is not followed."""
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if not all(_plain(part) for part in parts):
        return OTHER
    first, *rest = parts
    number = whole_number(first)
    if array.shape is None:
        return OTHER if number is not None else frozenset({Arr(view=array.view)})
    name = ast.unparse(node.value)[:60]
    if number is not None:
        if array.path is None:
            return OTHER
        better = f" `{name}[:, {number}]` is component {number} of every environment." if array.shape else ""
        return (
            f"The first axis of `{name}`, of shape {_sizes(array)}, is the environments: "
            f"`[{number}]` takes one of them.{better}"
        )
    if _is_ellipsis(first) and len(parts) == 2 and whole_number(parts[-1]) is not None and array.shape:
        rest = [*(ast.Slice() for _ in array.shape[:-1]), parts[-1]]
    elif any(_is_ellipsis(part) or _is_new_axis(part) for part in parts):
        return frozenset({Arr(view=array.view)})
    if len(rest) > len(array.shape):
        return f"`{name}` has shape {_sizes(array)} and cannot be indexed along {len(rest) + 1} axes."
    return _inside(name, array, rest)


def _inside(name: str, array: Arr, parts: Sequence[ast.expr]) -> Value | str:
    """The same index applied to one environment's value."""
    assert array.shape is not None
    kept: list[int] = []
    for part, size in zip(parts, array.shape, strict=False):
        at = whole_number(part)
        if isinstance(part, ast.Slice):
            bounds = [part.lower, part.upper, part.step]
            numbers = [None if bound is None else whole_number(bound) for bound in bounds]
            if any(bound is not None and value is None for bound, value in zip(bounds, numbers, strict=True)):
                return frozenset({Arr(view=array.view)})
            kept.append(len(range(size)[slice(*numbers)]) if numbers[2] != 0 else size)
        elif at is not None and not -size <= at < size:
            return f"`{name}` has shape {_sizes(array)}: there is no component {at}."
    return frozenset({Arr(shape=(*kept, *array.shape[len(parts) :]), view=array.view)})


def no_attribute(node: ast.Attribute, array: Arr) -> str:
    """What to say of an attribute that arrays do not have."""
    owner = ast.unparse(node.value)[:60]
    at = AXES.get(node.attr)
    if at is not None and array.shape and at < array.shape[-1]:
        return f"`{owner}` is an array and has no `.{node.attr}`: write `{owner}[:, {at}]`."
    return f"`{owner}` is an array{_of(array)} and has no `.{node.attr}`."


def whole_number(node: ast.expr) -> int | None:
    """The value of an integer written out, as `2` or `-1`."""
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int(value)):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
            return -value
    return None


def _of(array: Arr) -> str:
    return "" if array.shape is None else f" of shape {_sizes(array)}"


def _sizes(array: Arr) -> str:
    sizes = ", ".join(["N", *map(str, array.shape or ())])
    return f"({sizes})" if array.shape else f"({sizes},)"


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _is_new_axis(node: ast.expr) -> bool:
    none = isinstance(node, ast.Constant) and node.value is None
    return none or (isinstance(node, ast.Attribute) and node.attr == "newaxis")


def _plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Slice) or whole_number(node) is not None or _is_ellipsis(node) or _is_new_axis(node)

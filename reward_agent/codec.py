"""Frozen dataclasses to plain JSON data and back, by their type hints; lossless for what a run keeps.

Floats survive bit for bit (JSON writes the shortest text that reads back equal). What JSON has no number for
is written as the strings "NaN", "Infinity" and "-Infinity", so that any reader of JSON can read the journal; bytes
are written as base64.
"""

from __future__ import annotations

import dataclasses
import json
import math
from base64 import b64decode, b64encode
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")

_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def encode(value: object) -> Any:
    """Plain data (dict, list, str, int, float, bool, None) for dataclasses, tuples and mappings of them.

    Raises:
        TypeError: something in it is of a type that has no plain form.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _NOT_FINITE[str(float(value))]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"only text can be a key of JSON: {list(value)[:3]}")
        return {key: encode(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: encode(getattr(value, name)) for name in _hints(type(value))}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: encode(item) for name, item in zip(value._fields, value, strict=True)}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    raise TypeError(f"no plain form for {type(value).__name__}")


def decode(kind: Any, data: Any) -> Any:
    """The value of type `kind` that `encode` made `data` of.

    A field that `data` lacks takes its default, so that records of an earlier release stay readable.

    Raises:
        TypeError, ValueError: `data` is not of that type.
    """
    if kind is Any or kind is object:
        return data
    if kind is float:
        return float(data)
    if kind in (int, str, bool, NoneType):
        if not isinstance(data, kind):
            raise TypeError(f"expected {kind.__name__}, found {data!r:.80}")
        return data
    if kind is Path:
        return Path(data)
    if kind is bytes:
        return b64decode(data, validate=True)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _decode_union(arguments, data)
    if origin is Literal:
        if data not in arguments:
            raise ValueError(f"{data!r:.80} is none of {arguments}")
        return data
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return tuple(decode(arguments[0], item) for item in data)
        return tuple(decode(each, item) for each, item in zip(arguments, data, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: decode(arguments[1], item) for key, item in data.items()}
    if isinstance(kind, type) and (dataclasses.is_dataclass(kind) or hasattr(kind, "_fields")):
        hints = _hints(kind)
        unknown = set(data) - set(hints)
        if unknown:
            raise TypeError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
        return kind(**{name: decode(hints[name], item) for name, item in data.items()})
    raise TypeError(f"no way to read {kind} from plain data")


def to_line(data: Any) -> str:
    """One line of strict JSON."""
    return json.dumps(data, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def read_as(kind: type[T], text: str) -> T:
    """The value of type `kind` in JSON text."""
    return cast(T, decode(kind, json.loads(text)))


def _decode_union(members: tuple[Any, ...], data: Any) -> Any:
    if data is None and NoneType in members:
        return None
    if isinstance(data, Mapping):
        # classes of one union are told apart by their fields: no tag to keep in step with their names
        for member in members:
            if dataclasses.is_dataclass(member) and set(data) == set(_hints(cast(type, member))):
                return decode(member, data)
    for member in members:
        if member is not NoneType:
            try:
                return decode(member, data)
            except (TypeError, ValueError):
                continue
    raise TypeError(f"{data!r:.80} is none of {members}")


@cache
def _hints(kind: type) -> dict[str, Any]:
    """Types of what the constructor takes, by name."""
    hints = get_type_hints(kind)
    if dataclasses.is_dataclass(kind):
        return {field.name: hints[field.name] for field in dataclasses.fields(kind) if field.init}
    return hints

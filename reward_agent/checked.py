"""Settings: numbers held to their ranges, changed by name, read from texts as `learning_rate=1e-3`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from reward_agent.errors import UsageError, unknown_name


@dataclass(frozen=True)
class Range:
    """What a number may be, both ends included; written into its annotation. It is finite in any case."""

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    """Leave `low` itself out."""

    def holds(self, value: float) -> bool:
        low = self.low < value if self.above else self.low <= value
        return math.isfinite(value) and low and value <= self.high

    def __str__(self) -> str:
        low = f"above {self.low:g}" if self.above else f"at least {self.low:g}"
        bounds = [low] * (self.low > -math.inf) + [f"at most {self.high:g}"] * (self.high < math.inf)
        return " and ".join(bounds) or "finite"


Count = Annotated[int, Range(1)]
Number = Annotated[float, Range()]
Positive = Annotated[float, Range(0, above=True)]
NotNegative = Annotated[float, Range(0)]
Share = Annotated[float, Range(0, 1)]


@dataclass(frozen=True)
class Checked:
    """Settings of anything, whose values are held to their annotations.

    Raises:
        UsageError: a value is outside the range or choices that its annotation gives.
    """

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(type(self), include_extras=True).items():
            _check(name, hint, getattr(self, name))


S = TypeVar("S", bound=Checked)


def changed(settings: S, changes: Mapping[str, Any] | None) -> S:
    """`settings` with what a caller wants otherwise.

    Raises:
        UsageError: an unknown setting, or a value of another type or out of its range.
    """
    known = {field.name: getattr(settings, field.name) for field in fields(settings)}
    values = {}
    for name, value in (changes or {}).items():
        if name not in known:
            raise unknown_name("setting", name, known)
        values[name] = _as(type(known[name]), name, value)
    return replace(settings, **values)


def read(settings: Checked, words: Iterable[str], option: str = "--set") -> dict[str, Any]:
    """What a caller wants otherwise than in `settings`, from texts of an option as `learning_rate=1e-3` or
    `hidden=256,256`.

    Raises:
        UsageError: an unknown setting, one named twice, or a text that is no value of its type.
    """
    known = {field.name: getattr(settings, field.name) for field in fields(settings)}
    values: dict[str, Any] = {}
    for word in words:
        name, separator, text = (part.strip() for part in word.partition("="))
        if not separator:
            raise UsageError(f"{word!r} sets nothing: write NAME=VALUE, as `{option} {_example(settings)}`.")
        if name not in known:
            raise unknown_name("setting", name, known)
        if name in values:
            raise UsageError(f"The setting {name!r} is set twice, to {values[name]!r} and to {text!r}: leave one out.")
        wanted, read_text = _TEXTS[type(known[name])]
        try:
            values[name] = read_text(text)
        except (ValueError, OverflowError, KeyError) as error:
            hint = get_type_hints(type(settings), include_extras=True)[name]
            bounds = f" ({_range(hint)})" if _range(hint) else ""
            raise UsageError(f"The setting {name!r} wants {wanted}{bounds}, not {text!r}.") from error
    return values


def _example(settings: Checked) -> str:
    """A setting as it is, to be written otherwise."""
    first = fields(settings)[-1].name
    return f"{first}={getattr(settings, first)}"


def _whole(text: str) -> int:
    """Also as `1e6`."""
    number = float(text)
    if number != int(number):
        raise ValueError(text)
    return int(number)


_YES_NO = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_TEXTS: Mapping[type, tuple[str, Callable[[str], Any]]] = {
    bool: ("true or false", lambda text: _YES_NO[text.lower()]),
    int: ("a whole number", _whole),
    float: ("a number", float),
    str: ("a word", str),
    tuple: ("whole numbers with commas between", lambda text: tuple(_whole(part) for part in text.split(","))),
}
"""What a text must be to be a value of a type, and how it is read."""


def _range(hint: Any) -> str:
    """What its annotation says a number may be."""
    for each in (hint, *get_args(hint)):
        for mark in getattr(each, "__metadata__", ()):
            if isinstance(mark, Range):
                return str(mark)
    return ""


def _check(name: str, hint: Any, value: Any) -> None:
    wanted = ""
    if get_origin(hint) is tuple:
        (each, *_) = get_args(hint)
        for item in value:
            _check(name, each, item)
    elif get_origin(hint) is Annotated:
        wanted = next((str(r) for r in hint.__metadata__ if isinstance(r, Range) and not r.holds(value)), "")
    elif get_origin(hint) is Literal and value not in get_args(hint):
        wanted = " or ".join(map(str, get_args(hint)))
    if wanted:
        raise UsageError(f"The setting {name!r} must be {wanted}, not {value!r}.")


def _as(kind: type, name: str, value: Any) -> Any:
    if kind is tuple and isinstance(value, (list, tuple)) and all(isinstance(v, int) for v in value):
        return tuple(value)
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise UsageError(f"The setting {name!r} wants a {kind.__name__}, not {value!r}.")

"""The scale of an axis: round ticks, and where a value lies on it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, drawn from `start` to `end` [px]."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(cls, values: Iterable[float], start: float, end: float, *, margin: float = 0.0) -> Axis:
        """The one that holds all the values that are finite, with a share of their range as margin."""
        finite = [value for value in values if math.isfinite(value)]
        low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
        if low == high:
            pad = abs(low) / 2 or 1.0
            low, high = low - pad, high + pad
        else:
            # halves, for the range of two huge numbers may be too large for one
            pad = 2 * margin * (high / 2 - low / 2)
            low, high = low - pad, high + pad
        return cls(max(low, -_LARGEST), min(high, _LARGEST), start, end)

    def at(self, value: float) -> float:
        """Where the value lies [px]."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self, about: int = 4, *, whole: bool = False) -> list[float]:
        """Round numbers within, at steps of 1, 2 or 5 times a power of ten; none between whole numbers if `whole`."""
        raw = (self.high - self.low) / about
        power = 10.0 ** math.floor(math.log10(raw)) if raw > _SMALLEST else _SMALLEST
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw or factor == 10)
        step = max(step, 1.0) if whole else step
        first = math.ceil(self.low / step)
        found = [(first + index) * step for index in range(2 * about + 2)]
        return [0.0 if abs(tick) < step / 2 else tick for tick in found if tick <= self.high]


_SMALLEST, _LARGEST = 1e-300, 8e307


def short(value: float, digits: int = 3) -> str:
    """A number in few letters, as `0.25`, `-1.5k`, `2M` or `3e-05`."""
    unit, letter = _unit(value)
    return f"{value / unit:.{digits}g}{letter}"


def labels(ticks: Sequence[float]) -> list[str]:
    """Of the ticks of one axis, with as many digits as they need."""
    step = min((after - before for before, after in pairwise(ticks)), default=math.inf)

    def exact(digits: int) -> bool:
        units = [_unit(tick)[0] for tick in ticks]
        return all(
            abs(float(f"{tick / unit:.{digits}g}") * unit - tick) <= step / 20
            for tick, unit in zip(ticks, units, strict=True)
        )

    digits = next((digits for digits in range(3, 16) if exact(digits)), 16)
    return [short(tick, digits) for tick in ticks]


def _unit(value: float) -> tuple[float, str]:
    units = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
    return next((each for each in units if each[0] <= abs(value) < 1000 * each[0]), (1.0, ""))

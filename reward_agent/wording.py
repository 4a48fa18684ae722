"""How numbers are told to people: times, intervals, counts, costs."""

from __future__ import annotations

import math

from reward_agent.history import Interval


def duration(seconds: float) -> str:
    """As `45 s`, `3 min`, `2 h 10 min`; empty when unknown."""
    if not math.isfinite(seconds):
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def interval(value: Interval) -> str:
    """The mean with its 95 % interval, where it has one: one episode has none."""
    if value.single:
        return number(value.mean)
    return f"{number(value.mean)} [{number(value.low)}, {number(value.high)}]"


def number(value: float) -> str:
    """Four significant digits, without an exponent where one can do without."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"


def count(number: int, what: str) -> str:
    """As `1 training` or `3 trainings`."""
    plural = what[:-1] + "ies" if what.endswith("y") else what + ("es" if what.endswith("ch") else "s")
    return f"{number:,} {what if number == 1 else plural}"


def cost(tokens: int, usd: float) -> str:
    """Tokens and money so far."""
    return count(tokens, "token") + (f", ${usd:.2f}" if usd else "")

"""Means with their intervals beside one another, one row each, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from reward_agent.drawing.axes import Axis, labels
from reward_agent.drawing.curves import style
from reward_agent.drawing.text import shown
from reward_agent.history import Interval
from reward_agent.wording import interval

_WIDTH, _LEFT, _RIGHT, _ROW, _BELOW = 420, 120, 14, 24, 24
_LABEL = 20
"""Letters of a row's name that fit beside it."""


def interval_chart(title: str, rows: Sequence[tuple[str, Interval]]) -> Markup:
    """A dot for each mean and a bar for its interval, where it has one. Rows whose mean is no number are left out."""
    known = [(label, value) for label, value in rows if math.isfinite(value.mean)]
    heading = Markup("<figcaption>{}</figcaption>").format(shown(title))
    if not known:
        return Markup('<figure class="chart">{}<p class="empty">Nothing was measured.</p></figure>').format(heading)
    axis = Axis.over((end for _, value in known for end in value), _LEFT, _WIDTH - _RIGHT, margin=0.05)
    bottom = _ROW * len(known) + 4
    parts = []
    ticks = axis.ticks()
    for tick, told in zip(ticks, labels(ticks), strict=True):
        x = f"{axis.at(tick):.1f}"
        parts.append(Markup('<line class="grid" x1="{}" x2="{}" y1="2" y2="{}"/>').format(x, x, bottom))
        parts.append(Markup('<text class="tick x" x="{}" y="{}">{}</text>').format(x, bottom + 16, told))
    for index, (label, value) in enumerate(known):
        parts.append(_row(index, label, value, axis))
    told = "; ".join(f"{shown(label)}: {interval(value)}" for label, value in known)
    return Markup(
        '<figure class="chart wide">{}<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg></figure>'
    ).format(heading, _WIDTH, bottom + _BELOW, f"{shown(title)}. {told}", Markup("").join(parts))


def _row(index: int, label: str, value: Interval, axis: Axis) -> Markup:
    y = _ROW * index + _ROW // 2 + 2
    name = shown(label)
    name = name if len(name) <= _LABEL else f"{name[: _LABEL - 1]}…"
    bar = Markup("")
    if not value.single:
        low, high = (f"{axis.at(end):.1f}" for end in (value.low, value.high))
        bar = Markup('<polyline points="{},{} {},{}"/>').format(low, y, high, y)
    return Markup(
        '<text class="tick y" x="{}" y="{}" dy="0.32em">{}</text><g class="{}">{}<circle cx="{}" cy="{}" r="4"/></g>'
    ).format(_LEFT - 10, y, name, style(index), bar, f"{axis.at(value.mean):.1f}", y)

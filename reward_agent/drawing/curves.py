"""Curves as inline SVG: labelled axes, a title and a summary for who does not see it, colours from the style sheet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reward_agent.drawing.axes import Axis, labels, short
from reward_agent.drawing.text import shown

WIDTH, WIDE, HEIGHT = 320, 420, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 10, 38
COLOURS = 8
"""Of the style sheet; further series repeat them, dashed."""
LABEL = 60
"""Letters of a label that are drawn."""


@dataclass(frozen=True)
class Series:
    """Points in the order of their line; it breaks where a number is not finite."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    line: bool = True
    """Joined; else dots alone."""
    colour: int | None = None
    """By number; its place among the series unless given."""
    faint: bool = False
    """One of many behind the others: thin, and not in the legend."""


def line_chart(
    title: str,
    series: Sequence[Series],
    *,
    x_label: str,
    y_label: str = "",
    wide: bool = False,
    whole: bool = False,
) -> Markup:
    """A figure with a legend where there are several series. Where there is no number it says so.

    Args:
        title: above it.
        series: in the order of their colours.
        x_label, y_label: of the axes.
        wide: for fewer and larger figures side by side.
        whole: x counts something, so that no tick lies between whole numbers.
    """
    drawn = [_finite(each) for each in series]
    points = [point for each in drawn for stretch in each for point in stretch]
    heading = Markup("<figcaption>{}</figcaption>").format(shown(title))
    if not points:
        return Markup('<figure class="chart">{}<p class="empty">Nothing was measured.</p></figure>').format(heading)
    width = WIDE if wide else WIDTH
    xs = [x for x, _ in points]
    if whole and min(xs) == max(xs):
        xs += [xs[0] - 0.5, xs[0] + 0.5]
    across = Axis.over(xs, _LEFT, width - _RIGHT, margin=0.04 if whole else 0.0)
    up = Axis.over((y for _, y in points), HEIGHT - _BOTTOM, _TOP, margin=0.05)
    body = Markup("").join(
        [
            *_grid(across, up, width, x_label, y_label, whole),
            *(_drawn(index, each, drawn[index], across, up) for index, each in enumerate(series)),
        ]
    )
    summary = "; ".join(filter(None, map(_told, series, drawn)))
    return Markup(
        '<figure class="chart{}">{}<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>{}</figure>'
    ).format(
        " wide" if wide else "",
        heading,
        width,
        HEIGHT,
        shown(f"{title}, by {x_label}. {summary}"),
        body,
        _legend(series) if len(series) > 1 else "",
    )


def style(index: int) -> str:
    """The classes of the series at `index`: its colour, and its dashes from the ninth on."""
    dashed = index // COLOURS
    return f"series-{index % COLOURS}" + (f" dashed-{min(dashed, 3)}" if dashed else "")


def _finite(series: Series) -> list[list[tuple[float, float]]]:
    """Stretches of points that are numbers; a line goes on from the last of several at one place."""
    stretches: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(series.x, series.y, strict=False):
        if series.line and stretches[-1] and stretches[-1][-1][0] == x and math.isfinite(y):
            stretches[-1][-1] = (float(x), float(y))
        elif math.isfinite(x) and math.isfinite(y):
            stretches[-1].append((float(x), float(y)))
        elif stretches[-1]:
            stretches.append([])
    return [stretch for stretch in stretches if stretch]


def _grid(across: Axis, up: Axis, width: int, x_label: str, y_label: str, whole: bool) -> Iterator[Markup]:
    ticks = up.ticks()
    for tick, label in zip(ticks, labels(ticks), strict=True):
        y = f"{up.at(tick):.1f}"
        yield Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(_LEFT, width - _RIGHT, y, y)
        yield Markup('<text class="tick y" x="{}" y="{}" dy="0.32em">{}</text>').format(_LEFT - 6, y, label)
    bottom = HEIGHT - _BOTTOM
    ticks = across.ticks(whole=whole)
    for tick, label in zip(ticks, labels(ticks), strict=True):
        x = f"{across.at(tick):.1f}"
        yield Markup('<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(x, x, bottom, bottom + 4)
        yield Markup('<text class="tick x" x="{}" y="{}">{}</text>').format(x, bottom + 16, label)
    yield Markup('<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(_LEFT, width - _RIGHT, bottom, bottom)
    yield Markup('<text class="label x" x="{}" y="{}">{}</text>').format(
        (_LEFT + width - _RIGHT) // 2, HEIGHT - 4, _cut(x_label)
    )
    if y_label:
        middle = (_TOP + bottom) // 2
        yield Markup('<text class="label x" x="12" y="{}" transform="rotate(-90 12 {})">{}</text>').format(
            middle, middle, _cut(y_label)
        )


def _drawn(index: int, series: Series, stretches: list[list[tuple[float, float]]], across: Axis, up: Axis) -> Markup:
    parts = []
    for stretch in stretches:
        placed = [(f"{across.at(x):.1f}", f"{up.at(y):.1f}") for x, y in stretch]
        if series.line and len(placed) > 1:
            parts.append(Markup('<polyline points="{}"/>').format(" ".join(f"{x},{y}" for x, y in placed)))
        else:
            parts += [Markup('<circle cx="{}" cy="{}" r="3"/>').format(x, y) for x, y in placed]
    named = style(index if series.colour is None else series.colour)
    return Markup('<g class="{}">{}</g>').format(f"{named} faint" if series.faint else named, Markup("").join(parts))


def _legend(series: Sequence[Series]) -> Markup:
    rows = [
        Markup('<li><svg class="key" viewBox="0 0 20 8" aria-hidden="true"><g class="{}">{}</g></svg>{}</li>').format(
            style(index if each.colour is None else each.colour),
            Markup('<polyline points="0,4 20,4"/>') if each.line else Markup('<circle cx="10" cy="4" r="3"/>'),
            _cut(each.label),
        )
        for index, each in enumerate(series)
        if not each.faint
    ]
    return Markup('<ul class="legend">{}</ul>').format(Markup("").join(rows))


def _told(series: Series, stretches: list[list[tuple[float, float]]]) -> str:
    """A curve in words."""
    if not stretches or series.faint:
        return ""
    values = [y for stretch in stretches for _, y in stretch]
    if len(values) == 1:
        return f"{_cut(series.label)}: {short(values[0])}"
    span = f"between {short(min(values))} and {short(max(values))}"
    return f"{_cut(series.label)}: from {short(values[0])} to {short(values[-1])}, {span}"


def _cut(label: str) -> str:
    whole = shown(label)
    return whole if len(whole) <= LABEL else f"{whole[: LABEL - 1]}…"

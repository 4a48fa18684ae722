"""Pictures of numbers and of programs as HTML and SVG, for a report and for the page.

    line_chart(title, [Series(label, x, y)], ...)      curves as inline SVG (`curves.py`)
    interval_chart(title, [(label, Interval)])         means with their intervals (`intervals.py`)
    highlight(source), diff(before, after)             a program; what changed in it (`code.py`)
    stylesheet()                                       the CSS of all of them, for light and dark

They give `Markup`: everything from outside in it is escaped, and there is no script, no inline style and no address.
"""

from __future__ import annotations

from importlib.resources import files

from reward_agent.drawing.code import diff, highlight
from reward_agent.drawing.curves import Series, line_chart
from reward_agent.drawing.intervals import interval_chart
from reward_agent.drawing.text import shown

__all__ = ["Series", "diff", "highlight", "interval_chart", "line_chart", "shown", "stylesheet"]


def stylesheet() -> str:
    """CSS of the classes that the drawings bear; colours are variables that a page may set otherwise."""
    return files("reward_agent.drawing").joinpath("drawing.css").read_text(encoding="utf-8")

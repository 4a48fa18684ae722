"""Templates: text among the values is escaped, and what cannot be seen in it is shown."""

from __future__ import annotations

from functools import cache
from typing import Any
from zlib import crc32

import jinja2
from markupsafe import Markup

from reward_agent.drawing import diff, highlight, shown
from reward_agent.wording import cost, count, duration, interval, number


def render(template: str, **values: Any) -> str:
    """The page of a template in `templates/`."""
    return _environment().get_template(template).render(**values)


def live(address: str, template: str, seen: str | None = None, *, going: bool = True, **values: Any) -> Markup | None:
    """A part of a page that looks for news every two seconds.

    Args:
        address: where it looks.
        template: of the part.
        seen: what the browser has: None is given where that is still so.
        going: false when nothing can change any more.
    """
    inner = Markup(render(template, **values))
    mark = f"{crc32(inner.encode()):08x}"
    if mark == seen:
        return None
    looks = Markup(' hx-get="{}{}seen={}" hx-trigger="every 2s" hx-swap="outerHTML"')
    found = looks.format(address, "&" if "?" in address else "?", mark) if going else ""
    return Markup('<div class="live"{}>{}</div>').format(found, inner)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reward_agent.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
    environment.filters |= {"interval": interval, "number": number, "duration": duration}
    environment.globals |= {"count": count, "cost": cost, "highlight": highlight, "diff": diff}
    return environment

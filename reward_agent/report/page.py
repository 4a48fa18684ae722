"""A page that needs nothing else: style and pictures are in it, and its policy forbids all that could run or load."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from reward_agent.drawing import diff, highlight, shown, stylesheet
from reward_agent.wording import cost, count, duration, interval, number


def render(template: str, **values: Any) -> str:
    """The page of a template in `templates/`; text among the values is escaped, and its unseen characters shown."""
    style = stylesheet() + files("reward_agent.report").joinpath("report.css").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("reward_agent.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters |= {"interval": interval, "number": number, "duration": duration}
    environment.globals |= {"count": count, "cost": cost, "highlight": highlight, "diff": diff}
    made = datetime.now(UTC).isoformat(timespec="seconds")
    # a style sheet of our own, as it is: escaped it would be another than the one whose hash the policy names
    return environment.get_template(template).render(style=Markup(style), policy=_policy(style), made=made, **values)


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; media-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def _visible(value: Any) -> Any:
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value

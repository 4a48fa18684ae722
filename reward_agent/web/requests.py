"""What routes share: pages as responses, parts that look for news, and forms."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException

from reward_agent.web.ballot_box import rater_name
from reward_agent.web.pages import live, render

MOST_FIELDS = 20


class BadRequestError(Exception):
    """A request that the page would not make: a paragraph for whoever did."""


def page(template: str, *, code: int = 200, **values: Any) -> HTMLResponse:
    """A whole page."""
    return HTMLResponse(render(template, **values), code)


def news(address: str, template: str, seen: str, *, going: bool = True, **values: Any) -> Response:
    """A part that was asked for again: 204 where it is as the browser has it."""
    part = live(address, template, seen, going=going, **values)
    return Response(status_code=204) if part is None else HTMLResponse(part)


async def form(request: Request) -> dict[str, str]:
    """The fields of a form.

    Raises:
        BadRequestError, HTTPException: it is none.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "The page takes forms alone.")
    try:
        text = (await request.body()).decode("utf-8")
        fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise BadRequestError("This is no form that the page could read.") from error
    return {name: value.replace("\r\n", "\n") for name, value in fields}


Form = Annotated[dict[str, str], Depends(form)]
"""A route's parameter: the route itself then runs beside the others, and may wait for a file."""


def named(given: str) -> str:
    """A rater's name. Raises `BadRequestError` where it is none."""
    try:
        return rater_name(given)
    except ValueError as error:
        raise BadRequestError(f"{error}.") from error

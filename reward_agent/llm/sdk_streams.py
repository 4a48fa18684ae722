"""Streams through the SDKs of OpenAI and Anthropic, which try again before the first byte: here, after it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from itertools import count
from typing import Any

from reward_agent.llm.asking import Answer, RequestError, dump
from reward_agent.llm.retries import pause
from reward_agent.llm.streaming import Pieces

_STATUS = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "overloaded_error": 529,
}
"""HTTP statuses of the errors that both protocols name, for those told in a stream that began with status 200."""


def read_streams(
    request: Callable[[int], AbstractContextManager[Any]],
    read: Callable[[Any], Answer],
    read_whole: Callable[[dict[str, Any]], Answer],
    failure_of: Callable[[Exception], RequestError | None],
    pieces: Pieces,
    retries: int,
) -> Answer:
    """The answer in the first stream that reaches its end.

    `request` sends one with at most so many retries of the SDK's own and gives the SDK's response; `read` makes its
    events an answer, `read_whole` the JSON of a server that does not stream. `failure_of` is what an error of the
    SDK's means, None for an error of anybody else's.

    Raises:
        RequestError: there was none in 1 + `retries` requests, or one failed in a way that will not pass.
    """
    left = retries
    for attempt in count():
        began = False
        try:
            with request(left) as response:
                began, left = True, left - 1 - int(response.retries_taken)
                kind = str(response.headers.get("content-type", ""))
                whole = kind.startswith(("application/json", "text/html"))
                return read_whole(_json(response.read())) if whole else read(response.parse())
        except Exception as error:
            failure = _failure_in_stream(error, failure_of) if began else failure_of(error)
            if failure is None:
                raise
            wait = pause(failure, "", attempt) if began and left >= 0 else None
            if wait is None:
                raise failure from None
        pieces.void()
        time.sleep(wait)
    raise AssertionError("the loop returns or raises")


def told_in_stream(said: object) -> RequestError:
    """What an error told in the middle of a stream means: the status it names, else a stream that broke off."""
    error = said.get("error", said) if isinstance(said, Mapping) else said
    if isinstance(error, Mapping):
        for name in ("code", "status", "type"):
            value = error.get(name)
            status = _STATUS.get(value) if isinstance(value, str) else value
            if isinstance(status, int) and 400 <= status < 600:
                return RequestError("status", said, status)
    return RequestError("connection", said)


def ended_early(odd: object) -> RequestError:
    """What a stream means that ended before its reply did; `odd` is an event in it that is none of a reply's."""
    if odd is not None:
        return RequestError("nonsense", dump(odd))
    return RequestError("connection", "the stream ended before the reply did")


def _failure_in_stream(error: Exception, failure_of: Callable[[Exception], RequestError | None]) -> RequestError | None:
    if isinstance(error, RequestError):
        return error
    if isinstance(error, json.JSONDecodeError):
        return RequestError("nonsense", error.doc)
    if isinstance(error, UnicodeDecodeError):
        return RequestError("nonsense", error)
    if type(error).__module__.startswith("httpx"):
        # by name: releases of the SDKs differ in which package of this family they use
        names = {base.__name__ for base in type(error).__mro__}
        return RequestError("timeout") if "TimeoutException" in names else RequestError("connection", error)
    failure, body = failure_of(error), getattr(error, "body", None)
    return told_in_stream(body) if failure and body else failure


def _json(content: bytes) -> dict[str, Any]:
    said = json.loads(content)
    if not isinstance(said, dict):
        raise RequestError("nonsense", content.decode(errors="replace"))
    return said

"""Who may ask the page anything: a browser on this machine that was given the link, and no other site through it.

Around the whole application (ASGI): it checks the `Host`, the token, where a write comes from and how large it is, and
puts the headers that a browser is to hold to on every response.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY = 64 * 1024
"""Of what a page may send [bytes]."""
READS = ("GET", "HEAD")
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # not `no-referrer`: by that one browsers leave the Origin of forms out
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
NO_TOKEN = (
    "This page is for whoever was given its link. Copy the link that `reward-agent serve` or `reward-agent rank` "
)
NO_TOKEN += "printed into the address bar; each start has another. What you had entered here is kept and sent then."


@dataclass(frozen=True)
class Guard:
    """Lets through to `app` what may come."""

    app: App
    token: str
    port: int

    @property
    def cookie(self) -> str:
        # cookies know no ports: two servers must not take each other's
        return f"reward-agent-{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", []), *_encoded(HEADERS)]
            await send(message)

        try:
            await self._answer(scope, receive, guarded)
        except Exception:
            logging.getLogger("reward_agent.web").exception("a mistake in the page")
            if not started:
                told = "Something went wrong here that nobody expected. The terminal of the server tells what."
                await _refuse(guarded, HTTPStatus.INTERNAL_SERVER_ERROR, told)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        hosts = [value for name, value in scope["headers"] if name.lower() == b"host"]
        if len(hosts) != 1 or host not in (f"127.0.0.1:{self.port}", f"localhost:{self.port}"):
            await _refuse(send, HTTPStatus.FORBIDDEN, "This page answers to the name of this machine alone.")
            return
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = next((value for name, value in query if name == "token"), None)
        if given is not None and scope["method"] == "GET" and self._is_token(given):
            await self._let_in(scope, query, send)
            return
        if not self._is_token(_cookie(headers.get("cookie", ""), self.cookie)):
            await _refuse(send, HTTPStatus.FORBIDDEN, NO_TOKEN)
            return
        if scope["method"] in READS:
            await self.app(scope, receive, send)
            return
        if not _is_own(headers, host):
            told = "What changes anything must come from the page itself, not from another site."
            await _refuse(send, HTTPStatus.FORBIDDEN, told)
            return
        body = await _body(headers, receive)
        if body is None:
            told = f"That is more than the {MAX_BODY // 1024} kB that the page takes at once. Shorten it."
            await _refuse(send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told)
            return
        await self.app(scope, _replayed(body, receive), send)

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.token.encode())

    async def _let_in(self, scope: Scope, query: list[tuple[str, str]], send: Send) -> None:
        """Keep the token in a cookie, and go to the same address without it."""
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        # two of these at the beginning are another host to a browser
        path = "/" + scope["raw_path"].decode("latin-1").lstrip("/\\")
        cookie = f"{self.cookie}={self.token}; HttpOnly; SameSite=Strict; Path=/"
        headers = {"location": path + (f"?{rest}" if rest else ""), "set-cookie": cookie, "content-length": "0"}
        await send({"type": "http.response.start", "status": HTTPStatus.SEE_OTHER, "headers": _encoded(headers)})
        await send({"type": "http.response.body", "body": b""})


def _is_own(headers: MutableMapping[str, str], host: str) -> bool:
    """A browser says where a request was made; what says nothing of it may be any program's, on behalf of any site."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and origin is None:
        return False
    return site in (None, "same-origin") and origin in (None, f"http://{host}")


def _cookie(header: str, name: str) -> str:
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


async def _body(headers: MutableMapping[str, str], receive: Receive) -> bytes | None:
    """All that is sent; None where it is too much, which is not waited for."""
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or int(length[:12]) > MAX_BODY:
        return None
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":  # half of a form must not be taken for the whole
            return None
        part = message.get("body", b"")
        size += len(part)
        if size > MAX_BODY:
            return None
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _refuse(send: Send, status: HTTPStatus, told: str) -> None:
    page = (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{status.phrase}</title>'
        f"<h1>{status.phrase}</h1><p>{escape(told)}</p></html>"
    ).encode()
    headers = {"content-type": "text/html; charset=utf-8", "content-length": str(len(page)), "connection": "close"}
    await send({"type": "http.response.start", "status": status, "headers": _encoded(headers)})
    await send({"type": "http.response.body", "body": page})


def _encoded(headers: MutableMapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]

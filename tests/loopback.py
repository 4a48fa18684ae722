"""A real HTTP server on 127.0.0.1 that speaks OpenAI's chat completions and Anthropic's messages, as a test scripts it.

    with Loopback() as server:
        server.script(fail(429, "slow down", {"retry-after": "0.01"}), say("hello"))
        ... openai:... at server.openai_url, anthropic:... at server.url ...
        server.requests[0].body["temperature"]

Each request takes the next step of the script; past its end every request gets a normal reply. For requests that come
side by side, a function (`server.answer`) of the request gives its step. Where a stream is asked for, a reply comes as
server-sent events (`loopback_streams`).
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Literal, Self

import loopback_streams

SECRET = "sk-proj-Zx81vQm3Lr7Tn2Wk9"
"""A key that no message may show."""


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    """By lower-case name."""
    body: dict[str, Any]
    time: float
    """Seconds of a monotonic clock."""

    @property
    def prompt(self) -> str:
        """Text of the last message."""
        return str(self.body["messages"][-1]["content"])


@dataclass(frozen=True)
class Step:
    """What the server does with one request."""

    kind: Literal["say", "whole", "fail", "raw", "hang", "cut"]
    text: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    tokens: tuple[int, int] = (100, 20)
    stop: str = "stop"
    model: str | None = None
    """The name it answers to; the one asked for when None."""
    seconds: float = 0.0
    pieces: tuple[str, ...] = ()
    """Of the text, in a stream; its words when empty."""
    end: loopback_streams.End = "whole"
    noise: str = ""
    """Sent before each event of a stream."""
    gate: Event | None = None
    """What comes after the first piece waits for it."""


def say(
    text: str = "hello", *, tokens: tuple[int, int] = (100, 20), stop: str = "stop", model: str | None = None
) -> Step:
    """A normal reply; `tokens` are input and output."""
    return Step("say", text, tokens=tokens, stop=stop, model=model)


def write(
    *pieces: str,
    end: loopback_streams.End = "whole",
    noise: str = "",
    gate: Event | None = None,
    tokens: tuple[int, int] = (100, 20),
    stop: str = "stop",
) -> Step:
    """A reply in these pieces; after the last the stream may break in a way named by `end`."""
    return Step("say", "".join(pieces), tokens=tokens, stop=stop, pieces=pieces, end=end, noise=noise, gate=gate)


def whole(text: str, *, tokens: tuple[int, int] = (100, 20)) -> Step:
    """A normal reply, in JSON even where a stream was asked for."""
    return Step("whole", text, tokens=tokens)


def fail(status: int, message: str = "no", headers: Mapping[str, str] | None = None) -> Step:
    """An error in the protocol's own shape."""
    return Step("fail", message, status, headers or {})


def raw(text: str, content_type: str = "application/json") -> Step:
    """HTTP 200 with any body at all."""
    return Step("raw", text, headers={"content-type": content_type})


def hang(seconds: float = 60.0) -> Step:
    """Nothing is sent for that long, or until the server closes."""
    return Step("hang", seconds=seconds)


def cut() -> Step:
    """A reply whose body ends before its announced length."""
    return Step("cut", "half a re")


class Loopback:
    """The server; listens while its `with` block lasts."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answer: Callable[[Request], Step] | None = None
        self._steps: deque[Step] = deque()
        self._lock = Lock()
        self._closing = Event()
        self.left = Event()
        """Set once a client has closed its connection while a stream of ours hung."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        """For Anthropic's SDK, which adds `/v1` itself."""
        self.openai_url = f"{self.url}/v1"

    def script(self, *steps: Step) -> None:
        """Do these, in order, with the requests to come."""
        self._steps.extend(steps)

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def take(self, request: Request) -> Step:
        """Record a request and say what to do with it."""
        with self._lock:
            self.requests.append(request)
            if self.answer is None:
                return self._steps.popleft() if self._steps else say()
        # outside the lock: it may wait for other requests
        return self.answer(request)

    def wait(self, seconds: float) -> None:
        """Sleep, or return early when the server closes."""
        self._closing.wait(seconds)

    def wait_for_leave(self, connection: socket.socket) -> None:
        """Return once the client has closed the connection, or the server closes."""
        while not self._closing.is_set():
            readable, _, _ = select.select([connection], [], [], 0.02)
            if readable and not connection.recv(1, socket.MSG_PEEK):
                self.left.set()
                return

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle(self) -> None:
                # a client that leaves with something unread resets the connection
                with suppress(ConnectionResetError):
                    super().handle()

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.path, headers, body, time.monotonic())
                try:
                    self._do(server.take(request), request)
                except (BrokenPipeError, ConnectionResetError):
                    # the client has given up on us, as some tests want it to
                    self.close_connection = True

            def _do(self, step: Step, request: Request) -> None:
                if step.kind == "hang":
                    server.wait(step.seconds)
                    self.close_connection = True
                    return
                if request.body.get("stream") and step.kind in ("say", "cut"):
                    self._stream(step, request)
                    return
                payload = _payload(step, request).encode()
                self.send_response(step.status)
                for name, value in ({"content-type": "application/json"} | dict(step.headers)).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(payload) * (2 if step.kind == "cut" else 1)))
                self.end_headers()
                self.wfile.write(payload)
                self.close_connection = step.kind == "cut"

            def _stream(self, step: Step, request: Request) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/event-stream; charset=utf-8")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                end = "cut" if step.kind == "cut" else step.end
                pieces = step.pieces or loopback_streams.words(step.text)
                events = loopback_streams.Events(request, step.model or request.body["model"])
                self._chunk(step.noise + events.start(step.tokens))
                for number, piece in enumerate(pieces):
                    self._chunk(step.noise + events.piece(piece))
                    if number == 0 and step.gate is not None:
                        step.gate.wait(30)
                if end == "error":
                    self._chunk(events.overloaded())
                if end == "whole":
                    self._chunk(step.noise + events.end(step.stop, step.tokens))
                if end == "hang":
                    server.wait_for_leave(self.connection)
                self.close_connection = end in ("cut", "hang")
                if not self.close_connection:
                    self.wfile.write(b"0\r\n\r\n")

            def _chunk(self, text: str) -> None:
                if payload := text.encode():
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(payload), payload))

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing: requests are kept instead."""

        return Handler


def _payload(step: Step, request: Request) -> str:
    if step.kind == "raw":
        return step.text
    anthropic = request.path.endswith("/messages")
    if step.kind == "fail":
        error = {"type": "error", "message": step.text, "code": None, "param": None}
        return json.dumps({"type": "error", "error": error} if anthropic else {"error": error})
    model = step.model or request.body["model"]
    if anthropic:
        return json.dumps(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": model,
                "content": [
                    {"type": "thinking", "thinking": "not for the reader", "signature": ""},
                    *([{"type": "text", "text": step.text}] if step.text else []),
                ],
                "stop_reason": step.stop,
                "stop_sequence": None,
                "usage": {"input_tokens": step.tokens[0], "output_tokens": step.tokens[1]},
            }
        )
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": model,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": step.text or None},
                    "finish_reason": step.stop,
                }
            ],
            "usage": {
                "prompt_tokens": step.tokens[0],
                "completion_tokens": step.tokens[1],
                "total_tokens": sum(step.tokens),
            },
        }
    )

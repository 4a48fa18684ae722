"""What every provider over HTTP shares: settings, what a model refuses, errors in words, the record of a reply."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from reward_agent.llm.asking import Answer, RequestError, Send, SendStream
from reward_agent.llm.base import Heard, LLMError, Options
from reward_agent.llm.prices import Price
from reward_agent.llm.redaction import hide_secrets, redact
from reward_agent.llm.streaming import Pieces
from reward_agent.messages import Key, Message, Reply, Usage

_LONGEST_QUOTE = 500
_ABOUT_STREAMS = re.compile(r"\bstream", re.IGNORECASE)
# as servers complain that know no images: of the part's name, of what the model lacks, of a content that is no string
_ABOUT_IMAGES = re.compile(r"image|vision|visual|multi-?modal|modalit|(?:must|should|expected).*string", re.IGNORECASE)
_NOT_ABOUT_IMAGES = (401, 402, 403, 408, 409, 429)


class Chat:
    """A model behind a server. Remembers what the model refused: settings, or to stream."""

    def __init__(
        self,
        name: str,
        send: Send,
        options: Options,
        *,
        server: str,
        key_variable: str,
        price: Callable[[str], Price | None],
        base_url: str | None = None,
        send_stream: SendStream | None = None,
    ) -> None:
        """`server` and `key_variable` are for messages; `price` takes the name a server answers to.

        Without `send_stream`, replies are heard in one piece.
        """
        self.name = name
        self._send, self._options, self._price = send, options, price
        self._send_stream = send_stream
        self._server, self._key_variable = redact(server), key_variable
        self._base_url = redact(base_url) if base_url else None
        self._refuses_temperature = False

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def priced(self) -> bool:
        """Whether the cost of its replies will be known."""
        return self._price(self.name.partition(":")[2]) is not None

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        """One reply.

        Raises:
            LLMError: there is none, with what to do.
        """
        return self._reply(messages, self._send)

    def stream(self, messages: Sequence[Message], key: Key, heard: Heard) -> Reply:
        """One reply, heard as it comes.

        Raises:
            LLMError: there is none, with what to do.
        """
        pieces = Pieces(heard)

        def send(messages: Sequence[Message], settings: Mapping[str, Any]) -> Answer:
            return self._in_pieces(messages, settings, pieces)

        reply = self._reply(messages, send)
        pieces.end(reply.text)
        return reply

    def _reply(self, messages: Sequence[Message], send: Send) -> Reply:
        try:
            answer, settings = self._ask(messages, send)
        except RequestError as failure:
            # `from None` and a text of our own: what the SDKs raise can carry request headers
            raise self._error(failure, sum(len(message.images) for message in messages)) from None
        price = self._price(answer.model)
        cost = price.of(answer.input_tokens, answer.output_tokens) if price else None
        usage = Usage(answer.input_tokens, answer.output_tokens, cost)
        if not answer.text.strip():
            raise LLMError(
                f"{self.name} answered with no text (it stopped for {answer.stop!r} after {answer.output_tokens} "
                "tokens). A model that thinks may have used up its tokens before it wrote: allow more than "
                f"{self._options.max_tokens}, or take another model.",
                usage=usage,
            )
        return Reply(
            text=hide_secrets(answer.text),
            model=hide_secrets(answer.model),
            usage=usage,
            date=now(),
            settings=settings | {"stop": answer.stop} | ({"base_url": self._base_url} if self._base_url else {}),
            prompt_sha256=prompt_sha256(messages),
        )

    def _in_pieces(self, messages: Sequence[Message], settings: Mapping[str, Any], pieces: Pieces) -> Answer:
        stream = self._send_stream
        if stream is not None:
            try:
                return stream(messages, settings, pieces)
            except RequestError as failure:
                if failure.status not in (400, 422) or not _ABOUT_STREAMS.search(str(failure.said)):
                    raise
                # servers that cannot, and models that an account may only have in whole replies
                self._send_stream = None
        return self._send(messages, settings)

    def _ask(self, messages: Sequence[Message], send: Send) -> tuple[Answer, dict[str, Any]]:
        settings: dict[str, Any] = {"max_tokens": self._options.max_tokens}
        wanted = self._options.temperature
        if wanted is not None and not self._refuses_temperature:
            try:
                settings["temperature"] = wanted
                return send(messages, settings), settings
            except RequestError as failure:
                if failure.status != 400 or "temperature" not in str(failure.said).lower():
                    raise
                # models that reason take no temperature; asking each time would waste a request each time
                self._refuses_temperature = True
                del settings["temperature"]
        answer = send(messages, settings)
        return answer, settings | ({} if wanted is None else {"temperature_refused": wanted})

    def _error(self, failure: RequestError, images: int) -> LLMError:
        said = quote(failure.said)
        says = f" It says: {said}" if said else ""
        again = "`reward-agent resume RUN` goes on from here; `--llm` names another model."
        match failure.kind:
            case "timeout":
                what = f"did not answer within {self._options.timeout:g} s{self._tries()}."
                do = f"Allow more time, or try again later: {again}"
            case "connection":
                what = f"could not be reached, or broke off{self._tries()}.{says}"
                do = f"Check the network and that {self._server} is right and running (`--base-url`). {again}"
            case "nonsense":
                what = f"answered with something that is no reply.{says}"
                do = "Check that --base-url is the root of the API (it often ends in /v1)."
            case "status" if images and failure.status not in _NOT_ABOUT_IMAGES and _ABOUT_IMAGES.search(says):
                what = f"refused a prompt with {images} image{'s' * (images > 1)} in it (HTTP {failure.status}).{says}"
                do = (
                    f"If {self.name} cannot see, name a model that takes images; a server of your own may have to be "
                    "started with its vision part, or to allow as many images in one prompt."
                )
            case "status":
                what, do = self._status(failure.status or 0, says, again)
        return LLMError(f"{self.name}: {self._server} {what} {do}", status=failure.status)

    def _status(self, status: int, says: str, again: str) -> tuple[str, str]:
        match status:
            case 401 | 403:
                return (
                    f"refused the key (HTTP {status}).{says}",
                    f"Set one that may use this model: `export {self._key_variable}=...`.",
                )
            case 402:
                return f"wants to be paid (HTTP 402).{says}", f"Top up the account. {again}"
            case 404:
                model = self.name.partition(":")[2]
                return (
                    f"does not know the model {model!r} (HTTP 404).{says}",
                    f"Check the name in its list of models, and the base URL. {again}",
                )
            case 429:
                return (
                    f"limits the rate or the quota (HTTP 429){self._tries()}.{says}",
                    f"Wait, ask for fewer candidates at once, or raise the quota. {again}",
                )
            case _ if status >= 500:
                return (
                    f"is overloaded or out of order (HTTP {status}){self._tries()}.{says}",
                    f"Try again later: {again}",
                )
            case _:
                return f"refused the request (HTTP {status}).{says}", "Change what it complains of."

    def _tries(self) -> str:
        return f", {self._options.retries + 1} times" if self._options.retries else ""


def quote(said: object) -> str:
    """A server's words as one bounded line without keys: the message in a JSON body, or the text."""
    while isinstance(said, Mapping):
        said = said.get("error") or said.get("message") or said.get("detail") or json.dumps(said, default=str)
    # litellm puts tracebacks of its own into some messages: of no use to whoever reads this
    text = redact(str(said or "")).partition("Traceback (most recent call last)")[0]
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(line) > _LONGEST_QUOTE:
        return f"{line[:_LONGEST_QUOTE]}..."
    return line if not line or line[-1] in ".!?" else f"{line}."


def prompt_sha256(messages: Sequence[Message]) -> str:
    """SHA-256, in hex, of the messages as JSON pairs of role and text; third, where there are any, the images' own."""
    told = [[m.role, m.text, *([[image.sha256 for image in m.images]] if m.images else [])] for m in messages]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def pricing(options: Options, listed: Mapping[str, Price], model: str) -> Callable[[str], Price | None]:
    """A model's price by the name the server answers to: as the user gave it, else as listed, else none."""
    if options.prices is not None:
        given = Price(options.prices[0] / 1e6, options.prices[1] / 1e6)
        return lambda answers_to: given
    return lambda answers_to: listed.get(answers_to) or listed.get(model)

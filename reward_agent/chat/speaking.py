"""One reply of a model, heard as it comes, which a Ctrl-C gives up without harm."""

from __future__ import annotations

from collections.abc import Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Literal, NamedTuple

from reward_agent.llm import LLM, Heard, stream_reply
from reward_agent.messages import Key, Message, Reply

LISTENS = 0.25
"""Seconds at most until a Ctrl-C is seen that came as a wait began, which no wait without an end would be woken by."""


class Wanted(NamedTuple):
    """What a person has to do before anything comes."""

    text: str


Said = str | Literal[True] | Wanted | Reply | BaseException
"""A piece, that the reply begins anew, what it waits for, the whole reply, or what ended it."""


class Deaf:
    """Listens to nothing."""

    def piece(self, text: str) -> None:
        pass

    def again(self) -> None:
        pass

    def waits(self, text: str) -> None:
        pass


class _Relay:
    """Hands on what is heard in the thread of a request; once nobody listens, it ends the request."""

    def __init__(self, said: SimpleQueue[Said]) -> None:
        self._said, self.left = said, Event()

    def piece(self, text: str) -> None:
        self._hand_on(text)

    def again(self) -> None:
        self._hand_on(True)

    def waits(self, text: str) -> None:
        self._hand_on(Wanted(text))

    def _hand_on(self, what: Said) -> None:
        if self.left.is_set():
            raise KeyboardInterrupt
        self._said.put(what)


def ask(llm: LLM, messages: Sequence[Message], key: Key, heard: Heard) -> Reply:
    """The model's reply; `heard` is called from this thread.

    Raises:
        KeyboardInterrupt: Ctrl-C; what the model still says is heard by nobody.
        LLMError, BudgetError, WaitingForPersonError: as the model raises them.
    """
    said: SimpleQueue[Said] = SimpleQueue()
    relay = _Relay(said)

    def work() -> None:
        try:
            said.put(stream_reply(llm, messages, key, relay))
        except BaseException as error:
            # nothing is swallowed: the thread that asked raises it
            said.put(error)

    # a daemon: a request that is given up may be silent for minutes yet, and nobody waits for it
    Thread(target=work, name="ask", daemon=True).start()
    try:
        while True:
            match _next(said):
                case None:
                    continue
                case str() as piece:
                    heard.piece(piece)
                case Wanted(text=text):
                    heard.waits(text)
                case Reply() as reply:
                    return reply
                case BaseException() as error:
                    raise error
                case _:
                    heard.again()
    finally:
        relay.left.set()


def _next(said: SimpleQueue[Said]) -> Said | None:
    try:
        return said.get(timeout=LISTENS)
    except Empty:
        return None

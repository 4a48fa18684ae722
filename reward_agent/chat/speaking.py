"""One reply of a model, heard as it comes, which a Ctrl-C gives up without harm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import Thread

from reward_agent.llm import LLM
from reward_agent.messages import Key, Message, Reply

Heard = Callable[[str], None]
"""Is told each part of a reply as it comes."""


def ask(llm: LLM, messages: Sequence[Message], key: Key, heard: Heard) -> Reply:
    """The model's reply; `heard` is called from this thread.

    Raises:
        KeyboardInterrupt: Ctrl-C; what the model still says is heard by nobody.
        LLMError, BudgetError, WaitingForPersonError: as the model raises them.
    """
    said: SimpleQueue[str | Reply | BaseException] = SimpleQueue()

    def work() -> None:
        try:
            said.put(_stream(llm, messages, key, said.put))
        except BaseException as error:
            # nothing is swallowed: the thread that asked raises it
            said.put(error)

    # a daemon: a request that is given up may take minutes yet, and nobody waits for it
    Thread(target=work, name="ask", daemon=True).start()
    while True:
        match said.get():
            case str() as part:
                heard(part)
            case Reply() as reply:
                return reply
            case BaseException() as error:
                raise error


def _stream(llm: LLM, messages: Sequence[Message], key: Key, heard: Heard) -> Reply:
    """The reply, and its parts to `heard`: as one, where the provider does not stream."""
    reply = llm.complete(messages, key)
    heard(reply.text)
    return reply

"""Several replies side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread

from reward_agent.errors import RewardAgentError, WaitingForPersonError
from reward_agent.llm.base import LLM, LLMError
from reward_agent.messages import Key, Message, Reply


def ask_many(
    llm: LLM, prompts: Sequence[tuple[Key, Sequence[Message]]], concurrency: int = 8
) -> Iterator[tuple[Key, Reply | LLMError]]:
    """Replies as they come, `concurrency` requests at a time; a request that failed gives its `LLMError`.

    Once the iterator is closed no further request starts.

    Raises:
        BudgetError, WaitingForPersonError: as the model raises them, after every reply that could be had was given.
    """
    waiting: SimpleQueue[tuple[Key, Sequence[Message]]] = SimpleQueue()
    done: SimpleQueue[tuple[Key, Reply | BaseException]] = SimpleQueue()
    stop = Event()
    for prompt in prompts:
        waiting.put(prompt)

    def work() -> None:
        while not stop.is_set():
            try:
                key, messages = waiting.get_nowait()
            except Empty:
                return
            try:
                done.put((key, llm.complete(messages, key)))
            except BaseException as error:
                # nothing is swallowed: the thread that asked raises it
                done.put((key, error))

    # daemons: an executor's threads would hold up Ctrl-C until the last request has timed out
    for _ in range(min(max(concurrency, 1), len(prompts))):
        Thread(target=work, name="ask", daemon=True).start()
    held: dict[Key, RewardAgentError] = {}
    try:
        for _ in prompts:
            key, result = done.get()
            if isinstance(result, Reply | LLMError):
                yield key, result
            elif isinstance(result, RewardAgentError):
                held[key] = result
            else:
                raise result
    finally:
        stop.set()
    if held:
        raise _one_of([held[key] for key, _ in prompts if key in held])


def _one_of(errors: list[RewardAgentError]) -> RewardAgentError:
    """The first error; where all wait for a person, one that names every reply awaited."""
    if len(errors) > 1 and all(isinstance(error, WaitingForPersonError) for error in errors):
        return WaitingForPersonError("\n".join(dict.fromkeys(str(error) for error in errors)))
    return errors[0]

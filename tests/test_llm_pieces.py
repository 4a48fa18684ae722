"""Pieces of a reply whoever gives them: keys stay hidden, the listener gets all of the text, and it is counted once."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hearing import Listener
from loopback import Loopback, say

from reward_agent.llm import (
    LLM,
    Budget,
    BudgetError,
    LLMError,
    Metered,
    Options,
    Spent,
    Streaming,
    connect,
    stream_reply,
)
from reward_agent.llm.redaction import PLACE, Veil, hide_secrets
from reward_agent.llm.streaming import Pieces
from reward_agent.messages import Key, Message, Reply, Usage

KEY = Key(0, 0, 0)
PROMPT = (Message("user", "Hop."),)
# one begins with another, one begins where another ends, one has a blank
SECRETS = ("abcdefgh", "abcdefgh12", "gh12345678", "pass word")
TEXTS = (
    "so abcdefgh12 ends",
    "so abcdefgh1 ends",
    "so abcdefgh12345678 ends",
    "so abcdefgh1234567",
    "xabcdefgabcdefghabcdefgh",
    "my pass word, my pass",
    "abcdefg",
    "no key at all",
)


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, secret in enumerate(SECRETS):
        monkeypatch.setenv(f"LOOPBACK_{number}_KEY", secret)


def cuts(text: str) -> list[list[str]]:
    """Every way to cut a text in three, and letter by letter."""
    ways = itertools.combinations_with_replacement(range(len(text) + 1), 2)
    return [[text[:a], text[a:b], text[b:]] for a, b in ways] + [list(text)]


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("text", TEXTS)
def test_keys_are_hidden_wherever_the_text_is_cut(text: str) -> None:
    for pieces in cuts(text):
        veil, shown = Veil(), ""
        for number, piece in enumerate(pieces, 1):
            shown += veil.show(piece)
            # whatever follows: nothing shown is part of what is to be hidden
            so_far = "".join(pieces[:number])
            for rest in ("", "h", "h12", "12", "2345678", "8", " word"):
                assert hide_secrets(so_far + rest).startswith(shown)
        assert shown + veil.rest() == hide_secrets(text)


@pytest.mark.usefixtures("secrets")
def test_only_what_may_be_a_key_is_held_back() -> None:
    veil = Veil()
    assert veil.show("The leg swings ab") == "The leg swings "
    assert veil.show("out; ") == "about; "
    assert veil.show("abcdefgh12 and") == f"{PLACE} and"
    assert veil.rest() == ""


def test_the_rest_of_the_text_is_heard_at_the_end() -> None:
    heard = Listener()
    pieces = Pieces(heard)
    pieces.add("one ")
    pieces.end("one two")
    assert heard.starts == [["one ", "two"]]
    # a text that goes on otherwise than what was heard
    pieces.end("three")
    assert heard.starts[1:] == [["three"]]


class Silent:
    """A user's own model, which cannot stream."""

    name = "silent"

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        return Reply("all of it", "silent-1", Usage(10, 5))


def test_a_model_that_cannot_stream_is_heard_at_its_end() -> None:
    heard = Listener()
    assert not isinstance(Silent(), Streaming)
    assert stream_reply(Silent(), PROMPT, KEY, heard) == Silent().complete(PROMPT, KEY)
    assert heard.starts == [["all of it"]]


def test_a_recording_is_heard_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text(json.dumps({"key": [0, 0, 0, "reply"], "text": "one\n\ntwo\u2028three", "model": "m"}) + "\n")
    llm, heard = connect(f"replay:{path}"), Listener()
    reply = stream_reply(llm, PROMPT, KEY, heard)
    assert reply == llm.complete(PROMPT, KEY)
    assert reply.replayed
    assert heard.text == reply.text
    assert len(heard.starts[0]) > 1


def connected(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> LLM:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return connect("openai:m", Options(base_url=server.openai_url, retries=0, prices=(1.0, 10.0)))


def test_streams_count_as_whole_replies_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with Loopback() as server:
        llm = connected(server, monkeypatch)
        server.answer = lambda request: say("one two three", tokens=(100, 20))
        metered, heard = Metered(llm, Budget(tokens=240)), Listener()
        replies = [metered.stream(PROMPT, KEY, heard), metered.complete(PROMPT, KEY)]
        assert heard.starts == [["one ", "two ", "three"]]
        assert metered.spent == Spent.on(replies)
        assert metered.spent.tokens == 240
        with pytest.raises(BudgetError):
            metered.stream(PROMPT, KEY, Listener())
        assert len(server.requests) == 2


def test_a_stream_without_a_reply_is_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with Loopback() as server:
        metered = Metered(connected(server, monkeypatch))
        server.script(say("", stop="length", tokens=(10, 4096)))
        with pytest.raises(LLMError, match="no text"):
            metered.stream(PROMPT, KEY, Listener())
        assert metered.spent == Spent(0, 10, 4096, 10e-6 + 40960e-6)


def test_a_metered_model_that_cannot_stream_is_heard_at_its_end() -> None:
    metered, heard = Metered(Silent()), Listener()
    assert stream_reply(metered, PROMPT, KEY, heard).text == "all of it"
    assert heard.starts == [["all of it"]]
    assert metered.spent == Spent(replies=1, input_tokens=10, output_tokens=5, unpriced=1)

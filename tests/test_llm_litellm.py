"""`litellm:` through the real package against a real server on this machine. It imports slowly: few tests."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from dataclasses import replace
from typing import Any

import pytest
from hearing import Listener
from loopback import SECRET, Loopback, Step, cut, fail, hang, raw, say, write

from reward_agent.errors import MissingComponentError, UsageError
from reward_agent.llm import LLM, LLMError, Options, connect, stream_reply
from reward_agent.messages import Key, Message

KEY = Key(0, 0, 0)
PROMPT = (Message("system", "You write rewards."), Message("user", "Hop."))
NOW = {"retry-after": "0.01"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().endswith(("_API_KEY", "_AUTH_TOKEN", "_BASE_URL", "_PROXY")):
            monkeypatch.delenv(name)


def model(server: Loopback, **options: Any) -> LLM:
    options = {"retries": 2, "timeout": 10.0} | options
    return connect("litellm:openai/model-1", Options(base_url=server.openai_url, **options))


def error_of(llm: LLM) -> str:
    with pytest.raises(LLMError) as caught:
        llm.complete(PROMPT, KEY)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    return str(caught.value)


def test_a_reply_comes_after_what_may_pass(server: Loopback) -> None:
    server.script(fail(429, headers=NOW), fail(529, headers=NOW), say("at last", tokens=(30, 4)))
    reply = model(server, temperature=0.5, prices=(1.0, 1.0)).complete(PROMPT, KEY)
    assert reply.text == "at last"
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (30, 4)
    assert reply.usage.cost_usd == pytest.approx(34e-6)
    assert reply.settings["temperature"] == 0.5
    assert len(server.requests) == 3
    assert [message["content"] for message in server.requests[2].body["messages"]] == ["You write rewards.", "Hop."]


def test_what_will_not_pass_is_asked_once_and_shows_no_key(
    server: Loopback, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    llm = model(server)
    server.script(fail(401, f"Incorrect API key provided: {SECRET}"), fail(404, "no such model"))
    assert "refused the key" in error_of(llm)
    assert "does not know the model 'openai/model-1'" in error_of(llm)
    assert len(server.requests) == 2
    assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"
    # litellm prints advice of its own where it is let; standard output is for results
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (hang(), "did not answer within 0.5 s"),
        (cut(), "broke off"),
        (raw("{'half"), "is no reply"),
        (raw('{"surprise": 1}'), "is no reply"),
        (raw("<html>proxy</html>", "text/html"), "is no reply"),
        (fail(529, "Overloaded"), "(HTTP 529). It says: Overloaded"),
    ],
)
def test_no_reply_is_an_error_in_words(server: Loopback, step: Step, says: str) -> None:
    server.script(step)
    error = error_of(model(server, timeout=0.5, retries=0))
    assert error.startswith("litellm:openai/model-1: ")
    assert says in error


def test_a_model_that_takes_no_temperature_is_asked_without(server: Loopback) -> None:
    server.script(fail(400, "Unsupported value: 'temperature'"), say("cool"))
    reply = model(server, temperature=0.7).complete(PROMPT, KEY)
    assert (reply.text, reply.settings["temperature_refused"]) == ("cool", 0.7)


def test_another_protocol_behind_it_is_told_alike(server: Loopback) -> None:
    llm = connect("litellm:anthropic/model-1", Options(base_url=server.url, retries=1))
    server.script(fail(529, headers=NOW), say("awake"))
    assert llm.complete(PROMPT, KEY).text == "awake"
    server.script(raw('{"surprise": 1}'))
    error = error_of(llm)
    assert "is no reply" in error
    assert "Traceback" not in error


def test_a_missing_key_is_named_before_anything_is_asked() -> None:
    with pytest.raises(MissingComponentError, match=r"export GEMINI_API_KEY=|export GOOGLE_API_KEY="):
        connect("litellm:gemini/gemini-pro-latest")


def test_an_unknown_provider_is_a_wrong_name() -> None:
    with pytest.raises(UsageError, match="provider/model"):
        connect("litellm:no-such-model-anywhere")


behind = pytest.mark.parametrize("provider", ["openai", "anthropic"])


def behind_it(server: Loopback, provider: str, **options: Any) -> LLM:
    url = server.url if provider == "anthropic" else server.openai_url
    options = {"retries": 2, "timeout": 10.0} | options
    return connect(f"litellm:{provider}/model-1", Options(base_url=url, **options))


def stream_error_of(llm: LLM) -> str:
    with pytest.raises(LLMError) as caught:
        stream_reply(llm, PROMPT, KEY, Listener())
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert "Traceback" not in str(caught.value)
    return str(caught.value)


@behind
def test_a_streamed_reply_is_the_one_that_a_whole_one_would_be(server: Loopback, provider: str) -> None:
    gate = threading.Event()
    step = write("def f():\n", "    return 1\n", gate=gate, tokens=(300, 40))
    server.script(step, step)
    llm, heard = behind_it(server, provider, temperature=0.5, prices=(2.0, 10.0)), Listener(lambda text: gate.set())
    at_once, streamed = llm.complete(PROMPT, KEY), stream_reply(llm, PROMPT, KEY, heard)
    assert replace(streamed, date="") == replace(at_once, date="")
    assert heard.starts == [["def f():\n", "    return 1\n"]]


@behind
@pytest.mark.parametrize("step", [write("half ", "a re", end=end) for end in ("cut", "short", "error")])
def test_a_stream_that_breaks_off_is_tried_again(server: Loopback, provider: str, step: Step) -> None:
    server.script(fail(429, headers=NOW), step, say("the whole"))
    heard = Listener()
    assert stream_reply(behind_it(server, provider), PROMPT, KEY, heard).text == "the whole"
    assert ["".join(start) for start in heard.starts] == ["half a re", "the whole"]
    assert len(server.requests) == 3


@behind
@pytest.mark.parametrize(
    ("step", "says"),
    [
        (write("half a re", end="hang"), "did not answer within 0.5 s"),
        (write("half a re", end="cut"), "broke off"),
        (write("half a re", end="error"), "Overloaded"),
        (raw("event: message_start\ndata: {'half\n\n", "text/event-stream"), "is no reply"),
        (raw("<html>proxy</html>", "text/html"), "is no reply"),
        (fail(529, "Overloaded"), "(HTTP 529). It says: Overloaded"),
    ],
)
def test_no_streamed_reply_is_an_error_in_words(server: Loopback, provider: str, step: Step, says: str) -> None:
    server.script(step)
    assert says in stream_error_of(behind_it(server, provider, timeout=0.5, retries=0))


def test_a_model_that_refuses_to_stream_is_asked_for_whole_replies(server: Loopback) -> None:
    server.script(fail(400, "Your organization must be verified to stream this model."), say("all of it"))
    heard = Listener()
    assert stream_reply(model(server), PROMPT, KEY, heard).text == "all of it"
    assert heard.starts == [["all of it"]]


def test_a_key_cut_in_two_is_not_heard(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    server.script(write("your key is ", SECRET[:9], SECRET[9:]))
    heard = Listener()
    stream_reply(model(server), PROMPT, KEY, heard)
    assert heard.starts == [["your key is ", "[key removed]"]]


@behind
def test_ctrl_c_in_the_middle_closes_the_connection_and_the_model_goes_on(server: Loopback, provider: str) -> None:
    server.script(write("half a re", end="hang"), say("next"))
    llm, waiting = behind_it(server, provider), threading.Event()

    def press() -> None:
        waiting.wait(30)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        stream_reply(llm, PROMPT, KEY, Listener(lambda text: waiting.set()))
    assert server.left.wait(10), "the connection stays open"
    assert stream_reply(llm, PROMPT, KEY, Listener()).text == "next"


@behind
def test_what_the_listener_raises_ends_the_request(server: Loopback, provider: str) -> None:
    def stop(text: str) -> None:
        raise BrokenPipeError

    server.script(write("half a re", end="hang"))
    with pytest.raises(BrokenPipeError):
        stream_reply(behind_it(server, provider), PROMPT, KEY, Listener(stop))
    assert server.left.wait(10), "the connection stays open"

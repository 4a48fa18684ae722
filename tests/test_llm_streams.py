"""Replies heard as they come, through the real SDKs from a real server on this machine."""

from __future__ import annotations

import json
import os
import signal
import threading
import traceback
from dataclasses import replace
from typing import Any

import pytest
from hearing import Listener
from loopback import SECRET, Loopback, Request, Step, cut, fail, hang, raw, say, whole, write

from reward_agent.llm import LLMError, Options, Streaming, connect
from reward_agent.messages import Key, Message, Reply

KEY = Key(0, 0, 0)
PROMPT = (Message("system", "You write rewards."), Message("user", "Hop."))
SOON = {"retry-after-ms": "1"}

pytestmark = pytest.mark.usefixtures("model_keys")
both = pytest.mark.parametrize("provider", ["openai", "anthropic"])


def model(server: Loopback, provider: str, **options: Any) -> Streaming:
    url = server.url if provider == "anthropic" else server.openai_url
    llm = connect(f"{provider}:model-1", Options(base_url=url, **({"retries": 2, "timeout": 10.0} | options)))
    assert isinstance(llm, Streaming)
    return llm


def heard_whole(llm: Streaming, heard: Listener) -> Reply:
    reply = llm.stream(PROMPT, KEY, heard)
    assert heard.text == reply.text
    return reply


def error_of(llm: Streaming, heard: Listener | None = None) -> LLMError:
    with pytest.raises(LLMError) as caught:
        llm.stream(PROMPT, KEY, heard or Listener())
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert "\n" not in str(caught.value)
    return caught.value


@both
def test_a_streamed_reply_is_the_one_that_a_whole_one_would_be(server: Loopback, provider: str) -> None:
    step = say("def compute_reward(state):\n    return state.x\n", tokens=(300, 40), model="model-1-2026")
    server.script(step, step)
    llm = model(server, provider, temperature=0.5, max_tokens=1000, prices=(2.0, 10.0))
    at_once, heard = llm.complete(PROMPT, KEY), Listener()
    assert replace(heard_whole(llm, heard), date="") == replace(at_once, date="")
    assert at_once.usage.cost_usd == pytest.approx(300 * 2e-6 + 40 * 10e-6)
    assert len(heard.starts) == 1
    assert len(heard.starts[0]) > 1
    first, second = (request.body for request in server.requests)
    assert {name: second[name] for name in first} == first
    assert second["stream"] is True


@both
def test_pieces_are_heard_while_the_server_writes(server: Loopback, provider: str) -> None:
    gate = threading.Event()
    server.script(write("hop ", "higher", gate=gate))
    # the server writes no further until the first piece is heard
    heard = Listener(lambda text: gate.set())
    assert heard_whole(model(server, provider, retries=0), heard).text == "hop higher"


@both
def test_pieces_come_from_the_thread_that_asked(server: Loopback, provider: str) -> None:
    threads = set()
    model(server, provider).stream(PROMPT, KEY, Listener(lambda text: threads.add(threading.current_thread())))
    assert threads == {threading.current_thread()}


@both
@pytest.mark.parametrize("status", [429, 529])
def test_what_may_pass_before_the_stream_is_tried_again(server: Loopback, provider: str, status: int) -> None:
    server.script(fail(status, headers=SOON), fail(status, headers=SOON), say("at last"))
    heard = Listener()
    assert heard_whole(model(server, provider), heard).text == "at last"
    assert len(server.requests) == 3
    assert len(heard.starts) == 1, "nothing was heard that could be void"


@both
@pytest.mark.parametrize("end", ["cut", "short", "error"])
def test_a_stream_that_breaks_off_is_tried_again_and_what_was_heard_is_void(
    server: Loopback, provider: str, end: Any
) -> None:
    server.script(write("half ", "a re", end=end), say("the whole"))
    heard = Listener()
    reply = heard_whole(model(server, provider), heard)
    assert (reply.text, reply.usage.input_tokens, reply.usage.output_tokens) == ("the whole", 100, 20)
    assert ["".join(start) for start in heard.starts] == ["half a re", "the whole"]


@both
def test_retries_end_and_count_those_before_the_stream(server: Loopback, provider: str) -> None:
    server.script(fail(429, headers=SOON), cut(), fail(529, "Overloaded", SOON), say())
    error = error_of(model(server, provider))
    assert len(server.requests) == 3
    assert "3 times" in str(error)
    assert (error.status, "Overloaded" in str(error)) == (529, True)


@both
def test_without_retries_a_broken_stream_is_an_error_in_words(server: Loopback, provider: str) -> None:
    llm = model(server, provider, retries=0)
    server.script(cut(), write("half", end="short"), write("half", end="error"))
    assert "broke off" in str(error_of(llm))
    assert "broke off" in str(error_of(llm))
    overloaded = error_of(llm)
    assert (overloaded.status, "Overloaded" in str(overloaded)) == (529, True)
    assert len(server.requests) == 3


@both
def test_a_hang_in_the_middle_is_given_up_and_tried_again(server: Loopback, provider: str) -> None:
    server.script(write("half a re", end="hang"), say("awake"))
    heard = Listener()
    assert heard_whole(model(server, provider, timeout=1.0, retries=1), heard).text == "awake"
    assert heard.starts[0] == ["half a re"]
    assert server.left.wait(10), "the connection that hung stays open"


@both
@pytest.mark.parametrize("step", [hang(), write("half a re", end="hang")], ids=["before", "in the middle"])
def test_a_hang_for_good_is_told(server: Loopback, provider: str, step: Step) -> None:
    server.script(step)
    assert "did not answer within 0.3 s" in str(error_of(model(server, provider, timeout=0.3, retries=0)))


@both
@pytest.mark.parametrize(
    ("status", "says"),
    [(400, "refused the request"), (401, "refused the key"), (404, "does not know the model 'model-1'")],
)
def test_what_will_not_pass_is_asked_once(server: Loopback, provider: str, status: int, says: str) -> None:
    server.script(fail(status, f"the upstream's words on {SECRET}"))
    error = error_of(model(server, provider))
    assert len(server.requests) == 1
    assert error.status == status
    assert says in str(error)
    assert "words on [key removed]" in str(error)


NOISE = ': OPENROUTER PROCESSING\n\nno colon here\n\nevent: surprise\ndata: {"type": "surprise"}\n\n'


@both
def test_lines_that_are_none_of_the_reply_are_passed_over(server: Loopback, provider: str) -> None:
    server.script(write("hop ", "hïgher\u2028", "!", noise=NOISE, tokens=(7, 3)))
    reply = heard_whole(model(server, provider), Listener())
    assert (reply.text, reply.usage.input_tokens, reply.usage.output_tokens) == ("hop hïgher\u2028!", 7, 3)


EVENTS = "text/event-stream"
NONSENSE = {
    "no JSON": raw('event: message_start\ndata: {"half\n\n', EVENTS),
    "another shape": raw('event: surprise\ndata: {"type": "surprise"}\n\n', EVENTS),
    "null": raw("event: message_start\ndata: null\n\n", EVENTS),
    "a list": raw("event: message_start\ndata: [1]\n\n", EVENTS),
    "null delta": raw(
        'event: content_block_delta\ndata: {"type": "content_block_delta", "choices": ["surprise"], "delta": null}\n\n',
        EVENTS,
    ),
    "no text": raw("event: message_start\ndata: \ud7ff\n\n", EVENTS),
    "a page": raw("<html>surprise</html>", "text/html"),
    "JSON of another shape": raw('{"surprise": 1}'),
    "an error with HTTP 200": raw('{"error": {"message": "surprise"}, "choices": null, "content": null}'),
    "a list of JSON": raw("[]"),
    "half JSON": raw("{'half': "),
}


@both
@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_is_told_as_such(server: Loopback, provider: str, kind: str) -> None:
    server.script(NONSENSE[kind])
    error = error_of(model(server, provider))
    assert "is no reply" in str(error)
    if "surprise" in NONSENSE[kind].text and "delta" not in kind:
        assert "surprise" in str(error)
    assert len(server.requests) == 1


@both
def test_nonsense_in_the_middle_ends_the_reply(server: Loopback, provider: str) -> None:
    server.script(write("half", "a re", noise='event: message_delta\ndata: {"half\n\n'))
    assert "is no reply" in str(error_of(model(server, provider)))


@both
def test_nothing_but_thinking_is_no_reply(server: Loopback, provider: str) -> None:
    server.script(say("", stop="length", tokens=(10, 4096)))
    heard = Listener()
    error = error_of(model(server, provider), heard)
    assert "no text (it stopped for 'length' after 4096 tokens)" in str(error)
    assert error.usage is not None
    assert (error.usage.input_tokens, error.usage.output_tokens) == (10, 4096)
    assert heard.everything == ""


def test_a_refusal_is_heard_as_the_text_it_is(server: Loopback) -> None:
    deltas = [{"refusal": "I would "}, {"refusal": "rather not."}]
    chunks = [{"model": "m", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks.append({"model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    server.script(raw("".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks), EVENTS))
    assert heard_whole(model(server, "openai"), Listener()).text == "I would rather not."


@both
def test_a_server_that_ignores_the_wish_is_heard_in_one_piece(server: Loopback, provider: str) -> None:
    server.script(whole("all of it", tokens=(7, 3)))
    heard = Listener()
    reply = heard_whole(model(server, provider), heard)
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (7, 3)
    assert heard.starts == [["all of it"]]


@both
@pytest.mark.parametrize(
    ("status", "says"),
    [
        (400, "Your organization must be verified to stream this model."),
        (422, "Extra inputs are not permitted: stream_options"),
    ],
)
def test_a_server_that_refuses_to_stream_is_asked_for_whole_replies(
    server: Loopback, provider: str, status: int, says: str
) -> None:
    server.answer = lambda request: fail(status, says) if request.body.get("stream") else say("all of it")
    llm = model(server, provider)
    for _ in range(2):
        heard = Listener()
        assert heard_whole(llm, heard).text == "all of it"
        assert heard.starts == [["all of it"]]
    # the refusal is remembered
    assert [request.body.get("stream", False) for request in server.requests] == [True, False, False]


@both
def test_a_model_that_takes_no_temperature_is_asked_without(server: Loopback, provider: str) -> None:
    server.script(fail(400, "Unsupported value: 'temperature'"), say("cool"))
    reply = heard_whole(model(server, provider, temperature=0.7), Listener())
    assert (reply.text, reply.settings["temperature_refused"]) == ("cool", 0.7)
    assert [request.body.get("stream") for request in server.requests] == [True, True]


def test_a_gateway_that_knows_only_the_new_name_of_the_limit(server: Loopback) -> None:
    server.script(fail(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."))
    heard_whole(model(server, "openai", max_tokens=55), Listener())
    assert server.requests[1].body["max_completion_tokens"] == 55


@both
@pytest.mark.parametrize("at", [1, 10, len(SECRET) - 1])
def test_a_key_cut_in_two_is_not_heard(server: Loopback, provider: str, at: int) -> None:
    server.script(write("your key is ", SECRET[:at], SECRET[at:] + ", a secret"))
    heard = Listener()
    assert heard_whole(model(server, provider), heard).text == "your key is [key removed], a secret"
    assert SECRET[0] not in heard.everything.replace("secret", "").replace("is", "")
    assert len(heard.starts) == 1


@both
def test_a_key_that_a_broken_stream_left_half_is_not_heard(server: Loopback, provider: str) -> None:
    server.script(write("key: ", SECRET[:12], end="cut"), say("none"))
    heard = Listener()
    heard_whole(model(server, provider), heard)
    assert heard.starts == [["key: "], ["none"]]


@both
def test_ctrl_c_in_the_middle_closes_the_connection_and_the_model_goes_on(server: Loopback, provider: str) -> None:
    server.script(write("half a re", end="hang"), say("next"), say("and one more"))
    llm, waiting = model(server, provider), threading.Event()

    def press() -> None:
        waiting.wait(30)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        llm.stream(PROMPT, KEY, Listener(lambda text: waiting.set()))
    assert server.left.wait(10), "the connection stays open"
    assert heard_whole(llm, Listener()).text == "next"
    assert llm.complete(PROMPT, KEY).text == "and one more"
    assert len(server.requests) == 3


@both
@pytest.mark.parametrize("error", [KeyboardInterrupt(), BrokenPipeError(), ValueError("no place to show it")])
def test_what_the_listener_raises_ends_the_request_and_is_nobody_elses(
    server: Loopback, provider: str, error: BaseException
) -> None:
    def stop(text: str) -> None:
        raise error

    server.script(write("half a re", end="hang"))
    llm = model(server, provider)
    with pytest.raises(type(error)) as caught:
        llm.stream(PROMPT, KEY, Listener(stop))
    assert caught.value is error
    assert server.left.wait(10), "the connection stays open"
    assert heard_whole(llm, Listener()).text == "hello"
    assert len(server.requests) == 2


@both
def test_streams_side_by_side_do_not_mix(server: Loopback, provider: str) -> None:
    barrier = threading.Barrier(4)

    def answer(request: Request) -> Step:
        barrier.wait(30)
        return say(" ".join([request.prompt] * 20))

    server.answer = answer
    llm, texts = model(server, provider), {}

    def ask(number: int) -> None:
        heard = Listener()
        llm.stream([Message("user", str(number))], KEY, heard)
        texts[number] = heard.text

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == {number: " ".join([str(number)] * 20) for number in range(4)}

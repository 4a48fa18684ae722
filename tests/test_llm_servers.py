"""`openai:` and `anthropic:` through their real SDKs against a real server on this machine."""

from __future__ import annotations

import hashlib
import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
from loopback import SECRET, Loopback, Step, cut, fail, hang, raw, say

from reward_agent.errors import MissingComponentError, UsageError
from reward_agent.llm import LLM, LLMError, Options, connect, default_llm, providers
from reward_agent.llm.registry import DEFAULTS
from reward_agent.messages import Key, Message

KEY = Key(0, 0, 0)
PROMPT = (
    Message("system", "You write rewards."),
    Message("user", "Hop."),
    Message("assistant", "def f(): ..."),
    Message("user", "Higher."),
)
SOON = {"retry-after-ms": "1"}

pytestmark = pytest.mark.usefixtures("model_keys")
both = pytest.mark.parametrize("provider", ["openai", "anthropic"])


def model(server: Loopback, provider: str, **options: Any) -> LLM:
    url = server.url if provider == "anthropic" else server.openai_url
    options = {"retries": 2, "timeout": 10.0} | options
    return connect(f"{provider}:model-1", Options(base_url=url, **options))


def error_of(llm: LLM) -> LLMError:
    with pytest.raises(LLMError) as caught:
        llm.complete(PROMPT, KEY)
    # whatever is shown of it, `--debug` included, holds no key and is one paragraph
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(llm.name)
    return caught.value


@both
def test_a_reply_keeps_its_model_usage_date_settings_and_prompt(server: Loopback, provider: str) -> None:
    server.script(say("the reward", tokens=(300, 40), model="model-1-2026"))
    reply = model(server, provider, temperature=0.5, max_tokens=1000, prices=(2.0, 10.0)).complete(PROMPT, KEY)
    assert (reply.text, reply.model) == ("the reward", "model-1-2026")
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (300, 40)
    assert reply.usage.cost_usd == pytest.approx(300 * 2e-6 + 40 * 10e-6)
    assert reply.settings["temperature"] == 0.5
    assert reply.settings["max_tokens"] == 1000
    assert reply.settings["stop"] == "stop"
    assert server.url in reply.settings["base_url"]
    then = datetime.fromisoformat(reply.date)
    assert then.utcoffset() == datetime.now(UTC).utcoffset()
    assert abs((datetime.now(UTC) - then).total_seconds()) < 60
    pairs = [[message.role, message.text] for message in PROMPT]
    assert reply.prompt_sha256 == hashlib.sha256(json.dumps(pairs).encode()).hexdigest()


def test_openai_gets_the_messages_as_they_are(server: Loopback) -> None:
    model(server, "openai", max_tokens=77).complete(PROMPT, KEY)
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    assert request.body == {
        "model": "model-1",
        "messages": [{"role": message.role, "content": message.text} for message in PROMPT],
        "max_tokens": 77,
    }


def test_anthropic_gets_the_system_message_apart(server: Loopback) -> None:
    model(server, "anthropic", max_tokens=77).complete(PROMPT, KEY)
    (request,) = server.requests
    assert request.path == "/v1/messages"
    # in x-api-key or as a bearer's token, as the SDK's release has it
    assert any(value.endswith(SECRET) for value in request.headers.values())
    assert request.body["system"] == "You write rewards."
    assert [message["role"] for message in request.body["messages"]] == ["user", "assistant", "user"]
    assert request.body["max_tokens"] == 77
    assert "temperature" not in request.body


def test_a_server_of_ones_own_needs_no_key(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert model(server, "openai").complete(PROMPT, KEY).text == "hello"
    assert server.requests[0].headers["authorization"] == "Bearer none"


@both
@pytest.mark.parametrize("status", [429, 500, 529])
def test_what_may_pass_is_tried_again(server: Loopback, provider: str, status: int) -> None:
    server.script(fail(status, headers=SOON), fail(status, headers=SOON), say("at last"))
    assert model(server, provider).complete(PROMPT, KEY).text == "at last"
    assert len(server.requests) == 3


def test_a_server_that_says_when_is_heard(server: Loopback) -> None:
    server.script(fail(429, headers={"retry-after": "1"}), say())
    model(server, "openai").complete(PROMPT, KEY)
    first, second = server.requests
    assert second.time - first.time >= 1.0


@both
def test_a_body_cut_short_is_tried_again(server: Loopback, provider: str) -> None:
    server.script(cut(), say("whole"))
    assert model(server, provider).complete(PROMPT, KEY).text == "whole"


@both
def test_a_body_cut_short_for_good_says_that_the_connection_broke(server: Loopback, provider: str) -> None:
    server.script(cut())
    assert "broke off" in str(error_of(model(server, provider, retries=0)))


@both
@pytest.mark.parametrize(
    ("status", "says"),
    [(400, "refused the request"), (401, "refused the key"), (404, "does not know the model 'model-1'")],
)
def test_what_will_not_pass_is_asked_once(server: Loopback, provider: str, status: int, says: str) -> None:
    server.script(fail(status, "the server's own words"))
    error = error_of(model(server, provider))
    assert len(server.requests) == 1
    assert error.status == status
    assert says in str(error)
    assert "the server's own words" in str(error)


@both
def test_retries_end(server: Loopback, provider: str) -> None:
    server.answer = lambda request: fail(529, "Overloaded", SOON)
    error = error_of(model(server, provider))
    assert len(server.requests) == 3
    assert "3 times" in str(error)
    assert "Overloaded" in str(error)
    assert "resume" in str(error)


@both
def test_a_server_that_hangs_is_given_up(server: Loopback, provider: str) -> None:
    server.script(hang())
    error = error_of(model(server, provider, timeout=0.3, retries=0))
    assert "did not answer within 0.3 s" in str(error)


@both
def test_a_hang_is_tried_again(server: Loopback, provider: str) -> None:
    server.script(hang(), say("awake"))
    assert model(server, provider, timeout=2.0, retries=1).complete(PROMPT, KEY).text == "awake"


NONSENSE = {
    "no JSON": raw("{'half': "),
    "a page": raw("<html>Welcome to the proxy</html>", "text/html"),
    "another shape": raw('{"surprise": 1}'),
    "an error with HTTP 200": raw('{"error": {"message": "surprise"}, "choices": null, "content": null}'),
    "null": raw("null"),
    "a list": raw("[]"),
    "null choices and content": raw('{"choices": [{"message": null}], "content": [null], "usage": null}'),
}


@both
@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_is_told_as_such(server: Loopback, provider: str, kind: str) -> None:
    server.script(NONSENSE[kind])
    error = error_of(model(server, provider))
    assert "is no reply" in str(error)
    assert "--base-url" in str(error)
    if "surprise" in NONSENSE[kind].text:
        assert "surprise" in str(error)


@both
def test_nothing_but_thinking_is_no_reply(server: Loopback, provider: str) -> None:
    server.script(say("", stop="length", tokens=(10, 4096)))
    assert "no text (it stopped for 'length' after 4096 tokens)" in str(error_of(model(server, provider)))


@both
def test_no_server_at_all(provider: str) -> None:
    with Loopback() as server:
        pass
    error = error_of(model(server, provider, retries=0))
    assert "could not be reached" in str(error)
    assert server.url in str(error)


@both
def test_a_model_that_takes_no_temperature_is_asked_without(server: Loopback, provider: str) -> None:
    def refuse_temperature(request: Any) -> Step:
        if "temperature" in request.body:
            return fail(400, "Unsupported value: 'temperature' does not support 0.7 with this model.")
        return say("cool")

    server.answer = refuse_temperature
    llm = model(server, provider, temperature=0.7)
    for _ in range(2):
        reply = llm.complete(PROMPT, KEY)
        assert reply.text == "cool"
        assert "temperature" not in reply.settings
        assert reply.settings["temperature_refused"] == 0.7
    # the refusal is remembered
    assert ["temperature" in request.body for request in server.requests] == [True, False, False]


def test_another_400_is_not_taken_for_a_refused_temperature(server: Loopback) -> None:
    server.script(fail(400, "context too long"))
    assert "context too long" in str(error_of(model(server, "openai", temperature=0.7)))
    assert len(server.requests) == 1


def test_a_gateway_that_knows_only_the_new_name_of_the_limit(server: Loopback) -> None:
    server.script(fail(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."))
    assert model(server, "openai", max_tokens=55).complete(PROMPT, KEY).text == "hello"
    assert server.requests[1].body["max_completion_tokens"] == 55
    assert "max_tokens" not in server.requests[1].body


@both
def test_a_key_that_the_server_repeats_is_in_no_message_log_or_reply(
    server: Loopback, provider: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    llm = model(server, provider, retries=0)
    server.script(
        fail(401, f"Incorrect API key provided: {SECRET}."),
        raw(json.dumps({"debug": {"authorization": f"Bearer {SECRET}"}})),
        say(f"your key is {SECRET}"),
    )
    assert "Incorrect API key provided: [key removed]" in str(error_of(llm))
    assert "[key removed]" in str(error_of(llm))
    assert llm.complete(PROMPT, KEY).text == "your key is [key removed]"
    assert SECRET not in repr(llm)
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("reward_agent")]
    assert SECRET not in "".join(ours)


def test_a_key_copied_with_its_line_end_works(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f" {SECRET}\n")
    model(server, "openai").complete(PROMPT, KEY)
    assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_key_in_curly_quotes_is_told_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"“{SECRET}”")
    with pytest.raises(UsageError, match="OPENAI_API_KEY holds") as caught:
        connect("openai:gpt-5")
    assert SECRET not in str(caught.value)


@both
def test_a_missing_key_names_the_command_and_the_alternatives(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = f"{provider.upper()}_API_KEY"
    monkeypatch.delenv(variable)
    with pytest.raises(MissingComponentError) as caught:
        connect(f"{provider}:model-1")
    for part in (f"export {variable}=...", "--llm manual", "replay:", "--base-url"):
        assert part in str(caught.value)
    assert variable in (providers()[provider].missing() or "")
    monkeypatch.setenv(variable, SECRET)
    assert providers()[provider].missing() is None


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("opnai:gpt-5", "Did you mean 'openai'"),
        ("gpt-5", "`openai:gpt-5`"),
        ("claude-opus-5", "`anthropic:claude-opus-5`"),
        ("ollama/llama3", "`litellm:ollama/llama3`"),
        ("openai:", "names no model"),
        ("nothing", "PROVIDER:MODEL"),
    ],
)
def test_a_wrong_name_is_told_what_it_could_be(name: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        connect(name)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{"base_url": "localhost:11434"}, {"temperature": -1.0}, {"timeout": 0.0}, {"max_tokens": 0}]
)
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Options(**wrong)


def test_providers_are_the_files_of_the_folder() -> None:
    assert set(providers()) >= {"openai", "anthropic", "litellm", "manual", "replay"}
    assert not {"base", "chat", "registry", "budget"} & set(providers())


def test_the_default_goes_by_the_key_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_llm() == DEFAULTS["OPENAI_API_KEY"]
    monkeypatch.delenv("OPENAI_API_KEY")
    assert default_llm() == DEFAULTS["ANTHROPIC_API_KEY"]
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("GROQ_API_KEY", " ")
    assert default_llm() is None


@pytest.mark.parametrize("name", DEFAULTS.values())
def test_default_models_are_in_the_price_list(name: str) -> None:
    from reward_agent.llm.prices import price_list

    provider, _, rest = name.partition(":")
    if provider == "litellm":
        provider, _, rest = rest.partition("/")
    price = price_list(provider)[rest]
    assert 0 < price.input < price.output < 1e-3


def test_listed_prices_are_used_unless_the_server_is_another(server: Loopback) -> None:
    from reward_agent.llm.chat import pricing
    from reward_agent.llm.prices import Price

    listed = {"gpt-4o": Price(1e-6, 4e-6), "gpt-4o-2024": Price(2e-6, 8e-6)}
    price = pricing(Options(), listed, "gpt-4o")
    assert price("gpt-4o-2024") == Price(2e-6, 8e-6)
    assert price("a-name-not-listed") == Price(1e-6, 4e-6)
    assert pricing(Options(), listed, "other")("other") is None
    server.script(say(model="gpt-4o"))
    assert model(server, "openai").complete(PROMPT, KEY).usage.cost_usd is None

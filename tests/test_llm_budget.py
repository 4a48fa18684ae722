"""Side by side, within a budget, and with no key in sight."""

from __future__ import annotations

import threading

import pytest
from loopback import Loopback, Request, Step, fail, say

from reward_agent.codec import encode
from reward_agent.errors import UsageError
from reward_agent.judging import ASKED
from reward_agent.llm import (
    LLM,
    Budget,
    BudgetError,
    LLMError,
    Metered,
    Options,
    Spent,
    ask_many,
    connect,
    redact,
    require_price,
)
from reward_agent.messages import Key, Message, Reply, Usage
from reward_agent.search import spent_in

KEY = Key(0, 0, 0)


@pytest.fixture
def llm(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> LLM:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return connect("openai:m", Options(base_url=server.openai_url, retries=0, prices=(1.0, 10.0)))


def prompts(count: int) -> list[tuple[Key, list[Message]]]:
    return [(Key(0, i, 0), [Message("user", str(i))]) for i in range(count)]


def test_replies_come_as_they_are_ready_and_one_failure_loses_no_other(server: Loopback, llm: LLM) -> None:
    others_are_here = threading.Event()

    def answer(request: Request) -> Step:
        if request.prompt == "0":
            others_are_here.wait(30)
        return fail(400, "not this one") if request.prompt == "3" else say(f"reply {request.prompt}")

    server.answer = answer
    arrived: dict[Key, Reply | LLMError] = {}
    for key, result in ask_many(llm, prompts(6), concurrency=3):
        arrived[key] = result
        if len(arrived) == 5:
            assert Key(0, 0, 0) not in arrived
            others_are_here.set()
    assert list(arrived)[-1] == Key(0, 0, 0)
    assert {key.candidate: r.text for key, r in arrived.items() if isinstance(r, Reply)} == {
        i: f"reply {i}" for i in (0, 1, 2, 4, 5)
    }
    assert isinstance(arrived[Key(0, 3, 0)], LLMError)


def test_no_more_are_asked_at_once_than_told(server: Loopback, llm: LLM) -> None:
    running, most, lock = 0, 0, threading.Lock()

    class Counting:
        name = "counting"

        def complete(self, messages: list[Message], key: Key) -> Reply:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            try:
                return llm.complete(messages, key)
            finally:
                with lock:
                    running -= 1

    assert len(list(ask_many(Counting(), prompts(12), concurrency=2))) == 12  # type: ignore[arg-type]
    assert most <= 2
    assert len(server.requests) == 12


def test_once_closed_no_further_request_starts(server: Loopback, llm: LLM) -> None:
    replies = ask_many(llm, prompts(50), concurrency=1)
    next(replies)
    replies.close()  # type: ignore[attr-defined]
    assert len(server.requests) < 50


def test_nothing_asked_is_nothing_answered(llm: LLM) -> None:
    assert list(ask_many(llm, [])) == []


def test_a_mistake_in_a_provider_is_not_swallowed() -> None:
    class Wrong:
        name = "wrong"

        def complete(self, messages: list[Message], key: Key) -> Reply:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(ask_many(Wrong(), prompts(2)))  # type: ignore[arg-type]


def test_a_budget_in_tokens_stops_before_the_next_request(server: Loopback, llm: LLM) -> None:
    server.answer = lambda request: say(tokens=(100, 20))
    metered = Metered(llm, Budget(tokens=240))
    messages = [Message("user", "hop")]
    metered.complete(messages, KEY)
    metered.complete(messages, KEY)
    with pytest.raises(BudgetError, match=r"240 of 240 tokens went on 2 replies.*resume"):
        metered.complete(messages, KEY)
    assert len(server.requests) == 2
    spent = metered.spent
    assert (spent.replies, spent.input_tokens, spent.output_tokens, spent.unpriced) == (2, 200, 40, 0)
    assert spent.usd == pytest.approx(2 * (100e-6 + 200e-6))
    assert metered.name == "openai:m"


def test_a_budget_in_money_goes_on_from_what_was_spent(server: Loopback, llm: LLM) -> None:
    earlier = Reply("", "m", Usage(1000, 100, 0.002))
    metered = Metered(llm, Budget(usd=0.0021), Spent.on([earlier]))
    reply = metered.complete([Message("user", "hop")], KEY)
    assert metered.spent.usd == pytest.approx(0.002 + (reply.usage.cost_usd or 0))
    with pytest.raises(BudgetError, match=r"\$0.0023 of \$0.0021"):
        metered.complete([Message("user", "hop")], KEY)
    assert len(server.requests) == 1


def test_an_answer_without_text_is_paid_for(server: Loopback, llm: LLM) -> None:
    server.answer = lambda request: say("", tokens=(100, 16000), stop="length")
    metered = Metered(llm, Budget(tokens=16_100))
    with pytest.raises(LLMError, match="no text") as caught:
        metered.complete([Message("user", "hop")], KEY)
    assert metered.spent == Spent.on([caught.value.usage])
    assert (metered.spent.replies, metered.spent.tokens) == (0, 16_100)
    assert metered.spent.usd == pytest.approx(100e-6 + 0.16)
    with pytest.raises(BudgetError):
        metered.complete([Message("user", "hop")], KEY)
    assert len(server.requests) == 1


def test_money_without_a_price_stops_rather_than_run_on(server: Loopback) -> None:
    metered = Metered(connect("openai:m", Options(base_url=server.openai_url)), Budget(usd=5.0))
    metered.complete([Message("user", "hop")], KEY)
    with pytest.raises(BudgetError, match=r"No price is known for 1 replies.*--prices IN OUT"):
        metered.complete([Message("user", "hop")], KEY)


@pytest.mark.parametrize("name", ["openai:m", "anthropic:m", "litellm:openai/m"])
def test_money_needs_a_price_before_the_first_request(name: str, server: Loopback) -> None:
    url = server.openai_url if "openai" in name else server.url
    unpriced, priced = (connect(name, Options(base_url=url, prices=prices)) for prices in (None, (0.0, 0.0)))
    with pytest.raises(UsageError, match=rf"No price is known for {name}.*--prices IN OUT.*--money-budget none"):
        require_price(unpriced, Budget(usd=5.0))
    require_price(unpriced, Budget(tokens=5))
    require_price(priced, Budget(usd=5.0))
    assert not server.requests


def test_a_budget_used_up_side_by_side_gives_what_was_paid_for_and_then_stops(server: Loopback, llm: LLM) -> None:
    metered = Metered(llm, Budget(tokens=5 * 120))
    got: list[Reply | LLMError] = []
    with pytest.raises(BudgetError):
        got.extend(result for _, result in ask_many(metered, prompts(40), concurrency=4))
    # those under way when it was used up still count: at most concurrency - 1 more
    assert 5 <= len(got) <= 8
    assert len(server.requests) == len(got) == metered.spent.replies
    assert metered.spent.tokens == 120 * len(got)


def test_without_a_budget_it_only_counts(llm: LLM) -> None:
    metered = Metered(llm)
    assert len(list(ask_many(metered, prompts(10)))) == 10
    assert metered.spent.replies == 10
    assert metered.spent.tokens == 1200


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(UsageError):
        Budget(tokens=-1)
    with pytest.raises(UsageError):
        Budget(usd=float("nan"))


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect API key provided: sk-proj-abc123DEF456ghi789.",
        "x-api-key: sk-ant-api03-abc123DEF456ghi789-AA",
        "{'Authorization': 'Bearer abc123DEF456ghi789'}",
        "GET https://host/v1?key=abc123DEF456ghi789&alt=json",
        "https://user:abc123DEF456ghi789@host/v1",
        "value abc123DEF456ghi789 of a variable",
    ],
)
def test_keys_are_taken_out_of_texts(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SOME_SERVICE_API_KEY", "abc123DEF456ghi789")
    cleaned = redact(text)
    assert "abc123" not in cleaned
    assert "[key removed]" in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "def compute_reward(state, action, next_state):\n    risk_adjusted_height = 1.0",
        "The model gpt-4o does not exist at http://127.0.0.1:8000/v1",
        "sk-learn and task-conditioned-policies are words, and so is skeleton_of_the_robot",
    ],
)
def test_other_text_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SHORT_API_KEY", "state")
    assert redact(text) == text


def test_a_judges_replies_are_not_priced_as_those_of_the_model_that_writes() -> None:
    written, judged = (encode(Reply("text", "m", usage=Usage(1_000_000, 0))) for _ in range(2))
    steps = {Key(0, 0, 0): written, Key(0, 0, 0, f"{ASKED}pair_00.forth.0"): judged}
    spent = spent_in(steps, prices=(2.0, 8.0))
    assert (spent.replies, spent.input_tokens, spent.usd, spent.unpriced) == (2, 2_000_000, 2.0, 1)

"""A model reads screens over a real connection: its answers, its nonsense, its silence; what was judged once stays."""

from __future__ import annotations

import json
from pathlib import Path

import pointmass
import pytest
from crediting_for_tests import SUBGOALS, TASK, answer, glimpse
from loopback import Loopback, Request, Step, cut, fail, say

from reward_agent.crediting.cache import Judgements
from reward_agent.crediting.screens import ScreenReader
from reward_agent.crediting.view import View
from reward_agent.errors import RewardAgentError, UsageError, WaitingForPersonError
from reward_agent.llm import LLM, LLMError, Options, connect
from reward_agent.program import Fault

pytestmark = pytest.mark.usefixtures("model_keys")
YES, NO = {"has_key": True, "opened": False}, {"has_key": False, "opened": False}


def model(server: Loopback, name: str = "gpt-test") -> LLM:
    return connect(f"openai:{name}", Options(base_url=server.openai_url, retries=0, timeout=10))


def reader(server: Loopback, view: View | None = None, **options: object) -> ScreenReader:
    return ScreenReader(model(server), TASK, SUBGOALS, view, **{"concurrency": 1, **options})  # type: ignore[arg-type]


def by_message(request: Request) -> Step:
    """Says that the key was picked up in each transition whose message has an even number."""
    numbers = [int(line.split()[-1]) for line in request.prompt.splitlines() if line.startswith("Message: message")]
    return say(answer(*((number % 2 == 0, False) for number in numbers)))


@pytest.mark.parametrize("batch", [1, 3])
def test_each_transition_gets_its_own_answer(server: Loopback, batch: int) -> None:
    server.answer = by_message
    found = reader(server, batch=batch, concurrency=4).read([glimpse(number) for number in range(7)])
    assert found == [YES, NO, YES, NO, YES, NO, YES]
    assert len(server.requests) == {1: 7, 3: 3}[batch]


def test_the_prompt_shows_what_the_view_says(server: Loopback) -> None:
    def prompt(view: View, batch: int = 1) -> str:
        server.script(*[say(answer(*[(False, False)] * batch))] * 2)
        reader(server, view, batch=batch).read([glimpse(number) for number in range(batch)])
        return "\n".join(message["content"] for message in server.requests[-1].body["messages"])

    usual = prompt(View())
    for part in ("You are an expert", "`@` the agent", "`` ` `` a boulder", "Action: north", "Message: message 0"):
        assert part in usual
    for part in ("`has_key`: the key was picked up", "find the key", "```\n...\n.@0\n...\n```", "agent in the middle"):
        assert part in usual
    assert "a sword" not in usual and "-----" not in usual and "looks like this" not in usual
    assert "You are an expert" not in prompt(View(role=False)) and "the agent\n" not in prompt(View(legend=False))
    assert "Action:" not in prompt(View(action=False)) and "Message:" not in prompt(View(message=False))
    assert "Carries: a sword; a key" in prompt(View(inventory=True))
    full = prompt(View(observation="full"))
    assert "|.@0|" in full and "in the middle" not in full
    tokenised = prompt(View(tokenised=True))
    assert "```\n. . .\n. @ 0\n. . .\n```" in tokenised and "space between" in tokenised
    assert '{"has_key": true, "opened": false}' in prompt(View(one_shot=True))
    both = prompt(View(one_shot=True), batch=2)
    assert "# Transition 2" in both and '{"1": {"has_key": false, "opened": false}, "2": ' in both
    with pytest.raises(UsageError, match="crop or full"):
        View(observation="half")  # type: ignore[arg-type]


def test_nonsense_goes_back_once_and_then_is_a_fault(server: Loopback) -> None:
    server.script(say("I see no key."), say(answer((True, False))), say("nothing"), say('{"has_key": true}'))
    asked = reader(server)
    mended, left = asked.read([glimpse(0)])[0], asked.read([glimpse(1)])[0]
    assert mended == YES
    assert isinstance(left, Fault) and "says nothing of `opened`" in left.message
    again = server.requests[1].body["messages"]
    assert [message["role"] for message in again] == ["system", "user", "assistant", "user"]
    assert again[2]["content"] == "I see no key." and "no JSON object" in again[3]["content"]
    assert len(server.requests) == 4


def test_a_fault_of_one_leaves_the_others_of_its_prompt(server: Loopback) -> None:
    half = '{"1": {"has_key": true, "opened": false}, "2": {"has_key": "yes", "opened": false}}'
    server.script(say(half), say(half))
    judgements = Judgements()
    first, second = reader(server, batch=2, judgements=judgements).read([glimpse(0), glimpse(1)])
    assert first == YES and isinstance(second, Fault) and len(judgements) == 1


@pytest.mark.parametrize("broken", [cut(), fail(500, "down")])
def test_no_reply_is_an_error_and_no_answer(server: Loopback, broken: Step, tmp_path: Path) -> None:
    server.script(say(answer((True, False))), broken, say(answer((False, False))))
    judgements = Judgements(tmp_path / "judged.jsonl")
    asked = reader(server, judgements=judgements)
    with pytest.raises(LLMError):
        asked.read([glimpse(number) for number in range(3)])
    assert len(judgements) == 2, "what others said is kept"
    server.script(say(answer((True, False))))
    assert asked.read([glimpse(number) for number in range(3)]) == [YES, YES, NO]
    assert len(server.requests) == 4


def test_what_was_judged_is_not_asked_again_after_a_restart(server: Loopback, tmp_path: Path) -> None:
    server.answer = by_message
    path, glimpses = tmp_path / "deep" / "judged.jsonl", [glimpse(number) for number in (0, 1, 0, 2)]
    before = Judgements(path)
    found = reader(server, judgements=before).read(glimpses)
    assert found == [YES, NO, YES, YES] and len(server.requests) == 3, "the same content is asked once"
    before.close()
    with path.open("ab") as file:
        file.write(b'{"sha256": "torn')  # as a kill leaves it
    after = Judgements(path)
    assert reader(server, judgements=after).read([*glimpses, glimpse(3)]) == [*found, NO]
    assert len(server.requests) == 4
    after.close()
    assert len(Judgements(path)) == 4


def test_a_judgement_is_of_one_model_view_batch_and_set_of_subgoals(server: Loopback) -> None:
    server.answer = by_message
    judgements = Judgements()

    def requests(*args: object, **options: object) -> int:
        before = len(server.requests)
        ScreenReader(*args, judgements=judgements, **options).read([glimpse(0), glimpse(1)])  # type: ignore[arg-type]
        return len(server.requests) - before

    assert requests(model(server), TASK, SUBGOALS) == 2
    assert requests(model(server), TASK, SUBGOALS, View(), batch=1) == 0
    assert requests(model(server, "gpt-other"), TASK, SUBGOALS) == 2
    assert requests(model(server), TASK, SUBGOALS, View(observation="full")) == 2
    assert requests(model(server), TASK, SUBGOALS, batch=2) == 1
    assert requests(model(server), TASK, SUBGOALS[::-1]) == 2


def test_one_file_has_one_writer_and_damage_is_told(tmp_path: Path) -> None:
    path = tmp_path / "judged.jsonl"
    first = Judgements(path)
    with pytest.raises(RewardAgentError, match="another process"):
        Judgements(path)
    first.close()
    path.write_text('{"sha256": "a", "judged": {"has_key": true}}\nnonsense\n')
    with pytest.raises(UsageError, match="line 2, is damaged"):
        Judgements(path)


def test_a_whole_episode_is_read_at_once(server: Loopback) -> None:
    server.script(say('{"has_key": 2, "opened": 9}'), say('{"has_key": 2, "opened": null}'))
    asked = reader(server, View(one_shot=True), whole=True)
    assert asked.read([glimpse(number) for number in range(3)]) == [NO, YES, NO]
    assert asked.read([glimpse(number) for number in range(3)]) == [NO, YES, NO] and len(server.requests) == 2
    first = server.requests[0]
    assert "# Step 3, action: north" in first.prompt and first.prompt.count(".@1") == 1
    assert '"has_key": 12' in first.body["messages"][0]["content"]
    server.script(say("?"), say("?"))
    assert all(isinstance(each, Fault) for each in asked.read([glimpse(5), glimpse(6)]))


def test_a_person_answers_files_that_are_named_by_their_content(tmp_path: Path) -> None:
    llm = connect("manual:someone", Options(folder=tmp_path))
    llm._settle = 0.0  # type: ignore[attr-defined]
    asked = ScreenReader(llm, TASK, SUBGOALS, judgements=Judgements())
    with pytest.raises(WaitingForPersonError) as waits:
        asked.read([glimpse(0), glimpse(1)])
    prompts = sorted(tmp_path.rglob("*.prompt.md"))
    assert len(prompts) == 2 and all(str(path) in str(waits.value) for path in prompts)
    second = next(path for path in prompts if "message 1" in path.read_text())
    second.with_name(second.name.replace("prompt", "reply")).write_text(json.dumps(YES))
    assert asked.read([glimpse(1)]) == [YES]
    with pytest.raises(WaitingForPersonError):
        asked.read([glimpse(1), glimpse(0)])
    assert sorted(tmp_path.rglob("*.prompt.md")) == prompts


def test_wrong_use_is_told(server: Loopback) -> None:
    with pytest.raises(UsageError, match="no screens of text"):
        ScreenReader(model(server), pointmass.task, SUBGOALS)
    with pytest.raises(UsageError, match="no subgoals"):
        ScreenReader(model(server), TASK, ())
    with pytest.raises(UsageError, match="1 to 64"):
        reader(server, batch=0)
    assert reader(server).read([]) == []

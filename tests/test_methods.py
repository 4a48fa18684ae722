"""Methods are pure functions of task and history: driven here through whole runs, with outcomes made up."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from pointmass import task as tiny

from reward_agent.envs.registry import tasks
from reward_agent.errors import UsageError
from reward_agent.feedback import deciding, fenced
from reward_agent.history import Attempt, Candidate, History, Interval, Judgement, Outcome
from reward_agent.messages import Key, Message, Reply
from reward_agent.methods import Action, Ask, Done, Method, Settings, Train, Words, find_method
from reward_agent.methods.base import starting_history
from reward_agent.program import Fault, Program
from reward_agent.task import Task
from reward_agent.templates import Templates

FAULT = Fault("check", "`next_state.torso` is not a field of this task.", 2)
NAMES = ("eureka", "text2reward")


def make(name: str, **settings: int | Program | None) -> Method:
    return find_method(name)(Settings(**{"iterations": 2, "candidates": 2, **settings}), Templates())  # type: ignore[arg-type]


def source(key: Key) -> str:
    return f"def compute_reward(state, action, next_state):\n    return 0, {{}}  # {key.folder}\n"


def outcome(score: float) -> Outcome:
    steps = tuple(float(i) for i in range(10))
    metrics = {"success": Interval(score, score, score), "closeness": Interval(-score, -score, -score)}
    return Outcome(metrics, {"near": steps}, steps, steps, (-score,), 1000, 1.0, success=(score,))


def put(history: History, candidate: Candidate) -> History:
    return History({**history.candidates, (candidate.iteration, candidate.index): candidate})


def play(
    method: Method,
    scores: Callable[[int, int], Outcome | Fault],
    faults: Callable[[Key], Sequence[Fault]] = lambda key: (),
    history: History | None = None,
    task: Task = tiny,
    warnings: tuple[str, ...] = (),
) -> tuple[History, list[Action]]:
    """Do what the method says until it is done."""
    history = history or History()
    actions: list[Action] = []
    for _ in range(100):
        action = method.next(task, history)
        assert method.next(task, history) == action  # pure
        actions.append(action)
        match action:
            case Ask(prompts):
                for prompt in prompts:
                    at = prompt.key.iteration, prompt.key.candidate
                    candidate = history.candidates.get(at, Candidate(*at))
                    assert len(candidate.attempts) == prompt.key.attempt
                    reply = Reply(f"Here:\n{fenced(source(prompt.key))}", model="test")
                    program = method.read(task, history, prompt, reply.text)
                    assert isinstance(program, Program)
                    made = Attempt(prompt.key, prompt.messages, reply, program, tuple(faults(prompt.key)), warnings)
                    history = put(history, replace(candidate, attempts=(*candidate.attempts, made)))
            case Train(candidates):
                for at in candidates:
                    history = put(history, replace(history.candidates[at], outcome=scores(*at)))
            case Words(iteration, index):
                said = replace(history.candidates[iteration, index], words=f"Words on {iteration}.{index}.")
                history = put(history, said)
            case Done():
                return history, actions
    pytest.fail("the method never ended")


def last_prompt(actions: Sequence[Action]) -> tuple[Message, ...]:
    return next(action for action in reversed(actions) if isinstance(action, Ask)).prompts[0].messages


def text(messages: Sequence[Message]) -> str:
    return "\n".join(message.text for message in messages)


@pytest.mark.parametrize("name", NAMES)
def test_rounds(name: str) -> None:
    _, actions = play(make(name), lambda i, c: outcome(0.1 * i + 0.01 * c))
    kinds = [type(action).__name__ for action in actions]
    words = ["Words"] if name == "text2reward" else []
    assert kinds == ["Ask", "Train", *words, "Ask", "Train", "Done"]
    first, second = (action for action in actions if isinstance(action, Ask))
    assert [p.key for p in first.prompts] == [Key(0, 0, 0), Key(0, 1, 0)]
    assert [p.key for p in second.prompts] == [Key(1, 0, 0), Key(1, 1, 0)]
    assert [m.role for m in first.prompts[0].messages] == ["system", "user"]
    assert [m.role for m in second.prompts[0].messages] == ["system", "user", "assistant", "user"]
    assert tiny.instruction in first.prompts[0].messages[1].text


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_goes_straight_back_with_its_line(name: str) -> None:
    history, actions = play(make(name), lambda i, c: outcome(0.5), lambda key: (FAULT,) if key[:3] == (0, 1, 0) else ())
    repair = actions[1]
    assert isinstance(repair, Ask)
    (prompt,) = repair.prompts
    assert prompt.key == Key(0, 1, 1)
    assert [m.role for m in prompt.messages] == ["system", "user", "assistant", "user"]
    assert prompt.messages[2].text == history.candidates[0, 1].attempts[0].reply.text
    assert "[check, line 2]" in prompt.messages[3].text
    assert FAULT.message in prompt.messages[3].text
    assert actions[2] == Train(((0, 0), (0, 1)))


@pytest.mark.parametrize("name", NAMES)
def test_what_the_probe_noticed_reaches_the_next_round(name: str) -> None:
    warning = "The term `effort` is 0 in every one of 64 recorded transitions."
    _, actions = play(make(name, candidates=1), lambda i, c: outcome(0.5), warnings=(warning,))
    assert warning in last_prompt(actions)[-1].text
    _, actions = play(make(name, candidates=1), lambda i, c: outcome(0.5))
    assert "probe noticed" not in text(last_prompt(actions))


@pytest.mark.parametrize("name", NAMES)
def test_a_reply_without_a_program_is_repaired_too(name: str) -> None:
    method = make(name, candidates=1)
    ask = method.next(tiny, History())
    assert isinstance(ask, Ask)
    fault = method.read(tiny, History(), ask.prompts[0], "I would rather not.")
    assert isinstance(fault, Fault)
    attempt = Attempt(ask.prompts[0].key, ask.prompts[0].messages, Reply("I would rather not.", "test"), None, (fault,))
    again = method.next(tiny, put(History(), Candidate(0, 0, attempts=(attempt,))))
    assert isinstance(again, Ask)
    assert again.prompts[0].messages[2].text == "I would rather not."
    assert "[extract]" in again.prompts[0].messages[3].text


@pytest.mark.parametrize("name", NAMES)
def test_repairs_are_bounded_and_a_lost_candidate_stops_nothing(name: str) -> None:
    history, actions = play(
        make(name, repairs=2), lambda i, c: outcome(0.5), lambda key: (FAULT,) if key[:2] == (0, 0) else ()
    )
    assert len(history.candidates[0, 0].attempts) == 3
    assert history.candidates[0, 0].outcome is None
    assert [action for action in actions if isinstance(action, Train)] == [Train(((0, 1),)), Train(((1, 0), (1, 1)))]


@pytest.mark.parametrize("name", NAMES)
def test_an_iteration_that_all_failed_is_told_to_the_next(name: str) -> None:
    _, actions = play(make(name, repairs=1), lambda i, c: outcome(0.5), lambda key: (FAULT,) if key[0] == 0 else ())
    messages = last_prompt(actions)
    assert [m.role for m in messages] == ["system", "user", "assistant", "user"]
    assert source(Key(0, 1, 1)).strip() in messages[2].text
    assert FAULT.message in messages[3].text
    assert isinstance(actions[-1], Done)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_ever_works(name: str) -> None:
    _, actions = play(make(name, repairs=0), lambda i, c: outcome(0.0), lambda key: (FAULT,))
    assert actions[-1] == Done("No program could be trained on.")
    assert not [action for action in actions if isinstance(action, Train)]


@pytest.mark.parametrize("name", NAMES)
def test_a_program_that_fails_while_training(name: str) -> None:
    late = Fault("optimise", "More than 0.1 % of rewards were not finite.", 2)
    _, actions = play(make(name), lambda i, c: late if i == 0 else outcome(0.5))
    assert late.message in last_prompt(actions)[-1].text
    assert not [action for action in actions if isinstance(action, Words)]


@pytest.mark.parametrize("name", NAMES)
def test_a_reward_of_the_users_own_is_trained_first_and_improved(name: str) -> None:
    own = Program("def compute_reward(state, action, next_state):\n    return 0, {}  # my own\n")
    method = make(name, initial=own, iterations=1)
    _, actions = play(method, lambda i, c: outcome(0.3), history=starting_history(method.settings))  # type: ignore[attr-defined]
    assert actions[0] == Train(((0, 0),))
    messages = last_prompt(actions)
    assert "# my own" in messages[2].text
    assert "the user's own" in messages[3].text
    ask = next(action for action in actions if isinstance(action, Ask))
    assert [prompt.key for prompt in ask.prompts] == [Key(1, 0, 0), Key(1, 1, 0)]
    assert isinstance(actions[-1], Done)


def test_eureka_never_loses_the_best() -> None:
    scores = {0: 0.2, 1: 0.9, 2: 0.4, 3: 0.5}
    _, actions = play(make("eureka", iterations=4, candidates=1), lambda i, c: outcome(scores[i]))
    messages = last_prompt(actions)
    assert "iter_01/cand_00" in messages[2].text
    assert "beats task_score 0.9" in messages[3].text
    assert "task_score of the trained policy: 0.9" in messages[3].text and "90 %" not in messages[3].text
    assert "round 3: task_score 0.4" in messages[3].text
    assert "round 1" not in messages[3].text


def test_eureka_tells_how_near_it_comes_as_long_as_nothing_succeeds() -> None:
    near = {0: -0.7, 1: -0.2, 2: -0.5}

    def failing(i: int, c: int) -> Outcome:
        shown = {"success": Interval(0.0, 0.0, 0.0), "closeness": Interval(near[i], near[i], near[i])}
        return replace(outcome(0.0), metrics=shown)

    _, actions = play(make("eureka", iterations=4, candidates=1), lambda i, c: failing(i, c) if i < 3 else outcome(0.0))
    said = last_prompt(actions)[3].text
    assert "beats task_score -0.2" in said and "round 3: task_score -0.5" in said


@pytest.mark.parametrize("shares", [(0.0, 0.3, 0.1), (0.0, 0.0, 0.0), (1.0, 1.0, 0.9)])
def test_of_two_programs_in_a_prompt_the_better_one_never_has_the_lower_task_score(shares: tuple[float, ...]) -> None:
    generator = np.random.default_rng(7)
    for _ in range(20):
        near = generator.normal(size=3)
        outcomes = [
            replace(outcome(0.0), metrics={"success": Interval(s, s, s), "closeness": Interval(n, n, n)})
            for s, n in zip(shares, near.tolist(), strict=True)
        ]
        metric = deciding(tiny, *outcomes)
        ordered = sorted(outcomes, key=Outcome.score)
        told = [each.metrics[metric.name].mean for each in ordered]
        assert told == sorted(told)


def test_eureka_says_something_new_each_round() -> None:
    _, actions = play(make("eureka", iterations=4), lambda i, c: outcome(0.5 - 0.1 * i))
    asked = [action.prompts[0].messages for action in actions if isinstance(action, Ask)]
    assert len({text(messages) for messages in asked}) == 4


def test_eureka_takes_the_best_of_a_round() -> None:
    _, actions = play(make("eureka"), lambda i, c: outcome(0.1 + 0.5 * c))
    assert "cand_01" in last_prompt(actions)[2].text


def test_text2reward_replays_programs_and_words() -> None:
    scores = {0: 0.2, 1: 0.9, 2: 0.4, 3: 0.5}
    history, actions = play(make("text2reward", iterations=4, candidates=1), lambda i, c: outcome(scores[i]))
    messages = last_prompt(actions)
    assert [m.role for m in messages] == ["system", "user", *["assistant", "user"] * 3]
    for number in range(3):
        assert f"iter_{number:02d}" in messages[2 + 2 * number].text
        assert f"Words on {number}.0." in messages[3 + 2 * number].text
    assert "round 2 did best" in messages[7].text
    assert [a for a in actions if isinstance(a, Words)] == [Words(0, 0), Words(1, 0), Words(2, 0)]
    assert history.candidates[3, 0].words == ""
    # it is told words, never numbers
    assert "0.9" not in text(messages[2:])
    assert "task_score" not in text(messages[2:])


def test_text2reward_is_told_what_a_judge_preferred_where_there_is_no_metric() -> None:
    history, _ = play(make("text2reward", iterations=2, candidates=1), lambda i, c: outcome(0.5).unscored)
    judgements = {0: Judgement("page", 0, None, None, 0), 1: Judgement("page", 0, None, False, 1)}
    for judged, best in ((judgements, 1), ({**judgements, 1: replace(judgements[1], beats_champion=True)}, 2)):
        action = make("text2reward", iterations=3, candidates=1).next(tiny, replace(history, judgements=judged))
        if isinstance(action, Words):
            told = replace(history.candidates[1, 0], words="It idles.")
            history = put(history, told)
            action = make("text2reward", iterations=3, candidates=1).next(tiny, replace(history, judgements=judged))
        assert isinstance(action, Ask)
        assert f"round {best} did best" in action.prompts[0].messages[-1].text
    action = make("text2reward", iterations=3, candidates=1).next(tiny, history)
    assert isinstance(action, Ask) and "did best" not in action.prompts[0].messages[-1].text, "nobody compared"
    none = {number: replace(judgement, best=None, beats_champion=None) for number, judgement in judgements.items()}
    action = make("text2reward", iterations=3, candidates=1).next(tiny, replace(history, judgements=none))
    assert isinstance(action, Ask) and "did best" not in action.prompts[0].messages[-1].text, "none was preferred"


def test_text2reward_asks_for_words_on_the_best_of_a_round() -> None:
    _, actions = play(make("text2reward"), lambda i, c: outcome(0.1 + 0.5 * c))
    assert next(action for action in actions if isinstance(action, Words)) == Words(0, 1)


def test_methods_are_found_by_name() -> None:
    assert make("eureka").name == "eureka"
    assert make("text2reward").sees != make("eureka").sees
    with pytest.raises(UsageError, match="Did you mean 'eureka'"):
        find_method("eureca")
    with pytest.raises(UsageError, match="code_as_policies, eureka, given, icpl, l2r, l2r_coder, oni, text2reward"):
        find_method("base")


# a world that cannot run here cannot tell its fields
READY = [task for task in tasks().values() if task.world.missing() is None]


@pytest.mark.parametrize("task", [tiny, *READY], ids=lambda task: task.id)
@pytest.mark.parametrize("name", NAMES)
def test_prompts_of_every_task_hide_what_must_be_hidden(name: str, task: Task) -> None:
    ask = make(name, candidates=1).next(task, History())
    assert isinstance(ask, Ask)
    said = text(ask.prompts[0].messages)
    assert task.instruction.rstrip(".") in said
    assert f"{task.horizon} steps" in said
    schema = task.world.schema().edit(hide=task.hide, rename=task.rename)
    for field in schema.fields:
        if not field.hidden:
            assert re.search(rf"\b{field.entity.split('.')[0]}\b", said)
            assert re.search(rf"\b{field.name}\b", said)
    visible = {part for field in schema.visible().fields for part in field.path.split(".")}
    for field in schema.fields:
        if field.hidden:
            assert field.path not in said
            for part in set(field.path.split(".")) - visible:
                assert not re.search(rf"\b{part}\b", said), f"{part} of a hidden field is in the prompt"
    for metric in task.metrics:
        assert metric.doc not in said
        for leak in {metric.name, metric.score.__name__, "success", "fitness", "native"}:
            # a plain word such as `distance` may stand in a prompt; a name made for the metric may not
            if "_" in leak or leak in ("success", "fitness", "native"):
                assert leak not in said.lower()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("by", ["planner", "practice"])
def test_a_model_is_not_told_of_a_policy_where_the_planner_acted(name: str, by: Literal["planner", "practice"]) -> None:
    said = ("it wobbles",)
    trained = last_prompt(play(make(name), lambda i, c: outcome(0.5), warnings=said)[1])[-1].text
    planned = last_prompt(play(make(name), lambda i, c: replace(outcome(0.5), by=by), warnings=said)[1])[-1].text
    assert "A policy was optimised" in trained and "planner" not in trained and "Before training," in trained
    assert "A planner " in planned and "no policy was trained" in planned and "it wobbles" in planned
    assert not any(false in planned for false in ("policy was optimised", "raining", "trained policy", "whose policy"))


def test_the_best_is_the_latest_only_where_nothing_is_scored() -> None:
    unknown = Interval.alone(float("nan"))
    broken = replace(outcome(0.0), metrics={"success": unknown, "closeness": unknown})
    stopped, unseen = replace(broken, by="planner", stopped_of=3.0), replace(broken, by="nothing")

    def best(*outcomes: Outcome, before: int | None = None) -> int:
        found = History({(i, 0): Candidate(i, 0, outcome=each) for i, each in enumerate(outcomes)}).best(before)
        assert found is not None
        return found.iteration

    assert best(stopped, stopped, unseen) == 1 and best(stopped, stopped, before=1) == 0
    assert best(stopped, broken, stopped) == 1, "an episode that gave no number was played to its end"
    assert best(outcome(0.2), outcome(0.2), stopped) == 0 and best(outcome(0.2), outcome(0.3), stopped) == 1

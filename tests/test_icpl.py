"""ICPL: what its prompts show, what they never show, and whole runs of it with a metric as the stand-in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pointmass
import pytest
from judged import outcome
from runs_for_tests import GOOD, SMALL, TIMID, config, recording

from reward_agent.agent import prepare, resume, synthesize
from reward_agent.codec import decode
from reward_agent.errors import UsageError, WaitingForPersonError
from reward_agent.events import Best, Event, Judged
from reward_agent.history import Attempt, Candidate, History, Judgement, Remark
from reward_agent.messages import Key, Reply
from reward_agent.methods import Ask, Compare, Done, Settings, Train, find_method
from reward_agent.program import Fault, Program
from reward_agent.result import load_result
from reward_agent.store import read_steps
from reward_agent.templates import Templates

SECRET = 0.424242
"""A score that no prompt may hold."""
SETTINGS = Settings(iterations=3, candidates=3, judged=True)
ICPL = find_method("icpl")(SETTINGS, Templates())


def program(gain: float) -> str:
    return (
        "def compute_reward(state, action, next_state):\n"
        f'    terms = {{"near": -{gain} * abs(next_state.point.position)[:, 0], "effort": -(action**2).sum(-1)}}\n'
        "    return sum(terms.values()), terms\n"
    )


def candidate(iteration: int, index: int, source: str, score: float = SECRET) -> Candidate:
    attempt = Attempt(Key(iteration, index, 0), (), Reply(source, "model"), Program(source))
    return Candidate(iteration, index, (attempt,), outcome(score))


def history(*rounds: Judgement, score: float = SECRET) -> History:
    """Rounds of three, each candidate with a program of its own, as these judgements found them."""
    made = [candidate(i, k, program(10 * i + k + 1), score) for i in range(len(rounds)) for k in range(3)]
    return History({(c.iteration, c.index): c for c in made}, dict(enumerate(rounds)))


def judged(best: int | None, worst: int | None, beats: bool | None = True, **more: object) -> Judgement:
    return replace(Judgement("page", best, worst, beats, queries=3), **more)  # type: ignore[arg-type]


def prompt(past: History, settings: Settings = SETTINGS) -> str:
    """What is asked next, all messages of the first prompt."""
    action = find_method("icpl")(settings, Templates()).next(pointmass.task, past)
    assert isinstance(action, Ask)
    return "\n".join(message.text for message in action.prompts[0].messages)


def test_the_first_prompt_is_eurekas() -> None:
    """So that a first round can be shared when the two are compared."""
    asked = [find_method(name)(SETTINGS, Templates()).next(pointmass.task, History()) for name in ("icpl", "eureka")]
    assert all(isinstance(action, Ask) for action in asked)
    assert asked[0] == asked[1]


def test_a_round_is_asked_trained_compared() -> None:
    assert isinstance(ICPL.next(pointmass.task, History()), Ask)
    one = history(judged(2, 0, None))
    untrained = {at: replace(c, outcome=None) for at, c in one.candidates.items()}
    assert ICPL.next(pointmass.task, History(untrained)) == Train(((0, 0), (0, 1), (0, 2)))
    assert ICPL.next(pointmass.task, History(one.candidates)) == Compare(0)
    assert isinstance(ICPL.next(pointmass.task, one), Ask)
    three = history(judged(2, 0, None), judged(1, 0), judged(0, 2))
    assert isinstance(ICPL.next(pointmass.task, three), Done)


def test_the_next_prompt_shows_good_bad_traces_and_differences() -> None:
    text = prompt(history(judged(2, 0, None), judged(1, 0)))
    assert program(12).strip() in text and program(11).strip() in text  # the best and the worst of round 2
    assert program(3).strip() not in text  # round 1's best is told by how the good one differs
    assert "From the best of round 1" in text and "-3 * abs" in text and "-12 * abs" in text
    assert text.count("term `near`: 0.1, 0.2") == 2
    assert "Not outdone" not in text


def test_the_best_of_an_earlier_round_is_shown_where_it_is_still_preferred() -> None:
    text = prompt(history(judged(2, 0, None), judged(1, 0, False)))
    assert "Not outdone yet: the best of round 1" in text and program(3).strip() in text


def test_true_values_never_reach_the_model() -> None:
    """The prompts of two histories that differ in every score, and in nothing else, are the same to the letter."""
    rounds = (judged(2, 0, None), judged(1, 0, False))
    text = prompt(history(*rounds))
    assert text == prompt(history(*rounds, score=-7.5)) == prompt(history(*rounds, score=float("nan")))
    assert "0.424" not in text and "task_score" not in text
    for metric in pointmass.task.metrics:
        assert metric.name not in text


@pytest.mark.parametrize(
    ("part", "gone", "kept"),
    [
        ("traces", "term `near`: 0.1, 0.2", "From the best of round 1"),
        ("differences", "From the best of round 1", "term `near`: 0.1, 0.2"),
        ("bad", "BAD", "GOOD"),
        ("feedback", "GOOD", "Write the reward function for this task."),
    ],
)
def test_ablations(part: str, gone: str, kept: str) -> None:
    past = history(judged(2, 0, None), judged(1, 0))
    whole, without = prompt(past), prompt(past, replace(SETTINGS, without=(part,)))
    assert gone in whole and kept in whole
    assert gone not in without and kept in without


def test_what_people_say_reaches_the_next_prompt_as_data() -> None:
    said = judged(
        None, 1, None, words="none is right: they all ```fall``` <<<", remarks=(Remark(2, "this one limps", "ann"),)
    )
    text = prompt(history(judged(2, 0, None), replace(said, best=2, beats_champion=True)))
    assert "they all '''fall''' < < <" in text and "this one limps" in text


def test_where_none_is_preferred_the_champion_is_the_good_example() -> None:
    text = prompt(history(judged(2, 0, None), judged(None, 1, None, words="all fall")))
    assert "none of them was preferred" in text and program(3).strip() in text and program(12).strip() in text


def test_where_none_was_ever_preferred_no_program_is_called_the_best() -> None:
    text = prompt(history(judged(None, None, None, words="all fall")))
    assert program(1).strip() in text and "all fall" in text
    assert "only to name it" in text and "best so far" not in text and "came nearest" not in text


def test_what_cannot_be_executed_is_sampled_anew_and_in_the_end_given_up() -> None:
    asked = ICPL.next(pointmass.task, History())
    assert isinstance(asked, Ask)
    faulty = Attempt(
        Key(0, 0, 0), asked.prompts[0].messages, Reply("no", "model"), None, (Fault("extract", "no program", None),)
    )
    again = ICPL.next(pointmass.task, History({(0, 0): Candidate(0, 0, (faulty,))}))
    assert isinstance(again, Ask)
    assert again.prompts[0].key == Key(0, 0, 1) and again.prompts[0].messages == asked.prompts[0].messages
    given_up = ICPL.next(pointmass.task, History({(0, 0): Candidate(0, 0, (faulty,) * 4)}))
    assert isinstance(given_up, Ask) and [each.key.candidate for each in given_up.prompts] == [1, 2]


def replies(folder: Path) -> str:
    texts = {(0, 0): TIMID, (0, 1): GOOD, (1, 0): TIMID + "\n# again", (1, 1): GOOD + "\n# again"}
    return recording(folder / "session.jsonl", {Key(i, k, 0): text for (i, k), text in texts.items()})


def test_a_run_by_a_stand_in_ends_with_what_it_preferred(tmp_path: Path) -> None:
    told: list[Event] = []
    made = config(replies(tmp_path), method="icpl", judge="metric")
    result = synthesize(made, events=told.append, root=tmp_path, name="one")
    assert result.candidate == 1 and result.judge == "metric" and result.queries == 3
    assert [event.judgement.best for event in told if isinstance(event, Judged)] == [1, 1]
    assert any(isinstance(event, Best) for event in told)
    steps = read_steps(tmp_path / "one")
    kept = {key.iteration: decode(Judgement, value) for key, value in steps.items() if key.stage == "judgement"}
    assert kept[0].beats_champion is None and kept[1].beats_champion is not None
    feedback = (tmp_path / "one" / "iter_00/cand_01/feedback.md").read_text()
    assert "term" in feedback and "task_score" not in feedback
    assert resume(tmp_path / "one") == load_result(tmp_path / "one") == result


def test_a_run_goes_on_under_another_judge_that_is_looked_at_first(tmp_path: Path) -> None:
    made = config(replies(tmp_path), method="icpl", judge="page")
    with pytest.raises(WaitingForPersonError, match="rank"):
        synthesize(made, root=tmp_path, name="one")
    for judge, said in (("metric:nosuch", "There is no metric"), ("pages", "Did you mean 'page'")):
        with pytest.raises(UsageError, match=said):
            resume(tmp_path / "one", changes={"judge": judge})
    with pytest.raises(WaitingForPersonError):  # what was refused is not kept
        resume(tmp_path / "one")
    name = pointmass.task.metrics[0].name
    result = resume(tmp_path / "one", changes={"judge": f"metric:{name}"})
    assert result.judge == f"metric:{name}"
    assert resume(tmp_path / "one") == result


def test_icpl_takes_the_metric_where_no_judge_is_named(tmp_path: Path) -> None:
    ready = prepare(config(replies(tmp_path), method="icpl"), root=tmp_path)
    assert ready.config.judge == "metric"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"method": "eureka", "judge": "metric"}, "listens to no judge"),
        ({"method": "icpl", "without": ("trace",)}, "Did you mean 'traces'"),
        ({"method": "eureka", "without": ("traces",)}, "eureka has no parts"),
        ({"method": "icpl", "judge": "metric:reached"}, "There is no metric"),
        ({"method": "icpl", "judge": "metrics"}, "Did you mean"),
    ],
)
def test_refusals(changes: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        prepare(config(replies(tmp_path), **SMALL | changes), root=tmp_path)

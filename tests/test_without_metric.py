"""Tasks without a metric: they train, tell how it went and never of a score; what would need one is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import near_judge
import numpy as np
import pointmass
import pytest
import runs_for_tests as runs
import sweeps_for_tests as sweeps
from own_envs import Float, float_state
from own_tasks import float_task
from pointmass import unscored

from reward_agent import evaluate
from reward_agent.agent import prepare, synthesize
from reward_agent.chat.looking import Look, outcome_of, unseen
from reward_agent.chat.settings import ChatSettings
from reward_agent.chat.starting import start
from reward_agent.chat.transcript import outcome_in_words
from reward_agent.cli import main
from reward_agent.cli.board import Board
from reward_agent.cli.results import describe_result
from reward_agent.cli.story import Story
from reward_agent.cli.view import line, table
from reward_agent.conformance import conform
from reward_agent.errors import UsageError
from reward_agent.events import Best, Evaluated, Event, Noted
from reward_agent.feedback import automatic_words, deciding, reflection
from reward_agent.history import Candidate, History, Interval, Outcome
from reward_agent.plan import make_plan
from reward_agent.program import Program
from reward_agent.result import Result, load_result
from reward_agent.scoring import no_op, roll_out
from reward_agent.sweep.jobs import make_jobs
from reward_agent.sweep.spec import read_spec
from reward_agent.task import Task
from reward_agent.trial import Trained, TrialSpec, run_trial

TASK = f"{pointmass.__file__}:unscored"
JUDGE = str(Path(near_judge.__file__))
TELLING = ("score", "success", "metric")
"""What nothing that a model or a person reads of such a task may speak of as if it were there."""
EXPERT = Program(pointmass.EXPERT)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trial")
    seeds = (1, 2, 3)
    spec = TrialSpec(
        TASK,
        EXPERT,
        1_536,
        1,
        folder,
        settings=runs.SETTINGS,
        measured_at=(512, 1_024),
        select_seeds=seeds,
        report_seeds=seeds,
    )
    result = run_trial(spec, lambda at: None, lambda: False)
    assert isinstance(result, Trained)
    assert {"policy.safetensors", "curves.npz", "eval.json"} <= {path.name for path in folder.iterdir()}
    return result


def test_a_training_has_courses_and_no_score(trained: Trained) -> None:
    outcome = trained.outcome
    assert outcome.steps >= 1_536 and set(outcome.terms) == {"near", "effort"} and outcome.episode_length
    assert (outcome.metrics, outcome.task_score, outcome.success, outcome.measured_at) == ({}, (), (), ())
    assert trained.select == trained.report == {}
    assert outcome.measured and not outcome.scored and outcome.score() == ()


def test_nothing_is_played_for_no_score() -> None:
    def refuses(observations: np.ndarray) -> np.ndarray:
        raise AssertionError("an episode was played")

    assert roll_out(unscored, refuses, [1, 2]) == {}
    assert set(roll_out(pointmass.task, no_op(pointmass.task), [1, 2])) == {"success", "closeness"}


def test_what_is_said_of_a_training_has_no_score(trained: Trained) -> None:
    assert unscored.graded is None and deciding(unscored, trained.outcome) is None
    told = reflection(None, trained.outcome)
    assert "term `near`: " in told and "episode_length: " in told and "total reward of an episode: " in told
    words = automatic_words(unscored, trained.outcome)
    assert "Of the terms, `near`" in words and "of 60 steps" in words
    for word in TELLING:
        assert word not in told and word not in words


def test_a_look_has_no_score_either() -> None:
    look = Look({"near": (0.1, 0.4)}, (0.1, 0.4), {}, seconds=3.0, real_time_factor=1.0)
    outcome = outcome_of(unscored, look)
    assert outcome.metrics == {} and outcome.task_score == () and outcome.steps == 60
    assert outcome_in_words(outcome) == "terms a step: near 0.4"
    assert "lasted to its end" in automatic_words(unscored, outcome)
    stopped = outcome_of(unscored, replace(look, seconds=1.0, cut_short=True))
    for told in (
        outcome_in_words(stopped),
        automatic_words(unscored, stopped),
        reflection(None, stopped),
        reflection(None, outcome),
    ):
        assert not [word for word in TELLING if word in told], told
    assert unseen(unscored).metrics == {}


def test_the_latest_stands_where_nothing_is_scored(trained: Trained) -> None:
    done = [Candidate(number, 0, outcome=trained.outcome) for number in range(3)]
    history = History({(each.iteration, 0): each for each in done})
    assert history.best() is done[-1] and history.best(before=2) is done[1]
    scored = replace(trained.outcome, metrics={"closeness": Interval(1.0, 0.5, 1.5)})
    history = History({**history.candidates, (0, 0): replace(done[0], outcome=scored)})
    assert history.best() == history.candidates[0, 0]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, list[Event]]:
    root, told = tmp_path_factory.mktemp("runs"), list[Event]()
    llm = runs.two_rounds(root / "replies.jsonl")
    config = runs.config(llm, task=TASK, method="text2reward", judge=JUDGE, budget=1_024, expert=True)
    ready = prepare(config, left_open=["final_seeds"])
    assert make_plan(ready.config, task=ready.task, measure=False).expert_trainings == 0
    return synthesize(ready, events=told.append, root=root, name="unscored"), told


def test_a_run_ends_with_a_policy_and_no_score(ran: tuple[Result, list[Event]]) -> None:
    result, _ = ran
    assert load_result(result.folder) == result
    assert result.metrics == result.floors == result.judged == {} and result.expert is None
    assert result.trainings == 1, "more would only narrow the interval of a score"
    assert (result.iteration, result.candidate) == (1, 0), "the judge's, not the last"
    assert result.judge == "near" and result.queries == 3
    assert (result.best / "policy.safetensors").is_file() and "95 %" not in result.reward.read_text()
    told = describe_result(result)
    assert "1 training from scratch of 1,024 steps; no metric scores what its policy does" in told
    assert "episodes each" not in told


def test_its_prompts_tell_of_no_score(ran: tuple[Result, list[Event]]) -> None:
    (said,) = json.loads((ran[0].folder / "iter_01/cand_00/attempt_00/messages.json").read_text())[-1:]
    assert "Of the terms, " in said["text"]
    for word in ("task_score", "did best", "succe"):
        assert word not in said["text"]


def test_icpl_goes_on_from_what_the_judge_prefers(tmp_path: Path) -> None:
    llm = runs.two_rounds(tmp_path / "replies.jsonl")
    config = runs.config(llm, task=TASK, method="icpl", judge=JUDGE, budget=512, final_seeds=1)
    result = synthesize(config, root=tmp_path, name="icpl")
    assert (result.iteration, result.candidate, result.metrics) == (1, 0, {})
    (said,) = json.loads((result.folder / "iter_01/cand_00/attempt_00/messages.json").read_text())[-1:]
    assert "`rest`: " in said["text"] and not [word for word in TELLING if word in said["text"]], said["text"]


def test_views_have_no_score(ran: tuple[Result, list[Event]]) -> None:
    _, events = ran
    board, story = Board(), Story(replayed=True)
    for event in events:
        board.take(event)
        assert "nan" not in story(event)
    assert "score" not in [column.header for column in table(board).columns]
    assert {row.stage for row in board.rows.values()} == {"trained"}
    ended = next(event for event in events if isinstance(event, Evaluated))
    assert line(ended).endswith(": trained")
    assert any(isinstance(event, Best) for event in events)
    assert not [event.text for event in events if isinstance(event, Noted) and "order" in event.text]


def test_show_tells_what_was_trained(
    ran: tuple[Result, list[Event]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", str(ran[0].folder)]) == 0
    assert capsys.readouterr().out.count("trained; no metric scores it") == 4
    assert main(["play", str(ran[0].folder)]) == 2
    assert "No metric scores what is done in pointmass/bumblebee" in capsys.readouterr().err


def test_eval_tells_the_courses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = evaluate(EXPERT, TASK, budget=512, settings=runs.SETTINGS, seeds=1)
    assert found.ok and found.metrics == found.floors == {}
    assert isinstance(found.outcomes[0], Outcome)
    (tmp_path / "good.py").write_text(pointmass.EXPERT)
    words = ["eval", str(tmp_path / "good.py"), "--task", TASK, "--budget", "512", "--seeds", "1"]
    assert main([*words, "--set", "hidden=16,16"]) == 0
    told = capsys.readouterr().out
    assert "no metric scores what is done in this task" in told and "episode length " in told
    assert "this reward" not in told and "50 episodes" not in told


def test_it_is_listed_as_judged_by_comparison(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", TASK]) == 0
    assert "judged by comparison" in capsys.readouterr().out
    assert main(["tasks", TASK, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["metrics"] == []


def test_somebody_must_compare_where_there_is_something_to_choose(tmp_path: Path) -> None:
    llm = runs.two_rounds(tmp_path / "replies.jsonl")
    with pytest.raises(UsageError, match=r"no metric, so nothing says which reward is best.*--judge page.*icpl.*text2"):
        prepare(runs.config(llm, task=TASK, method="text2reward"))
    with pytest.raises(UsageError, match=r"eureka goes by the metric and listens to no judge"):
        prepare(runs.config(llm, task=TASK, method="eureka", judge=JUDGE))
    with pytest.raises(UsageError, match="has no metric that could stand in for a person"):
        prepare(runs.config(llm, task=TASK, method="icpl", judge="metric"))
    alone = prepare(runs.config(None, task=TASK, method="given", iterations=0, candidates=1, initial=EXPERT))
    assert alone.config.judge is None, "there is nothing to choose among"


def test_where_no_method_is_named_it_is_the_one_that_compares() -> None:
    assert prepare(runs.config("manual", task=TASK, judge=JUDGE), left_open=["method"]).config.method == "icpl"
    assert prepare(runs.config("manual"), left_open=["method"]).config.method == "eureka"


def test_a_person_who_leads_a_chat_needs_nobody_to_compare(tmp_path: Path) -> None:
    config = runs.config("manual", task=TASK, optimiser="ppo")
    with start(config, ChatSettings(look="none"), root=tmp_path, left_open=["method"]) as session:
        assert (session.config.method, session.config.judge) == ("text2reward", None)


@pytest.mark.needs("rliable")
def test_a_sweep_compares_scores(tmp_path: Path) -> None:
    file = sweeps.write(tmp_path, tasks=[TASK], rewards=["good.py"])
    with pytest.raises(UsageError, match="bumblebee has no metric, and the rows of a sweep are compared by one"):
        make_jobs(read_spec(file), tmp_path)


def test_conformance_asks_for_no_metric() -> None:
    (found,) = conform(unscored, checks=["metrics"]).findings
    assert found.level == "passed" and "judged by comparison" in found.text
    lost = replace(unscored, metrics=(replace(pointmass.task.metrics[1], fields=("point.place",)),))
    assert not conform(lost, checks=["metrics"]).ok


def test_an_environment_of_ones_own_may_say_that_there_is_none() -> None:
    with pytest.raises(UsageError, match=r"needs a metric.*`metrics=\(\)` says so"):
        Task.from_gymnasium(Float, "float prettily", state=float_state, horizon=30)
    assert float_task(metric=None, metrics=()).metrics == ()
    with pytest.raises(UsageError, match="needs a metric"):
        float_task(metric=None)

"""A whole run on the tiny world: what it finds, what it leaves and what it says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pointmass
import pytest
import runs_for_tests as runs
from runs_for_tests import SMALL, Scripted

from reward_agent import agent
from reward_agent.codec import decode
from reward_agent.config import RunConfig
from reward_agent.errors import UsageError
from reward_agent.events import (
    Accepted,
    Asked,
    Best,
    Evaluated,
    Event,
    Faulted,
    Finished,
    Replied,
    Spoke,
    Started,
    TrainingProgress,
    TrainingStarted,
)
from reward_agent.messages import Key
from reward_agent.optimise.policy import load_policy
from reward_agent.plan import make_plan
from reward_agent.program import Program
from reward_agent.result import Result, load_result
from reward_agent.scoring import SeedPlan


@pytest.fixture(scope="module")
def told() -> list[Event]:
    return []


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory, told: list[Event]) -> Result:
    root = tmp_path_factory.mktemp("runs")
    expert = root / "expert.py"
    expert.write_text(pointmass.EXPERT)
    task = root / "task.py"
    task.write_text(
        f"import sys\nsys.path.insert(0, {str(Path(pointmass.__file__).parent)!r})\n"
        "from pathlib import Path\nfrom pointmass import pointmass_task\n"
        f"task = pointmass_task(Path({str(expert)!r}))\n"
    )
    config = runs.config(runs.two_rounds(root / "replies.jsonl"), task=f"{task}:task", expert=True, video=True)
    return agent.synthesize(config, events=told.append, root=root, name="one")


def kinds(told: Sequence[Event]) -> Iterator[type]:
    return (type(event) for event in told)


def test_the_good_program_is_found_and_scored_on_fresh_trainings(result: Result) -> None:
    assert (result.iteration, result.candidate) == (1, 0)
    assert result.program.source.strip() == runs.GOOD
    assert result.trainings == 2 and result.failed == ()
    assert result.metrics["closeness"].mean > result.floors["no-op"]["closeness"].mean
    assert result.expert is not None
    # the expert is the very program that was found, trained with the same seeds and budget
    assert result.expert == result.metrics
    assert result.model == "tester" and not result.unsafe
    assert result.steps == (4 + 2 + 2) * 4_096


def test_report_and_select_seeds_are_apart(result: Result) -> None:
    facts = json.loads(next((result.folder / "final").glob("*/seed_00/eval.json")).read_text())
    assert facts["training_seed"] == SeedPlan.final_seed(0, 0)
    assert facts["select_seeds"] == SeedPlan.select_seeds(0, 8).tolist()
    assert facts["report_seeds"] == SeedPlan.report_seeds(0, 8).tolist()
    candidate = json.loads((result.folder / "iter_00/cand_00/eval.json").read_text())
    assert candidate["report_seeds"] == [], "report seeds judge the final trainings alone"


def test_the_kept_policy_is_the_best_on_the_select_seeds(result: Result) -> None:
    finals = [json.loads(path.read_text()) for path in sorted((result.folder / "final").glob("*/*/eval.json"))]
    scores = [[interval["mean"] for interval in f["result"]["outcome"]["metrics"].values()] for f in finals]
    best = finals[scores.index(max(scores))]
    assert result.policy_seed == best["training_seed"]
    assert result.policy_sha256 == best["result"]["files"]["policy.safetensors"]


def test_the_folder_is_as_designed(result: Result) -> None:
    attempt = {path.name for path in (result.folder / "iter_00/cand_01/attempt_01").iterdir()}
    assert attempt == {"messages.json", "reply.md", "program.py", "check.json", "probe.json"}
    faulty = json.loads((result.folder / "iter_00/cand_01/attempt_00/check.json").read_text())
    assert not faulty["ok"] and faulty["faults"][0]["line"] == 2
    candidate = {path.name for path in (result.folder / "iter_01/cand_00").iterdir() if path.is_file()}
    assert candidate == {"curves.npz", "policy.safetensors", "policy.json", "eval.json", "feedback.md"}
    assert "term `near`" in (result.folder / "iter_01/cand_00/feedback.md").read_text()
    assert {"reward.py", "policy.safetensors", "policy.json"} <= {path.name for path in result.best.iterdir()}
    assert load_policy(result.best).action_size == 1
    assert load_result(result.folder) == result


@pytest.mark.needs("rendering")
def test_the_best_policy_is_filmed(result: Result) -> None:
    assert result.video is not None and result.video.stat().st_size > 1000


def test_the_story_is_told_in_order(result: Result, told: list[Event]) -> None:
    order = [kind for kind in kinds(told) if kind is not TrainingProgress]
    assert order[0] is Started and order[-1] is Finished
    assert order.index(Asked) < order.index(Replied) < order.index(Accepted) < order.index(TrainingStarted)
    assert order.index(TrainingStarted) < order.index(Evaluated) < order.index(Best)
    (fault,) = (event for event in told if isinstance(event, Faulted))
    assert fault.key == Key(0, 1, 0) and "nearness" in fault.faults[0].message
    progress = [event for event in told if isinstance(event, TrainingProgress)]
    assert {event.budget for event in progress} == {4_096} and progress[-1].terms
    assert [event.iteration for event in told if isinstance(event, Best)] == [0, 1]


def test_a_finished_run_told_again_does_nothing_anew(result: Result) -> None:
    before = (result.folder / "journal.jsonl").read_bytes()
    again: list[Event] = []
    assert agent.resume(result.folder, events=again.append) == result
    assert (result.folder / "journal.jsonl").read_bytes() == before
    assert not {Asked, TrainingStarted, TrainingProgress} & set(kinds(again))
    assert all(event.recorded for event in again if isinstance(event, Replied | Evaluated | Faulted | Accepted))
    assert sum(isinstance(event, Evaluated) for event in again) == 8


def test_what_was_deleted_is_made_again(result: Result) -> None:
    reward = result.reward.read_text()
    for path in (result.best, result.folder / "final", result.folder / "iter_00"):
        for file in sorted(path.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
        path.rmdir()
    (result.folder / "result.json").unlink()
    assert agent.resume(result.folder) == result
    assert result.reward.read_text() == reward
    assert (result.folder / "iter_00/cand_01/attempt_00/check.json").exists()


def test_a_plan_tells_what_a_run_takes(result: Result) -> None:
    config = decode(RunConfig, json.loads((result.folder / "run.json").read_text())["config"])
    plan = make_plan(config, root=result.folder.parent, measure=False)
    assert (plan.search_trainings, plan.final_trainings, plan.steps) == (4, 4, result.steps)
    assert plan.steps_per_second and plan.seconds, "the speed is that of the run before"
    assert plan.requests == 5 and plan.tokens > 5_000 and plan.usd == 0
    priced = replace(config, llm="openai:some", prices=(1.0, 10.0))
    assert make_plan(priced, root=result.folder.parent, measure=False).usd == pytest.approx(0.093, abs=0.05)


def test_ones_own_reward_is_improved(tmp_path: Path) -> None:
    model = Scripted(runs.GOOD)
    config = runs.config("x", **SMALL | {"budget": 2_048}, initial=Program(runs.TIMID), seed=1)
    result = agent.synthesize(config, llm=model, root=tmp_path, name="one")
    (key, messages), *_ = model.asked
    assert key == Key(1, 0, 0) and len(model.asked) == 1
    assert any(runs.TIMID in message.text for message in messages), "it is shown to the model"
    assert result.llm == "scripted:one"
    assert load_result(tmp_path / "one") == result


def test_a_faulty_reward_of_ones_own_is_refused(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL, initial=Program(runs.BROKEN))
    model = Scripted()
    with pytest.raises(UsageError, match=r"(?s)line 2.*nearness.*reward-agent check"):
        agent.synthesize(config, llm=model, root=tmp_path, name="one")
    assert not model.asked
    assert not any(tmp_path.iterdir()), "nothing was made"


def test_words_of_a_person_and_automatic_ones(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL | {"iterations": 3}, method="text2reward")
    answers = iter(["Push harder!", ""])
    folders = []

    def person(task: object, candidate: object, outcome: object, folder: Path) -> str:
        folders.append(folder)
        return next(answers)

    model, told = Scripted(runs.GOOD, runs.TIMID, runs.GOOD), []
    agent.synthesize(config, llm=model, events=told.append, ask_person=person, root=tmp_path, name="one")
    spoken = [event for event in told if isinstance(event, Spoke)]
    assert [event.whose for event in spoken] == ["person", "nobody"]
    assert "Push harder!" in model.asked[1][1][-1].text
    assert "no person watched" in spoken[1].words
    assert folders[0] == tmp_path / "one/iter_00/cand_00" and (folders[0] / "policy.json").exists()
    assert not (folders[0] / "video.mp4").exists(), "no video was wanted"
    # a replay of this run says again what the person said, and only that
    replayed: list[Event] = []
    config = replace(config, llm=f"replay:{tmp_path / 'one'}")
    agent.synthesize(config, events=replayed.append, root=tmp_path, name="two")
    assert [(e.words, e.whose) for e in replayed if isinstance(e, Spoke)] == [(e.words, e.whose) for e in spoken]


@pytest.mark.needs("rendering")
def test_a_person_has_a_clip_to_watch(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL | {"iterations": 2}, method="text2reward", video=True)
    clips: list[int] = []

    def person(task: object, candidate: object, outcome: object, folder: Path) -> None:
        clips.append((folder / "video.mp4").stat().st_size)

    agent.synthesize(config, llm=Scripted(runs.GOOD, runs.GOOD), ask_person=person, root=tmp_path, name="one")
    assert len(clips) == 1 and clips[0] > 1000

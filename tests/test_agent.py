"""A whole run on the tiny world: what it finds, what it leaves, what it says, and how it ends when it cannot go on."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pointmass
import pytest
import runs_for_tests as runs
from loopback import Loopback
from numpy.typing import NDArray

from reward_agent import agent, trainings
from reward_agent.cli import main
from reward_agent.codec import decode
from reward_agent.config import RunConfig, with_whole_paths
from reward_agent.errors import InterruptedRunError, RewardAgentError, UsageError, WaitingForPersonError
from reward_agent.events import (
    Accepted,
    Asked,
    Best,
    Evaluated,
    Event,
    Faulted,
    Finished,
    Noted,
    Replied,
    Spoke,
    Started,
    TrainingProgress,
    TrainingStarted,
)
from reward_agent.history import Outcome
from reward_agent.llm import BudgetError, LLMError, Spent
from reward_agent.messages import Key, Message, Reply, Usage
from reward_agent.optimise.policy import load_policy
from reward_agent.plan import make_plan
from reward_agent.program import Fault, Program, TrainingFault
from reward_agent.result import Result, load_result
from reward_agent.schema import StateSchema
from reward_agent.scoring import SeedPlan
from reward_agent.sittings import config_of, weakest
from reward_agent.store import read_manifest, read_steps
from reward_agent.task import Metric
from reward_agent.trainings import quoted
from reward_agent.trial import Trained

SMALL = {"iterations": 1, "candidates": 1, "budget": 512, "final_seeds": 1}


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


class Scripted:
    """A model that says what it is told to, at a price; raises what it is told to."""

    name = "scripted:one"

    def __init__(self, *replies: str | Exception) -> None:
        self.replies, self.asked = list(replies), []

    def complete(self, messages: Sequence[Message], key: Key) -> Reply:
        self.asked.append((key, messages))
        reply = self.replies.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        return Reply(f"```python\n{reply}\n```", model="scripted", usage=Usage(100, 50, 0.5))


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
    assert [event.automatic for event in spoken] == [False, True]
    assert "Push harder!" in model.asked[1][1][-1].text
    assert "no person watched" in spoken[1].words
    assert folders[0] == tmp_path / "one/iter_00/cand_00" and (folders[0] / "policy.json").exists()
    assert not (folders[0] / "video.mp4").exists(), "no video was wanted"
    # a replay of this run says again what the person said, and only that
    replayed: list[Event] = []
    config = replace(config, llm=f"replay:{tmp_path / 'one'}")
    agent.synthesize(config, events=replayed.append, root=tmp_path, name="two")
    assert [(e.words, e.automatic) for e in replayed if isinstance(e, Spoke)] == [
        (e.words, e.automatic) for e in spoken
    ]


@pytest.mark.needs("rendering")
def test_a_person_has_a_clip_to_watch(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL | {"iterations": 2}, method="text2reward", video=True)
    clips: list[int] = []

    def person(task: object, candidate: object, outcome: object, folder: Path) -> None:
        clips.append((folder / "video.mp4").stat().st_size)

    agent.synthesize(config, llm=Scripted(runs.GOOD, runs.GOOD), ask_person=person, root=tmp_path, name="one")
    assert len(clips) == 1 and clips[0] > 1000


def test_a_program_that_fails_while_training_is_left_behind(tmp_path: Path) -> None:
    # later in an episode than the probe looks
    late = runs.GOOD.replace(
        "    near =", "    if next_state.episode.time.max() > 2.9:\n        raise ValueError\n    near ="
    )
    told: list[Event] = []
    config = runs.config("x", **SMALL | {"iterations": 2, "budget": 2_048})
    model = Scripted(late, runs.GOOD)
    result = agent.synthesize(config, llm=model, events=told.append, root=tmp_path, name="one")
    first = next(event for event in told if isinstance(event, Evaluated))
    assert isinstance(first.outcome, Fault) and first.outcome.stage == "optimise"
    assert result.iteration == 1
    assert "ValueError" in model.asked[1][1][-1].text, "the model is told"


@pytest.mark.parametrize(
    ("broken", "told_of"), [("crash", "exit code -6"), ("refusal", "not drawn"), ("hang", "not done within 5 s")]
)
def test_a_clip_that_fails_costs_the_clip_alone(
    tmp_path: Path, broken: str, told_of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken == "hang":
        monkeypatch.setattr(trainings, "FILM_SECONDS", 5.0)
    task = replace(pointmass.pointmass_task(), id="pointmass/undrawable", world=Undrawable(broken=broken))
    told: list[Event] = []
    config = runs.config("x", **SMALL, video=True)
    result = agent.synthesize(config, llm=Scripted(runs.GOOD), task=task, events=told.append, root=tmp_path, name="one")
    assert load_result(tmp_path / "one") == result and result.video is None
    (noted,) = (event.text for event in told if isinstance(event, Noted) and "video" in event.text)
    assert told_of in noted


@dataclass(frozen=True)
class Undrawable(pointmass.PointMass):
    """A world whose pictures end the process or never come, as with drivers, or are refused."""

    broken: str = ""

    def make(self, num_envs: int, fields: StateSchema, *, threads: int = 1) -> pointmass.PointMassBatch:
        return UndrawableBatch(num_envs, fields, self.broken)


class UndrawableBatch(pointmass.PointMassBatch):
    def __init__(self, num_envs: int, fields: StateSchema, broken: str) -> None:
        super().__init__(num_envs, fields)
        self.broken = broken

    def render(self, row: int) -> NDArray[np.uint8]:
        if self.broken == "crash":
            os.abort()
        if self.broken == "hang":
            time.sleep(600)
        raise UsageError("this is not drawn")


def test_steps_of_a_failed_training_count(tmp_path: Path) -> None:
    late = runs.GOOD.replace(
        "    near =", "    if next_state.episode.time.max() > 2.9:\n        raise ValueError\n    near ="
    )
    told: list[Event] = []
    config = runs.config("x", **SMALL | {"iterations": 2, "budget": 2_048})
    result = agent.synthesize(config, llm=Scripted(late, runs.GOOD), events=told.append, root=tmp_path, name="one")
    first, second, final = (event.outcome for event in told if isinstance(event, Evaluated))
    assert isinstance(first, TrainingFault) and 0 < first.steps < 2_048
    assert isinstance(second, Outcome) and isinstance(final, Outcome)
    assert result.steps == first.steps + second.steps + final.steps
    journalled = read_steps(tmp_path / "one")[Key(0, 0, 0, "train")]
    assert decode(Trained | TrainingFault, journalled) == first


def test_a_failed_final_training_counts_as_doing_nothing() -> None:
    outcome = Outcome({}, {}, (), (), (), 10, 1.0)
    below = {"no-op": {"distance": (0.0, 0.0)}, "random": {"distance": (9.0, 9.0)}}
    trained, fault = Trained(outcome, {}, {"distance": (3.0, 5.0)}, {}), TrainingFault("optimise", "late")
    metrics = (Metric("distance", "fitness", "how far", (), lambda episode: 0.0),)
    assert quoted([trained, fault], below, metrics)["distance"].mean == 2.0
    assert quoted([trained, trained], below, metrics)["distance"].mean == 4.0
    assert quoted([fault, fault], below, metrics) == {}


def test_success_is_quoted_by_a_share_and_fitness_by_any_number() -> None:
    outcome = Outcome({}, {}, (), (), (), 10, 1.0)
    runs_of = [Trained(outcome, {}, {"success": (s,), "closeness": (s,)}, {}) for s in (0.0, 0.0, 1.0)]
    found = quoted(runs_of, {}, pointmass.task.metrics)
    assert found["success"].low == 0.0 and found["success"].high == 1.0
    assert found["closeness"].low < -1.0 and found["closeness"].high > 1.7


def test_a_used_up_budget_ends_the_search_cleanly(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL | {"iterations": 3}, max_usd=0.6)
    model, told = Scripted(runs.GOOD, runs.TIMID, runs.GOOD), []
    result = agent.synthesize(config, llm=model, events=told.append, root=tmp_path, name="one")
    assert len(model.asked) == 2 and result.spent.usd == 1.0
    assert "used up" in result.reason and any(isinstance(event, Noted) for event in told)
    larger = agent.resume(tmp_path / "one", llm=model, changes={"max_usd": 10.0})
    assert len(model.asked) == 3 and larger.reason == "All 3 rounds are done."


def test_no_budget_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BudgetError):
        agent.synthesize(runs.config("x", **SMALL, max_usd=0.0), llm=Scripted(), root=tmp_path, name="one")


def test_a_failed_request_keeps_the_replies_that_came(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL | {"candidates": 2})
    with pytest.raises(LLMError, match="no luck"):
        agent.synthesize(config, llm=Scripted(runs.GOOD, LLMError("no luck")), root=tmp_path, name="one")
    assert sum(key.stage == "reply" for key in read_steps(tmp_path / "one")) == 1
    model = Scripted(runs.TIMID)
    assert agent.resume(tmp_path / "one", llm=model).trainings == 1
    assert len(model.asked) == 1


def test_what_a_resumed_run_is_told_holds_from_then_on(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    with pytest.raises(WaitingForPersonError):
        agent.synthesize(runs.config("manual", **SMALL, max_usd=3.0), root=tmp_path, name="one")
    name = runs.recording(tmp_path / "replies.jsonl", {Key(0, 0, 0): runs.GOOD})

    def die(event: Event) -> None:
        if isinstance(event, Started):
            raise KeyboardInterrupt

    for changes in ({"llm": name, "max_usd": None}, {"max_tokens": 500, "prices": (1.0, 10.0)}, {"max_tokens": 500}):
        with pytest.raises(KeyboardInterrupt):
            agent.resume(folder, changes=changes, events=die)
    with pytest.raises(UsageError, match="base URL holds a key"):
        agent.resume(folder, changes={"base_url": "http://me:pass1234word@host/v1"})
    told = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    assert [line["value"] for line in told if line["stage"] == "changes"] == [
        {"llm": name, "max_usd": None},
        {"llm": name, "max_usd": None, "max_tokens": 500, "prices": [1.0, 10.0]},
    ]
    result = agent.resume(folder)
    assert result.llm == name and result.model == "tester"
    config = config_of(read_manifest(folder), read_steps(folder))
    assert (config.max_usd, config.max_tokens, config.prices) == (None, 500, (1.0, 10.0))


def test_a_larger_budget_lasts(tmp_path: Path) -> None:
    with pytest.raises(BudgetError):
        agent.synthesize(runs.config("x", **SMALL, max_usd=0.0), llm=Scripted(), root=tmp_path, name="one")
    with pytest.raises(LLMError, match="no luck"):
        agent.resume(tmp_path / "one", llm=Scripted(LLMError("no luck")), changes={"max_usd": 0.6})
    assert agent.resume(tmp_path / "one", llm=Scripted(runs.GOOD)).spent.usd == 0.5


def test_a_request_without_a_reply_counts_when_resumed_as_well(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL, max_tokens=1_000)
    for _ in range(2):
        empty = Scripted(LLMError("no text", usage=Usage(100, 400, 2.0)))
        with pytest.raises(LLMError, match="no text"):
            if (tmp_path / "one").exists():
                agent.resume(tmp_path / "one", llm=empty)
            else:
                agent.synthesize(config, llm=empty, root=tmp_path, name="one")
    with pytest.raises(BudgetError, match="1,000 of 1,000 tokens"):
        agent.resume(tmp_path / "one", llm=Scripted())
    result = agent.resume(tmp_path / "one", llm=Scripted(runs.GOOD), changes={"max_tokens": None})
    assert result.spent == Spent(1, 100 + 200 + 0, 50 + 800, 4.5)


def test_money_without_a_price_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with Loopback() as server:
        config = runs.config("openai:m", **SMALL, max_usd=5.0, base_url=server.openai_url)
        with pytest.raises(UsageError, match=r"No price is known for openai:m.*--prices"):
            agent.synthesize(config, root=tmp_path, name="one")
        assert not server.requests
    assert not list(tmp_path.iterdir())


def test_prices_given_later_count_what_was_asked_before(tmp_path: Path) -> None:
    empty = Scripted(LLMError("no text", usage=Usage(100, 400)))
    with pytest.raises(LLMError, match="no text"):
        agent.synthesize(runs.config("x", **SMALL), llm=empty, root=tmp_path, name="one")
    with pytest.raises(BudgetError, match=r"No price is known for 1 replies so far \(500 tokens.*--prices IN OUT"):
        agent.resume(tmp_path / "one", llm=Scripted(), changes={"max_usd": 5.0})
    changes = {"max_usd": 5.0, "prices": (1.0, 10.0)}
    result = agent.resume(tmp_path / "one", llm=Scripted(runs.GOOD), changes=changes)
    assert result.spent.usd == pytest.approx(0.5 + 100e-6 + 4000e-6) and result.spent.unpriced == 0


def test_a_replayed_run_costs_nothing(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL, max_usd=0.6)
    paid = agent.synthesize(config, llm=Scripted(runs.GOOD), root=tmp_path, name="one")
    assert paid.spent.usd == 0.5
    again = replace(config, llm=f"replay:{tmp_path / 'one'}", max_usd=0.4)
    assert agent.synthesize(again, root=tmp_path, name="two").spent == Spent(replies=1)
    (tmp_path / "two/result.json").unlink()
    assert agent.resume(tmp_path / "two").spent == Spent(replies=1)


def test_a_prompt_on_disk_is_the_one_that_was_answered(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL)
    with pytest.raises(LLMError):
        agent.synthesize(config, llm=Scripted(LLMError("no luck")), root=tmp_path, name="one")
    file = tmp_path / "one/iter_00/cand_00/attempt_00/messages.json"
    file.write_text(file.read_text().replace("user", "tester"))  # as if by older templates
    model = Scripted(runs.GOOD)
    agent.resume(tmp_path / "one", llm=model)
    assert json.loads(file.read_text()) == [{"role": m.role, "text": m.text} for m in model.asked[0][1]]


def test_a_resumed_run_tells_that_the_sandbox_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = runs.config("x", **SMALL)
    with pytest.raises(LLMError):
        agent.synthesize(config, llm=Scripted(LLMError("no luck")), root=tmp_path, name="one")
    first = read_manifest(tmp_path / "one").sandbox
    told: list[Event] = []

    def sit(layers: tuple[str, ...]) -> list[str]:
        monkeypatch.setattr(agent, "_layers", lambda unsafe: layers)
        told.clear()
        with pytest.raises(LLMError):
            agent.resume(tmp_path / "one", llm=Scripted(LLMError("no luck")), events=told.append)
        (started,) = (event for event in told if isinstance(event, Started))
        assert started.layers == layers
        return [event.text for event in told if isinstance(event, Noted) and "sandbox changed" in event.text]

    assert sit(first) == []
    (said,) = sit(first[1:])
    assert f"without {first[0]}," in said
    assert sit(first[1:]) == []
    (said,) = sit(first)
    assert f"with {first[0]}," in said
    folder = tmp_path / "one"
    steps = read_steps(folder)
    assert [steps[Key(0, 0, index, "layers")] for index in (0, 1)] == [list(first[1:]), list(first)]
    result = agent.resume(folder, llm=Scripted(runs.GOOD))
    assert result.sandbox == first[1:], "the weakest of them"
    assert load_result(folder) == result
    assert f"at its weakest of: {', '.join(first[1:])}." in " ".join(result.reward.read_text().split())
    assert main(["show", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    later = [f"sandbox after a resume: {', '.join(layers)}" for layers in (first[1:], first)]
    assert lines[2:5] == [f"sandbox: {', '.join(first)}", *later]


def test_the_weakest_sandbox_is_what_every_sitting_had() -> None:
    full, alone = ("bubblewrap", "landlock 6", "seccomp"), ("landlock 3", "seccomp", "watchdog")
    assert weakest((full,)) == full
    assert weakest((full, alone)) == weakest((alone, full)) == ("landlock 3", "seccomp")
    assert weakest((full, ("unsafe",))) == ()


def test_a_replay_goes_on_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(tmp_path)
    name = runs.recording(Path("replies.jsonl"), {Key(0, 0, 0): runs.GOOD})
    assert name == "replay:replies.jsonl"

    def stop(event: Event) -> None:
        if isinstance(event, Started):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        agent.synthesize(runs.config(name, **SMALL), events=stop, root=tmp_path, name="one")
    monkeypatch.chdir(elsewhere)
    assert agent.resume(tmp_path / "one").llm == f"replay:{tmp_path / 'replies.jsonl'}"
    shipped = with_whole_paths(runs.config("replay:mujoco/hopper-forward"))
    assert shipped.llm == "replay:mujoco/hopper-forward", "a name, not a file"


def test_waiting_for_a_person_leaves_a_run_to_resume(tmp_path: Path) -> None:
    config = runs.config("manual:someone", **SMALL)
    with pytest.raises(WaitingForPersonError) as waiting:
        agent.synthesize(config, root=tmp_path, name="one")
    attempt = tmp_path / "one/iter_00/cand_00/attempt_00"
    assert str(attempt / "reply.md") in str(waiting.value)
    (attempt / "reply.md").write_text(f"```python\n{runs.GOOD}\n```")
    assert agent.resume(tmp_path / "one").model == "someone"


def test_nothing_trainable_is_an_error_that_says_why(tmp_path: Path) -> None:
    config = runs.config("x", **SMALL, repairs=1)
    with pytest.raises(RewardAgentError, match=r"(?s)None of 1 candidates.*nearness"):
        agent.synthesize(config, llm=Scripted(runs.BROKEN, runs.BROKEN), root=tmp_path, name="one")


def test_ctrl_c_saves_and_tells_how_to_go_on(tmp_path: Path) -> None:
    def interrupt(event: Event) -> None:
        if isinstance(event, TrainingProgress):
            raise KeyboardInterrupt

    config = runs.config("x", **SMALL | {"budget": 16_384})
    with pytest.raises(InterruptedRunError, match=f"resume {tmp_path / 'one'}` goes on"):
        agent.synthesize(config, llm=Scripted(runs.GOOD), events=interrupt, root=tmp_path, name="one")
    assert (tmp_path / "one/iter_00/cand_00/training/training.safetensors").exists()
    steps: list[int] = []
    agent.resume(
        tmp_path / "one",
        llm=Scripted(),
        events=lambda e: steps.append(e.steps) if isinstance(e, TrainingProgress) else None,
    )
    assert steps[0] > 512, "the training went on from its checkpoint"


def test_wrong_names_are_told_before_anything_is_made(tmp_path: Path) -> None:
    for change, told in (({"method": "eurika"}, "eureka"), ({"task": "mujoco/hoper-forward"}, "hopper-forward")):
        with pytest.raises(UsageError, match=f"Did you mean .*{told}"):
            agent.synthesize(runs.config("x", **change), llm=Scripted(), root=tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="base URL holds a key"):
        agent.synthesize(runs.config("x", base_url="http://me:pass1234word@host/v1"), llm=Scripted(), root=tmp_path)
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="iterations must be at least 1"):
        runs.config("x", iterations=0)
    with pytest.raises(UsageError, match="may change"):
        agent.resume(tmp_path, changes={"seed": 3})

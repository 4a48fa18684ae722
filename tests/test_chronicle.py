"""A run's folder as one value: while it is written, while it waits for people, stopped, finished, and by hand."""

from __future__ import annotations

import json
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from runs_for_tests import BROKEN, GOOD, TIMID, Scripted, config, recording, two_rounds

from reward_agent.agent import synthesize
from reward_agent.chronicle import read_chronicle
from reward_agent.errors import UsageError, WaitingForPersonError
from reward_agent.history import Judgement, Outcome
from reward_agent.journal import Journal, RunBusyError, is_written
from reward_agent.judging import JUDGEMENT
from reward_agent.messages import Key
from reward_agent.result import RESULT
from reward_agent.store import JOURNAL, MANIFEST, Run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("finished")
    synthesize(config(two_rounds(root / "replies.jsonl"), budget=1024, final_seeds=1), root=root, name="one")
    return root / "one"


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "copy")
    return tmp_path / "copy"


def cut(folder: Path, keep: int, more: bytes = b"") -> None:
    """As a run killed after `keep` steps leaves it."""
    (folder / RESULT).unlink(missing_ok=True)
    path = folder / JOURNAL
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:keep]) + more)


def test_a_finished_run_is_told_whole(finished: Path) -> None:
    run = read_chronicle(finished)
    assert (run.id, run.state, run.waits_for, run.method, run.judge) == ("one", "finished", "", "eureka", None)
    assert [[c.at for c in each.candidates] for each in run.rounds] == [[(0, 0), (0, 1)], [(1, 0), (1, 1)]]
    assert run.result is not None and run.best == (run.result.iteration, run.result.candidate)
    assert run.spent.replies == 5 and run.steps == run.result.steps == 5 * 1024
    assert [final.of for final in run.finals] == ["final"] and run.finals[0].curves is not None
    assert run.resume.endswith(f"resume {finished}")
    repaired = run.candidate((0, 1))
    assert repaired is not None and repaired.standing == "trained"
    first, second = repaired.attempts
    assert (first.ok, second.ok) == (False, True)
    assert first.faults[0].stage == "check" and "nearness" in first.faults[0].message
    assert first.reply is not None and BROKEN in first.reply.text and first.prompt is not None
    assert repaired.program is not None and repaired.program.source.rstrip().endswith("# repaired")


def test_parents_are_the_best_of_the_rounds_before(finished: Path) -> None:
    run = read_chronicle(finished)
    before = [c for c in run.rounds[0].candidates if c.outcome]
    best = max(before, key=lambda c: c.outcome.score() if c.outcome else ())
    assert all(c.parent is None and c.parent_program is None for c in run.rounds[0].candidates)
    assert {c.parent for c in run.rounds[1].candidates} == {best.at} == {run.rounds[0].best_so_far}
    assert run.rounds[1].candidates[0].parent_program == best.program


def test_curves_are_those_of_the_training_and_their_loss_is_no_harm(copy: Path) -> None:
    good = read_chronicle(copy).candidate((1, 0))
    assert good is not None and good.curves is not None and good.outcome is not None
    assert set(good.curves.terms) == {"near", "effort"} == set(good.outcome.terms)
    assert good.curves.steps[-1] == good.outcome.steps and np.all(np.diff(good.curves.steps) > 0)
    assert set(good.scores) == {"success", "closeness"} and len(good.scores["success"]) == 8
    path = copy / "iter_01/cand_00/curves.npz"
    path.write_bytes(path.read_bytes()[:100])
    torn = read_chronicle(copy).candidate((1, 0))
    assert torn is not None and torn.curves is None and isinstance(torn.outcome, Outcome)


def test_a_stopped_run_is_told_to_its_last_whole_step(copy: Path) -> None:
    lines = (copy / JOURNAL).read_text().splitlines()
    trained = next(number for number, line in enumerate(lines) if json.loads(line)["stage"] == "train")
    cut(copy, trained, b'{"iteration": 0, "cand')
    run = read_chronicle(copy)
    assert run.state == "stopped" and run.result is None and run.best is None
    assert [c.standing for c in run.rounds[0].candidates] == ["ready", "ready"]
    (copy / "iter_00/cand_00/training").mkdir()
    assert [c.standing for c in read_chronicle(copy).rounds[0].candidates] == ["training", "ready"]


def test_standings_before_a_training(copy: Path) -> None:
    stages = [json.loads(line)["stage"] for line in (copy / JOURNAL).read_text().splitlines()]
    cut(copy, stages.index("reply") + 1)
    assert [c.standing for c in read_chronicle(copy).candidates] == ["asked"]
    assert read_chronicle(copy).candidates[0].attempts[0].vetted is False


def test_it_is_running_while_the_journal_is_open(copy: Path) -> None:
    cut(copy, 3)
    with Run.open(copy):
        assert read_chronicle(copy).state == "running"
    assert read_chronicle(copy).state == "stopped"


def test_looking_whether_a_journal_is_written_keeps_no_writer_out(tmp_path: Path) -> None:
    path, stop = tmp_path / JOURNAL, threading.Event()
    path.touch()

    def look() -> None:
        while not stop.is_set():
            is_written(path)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        ends = time.monotonic() + 1.0
        while time.monotonic() < ends:
            Journal(path).close()
    finally:
        stop.set()
        for looker in lookers:
            looker.join()
    with Journal(path), pytest.raises(RunBusyError):
        Journal(path)


def test_a_run_waits_for_a_reply(tmp_path: Path) -> None:
    with pytest.raises(WaitingForPersonError):
        synthesize(config("manual"), root=tmp_path, name="asks")
    run = read_chronicle(tmp_path / "asks")
    assert (run.state, run.waits_for) == ("waiting", "reply")
    for prompt in run.folder.rglob("prompt.md"):
        prompt.with_name("reply.md").write_text("no program")
    assert read_chronicle(tmp_path / "asks").state == "stopped"


def test_a_run_waits_for_words(tmp_path: Path) -> None:
    llm = recording(tmp_path / "replies.jsonl", {Key(0, 0, 0): TIMID, Key(1, 0, 0): GOOD})
    told = config(llm, method="text2reward", words="file", candidates=1, budget=512)
    with pytest.raises(WaitingForPersonError):
        synthesize(told, root=tmp_path, name="words")
    run = read_chronicle(tmp_path / "words")
    assert (run.state, run.waits_for) == ("waiting", "words")
    (run.candidates[0].folder / "words.md").write_text("It does not move.")
    assert read_chronicle(tmp_path / "words").state == "stopped"


def test_a_judged_run_goes_by_its_judge_alone(tmp_path: Path) -> None:
    llm = two_rounds(tmp_path / "replies.jsonl")
    synthesize(config(llm, method="icpl", judge="metric", budget=512, final_seeds=1), root=tmp_path, name="judged")
    folder = tmp_path / "judged"
    run = read_chronicle(folder)
    assert run.judge == "metric" and set(run.judgements) == {0, 1} and not run.blind
    first = run.rounds[0].judgement
    assert first is not None and first.best is not None and run.rounds[0].best_so_far == (0, first.best)
    assert {c.parent for c in run.rounds[1].candidates} == {(0, first.best)}
    judged = [json.loads(line)["stage"] for line in (folder / JOURNAL).read_text().splitlines()].index(JUDGEMENT)
    cut(folder, judged)
    unjudged = read_chronicle(folder)
    assert not unjudged.blind  # the metric has seen its scores
    assert replace(unjudged, config=replace(unjudged.config, judge="page")).blind
    assert not replace(run, config=replace(run.config, judge="page")).blind  # it is done
    assert unjudged.best is None and unjudged.rounds[0].best_so_far is None
    with Run.open(folder) as opened:  # the other way round than the metric has it
        opened.record(Key(0, 0, 0, JUDGEMENT), Judgement("page", 1 - first.best, first.best, None, queries=1))
    assert read_chronicle(folder).best == (0, 1 - first.best)


def test_a_question_waits_for_as_many_raters_as_it_wants(copy: Path) -> None:
    cut(copy, 10)
    judging = copy / "iter_00/judging"
    (judging / "answers").mkdir(parents=True)
    (judging / "question.json").write_text(json.dumps({"iteration": 0, "raters": 2, "clips": []}))
    assert read_chronicle(copy).waits_for == "judgement"
    (judging / "answers/ann.json").write_text(json.dumps({"rater": "ann", "final": True}))
    (judging / "answers/bob.json").write_text(json.dumps({"rater": "bob", "final": False}))
    (judging / "answers/torn.json").write_text('{"final": tr')
    assert read_chronicle(copy).state == "waiting"
    (judging / "answers/bob.json").write_text(json.dumps({"rater": "bob", "final": True}))
    assert read_chronicle(copy).state == "stopped"


def test_a_reward_of_ones_own_is_a_candidate_without_a_reply(tmp_path: Path) -> None:
    from reward_agent.program import Program

    own = config(None, initial=Program(GOOD), iterations=0, method="given", budget=512, final_seeds=1)
    synthesize(own, root=tmp_path, name="own")
    (candidate,) = read_chronicle(tmp_path / "own").candidates
    assert candidate.attempts[0].reply is None and candidate.program == Program(GOOD)


def test_what_requests_cost_is_counted(tmp_path: Path) -> None:
    told = config("scripted:one", iterations=1, candidates=1, budget=512, final_seeds=1)
    synthesize(told, llm=Scripted(GOOD), root=tmp_path, name="paid")
    run = read_chronicle(tmp_path / "paid")
    assert (run.spent.tokens, run.spent.usd) == (150, 0.5) and run.seconds > 0


def test_what_cannot_be_read_says_what_to_do(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run"):
        read_chronicle(tmp_path)
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps(manifest | {"config": {**manifest["config"], "novelty": 1}}))
    with pytest.raises(UsageError, match="another release"):
        read_chronicle(copy)

"""The run's folder: values survive JSON, steps are kept once, a torn line costs one step and nothing else."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from reward_agent.codec import decode, encode, to_line
from reward_agent.errors import UsageError
from reward_agent.history import Interval, Outcome
from reward_agent.journal import Journal, RunBusyError, read_journal
from reward_agent.messages import Key, Reply, Usage
from reward_agent.program import Fault
from reward_agent.store import Run, find_run, new_manifest, new_run_id, read_manifest

KEY = Key(0, 1, 2, "vet")

OUTCOME = Outcome(
    metrics={"success": Interval(0.1, 0.0, 1 / 3)},
    terms={"near": (1e-300, -0.0)},
    episode_return=(math.nan, math.inf, -math.inf),
    episode_length=(60.0,),
    task_score=(0.1,),
    steps=10,
    seconds=0.1 + 0.2,
)


def manifest(run_id: str = "one"):
    return new_manifest(
        run_id,
        task="pointmass/reach",
        instruction="go",
        config={"seed": 3},
        sandbox=("bubblewrap",),
        unsafe=False,
    )


def test_values_survive_the_journal_exactly():
    back = decode(Outcome, json.loads(to_line(encode(OUTCOME))))
    assert back.seconds == 0.1 + 0.2 and back.metrics == OUTCOME.metrics
    assert math.copysign(1, back.terms["near"][1]) == -1 and back.terms["near"][0] == 1e-300
    assert math.isnan(back.episode_return[0]) and back.episode_return[1:] == (math.inf, -math.inf)
    reply = Reply("text\u2028\n", "m", Usage(1, 2, None), settings={"temperature": 0.5})
    assert decode(Reply, json.loads(to_line(encode(reply)))) == reply


def test_members_of_a_union_are_told_apart():
    fault = Fault("optimise", "bad", 3)
    kind = Outcome | Fault | None
    assert decode(kind, encode(fault)) == fault
    assert isinstance(decode(kind, encode(OUTCOME)), Outcome)
    assert decode(kind, None) is None


def test_wrong_data_is_refused():
    with pytest.raises(TypeError, match="nonsense"):
        decode(Usage, {"nonsense": 1})
    with pytest.raises(TypeError, match="expected int"):
        decode(Usage, {"input_tokens": "3"})
    with pytest.raises(ValueError, match="none of"):
        decode(Fault, {"stage": "dream", "message": "", "line": None})
    with pytest.raises(TypeError):
        encode({"x": object()})


def test_a_step_is_computed_once(tmp_path: Path):
    train = KEY._replace(stage="train")
    with Run.create(tmp_path, manifest()) as run:
        assert run.once(KEY, Usage, lambda: Usage(5)) == Usage(5)
        assert run.once(KEY, Usage, lambda: pytest.fail("computed again")) == Usage(5)
        assert run.once(train, Usage, lambda: Usage(6)) == Usage(6), "another stage is another step"
    with Run.open(tmp_path / "one") as run:
        assert run.once(KEY, Usage, lambda: pytest.fail("computed again")) == Usage(5)
        assert run.recorded(train, Usage | Fault) == Usage(6)
        assert run.recorded(KEY._replace(attempt=9), Usage) is None


@pytest.mark.parametrize("torn", [b'{"iteration":0,"candi', b'{"iteration":0}', b"\xff\xfe", b"[]"])
def test_a_torn_last_line_is_dropped(tmp_path: Path, torn: bytes):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.write(KEY, "kept")
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert read_journal(path) == {KEY: "kept"}
    with Journal(path) as journal:
        assert path.read_bytes() == whole
        journal.write(KEY._replace(attempt=3), "next")
    assert read_journal(path) == {KEY: "kept", KEY._replace(attempt=3): "next"}


def test_a_whole_step_without_its_end_of_line_counts_as_torn(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.write(KEY, "kept")
        journal.write(KEY._replace(attempt=3), "torn")
    path.write_bytes(path.read_bytes()[:-1])
    with Journal(path) as journal:
        assert journal.values == {KEY: "kept"}
        journal.write(KEY._replace(attempt=3), "again")
    assert len(path.read_text().splitlines()) == 2


def test_damage_before_the_last_line_is_an_error(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        for attempt in range(3):
            journal.write(KEY._replace(attempt=attempt), attempt)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:10], lines[2], ""]))
    with pytest.raises(UsageError, match="line 2"):
        read_journal(path)


def test_one_process_writes(tmp_path: Path):
    with Run.create(tmp_path, manifest()), pytest.raises(RunBusyError, match="another process"):
        Run.open(tmp_path / "one")
    Run.open(tmp_path / "one").close()


def test_a_run_is_found_again(tmp_path: Path):
    for run_id in ("20260101-hopper-forward-aaaa", "20260102-hopper-forward-bbbb"):
        Run.create(tmp_path, manifest(run_id)).close()
    assert find_run("20260101-hopper-forward-aaaa", tmp_path) == tmp_path / "20260101-hopper-forward-aaaa"
    assert find_run(str(tmp_path / "20260101-hopper-forward-aaaa"), Path("nowhere")).name.endswith("aaaa")
    assert find_run("last", tmp_path).name.endswith("bbbb")
    with pytest.raises(UsageError, match="Did you mean '20260102-hopper-forward-bbbb'"):
        find_run("20260102-hopper-forward-bbb", tmp_path)
    with pytest.raises(UsageError, match="resume"):
        Run.create(tmp_path, manifest("20260101-hopper-forward-aaaa"))


def test_the_manifest_says_what_the_result_depends_on(tmp_path: Path):
    with Run.create(tmp_path, manifest()) as run:
        assert read_manifest(run.folder) == run.manifest
    data = json.loads((tmp_path / "one" / "run.json").read_text())
    assert data["versions"]["mujoco"] and data["platform"]["python"] and data["sandbox"] == ["bubblewrap"]
    (tmp_path / "one" / "run.json").write_text('{"id": 3}')
    with pytest.raises(UsageError, match=r"run\.json"):
        read_manifest(tmp_path / "one")


def test_ids_are_readable_and_new():
    first, second = new_run_id("mujoco/hopper-forward"), new_run_id("mujoco/hopper-forward")
    assert first[8:-4] == "-hopper-forward-" and first != second

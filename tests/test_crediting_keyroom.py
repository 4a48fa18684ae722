"""The dataset of a key room: its labels against the game played again and read in words, programs and models on it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from reward_agent.crediting.programs import subgoals_of, told_by
from reward_agent.crediting.trajectories import Trajectory, balanced, read_trajectories
from reward_agent.envs.episodes import task_schema
from reward_agent.envs.minihack.labels import KeyRoomLabels
from reward_agent.envs.minihack.row import MiniHackRow
from reward_agent.envs.minihack.scenes import KEYROOM
from reward_agent.envs.minihack.witness import MiniHackWitness
from reward_agent.envs.registry import find_task
from reward_agent.errors import UsageError
from reward_agent.program import SUBGOALS, Program
from reward_agent.subgoals import Subgoal

pytestmark = pytest.mark.needs("minihack")
REPOSITORY = Path(__file__).resolve().parent.parent
SCRIPT, DATA = REPOSITORY / "benchmarks/calm_offline.py", REPOSITORY / "benchmarks/results/calm/keyroom-s5.jsonl.gz"
ROWS = REPOSITORY / "benchmarks/results/calm_offline.jsonl"
BY_HAND = REPOSITORY / "envs/minihack/experts/keyroom_subgoals.py"
CARELESS = """
def subgoals(state, action, next_state):
    return {
        "pick_up_key": next_state.message.picks_up,  # 'something' was picked up
        "saw_key": next_state.key.exists & (next_state.episode.time > 0),
    }
"""


@cache
def dataset() -> list[Trajectory]:
    return read_trajectories(DATA)


def test_it_is_of_many_players_good_and_bad() -> None:
    played = dataset()
    by = Counter(each.by for each in played)
    assert len(played) >= 300 and len({each.id for each in played}) == len({each.seed for each in played}) == len(
        played
    )
    assert {"random", "scripted"} < by.keys() and sum("policy" in name for name in by) == 4 and min(by.values()) >= 30
    task = find_task("minihack/keyroom-s5")
    assert all(each.task == task.id and 0 < len(each.actions) <= task.horizon for each in played)
    assert all(each.fields == tuple(task_schema(task).visible().by_path) for each in played)
    assert DATA.stat().st_size < 3_000_000
    pairs = [each.reached[step] for each in played for step in range(len(each.actions))]
    for subgoal in KEYROOM:
        assert sum(bool(said and said[subgoal.name]) for said in pairs) > 200
    chosen = balanced(played)
    assert 2 * sum(any((played[p.trajectory].reached[p.step] or {}).values()) for p in chosen) == len(chosen)


@pytest.mark.parametrize("number", range(0, 340, 26))
def test_labels_are_as_the_game_says_in_words_when_it_is_played_again(number: int) -> None:
    each = dataset()[number]
    names = find_task(each.task).world.schema().action.names
    witness, row = (
        MiniHackWitness("KeyRoom-S5", None),
        MiniHackRow("KeyRoom-S5", None, find_task(each.task).world.schema()),
    )
    before = witness.reset(each.seed)
    row.reset(each.seed)
    assert row.screen() == each.screens[0]
    for step, name in enumerate(each.actions):
        action = np.array([float(names.index(name))])
        after = witness.step(action)
        end = row.step(action)
        assert row.screen() == each.screens[step + 1]
        truth = {
            "pick_up_key": bool(after["inventory.key"] and not before["inventory.key"]),
            "open_door": after["closed_door.count"] < before["closed_door.count"] and bool(after["open_door.exists"]),
        }
        assert each.reached[step] == truth, f"{each.id}, step {step}"
        assert end.terminated == (step == len(each.actions) - 1 and len(each.actions) < 200)
        before = after
    witness.close()
    row.close()


def test_states_are_those_of_the_screens() -> None:
    task = find_task("minihack/keyroom-s5")
    schema = task_schema(task).visible()
    for each in dataset()[::40]:
        state = schema.view(each.states)
        np.testing.assert_array_equal(state.episode.time, np.arange(len(each.states)))
        assert [any("key named" in line for line in s.inventory) for s in each.screens] == state.inventory.key.tolist()
        assert [s.full.count("+") for s in each.screens] == state.closed_door.count.tolist()


def test_labels_tell_of_one_step_alone() -> None:
    labels = KeyRoomLabels("KeyRoom-S5")
    each = next(each for each in dataset() if each.by == "scripted")
    names = find_task(each.task).world.schema().action.names
    for _ in range(2):  # the second episode begins anew
        labels.reset(each.seed)
        assert [labels.step(names.index(name)) for name in each.actions] == list(each.reached)
    labels.close()


@pytest.mark.needs("bubblewrap")
def test_a_program_by_hand_tells_all_of_them_and_a_careless_one_does_not() -> None:
    task, some = find_task("minihack/keyroom-s5"), dataset()[::17]
    told = told_by(Program(BY_HAND.read_text(), SUBGOALS), task, some)
    assert told == [list(each.reached) for each in some]
    program = Program(CARELESS, SUBGOALS)
    said = told_by(program, task, some)
    assert said != told and set(said[0][0]) == {"pick_up_key", "saw_key"}
    assert subgoals_of(program, task) == (
        Subgoal("pick_up_key", "'something' was picked up"),
        Subgoal("saw_key", "saw key"),
    )
    with pytest.raises(UsageError, match="tells no subgoals"):
        told_by(Program("def compute_reward(): ..."), task, some)
    with pytest.raises(UsageError, match="is of minihack/keyroom-s5"):
        told_by(Program(BY_HAND.read_text(), SUBGOALS), find_task("minihack/keyroom-s15"), some)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import calm_offline

    return calm_offline


def bench(tmp_path: Path, *arguments: str) -> tuple[int, list[dict[str, object]], str]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--root", str(tmp_path / "root"), *arguments], capture_output=True, text=True
    )
    return done.returncode, json.loads(done.stdout or "[]"), done.stderr


def truths(prompt: str, played: list[Trajectory]) -> dict[str, bool]:
    """What is so of the transition that a prompt shows, found by its screens."""
    for each in played:
        for glimpse, reached in zip(each.glimpses, each.reached, strict=True):
            shown = f"Before:\n```\n{glimpse.before.full}\n```\nMessage: {glimpse.before.message or '(none)'}\n"
            shown += f"Action: {glimpse.action}\nAfter:\n```\n{glimpse.after.full}\n```\n"
            if shown + f"Message: {glimpse.after.message or '(none)'}\n" in prompt:
                return dict(reached or {})
    raise AssertionError(prompt)


def test_a_person_in_the_place_of_a_model_is_scored(tmp_path: Path, offline: ModuleType) -> None:
    arguments = (
        "--llm",
        "manual:tester",
        "--sample",
        "4",
        "--observation",
        "full",
        "--out",
        str(tmp_path / "out.jsonl"),
    )
    code, rows, said = bench(tmp_path, *arguments)
    assert (code, rows) == (4, []) and "waits for a person" in said
    prompts = sorted((tmp_path / "root").rglob("*.prompt.md"))
    assert len(prompts) == 4
    for number, prompt in enumerate(prompts):
        truth = truths(prompt.read_text(), dataset())
        wrong = {name: not value for name, value in truth.items()}
        prompt.with_name(prompt.name.replace("prompt", "reply")).write_text(json.dumps(truth if number else wrong))
    code, rows, said = bench(tmp_path, *arguments)
    assert code == 0, said
    (row,) = rows
    assert (row["judge"], row["judged"], row["faults"]) == ("manual:tester", 4, 0)
    assert row["any"]["accuracy"]["mean"] in (0.75, 1.0)  # type: ignore[index]
    assert sum(each["accuracy"]["mean"] for each in row["by_subgoal"].values()) == 1.5  # type: ignore[attr-defined]
    assert json.loads((tmp_path / "out.jsonl").read_text())["commit"]
    # as another machine finds it: no judgement and no prompt, the replies laid again
    recording, elsewhere = tmp_path / "root/manual-tester.jsonl", tmp_path / "elsewhere"
    assert len(recording.read_text().splitlines()) == 4
    offline.lay_replies(recording, elsewhere / "root")
    shutil.rmtree(tmp_path / "root")
    code, again, said = bench(elsewhere, *arguments)
    assert code == 0 and again[0]["any"] == row["any"], said


@pytest.mark.needs("bubblewrap")
def test_a_program_is_scored_on_the_whole_dataset(tmp_path: Path) -> None:
    careless = tmp_path / "careless.py"
    careless.write_text(CARELESS.replace('"saw_key"', '"opened"'))
    arguments = ("--program", str(BY_HAND), "--program", str(careless), "--same", "opened=open_door")
    code, rows, said = bench(tmp_path, *arguments)
    assert code == 0, said
    by_hand, half, loose, _ = rows
    assert by_hand["judged"] == sum(len(each.actions) for each in dataset())
    for each in (by_hand, half):
        assert each["any"]["f1"] == {"mean": 1.0, "low": 1.0, "high": 1.0}  # type: ignore[index]
    assert set(loose["by_subgoal"]) == {"pick_up_key", "open_door"}  # type: ignore[call-overload]
    assert loose["any"]["precision"]["mean"] < 0.5  # type: ignore[index]


def test_the_models_replies_that_were_recorded_give_its_rows_again(tmp_path: Path) -> None:
    wanted = ("--llm", "manual:claude", "--batch", "20", "--observation", "crop")
    code, (row, distilled), said = bench(tmp_path, *wanted, "--distil", "hash")
    assert code == 0, said
    kept = [json.loads(line) for line in ROWS.read_text().splitlines()]
    for each in (row, distilled):
        same = [k for k in kept if all(k.get(part) == each[part] for part in ("judge", "view", "subgoals"))]
        assert len(same) == 1 and each.items() <= same[0].items()
    assert row["judged"] >= 100 and row["trajectories"] >= 10  # type: ignore[operator]
    assert distilled["judged"] == sum(len(each.actions) for each in dataset()) - row["judged"]  # type: ignore[operator]


def test_the_page_has_the_rows_that_were_measured(offline: ModuleType) -> None:
    rows = [json.loads(line) for line in ROWS.read_text().splitlines()]
    page = (REPOSITORY / "docs/results.md").read_text()
    assert {(each["judge"], each["on"].split()[0]) for each in rows} == {
        *(("manual:claude", "sample"), ("keyroom_subgoals.py", "all"), ("keyroom_subgoals.py", "balanced")),
        *(("found_by_claude.md", "all"), ("found_by_claude.md", "balanced")),
        *((f"manual:claude, distilled ({how})", "all") for how in ("hash", "classification", "ranking")),
    }
    lines = list(offline.markdown(rows))
    (note,) = {each["note"] for each in rows if each["kind"] == "model"}
    assert sum(note in line for line in lines) == 1
    for line in lines:
        assert line in page

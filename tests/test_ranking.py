"""Known good and bad episodes: what a reward makes of them, and that a run tells of one that turns them round."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import runs_for_tests as runs
from pointmass import task

from reward_agent import agent
from reward_agent.envs.episodes import task_schema
from reward_agent.events import Accepted, Event
from reward_agent.messages import Key
from reward_agent.probe import Battery
from reward_agent.program import Fault, Program
from reward_agent.ranking import EPISODES, Examples, Ranking, clear_pair, order, ranks, record_episodes
from reward_agent.sandbox.cell import Cell
from reward_agent.scoring import SeedPlan
from reward_agent.trial import Scores

SCHEMA = task_schema(task).visible()
NEARNESS = """
def compute_reward(state, action, next_state):
    near = -abs(next_state.point.position - next_state.goal.position)
    return near, {"near": near}
"""
AWAY = NEARNESS.replace("-abs", "abs").replace("near", "away")


def test_ranking_of_episodes() -> None:
    at = SCHEMA.columns["point.position"], SCHEMA.columns["goal.position"]

    def episode(distance: float) -> Battery:
        state = np.zeros((20, SCHEMA.width))
        state[:, at[0]] = 1.0 - distance
        state[:, at[1]] = 1.0
        return Battery(SCHEMA, state, np.zeros((20, 1)), state)

    near, middle, far = episode(0.1), episode(0.5), episode(2.0)
    schema = SCHEMA.select(["point.position", "goal.position"])

    def ranking(good: list[Battery], bad: list[Battery]) -> Ranking:
        with Cell() as cell:
            found = ranks(Program(NEARNESS), schema, Examples(tuple(good), tuple(bad)), cell)
        assert isinstance(found, Ranking)
        return found

    assert ranking([near, middle], [far]).share == 1.0
    assert ranking([near, middle], [far]).warning() is None
    assert ranking([near], [far]).good == pytest.approx((-2.0,))
    wrong = ranking([near, far], [middle])
    assert wrong.share == 0.5
    assert "In 50% of pairs" in (wrong.warning() or "")
    assert ranking([near], [near]).share == 0.5
    with Cell() as cell:
        broken = Program("def compute_reward(s, a, n):\n    return 1\n")
        assert isinstance(ranks(broken, schema, Examples((near,), (far,)), cell), Fault)


def test_a_run_warns_of_a_reward_that_pays_more_for_its_worse_policy(tmp_path: Path) -> None:
    """The first round has one policy that reaches the goal and one that rests; the second knows their episodes."""
    told: list[Event] = []
    replies = {(0, 0): runs.GOOD, (0, 1): runs.TIMID, (1, 0): AWAY, (1, 1): NEARNESS}
    model = runs.recording(tmp_path / "replies.jsonl", {Key(i, c, 0): text for (i, c), text in replies.items()})
    config = runs.config(model, iterations=2, candidates=2, final_seeds=1, select_episodes=16)
    agent.synthesize(config, events=told.append, root=tmp_path, name="one")
    said = {
        (event.key.iteration, event.key.candidate): [w for w in event.warnings if "worse behaviour" in w]
        for event in told
        if isinstance(event, Accepted)
    }
    assert len(said.pop((1, 0))) == 1
    assert said == {(0, 0): [], (0, 1): [], (1, 1): []}

    folder = tmp_path / "one" / "iter_00" / "cand_00"
    seeds = SeedPlan.select_seeds(config.seed, EPISODES).tolist()
    for again, first in zip(*(record_episodes(task, folder, seeds) for _ in range(2)), strict=True):
        assert np.array_equal(again.state, first.state)
        assert np.array_equal(first.state[1:], first.next_state[:-1]), "one whole episode in its order"
        assert "secret.reached" not in first.schema


@pytest.mark.parametrize(
    ("other", "found"),
    [
        ((0.0, 1.0, 2.1), ((0, 1), (0, 0))),
        ((9.0, -3.0, 2.0), None),
        ((float("nan"), 9.0, 9.0), None),
    ],
)
def test_only_a_clearly_better_policy_sets_an_example(other: tuple[float, ...], found: object) -> None:
    scores: dict[tuple[int, int], Scores] = {(0, 0): {"closeness": (-1.0, 0.0, 1.0)}, (0, 1): {"closeness": other}}
    assert clear_pair(scores, "closeness") == found


def test_episodes_are_ordered_by_the_graded_score() -> None:
    assert order({"success": (1.0, 0.0, 0.0), "closeness": (-0.1, -3.0, -2.0)}, "closeness") == [1, 2, 0]

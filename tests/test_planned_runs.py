"""Searches in which a planner acts on the rewards: what the model is told came of each."""

from __future__ import annotations

from pathlib import Path

import pointmass
import pytest
import runs_for_tests as runs

from reward_agent.agent import synthesize

PLANNED = {
    "task": f"{pointmass.__file__}:forking",
    "optimiser": "mpc",
    "settings": {"samples": 4, "seconds": 0.2, "threads": 1},
    "iterations": 2,
    "candidates": 1,
    "budget": 500,
    "final_seeds": 1,
    "select_episodes": 3,
    "report_episodes": 2,
    "jobs": 1,
}


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize(
    ("method", "told"),
    [
        (
            "eureka",
            (
                "A planner practised on that reward for ",
                "The planner acted on the reward; no policy was trained.\ntask_score of the planner: ",
                "under which the planner beats task_score ",
            ),
        ),
        (
            "text2reward",
            (
                "A planner acted on that reward; no policy was trained.",
                "The planner does what was asked in ",
                " % of episodes. The planner has a task_score of ",
            ),
        ),
    ],
)
def test_no_policy_is_told_of_where_a_planner_acts(tmp_path: Path, method: str, told: tuple[str, ...]) -> None:
    model = runs.Scripted(runs.GOOD, runs.TIMID)
    result = synthesize(runs.config("x", **PLANNED, method=method), llm=model, root=tmp_path, name="one")
    said = model.asked[1][1][-1].text
    assert all(each in said for each in told), said
    false = ("trained policy", "policy was optimised", "whose policy", "raining", "one episode", "being learnt")
    assert not any(each in said for each in false), said
    feedback = (tmp_path / "one/iter_00/cand_00/feedback.md").read_text()
    assert "no policy was trained" in feedback and "trained policy" not in feedback
    assert result.metrics["success"].mean <= 1.0

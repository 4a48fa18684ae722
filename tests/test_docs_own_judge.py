"""The judge of one's own in docs/judging.md: the text itself is run, and what goes wrong in such a judge is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from runs_for_tests import config
from test_icpl import replies

from reward_agent.agent import resume, synthesize
from reward_agent.errors import UsageError


@pytest.fixture
def judge(repository: Path, tmp_path: Path) -> Path:
    (text,) = re.findall(
        r"```python\n(# own_judge\.py\n.*?)```", (repository / "docs/judging.md").read_text(), re.DOTALL
    )
    path = tmp_path / "own_judge.py"
    path.write_text(text)
    return path


def test_a_run_goes_by_it(judge: Path, tmp_path: Path) -> None:
    made = config(replies(tmp_path), method="icpl", judge=f"{judge}:indeed", budget=512, final_seeds=1, iterations=1)
    result = synthesize(made, root=tmp_path, name="one")
    assert result.judge == "lazy indeed" and result.queries == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("return best_and_worst(question, self.namee, prefer)", r"own_judge\.py, line \d+: AttributeError.*resume"),
        ("return 3", r"it gave 3, which is no Judgement"),
        (
            "from reward_agent.history import Judgement\n        "
            "return Judgement(self.name, question.entrants[0].at, None, None, queries=1)",
            r"its best is \(0, 0\), which is no candidate of the round: \[0, 1\] are",
        ),
    ],
)
def test_one_that_fails_is_told_with_its_line_and_the_run_goes_on(
    judge: Path, wrong: str, said: str, tmp_path: Path
) -> None:
    right = judge.read_text()
    judge.write_text(right.replace("return best_and_worst(question, self.name, prefer)", wrong))
    made = config(replies(tmp_path), method="icpl", judge=str(judge), budget=512, final_seeds=1, iterations=1)
    with pytest.raises(UsageError, match=said):
        synthesize(made, root=tmp_path, name="one")
    judge.write_text(right)
    assert resume(tmp_path / "one").judge == "lazy"

"""The judge of one's own in docs/judging.md: the text itself is run, and what goes wrong in such a judge is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from runs_for_tests import config
from test_icpl import replies

from reward_agent.agent import resume, synthesize
from reward_agent.chronicle import read_chronicle
from reward_agent.cli.results import describe_result
from reward_agent.errors import UsageError
from reward_agent.events import Best, Event, Spoke

GIVE = "from reward_agent.history import Judgement, Preference, Remark\n        return"


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
            f"{GIVE} Judgement(self.name, question.entrants[0].at, None, None, queries=1)",
            r"its best is of \(0, 0\), which is none of \[0, 1\]",
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


def test_what_a_judge_says_itself_is_no_persons_word(judge: Path, tmp_path: Path) -> None:
    right = judge.read_text()
    beats = "question.champion and True"
    for by, whose in ("'judge'", "judge"), ("'person'", "person"):
        gives = f"{GIVE} Judgement(self.name, 0, None, {beats}, 0, remarks=(Remark(0, 'It limps.', self.name, {by}),))"
        judge.write_text(right.replace("return best_and_worst(question, self.name, prefer)", gives))
        told: list[Event] = []
        made = config(
            replies(tmp_path),
            method="text2reward",
            words="ask",
            judge=str(judge),
            candidates=1,
            budget=512,
            final_seeds=1,
            iterations=2,
        )
        result = synthesize(made, root=tmp_path, name=whose, events=told.append)
        assert [(event.words, event.whose) for event in told if isinstance(event, Spoke)] == [("It limps.", whose)]
        assert result.variant == f"zero-shot, words of {'the judge' if whose == 'judge' else 'a person'} in 1 round"
        assert read_chronicle(tmp_path / whose).rounds[0].candidates[0].words_of == whose


def test_a_run_in_which_nothing_was_preferred_says_so(judge: Path, tmp_path: Path) -> None:
    gives = f"{GIVE} Judgement(self.name, None, None, None, queries=1)"
    judge.write_text(judge.read_text().replace("return best_and_worst(question, self.name, prefer)", gives))
    told: list[Event] = []
    made = config(replies(tmp_path), method="icpl", judge=str(judge), budget=512, final_seeds=1, iterations=1)
    result = synthesize(made, root=tmp_path, name="one", events=told.append)
    assert not result.preferred and not any(isinstance(event, Best) for event in told)
    assert "the first that was judged, for none was ever preferred: iteration 0" in describe_result(result)
    assert "Not preferred to any other: lazy preferred none." in result.reward.read_text()
    assert not read_chronicle(tmp_path / "one").best_is_preferred

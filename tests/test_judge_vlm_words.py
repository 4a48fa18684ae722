"""What the judge that sees reads: its setting, and the last line of an answer."""

from __future__ import annotations

import pytest

from reward_agent.errors import UsageError
from reward_agent.judges import find_judge
from reward_agent.judges.vlm import read_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("words\nPREFER: FIRST", "first"),
        ("PREFER: SECOND\n\n", "second"),
        ("x\n**PREFER: TIE**", "tie"),
        ("x\n`PREFER: FIRST`.", "first"),
        ("PREFER: FIRST\nOr so.", None),
        ("PREFER: FIRST or SECOND", None),
        ("I PREFER: FIRST", None),
        ("prefer: first", None),
        ("PREFER: THIRD", None),
        ("PREFER:", None),
        ("", None),
    ],
)
def test_answers_are_read_strictly(text: str, answer: str | None) -> None:
    assert read_answer(text) == answer


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("vlm", "`vlm` names no model"),
        ("vlm:openai", "names no model"),
        ("vlm:words", "provider"),
        ("vlm:opnai:gpt", "Did you mean 'openai'"),
        ("vlm:none:x", "provider"),
        ("vlm:frames=1:openai:m", "2 to 24"),
        ("vlm:frames=many:openai:m", "2 to 24"),
        ("vlm:frame=8:openai:m", "Did you mean 'frames'"),
        ("vlm:words,frames=8", "provider"),
        ("vlm:words:openai", "names no model"),
    ],
)
def test_a_judge_that_cannot_be_set_so(spec: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        find_judge(spec)


def test_a_models_name_may_hold_colons() -> None:
    judge = find_judge("vlm:frames=16,words:litellm:ollama/llava:7b")
    assert (judge.model, judge.name) == ("litellm:ollama/llava:7b", "vlm:frames=16,words:litellm:ollama/llava:7b")
    assert find_judge("vlm:manual").model == "manual"

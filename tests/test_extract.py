"""Programs are found in replies as models write them."""

from __future__ import annotations

import pytest

from reward_agent.program import MAX_SOURCE, Fault, Program, extract

CODE = '''import numpy as np

def compute_reward(state, action, next_state):
    """Near."""
    near = -np.abs(next_state.point.position)
    return near, {"near": near}
'''


def program(reply: str) -> Program:
    found = extract(reply)
    assert isinstance(found, Program), found
    return found


def fault(reply: str) -> Fault:
    found = extract(reply)
    assert isinstance(found, Fault), found
    assert found.stage == "extract"
    return found


def test_a_fence_with_prose_around() -> None:
    assert program(f"Here it is:\n\n```python\n{CODE}```\n\nIt pays for closeness.").source == CODE


@pytest.mark.parametrize("opening", ["```", "```py", "``` python title=x", "~~~python", "````python"])
def test_any_fence(opening: str) -> None:
    closing = opening[:4].rstrip(" pyt")
    assert program(f"{opening}\n{CODE}{closing}\n").source == CODE


def test_identity_is_that_of_the_source() -> None:
    first, second = program(f"```\n{CODE}```"), program(f"prose\n\n```python\n\n{CODE}\n\n```")
    assert first.id == second.id
    assert first.id != Program(CODE + "# more\n").id


def test_the_last_block_that_defines_the_entry_wins() -> None:
    draft = CODE.replace("Near.", "Draft.")
    after = "Use it so:\n```python\nprint(1)\n```\n```json\n{}\n```"
    reply = f"```python\n{draft}```\nBetter:\n```python\n{CODE}```\n{after}"
    assert program(reply).source == CODE


def test_a_block_that_does_not_parse_loses_to_one_that_does() -> None:
    assert program(f"```python\n{CODE}```\nOr:\n```python\ndef compute_reward(state:\n```").source == CODE


def test_a_syntax_error_is_left_to_the_check_which_knows_its_line() -> None:
    broken = CODE.replace("return near, {", "return near, {{")
    assert program(f"```python\n{broken}```").source == broken


def test_blocks_in_lists_lose_their_indentation() -> None:
    inside = "\n".join("   " + line for line in ["```python", *CODE.splitlines(), "```"])
    assert program(f"1. Plan.\n2. Code:\n\n{inside}\n\n3. Done.").source == CODE


def test_windows_line_ends() -> None:
    assert program(f"```python\n{CODE}```".replace("\n", "\r\n")).source == CODE


def test_code_without_a_fence() -> None:
    assert program(f"\n{CODE}\n").source == CODE


def test_an_unclosed_fence_is_taken_when_whole() -> None:
    assert program(f"Sure:\n```python\n{CODE}").source == CODE


def test_an_unclosed_fence_that_was_cut_off() -> None:
    assert "cut off" in fault("```python\n" + CODE[: CODE.index("near}")] + '{"near').message


def test_another_name_is_told_the_right_one() -> None:
    found = fault("```python\n" + CODE.replace("compute_reward", "reward_fn") + "```")
    assert "def compute_reward(state, action, next_state):" in found.message
    assert "reward_fn" in found.message
    assert found.line == 3


def test_a_method_of_a_class_is_no_entry() -> None:
    indented = "".join("    " + line for line in CODE.splitlines(keepends=True)[2:])
    assert "top level" in fault(f"```python\nclass Reward:\n{indented}```").message


@pytest.mark.parametrize("reply", ["", "I cannot help with that.", "Use `compute_reward`.", "def compute_reward"])
def test_no_code_at_all(reply: str) -> None:
    assert "no fenced code block" in fault(reply).message


def test_blocks_without_any_function() -> None:
    assert "2 code blocks" in fault("```python\nx = 1\n```\n```sh\npip install numpy\n```").message


def test_another_entry_point() -> None:
    found = extract("```python\ndef subgoals(state, action, next_state):\n    return {}\n```", entry="subgoals")
    assert isinstance(found, Program)
    assert found.entry == "subgoals"


@pytest.mark.parametrize("reply", ["```python\n" + "(" * 5000 + "\n```", "```\n\x00\n```", "x" * (MAX_SOURCE + 1)])
def test_hostile_replies_are_faults_not_crashes(reply: str) -> None:
    fault(reply)

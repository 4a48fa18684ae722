"""What models say of transitions, read strictly."""

from __future__ import annotations

import pytest
from crediting_for_tests import answer

from reward_agent.crediting.replies import read_times, read_transitions
from reward_agent.program import Fault

NAMES = ("has_key", "opened")


def test_one_transition() -> None:
    said = {"has_key": True, "opened": False}
    assert read_transitions(answer((True, False)), NAMES, 1) == [said]
    assert read_transitions(f"The key is gone.\n```json\n{answer((True, False))}\n```\n", NAMES, 1) == [said]
    (other_order,) = read_transitions('{"opened": false, "has_key": true}', NAMES, 1)
    assert list(other_order) == list(NAMES)


def test_several_transitions_by_number() -> None:
    reply = '{"2": {"has_key": false, "opened": true}, "1": {"has_key": true, "opened": false}}'
    found = read_transitions(reply, NAMES, 2)
    assert found == [{"has_key": True, "opened": False}, {"has_key": False, "opened": True}]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("No subgoal was reached.", "no JSON object"),
        ("", "no JSON object"),
        ("[true, false]", "not a JSON object"),
        ("__import__('os').system('true')", "no JSON object"),
        ("{'has_key': True, 'opened': False}", "no JSON object"),
        ('{"has_key": true}', "says nothing of `opened`"),
        ('{"has_key": true, "opened": 0}', "`opened` is `0`"),
        ('{"has_key": true, "opened": "false"}', "must be true or false"),
        ('{"has_key": true, "opened": null}', "`opened` is `null`"),
        ('{"has_key": true, "open": false}', "Is `opened` meant?"),
        ('{"has_key": true, "opened": false, "opened": true}', "there twice"),
        ('{"has_key": true, "opened": false} and nothing else', "no JSON object"),
        ('```\n{"has_key": true, "opened": false}\n```\n```\n{"has_key": true, "opened": true}\n```', "2 code blocks"),
        ("[" * 100_000, "no JSON object"),
    ],
)
def test_what_is_not_as_asked_for_is_a_fault(reply: str, said: str) -> None:
    found = read_transitions(reply, NAMES, 1)
    fault = found if isinstance(found, Fault) else found[0]
    assert isinstance(fault, Fault) and said in fault.message and len(fault.message) < 1000


def test_a_fault_of_one_transition_is_not_anothers() -> None:
    found = read_transitions('{"1": {"has_key": true, "opened": false}, "2": {"has_key": 1, "opened": true}}', NAMES, 2)
    assert isinstance(found, list) and found[0] == {"has_key": True, "opened": False}
    assert isinstance(found[1], Fault) and "Transition 2: `has_key` is `1`" in found[1].message
    for reply in ('{"1": {"has_key": true, "opened": false}}', answer((True, True), (True, True), (True, True))):
        assert isinstance(read_transitions(reply, NAMES, 2), Fault)
    (_, second) = read_transitions('{"1": {"has_key": true, "opened": false}, "2": []}', NAMES, 2)
    assert isinstance(second, Fault)


def test_times() -> None:
    assert read_times('{"opened": null, "has_key": 3}', NAMES, 3) == {"has_key": 3, "opened": None}
    for reply in (
        '{"opened": null, "has_key": 4}',
        '{"opened": null, "has_key": 0}',
        '{"opened": null, "has_key": true}',
        '{"opened": null, "has_key": 1.0}',
        '{"opened": null}',
        "3",
    ):
        assert isinstance(read_times(reply, NAMES, 3), Fault), reply

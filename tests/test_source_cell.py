"""`CellSource`: numbers of the program, what is not finite, what fails, and a training on it that faults late."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pointmass import EXPERT, pointmass_task

from reward_agent.optimise import Optimised, find_optimiser
from reward_agent.program import Fault, Program, Rewards
from reward_agent.sources import SourceFaultError
from reward_agent.sources.cell import CellSource

HEAD = "import numpy as np\n\n\ndef compute_reward(state, action, next_state):\n    "


def ask(source: CellSource, rows: int = 64, seed: int = 0) -> tuple[Rewards, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    state = generator.normal(size=(rows, len(source.fields)))
    action = generator.uniform(-1, 1, (rows, 1))
    following = generator.normal(size=state.shape)
    total, terms = source(state[None], action[None], following[None], np.zeros((1, rows), bool))
    return Rewards(total[0], terms[0]), action, following


def test_the_numbers_are_the_programs_and_only_its_fields_cross() -> None:
    source = CellSource(Program(EXPERT), pointmass_task())
    try:
        assert source.fields == ("point.position", "goal.position")
        assert source.term_names == ("near", "effort")
        assert source.layers and "unsafe" not in source.layers
        for rows in (1, 64, 1000):
            rewards, action, following = ask(source, rows)
            near = np.exp(-2.0 * np.abs(following[:, 0] - following[:, 1]))
            np.testing.assert_allclose(rewards.terms, np.stack([near, -0.01 * action[:, 0] ** 2], 1), rtol=1e-12)
            np.testing.assert_allclose(rewards.total, rewards.terms.sum(1), rtol=1e-12)
        assert source.bad_rewards == 0 and source.calls == 3
        state, action, was_reset = np.ones((3, 5, 2)), np.ones((3, 5, 1)), np.zeros((3, 5), bool)
        state[1] = [[0, 1], [0, 2], [0, 3], [0, 4], [0, 5]]
        total, terms = source(state, action, state, was_reset)
        assert total.shape == (3, 5) and terms.shape == (3, 5, 2), "steps stay apart from rows"
        np.testing.assert_allclose(terms[1, :, 0], np.exp(-2.0 * np.arange(1, 6)), rtol=1e-12)
    finally:
        source.close()
        source.close()


def test_what_is_not_finite_counts_as_zero_and_what_is_huge_is_clipped() -> None:
    body = (
        "x = next_state.point.position\n"
        "    odd = np.where(x > 1, np.nan, np.where(x < -1, -np.inf, np.where(x > 0, 1e9, x)))\n"
        "    return odd, {'odd': odd}\n"
    )
    source = CellSource(Program(HEAD + body), pointmass_task())
    try:
        rewards, _, following = ask(source)
        x = following[:, 0]
        expected = np.where(np.abs(x) > 1, 0.0, np.where(x > 0, 1e6, x))
        np.testing.assert_array_equal(rewards.total, expected)
        np.testing.assert_array_equal(rewards.terms[:, 0], expected)
        assert source.bad_rewards == (np.abs(x) > 1).sum() > 0
    finally:
        source.close()


def test_too_many_rewards_that_are_not_finite_are_a_fault_but_not_at_once() -> None:
    body = "x = next_state.point.position\n    r = np.where(x > 1, np.nan, x)\n    return r, {'r': r}\n"
    source = CellSource(Program(HEAD + body), pointmass_task())
    try:
        with pytest.raises(SourceFaultError, match="nan or infinite") as caught:
            for seed in range(200):
                ask(source, 100, seed)
        assert caught.value.fault.stage == "optimise"
        assert source.calls == 100, "10,000 rewards are given before the share is looked at"
    finally:
        source.close()


def test_a_few_in_a_long_training_are_borne() -> None:
    body = "x = next_state.point.position\n    r = np.where(x > 3.4, np.nan, x)\n    return r, {'r': r}\n"
    source = CellSource(Program(HEAD + body), pointmass_task())
    try:
        for seed in range(200):
            ask(source, 100, seed)
        assert 0 < source.bad_rewards < 20
    finally:
        source.close()


RARELY = """x = next_state.point.position
    r = np.where(np.abs(x - 0.05) < WIDTH, np.nan, -np.abs(x - next_state.goal.position))
    return r, {"r": r}
"""


def sitting(program: Program, folder: Path | None, stops: bool) -> Optimised | Fault:
    """One process' share of a training: with a cell of its own, to its end or to its next boundary."""
    settings = {"num_envs": 16, "rollout": 64, "batch_size": 256, "hidden": (8, 8)}
    source = CellSource(program, pointmass_task())
    try:
        return find_optimiser("ppo")(
            pointmass_task(), source, 14_336, 0, settings=settings, checkpoint=folder, stop=lambda: stops
        )
    except SourceFaultError as error:
        return error.fault
    finally:
        source.close()


@pytest.mark.parametrize(("width", "fails"), [("0.002", True), ("0.00002", False)])
def test_the_limit_is_the_whole_trainings_however_often_it_was_stopped(width: str, fails: bool, tmp_path: Path) -> None:
    program = Program(HEAD + RARELY.replace("WIDTH", width))
    undisturbed = sitting(program, None, stops=False)
    for _ in range(6):
        assert isinstance(part := sitting(program, tmp_path, stops=True), Optimised) and part.steps < 10_000
    resumed = sitting(program, tmp_path, stops=False)
    if isinstance(undisturbed, Fault):
        assert fails and resumed == undisturbed and "nan or infinite" in undisturbed.message
    else:
        assert not fails and isinstance(resumed, Optimised)
        assert resumed.bad_rewards == undisturbed.bad_rewards > 0
        for one, other in zip(resumed.policy.weights, undisturbed.policy.weights, strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_source_begins_to_count_anew_with_another_training() -> None:
    program = Program(HEAD + RARELY.replace("WIDTH", "0.0005"))
    settings = {"num_envs": 16, "rollout": 64, "batch_size": 256, "hidden": (8, 8)}
    source = CellSource(program, pointmass_task())
    try:
        first, second = (find_optimiser("ppo")(pointmass_task(), source, 2_048, 0, settings=settings) for _ in "12")
        assert first.bad_rewards == second.bad_rewards == source.bad_rewards > 0
        assert source.rewards == 2_048
    finally:
        source.close()


@pytest.mark.parametrize(
    ("body", "message", "line"),
    [
        ("return no_such_name, {}\n", "no_such_name", 5),
        ("return 1 +\n", "SyntaxError", 5),
    ],
)
def test_a_program_that_does_not_load_is_a_fault(body: str, message: str, line: int) -> None:
    with pytest.raises(SourceFaultError, match=message) as caught:
        CellSource(Program(HEAD + body), pointmass_task())
    assert caught.value.fault.line == line


def test_a_program_that_fails_late_ends_the_training_with_its_line() -> None:
    body = (
        "x = next_state.point.position\n"
        "    if (next_state.episode.time > 1.0).any():\n"
        "        raise ValueError('late')\n"
        "    return x, {'x': x}\n"
    )
    source = CellSource(Program(HEAD + body), pointmass_task())
    try:
        with pytest.raises(SourceFaultError, match="late") as caught:
            settings = {"num_envs": 8, "rollout": 16, "batch_size": 64}
            find_optimiser("ppo")(pointmass_task(), source, 5_000, 0, settings=settings)
        assert caught.value.fault.stage == "optimise" and caught.value.fault.line == 7
        assert source.calls == 1, "the time is 1.05 s at the 21st step, in the second rollout"
        assert source.rewards == 2 * 8 * 16, "the steps of the rollout that failed were simulated"
    finally:
        source.close()


def test_a_program_that_reads_no_field_still_trains() -> None:
    source = CellSource(Program(HEAD + "r = -(action ** 2).sum(-1)\n    return r, {'r': r}\n"), pointmass_task())
    try:
        assert source.fields == ()
        settings = {"num_envs": 8, "rollout": 32, "batch_size": 64}
        done = find_optimiser("ppo")(pointmass_task(), source, 256, 0, settings=settings)
        assert done.curves.terms["r"][0] < 0
    finally:
        source.close()


def test_a_program_that_reads_time_gives_a_policy_that_sees_it() -> None:
    body = "r = next_state.episode.time\n    return r, {'r': r}\n"
    source = CellSource(Program(HEAD + body), pointmass_task())
    try:
        settings = {"num_envs": 8, "rollout": 32, "batch_size": 64}
        done = find_optimiser("ppo")(pointmass_task(), source, 256, 0, settings=settings)
        assert done.policy.observe_time and done.policy.observation_size == 4
    finally:
        source.close()

"""The baselines: the sparse goal alone, counts of states, random-network distillation; trainings that go by them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pointmass
import pytest
import torch

from reward_agent.envs.episodes import task_schema
from reward_agent.errors import UsageError
from reward_agent.optimise.policy import Policy
from reward_agent.optimise.ppo import optimise
from reward_agent.schema import Array
from reward_agent.sources import EpisodicSource, RewardSource
from reward_agent.sources.novelty import Counts, NoveltySource, hashes, novelty_schema
from reward_agent.sources.random_network import RandomNetwork
from reward_agent.sources.sparse import GoalSource

TASK = replace(pointmass.task, goal="secret.reached")


def counting() -> NoveltySource:
    return NoveltySource(TASK, Counts(), ["point.moving", "goal.position"])


def distilling() -> NoveltySource:
    return NoveltySource(TASK, RandomNetwork(novelty_schema(TASK).width, seed=3))


def test_the_goal_alone_is_paid() -> None:
    source = GoalSource(TASK)
    assert source.fields == ("secret.reached",) and source.term_names == ("goal",)
    states = np.array([[[0.0]], [[1.0]], [[0.0]]])
    given = source(np.zeros_like(states), np.zeros((3, 1, 1)), states, np.zeros((3, 1), bool))
    assert given.total.tolist() == [[0], [1], [0]] and given.terms.shape == (3, 1, 1)


@pytest.mark.parametrize("make", [GoalSource, lambda task: NoveltySource(task, Counts())])
def test_a_task_without_a_goal_is_refused(make: Callable[..., RewardSource]) -> None:
    with pytest.raises(UsageError, match="names no goal"):
        make(pointmass.task)


def in_turn(states: Array) -> list[int]:
    """How often each was met so far, counted one by one."""
    met: Counter[tuple[float, ...]] = Counter()
    found = []
    for state in states:
        met[tuple(state)] += 1
        found.append(met[tuple(state)])
    return found


@pytest.mark.parametrize("parts", [1, 2, 7, 500])
def test_counts_are_exact_however_states_are_split_into_calls(parts: int) -> None:
    states = np.random.default_rng(0).integers(0, 4, (500, 3)).astype(np.float64)
    counts = Counts()
    found = [visits for part in np.array_split(states, parts) for visits in counts.visits(part).tolist()]
    assert found == in_turn(states)
    np.testing.assert_allclose(Counts()(states), 1 / np.sqrt(found))


def test_small_whole_numbers_have_hashes_of_their_own() -> None:
    grid = np.stack(np.meshgrid(np.arange(64.0), np.arange(64.0), np.arange(8.0)), -1).reshape(-1, 3)
    assert len(set(hashes(grid).tolist())) == len(grid)
    assert hashes(np.array([[0.0, 1.0]])) == hashes(np.array([[-0.0, 1.0]]))


@pytest.mark.parametrize("parts", [1, 3, 40])
def test_states_beyond_the_most_share_one_count(parts: int) -> None:
    states = np.array([[0.0], [1.0], [2.0], [0.0], [3.0], [2.0], [1.0], [4.0]] * 5)
    counts, own, beyond, wanted = Counts(most=2), Counter[float](), 0, []
    for state in states[:, 0]:
        own[state] += 1
        beyond += state > 1
        wanted.append(beyond if state > 1 else own[state])
    found = [visits for part in np.array_split(states, parts) for visits in counts.visits(part).tolist()]
    assert found == wanted and len(counts.memory()["known"]) == 2


def test_the_bonus_stands_beside_the_goal_and_reads_what_it_was_told() -> None:
    source = NoveltySource(TASK, Counts(), ["goal.position"], scale=0.5)
    assert source.fields == ("goal.position", "secret.reached")
    states = np.array([[[1.0, 0.0], [1.0, 1.0]], [[-1.0, 0.0], [1.0, 0.0]]])
    given = source.of_episodes(states, np.zeros((2, 2, 1)), states, np.zeros((2, 2), bool), np.zeros((2, 2), bool))
    np.testing.assert_allclose(given.terms[..., 0], [[0, 1], [0, 0]])
    np.testing.assert_allclose(given.terms[..., 1], 0.5 / np.sqrt([[1, 2], [1, 3]]))
    np.testing.assert_allclose(given.total, given.terms.sum(-1))
    assert NoveltySource(TASK, Counts()).scale == 1 / TASK.horizon
    with pytest.raises(UsageError, match=r"secret\.reached"):
        NoveltySource(TASK, Counts(), ["secret.reached"])


def test_states_are_told_apart_by_the_world_alone() -> None:
    schema = novelty_schema(TASK)
    assert tuple(schema.by_path) == ("point.position", "point.velocity", "point.moving", "goal.position")
    assert {"episode.time", "start.goal.position"} <= task_schema(TASK).by_path.keys()


def test_what_was_reached_often_is_new_no_more() -> None:
    generator = np.random.default_rng(1)
    network = RandomNetwork(4, seed=0)
    often, seldom = generator.normal(size=(8, 4)), generator.normal(size=(8, 4))
    network(np.concatenate([often, seldom]))
    for _ in range(300):
        network(np.repeat(often, 4, axis=0))
    found = network(np.concatenate([often, seldom]))
    assert found[8:].mean() > 5 * found[:8].mean()


def test_a_network_draws_from_no_generator_but_its_own() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    network = RandomNetwork(3, seed=1)
    network(np.ones((4, 3)))
    assert torch.equal(before, torch.get_rng_state())
    other = RandomNetwork(3, seed=2)
    assert not np.array_equal(network(np.zeros((2, 3))), other(np.zeros((2, 3))))


def train(make: Callable[[], RewardSource], folder: Path, stop_after: int | None = None) -> dict[str, list[float]]:
    source, told = make(), [0]

    def count(_: object) -> None:
        told[0] += 1

    optimised = optimise(
        TASK,
        source,
        1024,
        0,
        settings={"num_envs": 4, "rollout": 32, "checkpoint_seconds": 0},
        checkpoint=folder,
        progress=count,
        stop=lambda: stop_after is not None and told[0] >= stop_after,
    )
    assert isinstance(optimised.policy, Policy)
    rewards = {name: values.tolist() for name, values in optimised.curves.terms.items()}
    return rewards | {"weights": optimised.policy.weights[0].ravel().tolist()}


@pytest.mark.parametrize("make", [counting, distilling])
def test_a_training_goes_on_bit_for_bit(make: Callable[[], NoveltySource], tmp_path: Path) -> None:
    assert isinstance(make(), EpisodicSource)
    whole = train(make, tmp_path / "whole")
    assert len(whole["novelty"]) == 8 and whole["novelty"][0] > whole["novelty"][-1] > 0, "it wears off"
    part = train(make, tmp_path / "parts", stop_after=3)
    assert len(part["novelty"]) == 3
    assert train(make, tmp_path / "parts") == whole, "what is known is in the checkpoint"

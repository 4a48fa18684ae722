"""Distilled credit: what is shown, what labels of some transitions say of all, and trainings that never wait."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event

import numpy as np
import pointmass
import pytest
from corridor import ACTIONS, LENGTH, NAMES, PICKED, answered, task, truth
from loopback import Loopback, Request, Step, fail, say
from test_labels import reader
from waiting import until

from reward_agent.crediting import Glimpse
from reward_agent.crediting.distilling import distilled
from reward_agent.crediting.labels import Labeller, content_key
from reward_agent.envs.episodes import task_schema
from reward_agent.errors import UsageError
from reward_agent.optimise import Optimised
from reward_agent.optimise.ppo import optimise
from reward_agent.optimise.sb3 import TaskVecEnv
from reward_agent.program import Rewards
from reward_agent.schema import Array
from reward_agent.sources import CountingSource, EpisodicSource, RewardSource, Sighting, WatchingSource
from reward_agent.sources.distilled import DistilledSource, Distilling
from reward_agent.sources.network import Network
from reward_agent.task import Bools, Screen

SETTINGS = {"num_envs": 8, "rollout": 32, "checkpoint_seconds": 0, "threads": 1}
ROLLOUT = 256


class Known:
    """Labels that are there at once (`distilled.Labels`)."""

    names = NAMES
    ended = ""

    def __init__(self) -> None:
        self.asked: list[tuple[Screen, str, Screen]] = []
        self.found: dict[str, dict[str, bool]] = {}

    def offer(self, before: Screen, action: str, after: Screen) -> str:
        self.asked.append((before, action, after))
        self.found[str((before, action, after))] = truth(before, after)
        return str((before, action, after))

    def labels(self) -> dict[str, dict[str, bool]]:
        return dict(self.found)

    def close(self) -> None:
        """There is nothing to end."""


class Witness(CountingSource):
    """Pays nothing and checks each sighting against the packed state."""

    term_names = ("nothing",)
    fields = ("agent.at", "agent.has_key")
    rewards = bad_rewards = 0
    watched = 3

    def __init__(self) -> None:
        self.rows: list[int] = []
        self._seen: Sequence[Sighting] = ()

    def watch(self, seen: Sequence[Sighting]) -> None:
        self._seen = seen

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        assert len(self._seen) == 3 * len(state)
        for each in self._seen:
            for screen, packed in ((each.before, state), (each.after, next_state)):
                at, has_key = packed[each.step, each.row]
                assert screen.full.index("@") == at and (screen.inventory == ("a key",)) == bool(has_key)
            self.rows.append(each.row)
        return Rewards(np.zeros(state.shape[:2]), np.zeros((*state.shape[:2], 1)))

    def restore(self, rewards: int, bad_rewards: int) -> None:
        """Nothing is counted."""

    def close(self) -> None:
        """There is nothing to end."""


def play(source: RewardSource, rollouts: int, length: int = 50) -> None:
    """Random steps in eight rows."""
    env = TaskVecEnv(task, source, 8, 0)
    generator = np.random.default_rng(0)
    env.reset()
    for _ in range(rollouts):
        for _ in range(length):
            env.step_async(generator.integers(len(ACTIONS), size=8))
            env.advance()
        env.rewards()
    env.close()


def test_what_is_shown_is_what_happened_in_one_row_after_another() -> None:
    witness = Witness()
    assert isinstance(witness, WatchingSource)
    play(witness, rollouts=9)
    assert set(witness.rows) == set(range(8)), "other rows after a while"


def transitions(count: int, seed: int) -> tuple[Array, Array, Array, Bools]:
    """Random ones `(1, M)` of the corridor, and what they reached."""
    generator = np.random.default_rng(seed)
    at, action = generator.integers(LENGTH, size=count), generator.integers(3, size=count)
    has_key = generator.integers(2, size=count)
    after = np.clip(at - (action == 0) + (action == 1), 0, LENGTH - 1)
    picks = (action == 2) & (at == 3) & (has_key == 0)
    state, following = np.stack([at, has_key], -1), np.stack([after, has_key | picks], -1)
    reached = np.stack([picks, (after == LENGTH - 1) & (at < LENGTH - 1)], -1)
    return state[None] * 1.0, action[None, :, None] * 1.0, following[None] * 1.0, reached


def shown(state: Array, action: Array, following: Array) -> list[Sighting]:
    """All of them, as the screen has them."""
    found = []
    for row in range(state.shape[1]):
        screens = []
        for at, has_key in (state[0, row], following[0, row]):
            drawn = "".join(
                "@" if i == at else "k" if i == 3 and not has_key else ".+"[i == LENGTH - 1] for i in range(LENGTH)
            )
            screens.append(Screen(drawn, drawn, "", ("a key",) if has_key else ()))
        if following[0, row, 1] > state[0, row, 1]:
            screens[1] = screens[1]._replace(message=PICKED)
        found.append(Sighting(0, row, *screens))
    return found


def test_by_hash_what_was_labelled_pays_and_nothing_else() -> None:
    labels = Known()
    source = DistilledSource(labels, task, Distilling(how="hash"))
    assert source.fields == ("agent.at", "agent.has_key") and source.term_names == NAMES
    state, action, following, reached = transitions(400, 0)
    mask = np.zeros(state.shape[:2], bool)
    assert not source(state, action, following, mask).terms.any()
    source.watch(shown(state, action, following))
    terms = source(state, action, following, mask).terms[0] > 0
    assert not (terms & ~reached).any() and terms.any(0).all(), "a label says it of all that are alike"
    moves = len(np.unique(np.concatenate([state, action, following], -1)[0], axis=0))
    assert 0 < len(source.examples) <= moves and len(labels.asked) < 400, "what is frequent is asked seldom"
    other = DistilledSource(labels, task, Distilling(how="hash"))
    other.remember(other.memory())
    assert len(other.examples) == 0
    other.remember(source.memory())
    assert len(other.examples) == len(source.examples)
    np.testing.assert_array_equal(other(state, action, following, mask).terms[0] > 0, terms)


@pytest.mark.parametrize("how", ["classification", "ranking"])
def test_a_network_says_it_of_transitions_that_nobody_labelled(how: str) -> None:
    state, action, following, reached = transitions(300, 0)
    every = np.concatenate([state, action, following], -1)[0]
    one_hot = lambda values: np.concatenate([values, values[:, 4:5] - values[:, 1:2]], -1)  # noqa: E731
    labelled, others = one_hot(every[:100]), one_hot(every[100:200])
    generators = np.random.get_state()[1].copy()  # type: ignore[index, union-attr]
    network = Network(how, labelled, reached[:100], others, 0)  # type: ignore[arg-type]
    said = network(one_hot(every[200:]))
    right, told = (said & reached[200:]).sum(), said.sum() + reached[200:].sum()
    assert reached[200:].sum() > 10 and 2 * right / told > 0.8
    again = Network(how, labelled, reached[:100], others, 0)  # type: ignore[arg-type]
    np.testing.assert_array_equal(again(one_hot(every)), network(one_hot(every)))
    np.testing.assert_array_equal(np.random.get_state()[1], generators)  # type: ignore[index, arg-type]


def test_a_network_says_never_where_it_cannot_tell() -> None:
    state, action, following, reached = transitions(100, 0)
    every = np.concatenate([state, action, following], -1)[0]
    reached[:, 0] = False
    said = Network("classification", every, reached, np.zeros((0, 0)), 0)(every)
    assert not said[:, 0].any() and said[:, 1].any()
    reached[:] = False
    assert not Network("ranking", every, reached, every, 0)(every).any()


@pytest.mark.parametrize("how", ["hash", "classification", "ranking"])
def test_fits_are_few(how: str) -> None:
    source = DistilledSource(Known(), task, Distilling(how=how))  # type: ignore[arg-type]
    for seed in range(40):
        given = transitions(20, seed)
        source.watch(shown(*given[:3]))
        source(*given[:3], np.zeros((1, 20), bool))
    assert len(source.examples) > 20
    assert source.fits == 0 if how == "hash" else 1 <= source.fits <= 10


def test_examples_without_a_label_go_first() -> None:
    labels = Known()
    source = DistilledSource(labels, task, Distilling(examples=10))
    given = transitions(300, 0)
    source.watch(shown(*given[:3]))
    labels.found = {}
    offered, labels.labels = labels.labels, lambda: dict(list(offered().items())[:3])  # type: ignore[method-assign]
    source(*given[:3], np.zeros((1, 300), bool))
    assert len(source.examples) == 10 and len(source.examples.known(labels.labels())) == 3


def test_a_world_without_screens_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no screens of characters"):
        DistilledSource(Known(), pointmass.numbered)
    with pytest.raises(UsageError, match=r"Did you mean 'agent\.at'"):
        DistilledSource(Known(), task, fields=("agent.att",))
    assert task_schema(task).by_path["game.won"].hidden


def train(server: Loopback, folder: Path, budget: int, **asking: float) -> tuple[Optimised, EpisodicSource, Labeller]:
    """A training by the judgements of the model at `server`."""
    wanted = {"batch": 8, "first_pause": 0.01, "failures": 3, **asking}
    source = distilled(reader(server), task, folder / "labels.jsonl", asking=wanted, distilling={"how": "hash"})
    labeller = source._subgoals._labels  # type: ignore[attr-defined]
    optimised = optimise(task, source, budget, 0, settings=SETTINGS, checkpoint=folder / "checkpoint")
    return optimised, source, labeller


def test_a_training_never_waits_for_a_silent_model(tmp_path: Path) -> None:
    gate = Event()

    def answer(request: Request) -> Step:
        gate.wait(120)
        return say(answered(request.prompt))

    with Loopback() as server:
        server.answer = answer
        optimised, source, labeller = train(server, tmp_path, 8 * ROLLOUT)
        # it is done, and the first question is not answered
        assert optimised.steps == 8 * ROLLOUT and len(server.requests) <= 1 and not labeller.labels()
        assert labeller.waiting > 0 and not optimised.curves.terms["has_key"].any()
        gate.set()
        until(lambda: len(labeller.labels()) > 8)
        source.close()


def test_a_model_that_is_slow_and_fails_and_dies_only_means_fewer_labels(tmp_path: Path) -> None:
    def answer(request: Request) -> Step:
        number = len(server.requests)
        if number % 3 == 0 or number > 7:
            return fail(500, "overloaded")
        server.wait(0.5)
        return say(answered(request.prompt))

    with Loopback() as server:
        server.answer = answer
        optimised, source, labeller = train(server, tmp_path, 40 * ROLLOUT, batch=4)
        assert optimised.steps == 40 * ROLLOUT and optimised.bad_rewards == 0
        until(lambda: bool(labeller.ended))
        # 1, 2, 4, 5 and 7 were answered; 3 and 6 failed; 8 to 10 were three in a row
        assert labeller.batches == 5 and len(server.requests) == 10 and 5 <= len(labeller.labels()) <= 20
        assert isinstance(source, WatchingSource) and source.watched == 0, "nothing more is shown to it"
        source.close()
        kept = dict(labeller.labels())
        assert any(reached["has_key"] for reached in kept.values())

        # the model is dead from the beginning now, and yet its labels pay
        more, source, labeller = train(server, tmp_path, 60 * ROLLOUT, failures=1, batch=4)
        assert more.steps == 60 * ROLLOUT and dict(labeller.labels()) == kept
        paid = more.curves.terms["has_key"]
        assert len(paid) == 60 and paid[40:].any(), "transitions from the checkpoint, labels from the file"
        source.close()


def test_keys_go_by_content() -> None:
    one, two = Screen("@.", "@.", "", ()), Screen(".@", ".@", "", ())
    assert content_key(Glimpse(one, "right", two)) == content_key(Glimpse(Screen(*one), "right", Screen(*two)))
    assert content_key(Glimpse(one, "right", two)) != content_key(Glimpse(two, "right", one))

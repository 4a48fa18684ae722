"""PPO and SAC: they learn, one seed gives the same weights, and a training goes on bit for bit where it was left."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from optimisation import NearSource
from pointmass import pointmass_task

from reward_agent.errors import UsageError
from reward_agent.optimise import Measuring, Optimised, Policy, Progress, find_optimiser
from reward_agent.optimise.checkpoint import FILE
from reward_agent.scoring import SeedPlan, no_op, roll_out
from reward_agent.sources import SourceFaultError
from reward_agent.task import Termination

SMALL: dict[str, dict[str, Any]] = {
    "ppo": {"num_envs": 8, "rollout": 64, "batch_size": 128, "hidden": (16, 16)},
    "sac": {
        "num_envs": 4,
        "hidden": (16, 16),
        "batch_size": 32,
        "learning_starts": 200,
        "boundary": 300,
        "gradient_steps": 1,
    },
}
BUDGET = {"ppo": 4_000, "sac": 1_200}
BOTH = pytest.mark.parametrize("name", ["ppo", "sac"])


def train(name: str, seed: int = 0, **options: Any) -> Optimised:
    options = {"settings": SMALL[name]} | options
    return find_optimiser(name)(pointmass_task(), NearSource(), BUDGET[name], seed, **options)


def weights(policy: Policy) -> np.ndarray:
    return np.concatenate([a.ravel() for a in (*policy.weights, *policy.biases, policy.mean, policy.variance)])


def answers(*values: bool) -> Callable[[], bool]:
    remaining: Iterator[bool] = iter(values)
    return lambda: next(remaining)


def same_curves(one: Optimised, other: Optimised) -> bool:
    a, b = one.curves, other.curves
    pairs = [(a.steps, b.steps), (a.episode_return, b.episode_return), (a.episode_length, b.episode_length)]
    pairs += [(a.terms[key], b.terms[key]) for key in a.terms]
    return a.terms.keys() == b.terms.keys() and all(np.array_equal(x, y, equal_nan=True) for x, y in pairs)


def test_ppo_learns_to_reach_the_goal() -> None:
    settings = {
        "num_envs": 16,
        "rollout": 64,
        "batch_size": 256,
        "epochs": 10,
        "learning_rate": 1e-3,
        "log_std_init": -0.5,
    }
    done = find_optimiser("ppo")(pointmass_task(), NearSource(), 20_000, 0, settings=settings)
    seeds = SeedPlan.select_seeds(0, 20)
    scores = roll_out(pointmass_task(), done.policy, seeds)
    assert scores["success"].mean() > 0.8
    assert (
        scores["closeness"].mean()
        > roll_out(pointmass_task(), no_op(pointmass_task()), seeds)["closeness"].mean() + 0.5
    )
    assert done.curves.episode_return[-1] > done.curves.episode_return[0] + 10
    assert done.steps == done.curves.steps[-1] >= 20_000


def test_sac_learns() -> None:
    settings = SMALL["sac"] | {"batch_size": 128, "learning_rate": 3e-3, "hidden": (32, 32)}
    done = find_optimiser("sac")(pointmass_task(), NearSource(), 3_000, 0, settings=settings)
    scores = roll_out(pointmass_task(), done.policy, SeedPlan.select_seeds(0, 20))
    assert scores["closeness"].mean() > -0.7, "no action at all scores -0.99"
    assert done.policy.squash and done.steps == 3_000


def test_an_update_is_that_of_stable_baselines3() -> None:
    from stable_baselines3 import PPO
    from stable_baselines3.common.logger import Logger

    from reward_agent.optimise.batched_ppo import BatchedPPO
    from reward_agent.optimise.normalise import Normalise
    from reward_agent.optimise.ppo import PPOSettings, make
    from reward_agent.optimise.sb3 import TaskVecEnv

    settings = PPOSettings(num_envs=16, rollout=61, batch_size=256, entropy_weight=0.01, epochs=3)
    model = make(Normalise(TaskVecEnv(pointmass_task(), NearSource(), 16, seed=0)), settings, seed=0)
    # the rollout holds ends by the horizon, whose value is estimated, and the buffer is no multiple of the batch
    model.learn(2 * 16 * 61, log_interval=None)
    model.set_logger(Logger(None, []))
    before, moments = copy.deepcopy((model.policy.state_dict(), model.policy.optimizer.state_dict()))
    updated = []
    for update, threads in ((BatchedPPO.train, 1), (BatchedPPO.train, 2), (PPO.train, 1)):
        model.threads = threads
        model.policy.load_state_dict(before)
        model.policy.optimizer.load_state_dict(copy.deepcopy(moments))
        np.random.seed(1)
        update(model)
        updated.append(torch.cat([p.detach().ravel() for p in model.policy.parameters()]).numpy())
    np.testing.assert_array_equal(updated[0], updated[1], err_msg="threads change nothing")
    np.testing.assert_allclose(updated[0], updated[2], atol=1e-6)
    start = torch.cat([p.ravel() for p in before.values()]).numpy()
    assert np.abs(updated[0] - start).max() > 1e-3


def test_a_rollout_is_that_of_stable_baselines3(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same draws, over episodes that the task's own rule ends and others that the horizon cuts."""
    from stable_baselines3 import PPO
    from stable_baselines3.common.distributions import DiagGaussianDistribution

    from reward_agent.optimise.batched_ppo import BatchedPPO
    from reward_agent.optimise.normalise import Normalise
    from reward_agent.optimise.ppo import PPOSettings, make
    from reward_agent.optimise.sb3 import TaskVecEnv

    rule = Termination("is far", ("point.position",), lambda state: np.abs(state.point.position) > 0.5)
    task, source = replace(pointmass_task(), terminates=rule), NearSource()
    draws = torch.from_numpy(np.random.default_rng(0).normal(size=(130, 16, 1)).astype(np.float32))

    def collect(algorithm: type[PPO], source: NearSource) -> Any:
        settings, remaining = PPOSettings(rollout=130, log_std_init=-0.3), iter(draws)
        model = make(Normalise(TaskVecEnv(task, source, 16, seed=0)), settings, seed=0)
        _, callback = model._setup_learn(1)

        def sample(gaussian: Any) -> torch.Tensor:
            drawn: torch.Tensor = gaussian.distribution.mean + next(remaining) * gaussian.distribution.stddev
            return drawn

        with monkeypatch.context() as patched:
            patched.setattr(torch, "randn", lambda *shape: draws.reshape(shape))
            patched.setattr(DiagGaussianDistribution, "sample", sample)
            algorithm.collect_rollouts(model, model.env, callback, model.rollout_buffer, 130)
        return model.rollout_buffer

    ours, theirs = collect(BatchedPPO, source), collect(PPO, NearSource())
    ((_, _, following, began),) = source.calls
    far = np.abs(following[:-1, :, 0]) > 0.5
    assert far.sum() > 5 and (began[1:] & ~far).sum() > 5, "episodes of both ends"
    names = ("observations", "actions", "rewards", "episode_starts", "values", "log_probs", "advantages", "returns")
    for name in names:
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-3, atol=1e-4, err_msg=name)
    assert theirs.log_probs.std() > 0.1, "actions deviate from their means"


@BOTH
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(name: str) -> None:
    first, second, other = train(name), train(name), train(name, seed=1)
    np.testing.assert_array_equal(weights(first.policy), weights(second.policy))
    assert same_curves(first, second)
    assert not np.array_equal(weights(first.policy), weights(other.policy))


@BOTH
def test_a_stopped_training_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    undisturbed = train(name)
    # nothing is saved between the stops: what goes on must come from the stop's own checkpoint
    first = train(name, checkpoint=tmp_path, stop=answers(False, True))
    second = train(name, checkpoint=tmp_path, stop=answers(True))
    last = train(name, checkpoint=tmp_path)
    assert first.steps < second.steps < last.steps == undisturbed.steps
    np.testing.assert_array_equal(weights(last.policy), weights(undisturbed.policy))
    assert same_curves(last, undisturbed)


@BOTH
def test_a_training_cut_off_goes_on_from_its_last_checkpoint(name: str, tmp_path: Path) -> None:
    settings = SMALL[name] | {"checkpoint_seconds": 0.0}
    undisturbed = train(name)

    def cut(progress: Progress) -> None:
        if progress.steps > BUDGET[name] // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(name, settings=settings, checkpoint=tmp_path, progress=cut)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    last = train(name, settings=settings, checkpoint=tmp_path)
    np.testing.assert_array_equal(weights(last.policy), weights(undisturbed.policy))


@BOTH
def test_a_training_with_stops_between_is_the_one_without(name: str, tmp_path: Path) -> None:
    """At steps that are no multiple of the environments or the rollout, as where a metric is measured."""
    undisturbed = train(name)
    for budget in (201, 601, 1_003):
        find_optimiser(name)(pointmass_task(), NearSource(), budget, 0, settings=SMALL[name], checkpoint=tmp_path)
    last = train(name, checkpoint=tmp_path)
    assert last.steps == undisturbed.steps
    np.testing.assert_array_equal(weights(last.policy), weights(undisturbed.policy))


@BOTH
def test_what_is_measured_on_the_way_is_the_same_however_often_it_is_stopped(name: str, tmp_path: Path) -> None:
    def measure(policy: Policy) -> Mapping[str, float]:
        return {"sum": float(weights(policy).sum())}

    points = (1, BUDGET[name] // 4, BUDGET[name] // 4 + 1, BUDGET[name] - 1)
    plain, whole = train(name), train(name, measuring=Measuring(points, measure))
    np.testing.assert_array_equal(weights(plain.policy), weights(whole.policy))
    assert same_curves(plain, whole)
    for answer in ((False, True), (True,), (True,)):
        train(name, checkpoint=tmp_path, stop=answers(*answer), measuring=Measuring(points, measure))
    last = train(name, checkpoint=tmp_path, measuring=Measuring(points, measure))
    assert len(whole.measured) == 4 and plain.measured == ()
    assert last.measured == whole.measured and whole.measured[0] != whole.measured[-1]
    again = train(name, checkpoint=tmp_path, measuring=Measuring(points[1:], measure))
    assert again.measured == whole.measured[1:], "a used up budget has been measured"
    short = find_optimiser(name)(pointmass_task(), NearSource(), points[1], 0, settings=SMALL[name])
    np.testing.assert_array_equal(weights(short.policy).sum(), whole.measured[1]["sum"])


@pytest.mark.parametrize("capacity", [240, 1_000_000])
def test_a_replay_buffer_goes_on_full_or_not(capacity: int, tmp_path: Path) -> None:
    settings = SMALL["sac"] | {"buffer_size": capacity}
    undisturbed = train("sac", settings=settings)
    optimise = find_optimiser("sac")
    optimise(pointmass_task(), NearSource(), 901, 0, settings=settings, checkpoint=tmp_path)
    last = train("sac", settings=settings, checkpoint=tmp_path)
    np.testing.assert_array_equal(weights(last.policy), weights(undisturbed.policy))
    less = optimise(pointmass_task(), NearSource(), 100, 0, settings=settings, checkpoint=tmp_path)
    assert less.steps == last.steps, "a budget that is used up leaves all as it is"
    np.testing.assert_array_equal(weights(less.policy), weights(last.policy))


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    train("ppo", checkpoint=tmp_path, stop=lambda: True)
    with pytest.raises(UsageError, match=r"differs in seed.*Delete"):
        train("ppo", seed=5, checkpoint=tmp_path)
    with pytest.raises(UsageError, match="differs in settings"):
        train("ppo", settings=SMALL["ppo"] | {"discount": 0.5}, checkpoint=tmp_path)
    (tmp_path / FILE).write_bytes(b"not a checkpoint")
    with pytest.raises(UsageError, match="is no checkpoint"):
        train("ppo", checkpoint=tmp_path)


def test_progress_tells_each_rollout_boundary() -> None:
    seen: list[Progress] = []
    done = train("ppo", progress=seen.append)
    assert [p.steps for p in seen] == [512 * (i + 1) for i in range(8)] == done.curves.steps.tolist()
    assert all(p.budget == 4_000 and p.steps_per_second > 0 for p in seen)
    assert set(seen[0].terms) == {"near", "effort"} == set(done.curves.terms)
    np.testing.assert_array_equal([p.terms["near"] for p in seen], done.curves.terms["near"])
    assert seen[-1].episode_length == 60


@BOTH
def test_progress_tells_since_when_is_learnt(name: str) -> None:
    seen: list[Progress] = []
    train(name, progress=seen.append)
    learning = {p.steps: p.learning for p in seen}
    if name == "ppo":
        assert all(learning.values())
    else:
        assert learning == {300: True, 600: True, 900: True, 1_200: True}
        seen.clear()
        train(name, settings=SMALL[name] | {"learning_starts": 700}, progress=seen.append)
        assert [(p.steps, p.learning) for p in seen] == [(300, False), (600, False), (900, True), (1_200, True)]


def test_tensorboard_events_hold_the_curves(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    done = train("ppo", tensorboard=tmp_path)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    values = [(event.step, event.value) for event in events.Scalars("terms/near")]
    assert [step for step, _ in values] == done.curves.steps.tolist()
    np.testing.assert_allclose([value for _, value in values], done.curves.terms["near"], rtol=1e-6)


def test_the_callers_generators_and_threads_are_left_alone() -> None:
    torch.manual_seed(3)
    np.random.seed(4)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), torch.get_num_threads()  # type: ignore[index]
    train("ppo", stop=lambda: True)
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # type: ignore[index]
    assert torch.get_num_threads() == before[2]


def test_a_fault_of_the_source_ends_the_training() -> None:
    with pytest.raises(SourceFaultError) as caught:
        find_optimiser("ppo")(pointmass_task(), NearSource(fails_at=1), 4_000, 0, settings=SMALL["ppo"])
    assert caught.value.fault.line == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rat": 1e-3}, "Did you mean 'learning_rate'"),
        ({"num_envs": 1.5}, "'num_envs' wants a int"),
        ({"normalise_reward": 1}, "'normalise_reward' wants a bool"),
        ({"hidden": "64"}, "'hidden' wants a tuple"),
        ({"rollout": 0}, "'rollout' must be at least 1, not 0"),
        ({"num_envs": -8}, "'num_envs' must be at least 1, not -8"),
        ({"threads": 0}, "'threads' must be at least 1, not 0"),
        ({"batch_size": 1}, "'batch_size' must be at least 2, not 1"),
        ({"hidden": [64, 0]}, "'hidden' must be at least 1, not 0"),
        ({"learning_rate": 0}, "'learning_rate' must be above 0, not 0.0"),
        ({"learning_rate": float("nan")}, "'learning_rate' must be above 0, not nan"),
        ({"log_std_init": float("-inf")}, "'log_std_init' must be finite, not -inf"),
        ({"discount": 1.5}, "'discount' must be at least 0 and at most 1, not 1.5"),
        ({"activation": "gelu"}, "'activation' must be tanh or relu, not 'gelu'"),
        ({"num_envs": 1, "rollout": 1}, "'num_envs' and 'rollout' must make a rollout of at least 2 steps"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: Mapping[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        train("ppo", settings=settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_starts": -1}, "'learning_starts' must be at least 0"),
        ({"gradient_steps": 0}, "'gradient_steps' must be at least 1"),
        ({"tau": 0.0}, "'tau' must be above 0 and at most 1"),
        ({"boundary": 0}, "'boundary' must be at least 1"),
    ],
)
def test_settings_of_sac_that_cannot_be_are_refused(settings: Mapping[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        train("sac", settings=settings)


def test_a_last_batch_of_one_leaves_the_weights_finite() -> None:
    settings = SMALL["ppo"] | {"num_envs": 5, "rollout": 13, "batch_size": 16}
    done = find_optimiser("ppo")(pointmass_task(), NearSource(), 130, 0, settings=settings)
    assert np.isfinite(weights(done.policy)).all()


def test_settings_from_json_are_taken() -> None:
    settings = json.loads(json.dumps(SMALL["ppo"] | {"learning_rate": 1}))
    assert train("ppo", settings=settings, stop=lambda: True).steps == 512


def test_optimisers_are_found_by_file_and_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.metadata import EntryPoint, EntryPoints

    import reward_agent.optimise as package
    from reward_agent import plugins

    with pytest.raises(UsageError, match="Did you mean 'ppo'"):
        find_optimiser("pppo")
    with pytest.raises(UsageError, match="no optimiser named 'policy'"):
        find_optimiser("policy")
    theirs = EntryPoints([EntryPoint("theirs", "reward_agent.optimise.sac:optimise", plugins.OPTIMISERS.group)])
    for module in (package, plugins):
        monkeypatch.setattr(module, "entry_points", lambda **wanted: theirs.select(**wanted))
    assert plugins.OPTIMISERS.names() == ("mpc", "ppo", "recurrent_ppo", "sac", "theirs")
    assert find_optimiser("theirs") is find_optimiser("sac")

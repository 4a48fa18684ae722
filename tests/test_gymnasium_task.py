"""A sentence, an environment and a metric as a task (`Task.from_gymnasium`), and what is refused."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
from own_envs import Float, float_state, kept, middle, needs_a_package
from own_tasks import SENTENCE, all_fields, float_task, nothing

from reward_agent import Metric, Program, Task
from reward_agent.envs.episodes import Episodes
from reward_agent.envs.gymnasium import tasks
from reward_agent.errors import MissingComponentError, RewardAgentError, UsageError
from reward_agent.scoring import no_op, roll_out
from reward_agent.sources.cell import CellSource

ROD = ("rod.x", "rod.y", "rod.rate")


def test_a_sentence_and_a_metric_are_enough() -> None:
    task = Task.from_gymnasium("Pendulum-v1", "swing up", columns=ROD, metric=nothing)
    assert (task.id, task.horizon, task.world.dt) == ("own/pendulum-v1", 200, 0.05)
    assert task.metrics[0].kind == "fitness" and task.metrics[0].fields == ROD
    assert roll_out(task, no_op(task), range(3))["nothing"].tolist() == [0.0] * 3


def test_a_function_is_a_metric_of_the_kind_it_returns() -> None:
    task = float_task(metric=nothing, metrics=(kept, middle, Metric("own", "fitness", "…", ("log.steps",), nothing)))
    assert [(m.name, m.kind) for m in task.metrics] == [
        ("kept", "success"),
        ("middle", "fitness"),
        ("own", "fitness"),
        ("nothing", "fitness"),
    ]
    assert task.metrics[1].doc == "Minus the mean distance from the middle."
    assert task.metrics[1].fields == all_fields(task) and task.metrics[2].fields == ("log.steps",)
    assert roll_out(task, no_op(task), range(4))["kept"].tolist() == [1.0] * 4
    assert roll_out(task, lambda seen: np.full((len(seen), 1), 2.0), range(4))["kept"].tolist() == [0.0] * 4


def test_the_shipped_card_is_pendulum_and_its_expert_the_native_reward() -> None:
    (task,) = tasks().values()
    env, episodes = gymnasium.make("Pendulum-v1"), Episodes(task, 1, all_fields(task))
    assert task.expert is not None and task.horizon == 200
    source = CellSource(Program(task.expert.read_text()), task)
    rng = np.random.default_rng(0)
    episodes.reset(np.ones(1, bool), np.array([11]))
    env.reset(seed=11)
    before = episodes.states.copy()
    for _ in range(60):
        action = rng.uniform(-2, 2, (1, 1))
        after = episodes.step(action).states
        _, native, *_ = env.step(action[0].astype(np.float32))
        ours = source(before[None], action[None], after[None], np.zeros((1, 1), bool)).total[0, 0]
        assert ours == pytest.approx(float(native), rel=1e-6)
        before = after.copy()
    source.close()
    episodes.close()
    assert roll_out(task, no_op(task), range(4))["success"].sum() == 0


def test_limits_and_horizons() -> None:
    limited = partial(gymnasium.wrappers.TimeLimit, max_episode_steps=40)

    def make() -> Any:
        return limited(Float())

    with pytest.raises(UsageError, match="say `horizon=`"):
        Task.from_gymnasium(Float, SENTENCE, state=float_state, metric=middle)
    assert Task.from_gymnasium(make, SENTENCE, state=float_state, metric=middle).horizon == 40
    assert Task.from_gymnasium(make, SENTENCE, state=float_state, metric=middle, horizon=10).horizon == 10
    with pytest.raises(UsageError, match=r"ends after 40 steps by its own `TimeLimit`, before `horizon=50`"):
        Task.from_gymnasium(make, SENTENCE, state=float_state, metric=middle, horizon=50)
    longer = Task.from_gymnasium(
        "Pendulum-v1", "x", columns=("rod.x", "rod.y", "rod.rate"), metric=nothing, horizon=300
    )
    lengths: list[int] = []
    roll_out(
        longer, no_op(longer), [1], [Metric("n", "fitness", "", (), lambda e: lengths.append(len(e.action)) or 0.0)]
    )
    assert longer.horizon == 300 and lengths == [300]


@pytest.mark.parametrize(
    ("factory", "kind", "message"),
    [
        (needs_a_package, MissingComponentError, "lacks a package.*pip install no_such_simulator"),
        ("Pendulum-v9", UsageError, "knows no environment 'Pendulum-v9'"),
        ("no_such_simulator:Env-v0", MissingComponentError, "lacks a package"),
        (lambda: 3, UsageError, r"gives a builtins\.int, which is no `gymnasium\.Env`"),
        (lambda: 1 / 0, RewardAgentError, r"cannot be made: .*test_gymnasium_task\.py, line \d+: ZeroDivisionError"),
    ],
)
def test_what_cannot_be_made_says_why(factory: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        Task.from_gymnasium(factory, SENTENCE, metric=nothing, horizon=5)
    with pytest.raises(UsageError, match=r"give what makes them.*`Float`, not `Float\(\.\.\.\)`"):
        Task.from_gymnasium(Float(), SENTENCE, metric=nothing, horizon=5)  # type: ignore[arg-type]


def test_a_task_without_a_metric_is_told_what_one_is() -> None:
    with pytest.raises(UsageError, match="a function of an `Episode`"):
        Task.from_gymnasium(Float, SENTENCE, horizon=5)
    with pytest.raises(UsageError, match="not 3"):
        float_task(metric=3)
    with pytest.raises(UsageError, match="Did you mean 'metric'"):
        float_task(metrik=middle)
    assert [metric.name for metric in float_task(metrics=kept).metrics] == ["kept", "middle"]

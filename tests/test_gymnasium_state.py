"""The state of any `gymnasium.Env`: derived or given, exact at the instant, and what of it is refused."""

from __future__ import annotations

from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest
from own_envs import Float, Machine, Nested, float_state
from own_tasks import SENTENCE, all_fields, float_task, nothing

from reward_agent import Task
from reward_agent.envs.episodes import Episodes, prompt_schema, task_schema
from reward_agent.envs.gymnasium import GymnasiumWorld
from reward_agent.errors import RewardAgentError, UsageError
from reward_agent.schema import Field, StateSchema


def test_shapes_kinds_and_words_come_from_the_function_and_the_table() -> None:
    hidden = Field("log.steps", "n", kind="int", hidden=True)
    task = float_task(
        fields={
            "float": "a cork",
            "float.motion": "place and speed [m, m/s]",
            "log.steps": hidden,
        },
        constants={"edge": 5.0, "drift": [0.1, 0.0]},
        actions=["push"],
        hide=("log",),
    )
    schema = task.world.schema()
    told = [(f.path, f.kind, f.shape, f.unit, f.doc, f.hidden) for f in schema.fields]
    assert told == [
        ("float.motion", "float", (2,), "m, m/s", "place and speed", False),
        ("float.left", "bool", (), "", "left", False),
        ("log.steps", "int", (), "", "n", True),
    ]
    assert [(e.name, e.kind, e.doc) for e in schema.entities] == [("float", "Float", "a cork"), ("log", "Log", "log")]
    assert {c.name: c.value for c in schema.constants} == {"dt": 0.1, "edge": 5.0, "drift": (0.1, 0.0)}
    assert schema.action.names == ("push",) and schema.action.high == (2.0,)
    assert "steps" not in prompt_schema(task).render()


def test_parts_of_a_nested_observation_are_fields_by_their_keys() -> None:
    task = Task.from_gymnasium(Nested, SENTENCE, metric=nothing, horizon=9)
    assert [(f.path, f.kind, f.shape) for f in task.world.schema().fields] == [
        ("observation.body.place", "float", (2, 1)),
        ("observation.body.side", "int", ()),
        ("observation.goal_at", "float", (1,)),
        ("observation.pair.item_0", "int", (2,)),
        ("observation.pair.item_1", "int", ()),
    ]
    episodes, env = Episodes(task, 1, all_fields(task)), Nested()
    seen = episodes.reset(np.ones(1, bool), np.array([3]))
    theirs, _ = env.reset(seed=3)
    for _ in range(9):
        assert np.array_equal(seen[0], gymnasium.spaces.flatten(env.observation_space, theirs))
        state = episodes.schema.view(episodes.states).observation
        assert np.array_equal(state.body.place[0], theirs["body"]["place"])
        assert (state.body.side[0], state.pair.item_1[0]) == (theirs["body"]["side"], theirs["pair"][1])
        seen = episodes.step(np.ones((1, 1))).observations
        theirs = env.step(np.ones(1, np.float32))[0]
    episodes.close()


def test_a_model_nobody_has_seen_gives_its_parts_as_they_are_at_that_instant() -> None:
    task = Task.from_gymnasium(Machine, SENTENCE, metric=nothing, horizon=60)
    schema, env = task.world.schema(), Machine()
    assert task.world.dt == 0.02
    kinds = {entity.name: entity.kind for entity in schema.entities}
    assert kinds == {
        "wall": "Fixture",
        "aim": "Fixture",
        "base": "Body",
        "body_4": "Body",
        "ball": "Body",
        "sites.tip": "Site",
        "joints.turn": "Hinge",
        "joints.joint_1": "Slide",
        "joints": "Joints",
        "actuators": "Actuators",
    }
    episodes = Episodes(task, 1, all_fields(task))
    episodes.reset(np.ones(1, bool), np.array([7]))
    env.reset(seed=7)
    before, touched = np.zeros(3), False
    for step in range(60):
        state, data, model = episodes.schema.view(episodes.states), mujoco.MjData(env.model), env.model
        data.qpos, data.qvel, data.ctrl, data.mocap_pos = (
            env.data.qpos,
            env.data.qvel,
            env.data.ctrl,
            env.data.mocap_pos,
        )
        mujoco.mj_forward(model, data)
        for ours, theirs in {"wall": "wall", "aim": "aim", "base": "arm:base", "ball": "ball"}.items():
            part = getattr(state, ours)
            np.testing.assert_allclose(part.position[0], data.body(theirs).xpos, atol=1e-12)
            np.testing.assert_allclose(part.orientation[0], data.body(theirs).xquat, atol=1e-12)
        jacobian, turning = np.zeros((3, model.nv)), np.zeros((3, model.nv))
        mujoco.mj_jacSite(model, data, jacobian, turning, model.site("arm:tip").id)
        np.testing.assert_allclose(state.sites.tip.position[0], data.site("arm:tip").xpos, atol=1e-12)
        np.testing.assert_allclose(state.sites.tip.linear_velocity[0], jacobian @ data.qvel, atol=1e-9)
        np.testing.assert_allclose(state.base.angular_velocity[0], turning @ data.qvel, atol=1e-9)
        np.testing.assert_allclose(state.joints.positions[0], data.qpos[:2], atol=0)
        assert state.joints.turn.velocity[0] == data.qvel[0]
        np.testing.assert_allclose(state.actuators.force[0], data.ctrl, atol=1e-12)
        ball = int(model.body("ball").id)
        hit = any(ball in model.geom_bodyid[list(pair)] for pair in data.contact.geom)
        assert bool(state.ball.contact[0]) == hit
        touched |= hit
        if step:  # the ball falls: its velocity is the rate of its position
            moved = (state.ball.position[0] - before) / task.world.dt
            if not hit:
                assert moved[2] == pytest.approx(state.ball.linear_velocity[0, 2], abs=0.15)
        before = state.ball.position[0].copy()
        episodes.step(np.full((1, 1), 0.3))
        env.step(np.full(1, 0.3, np.float32))
    assert touched
    episodes.close()


def test_reading_a_model_changes_nothing_that_is_simulated() -> None:
    task, seen = Task.from_gymnasium(Machine, SENTENCE, metric=nothing, horizon=200), []
    for fields in ((), all_fields(task)):
        episodes = Episodes(task, 1, fields)
        episodes.reset(np.ones(1, bool), np.array([1]))
        rng = np.random.default_rng(0)
        seen.append([episodes.step(rng.uniform(-1, 1, (1, 1))).observations for _ in range(200)])
        episodes.close()
    assert np.array_equal(*seen)


@pytest.mark.parametrize("world", [GymnasiumWorld(Machine), GymnasiumWorld(Nested), GymnasiumWorld(Float, float_state)])
def test_the_witness_reads_the_same_by_other_means(world: GymnasiumWorld) -> None:
    schema, witness, rng = world.schema(), world.witness(), np.random.default_rng(1)
    batch = world.make(1, schema)
    _, states = batch.reset(np.ones(1, bool), np.array([2**62]))
    told = witness.reset(2**62)
    assert witness.secrets() == {} and told.keys() == schema.by_path.keys()
    for _ in range(60):
        for path, value in told.items():
            np.testing.assert_allclose(states[0, schema.columns[path]], np.ravel(value).astype(float), atol=1e-12)
        action = rng.uniform(-1, 1, 1)
        states, told = batch.step(action[None]).states, witness.step(action)
    named = {"native_reward"} if world.factory is Machine else {"native_reward", "info reward", "info near"}
    assert witness.secrets().keys() == named
    witness.close()


def test_a_state_that_changes_its_mind_is_told() -> None:
    def late(env: Float, observation: Any) -> dict[str, Any]:
        grown = env.steps > 20
        return {"float.whole": 0.5 if grown else 0, "float.list": [1.0] * (3 if env.steps > 25 else 2)}

    for path, message in (("float.whole", "was a whole number at first"), ("float.list", r"shape \(3,\), not \(2,\)")):
        world = GymnasiumWorld(Float, late)
        batch = world.make(1, world.schema().select([path]))
        batch.reset(np.ones(1, bool), np.array([9]))
        with pytest.raises(RewardAgentError, match=message):
            for _ in range(30):
                batch.step(np.zeros((1, 1)))


@pytest.mark.parametrize(
    ("values", "fields", "message"),
    [
        ({"place": 0.0}, {}, r"'place' belongs to nothing.*cart\.place"),
        ({"float.class": 0.0}, {}, "as Python's names are"),
        ({"episode.reward": 0.0}, {}, "'episode' holds the episode's own fields"),
        ({"float.name": "cork"}, {}, "a number, a truth value or an array"),
        ({"float.a": 1.0, "float.a.b": 1.0}, {}, "'float.a' is a field, and 'float.a.b'"),
        ({}, {}, "returned no values"),
        ([1.0], {}, "must return a dictionary"),
        ({"float.place": 0.0}, {"float.plaice": "…"}, "Did you mean 'float.place'"),
        ({"float.place": [0.0, 1.0]}, {"float.place": Field("float.place", "…")}, r"shape=\(2,\)"),
    ],
)
def test_a_state_that_cannot_be_one_is_refused(values: Any, fields: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Task.from_gymnasium(Float, SENTENCE, state=lambda *_: values, fields=fields, metric=nothing, horizon=5)


def test_an_unnamed_list_of_numbers_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="quantities with names and units"):
        task = Task.from_gymnasium(Float, SENTENCE, metric=nothing, horizon=5)
    assert task_schema(task).select(["observation.values"]).fields[0].shape == (2,)
    with pytest.raises(UsageError, match="names 3 columns"):
        Task.from_gymnasium(Float, SENTENCE, columns=("a", "b", "c"), metric=nothing, horizon=5)


def test_only_fields_that_were_asked_for_are_packed() -> None:
    task = float_task()
    full: StateSchema = task.world.schema()
    batch = task.world.make(2, full.select(["log.steps"]))
    batch.reset(np.ones(2, bool), np.arange(2))
    assert batch.step(np.zeros((2, 1))).states.tolist() == [[1.0], [1.0]]

"""Any `gymnasium.Env` as a world: what is derived, what is refused, and that it steps as the environment itself."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import gymnasium
import mujoco
import numpy as np
import pytest
from gymnasium import spaces
from own_envs import (
    Blinded,
    Float,
    Leaking,
    Machine,
    Nested,
    Remembering,
    SmallSeeds,
    Spaces,
    Unseeded,
    float_state,
    kept,
    middle,
    needs_a_package,
)

from reward_agent import Metric, Program, Task
from reward_agent.envs.episodes import Episodes, prompt_schema, task_schema
from reward_agent.envs.gymnasium import GymnasiumWorld, tasks
from reward_agent.errors import MissingComponentError, RewardAgentError, UsageError
from reward_agent.schema import Field, StateSchema
from reward_agent.scoring import EVALUATION_SEEDS, no_op, roll_out
from reward_agent.sources.cell import CellSource

SENTENCE = "stay in the middle"
ROD = ("rod.x", "rod.y", "rod.rate")


def nothing(episode: Any) -> float:
    return 0.0


def float_task(**options: Any) -> Task:
    given: dict[str, Any] = {"state": float_state, "metric": middle, "horizon": 30} | options
    return Task.from_gymnasium(Float, SENTENCE, **given)


def all_fields(task: Task) -> tuple[str, ...]:
    return tuple(field.path for field in task.world.schema().fields)


def test_a_sentence_and_a_metric_are_enough() -> None:
    task = Task.from_gymnasium("Pendulum-v1", "swing up", columns=ROD, metric=nothing)
    assert (task.id, task.horizon, task.world.dt) == ("own/pendulum-v1", 200, 0.05)
    assert task.metrics[0].kind == "fitness" and task.metrics[0].fields == ROD
    assert roll_out(task, no_op(task), range(3))["nothing"].tolist() == [0.0] * 3


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


@pytest.mark.parametrize("workers", [1, 2])
def test_it_steps_as_the_environment_itself(workers: int) -> None:
    task, rng = float_task(), np.random.default_rng(0)
    episodes = Episodes(task, 3, all_fields(task), threads=workers)
    try:
        seeds = np.array([4, EVALUATION_SEEDS + 5, 2**63 - 1])
        seen, env = episodes.reset(np.ones(3, bool), seeds), [Float() for _ in seeds]
        theirs = [one.reset(seed=int(seed))[0] for one, seed in zip(env, seeds, strict=True)]
        for _ in range(30):
            assert np.array_equal(seen, np.array(theirs))
            state = episodes.schema.view(episodes.states)
            assert state.float.motion.tolist() == [[one.x, one.v] for one in env]
            assert state.float.left.tolist() == [one.x < 0 for one in env]
            actions = rng.uniform(-3, 3, (3, 1))
            step = episodes.step(actions)
            seen = step.observations
            played = [one.step(np.clip(a, -2, 2).astype(np.float32)) for one, a in zip(env, actions, strict=True)]
            theirs = [one[0] for one in played]
            assert step.terminated.tolist() == [one[2] for one in played]
        assert step.truncated.all()
    finally:
        episodes.close()


def test_a_lambda_steps_here_where_others_cannot_import_it_and_that_is_said_once() -> None:
    def place(env: Float, observation: Any) -> dict[str, Any]:
        return {"float.motion": [env.x, env.v]}

    def told(threads: int) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            episodes = Episodes(task, 2, ("float.motion",), threads=threads)
            episodes.reset(np.ones(2, bool), np.arange(2))
            assert episodes.step(np.zeros((2, 1))).states.shape == (2, 2)
            episodes.close()
        return [str(warning.message) for warning in caught]

    for factory, state, what in (
        (lambda: Float(), float_state, "what makes it cannot be sent to others"),
        (Float, place, "what reads its state cannot be sent to others"),
    ):
        task = Task.from_gymnasium(factory, SENTENCE, state=state, metric=middle, horizon=5, id="own/float")
        assert told(threads=1) == []
        (message,) = told(threads=2)
        assert what in message and "step in one process" in message and "at the top of a module" in message
        assert told(threads=2) == []
    task = float_task()
    assert told(threads=2) == []


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


def test_cart_pole_steps_by_numbers() -> None:
    names = ("cart.position", "cart.velocity", "pole.angle", "pole.rate")
    world = GymnasiumWorld("CartPole-v1", columns=names, actions=("left", "right"))
    schema = world.schema()
    assert schema.action.discrete and schema.action.names == ("left", "right") and world.limit == 500
    batch, env = world.make(2, schema), gymnasium.make("CartPole-v1")
    observations, states = batch.reset(np.ones(2, bool), np.array([3, 3]))
    theirs, _ = env.reset(seed=3)
    for number in (1, 1, 0, 1, 0, 0):
        assert np.array_equal(observations[0], theirs) and np.array_equal(states, observations)
        step = batch.step(np.array([[float(number)], [0.0]]))
        observations, states = step.observations, step.states
        theirs = env.step(number)[0]
    assert not np.array_equal(observations[0], observations[1])


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


def test_a_film_shows_what_was_played_though_nothing_drew_before() -> None:
    world = GymnasiumWorld(partial(Float, current=0.5), state=float_state)
    batch, env = world.make(1, world.schema()), Float("rgb_array", 0.5)
    batch.reset(np.ones(1, bool), np.array([2]))
    env.reset(seed=2)
    for _ in range(15):
        batch.step(np.full((1, 1), 2.0))
        env.step(np.full(1, 2.0, np.float32))
    assert np.array_equal(batch.render(0), env.render()[:20, :40])
    after, theirs = batch.step(np.ones((1, 1))), env.step(np.ones(1, np.float32))[0]
    assert np.array_equal(after.observations[0], theirs)


def test_what_cannot_be_drawn_says_how_it_could() -> None:
    world = GymnasiumWorld(Machine)
    batch = world.make(1, world.schema())
    batch.reset(np.ones(1, bool), np.array([2]))
    with pytest.raises(MissingComponentError, match="take `render_mode`"):
        batch.render(0)


def test_seeds_stay_apart_where_only_small_ones_are_taken() -> None:
    world = GymnasiumWorld(SmallSeeds, state=float_state)
    batch = world.make(4, world.schema())
    _, states = batch.reset(np.ones(4, bool), np.array([1, 1 + 2**32, 1 + 2**62, 1]))
    first = states[:, 0].tolist()
    assert len(set(first)) == 3 and first[0] == first[3]


def test_what_an_episode_remembers_or_throws_is_told() -> None:
    for unsound in (Unseeded, Remembering):
        with pytest.raises(RewardAgentError, match=r"not determined by their seed and actions.*np_random"):
            GymnasiumWorld(unsound).schema()

    def peeks(env: Any, observation: Any) -> dict[str, Any]:
        env.v += 0.01
        return {"float.position": env.x}

    with pytest.raises(RewardAgentError, match="Reading the state of Float changes what it simulates"):
        GymnasiumWorld(Float, peeks).schema()


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (
            Leaking,
            r"at step 21 of the episode with the seed 9; it cannot step: .*own_envs\.py, line \d+: ValueError: water",
        ),
        (Blinded, r"failed at step 20 of .* number 1 of its observation is not finite"),
    ],
)
def test_an_environment_that_fails_says_where(env: type[Float], message: str) -> None:
    world = GymnasiumWorld(env, state=float_state)
    batch = world.make(1, world.schema())
    batch.reset(np.ones(1, bool), np.array([9]))
    with pytest.raises(RewardAgentError, match=message):
        for _ in range(30):
            batch.step(np.zeros((1, 1)))


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


IMAGE = spaces.Box(0, 255, (8, 8, 3), np.uint8)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"observed": IMAGE}, "images or the like"),
        ({"observed": spaces.Dict({"eye": IMAGE})}, r"observations \(eye\) are images"),
        ({"observed": spaces.Sequence(spaces.Discrete(2))}, "length may vary"),
        ({"acted": spaces.MultiDiscrete([2, 2])}, "several discrete choices at once"),
        ({"acted": spaces.MultiBinary(2)}, "several discrete choices at once"),
        ({"acted": spaces.Box(-np.inf, np.inf, (1,))}, r"have no bounds.*action_bounds=\(-1.0, 1.0\)"),
        ({"acted": spaces.Box(0, 3, (1,), np.int64)}, "numbers between bounds"),
    ],
)
def test_spaces_that_cannot_be_used_are_refused_with_a_way_out(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Task.from_gymnasium(partial(Spaces, **changes), SENTENCE, state=float_state, metric=middle, horizon=5)


def test_bounds_can_be_given_and_actions_fit_the_space_they_go_to() -> None:
    boundless = partial(Spaces, acted=spaces.Box(-np.inf, np.inf, (1, 1), np.float64))
    world = GymnasiumWorld(boundless, float_state, action_bounds=(-0.1, 0.3))
    batch = world.make(1, world.schema())
    assert batch.action_space.shape == (1,)
    batch.reset(np.ones(1, bool), np.zeros(1, np.int64))
    batch.step(np.array([[0.3]]))
    # 0.1 as a float32 is more than 0.1: an environment that checks its actions must not be given that
    tight = GymnasiumWorld(partial(Spaces, acted=spaces.Box(-0.1, 0.1, (1,), np.float64)), float_state)
    batch = tight.make(1, tight.schema())
    batch.reset(np.ones(1, bool), np.zeros(1, np.int64))
    batch.step(batch.action_space.high[None].astype(float))


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
        (lambda: 1 / 0, RewardAgentError, r"cannot be made: .*test_gymnasium_world\.py, line \d+: ZeroDivisionError"),
    ],
)
def test_what_cannot_be_made_says_why(factory: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        Task.from_gymnasium(factory, SENTENCE, metric=nothing, horizon=5)
    with pytest.raises(UsageError, match=r"give what makes them.*`Float`, not `Float\(\.\.\.\)`"):
        Task.from_gymnasium(Float(), SENTENCE, metric=nothing, horizon=5)  # type: ignore[arg-type]


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


def test_a_task_without_a_metric_is_told_what_one_is() -> None:
    with pytest.raises(UsageError, match="a function of an `Episode`"):
        Task.from_gymnasium(Float, SENTENCE, horizon=5)
    with pytest.raises(UsageError, match="not 3"):
        float_task(metric=3)
    with pytest.raises(UsageError, match="Did you mean 'metric'"):
        float_task(metrik=middle)
    assert [metric.name for metric in float_task(metrics=kept).metrics] == ["kept", "middle"]


def test_only_fields_that_were_asked_for_are_packed() -> None:
    task = float_task()
    full: StateSchema = task.world.schema()
    batch = task.world.make(2, full.select(["log.steps"]))
    batch.reset(np.ones(2, bool), np.arange(2))
    assert batch.step(np.zeros((2, 1))).states.tolist() == [[1.0], [1.0]]

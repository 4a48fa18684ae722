"""A real locked cell runs programs as the contract says."""

from __future__ import annotations

import numpy as np
import pytest
from pointmass import EXPERT, SCHEMA

from reward_agent.errors import UsageError
from reward_agent.program import Fault, Program, Rewards
from reward_agent.sandbox.cell import Cell, Limits
from reward_agent.schema import ActionSpec, Array, Constant, Entity, Field, StateSchema

VISIBLE = SCHEMA.visible()

RICH = StateSchema(
    fields=(
        Field("torso.position", "where", "m", (3,)),
        Field("joints.knee.angle", "how bent", "rad"),
        Field("foot.contact", "on the floor", kind="bool"),
        Field("foot.count", "how many", shape=(2,), kind="int"),
        Field("start.torso.position", "at reset", "m", (3,)),
        Field("episode.time", "so far", "s"),
        Field("arm.jacobian", "a matrix", shape=(2, 3)),
    ),
    entities=(Entity("torso", "Body", "the trunk"),),
    action=ActionSpec(names=("left", "stay", "right"), discrete=True),
    constants=(Constant("dt", 0.05, "a step"), Constant("size", (1.0, 2.0), "a box")),
)


def rows(schema: StateSchema, n: int, seed: int = 0) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    state, following = rng.normal(size=(2, n, schema.width))
    action = rng.integers(0, 3, (n, 1)).astype(float) if schema.action.discrete else rng.normal(size=(n, 1))
    return state, action, following


def run(source: str, schema: StateSchema = VISIBLE, n: int = 5) -> tuple[Rewards | Fault, tuple[str, ...] | Fault]:
    """What the program gives for n rows, and its terms (both the fault, when it cannot be loaded)."""
    with Cell() as cell:
        names = cell.load(Program(source), schema, rows(schema, 3))
        if isinstance(names, Fault):
            return names, names
        return cell(*rows(schema, n)), names


def fault(source: str, **options: object) -> Fault:
    given, _ = run(source, **options)
    assert isinstance(given, Fault), given
    assert given.stage == "probe"
    return given


def body(*lines: str) -> str:
    return "import numpy as np\ndef compute_reward(state, action, next_state):\n" + "".join(f"    {x}\n" for x in lines)


def test_gives_the_same_rewards_as_in_process() -> None:
    space: dict[str, object] = {}
    exec(EXPERT, space)
    with Cell() as cell:
        assert cell.load(Program(EXPERT), VISIBLE, rows(VISIBLE, 2)) == ("near", "effort")
        for n in (1, 7, 64, 7):
            state, action, following = rows(VISIBLE, n, seed=n)
            given = cell(state, action, following)
            assert isinstance(given, Rewards)
            total, terms = space["compute_reward"](VISIBLE.view(state), action, VISIBLE.view(following))  # type: ignore[operator]
            np.testing.assert_array_equal(given.total, total)
            np.testing.assert_array_equal(given.terms, np.stack([terms["near"], terms["effort"]], axis=1))


def test_rewards_are_copies() -> None:
    with Cell() as cell:
        cell.load(Program(EXPERT), VISIBLE, rows(VISIBLE, 2))
        first = cell(*rows(VISIBLE, 4, seed=1))
        assert isinstance(first, Rewards)
        kept = first.total.copy()
        cell(*rows(VISIBLE, 4, seed=2))
        np.testing.assert_array_equal(first.total, kept)


def test_fields_are_nested_typed_and_shaped() -> None:
    source = body(
        "n = len(action)",
        "assert action.dtype == np.int64 and action.shape == (n,), action",
        "s = state",
        "assert s.torso.position.shape == (n, 3) and s.joints.knee.angle.shape == (n,)",
        "assert s.foot.contact.dtype == bool and s.foot.count.dtype == np.int64 and s.foot.count.shape == (n, 2)",
        "assert s.start.torso.position.shape == (n, 3) and s.arm.jacobian.shape == (n, 2, 3)",
        "assert constants.size.tolist() == [1, 2]",
        "return state.episode.time * constants.dt, {'a': next_state.arm.jacobian[:, 1, 2], 'b': action + 0.0,"
        " 'c': 1.0 * next_state.foot.contact, 'd': state.start.torso.position[:, 2]}",
    )
    given, names = run(source, RICH)
    assert names == ("a", "b", "c", "d"), names
    assert isinstance(given, Rewards)
    state, action, following = rows(RICH, 5)
    np.testing.assert_allclose(given.total, state[:, RICH.columns["episode.time"]][:, 0] * 0.05)
    before, after = RICH.view(state), RICH.view(following)
    expected = [after.arm.jacobian[:, 1, 2], action[:, 0], after.foot.contact, before.start.torso.position[:, 2]]
    np.testing.assert_allclose(given.terms, np.stack(expected, axis=1))


def test_converted_fields_follow_the_rows_of_each_call() -> None:
    source = body("return 1.0 * state.point.moving, {'m': 1.0 * state.point.moving}")
    with Cell() as cell:
        cell.load(Program(source), VISIBLE, rows(VISIBLE, 2))
        for value in (1.0, 0.0, 1.0):
            given = cell(np.full((4, VISIBLE.width), value), np.zeros((4, 1)), np.zeros((4, VISIBLE.width)))
            assert isinstance(given, Rewards)
            assert given.total.tolist() == [value] * 4


def test_helpers_are_there_without_an_import() -> None:
    given, _ = run(body("x = tolerance(state.point.position, -1, 1)", "return x, {'x': x}"))
    assert isinstance(given, Rewards)
    state = rows(VISIBLE, 5)[0]
    np.testing.assert_array_equal(given.total == 1, np.abs(state[:, 0]) <= 1)


def test_large_batches_go_in_chunks() -> None:
    limits = Limits(input_bytes=4096, output_bytes=1 << 16)
    batch = rows(VISIBLE, 1000)
    with Cell(limits=limits) as small, Cell() as large:
        for cell in (small, large):
            assert cell.load(Program(EXPERT), VISIBLE, rows(VISIBLE, 2)) == ("near", "effort")
        cut, whole = small(*batch), large(*batch)
    assert isinstance(cut, Rewards) and isinstance(whole, Rewards)
    np.testing.assert_array_equal(cut.total, whole.total)
    np.testing.assert_array_equal(cut.terms, whole.terms)


def test_no_rows_no_rewards() -> None:
    given, _ = run(EXPERT, n=0)
    assert isinstance(given, Rewards)
    assert given.total.shape == (0,) and given.terms.shape == (0, 2)


def test_a_program_that_reads_no_field() -> None:
    given, _ = run(body("x = (action ** 2).sum(-1)", "return -x, {'effort': -x}"), VISIBLE.select([]))
    assert isinstance(given, Rewards)
    assert (given.total <= 0).all() and given.total.shape == (5,)


def test_numbers_come_as_they_are() -> None:
    given, _ = run(body("x = np.full(len(action), np.nan)", "x[0] = np.inf", "return x, {'x': x * 2}"))
    assert isinstance(given, Rewards)
    assert given.total[0] == np.inf and np.isnan(given.total[1:]).all()


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        ("x = 1\ndef compute_reward(state:\n", "SyntaxError", 2),
        ("x = 1\n\ny = 1 / 0\n", "ZeroDivisionError: division by zero", 3),
        ("def reward(a, b, c): pass\n", "no function 'compute_reward'", None),
        (body("y = 1", "return state.point.position + 'a', {}"), "UFuncTypeError", 4),
        (body("return state.point.positon, {}"), "state.point has no 'positon'. Did you mean 'position'?", 3),
        (body("return state.secret.reached, {}"), "state has no 'secret'", 3),
        (body("state.point.position[:] = 0", "return 0, {}"), "read-only", 3),
        (body("state.point.x = 0", "return 0, {}"), "read-only", 3),
        (body("state.point.position.flags.writeable = True", "return 0, {}"), "cannot set WRITEABLE", 3),
        (body("return rotate(1, 2), {}"), "TypeError", 3),
        (body("import scipy"), "No module named 'scipy'", 3),
        (body("return state.point.position"), "must return (total, terms)", 3),
        (body("return state.point.position, [1]"), "must be a dict", 3),
        (body("x = state.point.position", "return x[:, None], {'x': x}"), "The total has shape (3, 1)", 4),
        (body("x = state.point.position", "return x, {'x': x, 'alive': 1.0}"), "'alive' has shape ()", 4),
        (body("x = state.point.position", "return x, {'x': x + 1j}"), "dtype complex128", 4),
        (body("x = state.point.position", "return x, {'x y': x}"), "identifiers", 4),
        (body("x = state.point.position", "return x, {f'x{i}': x for i in range(33)}"), "33 terms", 4),
        (body("raise SystemExit('bye')"), "SystemExit: bye", 3),
    ],
)
def test_what_is_wrong_with_a_program_is_told(source: str, message: str, line: int | None) -> None:
    given = fault(source)
    assert message in given.message
    assert given.line == line


def test_terms_must_not_change_between_calls() -> None:
    source = body("x = state.point.position", "return x, {'a' if len(x) == 3 else 'b': x}")
    assert "names of the terms changed" in fault(source).message


def test_an_honest_error_leaves_the_cell_alive() -> None:
    source = body("x = state.point.position", "assert len(x) != 4", "return x, {'x': x}")
    with Cell() as cell:
        cell.load(Program(source), VISIBLE, rows(VISIBLE, 2))
        assert isinstance(cell(*rows(VISIBLE, 4)), Fault)
        assert cell.alive
        assert isinstance(cell(*rows(VISIBLE, 5)), Rewards)


def test_text_of_a_program_is_cleaned_and_bounded() -> None:
    given = fault(body("raise ValueError('\\x1b[31mred\\x1b[0m\\u202e' + 'A' * 100000)"))
    assert given.message.startswith("ValueError: redAAA")
    assert len(given.message) <= 1000
    assert not {"\x1b", "\u202e"} & set(given.message)


def test_what_a_program_prints_is_kept() -> None:
    with Cell() as cell:
        cell.load(Program("print('hello \\x1b]0;title\\x07there')\n" + EXPERT), VISIBLE, rows(VISIBLE, 2))
        cell.close()
        assert cell.output == "hello there\n"


def test_one_cell_one_program() -> None:
    with Cell() as cell:
        with pytest.raises(UsageError, match="call load first"):
            cell(*rows(VISIBLE, 2))
        cell.load(Program(EXPERT), VISIBLE, rows(VISIBLE, 2))
        with pytest.raises(UsageError, match="has had its program"):
            cell.load(Program(EXPERT), VISIBLE, rows(VISIBLE, 2))
        state, action, following = rows(VISIBLE, 2)
        with pytest.raises(UsageError, match=r"takes \(2, 4\), \(2, 1\) and \(2, 4\)"):
            cell(state[:, :3], action, following)


def test_unsafe_says_so() -> None:
    with Cell(unsafe=True) as cell:
        assert cell.layers == ("unsafe",)
        assert cell.load(Program(EXPERT), VISIBLE, rows(VISIBLE, 2)) == ("near", "effort")
        assert isinstance(cell(*rows(VISIBLE, 3)), Rewards)

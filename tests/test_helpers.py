"""The helpers of reward programs: right, the same on numpy and on a strict Array API, and each stands alone as text."""

from __future__ import annotations

from typing import Any

import array_api_strict
import numpy as np
import pytest
from numpy.testing import assert_allclose

from reward_agent.sandbox.helpers import HELPERS, describe, source_of
from reward_agent.schema import Array

ANGLES = np.linspace(-3.1, 3.1, 63)


def about(axis: int, angle: Any) -> Array:
    quaternion = np.zeros((*np.shape(angle), 4))
    quaternion[..., 0], quaternion[..., 1 + axis] = np.cos(np.asarray(angle) / 2), np.sin(np.asarray(angle) / 2)
    return quaternion


def times(p: Array, q: Array) -> Array:
    w = p[..., :1] * q[..., :1] - (p[..., 1:] * q[..., 1:]).sum(-1, keepdims=True)
    v = p[..., :1] * q[..., 1:] + q[..., :1] * p[..., 1:] + np.cross(p[..., 1:], q[..., 1:])
    return np.concatenate([w, v], axis=-1)


def random_quaternions(n: int) -> Array:
    q = np.random.default_rng(0).normal(size=(n, 4))
    return np.asarray(q / np.linalg.norm(q, axis=1, keepdims=True))


@pytest.mark.parametrize(("name", "axis"), [("roll", 0), ("pitch", 1), ("yaw", 2)])
def test_a_turn_about_one_axis_is_read_back_over_the_whole_circle(name: str, axis: int) -> None:
    assert_allclose(HELPERS[name](about(axis, ANGLES)), ANGLES, atol=1e-12)


def test_nose_down_is_positive_pitch() -> None:
    forward = HELPERS["rotate"](about(1, np.array([0.3])), np.array([[1.0, 0, 0]]))
    assert forward[0, 2] < 0 < HELPERS["pitch"](about(1, np.array([0.3])))[0]


def test_heading_changes_neither_pitch_nor_roll() -> None:
    turned = times(about(2, np.full(63, 2.5)), about(1, ANGLES))
    assert_allclose(HELPERS["pitch"](turned), ANGLES, atol=1e-12)
    rolled = times(about(2, np.full(63, 2.5)), about(0, ANGLES))
    assert_allclose(HELPERS["roll"](rolled), ANGLES, atol=1e-12)


def test_rotations_follow_the_quaternion_product_and_undo_each_other() -> None:
    q, v = random_quaternions(50), np.random.default_rng(1).normal(size=(50, 3))
    conjugate = q * np.array([1, -1, -1, -1])
    by_product = times(times(q, np.concatenate([np.zeros((50, 1)), v], axis=1)), conjugate)[:, 1:]
    assert_allclose(HELPERS["rotate"](q, v), by_product, atol=1e-12)
    assert_allclose(HELPERS["inverse_rotate"](q, HELPERS["rotate"](q, v)), v, atol=1e-12)
    for name, axis in (("forward_vector", 0), ("up_vector", 2)):
        assert_allclose(HELPERS[name](q), HELPERS["rotate"](q, np.tile(np.eye(3)[axis], (50, 1))), atol=1e-12)


def test_lengths() -> None:
    vectors = np.array([[3.0, 4.0], [0.0, 0.0]])
    assert_allclose(HELPERS["norm"](vectors), [5, 0])
    assert_allclose(HELPERS["unit"](vectors), [[0.6, 0.8], [0, 0]])


def test_angle_difference_takes_the_short_way() -> None:
    assert_allclose(
        HELPERS["angle_difference"](np.array([3.0, -3.0]), np.array([-3.0, 3.0])), [6 - 2 * np.pi, 2 * np.pi - 6]
    )


def test_tolerance() -> None:
    x = np.array([-2.0, 0.5, 1.0, 3.0, 5.0])
    smooth = HELPERS["tolerance"](x, 0, 1, margin=2.0)
    assert_allclose(smooth[:4], [0.1, 1, 1, 0.1])
    assert 0 < smooth[4] < 1e-3
    assert HELPERS["tolerance"](x, 0, 1).tolist() == [0, 1, 1, 0, 0]
    assert HELPERS["tolerance"](x, lower=1, upper=float("inf")).tolist() == [0, 0, 1, 1, 1]


def test_tolerance_takes_bounds_and_margins_of_each_row() -> None:
    x, lower, upper = np.full(4, 3.0), np.array([0.0, 0.0, 3.0, 4.0]), np.array([1.0, 2.0, 3.0, 9.0])
    margin = np.array([2.0, 0.0, 0.0, 1.0])
    given = HELPERS["tolerance"](x, lower, upper, margin=margin)
    assert_allclose(given, [0.1, 0.0, 1.0, 0.1])
    alone = [HELPERS["tolerance"](x[i : i + 1], lower[i], upper[i], margin=margin[i])[0] for i in range(4)]
    assert given.tolist() == alone


def test_gaussian() -> None:
    assert_allclose(HELPERS["gaussian"](np.array([0.0, 0.5]), 0.5), [1, np.exp(-1)])


def arguments(name: str) -> list[Array]:
    kinds = {"rotate": "qv", "inverse_rotate": "qv", "norm": "v", "unit": "v", "angle_difference": "aa"}
    kinds |= dict.fromkeys(("gaussian", "tolerance"), "a")
    values = {"q": random_quaternions(9), "v": np.random.default_rng(2).normal(size=(9, 3)), "a": ANGLES}
    return [values[kind] for kind in kinds.get(name, "q")]


@pytest.mark.parametrize("name", HELPERS)
def test_each_keeps_to_the_array_api(name: str) -> None:
    plain = HELPERS[name](*arguments(name))
    strict = HELPERS[name](*map(array_api_strict.asarray, arguments(name)))
    assert_allclose(np.asarray(strict), plain)


@pytest.mark.parametrize("name", HELPERS)
def test_the_source_of_each_stands_alone(name: str) -> None:
    space: dict[str, Any] = {}
    exec(source_of(name), space)
    assert_allclose(space[name](*arguments(name)), HELPERS[name](*arguments(name)))


def test_torch_takes_them_too() -> None:
    torch = pytest.importorskip("torch")
    for name in HELPERS:
        given = HELPERS[name](*map(torch.from_numpy, arguments(name)))
        assert_allclose(given.numpy(), HELPERS[name](*arguments(name)), atol=1e-12)


def test_the_prompt_names_each_once() -> None:
    lines = describe().splitlines()
    assert [line.partition("(")[0] for line in lines] == list(HELPERS)
    assert "tolerance(value, lower=0.0, upper=0.0, margin=0.0)" in describe()

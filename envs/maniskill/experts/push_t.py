import numpy as np


def compute_reward(state, action, next_state):
    """ManiSkill3's dense reward of PushT: turn the T, bring it to its goal, stay at it; 3 with 0.9 covered."""
    tee, goal = next_state.tee, next_state.goal_tee
    angle = _angle(tee.orientation) - _angle(goal.orientation)
    apart = norm((tee.position - goal.position)[:, :2])
    # no T that is 3 cm off covers so much, and counting takes long
    near = np.flatnonzero(apart < 0.03)
    offset = (tee.position - goal.position)[near]
    covered = _coverage(offset, _angle(tee.orientation[near]), _angle(goal.orientation[near]))
    done = np.isin(np.arange(len(apart)), near[covered >= 0.9])
    terms = {
        "turn": ((np.cos(angle) + 1) / 2) ** 2 / 2,
        "place": (1 - np.tanh(5 * apart)) ** 2 / 2,
        "reach": np.sqrt(1 - np.tanh(5 * norm(tee.position - next_state.stick.position))) / 20,
    }
    terms = {name: np.where(done, 0.0, term) for name, term in terms.items()}
    terms["done"] = np.where(done, 3.0, 0.0)
    return sum(terms.values()), terms


def _angle(orientation):
    """Turn about the vertical, by the quaternion's real part alone as ManiSkill has it, from 0 to 2 pi (N,)."""
    real = np.where(orientation[:, 3] < 0, -orientation[:, 0], orientation[:, 0])
    return 2 * np.acos(np.clip(real, -1.0, 1.0))


def _coverage(offset, angle, goal_angle):
    """Share of the goal's points, of 64 by 64 over 0.3 m, that points of the T fall on (N,); offset is (N, 3)."""
    # where the T lies as the goal sees it
    turn = angle - goal_angle
    cos, sin = np.cos(goal_angle), np.sin(goal_angle)
    dx, dy = cos * offset[:, 0] + sin * offset[:, 1], cos * offset[:, 1] - sin * offset[:, 0]
    column, row = np.meshgrid(np.arange(64), np.arange(64))
    x, y = (column + 0.5 - 32) * 0.15 / 32, -(row - 32.0) * 0.15 / 32 + 0.5 * 0.15 / 32
    inside = _inside(column, 63 - row)
    x, y = x[inside], y[inside]
    seen_x = np.cos(turn)[:, None] * x - np.sin(turn)[:, None] * y + dx[:, None]
    seen_y = np.sin(turn)[:, None] * x + np.cos(turn)[:, None] * y + dy[:, None]
    at_x, at_y = np.trunc(seen_x * 32 / 0.15 + 32).astype(int), np.trunc(seen_y * 32 / 0.15 + 32).astype(int)
    outside = (at_x < 0) | (at_x > 63) | (at_y < 0) | (at_y > 63)
    at_x, at_y = np.where(outside, 0, at_x), np.where(outside, 0, at_y)
    # a point counts once, however many fall on it
    cells = np.sort(np.where(_inside(at_x, at_y), 64 * at_x + at_y, -1), axis=1)
    fresh = (cells[:, 1:] != cells[:, :-1]) & (cells[:, 1:] >= 0)
    return (fresh.sum(axis=1) + (cells[:, 0] >= 0)) / inside.sum()


def _inside(column, row):
    """Whether points, counted from the left and from below, lie in the T."""
    bar = (column >= 10) & (column < 53) & (row >= 18) & (row < 29)
    stem = (column >= 26) & (column < 37) & (row >= 29) & (row < 61)
    return bar | stem

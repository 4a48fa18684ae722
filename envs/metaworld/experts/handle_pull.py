import numpy as np

HALF, CAGE = 0.022, 0.05
"""Metres from the handle's middle to its side, and to pads that cage it."""
RADIUS = 0.05
"""Metres from the goal's height within which the handle is in its place."""


def falling(distance, low, high, margin):
    """1 from low to high, beyond them falling with a long tail: 0.1 at the margin."""
    outside = np.clip(low - distance, 0, None) + np.clip(distance - high, 0, None)
    return 1 / (1 + (3 * outside / margin) ** 2)


def both(a, b):
    """A product that is as large as the smaller factor where the other is 1: ab / (a + b - ab)."""
    whole = a + b - a * b
    return a * b / np.where(whole > 0, whole, np.ones_like(whole))


def caged_by(pad, handle, post):
    """How well a pad stands beside the handle, in y; the margin is how far it stands from the post."""
    return falling(np.abs(pad[:, 1] - handle[:, 1]), HALF, CAGE, np.abs(np.abs(pad[:, 1] - post[:, 1]) - CAGE))


def compute_reward(state, action, next_state):
    """Take the handle between the pads, close them, and pull it up to the goal's height."""
    handle, gripper, post = next_state.handle.position, next_state.gripper.position, next_state.post.position
    height = next_state.goal.position[:, 2]
    left = np.abs(height - handle[:, 2])
    placed = falling(left, 0.0, RADIUS, np.abs(height - post[:, 2]))

    beside = both(
        caged_by(next_state.left_pad.position, handle, post), caged_by(next_state.right_pad.position, handle, post)
    )
    level = np.asarray([1.0, 0.0, 1.0])
    far_at_first = norm((post - next_state.start.gripper.position) * level) - 0.01
    caged = both(beside, falling(norm((gripper - handle) * level), 0.0, 0.01, far_at_first))
    closing = np.where(caged > 0.97, np.clip(action[:, 3], 0, 1), np.zeros_like(caged))
    held = (both(caged, closing) + caged) / 2

    grip = both(held, placed)
    none = np.zeros_like(grip)
    in_hand = (norm(handle - gripper) < 0.035) & (next_state.gripper.opening > 0)
    in_hand = in_hand & (handle[:, 1] - 0.01 > post[:, 2])
    pull = np.where(in_hand, 1 + 5 * placed, none)
    terms = {"grip": grip, "pull": pull, "up": np.where(left < RADIUS, 10 - grip - pull, none)}
    return sum(terms.values()), terms

import numpy as np

WAY = 0.0935
"""Metres that the button travels, from all out to all in."""


def falling(distance, radius, margin):
    """1 within the radius, then falling with a long tail: 0.1 at the margin beyond it."""
    return 1 / (1 + (3 * np.clip(distance - radius, 0, None) / margin) ** 2)


def both(a, b):
    """A product that is as large as the smaller factor where the other is 1: ab / (a + b - ab)."""
    whole = a + b - a * b
    return a * b / np.where(whole > 0, whole, np.ones_like(whole))


def compute_reward(state, action, next_state):
    """Bring the open gripper to the button, and from there push the button in."""
    button, gripper = next_state.button.position, next_state.gripper.position
    away = norm(button - gripper)
    near = falling(away, 0.05, norm(button - next_state.start.gripper.position))
    pressed = falling(np.abs(next_state.goal.position[:, 1] - button[:, 1]), 0.005, WAY)
    terms = {
        "reach": 2 * both(next_state.gripper.opening, near),
        "press": np.where(away <= 0.05, 8 * pressed, np.zeros_like(pressed)),
    }
    return sum(terms.values()), terms

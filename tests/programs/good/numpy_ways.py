"""A module docstring, numpy under another name, and functions outside the Array API."""

import math

import numpy

TWO_PI = 2 * math.pi


def compute_reward(state, action, next_state):
    """Swing the leg joints in phase while moving forward."""
    velocities = next_state.joints.velocities
    effort = numpy.linalg.norm(action, axis=1)
    swing = numpy.cos(next_state.joints.angles[:, :2]).mean(axis=-1) / TWO_PI
    forward = next_state.torso.linear_velocity[..., 0].copy()
    numpy.clip(forward, -2.0, 4.0, out=forward)
    calm = -1e-4 * numpy.einsum("ij,ij->i", velocities, velocities)
    parts = dict(forward=forward, swing=swing, effort=-0.01 * effort)
    parts.update(calm=calm)
    return numpy.sum(list(parts.values()), axis=0), parts

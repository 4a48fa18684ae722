import numpy as np


def compute_reward(state, action, next_state):
    """Turn the object as the goal is, but about its own length: the angle left, from 0 to 2 pi."""
    about_x, about_y, _ = angles(next_state.object.orientation)
    _, _, about_z = angles(next_state.goal.orientation)
    cosine = (quaternion(about_x, about_y, about_z) * next_state.goal.orientation).sum(-1)
    terms = {"angle": -2 * np.acos(np.clip(cosine, -1.0, 1.0))}
    return sum(terms.values()), terms


def angles(q):
    """Turns about x, then the new y, then the new z, that make a quaternion."""
    w, x, y, z = q[:, 0], q[:, 1], q[:, 2], q[:, 3]
    along_x, along_y = w * w + x * x - y * y - z * z, 2 * (x * y - w * z)
    right, up = 2 * (y * z - w * x), w * w - x * x - y * y + z * z
    return np.atan2(-right, up), np.atan2(2 * (x * z + w * y), np.sqrt(up**2 + right**2)), np.atan2(-along_y, along_x)


def quaternion(about_x, about_y, about_z):
    """The quaternion of these turns."""
    cx, cy, cz = np.cos(about_x / 2), np.cos(about_y / 2), np.cos(about_z / 2)
    sx, sy, sz = np.sin(about_x / 2), np.sin(about_y / 2), np.sin(about_z / 2)
    parts = [
        cx * cy * cz - sx * sy * sz,
        sx * cy * cz + cx * sy * sz,
        cx * sy * cz - sx * cy * sz,
        cx * cy * sz + sx * sy * cz,
    ]
    return np.stack(parts, axis=-1)

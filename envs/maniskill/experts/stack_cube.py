import numpy as np


def compute_reward(state, action, next_state):
    """ManiSkill3's dense reward of StackCube: the highest stage reached: reach, grasp, on top, let go; 8 when done."""
    a, b, half = next_state.cube_a, next_state.cube_b.position, constants.cube_b_half_size
    grasped = next_state.gripper.grasps_cube_a
    offset = a.position - b
    level = np.abs(offset[:, 2] - 2 * half[2]) <= 0.005
    stacked = level & (norm(offset[:, :2]) <= norm(half[:2]) + 0.005)
    speed, spin = norm(a.linear_velocity), norm(a.angular_velocity)
    done = stacked & (speed <= 0.01) & (spin <= 0.5) & ~grasped
    apart = norm(offset - np.asarray([0.0, 0.0, 2 * half[2]]))
    open_share = np.where(grasped, next_state.gripper.opening / constants.widest_opening, 1.0)
    rest = 6 + (open_share + 1 - np.tanh(10 * speed + spin)) / 2
    terms = {
        "reach": np.where(
            stacked | grasped, 0.0, 2 * (1 - np.tanh(5 * norm(next_state.gripper.position - a.position)))
        ),
        "carry": np.where(grasped & ~stacked, 4 + 1 - np.tanh(5 * apart), 0.0),
        "let_go": np.where(stacked & ~done, rest, 0.0),
        "done": np.where(done, 8.0, 0.0),
    }
    return sum(terms.values()), terms

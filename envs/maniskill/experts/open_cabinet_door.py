import numpy as np


def compute_reward(state, action, next_state):
    """ManiSkill3's dense reward of OpenCabinetDoor: reach the handle, open, let it rest; 5 when done."""
    door, goal = next_state.door, next_state.door.goal_opening
    left = (goal - door.opening) / goal
    opened = door.opening >= goal
    done = opened & (norm(door.angular_velocity) <= 1) & (norm(door.linear_velocity) <= 0.1)
    reach = 1 - np.tanh(5 * norm(next_state.gripper.position - next_state.handle.position))
    terms = {
        "reach": np.where(left < 0.999, 2.0, reach),
        "open": np.where(opened, 3.0, 2 * (1 - left)),
    }
    terms = {name: np.where(done, 0.0, term) for name, term in terms.items()}
    terms["done"] = np.where(done, 5.0, 0.0)
    return sum(terms.values()), terms

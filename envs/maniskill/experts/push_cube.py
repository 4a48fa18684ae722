import numpy as np


def compute_reward(state, action, next_state):
    """ManiSkill3's dense reward of PushCube: get behind the cube, bring it to the goal along the table; 4 when done."""
    cube, half = next_state.cube.position, constants.cube_half_size[2]
    behind = norm(cube - np.asarray([half + 0.005, 0.0, 0.0]) - next_state.gripper.position)
    apart = norm((cube - next_state.goal.position)[:, :2])
    done = (apart < constants.goal_radius) & (cube[:, 2] < half + 0.005)
    place = np.where(behind < 0.01, 1 - np.tanh(5 * apart), 0.0)
    terms = {
        "reach": 1 - np.tanh(5 * behind),
        "place": place,
        "flat": place * (1 - np.tanh(5 * np.abs(cube[:, 2] - half))),
    }
    terms = {name: np.where(done, 0.0, term) for name, term in terms.items()}
    terms["done"] = np.where(done, 4.0, 0.0)
    return sum(terms.values()), terms

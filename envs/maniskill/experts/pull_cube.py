import numpy as np


def compute_reward(state, action, next_state):
    """ManiSkill3's dense reward of PullCube: get to the cube's far side, bring it to the goal; 3 when done."""
    cube = next_state.cube.position
    beyond = norm(cube + np.asarray([constants.cube_half_size[0] + 0.01, 0.0, 0.0]) - next_state.gripper.position)
    apart = norm((cube - next_state.goal.position)[:, :2])
    done = apart < constants.goal_radius
    terms = {
        "reach": 1 - np.tanh(5 * beyond),
        "place": np.where(beyond < 0.01, 1 - np.tanh(5 * apart), 0.0),
    }
    terms = {name: np.where(done, 0.0, term) for name, term in terms.items()}
    terms["done"] = np.where(done, 3.0, 0.0)
    return sum(terms.values()), terms

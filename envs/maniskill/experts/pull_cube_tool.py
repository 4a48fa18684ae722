import numpy as np


def compute_reward(state, action, next_state):
    """ManiSkill3's dense reward of PullCubeTool: grasp the tool, hook the cube, pull it near; 5 more when done."""
    cube, tool, hand = next_state.cube.position, next_state.tool.position, next_state.gripper.position
    base = np.asarray(constants.base_position)
    grasped = np.where(next_state.gripper.grasps_tool, 1.0, 0.0)
    half = constants.cube_half_size[0]
    hook = cube + np.asarray([-(constants.hook_length + half), -0.067, 0.0])
    off = norm(tool - hook)
    target = base + np.asarray([0.05, 0.0, 0.0])
    far = norm(np.asarray([constants.arm_reach + 0.1, 0.0, half / 2]) - target)
    pulled = (far - norm(cube - target)) / far
    terms = {
        "reach": 2 * (1 - np.tanh(5 * norm(hand - tool - np.asarray([0.02, 0.0, 0.0])))),
        "grasp": 2 * grasped,
        "hook": 1.5 * (1 - np.tanh(3 * off)) * grasped,
        "pull": np.where(off < 0.05, 3 * pulled, 0.0) * grasped,
        "pushed_away": np.where(cube[:, 0] > constants.arm_reach + 0.15, -2.0, 0.0),
        "done": np.where(norm((cube - base)[:, :2]) < 0.6, 5.0, 0.0),
    }
    return sum(terms.values()), terms

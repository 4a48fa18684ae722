def compute_reward(state, action, next_state):
    """The least that is a reward: one term, arithmetic alone."""
    progress = next_state.joints.root_x.position - state.joints.root_x.position
    return progress, {"progress": progress}

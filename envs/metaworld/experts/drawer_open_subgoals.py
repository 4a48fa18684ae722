"""By hand: the steps of a drawer that is pulled open."""


def subgoals(state, action, next_state):
    """The hand comes near the handle, is at it, and pulls the drawer out, a little and by half of its way."""
    far = norm(next_state.handle.position - next_state.hand.position)
    return {
        "near_handle": far < 0.15,
        "at_handle": far < 0.08,
        "pulled_a_little": next_state.joints.drawer.position < -0.02,
        "pulled_halfway": next_state.joints.drawer.position < -0.08,
    }

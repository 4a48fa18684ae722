"""By hand: the two steps on the way to the goal behind the door."""


def subgoals(state, action, next_state):
    """The key is picked up; the locked door is opened."""
    return {
        "pick_up_key": next_state.agent.carrying == constants.key,
        "open_door": state.door.locked & next_state.door.open,
    }

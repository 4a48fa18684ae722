"""By hand: the two steps of a key room, told from the screen."""


def subgoals(state, action, next_state):
    """The key is picked up; the door is unlocked and opened."""
    return {
        "pick_up_key": ~state.inventory.key & next_state.inventory.key,
        "open_door": state.closed_door.count > next_state.closed_door.count,
    }

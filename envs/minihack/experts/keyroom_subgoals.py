"""By hand: the subgoals of a key room, told from the screen's fields."""


def subgoals(state, action, next_state):
    """The key is carried, then the door is open."""
    picked_up = ~state.inventory.key & next_state.inventory.key
    fewer = next_state.closed_door.count < state.closed_door.count
    more = next_state.open_door.count > state.open_door.count
    return {"pick_up_key": picked_up, "open_door": fewer & more}

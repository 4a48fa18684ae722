"""Worlds: one folder each, with its task cards, expert rewards and recordings. `find_task` gets a task by name.

A world is a folder here, or a module that another package lists under the entry point group `reward_agent.worlds`; it
has `tasks() -> dict[str, Task]` (by id) and `missing() -> str | None`. `rows` makes a batch of environments that each
step on their own; `episodes` turns a world's batch into a task's episodes.
"""

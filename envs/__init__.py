"""Worlds: one folder each, with its task cards, expert rewards and recordings. `find_task` gets a task by name.

A world is a module listed under the entry point group `reward_agent.worlds`; it has `tasks() -> dict[str, Task]`
(by id) and `missing() -> str | None`. `episodes` turns a world's batch into a task's episodes.
"""

"""The cell: the locked process that alone ever runs a reward program. The parent side is `cell.Cell`.

Files that run inside (`bootstrap`, `worker`, `helpers`) import nothing of this project but each other.
"""

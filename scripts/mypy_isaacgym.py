"""A mypy plugin that lets it read `isaacgym-stubs` 1.1rc4, which it cannot as they are installed.

Their `__init__` is no `.pyi`, so mypy finds no package; two properties are named by a keyword (`lambda`), so their
`gymapi.pyi` does not parse. As mypy starts, a mended copy is laid into `typings/`, which `mypy_path` names.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from mypy.plugin import Plugin

TARGET = Path(__file__).resolve().parents[1] / "typings" / "isaacgym" / "gymapi.pyi"


def lay(target: Path) -> None:
    """Write the mended stub; nothing where the package is not installed: mypy then says what it lacks."""
    try:
        source = Path(str(distribution("isaacgym-stubs").locate_file("isaacgym-stubs/gymapi.pyi")))
    except PackageNotFoundError:
        return
    text = re.sub(r"\bdef lambda\(", "def lambda_(", source.read_text(encoding="utf-8"))
    text = f"# mypy: ignore-errors\n{text}"  # what is wrong within it is theirs; calls of it are checked all the same
    if not target.is_file() or target.read_text(encoding="utf-8") != text:
        target.write_text(text, encoding="utf-8")


def plugin(version: str) -> type[Plugin]:
    """What mypy calls before it reads anything."""
    lay(TARGET)
    return Plugin

"""YAML with the line of every value, so that what is wrong in a file can be pointed at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reward_agent.errors import UsageError
from reward_agent.sweep.components import component

_EXPONENT = re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$")


@dataclass(frozen=True)
class Node:
    """A value of a file."""

    value: Any
    """Nodes by name, a list of nodes, or plain text, number, truth value or None."""
    file: Path
    line: int
    """From 1; of the name where it is a named value."""

    def plain(self) -> Any:
        """The value without its lines."""
        if isinstance(self.value, dict):
            return {name: node.plain() for name, node in self.value.items()}
        return [node.plain() for node in self.value] if isinstance(self.value, list) else self.value

    def items(self) -> list[Node]:
        """Of a list; of anything else, itself alone."""
        return self.value if isinstance(self.value, list) else [self]

    def wrong(self, message: object) -> UsageError:
        """An error that says where."""
        return UsageError(f"{self.where}: {message}")

    @property
    def where(self) -> str:
        return f"{self.file}, line {self.line}"


def read_yaml(path: Path) -> Node:
    """The one document of a file. `1e6` is a number here, as it is everywhere else.

    Raises:
        UsageError: the file cannot be read, is not YAML, or gives one name twice.
        MissingComponentError: PyYAML is not installed.
    """
    yaml = component("yaml")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The sweep {path} cannot be read: {error}.") from error

    class Loader(yaml.SafeLoader):  # type: ignore[misc, name-defined]
        pass

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+0123456789"))
    loader = Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            raise UsageError(f"{path} is empty. `docs/sweeps.md` shows what a sweep looks like.")
        return _node(loader, root, path, root.start_mark.line + 1, ())
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise UsageError(f"{path}{line}: this is not YAML: {problem}.") from error
    finally:
        loader.dispose()


def _node(loader: Any, found: Any, path: Path, line: int, above: tuple[int, ...]) -> Node:
    if id(found) in above:
        raise UsageError(f"{path}, line {line}: this value holds itself.")
    above = (*above, id(found))
    if found.id == "mapping":
        own = [key.value for key, _ in found.value if key.tag != "tag:yaml.org,2002:merge"]
        for key, _ in found.value:
            if own.count(key.value) > 1:
                again = [k.start_mark.line + 1 for k, _ in found.value if k.value == key.value]
                raise UsageError(f"{path}, line {again[-1]}: {key.value!r} is given twice, first in line {again[0]}.")
        loader.flatten_mapping(found)
        return Node(dict(_named(loader, found, path, above)), path, line)
    if found.id == "sequence":
        each = [_node(loader, item, path, item.start_mark.line + 1, above) for item in found.value]
        return Node(each, path, line)
    return Node(loader.construct_object(found), path, line)


def _named(loader: Any, found: Any, path: Path, above: tuple[int, ...]) -> Iterator[tuple[str, Node]]:
    for key, value in found.value:
        line = key.start_mark.line + 1
        if key.id != "scalar":
            raise UsageError(f"{path}, line {line}: a name must be plain text.")
        yield str(key.value), _node(loader, value, path, line, above)

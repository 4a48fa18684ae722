"""Looking names up in a state schema, with the closest valid one where there is none."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from difflib import get_close_matches

from reward_agent.reading.values import Arr, Node, Value
from reward_agent.schema import StateSchema

START = "start"


def is_start(path: str) -> bool:
    """Whether this is a value at reset (or the namespace of those)."""
    return path == START or path.startswith(START + ".")


class Fields:
    """The namespaces and fields of one schema."""

    def __init__(self, schema: StateSchema) -> None:
        self.schema = schema
        self._spaces = {p[:i] for p in schema.by_path for i, letter in enumerate(p) if letter == "."} | {""}
        self._constants = {constant.name for constant in schema.constants}

    def member(self, node: ast.Attribute, prefix: str) -> Value | str:
        """What `<prefix>.<attr>` is, or that it is no field."""
        path = f"{prefix}.{node.attr}" if prefix else node.attr
        if path in self.schema:
            return frozenset({Arr(path, self.schema.by_path[path].shape, view=True)})
        if path in self._spaces:
            return frozenset({Node(path)})
        owner, inside = ast.unparse(node.value)[:60], self.inside(prefix)
        close = get_close_matches(node.attr, inside, n=1, cutoff=0.6)
        hint = f" Did you mean `{owner}.{close[0]}`?" if close else ""
        if not close:
            others = [p for p in (*self._spaces, *self.schema.by_path) if is_start(p) == is_start(prefix)]
            far = sorted(p for p in others if p.endswith("." + node.attr)) or get_close_matches(path, others, n=1)
            hint = f" The closest is `{far[0]}`." if far else ""
        return f"`{owner}.{node.attr}` is not a field of this task.{hint} `{owner}` has: {', '.join(inside[:40])}."

    def constant(self, name: str) -> str | None:
        """What is wrong with `constants.<name>`, if anything."""
        if name in self._constants:
            return None
        close = get_close_matches(name, self._constants, n=1, cutoff=0.5)
        hint = f" Did you mean `constants.{close[0]}`?" if close else ""
        known = f" There are: {', '.join(sorted(self._constants))}." if self._constants else ""
        return f"There is no constant `constants.{name}`.{hint}{known}"

    def inside(self, prefix: str) -> list[str]:
        """Names one level under a namespace; of the state itself without `start`."""
        head = prefix + "." if prefix else ""
        names = {p[len(head) :].partition(".")[0] for p in self.schema.by_path if p.startswith(head)}
        return sorted(names - ({START} if not prefix else set()))

    def beneath(self, prefixes: Iterable[str]) -> set[str]:
        """Every field under these namespaces; values at reset only where those are named."""
        return {
            path
            for prefix in prefixes
            for path in self.schema.by_path
            if path.startswith(prefix + "." if prefix else "") and (is_start(prefix) or not is_start(path))
        }

"""How a program sees packed rows: read-only arrays in a namespace tree, by the dotted paths of the schema.

Runs inside the cell: standard library and numpy only.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_DTYPES: dict[str, type] = {"int": np.int64, "bool": np.bool_}


class Namespace:
    """A part of the state, or the constants: attributes to read, none to write."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, name: str) -> Any:
        # called for what is missing only
        own = self.__dict__.get("_name", "state")
        known = [k for k in self.__dict__ if not k.startswith("_")]
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else f" It has: {', '.join(known[:40])}."
        raise AttributeError(f"{own} has no {name!r}.{hint}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{self._name} is read-only: {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{self._name} is read-only: {name!r} cannot be deleted")

    def __array__(self, *_: object, **__: object) -> Any:
        known = ", ".join(k for k in self.__dict__ if not k.startswith("_"))
        raise TypeError(f"{self._name} is a part of the state, not an array; name one of its fields: {known}")

    __array_namespace__ = __array__  # what the helpers ask for

    def child(self, name: str) -> Namespace:
        """The namespace `name` in this one, made when missing."""
        if name not in self.__dict__:
            self.__dict__[name] = Namespace(f"{self._name}.{name}")
        node: Namespace = self.__dict__[name]
        return node


class Rows:
    """Arrays of the first n rows, as the program gets them. Built once for each n, brought up to date each call."""

    def __init__(self, schema: Mapping[str, Any], state: Any, next_state: Any, action: Any) -> None:
        self._conversions: list[tuple[dict[str, Any], str, Any, type]] = []
        self.state = self._tree("state", schema["fields"], state)
        self.next_state = self._tree("next_state", schema["fields"], next_state)
        self._actions = action[:, 0] if schema["action"]["discrete"] else None
        self.action = action

    def refresh(self) -> None:
        """Convert what is not float: once a call, and never writeable."""
        for owner, name, columns, dtype in self._conversions:
            value = columns.astype(dtype)
            value.flags.writeable = False
            owner[name] = value
        if self._actions is not None:
            self.action = self._actions.astype(np.int64)
            self.action.flags.writeable = False

    def _tree(self, name: str, fields: Sequence[Mapping[str, Any]], packed: Any) -> Namespace:
        root, at = Namespace(name), 0
        for field in fields:
            width = int(np.prod(field["shape"], dtype=int))
            columns = packed[:, at : at + width].reshape(len(packed), *field["shape"])
            at += width
            *parents, leaf = field["path"].split(".")
            node = root
            for parent in parents:
                node = node.child(parent)
            if field["kind"] in _DTYPES:
                self._conversions.append((node.__dict__, leaf, columns, _DTYPES[field["kind"]]))
                node.__dict__[leaf] = None  # keeps the order of the schema
            else:
                node.__dict__[leaf] = columns
        return root


def constants(listed: Sequence[Mapping[str, Any]]) -> Namespace:
    """The task's constants as a namespace: numbers, and read-only arrays."""
    space = Namespace("constants")
    for constant in listed:
        value = constant["value"]
        if isinstance(value, list):
            value = np.array(value, dtype=np.float64)
            value.flags.writeable = False
        space.__dict__[constant["name"]] = value
    return space

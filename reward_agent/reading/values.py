"""What a name in a program can stand for, as the check sees it without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any


@dataclass(frozen=True)
class Node:
    """A namespace of the state: the state itself (`""`), an entity, or a group of entities."""

    prefix: str


@dataclass(frozen=True)
class Arr:
    """An array whose first axis is the N environments."""

    path: str | None = None
    """The field, or `action`, where it is that itself."""
    shape: tuple[int, ...] | None = None
    """Of one environment, where known."""
    view: bool = False
    """Shares the inputs' memory: a write in place would change them."""


@dataclass(frozen=True)
class Items:
    """A tuple or list written out, its elements in order."""

    items: tuple[Value, ...]


@dataclass(frozen=True)
class Some:
    """Any other container or iterator; `element` is what it can give."""

    element: Value


@dataclass(frozen=True)
class Table:
    """A dictionary; `None` stands for keys that are not written out."""

    entries: tuple[tuple[str | None, Value], ...]

    @property
    def values(self) -> Value:
        return join(*(value for _, value in self.entries))


@dataclass(frozen=True, eq=False)
class Function:
    """A function or lambda of the program, with the names around its definition."""

    node: ast.FunctionDef | ast.Lambda
    scope: Scope


@dataclass(frozen=True)
class Method:
    """A method of an array or a container, not called yet."""

    owner: Arr | Items | Some | Table
    name: str


@dataclass(frozen=True)
class Named:
    """A builtin, a helper, or something of numpy or math, by its full name, as `np.linalg.norm`."""

    kind: str
    """`builtin`, `helper`, `np`, `math`, `constants`."""
    name: str = ""


@dataclass(frozen=True)
class Other:
    """Anything else, of which nothing is known."""


Atom = Node | Arr | Items | Some | Table | Function | Method | Named | Other
Value = frozenset[Any]
"""A set of atoms: each is possible."""

OTHER: Value = frozenset({Other()})
NONE: Value = frozenset({Named("none")})


@dataclass
class Scope:
    """Names bound so far in one function call (or the module), and the scope around it."""

    names: dict[str, Value]
    outer: Scope | None = None
    comprehension: bool = False

    def find(self, name: str) -> Value | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None

    def fork(self) -> Scope:
        return Scope(dict(self.names), self.outer, self.comprehension)

    def merge(self, *branches: Scope) -> None:
        """Become what can hold after any one of `branches`."""
        for name in {name for branch in branches for name in branch.names}:
            self.names[name] = join(*(b.names[name] for b in branches if name in b.names))


def join(*values: Value) -> Value:
    """What can be any of these; nothing at all is something unknown."""
    return frozenset().union(*values) or OTHER


def only(value: Value, kind: type) -> bool:
    """Whether it can be nothing but this kind: what is said of it then surely holds."""
    return all(isinstance(atom, kind) for atom in value)


def elements(value: Value) -> Value:
    """What iterating over it gives."""
    found: list[Value] = []
    for atom in value:
        match atom:
            case Items(items):
                found.extend(items)
            case Some(element):
                found.append(element)
            case _:
                found.append(OTHER)
    return join(*found)


def size(value: Value, limit: int) -> int:
    """Parts of a value, those inside containers too; counted no further than one beyond `limit`."""
    return sum(1 for _ in islice(_reachable(value), limit + 1))


def nodes(value: Value) -> set[str]:
    """Prefixes of every namespace reachable from it."""
    return {atom.prefix for atom in _reachable(value) if isinstance(atom, Node)}


def functions(value: Value) -> list[Function]:
    """Every function of the program reachable from it."""
    return [atom for atom in _reachable(value) if isinstance(atom, Function)]


def _reachable(value: Value) -> Iterator[Any]:
    for atom in value:
        yield atom
        match atom:
            case Items(items):
                for item in items:
                    yield from _reachable(item)
            case Some(element):
                yield from _reachable(element)
            case Table(entries):
                for _, item in entries:
                    yield from _reachable(item)

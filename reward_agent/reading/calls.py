"""What calls give: of the program's own functions, numpy, helpers, builtins, methods of arrays and containers."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reward_agent.reading.arrays import whole_number
from reward_agent.reading.numpy_names import ELEMENTWISE, REDUCTIONS, WRITING
from reward_agent.reading.values import (
    OTHER,
    Arr,
    Function,
    Items,
    Method,
    Named,
    Node,
    Scope,
    Some,
    Table,
    Value,
    elements,
    join,
    only,
)

if TYPE_CHECKING:
    from reward_agent.reading.expressions import Expressions

ARRAY: Value = frozenset({Arr()})
SAFE_BUILTINS = frozenset(
    ("len", "range", "isinstance", "round", "any", "all", "max", "min", "float", "int", "bool", "str", "repr", "type")
)
"""Builtins that read no field of a namespace they are given."""


@dataclass(frozen=True)
class Call:
    """A call with what its arguments can be."""

    node: ast.Call
    args: tuple[Value, ...]
    named: Mapping[str, Value]
    scope: Scope

    @property
    def text(self) -> str:
        return ast.unparse(self.node)[:80]

    @property
    def unpacks(self) -> bool:
        """Whether `*` or `**` leaves open which argument is which."""
        return "**" in self.named or any(isinstance(argument, ast.Starred) for argument in self.node.args)

    def over_inner_axis(self, position: int) -> bool:
        """Whether it is told an axis (at `position`, or by name) that is surely not the environments'."""
        given = [keyword.value for keyword in self.node.keywords if keyword.arg == "axis"]
        axis = given or self.node.args[position : position + 1]
        number = whole_number(axis[0]) if axis else None
        return number is not None and number != 0


def result(reader: Expressions, call: Call, called: object) -> Value:
    """What calling `called` gives; faults and escapes are told to the reader."""
    match called:
        case Function():
            return _own(reader, call, called)
        case Method(owner, name):
            match owner:
                case Arr():
                    return _of_array(reader, call, owner, name)
                case Table():
                    return _of_table(reader, call, owner, name)
                case Items() | Some():
                    return _of_list(reader, call, owner, name)
        case Named("builtin", name):
            return _builtin(reader, call, name)
        case Named("math", name):
            if any(only(value, Arr) for value in call.args):
                better = f"use `np.{name}`" if hasattr(np, name) else "use a numpy function"
                reader.fault(call.node, f"`{call.text}`: `math.{name}` takes one number, not an array; {better}.")
            return OTHER
        case Named("np" | "helper" as kind, name):
            return _numpy(reader, call, kind, name)
    reader.escape(*call.args, *call.named.values())
    return OTHER


def _own(reader: Expressions, call: Call, function: Function) -> Value:
    """Of a function of the program; with `*` or `**` any argument may be any of those given."""
    if not call.unpacks:
        return reader.follow(function, call.args, call.named)
    given = [atom.values if isinstance(atom, Table) else frozenset({atom}) for v in call.named.values() for atom in v]
    anything = join(*call.args, *given)
    names = [parameter.arg for parameter in (*function.node.args.args, *function.node.args.kwonlyargs)]
    return reader.follow(function, (), dict.fromkeys(names, anything))


def _numpy(reader: Expressions, call: Call, kind: str, name: str) -> Value:
    for value in (*call.args, *call.named.values()):
        if only(value, Node):
            reader.refuse_node(call.node, value)
    reader.escape(*call.args, *call.named.values())
    if kind == "helper":
        reader.helpers_used.add(name)
        return OTHER
    if "out" in call.named:
        reader.not_portable(call.node, "an in-place write")
        if all(isinstance(atom, Arr) and atom.view for atom in call.named["out"]):
            reader.fault(call.node, f"`{call.text}` writes into an input, and inputs cannot be changed.")
    last = name.rpartition(".")[2]
    axis_at = 2 if name == "linalg.norm" else 1
    keeps = (last in ELEMENTWISE and not (last == "where" and len(call.args) < 3)) or (
        last in REDUCTIONS and call.over_inner_axis(axis_at)
    )
    return ARRAY if keeps and any(only(value, Arr) for value in call.args) else OTHER


def _of_array(reader: Expressions, call: Call, owner: Arr, name: str) -> Value:
    if name in WRITING and owner.view:
        reader.fault(call.node, f"`{call.text}` writes into an input, and inputs cannot be changed.")
    if name in ("astype", "clip", "round", "copy"):
        return frozenset({Arr(shape=owner.shape)})
    return ARRAY if name in REDUCTIONS and call.over_inner_axis(0) else OTHER


def _of_table(reader: Expressions, call: Call, owner: Table, name: str) -> Value:
    match name:
        case "values":
            return frozenset({Some(owner.values)})
        case "items":
            return frozenset({Some(frozenset({Items((OTHER, owner.values))}))})
        case "keys":
            return frozenset({Some(OTHER)})
        case "update":
            added = [e for value in call.args for a in value if isinstance(a, Table) for e in a.entries]
            _rebind(reader, call, Table((*owner.entries, *added, *call.named.items())))
            return OTHER
        case "setdefault":
            label = call.node.args[0].value if call.node.args and isinstance(call.node.args[0], ast.Constant) else None
            default = join(owner.values, *call.args[1:])
            _rebind(reader, call, Table((*owner.entries, (label if isinstance(label, str) else None, default))))
            return default
        case "get" | "pop":
            return join(owner.values, *call.args[1:])
        case "copy":
            return frozenset({owner})
    reader.escape(owner.values)
    return OTHER


def _of_list(reader: Expressions, call: Call, owner: Items | Some, name: str) -> Value:
    held = elements(frozenset({owner}))
    match name:
        case "append" | "add" | "insert":
            _rebind(reader, call, Some(join(held, *call.args)))
        case "extend":
            _rebind(reader, call, Some(join(held, *(elements(value) for value in call.args))))
        case "pop" | "copy" | "union" | "intersection":
            return join(held, frozenset({owner}))
        case _:
            reader.escape(held)
    return OTHER


def _rebind(reader: Expressions, call: Call, atom: Some | Table) -> None:
    """A container changed in place: its name now stands for the changed one."""
    target = call.node.func.value if isinstance(call.node.func, ast.Attribute) else None
    if isinstance(target, ast.Name):
        call.scope.names[target.id] = frozenset({atom})
    else:
        reader.escape(frozenset({atom}))


def _entries(atom: object) -> tuple[tuple[str | None, Value], ...]:
    """What `dict(atom)` holds: of another dictionary, or of pairs."""
    if isinstance(atom, Table):
        return atom.entries
    pairs = elements(frozenset({atom}))
    return ((None, join(*(p.items[1] if isinstance(p, Items) and len(p.items) == 2 else OTHER for p in pairs))),)


def _builtin(reader: Expressions, call: Call, name: str) -> Value:
    args = call.args
    arrays = [only(value, Arr) for value in args]
    if "key" in call.named:
        reader.escape(*args, call.named["key"])
    match name:
        case "zip" if not call.unpacks:
            return frozenset({Some(frozenset({Items(tuple(elements(value) for value in args))}))})
        case "enumerate" if args:
            return frozenset({Some(frozenset({Items((OTHER, elements(args[0])))}))})
        case "list" | "tuple" | "sorted" | "reversed" | "set" | "iter" | "next" if args:
            found = OTHER if arrays[0] else elements(args[0])
            return found if name == "next" else frozenset({Some(found)})
        case "dict":
            entries = [e for value in args for atom in value for e in _entries(atom)]
            return frozenset({Table((*entries, *call.named.items()))})
        case "map" if len(args) > 1:
            inner = Call(call.node, tuple(elements(value) for value in args[1:]), {}, call.scope)
            return frozenset({Some(join(*(result(reader, inner, atom) for atom in args[0])))})
        case "sum" if args:
            return ARRAY if not arrays[0] and only(elements(args[0]), Arr) else OTHER
        case "float" | "int" | "bool" if args and arrays[0]:
            reader.fault(call.node, f"`{call.text}`: `{name}()` takes one number, not an array; leave it out.")
        case "max" | "min" if len(args) > 1 and any(arrays):
            reader.fault(call.node, f"`{call.text}`: `{name}()` cannot compare arrays; use `np.{name}imum`.")
    for value in args:
        if only(value, Node) and name in ("abs", "float", "int", "len", "pow", "round", "sum", "max", "min"):
            reader.refuse_node(call.node, value)
    if name in ("abs", "pow") and any(arrays):
        return ARRAY
    if name not in SAFE_BUILTINS:
        reader.escape(*args, *call.named.values())
    return OTHER

"""What an expression of a program can be, and what in it would surely fail (`reader.py` has the statements)."""

from __future__ import annotations

import ast
import builtins
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from reward_agent.program import Fault
from reward_agent.reading import arrays, calls
from reward_agent.reading.fields import START, Fields
from reward_agent.reading.numpy_names import (
    ARRAY_ATTRIBUTES,
    PORTABLE_METHODS,
    STANDARD,
    STANDARD_ATTRIBUTES,
    exists,
    refused,
)
from reward_agent.reading.values import (
    NONE,
    OTHER,
    Arr,
    Function,
    Items,
    Method,
    Named,
    Node,
    Other,
    Scope,
    Some,
    Table,
    Value,
    elements,
    functions,
    join,
    nodes,
    only,
    size,
)
from reward_agent.schema import StateSchema

MAX_WORK = 20_000
"""Statements and expressions looked at before giving up; everything then counts as read."""
MAX_POSSIBLE = 16
"""Things a value can be; with more of them it can be anything."""
MAX_PARTS = 256
"""Parts of a value, those inside containers counted too; so that no text makes the check slow."""
LOOK_UP = 50
"""What a fault costs of `MAX_WORK`: names are compared to say the closest."""


class Expressions(ABC):
    """Gathers what is found while a program is followed."""

    def __init__(self, schema: StateSchema, helpers: Iterable[str]) -> None:
        self.schema = schema
        self.fields: set[str] = set()
        """Paths that may be read: a superset of those that are."""
        self.faults: dict[tuple[int, str], Fault] = {}
        self.returns: list[tuple[int, Value]] = []
        """What the entry returns, with the line."""
        self.unportable: dict[str, int] = {}
        """What keeps it from running on other arrays than numpy's, with the line."""
        self.helpers_used: set[str] = set()
        self.gave_up = False
        self._escaped: set[int] = set()
        self.lookup = Fields(schema)
        self.globals = Scope({name: frozenset({Named("helper", name)}) for name in helpers})
        self.globals.names["constants"] = frozenset({Named("constants")})
        self.bound: set[str] = set()
        self.shares = False
        """Containers are changed under other names than their own; those bound to a name can then hold anything."""
        self.names_start = False
        """The program reads some `.start`: values at reset then count as read with the state itself."""
        self.work = 0
        """Done so far; see `MAX_WORK`."""

    @abstractmethod
    def assign(self, target: ast.expr, value: Value, scope: Scope) -> None:
        """Bind a target to a value."""

    @abstractmethod
    def follow(self, function: Function, args: Sequence[Value], named: Mapping[str, Value]) -> Value:
        """What a function of the program gives for these arguments; anything may be in those left out."""

    @abstractmethod
    def statement(self, node: ast.stmt, scope: Scope) -> None:
        """Follow one statement."""

    def fault(self, node: ast.AST, message: str) -> None:
        """Something surely fails here; not said once it gave up, for what was not looked at may mend it."""
        if self.tired(LOOK_UP):
            return
        line = getattr(node, "lineno", None)
        self.faults.setdefault((line or 0, message), Fault("check", message, line))

    def escape(self, *values: Value) -> None:
        """They go where they cannot be followed: all fields under them count as read, functions may be called."""
        if self.gave_up:
            return
        prefixes = {prefix for value in values for prefix in nodes(value)}
        if self.names_start and "" in prefixes:
            prefixes.add(START)
        self.fields |= self.lookup.beneath(prefixes)
        for value in values:
            for function in functions(value):
                if id(function.node) not in self._escaped:
                    self._escaped.add(id(function.node))
                    self.follow(function, (), {})

    def refuse_node(self, node: ast.expr, value: Value) -> None:
        """A namespace where an array is wanted."""
        if only(value, Node):
            prefix = sorted(nodes(value))[0]
            self.fault(
                node,
                f"`{ast.unparse(node)[:80]}` uses `{prefix or 'the state'}` itself, which is no array. "
                f"Name one of its fields: {', '.join(self.lookup.inside(prefix)[:30])}.",
            )
        self.escape(value)

    def tired(self, cost: int = 1) -> bool:
        """More is looked at; whether that is too much."""
        self.work += cost
        self.gave_up = self.gave_up or self.work > MAX_WORK
        return self.gave_up

    def bounded(self, value: Value) -> Value:
        """The value, or anything at all where it has too many possibilities or parts to follow."""
        if len(value) <= MAX_POSSIBLE and size(value, MAX_PARTS) <= MAX_PARTS:
            return value
        self.escape(value)
        return OTHER

    def not_portable(self, node: ast.AST, what: str) -> None:
        self.unportable.setdefault(what, getattr(node, "lineno", 0))

    def value(self, node: ast.expr, scope: Scope) -> Value:
        """What an expression can be."""
        return OTHER if self.tired() else self.bounded(self._value(node, scope))

    def _value(self, node: ast.expr, scope: Scope) -> Value:
        match node:
            case ast.Name():
                return self._name(node, scope)
            case ast.Attribute():
                return self._attribute(node, self.value(node.value, scope))
            case ast.Subscript():
                return self._subscript(node, scope)
            case ast.Call():
                return self._call(node, scope)
            case ast.Constant(value=None):
                return NONE
            case ast.Tuple(elts=items) | ast.List(elts=items):
                values = [self.value(item, scope) for item in items]
                starred = any(isinstance(item, ast.Starred) for item in items)
                return frozenset({Some(join(*values)) if starred else Items(tuple(values))})
            case ast.Set(elts=items):
                return frozenset({Some(join(*(self.value(item, scope) for item in items)))})
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                return frozenset({Table(tuple(e for k, v in pairs for e in self._entries(k, v, scope)))})
            case ast.Starred(value=value):
                return elements(self.value(value, scope))
            case ast.BinOp(left=left, right=right):
                return self._arithmetic(node, [self.value(left, scope), self.value(right, scope)])
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.truth(operand, scope)
                return OTHER
            case ast.UnaryOp(operand=operand):
                return self._arithmetic(node, [self.value(operand, scope)])
            case ast.Compare():
                return self._compare(node, scope)
            case ast.BoolOp(values=parts):
                for part in parts[:-1]:
                    self.truth(part, scope)
                return join(*(self.value(part, scope) for part in parts))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.truth(test, scope)
                return join(self.value(body, scope), self.value(orelse, scope))
            case ast.Lambda():
                return frozenset({Function(node, scope)})
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node, scope)
            case ast.NamedExpr(target=target, value=value):
                owner = scope
                while owner.comprehension and owner.outer is not None:
                    owner = owner.outer
                owner.names[target.id] = result = self.value(value, scope)
                return result
            case ast.Yield(value=ast.expr() as value) | ast.YieldFrom(value=value):
                self.escape(self.value(value, scope))
                return OTHER
        self.children(node, scope)
        return OTHER

    def _entries(self, key: ast.expr | None, value: ast.expr, scope: Scope) -> tuple[tuple[str | None, Value], ...]:
        found = self.value(value, scope)
        if key is None:  # ** of another dictionary
            tables = [atom for atom in found if isinstance(atom, Table)]
            return tuple(e for table in tables for e in table.entries) if tables else ((None, OTHER),)
        self.value(key, scope)
        label = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
        return ((label, found),)

    def _name(self, node: ast.Name, scope: Scope) -> Value:
        found = scope.find(node.id)
        if found is not None:
            return found
        if hasattr(builtins, node.id):
            return frozenset({Named("builtin", node.id)})
        if node.id not in self.bound and not self.tired(LOOK_UP):
            close = get_close_matches(node.id, [*self.bound, *self.globals.names], n=1)
            hint = f" Did you mean `{close[0]}`?" if close else ""
            if node.id in ("np", "numpy", "math"):
                hint = f" Add `import {'numpy as np' if node.id == 'np' else node.id}`."
            self.fault(node, f"The name `{node.id}` is not defined.{hint}")
        return OTHER

    def _attribute(self, node: ast.Attribute, owner: Value) -> Value:
        members = [self._member(node, atom) for atom in owner]
        found = [member for member in members if not isinstance(member, str)]
        self.tired(LOOK_UP * (len(members) - len(found)))
        if not found:
            self.fault(node, next(member for member in members if isinstance(member, str)))
        return join(*found)

    def _member(self, node: ast.Attribute, atom: object) -> Value | str:
        """What `atom.<attr>` is, or what is wrong with it."""
        name = node.attr
        match atom:
            case Node(prefix):
                found = self.lookup.member(node, prefix)
                if not isinstance(found, str):
                    self.fields |= {a.path for a in found if isinstance(a, Arr) and a.path}
                return found
            case Arr() if name not in ARRAY_ATTRIBUTES:
                return arrays.no_attribute(node, atom)
            case Arr() | Other() if name in ARRAY_ATTRIBUTES and name not in STANDARD_ATTRIBUTES:
                if name not in PORTABLE_METHODS:
                    self.not_portable(node, f"the array method `.{name}()`")
                return frozenset({Method(atom, name)}) if isinstance(atom, Arr) else OTHER
            case Arr() if name in ("T", "mT") and atom.view:
                return frozenset({Arr(shape=(), view=True)}) if atom.shape == () else OTHER
            case Items() | Some() | Table():
                return frozenset({Method(atom, name)})
            case Named("constants", ""):
                return self.lookup.constant(name) or OTHER
            case Named("np" | "math" as kind, inner):
                full = f"{inner}.{name}" if inner else name
                if not exists(kind, full):
                    return f"`{ast.unparse(node)[:60]}` does not exist in {'numpy' if kind == 'np' else kind}."
                if reason := refused(kind, full):
                    return f"`{ast.unparse(node)[:60]}` is not allowed: {reason}."
                if kind == "np" and full not in STANDARD and full != "linalg":
                    self.not_portable(node, f"`np.{full}`")
                return frozenset({Named(kind, full)})
        return OTHER

    def _subscript(self, node: ast.Subscript, scope: Scope) -> Value:
        owner = self.value(node.value, scope)
        self.value(node.slice, scope)
        at = node.slice.value if isinstance(node.slice, ast.Constant) else None
        number = arrays.whole_number(node.slice)
        if only(owner, Node):
            inside = ast.unparse(node.value)[:60]
            name = at if isinstance(at, str) else "<name>"
            self.fault(node, f"`{inside}` is read by name, not indexed: write `{inside}.{name}`.")
            self.escape(owner)
            return OTHER
        found: list[Value] = []
        problems: list[str] = []
        for atom in owner:
            match atom:
                case Arr():
                    result = arrays.index(node, atom)
                    problems.extend([result] if isinstance(result, str) else [])
                    found.extend([] if isinstance(result, str) else [result])
                    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                    if any(isinstance(part, ast.List) for part in parts):
                        self.not_portable(node, "an index that is a list")
                case Items(items) if number is not None and -len(items) <= number < len(items):
                    found.append(items[number])
                case Items() | Some() if isinstance(node.slice, ast.Slice):
                    found.append(frozenset({Some(elements(frozenset({atom})))}))
                case Items() | Some():
                    found.append(elements(frozenset({atom})))
                case Table(entries):
                    exact = [value for key, value in entries if key is not None and key == at]
                    found.append(exact[-1] if exact else atom.values)
                case _:
                    self.escape(frozenset({atom}))
                    found.append(OTHER)
        if problems and not found:
            self.fault(node, problems[0])
        return join(*found)

    def _arithmetic(self, node: ast.expr, values: Sequence[Value]) -> Value:
        if all(isinstance(atom, Items | Some) for value in values for atom in value):  # lists put together
            return frozenset({Some(join(*(elements(value) for value in values)))})
        for value in values:
            if only(value, Node):
                self.refuse_node(node, value)
        self.escape(*values)
        return frozenset({Arr()}) if any(only(value, Arr) for value in values) else OTHER

    def _compare(self, node: ast.Compare, scope: Scope) -> Value:
        values = [self.value(each, scope) for each in (node.left, *node.comparators)]
        if any(isinstance(op, ast.Is | ast.IsNot | ast.In | ast.NotIn) for op in node.ops):
            return OTHER
        result = self._arithmetic(node, values)
        if len(node.ops) > 1 and only(result, Arr):
            self.fault(node, f"`{ast.unparse(node)[:80]}` chains comparisons of arrays; write `(a < b) & (b < c)`.")
        return result

    def truth(self, node: ast.expr, scope: Scope) -> None:
        """A place where Python asks for one truth value."""
        if only(self.value(node, scope), Arr):
            self.fault(
                node,
                f"`{ast.unparse(node)[:80]}` is an array, one value an environment, and cannot decide an `if`, "
                "`and`, `or` or `not`. Use `np.where(condition, a, b)`, `&`, `|`, `~`.",
            )

    def iterate(self, source: ast.expr, scope: Scope) -> Value:
        value = self.value(source, scope)
        if only(value, Node):
            self.refuse_node(source, value)
        return join(*(OTHER if isinstance(a, Table) else elements(frozenset({a})) for a in value))

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: Scope) -> Value:
        inner = Scope({}, scope, comprehension=True)
        for generator in node.generators:
            self.assign(generator.target, self.iterate(generator.iter, inner), inner)
            for condition in generator.ifs:
                self.truth(condition, inner)
        if isinstance(node, ast.DictComp):
            self.value(node.key, inner)
            return frozenset({Table(((None, self.value(node.value, inner)),))})
        return frozenset({Some(self.value(node.elt, inner))})

    def _call(self, node: ast.Call, scope: Scope) -> Value:
        function = self.value(node.func, scope)
        args = tuple(self.value(argument, scope) for argument in node.args)
        named = {keyword.arg or "**": self.value(keyword.value, scope) for keyword in node.keywords}
        call = calls.Call(node, args, named, scope)
        return join(*(calls.result(self, call, atom) for atom in function))

    def children(self, node: ast.AST, scope: Scope) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child, scope)
            elif isinstance(child, ast.stmt):
                self.statement(child, scope)
            else:
                self.children(child, scope)

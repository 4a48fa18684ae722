"""Which fields a program reads, found without running it by following parts of the state through its names.

A name stands for everything that its function ever binds to it, a parameter for every argument it is ever given, in
whatever order; the text is gone through until nothing is added. What is put into a container or an object may come
out of any. Where that does not do (classes, `match`, generators …), all fields of all entities that are named count.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches

from reward_agent.contract import fault, words
from reward_agent.portability import ARRAY_ATTRIBUTES
from reward_agent.program import Fault, code_of
from reward_agent.schema import StateSchema

START = "start"
ACTION = "<action>"
RETURNED = "<returned>"
MAX_WORK = 300_000
"""Things looked at before a text counts as one that cannot be followed."""
MAX_FAULTS = 30
BEYOND = (ast.ClassDef, ast.Match, ast.Global, ast.Nonlocal, ast.AsyncFunctionDef, ast.Await, ast.Yield, ast.YieldFrom)
REFLECTION = words("getattr hasattr vars dir type property format format_map")
"""What reads attributes that are not written out."""
METHODS = ARRAY_ATTRIBUTES.union(*(dir(kind) for kind in (dict, list, tuple, set, str)))
KEEP_NOTHING = words("zip enumerate list tuple dict set reversed len sum range")
"""Builtins that put what they are given into nothing but their result."""

AnyFunction = ast.FunctionDef | ast.Lambda
Value = frozenset[str | AnyFunction | None]
"""What an expression can be: paths of the schema, the action, functions of the program. With `None` it can also be
something unknown, or hold some of the others at any depth."""

UNKNOWN: Value = frozenset((None,))


@dataclass(frozen=True)
class Scope:
    """What names of the module, a function, a comprehension or a loop stand for."""

    names: dict[str, Value]
    outer: Scope | None = None
    is_loop: bool = False
    """Its names are the targets: in the body they stand for this loop's elements. The function has them too."""
    is_comprehension: bool = False

    def find(self, name: str) -> Value | None:
        """What this name stands for here; None where nothing binds it."""
        return self.names[name] if name in self.names else self.outer.find(name) if self.outer else None

    def for_functions(self) -> Scope | None:
        """As functions defined here see it: they may be called when a loop has gone on."""
        outer = self.outer.for_functions() if self.outer else None
        return outer if self.is_loop else replace(self, outer=outer)


class LostError(Exception):
    """The text cannot be followed."""


class FieldReader:
    """Follows one program; `read` fills the attributes."""

    def __init__(self, schema: StateSchema) -> None:
        self.fields: set[str] = set()
        """Paths that may be read: a superset of those that are."""
        self.faults: dict[Fault, None] = {}
        """Fields that do not exist, and writes into inputs."""
        self._schema = schema
        self._spaces = {p[:i] for p in schema.by_path for i, letter in enumerate(p) if letter == "."} | {""}
        self._scopes: dict[ast.AST, Scope] = {}
        self._called: dict[AnyFunction, None] = {}
        self._stored = UNKNOWN
        """What was put into some container or object."""
        self._grew = self._telling = False
        self._work = 0

    def read(self, tree: ast.Module, entry: ast.FunctionDef) -> None:
        """Follow the program from its entry, called as the contract says."""
        try:
            if any(_is_beyond(node) for node in ast.walk(tree)):
                raise LostError
            while not self._telling:
                self._grew = False
                self._pass(tree, entry)
                self._telling = not self._grew
            self._pass(tree, entry)
        except (LostError, RecursionError):
            spelt = set(_spelt(tree))
            self.fields = {path for path in self._schema.by_path if spelt.issuperset(path.split(".")[:-1])}
            self.faults = {}

    def _pass(self, tree: ast.Module, entry: ast.FunctionDef) -> None:
        module = self._scopes.setdefault(tree, Scope({}))
        self._visit_all(tree.body, module)
        self._enter(entry, zip(_parameters(entry), map(frozenset, (("",), (ACTION,), ("",))), strict=True))
        for function in list(self._called):
            scope = self._scopes[function]
            if isinstance(function, ast.Lambda):
                self._bind(RETURNED, self._value(function.body, scope), scope)
            else:
                self._visit_all(function.body, scope)

    def _bind(self, name: str, value: Value, scope: Scope) -> None:
        self._spend(len(value))
        if scope.is_loop and scope.outer:
            self._bind(name, value, scope.outer)
        if not scope.is_loop or name in scope.names:
            self._grew = self._grew or name not in scope.names or not value <= scope.names[name]
            scope.names[name] = scope.names.get(name, frozenset()) | value

    def _spend(self, work: int) -> None:
        self._work += work
        if self._work > MAX_WORK:
            raise LostError

    def _store(self, value: Value) -> None:
        leading = {thing for thing in value if thing in self._spaces or isinstance(thing, AnyFunction)}
        self._grew = self._grew or not leading <= self._stored
        self._stored |= leading

    def _tell(self, node: ast.AST, message: str) -> None:
        self.faults[fault(node, message)] = None

    @property
    def _may_tell(self) -> bool:
        return self._telling and len(self.faults) < MAX_FAULTS

    def _visit_all(self, nodes: Iterable[ast.AST], scope: Scope) -> None:
        for node in nodes:
            self._visit(node, scope)

    def _visit(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.expr():
                self._value(node, scope)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, value, scope, scope)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value, scope, scope)
            case ast.AugAssign(target=target, value=value):
                self._put(target, self._value(value, scope), scope)
            case ast.For(target=target, iter=source, body=body, orelse=orelse):
                own = {part.id: Value() for part in ast.walk(target) if isinstance(part, ast.Name)}
                inner = self._scopes.setdefault(node, Scope(own, scope, is_loop=True))
                self._assign(target, source, inner, scope, each=True)
                self._visit_all(body, inner)
                self._visit_all(orelse, scope)
            case ast.Return(value=ast.expr() as value):
                self._bind(RETURNED, self._value(value, scope), scope)
            case ast.FunctionDef(name=name):
                self._bind(name, self._function(node, scope), scope)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                for alias in aliases:
                    self._bind(alias.asname or alias.name.partition(".")[0], UNKNOWN, scope)
            case _:
                self._visit_all(ast.iter_child_nodes(node), scope)

    def _assign(self, target: ast.expr, source: ast.expr, scope: Scope, around: Scope, *, each: bool = False) -> None:
        """Bind a target to an expression (or to each of its elements), which is read in the scope `around`."""
        parts, targets = _elements(source), _elements(target)
        if each and parts is not None:
            for part in parts:
                self._assign(target, part, scope, around)
        elif not each and parts is not None and targets is not None and len(targets) == len(parts):
            for inner, part in zip(targets, parts, strict=True):
                self._assign(inner, part, scope, around)
        else:
            value = self._value(source, around)
            self._unpack(target, value | self._stored if each else value, scope)

    def _unpack(self, target: ast.expr, value: Value, scope: Scope) -> None:
        match target:
            case ast.Name(id=name):
                self._bind(name, value, scope)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                for inner in targets:
                    self._unpack(inner, value | self._stored, scope)
            case ast.Starred(value=inner):
                self._unpack(inner, value, scope)
            case _:
                self._put(target, value, scope)

    def _put(self, target: ast.expr, value: Value, scope: Scope) -> None:
        """Change what the target is, or is a part of."""
        base = target.value if isinstance(target, ast.Subscript | ast.Attribute) else target
        owner = self._value(base, scope)
        if isinstance(target, ast.Subscript):
            self._value(target.slice, scope)
        if self._may_tell and owner and all(isinstance(thing, str) for thing in owner):
            what = code_of(target)[:80]
            mend = "Make a new array instead (arithmetic, `np.where`)."
            self._tell(target, f"`{what}` writes into an input, and inputs cannot be changed. {mend}")
        self._store(value)

    def _value(self, node: ast.expr, scope: Scope) -> Value:
        self._spend(1 + len(self._stored))
        match node:
            case ast.Name(id=name):
                found = scope.find(name)
                return UNKNOWN if found is None else found
            case ast.Attribute():
                return self._attribute(node, scope)
            case ast.Call():
                return self._call(node, scope)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self._value(test, scope)
                return self._value(body, scope) | self._value(orelse, scope)
            case ast.NamedExpr(target=target, value=value):
                found = self._value(value, scope)
                while scope.is_comprehension and scope.outer:
                    scope = scope.outer
                self._bind(target.id, found, scope)
                return found
            case ast.Lambda():
                return self._function(node, scope)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                inner = self._scopes.setdefault(node, Scope({}, scope, is_comprehension=True))
                for i, generator in enumerate(node.generators):
                    self._assign(generator.target, generator.iter, inner, inner if i else scope, each=True)
                    self._visit_all(generator.ifs, inner)
                made = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
                return UNKNOWN.union(*(self._value(part, inner) for part in made))
        parts = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        return self._stored.union(*(self._value(part, scope) for part in parts))

    def _attribute(self, node: ast.Attribute, scope: Scope) -> Value:
        owner = self._value(node.value, scope)
        owner |= self._stored if None in owner else frozenset()
        members = {f"{path}.{node.attr}".removeprefix(".") for path in owner if isinstance(path, str)}
        read = members & self._schema.by_path.keys()
        self.fields |= read
        found: Value = frozenset(read | (members & self._spaces))
        if self._spaces >= owner:
            if owner and not found and self._may_tell:
                self._tell(node, self._no_field(node, min(path for path in owner if isinstance(path, str))))
            return found
        return found | UNKNOWN if found and node.attr not in METHODS else found | owner | self._stored

    def _function(self, node: AnyFunction, scope: Scope) -> Value:
        inner, given = self._scopes.setdefault(node, Scope({}, scope.for_functions())), node.args
        for name in _parameters(node):
            inner.names.setdefault(name, frozenset())
        self._visit_all([given, *([node.returns] if isinstance(node, ast.FunctionDef) and node.returns else [])], scope)
        defaults = [
            *zip(reversed([*given.posonlyargs, *given.args]), reversed(given.defaults), strict=False),
            *zip(given.kwonlyargs, given.kw_defaults, strict=True),
        ]
        for parameter, default in defaults:
            if default is not None:
                self._bind(parameter.arg, self._value(default, scope), inner)
        return frozenset((node,))

    def _call(self, node: ast.Call, scope: Scope) -> Value:
        called = self._value(node.func, scope)
        args = [self._value(argument, scope) for argument in node.args]
        named = {keyword.arg or "**": self._value(keyword.value, scope) for keyword in node.keywords}
        given = frozenset[str | AnyFunction | None]().union(*args, *named.values())
        functions = [thing for thing in called if isinstance(thing, AnyFunction)]
        spreads = "**" in named or any(isinstance(argument, ast.Starred) for argument in node.args)
        if len(functions) == len(called) and not spreads and not any(f.args.vararg or f.args.kwarg for f in functions):
            bound = [[*zip(_parameters(function), args, strict=False), *named.items()] for function in functions]
            return Value().union(*map(self._enter, functions, bound))
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in KEEP_NOTHING or scope.find(name) is not None:
            self._store(given)
        every = called | given | self._stored
        for function in every:
            if isinstance(function, AnyFunction):
                every |= self._enter(function, [(name, every) for name in _parameters(function)])
        return every

    def _enter(self, function: AnyFunction, arguments: Iterable[tuple[str, Value]]) -> Value:
        """What a call of a function of the program gives."""
        scope = self._scopes[function]
        for name, value in arguments:
            self._bind(name, value, scope)
        self._grew = self._grew or function not in self._called
        self._called[function] = None
        return scope.names.get(RETURNED, frozenset())

    def _no_field(self, node: ast.Attribute, prefix: str) -> str:
        owner, head = code_of(node.value)[:60], f"{prefix}." if prefix else ""
        inside = {path[len(head) :].partition(".")[0] for path in self._schema.by_path if path.startswith(head)}
        inside -= set() if prefix else {START}
        close = get_close_matches(node.attr, inside, n=1)
        hint = f" Did you mean `{owner}.{close[0]}`?" if close else ""
        if not close:
            others = {*self._spaces, *self._schema.by_path}
            others = {path for path in others if path.startswith(START) == prefix.startswith(START)}
            far = sorted(path for path in others if path.endswith(f".{node.attr}"))
            far = far or get_close_matches(head + node.attr, others, n=1)
            hint = f" The closest is `{far[0]}`." if far else ""
        has = ", ".join(sorted(inside)[:40])
        return f"`{owner}.{node.attr}` is not a field of this task.{hint} `{owner}` has: {has}."


def _is_beyond(node: ast.AST) -> bool:
    match node:
        case ast.FunctionDef(decorator_list=[_, *_]) | ast.ExceptHandler(name=str()):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in REFLECTION:
            return True
    return isinstance(node, BEYOND)


def _spelt(tree: ast.Module) -> Iterator[str]:
    """Names that could be those of attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr=name):
                yield name
            case ast.MatchClass(kwd_attrs=names):
                yield from names
            case ast.Constant(value=str(text)):
                yield from re.findall(r"\w+", text)


def _elements(node: ast.expr) -> list[ast.expr] | None:
    """Of a tuple or list written out."""
    parts = node.elts if isinstance(node, ast.Tuple | ast.List) else None
    return None if parts is None or any(isinstance(part, ast.Starred) for part in parts) else parts


def _parameters(node: AnyFunction) -> list[str]:
    args = node.args
    rest = [parameter for parameter in (args.vararg, args.kwarg) if parameter is not None]
    return [parameter.arg for parameter in (*args.posonlyargs, *args.args, *args.kwonlyargs, *rest)]

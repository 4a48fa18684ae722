"""Which fields a program reads, and what in it would surely fail: found by following values through its text.

The program is not run. Each name stands for the set of things it can be (`values.py`); branches are joined, loops
are gone through twice, the program's own functions are followed with what they are called with. A fault is only
said where every possibility fails. Where a namespace goes somewhere that cannot be followed, all fields under it
count as read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

from reward_agent.reading.expressions import Expressions
from reward_agent.reading.fields import START, is_start
from reward_agent.reading.sharing import shares
from reward_agent.reading.values import (
    NONE,
    OTHER,
    Arr,
    Function,
    Items,
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
from reward_agent.schema import StateSchema

MAX_DEPTH = 12
"""Calls within calls that are followed."""


class Reader(Expressions):
    """Follows one program; `read` fills `fields`, `faults`, `returns` and `unportable`."""

    def __init__(self, schema: StateSchema, helpers: Iterable[str]) -> None:
        super().__init__(schema, helpers)
        self._depth = 0
        self._returned: list[tuple[int, Value]] = []

    def read(self, tree: ast.Module, entry: ast.FunctionDef) -> None:
        """Follow the program from its entry, called as the contract says."""
        self.bound = set(_bound_names(tree))
        self.shares = shares(tree)
        self.names_start = any(isinstance(node, ast.Attribute) and node.attr == START for node in ast.walk(tree))
        module = Scope({}, self.globals)
        self._block(tree.body, module)
        state: Value = frozenset({Node("")})
        action = self.schema.action
        shape = () if action.discrete else (action.width,)
        arguments = [state, frozenset({Arr("action", shape, view=True)}), state]
        scope = Scope({}, module)
        for parameter, value in zip([*entry.args.posonlyargs, *entry.args.args], arguments, strict=False):
            scope.names[parameter.arg] = value
        self.returns = self._body(entry.body, scope)
        if self.gave_up:
            self.fields |= {path for path in self.schema.by_path if self.names_start or not is_start(path)}

    def _body(self, body: Sequence[ast.stmt], scope: Scope) -> list[tuple[int, Value]]:
        returned: list[tuple[int, Value]] = []
        outer, self._returned = self._returned, returned
        self._block(body, scope)
        self._returned = outer
        return returned

    def _block(self, body: Iterable[ast.stmt], scope: Scope) -> None:
        for statement in body:
            self.statement(statement, scope)

    def _fork(self, scope: Scope) -> Scope:
        self.tired(len(scope.names) // 64)
        return scope.fork()

    def statement(self, node: ast.stmt, scope: Scope) -> None:
        if self.tired():
            return
        match node:
            case ast.Assign(targets=targets, value=value):
                result = self.value(value, scope)
                for target in targets:
                    self.assign(target, result, scope)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self.assign(target, self.value(value, scope), scope)
            case ast.AugAssign(target=target, value=value):
                self._augment(node, target, self.value(value, scope), scope)
            case ast.Return(value=returned):
                self._returned.append((node.lineno, NONE if returned is None else self.value(returned, scope)))
            case ast.If(test=test, body=body, orelse=orelse):
                self.truth(test, scope)
                then, other = self._fork(scope), self._fork(scope)
                self._block(body, then)
                self._block(orelse, other)
                scope.merge(then, other)
            case ast.For(target=target, iter=source, body=body, orelse=orelse):
                item = self.iterate(source, scope)
                for _ in range(2):
                    inner = self._fork(scope)
                    self.assign(target, item, inner)
                    self._block(body, inner)
                    scope.merge(scope.fork(), inner)
                self._block(orelse, scope)
            case ast.While(test=test, body=body, orelse=orelse):
                for _ in range(2):
                    self.truth(test, scope)
                    inner = self._fork(scope)
                    self._block(body, inner)
                    scope.merge(scope.fork(), inner)
                self._block(orelse, scope)
            case ast.With(items=items, body=body):
                for item_ in items:
                    self.value(item_.context_expr, scope)
                    if item_.optional_vars is not None:
                        self.assign(item_.optional_vars, OTHER, scope)
                self._block(body, scope)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                branches = [self._fork(scope) for _ in range(1 + len(handlers))]
                self._block([*body, *orelse], branches[0])
                for handler, branch in zip(handlers, branches[1:], strict=True):
                    if handler.name:
                        branch.names[handler.name] = OTHER
                    self._block(handler.body, branch)
                scope.merge(*branches)
                self._block(final, scope)
            case ast.FunctionDef(name=name):
                scope.names[name] = frozenset({Function(node, scope)})
            case ast.Import(names=names):
                for alias in names:
                    root = alias.name if alias.asname else alias.name.partition(".")[0]
                    scope.names[alias.asname or root] = _module(root)
            case ast.ImportFrom(module=module, names=names):
                for alias in names:
                    scope.names[alias.asname or alias.name] = _module(f"{module}.{alias.name}")
            case ast.Assert(test=test):
                self.truth(test, scope)
            case ast.Expr(value=value):
                self.value(value, scope)
            case ast.Delete() | ast.AnnAssign():
                pass
            case ast.Match(subject=subject):
                self.escape(self.value(subject, scope))
                self.children(node, scope)
            case _:
                self.children(node, scope)

    def assign(self, target: ast.expr, value: Value, scope: Scope) -> None:
        match target:
            case ast.Name(id=name):
                if self.shares and any(isinstance(atom, Items | Some | Table) for atom in value):
                    self.escape(value)
                    value = OTHER
                scope.names[name] = value
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                starred = any(isinstance(each, ast.Starred) for each in targets)
                shapes = [atom for atom in value if isinstance(atom, Items) and len(atom.items) == len(targets)]
                exact = len(shapes) == len(value) and not starred
                for i, each in enumerate(targets):
                    given = join(*(shape.items[i] for shape in shapes)) if exact else elements(value)
                    if isinstance(each, ast.Starred):
                        self.assign(each.value, frozenset({Some(given)}), scope)
                    else:
                        self.assign(each, given, scope)
            case ast.Subscript(value=owner, slice=key):
                held = self.value(owner, scope)
                self._refuse_write(target, held)
                if isinstance(owner, ast.Name) and not only(held, Arr):
                    self._store(owner.id, key, held, value, scope)
                else:
                    self.escape(value)
            case ast.Attribute(value=owner):
                self._refuse_write(target, self.value(owner, scope))
                self.escape(value)

    def _store(self, name: str, key: ast.expr, held: Value, value: Value, scope: Scope) -> None:
        """`name[key] = value`, for containers of the program's own."""
        label = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
        changed: set[object] = set()
        for atom in held:
            match atom:
                case Table(entries):
                    kept = tuple((k, v) for k, v in entries if k is None or k != label)
                    changed.add(Table((*kept, (label, value))))
                case Items() | Some():
                    changed.add(Some(join(elements(frozenset({atom})), value)))
                case _:
                    changed.add(atom)
                    self.escape(value)
        scope.names[name] = frozenset(changed)

    def _augment(self, node: ast.AugAssign, target: ast.expr, value: Value, scope: Scope) -> None:
        if not isinstance(target, ast.Name):
            if isinstance(target, ast.Subscript | ast.Attribute):
                self._refuse_write(target, self.value(target.value, scope))
            return
        held = scope.find(target.id) or OTHER
        if all(isinstance(atom, Arr) and atom.view for atom in held):
            self.fault(
                node,
                f"`{ast.unparse(node)[:60]}` writes into an input, which `{target.id}` is a view of. "
                f"Make a new array with `{target.id} = {target.id} …`.",
            )
        if all(isinstance(atom, Items | Some) for atom in held):
            scope.names[target.id] = frozenset({Some(join(elements(held), elements(value)))})
        else:
            scope.names[target.id] = frozenset({Arr()}) if only(held, Arr) or only(value, Arr) else OTHER

    def _refuse_write(self, target: ast.Subscript | ast.Attribute, owner: Value) -> None:
        if all(isinstance(atom, Node) or (isinstance(atom, Arr) and atom.view) for atom in owner):
            self.fault(
                target,
                f"`{ast.unparse(target)[:80]}` writes into an input, and inputs cannot be changed. "
                "Make a new array instead (arithmetic, `np.where`).",
            )
        if not all(isinstance(atom, Items | Some | Table) for atom in owner):
            self.not_portable(target, "an in-place write")

    def follow(self, function: Function, args: Sequence[Value], named: Mapping[str, Value]) -> Value:
        if self._depth >= MAX_DEPTH:
            self.escape(*args, *named.values())
            return OTHER
        parameters = function.node.args
        ordered = [*parameters.posonlyargs, *parameters.args]
        scope = Scope({p.arg: OTHER for p in (*ordered, *parameters.kwonlyargs)}, function.scope)
        for parameter, default in zip(reversed(ordered), reversed(parameters.defaults), strict=False):
            scope.names[parameter.arg] = self.value(default, function.scope)
        for parameter, value in zip(ordered, args, strict=False):
            scope.names[parameter.arg] = value
        if parameters.vararg:
            scope.names[parameters.vararg.arg] = frozenset({Some(join(*args[len(ordered) :]))})
        if parameters.kwarg:
            scope.names[parameters.kwarg.arg] = frozenset({Table(((None, join(*named.values())),))})
        scope.names |= {name: value for name, value in named.items() if name in scope.names}
        self._depth += 1
        if isinstance(function.node, ast.Lambda):
            result = self.value(function.node.body, scope)
        else:
            result = join(*(value for _, value in self._body(function.node.body, scope)))
        self._depth -= 1
        return result


def _module(name: str) -> Value:
    root, _, rest = name.partition(".")
    if root in ("numpy", "math"):
        return frozenset({Named("np" if root == "numpy" else "math", rest)})
    return OTHER


def _bound_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield name
            case ast.alias(name=name, asname=asname):
                yield asname or name.partition(".")[0]
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name

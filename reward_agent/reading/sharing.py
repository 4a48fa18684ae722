"""Whether a program changes containers under other names than their own, which following names would miss."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from reward_agent.reading.rules import CHANGING, own_nodes

_LISTED = ast.List | ast.Tuple | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp


def shares(tree: ast.Module) -> bool:
    """Whether some container may be changed through a parameter, a closure, a second name or another container."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    names = {function.name for function in functions}
    return any(_shares(list(own_nodes(body)), names) for body in (tree.body, *(f.body for f in functions)))


def _shares(nodes: list[ast.AST], functions: set[str]) -> bool:
    changed: set[str] = set()
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    for node in nodes:
        for target in _targets(node):
            if not isinstance(target, ast.Name):
                return True
            changed.add(target.id)
        if isinstance(node, ast.Attribute) and node.attr in CHANGING and id(node) not in called:
            return True
    made: set[str] = set()
    for node in nodes:
        match node:
            case ast.Assign(targets=targets, value=value):
                if any(name in changed for name in _kept(value)):
                    return True
                if _is_new(value, functions):
                    made |= {target.id for target in targets if isinstance(target, ast.Name)}
                else:
                    made -= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if _is_new(value, functions):
                made.add(name)
    return not changed <= made


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    """What this changes in place."""
    match node:
        case ast.Subscript(value=owner, ctx=ast.Store() | ast.Del()):
            yield owner
        case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in CHANGING:
            yield owner
        case ast.AugAssign(target=ast.Name() as owner, value=value) if isinstance(value, _LISTED):
            yield owner


def _kept(value: ast.expr) -> Iterator[str]:
    """Names that the value goes on standing for."""
    match value:
        case ast.Name(id=name):
            yield name
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items) | ast.Dict(values=items):
            for item in items:
                yield from _kept(item)


def _is_new(value: ast.expr, functions: set[str]) -> bool:
    """Whether this surely makes a container that nothing else holds."""
    match value:
        case ast.Call(func=ast.Name(id=name)):
            return name not in functions
        case ast.Call(func=ast.Attribute(attr=name)):
            return name not in ("get", "pop", "setdefault")
        case ast.Name() | ast.Subscript() | ast.Attribute() | ast.IfExp() | ast.BoolOp() | ast.NamedExpr() | ast.Call():
            return False
    return True

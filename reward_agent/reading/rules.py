"""What the contract forbids and the syntax alone shows: imports, names, memory between calls, the entry's signature."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from reward_agent.program import Fault
from reward_agent.reading.numpy_names import refused

PARAMETERS = ("state", "action", "next_state")
MODULES = ("numpy", "math")

FORBIDDEN = {
    name: reason
    for reason, names in {
        "a reward runs no other code": ("exec", "eval", "compile", "__import__", "breakpoint"),
        "a reward reads and writes no files": ("open",),
        "a reward prints and asks nothing": ("print", "input"),
        "write fields by their path, as `next_state.torso.position`": (
            ("getattr", "hasattr", "setattr", "delattr", "vars", "dir")
        ),
        "a reward keeps nothing between calls": ("globals", "locals"),
        "a reward does not end the program": ("exit", "quit"),
    }.items()
    for name in names
}
"""Builtins a reward may not use, with why."""

CHANGING = frozenset(
    ("append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "remove", "clear", "fill")
)
"""Methods that change a container or an array."""


def signature(tree: ast.Module, entry: str) -> ast.FunctionDef | Fault:
    """The entry's definition, if it can be called as the contract says."""
    wanted = f"def {entry}({', '.join(PARAMETERS)}):"
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == entry]
    if not found:
        others = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        fitting = [node for node in others if len(node.args.args) == len(PARAMETERS)]
        hint = f" Is `{fitting[-1].name}` it? Rename it." if fitting else ""
        return Fault("check", f"The program does not define `{wanted}` at the top level.{hint}")
    function = found[-1]
    names = [parameter.arg for parameter in (*function.args.posonlyargs, *function.args.args)]
    rest = function.args.vararg or function.args.kwarg or function.args.kwonlyargs
    misplaced = any(n in PARAMETERS and n != p for n, p in zip(names, PARAMETERS, strict=False))
    if len(names) != len(PARAMETERS) or rest or misplaced:
        given = ast.unparse(function.args)
        return Fault("check", f"`{entry}({given})` must take exactly these: `{wanted}`.", function.lineno)
    return function


def broken(tree: ast.Module, entry: ast.FunctionDef) -> Iterator[Fault]:
    """Each place where the contract is broken, in no order."""
    shared = _module_names(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield from _import(node, alias.name)
            case ast.ImportFrom(module=module, names=names, level=level):
                for alias in names:
                    yield from _import(node, f"{'.' * level}{module or ''}.{alias.name}")
            case ast.Name(id=name, ctx=ast.Load()) if name in FORBIDDEN and name not in shared:
                yield _fault(node, f"`{name}` is not allowed: {FORBIDDEN[name]}.")
            case ast.Attribute(attr=name) | ast.Name(id=name) if name.startswith("__") and name.endswith("__"):
                yield _fault(node, f"`{name}` is not allowed: a reward does not look inside Python's objects.")
            case ast.Global() | ast.Nonlocal():
                kind = "global" if isinstance(node, ast.Global) else "nonlocal"
                yield _fault(
                    node, f"`{kind} {', '.join(node.names)}` keeps state; a reward has no memory between calls."
                )
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                yield _fault(node, "A reward is plain, not asynchronous, code.")
            case ast.FunctionDef():
                yield from _memory(node, shared)
    for node in own_nodes(entry.body):
        if isinstance(node, ast.Yield | ast.YieldFrom):
            yield _fault(node, f"`{entry.name}` must return its result; with `yield` it becomes a generator.")
            return


def ends_without_return(body: list[ast.stmt]) -> bool:
    """Whether the end of this code can be reached."""
    match body[-1]:
        case ast.Return() | ast.Raise():
            return False
        case ast.If(body=then, orelse=orelse) if orelse:
            return ends_without_return(then) or ends_without_return(orelse)
        case ast.With(body=inner):
            return ends_without_return(inner)
        case ast.Try(body=inner, orelse=orelse, handlers=handlers, finalbody=final):
            if final and not ends_without_return(final):
                return False
            return ends_without_return(orelse or inner) or any(ends_without_return(h.body) for h in handlers)
        case ast.While(test=ast.Constant(value=True)):
            return False
    return True


def _import(node: ast.stmt, name: str) -> Iterator[Fault]:
    root, _, rest = name.partition(".")
    if root not in MODULES:
        what = name.rpartition(".")[0] if isinstance(node, ast.ImportFrom) else name
        hint = " (leave out type annotations)" if root in ("typing", "__future__") else ""
        what = what or name
        yield _fault(node, f"`{what}` cannot be imported: a reward may import numpy and math alone{hint}.")
    elif reason := refused("np" if root == "numpy" else root, rest):
        yield _fault(node, f"`{name}` cannot be imported: {reason}.")


def _module_names(tree: ast.Module) -> set[str]:
    """Names the program binds at its top level."""
    bound: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        else:
            bound |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return bound


def _memory(function: ast.FunctionDef, shared: set[str]) -> Iterator[Fault]:
    """Writes to what outlives a call: module-level objects, attributes of functions, mutable defaults."""
    parameters = function.args
    local = {p.arg for p in (*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs)}
    own = list(own_nodes(function.body))
    local |= {n.id for n in own if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    outer = shared - local
    for node in own:
        target: ast.expr | None = None
        if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            target = node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
            target = node.func.value
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        if isinstance(target, ast.Name) and target.id in outer:
            what = ast.unparse(node)[:60]
            yield _fault(node, f"`{what}` changes `{target.id}`, which outlives the call; a reward has no memory.")
    defaults = [*parameters.defaults, *(d for d in parameters.kw_defaults if d is not None)]
    for default in defaults:
        if isinstance(default, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp):
            yield _fault(default, "A default that can be changed outlives the call; a reward has no memory.")


def own_nodes(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Nodes of a function's body without those of functions inside it."""
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def _fault(node: ast.AST, message: str) -> Fault:
    return Fault("check", message, getattr(node, "lineno", None))

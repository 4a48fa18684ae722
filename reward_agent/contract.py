"""What the contract forbids and the syntax alone shows: imports, names, memory between calls, the entry's signature."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from reward_agent.program import REWARD, SUBGOALS, Fault, code_of, dotted


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


PARAMETERS = ("state", "action", "next_state")
BY_PATH = "write fields by their path, as `next_state.torso.position`"
RETURNS = {
    REWARD: "return the total and the dict of its terms: `return sum(terms.values()), terms`",
    SUBGOALS: 'return a dict of bool arrays by subgoal: `return {"name": reached}`',
}
"""By entry."""

FORBIDDEN = {
    **dict.fromkeys(words("exec eval compile __import__ breakpoint"), "a reward runs no other code"),
    **dict.fromkeys(words("getattr hasattr setattr delattr vars dir"), BY_PATH),
    **dict.fromkeys(words("globals locals"), "a reward keeps nothing between calls"),
    **dict.fromkeys(words("print input"), "a reward prints and asks nothing"),
    **dict.fromkeys(words("exit quit"), "a reward does not end the program"),
    "open": "a reward reads and writes no files",
}
"""Builtins a reward may not use, with why."""

FILES = words(
    """load save savez savez_compressed loadtxt savetxt genfromtxt fromfile memmap fromregex DataSource ctypeslib f2py
    testing lib core _core"""
)
"""Parts of numpy that reach files or its own insides."""

CHANGING = words("add append clear discard extend fill insert pop popitem put remove reverse setdefault sort update")
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
        given = code_of(function.args)[:200]
        return Fault("check", f"`{entry}({given})` must take exactly these: `{wanted}`.", function.lineno)
    return function


def broken(tree: ast.Module) -> Iterator[Fault]:
    """Each place where the contract is broken, in no order."""
    bound, imports = set(bound_names(ast.walk(tree))), imported(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield from _import(node, alias.name, alias.name)
            case ast.ImportFrom(module=module, names=names, level=level):
                source = "." * level + (module or "")
                for alias in names:
                    yield from _import(node, source, f"{source}.{alias.name}")
            case ast.Name(id=name, ctx=ast.Load()) if name in FORBIDDEN and name not in bound:
                yield fault(node, f"`{name}` is not allowed: {FORBIDDEN[name]}.")
            case ast.Attribute(attr=name) | ast.Name(id=name) if name.startswith("__") and name.endswith("__"):
                yield fault(node, f"`{name}` is not allowed: a reward does not look inside Python's objects.")
            case ast.Attribute() if why := refused(numpy_name(node, imports) or ""):
                yield fault(node, f"`{code_of(node)[:60]}` is not allowed: {why}.")
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                kind = type(node).__name__.lower()
                yield fault(node, f"`{kind} {', '.join(names)}` keeps state; a reward has no memory between calls.")
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                yield fault(node, "A reward is plain, not asynchronous, code.")
    yield from _memory(tree)


def returns(entry: ast.FunctionDef) -> Iterator[Fault]:
    """What shows that the entry returns nothing; what else it returns, the cell looks at."""
    nodes = list(own_nodes(entry.body))
    for node in nodes:
        match node:
            case ast.Yield() | ast.YieldFrom():
                yield fault(node, f"`{entry.name}` must return its result; with `yield` it becomes a generator.")
            case ast.Return(value=None | ast.Constant(value=None)):
                yield fault(node, f"`{entry.name}` returns None; {RETURNS[entry.name]}.")
    if not any(isinstance(node, ast.Return) for node in nodes):
        yield fault(entry, f"`{entry.name}` returns nothing; {RETURNS[entry.name]}.")


def bound_names(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Names that these nodes bind."""
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name
            case ast.alias(name=name, asname=asname):
                yield asname or name.partition(".")[0]


def own_nodes(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Nodes of a module or function without what is inside its functions."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def fault(node: ast.AST, message: str) -> Fault:
    """A fault of the check, at the line of `node`."""
    return Fault("check", message, getattr(node, "lineno", None))


def _import(node: ast.stmt, module: str, name: str) -> Iterator[Fault]:
    root, _, rest = name.partition(".")
    if root not in ("numpy", "math"):
        hint = " (leave out type annotations)" if root in ("typing", "__future__") else ""
        yield fault(node, f"`{module}` cannot be imported: a reward may import numpy and math alone{hint}.")
    elif root == "numpy" and (why := refused(rest)):
        yield fault(node, f"`{name}` cannot be imported: {why}.")


def _memory(tree: ast.Module) -> Iterator[Fault]:
    """Writes, in functions, to objects of the module: they outlive a call."""
    lasting: set[str] = set()
    for node in own_nodes(tree.body):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                lasting.add(name)
            case ast.Assign(targets=targets, value=value) if not isinstance(value, ast.Name | ast.Attribute):
                lasting |= {target.id for target in targets if isinstance(target, ast.Name)}
    for function in own_nodes(tree.body):
        if not isinstance(function, ast.FunctionDef):
            continue
        inside = [node for part in (function.args, *function.body) for node in ast.walk(part)]
        outer = lasting.difference(bound_names(inside))
        for node in inside:
            target: ast.AST | None = None
            if isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
                target = node
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
                target = node.func.value
            while isinstance(target, ast.Subscript | ast.Attribute):
                target = target.value
            if isinstance(target, ast.Name) and target.id in outer:
                what = code_of(node)[:60]
                yield fault(node, f"`{what}` changes `{target.id}`, which outlives the call; a reward has no memory.")


def imported(tree: ast.Module) -> dict[str, str]:
    """What names stand for by the program's imports, as `{"np": "numpy", "norm": "numpy.linalg.norm"}`."""
    found = {}
    for node in ast.walk(tree):
        for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else ():
            if isinstance(node, ast.ImportFrom):
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            else:
                root = alias.name.partition(".")[0]
                found[alias.asname or root] = alias.name if alias.asname else root
    return found


def numpy_name(node: ast.expr, imports: dict[str, str]) -> str | None:
    """The name inside numpy that an expression spells, as `linalg.norm`; "" for numpy itself, None for others."""
    name, _, inside = dotted(node).partition(".")
    root, _, rest = imports.get(name, "").partition(".")
    return ".".join(filter(None, (rest, inside))) if root == "numpy" else None


def refused(name: str) -> str | None:
    """Why a reward may not use this part of numpy; None where it may."""
    first = name.partition(".")[0]
    if first == "random":
        return "a reward must give the same answer twice: use no random numbers"
    return "a reward reads no files and nothing of numpy's insides" if first in FILES else None

"""How a reward program differs from another, term by term: what a model is told of what changed between two rounds."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Mapping, Sequence

from reward_agent.program import Program

MAX_SHOWN = 1200
"""Characters of one definition that are shown."""


def term_changes(before: Program, after: Program) -> list[str]:
    """One entry a term that was added, dropped or defined otherwise, in the order of `after`; empty where none was.

    Where the terms of either cannot be told apart, or the programs differ in something else (a constant or a function
    beside the reward, a write into an array), the one entry is a line diff of the texts.
    """
    old, new = definitions(before.source), definitions(after.source)
    changes = [*_changed(old, new)] if old is not None and new is not None else []
    if changes or _meaning(before.source) == _meaning(after.source):
        return changes
    return _line_diff(before.source, after.source)


def _meaning(source: str) -> str:
    """The program without comments, layout and docstrings; its text where it is no program."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return source
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.Module) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def definitions(source: str) -> dict[str, str] | None:
    """By term, the statements that its value is made by, as Python text; None where they cannot be told.

    The terms are those of the dictionary that the last function in the text returns.
    """
    try:
        functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    except (SyntaxError, ValueError, RecursionError):
        return None
    for function in reversed(functions):
        returned = function.body[-1]
        if isinstance(returned, ast.Return) and isinstance(returned.value, ast.Tuple) and returned.value.elts:
            terms = _dictionary(returned.value.elts[-1], function.body)
            if terms is not None:
                return {name: _slice(value, function.body) for name, value in terms.items()}
    return None


def _changed(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for name, definition in new.items():
        if name not in old:
            yield f"`{name}` is new:\n{_indented(definition)}"
        elif old[name] != definition:
            yield f"`{name}` was\n{_indented(old[name])}\n  and is now\n{_indented(definition)}"
    for name, definition in old.items():
        if name not in new:
            yield f"`{name}` was dropped:\n{_indented(definition)}"


def _dictionary(node: ast.expr, body: Sequence[ast.stmt]) -> dict[str, ast.expr] | None:
    """Terms by name, of a literal or of a name that one was given to, with what is put in under a literal key."""
    if isinstance(node, ast.Dict):
        return _literal(node)
    if not isinstance(node, ast.Name):
        return None
    found: dict[str, ast.expr] | None = None
    for statement in body:
        target, value = _assigned(statement)
        if isinstance(target, ast.Name) and target.id == node.id and isinstance(value, ast.Dict):
            found = _literal(value)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and target.value.id == node.id:
            key = target.slice
            if found is None or value is None or not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                return None
            found[key.value] = value
    return found


def _literal(node: ast.Dict) -> dict[str, ast.expr] | None:
    pairs = list(zip(node.keys, node.values, strict=True))
    if not all(isinstance(key, ast.Constant) and isinstance(key.value, str) for key, _ in pairs):
        return None
    return {str(key.value): value for key, value in pairs if isinstance(key, ast.Constant)}


def _assigned(statement: ast.stmt) -> tuple[ast.expr | None, ast.expr | None]:
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return statement.targets[0], statement.value
    if isinstance(statement, ast.AnnAssign):
        return statement.target, statement.value
    return None, None


def _slice(value: ast.expr, body: Sequence[ast.stmt]) -> str:
    """The statements of `body` that `value` depends on, in order, and then `value` itself."""
    wanted, kept = _names(value), []
    for statement in reversed(body):
        if isinstance(statement, ast.Return):
            continue
        given = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and _is_stored(node)}
        if given & wanted:
            kept.append(ast.unparse(statement))
            wanted |= _names(statement)
    return "\n".join([*reversed(kept), ast.unparse(value)])


def _names(node: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and not _is_stored(each)}


def _is_stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _indented(text: str) -> str:
    shown = text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]} …"
    return "\n".join(f"    {line}" for line in shown.splitlines())


def _line_diff(before: str, after: str) -> list[str]:
    lines = [*difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=1)]
    return [_indented("\n".join(lines))] if lines else []

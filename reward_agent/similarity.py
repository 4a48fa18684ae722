"""How alike two reward programs are as texts, whatever their authors called things."""

from __future__ import annotations

import ast
import io
import math
import tokenize
from difflib import SequenceMatcher
from typing import NamedTuple

from reward_agent.contract import imported, numpy_name, words
from reward_agent.portability import ARRAY_ATTRIBUTES
from reward_agent.program import Fault, Program, parse
from reward_agent.sandbox.helpers import HELPERS

KEPT = words("sum abs min max len range zip enumerate float int bool tuple list dict") | HELPERS.keys()
"""Names that mean the same in every program."""
COMMON = frozenset((0.0, 1.0, 2.0))
"""Numbers that say nothing of where a text comes from."""


class SharedNumbers(NamedTuple):
    """Numbers of one program that another has as well; 0, 1, 2 and those that pick components are left out."""

    shared: tuple[float, ...]
    known: int
    """How many such numbers the first has."""


def likeness(first: Program, second: Program) -> float:
    """Share of the two texts that is the same, 0 to 1: Ratcliff and Obershelp's measure (`difflib`) over their tokens.

    Before it, what an author chooses is blanked: names of variables, functions, fields (a whole path is one token) and
    terms, comments, docstrings, annotations and layout. Structure, operators, numbers and the names of numpy's
    functions and of the helpers stay. Rewards for different tasks share the contract's form, so the measure is never
    near 0: it says something beside what it is for other tasks' rewards. A program that is no Python has 0, and so has
    one that is nested too deeply to be written out again.
    """
    a, b = _tokens(first), _tokens(second)
    return SequenceMatcher(None, a, b, autojunk=False).ratio() if a and b else 0.0


def shared_numbers(published: Program, program: Program) -> SharedNumbers:
    """Which of the published program's numbers the other has, up to sign."""
    ours, its = _numbers(published), _numbers(program)
    return SharedNumbers(tuple(sorted(ours & its)), len(ours))


def _tokens(program: Program) -> list[str]:
    tree = parse(program.source)
    if isinstance(tree, Fault):
        return []
    skipped = (tokenize.NEWLINE, tokenize.NL, tokenize.ENDMARKER)
    try:
        text = ast.unparse(_Blank(imported(tree)).visit(tree))
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (RecursionError, tokenize.TokenError):
        return []
    return [token.string for token in tokens if token.type not in skipped]


def _numbers(program: Program) -> set[float]:
    tree = parse(program.source)
    if isinstance(tree, Fault):
        return set()
    places = {id(n) for node in ast.walk(tree) if isinstance(node, ast.Subscript) for n in ast.walk(node.slice)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in places)
    return {abs(value) for node in constants if (value := _number(node)) is not None} - COMMON


def _number(node: ast.Constant) -> float | None:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        return None
    try:
        return float(node.value)
    except OverflowError:
        return math.inf


class _Blank(ast.NodeTransformer):
    """Blanks what an author chooses."""

    def __init__(self, imports: dict[str, str]) -> None:
        self._imports = imports

    def visit_Import(self, node: ast.Import) -> None:
        return None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        return None

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        node.body, node.name, node.returns = body or [ast.Pass()], "f", None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        return self.visit(ast.Assign([node.target], node.value, lineno=node.lineno)) if node.value else None

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg("v")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        name = self._imports.get(node.id, node.id)
        kept = name in KEPT or name.partition(".")[0] in ("numpy", "math")
        return ast.Name(name.replace("numpy", "np") if kept else "v", node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if numpy_name(node, self._imports) is not None:
            return ast.Name(f"np.{numpy_name(node, self._imports)}", node.ctx)
        if node.attr in ARRAY_ATTRIBUTES:
            return ast.Attribute(self.visit(node.value), node.attr, node.ctx)
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            base = base.value
        # a path of names is one thing, however deep a task's fields lie
        return ast.Name("v", node.ctx) if isinstance(base, ast.Name) else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str):
            return ast.Name("v", ast.Load())
        value = _number(node)
        return node if value is None else ast.Constant(value)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        # a string on its own is a comment
        return ast.Pass() if isinstance(node.value, ast.Constant) else self.generic_visit(node)

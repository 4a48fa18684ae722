"""Reads calls out of a model's reply. They are parsed, never executed: names, literals and plain arithmetic alone."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from reward_agent.errors import closest
from reward_agent.parameters.api import EXECUTE, RESET, Argument, Function, RewardApi, Value
from reward_agent.program import Fault, code_of, dotted, fenced_blocks, parse

MAX_CALLS = 200


@dataclass(frozen=True)
class Call:
    """One call, its values checked against the function's arguments."""

    function: str
    values: Mapping[str, Value]
    """Those that were given."""

    def __str__(self) -> str:
        return f"{self.function}({', '.join(f'{name}={_shown(value)}' for name, value in self.values.items())})"


class _WrongCallError(Exception):
    def __init__(self, message: str, node: ast.AST) -> None:
        super().__init__(message)
        self.line = getattr(node, "lineno", None)


def read_calls(reply: str, api: RewardApi, most: int | None = MAX_CALLS) -> tuple[Call, ...] | Fault:
    """The calls in the last fenced block of a reply, in their order; or in the whole reply where it is all code.

    Args:
        reply: of a model; nothing in it is trusted.
        api: what can be called.
        most: calls that are taken; None where they were not written by a model.

    Returns:
        A `Fault` of stage `extract` where there are none, of stage `check` with its line where one is wrong.
    """
    blocks = [block for block in fenced_blocks(reply) if block.source.strip()]
    if blocks and not blocks[-1].closed:
        return Fault("extract", "The code block is never closed: the reply was cut off. Answer again, shorter.")
    source = blocks[-1].source if blocks else reply
    tree = parse(source)
    if isinstance(tree, Fault):
        return tree if blocks else Fault("extract", "The reply has no fenced code block. " + _wanted(api))
    try:
        found = tuple(_calls(tree, api))
    except _WrongCallError as wrong:
        return Fault("check", str(wrong), wrong.line)
    except (RecursionError, MemoryError):
        return Fault("check", "An expression is nested too deep to be read. Spell each value out as one number.")
    if most is not None and len(found) > most:
        return Fault("check", f"There are {len(found)} calls; at most {most} are allowed.")
    if not any(call.function != EXECUTE.name for call in found):
        return Fault("extract", "The code block calls nothing that says what to do. " + _wanted(api))
    return found


def _wanted(api: RewardApi) -> str:
    return f"Answer with one ```python block of calls, as `{api.functions[0].name}(...)`, one a line."


def _calls(tree: ast.Module, api: RewardApi) -> Iterator[Call]:
    functions = {**api.by_name, EXECUTE.name: EXECUTE, RESET.name: RESET}
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom) or _is_text(statement):
            continue
        if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
            raise _WrongCallError(
                f"`{_shortened(statement)}` is no call. The block is read, not run: write one call a line with its "
                "values spelled out; no variables, loops, conditions or definitions.",
                statement,
            )
        yield _call(statement.value, functions)


def _call(node: ast.Call, functions: Mapping[str, Function]) -> Call:
    name = dotted(node.func)
    if name not in functions:
        shown = _shortened(node.func)
        close = closest(shown, functions)
        hint = f" Did you mean `{close}`?" if close else ""
        raise _WrongCallError(f"There is no function `{shown}`.{hint} There are: {', '.join(functions)}.", node)
    function = functions[name]
    arguments = function.by_name
    if len(node.args) > len(function.arguments):
        raise _WrongCallError(f"`{name}` takes {len(function.arguments)} arguments, not {len(node.args)}.", node)
    if any(isinstance(value, ast.Starred) for value in node.args) or any(word.arg is None for word in node.keywords):
        raise _WrongCallError(
            f"`{_shortened(node)}` gives arguments with `*` or `**`, which is not allowed. The block is read, not run: "
            "write each argument out, as `name=value`.",
            node,
        )
    given: dict[str, ast.expr] = {}
    for argument, value in zip(function.arguments, node.args, strict=False):
        given[argument.name] = value
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg not in arguments:
            shown = _cut(str(keyword.arg))
            close = closest(shown, arguments)
            hint = f" Did you mean `{close}`?" if close else ""
            known = ", ".join(arguments) or "none"
            raise _WrongCallError(f"`{name}` has no argument `{shown}`.{hint} It has: {known}.", node)
        if keyword.arg in given:
            raise _WrongCallError(f"`{name}` is given `{keyword.arg}` twice.", node)
        given[keyword.arg] = keyword.value
    for argument in function.arguments:
        if argument.required and argument.name not in given:
            raise _WrongCallError(f"`{name}` needs `{argument.name}`, {argument.kind}.", node)
    values = {key: _value(name, arguments[key], value) for key, value in given.items()}
    if wrong := function.fault(values):
        raise _WrongCallError(f"`{_shortened(node)}`: {wrong}", node)
    return Call(name, values)


def _value(function: str, argument: Argument, node: ast.expr) -> Value:
    value = _literal(node)
    where, shown = f"`{argument.name}` of `{function}`", _cut(repr(value))
    if value is None and not argument.required:
        return None
    if argument.choices:
        if value not in argument.choices:
            close = closest(value, argument.choices) if isinstance(value, str) else None
            hint = f' Did you mean "{close}"?' if close else ""
            raise _WrongCallError(f"{where} is {shown}; it must be {argument.kind}.{hint}", node)
        return value
    if argument.flag:
        if not isinstance(value, bool):
            raise _WrongCallError(f"{where} is {shown}; it must be True or False.", node)
        return value
    if isinstance(value, bool) or not isinstance(value, float) or not math.isfinite(value):
        raise _WrongCallError(f"{where} is {shown}; it must be {argument.kind}.", node)
    if not argument.low <= value <= argument.high:
        raise _WrongCallError(f"{where} is {value:g}; it must be {argument.kind}.", node)
    return value


_CONSTANTS = {f"{module}.pi": math.pi for module in ("math", "np", "numpy")}
_ONE: dict[type[ast.unaryop], Callable[[float], float]] = {ast.USub: lambda a: -a, ast.UAdd: lambda a: a}
_TWO: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}
_TURNS = {f"{module}.{name}" for module in ("math", "np", "numpy") for name in ("radians", "deg2rad")}


def _literal(node: ast.expr) -> Value:
    """What an expression of literals stands for; numbers as float."""
    match node:
        case ast.Constant(value=bool() | str() | None as plain):
            return plain
        case ast.Constant(value=int() | float() as number):
            try:
                return float(number)
            except OverflowError:
                raise _WrongCallError(f"`{_shortened(node)}` is no finite number.", node) from None
        case ast.Attribute() if (named := dotted(node)) in _CONSTANTS:
            return _CONSTANTS[named]
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _ONE:
            return _ONE[type(op)](_number(operand))
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _TWO:
            try:
                return _TWO[type(op)](_number(left), _number(right))
            except (ZeroDivisionError, OverflowError):
                raise _WrongCallError(f"`{_shortened(node)}` is no finite number.", node) from None
        case ast.Call(func=func, args=[degrees], keywords=[]) if dotted(func) in _TURNS:
            return math.radians(_number(degrees))
    raise _WrongCallError(
        f"`{_shortened(node)}` is no literal. The block is read, not run: give numbers (arithmetic with np.pi and "
        "np.deg2rad is understood), texts, True, False or None.",
        node,
    )


def _number(node: ast.expr) -> float:
    value = _literal(node)
    if isinstance(value, bool) or not isinstance(value, float):
        raise _WrongCallError(f"`{_shortened(node)}` is not a number.", node)
    return value


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _shortened(node: ast.AST) -> str:
    return _cut(" ".join(code_of(node).split()))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _shown(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:.6g}" if isinstance(value, float) else repr(value)

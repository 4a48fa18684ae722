"""A reward program: its source and identity, what can be wrong with it, and how it is found in a reply."""

from __future__ import annotations

import ast
import hashlib
import re
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from reward_agent.errors import UsageError, no_such_file
from reward_agent.schema import Array

Stage = Literal["extract", "check", "probe", "labels", "optimise"]

MAX_SOURCE = 64_000
"""Characters of a program; longer replies are a model that has lost its way."""


@dataclass(frozen=True)
class Fault:
    """A defect of generated code or of a reply: a value that goes back to the model, never an exception."""

    stage: Stage
    """The earliest stage that can know."""
    message: str
    """One paragraph the model can act on; text that came out of the program is bounded and cleaned."""
    line: int | None = None
    """1-based line of the program's source, where there is one."""


@dataclass(frozen=True)
class TrainingFault(Fault):
    """A program that failed while it was trained on (stage `optimise`)."""

    steps: int = 0
    """Environment steps simulated for its rewards until then."""


REWARD, SUBGOALS, DESCRIBED = "compute_reward", "subgoals", "described"
"""Entries: of a program that gives a reward, and of one that says which subgoals a transition reached. What is
`described` is no code: subgoals in words, a line each, which a model looks for."""


@dataclass(frozen=True)
class Program:
    """Source text with one declared entry point."""

    source: str
    entry: str = REWARD
    id: str = field(init=False)
    """SHA-256 of the source, in hex."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", hashlib.sha256(self.source.encode(errors="replace")).hexdigest())


class Rewards(NamedTuple):
    """Rewards of N transitions, or of T successive steps of N rows."""

    total: Array
    """`(N,)` or `(T, N)`."""
    terms: Array
    """`(N, K)` or `(T, N, K)`, one column a term."""


def parse(source: str) -> ast.Module | Fault:
    """The syntax tree, or a fault of stage `check` with the line where it is not Python."""
    if len(source) > MAX_SOURCE:
        return Fault("check", f"The program has {len(source)} characters; at most {MAX_SOURCE} are allowed.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a string is no news to a user
            return ast.parse(source)
    except SyntaxError as error:
        text = f" at `{_printable(error.text.strip())}`" if error.text and error.text.strip() else ""
        return Fault("check", f"This is not valid Python: {_printable(error.msg)}{text}.", error.lineno)
    except ValueError as error:  # a null byte
        return Fault("check", f"This is not valid Python: {_printable(str(error))}.")
    except (RecursionError, MemoryError):
        return Fault("check", "The program is nested too deeply to be read; write it flatter.")


def code_of(node: ast.AST) -> str:
    """A node of a syntax tree as source, for messages; `...` where it cannot be written out.

    `ast.unparse` raises on an int of more digits than Python writes in decimal, which `0x` and enough of them make.
    """
    try:
        return ast.unparse(node)
    except ValueError:
        return "..."


def dotted(node: ast.expr) -> str:
    """A name with its attributes, as `np.pi`; empty where the expression is anything else."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(attributes)]) if isinstance(node, ast.Name) else ""


def extract(reply: str, entry: str = REWARD) -> Program | Fault:
    """The program in a reply: the last fenced block that defines `entry`, or the reply where it is all code."""
    blocks = list(fenced_blocks(reply))
    for block in reversed(blocks):
        tree = parse(block.source)
        if isinstance(tree, ast.Module) and _function(tree, entry):
            return Program(block.source, entry)
    signature = f"`def {entry}(state, action, next_state):`"
    for block in reversed(blocks):
        if re.search(rf"^\s*def\s+{re.escape(entry)}\b", block.source, re.MULTILINE):
            tree = parse(block.source)
            if isinstance(tree, ast.Module):
                return Fault("extract", f"Define `{entry}` at the top level, not inside something else.")
            if not block.closed:
                message = "The code block is never closed and its code is not whole: the reply was cut off."
                return Fault("extract", f"{message} Answer again, shorter, with one complete code block.")
            return Program(block.source, entry)  # the check says what is wrong, and on which line
    bare = _tidy(reply)
    tree = parse(bare)
    if isinstance(tree, ast.Module) and _function(tree, entry):
        return Program(bare, entry)
    for block in reversed(blocks):
        tree = parse(block.source)
        others = _functions(tree) if isinstance(tree, ast.Module) else []
        if others:
            called = others[-1]
            message = f"No code block defines {signature} The last one defines `{called.name}`: rename it."
            return Fault("extract", message, called.lineno)
    if not blocks:
        found = "no fenced code block"
    else:
        found = f"no function `{entry}` in the {len(blocks)} code block{'s' if len(blocks) > 1 else ''}"
    wanted = f"Answer with one ```python block that defines {signature}"
    return Fault("extract", f"The reply has {found}. {wanted}")


EXPORTED = "# The reward program as it was trained on"
EXPORTED_END = "# End of the reward program"
"""What an exported file has around the program."""


def program_in(text: str, entry: str = "") -> Program | Fault:
    """The program in a file: Python, an exported reward, or text with a fenced block as a model writes.

    Without an entry it is one that tells subgoals where the text defines `subgoals` and no reward.
    """
    entry = entry or _entry_of(text)
    _, exported, after = text.partition(f"\n{EXPORTED}")
    if exported and EXPORTED_END in after:
        return Program(after.partition("\n")[2].partition(EXPORTED_END)[0].strip() + "\n", entry)
    fenced = "```" in text or "~~~" in text
    return extract(text, entry) if fenced and isinstance(parse(text), Fault) else Program(text, entry)


def read_program(path: Path) -> Program | Fault:
    """The program in a file; see `program_in`.

    Raises:
        UsageError: the file cannot be read as text, with the closest name in its folder where there is no such file.
    """
    try:
        return program_in(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"The reward program {path} cannot be read: {no_such_file(path)}") from error
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(f"The reward program {path} cannot be read: {why[:1].lower()}{why[1:]}.") from error


def _entry_of(text: str) -> str:
    def defined(entry: str) -> bool:
        return re.search(rf"^\s*def\s+{entry}\b", text, re.MULTILINE) is not None

    return SUBGOALS if defined(SUBGOALS) and not defined(REWARD) else REWARD


class Block(NamedTuple):
    """A fenced block of a reply."""

    source: str
    closed: bool


def fenced_blocks(reply: str) -> Iterator[Block]:
    """Fenced blocks of a reply in markdown, in their order."""
    from markdown_it import MarkdownIt

    lines = reply.replace("\r\n", "\n").split("\n")
    for token in MarkdownIt("commonmark").parse(reply):
        if token.type != "fence" or token.map is None:
            continue
        first, end = token.map
        last = lines[end - 1].lstrip("> \t").rstrip() if end - 1 > first and end <= len(lines) else ""
        closed = last.startswith(token.markup) and not last.strip(token.markup[0])
        yield Block(_tidy(token.content), closed)


def _tidy(source: str) -> str:
    return textwrap.dedent(source.replace("\r\n", "\n")).strip("\n") + "\n"


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:120]


def _functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in tree.body if isinstance(node, ast.FunctionDef)]


def _function(tree: ast.Module, entry: str) -> ast.FunctionDef | None:
    named = [node for node in _functions(tree) if node.name == entry]
    return named[-1] if named else None

"""Whether a program keeps to the Python Array API, so that the same text runs on torch and JAX arrays."""

from __future__ import annotations

import ast
from collections import Counter

import numpy as np

from reward_agent.contract import bound_names, imported, numpy_name, words

STANDARD = words(
    """abs acos acosh add all any arange argmax argmin argsort asarray asin asinh astype atan atan2 atanh bitwise_and
    bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor bool broadcast_arrays broadcast_to
    can_cast ceil clip complex128 complex64 concat conj copysign cos cosh count_nonzero cumulative_prod cumulative_sum
    diff divide e empty empty_like equal exp expand_dims expm1 eye finfo flip float32 float64 floor floor_divide
    from_dlpack full full_like greater greater_equal hypot iinfo imag inf int16 int32 int64 int8 isdtype isfinite isinf
    isnan less less_equal linspace log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor matmul
    matrix_transpose max maximum mean meshgrid min minimum moveaxis multiply nan negative newaxis nextafter nonzero
    not_equal ones ones_like permute_dims pi positive pow prod real reciprocal remainder repeat reshape result_type
    roll round searchsorted sign signbit sin sinh sort sqrt square squeeze stack std subtract sum take take_along_axis
    tan tanh tensordot tile tril triu trunc uint16 uint32 uint64 uint8 unique_all unique_counts unique_inverse
    unique_values unstack var vecdot where zeros zeros_like
    linalg.cholesky linalg.cross linalg.det linalg.diagonal linalg.eigh linalg.eigvalsh linalg.inv linalg.matmul
    linalg.matrix_norm linalg.matrix_power linalg.matrix_rank linalg.matrix_transpose linalg.outer linalg.pinv
    linalg.qr linalg.slogdet linalg.solve linalg.svd linalg.svdvals linalg.tensordot linalg.trace linalg.vecdot
    linalg.vector_norm"""
)
"""What the Python Array API standard (2024.12) names."""

ARRAY_ATTRIBUTES = frozenset(name for name in dir(np.ndarray) if not name.startswith("_"))
PORTABLE_ATTRIBUTES = words("T mT shape ndim size dtype device to_device sum prod any all reshape")
"""By the standard; its methods outside it mean the same for numpy, torch and JAX."""


def unportable(tree: ast.Module) -> dict[str, int]:
    """What keeps a program from being portable, each with its first line."""
    imports, containers = imported(tree), _containers(tree)
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        what = _unportable(node, imports, containers)
        if what and isinstance(node, ast.expr):
            found[what] = min(node.lineno, found.get(what, node.lineno))
    return found


def _unportable(node: ast.AST, imports: dict[str, str], containers: set[str]) -> str | None:
    match node:
        case ast.Name() | ast.Attribute() if (name := numpy_name(node, imports)) is not None:
            return f"`np.{name}`" if name and name != "linalg" and name not in STANDARD else None
        case ast.Call(func=function, keywords=keywords) if any(keyword.arg == "out" for keyword in keywords):
            return "an in-place write" if numpy_name(function, imports) else None
        case ast.Attribute(value=ast.Name(id=name)) | ast.Subscript(value=ast.Name(id=name)) if name in containers:
            return None
        case ast.Attribute(attr=name, ctx=ast.Load()):
            is_outside = name in ARRAY_ATTRIBUTES - PORTABLE_ATTRIBUTES
            return f"the array method `.{name}()`" if is_outside else None
        case ast.Subscript(slice=ast.Constant(value=str()) | ast.JoinedStr()):
            return None
        case ast.Attribute() | ast.Subscript(ctx=ast.Store() | ast.Del()):
            return "an in-place write"
        case ast.Subscript(slice=index):
            parts = index.elts if isinstance(index, ast.Tuple) else [index]
            return "an index that is a list" if any(isinstance(part, ast.List) for part in parts) else None
    return None


def _containers(tree: ast.Module) -> set[str]:
    """Names that stand for nothing but dictionaries, lists and sets of the program."""
    bound = Counter(bound_names(ast.walk(tree)))
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_container(value):
                bound[name] -= 1
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if _is_container(value):
                bound[name] -= 1
            case ast.AugAssign(target=ast.Name(id=name)):
                bound[name] -= 1
    return {name for name, count in bound.items() if not count}


def _is_container(node: ast.expr) -> bool:
    made = ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(node, made) or (isinstance(called, ast.Name) and called.id in ("dict", "list", "set"))

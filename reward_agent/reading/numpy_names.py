"""What is known of numpy's names: which keep the environments' axis, which are standard, which a reward may not use."""

from __future__ import annotations

import math
import warnings

import numpy as np


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ELEMENTWISE = _names(
    """abs absolute acos acosh add arccos arcsin arctan arctan2 asin asinh astype atan atan2 atanh ceil clip copysign
    cos cosh deg2rad degrees divide equal exp exp2 expm1 fabs floor fmax fmin greater greater_equal heaviside hypot
    isfinite isnan less less_equal log log10 log1p log2 logical_and logical_not logical_or logical_xor maximum minimum
    mod multiply nan_to_num negative not_equal pow power rad2deg radians reciprocal remainder round sign sin sinc sinh
    sqrt square subtract tan tanh where"""
)
"""Functions that keep the first axis whatever they are given."""

REDUCTIONS = _names("all any max mean median min norm prod std sum var vector_norm amax amin")
"""Functions and methods that keep the first axis where they are told another."""

ARRAY_ATTRIBUTES = frozenset(name for name in dir(np.ndarray) if not name.startswith("_"))

WRITING = _names("sort fill put itemset resize partition setflags setfield")
"""Array methods that write in place."""

FILES = _names(
    """load save savez savez_compressed loadtxt savetxt genfromtxt fromfile memmap fromregex DataSource ctypeslib f2py
    testing lib core _core"""
)
"""Parts of numpy that reach files or its own insides."""

STANDARD_ATTRIBUTES = _names("T mT shape ndim size dtype device to_device")
"""Of arrays, by the Python Array API standard."""

PORTABLE_METHODS = _names("sum prod any all reshape")
"""Array methods outside the standard that mean the same for numpy, torch and JAX."""

STANDARD = _names(
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
"""What the Python Array API standard (2024.12) names; a program of these alone runs on torch and JAX arrays too."""


def exists(module: str, name: str) -> bool:
    """Whether `name` (dotted) is in numpy (`np`) or `math`."""
    place: object = np if module == "np" else math
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name that is going away still exists
        for part in name.split("."):
            if not hasattr(place, part):
                return False
            place = getattr(place, part)
    return True


def refused(module: str, name: str) -> str | None:
    """Why a reward may not use this part of numpy; None where it may."""
    if module != "np":
        return None
    first = name.partition(".")[0]
    if first == "random":
        return "a reward must give the same answer twice: use no random numbers"
    if first in FILES:
        return "a reward reads no files and nothing of numpy's insides"
    return None

"""Memory that a cell and its parent share, of a size that neither can change."""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
import tempfile

# linux/fcntl.h; Python names all but F_SEAL_FUTURE_WRITE
_SEAL, _SHRINK, _GROW, _FUTURE_WRITE = 0x01, 0x02, 0x04, 0x10


def share(size: int, *, writeable: bool, sealed: bool = True) -> tuple[int, mmap.mmap]:
    """A descriptor to hand over and our own mapping of `size` bytes.

    Sealed, it can never change its size (which would crash whoever reads beyond its end), and unless `writeable`
    the kernel gives nobody but us a mapping to write through.

    Raises:
        OSError: the kernel knows no such seal (before Linux 5.1).
    """
    if sys.platform != "linux":
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, size)
        return descriptor, mmap.mmap(descriptor, size)
    import fcntl  # only where there is one: this file can be imported everywhere

    descriptor = os.memfd_create("cell", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with contextlib.ExitStack() as undo:
        undo.callback(os.close, descriptor)
        os.ftruncate(descriptor, size)
        mapping = mmap.mmap(descriptor, size)
        if sealed:
            seals = _SHRINK | _GROW | _SEAL | (0 if writeable else _FUTURE_WRITE)
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        undo.pop_all()
    return descriptor, mapping

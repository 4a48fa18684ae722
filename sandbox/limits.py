"""What a program in a cell may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of one cell. Time is CPU time of each call: a busy machine or a long training fails no honest program."""

    call_seconds: float = 1.0
    """CPU time of one call [s]."""
    row_seconds: float = 2e-4
    """More of it for each row [s]."""
    load_seconds: float = 5.0
    """CPU time of compiling and importing the program [s]."""
    patience: float = 10.0
    """How many times its CPU time a call may take by the clock."""
    data_bytes: int = 1 << 30
    """Private memory, above which allocation fails."""
    resident_bytes: int = 1 << 30
    """Memory of any kind in use, above which the cell is killed."""
    printed_bytes: int = 32 << 20
    """Text on standard output and error, above which the cell is killed; the first 64 KiB are kept."""
    input_bytes: int = 16 << 20
    """Shared memory for states and actions; larger batches go in chunks."""
    output_bytes: int = 8 << 20
    """Shared memory for rewards."""

    def rlimits(self) -> dict[str, int]:
        """The kernel's own limits on the process, by name.

        RLIMIT_DATA and not RLIMIT_AS, which counts what is only reserved; no RLIMIT_CPU, as a cell lives as long as
        a training and the time of each call is measured from outside.
        """
        return {
            "RLIMIT_CORE": 0,
            "RLIMIT_FSIZE": 0,
            "RLIMIT_MEMLOCK": 0,
            "RLIMIT_MSGQUEUE": 0,
            "RLIMIT_NOFILE": 64,
            "RLIMIT_NPROC": 0,
            "RLIMIT_SIGPENDING": 64,
            "RLIMIT_STACK": 16 << 20,
            "RLIMIT_DATA": self.data_bytes,
        }

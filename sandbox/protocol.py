"""What the trusted side and the cell say to each other. Runs on both sides: standard library only.

Numbers travel in two shared memories of fixed size, `inputs` (read-only for the cell) and `outputs`. Around them,
a request and a reply of fixed size pass over two pipes; both carry a sequence number, so that a forged or doubled
reply is noticed and never taken for the answer to a later request.

Layout for R rows of capacity, D state columns, A action columns, all float64:
    inputs   state (R, D), next_state (R, D), action (R, A); or, for a load, the program as JSON
    outputs  total and terms (1 + MAX_TERMS, R); or text, for term names and faults
"""

from __future__ import annotations

import struct

REQUEST = struct.Struct("<QII")
"""Sequence number, what is asked, then rows of the call or bytes of the program."""
REPLY = struct.Struct("<QIII")
"""Sequence number, status, then terms of the call or bytes of text, and the line of a fault (0: none)."""
LENGTH = struct.Struct("<I")
"""Bytes of the configuration that follows, the first message of all."""

# what is asked
LOAD, SAMPLE, CALL = range(3)
# status of a reply
HELLO, READY, OK, FAULT = range(4)

MAX_TERMS = 32
MAX_NAME = 64
MAX_TEXT = 8 << 10
FLOAT = 8


def capacity(inputs: int, outputs: int, state: int, action: int) -> int:
    """Rows that fit memories of `inputs` and `outputs` bytes, with `state` and `action` columns."""
    columns = max(2 * state + action, 1)
    return min(inputs // (FLOAT * columns), outputs // (FLOAT * (1 + MAX_TERMS)))

"""A cell ends what takes too much, lies or outlives its parent, and bears with what is only slow."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from pointmass import EXPERT, SCHEMA

from reward_agent.program import Fault, Program, Rewards
from reward_agent.sandbox import launch
from reward_agent.sandbox.cell import Cell, Limits
from reward_agent.sandbox.launch import Layers

VISIBLE = SCHEMA.visible()
STRICT = Limits(call_seconds=0.2, row_seconds=0.0, load_seconds=0.2, patience=10)


def rows(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.ones((n, VISIBLE.width)), np.ones((n, 1)), np.ones((n, VISIBLE.width))


def when_five(*lines: str) -> str:
    """A program that does its worst with five rows, and is good with any other number."""
    worst = "".join(f"        {line}\n" for line in lines)
    return (
        "import ctypes, mmap, os, sys, time\nimport numpy as np\n"
        "def compute_reward(state, action, next_state):\n"
        "    x = action[:, 0] * 1.0\n"
        f"    if len(x) == 5:\n{worst}"
        "    return x, {'x': x}\n"
    )


def provoke(*lines: str, limits: Limits | None = None) -> tuple[Rewards | Fault, bool]:
    """What five rows give, and whether the cell lives on. One that does is asked again, and has to answer rightly."""
    with Cell(limits=limits) as cell:
        assert cell.load(Program(when_five(*lines)), VISIBLE, rows(2)) == ("x",)
        given, alive = cell(*rows(5)), cell.alive
        after = cell(*rows(3))
        if alive:
            assert isinstance(after, Rewards) and after.total.tolist() == [1, 1, 1]
        else:
            assert given == after and not cell.alive
    return given, alive


def message(*lines: str, limits: Limits | None = None, alive: bool = False) -> str:
    given, lives = provoke(*lines, limits=limits)
    assert isinstance(given, Fault) and lives == alive, given
    return given.message


def test_an_endless_call_is_ended() -> None:
    assert "CPU time" in message("while True: pass", limits=STRICT)


def test_an_endless_import_is_ended() -> None:
    with Cell(limits=STRICT) as cell:
        given = cell.load(Program("while True: pass"), VISIBLE, rows(2))
        assert isinstance(given, Fault) and "CPU time" in given.message
        assert not cell.alive


def test_a_sleeping_call_is_ended_by_the_clock() -> None:
    assert "did not answer within 0.4 s" in message(
        "time.sleep(60)", limits=Limits(call_seconds=0.2, row_seconds=0, patience=2)
    )


def test_time_counts_only_when_it_is_used() -> None:
    """On a busy machine a call takes long by the clock; that alone is no fault."""
    given, alive = provoke("time.sleep(0.6)", limits=STRICT)
    assert isinstance(given, Rewards) and alive


def test_more_rows_have_more_time() -> None:
    burn = (
        "import time\n"
        "def compute_reward(state, action, next_state):\n"
        "    end = time.process_time() + 0.6 * (len(action) > 5)\n"
        "    while time.process_time() < end: pass\n"
        "    return action[:, 0], {'x': action[:, 0]}\n"
    )
    for row_seconds, kind in ((0.0, Fault), (0.01, Rewards)):
        with Cell(limits=Limits(call_seconds=0.1, row_seconds=row_seconds)) as cell:
            assert cell.load(Program(burn), VISIBLE, rows(2)) == ("x",)
            assert isinstance(cell(*rows(100)), kind)


def test_memory_asked_for_is_bounded() -> None:
    small, large = Limits(data_bytes=200 << 20), Limits(data_bytes=600 << 20)
    lines = ("np.ones(300 << 17).sum()",)
    assert "MemoryError" in message(*lines, limits=small, alive=True)
    assert isinstance(provoke(*lines, limits=large)[0], Rewards)


def test_memory_that_the_kernel_does_not_count_is_watched() -> None:
    lines = ("m = mmap.mmap(-1, 200 << 20)", "m.write(bytes(200 << 20))", "time.sleep(1.0)")
    assert "MiB of memory" in message(*lines, limits=Limits(resident_bytes=150 << 20, data_bytes=1 << 30))
    assert isinstance(provoke(*lines)[0], Rewards)


def test_a_closed_output_does_not_end_the_watch() -> None:
    lines = (
        "os.close(1)",
        "os.close(2)",
        "time.sleep(0.5)",
        "m = mmap.mmap(-1, 200 << 20)",
        "m.write(bytes(200 << 20))",
    )
    assert "MiB of memory" in message(*lines, "time.sleep(1.0)", limits=Limits(resident_bytes=150 << 20))


def test_a_flood_of_output_is_ended() -> None:
    lines = ("for _ in range(300): os.write(1, bytes(10000))",)
    assert "printed more than 1 MiB" in message(*lines, "time.sleep(5)", limits=Limits(printed_bytes=1 << 20))
    assert isinstance(provoke(*lines)[0], Rewards)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ctypes.string_at(0)", "SIGSEGV"),
        ("os._exit(3)", "exit code 3"),
        ("os.abort()", "crashed"),
        ("ctypes.memset(action.ctypes.data, 0, 8)", "SIGSEGV"),
        ("ctypes.CDLL(None).syscall(0x40000000 + 39)", "SIGSYS"),
    ],
)
def test_a_crash_is_a_fault(line: str, said: str) -> None:
    if said == "SIGSYS" and os.uname().machine != "x86_64":
        pytest.skip("x32 is x86_64's")
    assert said in message(line)


REPLY_PIPE = (
    "import struct",
    "frame = sys._getframe()",
    "while 'sequence' not in frame.f_locals: frame = frame.f_back",
    "sequence = frame.f_locals['sequence']",
    "pipe = frame.f_locals['channels'].replies",
)


@pytest.mark.parametrize(
    ("forged", "said"),
    [
        ("b'k' * 7", "no valid record"),
        ("b'k' * 20", "not to the request"),
        ("struct.pack('<QIII', sequence - 1, 2, 1, 0)", "not to the request"),
        ("struct.pack('<QIII', sequence + 1, 2, 1, 0)", "not to the request"),
        ("struct.pack('<QIII', sequence, 1, 1, 0)", "not to the request"),
        ("struct.pack('<QIII', sequence, 2, 1000000, 0)", "another number of terms"),
        ("struct.pack('<QIII', sequence, 3, 1000000, 0)", "too long"),
        ("struct.pack('<QIII', sequence, 2, 1, 0) * 2", "no valid record"),
    ],
)
def test_a_forged_reply_ends_the_cell(forged: str, said: str) -> None:
    assert said in message(*REPLY_PIPE, f"os.write(pipe, {forged})", "time.sleep(5)")


def test_an_early_reply_does_not_shift_later_ones() -> None:
    """A forged record that is right in every way is taken (the pipe is in reach); then the true one is noticed."""
    lines = (*REPLY_PIPE, "os.write(pipe, struct.pack('<QIII', sequence, 2, 1, 0))", "time.sleep(0.3)")
    with Cell() as cell:
        assert cell.load(Program(when_five(*lines)), VISIBLE, rows(2)) == ("x",)
        assert isinstance(cell(*rows(5)), Rewards)
        time.sleep(0.5)
        later = cell(*rows(3))
        assert isinstance(later, Fault) and "reply" in later.message  # two in the pipe are no valid record
        assert not cell.alive


def test_a_closed_reply_pipe_is_a_fault() -> None:
    assert "closed the pipe" in message(*REPLY_PIPE, "os.close(pipe)", "time.sleep(5)")


def gone(number: int, seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(FileNotFoundError):
            if Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                time.sleep(0.02)
                continue
        return True
    return False


@pytest.mark.parametrize("layers", [Layers(), Layers(bubblewrap=False)], ids=["bubblewrap", "alone"])
def test_a_cell_dies_with_its_parent(layers: Layers, tmp_path: Path) -> None:
    """Even in the middle of a call that never ends."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import numpy as np\n"
        "from pointmass import SCHEMA\n"
        "from reward_agent.program import Program\n"
        "from reward_agent.sandbox.cell import Cell\n"
        "from reward_agent.sandbox.launch import Layers\n"
        f"cell = Cell(_layers={layers!r})\n"
        "print(cell._process.worker, flush=True)\n"
        "rows = np.ones((2, 4)), np.ones((2, 1)), np.ones((2, 4))\n"
        "cell.load(Program('import time\\ntime.sleep(600)'), SCHEMA.visible(), rows)\n"
    )
    paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        time.sleep(0.3)
        assert not gone(worker, seconds=0.1)
        parent.send_signal(signal.SIGKILL)
    assert gone(worker)


def test_closing_and_forgetting_end_the_process() -> None:
    cell = Cell()
    worker = cell._process.worker
    assert worker is not None and cell.alive
    cell.close()
    cell.close()
    assert gone(worker) and not cell.alive
    given = None
    forgotten = Cell()
    forgotten.load(Program(EXPERT), VISIBLE, rows(2))
    given, worker = forgotten(*rows(2)), forgotten._process.worker
    del forgotten
    assert worker is not None and gone(worker)
    assert isinstance(given, Rewards)


def test_a_closed_cell_answers_with_a_fault() -> None:
    cell = Cell()
    cell.load(Program(EXPERT), VISIBLE, rows(2))
    cell.close()
    given = cell(*rows(2))
    assert isinstance(given, Fault) and "closed" in given.message


def test_the_user_has_no_rights() -> None:
    """Seen without the system call filter, which would refuse the question."""
    source = (
        "import ctypes, os, struct\n"
        "rights = ctypes.create_string_buffer(24)\n"
        "number = {'x86_64': 125, 'aarch64': 90}[os.uname().machine]\n"
        "assert ctypes.CDLL(None).syscall(number, struct.pack('<Ii', 0x20080522, 0), rights) == 0\n"
        "raise ValueError(os.getuid(), os.getgid(), os.getgroups(), sum(rights.raw))\n"
    )
    user, group = (launch.UNPRIVILEGED,) * 2 if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    with Cell(_layers=Layers(seccomp=False)) as cell:
        given = cell.load(Program(source), VISIBLE, rows(2))
    assert isinstance(given, Fault)
    assert given.message.startswith(f"ValueError: ({user}, {group}, ")
    assert given.message.endswith(", 0)")
    if os.geteuid() == 0:
        assert ", [], 0)" in given.message

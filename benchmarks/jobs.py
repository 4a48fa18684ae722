"""Runs a benchmark's jobs in processes of their own, one core each; what is done is kept, so it can be resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from argparse import SUPPRESS, ArgumentParser
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}


def add_arguments(parser: ArgumentParser, *, seeds: int = 3) -> None:
    """What every benchmark of jobs is told."""
    parser.add_argument("--json", action="store_true", help="one line")
    parser.add_argument("--seeds", type=int, default=seeds)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--job", type=json.loads, help=SUPPRESS)


def run_jobs(
    script: Path, jobs: Iterable[dict[str, Any]], kept: Path, *, cores: int, told: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Run `python script --job JSON` for each job, `cores` at once, each pinned to one core; results in any order.

    `told` is what the script is told beside the job, and makes no difference to its result.

    A job prints one JSON object as its last line. Finished jobs are read from `kept` (JSON lines) and not run again;
    each row says of which commit and machine it is: as the job has it, or as it is when the job ends.

    Raises:
        SystemExit: a job failed. What the others gave is kept.
    """
    kept.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    wanted = list(jobs)
    waiting = [job for job in wanted if not any(result["job"] == job for result in done)]
    free, running = list(range(cores)), {}
    while waiting or running:
        while waiting and free:
            core, job = free.pop(0), waiting.pop(0)
            command = ["taskset", "-c", str(core), sys.executable, str(script), *told, "--job", json.dumps(job)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | ONE_THREAD)
            running[process] = (core, job)
            print(f"started {job}", file=sys.stderr, flush=True)
        time.sleep(0.2)
        for process in [p for p in running if p.poll() is not None]:
            core, job = running.pop(process)
            free.append(core)
            output = process.stdout.read().strip().splitlines() if process.stdout else []
            if process.returncode != 0 or not output:
                print(f"FAILED ({process.returncode}) {job}", file=sys.stderr, flush=True)
                continue
            result = {"job": job, **whence(), **json.loads(output[-1])}
            with kept.open("a") as file:
                file.write(json.dumps(result) + "\n")
            done.append(result)
            print(f"finished {job}", file=sys.stderr, flush=True)
    found = [result for result in done if result["job"] in wanted]
    missing = [job for job in wanted if not any(result["job"] == job for result in found)]
    if missing:
        raise SystemExit(f"{len(missing)} of {len(wanted)} jobs failed, as {missing[0]}; run it again for those alone.")
    others = {str(result.get("commit")) for result in found} - {commit()}
    if others:
        print(f"Kept results of other commits are among these: {', '.join(sorted(others))}", file=sys.stderr)
    return found


def commit() -> str:
    """The checkout's commit; with `+` where files differ from it."""
    git = ["git", "-C", str(Path(__file__).parent)]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    dirty = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True).stdout.strip()
    return f"{head or 'unknown'}{'+' if dirty else ''}"


def whence() -> dict[str, str]:
    """Of the rows that a benchmark adds: asked once, as it begins, for the checkout may move on while it runs."""
    return {"commit": commit(), "machine": machine()}


def machine() -> str:
    """The processor and how many of its cores there are."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    return f"{model}, {os.cpu_count()} cores"

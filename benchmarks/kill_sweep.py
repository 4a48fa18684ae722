"""Does a sweep killed with SIGKILL at random moments, and started again each time, end with an undisturbed one's table?

    python benchmarks/kill_sweep.py --json            twelve runs, three kills, some minutes on two cores

Two tasks, two seeds, and three rewards: the expert's, one that a search plays from a recording, and the better of two.
Compared: the table but for its hours, the learning curves, each run's journal but for clocks, each policy's SHA-256;
and that runs which were done when a kill came were not touched again.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from kill_resume import LONGEST, without_clocks

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

TASKS = ("mujoco/inverted-pendulum-balance", "mujoco/reacher-reach")
EFFORT = '''
def compute_reward(state, action, next_state):
    """Little force."""
    effort = -(action**2).sum(-1)
    return effort, {"effort": effort}
'''
SWEEP = """
name: killed
seeds: {seeds}
tasks: {tasks}
rewards: [{{name: expert, reward: expert}}]
methods:
  - {{name: zero-shot, method: text2reward, llm: "replay:{{task_name}}.jsonl", iterations: 1, candidates: 1}}
  - {{name: better of two, method: eureka, llm: "replay:{{task_name}}.jsonl", iterations: 1, candidates: 2}}
defaults:
  budget: {budget}
  final_seeds: 1
  select_episodes: 8
  report_episodes: 16
  settings: {{checkpoint_seconds: 1.0}}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=2, help="of the sweep: six runs each")
    parser.add_argument("--budget", type=int, default=8_000, help="environment steps of each training")
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--json", action="store_true", help="one JSON value on standard output")
    args = parser.parse_args()
    with TemporaryDirectory(prefix="kill-sweep-") as folder:
        found = compare(Path(folder), args)
    print(json.dumps(found, indent=2) if args.json else summary(found))
    sys.exit(0 if all(found["same"].values()) else 1)


def compare(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Undisturbed once, then with kills until there were enough, and compare the ends."""
    file = write_sweep(folder, args)
    begun = time.monotonic()
    finish(start(file, folder / "undisturbed", args))
    lasted = time.monotonic() - begun
    expected = outcome(folder / "undisturbed" / "killed")
    moments = random.Random(args.seed)
    kills: list[dict[str, Any]] = []
    same = dict.fromkeys((*expected, "finished runs untouched"), True)
    disturbed = []
    while len(kills) < args.kills:
        root, begun = folder / f"disturbed-{len(disturbed)}", time.monotonic()
        untouched: dict[str, int] = {}
        for _ in range(args.kills - len(kills)):
            process = start(file, root, args)
            # in the first half of what the whole takes: each sitting leaves some work for the next
            if not killed_after(process, moments.uniform(0.0, lasted / 2), root / "killed", kills):
                break
            untouched |= {name: at for name, at in finished(root / "killed").items() if name not in untouched}
        finish(start(file, root, args))
        disturbed.append(time.monotonic() - begun)
        found = outcome(root / "killed")
        now = finished(root / "killed")
        same = {name: same[name] and found.get(name) == expected.get(name) for name in same}
        same["finished runs untouched"] &= all(now[name] == at for name, at in untouched.items())
    return {
        "jobs": len(expected["journals"]),
        "tasks": TASKS,
        "budget": args.budget,
        "kills": kills,
        "disturbed_sweeps": len(disturbed),
        "same": same,
        "table": expected["table"],
        "seconds_undisturbed": round(lasted, 1),
        "seconds_disturbed": [round(seconds, 1) for seconds in disturbed],
    }


def write_sweep(folder: Path, args: argparse.Namespace) -> Path:
    """The sweep's file, and the recordings that it plays: a timid program and each task's expert."""
    from reward_agent import find_task
    from reward_agent.codec import encode, to_line
    from reward_agent.messages import Key, Reply

    for name in TASKS:
        expert = find_task(name).expert
        assert expert is not None
        lines = []
        for index, source in enumerate((EFFORT, expert.read_text())):
            reply = Reply(f"```python\n{source}```\n", model="recorded", date="2026-01-01T00:00:00+00:00")
            lines.append(to_line({"key": list(Key(0, index, 0)), **encode(reply)}))
        (folder / f"{name.partition('/')[2]}.jsonl").write_text("\n".join(lines) + "\n")
    file = folder / "killed.yaml"
    file.write_text(SWEEP.format(seeds=args.seeds, tasks=json.dumps(TASKS), budget=args.budget))
    return file


def start(file: Path, root: Path, args: argparse.Namespace) -> subprocess.Popen[bytes]:
    words = ["sweep", str(file), "--out", str(root), "--jobs", str(args.jobs), "--yes", "--no-measure"]
    return subprocess.Popen([sys.executable, "-m", "reward_agent", *words], stdout=subprocess.DEVNULL)


def finish(process: subprocess.Popen[bytes]) -> None:
    if process.wait(LONGEST) != 0:
        raise SystemExit(f"the sweep failed with exit code {process.returncode}")


def killed_after(process: subprocess.Popen[bytes], seconds: float, folder: Path, kills: list[dict[str, Any]]) -> bool:
    """Kill the process after so many seconds, unless it has ended by then; say what it had reached."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        begun = len(list(folder.glob("*/run.json")))
        kills.append({"after_seconds": round(seconds, 2), "jobs_begun": begun, "jobs_done": len(finished(folder))})
        return True
    return False


def finished(folder: Path) -> dict[str, int]:
    """When each finished run's result and journal were last written."""
    return {
        path.parent.name: max(path.stat().st_mtime_ns, (path.parent / "journal.jsonl").stat().st_mtime_ns)
        for path in folder.glob("*/result.json")
    }


def outcome(folder: Path) -> dict[str, Any]:
    """What must not depend on how a sweep came to its end."""
    from reward_agent.store import read_steps, sha256

    runs = sorted(path.parent for path in folder.glob("*/run.json"))
    with (folder / "table.csv").open() as file:
        table = [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]
    journals = {
        run.name: {str(key): without_clocks(value) for key, value in sorted(read_steps(run).items())} for run in runs
    }
    return {
        "table": table,
        "curves": (folder / "curves.csv").read_text(),
        "journals": journals,
        "policies": {run.name: sha256(run / "best" / "policy.safetensors") for run in runs},
    }


def summary(found: dict[str, Any]) -> str:
    verdict = ", ".join(f"{name} {'same' if same else 'DIFFERENT'}" for name, same in found["same"].items())
    return f"{found['jobs']} jobs, {len(found['kills'])} kills in {found['disturbed_sweeps']} sweep(s): {verdict}"


if __name__ == "__main__":
    main()

"""Does a run killed with SIGKILL at random moments, and resumed each time, end as an undisturbed one?

    python benchmarks/kill_resume.py --json            ten kills on mujoco/hopper-forward, some minutes on two cores

Two rounds of two rewards are played from a recording, so that nothing but the kills can make a difference. Compared:
the best program, the SHA-256 of the policy's weights, the score with its interval, every journalled value but clocks.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

CLOCKS = {"seconds", "microseconds_per_call"}
LONGEST = 3600.0
"""Seconds after which a sitting is given up."""
VARIANTS = {
    (0, 0): '{"forward": next_state.torso.linear_velocity[:, 0], "effort": -1e-3 * (action ** 2).sum(-1)}',
    (0, 1): '{"upright": gaussian(pitch(next_state.torso.orientation), 0.3)}',
    (1, 0): '{"forward": next_state.torso.linear_velocity[:, 0], "alive": 0.0 * action[:, 0] + 1.0}',
    (1, 1): '{"high": next_state.torso.position[:, 2], "effort": -1e-3 * (action ** 2).sum(-1)}',
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="mujoco/hopper-forward")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--budget", type=int, default=40_000, help="environment steps of each training")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--json", action="store_true", help="one JSON value on standard output")
    parser.add_argument("--sitting", nargs=2, metavar=("ROOT", "CONFIG"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.sitting:
        sit(Path(args.sitting[0]), args.sitting[1])
        return
    with TemporaryDirectory(prefix="kill-resume-") as folder:
        found = compare(Path(folder), args)
    print(json.dumps(found, indent=2) if args.json else summary(found))
    sys.exit(0 if all(found["same"].values()) else 1)


def compare(folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Run undisturbed once, then with kills until there were enough, and compare each run's end."""
    config = make_config(folder, args)
    begun = time.monotonic()
    start(folder / "undisturbed", config).wait(LONGEST)
    lasted = time.monotonic() - begun
    expected = outcome(folder / "undisturbed" / "run")
    moments = random.Random(args.seed)
    kills: list[dict[str, Any]] = []
    same = dict.fromkeys(expected, True)
    disturbed = []
    while len(kills) < args.kills:
        root, begun = folder / f"disturbed-{len(disturbed)}", time.monotonic()
        while not (root / "run" / "result.json").exists():
            process = start(root, config)
            if len(kills) < args.kills:
                # anywhere in the first half of what the whole run takes: each sitting leaves some work for the next
                killed_after(process, moments.uniform(0.0, lasted / 2), root, kills)
            process.wait(LONGEST)
            if process.returncode not in (0, -signal.SIGKILL):
                raise SystemExit(f"the run failed with exit code {process.returncode}")
        disturbed.append(time.monotonic() - begun)
        found = outcome(root / "run")
        same = {name: same[name] and found[name] == expected[name] for name in expected}
    return {
        "task": args.task,
        "budget": args.budget,
        "kills": kills,
        "disturbed_runs": len(disturbed),
        "same": same,
        "program": expected["program"],
        "policy_sha256": expected["policy_sha256"],
        "score": expected["score"],
        "seconds_undisturbed": round(lasted, 1),
        "seconds_disturbed": [round(seconds, 1) for seconds in disturbed],
    }


def make_config(folder: Path, args: argparse.Namespace) -> str:
    """The run's config as JSON, and the recording that it plays."""
    from reward_agent import RunConfig
    from reward_agent.codec import encode, to_line
    from reward_agent.messages import Key, Reply

    lines = []
    for (iteration, index), terms in VARIANTS.items():
        source = (
            "import numpy as np\n\ndef compute_reward(state, action, next_state):\n"
            f"    terms = {terms}\n    return sum(terms.values()), terms\n"
        )
        reply = Reply(f"```python\n{source}```\n", model="recorded", date="2026-01-01T00:00:00+00:00")
        lines.append(to_line({"key": list(Key(iteration, index, 0)), **encode(reply)}))
    recording = folder / "replies.jsonl"
    recording.write_text("\n".join(lines) + "\n")
    config = RunConfig(args.task, llm=f"replay:{recording}", iterations=2, candidates=2, budget=args.budget)
    small = replace(config, final_seeds=2, select_episodes=8, report_episodes=16, expert=False, video=False)
    return to_line(encode(replace(small, settings={"checkpoint_seconds": 1.0}, tensorboard=False)))


def sit(root: Path, configured: str) -> None:
    """One sitting: start the run or go on with it."""
    from reward_agent import RunConfig
    from reward_agent.agent import resume, synthesize
    from reward_agent.codec import read_as

    if (root / "run" / "run.json").exists():
        resume(root / "run")
    else:
        synthesize(read_as(RunConfig, configured), root=root, name="run")


def start(root: Path, config: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, "--sitting", str(root), config])


def killed_after(process: subprocess.Popen[bytes], seconds: float, root: Path, kills: list[dict[str, Any]]) -> None:
    """Kill the process after so many seconds, unless it has ended by then; say what it had reached."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        journal = root / "run" / "journal.jsonl"
        done = journal.read_bytes().count(b"\n") if journal.exists() else 0
        kills.append({"after_seconds": round(seconds, 2), "steps_in_journal": done})


def outcome(folder: Path) -> dict[str, Any]:
    """What must not depend on how a run came to its end."""
    from reward_agent.store import read_steps, sha256

    result = json.loads((folder / "result.json").read_text())
    return {
        "program": result["program"]["source"],
        "policy_sha256": sha256(folder / "best" / "policy.safetensors"),
        "score": result["metrics"],
        "journal": {str(key): without_clocks(value) for key, value in sorted(read_steps(folder).items())},
    }


def without_clocks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_clocks(item) for key, item in value.items() if key not in CLOCKS}
    return [without_clocks(item) for item in value] if isinstance(value, list) else value


def summary(found: dict[str, Any]) -> str:
    verdict = ", ".join(f"{name} {'same' if same else 'DIFFERENT'}" for name, same in found["same"].items())
    return f"{found['task']}: {len(found['kills'])} kills in {found['disturbed_runs']} run(s): {verdict}"


if __name__ == "__main__":
    main()

"""How near the programs of recorded sessions are to the published rewards of their tasks: text, numbers and EPIC.

    python benchmarks/recitation.py [--tasks mujoco/hopper-forward ...]

Prints one JSON value: for each session of a task whose expert reward is a published one, each program that a reply
held, by iteration, candidate and attempt. Nothing is trained: values are compared on random actions (and on what a
world's own policy does).
"""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

from reward_agent.cli.compare import to_json
from reward_agent.comparison import compare
from reward_agent.envs.registry import DISGUISE, find_task, recordings, tasks
from reward_agent.llm.recordings import read_recording
from reward_agent.program import Program, extract


def sessions(name: str) -> dict[str, Any]:
    """Comparisons by session; one in disguise has its name end in `-disguise-SEED`."""
    found = {}
    for session, path in recordings(name).items():
        disguised = re.search(r"-disguise-(\d+)(?:-|$)", session)
        task = find_task(f"{name}{DISGUISE}{disguised[1]}" if disguised else name)
        replies = read_recording(path).replies
        read = {f"{k.iteration}.{k.candidate}.{k.attempt}": extract(reply.text) for k, reply in sorted(replies.items())}
        found[session] = to_json(compare({k: p for k, p in read.items() if isinstance(p, Program)}, task))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    published = [name for name, task in tasks().items() if task.reward_version and recordings(name)]
    parser.add_argument("--tasks", nargs="+", default=published, choices=published, metavar="TASK")
    print(json.dumps({name: sessions(name) for name in parser.parse_args().tasks}, indent=1))


if __name__ == "__main__":
    main()

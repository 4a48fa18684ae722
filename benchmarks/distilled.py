"""Training speed with judgements asked for beside it: with no judge, a slow one that fails, and a dead one.

    python benchmarks/distilled.py --json

The judge takes 30 s a batch and fails every third call, over HTTP on this machine, as any model would be asked. The
kinds of training take turns, so that what else the machine does falls on all of them alike; figures of the
processor's time are of this process alone, the judge's server included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from reward_agent.crediting import Glimpse, Reached
from reward_agent.crediting.labels import Asking, Labeller
from reward_agent.envs.episodes import task_schema
from reward_agent.envs.registry import find_task
from reward_agent.llm import LLM, Options, connect
from reward_agent.messages import Key, Message
from reward_agent.optimise import Progress
from reward_agent.optimise.ppo import optimise
from reward_agent.optimise.watching import Watching
from reward_agent.program import Fault, Rewards
from reward_agent.schema import Array
from reward_agent.sources import RewardSource
from reward_agent.sources.distilled import DistilledSource, Distilling
from reward_agent.sources.shaping import ShapedSource, Shaping
from reward_agent.task import Bools, Task

NAMES = ("has_key", "hears")
KINDS = ("sparse", "none", "slow", "dead")
"""No subgoals at all; the same state read, with nobody to ask; and the two judges."""


class Sparse:
    """The task's own goal and nothing else.

    Args:
        fields: read beside it, for nothing.
    """

    term_names = ("goal",)

    def __init__(self, task: Task, fields: Sequence[str] = ()) -> None:
        schema = task_schema(task)
        self.fields = tuple(path for path in schema.by_path if path in {task.goal, *fields})
        self._goal = schema.select(self.fields).columns[task.goal]

    def __call__(self, state: Array, action: Array, next_state: Array, was_reset: Bools) -> Rewards:
        paid = next_state[..., self._goal].copy()
        return Rewards(paid.sum(-1), paid)

    def close(self) -> None:
        """There is nothing to end."""


@dataclass(frozen=True)
class Lines:
    """Asks a model for a line of 0s and 1s a transition."""

    llm: LLM
    names: tuple[str, ...] = NAMES

    def read(self, glimpses: Sequence[Glimpse]) -> list[Reached | Fault]:
        shown = [[g.before, g.action, g.after] for g in glimpses]
        reply = self.llm.complete([Message("user", json.dumps(shown))], Key(0, 0, 0))
        rows = [line.split() for line in reply.text.splitlines()]
        return [{name: said == "1" for name, said in zip(self.names, row, strict=True)} for row in rows]


def server(seconds: float, dead: threading.Event) -> ThreadingHTTPServer:
    """A judge that takes so long, fails every third call, and every one once it is dead."""
    calls: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            calls.append(time.monotonic())
            failing = dead.is_set() or len(calls) % 3 == 0
            if not failing:
                time.sleep(seconds)
            shown = json.loads(body["messages"][-1]["content"])
            keys = [["key" in " ".join(screen[3]) for screen in (before, after)] for before, _, after in shown]
            lines = [
                f"{int(has > had)} {int(bool(after[2]))}" for (had, has), (*_, after) in zip(keys, shown, strict=True)
            ]
            message = {"role": "assistant", "content": "\n".join(lines)}
            reply: dict[str, Any] = {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            }
            if failing:
                reply = {"error": {"type": "error", "message": "overloaded", "code": None, "param": None}}
            payload = json.dumps(reply).encode()
            self.send_response(500 if failing else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, daemon=True).start()
    return made


class Timed:
    """Seconds spent in some methods, the inner ones of nested calls not counted twice."""

    def __init__(self, *methods: tuple[type, str]) -> None:
        self.seconds = 0.0
        for owner, name in methods:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def timed(*arguments: Any) -> Any:
            began = time.perf_counter()
            try:
                return method(*arguments)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


def train(task: Task, source: RewardSource, steps: int, seed: int, timed: Timed) -> dict[str, float]:
    """Steps a second of one training, by the clock and by the processor's time, and the share of what is timed.

    From the first rollout's end to the last's: what it takes to make the environments is left out.
    """
    marks: list[tuple[float, ...]] = []

    def mark(at: Progress) -> None:
        marks.append((at.steps, time.perf_counter(), time.process_time(), timed.seconds))

    optimise(task, source, steps, seed, settings={"threads": 1}, progress=mark)
    done, wall, processor, inside = np.subtract(marks[-1], marks[0]).tolist()
    return {"wall": done / wall, "processor": done / processor, "share": inside / wall}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--task", default="minihack/keyroom-s5")
    parser.add_argument("--how", choices=("hash", "classification", "ranking"), default="classification")
    parser.add_argument("--steps", type=int, default=8192, help="of one training")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=30.0, help="that the judge takes for a batch")
    parser.add_argument("--json", action="store_true", help="JSON on standard output, which is the default")
    arguments = parser.parse_args()
    task = find_task(arguments.task)
    timed = Timed((Watching, "before"), (Watching, "after"), (Watching, "show"), (DistilledSource, "__call__"))
    with tempfile.TemporaryDirectory() as folder:
        sources: dict[str, RewardSource] = {"sparse": Sparse(task)}
        labellers: dict[str, Labeller] = {}
        for kind in ("slow", "dead"):
            dead = threading.Event()
            if kind == "dead":
                dead.set()
            url = f"http://127.0.0.1:{server(arguments.seconds, dead).server_address[1]}/v1"
            reader = Lines(connect("openai:judge", Options(base_url=url, retries=0)))
            asking = Asking(failures=3, first_pause=0.1)
            labellers[kind] = Labeller(reader, Path(folder) / f"{kind}.jsonl", asking, said=lambda said: None)
            distilled = DistilledSource(labellers[kind], task, Distilling(how=arguments.how))
            sources["none"] = Sparse(task, distilled.fields)
            sources[kind] = ShapedSource(distilled, task, Shaping())
        for kind in KINDS:  # what is only loaded or made once
            train(task, sources[kind], 4096, 100, timed)
        while not labellers["dead"].ended:
            time.sleep(0.1)
        measured: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
        began = time.monotonic()
        for number in range(arguments.rounds):
            for kind in np.roll(KINDS, number).tolist():
                measured[kind].append(train(task, sources[kind], arguments.steps, number, timed))
        slow = labellers["slow"]
        result = {
            "task": arguments.task,
            "how": arguments.how,
            "judge_seconds_a_batch": arguments.seconds,
            "training_steps": arguments.steps * arguments.rounds,
            "measured_seconds": round(time.monotonic() - began, 1),
            "steps_a_second": {k: _medians(measured[k]) for k in KINDS},
            "of_no_judge": {
                k: {
                    what: round(statistics.median(b[what] / a[what] for a, b in _pairs(measured, k)), 3)
                    for what in ("wall", "processor")
                }
                for k in ("sparse", "slow", "dead")
            },
            "share_of_training": {k: round(statistics.median(m["share"] for m in measured[k]), 4) for k in KINDS},
            "judge": {"answered": slow.batches, "failed": slow.failures, "labels": len(slow.labels())},
        }
        for source in sources.values():
            source.close()
    print(json.dumps(result, indent=1))


def _pairs(measured: dict[str, list[dict[str, float]]], kind: str) -> list[tuple[dict[str, float], dict[str, float]]]:
    return list(zip(measured["none"], measured[kind], strict=True))


def _medians(values: list[dict[str, float]]) -> dict[str, int]:
    return {what: round(statistics.median(each[what] for each in values)) for what in ("wall", "processor")}


if __name__ == "__main__":
    main()

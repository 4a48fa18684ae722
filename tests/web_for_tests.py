"""What tests of the page share: the command as a process, a client that can say anything, and a run that waits."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from runs_for_tests import BROKEN, GOOD, TIMID, config, recording
from test_cli_runs import command, environment

from reward_agent.agent import synthesize
from reward_agent.errors import WaitingForPersonError
from reward_agent.messages import Key

HOSTILE = "</code><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
REMARKED = f"{GOOD}\n# {HOSTILE}\n"


@dataclass
class Page:
    """A served page, and who asks it."""

    link: str
    process: subprocess.Popen[str]
    cookie: str = ""
    last: dict[str, str] = field(default_factory=dict)
    """Headers of the last response."""

    @property
    def port(self) -> int:
        return int(urlsplit(self.link).port or 0)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, path: str, *, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """One request, as it is said; status and text."""
        status, content = self.raw(path, method=method, body=body, headers=headers)
        return status, content.decode("utf-8", "replace")

    def raw(
        self, path: str, *, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        said = {"Host": f"127.0.0.1:{self.port}", "Cookie": self.cookie, **(headers or {})}
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in said.items():
            connection.putheader(name, value)
        if body is not None and "Content-Length" not in said and "Transfer-Encoding" not in said:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        self.last = {name.lower(): value for name, value in response.getheaders()}
        content = response.read()
        connection.close()
        return response.status, content

    def enter(self) -> None:
        """Take the link's cookie."""
        parts = urlsplit(self.link)
        status, _ = self.ask(f"{parts.path}?{parts.query}")
        assert status == 303
        self.cookie = self.last["set-cookie"].partition(";")[0]

    def send(self, path: str, **fields: object) -> tuple[int, str]:
        """A form, as the page would send it."""
        body = urlencode({name: str(value) for name, value in fields.items()}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.origin, "X-Page": "1"}
        return self.ask(path, method="POST", body=body, headers=headers)


@contextmanager
def served(*words: str, cwd: Path) -> Iterator[Page]:
    """The command `words`, once its link is told."""
    process = subprocess.Popen(
        ["env", "--default-signal=INT", *command(*words, "--no-browser")],
        cwd=cwd,
        env=environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    told = ""
    try:
        while not (link := re.search(r"http://\S+", told)):
            line = process.stderr.readline()
            assert line, f"it ended without a link: {told}"
            told += line
        page = Page(link[0], process)
        page.enter()
        yield page
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stderr.close()
        if process.stdout:
            process.stdout.close()


def waiting_run(root: Path, candidates: int = 3, rounds: int = 2, **changes: Any) -> Path:
    """A real run that waits for people to judge its first round; its last candidate was faulty at first."""
    texts = {
        Key(i, k, 0): f"{(TIMID, REMARKED)[k % 2]}\n# program {i} {k}\n"
        for i in range(rounds)
        for k in range(candidates)
    }
    texts[Key(0, candidates - 1, 0)] = BROKEN
    texts[Key(0, candidates - 1, 1)] = f"{TIMID}\n# program 0 {candidates - 1}\n"
    root.mkdir(parents=True, exist_ok=True)
    made = config(
        recording(root / "session.jsonl", texts),
        method="icpl",
        judge="page",
        iterations=rounds,
        candidates=candidates,
        budget=512,
        final_seeds=1,
        **changes,
    )
    with pytest.raises(WaitingForPersonError):
        synthesize(made, root=root, name="one")
    return root / "one"


def clips_of(run: Path, iteration: int = 0) -> dict[int, str]:
    """Ids of a round's clips by candidate."""
    asked = json.loads((run / f"iter_{iteration:02d}/judging/question.json").read_text())
    return {clip["candidate"]: clip["id"] for clip in asked["clips"]}


def answer_of(run: Path, rater: str = "me", iteration: int = 0) -> dict[str, Any]:
    """What a rater says so far."""
    found: dict[str, Any] = json.loads((run / f"iter_{iteration:02d}/judging/answers/{rater}.json").read_text())
    return found

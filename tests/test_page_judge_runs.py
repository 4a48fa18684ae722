"""Whole runs that people judge: they wait, take up what was handed in, and prompt with what was chosen."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from runs_for_tests import GOOD, TIMID, config, recording
from test_cli_runs import command, environment

from reward_agent.agent import resume, synthesize
from reward_agent.errors import WaitingForPersonError
from reward_agent.judges.sheets import read_sheet
from reward_agent.messages import Key


def waiting(folder: Path, **changes: object) -> Path:
    """A run of two candidates that waits for its first judgement."""
    texts = {(0, 0): TIMID, (0, 1): GOOD, (1, 0): TIMID + "\n# again", (1, 1): GOOD + "\n# again"}
    llm = recording(folder / "session.jsonl", {Key(i, k, 0): text for (i, k), text in texts.items()})
    with pytest.raises(WaitingForPersonError):
        synthesize(
            replace(config(llm, method="icpl", judge="page", budget=512, final_seeds=1), **changes),
            root=folder,
            name="one",
        )
    return folder / "one"


def hand_in(run: Path, iteration: int, best: int, worst: int, **more: object) -> None:
    """Answer as somebody who knows which is which."""
    folder = run / f"iter_{iteration:02d}" / "judging"
    clips = json.loads((folder / "question.json").read_text())["clips"]
    ids: Mapping[int, str] = {clip["candidate"]: clip["id"] for clip in clips}
    said = {"best": ids[best], "worst": ids[worst], "final": True, **more}
    (folder / "answers" / "ann.json").write_text(json.dumps(said))


@pytest.mark.needs("rendering")
def test_a_whole_run_waits_twice_and_prompts_with_what_was_chosen(tmp_path: Path) -> None:
    run = waiting(tmp_path)
    assert (run / "iter_00/judging/clips/a.mp4").read_bytes()[4:8] == b"ftyp"
    hand_in(run, 0, best=0, worst=1, remarks={"a": "a_remark", "b": "b_remark"})
    with pytest.raises(WaitingForPersonError, match="iteration 1"):
        resume(run)
    sheet = read_sheet(run / "iter_01/judging")
    assert sheet is not None and sheet.champion is not None and len(sheet.clips) == 3
    hand_in(run, 1, best=1, worst=0)
    result = resume(run)
    assert (result.iteration, result.candidate, result.judge, result.queries) == (1, 1, "page", 1 + 3)
    asked_last = (run / "iter_01/cand_00/attempt_00/messages.json").read_text()
    assert json.loads(asked_last)[-2]["text"].strip().find("rest = -(action") > 0  # the timid one, which was chosen
    assert "a_remark" in asked_last and "b_remark" in asked_last


@pytest.mark.needs("rendering")
def test_at_a_terminal_it_waits_and_goes_on(tmp_path: Path) -> None:
    import pexpect

    run = waiting(tmp_path, iterations=1)
    child = pexpect.spawn(
        "env",
        ["--default-signal=INT", *command("resume", str(run))],
        cwd=str(tmp_path),
        env=environment(),
        timeout=120,
        encoding="utf-8",
        dimensions=(50, 220),
    )
    child.expect("opens the page")
    child.sendintr()
    child.expect("resume")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    child = pexpect.spawn(
        "env",
        command("resume", str(run)),
        cwd=str(tmp_path),
        env=environment(),
        timeout=120,
        encoding="utf-8",
        dimensions=(50, 220),
    )
    child.expect("opens the page")
    late = threading.Timer(1.0, hand_in, (run, 0, 1, 0))
    late.start()
    begun = time.monotonic()
    child.expect(pexpect.EOF)
    child.close()
    late.join()
    assert child.exitstatus == 0 and time.monotonic() - begun > 1.0

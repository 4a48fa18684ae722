"""The tutorial on environments of one's own, followed to the letter in an empty folder, with a tiny budget."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = "docs/own_environment.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FULL, TINY = "budget=300_000", "budget=1_500"
QUICKER = {"eval": ["--seeds", "1", "--episodes", "4"], "play": ["--episodes", "2"], "run": ["--final-seeds", "1"]}


def followed(command: str, folder: Path, repository: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of the page as its reader would."""
    words = shlex.split(command)
    if words[0] == "reward-agent":
        words = [sys.executable, "-m", *words, *QUICKER.get(words[1], [])]
        words[2] = "reward_agent"
        if "--video" in words:
            words = words[:-2]
    else:
        assert words[0] == "python", command
        words[0] = sys.executable
    environment = os.environ | {"PYTHONPATH": str(repository)}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True)


def answered(said: str, answer: str) -> None:
    """Give the answer to the prompt that a run waits with."""
    (place,) = re.findall(r"save the whole\s+answer as (\S+),", said)
    Path(place).write_text(f"Here it is.\n\n```python\n{answer}```\n")


def test_the_page_leads_from_nothing_to_a_policy(repository: Path, tmp_path: Path) -> None:
    text = (repository / PAGE).read_text()
    assert text.count(FULL) == 1
    said = ""
    for language, block in BLOCK.findall(text):
        if language == "python":
            name = re.match(r"# (\w+\.py)\n", block)
            assert name, f"a block without a file's name: {block[:60]}"
            (tmp_path / name[1]).write_text(block.replace(FULL, TINY).replace("seeds=1)", "seeds=1, episodes=3)"))
        elif language == "bash":
            for line in block.splitlines():
                done = followed(line, tmp_path, repository)
                expected = 4 if line.startswith("reward-agent run") else 0
                assert done.returncode == expected, f"{line}\n{done.stdout}\n{done.stderr}"
                said = done.stdout
                if expected == 4:
                    answered(done.stderr, (tmp_path / "reward.py").read_text())
        else:
            assert _shape(block)[-3:] == [line for line in _shape(said) if "trained/" not in line][-3:], said
    assert (tmp_path / "mooring.mp4").stat().st_size > 1000
    assert list((tmp_path / "trained").rglob("policy.safetensors"))
    # what it shows of the environment is that to the letter
    shown = BLOCK.findall(text)[3]
    assert shown[0] == "text" and shown[1].strip() in followed("python mooring.py", tmp_path, repository).stdout


def test_the_page_has_no_other_kinds_of_blocks(repository: Path) -> None:
    text = (repository / PAGE).read_text()
    assert {language for language, _ in BLOCK.findall(text)} == {"python", "bash", "text"}
    assert text.count("```") == 2 * len(BLOCK.findall(text))


def _shape(output: str) -> list[str]:
    """An output without its numbers, which depend on the budget."""
    plain = re.sub(r"-?\d[\d,.e-]*", "0", output)
    return [" ".join(line.split()) for line in plain.splitlines() if line.strip()]

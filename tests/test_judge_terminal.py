"""A person at the terminal as the judge: what they type, and a whole run in a real terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pexpect
import pytest
import runs_for_tests as runs
from judged import EmptyDesk, question
from terminals import plain
from test_cli_runs import command, environment
from test_icpl import replies

from reward_agent.errors import UsageError, WaitingForPersonError
from reward_agent.history import Judgement
from reward_agent.judges import find_judge
from reward_agent.judges.sheets import read_sheet


class Person(EmptyDesk):
    """Types these lines, and is gone."""

    def __init__(self, *lines: str) -> None:
        self.lines, self.asked = iter(lines), []
        super().__init__(person=self._line)

    def _line(self, text: str) -> str:
        self.asked.append(text)
        line = next(self.lines, None)
        if line is None:
            raise EOFError
        return line


def ids(folder: Path) -> dict[int, str]:
    sheet = read_sheet(folder)
    assert sheet is not None
    return {clip.candidate: clip.id for clip in sheet.clips}


def judged(folder: Path, order: list[int], *more: str, sign: str = " ", champion: bool = False) -> Judgement:
    """What the judge makes of this order of candidates and these further lines."""
    asked = question(folder, [0.0] * 3, champion=0.0 if champion else None, iteration=1)
    with pytest.raises(WaitingForPersonError, match="nobody is at a terminal"):
        find_judge("terminal").compare(asked, EmptyDesk())
    known = ids(asked.folder)
    return find_judge("terminal").compare(asked, Person(sign.join(known[index] for index in order), *more))


def test_a_ranking(tmp_path: Path) -> None:
    judgement = judged(tmp_path, [2, -1, 0, 1], "", champion=True)
    assert (judgement.best, judgement.worst, judgement.beats_champion) == (2, 1, True)
    assert judgement.rankings == {"terminal": ((2,), (-1,), (0,), (1,))}


def test_only_the_ends(tmp_path: Path) -> None:
    judgement = judged(tmp_path, [1, 2], "", sign=" ... ")
    assert (judgement.best, judgement.worst, judgement.beats_champion) == (1, 2, None)


def test_ties_and_those_left_out(tmp_path: Path) -> None:
    judgement = judged(tmp_path, [1, 0], "", sign="=")
    assert judgement.best is None and judgement.rankings == {"terminal": ((1, 0),)}


def test_words_reach_the_judgement(tmp_path: Path) -> None:
    asked = question(tmp_path, [0.0] * 3, iteration=1)
    with pytest.raises(WaitingForPersonError):
        find_judge("terminal").compare(asked, EmptyDesk())
    known = ids(asked.folder)
    person = Person("", f"{known[1]}: it limps", "none: they all fall", "what?", "zz: no", "")
    judgement = find_judge("terminal").compare(asked, person)
    assert judgement.best is None and judgement.words == "they all fall"
    assert [(remark.candidate, remark.text) for remark in judgement.remarks] == [(1, "it limps")]
    assert any("it is not said of which clip" in text for text in person.asked)
    assert any("there is no clip 'zz'" in text for text in person.asked)


def test_what_makes_no_sense_is_asked_again(tmp_path: Path) -> None:
    person = Person("a b c q", "a a b", "c b a", "")
    judgement = find_judge("terminal").compare(question(tmp_path, [0.0] * 3), person)
    assert judgement.best is not None
    assert "there is no clip 'q'" in person.asked[1] and "twice" in person.asked[2]


def test_who_leaves_is_asked_again_and_an_answer_is_kept(tmp_path: Path) -> None:
    asked = question(tmp_path, [0.0] * 3)
    with pytest.raises(WaitingForPersonError, match="asks again"):
        find_judge("terminal").compare(asked, Person())
    first = find_judge("terminal").compare(asked, Person("a b c", ""))
    assert first == find_judge("terminal").compare(asked, Person())  # what was said is not asked for twice


def test_nothing_shown_tells_a_candidate_or_a_score(tmp_path: Path) -> None:
    person = Person("a b c", "")
    asked = question(tmp_path, [0.123, 0.456, 0.789])
    find_judge("terminal").compare(replace(asked, seed=3), person)
    assert not any(word in text for text in person.asked for word in ("0.123", "cand_", "candidate"))


def test_it_has_no_settings() -> None:
    with pytest.raises(UsageError, match="no settings"):
        find_judge("terminal:loud")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[pexpect.spawn]:
    options = ["--method", "icpl", "--judge", "terminal", "--llm", replies(tmp_path), "--budget", "1024"]
    options += ["--final-seeds", "1", "--jobs", "1", "--set", "num_envs=16", "--set", "rollout=32"]
    child = pexpect.spawn(
        "env",
        ["TERM=dumb", *command("run", runs.TASK, *options)],
        cwd=str(tmp_path),
        env=environment(),
        dimensions=(50, 200),
        timeout=120,
        encoding="utf-8",
    )
    yield child
    child.close(force=True)


def test_a_run_asks_at_the_terminal_after_each_round(terminal: pexpect.spawn, tmp_path: Path) -> None:
    terminal.expect("Start\\?")
    terminal.sendline("y")
    for number in (0, 1):
        terminal.expect(f"iteration {number} is trained")
        terminal.expect("> ")
        terminal.sendline("a b")
        terminal.expect("Words\\?")
        terminal.sendline("")
    terminal.expect("judged by terminal")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    shown = plain(terminal.before)
    assert "closeness" in shown or "success" in shown  # at the end the scores are told

"""Views of a run: the board's rows, plain lines, the table, the story; all from events alone."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from rich.console import Console

from reward_agent.cli.board import Board, duration, number
from reward_agent.cli.story import Story
from reward_agent.cli.view import EVERY, Lines, line, table
from reward_agent.events import (
    Accepted,
    Asked,
    Best,
    Evaluated,
    Event,
    Faulted,
    Replied,
    Scoring,
    Started,
    TrainingProgress,
    TrainingStarted,
    Trial,
)
from reward_agent.history import Interval, Outcome
from reward_agent.messages import Key, Message, Reply
from reward_agent.optimise.choice import usual
from reward_agent.program import Fault, Program

FIRST, REPAIR = Key(0, 1, 0), Key(0, 1, 1)
TRIAL = Trial("candidate", 0, 1)
FAULT = Fault("check", "`next_state.torso.speed` is not a field.", 7)
OUTCOME = Outcome(
    metrics={"success": Interval(0.5, 0.25, 0.75)},
    terms={"forward": (0.1, 1.5), "effort": (-0.2, -0.1)},
    episode_return=(1.0,),
    episode_length=(60.0,),
    task_score=(0.5,),
    steps=10_000,
    seconds=5.0,
)
PROGRAM = Program("def compute_reward(state, action, next_state): ...")
MESSAGES = (Message("system", "Be brief."), Message("user", "Reward hopping."))
RUN: tuple[Event, ...] = (
    Started("r1", Path("runs/r1"), "w/t", "hop", "eureka", "metric", "replay:x", ("bubblewrap",), False),
    Asked(FIRST, MESSAGES),
    Replied(FIRST, Reply("first try", "model-x", date="2026-01-02T03:04:05+00:00"), 1200, 0.25, False),
    Faulted(FIRST, None, (FAULT,), False),
    Asked(REPAIR, MESSAGES),
    Replied(REPAIR, Reply("second try", "model-x"), 2400, 0.5, False),
    Accepted(REPAIR, PROGRAM, ("`effort` is constant.",), False),
    TrainingStarted(TRIAL, 10_000),
    TrainingProgress(TRIAL, 4_000, 10_000, 2_000.0, 1.0, 60.0, {"forward": 1.0, "effort": -3.0}),
)
END: tuple[Event, ...] = (Evaluated(TRIAL, OUTCOME, False), Best(0, 1, OUTCOME.metrics))


def board(events: tuple[Event, ...], planned: int = 30_000) -> Board:
    made = Board(planned)
    for event in events:
        made.take(event)
    return made


def test_a_candidate_goes_through_its_stages() -> None:
    stages = [board(RUN[:count]).rows[TRIAL].stage for count in range(2, len(RUN) + 1)]
    assert stages == [
        "asked",
        "replied",
        "fault: check line 7",
        "asked again",
        "replied",
        "accepted",
        "training",
        "training",
    ]
    assert board(RUN + END).rows[TRIAL].stage == "scored"
    failed = board((*RUN, Evaluated(TRIAL, FAULT, False)))
    assert failed.rows[TRIAL].stage == "failed in training"


def test_time_left_is_that_of_the_training_and_of_the_plan() -> None:
    made = board(RUN)
    assert made.rows[TRIAL].seconds_left == 3.0
    assert made.seconds_left == 13.0
    assert (made.tokens, made.usd) == (2400, 0.5)
    assert math.isnan(board(RUN + END).seconds_left)


def test_the_greatest_terms_come_first() -> None:
    assert board(RUN).rows[TRIAL].top_terms(1) == [("effort", -3.0)]
    assert board(RUN + END).rows[TRIAL].top_terms() == [("forward", 1.5), ("effort", -0.1)]


def test_the_table_shows_stage_rate_terms_score_cost_and_time_left() -> None:
    def drawn(events: tuple[Event, ...]) -> str:
        console = Console(width=140, record=True, force_terminal=False)
        with console.capture() as capture:
            console.print(table(board(events)))
        return capture.get()

    training = drawn(RUN)
    for part in ("iteration 0, candidate 1", "training", "40 %", "2,000", "effort -3", "3 s", "2,400 tokens, $0.50"):
        assert part in training
    assert "about 13 s left in all" in training
    assert "success 0.5 [0.25, 0.75]" in drawn(RUN + END)


def test_plain_lines_are_few_while_training() -> None:
    now = 0.0
    written: list[str] = []
    lines = Lines(written.append, line, clock=lambda: now)
    for event in RUN[:-1]:
        lines(event)
    before = len(written)
    for step in range(100):
        now = step * 0.5
        lines(TrainingProgress(TRIAL, 100 * step, 10_000, 200.0, 0.0, 0.0, {}))
    assert len(written) - before == 50 / EVERY
    assert any("check fault, line 7" in text for text in written)


def test_what_only_plans_is_told_of_as_planning_and_of_each_episode_it_scores() -> None:
    doing = usual("mpc").doing
    assert line(TrainingStarted(TRIAL, 10_000)) == "iteration 0, candidate 1: training for 10,000 steps"
    planning = line(TrainingStarted(TRIAL, 10_000, doing))
    assert planning.endswith(": nothing is trained; practising by planning for 10,000 steps")
    scoring = Scoring(TRIAL, 3, 10, 700.0)
    assert line(scoring) == "iteration 0, candidate 1: 3 of 10 episodes planned and scored, about 12 min left"
    assert line(Scoring(TRIAL, 10, 10, 0.0)).endswith("10 of 10 episodes planned and scored")
    row = board((*RUN, scoring)).rows[TRIAL]
    assert (row.stage, row.scoring_left) == ("3 of 10 episodes scored", 700.0)
    assert math.isnan(board((*RUN, scoring, *END)).rows[TRIAL].scoring_left)
    now, written = 0.0, list[str]()
    lines = Lines(written.append, line, clock=lambda: now)
    for event in (RUN[-1], Scoring(TRIAL, 0, 10, math.nan), *(Scoring(TRIAL, done, 10, 1.0) for done in range(1, 10))):
        lines(event)
    assert [text.split(": ")[1] for text in written[1:]] == ["0 of 10 episodes planned and scored"], "not each at once"


def test_the_story_says_what_is_recorded_and_what_is_live() -> None:
    story = Story(replayed=True)
    told = "\n".join(filter(None, map(story, RUN + END)))
    for part in (
        "“hop”",
        "Reward hopping.",
        "RECORDED from model-x on 2026-01-02",
        "first try",
        "check fault, line 7",
        "second try",
        "after its repair",
        "warning: `effort` is constant.",
        "LIVE on this machine",
        "success 0.5 [0.25, 0.75]",
    ):
        assert part in told, part
    assert told.index("check fault") < told.index("second try") < told.index("LIVE on this machine")
    assert told.count("Reward hopping.") == 1
    assert "LIVE from model-x" in "\n".join(map(Story(replayed=False), RUN[:3]))


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5 s"), (100, "2 min"), (7800, "2 h 10 min"), (math.nan, ""), (math.inf, "")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_numbers_have_four_digits() -> None:
    assert [number(value) for value in (0.123456, 12.3456, 12345.6, 0.0, -1234.5)] == [
        "0.1235",
        "12.35",
        "12,346",
        "0",
        "-1,234",
    ]

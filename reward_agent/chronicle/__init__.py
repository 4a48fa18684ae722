"""What a run did so far, as values to show: read off its folder, while it trains, waits, or long after.

`read_chronicle(folder)` takes no lock and writes nothing. What it gives, all frozen:

    Chronicle               id, task, instruction, method, judge, llm, created, state, spent, result, ...
      .rounds: Round        iteration, candidates, judgement or None
        .candidates: CandidateRecord
                            iteration, index, attempts, program, parent, parent_program, outcome or fault, words, folder
          .attempts: AttemptRecord    reply, program, faults, warnings of one request
          .video, .curves             of the files beside it: None where they are gone
      .finals: Retraining   each training from scratch of the best program, and of the expert's

Texts in it (replies, programs, words, faults) come from models and people: whoever shows them escapes them.
"""

from __future__ import annotations

from reward_agent.chronicle.reading import read_chronicle
from reward_agent.chronicle.records import (
    AttemptRecord,
    CandidateRecord,
    Chronicle,
    Retraining,
    Round,
    Standing,
    State,
    name_of,
)

__all__ = [
    "AttemptRecord",
    "CandidateRecord",
    "Chronicle",
    "Retraining",
    "Round",
    "Standing",
    "State",
    "name_of",
    "read_chronicle",
]

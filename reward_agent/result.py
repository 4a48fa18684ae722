"""What a run ends with: the best program, its score on seeds that nothing was chosen by, and what stands beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reward_agent.codec import decode, encode
from reward_agent.errors import UsageError
from reward_agent.history import Interval
from reward_agent.invocation import resume_command
from reward_agent.llm import Spent
from reward_agent.program import DESCRIBED, Program, TrainingFault

RESULT = "result.json"


@dataclass(frozen=True)
class Result:
    """Of a finished run."""

    run: str
    folder: Path
    task: str
    instruction: str
    method: str
    sees: str
    """What the method let the model see."""
    llm: str
    model: str
    """As the replies name it."""
    program: Program
    """The best one."""
    iteration: int
    candidate: int
    metrics: Mapping[str, Interval]
    """Of policies trained on it from scratch, on the report seeds; the first is the key of selection. Empty where the
    task has no metric: what its policies do is for a judge to compare."""
    trainings: int
    """From scratch, that `metrics` is over; intervals are over these (over episodes where there is one)."""
    failed: tuple[TrainingFault, ...]
    """Of these trainings, those in which the program failed: in `metrics` each counts as doing nothing (`no-op`)."""
    floors: Mapping[str, Mapping[str, Interval]]
    """`no-op` and `random`, on the same seeds; empty without a metric."""
    expert: Mapping[str, Interval] | None
    """The task's expert reward, trained with the same budget and seeds."""
    budget: int
    """Environment steps of each training."""
    report_episodes: int
    policy_seed: int
    """Training seed of the policy that was kept: the best on the select seeds; the first of all where a judge decides
    or there is no metric."""
    policy_sha256: str
    steps: int
    """Simulated for training, in all, until its fault where a training failed. Episodes that score are not in it."""
    spent: Spent
    reason: str
    """Why the search ended."""
    unsafe: bool
    sandbox: tuple[str, ...] | None = None
    """Its layers in force in every sitting; None where an earlier release wrote the result, which did not say."""
    variant: str = ""
    """What its prompts showed or hid and whose words it heard, as `1 example (mujoco/ant-forward)`."""
    horizon: int = 0
    """Steps after which an episode is truncated; 0 where an earlier release wrote the result."""
    judged: Mapping[str, str] = field(default_factory=dict)
    """What each metric counts, as success once or at the end."""
    reward_version: str = ""
    """Of the published reward that `expert` is, where there are several."""
    judge: str = ""
    """Who compared the candidates; empty where a metric chose."""
    preferred: bool = True
    """False where a judge compared and preferred no candidate in any round: the program is the first that it saw."""
    shaping: Mapping[str, Any] = field(default_factory=dict)
    """How subgoals paid (`sources.shaping.Shaping`), where the program tells them: what was not as usual."""
    queries: int = 0
    """Comparisons that the judge made."""

    @property
    def best(self) -> Path:
        """The folder with `reward.py`, `policy.safetensors`, `policy.json` and, where it could be made, `video.mp4`."""
        return self.folder / "best"

    @property
    def reward(self) -> Path:
        """The program; where no code was trained on, the subgoals in words."""
        return self.best / ("subgoals.txt" if self.program.entry == DESCRIBED else "reward.py")

    @property
    def video(self) -> Path | None:
        path = self.best / "video.mp4"
        return path if path.exists() else None

    def to_json(self) -> dict[str, Any]:
        """Plain data, with the paths of what was kept."""
        plain: dict[str, Any] = encode(self)
        return plain | {"best": str(self.best), "video": str(self.video) if self.video else None}


def load_result(folder: Path) -> Result | None:
    """What the run in `folder` ended with; None while it has not.

    Raises:
        UsageError: the file is damaged.
    """
    path = folder / RESULT
    if not path.is_file():
        return None
    try:
        data = json.loads(path.read_text())
        result: Result = decode(Result, {key: value for key, value in data.items() if key not in ("best", "video")})
    except (ValueError, TypeError) as error:
        raise UsageError(f"{path} cannot be read ({error}). `{resume_command(folder)}` makes it again.") from error
    return result

"""What a run would take, told before it starts: trainings, steps, time on this machine, tokens and their cost."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from reward_agent.codec import decode, encode
from reward_agent.config import RunConfig
from reward_agent.envs.registry import find_task
from reward_agent.errors import UsageError
from reward_agent.history import History
from reward_agent.journal import read_journal
from reward_agent.llm.prices import price_list
from reward_agent.methods import Ask, Done
from reward_agent.methods.base import starting_history
from reward_agent.optimise import Progress
from reward_agent.optimise.choice import Choice, choose_training, scoring_steps
from reward_agent.program import DESCRIBED, Fault, Program
from reward_agent.recorded import settle
from reward_agent.store import JOURNAL, MANIFEST, read_manifest
from reward_agent.task import Task
from reward_agent.trial import Scored, Trained, TrialSpec, reference, run_trial
from reward_agent.workers import Job, Pool, cores

MEASURING_SECONDS = 3.0
LETTERS_PER_TOKEN = 3.6
REPLY_TOKENS = 1_500
"""Of a usual reply with its reasoning."""
FEEDBACK_TOKENS = 1_000
"""That each round adds to what is asked."""
FAULTY_SHARE = 0.25
"""Of replies that need a repair, each another request."""
START_SECONDS = 8.0
"""Of the processes, and of scoring at the end."""
EFFORT = '''
def compute_reward(state, action, next_state):
    """Little force: costs what any reward costs."""
    effort = -(action**2).reshape(len(action), -1).sum(-1)
    return effort, {"effort": effort}
'''


@dataclass(frozen=True)
class Plan:
    """At most, for a search goes on for no longer than it is told."""

    task: str
    method: str
    llm: str
    choice: Choice
    """What each training is done with."""
    search_trainings: int
    final_trainings: int
    """From scratch, of the best program and of the expert's."""
    expert_trainings: int
    """Of the final ones, the expert's."""
    steps: int
    """Of simulation for training, in all."""
    jobs: int
    steps_per_second: float | None
    """Of one training on this machine; None where it is not known."""
    seconds: float | None
    requests: int
    """To the model."""
    tokens: int
    usd: float | None
    """None where no price is known; 0 where nothing is asked."""

    @property
    def trainings(self) -> int:
        return self.search_trainings + self.final_trainings


def make_plan(
    config: RunConfig,
    *,
    task: Task | None = None,
    root: Path = Path("runs"),
    measure: bool = True,
    rate: float | None = None,
) -> Plan:
    """What `synthesize` would do with this config.

    Args:
        config: of the run.
        task: the task itself, where `config.task` does not name one.
        root: runs whose speed may be gone by.
        measure: train for some seconds where no earlier run tells the speed.
        rate: training steps a second, where they are known already.

    Raises:
        UsageError, MissingComponentError: the run could not start.
    """
    task = task or find_task(config.task)
    llm = config.llm or str(settle(config, task).llm)
    choice = choose_training(task, config.optimiser, config.preset, config.settings)
    jobs, budget = config.jobs or cores(), config.steps(task)
    rounds = config.method_settings()
    searches = not isinstance(config.make_method().next(task, starting_history(rounds)), Done)
    widths = [rounds.width(iteration) for iteration in range(rounds.rounds)] if searches else []
    of_expert = config.final_seeds if config.expert and task.undisguised.expert and task.metrics else 0
    finals = config.final_seeds + of_expert
    rate = rate or known_rate(root, config, task) or (measured_rate(config, task) if measure else None)
    # side by side as far as cores go, but the rounds one after another
    waves = sum(math.ceil(width / jobs) for width in widths), math.ceil(finals / jobs)
    scoring = scoring_steps(choice, task) if task.metrics else 0
    searching, ending = config.select_episodes * scoring, (config.select_episodes + config.report_episodes) * scoring
    lasting = waves[0] * (budget + searching) + waves[1] * (budget + ending)
    requests = math.ceil(config.iterations * config.candidates * (1 + FAULTY_SHARE))
    tokens_in = _prompt_tokens(config, task) * requests
    tokens_in += FEEDBACK_TOKENS * requests * max(0, config.iterations - 1) // 2
    asked = requests > 0 and not llm.startswith(("replay:", "manual"))
    return Plan(
        task=task.id,
        method=config.method,
        llm=llm,
        choice=choice,
        search_trainings=sum(widths),
        final_trainings=finals,
        expert_trainings=of_expert,
        steps=(sum(widths) + finals) * budget,
        jobs=jobs,
        steps_per_second=rate,
        seconds=lasting / rate + START_SECONDS if rate else None,
        requests=requests,
        tokens=tokens_in + REPLY_TOKENS * requests,
        usd=_usd(config, llm, tokens_in, REPLY_TOKENS * requests) if asked else 0.0,
    )


def known_rate(root: Path, config: RunConfig, task: Task) -> float | None:
    """Training steps a second in the newest run that trained on this task likewise, if there is one."""
    own = choose_training(task, config.optimiser).preset

    def likewise(other: RunConfig) -> tuple[object, ...]:
        return other.task, other.optimiser, other.preset or own, encode(other.settings)

    runs = []
    for path in root.glob(f"*/{MANIFEST}"):
        try:
            manifest = read_manifest(path.parent)
            made: RunConfig = decode(RunConfig, manifest.config)
        except (UsageError, TypeError, ValueError):
            continue  # of another release: nothing is lost by not going by it
        if likewise(made) == likewise(config):
            runs.append((manifest.created, path.parent))
    for _, folder in sorted(runs, reverse=True):
        rates = [t.outcome.steps / t.outcome.seconds for t in _trainings(folder) if t.outcome.seconds > 0.1]
        if rates:
            return sorted(rates)[len(rates) // 2]
    return None


def measured_rate(config: RunConfig, task: Task) -> float | None:
    """Learning steps a second of a short training with the expert's or a trivial reward."""
    given = config.initial if config.initial and config.initial.entry != DESCRIBED else None
    source = task.expert.read_text(encoding="utf-8") if task.expert else EFFORT
    with TemporaryDirectory(prefix="reward-agent-") as folder, Pool[str](1) as pool:
        spec = TrialSpec(
            task=reference(task, config.task),
            program=given or Program(source),
            budget=1_000_000_000,
            seed=0,
            folder=Path(folder),
            optimiser=config.optimiser,
            preset=config.preset,
            settings={"threads": 1, **config.settings},
            unsafe=config.unsafe,
        )
        for _, result in pool.run({"rate": Job(measure, spec)}):
            return result if isinstance(result, float) else None
    return None


def measure(spec: TrialSpec, progress: Callable[[object], None], stop: Callable[[], bool]) -> float | Fault | None:
    """The job: train for some seconds once learning has begun; steps a second of that, without all that came before."""
    seen: list[tuple[float, int]] = []

    def watch(at: Progress | Scored) -> None:
        if isinstance(at, Progress) and at.learning:
            seen.append((time.monotonic(), at.steps))

    def enough() -> bool:
        return len(seen) > 1 and seen[-1][0] - seen[0][0] >= MEASURING_SECONDS

    result = run_trial(spec, watch, lambda: stop() or enough())
    if isinstance(result, Fault):
        return result
    if len(seen) < 2:
        return None
    (began, first), (ended, last) = seen[0], seen[-1]
    return (last - first) / (ended - began)


def _trainings(folder: Path) -> Iterator[Trained]:
    for value in read_journal(folder / JOURNAL).values():
        if isinstance(value, dict) and {"outcome", "select"} <= value.keys():
            yield decode(Trained, value)


def _prompt_tokens(config: RunConfig, task: Task) -> int:
    """Of the first prompt; none where nobody is asked."""
    if not config.iterations:
        return 0
    asking = replace(config, initial=None, iterations=max(1, config.iterations))
    action = asking.make_method().next(task, History())
    if not isinstance(action, Ask):
        return 0
    return math.ceil(sum(len(message.text) for message in action.prompts[0].messages) / LETTERS_PER_TOKEN)


def _usd(config: RunConfig, llm: str, tokens_in: int, tokens_out: int) -> float | None:
    if config.prices:
        return (tokens_in * config.prices[0] + tokens_out * config.prices[1]) / 1e6
    provider, _, model = llm.partition(":")
    if provider == "litellm":
        provider, _, model = model.partition("/")
    price = price_list(provider).get(model)
    return price.of(tokens_in, tokens_out) if price else None

"""What a run is asked to do. Frozen, kept in `run.json`, and all that `resume` goes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from reward_agent.crediting.verifying import Labels, read_labels, require_share
from reward_agent.envs.disguise import pinned
from reward_agent.envs.registry import DISGUISE
from reward_agent.errors import UsageError, unknown_name
from reward_agent.fewshot import Example
from reward_agent.judges import Judge, find_judge
from reward_agent.llm import LLM, Budget, Options, connect, redact, require_price
from reward_agent.methods import Method, Settings, find_method
from reward_agent.plugins import SCORES
from reward_agent.program import REWARD, SUBGOALS, Program
from reward_agent.sources.shaping import shaping_of
from reward_agent.subgoals import Subgoal
from reward_agent.task import Task
from reward_agent.templates import Templates

WhoseWords = Literal["ask", "file", "automatic"]


@dataclass(frozen=True)
class RunConfig:
    """Defaults are small: a few minutes on two cores.

    Raises:
        UsageError: a count is too small.
    """

    task: str
    """A shipped task's id, or `path/to/file.py:variable`."""
    method: str = "eureka"
    llm: str | None = None
    """`provider:model`; None takes the model whose key is set, else replays what the task ships."""
    temperature: float | None = None
    """None leaves it to the model."""
    base_url: str | None = None
    prices: tuple[float, float] | None = None
    """US$ per million input and output tokens."""
    prompts: Path | None = None
    """A folder of the user's own templates."""
    initial: Program | None = None
    """A reward to improve."""
    examples: int = 0
    """Expert rewards of the most similar tasks that the prompt shows; 0 is zero-shot, 1 Text2Reward's few-shot."""
    shown: tuple[Example, ...] = ()
    """Those examples, as they were chosen when the run began."""
    only_name: bool = False
    """A control: the prompt gives the benchmark's name for the task, and no instruction."""
    disguise: int | Path | None = None
    """Run the task in other words and other axes (`envs/disguise.py`): a seed, or a file of words. `prepare` makes it a
    part of the task's name."""
    words: WhoseWords = "ask"
    """Where a method's words on a policy come from: `ask` whoever is there (else automatic ones), wait for a `file` in
    the candidate's folder, or always `automatic`."""
    judge: str | None = None
    """Who compares the candidates of a round, `NAME` or `NAME:SETTING` (`judges`), in place of the metric; a method
    that cannot do without one takes its usual one (`left_open.fit`)."""
    without: tuple[str, ...] = ()
    """Parts of the method that are left out, by names of its ablations."""
    subgoals: tuple[Subgoal, ...] = ()
    """Those that are given to a method that divides tasks; without any it finds its own."""
    shaping: Mapping[str, Any] = field(default_factory=dict)
    """What to change of how reaching a subgoal pays (`sources.shaping.Shaping`)."""
    labels: Path | None = None
    """Recorded trajectories whose labels a program is held to that tells subgoals (`crediting.verifying`)."""
    label_errors: float = 0.0
    """The share on which a program and the labels may differ, of the transitions that either says reach a subgoal."""
    optimiser: str = "ppo"
    preset: str | None = None
    """Of the optimiser's settings, by name; the task's own unless given."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What to change of the preset's."""
    iterations: int = 3
    candidates: int = 3
    """Programs an iteration."""
    repairs: int = 3
    """Replies asked for after a fault before a candidate is given up."""
    budget: int | None = None
    """Environment steps of one training; the task's own unless given."""
    final_seeds: int = 3
    """Trainings from scratch of the best program, which the quoted score comes from."""
    expert: bool = True
    """Train the task's expert reward as well, with the final seeds and budget, where it ships one."""
    seed: int = 0
    curve_points: int = 0
    """Of the learning curve of each final and expert training: the metrics are measured at its start and after equal
    shares of its budget. 0 measures the search's candidates alone, for their feedback. It changes no training."""
    select_episodes: int = 20
    report_episodes: int = 50
    jobs: int | None = None
    """Trainings side by side; one a core unless given. Changes no result."""
    max_tokens: int | None = None
    max_usd: float | None = None
    tensorboard: bool = True
    video: bool = True
    unsafe: bool = False
    """Run generated code without the sandbox; recorded in every result."""

    def __post_init__(self) -> None:
        least = {"iterations": 0 if self.initial else 1, "candidates": 1, "repairs": 0, "final_seeds": 1}
        least |= {"select_episodes": 1, "report_episodes": 1, "seed": 0, "curve_points": 0, "examples": 0}
        for name, smallest in least.items():
            if getattr(self, name) < smallest:
                raise UsageError(f"{name} must be at least {smallest}, not {getattr(self, name)}.")
        if self.words not in get_args(WhoseWords):
            raise unknown_name("source of words", self.words, get_args(WhoseWords))
        shaping_of(self.shaping)
        if not all(isinstance(each, Subgoal) for each in self.subgoals):
            raise UsageError(
                "`subgoals` are `Subgoal`s: those of a task's card are `find_task(name).subgoals`, those of a file "
                "`reward_agent.subgoals.read_subgoals(path)`."
            )
        require_share(self.label_errors)
        for name in ("budget", "jobs"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, not {value}.")

    def method_settings(self) -> Settings:
        """What the method is told."""
        return Settings(
            self.iterations,
            self.candidates,
            self.repairs,
            initial=self.initial,
            examples=self.shown,
            only_name=self.only_name,
            judged=self.judge is not None,
            subgoals=self.subgoals,
            shaping=self.shaping,
            without=self.without,
        )

    def make_judge(self) -> Judge | None:
        """Who compares, if anyone does.

        Raises:
            UsageError, MissingComponentError: see `find_judge`.
        """
        return find_judge(self.judge) if self.judge is not None else None

    def model_budget(self) -> Budget:
        """Of the model that is asked."""
        return Budget(self.max_tokens, self.max_usd)

    def make_method(self) -> Method:
        """The method, with the user's templates.

        Raises:
            UsageError: no such method, a template of the user's that no method uses, or subgoals for a method or an
                optimiser that has nothing to do with them.
        """
        make = find_method(self.method)
        entry = getattr(make, "entry", REWARD)
        if self.initial is not None and self.method != SCORES and self.initial.entry != entry:
            writes = {REWARD: "rewards (`compute_reward`)", SUBGOALS: "programs that tell `subgoals`"}
            raise UsageError(
                f"The method {self.method} improves on {writes.get(entry, 'nothing of the kind')}, and the program "
                f"that is given defines `{self.initial.entry}`: give another, or take "
                f"`--method {'calm' if self.initial.entry == SUBGOALS else 'eureka'}`."
            )
        divides = entry != REWARD or (self.initial is not None and self.initial.entry != REWARD)
        if not divides and (self.subgoals or self.shaping):
            raise UsageError(
                f"The method {self.method} divides no task, so subgoals and what they pay say nothing to it: leave "
                "`--subgoals` and `--shape` out, or choose `--method calm`."
            )
        if entry != SUBGOALS and self.labels:
            raise UsageError(
                f"Programs that tell subgoals are held to labels, and with the method {self.method} nobody writes one: "
                "leave `--labels` out, or choose `--method calm`."
            )
        if divides and self.optimiser == "mpc":
            raise UsageError(
                "A planner imagines futures that no episode has, and what subgoals pay hangs on the episode: choose an "
                "optimiser that learns, as `--optimiser ppo`."
            )
        return make(self.method_settings(), Templates(self.prompts))

    def read_labels(self, task: Task) -> Labels | None:
        """What a program is held to that tells subgoals, where labels are given.

        Raises:
            UsageError: see `crediting.verifying.read_labels`; also where they tell none of the given subgoals.
        """
        if self.labels is None:
            return None
        labels, given = read_labels(Path(self.labels), task, self.label_errors), {each.name for each in self.subgoals}
        if given and given.isdisjoint(labels.names):
            raise UsageError(
                f"{self.labels} has labels of {', '.join(labels.names)}, and the given subgoals are "
                f"{', '.join(sorted(given))}: nothing could be held to them. Give subgoals of these names, or leave "
                "`--labels` out."
            )
        return labels

    def steps(self, task: Task) -> int:
        """Environment steps of one training."""
        return self.budget or task.budget


def without_keys(config: RunConfig) -> RunConfig:
    """The config itself, which goes into the run's files.

    Raises:
        UsageError: a key is in it.
    """
    if config.base_url and redact(config.base_url) != config.base_url:
        raise UsageError(
            "The base URL holds a key or password, which would be written into the run's files. Leave it out of the "
            "URL and set the provider's variable, as `export OPENAI_API_KEY=...`."
        )
    return config


def with_whole_paths(config: RunConfig) -> RunConfig:
    """The config with paths that still hold when a run is resumed from another folder."""
    name, disguised, how = config.task.partition(DISGUISE)
    location, separator, variable = name.partition(":")
    task = f"{Path(location).resolve()}{separator}{variable}" if location.endswith(".py") else name
    task += disguised + (how if how.isdecimal() or not how else pinned(how))
    prompts = config.prompts.resolve() if config.prompts else None
    labels = Path(config.labels).resolve() if config.labels else None
    llm, judge = whole_llm(config.llm), _whole_judge(config.judge)
    return replace(config, task=task, prompts=prompts, labels=labels, llm=llm, judge=judge)


def whole_llm(name: str | None) -> str | None:
    """The model's name; with the whole path where it replays a file or a run's folder."""
    provider, _, model = (name or "").partition(":")
    return f"replay:{Path(model).resolve()}" if provider == "replay" and Path(model).exists() else name


def _whole_judge(name: str | None) -> str | None:
    """The judge's name; with the whole path where it is a file, or its model replays one."""
    file, separator, setting = (name or "").partition(":")
    if file.endswith(".py"):
        return f"{Path(file).resolve()}{separator}{setting}"
    judge, replays, recording = (name or "").partition(":replay:")
    return f"{judge}:{whole_llm(f'replay:{recording}')}" if replays else name


def connect_judge(judge: Judge, folder: Path, budget: Budget) -> LLM:
    """The model that a judge asks in the run in `folder`, at temperature 0 where it takes one: the same question should
    get the same answer.

    Raises:
        UsageError, MissingComponentError: see `llm.connect`; also where its price, which a budget needs, is not known.
    """
    assert judge.model is not None, "it asks one"
    llm = connect(judge.model, Options(temperature=0, folder=folder.resolve()))
    if budget.usd is not None and not getattr(llm, "priced", True):
        raise UsageError(
            f"No price is known for {llm.name}, which judges, so a budget in money cannot be kept (`--prices` are "
            "those of the model that writes rewards). Limit tokens instead: `--money-budget none --token-budget N`."
        )
    return llm


def connect_llm(config: RunConfig, folder: Path, given: LLM | None = None) -> LLM:
    """The model to ask in a run in `folder`: the one given itself, else the one that the config names.

    Raises:
        UsageError, MissingComponentError: see `llm.connect`; also where its price, which a budget needs, is not known.
    """
    options = Options(
        temperature=config.temperature, base_url=config.base_url, prices=config.prices, folder=folder.resolve()
    )
    llm = given or connect(str(config.llm), options)
    require_price(llm, config.model_budget())
    return llm

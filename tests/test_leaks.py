"""What each method lets a model see: of a history with numbers that appear nowhere else, just what the table allows."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from broken_worlds import sound
from pointmass import SCHEMA

from reward_agent.conformance import Subject
from reward_agent.conformance.leaks import first_prompt
from reward_agent.conformance.suite import run
from reward_agent.conformance.words import in_schema, in_text
from reward_agent.envs.episodes import task_schema
from reward_agent.envs.registry import tasks
from reward_agent.feedback import automatic_words, deciding, fenced, reflection
from reward_agent.history import Attempt, Candidate, History, Interval, Judgement, Outcome
from reward_agent.messages import Reply
from reward_agent.methods import Ask, Compare, Done, Settings, Train, Words, find_method
from reward_agent.plugins import METHODS
from reward_agent.program import Program
from reward_agent.schema import Field
from reward_agent.task import Metric, Task
from reward_agent.templates import Templates

PERSON = "The wombat leans to its left."
"""A person's words."""


@dataclass(frozen=True)
class Sees:
    """What a model may come to know under a method."""

    declared: str
    """The method's own `sees`, word for word: who changes the one must look at the other."""
    told: frozenset[str]
    """Of `SIGNALS`, where a person gives words (or none are asked for)."""
    automatic: frozenset[str]
    """Of `SIGNALS`, where words are written from the outcome."""
    words: frozenset[str]
    """Of what judges, the words that may stand in its prompts."""


TABLE = {
    "eureka": Sees(
        declared="metric, terms, episode length",
        told=frozenset({"success", "success interval", "success course", "terms", "return", "length", "steps"}),
        automatic=frozenset(),
        words=frozenset({"task_score"}),
    ),
    "icpl": Sees(
        declared="best and worst by a judge, terms, episode length; no metric",
        told=frozenset({"terms", "length", "steps"}),
        automatic=frozenset(),
        words=frozenset(),
    ),
    "calm": Sees(
        declared="share of episodes that reach the goal and each subgoal, episode length",
        told=frozenset({"success course", "length", "steps"}),
        automatic=frozenset(),
        words=frozenset(),
    ),
    "given": Sees(declared="nothing: no model is asked", told=frozenset(), automatic=frozenset(), words=frozenset()),
    "text2reward": Sees(
        declared="words (automatic ones tell of metric and terms), and which round did best",
        told=frozenset({"a person's words"}),
        automatic=frozenset({"success", "score", "score course", "terms", "length"}),
        words=frozenset({"task_score"}),
    ),
}

SIGNALS = {
    "success": ("37 %", "37%", "0.373"),
    "success interval": ("21 %", "58 %", "21%", "58%", "0.212", "0.583"),
    "success course": ("0.113", "0.264"),
    "score": ("7.31",),
    "score interval": ("6.17", "8.59"),
    "score course": ("1.93",),
    "another metric": ("5.83", "5.41", "5.97"),
    "terms": ("0.417", "0.631"),
    "return": ("83.9",),
    "length": ("47.3",),
    "steps": ("123,457", "123457"),
    "seconds": ("98.6",),
    "a person's words": (PERSON,),
}
"""As they would be written: any of these gives it away."""

OUTCOME = Outcome(
    metrics={
        "wombat_rate": Interval(0.373, 0.212, 0.583),
        "wombat_depth": Interval(7.31, 6.17, 8.59),
        "wombat_third": Interval(5.83, 5.41, 5.97),
    },
    terms={"near": (0.417, 0.5, 0.55, 0.631)},
    episode_return=(70.0, 75.0, 80.0, 83.9),
    episode_length=(60.0, 55.0, 50.0, 47.3),
    task_score=(1.93, 3.0, 5.0, 7.31),
    steps=123_457,
    seconds=98.6,
    success=(0.113, 0.2, 0.264, 0.37),
)


def judged() -> Task:
    """A task of three metrics whose names, lines and functions appear nowhere else."""

    def wombat_of(episode: object) -> float:
        return 0.0

    return sound(
        metrics=(
            Metric(
                "wombat_rate", "success", "whether the wombat was content throughout", ("secret.reached",), wombat_of
            ),
            Metric("wombat_depth", "fitness", "how deep the wombat digs on average", ("point.position",), wombat_of),
            Metric("wombat_third", "fitness", "a third opinion on the wombat", ("point.position",), wombat_of),
        )
    )


def everything_said(name: str, task: Task, words: str, templates: Templates | None = None) -> str:
    """All that a method says to a model over three rounds of two programs each, every one with the same outcome."""
    return "\n".join(message for prompt in prompts_of(name, task, words, OUTCOME, templates) for message in prompt)


def prompts_of(
    name: str, task: Task, words: str, outcome: Outcome, templates: Templates | None = None
) -> list[list[str]]:
    """The messages of each prompt of such a run."""
    made = find_method(name)
    is_judged = getattr(made, "compares", "never") == "always"
    method = made(Settings(iterations=3, candidates=2, judged=is_judged), templates or Templates())
    history: History = History()
    said: list[list[str]] = []
    for _ in range(30):
        action = method.next(task, history)
        candidates = dict(history.candidates)
        match action:
            case Ask(prompts):
                for prompt in prompts:
                    key = prompt.key
                    said.append([message.text for message in prompt.messages])
                    source = f"def compute_reward(state, action, next_state):\n    return 0, {{}}  # {key.folder}\n"
                    attempt = Attempt(key, prompt.messages, Reply(fenced(source), model="test"), Program(source))
                    candidates[key[:2]] = Candidate(key.iteration, key.candidate, (attempt,))
            case Train(wanted):
                candidates |= {at: replace(candidates[at], outcome=outcome) for at in wanted}
            case Compare(iteration):
                beats = True if iteration else None
                judgement = Judgement("page", best=0, worst=1, beats_champion=beats, queries=2)
                history = replace(history, judgements={**history.judgements, iteration: judgement})
            case Words(iteration, index):
                candidates[iteration, index] = replace(candidates[iteration, index], words=words)
            case Done():
                return said
            case _:
                pytest.fail(f"this test does not know what to do when {name} asks for {type(action).__name__}")
        history = replace(history, candidates=candidates)
    pytest.fail("the method never ended")


def stands_in(text: str, forms: tuple[str, ...]) -> bool:
    return any(re.search(rf"(?<![\d.]){re.escape(form)}(?!\d)", text) for form in forms)


@pytest.mark.parametrize("name", [name for name in METHODS.names() if first_prompt(name, judged())])
def test_a_method_says_what_its_model_sees(name: str) -> None:
    assert name in TABLE, f"say in the table of {__file__} what a model may see under {name}"
    assert find_method(name)(Settings(1, 1), Templates()).sees == TABLE[name].declared


@pytest.mark.parametrize("automatic", [False, True])
@pytest.mark.parametrize("name", TABLE)
def test_just_what_the_table_allows_reaches_the_model(name: str, automatic: bool) -> None:
    task, row = judged(), TABLE[name]
    text = everything_said(name, task, automatic_words(task, OUTCOME) if automatic else PERSON)
    seen = {signal for signal, forms in SIGNALS.items() if stands_in(text, forms)}
    assert seen == (row.automatic if automatic and row.automatic else row.told)
    assert not list(in_text(text, task, secrets=("native_reward", "is_fast"), allowed=row.words))
    assert "wombat" not in text.replace(PERSON, ""), "no name or line of a metric reaches a model"


def test_a_number_that_the_table_does_not_allow_would_be_seen() -> None:
    """The signals are told apart, and what Eureka is told is found where Text2Reward's model must not see it."""
    assert stands_in("a score of 7.31.", SIGNALS["score"])
    assert not stands_in("a score of 7.312 or 17.31", SIGNALS["score"])
    text = everything_said("text2reward", judged(), PERSON + " It got 7.31.")
    assert stands_in(text, SIGNALS["score"])


@pytest.mark.parametrize(
    "planted",
    [
        "The environment's `is_success` is true then.",
        "The metric is wombat_depth.",
        "It counts how deep the wombat digs on average.",
        "You may read next_state.secret.reached.",
        "info['native_reward'] is the true one.",
        "Maximise the fitness.",
        "`evaluate()` tells it.",
    ],
)
@pytest.mark.parametrize("name", [name for name in TABLE if everything_said(name, judged(), PERSON)])
def test_a_leak_planted_in_a_template_is_caught(name: str, planted: str, tmp_path: Path) -> None:
    (tmp_path / "task.jinja").write_text(f"{{{{ instruction }}}} {planted}")
    text = everything_said(name, judged(), PERSON, Templates(tmp_path))
    assert list(in_text(text, judged(), secrets=("native_reward",), allowed=TABLE[name].words))


@pytest.mark.parametrize("name", METHODS.names())
@pytest.mark.parametrize("task", tasks().values(), ids=lambda task: task.id)
def test_first_prompts_of_every_task_tell_of_no_judge(task: Task, name: str) -> None:
    if task.world.missing() is not None:
        pytest.skip("this machine cannot run it")
    assert not list(in_text(first_prompt(name, task), task))


WORLDS = sorted({task.world.name for task in tasks().values()})


def outcome_of(task: Task) -> Outcome:
    """One with numbers of its own for each metric of the task, so that each can be told from the others in a text."""
    metrics = {m.name: Interval(*(0.1 * at + part for part in (0.037, 0.021, 0.058))) for at, m in _numbered(task)}
    return replace(OUTCOME, metrics=metrics)


def _numbered(task: Task) -> list[tuple[int, Metric]]:
    return list(enumerate(task.metrics, start=3))


def feedback_of(name: str, task: Task, outcome: Outcome) -> str:
    """All that follows the first prompt of a method; where the world cannot run here, what that is written from."""
    if task.world.missing() is not None:
        return automatic_words(task, outcome) if name == "text2reward" else reflection(deciding(task, outcome), outcome)
    prompts = prompts_of(name, task, automatic_words(task, outcome), outcome)
    first = len(prompts[0])
    assert prompts[-1][:first] == prompts[0] and len(prompts[-1]) > first
    return "\n".join(message for prompt in prompts for message in prompt[first:])


@pytest.mark.parametrize("name", ["eureka", "text2reward"])
@pytest.mark.parametrize("world", WORLDS)
def test_feedback_tells_of_one_number_called_task_score(world: str, name: str) -> None:
    """For every way of judging in a world: no metric's name, no value but that one, no flag, no `success`.

    Automatic words, which stand for a person's, also say in how many episodes the policy does what was asked.
    """
    found = [task for task in tasks().values() if task.world.name == world and task.metrics]
    ways = {tuple((m.name, m.kind, m.doc) for m in task.metrics): task for task in found}
    for task in ways.values():
        outcome = outcome_of(task)
        feedback = feedback_of(name, task, outcome)
        assert "task_score" in feedback and "success" not in feedback.lower()
        for at, metric in _numbered(task):
            assert not re.search(rf"(?<!\w){metric.name}(?!\w)", feedback), f"{task.id} names {metric.name}"
            value = 0.1 * at + 0.037
            forms = (f"{value:.3g}", f"{value:.0%}", f"{value:.0%}".replace("%", " %"))
            told = {deciding(task, outcome).name} if name == "eureka" else {task.graded.name, task.metrics[0].name}
            assert stands_in(feedback, forms) == (metric.name in told), f"{task.id}: {metric.name}"
        if task.world.missing() is None:
            assert not list(in_text(feedback, task, allowed=("task_score",))), task.id
            assert not [f.path for f in task_schema(task).fields if f.hidden and f.path in feedback]


@pytest.mark.parametrize("task", tasks().values(), ids=lambda task: task.id)
def test_an_experts_text_may_be_shown(task: Task) -> None:
    """As an example for another task: visible fields, and no word of what judges."""
    if task.world.missing() is not None:
        pytest.skip("this machine cannot run it")
    (found,) = run("expert", Subject(task))
    assert found.level == "passed", found.text


FAIR = [
    ("point.position", "where the point is over two successive instants", "float"),
    ("goal.orientation", "the orientation to reach", "float"),
    ("point.work", "work done by the motors since the episode began", "float"),
    ("point.contact", "it touches the floor", "bool"),
    ("point.exists", "it is there at all", "bool"),
    ("point.completeness", "share of the disc that is filled", "float"),
    ("goal.position", "where the point must be placed for the task to be complete", "float"),
    ("point.metres", "metres travelled", "int"),
    ("point.was_behind", "it has been within 4 cm of the place 5 cm behind the ball as seen from the goal", "bool"),
]
UNFAIR = [
    ("point.success", "odd", "float"),
    ("point.isSuccess", "odd", "float"),
    ("point.task_score", "odd", "float"),
    ("point.done", "odd", "bool"),
    ("point.last_reward", "odd", "float"),
    ("point.odd", "whether the step succeeded", "float"),
    ("point.odd", "the environment's native reward of the last step", "float"),
    ("point.odd", "what evaluate() returned", "float"),
    ("point.odd", "1 when the goal is reached", "bool"),
    ("point.odd", "it has reached the goal", "int"),
    ("point.odd", "closer than 2 cm, at the target", "bool"),
    ("point.odd", "within 0.1 m of the goal", "bool"),
    ("point.is_placed", "odd", "bool"),
]


@pytest.mark.parametrize(("path", "doc", "kind"), FAIR)
def test_words_that_are_fair(path: str, doc: str, kind: str) -> None:
    assert not list(in_schema(replace(SCHEMA, fields=(Field(path, doc, kind=kind),))))  # type: ignore[arg-type]


@pytest.mark.parametrize(("path", "doc", "kind"), UNFAIR)
def test_words_that_give_it_away(path: str, doc: str, kind: str) -> None:
    field = Field(path, doc, kind=kind)  # type: ignore[arg-type]
    assert list(in_schema(replace(SCHEMA, fields=(field,))))
    assert not list(in_schema(replace(SCHEMA, fields=(replace(field, hidden=True),))))

"""A sweep's file: what it asks for, by which names, and that whatever is wrong in it is told with its line."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
import runs_for_tests as runs
import sweeps_for_tests as sweeps
from sweeps_for_tests import HEAD, write

from reward_agent.config import RunConfig
from reward_agent.errors import MissingComponentError, UsageError
from reward_agent.llm import Budget
from reward_agent.sittings import MAY_CHANGE
from reward_agent.sweep.jobs import FREE, Job, identity, make_jobs
from reward_agent.sweep.spec import OPTIONS, read_spec
from reward_agent.sweep.yaml_lines import read_yaml

HERE = f"{HEAD}rewards: [good.py]\n"


def jobs(folder: Path, text: str) -> tuple[Job, ...]:
    return make_jobs(read_spec(write(folder, text)), folder / "sweep")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", r"is empty"),
        ("a: [1\nb: 2\n", r"line 2: this is not YAML"),
        ("a: 1\nb: 2\na: 3\n", r"line 3: 'a' is given twice, first in line 1"),
        ("a: &x [*x]\n", r"line 1: this value holds itself"),
        ("- 1\n", r"line 1: here should be names with values"),
        (HEAD, r"nothing is wanted. Name `methods`, `models` or `rewards`"),
        (f"{HEAD}method: [eureka]\n", r"line 2: There is no key of a sweep named 'method'. Did you mean 'methods'\?"),
        (f"{HEAD}methods: []\n", r"line 2: `methods` is an empty list, so nothing would be run"),
        ("rewards: [good.py]\n", r"line 1: 'good' is wanted on no task"),
        (f"{HERE}defaults: {{budgets: 3}}\n", r"line 3: There is no option of a run named 'budgets'.*'budget'"),
        (f"{HERE}defaults: {{seed: 3}}\n", r"line 3: There is no option of a run named 'seed'"),
        (f"{HERE}defaults:\n  budget: many\n", r"line 4: `budget` wants int \| None, not 'many'"),
        (f"{HERE}defaults:\n  iterations: yes\n", r"line 4: `iterations` wants int, not True"),
        (f"{HERE}defaults: {{prices: [1]}}\n", r"line 3: `prices` wants"),
        (f"{HERE}defaults: {{final_seeds: 0}}\n", r"line 2: good: final_seeds must be at least 1"),
        (f"{HERE}defaults: {{settings: {{rolout: 3}}}}\n", r"line 2: good: .*setting named 'rolout'.*'rollout'"),
        (f"{HERE}defaults: {{optimiser: pppo}}\n", r"line 2: good: There is no optimiser named 'pppo'.*'ppo'"),
        (f"{HEAD}rewards: [{{name: random, reward: good.py}}]\n", r"line 2: 'random' is what every table calls a row"),
        (f"{HEAD}entries: [{{name: no-op, reward: good.py}}]\n", r"line 2: 'no-op' is what every table calls a row"),
        (
            f"{HEAD}rewards: [good.py]\nentries: [{{name: b, reward: good.py, task: close.py:task}}]\n",
            r"line 3: .*close.py:task has the id 'pointmass/reach', as the task of line 2",
        ),
        (f"{HERE}seeds: [1, 1]\n", r"line 3: a seed is given twice"),
        (f"{HERE}seeds: 0\n", r"line 3: `seeds` wants how many"),
        (f"{HERE}grid: {{temperature: 0.5}}\n", r"line 3: the grid wants a list of values for `temperature`"),
        (f"{HERE}max_usd: -1\n", r"line 3: `max_usd` wants a number of at least 0"),
        (f"{HERE}name: a/b\n", r"line 3: the name 'a/b' is to be a folder's"),
        ("tasks: [mujoco/hoper-forward]\nrewards: [expert]\n", r"line 1: There is no task.*hopper-forward"),
        (f"{HEAD}rewards: [expert]\n", r"line 2: pointmass/reach ships no expert reward"),
        (f"{HEAD}rewards: [goood.py]\n", r"line 2: The reward program .*goood.py cannot be read"),
        (
            f"{HEAD}methods: [eurika]\nmodels: [manual]\n",
            r"line 2: eurika: There is no method named 'eurika'.*'eureka'",
        ),
        (f"{HEAD}models: [openia:m]\n", r"line 2: openia:m: There is no provider of models named 'openia'.*'openai'"),
        (
            f"{HEAD}entries:\n- {{reward: good.py, iterations: 2}}\n",
            r"line 3: an entry either trains on a given `reward`",
        ),
        (f"{HEAD}entries:\n- {{task: a, tasks: [b], reward: good.py}}\n", r"line 3: `task` and `tasks` are both given"),
        (f"{HEAD}rewards: [{{reward: good.py, llm: manual}}]\n", r"line 2: .*`llm` is for a search"),
        (f"{HEAD}methods: [{{name: mine}}]\n", r"line 2: a value of `methods` names its `method`"),
        (
            f"{HEAD}entries:\n- {{name: a, reward: good.py}}\n- {{name: a, reward: timid.py}}\n",
            r"line 4: pointmass/reach, a, seed 0 is asked for in line 3 already",
        ),
        (
            f"{HEAD}entries:\n- {{name: a, reward: good.py}}\n- {{name: b, reward: good.py}}\n",
            r"line 4: .*, b, seed 0 is the very run that line 3 calls 'a'",
        ),
        (
            f"{HEAD}methods: [text2reward]\nmodels: [replay:replies.jsonl]\nmax_usd: 1\nrewards: [bad.py]\n",
            r"\(line 5 of the file\): The reward to improve cannot be trained on",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "bad.py").write_text(runs.BROKEN)
    if not text:
        (tmp_path / "empty.yaml").write_text("")
        with pytest.raises(UsageError, match=told):
            read_spec(tmp_path / "empty.yaml")
        return
    with pytest.raises(UsageError, match=told):
        jobs(tmp_path, text)
    assert not (tmp_path / "sweep").exists()


def test_a_key_that_is_missing_is_told_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(MissingComponentError, match=r"line 2: anthropic:m: .*ANTHROPIC_API_KEY"):
        jobs(tmp_path, f"{HEAD}models: [anthropic:m]\n")


def test_every_combination_by_its_name(tmp_path: Path) -> None:
    text = (
        f"{HEAD}seeds: [4, 7]\nmethods: [{{method: text2reward, name: zero-shot, iterations: 1}}, eureka]\n"
        "models: [manual:one, manual:two]\nrewards: [timid.py]\ngrid: {optimiser: [ppo, sac]}\n"
        "defaults: {budget: 1e3, candidates: 2}\nentries: [{name: mine, reward: good.py, seeds: 1, budget: 7}]\n"
    )
    found = jobs(tmp_path, text)
    labels = [
        f"{m}, manual:{n}, optimiser {o}"
        for m in ("zero-shot", "eureka")
        for n in ("one", "two")
        for o in ("ppo", "sac")
    ]
    labels += ["timid, optimiser ppo", "timid, optimiser sac"]
    assert [job.label for job in found if job.seed == 4] == labels
    assert [job.label for job in found if job.seed == 7] == labels
    assert [(job.label, job.config.budget) for job in found if job.seed == 0] == [("mine", 7)]
    assert found[0].seed == 4 and found[len(labels)].seed == 0, (
        "rows fill together: each entry's first seed, then the next"
    )
    first, given = found[0].config, next(job for job in found if job.label == "timid, optimiser sac")
    assert (first.method, first.llm, first.iterations, first.candidates) == ("text2reward", "manual:one", 1, 2)
    assert (first.budget, first.jobs, first.expert, first.curve_points) == (1_000, 1, False, 10)
    assert given.given and given.config.initial and given.config.initial.source == runs.TIMID
    assert (given.config.method, given.config.llm, given.config.optimiser) == ("given", "none", "sac")
    assert len({job.id for job in found}) == len({job.folder for job in found}) == len(found) == 21


def test_a_model_alone_goes_without_saying(tmp_path: Path) -> None:
    text = f"{HEAD}methods: [text2reward, eureka]\nmodels: [manual]\n"
    assert [job.label for job in jobs(tmp_path, text)] == ["text2reward", "eureka"]
    text = f"{HEAD}methods: [eureka]\nmodels: [{{llm: manual, name: me}}]\n"
    assert [job.label for job in jobs(tmp_path, text)] == ["eureka, me"]
    assert [job.label for job in jobs(tmp_path, f"{HEAD}models: [manual]\n")] == ["manual"]
    text = f"{HEAD}defaults: {{llm: manual}}\ngrid: {{temperature: [0, 1]}}\n"
    assert [job.label for job in jobs(tmp_path, text)] == ["temperature 0", "temperature 1"]


def test_names_of_the_task_are_put_in_and_paths_are_of_the_files_folder(tmp_path: Path) -> None:
    (tmp_path / "reach.py").write_text(runs.GOOD)
    text = f"{HEAD}models: ['replay:replies.jsonl', 'manual:{{world}}']\nrewards: ['{{task_name}}.py']\n"
    found = {job.label: job.config for job in jobs(tmp_path, text)}
    assert found["replay:replies.jsonl"].llm == f"replay:{tmp_path / 'replies.jsonl'}"
    assert (found["replay:replies.jsonl"].iterations, found["replay:replies.jsonl"].candidates) == (1, 2)
    assert found["manual:{world}"].llm == "manual:pointmass"
    assert found["{task_name}"].initial and found["{task_name}"].initial.source == runs.GOOD


def test_a_tasks_own_options_go_before_the_defaults(tmp_path: Path) -> None:
    text = f"tasks: [{{task: {sweeps.TASK}, budget: 9}}]\nrewards: [good.py]\ndefaults: {{budget: 5, final_seeds: 4}}\n"
    (job,) = jobs(tmp_path, text)
    assert (job.config.budget, job.config.final_seeds) == (9, 4)


def test_a_task_is_one_by_whatever_name_it_is_found(tmp_path: Path) -> None:
    text = (
        "entries:\n- {name: a, reward: good.py, task: close.py}\n- {name: b, reward: timid.py, task: 'close.py:task'}\n"
    )
    assert [job.task for job in jobs(tmp_path, text)] == ["pointmass/reach"] * 2
    with pytest.raises(UsageError, match=r"line 3: .*, b, seed 0 is the very run that line 2 calls 'a'"):
        jobs(tmp_path, text.replace("timid", "good"))


def test_words_are_no_task_file_whatever_their_folder_is_called(tmp_path: Path) -> None:
    for folder in ("one.py", "two.py"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "words.toml").write_text('[words]\nant = "machine"\n')
    each = [f"{{name: {name}, task: 'mujoco/ant-forward@disguise={name}.py/words.toml'}}" for name in ("one", "two")]
    found = jobs(tmp_path, f"entries: [{', '.join(each)}]\ndefaults: {{method: eureka, llm: manual}}\n")
    assert len({job.task for job in found}) == 1 and "@disguise=words-" in found[0].task
    assert [str(tmp_path / f"{job.label}.py") in job.config.task for job in found] == [True, True]


def test_budgets_of_the_whole_sweep(tmp_path: Path) -> None:
    assert read_spec(write(tmp_path, f"{HERE}max_usd: 0.5\nmax_tokens: 1e6\n")).budget == Budget(1_000_000, 0.5)
    assert read_spec(write(tmp_path, HERE)).budget == Budget()
    assert read_spec(write(tmp_path, HERE)).name == "sweep", "the file's own where it gives none"


def test_a_budget_in_money_needs_a_price(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    with pytest.raises(UsageError, match=r"line 2: openai:m: No price is known for openai:m"):
        jobs(tmp_path, f"{HEAD}models: [openai:m]\nmax_usd: 1\n")


def test_every_option_of_a_run_is_one_of_a_sweep() -> None:
    assert {field.name for field in fields(RunConfig)} - {"task", "seed"} == OPTIONS


def test_a_job_is_known_by_all_that_its_result_depends_on() -> None:
    config = RunConfig("a", llm="manual", settings={"rollout": 3})
    assert identity(replace(config, seed=1)) != identity(config)
    assert identity(replace(config, settings={"rollout": 4})) != identity(config)
    assert identity(replace(config, llm="manual:other")) != identity(config), "models are what sweeps compare"
    assert identity(replace(config, jobs=3, video=False, max_usd=2.0, prices=(1.0, 2.0))) == identity(config)
    assert set(MAY_CHANGE) > FREE


def test_yaml_has_lines_merges_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("base: &b {x: 1e3, y: 2}\nown:\n  <<: *b\n  y: -2.5e-3\n  z: 1_000\n")
    node = read_yaml(path)
    assert node.plain() == {"base": {"x": 1000.0, "y": 2}, "own": {"x": 1000.0, "y": -0.0025, "z": 1000}}
    assert (node.value["own"].line, node.value["own"].value["z"].line) == (2, 5)


def test_the_pages_files_are_files_of_sweeps(tmp_path: Path, repository: Path) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", (repository / "docs/sweeps.md").read_text(), re.MULTILINE | re.DOTALL)
    specs = []
    for block in blocks:
        (tmp_path / "page.yaml").write_text(block)
        specs.append(read_spec(tmp_path / "page.yaml"))
    # 2 tasks of (1 reward + 2 methods by 2 models) at 2 points; 2 tasks of 3 entries, and one on one task
    assert [len(spec.entries) for spec in specs] == [2 * 5 * 2, 2 * 3 + 1]
    assert [spec.name for spec in specs] == ["reaching", "page"]


def test_the_example_is_twelve_runs(tmp_path: Path, repository: Path) -> None:
    found = make_jobs(read_spec(repository / "examples/sweep.yaml"), tmp_path)
    assert len(found) == 12
    assert {job.label for job in found} == {"expert", "text2reward zero-shot", "eureka, one round of two"}
    assert {job.config.candidates for job in found if job.config.method == "eureka"} == {2}, "as it was recorded"

"""What the pages say is so: commands, files, code."""

from __future__ import annotations

import ast
import re
import shlex
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path

import pytest

from reward_agent.cli import commands

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "runs/README.md",
    *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")),
)


def fences(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_the_readme_lists_the_commands_as_help_does(repository: Path) -> None:
    rows = re.findall(
        r"^\| `reward-agent (\w+)[^`]*` \| (.+) \|$", (repository / "README.md").read_text(), re.MULTILINE
    )
    assert dict(rows) == commands()


def test_the_readme_opens_with_two_commands(repository: Path) -> None:
    text = (repository / "README.md").read_text()
    opening = [line.partition("#")[0].split() for line in fences(text, "bash")[0].splitlines()]
    assert [words[0] for words in opening] == ["make", "make"]
    targets = set(re.findall(r"^([a-z]+):", (repository / "Makefile").read_text(), re.MULTILINE))
    assert {target for words in opening for target in words[1:]} <= targets
    assert " ".join(opening[1]) in (repository / ".ci/run").read_text().splitlines(), "CI runs another command"


@pytest.mark.parametrize("page", PAGES)
def test_commands_on_the_pages_exist(page: str, repository: Path) -> None:
    for block in fences((repository / page).read_text(), "bash"):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] != ["reward-agent"]:
                continue
            assert words[1] in commands(), line
            parser = ArgumentParser()
            import_module(f"reward_agent.cli.{words[1]}").add_arguments(parser)
            known = {*re.findall(r"--[a-z-]+", parser.format_usage()), "--json", "--debug"}
            assert {word for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("page", PAGES)
def test_linked_and_named_files_exist(page: str, repository: Path) -> None:
    text = (repository / page).read_text()
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", prose)
    named = re.findall(r"`((?:reward_agent|envs|prompts|sandbox|tests|benchmarks|examples|docs|runs)/[\w/.-]*)`", text)
    folder = (repository / page).parent
    missing = [name for name in linked if not (folder / name).exists()]
    missing += [name for name in named if not (repository / name).exists()]
    assert not missing


@pytest.mark.parametrize("page", PAGES)
def test_linked_headings_exist(page: str, repository: Path) -> None:
    for name, heading in re.findall(r"\]\((?!http)([^)#]*)#([^)]+)\)", (repository / page).read_text()):
        linked = (repository / page).parent / name if name else repository / page
        titles = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
        assert heading in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, heading


def test_what_planning_cannot_do_is_said_where_it_is_recommended(repository: Path) -> None:
    planner = (repository / "docs/language_to_rewards.md").read_text().partition("## The planner")[2]
    assert "results.md#does-a-minute-of-planning-rank-rewards" in planner
    assert "cannot be planned on" in (repository / "docs/own_environment.md").read_text()


def test_python_on_the_pages_is_python(repository: Path) -> None:
    for page in PAGES:
        for block in fences((repository / page).read_text(), "python"):
            ast.parse(block)


def test_the_readmes_own_reward_is_fit_for_training(repository: Path) -> None:
    from reward_agent.envs.registry import find_task
    from reward_agent.program import Program
    from reward_agent.vet import vet

    (source,) = [b for b in fences((repository / "README.md").read_text(), "python") if "def compute_reward" in b]
    verdict = vet(Program(source), find_task("mujoco/hopper-forward"))
    assert verdict.ok, verdict.faults
    assert verdict.term_names == ("forward", "upright", "effort")


def test_the_tables_of_language_to_rewards_are_those_of_its_rows(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(repository / "benchmarks"))
    import language_to_rewards as bench

    rows = repository / "benchmarks" / "results" / "language_to_rewards.jsonl"
    printed = bench.markdown(bench.table(bench.rows_of(list(bench.asked().values()), rows)))
    written = (repository / "docs" / "results.md").read_text()
    assert len(printed.splitlines()) > 30 and [line for line in printed.splitlines() if line not in written] == []

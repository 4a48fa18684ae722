"""Imports point down (cli → loop → work → parts → values → errors), and what is heavy is imported where it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reward_agent.envs.registry import worlds

# from the top; a module may import from its own layer and from those below
LAYERS = (
    {"cli", "web", "__main__"},
    {
        "agent",
        "api",
        "chat",
        "chronicle",
        "config",
        "export",
        "final",
        "judging",
        "left_open",
        "plan",
        "recorded",
        "report",
        "result",
        "search",
        "sittings",
        "spoken",
        "comparison",
        "sweep",
        "trainings",
        "variant",
        "wrapper",
        "__init__",
    },
    {
        "methods",
        "judges",
        "crediting",
        "optimise",
        "planning",
        "probe",
        "ranking",
        "vet",
        "scoring",
        "conformance",
        "drawing",
        "feedback",
        "term_changes",
        "fewshot",
        "metric_check",
        "coverage",
        "epic",
        "similarity",
        "store",
        "trial",
        "workers",
    },
    {
        "sources",
        "live",
        "llm",
        "envs",
        "sandbox",
        "parameters",
        "prompts",
        "templates",
        "static_check",
        "contract",
        "fields_read",
        "portability",
    },
    {
        "task",
        "program",
        "schema",
        "messages",
        "history",
        "events",
        "codec",
        "files",
        "journal",
        "wording",
        "checked",
        "subgoals",
    },
    {"errors", "invocation", "plugins"},
)
HEAVY = (
    "torch",
    "stable_baselines3",
    "sb3_contrib",
    "mujoco",
    "mjbatch",
    "litellm",
    "openai",
    "anthropic",
    "scipy",
    "sentence_transformers",
    "transformers",
    "jax",
    "matplotlib",
    "rliable",
    "pandas",
    "yaml",
    "viser",
    "mjviser",
    "prompt_toolkit",
)
# what is found by name while it runs and lies above who asks for it, with the reason
FOUND_ABOVE = {
    ("reward_agent.task", "reward_agent.envs.gymnasium"): "`Task.from_gymnasium` is where people look for it, and the "
    "world of everybody's own environments is the one that a task may count on",
}
BUILT_ON = {"robotics": "gymnasium", "quadruped": "mujoco", "dexterous": "mujoco"}
"""Worlds that are special cases of the one of any environment."""
# these are what their package is for, and are themselves imported where they are used
MAY_BE_HEAVY = {"optimise", "envs"}


def sources(repository: Path) -> dict[str, Path]:
    """Every module of the package by dotted name, through the symlinks of the checkout."""
    package = repository / "reward_agent"
    found = {}
    for folder in (package, *(entry for entry in package.iterdir() if entry.is_dir())):
        for path in folder.rglob("*.py") if folder != package else folder.glob("*.py"):
            name = ".".join(("reward_agent", *path.relative_to(package).with_suffix("").parts))
            found[name.removesuffix(".__init__") if name != "reward_agent.__init__" else name] = path
    return found


def imports(path: Path, module: str, *, top_only: bool = False) -> Iterator[tuple[str, int]]:
    """Modules that a file imports, with the line; those only for type checkers are left out."""
    tree = ast.parse(path.read_text())
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"))
        or (top_only and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            yield node.module or "", node.lineno
            if node.module == "reward_agent":
                yield from ((f"reward_agent.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from ((arg.value, node.lineno) for arg in node.args[:1] if isinstance(arg, ast.Constant))


def layer(module: str) -> int:
    part = module.split(".")[1] if "." in module else "__init__"
    for depth, members in enumerate(LAYERS):
        if part in members:
            return depth
    pytest.fail(f"{module} is in no layer: say in tests/test_layers.py where it belongs")


def test_imports_point_down(repository: Path) -> None:
    upward = [
        f"{path}:{line}: {module} imports {imported}"
        for module, path in sources(repository).items()
        for imported, line in imports(path, module)
        if imported.startswith("reward_agent.") and layer(imported) < layer(module)
        if (module, imported) not in FOUND_ABOVE
    ]
    assert not upward, "\n".join(upward)


def test_no_world_is_named_outside_its_folder(repository: Path) -> None:
    names = [*worlds()]
    named = [
        f"{path}:{line}: {imported}"
        for module, path in sources(repository).items()
        for imported, line in imports(path, module)
        for world in names
        if f"{imported}.".startswith(f"reward_agent.envs.{world}.")
        and not f"{module}.".startswith(f"reward_agent.envs.{world}.")
        and BUILT_ON.get(f"{module}...".split(".")[2]) != world
        and (module, imported) not in FOUND_ABOVE
    ]
    assert not named, "\n".join(named)


def test_heavy_packages_are_imported_where_they_are_used(repository: Path) -> None:
    early = [
        f"{path}:{line}: {imported}"
        for module, path in sources(repository).items()
        for imported, line in imports(path, module, top_only=True)
        if imported.split(".")[0] in HEAVY and module.split(".")[1] not in MAY_BE_HEAVY
    ]
    assert not early, "\n".join(early)


@pytest.mark.parametrize("how", ["from reward_agent.agent import x", "importlib.import_module('reward_agent.agent')"])
def test_the_walk_sees_an_upward_import(how: str, tmp_path: Path) -> None:
    wrong = tmp_path / "schema.py"
    wrong.write_text(f"def f():\n    {how}\n")
    ((imported, line),) = imports(wrong, "reward_agent.schema")
    assert line == 2
    assert layer(imported) < layer("reward_agent.schema")


def test_the_cell_reads_columns_as_the_schema_does() -> None:
    from reward_agent import schema
    from reward_agent.sandbox import views

    assert {"float": np.float64, **views._DTYPES} == schema._DTYPES


# what each of these modules may not bring in; in a fresh interpreter
LIGHT = {
    "reward_agent": (*HEAVY, "numpy", "gymnasium", "rich"),
    "reward_agent.plugins": (*HEAVY, "numpy", "gymnasium", "rich"),
    "reward_agent.cli": (*HEAVY, "numpy", "gymnasium", "rich"),
    "reward_agent.envs.registry": HEAVY,
    "reward_agent.optimise": HEAVY,
    "reward_agent.live": HEAVY,
    "reward_agent.llm": HEAVY,
    "reward_agent.methods": HEAVY,
    "reward_agent.agent": HEAVY,
    "reward_agent.chat": HEAVY,
    "reward_agent.cli.chat": HEAVY,
    "reward_agent.sweep.conduct": HEAVY,
    "reward_agent.sweep.table": HEAVY,
    "reward_agent.sweep.curves": HEAVY,
}


@pytest.mark.parametrize("module", LIGHT)
def test_importing_it_stays_light(module: str) -> None:
    code = f"import sys, {module}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(LIGHT[module]) & set(done.stdout.split())

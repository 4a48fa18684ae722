"""The wheel holds what the repository holds: every module, template and recording, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

# where each folder of the checkout lies in the wheel
PLACES = {
    "reward_agent": "reward_agent",
    "envs": "reward_agent/envs",
    "prompts": "reward_agent/prompts",
    "sandbox": "reward_agent/sandbox",
}
SHIPPED = (".css", ".js", ".md", ".svg", ".txt", ".xml", ".py", ".jinja", ".typed", ".toml")


def expected(repository: Path) -> set[str]:
    """Names in the wheel of every file that git keeps and the package needs."""
    listing = subprocess.run(
        ["git", "-C", str(repository), "ls-files", *PLACES], capture_output=True, text=True, check=True
    ).stdout
    names = set()
    for name in listing.splitlines():
        top, _, rest = name.partition("/")
        if rest and not (repository / name).is_symlink() and (name.endswith(SHIPPED) or "/recordings/" in name):
            names.add(f"{PLACES[top]}/{rest}")
    return names


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from what git keeps, in a copy: the checkout is not touched."""
    repository = Path(__file__).resolve().parent.parent
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(
        ["git", "-C", str(repository), "ls-files"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in tracked:
        source, target = repository / name, copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_file():
            target.write_bytes(source.read_bytes())
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.glob("*.whl")
    return path


def test_the_wheel_holds_what_git_keeps(wheel: Path, repository: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = expected(repository)
    assert not wanted - names, f"not in the wheel (pyproject.toml lists packages and data): {sorted(wanted - names)}"
    assert not names - wanted, f"in the wheel, not in git: {sorted(names - wanted)}"
    assert {"reward_agent/py.typed", "reward_agent/envs/registry.py", "reward_agent/sandbox/__init__.py"} <= names


def test_the_wheel_names_its_licence_and_command(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    about = {Path(name).name: archive.read(name).decode() for name in archive.namelist() if ".dist-info/" in name}
    assert "Apache License" in about["LICENSE"]
    assert "reward-agent = reward_agent.cli:main" in about["entry_points.txt"]


def test_the_wheel_works_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """Unpacked, it lists its commands; nothing of the checkout is on the path."""
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import sys; sys.path.insert(0, '.'); from reward_agent import cli; print(cli.__file__); cli.main(['--help'])"
    )
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert str(tmp_path) in done.stdout
    assert "doctor" in done.stdout

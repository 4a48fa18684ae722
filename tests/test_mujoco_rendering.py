"""Images and clips, drawn by whatever OpenGL the machine has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from reward_agent.envs import camera
from reward_agent.envs.mujoco.native import NATIVE
from reward_agent.envs.mujoco.world import MujocoBatch, MujocoWorld
from reward_agent.envs.rendering import write_video
from reward_agent.errors import MissingComponentError


def start(env: str, num_envs: int = 2) -> MujocoBatch:
    world = MujocoWorld(env)
    batch = world.make(num_envs, world.schema().select([]))
    batch.reset(np.ones(num_envs, bool), np.arange(num_envs))
    return batch


@pytest.mark.needs("rendering")
@pytest.mark.parametrize("env", sorted(NATIVE))
def test_every_robot_is_in_its_picture(env: str) -> None:
    """Something differs between the two rows' pictures, and not just at the edges: the robot is in view."""
    batch = start(env)
    actions = np.stack([batch.action_space.low, batch.action_space.high]).astype(float)
    for _ in range(10):
        batch.step(actions)
    first, second = batch.render(0), batch.render(1)
    assert first.shape == (240, 320, 3)
    assert first.dtype == np.uint8
    changed = (np.abs(first.astype(int) - second) > 20).any(axis=2)
    assert changed[40:220, 60:260].sum() > 30
    batch.close()


@pytest.mark.needs("rendering")
def test_the_camera_follows() -> None:
    """A hopper ten metres on is drawn at the same place of the picture."""
    batch = start("Hopper-v5", 1)
    here = batch.render(0).astype(int)
    saved = batch.save()
    saved["state"][0, 1] += 10.0
    batch.restore(saved)
    there = batch.render(0).astype(int)
    torso = (slice(80, 120), slice(155, 165))  # against the sky, above the moving pattern of the floor
    assert np.abs(here[torso] - there[torso]).mean() < 2
    batch.close()


@pytest.mark.needs("rendering")
def test_drawing_does_not_disturb_the_physics() -> None:
    drawn, plain = start("HalfCheetah-v5", 1), start("HalfCheetah-v5", 1)
    for _ in range(3):
        drawn.render(0)
        action = np.full((1, 6), 0.5)
        assert np.array_equal(drawn.step(action).observations, plain.step(action).observations)
    drawn.close()


@pytest.mark.needs("rendering")
def test_a_camera_left_open_ends_quietly(tmp_path: Path) -> None:
    script = tmp_path / "left_open.py"
    script.write_text(
        "import numpy as np\n"
        "from reward_agent.envs.mujoco.world import MujocoWorld\n"
        "world = MujocoWorld()\n"
        "batch = world.make(1, world.schema().select([]))\n"
        "batch.reset(np.ones(1, bool), np.zeros(1, int))\n"
        "batch.render(0)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_backend_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "working_backend", lambda: None)
    with pytest.raises(MissingComponentError, match="apt-get install libosmesa6"):
        start("Hopper-v5", 1).render(0)


def test_a_clip_plays_back_as_written(tmp_path: Path) -> None:
    """Flat colours survive the codec; size, rate, codec and pixel format are what browsers want."""
    colours = [(200, 40, 40), (40, 200, 40), (40, 40, 200), (120, 120, 120)]
    frames = [np.full((240, 320, 3), colour, np.uint8) for colour in colours for _ in range(5)]
    path = write_video(frames, tmp_path / "clip.mp4", fps=10)
    assert [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]
    reader = imageio_ffmpeg.read_frames(str(path))
    meta = next(reader)
    assert (meta["size"], meta["fps"], meta["codec"]) == ((320, 240), 10.0, "h264")
    assert meta["pix_fmt"].startswith("yuv420p")
    played = [np.frombuffer(frame, np.uint8).reshape(240, 320, 3) for frame in reader]
    assert len(played) == 20
    for index, colour in enumerate(colours):
        assert np.abs(played[5 * index + 2].mean(axis=(0, 1)) - colour).max() < 12


def test_a_clip_of_nothing_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no frames"):
        write_video([], tmp_path / "clip.mp4", fps=10)
    assert not list(tmp_path.iterdir())

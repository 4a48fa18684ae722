"""No way out of the runs folder, and clips in parts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_for_tests import Page, clips_of, served, waiting_run

from reward_agent.web.paths import NothingThereError, candidate_folder, open_video, run_folder, runs_in

SECRET = b"what lies outside"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("paths")
    (place / "secret.mp4").write_bytes(SECRET)
    (place / "secret.json").write_bytes(SECRET)
    return waiting_run(place / "runs")


@pytest.fixture(scope="module")
def page(run: Path) -> Iterator[Page]:
    with served("serve", cwd=run.parent.parent) as page:
        yield page


@pytest.mark.parametrize(
    "path",
    [
        "/runs/../secret.json",
        "/runs/..%2f..%2fsecret.json",
        "/runs/%2e%2e",
        "/runs/%2e%2e/rank/0",
        "/runs/one%2f..%2f..%2fsecret.json",
        "/runs/one/candidates/../0/video.mp4",
        "/runs/one/candidates/0/..%2f..%2f..%2fsecret/video.mp4",
        "/runs/one/candidates/-1/0/video.mp4",
        "/runs/one/candidates/0/99/video.mp4",
        "/runs/one/candidates/0/999999999999999999999999/video.mp4",
        "/runs/one/candidates/0/1e3",
        "/runs/one/rank/0/clips/..%2f..%2fquestion.mp4",
        "/runs/one/rank/0/clips/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fsecret.mp4",
        "/runs/one/rank/0/clips/z.mp4",
        "/runs/one/rank/0/clips/a%00.mp4",
        "/runs/one/rank/7",
        "/runs/one/rank/-1",
        "/runs/nothing",
        "/runs/",
        "/runs/one/run.json",
        "/runs/one/journal.jsonl",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e%2fapp.py",
        "/openapi.json",
        "/docs",
    ],
)
def test_there_is_nothing_there(page: Page, path: str) -> None:
    status, content = page.raw(path)
    assert status == 404, path
    assert SECRET not in content and b"Traceback" not in content and b"import" not in content


@pytest.fixture
def copied(run: Path, tmp_path: Path) -> Path:
    shutil.copytree(run, tmp_path / "runs" / "one")
    (tmp_path / "secret.mp4").write_bytes(SECRET)
    return tmp_path / "runs" / "one"


def test_links_that_lead_out_are_not_followed(copied: Path) -> None:
    root, outside = copied.parent, copied.parent.parent
    (outside / "elsewhere").mkdir()
    shutil.copytree(copied, outside / "elsewhere" / "two")
    (root / "two").symlink_to(outside / "elsewhere" / "two")
    (root / "three").mkdir()
    (root / "three/run.json").symlink_to(copied / "run.json")
    assert [*runs_in(root)] == ["one"]
    with pytest.raises(NothingThereError):
        run_folder(root, "two")
    folder = copied / "iter_00/cand_00"
    (folder / "video.mp4").unlink()
    (folder / "video.mp4").symlink_to(outside / "secret.mp4")
    with pytest.raises(NothingThereError):
        open_video(folder, copied)
    (copied / "iter_05").symlink_to(outside / "elsewhere/two/iter_00")
    with pytest.raises(NothingThereError):
        candidate_folder(copied, 5, 0)


def test_a_pipe_is_no_clip(copied: Path) -> None:
    folder = copied / "iter_00/cand_00"
    (folder / "video.mp4").unlink()
    os.mkfifo(folder / "video.mp4")
    with pytest.raises(NothingThereError):
        open_video(folder, copied)


def test_answers_that_are_a_link_out_are_not_written_to(copied: Path) -> None:
    outside = copied.parent.parent / "out"
    outside.mkdir()
    shutil.rmtree(copied / "iter_00/judging/answers")
    (copied / "iter_00/judging/answers").symlink_to(outside)
    with served("serve", "--port", "0", cwd=copied.parent.parent) as page:
        assert page.send("/runs/one/rank/0", rater="me", version=0, do="best:a")[0] == 404
    assert not [*outside.iterdir()]


@pytest.mark.parametrize(
    ("wanted", "status", "first", "last"),
    [
        (None, 200, 0, None),
        ("bytes=0-", 206, 0, None),
        ("bytes=0-0", 206, 0, 0),
        ("bytes=10-19", 206, 10, 19),
        ("bytes=10-999999999", 206, 10, None),
        ("bytes=-7", 206, -7, None),
        ("bytes=999999999-", 416, 0, -1),
        ("bytes=5-2", 416, 0, -1),
        ("bytes=0-1,5-6", 200, 0, None),
        ("bytes=-", 200, 0, None),
        ("lines=1-2", 200, 0, None),
    ],
)
def test_a_clip_is_had_in_parts(
    page: Page, run: Path, wanted: str | None, status: int, first: int, last: int | None
) -> None:
    clip = clips_of(run)[1]
    whole = (run / f"iter_00/judging/clips/{clip}.mp4").read_bytes()
    headers = {"Range": wanted} if wanted else {}
    got, content = page.raw(f"/runs/one/rank/0/clips/{clip}.mp4", headers=headers)
    assert got == status
    if status == 416:
        assert page.last["content-range"] == f"bytes */{len(whole)}"
        return
    begin, end = first % len(whole), len(whole) - 1 if last is None else last
    assert content == whole[begin : end + 1] and page.last["content-length"] == str(len(content))
    assert page.last["content-type"] == "video/mp4" and page.last["accept-ranges"] == "bytes"
    if status == 206:
        assert page.last["content-range"] == f"bytes {begin}-{end}/{len(whole)}"
    assert "last-modified" not in page.last and "etag" not in page.last  # they would tell the candidates' order


def test_a_candidates_own_clip_is_not_shown_while_it_is_judged_blind(page: Page, run: Path) -> None:
    assert (run / "iter_00/cand_00/video.mp4").is_file()
    assert page.ask("/runs/one/candidates/0/0/video.mp4")[0] == 404
    assert "video.mp4" not in page.ask("/runs/one/candidates/0/0")[1]

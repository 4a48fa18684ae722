"""The report: one file that tells all of a run, in which nothing runs and from which nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
import shutil
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

import pointmass
import pytest
from pages import Page, assert_inert
from runs_for_tests import GOOD, TIMID, config, recording, two_rounds

from reward_agent.agent import settled_config, synthesize
from reward_agent.chronicle import read_chronicle
from reward_agent.cli import main
from reward_agent.cli.run import _config, add_arguments
from reward_agent.codec import encode
from reward_agent.errors import RewardAgentError, UsageError
from reward_agent.history import Judgement, Preference, Remark
from reward_agent.judging import JUDGEMENT
from reward_agent.left_open import OPEN
from reward_agent.messages import Key
from reward_agent.report.charts import thinned
from reward_agent.report.command import again
from reward_agent.report.of_run import report_run
from reward_agent.result import RESULT
from reward_agent.spoken import Spoken
from reward_agent.store import JOURNAL, MANIFEST, Run

HOSTILE = "</script></style></pre><img src=http://x.invalid/a onerror=alert(1)><script>alert(2)</script>\"'&{{ 7*6 }}"
TASK_FILE = f"""
import sys
from dataclasses import replace

sys.path.insert(0, {str(Path(pointmass.__file__).parent)!r})
from pointmass import pointmass_task

task = replace(pointmass_task(), instruction={HOSTILE!r})
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("finished")
    synthesize(config(two_rounds(root / "replies.jsonl"), budget=1024, final_seeds=1), root=root, name="one")
    return root / "one"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run all of whose texts are hostile: instruction, program, reply, words, judgement, remarks, a rater's name."""
    root = tmp_path_factory.mktemp("hostile")
    (root / "task.py").write_text(TASK_FILE)
    sources = {Key(0, 0, 0): f"# {HOSTILE}\n{TIMID}", Key(1, 0, 0): f"{GOOD}\n# {HOSTILE}\n"}
    told = config(recording(root / "replies.jsonl", sources), candidates=1, budget=512, final_seeds=1)
    synthesize(replace(told, task=f"{root}/task.py:task"), root=root, name="one")
    with Run.open(root / "one") as run:
        run.record(Key(0, 0, 0, "words"), Spoken(HOSTILE))
        run.record(
            Key(0, 0, 0, JUDGEMENT),
            Judgement(
                judge=HOSTILE,
                best=0,
                worst=None,
                beats_champion=None,
                queries=3,
                preferences=(Preference((0, 0), (0, 0), "tie"),),
                rankings={HOSTILE: ((0,), (-1,))},
                words=HOSTILE,
                remarks=(Remark(0, HOSTILE, HOSTILE),),
                agreement=0.75,
            ),
        )
    return root / "one"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("judged")
    llm = two_rounds(root / "replies.jsonl")
    synthesize(config(llm, method="icpl", judge="metric", budget=512, final_seeds=1), root=root, name="one")
    return root / "one"


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "copy")
    return tmp_path / "copy"


def page_of(folder: Path, to: Path, videos: str = "best", megabytes: int = 50) -> Page:
    report_run(folder, to, videos, megabytes)
    return Page(to.read_text(encoding="utf-8"))


def cut(folder: Path, keep: int) -> None:
    (folder / RESULT).unlink()
    (folder / JOURNAL).write_bytes(b"".join((folder / JOURNAL).read_bytes().splitlines(keepends=True)[:keep]))


def test_it_tells_the_whole_run(finished: Path, tmp_path: Path) -> None:
    page, run = page_of(finished, tmp_path / "a.html"), read_chronicle(finished)
    result = run.result
    assert result is not None
    wanted = [
        run.instruction,
        "finished",
        *(f"iteration {i}, candidate {k}" for i in (0, 1) for k in (0, 1)),
        "not a field of this task",  # the fault that was repaired
        GOOD,
        "Here it is:",  # a reply
        "closeness on the select seeds",
        "no-op",
        "random",
        f"{result.steps:,}",
        result.program.id,
        result.policy_sha256,
        str(result.policy_seed),
        *run.layers[0],
        *run.versions.values(),
    ]
    for words in wanted:
        assert words in page.text, words
    titles = [f"term: {name}" for name in ("near", "effort", "rest")] + ["return", "metric: closeness"]
    assert all(title in page.text for title in titles)
    assert len([svg for svg in page.all("svg") if svg.get("role") == "img"]) >= 4 * 5


def test_a_program_is_shown_with_its_difference_to_the_best_before(finished: Path, tmp_path: Path) -> None:
    report_run(finished, tmp_path / "a.html")
    html = (tmp_path / "a.html").read_text()
    assert html.count("What changed since") == 2
    assert re.search(r"<ins>.*near.*</ins>", html) and re.search(r"<del>.*rest.*</del>", html)


def test_links_lead_somewhere(finished: Path, hostile: Path, tmp_path: Path) -> None:
    for folder in (finished, hostile):
        page = page_of(folder, tmp_path / "a.html")
        links = {link["href"] for link in page.all("a")}
        assert len(links) > 5 and {link.removeprefix("#") for link in links} <= page.ids
        named = {a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a}
        assert named <= page.ids


def test_hostile_text_stays_text(hostile: Path, tmp_path: Path) -> None:
    page = page_of(hostile, tmp_path / "a.html", videos="all")
    assert_inert(page)
    assert page.text.count("<img src=http://x.invalid/a onerror=alert(1)>") >= 10
    assert "{{ 7*6 }}" in page.text
    assert page.all("title") and len(page.all("style")) == 1


def test_its_policy_lets_nothing_run_or_load(finished: Path, tmp_path: Path) -> None:
    page = page_of(finished, tmp_path / "a.html")
    assert_inert(page)
    (policy,) = [meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert rules == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "img-src": "data:",
        "media-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_a_run_that_was_stopped_says_so(copy: Path, tmp_path: Path) -> None:
    cut(copy, 9)
    page = page_of(copy, tmp_path / "a.html")
    assert "stopped" in page.text and f"resume {copy}" in page.text and "Result" not in page.text
    with Run.open(copy):
        page = page_of(copy, tmp_path / "a.html")
        assert "still at work" in page.text and f"resume {copy}" not in page.text
    cut_all = copy / JOURNAL
    cut_all.write_bytes(b"")
    assert "Nothing was asked yet" in page_of(copy, tmp_path / "a.html").text


def test_judgements_are_told(judged: Path, hostile: Path, finished: Path, tmp_path: Path) -> None:
    run = read_chronicle(judged)
    made = sum(judgement.queries for judgement in run.judgements.values())
    text = " ".join(page_of(run.folder, tmp_path / "a.html").text.split())
    assert f"Comparisons made: {made}." in text
    assert "with K = 2 and N = 2: 3." in text  # (2 - 1) * 2 * 2 - 1
    assert "judged best" in text and "judged worst" in text and "--judge metric" in text
    told = page_of(hostile, tmp_path / "b.html").text
    assert "candidate 0 ≻ the best before" in told and "0.75" in told and "is as good as" in told
    assert "Comparisons made" not in page_of(finished, tmp_path / "c.html").text


def test_scores_are_kept_from_those_who_may_judge(judged: Path, tmp_path: Path) -> None:
    folder = tmp_path / "unfinished"
    shutil.copytree(judged, folder)
    assert "closeness" in page_of(folder, tmp_path / "a.html").text
    stages = [json.loads(line)["stage"] for line in (folder / JOURNAL).read_text().splitlines()]
    cut(folder, stages.index(JUDGEMENT))
    assert "closeness" in page_of(folder, tmp_path / "a.html").text  # a metric judges: it has seen them
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["config"]["judge"] = "page"
    (folder / MANIFEST).write_text(json.dumps(manifest))
    text = page_of(folder, tmp_path / "a.html").text
    assert "closeness" not in text and "success" not in text and "term: rest" in text


def test_clips_are_in_the_file_as_far_as_there_is_room(copy: Path, tmp_path: Path) -> None:
    run = read_chronicle(copy)
    for number, folder in enumerate([copy / "best", *(c.folder for c in run.candidates)]):
        (folder / "video.mp4").write_bytes(bytes([number]) * 400_000)
    sources = lambda page: [video["src"] for video in page.all("video")]  # noqa: E731
    every = sources(page_of(copy, tmp_path / "a.html", "all"))
    clips = {base64.b64decode(source.removeprefix("data:video/mp4;base64,"))[0] for source in every}
    assert clips == set(range(5)) and all(source.startswith("data:video/mp4;base64,") for source in every)
    assert len(sources(page_of(copy, tmp_path / "a.html", "best"))) == 3  # what was kept, and a round's best
    assert sources(page_of(copy, tmp_path / "a.html", "none")) == []
    made = report_run(copy, tmp_path / "a.html", "all", 1)
    assert made.videos == 2 and len(made.left_out) == 3
    assert str(made.left_out[0]) in Page((tmp_path / "a.html").read_text()).text
    with pytest.raises(UsageError, match="best"):
        report_run(copy, tmp_path / "a.html", "bset")


@pytest.mark.parametrize("changes", [{}, {"method": "icpl", "judge": "metric:mistakes=0.1", "without": ["traces"]}])
def test_the_command_says_all_that_the_run_was_told(changes: dict[str, object], copy: Path) -> None:
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["config"] |= {"temperature": 0.5, "budget": 2048, "seed": 3, **changes}
    (copy / MANIFEST).write_text(json.dumps(manifest))
    run = read_chronicle(copy)
    found = again(run)
    parser = ArgumentParser()
    add_arguments(parser)
    words = shlex.split(found.command)
    args = parser.parse_args(words[words.index("run") + 1 :])
    assert args.llm == f"replay:{copy}"
    left_open = [name for name in OPEN if getattr(args, name, None) is None]
    told, told_again = (encode(each) for each in (run.config, settled_config(_config(args), left_open=left_open)[0]))
    differing = {name for name in told if told[name] != told_again[name]}
    assert differing == {"llm", "jobs", "tensorboard", "video", *found.no_option}
    assert found.no_option == {"expert": False, "select_episodes": 8, "report_episodes": 8}


def test_the_command_line(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(copy), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["report"] == str(copy / "report.html") and told["state"] == "finished" and told["videos"] == 0
    assert told["bytes"] == (copy / "report.html").stat().st_size
    cut(copy, 5)
    assert main(["report", str(copy), "-o", str(tmp_path / "b.html")]) == 0
    assert "stopped before its end" in capsys.readouterr().out and (tmp_path / "b.html").is_file()
    assert main(["report", str(copy), "-o", str(tmp_path / "none/b.html")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "nothing")]) == 2
    assert main(["report", str(copy), "--each"]) == 2
    assert "--each is for sweeps" in capsys.readouterr().err


def test_a_chat_has_no_report(copy: Path) -> None:
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps(manifest | {"chat": {}}))
    with pytest.raises(RewardAgentError, match="is a chat"):
        report_run(copy)


def test_long_curves_are_thinned_without_losing_their_mean() -> None:
    values = [float(n) for n in range(1000)]
    few = thinned(values, 10)
    assert len(few) == 10 and few.mean() == pytest.approx(499.5) and few[0] == pytest.approx(49.5)
    gaps = thinned([float("nan")] * 500 + [1.0] * 500, 10)
    assert gaps[:5].tolist() != gaps[:5].tolist() and gaps[5:].tolist() == [1.0] * 5

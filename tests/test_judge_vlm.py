"""The judge that sees: sheets of real clips, and a real server on this machine that looks at what it is sent."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from judged import question
from loopback import Loopback, Request, Step, fail, say
from PIL import Image as Picture
from runs_for_tests import GOOD, TIMID, config, recording

from reward_agent.agent import synthesize
from reward_agent.codec import decode
from reward_agent.config import connect_judge
from reward_agent.envs.rendering import write_video
from reward_agent.errors import MissingComponentError, UsageError, WaitingForPersonError
from reward_agent.events import Event, Noted
from reward_agent.history import Judgement
from reward_agent.judges import Question, find_judge
from reward_agent.judges.frames import read_film, sheet
from reward_agent.judging import RunDesk
from reward_agent.llm import LLM, Budget, BudgetError, LLMError, Options, connect
from reward_agent.llm.recordings import write_recording
from reward_agent.messages import PLACE, Key
from reward_agent.program import Program
from reward_agent.search import spent_in
from reward_agent.store import Run, new_manifest, read_steps
from reward_agent.templates import Templates

SECRET = 0.424242
FPS = 20.0

pytestmark = pytest.mark.usefixtures("model_keys")


def clip(path: Path, level: int, frames: int = 9) -> Path:
    """A grey clip with a white bar that moves on with each frame."""
    images = np.full((frames, 48, 64, 3), level, np.uint8)
    for number, image in enumerate(images):
        image[8:16, number * 4 : number * 4 + 4] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_video(images, path, FPS)


def watched(folder: Path, levels: Sequence[int], champion: int | None = None) -> Question:
    """A round whose candidates' clips are as bright as told: what the server below likes."""
    asked = question(folder, [SECRET] * len(levels), champion=None if champion is None else SECRET)
    entrants = tuple(
        replace(each, video=clip(each.folder / "video.mp4", level))
        for each, level in zip(asked.entrants, levels, strict=True)
    )
    best = asked.champion and replace(asked.champion, video=clip(asked.champion.folder / "video.mp4", champion or 0))
    return replace(asked, entrants=entrants, champion=best)


def sheets(request: Request) -> list[Picture.Image]:
    """The images of a request's first message."""
    parts = [part for part in request.body["messages"][0]["content"] if part["type"] != "text"]
    coded = [part["source"]["data"] if "source" in part else part["image_url"]["url"] for part in parts]
    return [Picture.open(io.BytesIO(b64decode(each.rpartition(",")[2]))) for each in coded]


def text_of(request: Request) -> str:
    """Every word of a request."""
    contents = [message["content"] for message in request.body["messages"]]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    return "\n".join([*(c for c in contents if isinstance(c, str)), *(p["text"] for p in parts if p["type"] == "text")])


def brightness(image: Picture.Image) -> float:
    """Of a sheet's first frame, near its lower edge, where no bar is."""
    return float(np.asarray(image.convert("L"))[60:70, 10:60].mean())


def likes_bright(request: Request) -> Step:
    if len(sheets(request)) == 1:
        return say(" It stops too soon. ")
    first, second = (brightness(image) for image in sheets(request))
    return say(
        f"I looked.\n\nPREFER: {'TIE' if abs(first - second) < 5 else 'FIRST' if first > second else 'SECOND'}\n"
    )


def likes_larger(request: Request) -> Step:
    """Has a preference between any two pictures that differ."""
    if len(sheets(request)) == 1:
        return say(" It stops too soon. ")
    first, second = (image.tobytes()[image.width * 3 * 26 :] for image in sheets(request))  # below the label
    return say(f"PREFER: {'TIE' if first == second else 'FIRST' if first > second else 'SECOND'}\n")


def likes_first(request: Request) -> Step:
    return say("Both are fine.\n**PREFER: FIRST**")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    manifest = new_manifest("run", task="t", instruction="go", config={}, sandbox=(), unsafe=False)
    with Run.create(tmp_path, manifest) as opened:
        yield opened


def model(server: Loopback, provider: str = "openai", **options: object) -> LLM:
    url = server.url if provider == "anthropic" else server.openai_url
    return connect(f"{provider}:eyes", Options(base_url=url, **({"retries": 0} | options)))  # type: ignore[arg-type]


def desk(run: Run, llm: LLM, told: Callable[[Event], None] = lambda event: None) -> RunDesk:
    return RunDesk(run, 0, llm, told, None, Templates())


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_model_that_sees_orders_a_round(server: Loopback, run: Run, tmp_path: Path, provider: str) -> None:
    server.answer = likes_bright
    told: list[Event] = []
    judge = find_judge(f"vlm:{provider}:eyes")
    judgement = judge.compare(
        watched(tmp_path, [90, 200, 30, 150], 120), desk(run, model(server, provider), told.append)
    )
    assert (judgement.best, judgement.worst, judgement.beats_champion) == (1, 2, True)
    assert judgement.judge == judge.name == f"vlm:{provider}:eyes"
    assert judgement.queries == len(judgement.preferences) == 2 * 4 - 3 + 1
    assert judgement.agreement == 1.0
    assert len(server.requests) == 2 * judgement.queries
    assert told == [Noted(f"{judge.name}: 6 comparisons in 12 requests; 6 of 6 answered alike in both orders.")]


def test_both_orders_of_a_pair_are_shown_and_labelled_alike(server: Loopback, run: Run, tmp_path: Path) -> None:
    server.answer = likes_bright
    find_judge("vlm:openai:eyes").compare(watched(tmp_path, [50, 200]), desk(run, model(server)))
    forth, back = ([brightness(image) for image in sheets(request)] for request in server.requests)
    assert forth == pytest.approx(back[::-1], abs=3) and abs(forth[0] - forth[1]) > 100
    assert text_of(server.requests[0]) == text_of(server.requests[1])
    headers = [[np.asarray(image.convert("L"))[:24].tobytes() for image in sheets(each)] for each in server.requests]
    assert headers[0] == headers[1] and headers[0][0] != headers[0][1], (
        "the label goes with the side, not with the clip"
    )


def test_an_answer_that_goes_by_the_order_is_a_tie(server: Loopback, run: Run, tmp_path: Path) -> None:
    server.answer = likes_first
    judgement = find_judge("vlm:openai:eyes").compare(watched(tmp_path, [90, 200, 30], 120), desk(run, model(server)))
    assert {made.answer for made in judgement.preferences} == {"tie"}
    assert (judgement.agreement, judgement.best, judgement.beats_champion) == (0.0, None, None)


def test_agreement_is_the_share_of_pairs_answered_alike(server: Loopback, run: Run, tmp_path: Path) -> None:
    def sure_of_large_differences(request: Request) -> Step:
        first, second = (brightness(image) for image in sheets(request))
        return likes_bright(request) if abs(first - second) > 60 else likes_first(request)

    server.answer = sure_of_large_differences
    judgement = find_judge("vlm:openai:eyes").compare(watched(tmp_path, [100, 120, 240]), desk(run, model(server)))
    answers = [made.answer for made in judgement.preferences]
    assert judgement.best == 2
    assert 0 < answers.count("tie") < 3
    assert judgement.agreement == pytest.approx(1 - answers.count("tie") / 3)


def test_nonsense_is_asked_for_anew_once_and_then_skipped(server: Loopback, run: Run, tmp_path: Path) -> None:
    asked = watched(tmp_path, [50, 200, 120])
    server.answer = lambda request: say("PREFER: FIRST, I think, or SECOND")
    judgement = find_judge("vlm:openai:eyes").compare(asked, desk(run, model(server)))
    assert {made.answer for made in judgement.preferences} == {"skip"}
    assert (judgement.best, judgement.worst, judgement.agreement) == (None, None, None)
    assert len(server.requests) == 2 * judgement.queries, "an unread answer is not asked for in the other order"
    first, repair = (request.body["messages"] for request in server.requests[:2])
    assert repair[0] == first[0]
    assert [each["role"] for each in repair] == ["user", "assistant", "user"]
    assert repair[1]["content"] == "PREFER: FIRST, I think, or SECOND" and "PREFER: TIE" in repair[2]["content"]


def test_an_answer_that_is_repaired_counts(server: Loopback, run: Run, tmp_path: Path) -> None:
    def second_time(request: Request) -> Step:
        return likes_bright(request) if len(request.body["messages"]) == 3 else say("The left one!")

    server.answer = second_time
    judgement = find_judge("vlm:openai:eyes").compare(watched(tmp_path, [50, 200]), desk(run, model(server)))
    assert (judgement.best, judgement.agreement, len(server.requests)) == (1, 1.0, 4)


def test_a_limit_of_the_rate_is_waited_for_or_gone_on_from(server: Loopback, run: Run, tmp_path: Path) -> None:
    asked, judge = watched(tmp_path, [50, 200, 120]), find_judge("vlm:openai:eyes")
    slow = fail(429, "slow down", {"retry-after": "0.01"})
    server.answer = lambda request: likes_bright(request) if len(server.requests) <= 3 else slow
    with pytest.raises(LLMError, match="429"):
        judge.compare(asked, desk(run, model(server)))
    assert len([key for key in run.journal.values if key.stage.startswith("judge.")]) == 3
    server.answer = lambda request: slow if len(server.requests) == 5 else likes_bright(request)
    judgement = judge.compare(asked, desk(run, model(server, retries=2)))
    assert (judgement.best, judgement.worst, judgement.queries, judgement.agreement) == (1, 0, 3, 1.0)
    assert len(server.requests) == 6 + 2, (
        "six for three pairs, and the two that were refused: no answer is asked for again"
    )


def test_what_a_request_without_an_answer_cost_is_kept(server: Loopback, run: Run, tmp_path: Path) -> None:
    server.answer = lambda request: say("")
    with pytest.raises(LLMError, match="no text"):
        find_judge("vlm:openai:eyes").compare(watched(tmp_path, [50, 200]), desk(run, model(server)))
    assert spent_in(run.journal.values).tokens == 120 * len(server.requests) > 0


def test_what_is_sent_tells_no_score_no_program_and_no_candidate(server: Loopback, tmp_path: Path) -> None:
    """Two rounds that differ in all of these, and whose clips are the same, are asked about in the same bytes."""
    server.answer = likes_bright
    asked = watched(tmp_path, [50, 200, 120], 90)
    assert asked.champion is not None
    others = {
        entrant.at: replace(
            entrant,
            at=(entrant.at[0], entrant.at[1] + 70),
            program=Program(TIMID),
            scores=dict.fromkeys(entrant.scores, (7.5,)),
            outcome=replace(entrant.outcome, metrics={}, task_score=(7.5,), terms={"other": (1.0,)}),
        )
        for entrant in (*asked.entrants, asked.champion)
    }
    changed = replace(
        asked, entrants=tuple(others[each.at] for each in asked.entrants), champion=others[asked.champion.at]
    )
    judge, bodies = find_judge("vlm:words:openai:eyes"), []
    for number, each in enumerate((asked, changed)):
        manifest = new_manifest(f"run{number}", task="t", instruction="go", config={}, sandbox=(), unsafe=False)
        server.requests.clear()
        with Run.create(tmp_path, manifest) as run:
            judgement = judge.compare(each, desk(run, model(server)))
        assert judgement.best == 1 + 70 * number
        bodies.append([json.dumps(request.body) for request in server.requests])
        for request in server.requests:
            text = text_of(request)
            assert asked.task.instruction in text and PLACE not in text
            unwanted = ["compute_reward", "0.424", "cand", "reward_agent", *(m.name for m in asked.task.metrics)]
            assert [word for word in unwanted if word in text] == []
    assert bodies[0] == bodies[1]


def test_words_on_the_best_are_a_remark(server: Loopback, run: Run, tmp_path: Path) -> None:
    server.answer = likes_bright
    judgement = find_judge("vlm:frames=4,words:openai:eyes").compare(
        watched(tmp_path, [50, 200]), desk(run, model(server))
    )
    (remark,) = judgement.remarks
    assert (remark.candidate, remark.text, remark.rater) == (
        1,
        "It stops too soon.",
        "vlm:frames=4,words:openai:eyes",
    )
    assert len(server.requests) == 3
    (seen,) = sheets(server.requests[-1])
    assert brightness(seen) == pytest.approx(200, abs=5)
    assert "4 frames over 0.40 s" in text_of(server.requests[-1])


def test_who_has_no_clip_is_left_out(server: Loopback, run: Run, tmp_path: Path) -> None:
    server.answer = likes_bright
    asked = watched(tmp_path, [50, 200, 120, 10], 90)
    first, second, third, fourth = asked.entrants
    assert second.video is not None
    second.video.write_bytes(b"no clip at all")
    told: list[Event] = []
    entrants = (first, second, third, replace(fourth, video=None))
    judge = find_judge("vlm:openai:eyes")
    judgement = judge.compare(replace(asked, entrants=entrants), desk(run, model(server), told.append))
    assert (judgement.best, judgement.worst, judgement.beats_champion) == (2, 0, True)
    assert "candidate 1, 3" in str(told[0])
    with pytest.raises(MissingComponentError, match="nothing to watch"):
        judge.compare(replace(asked, entrants=(second,)), desk(run, model(server)))


def test_a_champion_without_a_clip_stays(server: Loopback, run: Run, tmp_path: Path) -> None:
    server.answer = likes_bright
    asked = watched(tmp_path, [50, 200], 90)
    assert asked.champion is not None
    unseen = replace(asked, champion=replace(asked.champion, video=None))
    judgement = find_judge("vlm:openai:eyes").compare(unseen, desk(run, model(server)))
    assert (judgement.best, judgement.beats_champion) == (1, False)
    assert judgement.preferences[-1].answer == "skip" and len(server.requests) == 2


def test_a_person_can_be_the_eyes_and_a_recording_says_it_again(run: Run, tmp_path: Path) -> None:
    asked, judge = watched(tmp_path, [50, 200]), find_judge("vlm:manual:window")
    llm = connect("manual:window", Options(folder=run.folder, wait=0.0))
    for name, answer in (("forth", "FIRST"), ("back", "SECOND")):
        with pytest.raises(WaitingForPersonError, match=f"judge.pair_00.{name}.0.prompt.md with the 2 images"):
            judge.compare(asked, desk(run, llm))
        folder = run.folder / Key(0, 0, 0).folder
        prompt = (folder / f"judge.pair_00.{name}.0.prompt.md").read_text()
        for number in (1, 2):
            picture = f"judge.pair_00.{name}.0.prompt.image_{number}.jpg"
            assert f"[image: {picture}]" in prompt
            assert Picture.open(folder / picture).format == "JPEG"
        (folder / f"judge.pair_00.{name}.0.reply.md").write_text(f"Seen.\nPREFER: {answer}")
    judgement = judge.compare(asked, desk(run, llm))
    assert judgement.agreement == 1.0 and judgement.best is not None
    file = write_recording(run.folder, tmp_path / "said.jsonl")
    replayed = find_judge(f"vlm:replay:{file}")
    manifest = new_manifest("again", task="t", instruction="go", config={}, sandbox=(), unsafe=False)
    with Run.create(tmp_path, manifest) as other:
        again = replayed.compare(asked, desk(other, connect_judge(replayed, other.folder, Budget())))
    assert again == replace(judgement, judge=replayed.name)


def test_a_sheet_shows_the_clip_from_its_first_frame_to_its_last(tmp_path: Path) -> None:
    film = read_film(clip(tmp_path / "a.mp4", 100, frames=41), 5)
    assert film is not None
    assert [frame.seconds for frame in film.frames] == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0])
    assert film.seconds == pytest.approx(2.0)
    for number, frame in zip((0, 10), film.frames, strict=False):
        row = frame.image[10:14, :, 0].mean(axis=0)
        assert row[number * 4 : number * 4 + 4].mean() > 200 > 150 > row[-8:].mean(), "the bar is where it was then"
    drawn = Picture.open(io.BytesIO(sheet(film, "FIRST").data))
    assert drawn.width > 4 * 64 and drawn.height > 2 * 48, "four columns, two rows"
    short = read_film(clip(tmp_path / "b.mp4", 100, frames=2), 12)
    assert short is not None and len(short.frames) == 2
    assert read_film(tmp_path / "nowhere.mp4", 12) is None
    (tmp_path / "empty.mp4").write_bytes(b"")
    assert read_film(tmp_path / "empty.mp4", 12) is None


def test_a_budget_in_money_needs_the_judges_price(server: Loopback, tmp_path: Path) -> None:
    judge = find_judge("vlm:openai:a-model-of-no-known-price")
    with pytest.raises(UsageError, match=r"which judges.*--token-budget"):
        connect_judge(judge, tmp_path, Budget(usd=1.0))
    assert connect_judge(judge, tmp_path, Budget(tokens=9)).name == judge.model
    assert connect_judge(find_judge("vlm:manual"), tmp_path, Budget(usd=1.0)).name == "manual"


def test_a_whole_run_goes_by_what_a_model_saw(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
    server.answer = likes_larger
    said = recording(
        tmp_path / "replies.jsonl", {Key(i, k, 0): [TIMID, GOOD][k] + f"\n# {i}\n" for i in (0, 1) for k in (0, 1)}
    )
    made = config(said, method="icpl", judge="vlm:words:openai:eyes", budget=512, final_seeds=1)
    result = synthesize(made, root=tmp_path, name="one")
    assert result.judge == "vlm:words:openai:eyes" and result.queries == 3
    steps = read_steps(tmp_path / "one")
    kept = [decode(Judgement, value) for key, value in steps.items() if key.stage == "judgement"]
    assert len(kept) == 2 and kept[0].agreement is not None
    assert [remark.text for remark in kept[0].remarks] == ["It stops too soon."]
    second = json.loads((tmp_path / "one/iter_01/cand_00/attempt_00/messages.json").read_text())
    assert "It stops too soon." in second[-1]["text"]
    shown = json.loads((tmp_path / "one/iter_00/cand_00/attempt_00/judge.pair_00.forth.0.messages.json").read_text())
    files = [each["file"] for each in shown[0]["images"]]
    assert files == [f"judge.pair_00.forth.0.prompt.image_{number}.jpg" for number in (1, 2)]
    assert all((tmp_path / "one/iter_00/cand_00/attempt_00" / file).stat().st_size > 500 for file in files)
    assert (tmp_path / "one/journal.jsonl").stat().st_size < 200_000


@pytest.mark.parametrize("tokens", [100, 400])
def test_a_budget_that_ends_while_it_is_asked(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tokens: int
) -> None:
    """A request takes 120 tokens: the first budget ends within the first pair, the other within the second round's."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
    server.answer = likes_larger
    said = recording(
        tmp_path / "replies.jsonl", {Key(i, k, 0): f"{[TIMID, GOOD][k]}\n# {i}\n" for i in (0, 1) for k in (0, 1)}
    )
    made = config(said, method="icpl", judge="vlm:words:openai:eyes", budget=512, final_seeds=1, max_tokens=tokens)
    if tokens == 100:
        with pytest.raises(BudgetError, match="used up"):
            synthesize(made, root=tmp_path, name="one")
        return
    result = synthesize(made, root=tmp_path, name="one")
    assert (result.iteration, result.queries, len(server.requests)) == (0, 1, 4)
    assert "budget" in result.reason

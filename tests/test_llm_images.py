"""Prompts with images: what goes over the wire in each protocol, what is left as files, how a blind model is told."""

from __future__ import annotations

import hashlib
import io
import json
import traceback
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hearing import Listener
from loopback import SECRET, Loopback, fail, say
from PIL import Image as Picture

from reward_agent.codec import decode, encode, to_line
from reward_agent.errors import WaitingForPersonError
from reward_agent.llm import LLM, LLMError, Options, connect, stream_reply
from reward_agent.llm.chat import prompt_sha256
from reward_agent.llm.recordings import read_recording
from reward_agent.llm.replay import Replay
from reward_agent.messages import PLACE, Image, Key, Message, Reply
from reward_agent.store import Run, new_manifest

KEY = Key(0, 1, 0, "look")


def picture(colour: str, kind: str) -> Image:
    file = io.BytesIO()
    Picture.new("RGB", (8, 6), colour).save(file, kind)
    return Image(file.getvalue(), "image/png" if kind == "png" else "image/jpeg")


RED, BLUE = picture("red", "png"), picture("blue", "jpeg")
PROMPT = (
    Message("system", "You compare."),
    Message("user", f"First: {PLACE} second: {PLACE} Which?", (RED, BLUE)),
    Message("assistant", "Well."),
    Message("user", "Say."),
)

every = pytest.mark.parametrize("provider", ["openai", "anthropic", "litellm", "litellm-anthropic"])


@pytest.fixture(autouse=True)
def keys(model_keys: None) -> None:
    """None of this machine's: a prompt here goes to a loopback server alone."""


def model(server: Loopback, provider: str, **options: Any) -> LLM:
    name = {"litellm": "litellm:openai/m", "litellm-anthropic": "litellm:anthropic/m"}.get(provider, f"{provider}:m")
    url = server.url if "anthropic" in provider else server.openai_url
    return connect(name, Options(base_url=url, **({"retries": 0, "timeout": 10.0} | options)))


def received(content: list[dict[str, Any]]) -> list[str | bytes]:
    """Parts of a message as they came over the wire, images as their bytes, each checked for its declared type."""
    parts: list[str | bytes] = []
    for part in content:
        if part["type"] == "text":
            parts.append(part["text"].strip())
            continue
        if part["type"] == "image":
            assert part["source"]["type"] == "base64"
            kind, data = part["source"]["media_type"], b64decode(part["source"]["data"], validate=True)
        else:
            head, _, coded = part["image_url"]["url"].partition(";base64,")
            assert part["type"] == "image_url" and head.startswith("data:")
            kind, data = head.removeprefix("data:"), b64decode(coded, validate=True)
        assert Picture.MIME[str(Picture.open(io.BytesIO(data)).format)] == kind
        parts.append(data)
    return parts


@every
@pytest.mark.parametrize("streamed", [False, True])
def test_images_arrive_at_their_places(server: Loopback, provider: str, streamed: bool) -> None:
    server.script(say("the first"))
    llm = model(server, provider)
    reply = stream_reply(llm, PROMPT, KEY, Listener()) if streamed else llm.complete(PROMPT, KEY)
    assert reply.text == "the first"
    assert reply.prompt_sha256 == prompt_sha256(PROMPT)
    messages = [each for each in server.requests[0].body["messages"] if each["role"] != "system"]
    assert [each["role"] for each in messages] == ["user", "assistant", "user"]
    assert received(messages[0]["content"]) == ["First:", RED.data, "second:", BLUE.data, "Which?"]
    if not provider.startswith("litellm"):
        assert [each["content"] for each in messages[1:]] == ["Well.", "Say."], "what has no image stays plain text"


@every
@pytest.mark.parametrize(
    ("status", "says"),
    [
        (400, "This model does not support image input."),
        (404, "No endpoints found that support image input"),
        (422, "messages[1].content: invalid type: sequence, expected a string"),
        (500, "image input is not supported - you may need to provide the mmproj"),
    ],
)
def test_a_model_that_cannot_see_is_told_in_a_paragraph(
    server: Loopback, provider: str, status: int, says: str
) -> None:
    server.script(fail(status, says))
    with pytest.raises(LLMError) as caught:
        model(server, provider).complete(PROMPT, KEY)
    said = str(caught.value)
    assert "\n" not in said and SECRET not in "".join(traceback.format_exception(caught.value))
    for part in ("refused a prompt with 2 images", says.rstrip("."), "cannot see", "takes images", f"HTTP {status}"):
        assert part in said


@pytest.mark.parametrize(("status", "says"), [(400, "Your context is too long"), (429, "image quota"), (401, "vision")])
def test_what_is_no_matter_of_images_is_not_told_as_one(server: Loopback, status: int, says: str) -> None:
    server.script(fail(status, says), fail(400, "no image support"))
    llm = model(server, "openai")
    with pytest.raises(LLMError) as caught:
        llm.complete(PROMPT, KEY)
    assert "cannot see" not in str(caught.value) and says in str(caught.value)
    with pytest.raises(LLMError) as caught:
        llm.complete(PROMPT[:1], KEY)
    assert "cannot see" not in str(caught.value), "this prompt had no image"


def test_a_person_finds_the_images_beside_the_prompt_by_name(tmp_path: Path) -> None:
    llm = connect("manual:window", Options(folder=tmp_path, wait=0.0))
    with pytest.raises(WaitingForPersonError) as caught:
        llm.complete(PROMPT, KEY)
    assert "look.prompt.md with the 2 images named in it" in str(caught.value)
    folder = tmp_path / KEY.folder
    assert (folder / "look.prompt.image_1.png").read_bytes() == RED.data
    assert (folder / "look.prompt.image_2.jpg").read_bytes() == BLUE.data
    text = (folder / "look.prompt.md").read_text()
    assert (
        "First:\n[image: look.prompt.image_1.png]\nsecond:\n[image: look.prompt.image_2.jpg]\nWhich?\n\n=====" in text
    )
    assert PLACE not in text


def test_a_replay_needs_no_images(tmp_path: Path) -> None:
    reply = Reply("the second", "m", date="2026-01-31T00:00:00+00:00", prompt_sha256=prompt_sha256(PROMPT))
    file = tmp_path / "said.jsonl"
    file.write_text(to_line({"key": list(KEY), **encode(reply)}) + "\n")
    assert Replay("replay:said", read_recording(file)).complete(PROMPT, KEY).text == "the second"


def test_the_hash_of_a_prompt_counts_its_images_and_is_that_of_old_without() -> None:
    plain = (Message("user", "Which?"),)
    assert prompt_sha256(plain) == hashlib.sha256(json.dumps([["user", "Which?"]]).encode()).hexdigest()
    hashes = [prompt_sha256([Message("user", "Which?", images)]) for images in ((), (RED,), (BLUE,), (BLUE, RED))]
    assert len({prompt_sha256(plain), *hashes}) == 4


def test_places_and_images_that_do_not_match_lose_neither_text_nor_image() -> None:
    assert Message("user", "a", (RED, BLUE)).parts == ("a", RED, BLUE)
    assert Message("user", f"{PLACE}a", (RED, BLUE)).parts == (RED, "a", BLUE)
    assert Message("user", f"a{PLACE}b{PLACE}c{PLACE}d", (RED,)).parts == ("a", RED, "b", "cd")
    with pytest.raises(ValueError, match="system"):
        Message("system", "look", (RED,))


def test_messages_survive_json_and_a_runs_file_names_images_it_does_not_hold(tmp_path: Path) -> None:
    for message in PROMPT:
        assert decode(Message, json.loads(to_line(encode(message)))) == message
    with pytest.raises(ValueError):
        decode(Image, {"data": "not base64!", "media_type": "image/png"})
    manifest = new_manifest("one", task="t", instruction="go", config={}, sandbox=(), unsafe=False)
    with Run.create(tmp_path, manifest) as run:
        run.write_prompt(KEY, PROMPT)
    folder = tmp_path / "one" / KEY.folder
    told = json.loads((folder / "look.messages.json").read_text())
    assert [each["text"] for each in told] == [message.text for message in PROMPT]
    assert [set(each) for each in told if each["role"] != "user" or "images" not in each] == [{"role", "text"}] * 3
    assert [each["media_type"] for each in told[1]["images"]] == ["image/png", "image/jpeg"]
    for each, image in zip(told[1]["images"], (RED, BLUE), strict=True):
        data = (folder / each["file"]).read_bytes()
        assert (data, hashlib.sha256(data).hexdigest()) == (image.data, each["sha256"])
    assert RED.base64 not in (folder / "look.messages.json").read_text()

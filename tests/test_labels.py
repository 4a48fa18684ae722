"""Labels asked for beside a training: batches, failures, a dead model, the file, and nobody who waits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest
from corridor import PICKED, ModelReader, answered, truth
from loopback import Loopback, Request, Step, fail, hang, say
from waiting import until

from reward_agent.crediting.labels import Asking, Labeller
from reward_agent.errors import UsageError
from reward_agent.llm import Options, connect
from reward_agent.task import Screen

QUICK = Asking(batch=4, first_pause=0.0)


def screen(at: int, message: str = "") -> Screen:
    drawn = "." * at + "@" + "." * (5 - at) + "+"
    return Screen(drawn, drawn, message, ())


def reader(server: Loopback) -> ModelReader:
    return ModelReader(connect("openai:m", Options(base_url=server.openai_url, retries=0, timeout=600.0)))


def test_labels_come_in_and_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "training" / "labels.jsonl"
    with Loopback() as server:
        server.answer = lambda request: say(answered(request.prompt))
        labeller = Labeller(reader(server), path, QUICK)
        pairs = [(screen(at), screen(at + 1, PICKED if at == 2 else "")) for at in range(4)]
        keys = [labeller.offer(before, "right", after) for before, after in pairs]
        until(lambda: len(labeller.labels()) == 4)
        assert [labeller.labels()[key] for key in keys] == [truth(*pair) for pair in pairs]
        assert labeller.labels()[keys[2]] == {"has_key": True, "at_door": False}
        asked = len(server.requests)
        assert labeller.offer(*pairs[0][:1], "right", pairs[0][1]) == keys[0], "it looks like another"
        labeller.close()
        again = Labeller(reader(server), path, QUICK)
        assert again.labels() == labeller.labels() and again.offer(pairs[1][0], "right", pairs[1][1]) == keys[1]
        again.close()
        assert len(server.requests) == asked, "what is known is not asked"


def test_the_newest_are_asked_and_the_oldest_dropped(tmp_path: Path) -> None:
    gate = Event()

    def answer(request: Request) -> Step:
        gate.wait(60)
        return say(answered(request.prompt))

    with Loopback() as server:
        server.answer = answer
        labeller = Labeller(reader(server), tmp_path / "l.jsonl", Asking(batch=1, queue=3))
        first = labeller.offer(screen(0), "right", screen(1))
        until(lambda: len(server.requests) == 1)
        # while the model is silent, nothing here is: these calls return
        keys = [labeller.offer(screen(0), f"a{number}", screen(1)) for number in range(50)]
        assert labeller.waiting == 3 and len(labeller.labels()) == 0 and len(server.requests) == 1
        gate.set()
        until(lambda: len(labeller.labels()) == 4)
        assert list(labeller.labels()) == [first, *reversed(keys[-3:])]
        dropped = labeller.offer(screen(0), "a0", screen(1))
        until(lambda: dropped in labeller.labels())
        labeller.close()


def test_every_third_call_fails_and_then_the_model_dies(tmp_path: Path) -> None:
    said: list[str] = []

    def answer(request: Request) -> Step:
        number = len(server.requests)
        return fail(500, "overloaded") if number % 3 == 0 or number > 8 else say(answered(request.prompt))

    with Loopback() as server:
        server.answer = answer
        asking = Asking(batch=2, failures=4, first_pause=0.01)
        labeller = Labeller(reader(server), tmp_path / "l.jsonl", asking, said=said.append)
        for number in range(40):
            labeller.offer(screen(0), f"a{number}", screen(1))
        until(lambda: labeller.ended != "")
        # calls 3 and 6 fail, 7 and 8 are answered, 9 to 12 are four in a row
        until(lambda: len(said) == 1)
        assert len(server.requests) == 12 and labeller.batches == 6 and labeller.failures == 6
        assert len(labeller.labels()) == 12, "what failed was asked again"
        assert "failed 4 times in a row" in said[0] and "500" in said[0] and "12 labels" in said[0]
        labeller.offer(screen(3), "right", screen(4))
        labeller.close()
        assert len(server.requests) == 12 and len(said) == 1, "a dead model is asked no more"


def test_what_cannot_be_understood_is_no_label(tmp_path: Path) -> None:
    def answer(request: Request) -> Step:
        lines = zip(request.prompt.split("\n"), answered(request.prompt).split("\n"), strict=True)
        return say("\n".join("?" if " pickup " in line else said for line, said in lines))

    with Loopback() as server:
        server.answer = answer
        labeller = Labeller(reader(server), tmp_path / "l.jsonl", QUICK)
        keys = [labeller.offer(screen(0), name, screen(1)) for name in ("left", "pickup", "right")]
        until(lambda: labeller.faults == 1 and len(labeller.labels()) == 2)
        labeller.offer(screen(0), "pickup", screen(1))
        labeller.close()
        assert set(labeller.labels()) == {keys[0], keys[2]} and not labeller.ended
        assert (tmp_path / "l.jsonl").read_text().count("\n") == 2


def test_a_mistake_of_the_reader_ends_it_and_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    with Loopback() as server:
        server.script(say("none\nnone\nnone"))
        labeller = Labeller(reader(server), tmp_path / "l.jsonl", QUICK, said=said.append)
        labeller.offer(screen(0), "right", screen(1))
        until(lambda: bool(said))
        assert "AssertionError" in said[0] and labeller.ended and not labeller.labels()
        labeller.close()


def test_files_that_cannot_be_meant(tmp_path: Path) -> None:
    path = tmp_path / "l.jsonl"
    whole = '{"key": "a", "reached": {"has_key": true, "at_door": false}}\n'
    with Loopback() as server:
        path.write_text(whole + '{"key": "b", "rea')
        labeller = Labeller(reader(server), path)
        assert dict(labeller.labels()) == {"a": {"has_key": True, "at_door": False}}
        labeller.close()
        assert path.read_text() == whole, "a torn last line is dropped"
        path.write_text("nothing\n" + whole)
        with pytest.raises(UsageError, match="line 1, is no label"):
            Labeller(reader(server), path)
        path.write_text(whole.replace("at_door", "at_home"))
        with pytest.raises(UsageError, match="has_key, at_home, but has_key, at_door are wanted"):
            Labeller(reader(server), path)


HANGS = """
import sys
from corridor import ModelReader
from test_labels import reader, screen
from loopback import Loopback
from pathlib import Path
from reward_agent.crediting.labels import Labeller
from reward_agent.llm import Options, connect

model = connect("openai:m", Options(base_url=sys.argv[1], retries=0, timeout=600.0))
labeller = Labeller(ModelReader(model), Path(sys.argv[2]))
labeller.offer(screen(0), "right", screen(1))
while labeller.waiting:
    pass
print("asked", flush=True)
sys.stdin.read()
if len(sys.argv) > 3:
    labeller.close()
"""


@pytest.mark.parametrize("closed", [["close"], []])
def test_a_hanging_model_keeps_no_process_from_ending(tmp_path: Path, closed: list[str]) -> None:
    with Loopback() as server:
        server.answer = lambda request: hang(600)
        process = subprocess.Popen(
            [sys.executable, "-c", HANGS, server.openai_url, str(tmp_path / "l.jsonl"), *closed],
            cwd=Path(__file__).parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            until(lambda: len(server.requests) == 1)
            # the server holds that request for ten minutes, and the client would wait as long
            process.communicate(timeout=120)
        finally:
            process.kill()
        assert process.returncode == 0

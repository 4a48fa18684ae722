"""Sessions with a person: turns, corrections, what is taken back, what is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import chats_for_tests as chats
import numpy as np
import pytest
from chats_for_tests import Glance, Scripted, prompt
from runs_for_tests import BROKEN, GOOD, TIMID

from reward_agent import agent
from reward_agent.chat import ChatSettings, Look
from reward_agent.chat.clips import make_clip
from reward_agent.chat.keeping import export, save, scores
from reward_agent.errors import RewardAgentError, UsageError
from reward_agent.history import Outcome
from reward_agent.llm import LLMError, Spent
from reward_agent.messages import Usage
from reward_agent.optimise.policy import load_policy
from reward_agent.program import Fault, read_program
from reward_agent.trial import VIDEO


def test_first_words_are_the_instruction_and_the_next_are_on_what_they_led_to(tmp_path: Path) -> None:
    model, glance = Scripted(GOOD, TIMID), Glance()
    with chats.begin(tmp_path, model, looker=glance) as session:
        first = session.say("push the point as far left as it goes")
        assert first.program is not None and first.program.source.strip() == GOOD
        second = session.say("gently, please")
        assert second.program is not None and second.program.source.strip() == TIMID
    assert "push the point as far left as it goes" in prompt(model, 0)
    assert "stay there" not in prompt(model, 0), "the task's own instruction is not the person's"
    said = model.asked[1][1]
    assert [message.role for message in said] == ["system", "user", "assistant", "user"]
    assert GOOD in said[2].text and "gently, please" in said[3].text
    assert [seen[0] for seen in glance.seen] == ["push the point as far left as it goes"] * 2
    assert [key[:3] for key, _ in model.asked] == [(0, 0, 0), (1, 0, 0)]


def test_go_takes_the_instruction_of_the_task_then_words_from_the_numbers(tmp_path: Path) -> None:
    model = Scripted(GOOD, TIMID)
    with chats.begin(tmp_path, model) as session:
        session.go()
        session.go()
        assert [turn.automatic for turn in session.talk.turns] == [False, True]
    assert "push the point to the goal and stay there" in prompt(model, 0)
    assert "Automatic description" in prompt(model, 1)


def test_eureka_hears_the_person_too(tmp_path: Path) -> None:
    longer = GOOD + "\n# a longer program looks better to a glance\n"
    model = Scripted(longer, TIMID, GOOD)
    with chats.begin(tmp_path, model, method="eureka") as session:
        session.go()
        session.say("it shakes")
        session.say("now it does nothing at all")
    assert "it shakes" in model.asked[1][1][-1].text
    assert "task_score" in model.asked[1][1][-1].text, "beside what the method tells itself"
    last = model.asked[2][1]
    assert longer.strip() in last[2].text, "the best program is what the method goes on from"
    assert TIMID in last[-1].text, "and the one the person speaks of is shown with the words"
    assert "Of the reward of round 1:\nit shakes" in last[-1].text and "now it does nothing at all" in last[-1].text


def test_icpl_hears_the_person_where_nobody_compares(tmp_path: Path) -> None:
    model = Scripted(GOOD, TIMID, GOOD)
    with chats.begin(tmp_path, model, method="icpl") as session:
        session.go()
        session.say("it shakes")
        session.say("now it does nothing at all")
    *_, shown, said = (message.text for message in model.asked[2][1])
    assert TIMID in shown and "the latest that was looked at" in said
    assert "now it does nothing at all" in said and "it shakes" in said
    assert "task_score" not in said and "closeness" not in said and "could be trained" not in said


@pytest.mark.parametrize("method", ["eureka", "text2reward", "icpl"])
def test_words_without_a_look_go_with_the_program_alone(tmp_path: Path, method: str) -> None:
    model = Scripted(GOOD, TIMID, GOOD)
    with chats.begin(tmp_path, model, settings=ChatSettings(look="none"), method=method) as session:
        turn = session.go()
        assert isinstance(turn.outcome, Outcome) and not turn.outcome.measured
        session.say("count effort twice")
        with pytest.raises(UsageError, match="Nothing is known of this reward"):
            session.go()
        session.say("and a third time")
        assert "nan" not in (session.run.folder / "transcript.md").read_text()
    for asked, words in ((1, "count effort twice"), (2, "and a third time")):
        said = model.asked[asked][1]
        assert words in said[-1].text and "has not been seen yet" in said[-1].text
        assert "nan" not in prompt(model, asked).replace("nan_to_num", "").split() and "did best" not in said[-1].text
    assert TIMID in model.asked[2][1][-2].text


class Brief(Glance):
    """A look that was stopped."""

    def look(self, *given: Any) -> Look | Fault:
        found = super().look(*given)
        assert isinstance(found, Look)
        return replace(found, metrics={}, seconds=0.5, cut_short=True)


@pytest.mark.parametrize("method", ["eureka", "text2reward"])
def test_a_look_that_was_cut_short_is_no_score_to_beat(tmp_path: Path, method: str) -> None:
    model = Scripted(GOOD, TIMID, GOOD)
    with chats.begin(tmp_path, model, looker=Brief(), method=method) as session:
        session.go()
        session.say("slower")
        session.go()
    *_, shown, said = (message.text for message in model.asked[2][1])
    assert TIMID in shown, "where nothing is scored the latest is gone on from, not the first"
    assert "stopped after 0.5 of 3 s" in said and "no policy was trained" in said
    false = ("did best", "still the best", "beat", "policy whose", "task_score", "not being learnt", "nan")
    assert not any(each in said for each in false), said


@pytest.mark.parametrize("method", ["eureka", "text2reward"])
def test_of_a_look_that_was_cut_short_nobody_says_that_another_was_better(tmp_path: Path, method: str) -> None:
    model, looks = Scripted(GOOD, TIMID, GOOD), iter((Glance(), Brief(), Glance()))
    with chats.begin(tmp_path, model, method=method) as session:
        session.showing.make_looker = lambda turn, number: next(looks)
        session.go()
        session.say("slower")
        session.say("slower still")
    said = model.asked[2][1][-1].text
    assert "did best" not in said and "still the best" not in said and "without beating" not in said
    assert "slower still" in said
    if method == "eureka":
        assert "under which the planner beats task_score -" in said, "what closeness was, as nothing succeeded"
        assert "which is better:\n- round 2: a look that was not scored; its terms in the end: near" in said


def test_looks_as_data_say_what_became_of_them(tmp_path: Path) -> None:
    class Stopped:
        def look(self, *given: Any) -> Look | Fault:
            raise KeyboardInterrupt

    class Fails:
        def look(self, *given: Any) -> Look | Fault:
            return Fault("optimise", "it divides by zero", 3)

    looks = iter((Stopped(), Fails(), Glance()))
    with chats.begin(tmp_path, Scripted(GOOD), settings=ChatSettings(look="none")) as session:
        session.showing.make_looker = lambda turn, number: next(looks)
        session.go()
        for _ in range(3):
            session.look()
        unseen, stopped, failed, seen = json.loads(json.dumps(session.to_json(), allow_nan=False))["turns"][0]["looks"]
    nothing = {"by": None, "seconds": None, "stopped_of": None, "real_time_factor": None}
    assert unseen == {**nothing, "stopped": False, "fault": None}
    assert stopped == {**nothing, "stopped": True, "fault": None}
    assert failed["fault"]["message"] == "it divides by zero" and failed["fault"]["line"] == 3
    assert (seen["by"], seen["stopped"], seen["fault"]) == ("planner", False, None)


def test_a_clip_named_too_long_is_refused_as_any_other_file(tmp_path: Path) -> None:
    told = r"cannot be written \(file name too long\)\. Name a shorter one\.$"
    with chats.begin(tmp_path, Scripted(GOOD)) as session, pytest.raises(RewardAgentError, match=told):
        make_clip(session, tmp_path / f"{'x' * 300}.mp4")


def test_faults_go_back_to_the_model_until_they_are_mended(tmp_path: Path) -> None:
    model = Scripted(BROKEN, GOOD)
    with chats.begin(tmp_path, model) as session:
        turn = session.go()
        assert [attempt.ok for attempt in turn.attempts] == [False, True]
        assert turn.attempts[1].messages == model.asked[1][1]
    assert "nearness" in model.asked[1][1][-1].text


def test_a_model_that_cannot_mend_it_ends_the_turn_and_hears_the_next_words(tmp_path: Path) -> None:
    model = Scripted(BROKEN, BROKEN, BROKEN, GOOD)
    with chats.begin(tmp_path, model, repairs=2) as session:
        turn = session.go()
        assert turn.program is None and not session.unfinished and len(model.asked) == 3
        assert session.say("use the point's position").program is not None
    assert "use the point's position" in model.asked[3][1][-1].text and "nearness" in model.asked[3][1][-1].text


def test_undo_takes_a_turn_back_and_the_next_words_begin_a_branch(tmp_path: Path) -> None:
    model = Scripted(GOOD, TIMID, TIMID + "\n# other\n")
    with chats.begin(tmp_path, model) as session:
        session.go()
        session.say("wrong words")
        session.undo()
        assert session.with_program().program.source.strip() == GOOD  # type: ignore[union-attr]
        turn = session.say("right words")
        assert turn.at == (1, 1) and (session.run.folder / "iter_01/cand_01/attempt_00/program.py").exists()
        with pytest.raises(UsageError, match="no turn to take back"):
            for _ in range(3):
                session.undo()
        told = (session.run.folder / "transcript.md").read_text()
    assert "right words" in prompt(model) and "wrong words" not in prompt(model)
    assert [key[:3] for key, _ in model.asked] == [(0, 0, 0), (1, 0, 0), (1, 1, 0)], "as a replay asks for them"
    assert "wrong words\n\n(taken back)" in told and "# other" in told


def test_a_failed_request_counts_and_can_be_tried_again(tmp_path: Path) -> None:
    failures = [LLMError("no luck", usage=Usage(100, 400, 2.0)) for _ in range(2)]
    with chats.begin(tmp_path, Scripted(*failures, GOOD)) as session:
        for again in (lambda: session.say("anything"), session.go):
            with pytest.raises(LLMError, match="no luck"):
                again()
        assert session.go().program is not None
        spent = session.llm.spent
    assert spent == Spent(1, 300, 850, 4.5)
    with chats.again(tmp_path / "one", Scripted()) as session:
        assert session.llm.spent == spent


def test_a_look_by_training_is_a_training_in_a_worker(tmp_path: Path) -> None:
    settings = ChatSettings(look="training", budget=512)
    with chats.begin(tmp_path, Scripted(GOOD), settings=settings) as session:
        turn = session.go()
        assert isinstance(turn.outcome, Outcome) and turn.outcome.by == "training" and turn.outcome.steps == 512
        assert set(turn.outcome.terms) == {"near", "effort"}
        assert load_policy(session.run.folder / "iter_00/cand_00/look_00") is not None
        assert scores(turn) == (None, turn.outcome.metrics)


def test_what_is_kept(tmp_path: Path) -> None:
    with chats.begin(tmp_path, Scripted(GOOD, TIMID)) as session:
        with pytest.raises(UsageError, match="no reward yet"):
            export(session, tmp_path / "reward.py")
        session.say("reach it")
        session.train(512)
        best = save(session)
        assert {path.name for path in best.iterdir()} >= {"reward.py", "policy.safetensors", "transcript.md"}
        assert "reach it" in (best / "reward.py").read_text()
        session.say("less")
        assert save(session) == best
        assert not (best / "policy.safetensors").exists(), "a policy of another reward is not its"
        assert "512 steps" not in (best / "reward.py").read_text()
        with pytest.raises(UsageError, match="is there already"):
            save(session, best)
        program = read_program(export(session, tmp_path / "out/reward.py"))
        assert program.source.strip() == TIMID  # type: ignore[union-attr]
        with pytest.raises(UsageError, match="is there already"):
            export(session, tmp_path / "out/reward.py")


def test_a_clip_is_kept_of_what_is_filmed(tmp_path: Path) -> None:
    class Moves(Glance):
        def look(self, *given: Any) -> Look | Fault:
            found = super().look(*given)
            assert isinstance(found, Look)
            return replace(found, actions=np.ones((20, 1))) if len(self.seen) == 1 else found

    with chats.begin(tmp_path, Scripted(GOOD), looker=Moves()) as session:
        session.go()
        assert not (save(session) / VIDEO).exists(), "nothing is filmed for it"
        turn = session.look()
        assert len(turn.looks) == 2, "of which the last played nothing"
        clip = make_clip(session)
        assert (save(session) / VIDEO).read_bytes() == clip.read_bytes()
        session.train(512)
        assert not (save(session) / VIDEO).exists(), "a clip of a look is none of the policy"


def test_go_after_a_turn_that_failed_says_the_same_again(tmp_path: Path) -> None:
    model = Scripted(GOOD, BROKEN, BROKEN, BROKEN, BROKEN, TIMID)
    with chats.begin(tmp_path, model, repairs=1) as session:
        session.go()
        assert session.say("do less").program is None
        again = session.go()
        assert again.program is None and again.words == "do less" and len(model.asked) == 5
        assert "do less" in model.asked[3][1][-1].text
        assert session.go().program is not None


def test_a_look_that_is_asked_for_is_played_where_none_is_else(tmp_path: Path) -> None:
    settings = ChatSettings(look="none", budget=512)
    with chats.begin(tmp_path, Scripted(GOOD), settings=settings) as session:
        turn = session.go()
        assert isinstance(turn.outcome, Outcome) and turn.outcome.by == "nothing"
        turn = session.look()
        assert isinstance(turn.outcome, Outcome) and turn.outcome.by == "training" and turn.outcome.steps == 512


def test_a_reward_brought_is_looked_at_first_and_cannot_be_taken_back(tmp_path: Path) -> None:
    from reward_agent.program import Program

    model, glance = Scripted(GOOD), Glance()
    with chats.begin(tmp_path, model, looker=glance, initial=Program(TIMID)) as session:
        assert not session.unfinished
        session.say("it should move")
        assert [seen[1].strip() for seen in glance.seen] == [TIMID, GOOD]
        session.undo()
        with pytest.raises(UsageError, match="no turn to take back"):
            session.undo()
    assert "it should move" in prompt(model) and "the user's own" in prompt(model)
    assert "push the point to the goal and stay there" in prompt(model)


def test_a_method_without_a_model_has_nothing_to_talk_with(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nobody would"):
        chats.begin(tmp_path, Scripted(), method="given")
    assert not list(tmp_path.iterdir())


def test_a_search_does_not_go_on_with_a_chat(tmp_path: Path) -> None:
    chats.begin(tmp_path, Scripted()).close()
    with pytest.raises(UsageError, match="is a chat"):
        agent.resume(tmp_path / "one", llm=Scripted())

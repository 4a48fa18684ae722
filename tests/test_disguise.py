"""A task in disguise: other names, turned axes, the same scores to the last bit, and a run that goes through so."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pointmass
import pytest
import runs_for_tests as runs
import space

from reward_agent.agent import prepare, resume, synthesize
from reward_agent.envs.disguise import DisguisedWorld, disguise, pinned, words_of
from reward_agent.envs.episodes import Episodes, task_schema
from reward_agent.envs.registry import find_task, tasks
from reward_agent.envs.wording import Wording
from reward_agent.errors import InterruptedRunError, UsageError
from reward_agent.methods.base import brief
from reward_agent.program import Program
from reward_agent.sandbox.cell import Cell
from reward_agent.sandbox.helpers import rotate
from reward_agent.schema import Array
from reward_agent.scoring import roll_out
from reward_agent.static_check import check
from reward_agent.task import Task, Termination
from reward_agent.trial import reference, resolve

WORDED = [
    task
    for task in tasks().values()
    if (words_of(task.world.name) or Path()).is_file() and task.world.missing() is None
]
FAST = [task for task in WORDED if task.world.parallel_envs > 8]
SLOW = (
    "metaworld/button-press",
    "metaworld/drawer-close",
    "maniskill/pick-cube",
    "robotics/adroit-hammer",
    "robotics/fetch-push",
    "robotics/hand-reach",
)
"""Of the worlds that step one environment at a time, a few: actions along axes and of joints, goals of every kind."""
PLAYED = [*FAST, *(task for task in WORDED if task.id in SLOW)]
ORDINARY = {"open", "close", "side", "into", "in", "World"}
"""Words of a benchmark's names that any instruction may have."""
WORDS = """
[words]
point = "bead"
goal = "mark"
push = "shift"
"""


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "flying.toml"
    path.write_text('axes = "zxy"\n[words]\ndrone = "craft A"\nfly = "go"\nrotor = "engine"\n"quick drone" = "Craft"\n')
    return path


@pytest.fixture
def bead(tmp_path: Path) -> Path:
    path = tmp_path / "beads.toml"
    path.write_text(WORDS)
    return path


def acting(task: Task, order: tuple[int, ...] | None = None) -> Any:
    """A fixed policy of a task; with `order` its actions are those of the disguised one."""
    schema = task_schema(task)
    low, high = np.array(schema.action.low), np.array(schema.action.high)
    weights: list[Array] = []

    def act(observations: Array) -> Array:
        if not weights:
            weights.append(np.random.default_rng(5).normal(size=(observations.shape[1], len(low))))
        made = low + (high - low) * (0.5 + 0.5 * np.sin(3.0 * observations @ weights[0]))
        return made if order is None else made[:, list(order)]

    return act


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("task", PLAYED, ids=lambda task: task.id)
def test_scores_are_those_of_the_task_itself_bit_for_bit(task: Task, seed: int) -> None:
    hidden = disguise(task, seed)
    assert isinstance(hidden.world, DisguisedWorld)
    short = {"horizon": 80}
    before = roll_out(replace(task, **short), acting(task), range(6))
    after = roll_out(replace(hidden, **short), acting(task, hidden.world.actions), range(6))
    assert before.keys() == after.keys()
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])
        assert np.isfinite(before[name]).all()


@pytest.mark.parametrize("axes", ["yzx", "zxy"])
def test_a_world_with_everything_that_turns(words: Path, axes: str) -> None:
    words.write_text(words.read_text().replace("zxy", axes))
    hidden = disguise(space.task, words)
    assert isinstance(hidden.world, DisguisedWorld)
    order = hidden.world.actions
    before = roll_out(space.task, acting(space.task), range(9))["reached"]
    after = roll_out(hidden, acting(space.task, order), range(9))["reached"]
    np.testing.assert_array_equal(before, after)
    turned = {"yzx": (2, 0, 1, 3), "zxy": (1, 2, 0, 3)}[axes]
    assert order == turned
    schema = task_schema(hidden)
    assert schema.action.high == tuple((1, 2, 3, 4)[i] for i in turned)
    # columns keep their letters, which number them
    assert schema.action.names == ("move in x", "move in y", "move in z", "grip of the craft A")
    constants = {constant.name: constant for constant in schema.constants}
    assert constants["craft_a_size"].value == tuple((0.1, 0.2, 0.3)[i] for i in turned[:3])
    assert constants["craft_a_size"].doc == "half of it along x, y and z"
    assert constants["limits"].value == (1.0, 2.0, 3.0)
    up = axes[2]
    assert (schema.up, constants["floor"].doc) == (up, f"{up} of the floor")
    assert schema.by_path["craft_a.position"].doc == f"where it is; {up} is its height"
    assert hidden.instruction == f"go the craft A along +{axes[0]}, above {up} = 1"
    assert isinstance(hidden.terminates, Termination) and hidden.terminates.doc == f"the craft A is below {up} = -3"
    (entity, *_) = schema.entities
    assert (entity.name, entity.kind, entity.doc) == ("craft_a", "Craft", f"flies along +{axes[0]}")


def test_states_are_the_same_numbers_in_other_places(words: Path) -> None:
    hidden = disguise(space.task, words)
    assert isinstance(hidden.world, DisguisedWorld)
    known = task_schema(space.task)
    plain, other = (Episodes(task, 3, task_schema(task).by_path) for task in (space.task, hidden))
    generator = np.random.default_rng(0)
    for episodes in (plain, other):
        episodes.reset(np.ones(3, bool), np.arange(3))
    for _ in range(5):
        saved = other.save()
        action = generator.uniform(-5, 5, (3, 4))
        plain.step(action)
        observed = other.step(action[:, hidden.world.actions]).observations
        np.testing.assert_array_equal(other.states, plain.states[:, hidden.world.columns(known)])
        other.restore(saved)
        np.testing.assert_array_equal(other.step(action[:, hidden.world.actions]).observations, observed)
    view, turned = known.view(plain.states), task_schema(hidden).view(other.states)
    order = list(hidden.world.wording.order)
    np.testing.assert_array_equal(turned.craft_a.position, view.drone.position[:, order])
    np.testing.assert_array_equal(turned.start.craft_a.position, view.start.drone.position[:, order])
    np.testing.assert_array_equal(turned.craft_a.engine_speeds, view.drone.rotor_speeds)
    np.testing.assert_array_equal(turned.craft_a.shoved, view.drone.shoved)
    # a vector of the body, turned by the orientation, is turned as the world's are
    vector = generator.normal(size=(3, 3))
    before, after = rotate(view.drone.orientation, vector), rotate(turned.craft_a.orientation, vector[:, order])
    np.testing.assert_allclose(after, before[:, order], atol=1e-12)


# the expert of the ant moving forward, as one writes it who knows the disguise (seed 0: x is y, y is z, z is x)
TRANSLATED = """
import numpy as np


def compute_reward(state, action, next_state):
    speed = (next_state.hull.position[:, 1] - state.hull.position[:, 1]) / constants.dt
    height = next_state.hull.position[:, 0]
    terms = {
        "forward": speed,
        "healthy": np.where((height >= 0.2) & (height <= 1.0), 1.0, 0.0),
        "effort": -0.5 * (action**2).sum(-1),
    }
    return sum(terms.values()), terms
"""


def test_a_program_for_the_disguise_gives_what_the_published_one_gives() -> None:
    task = find_task("mujoco/ant-forward")
    hidden = find_task("mujoco/ant-forward@disguise=0")
    assert task.expert is not None
    totals = []
    for of, source in ((task, task.expert.read_text()), (hidden, TRANSLATED)):
        schema = task_schema(of).visible()
        episodes = Episodes(of, 4, schema.by_path)
        episodes.reset(np.ones(4, bool), np.arange(4))
        program = Program(source)
        report = check(program, schema)
        assert not report.faults
        selected = schema.select(report.fields)
        columns = np.concatenate([np.r_[schema.columns[path]] for path in selected.by_path])
        generator = np.random.default_rng(3)
        with Cell() as cell:
            rows, given = [], []
            for _ in range(20):
                action, before = generator.uniform(-1, 1, (4, 8)), episodes.states[:, columns]
                after = episodes.step(action).states[:, columns]
                rows.append((before, action, after))
            first = rows[0]
            assert cell.load(program, selected, first) == ("forward", "healthy", "effort")
            given = [cell(*row).total for row in rows]  # type: ignore[union-attr]
        totals.append(np.array(given))
    np.testing.assert_array_equal(*totals)
    assert np.ptp(totals[0]) > 0.1


@pytest.mark.parametrize("task", [task for task in WORDED if task.expert], ids=lambda task: task.id)
def test_prompts_say_nothing_that_gives_a_task_away(task: Task) -> None:
    hidden = disguise(task, 1)
    said = brief(hidden)
    assert isinstance(hidden.world, DisguisedWorld)
    text = " ".join(str(said[part]) for part in ("instruction", "control", "ending", "schema"))
    for word in hidden.world.wording.words:
        assert not re.search(rf"(?<![A-Za-z]){word.replace(' ', '[ _-]')}(?![a-z])", text, re.IGNORECASE), word
    for name in set(filter(None, re.split(r"[ -]", task.benchmark))) - ORDINARY:
        assert not re.search(rf"(?<![A-Za-z]){name}(?![a-z])", text, re.IGNORECASE), name
    assert said["benchmark"] == "" and said["up"] == "y"
    assert "pitch(" in brief(task)["helpers"] and "pitch(" not in said["helpers"]
    assert "rotate(" in said["helpers"]


def test_the_contract_names_the_axis_that_is_up() -> None:
    from reward_agent.history import History
    from reward_agent.methods import Ask, Settings, find_method
    from reward_agent.templates import Templates

    for name, up in (("mujoco/ant-forward", "z"), ("mujoco/ant-forward@disguise=0", "x")):
        ask = find_method("eureka")(Settings(1, 1), Templates()).next(find_task(name), History())
        assert isinstance(ask, Ask)
        assert f"world frame with {up} up" in ask.prompts[0].messages[0].text


def test_helpers_that_take_z_as_up_are_a_fault_where_it_is_not() -> None:
    source = "def compute_reward(state, action, next_state):\n    tilt = pitch(next_state.{}.orientation)\n"
    source += "    return tilt, {{'tilt': tilt}}\n"
    plain, hidden = (task_schema(find_task(f"mujoco/ant-forward{mark}")).visible() for mark in ("", "@disguise=1"))
    assert not check(Program(source.format("torso")), plain).faults
    (fault,) = check(Program(source.format("hull")), hidden).faults
    assert fault.line == 2 and "`pitch` takes z as up; in this world y is up" in fault.message
    own = "def pitch(quaternion):\n    return quaternion[:, 0]\n\n" + source.format("hull")
    assert not check(Program(own), hidden).faults


def test_what_is_said_of_axes_turns_with_them() -> None:
    wording = Wording({"door lock": "latch", "leg": "strut"}, "yzx")
    assert wording.prose("along -x, in the x-z plane (x right)") == "along -y, in the y-x plane (y right)"
    assert wording.prose("least x, y and z; xyz; wxyz; max") == "least x, y and z; xyz; wxyz; max"
    assert wording.prose("the xy plane, about (0.10, 0.20, -0.30)") == "the yz plane, about (-0.30, 0.10, 0.20)"
    assert wording.prose("Door locks, legs and elegant door-lock's") == "Latchs, struts and elegant latch's"
    assert wording.identifier("root_x") == "root_y" and wording.identifier("left_door_lock") == "left_latch"
    assert wording.path("legs.leg_2.angle") == "struts.strut_2.angle"
    assert (wording.kind("DoorLock"), wording.kind("Legging")) == ("Latch", "Legging")


def test_capitals_are_a_sentences_first_or_the_words_own() -> None:
    wording = Wording({"panda": "robot", "t shaped": "bent", "maniskill": "the simulator", "drone": "craft A"})
    assert wording.prose("a Panda arm; the T-shaped tile, where ManiSkill's is") == (
        "a robot arm; the bent tile, where the simulator's is"
    )
    assert wording.prose("Pandas go. Panda! (ManiSkill's.) T-shaped, the Drone") == (
        "Robots go. Robot! (The simulator's.) Bent, the craft A"
    )
    assert wording.kind("PandaArm") == "RobotArm" and wording.kind("BigPandaDrone") == "BigRobotCraftA"
    assert wording.identifier("Panda_arm") == "robot_arm"


def texts(task: Task) -> list[str]:
    """All that is said of a task in prose."""
    schema = task_schema(task)
    told = [*schema.fields, *schema.entities, *schema.constants, *task.metrics]
    return [task.instruction, task.control, *(each.doc for each in told)]


@pytest.mark.parametrize("task", WORDED, ids=lambda task: task.id)
def test_no_word_keeps_a_capital_that_was_a_names(task: Task) -> None:
    within = re.compile(r"(?<=[a-z,;:] )[A-Z][a-z]+")
    for before, after in zip(texts(task), texts(disguise(task, 0)), strict=True):
        assert set(within.findall(after)) <= set(within.findall(before)), after


def test_disguises_that_would_not_hold(words: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"space/fly has no words.*--disguise FILE"):
        disguise(space.task)
    with pytest.raises(UsageError, match="is disguised already"):
        disguise(disguise(space.task, words), words)
    with pytest.raises(UsageError, match="several entities the name 'judge'"):
        words.write_text('[words]\ndrone = "judge"\n')
        disguise(space.task, words)
    for text, why in {
        '[words]\ndrone = "quick fly"\nfly = "go"\n': "says 'quick fly' for 'drone', where 'fly'",
        '[words]\nDrone = "x"\n': "in lower case",
        '[words]\ndrone = "class"\n': "'class' of the name 'drone'",
        'axes = "xzy"\n[words]\n': "cannot make 'xzy' of x, y and z; yzx or zxy",
        "[word]\n": "flying.toml: Words has no word",
        "instruction = 3\n[words]\n": "flying.toml: expected str",
        "[words": "flying.toml",
    }.items():
        words.write_text(text)
        with pytest.raises(UsageError, match=re.escape(why)):
            disguise(space.task, words)
    with pytest.raises(UsageError, match=r"none\.toml: .*No such file"):
        disguise(space.task, tmp_path / "none.toml")


def test_an_instruction_of_ones_own(words: Path) -> None:
    words.write_text('instruction = "go far"\ncontrol = "a craft"\n' + words.read_text())
    hidden = disguise(space.task, words)
    assert (hidden.instruction, hidden.control) == ("go far", "a craft")
    assert re.fullmatch(r"space/fly@disguise=flying-[0-9a-f]{8}", hidden.id)


def test_workers_find_it(bead: Path) -> None:
    name = f"{runs.TASK}@disguise={bead}"
    hidden = find_task(name)
    assert reference(hidden, name) == name and resolve(name).instruction == hidden.instruction
    # a task of the caller's own travels whole, and is never taken for the shipped one of its id
    mine = disguise(replace(find_task("mujoco/reacher-reach"), instruction="go there"), 0)
    assert reference(mine, mine.id) is mine
    assert reference(find_task("mujoco/reacher-reach@disguise=0"), "") == "mujoco/reacher-reach@disguise=0"
    again = pickle.loads(pickle.dumps(disguise(pointmass.task, bead)))
    assert again == disguise(pointmass.task, bead) and again.world.schema() == hidden.world.schema()


DISGUISED_GOOD = runs.GOOD.replace("point.", "bead.").replace("goal.", "mark.")


def test_a_run_goes_through_in_disguise(bead: Path, tmp_path: Path) -> None:
    expert = tmp_path / "expert.py"
    expert.write_text(pointmass.EXPERT)
    card = tmp_path / "card.py"
    card.write_text(
        f"import sys\nsys.path.insert(0, {str(Path(pointmass.__file__).parent)!r})\nfrom pathlib import Path\n"
        f"from pointmass import pointmass_task\ntask = pointmass_task(Path({str(expert)!r}))\n"
    )
    small = runs.SMALL | {"expert": True, "method": "text2reward", "task": f"{card}:task"}
    model = runs.Scripted(DISGUISED_GOOD)
    config = runs.config("x", **small)
    hidden = synthesize(replace(config, disguise=bead), llm=model, root=tmp_path, name="hidden")
    plain = synthesize(config, llm=runs.Scripted(runs.GOOD), root=tmp_path, name="plain")
    prompt = model.asked[0][1][1].text
    assert "shift the bead to the mark" in prompt and "point" not in prompt.replace("bead", "")
    assert re.fullmatch(r"pointmass/reach@disguise=beads-[0-9a-f]{8}", hidden.task)
    assert hidden.variant == "in disguise (beads.toml), zero-shot"
    # the same reward in other words trains the same policy; the expert is trained on the task as it is known
    assert hidden.metrics == plain.metrics and hidden.expert == plain.expert is not None
    assert hidden.floors["no-op"] == plain.floors["no-op"]


def test_a_task_that_only_its_caller_has_is_resumed_in_disguise(bead: Path, tmp_path: Path) -> None:
    mine = replace(pointmass.task, id="mine/reach")
    config = runs.config("x", **runs.SMALL, disguise=bead)
    with pytest.raises(InterruptedRunError):
        synthesize(config, task=mine, llm=runs.Scripted(KeyboardInterrupt()), root=tmp_path, name="one")
    model = runs.Scripted(DISGUISED_GOOD)
    result = resume(tmp_path / "one", task=mine, llm=model)
    assert re.fullmatch(r"mine/reach@disguise=beads-[0-9a-f]{8}", result.task)
    assert result.variant == f"in disguise ({result.task.rpartition('=')[2]})"
    assert "shift the bead to the mark" in model.asked[0][1][1].text


def test_examples_and_the_control_prompt_are_refused_in_disguise(bead: Path) -> None:
    with pytest.raises(UsageError, match="would tell what the disguise hides"):
        prepare(runs.config("manual", method="text2reward", examples=1, disguise=bead))
    with pytest.raises(UsageError, match="leave `only_name` out"):
        prepare(runs.config("manual", only_name=True, task="mujoco/ant-forward", disguise=0))
    ready = prepare(runs.config("manual", task="mujoco/ant-forward", disguise=1))
    assert (ready.config.task, ready.config.disguise) == ("mujoco/ant-forward@disguise=1", None)
    assert ready.task.instruction.startswith("make the machine travel")


def test_files_of_words_are_told_apart_by_what_they_hold(tmp_path: Path) -> None:
    names = []
    for folder, mark in (("a", "mark"), ("b", "spot")):
        file = tmp_path / folder / "0.toml"
        file.parent.mkdir()
        file.write_text(WORDS.replace('"mark"', f'"{mark}"'))
        names.append(disguise(pointmass.task, file).id)
    assert len({*names, f"{pointmass.task.id}@disguise=0"}) == 3
    kept = f"{runs.TASK}@disguise={pinned(file)}"
    assert find_task(kept).id == names[1]
    odd = file.with_name("words#0123abcd")
    odd.write_text(file.read_text())
    assert pinned(odd).startswith(f"{odd}#") and pinned(pinned(odd)) == pinned(odd)
    for how in (odd, pinned(odd)):
        assert find_task(f"{runs.TASK}@disguise={how}").id == disguise(pointmass.task, odd).id
    file.write_text(WORDS)
    with pytest.raises(UsageError, match="are others than when this was begun"):
        find_task(kept)

"""Models in the format of PartNet-Mobility's, made here, in place of those that ManiSkill downloads.

They show that tasks set in such models are wired up rightly; of the real models they say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from reward_agent.sandbox.helpers import HELPERS

CABINETS = ("open-cabinet-drawer", "open-cabinet-door")
"""Tasks whose expert is held against ManiSkill's dense reward on models made here."""

_BOX = """
    <visual name="{name}"><origin xyz="{at}"/><geometry><box size="{size}"/></geometry></visual>
    <collision><origin xyz="{at}"/><geometry><box size="{size}"/></geometry></collision>"""
_LINK = """  <link name="{name}">{boxes}
    <inertial><mass value="1"/><inertia ixx="0.01" ixy="0" ixz="0" iyy="0.01" iyz="0" izz="0.01"/></inertial>
  </link>"""
_JOINT = """  <joint name="joint_{number}" type="{kind}">
    <parent link="base"/><child link="link_{number}"/><origin xyz="{at}"/><axis xyz="{axis}"/>
    <limit lower="0" upper="{upper}" effort="100" velocity="10"/>
  </joint>"""


def faucet() -> str:
    """A post with three levers, each of which turns by a quarter about the vertical."""
    links = [
        _LINK.format(name=f"link_{n}", boxes=_BOX.format(name="lever", at="0.2 0 0", size="0.4 0.1 0.1"))
        for n in range(3)
    ]
    joints = [
        _JOINT.format(number=n, kind="revolute", at=f"0 0 {0.2 + 0.2 * n}", axis="0 0 1", upper=1.5708)
        for n in range(3)
    ]
    return _robot(_BOX.format(name="post", at="0 0 0", size="0.1 0.1 0.8"), links, joints)


def cabinet() -> str:
    """A box with a drawer and a door in front, each with a handle; some of ManiSkill's lists have both of one model."""
    front = _BOX.format(name="front", at="0 0 0", size="0.02 0.5 0.2")
    handle = _BOX.format(name="handle-1", at="-0.05 0.1 0", size="0.04 0.1 0.02")
    links = [_LINK.format(name=f"link_{number}", boxes=front + handle) for number in range(2)]
    joints = [
        _JOINT.format(number=0, kind="prismatic", at="-0.4 0 0.15", axis="-1 0 0", upper=0.4),
        _JOINT.format(number=1, kind="revolute", at="-0.4 0 -0.15", axis="0 0 1", upper=1.5708),
    ]
    return _robot(_BOX.format(name="body", at="0 0 0", size="0.6 0.6 0.6"), links, joints)


def lay(folder: Path, models: Iterable[str], text: str) -> None:
    """Put the same model in each model's place under a folder that `MS_ASSET_DIR` names."""
    for model in models:
        place = folder / "data" / "partnet_mobility" / "dataset" / model
        place.mkdir(parents=True, exist_ok=True)
        (place / "mobility_cvx.urdf").write_text(text, encoding="utf-8")


def _robot(base: str, links: Iterable[str], joints: Iterable[str]) -> str:
    parts = [_LINK.format(name="base", boxes=base), *links, *joints]
    return '<?xml version="1.0"?>\n<robot name="model">\n' + "\n".join(parts) + "\n</robot>\n"


def play() -> Iterator[dict[str, Any]]:
    """What the three tasks do with these models, in a process in which ManiSkill looks for them here."""
    from maniskill_stages import record

    from reward_agent.envs.maniskill import tasks
    from reward_agent.envs.maniskill.row import ManiSkillRow
    from reward_agent.envs.maniskill.world import ManiSkill

    ManiSkill("PullCubeTool-v1").schema()  # ManiSkill warns of its poses
    for name in ("turn-faucet", *CABINETS):
        task: Any = tasks()[f"maniskill/{name}"]
        schema = task.world.schema()
        row, witness = ManiSkillRow(task.world, schema), task.world.witness()
        rng, apart, told = np.random.default_rng(0), 0.0, witness.reset(7)
        row.reset(7)
        for _ in range(10):
            for path, value in told.items():
                apart = max(apart, float(np.abs(row.state()[schema.columns[path]] - np.ravel(value)).max()))
            action = rng.uniform(-1, 1, len(schema.action.names))
            told = witness.step(action)
            row.step(action)
        shown = [field.path for field in schema.fields if not field.hidden]
        answer = {"task": name, "apart": apart, "told": len(told), "shown": shown, "actions": schema.action.names}
        if name in CABINETS:
            rows = record(task.world, schema, seed=0, episodes=8)
            scope: dict[str, Any] = {"constants": schema.constants_view(), **HELPERS}
            exec(compile(task.expert.read_text(), str(task.expert), "exec"), scope)
            view = rows.schema.view
            total, terms = scope["compute_reward"](view(rows.state), rows.action, view(rows.next_state))
            answer["off"] = float(np.abs(total - rows.reward).max())
            answer["unseen"] = [term for term, values in terms.items() if not np.any(values)]
        yield answer


if __name__ == "__main__":
    print(json.dumps(list(play())))

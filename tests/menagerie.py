"""Files as MuJoCo Menagerie's, made of our own quadruped: other names, other motors, another order of legs."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

LEGS = ("front_left", "front_right", "back_left", "back_right")
UNITREE = {"front_left": "FL", "front_right": "FR", "back_left": "RL", "back_right": "RR"}
ANYBOTICS = {"front_left": "LF", "front_right": "RF", "back_left": "LH", "back_right": "RH"}
BOOT = (0.03, 0.025, 0.022)
"""Half the sides of a foot that is a mesh, m."""
SCENE = """<mujoco model="scene">
  <include file="{file}"/>
  <worldbody><geom name="ground" type="plane" size="0 0 0.05" friction="0.9 0.02 0.01"/></worldbody>
  {key}
</mujoco>"""


def plain() -> str:
    """Our model as others write theirs: no floor, no light, no key frame; it collides with itself; other physics."""
    text = (files("reward_agent.envs.quadruped") / "quadruped.xml").read_text()
    for pattern in (r"<keyframe>.*?</keyframe>", r'<geom name="floor"[^>]*/>', r"<light [^>]*/>", r"<!--.*?-->"):
        text = re.sub(pattern, "", text, flags=re.DOTALL)
    text = text.replace('name="torso" pos="0 0 0.28"', 'name="base" pos="0 0 0.445"')
    text = text.replace('contype="0" conaffinity="1" condim="3"', 'condim="6" margin="0.001" priority="0"')
    text = text.replace('solref="0.01 1"', 'solimp="0.015 1 0.031"')
    option = r'<option timestep="0.002" cone="elliptic" impratio="100"/>'
    text = re.sub(r"<option [^>]*/>", option, text)
    return re.sub(r' actuatorfrcrange="[^"]*"', "", text)


def unitree(text: str) -> str:
    """With motors of torque, right legs before left ones, sensors and a light that know names, and a key frame."""
    text = _right_first(text)
    for ours, theirs in UNITREE.items():
        for a, b in (("_abduction", "_hip_joint"), ("_knee", "_calf_joint"), ("_shoulder", "_hip"), ("_foot", "")):
            text = text.replace(f'name="{ours}{a}"', f'name="{theirs}{b}"')
        text = text.replace(f'joint name="{ours}_hip"', f'joint name="{theirs}_thigh_joint"')
        for part in ("thigh", "calf"):
            text = text.replace(f'body name="{ours}_{part}"', f'body name="{theirs}_{part}"')
    motors = "".join(
        f'<motor name="{leg}_{part}" joint="{leg}_{part}_joint" ctrlrange="-{limit} {limit}"/>'
        for leg in ("FR", "FL", "RR", "RL")
        for part, limit in (("hip", 30), ("thigh", 30), ("calf", 36))
    )
    light = '<worldbody><light name="spot" mode="targetbodycom" target="base" pos="0 -1 2"/>'
    rest = f"""<contact><exclude body1="base" body2="FL_thigh"/></contact>
    <actuator>{motors}</actuator>
    <sensor><jointpos joint="FL_hip_joint"/><framequat objtype="body" objname="base"/></sensor>
    <keyframe><key name="folded" qpos="0 0 0.1 1 0 0 0{" 0 1.3 -2.6" * 4}"/>
    <key name="home" qpos="0 0 0.27 1 0 0 0{" 0 0.8 -1.6" * 4}" ctrl="{"0 0.8 -1.6 " * 4}"/></keyframe>"""
    return text.replace("<worldbody>", light).replace("</mujoco>", f"{rest}</mujoco>")


def anybotics(text: str) -> str:
    """Nameless feet, a body that is turned about, knees that go round, positions as actions, and no key frame."""
    for ours, theirs in ANYBOTICS.items():
        text = text.replace(f'geom name="{ours}_foot"', "geom")
        for a, b in (("_abduction", "_HAA"), ("_knee", "_KFE"), ("_shoulder", "_HIP"), ("_calf", "_SHANK")):
            text = text.replace(f'name="{ours}{a}"', f'name="{theirs}{b}"')
        text = text.replace(f'joint name="{ours}_hip"', f'joint name="{theirs}_HFE"')
        text = text.replace(f'body name="{ours}_thigh"', f'body name="{theirs}_THIGH"')
    text = text.replace('name="base" pos', 'name="base" quat="0 0 0 1" pos').replace(' armature="0.01"', "")
    text = text.replace('range="-2.7 -0.6"', "").replace('range="-1.5 3.4"', 'range="-9.42 9.42"')
    servos = "".join(
        f'<position joint="{leg}_{part}" kp="100" forcerange="-80 80"/>'
        for leg in ANYBOTICS.values()
        for part in ("HAA", "HFE", "KFE")
    )
    return text.replace("</mujoco>", f"<actuator>{servos}</actuator></mujoco>")


def booted(text: str) -> str:
    """Feet that are meshes, here of the corners of a box."""
    corners = " ".join(f"{x * BOOT[0]} {y * BOOT[1]} {z * BOOT[2]}" for x in (-1, 1) for y in (-1, 1) for z in (-1, 1))
    text = text.replace("<asset>", f'<asset><mesh name="boot" vertex="{corners}"/>')
    return text.replace('<geom type="sphere" size="0.022"', '<geom type="mesh" mesh="boot"')


def write(checkout: Path, file: str, text: str, scene: str | None = None) -> None:
    """A robot's file in a checkout, and the scene beside it."""
    path = checkout / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if scene is not None:
        (path.parent / "scene.xml").write_text(SCENE.format(file=path.name, key=scene))


def checkout(folder: Path) -> Path:
    """One with a robot of each kind."""
    write(folder, "unitree_go2/go2.xml", unitree(plain()))
    write(folder, "anybotics_anymal_c/anymal_c.xml", anybotics(plain()), scene="")
    standing = f'<keyframe><key name="standing" qpos="0 0 0.3 1 0 0 0{" 0 0.8 -1.6" * 4}"/></keyframe>'
    write(folder, "google_barkour_v0/barkour_v0.xml", booted(plain()), scene=standing)
    return folder


def _right_first(text: str) -> str:
    blocks = {
        leg: re.search(rf'<body name="{leg}_shoulder".*?</body>\s*</body>\s*</body>', text, re.DOTALL).group()  # type: ignore[union-attr]
        for leg in LEGS
    }
    for leg in LEGS:
        text = text.replace(blocks[leg], f"[{leg}]")
    for leg, other in zip(LEGS, ("front_right", "front_left", "back_right", "back_left"), strict=True):
        text = text.replace(f"[{leg}]", blocks[other])
    return text

"""ManiSkill's environments as this world uses them: made quietly, and begun anew with nothing left of what was."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType
from typing import TYPE_CHECKING, Any

import numpy as np

from reward_agent.envs.maniskill.names import SCENES, Scene
from reward_agent.envs.maniskill.readiness import VULKAN
from reward_agent.errors import MissingComponentError, UsageError, unknown_name

if TYPE_CHECKING:
    from reward_agent.envs.maniskill.world import ManiSkill

Env = Any
"""A `mani_skill.envs.sapien_env.BaseEnv`."""

_HARMLESS = ("Requested to use render device", "No initial pose set for")
"""How warnings begin that concern no one here: nothing is drawn by the device, and every pose is set at reset."""


def make_env(world: ManiSkill, num_envs: int = 1) -> Env:
    """An environment as ManiSkill has it, with its state as observations and no reward.

    Args:
        world: which, with which controller, simulated where.
        num_envs: sub-scenes; one, unless on a GPU.

    Raises:
        MissingComponentError: something that it needs is not installed, not downloaded, or does not work.
        UsageError: no such environment or control mode, or a GPU after this process has simulated on the CPU.
    """
    lacking = world.missing()
    if lacking is not None:
        raise MissingComponentError(f"{world.env} cannot run here: {lacking}")
    if world.sim == "physx_cuda":
        enable_gpu()
    scene = scene_of(world.env)
    drawn = "none" if not scene.drawn else "sapien_cuda" if world.sim == "physx_cuda" else "sapien_cpu"
    options = {
        "num_envs": num_envs,
        "obs_mode": "state",
        "reward_mode": "dense" if scene.latch else "none",
        "control_mode": world.control_mode,
        "sim_backend": world.sim,
        "render_backend": drawn,
    }
    if world.robot:
        options["robot_uids"] = world.robot
    return build(world, options)


def enable_gpu() -> None:
    """Have PhysX simulate on the GPU as well; nothing where it does already.

    SAPIEN takes this only before anything else of PhysX in a process, a scene on the CPU included. Scenes on the CPU
    may follow (SAPIEN warns of each), so whatever builds one for a world on a GPU calls this first.

    Raises:
        UsageError: this process has simulated on the CPU already.
    """
    from sapien import physx

    try:
        physx.enable_gpu()
    except RuntimeError as error:
        if "before any other code" not in str(error):
            raise
        raise UsageError(
            f"PhysX cannot go to the GPU any more ({error}): this process has built a ManiSkill scene on the CPU. "
            "Start a fresh process and make the world of sim='physx_cuda' first; scenes on the CPU may follow."
        ) from error


def build(world: ManiSkill, options: dict[str, Any]) -> Env:
    """What ManiSkill's own class of that name makes of these options; errors as `make_env`."""
    made = env_class(world.env)
    with quietly():
        try:
            return made(**options)
        except AssertionError as error:
            if "not in supported modes" not in str(error):
                raise
            modes = str(error).partition("supported modes:")[2]
            known = [mode.strip(" []'") for mode in modes.split(",")]
            raise unknown_name(f"control mode of {world.env}", world.control_mode, known) from error
        except RuntimeError as error:
            if not any(sign in str(error) for sign in ("rendering device", "vk::", "Vulkan")):
                raise
            raise MissingComponentError(f"ManiSkill cannot build a scene here ({error}): {VULKAN}") from error


def scene_of(env: str) -> Scene:
    """The words for an environment."""
    return SCENES.get(env, Scene())


def env_class(env: str) -> Any:
    """ManiSkill's class of that name.

    Raises:
        UsageError: there is none.
    """
    return spec(env).cls


def spec(env: str) -> Any:
    """What ManiSkill has registered of an environment: its class, its limit of steps.

    Raises:
        UsageError: there is no such environment.
    """
    with quietly():
        import mani_skill.envs  # noqa: F401  registers them
        from mani_skill.utils.registration import REGISTERED_ENVS
    if env not in REGISTERED_ENVS:
        raise unknown_name("environment of ManiSkill", env, REGISTERED_ENVS)
    return REGISTERED_ENVS[env]


def rebuilds(env: Env) -> bool:
    """Whether each reset builds another scene, as where sizes are drawn for each episode."""
    return bool(env.reconfiguration_freq == 1)


def reset(env: Env, seed: int) -> tuple[Any, dict[str, Any]]:
    """Begin an episode from `seed` alone, in physics that nothing has happened in; observations and info.

    PhysX keeps contacts, their order and islands from before a reset: the same seed and actions then lead elsewhere
    (seen with pegs, tools and the charger). What is in the scene goes into a new physics system first, after which an
    episode is, bit for bit, that of an environment just made.
    """
    if not rebuilds(env):
        renew_physics(env)
    observations, info = env.reset(seed=folded(seed))
    return observations, info


def renew_physics(env: Env) -> None:
    """Put everything in the scene into a new physics system, in the order in which it was built; 0.4 ms."""
    import sapien
    from sapien import physx

    old = env.scene.sub_scenes[0]
    things = list(old.entities)
    for thing in things:
        old.remove_entity(thing)
    env._set_scene_config()  # another environment of this process may have set its own since
    system = physx.PhysxCpuSystem()
    system.timestep = env.scene.px.timestep
    systems = [system]
    if env.scene.can_render():
        systems.append(sapien.render.RenderSystem(env._render_device))
    new = sapien.Scene(systems)
    for thing in things:
        new.add_entity(thing)
    env.scene.sub_scenes[0], env.scene.px = new, system


def rebuild_cheaply(env: Env) -> None:
    """Have an environment that builds a scene at each reset not collect all of Python's garbage for it (150 ms)."""

    def clear(self: Env) -> None:
        self._close_viewer()
        self.agent, self.scene = None, None
        self._sensors, self._human_render_cameras, self._hidden_objects = {}, {}, []

    env._clear = MethodType(clear, env)


def folded(seed: int) -> int:
    """A seed that numpy's old generator takes, which ManiSkill uses: the same below 2³², else 32 bits drawn from it."""
    return int(seed) if 0 <= seed < 2**32 else int(np.random.SeedSequence(int(seed)).generate_state(1)[0])


@contextmanager
def quietly() -> Iterator[None]:
    """Keep ManiSkill's harmless warnings of building a scene to itself."""
    logger = logging.getLogger("mani_skill ")  # its name ends so

    def concerns(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith(_HARMLESS)

    logger.addFilter(concerns)
    try:
        yield
    finally:
        logger.removeFilter(concerns)

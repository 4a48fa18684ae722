"""Many sub-scenes of one ManiSkill environment, simulated together on a GPU, as a batch (`task.Batch`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reward_agent.envs.maniskill.row import box, packer
from reward_agent.envs.maniskill.simulator import folded, make_env, renew_physics
from reward_agent.schema import Array, StateSchema
from reward_agent.task import Bools, Ints, Step

if TYPE_CHECKING:
    from reward_agent.envs.maniskill.rendering import Camera
    from reward_agent.envs.maniskill.world import ManiSkill

FIRST_SEED = 2022
"""Sub-scene i is built from this and i: so ManiSkill seeds an environment that is made."""


class SceneBatch:
    """N sub-scenes of one environment. Make it with `ManiSkill(…, sim="physx_cuda").make`.

    States are packed by torch on the device the simulation lives on; observations, states and flags come to the host
    together, in one copy into pinned memory a step.

    **Rows are no functions of their own seeds here.** ManiSkill seeds torch once a reset and draws for all sub-scenes
    that are reset together: what they begin as follows from the seeds (and numbers) of these rows together. The same
    resets with the same seeds give the same beginnings, but a row alone, or among others, begins elsewhere. What is
    drawn as a scene is built (PegInsertionSide's sizes) stays as it was when the batch was made.

    A reset of some rows leaves the others as they were. ManiSkill makes every row's generators anew at each reset from
    the list of seeds, but only a reset draws from them, and each is given its seeds: what they held between resets
    changes nothing. The first of the list is not row 0's own seed but stands for all rows that are reset: torch's
    generator and the one that the robot's pose is drawn from (`_episode_rng`) follow from it. Controllers forget the
    targets of all rows at any reset; those of rows that go on are put back.

    On a CPU, where ManiSkill has one sub-scene, a row goes by its seed and the batch is as `row.ManiSkillRow`.
    """

    def __init__(self, world: ManiSkill, num_envs: int, fields: StateSchema) -> None:
        import torch

        self._world, self.num_envs, self.schema = world, num_envs, fields
        self._env = make_env(world, num_envs)
        self._packer = packer(world, fields)
        self.observation_space = box(self._env.single_observation_space)
        self.action_space = box(self._env.single_action_space)
        self._seeds: Ints = np.arange(FIRST_SEED, FIRST_SEED + num_envs)
        self._info: dict[str, Any] = self._env.get_info()
        self._observations: Any = self._env.get_obs(self._info)
        width = self.observation_space.shape[0] + fields.width + 1
        on_gpu = self._env.device.type == "cuda"
        self._host = torch.empty((num_envs, width), dtype=torch.float32, pin_memory=on_gpu)
        self._camera: Camera | None = None

    def reset(self, mask: Bools, seeds: Ints) -> tuple[Array, Array]:
        """Begin episodes in the rows of `mask`, which follow from their seeds together; see the class."""
        rows = np.flatnonzero(mask)
        if len(rows):
            self._seeds[rows] = [folded(int(seed)) for seed in np.asarray(seeds)[rows]]
            given = self._seeds.tolist()
            # torch and `_episode_rng` are seeded by the first of the list, whichever rows are reset
            given[0] = together(rows, self._seeds[rows]) if self.num_envs > 1 else given[0]
            if not self._env.gpu_sim_enabled:
                renew_physics(self._env)
            self._observations, self._info = reset_rows(self._env, rows, given)
        observations, states, _ = self._to_host()
        return observations, states

    def step(self, actions: Array) -> Step:
        """See `task.Batch`. `terminated` is ManiSkill's: success, or failure where it tells of it."""
        import torch

        given = torch.as_tensor(np.asarray(actions, np.float32), device=self._env.device)
        self._observations, _, terminated, _, self._info = self._env.step(given)
        observations, states, ended = self._to_host(terminated)
        return Step(observations, states, ended, np.zeros(self.num_envs, bool))

    def render(self, row: int) -> NDArray[np.uint8]:
        """An image `(240, 320, 3)` of one row, drawn in an environment of its own."""
        from reward_agent.envs.maniskill.rendering import Camera

        if self._camera is None:
            self._camera = Camera(self._world)
        state = _mapped(self._env.get_state_dict(), lambda tensor: tensor[row : row + 1].cpu())
        return self._camera.image(state, FIRST_SEED + row)

    def save(self) -> dict[str, NDArray[Any]]:
        """Poses, velocities, controllers and what the task keeps of an episode.

        PhysX tells of no contacts and works out links' velocities anew: after `restore` bodies are where they were, and
        what follows is nearly the same.
        """
        told = _flat({"scene": self._env.get_state_dict(), "kept": self._kept()})
        saved = {name: tensor.cpu().numpy().copy() for name, tensor in told}
        return saved | {"seeds": self._seeds.copy()}

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what was saved; nearly as it went, see `save`."""
        import torch

        if not self._env.gpu_sim_enabled:
            renew_physics(self._env)
        tensors = {n: torch.as_tensor(v.copy(), device=self._env.device) for n, v in saved.items() if n != "seeds"}
        tree = _nested(tensors)
        self._seeds = saved["seeds"].copy()
        scene, kept = tree["scene"], tree["kept"]
        self._env.set_state_dict({name: part for name, part in scene.items() if name != "controller"})
        if "controller" in scene:
            self._env.agent.set_controller_state(scene["controller"])
        for name, value in kept.items():
            held = getattr(self._env, name)
            value = value.to(getattr(held, "raw_pose", held).device)
            setattr(self._env, name, type(held).create(value) if hasattr(held, "raw_pose") else value)
        self._info = self._env.get_info()
        self._observations = self._env.get_obs(self._info)

    def close(self) -> None:
        if self._camera is not None:
            self._camera.close()
            self._camera = None
        self._env.close()

    def _kept(self) -> dict[str, Any]:
        """Every tensor and pose that the environment itself holds, as goals and latches.

        Not those of one value a sub-scene alone: shapes do not tell what an episode changes, and what none changes is
        put back as it was.
        """
        import torch

        held = {name: getattr(value, "raw_pose", value) for name, value in vars(self._env).items()}
        return {name: value for name, value in held.items() if torch.is_tensor(value)}

    def _to_host(self, terminated: Any = None) -> tuple[Array, Array, Bools]:
        """Observations, packed states and ends as fresh arrays, by one copy."""
        import torch

        device = self._env.device
        ends = torch.zeros(self.num_envs, device=device) if terminated is None else terminated.to(torch.float32)
        states = self._packer.pack(self._env, self._info)
        self._host.copy_(torch.cat([self._observations, states, ends[:, None]], dim=1), non_blocking=True)
        if device.type == "cuda":
            torch.cuda.current_stream(device).synchronize()
        table = self._host.numpy().astype(np.float64)
        observed = self.observation_space.shape[0]
        return table[:, :observed].copy(), table[:, observed:-1].copy(), table[:, -1].astype(bool)


def together(rows: NDArray[np.int64], seeds: Ints) -> int:
    """One seed below 2³² of rows that are reset together, from their numbers and seeds."""
    words = [int(word) for pair in zip(rows, seeds, strict=True) for word in pair]
    return int(np.random.SeedSequence(words).generate_state(1)[0])


def reset_rows(env: Any, rows: NDArray[np.int64], seeds: list[int]) -> tuple[Any, Any]:
    """Reset these rows of an environment of ManiSkill's by the seeds of all; what its `reset` gives.

    It takes its mask of the rows away before it resets controllers, so that all rows' forget their targets: those of
    rows that go on are put back.
    """
    import torch

    index = torch.as_tensor(rows, device=env.device)
    held = _mapped(env.agent.get_controller_state(), lambda tensor: tensor.clone())
    observations, info = env.reset(seed=seeds, options={"env_idx": index})
    going_on = torch.ones(len(seeds), dtype=torch.bool, device=env.device)
    going_on[index] = False
    env.agent.set_controller_state(_merged(env.agent.get_controller_state(), held, going_on))
    return observations, info


def _merged(begun: Any, held: Any, going_on: Any) -> Any:
    """A tree of tensors `(N, …)`: what was `held` in the rows that go on, what has `begun` in the others."""
    import torch

    if isinstance(begun, dict):
        return {name: _merged(part, held[name], going_on) for name, part in begun.items()}
    return torch.where(going_on.reshape(-1, *[1] * (begun.ndim - 1)), held, begun)


def _flat(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{path}{name}/")
        else:
            yield f"{path}{name}", value


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {"scene": {}, "kept": {}}
    for path, value in flat.items():
        *parents, name = path.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = value
    return tree


def _mapped(tree: Any, change: Any) -> Any:
    return {name: _mapped(part, change) for name, part in tree.items()} if isinstance(tree, dict) else change(tree)

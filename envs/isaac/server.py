"""The worker: an IsaacGymEnvs-style `VecTask` behind a socket, in the interpreter that has Isaac Gym.

It runs on Python 3.8 and imports nothing of ours: the standard library, torch, and what the task itself brings. Started
as `python server.py SOCKET MEMORY` (numbers of open files) by `client.Worker`, which reads the functions `send`,
`receive` and `tables` from here too, so that both ends agree.

A message is a length (4 bytes, big-endian), that many bytes of JSON, and the raw bytes of the arrays that the JSON
lists under `arrays` as `[name, dtype, shape]`. Actions, observations and states of steps lie in shared memory instead.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import mmap
import os
import select
import socket
import struct
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any

# annotations are never evaluated here: only they may be newer than Python 3.8
if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import torch

    from reward_agent.envs.isaac.hooks import VecTask

    Arrays = dict[str, np.ndarray[Any, Any]]


def send(connection: socket.socket, head: dict[str, Any], arrays: Arrays | None = None) -> None:
    """Send one message."""
    named = arrays or {}
    listed = [[name, array.dtype.str, list(array.shape)] for name, array in named.items()]
    text = json.dumps(dict(head, arrays=listed)).encode()
    connection.sendall(b"".join([struct.pack(">I", len(text)), text, *(array.tobytes() for array in named.values())]))


def receive(connection: socket.socket) -> tuple[dict[str, Any], Arrays]:
    """Wait for one message. Raises `EOFError` when the other end is gone."""
    (length,) = struct.unpack(">I", _exactly(connection, 4))
    head: dict[str, Any] = json.loads(_exactly(connection, length).decode())
    arrays: Arrays = {}
    for name, dtype, shape in head.pop("arrays"):
        import numpy as np

        size = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(_exactly(connection, size), dtype).reshape(shape)
    return head, arrays


def _exactly(connection: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view, at = memoryview(data), 0
    while at < size:
        got = connection.recv_into(view[at:])
        if got == 0:
            raise EOFError
        at += got
    return data


def tables(memory: mmap.mmap, rows: int, widths: Sequence[int]) -> list[np.ndarray[Any, Any]]:
    """Views `(rows, width)` of float64, one after another, into shared memory."""
    import numpy as np

    views, at = [], 0
    for width in widths:
        views.append(np.frombuffer(memory, np.float64, rows * width, at).reshape(rows, width))
        at += 8 * rows * width
    return views


def describe(task: VecTask) -> dict[str, Any]:
    """What the simulator says of environment 0, in the order of its state tensors; all others are alike."""
    from isaacgym import gymapi

    gym, sim = task.gym, task.sim
    env = gym.get_env(sim, 0)
    actors = []
    for number in range(gym.get_actor_count(env)):
        handle = gym.get_actor_handle(env, number)
        asset = gym.get_actor_asset(env, handle)
        limits = gym.get_actor_dof_properties(env, handle)
        dofs = []
        for i, name in enumerate(gym.get_actor_dof_names(env, handle)):
            slides = gym.get_asset_dof_type(asset, i) == gymapi.DOF_TRANSLATION
            between = [float(limits["lower"][i]), float(limits["upper"][i])] if limits["hasLimits"][i] else None
            dofs.append({"name": name, "slides": slides, "limits": between})
        links = gym.get_actor_rigid_body_names(env, handle)
        actors.append({"name": gym.get_actor_name(env, handle), "dofs": dofs, "links": list(links)})
    return {
        "actors": actors,
        "observations": int(task.num_obs),
        "actions": int(task.num_actions),
        "dt": float(task.sim_params.dt) * int(task.control_freq_inv),
        "gravity": float(task.sim_params.gravity.z),
        "device": str(task.device),
    }


class Served:
    """A `VecTask` that is stepped without resets of its own, and its states as flat tables.

    Hooks of the task that are used, and no others: `step`, `reset_idx`, `compute_observations`, the buffers `obs_buf`
    and `reset_buf`, and `max_episode_length`.
    """

    def __init__(self, task: VecTask, wanted: dict[str, Any]) -> None:
        import torch
        from isaacgym import gymtorch

        self.task, self._clears = task, list(wanted["clears"])
        gym, sim, rows = task.gym, task.sim, int(task.num_envs)
        if hasattr(task, "max_episode_length"):
            task.max_episode_length = 2**30  # never: `reset_buf` is the task's own rule alone, the horizon is ours
        # some tasks make their buffers in the first step, which also resets all rows in the task's own way
        task.step(torch.zeros(rows, task.num_actions, device=task.rl_device))
        self._reset_idx = task.reset_idx
        setattr(task, "reset_idx", self._refuse)  # noqa: B010
        self._flat: dict[str, torch.Tensor] = {
            "actors": gymtorch.wrap_tensor(gym.acquire_actor_root_state_tensor(sim)),
            "joints": gymtorch.wrap_tensor(gym.acquire_dof_state_tensor(sim)),
        }
        if wanted["links"]:
            self._flat["links"] = gymtorch.wrap_tensor(gym.acquire_rigid_body_state_tensor(sim))
        self.widths = {name: table.numel() // rows for name, table in self._flat.items()}
        self._own: list[str] = list(wanted["tensors"])
        for name in self._own:
            self.widths[name] = getattr(task, name).numel() // rows
        self._columns = torch.zeros(0, dtype=torch.long, device=task.device)
        self._memory: list[torch.Tensor] = []

    def lay(self, memory: mmap.mmap, columns: Sequence[int]) -> None:
        """Take the shared memory and the columns to pack, numbered through `widths` in their order."""
        import torch

        task = self.task
        widths = [task.num_actions, task.num_obs, len(columns), 1]
        self._memory = [torch.from_numpy(table) for table in tables(memory, task.num_envs, widths)]
        self._columns = torch.tensor(list(columns), dtype=torch.long, device=task.device)

    def step(self) -> None:
        """One step of every row with the actions that lie in memory; resets none."""
        actions, observations, states, ends = self._memory
        # a `VecTask` resets, at its next step, the rows that are marked: none is, so what a row ended in stays
        self.task.reset_buf.zero_()
        seen = self.task.step(actions.to(dtype=self._flat["actors"].dtype, device=self.task.rl_device))[0]["obs"]
        observations.copy_(seen)
        ends[:, 0].copy_(self.task.reset_buf != 0)
        states.copy_(self._pack())

    def reset(self, rows: list[int], seeds: list[int]) -> None:
        """Begin episodes in these rows: on the CPU each from its seed alone, on a GPU from all their seeds together."""
        import torch

        task = self.task
        ids = torch.tensor(rows, dtype=torch.long, device=task.device)
        goals = self._renew_goals(ids)
        if str(task.device) == "cpu":
            for i, seed in enumerate(seeds):
                self._reset_rows(ids[i : i + 1], seed, goals if i == 0 else goals[:0])
        else:
            # the GPU pipeline takes only the last call of each `set_…_indexed` before a simulation: all rows in one
            self._reset_rows(ids, sum(seed * 1_000_003**i for i, seed in enumerate(seeds, 1)) % 2**63, goals)
        task.reset_buf.zero_()
        packed = self._pack()  # also brings the tensors up to date, which some tasks' observations count on
        task.compute_observations()
        seen = torch.clamp(task.obs_buf, -task.clip_obs, task.clip_obs)
        on_host = ids.cpu()
        self._memory[1][on_host] = seen[ids].cpu().to(torch.float64)
        self._memory[2][on_host] = packed[ids].cpu().to(torch.float64)

    def save(self) -> Arrays:
        """The state tensors, the task's own tensors and torch's generator."""
        import torch

        self._pack()
        saved = {f"flat.{name}": table for name, table in self._flat.items() if name != "links"}
        saved.update({f"task.{name}": value for name, value in vars(self.task).items() if torch.is_tensor(value)})
        saved["generator"] = torch.get_rng_state()
        if str(self.task.device) != "cpu":
            saved["device_generator"] = torch.cuda.get_rng_state(self.task.device)
        return {name: value.detach().cpu().contiguous().numpy() for name, value in saved.items()}

    def restore(self, saved: Arrays) -> None:
        import torch
        from isaacgym import gymtorch

        then = {name: torch.from_numpy(value.copy()) for name, value in saved.items()}
        for name, value in then.items():
            kind, _, attribute = name.partition(".")
            if kind != "task":
                continue
            there = getattr(self.task, attribute, None)
            if not torch.is_tensor(there) or there.shape != value.shape:
                setattr(self.task, attribute, value.to(self.task.device))
            elif not torch.equal(there.cpu(), value):  # a tensor that repeats memory can be neither written nor changed
                there.copy_(value)  # in place: other tensors of the task may be views of it
        for name in ("actors", "joints"):
            self._flat[name].copy_(then[f"flat.{name}"])
        gym, sim = self.task.gym, self.task.sim
        gym.set_actor_root_state_tensor(sim, gymtorch.unwrap_tensor(self._flat["actors"]))
        if self._flat["joints"].numel():
            gym.set_dof_state_tensor(sim, gymtorch.unwrap_tensor(self._flat["joints"]))
        torch.set_rng_state(then["generator"])
        if "device_generator" in then:
            torch.cuda.set_rng_state(then["device_generator"], self.task.device)

    def testify(self) -> Arrays:
        """Of row 0, by the simulator's calls for single actors: joints `(D, 2)`; and the native reward `(1,)`.

        For a witness alone. These calls are those of the CPU pipeline.
        """
        import numpy as np
        from isaacgym import gymapi

        gym, env = self.task.gym, self.task.gym.get_env(self.task.sim, 0)
        handles = [gym.get_actor_handle(env, number) for number in range(gym.get_actor_count(env))]
        states = [gym.get_actor_dof_states(env, handle, gymapi.STATE_ALL) for handle in handles]
        joints = [[float(pos), float(vel)] for part in states for pos, vel in zip(part["pos"], part["vel"])]  # noqa: B905 (3.8)
        return {"joints": np.array(joints, np.float32), "reward": self.task.rew_buf[:1].cpu().numpy()}

    def _renew_goals(self, ids: torch.Tensor) -> torch.Tensor:
        """Of the hands: goals that were reached in rows that go on. The simulator takes them in one call with `ids`."""
        import torch

        if not hasattr(self.task, "reset_target_pose"):
            return ids[:0]
        reached = self.task.reset_goal_buf.clone()
        reached[ids] = 0
        goals = torch.nonzero(reached, as_tuple=False).flatten()
        if len(goals):
            self.task.reset_target_pose(goals)
        return goals

    def _reset_rows(self, ids: torch.Tensor, seed: int, goals: torch.Tensor) -> None:
        import torch

        torch.manual_seed(seed)
        self._reset_idx(ids, *((goals,) if hasattr(self.task, "reset_target_pose") else ()))
        for entry in self._clears:
            name, _, source = entry.partition("=")
            if hasattr(self.task, name):
                getattr(self.task, name)[ids] = getattr(self.task, source)[ids] if source else 0

    def _refuse(self, env_ids: torch.Tensor, *_: torch.Tensor) -> None:
        """What the task finds in place of its `reset_idx`."""
        if len(env_ids):
            raise RuntimeError(
                f"{type(self.task).__name__}.step called reset_idx for rows {env_ids.tolist()[:8]} although none was "
                "marked in reset_buf; their terminal states are lost. Let it mark rows there, and reset those alone."
            )

    def _pack(self) -> torch.Tensor:
        """The columns that were asked for, `(N, D)`."""
        import torch

        task = self.task
        task.gym.refresh_actor_root_state_tensor(task.sim)
        task.gym.refresh_dof_state_tensor(task.sim)
        if "links" in self._flat:
            task.gym.refresh_rigid_body_state_tensor(task.sim)
        parts = [*self._flat.values(), *(getattr(task, name) for name in self._own)]
        every = torch.cat([part.reshape(task.num_envs, -1).to(self._flat["actors"].dtype) for part in parts], 1)
        return every[:, self._columns]


def build(wanted: dict[str, Any]) -> VecTask:
    """The task by IsaacGymEnvs' name, or by `module:callable`, called with `num_envs`, `device` and the options."""
    sys.path[:0] = wanted["paths"]
    importlib.import_module("isaacgym")  # before torch: Isaac Gym insists
    size = {"num_envs": wanted["num_envs"]}
    module, _, function = wanted["task"].partition(":")
    if function:
        make = getattr(importlib.import_module(module), function)
        task: VecTask = make(device=wanted["device"], **size, **wanted["options"])
    else:
        made = {"seed": 0, "sim_device": wanted["device"], "rl_device": wanted["device"], "headless": True}
        made = dict(made, force_render=False, **size)
        task = importlib.import_module("isaacgymenvs").make(task=module, **dict(made, **wanted["options"]))
    return task


def serve(connection: socket.socket, memory_file: int) -> None:
    """Answer requests until the other end is gone."""
    served: Served | None = None
    while True:
        head, arrays = receive(connection)
        do, answer, out = head["do"], {}, {}
        try:
            if do == "build":
                served = Served(build(head), head)
                answer = dict(describe(served.task), widths=served.widths)
            assert served is not None, "the first request is `build`"
            if do == "lay":
                served.lay(mmap.mmap(memory_file, head["bytes"]), head["columns"])
            elif do == "step":
                served.step()
            elif do == "reset":
                served.reset(head["rows"], head["seeds"])
            elif do == "save":
                out = served.save()
            elif do == "testify":
                out = served.testify()
            elif do == "restore":
                served.restore(arrays)
        except Exception:
            answer = {"failed": traceback.format_exc()}
        send(connection, answer, out)


def leave_with(number: int) -> None:
    """End this process when the other end of the socket is closed, even in the middle of a step."""
    poll = select.poll()
    poll.register(number, 0)  # hang-ups are told of in any case
    poll.poll()
    os._exit(0)


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sys.path.pop(0)  # this folder: its modules are none of the task's
    number = int(sys.argv[1])
    threading.Thread(target=leave_with, args=(number,), daemon=True).start()
    with contextlib.suppress(EOFError, ConnectionResetError, BrokenPipeError):
        serve(socket.socket(fileno=number), int(sys.argv[2]))
    sys.stdout.flush()
    os._exit(0)  # the simulator's own way out may crash


if __name__ == "__main__":
    main()

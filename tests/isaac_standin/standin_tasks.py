"""IsaacGymEnvs-style tasks over the stand-in. They import `isaacgym` first, as theirs do. Run on Python 3.8."""

import math
import os
import subprocess
import sys
import time

from isaacgym import gymapi, gymtorch  # isort: skip
import torch


class VecTask:
    """What IsaacGymEnvs' base class does in a step, and no more."""

    num_obs, num_actions = 5, 1
    control_freq_inv, clip_obs, clip_actions, max_episode_length = 2, 100.0, 1.0, 50

    def __init__(self, num_envs, device):
        self.num_envs, self.device, self.rl_device = num_envs, device, device
        self.gym = gymapi.acquire_gym()
        self.sim_params = gymapi.SimParams()
        self.create_sim()
        self.gym.prepare_sim(self.sim)
        self.obs_buf = torch.zeros(num_envs, self.num_obs)
        self.rew_buf = torch.zeros(num_envs)
        self.reset_buf = torch.ones(num_envs, dtype=torch.long)
        self.progress_buf = torch.zeros(num_envs, dtype=torch.long)

    def step(self, actions):
        self.pre_physics_step(torch.clamp(actions, -self.clip_actions, self.clip_actions))
        for _ in range(self.control_freq_inv):
            self.gym.simulate(self.sim)
        self.gym.fetch_results(self.sim, True)
        self.post_physics_step()
        self.timeout_buf = (self.progress_buf >= self.max_episode_length - 1) & (self.reset_buf != 0)
        seen = torch.clamp(self.obs_buf, -self.clip_obs, self.clip_obs)
        return {"obs": seen}, self.rew_buf, self.reset_buf, {"time_outs": self.timeout_buf}


class Cartpole(VecTask):
    """A pole to be balanced on a cart, and a beacon at a place that is drawn at each reset."""

    max_push = 10.0

    def __init__(self, num_envs, device):
        super().__init__(num_envs, device)
        self.dof_state = gymtorch.wrap_tensor(self.gym.acquire_dof_state_tensor(self.sim))
        self.dof_pos = self.dof_state.view(num_envs, 2, 2)[..., 0]
        self.dof_vel = self.dof_state.view(num_envs, 2, 2)[..., 1]
        self.root_states = gymtorch.wrap_tensor(self.gym.acquire_actor_root_state_tensor(self.sim)).view(
            num_envs, 2, 13
        )
        self.initial_roots = self.root_states.clone()
        self.targets = torch.zeros(num_envs, 2)

    def create_sim(self):
        self.sim = self.gym.create_sim(0, -1, "physx", self.sim_params)
        cart, ball = (self.gym.load_asset(self.sim, ".", name) for name in ("cartpole", "ball"))
        pose, place = gymapi.Transform(), gymapi.Transform()
        pose.p.z, pose.r.z, pose.r.w = 2.0, math.sin(gymapi.YAW / 2), math.cos(gymapi.YAW / 2)
        place.p.z = 1.0
        for i in range(self.num_envs):
            env = self.gym.create_env(self.sim, gymapi.Vec3(), gymapi.Vec3(), 4)
            self.gym.create_actor(env, cart, pose, "cart pole", i, 1)
            self.gym.create_actor(env, ball, place, "beacon", i, 1)

    def compute_observations(self):
        self.gym.refresh_dof_state_tensor(self.sim)
        self.gym.refresh_actor_root_state_tensor(self.sim)
        self.obs_buf[:, 0], self.obs_buf[:, 1] = self.dof_pos[:, 0], self.dof_vel[:, 0]
        self.obs_buf[:, 2], self.obs_buf[:, 3] = self.dof_pos[:, 1], self.dof_vel[:, 1]
        self.obs_buf[:, 4] = self.actions[:, 0]  # as Ant's, which has none before its first step

    def compute_reward(self):
        self.rew_buf[:] = 1.0 - self.dof_pos[:, 1] ** 2
        over = (self.dof_pos[:, 0].abs() > 3.0) | (self.dof_pos[:, 1].abs() > math.pi / 2)
        late = self.progress_buf >= self.max_episode_length - 1
        ones = torch.ones_like(self.reset_buf)
        self.reset_buf[:] = torch.where(over | late, ones, self.reset_buf)

    def reset_idx(self, env_ids):
        self.dof_pos[env_ids] = 0.2 * (torch.rand(len(env_ids), 2) - 0.5)
        self.dof_vel[env_ids] = 0.5 * (torch.rand(len(env_ids), 2) - 0.5)
        self.targets[env_ids] = 2.0 * torch.rand(len(env_ids), 2) - 1.0
        roots = self.initial_roots.clone()
        roots[env_ids, 1, :2] = self.targets[env_ids]
        carts, beacons = (2 * env_ids).to(torch.int32), (2 * env_ids + 1).to(torch.int32)
        states, dofs = gymtorch.unwrap_tensor(roots), gymtorch.unwrap_tensor(self.dof_state)
        self.gym.set_actor_root_state_tensor_indexed(self.sim, states, gymtorch.unwrap_tensor(beacons), len(beacons))
        self.gym.set_dof_state_tensor_indexed(self.sim, dofs, gymtorch.unwrap_tensor(carts), len(carts))
        self.progress_buf[env_ids] = 0
        self.reset_buf[env_ids] = 1  # as Anymal's does

    def pre_physics_step(self, actions):
        self.actions = actions.clone()
        forces = torch.zeros(self.num_envs * 2)
        forces[::2] = self.actions[:, 0] * self.max_push
        self.gym.set_dof_actuation_force_tensor(self.sim, gymtorch.unwrap_tensor(forces))

    def post_physics_step(self):
        self.progress_buf += 1
        marked = self.reset_buf.nonzero(as_tuple=False).flatten()
        if len(marked) > 0:
            self.reset_idx(marked)
            self.reset_buf[marked] = 0
        self.compute_observations()
        self.compute_reward()


class GoalCart(Cartpole):
    """As the hands': it resets before the physics, goals apart from rows; and its thrust integrates the actions."""

    def __init__(self, num_envs, device):
        super().__init__(num_envs, device)
        self.reset_goal_buf = torch.ones(num_envs, dtype=torch.long)
        self.thrust = torch.zeros(num_envs, 1)

    def reset_target_pose(self, env_ids, apply_reset=False):
        self.targets[env_ids] = 2.0 * torch.rand(len(env_ids), 2) - 1.0
        self.reset_goal_buf[env_ids] = 0

    def reset_idx(self, env_ids, goal_env_ids):
        super().reset_idx(env_ids)
        self.reset_target_pose(env_ids)

    def pre_physics_step(self, actions):
        marked = self.reset_buf.nonzero(as_tuple=False).flatten()
        goals = self.reset_goal_buf.nonzero(as_tuple=False).flatten()
        if len(goals) > 0:
            self.reset_target_pose(goals, apply_reset=len(marked) == 0)
        if len(marked) > 0:
            self.reset_idx(marked, goals)
            self.reset_buf[marked] = 0
            self.thrust[marked] = 0.0
        self.thrust += 0.1 * actions
        super().pre_physics_step(self.thrust)

    def post_physics_step(self):
        self.progress_buf += 1
        self.compute_observations()
        self.compute_reward()
        self.reset_goal_buf[self.dof_pos[:, 0].abs() < 0.05] = 1


class ResetsAtOnce(Cartpole):
    """A task that gives the episode's end away: it resets a row in the step that ends it."""

    def compute_reward(self):
        super().compute_reward()
        marked = self.reset_buf.nonzero(as_tuple=False).flatten()
        if len(marked) > 0:
            self.reset_idx(marked)


class Troubled(Cartpole):
    """Something happens to it at its third step after the one that begins it."""

    trouble, steps = "", 0

    def post_physics_step(self):
        super().post_physics_step()
        self.steps += 1
        if self.steps < 4:
            return
        if self.trouble == "raises":
            raise ValueError("the drawer is stuck")
        if self.trouble == "dies":
            print("PhysX error: out of memory\x1b[31m", flush=True)
            os._exit(9)
        if self.trouble == "hangs":
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            time.sleep(600)


def make(num_envs, device, kind="Cartpole", trouble=""):
    """What `IsaacGym(task="standin_tasks:make")` calls."""
    task = {kind.__name__: kind for kind in (Cartpole, GoalCart, ResetsAtOnce, Troubled)}[kind](num_envs, device)
    task.trouble = trouble
    print("built", kind, "on Python", *sys.version_info[:2])
    return task

"""The part of `isaacgym.gymapi` that a small `VecTask` and the worker use, over physics of its own.

As in the actual one: the simulator's state is apart from the tensors, `refresh_…` copies it there and `set_…` takes it
from there; links are brought up to date by `simulate` alone; quaternions are xyzw; an actor's index says where it lies.
"""

import math

import numpy as np
import torch

DOF_ROTATION, DOF_TRANSLATION = "DofType.DOF_ROTATION", "DofType.DOF_TRANSLATION"
DOMAIN_SIM = "IndexDomain.DOMAIN_SIM"
STATE_ALL = 3

CART, POLE, HALF = 1.0, 0.1, 0.5  # kg, kg, m: the pole's centre is HALF from its hinge
LINKS = ("slider", "cart", "pole")


class Vec3:
    def __init__(self, x=0.0, y=0.0, z=0.0):
        self.x, self.y, self.z = x, y, z


class Quat:
    def __init__(self, x=0.0, y=0.0, z=0.0, w=1.0):
        self.x, self.y, self.z, self.w = x, y, z, w


class Transform:
    def __init__(self):
        self.p, self.r = Vec3(), Quat()


class SimParams:
    def __init__(self):
        self.dt, self.substeps, self.gravity = 1.0 / 60.0, 2, Vec3(0.0, 0.0, -9.81)


class Tensor:
    def __init__(self, storage):
        self.storage = storage


class Asset:
    def __init__(self, dofs, links):
        self.dofs, self.links = dofs, links


class Env:
    def __init__(self):
        self.actors = []  # of (name, asset, index in the simulation)


class Sim:
    def __init__(self, params):
        self.params, self.envs, self.starts = params, [], []


class Gym:
    def create_sim(self, compute_device, graphics_device, kind, params):
        return Sim(params)

    def load_asset(self, sim, root, file):
        if file == "cartpole":
            return Asset([("slider_to_cart", DOF_TRANSLATION, 4.0), ("cart_to_pole", DOF_ROTATION, None)], LINKS)
        return Asset([], ("ball",))

    def create_env(self, sim, lower, upper, per_row):
        sim.envs.append(Env())
        return sim.envs[-1]

    def create_actor(self, env, asset, pose, name, group, collisions):
        p, r = pose.p, pose.r
        index = self._count
        self._count += 1
        env.actors.append((name, asset, index))
        self._starts.append([p.x, p.y, p.z, r.x, r.y, r.z, r.w, 0, 0, 0, 0, 0, 0])
        return len(env.actors) - 1

    def __init__(self):
        self._count, self._starts = 0, []

    def prepare_sim(self, sim):
        actors = [actor for env in sim.envs for actor in env.actors]
        self._roots = torch.tensor(self._starts, dtype=torch.float32)
        owners = [index for _, asset, index in actors for _ in asset.dofs]
        self._owner_of_dof = torch.tensor(owners, dtype=torch.long)
        self._dofs = torch.zeros(len(owners), 2)
        self._forces = torch.zeros(len(owners))
        links = sum(len(asset.links) for _, asset, _ in actors)
        self._links = torch.zeros(links, 13)
        self._links[:, 6] = 1.0
        self._root_tensor, self._dof_tensor = self._roots.clone(), self._dofs.clone()
        self._link_tensor = self._links.clone()
        return True

    # what is there
    def get_env(self, sim, number):
        return sim.envs[number]

    def get_actor_count(self, env):
        return len(env.actors)

    def get_actor_handle(self, env, number):
        return number

    def get_actor_name(self, env, handle):
        return env.actors[handle][0]

    def get_actor_asset(self, env, handle):
        return env.actors[handle][1]

    def get_actor_index(self, env, handle, domain):
        assert domain == DOMAIN_SIM
        return env.actors[handle][2]

    def get_actor_dof_names(self, env, handle):
        return [name for name, _, _ in env.actors[handle][1].dofs]

    def get_asset_dof_type(self, asset, number):
        return asset.dofs[number][1]

    def get_actor_dof_properties(self, env, handle):
        limits = [limit for _, _, limit in env.actors[handle][1].dofs]
        table = np.zeros(len(limits), [("hasLimits", "?"), ("lower", "f4"), ("upper", "f4")])
        for i, limit in enumerate(limits):
            table[i] = (limit is not None, -(limit or 0.0), limit or 0.0)
        return table

    def get_actor_dof_states(self, env, handle, flags):
        _, asset, index = env.actors[handle]
        assert flags == STATE_ALL
        table = np.zeros(len(asset.dofs), [("pos", "<f4"), ("vel", "<f4")])
        mine = self._dofs[self._owner_of_dof == index]
        table["pos"], table["vel"] = mine[:, 0].numpy(), mine[:, 1].numpy()
        return table

    def get_actor_rigid_body_names(self, env, handle):
        return list(env.actors[handle][1].links)

    # tensors
    def acquire_actor_root_state_tensor(self, sim):
        return Tensor(self._root_tensor)

    def acquire_dof_state_tensor(self, sim):
        return Tensor(self._dof_tensor)

    def acquire_rigid_body_state_tensor(self, sim):
        return Tensor(self._link_tensor)

    def refresh_actor_root_state_tensor(self, sim):
        self._root_tensor.copy_(self._roots)
        return True

    def refresh_dof_state_tensor(self, sim):
        self._dof_tensor.copy_(self._dofs)
        return True

    def refresh_rigid_body_state_tensor(self, sim):
        self._link_tensor.copy_(self._links)
        return True

    def set_actor_root_state_tensor(self, sim, states):
        self._roots.copy_(states.storage.view_as(self._roots))
        return True

    def set_dof_state_tensor(self, sim, states):
        self._dofs.copy_(states.storage.view_as(self._dofs))
        return True

    def set_actor_root_state_tensor_indexed(self, sim, states, actors, count):
        chosen = self._chosen(actors, count)
        self._roots[chosen] = states.storage.view_as(self._roots)[chosen]
        return True

    def set_dof_state_tensor_indexed(self, sim, states, actors, count):
        chosen = torch.tensor([int(owner) in set(self._chosen(actors, count).tolist()) for owner in self._owner_of_dof])
        self._dofs[chosen] = states.storage.view_as(self._dofs)[chosen]
        return True

    def set_dof_actuation_force_tensor(self, sim, forces):
        self._forces.copy_(forces.storage.view(-1))
        return True

    def _chosen(self, actors, count):
        assert actors.storage.dtype == torch.int32, "the actual one wants 32-bit indices"
        return actors.storage[:count].long()

    # physics
    def simulate(self, sim):
        gravity, step = -sim.params.gravity.z, sim.params.dt / sim.params.substeps
        force = self._forces.view(-1, 2)[:, 0]
        for _ in range(sim.params.substeps):
            place, angle = self._dofs.view(-1, 2, 2)[:, 0], self._dofs.view(-1, 2, 2)[:, 1]
            sine, cosine, mass = torch.sin(angle[:, 0]), torch.cos(angle[:, 0]), CART + POLE
            pushed = (force + POLE * HALF * angle[:, 1] ** 2 * sine) / mass
            turning = (gravity * sine - cosine * pushed) / (HALF * (4.0 / 3.0 - POLE * cosine**2 / mass))
            moving = pushed - POLE * HALF * turning * cosine / mass
            place[:, 1] += step * moving
            angle[:, 1] += step * turning
            place[:, 0] += step * place[:, 1]
            angle[:, 0] += step * angle[:, 1]
        self._place_links(len(sim.envs))

    def _place_links(self, count):
        """Of each environment: slider, cart, pole of the first actor, ball of the second."""
        links, roots = self._links.view(count, 4, 13), self._roots.view(count, 2, 13)
        links[:, 0], links[:, 3] = roots[:, 0], roots[:, 1]
        yaw = 2.0 * torch.atan2(roots[:, 0, 5], roots[:, 0, 6])
        along = torch.stack([torch.cos(yaw), torch.sin(yaw)], 1)
        dofs = self._dofs.view(count, 2, 2)
        for number in (1, 2):
            links[:, number] = roots[:, 0]
            links[:, number, :2] += along * dofs[:, 0, :1]
            links[:, number, 7:9] = along * dofs[:, 0, 1:]
        half = 0.5 * dofs[:, 1, 0]
        turn = torch.stack([torch.zeros_like(half), torch.sin(half), torch.zeros_like(half), torch.cos(half)], 1)
        links[:, 2, 3:7] = multiply(roots[:, 0, 3:7], turn)
        links[:, 2, 10:12] = torch.stack([-along[:, 1], along[:, 0]], 1) * dofs[:, 1, 1:]

    def fetch_results(self, sim, wait):
        pass


def multiply(one, other):
    """Quaternions xyzw `(N, 4)`."""
    x1, y1, z1, w1 = one.unbind(1)
    x2, y2, z2, w2 = other.unbind(1)
    return torch.stack(
        [
            w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
            w1 * y2 - x1 * z2 + y1 * w2 + z1 * x2,
            w1 * z2 + x1 * y2 - y1 * x2 + z1 * w2,
            w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
        ],
        1,
    )


def acquire_gym():
    return Gym()


YAW = math.pi / 6
"""By which the carts' rails are turned about +z."""

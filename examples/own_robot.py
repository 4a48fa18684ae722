"""A robot of your own that is told what to do: a MuJoCo model, functions that set its reward, a task.

reward-agent doctor --world examples/own_robot.py      whether the world and the task keep the contract
python examples/own_robot.py                           calls become a reward, a planner acts on it
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import mujoco
import numpy as np

from reward_agent import Metric, Task
from reward_agent.envs.mujoco.machine import Machine
from reward_agent.envs.mujoco.names import Part, Robot
from reward_agent.envs.mujoco.native import Draw, Native
from reward_agent.envs.mujoco.world import MachineWorld
from reward_agent.parameters.api import Argument, Function, RewardApi, Term

XML = """
<mujoco model="crane">
  <option timestep="0.01" integrator="implicitfast"/>
  <worldbody>
    <light pos="0 -2 3"/>
    <geom type="capsule" fromto="-1.2 0 1 1.2 0 1" size="0.02" contype="0" conaffinity="0"/>
    <body name="trolley" pos="0 0 1">
      <joint name="trolley" type="slide" axis="1 0 0" range="-1 1" limited="true" damping="2"/>
      <geom type="box" size="0.08 0.05 0.04" mass="1" contype="0" conaffinity="0"/>
      <body name="rod">
        <joint name="rod" type="hinge" axis="0 1 0" damping="0.01"/>
        <geom type="capsule" fromto="0 0 0 0 0 -0.5" size="0.01" mass="0.05" contype="0" conaffinity="0"/>
        <geom type="sphere" pos="0 0 -0.5" size="0.06" mass="0.5" contype="0" conaffinity="0"/>
        <site name="load" pos="0 0 -0.5"/>
      </body>
    </body>
  </worldbody>
  <actuator>
    <motor name="trolley" joint="trolley" gear="10" ctrlrange="-1 1" ctrllimited="true"/>
  </actuator>
</mujoco>
"""


def begin(rng: np.random.Generator, qpos: np.ndarray, qvel: np.ndarray) -> Draw:
    """Anywhere near the middle of the rail, the load at rest but for a little swing."""
    return Draw(qpos + rng.uniform(-0.1, 0.1, qpos.size), qvel.copy())


@cache
def crane() -> Machine:
    """One object, however often it is asked for."""
    return Machine(
        name="crane",
        spec=lambda: mujoco.MjSpec.from_string(XML),
        native=Native(
            timestep=0.01,  # as the model says
            frame_skip=4,
            horizon=150,
            observe=lambda d: np.concatenate([d.qpos, d.qvel], axis=1),
            draw=begin,
        ),
        robot=Robot(
            parts=(Part("load", "the ball at the rod's lower end", site="load", kind="Point"),),
            joints={"trolley": "trolley", "rod": "rod"},
            root="trolley",
            centre_of_mass=False,
            view=(2.5, 90.0, -10.0),
        ),
    )


def load_terms(values):
    """What the values of `set_load` mean; a value that is not set is None, or not there."""
    if values.get("place") is not None:
        yield Term("place", f"near(next_state.load.position[:, 0] - ({values['place']:g}), 0.1)")
    if values.get("speed_limit") is not None:
        fast = f"np.maximum(np.abs(next_state.load.linear_velocity[:, 0]) - {values['speed_limit']:g}, 0.0)"
        yield Term("speed_limit", f"2.0 * near({fast}, 0.2)")


API = RewardApi(
    robot="a crane: a trolley on a level rail along x, with a load that swings from it on a stiff rod 0.5 m long",
    functions=(
        Function(
            "set_load",
            "Where the load should hang. What is left out is no target.",
            (
                Argument("place", "of the load along the rail, 0 in the middle", "m", -0.9, 0.9),
                Argument("speed_limit", "of the load along the rail", "m/s", 0.0, 3.0),
            ),
            load_terms,
        ),
    ),
    always=(
        Term("calm", "0.3 * near(next_state.joints.rod.velocity, 1.0)"),
        Term("effort", "-0.02 * np.sum(action * action, axis=-1)"),
    ),
    motion=(
        "1. The load should {CHOICE: be anywhere; hang at a place}; a place is [0.0] m along the rail.\n"
        "2. The load should go {CHOICE: as fast as it likes; no faster than [1.0] m/s}.\n"
        "3. All this goes on for [6.0] seconds. Where there are stages, give one such list for each.\n"
    ),
    advice='- "Anywhere" and "as fast as it likes" mean: leave that argument out.\n',
)


@dataclass(frozen=True)
class Crane(MachineWorld):
    """The world: which machine, and what can be called."""

    @property
    def name(self) -> str:
        return "crane"

    @property
    def machine(self) -> Machine:
        return crane()

    def reward_api(self) -> RewardApi:
        return API

    def primitives(self) -> RewardApi:
        """For the baseline code-as-policies alone; functions of its own would be skills."""
        return API


def delivered(episode) -> float:
    """The share of the last 25 states with the load within 0.1 m of +0.5 m and slower than 0.3 m/s."""
    load = episode.state.load
    there = np.abs(load.position[-25:, 0] - 0.5) < 0.1
    calm = np.abs(load.linear_velocity[-25:, 0]) < 0.3
    return float((there & calm).mean())


task = Task(
    id="mine/deliver",
    instruction="bring the load half a metre to the right (+x) and let it hang still there",
    world=Crane(),
    horizon=150,
    metrics=(
        Metric(
            name="delivered",
            kind="fitness",
            doc="share of the last 25 states with the load within 0.1 m of +0.5 m and slower than 0.3 m/s",
            fields=("load.position", "load.linear_velocity"),
            score=delivered,
        ),
    ),
    terminates="never",
    optimiser="mpc",
    preset="locomotion",  # a motor: wide noise
    budget=20_000,
    control="a crane: one force pushes the trolley along its rail, the load swings below",
)


def main() -> None:
    from reward_agent import evaluate
    from reward_agent.parameters.calls import read_calls
    from reward_agent.parameters.compiling import compile_plan
    from reward_agent.parameters.plan import gather
    from reward_agent.program import Fault

    calls = read_calls("set_load(place=0.5)\nexecute_plan(plan_duration=6)", API)
    if isinstance(calls, Fault):  # what a model would be told
        raise SystemExit(f"line {calls.line}: {calls.message}")
    program = compile_plan(gather(calls, API), API)
    print(program.source)
    found = evaluate(program, task, episodes=2, settings={"samples": 16})
    print(found.metrics["delivered"].mean, found.floors["no-op"]["delivered"].mean)


# trainings run in processes of their own, which import this file
if __name__ == "__main__":
    main()

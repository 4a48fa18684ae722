"""Settings of the optimisers, one preset a class of tasks, and where each number comes from.

Published settings (RL Baselines3 Zoo, `hyperparams/{ppo,sac}.yml`, Gymnasium's MuJoCo environments) are made for one
environment and batches of 64 to 256. Here environments step together: by default 64 for 128 steps, so a rollout is
8,192 transitions and a batch 1,024, and an update costs one large product in place of many small ones. Fewer, larger
gradient steps want a rate near the published upper end (3e-4) and a smaller first deviation (log -1), for there are
fewer to shrink it. Where it was measured that shorter rollouts learn more from as many steps, a preset has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from reward_agent.errors import UsageError, unknown_name


@dataclass(frozen=True)
class PPOSettings:
    """Of `optimise.ppo`; defaults are the `default` preset's."""

    num_envs: int = 64
    rollout: int = 128
    """Steps of each environment between updates."""
    batch_size: int = 1024
    epochs: int = 5
    learning_rate: float = 3e-4
    discount: float = 0.99
    gae_lambda: float = 0.95
    clip_range: float = 0.2
    entropy_weight: float = 0.0
    value_weight: float = 0.5
    max_gradient: float = 0.5
    """Norm the gradient is clipped to."""
    log_std_init: float = -1.0
    hidden: tuple[int, ...] = (64, 64)
    """Units of each layer, of the policy and of the value."""
    activation: str = "tanh"
    normalise_reward: bool = True
    """Divide by the running deviation of the discounted return: programs come in any scale."""
    threads: int = 2
    """For physics and update: 2 where one training runs alone, 1 where several do. It changes no result."""
    checkpoint_seconds: float = 30.0


@dataclass(frozen=True)
class SACSettings:
    """Of `optimise.sac`; defaults are the locomotion preset's."""

    num_envs: int = 8
    gradient_steps: int = 4
    """After each step of all environments."""
    batch_size: int = 512
    learning_rate: float = 7e-4
    discount: float = 0.99
    tau: float = 0.01
    """Share of the critics that enters their targets at each gradient step."""
    learning_starts: int = 5_000
    """Steps of uniformly random actions before the first update."""
    buffer_size: int = 1_000_000
    hidden: tuple[int, ...] = (256, 256)
    activation: str = "relu"
    entropy_start: float = 0.1
    """The entropy's weight at first; it is learnt, at `learning_rate` a gradient step on its logarithm."""
    normalise_reward: bool = False
    """Divide by the running deviation of the discounted return, which leaves rewards small beside the entropy."""
    threads: int = 1
    boundary: int = 1_000
    """Environment steps between points of the curves, progress and checkpoints."""
    checkpoint_seconds: float = 30.0


@dataclass(frozen=True)
class Preset:
    """What a class of tasks is trained with."""

    name: str
    ppo: PPOSettings
    sac: SACSettings
    origin: str
    """Where the values come from, and what was changed."""


PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "default",
            PPOSettings(),
            SACSettings(),
            "nothing is known of the task: the cheapest steps, at the rate and discount of the locomotion preset",
        ),
        Preset(
            "locomotion",
            PPOSettings(num_envs=32, rollout=32, batch_size=256),
            SACSettings(),
            "Zoo: HalfCheetah, Hopper, Walker2d, Ant (discount 0.98-0.99, lambda 0.9-0.95, 5-20 epochs, log_std -2, "
            "normalised observations and rewards); changed: 32 environments for 32 steps, batch 256, one rate of 3e-4, "
            "log_std -1. Measured against 64 for 128 steps with batch 1,024, native return of the final policy, "
            "one figure a seed: HalfCheetah at 300k steps 4,862 and 5,236 against 2,524, 2,054 and 2,768; Hopper at "
            "300k 954, 410, 667 and 400 against 287 and 294; Walker2d at 150k 528 against 285",
        ),
        Preset(
            "acrobatics",
            PPOSettings(discount=0.995, entropy_weight=0.001, log_std_init=-0.2),
            SACSettings(discount=0.995),
            "the default preset, measured on the hopper's flips: at 8 ms a step the second from crouch to landing "
            "is 125 steps, of which a discount of 0.98 leaves 8 % (falling at once then pays better than leaping) "
            "and 0.995 leaves 53 %; more exploration, for standing still is where it starts",
        ),
        Preset(
            "posture",
            PPOSettings(discount=0.98, entropy_weight=0.001, log_std_init=-0.7),
            SACSettings(discount=0.98),
            "the default preset, measured on the ant lying down and waving a leg: at 50 ms a step a shorter sight",
        ),
        Preset(
            "manipulation",
            PPOSettings(discount=0.97, gae_lambda=0.9, hidden=(128, 128)),
            SACSettings(discount=0.97, learning_rate=1e-3),
            "Zoo: Reacher, Pusher (horizons of 50-100 steps); changed: discount 0.97 for the short horizon, "
            "wider layers",
        ),
        Preset(
            "balance",
            PPOSettings(rollout=32, batch_size=512, epochs=10, log_std_init=-0.5),
            SACSettings(learning_starts=1_000),
            "Zoo: InvertedPendulum, InvertedDoublePendulum (short rollouts of 32, 5-10 epochs); changed: "
            "64 environments, batch 512",
        ),
        Preset(
            "swim",
            PPOSettings(discount=0.9999, gae_lambda=0.98, rollout=256, batch_size=2048, epochs=10),
            SACSettings(discount=0.9999),
            "Zoo: Swimmer (discount 0.9999: thrust pays off many strokes later); changed: rollouts of 256, batch 2,048",
        ),
    )
}


Settings = TypeVar("Settings", PPOSettings, SACSettings)


def preset(name: str) -> Preset:
    """The preset of a task class.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[name]


def changed(settings: Settings, changes: Mapping[str, Any] | None) -> Settings:
    """`settings` with what a caller wants otherwise.

    Raises:
        UsageError: an unknown setting, or a value of another type.
    """
    known = {field.name: getattr(settings, field.name) for field in fields(settings)}
    values = {}
    for name, value in (changes or {}).items():
        if name not in known:
            raise unknown_name("setting", name, known)
        values[name] = _as(type(known[name]), name, value)
    return replace(settings, **values)


def _as(kind: type, name: str, value: Any) -> Any:
    if kind is tuple and isinstance(value, (list, tuple)) and all(isinstance(v, int) for v in value):
        return tuple(value)
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    raise UsageError(f"The setting {name!r} wants a {kind.__name__}, not {value!r}.")

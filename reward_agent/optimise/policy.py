"""A trained policy as plain arrays: a numpy network that acts, saves and loads without torch and without pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from reward_agent.errors import UsageError
from reward_agent.files import write_atomically
from reward_agent.schema import Array

if TYPE_CHECKING:
    from reward_agent.optimise.recurrent_policy import RecurrentPolicy
    from reward_agent.planning.policy import PlannedPolicy

Activation = Literal["tanh", "relu"]
Weights = NDArray[np.float32]

CONTINUOUS, DISCRETE, PLANNED, RECURRENT = 1, 2, 3, 4
"""Versions of the files: a network, one that chooses numbers, a policy that plans (`planning/policy.py`), one that
remembers (`recurrent_policy.py`)."""
VERSIONS = (CONTINUOUS, DISCRETE, PLANNED, RECURRENT)
OPTIONS = {"squash": bool, "clip": float, "epsilon": float, "observe_time": bool}
TENSORS, ARCHITECTURE = "policy.safetensors", "policy.json"


class Layer:
    """Names of a layer's tensors in the file."""

    @staticmethod
    def weight(index: int) -> str:
        return f"layers.{index}.weight"

    @staticmethod
    def bias(index: int) -> str:
        return f"layers.{index}.bias"


@dataclass(frozen=True)
class Policy:
    """A multilayer perceptron with the statistics of the observations it was trained on. Deterministic.

    Observations are normalised by `mean` and `variance` and clipped; the last layer's output is the action
    (clipped to the bounds) or, where `squash`, its tanh scaled to the bounds. Where `discrete` it is one logit a
    number, and the action the number of the largest.
    """

    weights: tuple[Weights, ...]
    """One `(out, in)` a layer."""
    biases: tuple[Weights, ...]
    """One `(out,)` a layer."""
    activation: Activation
    """Between layers."""
    squash: bool
    """True for SAC: tanh, then scaled to the action's bounds."""
    low: Array
    """The action's lower bounds, `(A,)`; `[0]` of numbers."""
    high: Array
    """The action's upper bounds, `(A,)`; `[n - 1]` of n numbers."""
    mean: Array
    """Of the observations, `(O,)`."""
    variance: Array
    """Of the observations, `(O,)`."""
    clip: float = 10.0
    """Largest magnitude of a normalised observation."""
    epsilon: float = 1e-8
    """Added to the variance."""
    observe_time: bool = False
    """The last observation is the share of the horizon that has passed."""
    discrete: bool = False

    @property
    def observation_size(self) -> int:
        return len(self.mean)

    @property
    def action_size(self) -> int:
        return len(self.low)

    def act(self, observations: Array) -> Array:
        """The action for each row: `(N, O)` to `(N, A)`, within the bounds; to `(N, 1)` of their numbers as float.

        Raises:
            UsageError: observations of another size.
        """
        output = self.output(observations)
        if self.discrete:
            return cast(Array, output.argmax(1)[:, None].astype(np.float64))
        if self.squash:
            output = self.low + 0.5 * (np.tanh(output) + 1.0) * (self.high - self.low)
        return cast(Array, np.clip(output, self.low, self.high))

    def output(self, observations: Array) -> Array:
        """Of the last layer, `(N, A)`; where it is discrete, the logits of n numbers, `(N, n)`.

        Raises:
            UsageError: observations of another size.
        """
        if observations.ndim != 2 or observations.shape[1] != self.observation_size:
            raise UsageError(
                f"This policy acts on observations (N, {self.observation_size}), not on {observations.shape}. "
                "It was trained on another task, or with another `observe_time`."
            )
        normalised = (observations - self.mean) / np.sqrt(self.variance + self.epsilon)
        hidden: Weights = np.clip(normalised, -self.clip, self.clip).astype(np.float32)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden = hidden @ weight.T + bias
            hidden = np.tanh(hidden) if self.activation == "tanh" else np.maximum(hidden, 0)
        return cast(Array, (hidden @ self.weights[-1].T + self.biases[-1]).astype(np.float64))

    def __call__(self, observations: Array) -> Array:
        """As `act`, so that a policy can be given wherever an `act` is wanted."""
        return self.act(observations)

    def save(self, folder: Path) -> None:
        """Write `policy.safetensors` and `policy.json` into `folder`, which is made where it is missing."""
        from safetensors.numpy import save

        folder.mkdir(parents=True, exist_ok=True)
        tensors = {name: np.asarray(value, order="C") for name, value in self.tensors().items()}
        write_atomically(folder / TENSORS, save(tensors))
        write_atomically(folder / ARCHITECTURE, (json.dumps(self.architecture(), indent=2) + "\n").encode())

    def tensors(self) -> dict[str, NDArray[Any]]:
        """As the file has them."""
        layers = {Layer.weight(i): w for i, w in enumerate(self.weights)}
        layers |= {Layer.bias(i): b for i, b in enumerate(self.biases)}
        return layers | {
            "action.low": self.low,
            "action.high": self.high,
            "observation.mean": self.mean,
            "observation.variance": self.variance,
        }

    def architecture(self) -> dict[str, Any]:
        """As the file has it."""
        return {
            "version": DISCRETE if self.discrete else CONTINUOUS,
            "sizes": [self.observation_size, *(len(bias) for bias in self.biases)],
            "activation": self.activation,
            "squash": self.squash,
            "clip": self.clip,
            "epsilon": self.epsilon,
            "observe_time": self.observe_time,
        }


def load_policy(folder: Path | str, *, unsafe: bool = False) -> Policy | PlannedPolicy | RecurrentPolicy:
    """The policy that `Policy.save`, or one that plans or remembers, wrote into `folder`.

    `unsafe` runs the program that one plans on without the sandbox, at the user's word.

    Raises:
        UsageError: a file is missing, of another version, or holds other tensors than its architecture says,
            other shapes, or numbers that are not finite.
    """
    folder = Path(folder)
    architecture, tensors = _read(folder)
    if architecture["version"] == PLANNED:
        return _planned(folder, architecture, unsafe=unsafe)
    if architecture["version"] == RECURRENT:
        return _recurrent(folder, architecture, tensors)
    return _network(folder, architecture, tensors)


def _network(folder: Path, architecture: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> Policy:
    try:
        sizes = [int(size) for size in architecture["sizes"]]
        activation = architecture["activation"]
        options = {key: architecture[key] for key in OPTIONS}
        discrete = architecture["version"] == DISCRETE
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(folder / ARCHITECTURE, f"{error!r} is missing or malformed") from error
    for key, kind in OPTIONS.items():
        if type(options[key]) is not kind:
            raise _bad(folder / ARCHITECTURE, f"{key} is {options[key]!r}, not a {kind.__name__}")
    if activation not in get_args(Activation):
        raise _bad(folder / ARCHITECTURE, f"the activation {activation!r} is none of {get_args(Activation)}")
    if len(sizes) < 2:
        raise _bad(folder / ARCHITECTURE, f"sizes {sizes} make no network")
    count = len(sizes) - 1
    _check(folder / TENSORS, tensors, _shapes(sizes, discrete=discrete))
    return Policy(
        weights=tuple(tensors[Layer.weight(i)].astype(np.float32) for i in range(count)),
        biases=tuple(tensors[Layer.bias(i)].astype(np.float32) for i in range(count)),
        activation=activation,
        low=tensors["action.low"].astype(np.float64),
        high=tensors["action.high"].astype(np.float64),
        mean=tensors["observation.mean"].astype(np.float64),
        variance=tensors["observation.variance"].astype(np.float64),
        discrete=discrete,
        **options,
    )


def _planned(folder: Path, facts: dict[str, Any], *, unsafe: bool) -> PlannedPolicy:
    from reward_agent.planning.policy import read_planned

    try:
        return read_planned(facts, unsafe=unsafe)
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(folder / ARCHITECTURE, f"{error!r} is missing or malformed") from error


def _recurrent(folder: Path, facts: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> RecurrentPolicy:
    from reward_agent.optimise.recurrent_policy import OWN, recurrent_from

    try:
        head = _network(folder, facts["head"], {name: each for name, each in tensors.items() if name not in OWN})
        return recurrent_from(facts, tensors, head)
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(folder / ARCHITECTURE, f"{error!r} is missing or malformed") from error


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    for name in (ARCHITECTURE, TENSORS):
        if not (folder / name).is_file():
            raise UsageError(
                f"{folder} holds no policy: {name} is missing. A run keeps its policy in `best/` and in each "
                "candidate's folder; `reward-agent show RUN` lists them."
            )
    try:
        architecture = json.loads((folder / ARCHITECTURE).read_text())
    except ValueError as error:
        raise _bad(folder / ARCHITECTURE, f"it is not JSON ({error})") from error
    if not isinstance(architecture, dict) or architecture.get("version") not in VERSIONS:
        raise _bad(folder / ARCHITECTURE, f"it is of no version up to {VERSIONS[-1]}, which this release reads")
    try:
        return architecture, load((folder / TENSORS).read_bytes())
    except SafetensorError as error:
        raise _bad(folder / TENSORS, f"it is not a safetensors file ({error})") from error


def _shapes(sizes: list[int], *, discrete: bool) -> dict[str, tuple[int, ...]]:
    actions = 1 if discrete else sizes[-1]
    shapes: dict[str, tuple[int, ...]] = {
        "action.low": (actions,),
        "action.high": (actions,),
        "observation.mean": (sizes[0],),
        "observation.variance": (sizes[0],),
    }
    for index, (size, next_size) in enumerate(pairwise(sizes)):
        shapes[Layer.weight(index)] = (next_size, size)
        shapes[Layer.bias(index)] = (next_size,)
    return shapes


def _check(path: Path, tensors: dict[str, NDArray[Any]], shapes: dict[str, tuple[int, ...]]) -> None:
    if tensors.keys() != shapes.keys():
        odd = sorted(tensors.keys() ^ shapes.keys())
        raise _bad(path, f"these tensors are missing or unexpected: {', '.join(odd)}")
    for name, shape in shapes.items():
        if tensors[name].shape != shape:
            raise _bad(path, f"{name} is {tensors[name].shape} where the architecture wants {shape}")
        if tensors[name].dtype.kind != "f" or not np.isfinite(tensors[name]).all():
            raise _bad(path, f"{name} holds numbers that are not finite floats")
    if (tensors["observation.variance"] < 0).any():
        raise _bad(path, "observation.variance is negative")


def _bad(path: Path, what: str) -> UsageError:
    return UsageError(
        f"{path} is no policy of this package: {what}. Train it again, or give the folder of another policy."
    )

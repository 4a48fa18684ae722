"""What a run's later sittings were told and ran behind, as its journal has it, where they differ from the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reward_agent.codec import decode, encode
from reward_agent.config import RunConfig
from reward_agent.messages import Key
from reward_agent.store import Manifest, Run

CHANGES = Key(0, 0, 0, "changes")
"""Of the configuration: values by name that are not those of `run.json`; journalled when they change."""
LAYERS = "layers"
"""Stage of the sandbox's, journalled in a sitting that has others than the one before; the attempt counts these."""
MAY_CHANGE = ("llm", "jobs", "max_tokens", "max_usd", "base_url", "prices", "video", "tensorboard", "words", "judge")
"""What a resumed run may be told otherwise: nothing of it changes what is in the journal; another judge judges only the
rounds that are not judged yet."""


def config_of(manifest: Manifest, steps: Mapping[Key, Any]) -> RunConfig:
    """The configuration that the run's next sitting goes by; `steps` are those of its journal."""
    config: RunConfig = decode(RunConfig, {**manifest.config, **steps.get(CHANGES, {})})
    return config


def keep_changes(run: Run, config: RunConfig) -> None:
    """Journal what of `config` is not as the run began, unless that is what the journal says already."""
    began, now = (encode(each) for each in (config_of(run.manifest, {}), config))
    changes = {name: now[name] for name in MAY_CHANGE if now[name] != began[name]}
    if changes != (run.recorded(CHANGES, Mapping[str, Any]) or {}):
        run.record(CHANGES, changes)


def layers_of(manifest: Manifest, steps: Mapping[Key, Any]) -> tuple[tuple[str, ...], ...]:
    """Layers of the sandbox in the first sitting, and in each that had others than the one before."""
    later = sorted((key.attempt, tuple(value)) for key, value in steps.items() if key.stage == LAYERS)
    return (manifest.sandbox, *(layers for _, layers in later))


def keep_layers(run: Run, layers: tuple[str, ...]) -> None:
    """Journal the layers of this sitting, which are not those of the one before."""
    run.record(Key(0, 0, len(layers_of(run.manifest, run.journal.values)) - 1, LAYERS), layers)


def weakest(sittings: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """Layers that were in force in every sitting; of one in several versions, as `landlock 3`, the lowest."""

    def version(layer: str) -> int:
        number = layer.rpartition(" ")[2]
        return int(number) if number.isdecimal() else 0

    def in_each(name: str) -> list[str]:
        return [layer for layers in sittings for layer in layers if _without_version(layer) == name]

    names = dict.fromkeys(_without_version(layer) for layers in sittings for layer in layers)
    return tuple(min(found, key=version) for name in names if len(found := in_each(name)) == len(sittings))


def _without_version(layer: str) -> str:
    name, _, number = layer.rpartition(" ")
    return name if number.isdecimal() else layer

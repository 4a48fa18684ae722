"""What a run was told after it began, as its journal has it: later sittings go on with what earlier ones were told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reward_agent.codec import decode, encode
from reward_agent.config import RunConfig
from reward_agent.messages import Key
from reward_agent.store import Manifest, Run

CHANGES = Key(0, 0, 0, "changes")
"""Of the configuration: values by name that are not those of `run.json`; journalled when they change."""
MAY_CHANGE = ("llm", "jobs", "max_tokens", "max_usd", "base_url", "prices", "video", "tensorboard")
"""What a resumed run may be told otherwise: nothing of it changes what a finished step was."""


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

"""Prompt templates: those that ship (`reward_agent.prompts`), any of them overridden from a user's folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from importlib.abc import Traversable
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from reward_agent.errors import UsageError, unknown_name

SUFFIX = ".jinja"


def shipped() -> dict[str, str]:
    """Source text of every template in the package, by name, as `eureka/system.jinja`."""
    return dict(_walk(files("reward_agent.prompts"), ""))


class Templates:
    """Renders templates by name.

    Args:
        folder: a user's own; a template here takes the place of the shipped one with the same relative path.

    Raises:
        UsageError: the folder does not exist, or holds a template whose name no method uses.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        if folder is None:
            return
        if not folder.is_dir():
            raise UsageError(f"The prompts folder {folder} does not exist. Make it, with only the templates to change.")
        for path in sorted(folder.rglob("*" + SUFFIX)):
            name = path.relative_to(folder).as_posix()
            if name not in self._shipped:
                raise unknown_name(f"prompt template (in {folder})", name, self._shipped)

    def render(self, name: str, **values: Any) -> str:
        """The text of a template, without blank space around it.

        Raises:
            UsageError: no such template, or a user's own is not valid or names a value that does not exist.
        """
        if name not in self._shipped:
            raise unknown_name("prompt template", name, self._shipped)
        try:
            text = self._environment.get_template(name).render(**values)
        except jinja2.TemplateSyntaxError as error:
            raise UsageError(
                f"The prompt template {error.name or name}, line {error.lineno}: {error.message}."
            ) from error
        except jinja2.UndefinedError as error:
            known = ", ".join(sorted(values))
            raise UsageError(f"The prompt template {name}: {error.message}. It may use: {known}.") from error
        return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"  # as blocks that are left out leave gaps

    @cached_property
    def _shipped(self) -> dict[str, str]:
        return shipped()

    @cached_property
    def _environment(self) -> jinja2.Environment:
        loaders: list[jinja2.BaseLoader] = [jinja2.DictLoader(self._shipped)]
        if self.folder is not None:
            loaders.insert(0, jinja2.FileSystemLoader(self.folder))
        # prompts are plain text for a model: escaping as for HTML would only spoil the code in them
        return jinja2.Environment(
            loader=jinja2.ChoiceLoader(loaders),
            undefined=jinja2.StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            yield prefix + entry.name, entry.read_text(encoding="utf-8")

"""Names of what is found by folder and by entry point, without importing any of it: for help texts and checks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path


@dataclass(frozen=True)
class Kind:
    """One file each in a package, and a user's own by entry point."""

    package: str
    group: str
    """Of the entry points."""
    mark: str
    """A pattern of a line that a file of this kind has and the package's other files have not."""

    def shipped(self) -> frozenset[str]:
        """Names of the package's own: its files'."""
        mark, spec = re.compile(self.mark, re.MULTILINE), find_spec(self.package)
        folders = (spec and spec.submodule_search_locations) or ()
        files = (file for folder in folders for file in Path(folder).glob("[!_]*.py"))
        return frozenset(file.stem for file in files if mark.search(file.read_text(encoding="utf-8")))

    def names(self) -> tuple[str, ...]:
        """The shipped ones' and the user's own, in order."""
        return tuple(sorted(self.shipped() | {point.name for point in entry_points(group=self.group)}))

    def choices(self, but: str = "") -> str:
        """As `a, b or c`, without the one named `but`."""
        *others, last = (name for name in self.names() if name != but)
        return f"{', '.join(others)} or {last}" if others else last


OPTIMISERS = Kind("reward_agent.optimise", "reward_agent.optimisers", r"^def optimise\(")
METHODS = Kind("reward_agent.methods", "reward_agent.methods", r"^    name\b.*=")
SCORES = "given"
"""The method that asks nobody: it scores the reward it is given."""
NOBODY = "none"
"""The provider of models that has nobody to ask."""
JUDGES = Kind("reward_agent.judges", "reward_agent.judges", r"^def make\(")
PROVIDERS = Kind("reward_agent.llm", "reward_agent.providers", r"^EXAMPLE\b.*=")

"""Other words and other axes for a task's texts and names: whole words go by a list, axes by a turn of the frame."""

from __future__ import annotations

import keyword
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from reward_agent.codec import decode
from reward_agent.errors import UsageError

LETTERS = "xyz"
TURNS = ("yzx", "zxy")
"""What x, y and z can become: a turn of the frame by 120° about its diagonal, which mirrors nothing."""
# a listing of all three names the components in their order, which stay x, y and z
_AXES = re.compile(
    r"(?P<all>\bx, y(?:,? and|,) z\b|\bxyz\b)"
    r"|(?P<triple>\(-?\d+\.\d+, -?\d+\.\d+, -?\d+\.\d+\))"
    r"|(?<![A-Za-z_])(?P<some>xy|xz|yz|[xyz])(?![A-Za-z_])"
)
_CAPITALS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Wording:
    """What is said instead.

    Raises:
        UsageError: a word stands for nothing, one that is to go is in what stands for another, or the axes are no turn.
    """

    words: Mapping[str, str]
    """Whole words (or a few with spaces between) in lower case, and what stands for them, in axes not turned yet. A
    plural's `s` is kept."""
    axes: str = LETTERS
    """What x, y and z become: one of `TURNS`, or as they are."""
    instruction: str = ""
    """In place of the one that the words make."""
    control: str = ""
    """Likewise."""
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.axes not in (LETTERS, *TURNS):
            raise UsageError(f"A disguise cannot make {self.axes!r} of x, y and z; {' or '.join(TURNS)} it can.")
        for word, other in self.words.items():
            if not re.fullmatch(r"[a-z0-9]+(?: [a-z0-9]+)*", word) or not re.search("[A-Za-z]", other):
                raise UsageError(
                    f"A disguise cannot say {other!r} for {word!r}: a word is in lower case, as `drawer` or "
                    "`back flip`, and what stands for it has letters."
                )
            if (left := self.left_in(other)) is not None:
                raise UsageError(f"A disguise says {other!r} for {word!r}, where {left!r} is a word that is to go.")

    @property
    def order(self) -> tuple[int, int, int]:
        """Of the components of a vector: the new one is `vector[order]`."""
        x, y, z = (self.axes.index(letter) for letter in LETTERS)
        return x, y, z

    @property
    def up(self) -> str:
        """The axis that z becomes."""
        return self.axes[2]

    def prose(self, text: str) -> str:
        """A text in these words, its axes turned."""
        return _AXES.sub(self._turn, self._reword(text))

    def identifier(self, name: str) -> str:
        """A name, as `drawer_handle` or `root_x`.

        Raises:
            UsageError: what comes of it is no name.
        """
        words = re.sub(r"\W+", "_", self._reword(name.replace("_", " "))).strip("_").lower()
        made = "_".join(self._letter(part) for part in words.split("_"))
        if not made.isidentifier() or keyword.iskeyword(made):
            raise UsageError(
                f"The disguise makes {made!r} of the name {name!r}, which no program can say: use other words."
            )
        return made

    def path(self, path: str) -> str:
        """A dotted path, name by name."""
        return ".".join(self.identifier(part) for part in path.split("."))

    def kind(self, name: str) -> str:
        """The name of a class, as `DrawerHandle`."""
        words = self._reword(_CAPITALS.sub(" ", name))
        return words if words == name else "".join(part[:1].upper() + part[1:] for part in re.split(r"\W+", words))

    def said(self, text: str) -> str:
        """A text in these words, whose letters for axes number components."""
        return self._reword(text)

    def left_in(self, text: str) -> str | None:
        """A word that is to go and is still there."""
        found = self._pattern.search(_CAPITALS.sub(" ", text).replace("_", " ")) if self.words else None
        return found["word"].lower() if found else None

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self.words, key=lambda word: (-len(word), word))
        several = "|".join(r"[\s-]+".join(map(re.escape, word.split())) for word in longest_first)
        return re.compile(rf"(?<![A-Za-z0-9])(?P<word>{several})(?P<plural>e?s)?(?![A-Za-z0-9])", re.IGNORECASE)

    def _reword(self, text: str) -> str:
        return self._pattern.sub(self._other, text) if self.words else text

    def _other(self, found: re.Match[str]) -> str:
        other = self.words[" ".join(re.split(r"[\s-]+", found["word"].lower()))] + ("s" if found["plural"] else "")
        before = found.string[: found.start()].rstrip(" \t\n\"'`()")
        begins = not before or before[-1] in ".!?"  # elsewhere a capital was a name's, which what stands for it is not
        return other[:1].upper() + other[1:] if begins and found["word"][0].isupper() else other

    def _turn(self, found: re.Match[str]) -> str:
        if found["all"]:
            return found[0]
        if found["triple"]:
            numbers = found["triple"][1:-1].split(", ")
            return f"({', '.join(numbers[index] for index in self.order)})"
        return "".join(sorted(map(self._letter, found["some"])))

    def _letter(self, part: str) -> str:
        return self.axes[LETTERS.index(part)] if part in tuple(LETTERS) else part


@dataclass(frozen=True)
class Words:
    """What a file of words holds (TOML): a table `[words]` and, if wished, the rest. See `Wording`."""

    words: Mapping[str, str]
    instruction: str = ""
    control: str = ""
    axes: str = ""
    """Whatever the seed says unless given."""


def read_words(path: Path) -> Words:
    """The words in a file.

    Raises:
        UsageError: there is no such file, or it is not of that form.
    """
    try:
        found: Words = decode(Words, tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError) as error:
        raise UsageError(f"The words of a disguise cannot be read from {path}: {error}.") from error
    return found

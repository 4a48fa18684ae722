"""What goes to a language model and what comes back."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal, NamedTuple

PLACE = "\ufffc"
"""Where in a message's text an image belongs: Unicode's own character for it. The first is the first image's."""


@dataclass(frozen=True)
class Image:
    data: bytes = field(repr=False)
    """The whole file."""
    media_type: Literal["image/png", "image/jpeg"]

    @property
    def base64(self) -> str:
        return b64encode(self.data).decode()

    @property
    def sha256(self) -> str:
        """Of the file's bytes, in hex."""
        return sha256(self.data).hexdigest()

    def name(self, number: int) -> str:
        """Of the file beside the prompt where it is image `number` of it, counted from 1."""
        return f"prompt.image_{number}.{'png' if self.media_type == 'image/png' else 'jpg'}"


@dataclass(frozen=True)
class Message:
    role: Literal["system", "user", "assistant"]
    text: str
    images: tuple[Image, ...] = ()
    """In the order of their places in the text; those without one come after it. A user's messages alone have any."""

    def __post_init__(self) -> None:
        if self.images and self.role != "user":
            raise ValueError(f"no server takes images in a message of role {self.role!r}")

    @property
    def parts(self) -> tuple[str | Image, ...]:
        """Text and images in reading order, without empty text."""
        if not self.images:
            return (self.text,)
        first, *rest = self.text.split(PLACE)
        parts: list[str | Image] = [first]
        for number, image in enumerate(self.images):
            parts += [image, rest[number] if number < len(rest) else ""]
        # a place more than there are images shows nothing
        parts.append("".join(rest[len(self.images) :]))
        return tuple(part for part in parts if not isinstance(part, str) or part.strip())


def named_images(messages: Sequence[Message]) -> Iterator[tuple[str, Image]]:
    """The images of a prompt, each with the name of its file beside it."""
    images = (image for message in messages for image in message.images)
    return ((image.name(number), image) for number, image in enumerate(images, 1))


MAIN = "reply"
"""The stage whose reply holds the program."""


class Key(NamedTuple):
    """Which reply this is. Replay goes by it, never by the prompt's text."""

    iteration: int
    candidate: int
    attempt: int
    stage: str = MAIN

    @property
    def folder(self) -> str:
        return f"iter_{self.iteration:02d}/cand_{self.candidate:02d}/attempt_{self.attempt:02d}"

    def path(self, name: str) -> str:
        """Of a file of this reply, relative to the run's folder; `name` as `reply.md`."""
        return f"{self.folder}/{name if self.stage == MAIN else f'{self.stage}.{name}'}"


@dataclass(frozen=True)
class Usage:
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    """None where no price is known."""


@dataclass(frozen=True)
class Reply:
    """A model's answer, with all that is kept about it."""

    text: str
    model: str
    usage: Usage = Usage()
    date: str = ""
    """UTC, ISO 8601."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    prompt_sha256: str = ""
    replayed: bool = False
    """Said again from a recording; its usage is that of then, and nothing was paid now."""

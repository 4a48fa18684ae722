"""Keeps keys out of messages, logs and run files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from reward_agent.errors import UsageError

PLACE = "[key removed]"

_SECRET_NAME = re.compile(r"(_KEY|_TOKEN|_SECRET|_PASSWORD|_CREDENTIALS)$")
_LOOKS_LIKE_A_KEY = re.compile(
    r"\b(?:sk|pk|rk|gsk|hf|xai|nvapi|r8|pplx|AIza)[-_]?(?=[\w\-*.]*[\d*])[\w\-*.]{12,}"
    r"|(?<=Bearer )[^\s\"',]{6,}"
    r"|(?<=[?&]key=)[^\s&\"']+"
    r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """`text` without the values of this process's key variables and without anything that looks like a key."""
    return _LOOKS_LIKE_A_KEY.sub(PLACE, hide_secrets(text))


def hide_secrets(text: str) -> str:
    """`text` without the values of this process's key variables; anything else is left as it is."""
    return _hide(text, _secrets())


class Veil:
    """`hide_secrets` for a text that comes in pieces, wherever they are cut."""

    def __init__(self) -> None:
        self._secrets = _secrets()
        self._held = ""

    def show(self, piece: str) -> str:
        """What may be shown by now: everything but an end with which a secret may begin."""
        text = self._held + piece
        first = max(0, len(text) - max(map(len, self._secrets), default=0) + 1)
        cut = next((at for at in range(first, len(text)) if self._may_begin(text[at:])), len(text))
        while straddling := [at for secret in self._secrets if (at := _straddles(text, secret, cut)) >= 0]:
            cut = min(straddling)
        self._held = text[cut:]
        return _hide(text[:cut], self._secrets)

    def rest(self) -> str:
        """What was held back, now that nothing follows."""
        held, self._held = self._held, ""
        return _hide(held, self._secrets)

    def _may_begin(self, end: str) -> bool:
        return any(len(end) < len(secret) and secret.startswith(end) for secret in self._secrets)


def _hide(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, PLACE)
    return text


def _straddles(text: str, secret: str, cut: int) -> int:
    """Where `secret` begins before `cut` and ends after it; -1 where it does not."""
    return text.find(secret, max(0, cut - len(secret) + 1), cut + len(secret) - 1)


def read_key(variable: str) -> str | None:
    """The key in an environment variable, without the white space around it that copying leaves; None when not set.

    Raises:
        UsageError: it holds characters that cannot be sent, such as curly quotes.
    """
    key = os.environ.get(variable, "").strip()
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise UsageError(
            f"{variable} holds spaces or characters that no key has (curly quotes, perhaps). "
            f"Set it again: `export {variable}=...`."
        )
    return key or None


def _secrets() -> list[str]:
    """The longest first: one may begin with another."""
    values = {value.strip() for name, value in os.environ.items() if _SECRET_NAME.search(name.upper())}
    # short values (`test`, `none`) are no secrets, and replacing them would garble any text
    return sorted((v for v in values if len(v) >= 8 and not v.startswith("/")), key=lambda v: (-len(v), v))

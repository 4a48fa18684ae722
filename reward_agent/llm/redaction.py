"""Keeps keys out of messages, logs and run files."""

from __future__ import annotations

import os
import re

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
    # the longest first: one key may begin with another
    for secret in sorted(_secrets(), key=len, reverse=True):
        text = text.replace(secret, PLACE)
    return text


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


def _secrets() -> set[str]:
    values = {value.strip() for name, value in os.environ.items() if _SECRET_NAME.search(name.upper())}
    # short values (`test`, `none`) are no secrets, and replacing them would garble any text
    return {value for value in values if len(value) >= 8 and not value.startswith("/")}

"""A program as HTML with its syntax in colours, and what changed between two programs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher

from markupsafe import Markup

from reward_agent.drawing.text import shown

CONTEXT = 3
"""Lines around a change that a diff shows."""
LONGEST = 1000
"""Lines of a program that is compared: the time it takes grows faster than they do."""


def highlight(source: str, *, marked: Collection[int] = (), label: str = "program") -> Markup:
    """The program with numbered lines; those in `marked` (from 1) stand out, as where a fault is.

    Args:
        source: Python, or any other text.
        marked: lines that stand out.
        label: what it is, for who does not see it.
    """
    lines = [
        Markup('<span class="line{}">{}\n</span>').format(" marked" if number in marked else "", line)
        for number, line in enumerate(_lines(source), 1)
    ]
    return Markup('<pre class="code" tabindex="0" role="region" aria-label="{}"><code>{}</code></pre>').format(
        shown(label), Markup("").join(lines)
    )


def diff(before: str, after: str, *, label: str = "changes") -> Markup:
    """What has to be changed in `before` to get `after`: removed and added lines, with some around them."""
    old, new = shown(before).splitlines(), shown(after).splitlines()
    if old == new:
        return Markup('<p class="empty">The same program.</p>')
    if max(len(old), len(new)) > LONGEST:
        return Markup('<p class="empty">Over {} lines are not compared.</p>').format(LONGEST)
    rows = Markup("").join(_hunks(old, new, _lines(before), _lines(after)))
    return Markup(
        '<div class="diff" tabindex="0" role="region" aria-label="{}"><table><thead class="unseen"><tr>'
        '<th scope="col">old line</th><th scope="col">new line</th><th scope="col">text</th></tr></thead>'
        "{}</table></div>"
    ).format(shown(label), rows)


def _hunks(
    old: Sequence[str], new: Sequence[str], old_drawn: Sequence[Markup], new_drawn: Sequence[Markup]
) -> Iterator[Markup]:
    for group in SequenceMatcher(None, old, new).get_grouped_opcodes(CONTEXT):
        yield Markup("<tbody>")
        for kind, first, end, first_new, end_new in group:
            if kind == "equal":
                for offset in range(end - first):
                    yield _row("", first + offset + 1, first_new + offset + 1, old_drawn[first + offset])
                continue
            yield from (_row("del", number + 1, None, old_drawn[number]) for number in range(first, end))
            yield from (_row("ins", None, number + 1, new_drawn[number]) for number in range(first_new, end_new))
        yield Markup("</tbody>")


def _row(kind: str, old: int | None, new: int | None, line: Markup) -> Markup:
    numbers = Markup("").join(Markup('<td class="number">{}</td>').format(each or "") for each in (old, new))
    text = Markup("<{}>{}</{}>").format(kind, line, kind) if kind else line
    sign = {"del": "−", "ins": "+"}.get(kind, " ")
    return Markup(
        '<tr class="{}">{}<td class="text"><span class="sign" aria-hidden="true">{}</span>{}</td></tr>'
    ).format(kind or "same", numbers, sign, text)


def _lines(source: str) -> list[Markup]:
    """Each line as HTML, escaped; spans are closed where a line ends."""
    from pygments import highlight as drawn
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    text = shown(source)
    html = drawn(text, PythonLexer(stripnl=False, ensurenl=False), HtmlFormatter(nowrap=True))
    # pygments escapes all text and closes its spans at the end of each line
    return [Markup(line) for line in html.splitlines()]

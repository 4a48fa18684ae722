"""Reads a page as a browser would parse it, and refuses what a browser would have to mend."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = frozenset({"meta", "link", "br", "hr", "img", "input"})
FOREIGN = frozenset({"line", "circle", "polyline"})
"""Of SVG, closed by a slash."""


class Page(HTMLParser):
    """What is in a page: its elements with their attributes, and its text.

    Raises:
        AssertionError: elements are not nested, or left open; an id or an attribute is there twice.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.style = ""
        self._open: list[str] = []
        self._text: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"
        ids = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        assert len(ids) == len(set(ids)), "an id is there twice"
        self.ids = frozenset(ids)

    @property
    def text(self) -> str:
        return "".join(self._text)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._element(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in FOREIGN | VOID, f"<{tag}/> closes nothing in HTML"
        self._element(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open[-1] == tag, f"</{tag}> in {self._open}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.style += data
        else:
            self._text.append(data)

    def _element(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute of <{tag}> is there twice"
        self.elements.append((tag, {name: value or "" for name, value in attrs}))


def assert_inert(page: Page) -> None:
    """Nothing in it can run, and nothing is fetched from anywhere."""
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "a:href", "use", "image"}
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on") and name not in ("style", "srcset", "ping"), f"<{tag} {name}>"
            if name in ("src", "href", "poster", "action", "data"):
                assert value.startswith(("#", "data:video/mp4;base64,")) or ":" not in value, f"{name}={value:.60}"
    assert "@import" not in page.style and "url(" not in page.style

"""Drawings are well-formed, say what they show, and whatever text comes into them stays text."""

from __future__ import annotations

import math
import re
import time
import xml.etree.ElementTree as ElementTree

import pytest

from reward_agent.drawing import Series, diff, highlight, interval_chart, line_chart, shown, stylesheet
from reward_agent.drawing.axes import Axis, labels, short
from reward_agent.history import Interval

HOSTILE = "</script></svg></pre><img src=x onerror=alert(1)>\"'&"


def parsed(html: str) -> ElementTree.Element:
    """The drawings are XML as well."""
    return ElementTree.fromstring(f"<all>{html}</all>")


def words(html: str) -> str:
    return "".join(parsed(html).itertext())


def points(html: str) -> list[list[tuple[float, float]]]:
    """Of each line, as it is drawn."""
    found = parsed(html).iterfind(".//svg[@role='img']//g/polyline")
    return [[tuple(map(float, p.split(","))) for p in each.attrib["points"].split()] for each in found]  # type: ignore[misc]


def test_a_line_goes_where_its_numbers_say() -> None:
    (line,) = points(line_chart("t", [Series("a", [0, 10, 20], [1, 3, 2])], x_label="steps"))
    xs, ys = zip(*line, strict=True)
    assert xs[1] - xs[0] == pytest.approx(xs[2] - xs[1]) and xs[0] < xs[1]
    assert ys[1] < ys[2] < ys[0]  # rows count down
    assert ys[0] - ys[2] == pytest.approx(ys[2] - ys[1], abs=0.2)


def test_a_line_breaks_where_there_is_no_number_and_a_lone_point_is_a_dot() -> None:
    chart = line_chart("t", [Series("a", range(6), [1, 2, math.nan, 3, math.inf, 4])], x_label="x")
    assert len(points(chart)) == 1 and chart.count("<circle") == 2


def test_of_several_points_at_one_place_a_line_goes_on_from_the_last() -> None:
    (line,) = points(line_chart("t", [Series("a", [0, 5, 5, 10], [1, 9, 2, 3])], x_label="x"))
    assert len(line) == 3 and line[0][1] > line[1][1] > line[2][1]
    alone = line_chart("t", [Series("a", [5, 5], [1, 2])], x_label="x")
    assert points(alone) == [] and alone.count("<circle") == 1  # a line of no length is not seen
    assert ">-1<" not in line_chart("t", [Series("a", [0], [1])], x_label="round", whole=True)


def test_a_chart_says_what_it_shows() -> None:
    chart = line_chart("success", [Series("best", [0, 1], [0.25, 0.5]), Series("all", [0], [0.1])], x_label="round")
    said = parsed(chart).find(".//svg[@role='img']")
    assert said is not None
    assert said.attrib["aria-label"] == "success, by round. best: from 0.25 to 0.5, between 0.25 and 0.5; all: 0.1"
    assert "round" in words(chart) and "best" in words(chart)


@pytest.mark.parametrize(
    "values",
    [[5.0, 5.0], [0.0, 0.0], [1e308, -1e308], [1e-320, 2e-320], [1e300, 1.0], [1e15, 1e15 + 1], [-3.0, -3.0]],
)
def test_any_numbers_have_a_chart(values: list[float]) -> None:
    chart = line_chart("t", [Series("a", [0, 1], values)], x_label="x")
    places = [float(number) for number in re.findall(r' (?:[xy][12]?|c[xy])="([^"]*)"', chart)]
    assert all(0 <= place <= 420 for place in places) and "nan" not in chart
    assert len(parsed(chart).findall(".//line")) < 30


def test_nothing_measured_is_said() -> None:
    for chart in (line_chart("t", [Series("a", [1], [math.nan])], x_label="x"), interval_chart("t", [])):
        assert "Nothing was measured" in words(chart) and "<svg" not in chart


def test_many_series_are_told_apart() -> None:
    chart = line_chart("t", [Series(f"s{i}", [0, 1], [i, i + 1]) for i in range(20)], x_label="x")
    groups = parsed(chart).findall(".//svg[@role='img']/g")
    assert len({group.attrib["class"] for group in groups}) == 20
    for group in groups:
        assert all(f".{name}" in stylesheet() for name in group.attrib["class"].split())


def test_a_faint_series_is_not_in_the_legend() -> None:
    behind = Series("one of them", [0, 1], [0, 1], colour=3, faint=True)
    chart = line_chart("t", [behind, Series("mean", [0, 1], [0, 1], colour=3)], x_label="x")
    assert "one of them" not in words(chart) and "series-3 faint" in chart


def test_ticks_are_round_and_within() -> None:
    assert Axis(0, 1, 0, 100).ticks() == pytest.approx([0, 0.5, 1])
    assert Axis(-0.3, 2.2, 0, 100).ticks() == pytest.approx([0, 1, 2])
    assert Axis(0, 2, 0, 100).ticks(8, whole=True) == [0, 1, 2]
    assert [short(value) for value in (0.25, -1500, 2e6, 3e-5, 0)] == ["0.25", "-1.5k", "2M", "3e-05", "0"]


def test_ticks_that_are_near_one_another_have_labels_of_their_own() -> None:
    assert labels([-17.92, -17.9, -17.88]) == ["-17.92", "-17.9", "-17.88"]
    assert labels([1_234_500.0, 1_234_600.0]) == ["1.2345M", "1.2346M"]
    assert labels([0, 0.5, 1]) == ["0", "0.5", "1"]


def test_an_interval_spans_its_ends() -> None:
    chart = interval_chart("success", [("this reward", Interval(0.5, 0.25, 0.75)), ("one episode", Interval.alone(1))])
    ((low, high),) = points(chart)
    (dot, _) = parsed(chart).findall(".//circle")
    assert low[0] < float(dot.attrib["cx"]) < high[0]
    assert float(dot.attrib["cx"]) == pytest.approx((low[0] + high[0]) / 2, abs=0.2)
    assert "this reward: 0.5 [0.25, 0.75]; one episode: 1" in chart


@pytest.mark.parametrize(
    "drawn",
    [
        line_chart(HOSTILE, [Series(HOSTILE, [0, 1], [0, 1]), Series("b", [0], [1])], x_label=HOSTILE, y_label=HOSTILE),
        interval_chart(HOSTILE, [(HOSTILE, Interval(1, 0, 2))]),
        highlight(f"# {HOSTILE}\nx = '''{HOSTILE}\n{HOSTILE}'''", label=HOSTILE),
        diff(f"# {HOSTILE}\nx = 1", f"x = 2  # {HOSTILE}", label=HOSTILE),
        diff("x = 1\x00\x1b[31m\ud800", f"{HOSTILE}\x0c\u2028"),
    ],
)
def test_hostile_text_stays_text(drawn: str) -> None:
    tree = parsed(drawn)
    names = {element.tag for element in tree.iter()}
    assert not names & {"script", "img"} and "onerror" in "".join(tree.itertext())
    assert not any(name.startswith("on") or name == "style" for element in tree.iter() for name in element.attrib)


def test_a_program_keeps_its_text_and_lines() -> None:
    source = 'def f(x):\n    """Two\n    lines."""\n\n    return x < 1 & 2\n'
    drawn = highlight(source, marked=[3])
    lines = parsed(drawn).findall(".//span[@class]")
    assert words(drawn) == source
    whole = [each for each in lines if each.attrib["class"].split()[0] == "line"]
    assert len(whole) == 5
    assert [n for n, each in enumerate(whole, 1) if "marked" in each.attrib["class"]] == [3]
    assert {"k", "nf"} <= {each.attrib["class"] for each in lines}


def test_a_diff_tells_what_was_removed_and_added() -> None:
    before = "\n".join(f"line{n} = {n}" for n in range(30))
    after = before.replace("line12 = 12", "line12 = 13").replace("line25 = 25\n", "")
    tree = parsed(diff(before, after))
    removed, added = (["".join(each.itertext()) for each in tree.iter(tag)] for tag in ("del", "ins"))
    assert (removed, added) == (["line12 = 12", "line25 = 25"], ["line12 = 13"])
    assert len(tree.findall(".//tbody")) == 2  # two places, far from one another
    same = ["".join(row.itertext()) for row in tree.iterfind(".//tr[@class='same']")]
    assert any("line9 = 9" in row for row in same) and not any("line5 = 5" in row for row in same)
    assert "The same program" in words(diff(before, before))


def test_no_program_takes_long_to_compare() -> None:
    began = time.monotonic()
    assert "<ins>" in diff("x\n" * 1000, "x\ny\n" * 500)
    assert "<ins>" in diff("".join(f"x{n % 120}\n" for n in range(1000)), "".join(f"x{n % 110}\n" for n in range(1000)))
    assert "not compared" in diff("x\n" * 30_000, "y\n")
    assert time.monotonic() - began < 20


def test_unseen_characters_are_seen() -> None:
    assert shown("a\u202eb\x00\ud800\u200b") == "a‹U+202E›b‹U+0000›‹U+D800›‹U+200B›"
    assert shown("tab\tline\r\nend\rend – ü 漢 🙂") == "tab\tline\nend\nend – ü 漢 🙂"
    highlight("x = 1  # \ud800").encode()  # what no file can hold is gone


def test_colours_are_read_in_dark_and_in_light() -> None:
    """Text and curves have a contrast of 4.5 and 3 to the ground, as WCAG 2 wants."""
    light, dark = re.findall(r":root \{(.*?)\}", stylesheet(), re.DOTALL)
    for block in (light, dark):
        colours = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", block))
        for name, colour in colours.items():
            if name in ("rule", "ground", "panel", "fault", "added", "removed"):
                continue
            least = 3.0 if name.startswith("series") else 4.5
            grounds = ["ground"] if name.startswith("series") else ["ground", "panel"]
            if name in ("ink", "keyword", "name", "string", "value", "comment"):
                grounds += ["added", "removed"]
            for ground in grounds:
                assert contrast(colour, colours[ground]) >= least, (name, ground)


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

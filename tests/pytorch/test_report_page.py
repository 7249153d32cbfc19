"""The page: it stands alone, parses, says what the report says, and its map agrees with the graphs' conditions."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from compiled import explain, explain_calls

from dynconstraints import DynamicInt, dynamic_int_constraints, name_dims
from dynconstraints.pytorch.reports.rendering.domain_map import picture
from dynconstraints.pytorch.reports.report import Report

X = torch.ones(3)
VOID = {"meta"}


def splitting(n: int, x: torch.Tensor) -> torch.Tensor:
    return x + 1 if n % 64 == 0 and "<&>" else x - n


def areas(x: torch.Tensor) -> torch.Tensor:
    return x.flatten(0, 1) * 2 if x.shape[0] * x.shape[1] > 4000 else x.flatten(0, 1)


@pytest.fixture(scope="module")
def one() -> Report:
    return explain(splitting, DynamicInt(64, name="n", constraints=["n % 32 == 0", "32 <= n <= 256"]), X)


@pytest.fixture(scope="module")
def two() -> Report:
    with dynamic_int_constraints(["h % 7 == 0", "w % 7 == 0", "h >= w", "14 <= w", "h <= 140"]):
        return explain_calls(areas, [(name_dims(torch.ones(h, w), {0: "h", 1: "w"}),) for h, w in ((56, 56), (70, 63))])


class Page(HTMLParser):
    """What a reader of the page meets: elements with their attributes, and texts; unclosed elements fail."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return "\n".join(self.texts)


def test_the_page_is_well_formed_and_says_what_the_report_says(one: Report) -> None:
    """The verdict, the names, the constraints, the condition and the user's line, escaped."""
    page = Page(one.to_html())
    for said in ("n % 32 == 0", "32 <= n <= 256", "32*k_n, k_n in 1..8", "n % 64 == 0", "n = 32"):
        assert said in page.text
    assert 'return x + 1 if n % 64 == 0 and "<&>" else x - n' in page.text
    assert ("html", {"lang": "en"}) in page.elements


def test_the_page_loads_nothing(one: Report, two: Report) -> None:
    """No address, no script, no import; the one reference is to a pattern of its own."""
    for report in (one, two):
        html = report.to_html()
        assert not re.search(r"https?:|//\w|@import|<script|<link|<img|\bsrc=|\bhref=", html)
        assert set(re.findall(r"url\((.*?)\)", html)) == {"#hatch"}


def test_the_page_reads_in_light_in_dark_and_aloud(two: Report) -> None:
    """Colours for both; the map has a title and a description; each cell says itself, and has its number in it."""
    html = two.to_html()
    assert "prefers-color-scheme: dark" in html
    assert "color-scheme: light dark" in html
    page = Page(html)
    (svg,) = (a for tag, a in page.elements if tag == "svg" and a.get("role") == "img")
    ids = {a.get("id") for _, a in page.elements}
    assert set((svg["aria-labelledby"] or "").split()) <= ids
    assert "Which graph serves which h and w" in page.text
    assert re.search(r"Of \d+ assignments shown, .*graph 1: \d+", page.text)
    cells = sum(tag == "rect" for tag, _ in page.elements)
    said = [text for text in page.texts if re.match(r"[hw] = \d+, [hw] = \d+: (graph|refused|needs|not)", text)]
    assert len(said) == cells


def test_the_map_of_one_name_is_what_the_graph_serves(one: Report) -> None:
    """32 to 256 by 32: the multiples of 64 are served, the others not; 0 and 288 are refused."""
    drawn = picture(one.splits[0])
    assert drawn is not None
    ((*cells,),) = drawn.rows
    states = {cell.values["n"]: cell.state for cell in cells}
    assert states == {n: "served" if n % 64 == 0 else "unserved" for n in range(32, 257, 32)} | dict.fromkeys(
        (0, 288), "refused"
    )
    assert [c.values["n"] for c in cells if c.compiled] == [64]
    assert [c.values["n"] for c in cells if c.counterexample] == [one.counterexample["n"]]  # type: ignore[index]
    assert next(c for c in cells if c.values["n"] == 0).refused_by == ("32 <= n <= 256",)


def test_the_map_of_two_names_is_what_the_graphs_serve(two: Report) -> None:
    """Each cell, by arithmetic: who serves it, or why it is refused."""
    drawn = picture(two.splits[0])
    assert drawn is not None
    assert {axis.name for axis in drawn.axes} == {"h", "w"}
    cells = [cell for row in drawn.rows for cell in row]
    assert {cell.state for cell in cells} == {"served", "refused"}
    for cell in cells:
        h, w = cell.values["h"], cell.values["w"]
        if h < w or h > 140 or w < 14:
            assert cell.state == "refused"
        else:
            assert cell.graph == int(h * w > 4000)


def test_names_that_follow_from_others_are_not_drawn() -> None:
    """s1 == 2*s0 is one axis; of three free names one stays what it was."""
    with dynamic_int_constraints(["s0 % 8 == 0", "s0 >= 8", "s1 == 2*s0", "a >= 2", "b >= 2"]):
        s0, s1 = DynamicInt(64, name="s0"), DynamicInt(128, name="s1")
        report = explain(lambda p, q, x: x * p + q if q > 100 else x * p, s0, s1, X)
        drawn = picture(report.splits[0])
        assert drawn is not None
        assert [axis.name for axis in drawn.axes] in (["s0"], ["s1"])
        a, b = DynamicInt(3, name="a"), DynamicInt(4, name="b")
        more = explain(lambda p, a, b, x: x + p * a * b if b > 3 else x, s0, a, b, X)
        drawn = picture(more.splits[0])
    assert drawn is not None
    assert [axis.name for axis in drawn.axes] == ["b", "s0"]
    assert drawn.fixed == {"a": 3}
    assert "a = 3 as when compiled" in Page(more.to_html()).text


def test_long_labels_are_whole_and_both_sides_of_a_border_are_drawn() -> None:
    """Of two names with large bounds; and of a branch far from the least value."""
    with dynamic_int_constraints(["h % 7 == 0", "w % 7 == 0", "0 < h <= 700000000", "0 < w <= 700000000"]):
        page = Page(explain(areas, name_dims(torch.ones(56, 56), {0: "h", 1: "w"})).to_html())
    (svg,) = (a for tag, a in page.elements if tag == "svg" and a.get("role") == "img")
    letters = 7
    left = min(float(a["x"] or 0) for tag, a in page.elements if tag == "text" and a.get("text-anchor") == "end")
    floor = max(float(a["y"] or 0) + 26 for tag, a in page.elements if tag == "rect")
    assert left >= 20 + letters * len("700000007")
    assert float(svg["height"] or 0) >= floor + 20 + letters * len("700000007")
    far = DynamicInt(64, name="n", constraints=["n % 4 == 0", "0 < n <= 5000"])
    drawn = picture(explain(lambda n, x: x + 1 if n > 1002 else x, far, X).splits[0])
    assert drawn is not None
    assert {1000, 1004} <= set(drawn.axes[0].values)
    assert max(drawn.axes[0].values) == 5004


def test_nothing_declared_has_a_page_too() -> None:
    """Without a map."""
    page = Page(explain(splitting, 64, X).to_html())
    assert "nothing is declared" in page.text
    assert "svg" not in {tag for tag, _ in page.elements}


def test_a_report_is_saved_as_its_name_ends(one: Report, tmp_path: Path) -> None:
    """Another ending is an error that lists the three."""
    for name in ("r.html", "r.json", "r.txt"):
        one.save(tmp_path / name)
    assert json.loads((tmp_path / "r.json").read_text())["splits"][0]["parts"] == [
        {"graph": 0, "serves": ["n % 64 == 0"]}
    ]
    assert (tmp_path / "r.txt").read_text() == f"{one}\n"
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>\n<html")
    with pytest.raises(ValueError, match=r"\.html, \.json, \.txt"):
        one.save(str(tmp_path / "r.pdf"))


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_a_browser_lays_the_page_out(two: Report, tmp_path: Path) -> None:
    """Headless, at the width of a phone: the page itself never scrolls sideways, and its cells have their size."""
    probe = """<script>
      const r = document.querySelector('rect').getBoundingClientRect();
      document.title = [document.documentElement.scrollWidth <= innerWidth, r.width > 20, r.height > 20].join();
    </script></body>"""
    path = tmp_path / "r.html"
    path.write_text(two.to_html().replace("</body>", probe))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=500,900", "--dump-dom"]
    done = subprocess.run(["chromium", *options, path.as_uri()], capture_output=True, text=True, timeout=120)
    assert "<title>true,true,true</title>" in done.stdout

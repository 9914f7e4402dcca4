"""A class on a page, in a spreadsheet, for Gradescope: nothing that stands in a hand-in, or that it is called, does a thing."""

import csv
import io
import json
from html.parser import HTMLParser

import pytest

from verification.classroom import gradescope, look
from verification.classroom.marking import Marked
from verification.classroom.page import page
from verification.classroom.rows import RIGHT, UNDONE, UNJUDGED, WRONG, Row
from verification.classroom.table import printable, table, table_csv

EVIL = '</pre><script>alert(1)</script>"\' onclick="alert(1)" &amp; \x1b[2J\x00\u202e.py'
CARD = [
    {"equation": "(8)", "state": "right", "why": ""},
    {"equation": "(12) tanh", "state": "wrong", "why": "it is given a"},
    {"equation": "(11)", "state": "cannot be told", "why": "(12) is wrong wherever it is used"},
    {"equation": "loss", "state": "not used", "why": "it returns no loss"},
]
ROWS = [
    Row("ann.py", RIGHT, "", "gradient", 10, 10, notes=2, seconds=1.25, story="gradient: right", details="Report card"),
    Row(EVIL, WRONG, EVIL, EVIL, 8, 10, "(12)", 0, 0.5, f"wrong\n  {EVIL}", EVIL, {"card": CARD, "counterexample": {"x": 1}}),
    Row("漢.py", UNJUDGED, "line 3: it raised", seconds=12.0, story="could not be judged\n  why"),
    Row("=1+1.py", UNDONE, "nothing is written in it"),
]


class Reader(HTMLParser):
    """Every tag with its attributes, every text, and whether all that was opened was closed."""

    VOID = ("meta",)

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def read():
    return Reader(page(Marked(ROWS, asked=4), f"left out: {EVIL}"))


def test_page_is_of_its_own_tags_alone(read):
    of_table = {"table", "thead", "tbody", "tr", "th", "td", "button", "a"}
    of_stories = {"article", "h2", "span", "pre", "details", "summary"}
    around = {"html", "head", "meta", "title", "style", "body", "main", "h1", "p", "script"}
    assert {tag for tag, _ in read.tags} == of_table | of_stories | around
    assert len(read.of("script")) == len(read.of("style")) == 1
    known = {"lang", "charset", "name", "content", "http-equiv", "role", "scope", "type", "class", "href", "id"}
    known |= {"data-label", "data-key", "aria-label", "aria-labelledby", "aria-describedby"}
    assert {name for _, attributes in read.tags for name in attributes} == known


def test_page_shows_what_stands_in_a_hand_in_as_it_is(read):
    shown = printable(EVIL)
    assert "\\x1b[2J\\x00\\u202e" in shown
    texts = [text for _, text in read.texts]
    assert f"wrong\n  {shown}" in texts
    assert f"(12): {shown}" in texts
    assert ("a", shown) in read.texts
    assert ("h2", shown) in read.texts
    assert f"left out: {shown}" in texts
    assert {text for tag, text in read.texts if tag == "script"} == {look.SCRIPT}
    whole = page(Marked(ROWS, asked=4))
    assert not any(sign in whole for sign in "\x00\x1b\u202e")


def test_page_is_for_screen_readers_and_phones(read):
    assert read.of("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in read.of("meta")
    assert [text for tag, text in read.texts if tag == "button"] == [
        "hand-in",
        "verdict",
        "equations",
        "notes",
        "seconds",
        "first mistake",
    ]
    assert all(each["scope"] == "col" for each in read.of("th"))
    names = {each["id"] for each in read.of("article")}
    assert {each["href"] for each in read.of("a")} == {f"#{name}" for name in names}
    assert len(names) == len(ROWS)
    ids = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "prefers-color-scheme: dark" in look.STYLE


def test_page_asks_for_nothing_from_elsewhere(read):
    (policy,) = [each["content"] for each in read.of("meta") if "http-equiv" in each]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert all(each.get("href", "#").startswith("#") and "src" not in each for _, each in read.tags)
    assert "http" not in look.STYLE + look.SCRIPT
    assert "url(" not in look.STYLE


def test_page_keys_is_in_the_order_of_the_numbers(read):
    keys = {}
    for each in read.of("td"):
        keys.setdefault(each["data-label"], []).append(each["data-key"])
    assert keys["equations"] == ["1001", "801", "0", "0"]
    assert keys["seconds"] == ["1250", "500", "12000", "0"]
    assert keys["verdict"] == ["0", "1", "3", "4"]
    assert keys["notes"] == ["2", "0", "0", "0"]


# Text and CSV.


def test_table_is_in_columns_and_without_what_moves_a_cursor():
    shown = table(ROWS)
    lines = shown.splitlines()
    assert len(lines) == 1 + len(ROWS)
    assert shown.replace("\n", "").isprintable()
    start = lines[1].index(RIGHT)
    assert lines[0][start:].startswith("verdict")
    assert lines[2][start:].startswith(f"{WRONG}       8 of 10")
    # A wide letter takes two columns.
    assert lines[3][start - 1 :].startswith(UNJUDGED)


def test_table_for_a_terminal_is_cut_to_its_width():
    rows = [Row("a.py", WRONG, "x" * 500)]
    assert len(table(rows).splitlines()[1]) > 500
    wide, narrow = (table(rows, width).splitlines()[1] for width in (100, 10))
    assert len(wide) == 100
    assert wide.endswith("xxx...")
    assert narrow.endswith("x" * 27 + "...")


def test_csv_is_read_back_and_no_formula():
    text = table_csv(ROWS)
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["file"] for row in read] == ["ann.py", printable(EVIL), "漢.py", "'=1+1.py"]
    assert [(row["right"], row["asked"], row["notes"], row["seconds"]) for row in read[:2]] == [
        ("10", "10", "2", "1.25"),
        ("8", "10", "0", "0.5"),
    ]
    assert read[1]["mistake"] == printable(EVIL)
    rows = [Row(f"{sign}x", RIGHT) for sign in "=+-@\t\r"]
    for row in csv.DictReader(io.StringIO(table_csv(rows), newline="")):
        assert row["file"][0] in "'\\"


# Gradescope.


def test_gradescope_is_a_test_for_each_equation_that_was_asked():
    found = gradescope.results(ROWS[1])
    assert json.loads(json.dumps(found)) == found
    assert [(test["name"], test["score"], test["max_score"], test["status"]) for test in found["tests"]] == [
        ("(8)", 1.0, 1.0, "passed"),
        ("(12) tanh", 0.0, 1.0, "failed"),
        ("(11)", 0.0, 1.0, "failed"),
    ]
    assert found["tests"][1]["output"] == "wrong: it is given a"
    assert (found["output"], found["execution_time"]) == (ROWS[1].story, 0.5)


@pytest.mark.parametrize(("row", "score"), [(ROWS[2], 0.0), (ROWS[3], 0.0)])
def test_gradescope_of_what_could_not_be_judged_is_one_test_without_points(row, score):
    (test,) = gradescope.results(row)["tests"]
    assert (test["name"], test["score"], test["max_score"], test["output"]) == ("backpropagation", score, 1.0, row.story)


def test_gradescope_of_what_is_no_equations_fault_is_a_test_of_its_own():
    row = Row("a.py", WRONG, found={"card": CARD[:1]}, story="why")
    assert [(test["name"], test["score"]) for test in gradescope.results(row)["tests"]] == [
        ("(8)", 1.0),
        ("backpropagation", 0.0),
    ]

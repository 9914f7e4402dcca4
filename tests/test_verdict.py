"""A verdict as a story: its lines, its table, and the program that makes the network again."""

import re

import numpy as np
import pytest

import handgrad as hg
from handgrad.equations import EQUATIONS
from verification.checking.check import Verdict
from verification.checking.diagnosis import Blame
from verification.checking.grading import AnswerKey
from verification.checking.verdict import story, worked
from verification.mistakes import MISTAKES
from verification.random_networks.cases import Case
from verification.submissions.description import describe
from verification.submissions.protocol import Change

NET = hg.Network(
    [hg.Dense([[0.5, -1.0], [0.25, 2.0]], [0.5, -0.5], "tanh"), hg.Dense([[1.0, -2.0]], [0.125], "sigmoid")],
    reduction="sum",
)
X, Y = np.array([[2.3, -1.0], [0.1, 1 / 3]]), np.array([[1.0], [0.7]])
FIRST, SECOND = MISTAKES[5], MISTAKES[6]


def made(net=NET, x=X, y=Y, **rest):
    """A verdict on an answer whose dL/dw of layer 2 is twice what is right; everything else about it is made up."""
    g = net.gradient(x, y)
    arrays = g.named() | {"w2": 2 * g.named()["w2"]}
    graded = AnswerKey(describe(net), x, y).grade(arrays)
    fields = {"networks": 3, "case": Case(net, x, y), "grade": graded, "arrays": arrays}
    return Verdict("gradient", **(fields | {"blame": Blame(13, "w2", "a reason")} | rest))


def program_in(text):
    return text[text.index("As a program:\n\n") + len("As a program:\n\n") :]


def test_story_of_a_right_submission_is_one_line():
    assert str(Verdict("Net", networks=300, rows=40)) == "Net: right on 300 networks and in 40 rows of calls"


def test_story_of_another_convention_is_no_error():
    first, second = str(Verdict("Net", 300, 40, conventions=("da_dz", "w"))).splitlines()
    assert first.startswith("Net: right on 300")
    assert second.endswith("another convention than PyTorch for da_dz, w; that is no error.")


@pytest.mark.parametrize("number", EQUATIONS)
def test_story_names_the_equation_with_its_latex_and_section(number):
    equation = EQUATIONS[number]
    text = str(made(blame=Blame(number, "w2", "a reason")))
    assert f"\n  equation  ({number})  {equation.latex}    [section {equation.section} of the notes]\n" in text
    assert "\n  because   a reason\n" in text


def test_story_of_what_declares_nothing_says_so_first():
    lines = str(made(undeclared=True)).splitlines()
    assert lines[1].startswith("  note      It has no @supports(...)")
    assert lines[2].startswith("  equation")
    assert str(made(undeclared=True, error="a sentence")).splitlines()[1] == "  a sentence"
    assert "@supports" not in str(made())


def test_story_without_an_equation_is_said():
    assert "\n  equation  none can be named\n" in str(made(blame=Blame(None, "w2", "")))
    assert "  equation" not in str(made(blame=None)).split("quantity")[0]


def test_story_of_the_first_wrong_number_is_both_numbers_and_their_ratio():
    lines = str(made()).splitlines()
    assert lines[0] == "gradient: WRONG (network 3 of those it was asked about)"
    (line,) = (line for line in lines if line.startswith("  first "))
    found = re.fullmatch(r"  first     w2\[0, ([01])\]: got (\S+), right is (\S+), ratio 2", line)
    given, expected = float(found[2]), float(found[3])
    assert given == made().arrays["w2"][0, int(found[1])]
    np.testing.assert_allclose(expected, NET.gradient(X, Y).named()["w2"][0, int(found[1])], rtol=1e-12)


def test_story_of_a_loss_is_without_a_place_and_of_a_right_0_without_a_ratio():
    net = hg.Network([hg.Dense([[0.0]], [0.0])])
    x, y = np.array([1.0]), np.array([0.0])
    arrays = {"w1": np.zeros((1, 1)), "b1": np.zeros(1), "loss": np.asarray(2.0)}
    verdict = Verdict("f", case=Case(net, x, y), grade=AnswerKey(describe(net), x, y).grade(arrays), arrays=arrays)
    assert "\n  first     loss: got 2.0, right is 0.0\n" in str(verdict)


def test_story_of_what_cannot_be_compared_is_why():
    arrays = made().arrays | {"w2": np.zeros((2, 1))}
    graded = AnswerKey(describe(NET), X, Y).grade(arrays)
    assert "\n  first     w2 has shape (2, 1); right is (1, 2)\n" in str(made(arrays=arrays, grade=graded))


def test_story_names_the_mistake_and_what_cannot_be_told_from_it():
    one, both = str(made(mistakes=(FIRST,))), str(made(mistakes=(FIRST, SECOND)))
    assert f"\n  mistake   {FIRST.name}: {FIRST.thought}\n" in one
    assert "or, the same" not in one
    assert f"\n            or, the same on every network tried: {SECOND.name}\n" in both
    assert "\n  mistake   not one of the catalogue\n" in str(made())


def test_story_tells_the_loss_against_the_gradient():
    assert "\n  loss      a sentence\n" in str(made(loss="a sentence"))
    assert "\n  loss      a" not in str(made())


def test_story_of_a_row_of_calls_is_its_step_and_four_changes():
    changes = tuple(Change("backward", f"the caller's x{place}", X, X) for place in range(6))
    text = str(made(step="backward again", changes=changes))
    assert "\n  A single call is right. In a row of calls it is wrong at: backward again\n" in text
    assert text.count(" was changed by backward") == 4
    # The numbers of a single call are right: no table of them.
    assert "quantity" not in text


def test_story_of_an_error_is_its_sentence():
    text = str(Verdict("homework.py", error="homework.py:3: what happened"))
    assert text.splitlines()[1] == "  homework.py:3: what happened"
    assert "program" not in text


def rows_of(text):
    lines = text.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("  quantity "))
    return lines[start + 1 : lines.index("", start)]


def test_table_is_every_quantity_in_the_order_of_a_pass_with_the_wrong_one_marked():
    rows = rows_of(str(made()))
    assert [row.split()[0] for row in rows] == [
        *("z1", "a1", "z2", "a2", "loss"),
        *("dL_da2", "da_dz2", "dL_dz2", "w2", "b2", "dL_da1", "da_dz1", "dL_dz1", "w1", "b1", "x"),
    ]
    assert [row.split()[0] for row in rows if row.endswith("<- wrong")] == ["w2"]
    trace = NET.trace(X, Y)
    row = dict(zip((row.split()[0] for row in rows), rows, strict=True))
    for value in np.ravel(trace.gradient.named()["w2"]):
        assert f"{value:.6g}"[:7] in row["w2"]
        assert f"{2 * value:.6g}"[:7] in row["w2"]
    assert "(11), (13)" in row["w2"]
    assert row["z1"].endswith(" -")


def test_table_of_nothing_wrong_is_empty():
    assert worked(Verdict("f")) == []


def test_withheld_story_is_without_the_right_numbers():
    verdict = made()
    text = verdict.withheld()
    assert text == story(verdict, withhold=True)
    right = NET.trace(X, Y)
    shown = text[: text.index("As a program")]
    of_table = "\n".join(rows_of(text))
    wrong = verdict.arrays["w2"]
    assert repr(float(wrong[verdict.grade.wrong[0].index])) in shown
    assert "right is" not in shown
    for number in [*np.ravel(right.gradient.named()["w2"]), *np.ravel(right[1].z), *np.ravel(right[2].a), right.gradient.loss]:
        assert f"{number:.6g}"[:7] not in of_table
        assert repr(float(number)) not in text


CASES = {
    "a batch": (NET, X, Y),
    "float32, strided": (
        hg.Network([hg.Dense(np.float32([[1 / 3, 0.1]]), np.float32([0.7]), hg.Activation("leaky_relu", slope=0.3))]),
        np.repeat(np.float32([[1 / 7, 0.2]]), 2, axis=1)[:, ::2],
        np.float32([[0.3]]),
    ),
    "prelu, bytes": (
        hg.Network([hg.Dense([[1 / 3], [0.3]], [0.1, 0.7], hg.Activation("prelu", alpha=(0.1, 1 / 7)))]),
        np.array([3], np.uint8),
        np.array([1 / 3, 0.1]),
    ),
    "class indices": (
        hg.Network([hg.Dense([[1 / 3], [0.1]], [0.1, 0.2], "softmax")], "cross_entropy"),
        np.array([[0.1]]),
        np.array([1], np.int32),
    ),
}


@pytest.mark.parametrize("row", CASES)
def test_program_of_the_story_equals_the_case(row):
    net, x, y = CASES[row]
    arrays = {name: 2 * array + 1 for name, array in net.gradient(x, y).named().items()}
    verdict = Verdict("f", case=Case(net, x, y), grade=AnswerKey(describe(net), x, y).grade(arrays), arrays=arrays)
    made_again = {}
    exec(program_in(str(verdict)), made_again)
    for given, expected in ((made_again["x"], x), (made_again["y"], y)):
        np.testing.assert_array_equal(given, expected, strict=True)
        assert given.flags.c_contiguous == expected.flags.c_contiguous
    again = made_again["net"]
    assert repr(again) == repr(net)
    for name, array in net.named().items():
        np.testing.assert_array_equal(again.named()[name], array, strict=True)
    assert [layer.activation for layer in again.layers] == [layer.activation for layer in net.layers]

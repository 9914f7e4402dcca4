"""A verdict as a story: its first line, its lines, its notes, its report card, its numbers, its program; and as data."""

import functools
import json
import re
import warnings
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

import handgrad as hg
from handgrad.equations import EQUATIONS
from handgrad.formulas import FORMULAS
from verification.checking import check as checking
from verification.checking.card import RIGHT, UNTOLD, UNUSED, WRONG, Row
from verification.checking.check import check
from verification.checking.diagnosis import Blame
from verification.checking.faults import Fault
from verification.checking.grading import AnswerKey
from verification.checking.notes import Note
from verification.checking.seen import worked
from verification.checking.verdict import Verdict, story
from verification.mistakes import MISTAKES, reference
from verification.mistakes.carrying import Exchange, gradient_carrying
from verification.random_networks.cases import Case
from verification.submissions.description import describe
from verification.submissions.protocol import Change
from verification.submissions.support import supports

NET = hg.Network(
    [hg.Dense([[0.5, -1.0], [0.25, 2.0]], [0.5, -0.5], "tanh"), hg.Dense([[1.0, -2.0]], [0.125], "sigmoid")],
    reduction="sum",
)
X, Y = np.array([[2.3, -1.0], [0.1, 1 / 3]]), np.array([[1.0], [0.7]])
FIRST, SECOND = MISTAKES[5], MISTAKES[6]
BY_NAME = {mistake.name: mistake for mistake in MISTAKES}
CARD = (
    Row("(8)", RIGHT),
    Row("(9) tanh", RIGHT),
    Row("loss", UNUSED, "it returns no loss"),
    Row("(4)", WRONG, "a thought"),
    Row("(14)", UNTOLD, "(4) is wrong wherever it is used"),
)
UNDECLARED = "  note      It has no @supports(...), so it is asked about everything. What it is not meant for, let it say."


def made(net=NET, x=X, y=Y, wrong=(("w2", 2),), **rest):
    """A verdict on an answer whose dL/dw of layer 2 is twice what is right; everything else about it is made up."""
    arrays = net.gradient(x, y).named()
    arrays |= {name: factor * arrays[name] for name, factor in wrong}
    graded = AnswerKey(describe(net), x, y).grade(arrays)
    fields = {"status": "wrong", "networks": 3, "case": Case(net, x, y), "grade": graded, "arrays": arrays}
    return Verdict("gradient", **(fields | {"question": "ordinary", "blame": Blame(13, "w2", "a reason")} | rest))


def fault(mistake=FIRST, where="", **rest):
    """A fault that is a mistake of the catalogue, unless `rest` says otherwise."""
    fields = {"name": mistake.name, "thought": mistake.thought, "equation": mistake.equation, "rows": ("(4)",)}
    return Fault(**(fields | {"exchange": Exchange({}, where), "mistake": mistake} | rest))


def measured(thought="a thought", equation=11, where=""):
    return Fault("w-times", thought, equation, Exchange({}, where), ("(11)",))


def lines_of(verdict, **how):
    return story(verdict, **how).splitlines()


# The first line.


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"networks": 300, "rows": 40}, "f: right on 300 networks and in 40 rows of calls"),
        (
            {"networks": 300, "rows": 40, "card": CARD[:3]},
            "f: right in all 2 equations that it uses, on 300 networks and in 40 rows of calls",
        ),
        (
            {"networks": 9, "rows": 9, "notes": (Note("numbers", "a"),)},
            "f: right on 9 networks and in 9 rows of calls, with 1 note",
        ),
        (
            {"networks": 9, "rows": 9, "card": CARD[:2], "notes": (Note("numbers", "a"),) * 2},
            "f: right in all 2 equations that it uses, on 9 networks and in 9 rows of calls, with 2 notes",
        ),
        ({"status": "unjudged", "error": "homework.py: there is no such file"}, "f: could not be judged"),
        ({"status": "unjudged", "error": "it hung", "card": CARD, "when": "for a batch"}, "f: could not be judged"),
        ({"status": "wrong", "question": "ordinary"}, "f: WRONG"),
        ({"status": "wrong", "question": "ordinary", "card": CARD}, "f: WRONG; 2 of 4 equations are right"),
        (
            {"status": "wrong", "question": "ordinary", "card": CARD, "when": "for more than one example"},
            "f: WRONG for more than one example; 2 of 4 equations are right",
        ),
        (
            {"status": "wrong", "question": "corners", "when": "where z is exactly 0 in a layer with relu"},
            "f: WRONG where z is exactly 0 in a layer with relu",
        ),
        (
            {"status": "wrong", "question": "manners", "when": "in a row of calls", "step": "after a step", "card": CARD},
            "f: WRONG in a row of calls",
        ),
        ({"status": "wrong", "question": "manners", "error": "a sentence"}, "f: WRONG"),
    ],
)
def test_first_line_is_the_verdict(fields, line):
    for how in ({}, {"withhold": True}, {"verbose": True}):
        assert lines_of(Verdict("f", **fields), **how)[0] == line


@pytest.mark.parametrize(
    ("fields", "ok", "exit_status"),
    [
        ({}, True, 0),
        ({"notes": (Note("numbers", "a"),)}, True, 0),
        ({"status": "wrong"}, False, 1),
        ({"status": "wrong", "error": "a sentence"}, False, 1),
        ({"status": "unjudged"}, False, 3),
    ],
)
def test_exit_status_is_that_of_the_status(fields, ok, exit_status):
    verdict = Verdict("f", **fields)
    assert (verdict.ok, verdict.exit_status) == (ok, exit_status)
    assert verdict.to_dict()["ok"] is ok


def test_story_of_a_right_submission_is_one_line():
    assert str(Verdict("Net", networks=300, rows=40)) == "Net: right on 300 networks and in 40 rows of calls"
    # Whoever is right need not say what it supports.
    assert "\n" not in str(Verdict("Net", networks=300, rows=40, undeclared=True, card=CARD[:3]))


# The notes.


def test_story_of_notes_is_a_line_each_with_its_remedy():
    notes = (
        Note("numbers", "a1 is nan from |z| = 709.8 on in a sigmoid layer: a power overflows", "with e = e^(−|z|)", 9),
        Note("manners", "w1 came in float64 for float32"),
    )
    assert lines_of(Verdict("f", notes=notes))[1:] == [
        "  note      a1 is nan from |z| = 709.8 on in a sigmoid layer: a power overflows. With e = e^(−|z|).",
        "  note      w1 came in float64 for float32.",
    ]
    assert lines_of(made(notes=notes))[-2:] == lines_of(Verdict("f", notes=notes))[1:]


def test_story_of_what_declares_nothing_says_so_last():
    for verdict in (made(undeclared=True), made(undeclared=True, error="a sentence", notes=(Note("numbers", "a"),))):
        assert lines_of(verdict)[-1] == UNDECLARED
        assert str(verdict).count("@supports") == 1
    assert lines_of(Verdict("f", status="unjudged", error="a sentence", undeclared=True)) == [
        "f: could not be judged",
        "  a sentence",
        UNDECLARED,
    ]
    assert "@supports" not in str(made())


# The equations.


@pytest.mark.parametrize("number", EQUATIONS)
def test_story_names_the_equation_as_a_person_writes_it(number):
    expected = f"\n  {f'({number})':<9} {FORMULAS[number]}\n            here: a reason\n"
    assert expected in str(made(blame=Blame(number, "w2", "a reason")))
    assert expected.replace("reason", "thought") in str(made(faults=(measured(equation=number),)))
    for latex in ("\\", "{", "^l", "_{"):
        assert latex not in FORMULAS[number]


def test_formulas_is_of_every_equation():
    assert list(FORMULAS) == list(EQUATIONS)


def test_story_without_an_equation_is_none():
    for blame in (Blame(None, "w2", "a reason"), None):
        first, second, *_ = lines_of(made(blame=blame))
        assert first == "gradient: WRONG"
        assert second.startswith("  seen      dL/dw2[0, ")


def test_story_of_two_faults_is_both_with_their_names_and_places():
    text = str(made(faults=(fault(FIRST), fault(SECOND, where="hidden"))))
    assert text.splitlines()[1:5] == [
        f"  ({FIRST.equation})       {FORMULAS[FIRST.equation]}",
        f"            as if: {FIRST.thought} [{FIRST.name}]",
        f"  ({SECOND.equation})       {FORMULAS[SECOND.equation]}",
        f"            as if: {SECOND.thought} (in the hidden layers) [{SECOND.name}]",
    ]
    # What is blamed is said by the faults.
    assert "a reason" not in text


@pytest.mark.parametrize(
    ("where", "within", "place"),
    [
        ("", "", ""),
        ("hidden", "", " (in the hidden layers)"),
        ("output", "", " (in the output layer)"),
        ("2", "", " (in layer 2)"),
        ("", "for a batch", " (for a batch)"),
        ("1", "with one input", " (in layer 1, with one input)"),
    ],
)
def test_fault_of_a_place_is_told_with_it(where, within, place):
    found = fault(where=where, within=within, thought="it is twice too large")
    assert lines_of(made(faults=(found,)))[2] == f"            as if: it is twice too large{place} [{FIRST.name}]"


def test_fault_that_was_measured_is_without_a_name_and_says_its_place_once():
    text = "dL/dw in layer 2 is 3 times what it should be"
    assert lines_of(made(faults=(measured(text, where="2"),)))[2] == f"            here: {text}"
    assert lines_of(made(faults=(measured("a thought", where="2"),)))[2] == "            here: a thought (in layer 2)"


def test_story_tells_what_cannot_be_told_from_the_faults():
    assert "or, the same" not in str(made(faults=(fault(),)))
    alternatives = tuple((fault(name=name, thought=f"thought {name}"),) for name in "db")
    lines = lines_of(made(faults=(fault(),), alternatives=alternatives))
    assert lines[3] == "            or, the same on every network tried: thought d [d]"
    # What both have in common is said once.
    shared, other = fault(), fault(name="b", thought="another")
    lines = lines_of(made(faults=(shared, fault(SECOND)), alternatives=((shared, other),)))
    second = lines.index(lines_of(made(faults=(fault(SECOND),)))[2])
    assert lines[second + 1] == "            or, the same on every network tried: another [b]"
    assert sum("or, the same" in line for line in lines) == 1


def test_faults_is_told_in_the_order_of_a_pass():
    order = [8, 9, 10, 4, 12, 13, 7, 11, 14]
    for first, second in combinations(order, 2):
        told = made(faults=(measured(equation=second), measured(equation=first)))
        assert re.findall(r"^  \((\d+)\) ", str(told), re.MULTILINE) == [str(first), str(second)]


@pytest.mark.parametrize(
    ("rows", "formula"),
    [
        (("(12) sigmoid",), "da/dz of sigmoid is a (1 − a)"),
        (("(12) tanh",), "da/dz of tanh is 1 − a²"),
        (("(12) relu",), "da/dz of relu is 1 where z > 0, otherwise 0"),
        (("(12) leaky_relu",), "da/dz of leaky_relu is 1 where z > 0, otherwise the slope"),
        (("(12) prelu",), "da/dz of prelu is 1 where z > 0, otherwise α"),
        (("(12) softmax",), "da/dz of softmax is a_j (δ_ji − a_i)"),
        (("(12) relu", "(12) tanh"), FORMULAS[12]),
        (("(12)",), FORMULAS[12]),
    ],
)
def test_derivative_of_one_activation_is_its_own(rows, formula):
    assert lines_of(made(faults=(replace(measured(equation=12), rows=rows),)))[1] == f"  (12)      {formula}"


def test_story_of_mistakes_in_a_row_is_the_thought_of_the_first_and_every_name():
    verdict = made(step="after a step", in_protocol=(FIRST, SECOND), question="manners")
    assert verdict.mistakes == (FIRST, SECOND)
    assert f"\n  (13)      {FORMULAS[13]}\n            as if: {FIRST.thought} [{FIRST.name}, {SECOND.name}]\n" in str(verdict)


def test_mistakes_is_those_of_the_faults_unless_a_row_shows_others():
    assert made(faults=(fault(), measured())).mistakes == (FIRST,)
    assert made(faults=(fault(), fault(SECOND))).mistakes == (FIRST, SECOND)
    assert made(faults=(fault(),), in_protocol=(SECOND,)).mistakes == (SECOND,)
    assert made().mistakes == ()


# The numbers.


def test_story_of_the_first_wrong_number_is_both_numbers_and_their_ratio():
    lines = lines_of(made())
    (place,) = (place for place, line in enumerate(lines) if line.startswith("  seen "))
    found = re.fullmatch(r"  seen      dL/dw2\[0, ([01])\] came as (\S+), should be (\S+) \(2 times that\)", lines[place])
    expected = NET.gradient(X, Y).named()["w2"][0, int(found[1])]
    assert (found[2], found[3]) == (f"{2 * expected:.6g}", f"{expected:.6g}")
    assert lines[place + 1 :] == [
        "            on the network 2-2-1, tanh, sigmoid; squared_error, sum",
        "            with w1 = [[ 0.5 , -1. ], [ 0.25, 2. ]], b1 = [ 0.5, -0.5], w2 = [[ 1., -2.]], b2 = [0.125],"
        " x = [[ 2.3 , -1. ], [ 0.1 , 0.333333]], y = [[1. ], [0.7]]",
    ]


@pytest.mark.parametrize(("activation", "few"), [("identity", True), (hg.Activation("prelu", alpha=0.5), False)])
def test_numbers_of_a_network_is_shown_up_to_sixteen(activation, few):
    rng = np.random.default_rng(5)
    # 8 weights, 2 biases, 4 inputs and 2 targets; PReLU's α is the seventeenth.
    net = hg.Network([hg.Dense(rng.normal(size=(2, 4)), rng.normal(size=2), activation)])
    lines = lines_of(made(net, rng.normal(size=4), rng.normal(size=2), wrong=[("w1", 3)]))
    name = net.layers[0].activation.name
    network = f"            on the network 4-2, {name}; squared_error, mean"
    if few:
        assert lines[-2] == network
        assert lines[-1].startswith("            with w1 = [[")
    else:
        assert lines[-1] == network + " (its numbers: --verbose)"


def test_story_of_a_right_0_is_without_a_ratio_and_of_a_loss_without_a_place():
    net = hg.Network([hg.Dense([[0.0]], [0.0])])
    x, y = np.array([1.0]), np.array([0.0])
    arrays = {"w1": np.zeros((1, 1)), "b1": np.zeros(1), "loss": np.asarray(2.0)}
    graded = AnswerKey(describe(net), x, y).grade(arrays)
    verdict = Verdict("f", status="wrong", case=Case(net, x, y), grade=graded, arrays=arrays)
    assert lines_of(verdict)[1] == "  seen      loss came as 2, should be 0"
    right = NET.gradient(X, Y).named()["b2"][0]
    for factor, came in ((0.0, 0.0 * right), (np.nan, np.nan), (np.inf, -np.inf), (1.0005, 1.0005 * right)):
        assert f"\n  seen      dL/db2[0] came as {came:.6g}, should be {right:.6g}\n" in str(made(wrong=[("b2", factor)]))


def test_story_of_several_wrong_quantities_is_of_a_derivative():
    arrays = made().arrays | {"loss": np.asarray(7.0)}
    graded = AnswerKey(describe(NET), X, Y).grade(arrays)
    assert graded.wrong[0].name == "loss"
    assert "\n  seen      dL/dw2[0, " in str(made(arrays=arrays, grade=graded))


@pytest.mark.parametrize(
    ("name", "shown"),
    [("b1", "dL/db1[0]"), ("w1", "dL/dw1[0, 0]"), ("x", "dL/dx[0]"), ("da_dz1", "da_dz1[0]"), ("alpha1", "dL/dalpha1[1]")],
)
def test_number_of_a_derivative_is_named_as_one(name, shown):
    net = hg.Network([hg.Dense([[0.5], [0.75]], [0.25, 0.5], hg.Activation("prelu", alpha=(0.5, 0.25)))])
    x, y = np.array([-2.0]), np.array([1.0, 2.0])
    trace = net.trace(x, y)
    arrays = trace.gradient.named() | trace.named() | {"x": trace.gradient.x}
    arrays[name] = arrays[name].copy()
    arrays[name][(1 if name == "alpha1" else 0,) + (0,) * (arrays[name].ndim - 1)] += 3
    graded = AnswerKey(describe(net), x, y).grade(arrays)
    assert f"\n  seen      {shown} came as " in str(made(net, x, y, wrong=(), arrays=arrays, grade=graded))


def test_story_of_what_cannot_be_compared_is_why():
    arrays = made().arrays | {"w2": np.zeros((2, 1))}
    graded = AnswerKey(describe(NET), X, Y).grade(arrays)
    assert lines_of(made(arrays=arrays, grade=graded))[3:] == ["  seen      dL/dw2 has shape (2, 1); right is (1, 2)"]


def test_story_of_nothing_but_zeros_is_that_alone():
    lines = lines_of(made(zeros=True, blame=None, wrong=[(name, 0) for name in ("w1", "b1", "w2", "b2")]))
    assert lines[1:] == ["  gradient  every number is 0: nothing has been computed, or nothing arrives where it is returned"]


def test_story_tells_the_loss_against_the_gradient():
    assert lines_of(made(loss="a sentence"))[-1] == "  loss      a sentence"
    assert "\n  loss " not in str(made())


# Rows of calls, and errors.


def test_story_of_a_row_of_calls_is_its_step_and_three_changes():
    changes = tuple(Change("backward", f"the caller's x{place}", X, X) for place in range(6))
    text = str(made(step="backward again", changes=changes, question="manners", when="in a row of calls"))
    assert text.splitlines()[:5] == [
        "gradient: WRONG in a row of calls",
        "  step      backward again",
        "  changed   the caller's x0 was changed by backward",
        "  changed   the caller's x1 was changed by backward",
        "  changed   the caller's x2 was changed by backward",
    ]
    assert text.count(" was changed by backward") == 3
    # The numbers of a single call are right: no table of them.
    assert "quantity" not in story(made(step="backward again"), verbose=True)


def test_story_of_many_faults_is_three_and_how_many_more():
    text = lines_of(made(faults=tuple(measured() for _ in range(5))))
    assert sum(line.startswith("            here: ") for line in text) == 3
    assert "            and 2 more (--verbose has the report card)" in text
    assert len(text) <= 11


def test_story_of_an_error_is_its_sentence():
    verdict = Verdict("homework.py", status="wrong", error="homework.py:3: what happened")
    assert lines_of(verdict) == ["homework.py: WRONG", "  homework.py:3: what happened"]
    assert "program" not in story(verdict, verbose=True)


# What --verbose adds.


def test_verbose_story_is_the_story_then_card_table_and_program():
    verdict = made(card=CARD, loss="a sentence", undeclared=True)
    short, long = lines_of(verdict), lines_of(verdict, verbose=True)
    assert long[: len(short)] == short
    assert long[len(short) : len(short) + 9] == [
        "",
        "Report card",
        "  (8)                right",
        "  (9) tanh           right",
        "  loss               not used        it returns no loss",
        "  (4)                WRONG           a thought",
        "  (14)               cannot be told  (4) is wrong wherever it is used",
        "",
        f"The smallest network that shows it: {NET!r}",
    ]
    rest = long[len(short) + 9 :]
    assert rest[0] == ""
    assert rest[1 : rest.index("As a program:") - 1] == worked(verdict.case, verdict.grade, verdict.arrays)
    assert rest[rest.index("As a program:") - 1 : rest.index("As a program:") + 3] == [
        "",
        "As a program:",
        "",
        "import numpy as np",
    ]


def test_verbose_story_of_a_right_submission_is_its_card_alone():
    assert lines_of(Verdict("f", card=CARD[:2]), verbose=True)[1:] == [
        "",
        "Report card",
        "  (8)                right",
        "  (9) tanh           right",
    ]


def rows_of(lines):
    start = next(place for place, line in enumerate(lines) if line.startswith("  quantity "))
    return lines[start + 1 :]


def test_table_is_every_quantity_in_the_order_of_a_pass_with_the_wrong_one_marked():
    verdict = made()
    lines = worked(verdict.case, verdict.grade, verdict.arrays)
    assert lines[:6] == [
        "  x = [[ 2.3 , -1. ], [ 0.1 , 0.333333]], y = [[1. ], [0.7]]",
        "  w1 = [[ 0.5 , -1. ], [ 0.25, 2. ]]",
        "  b1 = [ 0.5, -0.5]",
        "  w2 = [[ 1., -2.]]",
        "  b2 = [0.125]",
        "",
    ]
    assert lines[6].split() == ["quantity", "equation", "right", "came"]
    rows = rows_of(lines)
    assert [row.split()[0] for row in rows] == [
        *("z1", "a1", "z2", "a2", "loss"),
        *("dL_da2", "da_dz2", "dL_dz2", "w2", "b2", "dL_da1", "da_dz1", "dL_dz1", "w1", "b1", "x"),
    ]
    assert [row.split()[0] for row in rows if row.endswith("<- wrong")] == ["w2"]
    row = dict(zip((row.split()[0] for row in rows), rows, strict=True))
    right = NET.gradient(X, Y).named()["w2"]
    shown = [" ".join(np.array2string(array, separator=", ", precision=6).split()) for array in (right, 2 * right)]
    assert row["w2"] == f"  w2        (11), (13) {shown[0]:<28} {shown[1]}   <- wrong"
    assert row["z1"].endswith(" -")


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
    verdict = made(net, x, y, wrong=[(name, 3) for name in net.gradient(x, y).named()])
    text = story(verdict, verbose=True)
    program = text[text.index("As a program:\n\n") + len("As a program:\n\n") :]
    assert verdict.to_dict()["program"] == program + "\n"
    made_again = {}
    exec(program, made_again)
    for given, expected in ((made_again["x"], x), (made_again["y"], y)):
        np.testing.assert_array_equal(given, expected, strict=True)
        assert given.flags.c_contiguous == expected.flags.c_contiguous
    again = made_again["net"]
    assert repr(again) == repr(net)
    for name, array in net.named().items():
        np.testing.assert_array_equal(again.named()[name], array, strict=True)
    assert [layer.activation for layer in again.layers] == [layer.activation for layer in net.layers]


# Withheld.


@pytest.mark.parametrize("verbose", [False, True])
def test_withheld_story_is_without_the_right_numbers(verbose):
    verdict = made(card=CARD, loss="a sentence", wrong=[("w2", 2), ("b1", 3), ("w1", -1)], faults=(fault(),))
    text = verdict.withheld(verbose=verbose)
    assert text == story(verdict, withhold=True, verbose=verbose)
    assert "should be" not in text
    assert "times that" not in text
    place = ", ".join(map(str, verdict.grade.wrong[0].index))
    name, came = verdict.grade.wrong[0].name, verdict.grade.wrong[0].given
    assert f"\n  seen      dL/d{name}[{place}] came as {came:.6g}\n" in text
    trace, grade = NET.trace(X, Y), verdict.grade
    right = {name: array for name, array in trace.named().items() if name not in verdict.arrays}
    right |= {entry.name: trace.gradient.named()[entry.name] for entry in grade.wrong}
    right |= {"loss": trace.gradient.loss, "x": trace.gradient.x}
    # Of the program the numbers are the network's.
    shown = text.partition("As a program")[0]
    given = {f"{number:.6g}" for name in verdict.arrays for number in np.ravel(verdict.arrays[name])}
    for number in np.concatenate([np.ravel(array) for array in right.values()]):
        assert repr(float(number)) not in text
        if f"{abs(number):.6g}" not in {each.lstrip("-") for each in given}:
            assert f"{abs(number):.6g}"[:7] not in shown
    if verbose:
        assert "  quantity  equation   came\n" in text
        rows = {row.split()[0]: row for row in rows_of(shown.rstrip().splitlines())}
        assert rows["z1"].split() == ["z1", "-"]
        assert [name for name, row in rows.items() if row.endswith("<- wrong")] == ["w2", "w1", "b1"]


# Of submissions.

FEW = {"activations": ["tanh"], "losses": ["squared_error"], "layers": (1, 2), "dtypes": ["float64"]}


def only(submission, **declared):
    """A submission of its own that says what it supports, so that the catalogue's stays as it is."""

    def gradient(network, x, y):
        return submission(network, x, y)

    return supports(**(FEW | declared))(gradient)


def carrying(*names):
    return gradient_carrying([Exchange(BY_NAME[name].steps) for name in names])


def zeros(network, x, y):
    return {name: 0 * array for name, array in carrying()(network, x, y).items()}


def one_at_a_time(network, x, y):
    if np.ndim(x) == 2 and len(x) > 1:
        raise ValueError("one at a time")
    return carrying()(network, x, y)


def nothing(network, x, y):
    return network.wieghts


def dead_at_a_kink(network, x, y):
    """A g′ at 0 that is neither of the two conventions."""
    return reference.gradient_with(reference.exchanged(g_prime={"relu": _half_of_2}))(network, x, y)


def _half_of_2(layer):
    return np.where(layer.z == 0, 2.0, np.where(layer.z > 0, 1.0, 0.0))


SUBMISSIONS = {
    "right": lambda: only(carrying()),
    "overflow": lambda: only(carrying("sigmoid-overflow"), activations=["sigmoid"]),
    "one fault": lambda: BY_NAME["output-without-2"].submission,
    "two faults": lambda: only(carrying("tanh-without-square", "bias-mean")),
    "two faults, undeclared": lambda: carrying("output-2-twice", "bias-mean"),
    "a fault and an overflow": lambda: carrying("output-without-2", "sigmoid-overflow"),
    "for more than one example": lambda: only(carrying("bias-only-first-example")),
    "a corner": lambda: only(dead_at_a_kink, activations=["relu"]),
    "zeros": lambda: only(zeros),
    "a row": lambda: BY_NAME["forward-cached-for-ever"].submission,
    "a change": lambda: BY_NAME["inputs-overwritten"].submission,
    "another answer": lambda: BY_NAME["mutable-default-argument"].submission,
    "raises for some": lambda: only(one_at_a_time),
    "raises for all": lambda: only(nothing),
    "no file": lambda: "none.py",
}


@functools.cache
def verdict_of(name):
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr("verification.checking.telling.EVIDENCE", 20)
        patch.setattr("verification.checking.telling.FRESH", 9)
        return check(SUBMISSIONS[name](), examples=40)


@pytest.mark.parametrize(
    ("name", "first", "of"),
    [
        ("right", "gradient: right in all 9 equations that it uses, on 40 networks and in 40 rows of calls", []),
        (
            "overflow",
            "gradient: right in all 9 equations that it uses, on 40 networks and in 40 rows of calls, with 1 note",
            [],
        ),
        ("one fault", "gradient: WRONG in networks with squared error; 20 of 21 equations are right", ["output-without-2"]),
        ("two faults", "gradient: WRONG; 7 of 9 equations are right", ["bias-mean", "tanh-without-square"]),
        ("two faults, undeclared", "bare: WRONG; 19 of 21 equations are right", ["bias-mean", "output-2-twice"]),
        (
            "a fault and an overflow",
            "bare: WRONG in networks with squared error; 20 of 21 equations are right",
            ["output-without-2"],
        ),
        (
            "for more than one example",
            "gradient: WRONG for more than one example; 8 of 9 equations are right",
            ["bias-only-first-example"],
        ),
    ],
)
def test_story_of_a_submission_is_its_verdict_and_every_fault(name, first, of):
    text = str(verdict_of(name))
    assert text.splitlines()[0] == first
    assert sorted(re.findall(r" \[([a-z][a-z0-9-]+)\]$", text, re.MULTILINE)) == of
    for mistake in of:
        assert f"\n            as if: {BY_NAME[mistake].thought}" in text
        assert f"\n  {f'({BY_NAME[mistake].equation})':<9} " in text


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_story_of_a_submission_is_short(name):
    verdict = verdict_of(name)
    assert len(str(verdict).splitlines()) <= 11
    assert len(verdict.withheld().splitlines()) <= 11
    assert str(verdict).splitlines()[0].startswith(f"{verdict.name}: ")


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_dictionary_of_a_submission_equals_itself_through_json(name):
    found = verdict_of(name).to_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["story"] == str(verdict_of(name))


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_withheld_story_of_a_submission_is_its_story_without_the_right_number(name):
    verdict = verdict_of(name)
    told = [re.sub(r", should be .*", "", line) for line in lines_of(verdict)]
    assert verdict.withheld().splitlines() == told
    assert (told != lines_of(verdict)) is (
        verdict.status == "wrong" and bool(verdict.grade and verdict.grade.wrong) and not verdict.zeros
    )


# As data.


def plain(**fields):
    nothing_said = dict.fromkeys(
        ("question", "when", "error", "step", "because", "program", "loss", "counted", "declaration"), ""
    )
    lists = {key: [] for key in ("card", "notes", "changes", "mistakes", "faults", "alternatives", "conventions")}
    none = (
        {"declared": {}}
        | dict.fromkeys(("equation", "counterexample", "with_it"))
        | dict.fromkeys(("undeclared", "zeros"), False)
    )
    return {"name": "f", "networks": 0, "rows": 0, "right": 0, "asked": 0} | none | nothing_said | lists | fields


def test_dictionary_of_a_right_verdict_equals_its_parts():
    note = Note("numbers", "a1 is nan", "copy", 9, ("sigmoid-overflow",))
    verdict = Verdict("f", card=CARD[:3], notes=(note,), conventions=("da_dz",), networks=9, rows=4)
    assert verdict.to_dict() == plain(
        status="right",
        ok=True,
        right=2,
        asked=2,
        networks=9,
        rows=4,
        card=[
            {"equation": "(8)", "state": "right", "why": ""},
            {"equation": "(9) tanh", "state": "right", "why": ""},
            {"equation": "loss", "state": "not used", "why": "it returns no loss"},
        ],
        notes=[{"question": "numbers", "text": "a1 is nan", "remedy": "copy", "equation": 9, "mistakes": ["sigmoid-overflow"]}],
        conventions=["da_dz"],
        story=str(verdict),
    )


def test_dictionary_of_a_wrong_verdict_equals_its_parts():
    planted = (fault(where="hidden"), measured())
    verdict = made(card=CARD, when="for a batch", faults=planted, blame=Blame(4, "w2", "a reason"))
    assert verdict.to_dict() == plain(
        name="gradient",
        status="wrong",
        ok=False,
        right=2,
        asked=4,
        networks=3,
        card=[
            {"equation": "(8)", "state": "right", "why": ""},
            {"equation": "(9) tanh", "state": "right", "why": ""},
            {"equation": "loss", "state": "not used", "why": "it returns no loss"},
            {"equation": "(4)", "state": "wrong", "why": "a thought"},
            {"equation": "(14)", "state": "cannot be told", "why": "(4) is wrong wherever it is used"},
        ],
        question="ordinary",
        when="for a batch",
        equation=4,
        because="a reason",
        mistakes=[FIRST.name],
        faults=[
            {"name": FIRST.name, "equation": FIRST.equation, "where": "in the hidden layers", "what": FIRST.thought},
            {"name": "w-times", "equation": 11, "where": "", "what": "a thought"},
        ],
        counterexample=verdict.to_dict()["counterexample"],
        program=verdict.to_dict()["program"],
        story=str(verdict),
    )
    assert verdict.to_dict()["program"].startswith("import numpy as np\nimport handgrad as hg\n")


def test_dictionary_of_an_unjudged_verdict_equals_its_parts():
    verdict = Verdict("none.py", status="unjudged", error="none.py: there is no such file")
    assert verdict.to_dict() == plain(
        name="none.py",
        status="unjudged",
        ok=False,
        error="none.py: there is no such file",
        story="none.py: could not be judged\n  none.py: there is no such file",
    )


def test_dictionary_of_a_row_of_calls_equals_its_parts():
    changes = tuple(Change("backward", f"the caller's x{place}", X, X) for place in range(4))
    verdict = made(
        step="after a step",
        changes=changes,
        question="manners",
        in_protocol=(SECOND,),
        blame=Blame(8, "w2", "a reason"),
        rows=4,
    )
    found = verdict.to_dict()
    assert {key: found[key] for key in ("question", "step", "rows", "equation", "because", "mistakes", "faults")} == {
        "question": "manners",
        "step": "after a step",
        "rows": 4,
        "equation": 8,
        "because": "a reason",
        "mistakes": [SECOND.name],
        "faults": [],
    }
    # The story has three of them, and the data all.
    assert found["changes"] == [f"the caller's x{place} was changed by backward" for place in range(4)]
    assert found.keys() == plain(status="", ok=True, story="").keys()
    assert json.loads(json.dumps(found)) == found


def test_verdict_of_what_is_asked_counts_networks_and_rows():
    verdict = verdict_of("right")
    assert (verdict.networks, verdict.rows) == (40, min(40, checking.ROWS))
    assert verdict.share == (9, 9)


@pytest.mark.parametrize("withhold", [False, True])
def test_counterexample_of_a_dictionary_equals_its_numbers(withhold):
    found = made().to_dict(withhold=withhold)
    numbers = found["counterexample"]
    assert numbers["given"] == {name: array.tolist() for name, array in {**NET.named(), "x": X, "y": Y}.items()}
    assert numbers["came"]["w2"] == (2 * NET.gradient(X, Y).named()["w2"]).tolist()
    assert ("right" in numbers) is not withhold
    assert ("should be" in found["story"]) is not withhold
    if not withhold:
        assert numbers["right"]["w2"] == NET.gradient(X, Y).named()["w2"].tolist()


def test_dictionary_with_withhold_is_that_without_the_right_numbers():
    verdict = made(card=CARD, loss="a sentence", faults=(fault(),), wrong=[("w2", 2), ("b1", 3), ("w1", -1)])
    whole, withheld = verdict.to_dict(), verdict.to_dict(withhold=True)
    whole["counterexample"].pop("right")
    assert withheld == whole | {"story": verdict.withheld()}
    trace = NET.trace(X, Y)
    right = {name: array for name, array in trace.named().items() if name not in verdict.arrays}
    right |= {entry.name: trace.gradient.named()[entry.name] for entry in verdict.grade.wrong if entry.name != "w1"}
    for number in np.concatenate([np.ravel(array) for array in right.values()]):
        assert repr(float(number)) not in json.dumps(withheld), number


def test_counterexample_of_a_row_of_calls_is_without_what_a_single_call_gives():
    found = made(step="after a step", question="manners").to_dict()["counterexample"]
    assert found.keys() == {"network", "given", "came"}
    assert found["network"] == repr(NET)
    assert Verdict("f").to_dict()["counterexample"] is None


def test_counterexample_of_what_is_no_number_is_text():
    verdict = made(arrays={"w2": np.array([[np.nan, -np.inf]])})
    assert verdict.to_dict()["counterexample"]["came"] == {"w2": [["nan", "-inf"]]}
    json.dumps(verdict.to_dict(), allow_nan=False)

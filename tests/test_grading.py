"""Grading: no false alarm for who works as the sheet says, one slip costs once, and the classic slips by their name.

The student in these tests works with plain numbers, layer by layer, and knows nothing of the code that grades.
"""

import json
import math
import re
from dataclasses import replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import handgrad as hg
from handgrad.homework.exercises.exercise import exercise
from handgrad.homework.grading.answers import read
from handgrad.homework.grading.folder import as_csv, files_of, lines_of, table
from handgrad.homework.grading.grade import grade
from handgrad.homework.grading.numbers import number

RULES = {
    "identity": (lambda z: z, lambda z, a: 1.0),
    "relu": (lambda z: max(z, 0.0), lambda z, a: float(z > 0)),
    "sigmoid": (lambda z: 1 / (1 + math.exp(-z)), lambda z, a: a * (1 - a)),
    "tanh": (math.tanh, lambda z, a: 1 - a * a),
}
LEVELS = [1, 2, 3, 4]


def paper(made, put=None, written=lambda value: value, looked_up=lambda value: value):
    """Return every number that is asked, by name, as a student finds it.

    `put` has numbers that are written whatever comes out, `written` what is put down for a number, and `looked_up` the argument
    with which one goes into a table. What follows goes on with what was put down.
    """
    put, net, numbers = put or {}, made.net, {}
    chain = set(net.widths) == {1}

    def name(kind, layer, *units):
        return f"{kind}{layer}" + ("" if chain else "_" + "".join(map(str, units)))

    def down(label, value):
        numbers[label] = put.get(label, written(float(value)))
        return numbers[label]

    a, passed = [float(x) for x in made.x], []
    last = len(net.layers)
    for layer, dense in enumerate(net.layers, start=1):
        kind = dense.activation.name
        units = range(1, len(dense.b) + 1)
        z = [down(name("z", layer, j), dense.b[j - 1] + sum(dense.w[j - 1, k] * a[k] for k in range(len(a)))) for j in units]
        if kind == "softmax":
            powers = [math.exp(looked_up(each)) for each in z]
            after = [down(name("a", layer, j), powers[j - 1] / sum(powers)) for j in units]
        else:
            argument = looked_up if kind in ("sigmoid", "tanh") else lambda value: value
            after = [down(name("a", layer, j), RULES[kind][0](argument(z[j - 1]))) for j in units]
        passed.append((kind, a, z, after))
        a = after
    y = made.y
    if net.loss_name == "cross_entropy":
        down("L", -math.log(looked_up(a[y])))
        y = [float(k == y) for k in range(len(a))]
    else:
        down("L", sum((p - t) ** 2 for p, t in zip(a, y, strict=True)))
    dL_da = None
    for layer in range(last, 0, -1):
        kind, before, z, after = passed[layer - 1]
        units = range(1, len(z) + 1)
        if layer == last and net.loss_name == "cross_entropy":
            dL_dz = [down(name("dL_dz", layer, j), after[j - 1] - y[j - 1]) for j in units]
        else:
            if layer == last:
                dL_da = [down(name("dL_da", layer, j), 2 * (after[j - 1] - y[j - 1])) for j in units]
            slopes = [down(name("da_dz", layer, j), RULES[kind][1](z[j - 1], after[j - 1])) for j in units]
            dL_dz = [slope * error for slope, error in zip(slopes, dL_da, strict=True)]
        for j in units:
            for k in range(1, len(before) + 1):
                down(name("dL_dw", layer, j, k), before[k - 1] * dL_dz[j - 1])
            down(name("dL_db", layer, j), dL_dz[j - 1])
        w = net.layers[layer - 1].w
        if layer > 1:
            back = [sum(w[j, k] * dL_dz[j] for j in range(len(z))) for k in range(len(before))]
            dL_da = [down(name("dL_da", layer - 1, k + 1), back[k]) for k in range(len(before))]
    return numbers


def rounded(mode, places=4):
    def written(value):
        return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), mode))

    return written


def test_paper_of_these_tests_equals_the_keys():
    for level in LEVELS:
        made = exercise(seed=1, level=level)
        numbers = paper(made)
        assert set(numbers) == {blank.name for blank in made.blanks}
        for blank in made.blanks:
            assert numbers[blank.name] == pytest.approx(float(blank.answer), rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("mode", [ROUND_HALF_UP, ROUND_DOWN])
@pytest.mark.parametrize("argument", ["all digits", "two decimals"])
def test_grade_of_a_careful_student_is_full(level, mode, argument):
    for seed in range(25):
        made = exercise(seed=seed, level=level)
        if made.is_exact:
            numbers = paper(made)
        else:
            looked_up = rounded(ROUND_HALF_UP, 2) if argument == "two decimals" else float
            numbers = paper(made, written=rounded(mode), looked_up=looked_up)
        found = grade(numbers, made)
        assert found.ok, (made.code, str(found))
        assert found.points == found.of == len(numbers)
        assert all(each.verdict == "right" for each in found.verdicts)
        assert found.summary() == "Every number is right."


@pytest.mark.parametrize(
    ("widths", "activations"), [([2, 3, 2], ["tanh", "tanh"]), ([3, 2, 2, 1], ["relu", "relu", "identity"])]
)
def test_grade_of_a_careful_student_is_full_on_other_networks(widths, activations):
    for seed in range(20):
        made = exercise(seed=seed, widths=widths, activations=activations)
        written = float if made.is_exact else rounded(ROUND_HALF_UP)
        assert grade(paper(made, written=written, looked_up=rounded(ROUND_HALF_UP, 2)), made).ok


@pytest.mark.parametrize("level", LEVELS)
def test_one_slip_costs_once(level):
    changes = np.random.default_rng(level)
    for seed in range(8):
        made = exercise(seed=seed, level=level)
        written = float if made.is_exact else rounded(ROUND_HALF_UP)
        right = paper(made, written=written)
        for name in right:
            # Far enough to be wrong, on the same side of 0, and not 0.
            value = right[name] * changes.choice([1.75, 2.5]) if right[name] else 0.75
            found = grade(paper(made, {name: value}, written), made)
            assert [each.blank.name for each in found.verdicts if each.points == 0] == [name], str(found)
            assert found.points == found.of - 1
            assert found.first_slip.blank.name == name
            assert not found.ok


def test_what_follows_from_a_slip_is_carried_over_blanks():
    for seed in range(25):
        made = exercise(seed=seed, level=3)
        # The factor 2 left out, and nothing of the first layer written but the derivatives by its parameters.
        numbers = paper(made, {"dL_da2_1": paper(made)["dL_da2_1"] / 2}, rounded(ROUND_HALF_UP))
        answers = {name: value for name, value in numbers.items() if not name.startswith(("dL_da1", "da_dz1"))}
        found = grade(answers, made)
        assert found.points == len(answers) - 1, str(found)


def test_number_that_is_written_short_is_gone_on_with_as_it_was():
    for seed in range(25):
        made = exercise(seed=seed, level=3)
        # After a slip, with all digits in mind, and two on the paper.
        numbers = paper(made, {"dL_da2_1": paper(made)["dL_da2_1"] / 2})
        answers = {name: rounded(ROUND_HALF_UP)(value) for name, value in numbers.items()}
        answers |= {name: f"{value:.2f}" for name, value in numbers.items() if name.startswith("dL_da1")}
        found = grade(answers, made)
        wrong = [each.blank.name for each in found.verdicts if each.verdict == "wrong"]
        # What is left of a small number by two decimals may be nothing.
        assert [name for name in wrong if name != "dL_da2_1" and abs(numbers[name]) > 0.05] == [], str(found)


def test_what_follows_from_a_slip_is_carried_across_a_kink():
    made = exercise(seed=1, level=2)
    assert paper(made)["z1_2"] == 1
    # With the other sign the unit is dead, and its da/dz and derivatives are 0, rightly.
    found = grade(paper(made, {"z1_2": -1.5}), made)
    verdicts = {each.blank.name: each.verdict for each in found.verdicts}
    assert verdicts["z1_2"] == "wrong"
    assert verdicts["a1_2"] == verdicts["da_dz1_2"] == verdicts["dL_dw1_21"] == "carried"
    assert found.points == found.of - 1
    assert "numbers follow rightly from slips before them." in str(found)


def test_exercise_stays_as_it_is():
    made = exercise(seed=1, level=2)
    before = made.trace[1].z.copy()
    grade({"z1_1": "99", "z1_2": "-99"}, made)
    assert made.trace[1].z.tolist() == before.tolist()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("number", ["0", "1", "0.0001", "-2"])
def test_sheet_of_one_number_is_worth_no_more_than_where_it_is_right(level, number):
    for seed in range(10):
        made = exercise(seed=seed, level=level)
        found = grade({blank.name: number for blank in made.blanks}, made)
        assert found.points == sum(each.verdict == "right" for each in found.verdicts)
        # A right 0 may follow from another one.
        assert found.points <= sum(abs(blank.answer - Decimal(number)) <= 2 * made.unit for blank in made.blanks) + (level == 4)


def test_zeros_that_follow_from_many_wrong_ones_is_worth_nothing():
    for seed in range(10):
        made = exercise(seed=seed, level=2)
        answers = {blank.name: "0" for blank in made.blanks} | {"L": "3"}
        found = grade(answers, made)
        assert found.points <= sum(blank.answer == 0 for blank in made.blanks) + 4
        assert "hollow" in {each.verdict for each in found.verdicts}
        assert "follows, but shows nothing" in str(found)


@pytest.mark.parametrize("level", [1, 2])
def test_slip_that_makes_zeros_costs_once(level):
    for seed in range(25):
        made = exercise(seed=seed, level=level)
        right = paper(made)
        # z on the other side of 0, g′ on the other side, a dead unit, ReLU on the output.
        for name in ("z1", "z1_1", "da_dz1", "da_dz1_2", "a1", "a1_1", "a2", "a2_1"):
            if right.get(name):
                put = {name: -right[name] if name.startswith("z") else 0.0}
                found = grade(paper(made, put), made)
                assert found.points == found.of - 1, (made.code, name, str(found))
                assert found.first_slip.blank.name == name


@pytest.mark.parametrize("level", LEVELS)
def test_wrong_factor_is_never_right(level):
    for seed in range(6):
        made = exercise(seed=seed, level=level)
        for blank in made.blanks:
            if blank.answer:
                for factor in (2, 0.5, -1):
                    wrong = paper(made) | {blank.name: factor * float(blank.answer)}
                    verdicts = {each.blank.name: each.verdict for each in grade(wrong, made).verdicts}
                    assert verdicts[blank.name] == "wrong", (made.code, blank.name, factor)


def test_number_that_is_short_is_not_taken_for_a_rounded_one():
    for seed in range(20):
        made = exercise(seed=seed, level=4)
        right = paper(made)
        found = grade(right | {"z2_1": right["z2_1"] + 0.02}, made)
        # a1_1 = 1.3 is exact: nothing that follows from it is in doubt by a tenth.
        assert next(each for each in found.verdicts if each.blank.name == "z2_1").verdict in ("wrong", "imprecise"), made.code
        assert found.points < found.of


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


# Level, seed, name, the slip's number from the right ones v, w and x, and what it is called with its equation.
SLIPS = [
    (2, "z1_1", lambda v, n: v["z1_1"] - n["b1"][0], "z_no_bias", (8,)),
    (2, "z1_1", lambda v, n: n["b1"][0] + n["w1"][0, 0] * n["x"][0] + n["w1"][1, 0] * n["x"][1], "z_exchanged", (8,)),
    (2, "z2_1", lambda v, n: n["b2"][0] + n["w2"][0] @ n["x"], "z_before_last", (8,)),
    (1, "z2", lambda v, n: n["w2"][0, 0] * v["a1"], "z_no_bias", (8,)),
    (2, "z2_1", lambda v, n: -v["z2_1"], "sign", (8,)),
    (3, "a1_1", lambda v, n: v["z1_1"], "a_is_z", (9,)),
    (3, "a1_1", lambda v, n: v["a1_1"] * (1 - v["a1_1"]), "a_is_derivative", (9,)),
    (4, "a2_1", lambda v, n: math.exp(v["z2_1"]), "a_undivided", (9,)),
    (2, "L", lambda v, n: v["L"] / 2, "L_half", (10,)),
    ("two outputs", "L", lambda v, n: v["L"] / 2, "L_half", (10,)),
    ("three outputs", "L", lambda v, n: v["L"] / 3, "L_mean", (10,)),
    (2, "L", lambda v, n: v["a2_1"] - n["y"][0], "L_unsquared", (10,)),
    (2, "L", lambda v, n: n["y"][0] - v["a2_1"], "L_unsquared", (10,)),
    (4, "L", lambda v, n: v["L"] / math.log(10), "L_log10", (1,)),
    (4, "L", lambda v, n: -v["L"], "sign", (1,)),
    (2, "dL_da2_1", lambda v, n: v["a2_1"] - n["y"][0], "dL_da_no_two", (4,)),
    (2, "dL_da2_1", lambda v, n: -v["dL_da2_1"], "sign", (4,)),
    (3, "dL_da1_1", lambda v, n: n["w2"][0, 0] * v["dL_da2_1"], "dL_da_weights_alone", (14,)),
    ("square", "dL_da1_1", lambda v, n: n["w2"][0] @ n["dL_dz2"], "dL_da_exchanged", (14,)),
    ("square", "dL_da1_1", lambda v, n: n["w2"][1, 0] * n["dL_dz2"][1], "dL_da_one_term", (14,)),
    ("square", "dL_da1_2", lambda v, n: n["dL_dz2"].sum(), "dL_da_no_weight", (14,)),
    (1, "dL_da1", lambda v, n: -v["dL_da1"], "sign", (14,)),
    (3, "da_dz1_1", lambda v, n: sigmoid(v["a1_1"]) * (1 - sigmoid(v["a1_1"])), "da_dz_at_a", (12,)),
    (3, "da_dz1_1", lambda v, n: v["z1_1"] * (1 - v["z1_1"]), "da_dz_of_z", (12,)),
    (3, "da_dz1_1", lambda v, n: v["a1_1"], "da_dz_is_a", (12,)),
    (3, "da_dz1_1", lambda v, n: 1.0, "da_dz_is_one", (12,)),
    ("tanh", "da_dz1_1", lambda v, n: 1 - v["a1_1"], "da_dz_not_squared", (12,)),
    ("tanh", "da_dz1_1", lambda v, n: 1 - v["z1_1"] ** 2, "da_dz_of_z", (12,)),
    ("tanh", "da_dz1_1", lambda v, n: v["a1_1"] * (1 - v["a1_1"]), "da_dz_of_sigmoid", (12,)),
    (1, "da_dz1", lambda v, n: 1 - v["da_dz1"], "da_dz_other_side", (5,)),
    (4, "dL_dz2_1", lambda v, n: v["dL_dz2_1"] * v["a2_1"] * (1 - v["a2_1"]), "dL_dz_times_slope", (2,)),
    (4, "dL_dz2_true", lambda v, n: v["a2_true"] + 1, "dL_dz_plus", (2,)),
    (3, "dL_dw1_12", lambda v, n: n["x"][1] * v["dL_da1_1"], "dL_dw_no_slope", (11,)),
    (3, "dL_dw1_12", lambda v, n: n["x"][1] * v["da_dz1_1"], "dL_dw_no_error", (11,)),
    (3, "dL_dw1_12", lambda v, n: n["w1"][0, 1] * v["da_dz1_1"] * v["dL_da1_1"], "dL_dw_weight", (13,)),
    (3, "dL_dw1_12", lambda v, n: v["a1_1"] * v["da_dz1_1"] * v["dL_da1_1"], "dL_dw_own_a", (13,)),
    (3, "dL_dw2_12", lambda v, n: v["da_dz2_1"] * v["dL_da2_1"], "dL_dw_no_input", (13,)),
    (3, "dL_dw2_12", lambda v, n: v["a1_1"] * v["da_dz2_1"] * v["dL_da2_1"], "dL_dw_other_input", (13,)),
    (1, "dL_dw2", lambda v, n: n["w2"][0, 0] * v["dL_da2"], "dL_dw_weight", (6,)),
    (3, "dL_db1_2", lambda v, n: v["dL_da1_2"], "dL_db_no_slope", (11,)),
    (3, "dL_db1_2", lambda v, n: n["b1"][1] * v["da_dz1_2"] * v["dL_da1_2"], "dL_db_bias", (7,)),
    (3, "dL_db2_1", lambda v, n: v["a1_1"] * v["da_dz2_1"] * v["dL_da2_1"], "dL_db_input", (7,)),
]
NETWORKS = {
    "two outputs": {"widths": [2, 2, 2], "activations": ["relu", "identity"]},
    "three outputs": {"widths": [2, 2, 3], "activations": ["relu", "identity"]},
    "square": {"widths": [2, 2, 2], "activations": ["tanh", "tanh"]},
    "tanh": {"widths": [2, 2, 1], "activations": ["tanh", "tanh"]},
}


@pytest.mark.parametrize(("kind", "name", "slip", "key", "equations"), SLIPS)
def test_slip_is_named_with_its_equation(kind, name, slip, key, equations):
    named = 0
    for seed in range(12):
        made = exercise(seed=seed, **NETWORKS.get(kind, {"level": kind}))
        v = paper(made)
        given = {label: np.array(array) for label, array in made.net.named().items()}
        given |= {"x": np.array(made.x), "y": made.y, "dL_dz2": made.net.trace(made.x, made.y)[2].dL_dz}
        asked = name.replace("true", str(made.y + 1)) if "true" in name else name
        wrong = slip(v | {"a2_true": v.get(asked.replace("dL_dz", "a"))}, given)
        if math.isclose(wrong, v[asked], rel_tol=0.08, abs_tol=0.002):
            continue  # here the slip does not show
        found = grade(v | {asked: wrong}, made)
        first = found.first_slip
        assert first.blank.name == asked
        assert first.slip is not None
        if first.slip.key != key:
            # Another slip gives the same number there.
            continue
        assert first.equations == equations
        named += 1
        assert f"The first slip is {asked} = " in str(found)
        assert f"equation {''.join(f'({n})' for n in equations)}: as if" in found.summary()
    assert named >= 3


def test_wrong_number_without_a_model_is_said_to_have_none():
    made = exercise(seed=0, level=3)
    found = grade({"dL_da1_1": "-0.9377"}, made)
    assert found.first_slip.slip is None
    assert found.first_slip.equations == (14,)
    assert found.summary().endswith("equation (14): no slip that is known gives this number.")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("0.375", "right"),
        ("3/8", "right"),
        ("= 0,375", "right"),
        ("0.3750", "right"),
        ("375e-3", "right"),
        ("0.38", "imprecise"),
        ("0.37", "imprecise"),
        ("0.39", "wrong"),
        ("0.36", "wrong"),
        ("0.4", "imprecise"),
        ("0", "wrong"),
        ("0.376", "wrong"),
        ("-0.375", "wrong"),
        ("1e999", "wrong"),
        ("", "missing"),
        ("____", "missing"),
        ("three eighths", "unreadable"),
        ("1/0", "unreadable"),
        ("nan", "unreadable"),
        ("inf", "unreadable"),
        ("9" * 50, "unreadable"),
        ("1e9999", "unreadable"),
    ],
)
def test_exact_number_is_exact(text, verdict):
    made = exercise(seed=345, level=2)
    name = next(blank.name for blank in made.blanks if blank.answer == Decimal("0.375"))
    found = {each.blank.name: each for each in grade({name: text}, made).verdicts}[name]
    assert (found.verdict, found.points) == (verdict, {"right": 1, "imprecise": 0.5}.get(verdict, 0))
    assert found.due == Decimal("0.375")
    assert ("0.375 is asked for" in str(grade({name: text}, made))) == (verdict == "imprecise")


def test_exact_number_with_few_digits_costs_a_half_once():
    many = (exercise(seed=seed, widths=[2, 2, 2, 1]) for seed in range(100))
    made, name, value = next(
        (made, blank.name, blank.answer)
        for made in many
        for blank in made.blanks[:9]
        if (blank.answer * 100) % 1 and blank.answer > 1
    )
    rounded_value = float(round(value, 2))
    # Whether the student goes on with all digits or with those written.
    for put in ({}, {name: rounded_value}):
        found = grade(paper(made, put) | {name: rounded_value}, made)
        assert found.points == found.of - 0.5, str(found)
        assert found.first_slip is None
        assert not found.ok
        assert found.summary() == "No number is wrong; the others are blank, cannot be read, or have too few digits."


def test_number_after_a_short_one_is_exact():
    many = (exercise(seed=seed, level=2) for seed in range(60))
    made = next(made for made in many if len(made.shown(made.blanks[4].answer)) == 4 and made.blanks[4].answer > 1)
    right = {blank.name: made.shown(blank.answer) for blank in made.blanks}
    short = str(round(made.blanks[4].answer, 1))
    between = str((made.blanks[4].answer + Decimal(short)) / 2)
    for text, verdict in ((right["a2_1"], "right"), (short, "right"), (between, "wrong")):
        found = grade(right | {"z2_1": short, "a2_1": text}, made)
        assert {each.blank.name: each.verdict for each in found.verdicts}["a2_1"] == verdict, (made.code, text)


def test_equations_of_a_wrong_number_is_those_of_the_sheet():
    made = exercise(seed=0, level=2)
    first = grade({"dL_db2_1": "-77.5"}, made).first_slip
    assert (first.slip, first.equations) == (None, (11, 7))


def test_rounded_number_needs_the_digits_that_are_asked():
    made = exercise(seed=0, level=3)
    right = paper(made, written=rounded(ROUND_HALF_UP))
    assert right["dL_dw2_11"] == -0.1943
    verdicts = {}
    for text in (
        "-0.1943",
        "-0.19430",
        "-0.19429",
        "-0.1944",
        "-0.1942",
        "-0.194",
        "-0.19",
        "-0.2",
        "-0.17",
        "-0.1963",
        "-0.18",
    ):
        found = {each.blank.name: each for each in grade(right | {"dL_dw2_11": text}, made).verdicts}["dL_dw2_11"]
        verdicts[text] = found.verdict
    assert [text for text, verdict in verdicts.items() if verdict == "right"] == list(verdicts)[:5]
    assert [text for text, verdict in verdicts.items() if verdict == "imprecise"] == ["-0.194", "-0.19"]
    assert [text for text, verdict in verdicts.items() if verdict == "wrong"] == ["-0.2", "-0.17", "-0.1963", "-0.18"]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("text", "verdict"), [("1.1", "wrong"), ("0.9", "wrong"), ("1.01", "wrong"), ("0.99", "wrong"), ("1.0", "right")]
)
def test_last_digit_off_by_one_is_wrong(text, verdict, sign):
    many = (exercise(seed=seed, level=4) for seed in range(200))
    made, name = next(
        (made, blank.name) for made in many for blank in made.blanks if blank.answer == sign and blank.name[0] == "z"
    )
    right = {blank.name: made.shown(blank.answer) for blank in made.blanks}
    found = grade(right | {name: f"{'-' * (sign < 0)}{text}"}, made)
    assert {each.blank.name: each.verdict for each in found.verdicts}[name] == verdict


def test_number_is_judged_by_those_on_the_paper():
    made = exercise(seed=0, level=3)
    right = paper(made, written=rounded(ROUND_HALF_UP))
    # No table is needed for twice a difference: it is off by no more than two units, and one of its own.
    for off, verdict in ((0, "right"), (2, "right"), (20, "wrong"), (-20, "wrong"), (9, "wrong")):
        answer = round(right["dL_da2_1"] + off * 1e-4, 4)
        found = {each.blank.name: each for each in grade(right | {"dL_da2_1": answer}, made).verdicts}["dL_da2_1"]
        assert found.verdict == verdict, off


def test_grade_is_everything_as_plain_values():
    made = exercise(seed=0, level=2)
    found = grade(paper(made, {"dL_da2_1": -0.5}), made)
    values = json.loads(json.dumps(found.to_dict()))
    assert values["exercise"] == "level=2 seed=0"
    assert (values["points"], values["of"], values["first_slip"]) == (21, 22, "dL_da2_1")
    blank = next(each for each in values["blanks"] if each["name"] == "dL_da2_1")
    assert blank == {
        "name": "dL_da2_1",
        "answer": "-0.5",
        "verdict": "wrong",
        "points": 0,
        "right": "-1",
        "due": "-1",
        "equations": [4],
        "slip": "dL_da_no_two",
    }
    later = next(each for each in values["blanks"] if each["name"] == "dL_dw2_11")
    assert (later["verdict"], later["right"], later["due"], later["answer"]) == ("carried", "-2", "-1", "-1.0")
    assert repr(found) == "Grade(21 of 22; print it)"
    later = sum(each["verdict"] == "carried" for each in values["blanks"])
    assert str(found).splitlines()[-1] == f"{later} numbers follow rightly from slips before them."


def test_what_a_number_should_be_is_by_the_numbers_on_the_paper():
    made = exercise(seed=0, level=2)
    text = str(grade(paper(made, {"dL_da2_1": -0.5}) | {"dL_dw2_11": 7, "z1_1": 8}, made))
    assert "should be −1 from your own numbers   (11)(13)" in text
    assert "should be 2   (8)" in text


def test_grade_in_spanish_is_in_spanish():
    made = exercise(seed=0, level=2, language="es")
    text = str(grade(paper(made, {"dL_da2_1": -0.5}), made))
    assert text.startswith("Ejercicio level=2 seed=0: 21 de 22 puntos")
    assert "como si faltara el factor 2" in text


@pytest.mark.parametrize("level", LEVELS)
def test_markdown_that_is_filled_in_equals_its_mapping(level, tmp_path):
    made = exercise(seed=3, level=level)
    numbers = {name: f"{value:.4f}" for name, value in paper(made).items()}
    text = made.sheet.markdown()
    for name, value in numbers.items():
        text = re.sub(rf"^(\| `{name}` .*\| )______ \|$", rf"\g<1>{value} |", text, flags=re.MULTILINE)
    (tmp_path / "a.md").write_text(text.replace("Name: ______", "Name: Ana Núñez"), encoding="utf-8")
    found = read(tmp_path / "a.md")
    assert (found.code, found.student) == (made.code, "Ana Núñez")
    assert {name: each.text for name, each in found.written.items()} == numbers
    assert grade(tmp_path / "a.md", made).to_dict() == grade(numbers, made).to_dict()
    # It says itself which exercise it is.
    assert grade(tmp_path / "a.md").to_dict() == grade(numbers, made).to_dict()


def test_tables_of_ones_own_in_the_markdown_is_left_alone(tmp_path):
    made = exercise(seed=2, level=1)
    scratch = "| step | value |\n|---|---|\n| z | 3 |\n| z1 | 9 |\n\n"
    (tmp_path / "a.md").write_text(scratch + made.key.markdown() + scratch, encoding="utf-8")
    assert grade(tmp_path / "a.md", made).ok


@pytest.mark.parametrize(
    "text",
    [
        "z1,0.75\na1,0.75\n",
        "name,answer\nz1,0.75\na1,0.75\n",
        '"exercise","level=1 seed=2"\n"student","Bo"\n"z1","0,75"\n"a1","3/4"\n',
        "z1;0,75\na1;0.75\n",
        "\ufeffz1,0.75\r\n\r\na1, 0.75 \r\n",
    ],
)
def test_csv_equals_its_mapping(text, tmp_path):
    (tmp_path / "a.csv").write_bytes(text.encode())
    made = exercise(seed=2, level=1)
    found = grade(tmp_path / "a.csv", made)
    assert found.points == 2
    assert [each.verdict for each in found.verdicts[:3]] == ["right", "right", "missing"]
    assert read(tmp_path / "a.csv").student == ("Bo" if "student" in text else None)


@pytest.mark.parametrize(
    "value",
    [
        0.75,
        "0.75",
        Decimal("0.75"),
        Decimal(1) * Decimal(3) / 4 + Decimal("1e-40"),
        Fraction(3, 4),
        np.float32(0.75),
        np.float64(0.75),
        1 - 0.25,
    ],
)
def test_answer_of_every_kind_of_number_is_right(value):
    (first, *_) = grade({"z1": value}, exercise(seed=2, level=1)).verdicts
    assert first.verdict == "right"


def test_last_digits_of_what_was_computed_is_no_slip():
    made = next(made for seed in range(50) if (made := exercise(seed=seed, level=3)).shown(made.blanks[0].answer) == "0.3")
    assert [grade({"z1_1": each}, made).verdicts[0].verdict for each in (0.1 + 0.2, 0.30004, None)] == [
        "right",
        "right",
        "missing",
    ]


BAD = {
    "no mapping": (3, TypeError, "answers must be a mapping from name to number, or the path of a .csv or .md file; got int"),
    "name": ({"z9": 1}, ValueError, "a name in the answers must be one of z1, a1, z2, a2, L, "),
    "name like another": ({"dL_dw": 1}, ValueError, "a name in the answers must be one of z1, "),
    "no name": ({3: 1}, TypeError, "a name in the answers must be a text like 'z1_1'; got int"),
    "list": ({"z1": [1]}, TypeError, "answers['z1'] must be a real number; got [1]"),
    "truth": ({"z1": True}, TypeError, "answers['z1'] must be a real number; got True"),
    "twice": ({"z1": 1, "Z1": 2}, ValueError, "z1 comes twice in the answers, 1.0 and 2.0"),
    "type": (dict, TypeError, "answers must be a mapping from name to number, or the path of a .csv or .md file; got type"),
    "nan": ({"z1": float("nan")}, ValueError, "answers['z1'] must be finite; got nan"),
}


@pytest.mark.parametrize(("answers", "error", "sentence"), BAD.values(), ids=BAD)
def test_grade_of_bad_answers_raises(answers, error, sentence):
    with pytest.raises(error, match=f"^{re.escape(sentence)}"):
        grade(answers, exercise(seed=2, level=1))


BAD_FILES = {
    "ending": ("a.txt", b"z1,1", "the file's ending must be one of .csv, .md; got '.txt'"),
    "empty": ("a.csv", b" \n", "{path} must be a filled-in sheet; it is empty"),
    "no rows": ("a.md", b"# hello\n", "{path} has no answers: a row is a name and a number, z1_1,0.5 or | "),
    "latin-1": ("a.csv", "z1,1\na1,½".encode("latin-1"), "{path}, line 2: byte 0xbd is no UTF-8; save the file as UTF-8"),
    "utf-16": ("a.csv", "z1,1".encode("utf-16"), "{path}, line 1: byte 0xff is no UTF-8"),
    "binary": ("a.md", bytes(range(256)), "{path}, line 2: byte 0x80 is no UTF-8"),
    "decimal comma": ("a.csv", b"z1,1\na1,0,5\n", "{path}, line 2: a decimal comma needs quotes, or a point in its "),
    "twice": ("a.csv", b"z1,1\nz1,2\n", "{path}, line 2: z1 comes twice, 1 and 2"),
    "comma and more": ("a.csv", b"z1,1,5 x\n", "{path}, line 1: a decimal comma needs quotes, or a point in its place; got"),
    "capitals": ("a.csv", b"z1,1\nZ1,2\n", "z1 comes twice in the answers, 1 and 2"),
    "no exercise": ("a.csv", b"exercise,level=1\nz1,1\n", "code must be like 'level=2 seed=7'; got 'level=1'"),
    "two seeds": ("a.csv", b"exercise,level=1 seed=2 seed=3\nz1,1\n", "code must say seed once; got 'level=1 seed=2 seed=3'"),
    "twice in Markdown": ("a.md", b"| `z1` | x | | 1 |\n| `z1` | x | | |\n", "{path}, line 2: z1 comes twice, 1 and blank"),
    "long field": ("a.csv", b"z1," + b"1" * 200_000, "{path}, line 1: field larger than field limit (131072)"),
    "large": ("a.md", b" " * 1_000_001, "{path} must be a filled-in sheet of at most 1,000,000 bytes; it has 1,000,001"),
    "another exercise": ("a.csv", b"exercise,level=1 seed=3\nz1,1\n", "answers must be those of the exercise 'level=1 "),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data", "sentence"), BAD_FILES.values(), ids=BAD_FILES)
def test_grade_of_a_bad_file_raises(name, data, sentence, tmp_path):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence.format(path=path))}"):
        grade(path, exercise(seed=2, level=1))
    (line,) = lines_of([path], exercise(seed=2, level=1))
    assert line.grade is None
    assert line.sentence.startswith(sentence.format(path=path))


@pytest.mark.parametrize("code", ["seed=02 level=1", "Level=1  seed=2", '"level=1 seed=2"'])
def test_exercise_that_a_file_says_is_the_same_however_it_is_written(code, tmp_path):
    (tmp_path / "a.csv").write_text(f"exercise,{code}\nz1,0.75\n", encoding="utf-8")
    assert grade(tmp_path / "a.csv").exercise.code == "level=1 seed=2"
    assert grade(tmp_path / "a.csv", exercise(level=1, seed=2)).points == 1


def test_what_is_not_asked_is_told_and_costs_nothing(tmp_path):
    made = exercise(seed=2, level=1)
    rows = [f"{blank.name.upper()},{made.shown(blank.answer)},checked," for blank in made.blanks]
    (tmp_path / "a.csv").write_text("\n".join(["note,I was ill", "foo,3", "bar", *rows, rows[0]]), encoding="utf-8")
    found = grade(tmp_path / "a.csv", made)
    assert found.ok
    assert found.not_asked == ("note", "foo", "bar")
    assert "  not asked for: note, foo, bar\n" in str(found)


def test_columns_beyond_the_sheets_own_is_left_alone(tmp_path):
    made = exercise(seed=2, level=1)
    text = re.sub(r"^(\| `.*\|)$", r"\1 checked |", made.key.markdown(), flags=re.MULTILINE)
    (tmp_path / "a.md").write_text(
        "Name: Ana, not level=1 seed=9\n" + text.replace("level=1 seed=2", "Level=1 Seed=2"), encoding="utf-8"
    )
    found = read(tmp_path / "a.md")
    assert (found.code, found.student) == ("level=1 seed=2", "Ana, not level=1 seed=9")
    assert grade(tmp_path / "a.md", made).ok


def test_numbers_of_a_frame_column_equals_their_mapping():
    made = exercise(seed=2, level=1)
    series = pd.Series({blank.name: float(blank.answer) for blank in made.blanks})
    assert grade(series, made).ok


@pytest.mark.parametrize(
    ("level", "seed", "name", "text"),
    [(4, 1, "a2_2", "0"), (4, 1, "a2_2", "0.001"), (3, 0, "z1_1", "1e999"), (2, 0, "z1_1", "-1e999"), (4, 2, "z2_1", "1e999")],
)
def test_number_beyond_all_sizes_is_graded(level, seed, name, text):
    made = exercise(level=level, seed=seed)
    for loss in ("0", "7"):
        found = grade({blank.name: made.shown(blank.answer) for blank in made.blanks} | {name: text, "L": loss}, made)
        assert found.first_slip is not None
        assert str(found)
        json.dumps(found.to_dict())


@pytest.mark.parametrize(
    "kind",
    [
        {"activations": ["softmax", "identity"]},
        {"activations": ["prelu", "leaky_relu"]},
        {"widths": [2, 3, 2], "loss": "binary_cross_entropy", "level": 3},
        {"widths": [3, 2], "activations": ["tanh"]},
        {"widths": [2, 2, 2], "activations": ["sigmoid", "softmax"]},
    ],
)
def test_wrong_number_anywhere_is_graded(kind):
    made = exercise(seed=1, **kind)
    right = {blank.name: made.shown(blank.answer) for blank in made.blanks}
    assert grade(right, made).ok
    for blank in made.blanks:
        wrong = str(3 * blank.answer + 1)
        found = grade(right | {blank.name: wrong}, made)
        assert not found.ok
        assert found.first_slip.blank.name == blank.name


def test_grade_of_a_missing_file_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        grade(tmp_path / "none.csv", exercise(level=1))
    with pytest.raises(ValueError, match=r"^answers does not say which exercise it is; name it, for example"):
        grade({"z1": 1})
    with pytest.raises(TypeError, match=r"^exercise must be an Exercise; got str$"):
        grade({}, "level=1 seed=0")


@pytest.mark.parametrize(
    ("text", "value", "place"),
    [
        ("1", "1", "1"),
        ("−1.50", "-1.50", "0.01"),
        ("– 1.5", "-1.5", "0.1"),
        ("≈ 0,25", "0.25", "0.01"),
        (".5", "0.5", "0.1"),
        ("2.", "2", "1"),
        ("1e-3", "0.001", "0.001"),
        ("1E+300", "1E+300", "1E+300"),
        ("-1/8", "-0.125", "0"),
        ("21/-4", "-5.25", "0"),
        ("-5 1/4", "-5.25", "0"),
        ("1½", "1.5", "0"),
        ("-¾", "-0.75", "0"),
        ("1/8 = 0.125", "0.125", "0.001"),
        ("3 · 2 = 6", "6", "1"),
        ("`3`", "3", "1"),
        ("$-3$", "-3", "1"),
        (r"\(18\)", "18", "1"),
        ("**4**", "4", "1"),
        ("~~5~~ 6", "6", "1"),
        ("-12 (checked)", "-12", "1"),
        ("(−0.5)", "-0.5", "0.1"),
        ("1 000", "1000", "1"),
        ("43.03360000000001", "43.0336", "0.0001"),
    ],
)
def test_number_is_read_as_it_is_written(text, value, place):
    found = number(text)
    assert (found.value, found.place) == (Decimal(value), Decimal(place))


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "1,2,3",
        "1.2.3",
        "--1",
        "1e",
        "0x10",
        "1_0 x",
        "1/0",
        "5%",
        "NaN",
        "∞",
        "1 2",
        "12 m",
        "1 -1/2",
        "١",
        "1 2/-3",
    ],
)
def test_number_of_what_is_none_is_none(text):
    assert number(text).value is None
    assert number(text).text


def test_folder_is_a_line_for_each_sheet(tmp_path):
    for place in range(3):
        made = exercise(seed=place, level=2)
        answers = paper(made, {"dL_da2_1": paper(made)["dL_da2_1"] / 2} if place == 1 else {})
        rows = [f"exercise,{made.code}", "student,=Eve()", *(f"{name},{value}" for name, value in answers.items())]
        (tmp_path / f"{place}.csv").write_text("\n".join(rows), encoding="utf-8")
    (tmp_path / "bad.md").write_text("nothing", encoding="utf-8")
    (tmp_path / "other.txt").write_text("left alone", encoding="utf-8")
    (tmp_path / "folder.md").mkdir()
    (tmp_path / ".hidden.csv").write_text("left alone", encoding="utf-8")
    lines = lines_of(files_of(tmp_path))
    assert [line.path.name for line in lines] == ["0.csv", "1.csv", "2.csv", "bad.md"]
    assert [line.grade and line.grade.points for line in lines] == [22, 21, 22, None]
    shown = table(lines).splitlines()
    assert shown[2].split()[:3] == ["1.csv", "(=Eve())", "21/22"]
    assert "equation (4): as if the factor 2 were left out." in shown[2]
    assert "not graded" in shown[4]
    text = as_csv(lines).splitlines()
    assert text[0] == "file,student,exercise,points,of,first_slip,equations,why"
    # A name that a spreadsheet would take for a formula.
    assert text[2].startswith(f"{tmp_path}/1.csv,'=Eve(),level=2 seed=1,21,22,dL_da2_1,(4),")
    assert text[4].startswith(f"{tmp_path}/bad.md,,,,,,,")
    for sign in "=+-@\t\r":
        assert f"'{sign}Eve" in as_csv([replace(lines[0], student=f"{sign}Eve")])
    (line,) = lines_of([tmp_path / "gone.csv"])
    assert line.sentence == f"{tmp_path}/gone.csv: No such file or directory"
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"must hold filled-in sheets, \.csv or \.md; there are none$"):
        files_of(tmp_path / "empty")
    (tmp_path / "z.csv").write_text("z1_1,1", encoding="utf-8")
    with pytest.raises(ValueError, match=r"does not say which exercise it is; name it, for example 'level=2 seed=7'$"):
        grade(tmp_path / "z.csv")


def test_public_names_is_loaded_when_they_are_asked_for():
    made = hg.exercise(seed=1, level=1)
    assert hg.grade({}, made).points == 0
    assert hg.grade({}, made).summary() == "Nothing is filled in."
    assert {"exercise", "grade"} <= set(dir(hg))

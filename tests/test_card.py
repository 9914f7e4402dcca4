"""The report card: which equations a submission uses, which of them its answers show to be right, and what is said of each."""

import numpy as np
import pytest

import handgrad as hg
from handgrad.activations import FORMS
from handgrad.losses import LOSSES
from verification.checking.card import RIGHT, UNTOLD, UNUSED, WRONG, Row, card, rows, share, shown_by
from verification.checking.faults import catalogued
from verification.submissions.description import describe
from verification.submissions.support import Support

NAMES = [name for name in FORMS if name != "identity"]
SQUARED, CROSS, BINARY = ["squared_error"], ["cross_entropy"], ["binary_cross_entropy"]
JOINED, BINARY_JOINED, ALPHA = "(2) p − y", "(1) a − y", "dL/dα"
LAST = ["(13)", "(7)", "(11)"]


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (
            {},
            [
                *("(8)", *(f"(9) {name}" for name in NAMES), "loss", "(4)", JOINED, *(f"(12) {name}" for name in NAMES)),
                *(*LAST, ALPHA, "(14)"),
            ],
        ),
        (
            {"activations": ["tanh"], "losses": SQUARED},
            ["(8)", "(9) tanh", "loss", "(4)", "(12) tanh", *LAST, "(14)"],
        ),
        # One layer has nothing before it, and no hidden activation.
        (
            {"activations": ["tanh", "relu"], "outputs": ["tanh"], "losses": SQUARED, "layers": 1},
            ["(8)", "(9) tanh", "loss", "(4)", "(12) tanh", *LAST],
        ),
        (
            {"activations": ["tanh"], "losses": SQUARED, "widths": [3, 1]},
            ["(8)", "(9) tanh", "loss", "(4)", "(12) tanh", *LAST],
        ),
        (
            {"activations": ["tanh"], "losses": SQUARED, "layers": (1, 2)},
            ["(8)", "(9) tanh", "loss", "(4)", "(12) tanh", *LAST, "(14)"],
        ),
        # Softmax under cross-entropy has no derivative of its own.
        (
            {"activations": ["relu"], "outputs": ["softmax"], "losses": CROSS},
            ["(8)", "(9) relu", "(9) softmax", "loss", JOINED, "(12) relu", *LAST, "(14)"],
        ),
        (
            {"activations": ["softmax"], "losses": CROSS, "layers": 1},
            ["(8)", "(9) softmax", "loss", JOINED, *LAST],
        ),
        (
            {"activations": ["relu", "softmax"], "outputs": ["softmax"], "losses": CROSS},
            ["(8)", "(9) relu", "(9) softmax", "loss", JOINED, "(12) relu", "(12) softmax", *LAST, "(14)"],
        ),
        (
            {"activations": ["relu"], "outputs": ["softmax"], "losses": [*SQUARED, *CROSS]},
            ["(8)", "(9) relu", "(9) softmax", "loss", "(4)", JOINED, "(12) relu", "(12) softmax", *LAST, "(14)"],
        ),
        # The sigmoid under binary cross-entropy has none either.
        (
            {"activations": ["relu"], "losses": BINARY},
            ["(8)", "(9) relu", "(9) sigmoid", "loss", BINARY_JOINED, "(12) relu", *LAST, "(14)"],
        ),
        (
            {"activations": ["sigmoid"], "losses": [*SQUARED, *BINARY], "layers": 1},
            ["(8)", "(9) sigmoid", "loss", "(4)", BINARY_JOINED, "(12) sigmoid", *LAST],
        ),
        (
            {"activations": ["prelu", "identity"], "losses": SQUARED, "layers": 1},
            ["(8)", "(9) prelu", "loss", "(4)", "(12) prelu", *LAST, ALPHA],
        ),
        # In a hidden layer alone there is an α, too; in one layer of something else there is none.
        (
            {"activations": ["prelu"], "outputs": ["identity"], "losses": SQUARED},
            ["(8)", "(9) prelu", "loss", "(4)", "(12) prelu", *LAST, ALPHA, "(14)"],
        ),
        (
            {"activations": ["prelu"], "outputs": ["identity"], "losses": SQUARED, "layers": 1},
            ["(8)", "loss", "(4)", *LAST],
        ),
    ],
)
def test_rows_of_a_support_equals_the_equations_that_it_uses(declared, expected):
    found = rows(Support(**declared))
    assert found == expected
    assert len(set(found)) == len(found)


def network(activations, loss="squared_error"):
    rng = np.random.default_rng(3)
    dense = [hg.Dense(rng.normal(size=(2, 2)), rng.normal(size=2), name) for name in activations]
    return describe(hg.Network(dense, loss))


DEEP = network(["tanh", "relu", "sigmoid"])
CLASSES = network(["tanh", "prelu", "softmax"], "cross_entropy")
THREE = network(["prelu", "relu", "tanh"])
FORWARD = {"(8)", "(9) tanh", "(9) relu", "(9) sigmoid"}
FORWARD_OF_CLASSES = {"(8)", "(9) tanh", "(9) prelu", "(9) softmax"}
OF_KIND = {"w": {"(13)", "(11)"}, "b": {"(7)"}, "alpha": {ALPHA}}


@pytest.mark.parametrize("kind", ["w", "b"])
@pytest.mark.parametrize(
    ("of", "number", "expected"),
    [
        (DEEP, 3, {*FORWARD, "(4)", "(12) sigmoid"}),
        (DEEP, 2, {*FORWARD, "(4)", "(12) sigmoid", "(12) relu", "(14)"}),
        (DEEP, 1, {*FORWARD, "(4)", "(12) sigmoid", "(12) relu", "(12) tanh", "(14)"}),
        (CLASSES, 3, {*FORWARD_OF_CLASSES, JOINED}),
        (CLASSES, 2, {*FORWARD_OF_CLASSES, JOINED, "(12) prelu", "(14)"}),
        (CLASSES, 1, {*FORWARD_OF_CLASSES, JOINED, "(12) prelu", "(12) tanh", "(14)"}),
        (network(["softmax"]), 1, {"(8)", "(9) softmax", "(4)", "(12) softmax"}),
        (network(["softmax"], "cross_entropy"), 1, {"(8)", "(9) softmax", JOINED}),
        (network(["sigmoid"], "binary_cross_entropy"), 1, {"(8)", "(9) sigmoid", BINARY_JOINED}),
        (
            network(["tanh", "sigmoid"], "binary_cross_entropy"),
            1,
            {"(8)", "(9) tanh", "(9) sigmoid", BINARY_JOINED, "(12) tanh", "(14)"},
        ),
    ],
)
def test_derivative_equals_a_witness_of_every_equation_on_its_way(kind, of, number, expected):
    assert shown_by(of, f"{kind}{number}") == expected | OF_KIND[kind]


@pytest.mark.parametrize(
    ("of", "number", "expected"),
    [
        # α's own derivative takes dL/da, and not g′ of its own layer.
        (CLASSES, 2, {*FORWARD_OF_CLASSES, JOINED, "(14)", ALPHA}),
        (network(["prelu"]), 1, {"(8)", "(9) prelu", "(4)", ALPHA}),
        (THREE, 1, {"(8)", "(9) prelu", "(9) relu", "(9) tanh", "(4)", "(12) relu", "(12) tanh", "(14)", ALPHA}),
    ],
)
def test_derivative_of_alpha_equals_a_witness_of_what_reaches_its_layer(of, number, expected):
    assert shown_by(of, f"alpha{number}") == expected


@pytest.mark.parametrize(("of", "forward"), [(DEEP, FORWARD), (CLASSES, FORWARD_OF_CLASSES)])
def test_loss_equals_a_witness_of_the_way_forward(of, forward):
    assert shown_by(of, "loss") == forward | {"loss"}


@pytest.mark.parametrize("name", ["z1", "a3", "dL_da1", "da_dz2", "dL_dz3", "x"])
def test_intermediate_is_no_witness(name):
    assert shown_by(DEEP, name) == set()


def test_witness_of_ten_layers_is_its_layer():
    of = network(["relu"] * 9 + ["tanh"])
    assert "(14)" not in shown_by(of, "w10")
    assert "(12) relu" not in shown_by(of, "w10")
    assert "(12) relu" in shown_by(of, "w9")


# What is said.

SUPPORT = Support(activations=["tanh", "relu"], outputs=["tanh", "relu"], losses=SQUARED)
USED = ["(8)", "(9) tanh", "(9) relu", "loss", "(4)", "(12) tanh", "(12) relu", "(13)", "(7)", "(11)", "(14)"]
TANH, BOTH = network(["tanh"]), network(["relu", "tanh"])
ALL_OF_BOTH = ["w1", "b1", "w2", "b2", "loss"]


def said(right, wrong=(), *, gives_loss=True, support=SUPPORT):
    """The card as a dict: what is not said to be right, by equation; the rows must be those of the support, in order."""
    found = card(support, right, dict(wrong), gives_loss)
    known = rows(support)
    assert [row.equation for row in found][: len(known)] == known
    assert all(row.why == "" for row in found if row.state == RIGHT)
    return {row.equation: (row.state, row.why) for row in found if row.state != RIGHT}


def test_card_of_what_is_right_is_right():
    assert sorted(rows(SUPPORT)) == sorted(USED)
    assert card(SUPPORT, [(BOTH, ALL_OF_BOTH)], {}, gives_loss=True) == tuple(Row(row, RIGHT) for row in rows(SUPPORT))
    assert said([(BOTH, ALL_OF_BOTH)]) == {}


def test_card_is_of_all_networks_together():
    one_each = [(BOTH, [name]) for name in ALL_OF_BOTH]
    assert said(one_each) == {}
    assert said(iter(one_each)) == {}
    left = said(one_each[:1])
    assert left.keys() == {"loss", "(7)"}


def test_card_of_what_no_network_uses_is_not_used():
    why = (UNUSED, "no network that was asked about uses it")
    assert said([(TANH, ["w1", "b1", "loss"])]) == {"(9) relu": why, "(12) relu": why, "(14)": why}
    assert said([]) == dict.fromkeys(USED, why)


@pytest.mark.parametrize("right", [[(BOTH, ALL_OF_BOTH[:4])], []])
def test_card_of_who_returns_no_loss_is_without_it(right):
    assert said(right, gives_loss=False)["loss"] == (UNUSED, "it returns no loss")
    assert said(right, {"(4)": "a thought"}, gives_loss=False)["loss"] == (UNUSED, "it returns no loss")


def test_card_of_a_wrong_equation_is_wrong_with_its_reason():
    # A quantity that is right but for what is wrong before it shows the rest.
    assert said([(BOTH, ALL_OF_BOTH)], {"(12) tanh": "a thought"}) == {"(12) tanh": (WRONG, "a thought")}
    both = {"(14)": "a thought", "(7)": "another"}
    assert said([(BOTH, ALL_OF_BOTH)], both) == {"(14)": (WRONG, "a thought"), "(7)": (WRONG, "another")}
    # Whoever gives a wrong loss gives one.
    assert said([(BOTH, ALL_OF_BOTH)], {"loss": "a thought"}, gives_loss=False) == {"loss": (WRONG, "a thought")}


def test_card_of_what_nothing_right_shows_is_untold():
    why = (UNTOLD, "(12) tanh is wrong wherever it is used")
    found = said([(BOTH, ["w2", "b2", "loss"])], {"(12) tanh": "a thought", "(13)": "another"})
    assert found == {"(12) tanh": (WRONG, "a thought"), "(13)": (WRONG, "another"), "(12) relu": why, "(14)": why}


@pytest.mark.parametrize("number", [9, 12])
def test_card_of_an_equation_of_every_activation_is_wrong_for_each(number):
    found = said([(BOTH, ALL_OF_BOTH)], {f"({number})": "a thought"})
    assert found == {f"({number}) tanh": (WRONG, "a thought"), f"({number}) relu": (WRONG, "a thought")}


def test_card_of_a_wrong_equation_is_no_other_of_the_same_beginning():
    found = said([(BOTH, ALL_OF_BOTH)], {"(1)": "a thought", "(12) ta": "another"})
    assert found == {"(1)": (WRONG, "a thought"), "(12) ta": (WRONG, "another")}


def test_card_of_what_is_no_equation_is_a_row_at_the_end():
    found = card(SUPPORT, [(BOTH, ALL_OF_BOTH)], {"rows of calls": "after a step"}, gives_loss=True)
    assert found[-1] == Row("rows of calls", WRONG, "after a step")
    assert len(found) == len(USED) + 1
    assert {row.state for row in found[:-1]} == {RIGHT}


def test_every_fault_is_wrong_in_rows_that_are_there():
    every = rows(Support(losses=LOSSES))
    for fault in catalogued():
        assert fault.rows
        for row in fault.rows:
            assert any(each == row or each.startswith(f"{row} ") for each in every), (fault.name, row)


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], (0, 0)),
        ([RIGHT], (1, 1)),
        ([UNUSED], (0, 0)),
        ([WRONG], (0, 1)),
        ([UNTOLD], (0, 1)),
        ([RIGHT, UNUSED, RIGHT, WRONG, UNTOLD, RIGHT], (3, 5)),
    ],
)
def test_share_equals_right_of_what_is_used(states, expected):
    assert share([Row(f"({number})", state) for number, state in enumerate(states)]) == expected


@pytest.mark.parametrize("row", ["rows of calls", "gradient"])
def test_card_beside_what_is_no_equation_is_a_reason_of_its_own(row):
    found = said([(BOTH, ["b2"])], {row: "a reason"})
    assert found["(14)"] == (UNTOLD, "nothing right shows it")


@pytest.mark.parametrize("row", ["rows of calls", "gradient"])
def test_share_is_of_equations_alone(row):
    assert share([Row("(8)", RIGHT), Row(row, WRONG, "a reason")]) == (1, 1)


def test_card_of_an_activation_that_no_network_has_is_not_used_beside_what_is_wrong():
    why = (UNUSED, "no network that was asked about uses it")
    found = said([(TANH, ["b1", "loss"])], {"(13)": "a thought"})
    assert (found["(9) relu"], found["(12) relu"]) == (why, why)
    assert found["(14)"] == (UNTOLD, "(13) is wrong wherever it is used")

"""The worked solution: its numbers beside those of the literal form, its formulas as a reader works them out, its forms."""

import math
import os
import re
import subprocess
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from programs import found

import handgrad as hg
from handgrad.homework import derivation, document
from handgrad.homework.derivation import LIMIT, WEIGHTS
from handgrad.homework.expressions import Quantity, leaves, value_of
from handgrad.homework.words import LANGUAGES, words
from handgrad.homework.worked import FORMS, worked

MAZUR = hg.Network(
    [
        hg.Dense([[0.15, 0.2], [0.25, 0.3]], [0.35, 0.35], "sigmoid"),
        hg.Dense([[0.4, 0.45], [0.5, 0.55]], [0.6, 0.6], "sigmoid"),
    ],
    reduction="sum",
)
X, Y = [0.05, 0.1], [0.01, 0.99]
CHAIN = hg.Network([hg.Dense([[2.0]], [-1.0], "sigmoid"), hg.Dense([[1.5]], [0.25], "tanh")])
GIVEN = {"w", "b", "alpha", "y", "eta"}


def steps(solution):
    return [step for section in solution.solution.derivation.sections for step in section.steps]


@st.composite
def networks(draw):
    """Draw a small network with data, and how it is shown."""
    widths = draw(st.lists(st.integers(1, 3), min_size=2, max_size=4))
    loss = draw(st.sampled_from(["squared_error", "cross_entropy", "binary_cross_entropy"]))
    names = ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "prelu", "softmax"]
    activations = [draw(st.sampled_from(names)) for _ in widths[1:]]
    activations[-1] = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(loss, activations[-1])
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    reduction, dtype = draw(st.sampled_from(["mean", "sum"])), draw(st.sampled_from(["float64", "float32"]))
    objects = [
        hg.Activation("prelu", alpha=draw(st.sampled_from([0.25, [0.5] * n]))) if name == "prelu" else name
        for name, n in zip(activations, widths[1:], strict=True)
    ]
    net = hg.Network.random(widths, activations=objects, loss=loss, reduction=reduction, seed=generator, dtype=dtype)
    count = draw(st.sampled_from([None, 1, 2]))
    x = generator.normal(size=(widths[0],) if count is None else (count, widths[0]))
    y = {
        "squared_error": lambda: generator.normal(size=(*x.shape[:-1], widths[-1])),
        "cross_entropy": lambda: generator.integers(widths[-1], size=x.shape[:-1]),
        "binary_cross_entropy": lambda: generator.choice([0.0, 1.0, 0.25], size=(*x.shape[:-1], widths[-1])),
    }[loss]()
    return net, x, y, draw(st.sampled_from([None, 0.125])), draw(st.integers(3, 6))


# Numbers.


@given(networks())
def test_derivatives_of_a_solution_matches_the_literal_form(case):
    net, x, y, _, digits = case
    expected = hg.literal.gradient(net, x, y)
    got = {}
    for step in steps(worked(net, x, y, digits=digits)):
        quantity = step.quantity
        if quantity.kind.startswith("dL_d") and quantity.kind[4:] in ("w", "b", "alpha") and quantity.example is None:
            place = tuple((unit or 1) - 1 for unit in (quantity.j, quantity.k))
            got[f"{quantity.kind[4:]}{quantity.layer}", place] = quantity.value
    for name, array in expected.named().items():
        for place, value in np.ndenumerate(array):
            padded = (*place, 0, 0)[:2]
            bound = 1e-4 if net.dtype == np.float32 else 1e-10
            assert math.isclose(got.pop((name, padded)), value, rel_tol=bound, abs_tol=bound), (name, place)
    assert got == {}


@given(networks())
def test_every_number_in_a_formula_is_given_or_derived_before(case):
    net, x, y, rate, digits = case
    seen = set()
    for step in steps(worked(net, x, y, rate=rate, digits=digits)):
        for quantity in leaves(step.numbers):
            is_input = quantity.kind == "a" and quantity.layer == 0
            assert quantity in seen or quantity.kind in GIVEN or is_input, (step, quantity)
        assert step.quantity not in seen
        seen.add(step.quantity)


@given(networks())
def test_numbers_put_in_matches_the_value_when_none_is_rounded(case):
    net, x, y, rate, digits = case
    bound = 1e-4 if net.dtype == np.float32 else 1e-10
    for step in steps(worked(net, x, y, rate=rate, digits=digits)):
        value = value_of(step.numbers, lambda item: Decimal(item.value if isinstance(item, Quantity) else item))
        assert math.isclose(value, step.quantity.value, rel_tol=bound, abs_tol=bound), step


SAID = re.compile(r"the digits shown give ([^)]*)\)")


def evaluated(text):
    """Work a line's numbers out as a reader would, with Python's own arithmetic."""
    text = re.sub(r"(\d)·10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", lambda found: f"{found[1]}e{found[2]}", text)
    text = text.translate(str.maketrans("⁰¹³⁴⁵⁶⁷⁸⁹⁻−·[]", "013456789--*()"))
    text = re.sub(r"e(-?[\d²-]+)", lambda found: found[0].replace("²", "2"), text).replace("²", "**2")
    text = text.replace("e^(", "exp(")
    names = {"exp": math.exp, "log": math.log, "tanh": math.tanh, "max": max, "min": min}
    return eval(text, {"__builtins__": {}}, names)


def lines_of(text):
    """Yield each step of a text as one line."""
    for paragraph in text.split("\n\n")[2:]:
        for block in re.split(r"\n(?=  \S)", paragraph)[1:]:
            yield " ".join(block.split())


@given(networks())
def test_last_digit_of_a_readers_arithmetic_is_shown_or_said(case):
    net, x, y, rate, digits = case
    checked = 0
    for step in lines_of(str(worked(net, x, y, rate=rate, digits=digits))):
        said = SAID.search(step)
        plain = re.split(r" {1,}\((?=\d|since|the |softmax|sigmoid|beyond)", step)[0]
        pieces = re.split(r" (=|≈|←) ", plain)
        if len(pieces) < 5:
            continue
        numbers, value = pieces[-3], pieces[-1]
        if re.search(r"[a-zLα-ω…]", re.sub(r"log|tanh|max|min|e\^", "", numbers)) or "∞" in step:
            continue
        try:
            reader = Decimal(repr(float(evaluated(numbers))))
        except (OverflowError, ValueError):
            continue
        ours = Decimal(repr(float(evaluated(said[1] if said else value))))
        unit = Decimal(1).scaleb(ours.adjusted() - digits + 1) if ours else Decimal("1e-12")
        # A float's own rounding is far below a unit of the last digit, unless it lies at a half.
        nearly = abs(reader - ours) <= unit * Decimal("0.500001")
        assert nearly, step
        if pieces[-2] == "=":
            assert abs(reader - ours) <= abs(ours) * Decimal("1e-12"), step
        checked += 1
    assert checked


def test_rounding_of_a_half_is_said():
    net = hg.Network([hg.Dense([[1.0]], [-0.3333333])])
    text = worked(net, [0.33334], [0.0], digits=3)
    # 0.33334 − 0.3333333 is 6.7e-06, but with the digits shown it is 0.
    assert "z⁽¹⁾ = w⁽¹⁾ · x + b⁽¹⁾ = 1 · 0.333 + (−0.333) ≈ 6.70·10⁻⁶   (8)   (the digits shown give 0)" in str(text)


@pytest.mark.parametrize("value", [0.5, 1e-12, 3e7])
def test_step_matches_what_descend_does(value):
    solution = worked(MAZUR, X, Y, rate=value)
    net = hg.Network(MAZUR.layers, reduction="sum")
    net.descend(net.gradient(X, Y), value)
    new = {step.quantity: step.quantity.value for step in steps(solution) if step.replaces}
    assert len(new) == 12
    for quantity, number in new.items():
        array = getattr(net.layers[quantity.layer - 1], quantity.kind.removesuffix("_new"))
        assert number == array[tuple(unit - 1 for unit in (quantity.j, quantity.k) if unit)]
    assert solution.solution.derivation.after == net.loss(X, Y)
    assert solution.solution.derivation.before == pytest.approx(MAZUR.loss(X, Y), rel=1e-15)


def test_number_that_is_none_is_told_without_a_reason():
    net = hg.Network([hg.Dense([[1e200], [1e200]], [0.0, 0.0]), hg.Dense([[1e200, -1e200]], [0.0], "relu")])
    text = str(worked(net, [1.0], [0.0]))
    assert "a₁⁽²⁾ = g(z₁⁽²⁾) = max(0, NaN) ≈ NaN   (9)" in text
    assert "NaN − 0)² ≈ NaN   (10)\n" in text
    assert "z ≤ 0" not in text


def test_saturated_output_is_told_what_its_digits_give():
    net = hg.Network([hg.Dense([[40.0]], [0.0], "sigmoid")], loss="binary_cross_entropy")
    assert "= −log(1 − a₁⁽¹⁾) = −log(1 − 1) ≈ 40 (1) (the digits shown give ∞)" in line_of(worked(net, [1.0], [0.0]), "L =")


@pytest.mark.parametrize("form", [".txt", ".md", ".tex", ".html"])
def test_network_and_loss_after_the_step_is_said_in_every_form(form):
    net = hg.Network([hg.Dense([[1.0]], [0.0])])
    text = FORMS[form](worked(net, [[2.0], [1.0]], [[0.0], [0.0]], rate=0.125))
    said = "Network 1-1: layer 1 identity. Loss: squared error (10), mean over 2 examples."
    assert said in text
    # w = 1 − 5/8 and b = −3/8 give 3/8 and 0.
    assert "The loss was 2.5; after the step it is 0.0703125." in text


def test_overflow_is_shown_as_infinity():
    net = hg.Network([hg.Dense([[1e200]], [0.0]), hg.Dense([[1e200]], [0.0])])
    text = str(worked(net, [1.0], [0.0]))
    assert "∞" in text


def test_weights_of_the_callers_network_is_not_lent():
    net = hg.Network(MAZUR.layers)
    solution = worked(net, X, Y, rate=0.5)
    assert solution.html()
    assert net.advice(X, Y, 0.1) is not None
    assert not any(layer._weights.is_lent for layer in net.layers)


def test_network_and_data_is_not_changed():
    net, x, y = hg.Network(MAZUR.layers), np.array([X]), np.array([Y])
    before = [array.copy() for array in net.named().values()]
    solution = worked(net, x, y, rate=0.5)
    said = str(solution)
    assert all(np.array_equal(*pair) for pair in zip(before, net.named().values(), strict=True))
    assert x.tolist() == [X]
    net.layers[0].b[...] = 7.0
    x[...] = 7.0
    assert str(solution) == said


# Equations.


def test_equations_of_many_neurons_equals_those_of_the_notes():
    numbers = [step.equations for step in steps(worked(MAZUR, X, Y))]
    layer = [(8,)] * 2 + [(9,)] * 2
    unit = [(13,), (11,)] * 2 + [(7,), (11,)]
    assert (
        numbers
        == layer * 2 + [(10,)] + [(4,)] * 2 + [(12,)] * 2 + unit * 2 + [(14,)] * 2 + [(12,)] * 2 + unit * 2 + [(14,)] * 2
    )


def test_equations_of_one_neuron_a_layer_equals_those_of_the_notes():
    numbers = [step.equations for step in steps(worked(CHAIN, [0.5], [1.0]))]
    layer = [(6,), (3,), (7,), (3,)]
    assert numbers == [(8,), (9,)] * 2 + [(10,), (4,), (5,), *layer, (14,), (5,), *layer, (14,)]
    assert "dL/dw⁽²⁾ = dL/da⁽²⁾ · da⁽²⁾/dz⁽²⁾ · dz⁽²⁾/dw⁽²⁾ = −0.476812" in str(worked(CHAIN, [0.5], [1.0]))


def test_factors_of_the_second_weight_is_marked_as_kept():
    lines = str(worked(MAZUR, X, Y)).splitlines()
    first = lines.index("  dL/dw₁₁⁽²⁾ = dz₁⁽²⁾/dw₁₁⁽²⁾ · da₁⁽²⁾/dz₁⁽²⁾ · dL/da₁⁽²⁾")
    assert lines[first + 1].strip() == "= 0.593270 · 0.186816 · 1.48273"
    assert lines[first + 5].strip() == "= 0.596884 · [0.186816] · [1.48273]"


@pytest.mark.parametrize(
    ("loss", "output", "y", "said"),
    [
        ("cross_entropy", "softmax", 1, "L = −log(a₂⁽¹⁾) = −log(0.5) ≈ 0.693147   (1)   (the true class"),
        ("cross_entropy", "softmax", [0.25, 0.75], "L = 0.25 · (−log(a₁"),
        ("binary_cross_entropy", "sigmoid", [0.0, 1.0], "L = −log(1 − a₁⁽¹⁾) − log(a₂⁽¹⁾) = −log(1 − 0.5) − log(0.5)"),
        ("squared_error", "identity", [0.0, 1.0], "L = (a₁⁽¹⁾ − y₁)² + (a₂⁽¹⁾ − y₂)² = (0 − 0)² + (0 − 1)² = 1   (10)"),
    ],
)
def test_loss_is_told_by_its_equation(loss, output, y, said):
    net = hg.Network([hg.Dense([[1.0], [1.0]], [0.0, 0.0], output)], loss=loss)
    text = " ".join(str(worked(net, [0.0], y)).split())
    if loss == "cross_entropy" and isinstance(y, list):
        assert "L = y₁ · (−log(a₁⁽¹⁾)) + y₂ · (−log(a₂⁽¹⁾)) = 0.25 · (−log(0.5)) + 0.75 · (−log(0.5))" in text
    else:
        assert " ".join(said.split()) in text


@pytest.mark.parametrize("z", [1e7, 1e15, 1e300])
def test_softmax_of_huge_numbers_is_told(z):
    net = hg.Network([hg.Dense([[1.0], [-1.0]], [0.0, 0.0], "softmax")], loss="cross_entropy")
    text = str(worked(net, [z], 0))
    assert "a₁⁽¹⁾" in text
    assert "NaN" not in text


def test_class_too_improbable_to_be_held_is_told_by_equation_2():
    net = hg.Network([hg.Dense([[1.0], [-1.0]], [0.0, 0.0], "softmax")], loss="cross_entropy")
    (step,) = [step for step in steps(worked(net, [500.0], 1)) if step.quantity.kind == "L"]
    assert step.equations == (2,)
    assert step.quantity.value == 1000.0
    assert "= 1000   (2)" in str(worked(net, [500.0], 1))


@pytest.mark.parametrize(("dtype", "equation"), [("float32", 2), ("float64", 1)])
def test_probability_without_all_digits_of_the_dtype_is_told_by_equation_2(dtype, equation):
    net = hg.Network([hg.Dense(np.array([[1.0], [-1.0]], dtype), [0.0, 0.0], "softmax")], loss="cross_entropy")
    (step,) = [step for step in steps(worked(net, [46.0], 1)) if step.quantity.kind == "L"]
    assert step.equations == (equation,)


def test_softmax_in_a_hidden_layer_is_told_by_its_jacobian():
    net = hg.Network([hg.Dense([[1.0], [0.0]], [0.0, 0.0], "softmax"), hg.Dense([[1.0, 2.0]], [0.0])])
    text = " ".join(str(worked(net, [0.0], [0.5])).split())
    assert "da₁⁽¹⁾/dz₁⁽¹⁾ = a₁⁽¹⁾ · (1 − a₁⁽¹⁾) = 0.5 · (1 − 0.5) = 0.25 (12)" in text
    assert "da₂⁽¹⁾/dz₁⁽¹⁾ = −a₂⁽¹⁾ · a₁⁽¹⁾ = −0.5 · 0.5 = −0.25 (12)" in text
    terms = "da₁⁽¹⁾/dz₁⁽¹⁾ · dL/da₁⁽¹⁾ + da₂⁽¹⁾/dz₁⁽¹⁾ · dL/da₂⁽¹⁾"
    assert f"dL/dz₁⁽¹⁾ = {terms} = 0.25 · 2 + (−0.25) · 4 = −0.5 (beyond the notes)" in text
    assert "dL/dw₁₁⁽¹⁾ = dz₁⁽¹⁾/dw₁₁⁽¹⁾ · dL/dz₁⁽¹⁾ = 0 · (−0.5) = 0 (11)" in text


def line_of(solution, start):
    """Return the one step of a text that starts so."""
    (line,) = [line for line in lines_of(str(solution)) if line.startswith(start)]
    return line


@pytest.mark.parametrize(
    ("net", "start", "said"),
    [
        (["identity", "identity"], "da₁⁽¹⁾/dz₁⁽¹⁾", "= g′(z₁⁽¹⁾) = 1 (12)"),
        (["tanh", "identity"], "da₁⁽¹⁾/dz₁⁽¹⁾", "= 1 − g(z₁⁽¹⁾)² = 1 − 0² = 1 (12)"),
        (["relu", "identity"], "a₁⁽¹⁾ ", "= g(z₁⁽¹⁾) = max(0, 0) = 0 (9) (since z ≤ 0)"),
        (["relu", "identity"], "da₁⁽¹⁾/dz₁⁽¹⁾", "= g′(z₁⁽¹⁾) = 0 (12) (since z ≤ 0)"),
        (["leaky_relu", "identity"], "a₂⁽¹⁾ ", "= g(z₂⁽¹⁾) = 0.01 · (−1) = −0.01 (9) (since z ≤ 0)"),
        (["leaky_relu", "identity"], "da₂⁽¹⁾/dz₂⁽¹⁾", "= g′(z₂⁽¹⁾) = 0.01 (12) (since z ≤ 0)"),
        (["prelu", "identity"], "da₂⁽¹⁾/dα⁽¹⁾", "= min(0, z₂⁽¹⁾) = min(0, −1) = −1 (beyond the notes)"),
        (["prelu", "identity"], "dL/dα⁽¹⁾", "da₂⁽¹⁾/dα⁽¹⁾ · dL/da₂⁽¹⁾ = 0 · [0] + (−1) · [0] = 0 (beyond the notes)"),
        (["identity", "identity"], "dL/da₁⁽¹⁾", "= dz₁⁽²⁾/da₁⁽¹⁾ · da₁⁽²⁾/dz₁⁽²⁾ · dL/da₁⁽²⁾ = 0 · [1] · [2] = 0 (14)"),
        (["identity", "identity"], "dL/dw₁₂⁽²⁾", "= −1 · [1] · [2] = −2 (11)"),
        (["identity", "identity"], "dL/db₁⁽²⁾", "= 1 · [1] · [2] = 2 (11)"),
    ],
)
def test_step_is_written_as_on_paper(net, start, said):
    hidden, output = net
    layers = [hg.Dense([[1.0], [-1.0]], [-1.0, 0.0], hidden), hg.Dense([[0.0, 0.0]], [1.0], output)]
    assert said in line_of(worked(hg.Network(layers), [1.0], [0.0]), start)


def test_step_of_one_neuron_a_layer_is_written_as_on_paper():
    solution = worked(CHAIN, [0.5], [1.0], rate=0.5)
    assert "= dL/da⁽²⁾ · da⁽²⁾/dz⁽²⁾ · dz⁽²⁾/da⁽¹⁾ = " in line_of(solution, "dL/da⁽¹⁾")
    assert line_of(solution, "w⁽²⁾ ←").startswith("w⁽²⁾ ← w⁽²⁾ − η · dL/dw⁽²⁾ = 1.5 − 0.5 · (−")


@pytest.mark.parametrize(
    ("loss", "output", "said"),
    [
        ("cross_entropy", "softmax", "= a₁⁽¹⁾ − y₁ = 0.5 − 1 = −0.5 (2) (softmax and loss together: p − y, where p is a)"),
        ("binary_cross_entropy", "sigmoid", "= a₁⁽¹⁾ − y₁ = 0.5 − 1 = −0.5 (1) (sigmoid and loss together: a − y)"),
    ],
)
def test_joined_derivative_is_told_by_the_equation_of_its_loss(loss, output, said):
    net = hg.Network([hg.Dense([[1.0], [1.0]], [0.0, 0.0], output)], loss=loss)
    assert said in line_of(worked(net, [0.0], [1.0, 0.0]), "dL/dz₁⁽¹⁾")


@pytest.mark.parametrize(
    ("reduction", "said"),
    [
        ("mean", "= 1 / 2 · (L₁ + L₂) = 1 / 2 · (4 + 1) = 2.5 (the mean over the examples)"),
        ("sum", "= L₁ + L₂ = 4 + 1 = 5 (the sum over the examples)"),
    ],
)
def test_batch_is_the_mean_or_the_sum_of_its_examples(reduction, said):
    net = hg.Network([hg.Dense([[1.0]], [0.0])], reduction=reduction)
    assert said in line_of(worked(net, [[2.0], [1.0]], [[0.0], [0.0]]), "L =")


def test_one_unit_a_layer_with_a_joined_loss_is_told_with_indices():
    net = hg.Network([hg.Dense([[1.0]], [0.0], "sigmoid")], loss="binary_cross_entropy")
    assert "= a₁⁽¹⁾ − y₁ = " in line_of(worked(net, [0.0], [1.0]), "dL/dz₁⁽¹⁾")


# Parts.


def test_part_is_of_one_layer_unit_and_example():
    net = hg.Network.random([3, 4, 2], activations=["tanh", "identity"], seed=0)
    x, y = np.random.default_rng(0).normal(size=(2, 3)), np.zeros((2, 2))
    everything = steps(worked(net, x, y))
    layer = steps(worked(net, x, y, layer=1))
    assert [step for step in everything if step.quantity.layer == 1 and step.quantity.kind != "x"] == layer
    unit = steps(worked(net, x, y, layer=1, unit=3, example=2))
    assert unit == [step for step in layer if step.quantity.j == 3 and step.quantity.example == 2]
    assert "Only a part is shown: example 2, layer 1, unit 3." in str(worked(net, x, y, layer=1, unit=3, example=2))


def test_unit_of_softmax_is_shown_with_the_derivatives_by_every_output():
    net = hg.Network([hg.Dense([[1.0], [0.0]], [0.0, 0.0], "softmax")])
    kinds = [(step.quantity.kind, step.quantity.j) for step in steps(worked(net, [0.0], [0.0, 1.0], layer=1, unit=2))]
    assert kinds[3:7] == [("dL_da", 1), ("dL_da", 2), ("da_dz", 1), ("da_dz", 2)]


@pytest.mark.parametrize(("alpha", "count"), [(0.25, 0), ([0.25, 0.5], 2)])
def test_slope_of_all_units_is_no_part_of_one(alpha, count):
    net = hg.Network([hg.Dense([[1.0], [-1.0]], [0.0, 0.0], hg.Activation("prelu", alpha=alpha))])
    kinds = [step.quantity.kind for step in steps(worked(net, [1.0], [0.0, 0.0], rate=0.5, layer=1, unit=2))]
    assert kinds.count("dL_dalpha") + kinds.count("alpha_new") == count


def test_given_of_a_part_is_what_it_uses():
    text = str(worked(MAZUR, X, Y, layer=1, unit=2))
    given = text[text.index("Given") : text.index("Forward")].split("\n")[1:-2]
    own = ["b₂⁽¹⁾ = 0.35", "w₂₁⁽¹⁾ = 0.25", "x₁ = 0.05", "w₂₂⁽¹⁾ = 0.3", "x₂ = 0.1"]
    after = ["w₁₂⁽²⁾ = 0.45", "da₁⁽²⁾/dz₁⁽²⁾ ≈ 0.186816", "dL/da₁⁽²⁾ ≈ 1.48273"]
    after += ["w₂₂⁽²⁾ = 0.55", "da₂⁽²⁾/dz₂⁽²⁾ ≈ 0.175510", "dL/da₂⁽²⁾ ≈ -0.434143"]
    assert given == [f"  {line}" for line in own + after]


def test_step_beside_one_example_is_said_to_be_that_of_all():
    net, x, y = CHAIN, [[0.5], [1.0]], [[1.0], [0.0]]
    said = "The step and both losses are those of all 2 examples."
    assert said in str(worked(net, x, y, rate=0.5, example=2))
    assert said not in str(worked(net, x, y, rate=0.5))
    assert said not in str(worked(net, x[0], y[0], rate=0.5, example=1))


def test_sum_that_is_cut_is_no_arithmetic_of_the_reader():
    generator = np.random.default_rng(3)
    net = hg.Network([hg.Dense(generator.normal(size=(1, 40)), [0.1])])
    lines = [line for line in str(worked(net, generator.normal(size=40), [0.0], layer=1, unit=1)).splitlines() if "…" in line]
    assert lines
    text = str(worked(net, generator.normal(size=40), [0.0], layer=1, unit=1, digits=2))
    z = text[text.index("Forward") : text.index("a₁⁽¹⁾ =")]
    assert "the digits shown give" not in z


def test_float32_is_believed_to_fewer_digits():
    net = hg.Network([hg.Dense(np.array([[0.1]], np.float32), np.array([0.2], np.float32))])
    text = str(worked(net, [1.0], [0.0]))
    assert "w1 = [[0.1]]" in text
    assert "1 · 0.1" in text or "0.1 · 1" in text


def test_document_has_the_equations_used():
    text = worked(CHAIN, [0.5], [1.0]).latex()
    assert r"\step{\frac{dz^l}{db^l} = 1}{}{IV.B (7)}" in text
    assert hg.EQUATIONS[13].latex not in text


def test_document_names_what_is_left_out_and_escapes_names():
    net = hg.Network.random([30, 2], activations=["tanh"], seed=0)
    text = worked(net, np.ones(30), np.zeros(2), layer=1, unit=1).latex()
    assert "The other 10 weights of this unit are derived in the same way." in text
    assert document.escaped("p − y") == "p~$-$~y"  # no line ends there
    assert document.escaped("a_b & 5 % $x_1$") == r"a\_b \& 5 \% $x_1$"


def test_rate_is_not_given_twice():
    text = str(worked(MAZUR, X, Y, layer=1, rate=0.5))
    assert "η" not in text[text.index("Given") : text.index("Forward")]
    assert "Gradient descent, layer 1, with the learning rate 0.5" in text


@pytest.mark.parametrize(
    ("widths", "activations", "count", "options"),
    [
        ([784, 128, 10], ["relu", "identity"], 1, {}),
        ([4, 8, 1], ["relu", "identity"], 64, {}),
        ([5, 2000, 10], ["softmax", "identity"], 1, {"layer": 1, "unit": 1}),
    ],
)
def test_large_network_is_refused_before_its_formulas_are_made(widths, activations, count, options, monkeypatch):
    def made(*_):
        raise AssertionError("formulas are made")

    monkeypatch.setattr(derivation, "_sections", made)
    net = hg.Network.random(widths, activations=activations, seed=0)
    with pytest.raises(ValueError, match="at most 1000 numbers are derived"):
        worked(net, np.ones((count, widths[0])), np.ones((count, widths[-1])), **options)


def test_given_is_read_by_python():
    net = hg.Network.random([3, 2], activations=["tanh"], seed=0)
    text = str(worked(net, [1.0, -2.0, 1e-7], [0.5, 0.25]))
    assert "  x = [1, -2, 1e-7]\n" in text
    (rows,) = re.findall(r"  w1 ≈ (.*)\n", text)
    assert np.array(eval(rows)) == pytest.approx(net.layers[0].w, rel=1e-5)


@pytest.mark.parametrize(
    ("language", "headings"),
    [
        ("en", ["Example 2. Backward, to the inputs", "All examples: the loss", "All examples, layer 1"]),
        ("es", ["Ejemplo 2. Hacia atrás, hasta las entradas", "Todos los ejemplos: la pérdida", "Todos los ejemplos, capa 1"]),
    ],
)
def test_headings_of_a_batch_equals_those_of_the_language(language, headings):
    net = hg.Network([hg.Dense([[1.0]], [0.0])])
    lines = str(worked(net, [[2.0], [1.0]], [[0.0], [0.0]], language=language)).splitlines()
    assert [line for line in lines if line in headings] == headings


def test_piece_that_repeats_the_one_before_is_left_out():
    net = hg.Network([hg.Dense([[1.0], [1.0]], [0.0, 0.0])])
    lines = str(worked(net, [0.25], [0.0, 0.0])).splitlines()
    assert "  a₁⁽¹⁾ = g(z₁⁽¹⁾) = 0.25   (9)" in lines
    assert "  dz₁⁽¹⁾/dw₁₁⁽¹⁾ = x₁ = 0.25   (13)" in lines
    assert "  dz₁⁽¹⁾/db₁⁽¹⁾ = 1   (7)" in lines


def test_unit_of_a_large_network_is_shown_with_some_of_its_weights():
    net = hg.Network.random([784, 30, 10], activations=["relu", "softmax"], loss="cross_entropy", seed=0)
    x = np.random.default_rng(1).normal(size=784)
    solution = worked(net, x, 3, layer=1, unit=2)
    assert sum(step.quantity.kind == "dL_dw" for step in steps(solution)) == WEIGHTS
    assert "The other 764 weights of this unit are derived in the same way." in str(solution)
    assert "w₂,₁⁽¹⁾ · x₁" not in str(solution)
    assert " + … + w₂,₇₈₄⁽¹⁾ · x₇₈₄" in str(solution)
    assert max(len(solution.html()), len(solution.latex())) < 400_000


@pytest.mark.parametrize("form", FORMS)
def test_largest_solution_is_no_megabytes(form):
    net = hg.Network.random([13, 13, 13], activations=["sigmoid", "sigmoid"], seed=0)
    solution = worked(net, np.ones(13), np.zeros(13))
    assert LIMIT / 2 < len(steps(solution)) <= LIMIT
    assert len(FORMS[form](solution).encode()) < 3_000_000


# What is refused.

WIDE = hg.Network.random([20, 30, 1], activations=["relu", "identity"], seed=0)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "said"),
    [
        (("net", X, Y), {}, TypeError, "net must be a Network; got str"),
        ((MAZUR, [1.0], Y), {}, ValueError, "x must have shape (N, n_0) = (N, 2)"),
        ((MAZUR, X, [1.0]), {}, ValueError, "y must have shape"),
        ((MAZUR, X, Y), {"rate": 0}, ValueError, "rate must be finite and > 0 in float64; got 0"),
        ((MAZUR, X, Y), {"rate": "fast"}, TypeError, "rate must be a real number > 0; got 'fast'"),
        ((MAZUR, X, Y), {"layer": 3}, ValueError, "layer must be an integer from 1 to L = 2; got 3"),
        ((MAZUR, X, Y), {"layer": 0}, ValueError, "layer must be an integer from 1 to L = 2; got 0"),
        ((MAZUR, X, Y), {"layer": 1, "unit": 3}, ValueError, "unit must be an integer from 1 to n_1 = 2; got 3"),
        ((MAZUR, X, Y), {"unit": 1}, ValueError, "unit needs the layer that it is in, layer=1 to L = 2; got unit=1 alone"),
        ((MAZUR, X, Y), {"example": 2}, ValueError, "example must be an integer from 1 to N = 1; got 2"),
        ((MAZUR, X, Y), {"digits": 1}, ValueError, "digits must be an integer from 2 to 12; got 1"),
        ((MAZUR, X, Y), {"digits": 13}, ValueError, "digits must be an integer from 2 to 12; got 13"),
        ((MAZUR, X, Y), {"digits": 2.0}, TypeError, "digits must be an integer from 2 to 12; got 2.0"),
        ((MAZUR, X, Y), {"language": "fr"}, ValueError, "language must be one of en, es; got 'fr'"),
        (
            (WIDE, np.ones((3, 20)), np.ones((3, 1))),
            {},
            ValueError,
            "at most 1000 numbers are derived, and the network 20-30-1 on 3 examples has more here; "
            "choose a part: example=1, one of 3, layer=1, one of 2, unit=1 of that layer, one of 30",
        ),
        (
            (WIDE, np.ones(20), np.ones(1)),
            {"layer": 1},
            ValueError,
            "the network 20-30-1 on 1 example has more here; choose a part: unit=1 of that layer, one of 30",
        ),
        (
            (hg.Network.random([1, 40, 1], activations=["softmax", "identity"], seed=0), np.ones((30, 1)), np.ones((30, 1))),
            {"layer": 1, "unit": 1},
            ValueError,
            "choose a part: example=1, one of 30",
        ),
        (
            (hg.Network.random([1, 999, 1], activations=["softmax", "identity"], seed=0), [1.0], [1.0]),
            {"layer": 1, "unit": 1},
            ValueError,
            "the network 1-999-1 on 1 example has more here; there is no smaller part",
        ),
    ],
)
def test_bad_input_raises_a_sentence(arguments, options, error, said):
    with pytest.raises(error, match=re.escape(said)):
        worked(*arguments, **options)


def test_file_of_another_ending_raises_what_is_known(tmp_path):
    with pytest.raises(ValueError, match=re.escape("must be one of .txt, .md, .tex, .html, .svg; got '.doc'")):
        worked(MAZUR, X, Y).save(tmp_path / "a.doc")
    assert os.listdir(tmp_path) == []


# Forms.


def test_worked_is_offered_by_handgrad():
    assert hg.worked is worked
    assert "worked" in dir(hg)
    with pytest.raises(AttributeError, match="module 'handgrad' has no attribute 'workd'"):
        hg.workd  # noqa: B018


def test_repr_is_one_line():
    assert repr(worked(MAZUR, X, Y)).startswith("Worked(Network(2-2-2, sigmoid, sigmoid; squared_error, sum;")
    assert "43 numbers" in repr(worked(MAZUR, X, Y))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_file_equals_the_form_of_its_ending(form, language, tmp_path):
    solution = worked(MAZUR, X, Y, rate=0.5, language=language)
    solution.save(tmp_path / f"a{form}")
    text = (tmp_path / f"a{form}").read_text(encoding="utf-8")
    assert text == FORMS[form](solution)
    assert words(language)["worked"]["title"] in text or form == ".svg"
    assert not re.search(r"\{[a-z_]+\}", text) or form in (".tex", ".html", ".md", ".svg")


def test_markdown_is_safe_from_emphasis():
    text = worked(MAZUR, X, Y, rate=0.5).markdown()
    formulas = re.findall(r"\$[^$]*\$", text)
    assert len(formulas) > 55
    for formula in formulas:
        # GitHub reads * and a _ after a space or a sign as emphasis, and a backslash before a sign as that sign.
        assert not re.search(r"\*|(?<![A-Za-z])_|\\[^a-zA-Z]", formula), formula
    assert text.count("$") == 2 * len(formulas)


def test_notebook_shows_the_page_in_a_frame():
    shown = worked(MAZUR, X, Y)._repr_html_()
    assert shown.startswith('<iframe srcdoc="&lt;!DOCTYPE html&gt;')
    assert shown.count("<") == 2


def test_words_of_every_language_equals_in_keys_and_fields():
    english = words("en")
    for language in LANGUAGES:
        other = words(language)
        assert {section: list(keys) for section, keys in other.items()} == {
            section: list(keys) for section, keys in english.items()
        }
        for section, keys in english.items():
            for key, text in keys.items():
                assert set(re.findall(r"\{(\w+)\}", other[section][key])) == set(re.findall(r"\{(\w+)\}", text)), (section, key)


def test_page_and_document_without_their_packages_raises_what_brings_them():
    program = (
        "import sys; sys.modules.update(jinja2=None)\nimport handgrad as hg\n"
        "w = hg.worked(hg.Network([hg.Dense([[1.0]], [0.0])]), [1.0], [0.0])\nprint(len(str(w)) > 99, len(w.markdown()) > 99)\n"
        "print(w._repr_html_()[:20])\n"
        "for form in (w.latex, w.html):\n    try:\n        form()\n    except ImportError as error:\n        print(error)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(hg.__file__).parents[1])}
    answer = subprocess.run([os.sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    assert answer.stdout.splitlines()[:2] == ["True True", "<pre>Backpropagation"]
    assert answer.stdout.count("needs jinja2, which the extra homework brings: pip install '.[homework]'") == 2


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("net", "x", "y"),
    [
        (MAZUR, X, Y),
        (CHAIN, [0.5], [1.0]),
        (
            hg.Network.random([3, 12, 3], activations=["leaky_relu", "softmax"], loss="cross_entropy", seed=1),
            np.random.default_rng(0).normal(size=3),
            1,
        ),
        (
            hg.Network.random([2, 2, 2], activations=["prelu", "sigmoid"], loss="binary_cross_entropy", seed=1),
            [[1e9, -1e-9], [0.0, 1.0]],
            [[0, 1], [0.25, 1]],
        ),
    ],
    ids=["mazur", "chain", "classes", "batch"],
)
def test_document_is_compiled_by_pdflatex(net, x, y, language, tmp_path):
    pdflatex = found("pdflatex")
    worked(net, x, y, rate=0.5, language=language).save(tmp_path / "a.tex")
    command = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120, check=False)
    assert answer.returncode == 0, answer.stdout[-2000:]
    assert "Overfull" not in answer.stdout
    assert (tmp_path / "a.pdf").stat().st_size > 10_000

"""The network written out: the text runs by itself, the compiled program is the same lines, and both are backpropagation."""

import gc
import io
import math
import re
import subprocess
import sys
import weakref
from contextlib import redirect_stdout
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import handgrad as hg
import verification as v
from handgrad.fast.architecture import Architecture
from handgrad.fast.straight_line import MOST_TERMS, summed
from handgrad.fast.written_out import Program, program_of
from handgrad.homework.written_out import numbers
from verification.autograd.written import written_out as arrays_of
from verification.bounds.analysis import bounds
from verification.bounds.entries import shares
from verification.bounds.quantities import quantities, without_batch_axis
from verification.bounds.rounding import STABLE
from verification.random_networks.cases import Case
from verification.random_networks.plain import plain_case

ROOM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
DTYPES = [np.float64, np.float32]
NAMES = ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "prelu", "softmax"]
LOSSES = ["squared_error", "cross_entropy", "binary_cross_entropy"]


def of_one(case):
    """Return a case's network with its first example alone, without a batch axis."""
    net, x, y = case
    return Case(net, *(x, y) if np.ndim(x) == 1 else (x[0], y[0]))


def assert_matches(given, expected, net, x, y, times=2):
    """Compare two tellings of one example, each within the bound of the stable form: names, shapes, dtypes, then numbers."""
    with np.errstate(all="ignore"):
        allowed = without_batch_axis(bounds(plain_case(net, x, y), STABLE))
    assert list(given) == list(expected)
    for name, array in given.items():
        assert array.shape == expected[name].shape, name
        assert array.dtype == expected[name].dtype, name
        assert shares(array, expected[name], times * allowed[name]).max() <= 1, name


def assert_matches_trace(net, x, y):
    with np.errstate(all="ignore"):
        assert_matches(arrays_of(net, x, y), quantities(net.trace(x, y)), net, x, y)


def run(text):
    """Run a program's text; return what it printed, and all its names."""
    printed, names = io.StringIO(), {}
    with redirect_stdout(printed):
        exec(compile(text, "text", "exec"), names)
    return printed.getvalue(), names


def some(name, loss="squared_error", widths=(2, 3, 2), dtype=np.float64, seed=0):
    """Return a network with an activation in every layer that the loss leaves free, and an example."""
    rng = np.random.default_rng(seed)
    own = {
        "leaky_relu": hg.Activation("leaky_relu", slope=0.3),
        "prelu": hg.Activation("prelu", alpha=0.4),
        "prelu of units": None,
    }
    last = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(loss)
    names = [*[name] * (len(widths) - 2), last or name]
    activations = [
        hg.Activation("prelu", alpha=tuple(rng.normal(size=n))) if each == "prelu of units" else own.get(each, each)
        for each, n in zip(names, widths[1:], strict=True)
    ]
    net = hg.Network.random(widths, activations=activations, loss=loss, seed=rng, dtype=dtype)
    x = rng.normal(size=widths[0]).astype(dtype)
    y = int(rng.integers(widths[-1])) if loss == "cross_entropy" else rng.random(widths[-1]).astype(dtype)
    return Case(net, x, y)


EVERY = [(name, loss) for name in [*NAMES, "prelu of units"] for loss in LOSSES]


# Random networks of every kind.


@ROOM
@given(v.cases(max_examples=3).map(of_one))
def test_program_matches_trace(case):
    assert_matches_trace(*case)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("widths", [(1, 1), (1, 1, 1), (2, 3, 2), (12, 3, 11), (3, 10, 2), (2, 3, 4, 3)])
@pytest.mark.parametrize(("name", "loss"), EVERY)
def test_program_of_widths_matches_trace(name, loss, widths, dtype):
    for seed in range(3):
        assert_matches_trace(*some(name, loss, widths, dtype, seed))


@ROOM
@given(v.cases(max_examples=3).map(of_one))
def test_compiled_gradient_equals_the_quantities(case):
    told, given_numbers = program_of(case.net.engine.architecture), numbers(*case)
    found = told.quantities(*given_numbers)
    loss, derivatives, dL_dx = told.gradient(*given_numbers)
    np.testing.assert_array_equal(loss, found["L"])
    np.testing.assert_array_equal(derivatives, [found[f"d{name}"] for name in told.parameters])
    np.testing.assert_array_equal(dL_dx, [found[name] for name in told.names[0].dL_da_prev])


@pytest.mark.parametrize(("name", "loss"), EVERY)
def test_compiled_gradient_is_without_what_stands_beside(name, loss):
    told = program_of(some(name, loss).net.engine.architecture)
    beside = {line.code.partition(" = ")[0] for line in told.lines if line.beside}
    compiled = set(told.gradient.__code__.co_varnames)
    assert not beside & compiled
    assert {line.code.partition(" = ")[0] for line in told.lines} == beside | compiled - {
        *told.parameters, *told.x, *told.y, "parameters", "x", "y"
    }  # fmt: skip


def test_derivatives_are_in_figure_9s_order():
    for name in ("tanh", "prelu", "prelu of units"):
        net, x, y = some(name)
        told = program_of(net.engine.architecture)
        _, derivatives, dL_dx = told.gradient(*numbers(net, x, y))
        g = net.gradient(x, y)
        np.testing.assert_allclose(derivatives, g.vector, rtol=1e-13)
        np.testing.assert_allclose(dL_dx, g.x, rtol=1e-13)
        named = [(layer, parameter) for layer in net.named() for parameter in [layer] * net.named()[layer].size]
        assert [re.match("(w|b|alpha)[0-9]+", name).group() for name in told.parameters] == [layer for layer, _ in named]


# The literal form, exactly, where both do the same operations.

SLOPES = [0.5, -1.0, 2.0, 0.0, 0.125]


@st.composite
def dyadic(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    widths = draw(st.lists(st.integers(1, 11), min_size=2, max_size=4))
    layers = []
    for n_prev, n in pairwise(widths):
        name = draw(st.sampled_from(["identity", "relu", "leaky_relu", "prelu"]))
        options = {"slope": rng.choice(SLOPES)} if name == "leaky_relu" else {}
        if name == "prelu":
            options = {"alpha": rng.choice(SLOPES) if draw(st.booleans()) else rng.choice(SLOPES, n)}
        w, b = rng.integers(-6, 7, (n, n_prev)) / 2, rng.integers(-6, 7, n) / 2
        layers.append(hg.Dense(w, b, hg.Activation(name, **options)))
    return Case(hg.Network(layers), rng.integers(-6, 7, widths[0]) / 2, rng.integers(-6, 7, widths[-1]) / 2)


@ROOM
@given(dyadic())
def test_program_of_dyadic_numbers_equals_literal(case):
    told, literal = arrays_of(*case), quantities(hg.literal.trace(*case))
    assert list(told) == list(literal)
    for name, array in literal.items():
        np.testing.assert_array_equal(told[name], array, strict=True)


@ROOM
@given(
    st.lists(st.tuples(st.sampled_from(["identity", "relu"]), st.floats(-4, 4), st.floats(-4, 4)), min_size=1, max_size=5),
    st.floats(-4, 4),
    st.floats(-4, 4),
)
def test_program_of_a_chain_equals_literal(layers, x, y):
    net = hg.Network([hg.Dense([[w]], [b], name) for name, w, b in layers])
    told, literal = arrays_of(net, [x], [y]), quantities(hg.literal.trace(net, [x], [y]))
    for name, array in literal.items():
        np.testing.assert_array_equal(told[name], array, strict=True)


# The text.


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("widths", [(2, 3, 2), (1, 1), (11, 2, 3)])
@pytest.mark.parametrize(("name", "loss"), EVERY)
def test_text_equals_the_compiled_program(name, loss, widths, dtype):
    net, x, y = some(name, loss, widths, dtype)
    printed, names = run(hg.written_out(net, x, y))
    told = program_of(net.engine.architecture)
    quantities_of = told.quantities(*numbers(net, x, y))
    assert {key: value for key, value in names.items() if isinstance(value, float)} == quantities_of
    loss_of, derivatives, dL_dx = told.gradient(*numbers(net, x, y))
    expected = dict(zip([f"d{each}" for each in told.parameters], derivatives, strict=True))
    expected = {"L": loss_of} | expected | dict(zip(told.names[0].dL_da_prev, dL_dx, strict=True))
    assert printed.splitlines() == [f"{key} = {value!r}" for key, value in expected.items()]


@pytest.mark.parametrize("loss", LOSSES)
def test_text_runs_without_anything_but_python(loss):
    text = hg.written_out(*some("tanh", loss))
    answer = subprocess.run([sys.executable, "-I", "-S", "-"], input=text, capture_output=True, text=True, check=True)
    assert answer.stdout == run(text)[0]
    assert text.isascii()
    imports = [line for line in text.splitlines() if "import" in line]
    called = [name for name in ("exp", "log1p", "tanh") if f"= {name}(" in text or f" {name}(" in text]
    assert imports == [f"from math import {', '.join(called)}"]


def test_text_of_a_network_without_functions_imports_nothing():
    assert "import" not in hg.written_out(*some("relu"))


def test_text_of_two_units_is_the_notes_lines():
    net, _, _ = some("sigmoid", widths=(2, 2, 2))
    lines = [" ".join(line.split()) for line in hg.written_out(net).splitlines()]
    for line in (
        f"w1_21 = {float(net.layers[0].w[1, 0])!r}",
        f"b2_2 = {float(net.layers[1].b[1])!r}",
        "x_1 = 1.0",
        "y_2 = 0.0",
        "z1_2 = b1_2 + w1_21*x_1 + w1_22*x_2 # (8)",
        "a1_2 = r1_2 if z1_2 >= 0.0 else e1_2*r1_2 # (9)",
        "L = d_1*d_1 + d_2*d_2 # (10)",
        "dL_da2_1 = 2.0*d_1 # (4)",
        "da_dz2_1 = e2_1*r2_1*r2_1 # (12)",
        "dz2_1 = da_dz2_1*dL_da2_1 # (11): its last two factors",
        "dw2_12 = a1_2*dz2_1 # (11), (13)",
        "db2_1 = dz2_1 # (11), (7)",
        "dL_da1_1 = w2_11*dz2_1 + w2_21*dz2_2 # (14)",
        "dx_2 = w1_12*dz1_1 + w1_22*dz1_2 # (14)",
        'print(f"{dx_2 = }")',
    ):
        assert lines.count(line) == 1, line
    assert lines[0].startswith('"""Network(2-2-2, sigmoid, sigmoid; squared_error, mean; float64; 12 parameters)')
    assert "w1_21 is the weight of layer 1 to unit 2 from input 1; b1_2, z1_2 and a1_2 are the bias, the" in lines


@pytest.mark.parametrize("widths", [(10, 2), (2, 10, 1), (2, 3, 10)])
def test_indices_of_wide_networks_are_parted_everywhere(widths):
    net, x, y = some("tanh", widths=widths)
    text = hg.written_out(net, x, y)
    assert "w1_1_2 = " in text
    assert not re.search(r"\bd?w\d+_\d+\b(?!_)", text)
    told = program_of(net.engine.architecture)
    names = [*told.parameters, *told.x, *told.y, *(line.code.partition(" = ")[0] for line in told.lines)]
    assert len(names) == len(set(names))
    assert "w1_12" in hg.written_out(some("tanh", widths=(9, 9, 9)).net)


@pytest.mark.parametrize(
    ("loss", "y"), [("squared_error", [0.0, 0.0]), ("cross_entropy", [1.0, 0.0]), ("binary_cross_entropy", [0.0, 0.0])]
)
def test_example_not_given_is_ones_and_zeros_and_says_so(loss, y):
    net = some("tanh", loss).net
    text = hg.written_out(net)
    names = run(text)[1]
    assert [names["x_1"], names["x_2"], names["y_1"], names["y_2"]] == [1.0, 1.0, *y]
    said = "; y is 1 for its class and 0 for the others, or the probability of each" if loss == "cross_entropy" else ""
    assert f"# The example: any numbers, put in your own{said}\nx_1 = 1.0\n" in text
    assert "put in your own" not in hg.written_out(net, [1.0, 2.0], 0 if loss == "cross_entropy" else [0.0, 1.0])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
def test_text_of_a_batch_of_one_equals_that_of_the_example(loss, dtype):
    net, x, y = some("tanh", loss, dtype=dtype)
    assert hg.written_out(net, x[None], np.asarray(y)[None]) == hg.written_out(net, x, y)


def test_text_holds_every_digit_of_float32():
    net = hg.Network([hg.Dense(np.array([[0.1]], np.float32), np.array([0.2], np.float32))])
    text = hg.written_out(net, [0.3], [0.7])
    assert f"w1_11 = {float(np.float32(0.1))!r}\n" in text
    assert f"x_1 = {float(np.float32(0.3))!r}\n" in text


def test_slope_of_float32_equals_that_of_the_network():
    for dtype in DTYPES:
        net = hg.Network([hg.Dense(np.ones((1, 1), dtype), np.zeros(1, dtype), hg.Activation("leaky_relu", slope=0.1))])
        assert f"else {float(dtype(0.1))!r}*z1_1" in hg.written_out(net)


@pytest.mark.parametrize(("name", "loss"), EVERY)
def test_equations_of_every_line_are_there(name, loss):
    net = some(name, loss).net
    used = set()
    for section in program_of(net.engine.architecture).sections:
        assert section.lines
        for line in section.lines:
            assert re.fullmatch(r"[A-Za-z_0-9]+ = .+", line.code), line
            cited = [int(number) for number in re.findall(r"\((\d+)\)", line.equation)]
            assert cited, line
            assert set(cited) <= set(hg.EQUATIONS), line
            used |= set(cited)
    assert used >= {7, 8, 9, 11, 13, 14}
    assert used >= {"squared_error": {4, 10, 12}, "cross_entropy": {2}, "binary_cross_entropy": {1}}[loss]


@pytest.mark.parametrize(("name", "loss"), EVERY)
def test_lines_are_none_in_vain_and_none_twice(name, loss):
    """Every name is one that a later line or the result needs, or stands beside; only the largest z is taken in steps."""
    told = program_of(some(name, loss, (2, 3, 3)).net.engine.architecture)
    results = {"L", *(f"d{each}" for each in told.parameters), *told.names[0].dL_da_prev}
    needed = set(results)
    for line in reversed(told.lines):
        target, _, right = line.code.partition(" = ")
        assert line.beside != (target in needed), line
        if not line.beside:
            needed |= set(re.findall(r"[A-Za-z]\w*", right))
    assert needed >= {*told.parameters, *told.x, *told.y} - {each for each in told.parameters if each.startswith("b")}
    targets = [line.code.partition(" = ")[0] for line in told.lines]
    assert [each for each in set(targets) if targets.count(each) > 1 and each[0] != "m"] == []


# Extreme numbers.


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "identity", "leaky_relu", "prelu"])
@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy"])
def test_program_at_extreme_z_matches_trace(activation, loss, dtype):
    if loss == "binary_cross_entropy" and activation != "sigmoid":
        return
    largest = float(np.finfo(dtype).max)
    z = [0.0, 1e-30, 1, 20, 44, 80, 87, 88.5, 90, 110, 350, 700, 710, 745, 800, 1e4, 1e9, largest**0.4]
    net = hg.Network([hg.Dense(np.ones((1, 1), dtype), np.zeros(1, dtype), activation)], loss)
    for z_i in [*z, *(-z_i for z_i in z)]:
        for y in (0.0, 0.25, 1.0):
            assert_matches_trace(net, np.array([z_i], dtype), np.array([y], dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0, 300.0, 1e4, 1e30])
@pytest.mark.parametrize("classes", [1, 2, 3, 10, 40])
def test_program_of_extreme_logits_matches_trace(classes, scale, dtype):
    rng = np.random.default_rng(3)
    w, b = (rng.normal(size=(classes, 3)) * scale).astype(dtype), rng.normal(size=classes).astype(dtype)
    x = rng.normal(size=3).astype(dtype)
    net = hg.Network([hg.Dense(w, b, "softmax")], "cross_entropy")
    for y in range(min(classes, 5)):
        assert_matches_trace(net, x, y)
    sharp = np.full(classes, 1e-7)
    sharp[-1] = 1 - 1e-7 * (classes - 1)
    for y in (rng.dirichlet(np.ones(classes)), np.full(classes, 1 / classes), sharp):
        assert_matches_trace(net, x, y.astype(dtype))
    assert_matches_trace(hg.Network([hg.Dense(w, b, "softmax")]), x, rng.normal(size=classes).astype(dtype))
    assert_matches_trace(hg.Network([hg.Dense(w, b, "sigmoid")], "binary_cross_entropy"), x, rng.random(classes).astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("classes", [2, 6, 30])
def test_program_of_an_improbable_class_matches_trace(classes, dtype):
    x = np.ones(1, dtype)
    for distance in [*np.arange(-120, 120, 1.5), *np.arange(690, 760, 1.5), 2000.0, 1e4]:
        b = np.zeros(classes, dtype)
        b[1] = -distance
        net = hg.Network([hg.Dense(np.zeros((classes, 1), dtype), b, "softmax")], "cross_entropy")
        for y in (0, 1):
            assert_matches_trace(net, x, y)


def test_program_keeps_the_digits_of_a_loss_near_zero():
    net = hg.Network([hg.Dense(np.zeros((3, 1)), [0.0, -50.0, -60.0], "softmax")], "cross_entropy")
    exact = math.exp(-50) + math.exp(-60)
    loss, derivatives, _ = program_of(net.engine.architecture).gradient(*numbers(net, [1.0], 0))
    assert loss == pytest.approx(exact, rel=1e-14)
    assert derivatives[0] == pytest.approx(-exact, rel=1e-14)


@pytest.mark.parametrize(("z", "y"), [(700.1, 1 - 2.0**-40), (-700.1, 2.0**-40)])
def test_program_keeps_the_digits_of_a_yes_or_no_that_is_nearly_certain(z, y):
    net = hg.Network([hg.Dense([[0.0]], [z], "sigmoid")], "binary_cross_entropy")
    loss, (_, dL_db), _ = program_of(net.engine.architecture).gradient(*numbers(net, [1.0], [y]))
    assert loss == 700.1 * 2.0**-40
    assert dL_db == math.copysign(2.0**-40, z)


@pytest.mark.parametrize("place", range(3))
def test_program_of_a_distribution_that_sums_to_nearly_one_matches_trace(place):
    net = hg.Network([hg.Dense(np.zeros((3, 1)), [0.0, 0.5, -0.25], "softmax")], "cross_entropy")
    for other in (0.0, 0.25):
        y = np.full(3, (1 + 1e-8 - other) / 2)
        y[place] = other
        assert_matches_trace(net, np.ones(1), y)


@pytest.mark.parametrize("logits", [[1e308, -1e308], [1.7e308, -1.7e308, 0.0]])
def test_program_of_the_farthest_logits_equals_zero(logits):
    classes = len(logits)
    net = hg.Network([hg.Dense(np.zeros((classes, 1)), logits, "softmax")], "cross_entropy")
    loss, derivatives, dL_dx = program_of(net.engine.architecture).gradient(*numbers(net, [1.0], 0))
    assert loss == 0
    assert not any(derivatives)
    assert not any(dL_dx)


@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize("name", [*NAMES, "prelu of units"])
def test_program_at_zero_equals_trace(name, zero):
    net, _, y = some(name, widths=(1, 2))
    net.layers[0].b = np.full(2, zero)
    x = np.zeros(1)
    trace = quantities(net.trace(x, y))
    for quantity, array in arrays_of(net, x, y).items():
        np.testing.assert_array_equal(array, trace[quantity], err_msg=quantity)


@pytest.mark.parametrize(("name", "loss"), EVERY)
def test_program_of_any_numbers_is_no_error(name, loss):
    net, _, _ = some(name, loss, (2, 2, 3))
    told, rng = program_of(net.engine.architecture), np.random.default_rng(5)
    extreme = [math.inf, -math.inf, math.nan, 0.0, -0.0, 1.0, -1.0, 5e-324, 1.7e308, -1.7e308, 750.0, -750.0]
    targets = told.classes if loss == "cross_entropy" else [[0.0] * 3, [1.0, 0.5, 0.0]]
    for trial in range(300):
        parameters = rng.choice(extreme, len(told.parameters)).tolist()
        x, y = rng.choice(extreme, 2).tolist(), targets[trial % len(targets)]
        loss_of, derivatives, dL_dx = told.gradient(parameters, x, y)
        assert all(isinstance(number, float) for number in (loss_of, *derivatives, *dL_dx))
        told.quantities(parameters, x, y)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_number_is_none_of_the_results(name):
    """Two infinities that met are seen in the loss and in the derivatives, as in the matrix form."""
    net, x, y = some(name, widths=(2, 3, 2))
    net.layers[0].w[...] = 1e308
    parameters, x, y = net.engine.parameters.tolist(), [1e10, -1e10], y.tolist()
    loss, derivatives, _ = program_of(net.engine.architecture).gradient(parameters, x, y)
    assert math.isnan(loss)
    assert any(map(math.isnan, derivatives))


# Large ones, and what is kept.


def test_sum_of_many_terms_is_cut_into_parts():
    terms = [f"{k}.0" for k in range(MOST_TERMS**2 + 1)]
    assert eval(summed(terms)) == sum(range(MOST_TERMS**2 + 1))
    assert summed(terms[:3]) == "0.0 + 1.0 + 2.0"
    assert summed(terms[:MOST_TERMS]).count("(") == 0
    assert summed(terms[: MOST_TERMS + 1]).count("(") == 2
    assert summed([]) == "0.0"


def test_program_of_thousands_of_inputs_matches_trace():
    assert_matches_trace(*some("tanh", "cross_entropy", (6000, 1, 2)))


def test_program_of_like_networks_is_one():
    first, second = some("tanh", seed=1).net, some("tanh", seed=2).net
    assert program_of(first.engine.architecture) is program_of(second.engine.architecture)
    assert program_of(first.engine.architecture).gradient is program_of(second.engine.architecture).gradient
    others = [some("sigmoid"), some("prelu"), some("prelu of units"), some("tanh", widths=(3, 2, 2)), some("leaky_relu")]
    assert len({id(program_of(each.net.engine.architecture)) for each in others}) == len(others)
    assert program_of(some("tanh").net.engine.architecture) is program_of(
        Architecture((((3, 2), None), ((2, 3), None)), (("tanh", None),) * 2, "squared_error")
    )


def test_text_of_a_large_network_is_not_kept():
    before = program_of.cache_info()
    hg.written_out(some("relu", widths=(30, 20, 10)).net)
    assert program_of.cache_info() == before


def test_classes_is_y_of_each():
    net, x, _ = some("tanh", "cross_entropy", (2, 3))
    told = program_of(net.engine.architecture)
    assert told.classes == ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    for k, y in enumerate(told.classes):
        assert list(y) == numbers(net, x, k)[2]


# What is refused.

NET = some("tanh").net
OF_CLASSES = some("tanh", "cross_entropy").net


def with_infinity():
    net = some("tanh").net
    net.layers[1].w[0, 2] = math.inf
    return net


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((None,), TypeError, "net must be a Network; got NoneType"),
        ((NET.layers[0],), TypeError, "net must be a Network; got Dense"),
        ((NET, [1.0, 2.0]), ValueError, "x and y must both be given, or neither; got no y"),
        ((NET, None, [1.0, 2.0]), ValueError, "x and y must both be given, or neither; got no x"),
        ((NET, np.ones((3, 2)), np.ones((3, 2))), ValueError, "x must be one example, (n_0,) = (2,), to be written out; got a"),
        ((NET, np.ones(3), np.ones(2)), ValueError, "x must have shape (N, n_0) = (N, 2), or (2,) for one example"),
        ((NET, np.ones((0, 2)), np.ones((0, 2))), ValueError, "x must hold at least one example"),
        ((NET, [1.0, math.nan], [0.0, 1.0]), ValueError, "x must be finite"),
        ((NET, ["a", "b"], [0.0, 1.0]), TypeError, "x must hold real numbers"),
        ((NET, [1.0, 2.0], [0.0]), ValueError, "y must have shape (n_L,) = (2,), like the output; got (1,)"),
        ((NET, [1.0, 2.0], [0.0, math.inf]), ValueError, "y must be finite"),
        ((OF_CLASSES, [1.0, 2.0], 2), ValueError, "y must hold class indices from 0 to C - 1 = 1; y is 2"),
        ((OF_CLASSES, [1.0, 2.0], [0.5, 0.25]), ValueError, "y must hold distributions that sum to 1"),
        ((with_infinity(),), ValueError, "net's w2 must be finite; net's w2[0, 2] is inf"),
    ],
)  # fmt: skip
def test_written_out_of_bad_arguments_raises(arguments, error, text):
    with pytest.raises(error) as raised:
        hg.written_out(*arguments)
    assert text in str(raised.value)


def test_inputs_of_written_out_are_left_as_they_are():
    net, x, y = some("tanh")
    before = net.engine.parameters.copy(), x.copy(), y.copy()
    hg.written_out(net, x, y)
    for array, copy in zip((net.engine.parameters, x, y), before, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_program_that_nobody_has_dies_without_the_collector():
    net = some("tanh").net
    function = Program(net.engine.architecture).gradient
    alive = weakref.ref(function)
    gc.disable()
    try:
        del function
        assert alive() is None
    finally:
        gc.enable()

"""Equations = literal form = chain = matrix form, on random networks.

Three yardsticks, none of which shares code with handgrad: exact rational arithmetic where a network has no transcendental
function; a running error bound where it has; and for each equation, what happens if it is exchanged.
"""

from dataclasses import dataclass, fields
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import handgrad as hg
from handgrad.equations import exchanged

NAMES = ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "prelu", "softmax"]
RATIONAL = ["identity", "relu", "leaky_relu", "prelu"]
SLOPES = [0.5, -1.0, 2.0, 0.0, 0.125]
FEW = settings(deadline=None, max_examples=3 * settings.default.max_examples)


@dataclass(frozen=True)
class Case:
    """A network with its data; it prints as what Hypothesis needs to show."""

    net: hg.Network
    x: np.ndarray
    y: np.ndarray


@st.composite
def cases(draw, names=NAMES, dyadic=False, chain=False, last=None):
    """Draw a list of layers, so that shrinking can drop one, and fill it from a drawn seed."""
    units = draw(
        st.lists(st.tuples(st.integers(1, 1 if chain else 4), st.sampled_from(names), st.booleans()), min_size=1, max_size=4)
    )
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    loss, reduction = "squared_error", draw(st.sampled_from(["mean", "sum"]))
    if last is not None:
        units[-1] = (units[-1][0], last, False)
        loss = "cross_entropy" if last == "softmax" else "binary_cross_entropy"
    count = draw(st.sampled_from([None, 1, 2, 4] if dyadic else [None, 1, 2, 3, 5]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def numbers(*shape):
        return (rng.integers(-6, 7, shape) / 2 if dyadic else rng.normal(0, 1.5, shape)).astype(dtype)

    n_prev = 1 if chain else draw(st.integers(1, 3))
    x = numbers(*(() if count is None else (count,)), n_prev)
    layers = []
    for n, name, shared in units:
        options = {}
        if name == "leaky_relu":
            options = {"slope": rng.choice(SLOPES)}
        elif name == "prelu":
            options = {"alpha": rng.choice(SLOPES) if shared else rng.choice(SLOPES, n)}
        layers.append(hg.Dense(numbers(n, n_prev), numbers(n), hg.Activation(name, **options)))
        n_prev = n
    if last is None:
        y = numbers(*x.shape[:-1], n_prev)
    elif last == "sigmoid":
        y = rng.choice([0.0, 1.0, 0.5] if draw(st.booleans()) else [0.0, 1.0], (*x.shape[:-1], n_prev)).astype(dtype)
    elif draw(st.booleans()):
        y = rng.integers(0, n_prev, x.shape[:-1])
    else:
        y = rng.dirichlet(np.ones(n_prev), x.shape[:-1]).astype(dtype)
    return Case(hg.Network(layers, loss, reduction), x, y)


# Exact arithmetic.


def exact_trace(case):
    """Return the loss and every quantity in rational numbers, by the matrix form's formulas written once more."""
    fraction = np.vectorize(lambda number: Fraction(float(number)), otypes=[object])
    x, y = np.atleast_2d(fraction(case.x)), np.atleast_2d(fraction(case.y))
    share = Fraction(1, len(x) if case.net.reduction == "mean" else 1)
    passed, a = [], x
    for layer in case.net.layers:
        w, b = fraction(layer.w), fraction(layer.b)
        slope = {"identity": 1, "relu": 0}.get(layer.activation.name, layer.negative_slope)
        slope = np.broadcast_to(fraction(slope), b.shape)
        z = np.array(
            [[b_j + sum(p * q for p, q in zip(w_j, a_i, strict=True)) for w_j, b_j in zip(w, b, strict=True)] for a_i in a]
        )
        da_dz = np.array([[Fraction(1) if z_j > 0 else s_j for z_j, s_j in zip(z_i, slope, strict=True)] for z_i in z])
        passed.append((a, w, z, da_dz * z, da_dz))
        a = da_dz * z
    loss = share * ((a - y) ** 2).sum()
    dL_da = share * 2 * (a - y)
    layers = []
    for layer, (a_prev, w, z, a, da_dz) in zip(reversed(case.net.layers), reversed(passed), strict=True):
        dL_dz = da_dz * dL_da
        dL_dalpha = None
        if layer.alpha is not None:
            dL_dalpha = (np.where(z < 0, z, Fraction(0)) * dL_da).sum(axis=0 if layer.alpha.ndim else None)
        dL_dw, dL_db, dL_da_prev = dL_dz.T.dot(a_prev), dL_dz.sum(axis=0), dL_dz.dot(w)
        layers.append(hg.LayerTrace(a_prev, z, a, dL_da, da_dz, dL_dz, dL_dw, dL_db, dL_dalpha, dL_da_prev))
        dL_da = dL_da_prev
    return loss, layers[::-1]


def equals_exactly(trace, case, exact):
    loss, layers = exact
    assert Fraction(trace.loss) == loss
    for mine, theirs, layer in zip(trace, layers, case.net.layers, strict=True):
        for name in hg.LayerTrace.__dataclass_fields__:
            got, wanted = getattr(mine, name), getattr(theirs, name)
            if wanted is None:
                assert got is None, name
                continue
            wanted = np.array(wanted, dtype=object).astype(np.float64).astype(case.net.dtype)
            if case.x.ndim == 1 and name not in ("dL_dw", "dL_db", "dL_dalpha"):
                wanted = wanted[0]
            if name == "dL_dalpha":
                wanted = wanted.reshape(layer.alpha.shape)
            np.testing.assert_array_equal(got, wanted, strict=True, err_msg=name)


def needs_few_bits(exact):
    """Say whether every quantity is a multiple of 2⁻¹² below 2¹¹, so that sums of products of them are exact in float32."""
    loss, layers = exact
    numbers = [loss]
    for layer in layers:
        for field in fields(layer):
            array = getattr(layer, field.name)
            numbers += [] if array is None else np.array(array, dtype=object).ravel().tolist()
    return all(number * 2**12 % 1 == 0 and abs(number) < 2**11 for number in numbers)


@FEW
@given(cases(names=RATIONAL, dyadic=True))
def test_matrix_and_literal_equal_fractions(case):
    exact = exact_trace(case)
    assume(case.net.dtype == np.float64 or needs_few_bits(exact))
    equals_exactly(case.net.trace(case.x, case.y), case, exact)
    equals_exactly(hg.literal.trace(case.net, case.x, case.y), case, exact)


@FEW
@given(cases(names=RATIONAL, dyadic=True, chain=True))
def test_chain_equals_fractions(case):
    exact = exact_trace(case)
    assume(case.net.dtype == np.float64 or needs_few_bits(exact))
    equals_exactly(hg.literal.chain(case.net, case.x, case.y), case, exact)


# A running error bound. It is built on the literal form's numbers in double precision; errors are carried to first order and
# doubled for the higher orders, as they are small (assumed below).

SIGMOID_SLOPE, SIGMOID_BEND = 0.25, 0.1  # the largest |g′| and |g″|; for tanh 1 and 0.77


def bounds(case, trace, u):
    """Return for the loss and each layer's quantities how far a computation with unit roundoff u may be from the exact one."""
    net = case.net

    def batch(array):
        return np.abs(np.asarray(array, np.float64)).reshape(-1, *array.shape[case.x.ndim - 1 :])

    def gamma(n):
        return (n + 4) * u

    errors, E_a = [], np.zeros_like(batch(case.x))
    for layer, t in zip(net.layers, trace, strict=True):
        w, b, z, a, a_prev = np.abs(layer.w).astype(float), np.abs(layer.b), batch(t.z), batch(t.a), batch(t.a_prev)
        E_z = E_a @ w.T + gamma(w.shape[1]) * (a_prev @ w.T + b)
        name = layer.activation.name
        assume(E_z.max() < 1e-2)
        slope = np.ones(1) if layer.negative_slope is None else np.abs(np.asarray(layer.negative_slope, float))
        if name == "softmax":
            # A relative error of twice the largest error of a logit, and of the functions of themselves.
            relative = (
                2 * (E_z + u * 2 * z.max(axis=-1, keepdims=True)).max(axis=-1, keepdims=True) + gamma(z.shape[-1]) + 12 * u
            )
            E_next = a * relative
            E_d = (a * (3 * relative + gamma(z.shape[-1])))[:, :, None] * np.ones(z.shape[-1])
        elif name in ("sigmoid", "tanh"):
            steep, bend = (SIGMOID_SLOPE, SIGMOID_BEND) if name == "sigmoid" else (1.0, 0.77)
            E_next, E_d = steep * E_z + 8 * u * a, bend * E_z + 12 * u
        else:
            steep = np.maximum(1, slope) if name != "relu" else 1
            # Nearer to the kink than the error of z, either side is right; there is nothing to compare then.
            assume(name == "identity" or (z > E_z).all())
            E_next, E_d = steep * E_z + u * a, np.zeros_like(z)
        errors.append({"a_prev": E_a, "z": E_z, "a": E_next, "da_dz": E_d})
        E_a = E_next

    share = batch(case.x).shape[0] if net.reduction == "mean" else 1
    a = batch(trace[len(net.layers)].a)
    if net.loss_name == "squared_error":
        y = batch(case.y)
        E_l = (2 * E_a + 8 * u * (a + y)) / share
        E_loss = (2 * (a + y) * E_a + 8 * u * (a + y) ** 2).sum() / share + gamma(a.size) * trace.loss
    elif net.loss_name == "binary_cross_entropy":
        # L_i moves with z_j by a_j − y_j, at most 1; −log of a probability is rounded beside |z| at most.
        z = batch(trace[len(net.layers)].z)
        E_loss = (errors[-1]["z"] + 24 * u * (z + 1)).sum() / share + gamma(a.size) * trace.loss
        E_l = None
    else:
        relative = errors[-1]["a"] / np.maximum(a, np.finfo(float).tiny)
        E_loss = (relative.max() * (2 + batch(trace[len(net.layers)].z).max()) + 8 * u) * (a.shape[0] / share) + gamma(
            a.size
        ) * trace.loss
        E_l = None
    for layer, t, error in zip(reversed(net.layers), reversed(trace.layers), reversed(errors), strict=True):
        w, z, a_prev, dL_dz = np.abs(layer.w).astype(float), batch(t.z), batch(t.a_prev), batch(t.dL_dz)
        n = z.shape[-1]
        if E_l is None:
            E_dz = (error["a"] * 2 + gamma(n) * (batch(t.a) + 1)) / share
        else:
            up = batch(t.dL_da)
            if layer.activation.name == "softmax":
                jacobian = batch(t.da_dz)
                largest = up.max(axis=-1, keepdims=True)
                E_dz = np.einsum("nji,nj->ni", jacobian, E_l) + np.einsum("nji,nj->ni", error["da_dz"], up + E_l)
                # The matrix form takes dL/da of the largest probability from the others, which at most doubles them.
                E_dz = E_dz + 4 * batch(t.a) * (gamma(n) + error["a"] / np.maximum(batch(t.a), 1e-300)) * (largest + E_l.max())
            else:
                E_dz = batch(t.da_dz) * E_l + error["da_dz"] * (up + E_l) + 2 * u * dL_dz
            error["dL_da"] = E_l
        error["dL_dz"] = E_dz
        full = dL_dz + E_dz
        error["dL_dw"] = E_dz.T @ a_prev + full.T @ error["a_prev"] + gamma(len(z)) * full.T @ a_prev
        error["dL_db"] = (E_dz + gamma(len(z)) * full).sum(axis=0)
        error["dL_da_prev"] = E_dz @ w + gamma(n) * full @ w
        if layer.alpha is not None:
            of_units = z * E_l + error["z"] * (up + E_l) + gamma(z.size) * z * up
            error["dL_dalpha"] = of_units.sum(axis=0 if layer.alpha.ndim else None)
        E_l = error["dL_da_prev"]
    return E_loss, errors


def within_bounds(one, other, case):
    """Compare two traces of a case: shapes and dtypes, then every quantity, each side within its own rounding."""
    # Both results are rounded to the network's dtype, whose unit is not below that of the double precision inside.
    E_loss, errors = bounds(case, other, np.finfo(case.net.dtype).eps / 2)
    assert abs(one.loss - other.loss) <= 4 * E_loss
    for mine, theirs, error in zip(one, other, errors, strict=True):
        for name in hg.LayerTrace.__dataclass_fields__:
            p, q = getattr(mine, name), getattr(theirs, name)
            assert (p is None) == (q is None), name
            if p is not None:
                assert (p.shape, p.dtype) == (q.shape, q.dtype) == (q.shape, case.net.dtype), name
                # Two sides, and twice the first order.
                assert (np.abs(p.astype(float) - q) <= 4 * error[name].reshape(p.shape)).all(), name


@FEW
@given(cases())
def test_matrix_matches_literal(case):
    within_bounds(case.net.trace(case.x, case.y), hg.literal.trace(case.net, case.x, case.y), case)


@FEW
@given(cases(last="softmax"))
def test_matrix_matches_literal_under_cross_entropy(case):
    within_bounds(case.net.trace(case.x, case.y), hg.literal.trace(case.net, case.x, case.y), case)


@FEW
@given(cases(last="sigmoid"))
def test_matrix_matches_literal_under_binary_cross_entropy(case):
    within_bounds(case.net.trace(case.x, case.y), hg.literal.trace(case.net, case.x, case.y), case)


@FEW
@given(cases(names=NAMES[:-1], chain=True))
def test_chain_matches_literal_and_matrix(case):
    chain = hg.literal.chain(case.net, case.x, case.y)
    within_bounds(chain, hg.literal.trace(case.net, case.x, case.y), case)
    within_bounds(case.net.trace(case.x, case.y), chain, case)


@FEW
@given(st.one_of(cases(), cases(last="softmax")))
def test_gradient_equals_its_trace(case):
    g, t = hg.literal.gradient(case.net, case.x, case.y), hg.literal.trace(case.net, case.x, case.y)
    assert g == t.gradient
    assert g.loss == t.loss
    np.testing.assert_array_equal(g.x, t[1].dL_da_prev, strict=True)
    assert g.x.shape == case.x.shape


@FEW
@given(st.one_of(cases(), cases(last="softmax")))
def test_loss_and_predictions_equal_the_trace(case):
    t = case.net.trace(case.x, case.y)
    assert t.loss == case.net.loss(case.x, case.y)
    np.testing.assert_array_equal(t.layers[-1].a, case.net(case.x), strict=True)


# Every equation is used.


def worked_case(chain=False, loss="squared_error"):
    """Return a network through which every equation's result can be seen: no factor is 0 or 1, and none equals another."""
    n = 1 if chain else 2
    w = np.array([[0.75, -0.5], [0.25, 1.5]])[:n, :n]
    last = "softmax" if loss == "cross_entropy" else "sigmoid"
    net = hg.Network([hg.Dense(w, [0.5, -0.25][:n], "sigmoid"), hg.Dense(w.T * 1.25, [0.25, 0.5][:n], last)], loss)
    y = {"cross_entropy": 1, "binary_cross_entropy": [0.0, 1.0][:n], "squared_error": [0.25, 2.0][:n]}[loss]
    return net, [0.5, -1.5][:n], y


def spoilt(number):
    """Return equation `number`'s function with its result changed."""
    function = hg.EQUATIONS[number].function
    return {number: lambda *arguments: function(*arguments) * 1.5 + 0.125}


def different(one, other):
    """Return the names of the quantities that two traces differ in."""
    names = {"loss"} if one.loss != other.loss else set()
    for number, (mine, theirs) in enumerate(zip(one, other, strict=True), start=1):
        for name in hg.LayerTrace.__dataclass_fields__:
            p, q = getattr(mine, name), getattr(theirs, name)
            if p is not None and not np.array_equal(p, q):
                names.add(f"{name}{number}")
    return names


BACK = {"dL_da1", "dL_dz1", "dL_dw1", "dL_db1", "dL_da_prev1", "dL_da_prev2", "dL_dw2", "dL_db2"}


@pytest.mark.parametrize(
    ("number", "names"),
    [
        (4, BACK | {"dL_da2", "dL_dz2"}),
        (7, {"dL_db1", "dL_db2"}),
        (10, {"loss"}),
        (11, {"dL_dw1", "dL_dw2", "dL_db1", "dL_db2"}),
        (12, BACK | {"da_dz1", "da_dz2", "dL_dz2"}),
        (13, {"dL_dw1", "dL_dw2"}),
        (14, {"dL_da1", "dL_dz1", "dL_dw1", "dL_db1", "dL_da_prev1", "dL_da_prev2"}),
    ],
)
def test_exchanged_equation_shows_in_literal_trace(number, names):
    net, x, y = worked_case()
    assert different(hg.literal.trace(net, x, y, exchanged(spoilt(number))), hg.literal.trace(net, x, y)) == names
    gradients = [hg.literal.gradient(net, x, y, table) for table in (hg.EQUATIONS, exchanged(spoilt(number)))]
    assert (gradients[0] == gradients[1]) == (number == 10)


@pytest.mark.parametrize("number", [8, 9])
def test_exchanged_forward_equation_shows_in_every_quantity_after_it(number):
    net, x, y = worked_case()
    everything = {f"{name}{n}" for name in hg.LayerTrace.__dataclass_fields__ for n in (1, 2)} | {"loss"}
    everything -= {"a_prev1", "dL_dalpha1", "dL_dalpha2"} | ({"z1", "da_dz1"} if number == 9 else set())
    assert different(hg.literal.trace(net, x, y, exchanged(spoilt(number))), hg.literal.trace(net, x, y)) == everything


def test_exchanged_cross_entropy_shows_in_the_loss_alone():
    net, x, k = worked_case(loss="cross_entropy")
    for y, number in ((k, 1), ([0.25, 0.75], 2)):
        table = exchanged(spoilt(number))
        assert different(hg.literal.trace(net, x, y, table), hg.literal.trace(net, x, y)) == {"loss"}
        other = exchanged(spoilt(3 - number))
        assert different(hg.literal.trace(net, x, y, other), hg.literal.trace(net, x, y)) == set()


def test_exchanged_1_shows_in_the_binary_cross_entropy_alone():
    """A yes or no is a class, which (1) speaks of; a number between them weights two, each by (2)."""
    net, x, certain = worked_case(loss="binary_cross_entropy")
    for y, number in ((certain, 1), ([0.25, 0.75], 2)):
        table = exchanged(spoilt(number))
        assert different(hg.literal.trace(net, x, y, table), hg.literal.trace(net, x, y)) == {"loss"}
        other = exchanged(spoilt(3 - number))
        assert different(hg.literal.trace(net, x, y, other), hg.literal.trace(net, x, y)) == set()
    for number in (4, 10):
        assert (
            different(hg.literal.trace(net, x, certain, exchanged(spoilt(number))), hg.literal.trace(net, x, certain)) == set()
        )


def test_equation_1_is_given_the_probabilities_of_no_and_yes():
    net = hg.Network([hg.Dense(np.eye(2), np.zeros(2), "sigmoid")], "binary_cross_entropy")
    given = []

    def listening(P, y_i):
        given.append((*P, y_i))
        return 0.0

    a = hg.literal.trace(net, [0.0, 1.0], [1.0, 0.0], exchanged({1: listening}))[1].a
    assert [yes for _, yes, _ in given] == a.tolist()
    assert np.abs([no + yes - 1 for no, yes, _ in given]).max() <= 4 * 2.0**-53
    assert [y_i for *_, y_i in given] == [1, 0]


def test_trace_under_binary_cross_entropy_joins_the_output_in_a_minus_y():
    net, x, y = worked_case(loss="binary_cross_entropy")
    for t in (net.trace(x, y), hg.literal.trace(net, x, y)):
        assert t[2].dL_da is None
        assert t[2].da_dz is None
        assert np.abs(t[2].dL_dz - (t[2].a - y)).max() <= 4 * 2.0**-53
        assert t[1].dL_da is not None


def test_exchanged_9_shows_in_a_softmax():
    net, x, k = worked_case(loss="cross_entropy")
    assert "a2" in different(hg.literal.trace(net, x, k, exchanged(spoilt(9))), hg.literal.trace(net, x, k))
    given = []

    def listening(g, z_j):
        given.append(z_j)
        return g(z_j)

    t = hg.literal.trace(net, x, k, exchanged({9: listening}))
    assert given == [*t[1].z, *t[2].z]


def test_loss_of_one_of_three_classes_is_of_equation_1():
    net = hg.Network([hg.Dense(np.eye(3), np.zeros(3), "softmax")], "cross_entropy")
    x = [0.5, -1.5, 0.25]
    for k in range(3):
        assert different(hg.literal.trace(net, x, k, exchanged(spoilt(1))), hg.literal.trace(net, x, k)) == {"loss"}
        assert different(hg.literal.trace(net, x, k, exchanged(spoilt(2))), hg.literal.trace(net, x, k)) == set()


@pytest.mark.parametrize(
    ("number", "names"),
    [
        (3, {"dL_dw1", "dL_dw2", "dL_db1", "dL_db2"}),
        (4, BACK | {"dL_da2", "dL_dz2"}),
        (5, BACK | {"da_dz1", "da_dz2", "dL_dz2"}),
        (6, {"dL_dw1", "dL_dw2"}),
        (7, {"dL_db1", "dL_db2"}),
    ],
)
def test_exchanged_equation_shows_in_chain(number, names):
    net, x, y = worked_case(chain=True)
    assert different(hg.literal.chain(net, x, y, exchanged(spoilt(number))), hg.literal.chain(net, x, y)) == names


@pytest.mark.parametrize("of", [hg.literal.trace, hg.literal.chain])
def test_each_form_reads_its_own_equations(of):
    net, x, y = worked_case(chain=True)
    used = {number for number in hg.EQUATIONS if different(of(net, x, y, exchanged(spoilt(number))), of(net, x, y))}
    # With one neuron (10) has one term, which is the loss of section IV.B.
    assert used == ({3, 4, 5, 6, 7, 10} if of is hg.literal.chain else {4, 7, 8, 9, 10, 11, 12, 13, 14})


# What the literal form says where the matrix form is stable.


def test_loss_of_an_improbable_class_is_finite():
    net = hg.Network([hg.Dense(np.eye(3), np.zeros(3), "softmax")], "cross_entropy")
    x = np.array([[0.0, 1.0, -800.0], [0.0, -740.0, 0.0]])
    # (1) would take the logarithm of 0, and of a number with three digits; (2) does not.
    t = hg.literal.trace(net, x, [2, 1])
    assert abs(t.loss - net.loss(x, [2, 1])) <= 8 * 2.0**-53 * t.loss


def test_binary_loss_of_an_improbable_answer_is_finite():
    net = hg.Network([hg.Dense(np.eye(2), np.zeros(2), "sigmoid")], "binary_cross_entropy")
    x, y = np.array([[800.0, -740.0], [40.0, -1e4]]), [[0, 1], [0, 1]]
    # 1 − a is 0 at z = 40 already, and a at −800; neither is taken from the other.
    assert abs(hg.literal.trace(net, x, y).loss - net.loss(x, y)) <= 16 * 2.0**-53 * net.loss(x, y)


def test_loss_without_part_of_an_infinitely_far_class_is_finite():
    net = hg.Network([hg.Dense([[1e308], [1e308], [-1e308]], np.zeros(3), "softmax")], "cross_entropy")
    with np.errstate(over="ignore"):
        t = hg.literal.trace(net, [1.0], [0.5, 0.5, 0.0])
    assert abs(t.loss - np.log(2)) <= 8 * 2.0**-53


@pytest.mark.parametrize("of", [hg.Network.gradient, hg.literal.gradient])
def test_gradient_of_soft_labels_matches_the_loss_that_their_sum_has(of):
    """L = −Σ y_k log p_k with Σy = 1 + 2⁻¹² has the derivative p Σy − y, here Σy/3 − y."""
    net = hg.Network([hg.Dense(np.eye(3), np.zeros(3), "softmax")], "cross_entropy")
    y = np.array([0.5, 0.5, 2.0**-12], np.float32)
    g = of(net, np.zeros(3), y)
    # A softmax of three equal logits, Σy and the two products and their difference: at most 8 roundings of numbers below 1.
    assert np.abs(g[1].b - [float(Fraction(4097, 3 * 4096) - Fraction(float(y_k))) for y_k in y]).max() <= 8 * 2.0**-53
    assert abs(g.loss - 4097 / 4096 * np.log(3)) <= 8 * 2.0**-53 * g.loss


def test_literal_sigmoid_and_softmax_do_not_overflow():
    net = hg.Network([hg.Dense(np.eye(2), np.zeros(2), "sigmoid"), hg.Dense(1e300 * np.eye(2), np.zeros(2), "softmax")])
    t = hg.literal.trace(net, [-1e4, 1e4], [0.5, 0.25])
    np.testing.assert_array_equal(t[1].a, [0, 1])
    np.testing.assert_array_equal(t[2].a, [0, 1])


def test_literal_loss_is_infinite_where_a_square_overflows():
    net = hg.Network([hg.Dense([[1.0]], [0.0])])
    for of in (hg.literal.gradient, hg.literal.chain):
        assert of(net, [1e200], [0.0]).loss == np.inf


def test_literal_rounds_to_the_networks_dtype_without_a_warning():
    net = hg.Network([hg.Dense(np.full((1, 1), 1e30, np.float32), np.zeros(1, np.float32))])
    for of in (hg.literal.gradient, hg.literal.trace, hg.literal.chain):
        g = of(net, np.full(1, 1e30, np.float32), [0.0])
        g = g if of is hg.literal.gradient else g.gradient
        assert g.vector.dtype == np.float32
        assert np.isinf(g[1].w)


def test_literal_takes_its_slope_and_x_rounded_to_the_networks_dtype():
    net = hg.Network([hg.Dense(np.full((1, 1), -9, np.float32), np.zeros(1, np.float32), "leaky_relu")])
    slope, x = (Fraction(float(np.float32(number))) for number in (0.01, 0.1))
    for of in (hg.literal.trace, hg.literal.chain):
        t = of(net, [0.1], [0.0])
        assert t[1].z == np.float32(float(-9 * x))
        assert t[1].a == np.float32(float(-9 * x * slope))

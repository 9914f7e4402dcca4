"""The bounds hold, and are not so wide that they hide a mistake."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import handgrad as hg
import verification as v
from verification.autograd.oracles import autograd
from verification.bounds.analysis import both_bounds, bounds, bounds_of_forms
from verification.bounds.forward import _is_exact
from verification.bounds.quantities import quantities
from verification.bounds.rounding import (
    ANY,
    ANY_CONVENTION,
    NAIVE,
    STABLE,
    Bounded,
    error_of_products,
    error_of_sum,
    product,
    rounding,
)
from verification.random_networks.architectures import Architecture, Unit
from verification.random_networks.cases import contents
from verification.random_networks.plain import PlainCase, plain_case, stacked

FORMS = [STABLE, NAIVE, ANY, ANY_CONVENTION]


def as_float64(asked: PlainCase) -> PlainCase:
    def wide(array):
        return array if array is None or array.dtype.kind != "f" else array.astype(np.float64)

    layers = tuple(replace(layer, w=wide(layer.w), b=wide(layer.b), slope=wide(layer.slope)) for layer in asked.layers)
    return replace(asked, layers=layers, x=wide(asked.x), y=wide(asked.y))


def errors_and_bounds(case):
    """Return, for a float32 case, |computed − exact| and the bound, for handgrad and for torch; float64 stands for exact."""
    net, x, y = case
    asked = plain_case(net, x, y)
    with np.errstate(all="ignore"):
        exact, torch32 = autograd(as_float64(asked)), autograd(asked)
        handgrad = {name: array.reshape(exact[name].shape) for name, array in quantities(net.trace(x, y)).items()}
        of_exact = both_bounds(as_float64(asked))[1]
    stable, naive = both_bounds(asked)
    for computed, allowed in ((handgrad, stable), (torch32, naive)):
        for name, array in computed.items():
            with np.errstate(invalid="ignore"):
                yield name, np.abs(array.astype(float) - exact[name]), allowed[name] + of_exact[name]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(v.cases(dtypes=["float32"]))
def test_bounds_of_each_side_matches_exact_values(case):
    for name, error, allowed in errors_and_bounds(case):
        assert ((error <= allowed) | np.isinf(allowed)).all(), name


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(v.cases())
def test_bounds_of_forms_equals_those_of_each(case):
    asked = plain_case(*case)
    for form, together in zip(FORMS, bounds_of_forms(asked, FORMS), strict=True):
        alone = bounds(asked, form)
        assert list(together) == list(alone)
        for name, array in alone.items():
            assert together[name].shape == array.shape
            np.testing.assert_array_equal(together[name], array)


def ordinary_case(dtype, seed):
    rng = np.random.default_rng(seed)
    net = hg.Network.random([3, 4, 2], activations=["sigmoid", "tanh"], seed=rng, dtype=dtype)
    return net, rng.normal(size=(4, 3)), rng.normal(size=(4, 2))


@pytest.mark.parametrize(("dtype", "mistake"), [(np.float64, 1e-12), (np.float32, 1e-3)])
@pytest.mark.parametrize("name", ["w1", "b1", "w2", "b2"])
def test_bounds_on_ordinary_networks_is_below_small_mistakes(dtype, mistake, name):
    net, x, y = ordinary_case(dtype, 4)
    asked = plain_case(net, x, y)
    stable, naive = both_bounds(asked)
    wrong_by = mistake * np.abs(net.gradient(x, y).named()[name]).max()
    assert (wrong_by > (stable[name] + naive[name])).any()


def test_bounds_of_exact_sums_of_inexact_numbers_is_not_zero():
    first, second = (hg.Dense([[1.0]], [0.0], hg.Activation("leaky_relu", slope=slope)) for slope in (0.1, 0.5))
    found = bounds(plain_case(hg.Network([first, second]), [[3.0], [-3.0]], [[0.0], [0.0]]), STABLE)
    for name in ("a1", "z2", "a2"):
        assert found[name][0, 0] == 0 < found[name][1, 0], name


def test_bounds_of_exact_products_with_a_slope_is_zero():
    net = hg.Network([hg.Dense([[1.0], [1.0]], [0.0, 0.0], hg.Activation("prelu", alpha=[0.5, 0.1]))])
    found = bounds(plain_case(net, [[-3.0], [-(2.0**52) - 1]], [[0.0, 0.0]] * 2), STABLE)
    assert found["a1"][0, 0] == found["a1"][1, 0] == 0
    assert found["a1"][1, 1] > 0


def test_bounds_of_exact_sums_is_zero():
    net = hg.Network([hg.Dense([[1.0, 2.0]], [-5.0], "relu")])
    found = bounds(plain_case(net, [[1.0, 2.0]], [[0.0]]), STABLE)
    assert found["z1"] == 0
    assert found["da_dz1"] == 0


def test_bounds_of_sums_in_tenths_is_positive():
    net = hg.Network([hg.Dense([[0.1, 0.2]], [-0.3], "relu")])
    found = bounds(plain_case(net, [[1.0, 1.0]], [[0.0]]), STABLE)
    assert found["z1"] > 0
    # z may lie on either side of the kink, so either derivative is right.
    assert found["da_dz1"] == 1


def test_bounds_of_dead_unit_is_zero():
    net = hg.Network([hg.Dense([[0.3]], [-7.7], "relu"), hg.Dense([[0.7]], [0.1])])
    found = bounds(plain_case(net, [[0.9]], [[0.3]]), NAIVE)
    assert found["w1"] == 0
    assert found["x"] == 0
    assert found["w2"] == 0
    assert found["b2"] > 0


def test_bounds_of_a_softmax_of_one_unit_is_zero():
    net = hg.Network([hg.Dense([[0.3, 0.7]], [0.1], "softmax"), hg.Dense([[0.7]], [0.1])])
    found = bounds(plain_case(net, [[0.9, 0.2]], [[0.3]]), STABLE)
    for name in ("a1", "da_dz1", "dL_dz1", "w1", "b1", "x"):
        assert not found[name].any(), name


def test_bounds_where_products_overflow_is_infinite():
    net = hg.Network([hg.Dense(np.full((1, 1), 1e30, np.float32), np.zeros(1, np.float32), "tanh")])
    found = bounds(plain_case(net, [[1e30]], [[0.0]]), STABLE)
    assert np.isinf(found["z1"])
    assert np.isinf(found["a1"])


def test_bounds_of_several_contents_matches_those_of_each():
    units = (Unit(4, "sigmoid"), Unit(3, "softmax"), Unit(3, "prelu"), Unit(3, "softmax"))
    yes_or_no = (*units[:3], Unit(3, "sigmoid"))
    for layers, loss, targets in (
        (units, "squared_error", "values"),
        (units, "cross_entropy", "indices"),
        (units, "cross_entropy", "distribution"),
        (yes_or_no, "binary_cross_entropy", "probabilities"),
    ):
        problems = [plain_case(*each) for each in contents(Architecture(2, layers, loss, "mean", "float32", 5, targets), 1, 4)]
        for form, together in zip(FORMS, bounds_of_forms(stacked(problems), FORMS), strict=True):
            for place, each in enumerate(problems):
                alone = bounds(each, form)
                assert list(alone) == list(together)
                for name, array in alone.items():
                    np.testing.assert_allclose(together[name][place], array, rtol=1e-9, err_msg=name)


def one_layer(activation, z, loss="squared_error", y=0.25):
    """Return a problem whose layer has these pre-activations, but for their own rounding."""
    n = len(z)
    layer = hg.Dense(np.zeros((n, 1)), np.array(z), activation)
    return plain_case(
        hg.Network([layer], loss), np.ones((1, 1)), np.array([0]) if loss == "cross_entropy" else np.full((1, n), y)
    )


# Where each form may err by more than the one before it: name of the quantity, problem, which forms are alike.
STRICTER = {
    "g of the sigmoid far below 0": ("a1", one_layer("sigmoid", [-30.0]), [0, 0, 1]),
    "g of tanh near 0": ("a1", one_layer("tanh", [1e-6]), [0, 0, 1]),
    "g' of the sigmoid far above 0": ("da_dz1", one_layer("sigmoid", [30.0]), [0, 1, 2]),
    "g' of tanh far above 0": ("da_dz1", one_layer("tanh", [15.0]), [0, 1, 2]),
    "softmax of large logits": ("a1", one_layer("softmax", [300.0, 301.0]), [0, 1, 2]),
    "softmax's Jacobian": ("da_dz1", one_layer("softmax", [30.0, 0.0]), [0, 1, 2]),
    "softmax backward": ("dL_dz1", one_layer("softmax", [30.0, 0.0]), [0, 1, 2]),
    "p - y": ("dL_dz1", one_layer("softmax", [30.0, 0.0], "cross_entropy"), [0, 1, 2]),
    "the loss near 0": ("loss", one_layer("softmax", [30.0, 0.0], "cross_entropy"), [0, 1, 2]),
    "a softmax of one": ("dL_dz1", one_layer("softmax", [30.0]), [0, 1, 2]),
}


@pytest.mark.parametrize("case", STRICTER)
def test_bounds_of_each_form_is_wider_where_it_rounds_more(case):
    name, asked, ranks = STRICTER[case]
    widths = [float(np.max(bounds(asked, form)[name])) for form in (STABLE, NAIVE, ANY)]
    for (narrow, low), (wide, high) in pairwise(zip(widths, ranks, strict=True)):
        assert wide > 1.4 * narrow if high > low else wide == narrow
    # None is wider than a few hundred roundings of a number near 1, or of the logits.
    assert widths[-1] <= 1e-12


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("y", [0.0, 1.0, 0.5, 0.3])
def test_bounds_of_a_binary_cross_entropy_holds_what_each_form_gives(dtype, y):
    """At every size of z, against float64 with twice the digits of float32; for float64 itself, the stable form."""
    one, half = dtype(1), dtype(y)
    for size in [0.0, 1e-6, 0.5, 3.0, 9.5, 16.5, 20.0, 36.0, 37.5, 88.0, 104.0, 720.0, 800.0, 1e4]:
        for z in {dtype(size), dtype(-size)}:
            net = hg.Network([hg.Dense(np.zeros((1, 1), dtype), [z], "sigmoid")], "binary_cross_entropy")
            stable, naive, any_way = bounds_of_forms(plain_case(net, [[1.0]], [[half]]), [STABLE, NAIVE, ANY])
            wide = hg.Network([hg.Dense(np.zeros((1, 1)), [float(z)], "sigmoid")], "binary_cross_entropy")
            exact = wide.trace([[1.0]], [[float(half)]])
            loss, dL_dz = exact.loss, exact[1].dL_dz.item()
            with np.errstate(all="ignore"):
                a = one / (one + np.exp(-z))
                given = {
                    "trace": (net.trace([[1.0]], [[half]]).loss, net.trace([[1.0]], [[half]])[1].dL_dz.item(), stable),
                    "logits": (half * np.logaddexp(dtype(0), -z) + (one - half) * np.logaddexp(dtype(0), z), a - half, naive),
                }
                if size < 9:
                    quotients = (-half / a + (one - half) / (one - a)) * (a * (one - a))
                    logarithms = -(half * np.log(a) + (one - half) * np.log(one - a))
                    given["probabilities"] = (logarithms, quotients, any_way)
            for form, (its_loss, its_dL_dz, allowed) in given.items():
                own = 0 if dtype == np.float32 else 2.0**-46 * abs(loss)
                assert abs(float(its_loss) - loss) <= allowed["loss"] + own, (form, z)
                assert abs(float(its_dL_dz) - dL_dz) <= allowed["dL_dz1"].item() + own, (form, z)


@pytest.mark.parametrize(("dtype", "mistake"), [(np.float64, 1e-13), (np.float32, 1e-4)])
def test_bounds_of_a_binary_cross_entropy_is_below_small_mistakes_at_every_size(dtype, mistake):
    for z in (-1e4, -800.0, -30.0, -1.0, 0.0, 1.0, 30.0, 800.0, 1e4):
        for y in (0.0, 1.0, 0.25):
            net = hg.Network([hg.Dense(np.zeros((1, 1), dtype), np.array([z], dtype), "sigmoid")], "binary_cross_entropy")
            stable, naive, any_way = bounds_of_forms(plain_case(net, [[1.0]], [[y]]), [STABLE, NAIVE, ANY])
            # Of 1 − a at z = 30 a few digits are left to whoever takes its logarithm; those allow more.
            for allowed in (stable, naive) if abs(z) == 30 else (stable, naive, any_way):
                assert allowed["loss"] <= mistake * max(1, abs(z)), (z, y)
                assert allowed["dL_dz1"].item() <= mistake, (z, y)
            # The stable form keeps the digits of what is nearly right.
            right = (z > 0) == (y == 1) and abs(z) == 30
            assert not right or stable["loss"] <= mistake * net.loss([[1.0]], [[y]])


def test_bounds_of_a_binary_cross_entropy_holds_where_z_itself_is_uncertain():
    rng = np.random.default_rng(8)
    beyond = 0.0
    for _ in range(20):
        w, x = rng.normal(0, 1000, (2, 3)).astype(np.float32), rng.normal(size=(1, 3)).astype(np.float32)
        b = rng.normal(size=2).astype(np.float32) - (x @ w.T)[0]
        net = hg.Network([hg.Dense(w, b, "sigmoid")], "binary_cross_entropy", "sum")
        case = net, x, rng.random((1, 2)).astype(np.float32)
        for name, error, allowed in errors_and_bounds(case):
            assert (error <= allowed).all(), name
            if name == "loss":
                # More than the loss's own rounding: z is a difference of numbers a thousand times as large.
                beyond = max(beyond, float(error) / (100 * 2.0**-24 * net.loss(*case[1:])))
    assert beyond > 1


@pytest.mark.parametrize("name", ["loss", "dL_dz1"])
def test_bounds_of_a_binary_cross_entropy_is_wider_where_a_form_rounds_more(name):
    right, wrong = (one_layer("sigmoid", [10.0], "binary_cross_entropy", y) for y in (1.0, 0.0))
    stable, naive, any_way = (bounds(right, form)[name].item() for form in (STABLE, NAIVE, ANY))
    assert 1000 * stable < naive <= any_way < 1e-13
    stable, naive, any_way = (bounds(wrong, form)[name].item() for form in (STABLE, NAIVE, ANY))
    assert stable <= naive < any_way / 1000 < 1e-13


def test_bounds_where_rounding_may_overflow_is_infinite():
    largest = np.finfo(np.float32).max
    nearly = np.array([[np.nextafter(largest, np.float32(0))]])
    # Exact, it is a number; with a bias it is rounded, and might be rounded up.
    for b, infinite in ((0.0, False), (1.0, True)):
        net = hg.Network([hg.Dense(nearly, np.array([b], np.float32))])
        assert np.isinf(bounds(plain_case(net, [[1.0]], [[0.0]]), STABLE)["z1"]) == infinite
    # 1.1 z lies 2.5 u below the largest number, the product's own rounding is u, and z's three times that.
    w = -np.array([[float(largest) / 1.1 * (1 - 2.5 * 2.0**-24), 1.0]], np.float32)
    net = hg.Network([hg.Dense(w, np.zeros(1, np.float32), hg.Activation("prelu", alpha=1.1))])
    found = bounds(plain_case(net, [[1.0, 1.0]], [[0.0]]), STABLE)
    assert np.isfinite(found["z1"])
    assert np.isinf(found["a1"])


def test_bounds_where_a_slope_overflows_is_infinite():
    w = np.array([[2.5e38]], np.float32)
    leaky = hg.Dense(w, np.zeros(1, np.float32), hg.Activation("prelu", alpha=1.5))
    net = hg.Network([leaky, hg.Dense(np.zeros((1, 1), np.float32), np.zeros(1, np.float32))])
    found = bounds(plain_case(net, [[-1.0]], [[0.0]]), STABLE)
    assert np.isfinite(found["z1"])
    # 0 times an activation that overflowed is no number.
    assert np.isinf([found["a1"], found["z2"]]).all()
    assert np.isfinite(bounds(plain_case(net, [[1.0]], [[0.0]]), STABLE)["z2"])


def test_bounds_of_an_unknown_activation_raises():
    plain = plain_case(hg.Network([hg.Dense([[1.0]], [0.0], "tanh")]), [[1.0]], [[0.0]])
    swish = replace(plain, layers=(replace(plain.layers[0], activation="swish"),))
    with pytest.raises(NotImplementedError, match="no bound for activation 'swish'"):
        bounds(swish, STABLE)


def test_bounds_where_twice_the_error_overflows_is_infinite():
    net = hg.Network([hg.Dense(np.ones((1, 1), np.float32), np.zeros(1, np.float32))])
    # 2 (a − y) / N is 2.5e38, and 2 (a − y) is no float32 any more.
    found = bounds(plain_case(net, [[2.5e38], [0.0]], [[0.0], [0.0]]), STABLE)
    assert np.isinf(found["dL_da1"]).any()
    assert np.isinf(found["b1"])
    found = bounds(plain_case(net, [[1.5e38], [0.0]], [[0.0], [0.0]]), STABLE)
    assert np.isfinite(found["b1"])


def test_bounds_of_any_way_allows_a_log_sum_of_the_logits_themselves():
    net = hg.Network([hg.Dense([[1.0], [0.0]], [-505.25, -493.5], "softmax")], "cross_entropy")
    asked = plain_case(net, [[0.0]], [1])
    # logsumexp(z) − z_1 is a difference of two numbers near 493.5, each rounded to 2⁻⁴⁵ of a unit.
    distance = abs((np.logaddexp(-505.25, -493.5) + 493.5) - net.loss([[0.0]], [1]))
    assert bounds(asked, STABLE)["loss"] < distance <= bounds(asked, ANY)["loss"] < 1e-11


def test_bounds_of_naive_derivative_is_wider_where_it_cancels():
    net = hg.Network([hg.Dense([[1.0]], [0.0], "sigmoid")])
    stable, naive = both_bounds(plain_case(net, [[30.0]], [[0.0]]))
    derivative = net.trace([[30.0]], [[0.0]])[1].da_dz
    assert stable["da_dz1"] < 1e-14 * derivative
    assert naive["da_dz1"] > 1e-4 * derivative


@pytest.mark.parametrize(("dtype", "u"), [(np.float64, 2.0**-53), (np.float32, 2.0**-24)])
def test_rounding_of_dtype_equals_ieee_754(dtype, u):
    found = rounding(np.dtype(dtype))
    assert found.u == u
    assert found.gamma(3) == 3 * u / (1 - 3 * u)
    assert 2.0**-found.digits == u


def bounded(rng, shape, tiny=1.0):
    """Return numbers with errors, some of both exactly 0."""
    value, error = rng.normal(size=shape) * tiny, rng.random((1, *shape)) * tiny
    return Bounded(value * (rng.random(shape) < 0.7), error * (rng.random((1, *shape)) < 0.7))


@pytest.mark.parametrize("tiny", [1.0, 1e-160])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_errors_of_products_and_sums_equals_the_formulas(dtype, turned, tiny):
    """Higham, sections 2.2, 3.1 and 3.5, written out index by index."""
    r, rng = rounding(np.dtype(dtype)), np.random.default_rng(5)
    p, q = bounded(rng, (3, 4), tiny), bounded(rng, (3 if turned else 4, 2), tiny)
    terms = len(q.value)

    def gamma(n):
        return n * r.u / (1 - n * r.u)

    found = error_of_products(p, q, terms, r, turned=turned)
    value, error = (p.value.T, p.error[0].T) if turned else (p.value, p.error[0])
    for i, j in np.ndindex(found.shape[1:]):
        spread = size = under = 0.0
        for k in range(terms):
            a, e, b, f = abs(value[i, k]), error[i, k], abs(q.value[k, j]), q.error[0, k, j]
            spread += a * f + e * (b + f)
            size += a * b
            under += r.tiny * (a + e > 0 and b + f > 0)
        assert found[0, i, j] == pytest.approx(spread + gamma(terms + 1) * (size + spread) + under, rel=1e-12, abs=0)

    of_sum = error_of_sum(p, -2, 3, r)
    for k in range(4):
        most = sum(abs(p.value[i, k]) + p.error[0, i, k] for i in range(3))
        assert of_sum[0, k] == pytest.approx(sum(p.error[0, :, k]) + gamma(3) * most, rel=1e-12, abs=0)

    other = bounded(rng, (3, 4), tiny)
    of_product = product(p, other, r).error
    for i, k in np.ndindex(3, 4):
        a, e, b, f = abs(p.value[i, k]), p.error[0, i, k], abs(other.value[i, k]), other.error[0, i, k]
        right = a * f + e * (b + f) + 2 * r.u * (a + e) * (b + f) + r.tiny * (a + e > 0 and b + f > 0)
        assert of_product[0, i, k] == pytest.approx(right, rel=1e-12, abs=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sum_below_the_smallest_normal_number_is_not_exact(dtype):
    r = rounding(np.dtype(dtype))
    lowest = int(np.log2(np.finfo(dtype).tiny))
    q = np.array([lowest - 1, lowest, 0, 0, 0])
    magnitude = np.array([0.0, 0.0, 2.0**r.digits, 2.0**r.digits * 1.01, 1.0])
    assert _is_exact(q, magnitude, r).tolist() == [False, True, True, False, True]

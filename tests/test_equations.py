"""Equations (1)–(14), each against another closed form or numbers worked out by hand."""

import inspect
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from handgrad import equations as eq

RANDOM = [np.random.default_rng(n).normal(0, 2, 7).tolist() for n in range(20)]
U = 2.0**-53


def cut(number, digits=3):
    """Return the number's decimals without rounding, as Table I of the notes prints them (0 <= number < 1)."""
    return f"0.{math.floor(Fraction(number) * 10**digits):0{digits}d}"


def test_L_i_probability_equals_logarithms_of_powers_of_two():
    # -log 2^-n = n log 2: one rounding in math.log and one in the product.
    for n in range(1, 60):
        assert math.isclose(eq.L_i_probability([0.3, 2.0**-n], 1), n * math.log(2), rel_tol=4 * U)
    assert eq.L_i_probability([1.0, 0.25], 0) == 0
    with pytest.raises(ValueError, match=r"domain|positive"):
        eq.L_i_probability([1.0, 0.0], 1)


@pytest.mark.parametrize("s", RANDOM)
def test_L_i_logits_matches_decimal_arithmetic(s):
    powers = [Decimal(s_j).exp() for s_j in s]
    for k in range(len(s)):
        exact = float((sum(powers) / powers[k]).ln())
        # The quotient has a relative error of about (2 max|s| + len(s) + 4) u, which its logarithm takes as an absolute one.
        assert abs(eq.L_i_logits(s, k) - exact) <= (2 * max(map(abs, s)) + len(s) + 6 + exact) * U


@pytest.mark.parametrize("far", [599.0, 601.0, 745.0, 1e4, 1e300])
def test_L_i_logits_equals_distance_from_a_dominant_logit(far):
    assert math.isclose(eq.L_i_logits([0.0, -far, 0.0], 1), far + math.log(2), rel_tol=8 * U)
    assert eq.L_i_logits([far, -far], 0) == 0


def test_dL_dw_equals_product_of_three_dyadic_factors():
    assert eq.dL_dw(0.5, 0.25, -3.0) == -0.375
    # Factors in the notes' order, from the left: another order would over- or underflow.
    assert eq.dL_dw(2.0**1000, 2.0**-1000, 2.0**1000) == 2.0**1000
    assert eq.dL_dw(2.0**1000, 2.0**-600, 2.0**-600) == 2.0**-200


@pytest.mark.parametrize(("a", "y"), [(0.75, 0.25), (-1.5, 2.0), (3.0, 3.0), (0.125, -0.5)])
def test_dL_da_equals_symmetric_difference_quotient(a, y):
    # For a parabola the symmetric quotient is exact, and on dyadic numbers so is its arithmetic.
    h = 0.5
    assert eq.dL_da(a, y) == (eq.L_i([a + h], [y]) - eq.L_i([a - h], [y])) / (2 * h)


@pytest.mark.parametrize("of", [eq.da_dz, eq.da_j_dz_j])
@pytest.mark.parametrize("z", [-30.0, -2.5, -0.5, 0.0, 0.125, 1.0, 6.0])
def test_da_dz_matches_exact_derivative_of_the_sigmoid(of, z):
    def g(z):
        return 1 / (1 + math.exp(-z))

    e = Decimal(-z).exp()
    # g is right to 4u of itself (math.exp, a sum, a quotient), so 1 - g is to 5u absolutely.
    assert abs(of(g, z) - float(e / (1 + e) ** 2)) <= 10 * U * g(z)


@pytest.mark.parametrize("of", [eq.da_dz, eq.da_j_dz_j])
def test_da_dz_equals_dyadic_numbers(of):
    seen = []

    def g(z):
        seen.append(z)
        return 0.875

    assert of(g, 4.0) == 0.109375
    assert set(seen) == {4.0}


def test_dz_dw_and_dz_db_equal_differences_of_z():
    w, b, a_prev = 1.5, -0.5, 0.375
    assert eq.dz_dw(a_prev) == (w + 1) * a_prev + b - (w * a_prev + b)
    assert eq.dz_db() == w * a_prev + (b + 1) - (w * a_prev + b)


@pytest.mark.parametrize("seed", range(10))
def test_z_j_equals_fractions(seed):
    rng = np.random.default_rng(seed)
    w, a = (rng.integers(-64, 64, 5) / 16).tolist(), (rng.integers(-64, 64, 5) / 16).tolist()
    b = float(rng.integers(-8, 8)) / 4
    assert eq.z_j(b, w, a) == float(Fraction(b) + sum(Fraction(p) * Fraction(q) for p, q in zip(w, a, strict=True)))


def test_a_j_equals_the_function_at_z():
    assert eq.a_j(lambda z: z * z - 1, -3.0) == 8.0


@pytest.mark.parametrize("seed", range(10))
def test_L_i_equals_fractions(seed):
    rng = np.random.default_rng(seed)
    a, y = (rng.integers(-64, 64, 4) / 16).tolist(), (rng.integers(-64, 64, 4) / 16).tolist()
    assert eq.L_i(a, y) == float(sum((Fraction(p) - Fraction(q)) ** 2 for p, q in zip(a, y, strict=True)))


def test_dL_dw_jk_equals_product_of_three_dyadic_factors():
    assert eq.dL_dw_jk(-3.0, 0.25, 0.5) == -0.375
    assert eq.dL_dw_jk(2.0**1000, 2.0**-1000, 2.0**1000) == 2.0**1000
    assert eq.dL_dw_jk(2.0**1000, 2.0**-600, 2.0**-600) == 2.0**-200


def test_dz_j_dw_jk_equals_difference_of_z_j():
    w, a = [1.5, -0.25, 2.0], [0.5, 0.75, -4.0]
    for k in range(3):
        moved = [w_k + (place == k) for place, w_k in enumerate(w)]
        assert eq.dz_j_dw_jk(a[k]) == eq.z_j(0.5, moved, a) - eq.z_j(0.5, w, a)


@pytest.mark.parametrize("seed", range(10))
def test_dL_da_k_equals_fractions(seed):
    rng = np.random.default_rng(seed)
    factors = (rng.integers(-32, 32, (3, 4)) / 8).tolist()
    exact = sum(Fraction(p) * Fraction(q) * Fraction(r) for p, q, r in zip(*factors, strict=True))
    assert eq.dL_da_k(*factors) == float(exact)


@pytest.mark.parametrize(
    ("of", "arguments"),
    [(eq.z_j, (0.0, [1.0], [1.0, 2.0])), (eq.L_i, ([1.0], [1.0, 2.0])), (eq.dL_da_k, ([1.0], [1.0, 2.0], [1.0, 2.0]))],
)
def test_sums_raise_for_lists_of_different_lengths(of, arguments):
    with pytest.raises(ValueError, match="zip"):
        of(*arguments)


def test_table_I_equals_the_notes_to_the_digit():
    a, y = [0.8, 0.2], [1.0, 0.0]
    losses = [eq.L_i([a_j], [y_j]) for a_j, y_j in zip(a, y, strict=True)]
    assert [cut(loss) for loss in losses] == ["0.039", "0.040"]
    assert cut(eq.L_i(a, y)) == "0.079"
    assert cut(sum(losses)) == "0.079"


def test_table_is_complete():
    assert list(eq.EQUATIONS) == list(range(1, 15))
    assert [equation.number for equation in eq.EQUATIONS.values()] == list(range(1, 15))
    names = ["L_i_probability", "L_i_logits", "dL_dw", "dL_da", "da_dz", "dz_dw", "dz_db"]
    names += ["z_j", "a_j", "L_i", "dL_dw_jk", "da_j_dz_j", "dz_j_dw_jk", "dL_da_k"]
    assert [equation.function for equation in eq.EQUATIONS.values()] == [getattr(eq, name) for name in names]
    sections = ["III"] * 2 + ["IV.B"] * 5 + ["IV.D–G"] * 7
    assert [equation.section for equation in eq.EQUATIONS.values()] == sections


@pytest.mark.parametrize("number", range(1, 15))
def test_docstring_is_closed_by_its_number(number):
    summary = inspect.getdoc(eq.EQUATIONS[number].function).split("\n\n")[0]
    assert summary.endswith(f" ({number}).")


@pytest.mark.parametrize("number", range(1, 15))
def test_latex_is_balanced(number):
    latex = eq.EQUATIONS[number].latex
    for opening, closing in ("{}", "()"):
        depths = np.cumsum([(sign == opening) - (sign == closing) for sign in latex])
        assert depths.min() >= 0
        assert depths[-1] == 0
    assert latex.count(r"\frac{") == latex.count(r"\frac")
    assert latex.count("=") >= 1


def test_table_is_read_only():
    with pytest.raises(TypeError):
        eq.EQUATIONS[1] = eq.EQUATIONS[2]


def test_exchanged_equals_the_table_but_for_its_replacements():
    def wrong(a, y):
        return a - y

    table = eq.exchanged({4: wrong})
    assert table[4] == eq.Equation(4, wrong, eq.EQUATIONS[4].section, eq.EQUATIONS[4].latex)
    assert {number: table[number] for number in table if number != 4} == {n: eq.EQUATIONS[n] for n in eq.EQUATIONS if n != 4}
    assert eq.EQUATIONS[4].function is eq.dL_da
    assert dict(eq.exchanged({})) == dict(eq.EQUATIONS)

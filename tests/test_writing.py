"""Formulas in Unicode and in LaTeX: signs, parentheses, fractions, indices, and sums too long for a line."""

import pytest

from handgrad.homework.digits import shown
from handgrad.homework.expressions import (
    Difference,
    Exponential,
    Function,
    Kept,
    Negative,
    Product,
    Quantity,
    Quotient,
    Square,
    Sum,
)
from handgrad.homework.writing import LATEX, TEXT, is_cut, letters, write, written_in_terms

A, B = Quantity("a", -0.5, 1, 2), Quantity("z", 2e-7, 2, 1)


def number(style):
    return lambda item: style.number(shown(item.value if isinstance(item, Quantity) else item, 6))


@pytest.mark.parametrize(
    ("tree", "text", "latex"),
    [
        (Difference(A, A), "−0.5 − (−0.5)", r"-0.5 - \left(-0.5\right)"),
        (Difference(1.0, Sum((A, B))), "1 − (−0.5 + 2·10⁻⁷)", r"1 - \left(-0.5 + 2 \cdot 10^{-7}\right)"),
        (Square(A), "(−0.5)²", r"\left(-0.5\right)^{2}"),
        (Square(B), "(2·10⁻⁷)²", r"\left(2 \cdot 10^{-7}\right)^{2}"),
        (Product((A, A)), "−0.5 · (−0.5)", r"-0.5 \cdot \left(-0.5\right)"),
        (Product((2.0, Kept(A))), "2 · [−0.5]", r"2 \cdot \left(\underline{-0.5}\right)"),
        (Quotient(1.0, Sum((1.0, Exponential(Negative(A))))), "1 / (1 + e^(−(−0.5)))", None),
        (Quotient(1.0, A), "1 / (−0.5)", r"\frac{1}{-0.5}"),
        (Sum((1.0, Negative(B), Product((A, 3.0)))), "1 − 2·10⁻⁷ + (−0.5) · 3", None),
        (Negative(Function("log", (Difference(1.0, 0.25),))), "−log(1 − 0.25)", r"-\log\left(1 - 0.25\right)"),
        (Function("max", (0.0, A)), "max(0, −0.5)", r"\max\left(0, -0.5\right)"),
    ],
)
def test_formula_with_numbers_is_written_as_on_paper(tree, text, latex):
    assert write(tree, TEXT, number(TEXT)) == text
    assert latex is None or write(tree, LATEX, number(LATEX)) == latex


@pytest.mark.parametrize(
    ("quantity", "text", "latex"),
    [
        (Quantity("w", 0.0, 1, 2, 9), "w₂₉⁽¹⁾", "w_{29}^{(1)}"),
        (Quantity("w", 0.0, 1, 2, 10), "w₂,₁₀⁽¹⁾", "w_{2,10}^{(1)}"),
        (Quantity("a", 0.0, 0, 10), "x₁₀", "x_{10}"),
        (Quantity("dz_da", 0.0, 2, 3, 1), "dz₃⁽²⁾/da₁⁽¹⁾", r"\frac{dz_{3}^{(2)}}{da_{1}^{(1)}}"),
        (Quantity("dz_da", 0.0, 1, 3, 1), "dz₃⁽¹⁾/dx₁", r"\frac{dz_{3}^{(1)}}{dx_{1}}"),
        (Quantity("da_dz", 0.0, 1, 3), "da₃⁽¹⁾/dz₃⁽¹⁾", r"\frac{da_{3}^{(1)}}{dz_{3}^{(1)}}"),
        (Quantity("da_dz", 0.0, 1, 3, 2), "da₃⁽¹⁾/dz₂⁽¹⁾", r"\frac{da_{3}^{(1)}}{dz_{2}^{(1)}}"),
        (Quantity("dL_dw", 0.0, 1, 3, 2, 4), "dL₄/dw₃₂⁽¹⁾", r"\frac{dL_{4}}{dw_{32}^{(1)}}"),
        (Quantity("da_dalpha", 0.0, 1, 2), "da₂⁽¹⁾/dα⁽¹⁾", r"\frac{da_{2}^{(1)}}{d\alpha^{(1)}}"),
        (Quantity("da_dalpha", 0.0, 1, 2, 2), "da₂⁽¹⁾/dα₂⁽¹⁾", r"\frac{da_{2}^{(1)}}{d\alpha_{2}^{(1)}}"),
        (Quantity("dL_dalpha", 0.0, 1), "dL/dα⁽¹⁾", r"\frac{dL}{d\alpha^{(1)}}"),
        (Quantity("w_new", 0.0, 1, 3, 2), "w₃₂⁽¹⁾", "w_{32}^{(1)}"),
        (Quantity("eta", 0.1), "η", r"\eta"),
    ],
)
def test_letter_is_that_of_the_notes(quantity, text, latex):
    assert write(quantity, TEXT, letters(TEXT)) == text
    assert write(quantity, LATEX, letters(LATEX)) == latex


def test_sum_of_thirteen_terms_is_written_by_its_first_and_last():
    twelve, thirteen = (Sum(tuple(float(term) for term in range(count))) for count in (12, 13))
    assert written_in_terms(twelve, TEXT, number(TEXT)) == ["0", *(f"+ {term}" for term in range(1, 12))]
    assert written_in_terms(thirteen, TEXT, number(TEXT)) == ["0", "+ 1", "+ 2", "+ 3", "+ 4", "+ 5", "+ …", "+ 12"]
    assert not is_cut(Function("log", (twelve,)))
    assert is_cut(Function("log", (Sum(tuple(Quantity("a", 0.0, 1, j) for j in range(1, 14))),)))

"""numpydoc's rules for every public name of handgrad; the equations' symbols are declared once for all fourteen functions."""

import doctest
import inspect
import re
from pathlib import Path

import pytest
from numpydoc.validate import validate

import handgrad as hg
from handgrad import equations
from handgrad.homework import examples, figures

# Not asked for here: See Also, an extended summary, an example for each, and a capital letter or a full stop for what may
# begin with a symbol.
NOT_ASKED = {"SA01", "ES01", "EX01", "PR08", "PR09", "RT04", "RT05"}
# Nor of an equation: Parameters and Returns. The docstring of its module declares the symbols.
NOT_ASKED_OF_AN_EQUATION = NOT_ASKED | {"PR01", "RT01"}
EQUATIONS = [f"handgrad.equations.{equation.function.__name__}" for equation in hg.EQUATIONS.values()]


def public_names():
    """Return the import path of every public function, class, method and property."""
    paths = [*EQUATIONS, "handgrad.equations.exchanged"]
    paths += [f"handgrad.literal.{name}" for name in ("gradient", "trace", "chain")]
    paths += [f"handgrad.homework.figures.{name}" for name in figures.__all__ if inspect.isfunction(getattr(figures, name))]
    paths += [f"handgrad.homework.worked.Worked.{name}" for name in ("text", "markdown", "latex", "html", "picture", "save")]
    paths += ["handgrad.homework.worked.Worked", "handgrad.homework.advice.Advice", "handgrad.homework.advice.Remark"]
    paths += [f"handgrad.homework.examples.{name}" for name in examples.__all__ if callable(getattr(examples, name))]
    paths += [f"handgrad.homework.examples.Example.{name}" for name in ("network", "data", "checked", "file")]
    paths += ["handgrad.homework.exercises.exercise.Exercise", "handgrad.homework.exercises.sheet.Sheet"]
    paths += [f"handgrad.homework.exercises.exercise.Exercise.{name}" for name in ("sheet", "key", "blanks", "worked", "shown")]
    paths += [f"handgrad.homework.exercises.sheet.Sheet.{name}" for name in ("text", "markdown", "latex", "html", "save")]
    paths += [f"handgrad.homework.exercises.class_set.{name}" for name in ("different", "write")]
    paths += ["handgrad.homework.grading.grade.Grade", "handgrad.homework.grading.verdicts.Verdict"]
    paths += [
        f"handgrad.homework.grading.grade.Grade.{name}" for name in ("points", "of", "ok", "first_slip", "to_dict", "summary")
    ]
    paths += [f"handgrad.homework.grading.folder.{name}" for name in ("files_of", "lines_of", "table", "as_csv")]
    paths += [
        f"handgrad.homework.{name}"
        for name in ("dataset.read", "dataset.targets", "saving.save", "saving.load", "training.train")
    ]
    for name in hg.__all__:
        value = getattr(hg, name)
        if callable(value):
            paths.append(f"handgrad.{name}")
        if inspect.isclass(value):
            members = [member for member, what in vars(value).items() if inspect.isroutine(what) or isinstance(what, property)]
            paths += [f"handgrad.{name}.{member}" for member in members if not member.startswith("_")]
    return paths


def table_of_symbols():
    """Return the rows of the table in the docstring of the equations' module: symbols, meaning, shape and unit."""
    _, heads, rows, _ = re.split(r"^=[= ]+\n", equations.__doc__, flags=re.MULTILINE)
    assert re.split(" {2,}", heads.strip()) == ["symbol", "meaning", "shape, unit"]
    return [re.split(" {2,}", row) for row in rows.splitlines()]


def declared():
    """Return the symbols of the table, as often as it declares them."""
    return [symbol for row in table_of_symbols() for symbol in re.findall(r"`(\w+)`", row[0])]


@pytest.mark.parametrize("path", public_names())
def test_docstring_is_valid(path):
    not_asked = NOT_ASKED_OF_AN_EQUATION if path in EQUATIONS else NOT_ASKED
    assert [error for error in validate(path)["errors"] if error[0] not in not_asked] == []


def test_public_names_are_all_there():
    assert {"handgrad.Network.gradient", "handgrad.Network.random", "handgrad.Gradient.vector", "handgrad.fit"} <= set(
        public_names()
    )
    assert {"handgrad.Equation", "handgrad.equations.exchanged"} <= set(public_names()) - set(EQUATIONS)


@pytest.mark.parametrize("equation", hg.EQUATIONS.values(), ids=lambda equation: equation.function.__name__)
def test_parameters_of_an_equation_are_declared(equation):
    assert set(inspect.signature(equation.function).parameters) <= set(declared())


def test_each_symbol_is_declared_once_with_meaning_and_shape():
    assert [row for row in table_of_symbols() if len(row) != 3] == []
    assert len(declared()) == len(set(declared()))
    taken = {name for equation in hg.EQUATIONS.values() for name in inspect.signature(equation.function).parameters}
    assert set(declared()) == taken | {"L_i"}


def test_sections_of_the_docstring_equal_those_of_the_table():
    ranges = re.findall(r"(\S+) for \((\d+)\)–\((\d+)\)", equations.__doc__)
    said = {number: section for section, first, last in ranges for number in range(int(first), int(last) + 1)}
    assert said == {number: equation.section for number, equation in hg.EQUATIONS.items()}


@pytest.mark.parametrize("equation", hg.EQUATIONS.values(), ids=lambda equation: equation.function.__name__)
def test_equation_has_an_example(equation):
    examples = doctest.DocTestParser().get_examples(equation.function.__doc__)
    assert any(f"{equation.function.__name__}(" in example.source and example.want for example in examples)


def test_equations_are_read_in_one_sitting():
    assert len(Path(equations.__file__).read_text(encoding="utf-8").splitlines()) <= 240

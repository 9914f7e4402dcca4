"""numpydoc's rules for every public name of handgrad."""

import inspect

import pytest
from numpydoc.validate import validate

import handgrad as hg

# Not asked for here: See Also, an extended summary, an example for each, and a capital letter or a full stop for what may
# begin with a symbol.
NOT_ASKED = {"SA01", "ES01", "EX01", "PR08", "PR09", "RT04", "RT05"}


def public_names():
    """Return the import path of every public function, class, method and property."""
    paths = [f"handgrad.equations.{equation.function.__name__}" for equation in hg.EQUATIONS.values()]
    paths += ["handgrad.equations.exchanged", *(f"handgrad.literal.{name}" for name in ("gradient", "trace", "chain"))]
    for name in hg.__all__:
        value = getattr(hg, name)
        if callable(value):
            paths.append(f"handgrad.{name}")
        if inspect.isclass(value):
            members = [member for member, what in vars(value).items() if inspect.isroutine(what) or isinstance(what, property)]
            paths += [f"handgrad.{name}.{member}" for member in members if not member.startswith("_")]
    return paths


@pytest.mark.parametrize("path", public_names())
def test_docstring_is_valid(path):
    found = validate(path)
    assert [error for error in found["errors"] if error[0] not in NOT_ASKED] == []


def test_public_names_are_all_there():
    assert {"handgrad.Network.gradient", "handgrad.Network.random", "handgrad.Gradient.vector", "handgrad.fit"} <= set(
        public_names()
    )

"""What a notebook shows of a network, a gradient and a trace: a table with every array, under the notes' names."""

from html.parser import HTMLParser

import numpy as np
import pytest

import handgrad as hg
from handgrad.tables import table

NET = hg.Network(
    [
        hg.Dense([[1.0, -0.5], [0.5, 1.0]], [0.0, -1.0], hg.Activation("prelu", alpha=0.25)),
        hg.Dense([[1.0, -2.0]], [0.5]),
    ]
)
X, Y = [1.0, 2.0], [0.0]


class Cells(HTMLParser):
    """The rows of a table, each a list of what its cells say."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.caption, self.inside = [], "", None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.inside = tag

    def handle_data(self, data):
        if self.inside == "caption":
            self.caption += data
        elif self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


@pytest.mark.parametrize(
    ("shown", "caption", "names"),
    [
        (NET, repr(NET), ["w(1)", "b(1)", "α(1)", "w(2)", "b(2)"]),
        (NET.gradient(X, Y), "Gradient vector ∇L; L = ", [f"dL/d{name}" for name in ("w(1)", "b(1)", "α(1)", "w(2)", "b(2)")]),
        (
            NET.trace(X, Y),
            "Trace; L = ",
            [f"{name}({layer})" for layer in (1, 2) for name in ("z", "a", "dL/da", "da/dz", "dL/dz")],
        ),
    ],
    ids=["network", "gradient", "trace"],
)
def test_table_is_of_every_array_by_the_notes_names(shown, caption, names):
    found = Cells(shown._repr_html_())
    assert found.caption.startswith(caption)
    assert found.rows[0] == ["", "shape", "numbers"]
    assert [row[0] for row in found.rows[1:]] == names
    arrays = list(shown.named().values())
    assert [row[1] for row in found.rows[1:]] == [" × ".join(map(str, array.shape)) or "1" for array in arrays]
    for row, array in zip(found.rows[1:], arrays, strict=True):
        assert np.array(row[2].replace("[", " ").replace("]", " ").split(), float) == pytest.approx(array.ravel(), abs=1e-6)


def test_table_of_a_large_array_is_short():
    assert len(table("", {"w1": np.zeros((1000, 1000))})) < 1000


def test_table_is_escaped():
    assert "<b>" not in table("<b>", {})


def test_parameters_shown_is_no_loan():
    net = hg.Network.random([2, 2], activations=["tanh"], seed=0)
    net._repr_html_()
    assert not net.layers[0]._weights.is_lent

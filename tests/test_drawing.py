"""The network drawn in SVG: short numbers, labels that do not stand on each other, and those of the chosen unit first."""

import re

import numpy as np
import pytest

import handgrad as hg
from handgrad.homework import drawing
from handgrad.homework.worked import worked

WIDE = hg.Network.random([8, 8, 2], activations=["tanh", "identity"], seed=2)
SOLUTION = worked(WIDE, np.ones(8), np.zeros(2), layer=1, unit=7).solution


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25"),
        (0.123456, "0.1235"),
        (-0.0001431, "−0.00014"),
        (0.0008771, "0.000877"),
        (-2.9e-142, "−3·10⁻¹⁴²"),
        (1.2345e-5, "1.2·10⁻⁵"),
    ],
)
def test_number_in_a_circle_is_short(value, text):
    assert drawing.number(value, SOLUTION) == text


def labels(svg, kind):
    """Return where each label of a kind stands, by its layer and units."""
    found = re.findall(rf'data-slot="{kind}-(\d+)-(\d+)-(\d+)"[^>]*><text class="slot " x="([\d.]+)" y="([\d.]+)"', svg)
    return {tuple(map(int, (layer, j, k))): (float(x), float(y)) for layer, j, k, x, y in found}


def test_labels_of_edges_is_apart():
    svg = drawing.picture(SOLUTION)
    for layer in (1, 2):
        places = [place for key, place in labels(svg, "w").items() if key[0] == layer]
        assert len(places) > 4
        for number, (x, y) in enumerate(places):
            assert all(abs(x - x2) >= 100 or abs(y - y2) >= 30 for x2, y2 in places[:number])


def test_labels_of_the_chosen_unit_is_first():
    svg = drawing.picture(SOLUTION)
    assert {key for key in labels(svg, "w") if key[:2] == (1, 7)} == {(1, 7, k) for k in range(1, 9)}
    assert set(labels(svg, "dL_dw")) == {(1, 7, k) for k in range(1, 9)}


def test_units_of_a_layer_that_is_too_high_is_the_first_and_the_last():
    net = hg.Network.random([9, 8, 1], activations=["tanh", "identity"], seed=2)
    svg = drawing.picture(worked(net, np.ones(9), np.zeros(1), layer=2).solution)
    units = re.findall(r'data-part="unit-(\d+)-(\d+)"', svg)
    assert [int(j) for layer, j in units if layer == "0"] == [1, 2, 3, 4, 5, 6, 9]
    assert [int(j) for layer, j in units if layer == "1"] == list(range(1, 9))
    assert svg.count("⋮") == 1

"""The figures: their numbers against formulas of the tests' own, their words, and that they can be read without colour."""

import math
import re
import subprocess
import sys
from decimal import Decimal, localcontext
from io import BytesIO
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import handgrad as hg
from handgrad.homework import figures
from handgrad.homework.figures import FIGURES, TRAINING
from handgrad.homework.figures.style import COLOURS, DASHES, MARKERS, stroke
from handgrad.homework.words import words as table_of

HOUSE = Path(hg.__file__).parents[1]
LANGUAGES = ("en", "es")
XOR = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
ONE_OF_TWO = np.array([[0.0], [1.0], [1.0], [0.0]])
TRAIN = {"rate": 0.1, "epochs": 3}
# How many axes a figure without data has.
PANELS = dict.fromkeys(FIGURES, 2) | {"cross_entropy": 1}


def relu_net(seed=0, widths=(2, 4, 3, 1)):
    hidden = ["relu"] * (len(widths) - 2)
    return hg.Network.random(list(widths), activations=[*hidden, "identity"], seed=seed)


def classifier(classes=3, seed=0):
    return hg.Network.random([2, 5, classes], activations=["tanh", "softmax"], loss="cross_entropy", seed=seed)


def panels_of(value):
    return list(np.ravel(np.asarray(value, object)))


def drawn(name, language="en"):
    """Return the axes of a figure by its name on the command line."""
    if name in FIGURES:
        return panels_of(FIGURES[name](language=language))
    return panels_of(TRAINING[name](relu_net(), XOR, ONE_OF_TWO, language=language, **TRAIN))


def numbers(line):
    """Return a line's points without the gap at a jump."""
    points = np.array(line.get_data(), float)
    return points[:, np.isfinite(points).all(axis=0)]


def lightness(colour):
    """Return the relative luminance of a colour, 0 of black and 1 of white (WCAG 2, 1.4.3)."""
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]


def contrast(one, other):
    low, high = sorted((lightness(one), lightness(other)))
    return (high + 0.05) / (low + 0.05)


def logistic(z):
    return 1 / (1 + math.exp(-z))


# name → g, g′ of one number, by Python's own functions.
BY_HAND = {
    "identity": (lambda z: z, lambda z: 1.0),
    "sigmoid": (logistic, lambda z: math.exp(-z) / (1 + math.exp(-z)) ** 2),
    "tanh": (math.tanh, lambda z: 1 / math.cosh(z) ** 2),
    "relu": (lambda z: max(0.0, z), lambda z: 1.0 if z > 0 else 0.0),
    "leaky_relu": (lambda z: z if z > 0 else 0.01 * z, lambda z: 1.0 if z > 0 else 0.01),
    "prelu": (lambda z: z if z > 0 else 0.25 * z, lambda z: 1.0 if z > 0 else 0.25),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_lines_of_an_activation_matches_formulas_of_one_number(name):
    for axes, by_hand in zip(figures.activation(name), BY_HAND[name], strict=True):
        (line,) = axes.lines
        z, values = numbers(line)
        assert z.min() <= -5
        assert z.max() >= 5
        assert 0 in z
        np.testing.assert_allclose(values, [by_hand(each) for each in z], rtol=1e-12)


@settings(max_examples=15)
@given(slope=st.floats(-2, 2))
def test_lines_of_a_leaky_relu_matches_its_slope(slope):
    g, derivative = figures.activation(hg.Activation("leaky_relu", slope=slope))
    z, values = numbers(g.lines[0])
    np.testing.assert_array_equal(values[z < 0], slope * z[z < 0])
    z, values = numbers(derivative.lines[0])
    assert set(values[z <= 0]) == {slope}
    low, high = derivative.get_ylim()
    assert low < slope < high


def test_lines_of_a_prelu_is_one_for_each_slope():
    g, derivative = figures.activation(hg.Activation("prelu", alpha=(0.5, 0.125)))
    for axes in (g, derivative):
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["α = 0.5", "α = 0.125"]
    for axes, factor in ((g, -6.0), (derivative, 1.0)):
        assert [numbers(line)[1][0] for line in axes.lines] == [0.5 * factor, 0.125 * factor]


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "prelu"])
def test_derivative_at_a_kink_is_a_jump_and_the_filled_dot(name):
    axes = figures.activation(name)[1]
    assert np.isnan(axes.lines[0].get_ydata()).sum() == 1
    filled, hollow = axes.collections
    assert filled.get_offsets().tolist() == [[0.0, BY_HAND[name][1](0.0)]]
    assert hollow.get_offsets().tolist() == [[0.0, 1.0]]
    assert to_rgb(hollow.get_facecolor()[0]) == (1, 1, 1)
    assert to_rgb(filled.get_facecolor()[0]) != (1, 1, 1)


def test_lines_of_softmax_matches_exponentials_and_differences():
    probabilities, row = figures.activation("softmax")
    _, second, third = [], *(line.get_ydata() for line in probabilities.lines[1:])
    # The logits that stay where they are follow from the probabilities where the first is 0.
    z = probabilities.lines[0].get_xdata()
    where = list(z).index(0)
    others = [math.log(line[where] / probabilities.lines[0].get_ydata()[where]) for line in (second, third)]
    np.testing.assert_allclose(others, [0, 2], atol=1e-12)

    def p(first, j):
        powers = [math.exp(first), math.exp(0), math.exp(2)]
        return powers[j] / sum(powers)

    for j in range(3):
        np.testing.assert_allclose(probabilities.lines[j].get_ydata(), [p(each, j) for each in z], rtol=1e-12)
        differences = [(p(each + 1e-4, j) - p(each - 1e-4, j)) / 2e-4 for each in z]
        np.testing.assert_allclose(row.lines[j].get_ydata(), differences, atol=1e-8)


def test_cross_entropy_is_minus_the_logarithm_and_decreases():
    p, loss = figures.cross_entropy().lines[0].get_data()
    assert p[0] < 0.01
    assert p[-1] == 1
    np.testing.assert_allclose(loss, [-math.log(each) for each in p], rtol=1e-14)
    assert all(np.diff(loss) < 0)


def test_squared_error_is_a_square_and_its_derivative_a_line():
    loss, derivative = figures.squared_error()
    error, values = loss.lines[0].get_data()
    assert values.tolist() == [each * each for each in error]
    error, slopes = derivative.lines[0].get_data()
    differences = [((each + 0.5) ** 2 - (each - 0.5) ** 2) for each in error]
    assert slopes.tolist() == differences


def exact(z):
    """Return g′ of the sigmoid with fifty digits."""
    with localcontext() as context:
        context.prec = 50
        e = (-Decimal(z)).exp()
        return e / (1 + e) ** 2


def test_stable_form_matches_fifty_digits_where_the_printed_is_0():
    derivative, _ = figures.saturation()
    stable, printed = derivative.lines
    z, values = numbers(stable)
    assert z.max() == 700
    for each, value in zip(z, values, strict=True):
        assert abs(Decimal(float(value)) / exact(float(each)) - 1) < Decimal("1e-14")
    assert numbers(printed)[0].max() < 37
    zeros = derivative.collections[1].get_offsets()
    assert set(zeros[:, 0]) == set(z) - set(numbers(printed)[0])
    assert set(zeros[:, 1]) == {derivative.get_ylim()[0]}
    assert to_rgb(derivative.collections[1].get_facecolor()[0]) == (1, 1, 1)


def test_norms_of_a_saturated_network_matches_fifty_digits():
    norms = figures.saturation()[1]
    stable, printed = norms.lines
    layer, values = numbers(stable)
    assert layer.tolist() == list(range(1, 13))
    # a of every layer before the last is 1 but for e^−60; the last has z = 0, a = 1/2, and g′ = 1/4.
    for number, value in zip(layer.astype(int), values, strict=True):
        expected = Decimal("0.25") * exact(60) ** (12 - int(number))
        assert abs(Decimal(float(value)) / expected - 1) < Decimal("1e-12")
    assert values[0] < 1e-280
    assert numbers(printed).tolist() == [[12.0], [0.25]]
    assert norms.collections[1].get_offsets()[:, 0].tolist() == list(range(1, 12))


def backpropagated(net, x, y):
    """Return the norm of dL/dw of each layer by differences of the loss, which share nothing with backpropagation."""
    norms = []
    for layer in net.layers:
        w, squares = layer.w.copy(), 0.0
        for place in np.ndindex(*w.shape):
            losses = []
            for step in (1e-5, -1e-5):
                moved = w.copy()
                moved[place] += step
                layer.w = moved
                losses.append(net.loss(x, y))
            squares += ((losses[0] - losses[1]) / 2e-5) ** 2
        layer.w = w
        norms.append(math.sqrt(squares))
    return norms


def test_gradient_norms_matches_differences(monkeypatch):
    seen = []
    gradient = hg.Network.gradient
    monkeypatch.setattr(hg.Network, "gradient", lambda net, x, y: (seen.append((net, x, y)), gradient(net, x, y))[1])
    by_layer, by_depth = figures.gradient_norms(["tanh", "sigmoid"], [1, 3], width=2)
    expected = [backpropagated(*each) for each in seen]  # tanh of 1 and 3 layers, sigmoid of 1 and 3
    assert [len(net.layers) for net, _, _ in seen] == [1, 3, 1, 3]
    for place, line in enumerate(by_layer.lines):
        np.testing.assert_allclose(line.get_ydata(), expected[2 * place + 1], rtol=1e-6)
    for place, line in enumerate(by_depth.lines):
        np.testing.assert_allclose(line.get_ydata(), [expected[2 * place][0], expected[2 * place + 1][0]], rtol=1e-6)


def test_gradient_of_sigmoids_vanishes_and_that_of_relu_does_not():
    by_layer, by_depth = figures.gradient_norms()
    sigmoid, tanh, relu = (line.get_ydata() for line in by_layer.lines)
    assert sigmoid[0] < 1e-9 * sigmoid[-1]
    assert min(tanh[0] / tanh[-1], relu[0] / relu[-1]) > 1e-3
    first, last = by_depth.lines[0].get_ydata()[[0, -1]]
    assert last < 1e-9 * first


def test_gradient_norms_of_one_seed_equals():
    one, same, other = (figures.gradient_norms(["relu"], [4], seed=seed)[0].lines[0].get_ydata() for seed in (1, 1, 2))
    assert one.tolist() == same.tolist() != other.tolist()


def test_norm_of_0_is_a_hollow_mark_on_the_edge_and_in_the_caption():
    # Of one unit a layer, some ReLU is dead for all examples.
    axes, _ = figures.gradient_norms(["relu"], [40], width=1, seed=0)
    assert numbers(axes.lines[0]).size < 80
    assert len(axes.collections[0].get_offsets()) + numbers(axes.lines[0]).shape[1] == 40
    assert "exactly 0" in figures.caption(axes)
    assert "exactly 0" not in figures.caption(figures.gradient_norms()[0])


def test_losses_equals_the_history():
    values = [4.0, 1.0, 0.5]
    axes = figures.losses(hg.History(values))
    assert axes.lines[0].get_xdata().tolist() == [1, 2, 3]
    assert axes.lines[0].get_ydata().tolist() == values
    assert axes.get_yscale() == "linear"
    assert figures.losses(hg.History([100.0, 1.0])).get_yscale() == "log"
    assert figures.losses(hg.History([1.0, 0.0])).get_yscale() == "linear"


@pytest.mark.parametrize(("loss", "unit"), [("squared_error", "squared units of y"), ("cross_entropy", "nats")])
def test_unit_of_a_loss_is_the_networks(loss, unit):
    assert figures.losses(hg.History([1.0]), loss=loss).get_ylabel() == f"loss L ({unit})"


def test_losses_of_a_test_is_a_second_line():
    axes = figures.losses(hg.History([4.0, 1.0]), test=hg.History([5.0, 0.01]))
    assert [line.get_ydata().tolist() for line in axes.lines] == [[4, 1], [5, 0.01]]
    assert axes.get_yscale() == "log"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["examples trained on", "examples of the test"]
    # Told apart without colour, too.
    assert axes.lines[0].get_linestyle() != axes.lines[1].get_linestyle()
    assert figures.losses(hg.History([4.0, 1.0])).get_legend() is None


def test_losses_of_a_training_equals_fit():
    net = classifier()
    y = np.array([0, 1, 2, 0])
    training = {"rate": 0.5, "epochs": 4, "batch_size": 2, "seed": 3}
    axes = TRAINING["losses"](net, XOR, y, **training)
    assert axes.lines[0].get_ydata().tolist() == hg.fit(classifier(), XOR, y, **training).losses
    assert axes.get_ylabel() == "loss L (nats)"


def dead_by_hand(net, x):
    """Return the share of dead units of each relu layer, unit by unit."""
    shares, a = [], [list(map(float, row)) for row in x]
    for layer in net.layers:
        z = [
            [sum(w * b for w, b in zip(row, each, strict=True)) + bias for row, bias in zip(layer.w, layer.b, strict=True)]
            for each in a
        ]
        if layer.activation.name == "relu":
            dead = [all(example[unit] <= 0 for example in z) for unit in range(len(layer.b))]
            shares.append(100 * sum(dead) / len(dead))
            a = [[max(0.0, value) for value in example] for example in z]
        else:
            a = z
    return shares


def test_dead_units_matches_counting_them_after_each_epoch():
    x = np.random.default_rng(4).normal(size=(6, 2))
    y = np.random.default_rng(5).normal(size=(6, 1))
    training = {"rate": 0.6, "epochs": 8, "batch_size": 4, "seed": 2}
    net = relu_net(7, (2, 9, 7, 1))
    by_hand = [dead_by_hand(net, x)]
    axes = figures.dead_units(net, x, y, **training)
    twin = relu_net(7, (2, 9, 7, 1))
    hg.fit(twin, x, y, callback=lambda epoch, loss: by_hand.append(dead_by_hand(twin, x)), **training)
    assert [line.get_xdata().tolist() for line in axes.lines] == [list(range(9))] * 2
    np.testing.assert_allclose([line.get_ydata() for line in axes.lines], np.array(by_hand).T)
    assert len({tuple(shares) for shares in by_hand}) > 1  # some die


def test_dead_units_is_of_relu_alone():
    net = hg.Network.random([2, 3, 3, 1], activations=["leaky_relu", "relu", "identity"], seed=0)
    axes = figures.dead_units(net, XOR, ONE_OF_TWO, language="es", **TRAIN)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["capa 2 (3 neuronas)"]


def plane():
    """Return a network whose output is x_1 − x_2."""
    return hg.Network([hg.Dense([[1.0, -1.0]], [0.0])])


def shown_class(axes, x_1, x_2):
    """Return the class whose shade the picture has at a point."""
    canvas = FigureCanvasAgg(axes.figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())
    column, row = axes.transData.transform((x_1, x_2))
    shade = pixels[len(pixels) - 1 - int(row), int(column), :3] / 255
    return int(np.argmin([np.abs(np.array(colour[:3]) - shade).sum() for colour in axes.images[0].cmap.colors]))


@pytest.mark.parametrize(("targets", "halfway"), [((-1.0, 1.0), 0.0), ((0.0, 1.0), 0.5)])
def test_boundary_of_one_output_is_halfway_between_the_targets(targets, halfway):
    axes = figures.boundary(plane(), [[0.0, 1.0], [1.0, 0.0]], [[targets[0]], [targets[1]]])
    assert shown_class(axes, halfway + 0.1, 0.0) == 1
    assert shown_class(axes, halfway - 0.1, 0.0) == 0
    assert shown_class(axes, 0.8, 0.5 - halfway) == 1
    assert shown_class(axes, 0.2, 0.8) == 0
    (line,) = (each for each in axes.collections if type(each).__name__.endswith("ContourSet"))
    vertices = line.get_paths()[0].vertices
    np.testing.assert_allclose(vertices[:, 0] - vertices[:, 1], halfway, atol=1e-9)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), classes=st.integers(2, 5))
def test_shades_of_several_classes_equals_the_largest_output(seed, classes):
    net = classifier(classes, seed)
    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=(6, 2)), generator.integers(classes, size=6)
    axes = figures.boundary(net, x, y)
    shades = axes.images[0].get_array()
    for row, column in generator.integers(shades.shape[0], size=(10, 2)):
        left, right, bottom, top = axes.images[0].get_extent()
        point = left + (right - left) * column / 200, bottom + (top - bottom) * row / 200
        assert int(shades[row, column]) == int(np.argmax(net(point)))


def test_marks_of_the_boundary_is_each_example_with_its_class():
    x, y = np.random.default_rng(0).normal(size=(7, 2)), np.array([0, 1, 2, 2, 1, 0, 0])
    axes = figures.boundary(classifier(), x, y)
    marks = [each for each in axes.collections if "example" in str(each.get_label())]
    assert [each.get_offsets().tolist() for each in marks] == [x[y == number].tolist() for number in range(3)]
    shapes = [mark.get_paths()[0].vertices.tolist() for mark in marks]
    assert all(one != other for one, other in combinations(shapes, 2))
    for one, other in pairwise(marks):  # a filled one beside a hollow one
        assert contrast(one.get_facecolor()[0], other.get_facecolor()[0]) > 10
    for mark in marks:
        assert contrast(mark.get_facecolor()[0], mark.get_edgecolor()[0]) > 10


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_shades_of_the_classes_are_lighter_one_by_one(classes):
    axes = figures.boundary(classifier(classes), XOR, np.array([0, 1, 1, 0]))
    colours = axes.images[0].cmap.colors
    light = [lightness(colour) for colour in colours]
    assert len(light) == classes
    assert min(np.diff(light)) > 0.05


def test_names_of_the_boundary_is_as_given():
    axes = figures.boundary(classifier(), XOR, np.array([0, 1, 2, 0]), classes=["a", "b\nc", "d"], inputs=("width", "height"))
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == [f"{word} {name}" for word in ("predicted:", "example of") for name in ("a", "b c", "d")]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("width", "height")


def test_boundary_is_drawn_where_no_other_class_is_predicted():
    always = hg.Network([hg.Dense([[0.0, 0.0]], [5.0], "sigmoid")], "binary_cross_entropy")
    axes = figures.boundary(always, [[1.0, 1.0], [1.0, 1.0]], [[0.0], [1.0]])
    assert (axes.images[0].get_array() == 1).all()


def test_weights_equals_the_parameters_on_one_scale():
    before, after = relu_net(1), relu_net(2)
    after.layers[1].w = 3 * after.layers[1].w
    axes = figures.weights(before, after)
    assert axes.shape == (3, 2)
    largest = max(np.abs(array).max() for net in (before, after) for array in net.named().values())
    for column, net in enumerate((before, after)):
        for row, layer in enumerate(net.layers):
            (image,) = axes[row, column].images
            assert image.get_array()[:, :-1].tolist() == layer.w.tolist()
            assert image.get_array()[:, -1].tolist() == layer.b.tolist()
            assert image.get_clim() == (-largest, largest)
            written = [text.get_text() for text in axes[row, column].texts if text.get_label() != "_caption"]
            values = [value for w, b in zip(layer.w, layer.b, strict=True) for value in (*w, b)]
            assert len(written) == len(values)
            for text, value in zip(written, values, strict=True):
                assert abs(float(text.replace("−", "-")) - value) <= 0.005 + 1e-12


def test_number_in_a_cell_is_without_a_sign_if_it_rounds_to_0():
    net = hg.Network([hg.Dense([[-0.001, -0.5]], [0.25])])
    written = [text.get_text() for text in figures.weights(net, net)[0, 0].texts if text.get_label() != "_caption"]
    assert written == ["0.00", "−0.50", "0.25"]


def test_scale_of_the_weights_is_lighter_from_end_to_end_and_the_numbers_stand_out():
    axes = figures.weights(relu_net(1), relu_net(2))
    image = axes[0, 0].images[0]
    assert all(np.diff([lightness(image.cmap(shade)) for shade in np.linspace(0, 1, 33)]) > 0)
    for panel in axes.ravel():
        for text in panel.texts:
            if text.get_label() != "_caption":
                k, j = text.get_position()
                shade = panel.images[0].cmap(panel.images[0].norm(panel.images[0].get_array()[j - 1, k - 1]))
                assert contrast(text.get_color(), shade) > 4


def test_weights_of_many_cells_is_without_numbers():
    net = relu_net(1, (2, 30, 1))
    axes = figures.weights(net, net)
    assert all(text.get_label() == "_caption" for panel in axes[1] for text in panel.texts)
    assert [label.get_text() for label in axes[1, 0].get_xticklabels()][-1] == "b"


@pytest.mark.parametrize("name", TRAINING)
def test_figure_of_a_training_changes_no_input(name):
    net, x, y = relu_net(), XOR.copy(), ONE_OF_TWO.copy()
    TRAINING[name](net, x, y, **TRAIN)
    # Nor does it keep w, which would slow the caller's later gradients.
    assert not any(layer._weights.is_lent for layer in net.layers)
    assert all(
        np.array_equal(mine, other) for mine, other in zip(net.named().values(), relu_net().named().values(), strict=True)
    )
    assert np.array_equal(x, XOR)
    assert np.array_equal(y, ONE_OF_TWO)


def test_figure_of_a_training_that_is_not_there_raises_what_is():
    with pytest.raises(ValueError, match=re.escape("figure must be one of losses, boundary, weights; got 'loss'")):
        figures.trained("loss", relu_net(), XOR, ONE_OF_TWO, **TRAIN)


def test_weights_and_boundary_of_a_training_equals_those_after_fit():
    trained = relu_net()
    hg.fit(trained, XOR, ONE_OF_TWO, **TRAIN)
    after = TRAINING["weights"](relu_net(), XOR, ONE_OF_TWO, **TRAIN)[:, 1]
    for panel, layer in zip(after, trained.layers, strict=True):
        assert panel.images[0].get_array()[:, :-1].tolist() == layer.w.tolist()
    shades = [
        axes.images[0].get_array()
        for axes in (TRAINING["boundary"](relu_net(), XOR, ONE_OF_TWO, **TRAIN), figures.boundary(trained, XOR, ONE_OF_TWO))
    ]
    assert np.array_equal(*shades)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*FIGURES, *TRAINING])
def test_axes_has_title_labels_and_a_caption_that_names_the_section(name, language):
    panels = drawn(name, language)
    words = set(table_of(language)["figures"].values())
    for axes in panels:
        assert axes.get_title()
        assert axes.get_xlabel()
        assert axes.get_ylabel()
        assert axes.get_xlabel() in words or name == "weights"
        if len(axes.lines) > 1 and name not in ("weights", "boundary"):
            assert len(axes.get_legend().get_texts()) == len(axes.lines)
    captions = [figures.caption(axes) for axes in panels]
    if name == "weights":
        assert not any(captions[:-2])
        captions = captions[-2:]
    section = {"en": "Section ", "es": "Sección "}[language]
    assert all(each.startswith((f"{section}II", f"{section}IV")) for each in captions)


@pytest.mark.parametrize(
    ("name", "captions"),
    [
        ("sigmoid", ["Section II.", "Section II, (5), (12)."]),
        ("relu", ["Section II.", "Section II."]),
        ("cross_entropy", ["Section III, (1)."]),
        ("squared_error", ["Section IV.D–G, (10).", "Section IV.B, (4)."]),
        ("losses", ["Section IV.C."]),
        ("dead_units", ["Section II."]),
        ("boundary", ["Section IV.D–G."]),
        ("gradient_norms", ["Section II.", "Section II."]),
        ("saturation", ["Section II, (5).", "Section IV.B, (3), (5)."]),
    ],
)
def test_caption_is_of_its_section(name, captions):
    for axes, start in zip(drawn(name), captions, strict=True):
        assert figures.caption(axes).startswith(start)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*FIGURES, *TRAINING])
def test_picture_has_no_small_text_and_none_is_cut(name, language):
    panels = drawn(name, language)
    figure = panels[0].figure
    figure.savefig(BytesIO(), format="png")
    whole = figure.bbox
    for axes in panels:
        legend = axes.get_legend()
        texts = [axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts, *axes.get_xticklabels(), *axes.get_yticklabels()]
        texts += legend.get_texts() if legend else []
        for text in texts:
            assert text.get_fontsize() >= 8
            assert "$" not in text.get_text()  # mathematics would be set with smaller exponents
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts):
            box = text.get_window_extent()
            assert box.x0 >= whole.x0 - 1
            assert box.x1 <= whole.x1 + 1
            assert box.y0 >= whole.y0 - 1
            assert box.y1 <= whole.y1 + 1
        below = axes.xaxis.label.get_window_extent().y0
        for text in axes.texts:
            if text.get_label() == "_caption":
                assert text.get_window_extent().y1 < below
                assert text.get_window_extent().x1 <= axes.get_window_extent().x1 + 2


@pytest.mark.parametrize("name", ["softmax", "gradient_norms", "saturation", "dead_units"])
def test_lines_of_one_axes_differ_without_colour(name):
    for axes in drawn(name):
        looks = [(line.get_linestyle(), line.get_marker()) for line in axes.lines]
        assert len(looks) > 1
        for one, other in combinations(looks, 2):
            assert one[0] != other[0]
            assert one[1] != other[1]


def test_ticks_of_epochs_and_layers_is_whole():
    for axes in (
        figures.losses(hg.History([3.0])),
        figures.losses(hg.History([3.0, 2.0])),
        *figures.gradient_norms(["relu"], [1]),
    ):
        ticks = axes.get_xticks()
        assert len(ticks) >= 1
        assert all(float(tick).is_integer() for tick in ticks)


def test_strokes_differ_in_dash_or_marker_up_to_the_29th():
    looks = [(stroke(number)["linestyle"], stroke(number)["marker"]) for number in range(len(DASHES) * len(MARKERS))]
    assert len(set(looks)) == 28


def test_colours_stand_out_against_white_and_neighbours_in_grey():
    assert all(contrast(colour, "white") >= 3 for colour in COLOURS)
    light = [lightness(colour) for colour in COLOURS]
    assert abs(light[0] - light[1]) > 0.2  # most figures have two or three lines
    assert len({round(each, 2) for each in light}) == len(light)


@pytest.mark.parametrize("name", FIGURES)
def test_axes_given_equals_axes_returned(name):
    grid = Figure(layout="constrained").subplots(2, 2).ravel()
    mine = list(grid[: PANELS[name]])
    returned = panels_of(FIGURES[name](axes=mine if PANELS[name] == 2 else mine[0]))
    assert all(one is other for one, other in zip(returned, mine, strict=True))
    assert all(not each.has_data() and not each.texts for each in grid[PANELS[name] :])


@pytest.mark.parametrize("name", TRAINING)
def test_axes_given_to_a_training_equals_axes_returned(name):
    count = 6 if name == "weights" else 1
    mine = np.ravel(Figure(layout="constrained").subplots(3, 2))[:count]
    returned = panels_of(TRAINING[name](relu_net(), XOR, ONE_OF_TWO, axes=mine if count > 1 else mine[0], **TRAIN))
    assert all(one is other for one, other in zip(returned, mine, strict=True))


def test_caption_of_axes_drawn_twice_is_the_last():
    axes = figures.cross_entropy()
    figures.cross_entropy(axes=axes, language="es")
    assert figures.caption(axes).startswith("Sección III")
    assert figures.caption(Figure().subplots()) == ""


def test_caption_is_on_one_line_with_plain_spaces():
    for name in FIGURES:
        for axes in drawn(name):
            assert not set(figures.caption(axes)) & {"\n", "\u00a0"}


def test_figures_touch_no_pyplot_and_no_setting():
    script = """
import sys
import matplotlib
before = list(dict.items(matplotlib.rcParams))  # asked as a dictionary, it would choose a backend
from handgrad.homework import figures
for draw in figures.FIGURES.values():
    draw()
import handgrad as hg
net = hg.Network.random([2, 3, 1], activations=["relu", "identity"], seed=0)
for draw in figures.TRAINING.values():
    draw(net, [[0.0, 1.0], [1.0, 0.0]], [[0.0], [1.0]], rate=0.1, epochs=1)
assert list(dict.items(matplotlib.rcParams)) == before
assert "matplotlib.pyplot" not in sys.modules
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True, cwd=HOUSE, env={"PYTHONPATH": str(HOUSE)})


def test_figures_without_matplotlib_say_what_brings_it():
    script = """
import sys
class Nowhere:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "matplotlib":
            raise ModuleNotFoundError(f"No module named {name!r}", name="matplotlib")
sys.meta_path.insert(0, Nowhere())
import handgrad.homework.figures
"""
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=HOUSE, env={"PYTHONPATH": str(HOUSE)}
    )
    assert "handgrad.homework.figures needs matplotlib" in answer.stderr


@pytest.mark.parametrize(("ending", "start"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_saved_figure_equals_itself(ending, start):
    files = [figures.saved(figures.activation("relu"), ending) for _ in range(2)]
    assert files[0].startswith(start)
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("axes", "ending", "error", "said"),
    [
        (figures.cross_entropy(), ".bmp", ValueError, "the file's ending must be one of .svg, .png, .pdf; got '.bmp'"),
        (3, ".svg", TypeError, "axes must be axes, or an array of them; got int"),
    ],
)
def test_saved_of_something_else_raises_a_sentence(axes, ending, error, said):
    with pytest.raises(error, match=re.escape(said)):
        figures.saved(axes, ending)


def train(name="losses", net=None, x=XOR, y=ONE_OF_TWO, **changes):
    return lambda: TRAINING[name](relu_net() if net is None else net, x, y, **TRAIN | changes)


NAN = float("nan")
BAD = {
    "activation": (lambda: figures.activation("sigmod"), ValueError, "got 'sigmod' (did you mean 'sigmoid'?)"),
    "activation_type": (lambda: figures.activation(3), TypeError, "activation must be one of identity, sigmoid"),
    "language": (lambda: figures.activation("tanh", language="fr"), ValueError, "language must be one of en, es; got 'fr'"),
    "language_type": (lambda: figures.cross_entropy(language=None), TypeError, "language must be one of en, es; got None"),
    "one_axes": (
        lambda: figures.activation("tanh", axes=Figure().subplots()),
        ValueError,
        "axes must be 2 matplotlib Axes, or None for a new figure; got 1",
    ),
    "three_axes": (
        lambda: figures.squared_error(axes=Figure().subplots(3)),
        ValueError,
        "axes must be 2 matplotlib Axes, or None for a new figure; got 3",
    ),
    "no_axes": (lambda: figures.cross_entropy(axes="here"), TypeError, "axes must be 1 matplotlib Axes"),
    "figure": (lambda: figures.cross_entropy(axes=Figure()), TypeError, "got Figure"),
    "caption": (lambda: figures.caption(None), TypeError, "axes must be 1 matplotlib Axes"),
    "depth": (lambda: figures.gradient_norms(depths=[2, 0]), ValueError, "depths[1] must be an integer >= 1; got 0"),
    "no_depth": (lambda: figures.gradient_norms(depths=[]), ValueError, "depths must hold at least one number of layers"),
    "depths_type": (lambda: figures.gradient_norms(depths=3), TypeError, "depths must be a list of numbers of layers; got int"),
    "activations_type": (
        lambda: figures.gradient_norms("relu"),
        TypeError,
        "activations must be a list of activations; got str",
    ),
    "no_activation": (
        lambda: figures.gradient_norms([]),
        ValueError,
        "activations must hold at least one activation; got none",
    ),
    "width": (lambda: figures.gradient_norms(width=0), ValueError, "width must be an integer >= 1; got 0"),
    "seed": (lambda: figures.gradient_norms(seed=-1), ValueError, "seed must be >= 0; got -1"),
    "history": (lambda: figures.losses([1.0]), TypeError, "history must be a History, which handgrad.fit returns; got list"),
    "empty_history": (lambda: figures.losses(hg.History()), ValueError, "history must hold at least one epoch; got none"),
    "history_of_nan": (lambda: figures.losses(hg.History([1.0, NAN])), ValueError, "history.losses[1] is nan"),
    "test": (lambda: figures.losses(hg.History([1.0]), test=[1.0]), TypeError, "test must be a History, which handgrad.fit"),
    "empty_test": (
        lambda: figures.losses(hg.History([1.0]), test=hg.History()),
        ValueError,
        "test must hold at least one epoch",
    ),
    "test_of_nan": (lambda: figures.losses(hg.History([1.0]), test=hg.History([NAN])), ValueError, "test.losses[0] is nan"),
    "loss": (lambda: figures.losses(hg.History([1.0]), loss="mse"), ValueError, "loss must be one of squared_error"),
    "net": (train(net=3), TypeError, "net must be a Network; got int"),
    "rate": (train(rate=-1), ValueError, "rate must be finite and > 0"),
    "epochs": (train(epochs=0), ValueError, "epochs must be an integer >= 1; got 0"),
    "x": (train(x=[[1.0]], y=[[1.0]]), ValueError, "x must have shape (N, n_0) = (N, 2)"),
    "one_example": (train(x=[1.0, 2.0], y=[1.0]), ValueError, "x must be a batch of shape (N, n_0)"),
    "dead_rate": (train("dead_units", rate=0), ValueError, "rate must be finite and > 0"),
    "dead_axes": (train("dead_units", axes=[]), ValueError, "axes must be 1 matplotlib Axes, or None for a new figure; got 0"),
    "dead_net": (train("dead_units", classifier(), y=[0, 1, 2, 0]), ValueError, "must have a relu layer"),
    "three_inputs": (
        lambda: figures.boundary(relu_net(0, (3, 2, 1)), [[1.0, 2.0, 3.0]], [[1.0]]),
        ValueError,
        "net must take n_0 = 2 inputs, the two axes of the plane; got n_0 = 3",
    ),
    "boundary_net": (lambda: figures.boundary(None, XOR, ONE_OF_TWO), TypeError, "net must be a Network; got NoneType"),
    "boundary_classes": (
        lambda: figures.boundary(plane(), XOR, ONE_OF_TWO, classes=["a"]),
        ValueError,
        "classes must be a sequence of 2 names; got 1",
    ),
    "boundary_inputs": (
        lambda: figures.boundary(plane(), XOR, ONE_OF_TWO, inputs="ab"),
        TypeError,
        "inputs must be a sequence of 2 names; got 'ab'",
    ),
    "boundary_example": (
        lambda: figures.boundary(plane(), [1.0, 2.0], [1.0]),
        ValueError,
        "x must be a batch of shape (N, n_0)",
    ),
    "three_targets": (
        lambda: figures.boundary(plane(), XOR[:3], [[0.0], [1.0], [2.0]]),
        ValueError,
        "y must hold 2 different numbers, one for each class, with n_L = 1 output; got 3",
    ),
    "yes_or_no_twice": (
        lambda: figures.boundary(hg.Network([hg.Dense(np.eye(2), np.zeros(2), "sigmoid")], "binary_cross_entropy"), XOR, XOR),
        ValueError,
        "net must give one class, so n_L = 1 with the loss binary_cross_entropy; got n_L = 2",
    ),
    "before": (lambda: figures.weights("w", relu_net()), TypeError, "before must be a Network; got str"),
    "after": (lambda: figures.weights(relu_net(), None), TypeError, "after must be a Network; got NoneType"),
    "widths": (
        lambda: figures.weights(relu_net(), relu_net(0, (2, 4, 4, 1))),
        ValueError,
        "after must have the same widths n_0-...-n_L = 2-4-3-1; got 2-4-4-1",
    ),
    "weights_axes": (
        lambda: figures.weights(relu_net(), relu_net(), axes=Figure().subplots(2)),
        ValueError,
        "axes must be 6 matplotlib Axes, or None for a new figure; got 2",
    ),
}


@pytest.mark.parametrize(("call", "error", "text"), BAD.values(), ids=BAD)
def test_bad_input_raises_one_kind_of_error_that_says_what_came(call, error, text):
    with pytest.raises(error) as raised:
        call()
    assert type(raised.value) is error
    assert text in str(raised.value)


def test_bad_input_draws_nothing_on_the_axes_given():
    axes = Figure().subplots(1, 2)
    with pytest.raises(ValueError, match="language"):
        figures.activation("relu", axes=axes, language="de")
    assert not any(each.has_data() or each.get_title() for each in axes)

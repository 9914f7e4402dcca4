"""Networks and data from files: what they give, and what is said of files that are broken, foreign or hostile."""

import json
import re
from datetime import date

import numpy as np
import pytest

import handgrad as hg
from handgrad.homework.described import data, network, read, row_of_numbers

LAYER = {"w": [[1, 2]], "b": [0.5]}
SAVED = hg.Network.random([2, 3], activations=["softmax"], loss="cross_entropy", seed=0)
DEEP = [1.0]
for _ in range(90):
    DEEP = [DEEP]


def test_layers_of_a_file_equals_the_network(tmp_path):
    (tmp_path / "a.toml").write_text(
        'loss = "squared_error"\nreduction = "sum"\ndtype = "float32"\nx = [[1, 2]]\ny = [[3]]\n'
        '[[layers]]\nw = [[1, 2], [0.5, -1]]\nb = [0, 1]\nactivation = "leaky_relu"\nslope = 0.2\n'
        '[[layers]]\nw = [[1, 1]]\nb = [0]\nactivation = "prelu"\nalpha = 0.25\n',
        encoding="utf-8-sig",  # as editors of Windows save it
    )
    settings = read(tmp_path / "a.toml")
    net = network(settings)
    expected = hg.Network(
        [
            hg.Dense(np.array([[1, 2], [0.5, -1]], np.float32), [0.0, 1.0], hg.Activation("leaky_relu", slope=0.2)),
            hg.Dense(np.array([[1, 1]], np.float32), [0.0], hg.Activation("prelu", alpha=0.25)),
        ],
        reduction="sum",
    )
    assert repr(net) == repr(expected)
    assert net.gradient([1.0, 2.0], [3.0]) == expected.gradient([1.0, 2.0], [3.0])
    x, y = data(settings)
    assert (x.tolist(), y.tolist()) == ([[1, 2]], [[3]])


def test_widths_of_a_file_equals_the_random_network(tmp_path):
    settings = {"widths": [2, 3], "activations": ["softmax"], "loss": "cross_entropy", "seed": 5, "x": [1, 2], "y": 1}
    (tmp_path / "a.json").write_text(json.dumps(settings), encoding="utf-8")
    found = read(tmp_path / "a.json")
    expected = hg.Network.random([2, 3], activations=["softmax"], loss="cross_entropy", seed=5)
    assert network(found).gradient([1, 2], 1) == expected.gradient([1, 2], 1)
    assert data(found)[1].dtype.kind == "i"


def test_class_of_one_example_is_a_number():
    _, y = data({"loss": "cross_entropy", "x": [0.5, 1.0], "y": [2]})
    assert (y.shape, y) == ((), 2)
    assert data({"loss": "cross_entropy", "x": [[0.5, 1.0]], "y": [2]})[1].shape == (1,)
    assert data({"loss": "cross_entropy", "x": [0.5, 1.0], "y": [1.0]})[1].shape == (1,)
    assert data({"x": [0.5, 1.0], "y": [2]})[1].shape == (1,)


def test_saved_network_of_a_file_equals_it(tmp_path):
    SAVED.save(tmp_path / "a.npz")
    settings = read(tmp_path / "a.npz")
    assert network(settings).gradient([1.0, 2.0], 1) == SAVED.gradient([1.0, 2.0], 1)
    # Its loss is known: the class of one example is a number.
    assert data(settings | {"x": [0.5, 1.0], "y": [2]})[1].shape == ()


def test_random_network_of_a_file_is_of_seed_0_unless_said():
    settings = {"widths": [2, 3], "activations": ["tanh"], "dtype": "float32"}
    expected = hg.Network.random([2, 3], activations=["tanh"], seed=0, dtype=np.float32)
    assert network(settings).gradient([1.0, 2.0], [0.0] * 3) == expected.gradient([1.0, 2.0], [0.0] * 3)


@pytest.mark.parametrize(
    ("name", "content", "error", "said"),
    [
        ("a.csv", b"", ValueError, "the file's ending must be one of .toml, .json, .npz; got '.csv'"),
        ("a.toml", b"x = [1,\n", ValueError, "a.toml is no TOML: Invalid value (at end of document)"),
        ("a.toml", b"x = 1\ny == 2", ValueError, "a.toml is no TOML: Invalid value (at line 2, column 4)"),
        ("a.toml", b"\xff\xfe", ValueError, "a.toml is no TOML: 'utf-8' codec can't decode byte 0xff"),
        ("a.json", b'{"x": [1,}', ValueError, "a.json is no JSON: Expecting value: line 1 column 10 (char 9)"),
        ("a.json", b"", ValueError, "a.json is no JSON: Expecting value: line 1 column 1 (char 0)"),
        ("a.json", b"[" * 100_000, ValueError, "a.json is no JSON: maximum recursion depth"),
        ("a.toml", b"x = " + b"[" * 100_000, ValueError, "a.toml is no TOML: maximum recursion depth"),
        ("a.toml", b"PK\x03\x04\x00", ValueError, "a.toml is no TOML: "),
        ("a.toml", b"x = 1\nx = 2", ValueError, "a.toml is no TOML: Cannot overwrite a value (at end of document)"),
        ("a.toml", b"seed = " + b"9" * 5000, ValueError, "a.toml is no TOML: Exceeds the limit"),
        ("a.json", b'{"seed": ' + b"9" * 5000 + b"}", ValueError, "a.json is no JSON: Exceeds the limit"),
        ("a.json", b"\x93NUMPY", ValueError, "a.json is no JSON: 'utf-8' codec can't decode byte 0x93"),
        ("a.json", b"{}{}", ValueError, "a.json is no JSON: Extra data: line 1 column 3 (char 2)"),
        ("a.toml", b"network = 3", ValueError, "a key of the file must be one of layers, widths,"),
        ("a.npz", b"x = 3", ValueError, "a.npz is no saved network: it is no zip archive"),
        ("a.json", b"null", TypeError, "the file must be a table of settings; got NoneType"),
        ("a.json", b"[1, 2]", TypeError, "the file must be a table of settings; got list"),
        ("a.toml", b"width = [1, 2]", ValueError, "a key of the file must be one of layers, widths,"),
    ],
)
def test_file_that_is_broken_raises_where(name, content, error, said, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=re.escape(said)):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({}, ValueError, "a network needs layers, with their numbers, or widths and activations; widths is missing"),
        ({"widths": [1, 1]}, ValueError, "activations is missing"),
        ({"layers": [LAYER], "widths": [2, 1]}, ValueError, "a network has either layers, with their numbers, or widths and"),
        ({"layers": "two"}, TypeError, "layers must be a list of tables with w, b and activation; got str"),
        ({"layers": [3]}, TypeError, "layer 1 must be a table with w, b and activation; got int"),
        ({"layers": [{"w": [[1]]}]}, ValueError, "layer 1 needs b; it has w"),
        ({"layers": [{}]}, ValueError, "layer 1 needs w; it has nothing"),
        (
            {"layers": [LAYER | {"bias": [1]}]},
            ValueError,
            "a key of layer 1 must be one of w, b, activation, slope,",
        ),
        ({"layers": [LAYER | {"w": [[1], [2, 3]]}]}, TypeError, "w1 must be an array of real numbers"),
        ({"layers": [LAYER | {"w": [["a", "b"]]}]}, TypeError, "w1 must hold real numbers"),
        ({"layers": [LAYER | {"b": [float("nan")]}]}, ValueError, "b1 must be finite; b1[0] is nan"),
        ({"layers": [LAYER | {"b": [1, 2]}]}, ValueError, "b must have shape (n,) = (1,)"),
        ({"layers": [LAYER | {"activation": "relux"}]}, ValueError, "got 'relux' (did you mean 'relu'?)"),
        ({"layers": [LAYER | {"slope": 0.1}]}, TypeError, "slope is an argument of leaky_relu alone"),
        ({"layers": [LAYER], "loss": "mse"}, ValueError, "loss must be one of"),
        ({"layers": [LAYER], "dtype": "float16"}, TypeError, "dtype must be float32 or float64; got float16"),
        ({"widths": [2, "x"], "activations": ["relu"]}, TypeError, "widths[1] must be an integer >= 1"),
        ({"widths": [2, 1], "activations": "relu"}, TypeError, "activations"),
        ({"widths": [2, 1], "activations": ["relu"], "seed": "s"}, TypeError, "seed must be an integer >= 0"),
        ({"widths": [2, 10**400], "activations": ["relu"]}, ValueError, "Maximum allowed dimension exceeded"),
        ({"layers": [LAYER | {"w": [[10**400, 1]]}]}, TypeError, "w1 must hold real numbers of at most 64 bits; got dtype"),
        ({"layers": [LAYER | {"w": DEEP}]}, TypeError, "w1 must be an array of real numbers; got list"),
        ({"layers": [LAYER | {"w": date(2026, 1, 1)}]}, TypeError, "w1 must hold real numbers of at most 64 bits; got dtype"),
        ({"layers": [LAYER | {"activation": ["relu"]}]}, TypeError, "activation must be one of"),
        ({"network": SAVED, "widths": [2, 1]}, ValueError, "a saved network is taken as it is; got widths beside it"),
        ({"network": SAVED, "loss": "a", "seed": 1}, ValueError, "a saved network is taken as it is; got seed, loss beside it"),
    ],
)
def test_settings_of_no_network_raises_a_sentence(settings, error, said):
    with pytest.raises(error, match=re.escape(said)):
        network(settings)


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"y": [1]}, ValueError, "the data needs x and y; x is missing"),
        ({"x": [1]}, ValueError, "the data needs x and y; y is missing"),
        ({"x": [1], "y": ["cat"]}, TypeError, "y must hold real numbers"),
        ({"x": [10**400], "y": [1]}, TypeError, "x must hold real numbers of at most 64 bits; got dtype object"),
        ({"x": DEEP, "y": [1]}, TypeError, "x must be an array of real numbers; got list"),
        ({"x": [True], "y": [{"a": 1}]}, TypeError, "y must hold real numbers"),
        ({"x": [[1], [1, 2]], "y": [1]}, TypeError, "x must be an array of real numbers"),
    ],
)
def test_settings_of_no_data_raises_a_sentence(settings, error, said):
    with pytest.raises(error, match=re.escape(said)):
        data(settings)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", [1]),
        ("0.5, -1", [0.5, -1]),
        ("0,1;1,0", [[0, 1], [1, 0]]),
        ("1,2;", [[1, 2]]),
        ("0;1", [[0], [1]]),
        ("1e-3", [0.001]),
    ],
)
def test_typed_numbers_equals_the_list(text, expected):
    found = row_of_numbers("x", text)
    assert found == expected
    assert json.dumps(found) == json.dumps(expected)


@pytest.mark.parametrize("text", ["", "a", "1,,2", "1;;2", "1 2"])
def test_typed_text_that_is_no_number_raises_a_sentence(text):
    with pytest.raises(
        ValueError, match=re.escape("x is typed as numbers with commas between them and ; between examples; got")
    ):
        row_of_numbers("x", text)

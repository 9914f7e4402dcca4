"""What other libraries hand over and how they call things: frames, series, tensors, and the notes' words for theirs."""

import inspect
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

import handgrad as hg
from handgrad import foreign

X = np.array([[1.0, -2.0, 0.5], [0.25, 4.0, -1.0], [2.0, 0.0, 1.0], [-1.0, 1.0, 3.0]])
Y = np.array([[1.0, 0.0], [0.5, 2.0], [-1.0, 1.0], [3.0, 0.25]])
CLASSES = np.array([0, 2, 1, 2])


def regression(dtype=np.float64):
    return hg.Network.random([3, 4, 2], activations=["tanh", "identity"], seed=0, dtype=dtype)


def one_output():
    return hg.Network.random([3, 1], activations=["identity"], seed=0)


def classifier():
    return hg.Network.random([3, 3], activations=["softmax"], loss="cross_entropy", seed=0)


# Ways to write the same numbers.
FORMS = {
    "lists": lambda array: array.tolist(),
    "tuples": lambda array: tuple(map(tuple, array.tolist())),
    "list of arrays": list,
    "frame": pd.DataFrame,
    "frame of nullable numbers": lambda array: pd.DataFrame(array).astype("Float64"),
    "frame of several dtypes": lambda array: pd.DataFrame(array).astype({0: "Float64"}),
    "tensor": torch.tensor,
    "tensor that requires its gradient": lambda array: torch.tensor(array, requires_grad=True),
    "tensor of a computation": lambda array: torch.tensor(array, requires_grad=True) * 1,
    "parameter": lambda array: torch.nn.Parameter(torch.tensor(array)),
    "float32 tensor": lambda array: torch.tensor(array, dtype=torch.float32),
    "half tensor": lambda array: torch.tensor(array, dtype=torch.half),
    "transposed tensor": lambda array: torch.tensor(array.T.copy()).T,
    "list of tensors": lambda array: list(torch.tensor(array)),
    "list of tensors that require their gradient": lambda array: list(torch.tensor(array, requires_grad=True)),
    "lists of tensors that require their gradient": lambda array: list(map(list, torch.tensor(array, requires_grad=True))),
    "numbers beside tensors that require their gradient": lambda array: [
        (row[0].item(), *torch.tensor(row[1:], requires_grad=True)) for row in array
    ],
    "tensor with its sign in a flag": lambda array: (
        torch.complex(torch.zeros(array.shape).double(), torch.tensor(-array)).conj().imag
    ),
}


@pytest.mark.parametrize("call", [hg.Network.gradient, hg.literal.gradient])
@pytest.mark.parametrize("form", FORMS)
def test_gradient_of_every_form_equals_that_of_arrays(form, call):
    net, write = regression(), FORMS[form]
    assert call(net, write(X), write(Y)) == call(net, X, Y)
    assert call(net, X, write(Y)).loss == call(net, X, Y).loss
    assert call(net, write(X)[0] if "frame" not in form else write(X).iloc[0], Y[0]) == call(net, X[0], Y[0])


@pytest.mark.parametrize("form", FORMS)
def test_everything_else_of_every_form_equals_that_of_arrays(form):
    net, write = regression(), FORMS[form]
    x, y = write(X), write(Y)
    np.testing.assert_array_equal(net(x), net(X), strict=True)
    assert net.loss(x, y) == net.loss(X, Y)
    assert net.trace(x, y).loss == net.trace(X, Y).loss
    assert str(net.advice(x, y, 0.1)) == str(net.advice(X, Y, 0.1))
    one = (x.iloc[0], y.iloc[0]) if "frame" in form else (x[0], y[0])
    assert str(net.advice(*one)) == str(net.advice(X[0], Y[0]))
    assert str(hg.worked(net, x, y, example=1)) == str(hg.worked(net, X, Y, example=1))
    one, other = regression(), regression()
    assert hg.fit(one, x, y, rate=0.1, epochs=2, batch_size=3, seed=0).losses == (
        hg.fit(other, X, Y, rate=0.1, epochs=2, batch_size=3, seed=0).losses
    )
    np.testing.assert_array_equal(hg.Activation("relu")(write(X)), hg.Activation("relu")(X))


@pytest.mark.parametrize(
    "y",
    [
        CLASSES.tolist(),
        pd.Series(CLASSES),
        pd.Series(CLASSES, dtype="Int64"),
        pd.Series(CLASSES, dtype="uint8", index=list("abcd")),
        torch.tensor(CLASSES),
        torch.tensor(CLASSES, dtype=torch.int32),
        list(torch.tensor(CLASSES)),
        pd.DataFrame(np.eye(3)[CLASSES]),
        pd.get_dummies(pd.Series(CLASSES)),
        torch.tensor(np.eye(3)[CLASSES]),
    ],
    ids=lambda y: type(y).__name__,
)
def test_classes_of_every_form_equals_those_of_arrays(y):
    net = classifier()
    assert net.loss(pd.DataFrame(X), y) == net.loss(X, CLASSES)
    assert abs(net.gradient(X, y).loss - net.gradient(X, CLASSES).loss) <= 64 * 2.0**-53 * net.loss(X, CLASSES)


def test_what_is_handed_over_is_as_it_was():
    x, y = torch.tensor(X, requires_grad=True), torch.tensor(Y, requires_grad=True)
    frame = pd.DataFrame(X)
    regression().gradient(x, y)
    regression().trace(frame, y).layers[0].a_prev[...] = 9
    hg.fit(regression(), x, y, rate=0.1, epochs=2)
    assert x.requires_grad
    assert x.grad is None
    np.testing.assert_array_equal(x.detach().numpy(), X)
    np.testing.assert_array_equal(y.detach().numpy(), Y)
    np.testing.assert_array_equal(frame.to_numpy(), X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("write", [torch.tensor, pd.DataFrame, lambda array: torch.tensor(array, requires_grad=True)])
def test_parameters_of_every_form_equal_those_of_arrays(write, dtype):
    w, b = X.astype(dtype), np.arange(4, dtype=dtype)
    given = write(w)
    layer = hg.Dense(given, pd.Series(b), hg.Activation("prelu", alpha=torch.tensor(b)))
    np.testing.assert_array_equal(layer.w, w, strict=True)
    np.testing.assert_array_equal(layer.b, b, strict=True)
    np.testing.assert_array_equal(layer.alpha, b, strict=True)
    layer.w += 1
    layer.b = torch.tensor(b + 1, requires_grad=True)
    np.testing.assert_array_equal(np.asarray(given.detach() if hasattr(given, "detach") else given), w)
    np.testing.assert_array_equal(layer.b, b + 1, strict=True)


def test_list_of_integers_is_float64():
    layer = hg.Dense([[1, 2], [3, 4]], [0, 1], hg.Activation("prelu", alpha=1))
    assert [array.dtype for array in (layer.w, layer.b, layer.alpha)] == [np.float64] * 3
    assert layer.w.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    layer.w = [[0, 1], [2, 3]]
    assert layer.w.tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert hg.Dense(np.ones((1, 2), np.float32), [1]).b.dtype == np.float32


@pytest.mark.parametrize("word", ["ReLU", "RELU", "relu", "re_lu"])
def test_activation_in_any_case_is_the_notes(word):
    assert hg.Activation(word) == hg.Activation("relu")
    assert hg.Network.random([1, 1], activations=[word]).layers[0].activation.name == "relu"


@pytest.mark.parametrize(
    ("word", "name"),
    [
        *((word, "leaky_relu") for word in ("LeakyReLU", "Leaky ReLU", "leakyrelu", "Leaky-ReLU")),
        *((word, word.lower()) for word in ("PReLU", "Tanh", "TanH", "Sigmoid", "Softmax", "Identity")),
    ],
)
def test_activation_as_torch_writes_it_is_the_notes(word, name):
    assert hg.Activation(word).name == name
    assert hg.Activation(word) == hg.Activation(name)


def raises(error, parts, call):
    with pytest.raises(error) as caught:
        call()
    assert type(caught.value) is error
    for part in [parts] if isinstance(parts, str) else parts:
        assert part in str(caught.value)


class SparseMatrix:
    """What SciPy's have."""

    nnz = 3

    def toarray(self):
        return X


MIXED = pd.DataFrame({"height": [1.0, 2.0], "name": ["a", "b"], "age": [3.0, 4.0]})
MISSING = pd.DataFrame({"a": [1.0, 2.0], "age": pd.array([3, None], "Int64"), "c": [True, False]})
DATES = pd.DataFrame({"a": [1.0, 2.0], "when": pd.to_datetime(["2025-04-10", "2025-04-11"]), "c": [1, 2]})
KINDS = pd.DataFrame({"a": [1.0, 2.0], "kind": pd.Categorical(["a", "b"]), "c": [1, 2]})
OBJECTS = pd.DataFrame({"a": [1.0, 2.0], "b": np.array([1, 2.5], object), "c": [1, 2]})


@pytest.mark.parametrize(
    ("error", "parts", "call"),
    [
        # Frames and series.
        (TypeError, "x must hold real numbers; column 'name' has dtype ", lambda: regression()(MIXED)),
        (TypeError, "x must hold real numbers; column 'when' has dtype datetime64", lambda: regression()(DATES)),
        (TypeError, "x must hold real numbers; column 'kind' has dtype category", lambda: regression()(KINDS)),
        (TypeError, "x must hold real numbers; column 'b' has dtype object", lambda: regression()(OBJECTS)),
        (
            ValueError,
            "x must have no missing numbers; column 'age' (Int64) has none in row 1",
            lambda: regression()(MISSING),
        ),
        (
            ValueError,
            "y must have no missing numbers; the series (Int64) has none in row 3",
            lambda: classifier().loss(X, pd.Series([0, 1, 2, None], dtype="Int64")),
        ),
        (TypeError, "y must hold real numbers; the series has dtype", lambda: classifier().loss(X, pd.Series(list("abca")))),
        (
            ValueError,
            "x must have no missing numbers; column 'c' (float64) has none in row 1",
            lambda: regression()(pd.DataFrame({"a": [1.0, 2], "b": [3.0, 4], "c": [5.0, np.nan]})),
        ),
        (
            ValueError,
            "y must have no missing numbers; the series (float64) has none in row 0",
            lambda: regression().loss(X[0], pd.Series([np.nan, 1.0])),
        ),
        (ValueError, "x must be finite; x[1, 0] is inf", lambda: regression()(pd.DataFrame([[1.0, 2, 3], [np.inf, 1, 2]]))),
        (TypeError, "w must hold floating-point numbers; got dtype int64", lambda: hg.Dense(pd.DataFrame([[1, 2]]), [0])),
        # Tensors, and SciPy's sparse matrices.
        (TypeError, "x must be dense; got a sparse matrix: write x.toarray()", lambda: regression()(SparseMatrix())),
        (
            TypeError,
            "x must be dense; got a sparse tensor: write x.to_dense()",
            lambda: regression()(torch.tensor(X).to_sparse()),
        ),
        (
            TypeError,
            ["x must be a tensor that NumPy can read, for example x.float(); got torch.bfloat16: "],
            lambda: regression()(torch.tensor(X, dtype=torch.bfloat16)),
        ),
        (
            TypeError,
            "x must hold real numbers of at most 64 bits; got dtype complex128",
            lambda: regression()(torch.tensor(X, dtype=torch.complex128).conj()),
        ),
        (
            TypeError,
            ["y must be a tensor that NumPy can", "got torch"],
            lambda: regression().loss(X, torch.ones(4, 2, device="meta")),
        ),
        (
            TypeError,
            "x must hold real numbers of at most 64 bits; got dtype complex64",
            lambda: regression()(torch.ones(2, 3) * 1j),
        ),
        (TypeError, "w must be float32 or float64; got float16", lambda: hg.Dense(torch.ones(1, 1).half(), [0.0])),
        (TypeError, "w must hold floating-point numbers; got dtype int64", lambda: hg.Dense(torch.tensor([[1]]), [0])),
        (TypeError, "b must be float64 like the layer's w; got float32", lambda: hg.Dense([[1.0]], torch.zeros(1))),
        # The right numbers in another shape.
        *(
            (
                ValueError,
                f"y must have shape (N, n_L) = (4, 1), like the output; got (4,): write {written}",
                lambda y=y: one_output().gradient(X, y),
            )
            for y, written in (
                (Y[:, 0], "y[:, None]"),
                (Y[:, 0].tolist(), "np.array(y)[:, None]"),
                (torch.tensor(Y[:, 0]), "y[:, None]"),
                (pd.Series(Y[:, 0]), "y.to_frame()"),
            )
        ),
        (
            ValueError,
            "y must have shape (n_L,) = (1,), like the output; got (): write [y]",
            lambda: one_output().loss(X[0], 1.0),
        ),
        (
            ValueError,
            "= (4, 2), like the output; got (2, 4): an example is a row, so write y.T",
            lambda: regression().loss(X, Y.T),
        ),
        (ValueError, "got (3, 4): an example is a row, so write x.T", lambda: regression()(X.T)),
        (ValueError, "got (3, 4): an example is a row, so write np.array(x).T", lambda: regression()(X.T.tolist())),
        (
            ValueError,
            "whose w is (1, 1); got (3,): write x[:, None] for 3 examples",
            lambda: hg.Network([hg.Dense([[1.0]], [0.0])])(np.ones(3)),
        ),
        (
            ValueError,
            "whose w is (1, 1); got (3,): write x.to_frame() for 3 examples",
            lambda: hg.Network([hg.Dense([[1.0]], [0.0])])(pd.Series(np.ones(3))),
        ),
        # Classes.
        *(
            (
                ValueError,
                f"= (4,) or distributions of shape (N, C) = (4, 3); got (4, 1): write {written}",
                lambda y=y: classifier().gradient(X, y),
            )
            for y, written in (
                (CLASSES[:, None], "y[:, 0]"),
                (CLASSES[:, None].tolist(), "np.array(y)[:, 0]"),
                (torch.tensor(CLASSES)[:, None], "y[:, 0]"),
                (pd.DataFrame(CLASSES), "y.iloc[:, 0]"),
            )
        ),
        (ValueError, "(C,) = (3,); got (1,): write y[0]", lambda: classifier().gradient(X[0], [1])),
        (
            ValueError,
            "= (4, 3); got (3, 4): an example is a row, so write y.T",
            lambda: classifier().loss(X, np.eye(3)[CLASSES].T),
        ),
        *(
            (
                ValueError,
                f"as integers from 0 to C - 1 = 2; got dtype {kind}: write {written}",
                lambda y=y: classifier().gradient(X, y),
            )
            for y, kind, written in (
                (CLASSES.astype(float), "float64", "y.astype(int)"),
                ([0.0, 1.0, 2.0, 1.0], "float64", "np.array(y).astype(int)"),
                (torch.tensor(CLASSES).float(), "float32", "y.long()"),
                (pd.Series(CLASSES, dtype="Float64"), "float64", "y.astype(int)"),
                (np.array([True, False, True, True]), "bool", "y.astype(int)"),
            )
        ),
        (ValueError, "got dtype float64: write int(y)", lambda: classifier().gradient(X[0], 1.0)),
        *(
            (
                ValueError,
                "y[1] is 3: classes count from 0; if yours count from 1, subtract 1",
                lambda y=y: classifier().gradient(X, y),
            )
            for y in (CLASSES + 1, (CLASSES + 1).tolist(), pd.Series(CLASSES + 1), torch.tensor(CLASSES + 1))
        ),
        (ValueError, "; y is 3: classes count from 0; if", lambda: classifier().loss(X[0], 3)),
        # The notes' words.
        (TypeError, "fit has no argument lr: the word for it is rate", lambda: hg.fit(regression(), X, Y, lr=0.1, epochs=1)),
        (
            TypeError,
            "fit has no argument learning_rate: the word for it is rate",
            lambda: hg.fit(regression(), X, Y, learning_rate=0.1, epochs=1),
        ),
        *(
            (
                TypeError,
                f"fit has no argument {word}: the word for it is {right}",
                lambda word=word: hg.fit(regression(), X, Y, rate=0.1, epochs=1, **{word: 2}),
            )
            for word, right in (
                ("n_epochs", "epochs"),
                ("n_iter", "epochs"),
                ("iterations", "epochs"),
                ("batch", "batch_size"),
                ("random_state", "seed"),
                ("verbose", "progress"),
            )
        ),
        (
            TypeError,
            "Network.descend has no argument lr: the word for it is rate",
            lambda: regression().descend(regression().gradient(X, Y), lr=0.1),
        ),
        (TypeError, "Network.advice has no argument lr: the word", lambda: regression().advice(X, Y, lr=0.1)),
        (TypeError, "worked has no argument lr: the word for it is rate", lambda: hg.worked(regression(), X, Y, lr=0.1)),
        (
            TypeError,
            "Network.random has no argument activation: the word for it is activations",
            lambda: hg.Network.random([1, 1], activation="relu"),
        ),
        (TypeError, "Network has no argument criterion: the word for it is loss", lambda: hg.Network([], criterion="mse")),
        (TypeError, "Dense has no argument bias: the word for it is b", lambda: hg.Dense([[1.0]], bias=[0.0])),
        # Python's own words for what is no word at all, or one of another call.
        (TypeError, "unexpected keyword argument 'momentum'", lambda: hg.fit(regression(), X, Y, rate=1, epochs=1, momentum=1)),
        (TypeError, "unexpected keyword argument 'lr'", lambda: hg.Dense([[1.0]], [0.0], lr=0.1)),
        (TypeError, "missing 1 required keyword-only argument: 'rate'", lambda: hg.fit(regression(), X, Y, epochs=1)),
    ],
)
def test_what_is_meant_otherwise_raises(error, parts, call):
    raises(error, parts, call)


@pytest.mark.parametrize("y", [[1, 2, 4, 1], [0, 3, 1, 2], [-1, 3, 1, 2], [1, 5, 4, 1]])
def test_classes_that_count_from_no_1_is_not_told_to_subtract(y):
    with pytest.raises(ValueError, match=r"y must hold class indices from 0 to C - 1 = 2; y\[\d\] is -?\d$"):
        classifier().loss(X, y)


def test_labels_that_are_no_whole_numbers_is_not_told_to_convert():
    for y in ([0.0, 0.5, 1.0, 2.0], [0.0, 1.0, np.inf, 1.0]):
        with pytest.raises(ValueError, match=r"got dtype float64$"):
            classifier().loss(X, y)


def test_word_that_a_function_has_itself_is_taken():
    @foreign.notes_words
    def step(*, rate=0.1, lr=0.2):
        return rate, lr

    assert step(lr=1.0) == (0.1, 1.0)


@pytest.mark.parametrize("shape", [(3, 3, 4), (2,), (5, 2)])
def test_other_shapes_is_not_told_to_transpose(shape):
    with pytest.raises(ValueError, match=r"got \([\d, ]+\)$"):
        regression()(np.ones(shape))


def test_signatures_are_those_of_the_functions():
    assert list(inspect.signature(hg.fit).parameters)[:4] == ["net", "x", "y", "rate"]
    assert list(inspect.signature(hg.Network.descend).parameters) == ["self", "g", "rate"]
    assert list(inspect.signature(hg.Network).parameters) == ["layers", "loss", "reduction"]
    assert list(inspect.signature(hg.Network.random).parameters)[:2] == ["widths", "activations"]


def test_words_of_other_libraries_are_none_of_the_notes():
    assert not foreign.LOSSES.keys() & {"squared_error", "cross_entropy", "binary_cross_entropy"}
    assert all(foreign.letters(word) == word for table in (foreign.LOSSES, foreign.ACTIVATIONS) for word in table)
    assert not foreign.ACTIVATIONS.keys() & {foreign.letters(name) for name in hg.activations.FORMS}


def test_tensors_and_frames_are_read_without_their_libraries():
    """handgrad knows them by what they can do."""
    code = "import sys, handgrad, handgrad.foreign; print([name for name in ('torch', 'pandas') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

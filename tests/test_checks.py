"""Bad input: each call gets one kind of error, whose text names the argument, the requirement in numbers, and what came."""

import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import handgrad as hg
from handgrad import checks
from handgrad.equations import EQUATIONS, exchanged

W, B = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0], [1.0, 0.0, 1.0]], [0.0, 0.0, 0.0, 0.0]
X, Y = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[0.0, 1.0], [1.0, 0.0]]
INF, NAN = float("inf"), float("nan")
ACTIVATIONS = "identity, sigmoid, tanh, relu, leaky_relu, prelu, softmax"


def net(dtype=np.float64):
    """Return a 3-4-2 network."""
    return hg.Network(
        [hg.Dense(np.array(W, dtype), np.zeros(4, dtype), "tanh"), hg.Dense(np.ones((2, 4), dtype), np.zeros(2, dtype))]
    )


def classifier(dtype=np.float64):
    """Return a 3-3 network with three classes."""
    return hg.Network([hg.Dense(np.eye(3, dtype=dtype), np.zeros(3, dtype), "softmax")], "cross_entropy")


def yes_or_no(dtype=np.float64):
    """Return a 3-2 network with two yes-or-no units."""
    return hg.Network([hg.Dense(np.ones((2, 3), dtype), np.zeros(2, dtype), "sigmoid")], "binary_cross_entropy")


def chain():
    return hg.Network([hg.Dense([[1.0]], [0.0], "sigmoid")])


class Tensor:
    """An array of another package that will not be read, as a torch tensor that requires its gradient."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad")


class Float64Tensor:
    """An array of another package with its own dtype."""

    dtype = "float64"

    def __array__(self, dtype=None, copy=None):
        return np.array([1.0])


# What no argument takes that is an array of numbers → what the error says of it.
NOT_NUMBERS = {
    "complex": ([1j, 2.0, 3.0], "must hold real numbers of at most 64 bits; got dtype complex128"),
    "object": (np.array([1.0, 2.0, 3.0], object), "must hold real numbers of at most 64 bits; got dtype object"),
    "none": ([1.0, None, 3.0], "got dtype object"),
    "string": (["1", "2", "3"], "got dtype <U1"),
    "text": ("123", "got dtype <U3"),
    "bytes": (b"123", "got dtype |S3"),
    "ragged": ([[1.0, 2.0, 3.0], [1.0]], "must be an array of real numbers; got list"),
    "huge integer": ([10**30, 2, 3], "got dtype object"),
    "date": (np.array(["2025-04-10"] * 3, "datetime64[D]"), "got dtype datetime64[D]"),
    "record": (np.zeros(3, [("a", float)]), "got dtype [('a', '<f8')]"),
    "dictionary": ({"x": 1}, "got dtype object"),
    "generator": ((i for i in range(3)), "got dtype object"),
    "tensor": (Tensor(), "must be an array of real numbers; got Tensor: Can't call numpy() on Tensor that requires grad"),
    "masked": (np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0]), "must be an array without a mask"),
}
if np.dtype(np.longdouble).itemsize > 8:  # where the platform has one
    NOT_NUMBERS["long double"] = (np.ones(3, np.longdouble), f"got dtype {np.dtype(np.longdouble)}")


def raises(error, parts, call, *arguments, **options):
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    assert type(caught.value) is error
    for part in [parts] if isinstance(parts, str) else parts:
        assert part in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("value", "known", "error", "said"),
    [
        (".npy", [".npz"], ValueError, "ending must be .npz; got '.npy'"),
        (3, [".npz"], TypeError, "ending must be .npz; got 3"),
        (".npy", [".npz", ".csv"], ValueError, "ending must be one of .npz, .csv; got '.npy' (did you mean '.npz'?)"),
        (".npy", [], ValueError, "ending must be one of ; got '.npy'"),
    ],
)
def test_name_that_is_unknown_raises_the_known_ones(value, known, error, said):
    with pytest.raises(error, match=f"^{re.escape(said)}$"):
        checks.one_of("ending", value, known)


@pytest.mark.parametrize(
    ("value", "error"), [(0, ValueError), (5, ValueError), ("2", TypeError), (2.0, TypeError), (True, TypeError)]
)
def test_integer_out_of_range_raises_both_bounds(value, error):
    with pytest.raises(error, match=f"^level must be an integer from 1 to 4; got {value!r}$"):
        checks.between("level", value, 1, 4)
    with pytest.raises(error, match=f"^level must be an integer from 1 to L = 4; got {value!r}$"):
        checks.between("level", value, 1, 4, "L")
    assert [checks.between("level", np.int8(each), 1, 4) for each in (1, 4)] == [1, 4]


def test_sequence_in_itself_raises_a_sentence():
    endless = []
    endless.append(endless)
    raises(TypeError, "x must be an array of real numbers; got list: ", net(), [object.__new__(Tensor), endless])


@pytest.mark.parametrize("kind", NOT_NUMBERS)
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("w", lambda value: hg.Dense(value, B)),
        ("b", lambda value: hg.Dense(W, value)),
        ("slope", lambda value: hg.Activation("leaky_relu", slope=value)),
        ("alpha", lambda value: hg.Activation("prelu", alpha=value)),
        ("z", hg.Activation("relu")),
        ("z", hg.Activation("softmax").derivative),
        ("x", lambda value: net()(value)),
        ("x", lambda value: net().loss(value, Y)),
        ("y", lambda value: net().loss(X, value)),
        ("x", lambda value: net().gradient(value, Y)),
        ("y", lambda value: net().gradient(X, value)),
        ("x", lambda value: net().trace(value, Y)),
        ("y", lambda value: classifier().trace(X, value)),
        ("x", lambda value: hg.fit(net(), value, Y, rate=0.1, epochs=1)),
        ("y", lambda value: hg.fit(classifier(), X, value, rate=0.1, epochs=1)),
        ("x", lambda value: hg.literal.gradient(net(), value, Y)),
        ("y", lambda value: hg.literal.trace(net(), X, value)),
        ("x", lambda value: hg.literal.chain(chain(), value, [1.0])),
        ("y", lambda value: hg.literal.chain(chain(), [1.0], value)),
        ("vector", lambda value: net().gradient(X, Y).with_vector(value)),
    ],
)
def test_what_is_no_array_of_numbers_raises(name, call, kind):
    value, said = NOT_NUMBERS[kind]
    raises(TypeError, [f"{name} must ", said], call, value)


@pytest.mark.parametrize(
    ("error", "parts", "call"),
    [
        # Widths and lists of activations.
        (TypeError, "widths[1] must be an integer >= 1; got 2.5", lambda: hg.Network.random([2, 2.5], activations=["relu"])),
        (TypeError, "widths[0] must be an integer >= 1; got True", lambda: hg.Network.random([True, 2], activations=["relu"])),
        (
            TypeError,
            f"widths[0] must be an integer >= 1; got {np.True_!r}",
            lambda: hg.Network.random([np.True_, 2], activations=["relu"]),
        ),
        (TypeError, "widths[1] must be an integer >= 1; got '3'", lambda: hg.Network.random([2, "3"], activations=["relu"])),
        (
            TypeError,
            f"widths[0] must be an integer >= 1; got {np.float64(2)!r}",
            lambda: hg.Network.random(np.array([2.0, 3.0]), activations=["relu"]),
        ),
        (ValueError, "widths[1] must be an integer >= 1; got 0", lambda: hg.Network.random([2, 0], activations=["relu"])),
        (ValueError, "widths[0] must be an integer >= 1; got -2", lambda: hg.Network.random([-2, 2], activations=["relu"])),
        (ValueError, ["widths must name at least 2 layers", "got [2]"], lambda: hg.Network.random([2], activations=[])),
        (ValueError, ["widths must name at least 2 layers", "got []"], lambda: hg.Network.random([], activations=[])),
        (
            TypeError,
            "widths must be a sequence of integers n_0, ..., n_L; got 3",
            lambda: hg.Network.random(3, activations=["relu"]),
        ),
        (
            TypeError,
            "widths must be a sequence of integers n_0, ..., n_L; got '23'",
            lambda: hg.Network.random("23", activations=["relu"]),
        ),
        (
            ValueError,
            "activations must have one entry for each of the L = 2 layers; got 1",
            lambda: hg.Network.random([2, 3, 1], activations=["relu"]),
        ),
        (
            ValueError,
            "activations must have one entry for each of the L = 1 layers; got 2",
            lambda: hg.Network.random([2, 3], activations=["relu", "tanh"]),
        ),
        (
            TypeError,
            "activations must be a sequence, one for each layer; got 'relu'",
            lambda: hg.Network.random([2, 3], activations="relu"),
        ),
        (
            TypeError,
            "activations must be a sequence, one for each layer; got None",
            lambda: hg.Network.random([2, 3], activations=None),
        ),
        (TypeError, "activation must be one of identity, sigmoid", lambda: hg.Network.random([2, 3], activations=[None])),
        # Names.
        (
            ValueError,
            f"activation must be one of {ACTIVATIONS}; got 'sigmoyd' (did you mean 'sigmoid'?)",
            lambda: hg.Activation("sigmoyd"),
        ),
        (ValueError, "got 'LeakyReLU()' (did you mean 'leaky_relu'?)", lambda: hg.Dense(W, B, "LeakyReLU()")),
        *(
            (ValueError, f"; got {word!r}: a layer without an activation is 'identity'", lambda word=word: hg.Activation(word))
            for word in ("linear", "Linear", "none", "None", "")
        ),
        (TypeError, "; got None: a layer without an activation is 'identity'", lambda: hg.Dense(W, B, None)),
        (ValueError, "; got 'logistic': the notes' word is 'sigmoid'", lambda: hg.Dense(W, B, "logistic")),
        (ValueError, "; got 'LogSoftmax': take 'softmax', whose logarithm", lambda: hg.Dense(W, B, "LogSoftmax")),
        (
            TypeError,
            f"activation must be one of {ACTIVATIONS}; got 3",
            lambda: hg.Dense(W, B, 3),
        ),
        (
            ValueError,
            "loss must be one of squared_error, cross_entropy, binary_cross_entropy; got 'squared_eror' "
            "(did you mean 'squared_error'?)",
            lambda: hg.Network(net().layers, "squared_eror"),
        ),
        (
            TypeError,
            "loss must be one of squared_error, cross_entropy, binary_cross_entropy; got None",
            lambda: hg.Network(net().layers, None),
        ),
        (
            ValueError,
            "reduction must be one of mean, sum; got 'means' (did you mean 'mean'?)",
            lambda: hg.Network(net().layers, reduction="means"),
        ),
        (TypeError, "reduction must be one of mean, sum; got ['sum']", lambda: hg.Network(net().layers, reduction=["sum"])),
        *(
            (
                ValueError,
                [f"loss must be one of squared_error, cross_entropy, binary_cross_entropy; got {word!r}: the", said],
                lambda word=word: hg.Network.random([2, 2], activations=["relu"], loss=word),
            )
            for words, said in (
                (("mse", "MSE", "MSELoss", "mean_squared_error", "L2", "Squared-Error"), "is squared_error's mean / n_L"),
                (
                    ("ce", "CrossEntropyLoss", "cross entropy", "Cross_Entropy", "nll"),
                    "notes' word is cross_entropy, and the last",
                ),
                (("bce", "BCELoss", "BCEWithLogitsLoss", "log_loss"), "it is binary_cross_entropy's mean / n_L"),
            )
            for word in words
        ),
        (ValueError, "got 'huber'", lambda: hg.Network(net().layers, "huber")),
        # Slopes.
        (TypeError, "slope is an argument of leaky_relu alone; relu got slope=0.5", lambda: hg.Activation("relu", slope=0.5)),
        (TypeError, "slope is an argument of leaky_relu alone; prelu got slope=0.5", lambda: hg.Activation("prelu", slope=0.5)),
        (
            TypeError,
            "alpha is an argument of prelu alone; leaky_relu got alpha=0.5",
            lambda: hg.Activation("leaky_relu", alpha=0.5),
        ),
        (ValueError, "slope must have shape (); got (2,)", lambda: hg.Activation("leaky_relu", slope=[0.5, 0.5])),
        (ValueError, "alpha must have shape () or (n,); got (1, 2)", lambda: hg.Activation("prelu", alpha=[[0.5, 0.5]])),
        (ValueError, "slope must be finite; slope is nan", lambda: hg.Activation("leaky_relu", slope=NAN)),
        (ValueError, "alpha must be finite; alpha[1] is inf", lambda: hg.Activation("prelu", alpha=[0.5, INF])),
        (
            ValueError,
            "alpha must have shape () for one shared slope, or (n,) = (4,) for one a unit; got (3,)",
            lambda: hg.Dense(W, B, hg.Activation("prelu", alpha=[0.5] * 3)),
        ),
        (
            ValueError,
            "alpha must be finite in float32; alpha[1] is 1e+300",
            lambda: hg.Dense(np.ones((2, 1), np.float32), [0.0, 0.0], hg.Activation("prelu", alpha=[0.5, 1e300])),
        ),
        (
            ValueError,
            "slope must be finite in float32; slope is -1e+300",
            lambda: hg.Dense(np.ones((2, 1), np.float32), [0.0, 0.0], hg.Activation("leaky_relu", slope=-1e300)),
        ),
        # z of an activation alone.
        (ValueError, "z must be finite; z[1] is nan", lambda: hg.Activation("tanh")([1.0, NAN])),
        (ValueError, "z must be finite; z is inf", lambda: hg.Activation("tanh").derivative(INF)),
        (ValueError, "z must have shape (..., n), n >= 1, for softmax; got ()", lambda: hg.Activation("softmax")(1.0)),
        (
            ValueError,
            "z must have shape (..., n), n >= 1, for softmax; got (2, 0)",
            lambda: hg.Activation("softmax").derivative(np.ones((2, 0))),
        ),
        (
            ValueError,
            "z must have shape (..., n) = (..., 2) to meet alpha; got (3,)",
            lambda: hg.Activation("prelu", alpha=[0.5, 1])([1.0, 2.0, 3.0]),
        ),
        (
            ValueError,
            "z must have shape (..., n) = (..., 1) to meet alpha; got ()",
            lambda: hg.Activation("prelu", alpha=[0.5])(1.0),
        ),
        # Weights and biases.
        (ValueError, "w must have shape (n, n_prev), both at least 1; got (3,)", lambda: hg.Dense([1.0, 2.0, 3.0], [0.0])),
        (
            ValueError,
            "w must have shape (n, n_prev), both at least 1; got (1, 2, 1)",
            lambda: hg.Dense([[[1.0], [2.0]]], [0.0]),
        ),
        (ValueError, "w must have shape (n, n_prev), both at least 1; got ()", lambda: hg.Dense(1.0, [0.0])),
        (
            ValueError,
            "w must have shape (n, n_prev), both at least 1; got (0, 3)",
            lambda: hg.Dense(np.ones((0, 3)), np.ones(0)),
        ),
        (ValueError, "w must have shape (n, n_prev), both at least 1; got (1, 0)", lambda: hg.Dense([[]], [0.0])),
        (ValueError, "b must have shape (n,) = (4,) to meet w, which is (4, 3); got (3,)", lambda: hg.Dense(W, [0.0] * 3)),
        (ValueError, "b must have shape (n,) = (4,) to meet w, which is (4, 3); got (4, 1)", lambda: hg.Dense(W, [[0.0]] * 4)),
        (ValueError, "b must have shape (n,) = (4,) to meet w, which is (4, 3); got ()", lambda: hg.Dense(W, 0.0)),
        (
            TypeError,
            "w must hold floating-point numbers; got dtype int64 (1.0 is one, 1 is not)",
            lambda: hg.Dense(np.array([[1, 2]]), [0.0]),
        ),
        (TypeError, "b must hold floating-point numbers; got dtype int8", lambda: hg.Dense([[1.0]], np.zeros(1, np.int8))),
        (TypeError, "w must hold floating-point numbers; got dtype bool", lambda: hg.Dense([[True]], [0.0])),
        (TypeError, "w must be float32 or float64; got float16", lambda: hg.Dense(np.ones((1, 1), np.float16), [0.0])),
        (TypeError, "w must be float32 or float64; got >f8", lambda: hg.Dense(np.ones((1, 1), ">f8"), [0.0])),
        (TypeError, "b must be float64 like the layer's w; got float32", lambda: hg.Dense([[1.0]], np.zeros(1, np.float32))),
        (
            TypeError,
            "b must be float32 like the layer's w; got float64",
            lambda: hg.Dense(np.ones((1, 1), np.float32), np.zeros(1)),
        ),
        (
            TypeError,
            "b must be float32 like the layer's w; got float64",
            lambda: hg.Dense(np.ones((1, 1), np.float32), Float64Tensor()),
        ),
        # A layer's parameters, assigned to later.
        (ValueError, "w must keep its shape, (4, 3); got (3, 4)", lambda: setattr(net().layers[0], "w", np.ones((3, 4)))),
        (ValueError, "w must keep its shape, (2, 4); got (4,)", lambda: setattr(net().layers[1], "w", np.ones(4))),
        (ValueError, "b must keep its shape, (4,); got (4, 1)", lambda: setattr(net().layers[0], "b", np.ones((4, 1)))),
        (ValueError, "b must be finite; b[1] is nan", lambda: setattr(net().layers[1], "b", [0.0, NAN])),
        (
            TypeError,
            "w must be float64 like the layer's w; got float32",
            lambda: setattr(net().layers[1], "w", np.ones((2, 4), "f4")),
        ),
        (
            TypeError,
            "w must hold floating-point numbers; got dtype int64",
            lambda: setattr(net().layers[1], "w", np.ones((2, 4), int)),
        ),
        (TypeError, "alpha is an argument of prelu alone; tanh got 0.5", lambda: setattr(net().layers[0], "alpha", 0.5)),
        (
            ValueError,
            "alpha must keep its shape, (); got (1,)",
            lambda: setattr(hg.Dense([[1.0], [2.0]], [0.0, 0.0], "prelu"), "alpha", [0.5]),
        ),
        (ValueError, "w must be finite; w[1, 2] is nan", lambda: hg.Dense([[1.0, 2.0, 3.0], [1.0, 2.0, NAN]], [0.0, 0.0])),
        (ValueError, "w must be finite; w[0, 1] is -inf", lambda: hg.Dense([[1.0, -INF, NAN]], [0.0])),
        (ValueError, "w must be finite; w[0, 1] is -inf", lambda: hg.Dense(np.array([[1.0, -INF, NAN]]), np.zeros(1))),
        (ValueError, "b must be finite; b[2] is inf", lambda: hg.Dense(W, [0.0, 0.0, INF, 0.0])),
        (
            ValueError,
            "b must be finite in float32; b[1] is 1e+300",
            lambda: hg.Dense(np.ones((2, 1), np.float32), [0.0, 1e300]),
        ),
        # Layers.
        (ValueError, "layers must hold at least one Dense layer; got none", lambda: hg.Network([])),
        (TypeError, "layers must be a sequence of Dense layers; got Dense", lambda: hg.Network(hg.Dense(W, B))),
        (
            TypeError,
            "layers must be a sequence of Dense layers; got generator",
            lambda: hg.Network(layer for layer in net().layers),
        ),
        (TypeError, "layer 2 must be a Dense layer; got ndarray", lambda: hg.Network([hg.Dense(W, B), np.ones((2, 4))])),
        (
            ValueError,
            "layer 1 has 4 units but layer 2 takes 3 inputs: w of layer 1 is (4, 3), w of layer 2 is (4, 3)",
            lambda: hg.Network([hg.Dense(W, B), hg.Dense(W, B)]),
        ),
        (
            ValueError,
            "layer 1 has 3 units but layer 2 takes 4 inputs: w of layer 1 is (3, 3), w of layer 2 is (2, 4)",
            lambda: hg.Network([hg.Dense(np.eye(3), np.zeros(3)), net().layers[1]]),
        ),
        (
            ValueError,
            "layer 2 has 3 units but layer 3 takes 2 inputs: w of layer 2 is (3, 3), w of layer 3 is (1, 2)",
            lambda: hg.Network([hg.Dense(np.eye(3), np.zeros(3))] * 2 + [hg.Dense([[1.0, 2.0]], [0.0])]),
        ),
        (
            TypeError,
            "all layers must have one dtype; layer 1 is float64, layer 2 is float32",
            lambda: hg.Network(
                [hg.Dense(np.eye(3), np.zeros(3)), hg.Dense(np.eye(3, dtype=np.float32), np.zeros(3, np.float32))]
            ),
        ),
        # Cross-entropy after what gives no probabilities.
        *(
            (
                ValueError,
                [
                    "cross_entropy needs probabilities that sum to 1, so the output layer must be softmax",
                    f"; got {name} with n_L = 4: ",
                    "make the last activation softmax, or take loss='squared_error'",
                ],
                lambda name=name: hg.Network([hg.Dense(W, B, name)], "cross_entropy"),
            )
            for name in ("identity", "tanh", "relu", "leaky_relu", "prelu")
        ),
        (
            ValueError,
            ["got sigmoid with n_L = 4: take loss='binary_cross_entropy', a yes or no from each unit, or make the last"],
            lambda: hg.Network([hg.Dense(W, B, "sigmoid")], "cross_entropy"),
        ),
        (
            ValueError,
            ["must be softmax; got sigmoid with n_L = 1", "take loss='binary_cross_entropy'", "n_L = 2 units for two classes"],
            lambda: hg.Network.random([3, 1], activations=["sigmoid"], loss="cross_entropy"),
        ),
        *(
            (
                ValueError,
                [
                    "binary_cross_entropy needs a probability from each unit, so the output layer must be sigmoid",
                    f"; got {name} with n_L = 4: make the last activation sigmoid, or take loss='squared_error'",
                ],
                lambda name=name: hg.Network([hg.Dense(W, B, name)], "binary_cross_entropy"),
            )
            for name in ("identity", "tanh", "relu", "leaky_relu", "prelu")
        ),
        (
            ValueError,
            "got softmax with n_L = 4: take loss='cross_entropy', or make the last activation sigmoid",
            lambda: hg.Network([hg.Dense(W, B, "softmax")], "binary_cross_entropy"),
        ),
        (
            ValueError,
            ["must be softmax; got relu with n_L = 1", "make the last activation softmax"],
            lambda: hg.Network.random([3, 1], activations=["relu"], loss="cross_entropy"),
        ),
        # The rest of Network.random.
        (
            TypeError,
            "dtype must be float32 or float64; got float16",
            lambda: hg.Network.random([2, 2], activations=["relu"], dtype="float16"),
        ),
        (
            TypeError,
            "dtype must be float32 or float64; got int64",
            lambda: hg.Network.random([2, 2], activations=["relu"], dtype=int),
        ),
        (
            TypeError,
            "dtype must be float32 or float64; got 'double precision'",
            lambda: hg.Network.random([2, 2], activations=["relu"], dtype="double precision"),
        ),
        (
            TypeError,
            "seed must be an integer >= 0, a numpy Generator or None; got 0.5",
            lambda: hg.Network.random([2, 2], activations=["relu"], seed=0.5),
        ),
        (
            TypeError,
            "seed must be an integer >= 0, a numpy Generator or None; got 'a'",
            lambda: hg.Network.random([2, 2], activations=["relu"], seed="a"),
        ),
        (ValueError, "seed must be >= 0; got -1", lambda: hg.Network.random([2, 2], activations=["relu"], seed=-1)),
        (
            ValueError,
            "alpha must have shape () for one shared slope, or (n,) = (2,) for one a unit; got (3,)",
            lambda: hg.Network.random([2, 2], activations=[hg.Activation("prelu", alpha=[1, 2, 3])]),
        ),
        # Layers and equations by number.
        (IndexError, "layers are numbered from 1 to L = 2; got 0", lambda: net().gradient(X, Y)[0]),
        (IndexError, "layers are numbered from 1 to L = 2; got 3", lambda: net().gradient(X, Y)[3]),
        (IndexError, "layers are numbered from 1 to L = 2; got -1", lambda: net().trace(X, Y)[-1]),
        (IndexError, "layers are numbered from 1 to L = 2; got 0", lambda: net().trace(X, Y)[0]),
        (TypeError, "layers are numbered by integers from 1 to L = 2; got 1.0", lambda: net().gradient(X, Y)[1.0]),
        (TypeError, "layers are numbered by integers from 1 to L = 2; got True", lambda: net().gradient(X, Y)[True]),
        (TypeError, "layers are numbered by integers from 1 to L = 2; got 'w1'", lambda: net().gradient(X, Y)["w1"]),
        (TypeError, "layers are numbered by integers from 1 to L = 2; got slice(1, 2, None)", lambda: net().trace(X, Y)[1:2]),
        (ValueError, "equations are numbered from 1 to 14; got 15", lambda: exchanged({15: max})),
        (ValueError, "equations are numbered from 1 to 14; got 0", lambda: exchanged({4: max, 0: max})),
        (ValueError, "equations are numbered from 1 to 14; got '4'", lambda: exchanged({"4": max})),
        (TypeError, "replacements must be a mapping from equation number to function; got [4]", lambda: exchanged([4])),
        (TypeError, "replacements[4] must be a function; got 2.0", lambda: exchanged({4: 2.0})),
        # Gradients.
        (
            ValueError,
            "vector must have shape (P,) = (26,), one number for each parameter; got (25,)",
            lambda: net().gradient(X, Y).with_vector(np.ones(25)),
        ),
        (
            ValueError,
            "vector must have shape (P,) = (26,), one number for each parameter; got (1, 26)",
            lambda: net().gradient(X, Y).with_vector(np.ones((1, 26))),
        ),
        (
            ValueError,
            "vector must have shape (P,) = (26,), one number for each parameter; got ()",
            lambda: net().gradient(X, Y).with_vector(1.0),
        ),
        (
            ValueError,
            "vector must be finite; vector[20] is nan",
            lambda: net().gradient(X, Y).with_vector([0.0] * 20 + [NAN] * 6),
        ),
        (
            ValueError,
            "vector must be finite in float32; vector[20] is 1e+300",
            lambda: net(np.float32).gradient(X, Y).with_vector([0.0] * 20 + [1e300] * 6),
        ),
        (
            ValueError,
            "the other gradient must be a gradient of this network: w1 (4, 3) float64 is wanted; got w1 (3, 3) float64",
            lambda: net().gradient(X, Y) + classifier().gradient(X, [0, 1]),
        ),
        (
            ValueError,
            "the other gradient must be a gradient of this network: w1 (4, 3) float64 is wanted; got w1 (4, 3) float32",
            lambda: net().gradient(X, Y) - net(np.float32).gradient(X, Y),
        ),
        (TypeError, "unsupported operand type(s) for +: 'Gradient' and 'int'", lambda: net().gradient(X, Y) + 1),
        (TypeError, "unsupported operand type(s) for -: 'Gradient' and 'float'", lambda: net().gradient(X, Y) - 1.0),
        (TypeError, "unsupported operand type(s) for *: 'Gradient' and 'complex'", lambda: net().gradient(X, Y) * 1j),
        (
            TypeError,
            "unsupported operand type(s) for *: 'Gradient' and 'Gradient'",
            lambda: net().gradient(X, Y) * net().gradient(X, Y),
        ),
        (TypeError, "unsupported operand type(s) for /: 'Gradient' and 'str'", lambda: net().gradient(X, Y) / "2"),
        (TypeError, "Gradient", lambda: np.ones(26) * net().gradient(X, Y)),
        (ValueError, "factor must be finite; got nan", lambda: net().gradient(X, Y) * NAN),
        (ValueError, "factor must be finite; got inf", lambda: INF * net().gradient(X, Y)),
        (ValueError, "factor must be finite; got 1000", lambda: 10**400 * net().gradient(X, Y)),
        (ValueError, "divisor must be finite and not 0; got 0", lambda: net().gradient(X, Y) / 0),
        (ValueError, f"divisor must be finite and not 0; got {np.float64(0)!r}", lambda: net().gradient(X, Y) / np.float64(0)),
        (ValueError, "divisor must be finite and not 0; got inf", lambda: net().gradient(X, Y) / INF),
    ],
)
def test_constructor_or_accessor_raises(error, parts, call):
    raises(error, parts, call)


# Everything that takes a network with x and y.
TAKE_X_AND_Y = {
    "loss": lambda net, x, y: net.loss(x, y),
    "gradient": lambda net, x, y: net.gradient(x, y),
    "trace": lambda net, x, y: net.trace(x, y),
    "fit": lambda net, x, y: hg.fit(net, x, y, rate=0.1, epochs=1),
    "literal.gradient": hg.literal.gradient,
    "literal.trace": hg.literal.trace,
}
NEEDED_X = "x must have shape (N, n_0) = (N, 3), or (3,) for one example, to meet layer 1, whose w is (4, 3); got "


@pytest.mark.parametrize("call", TAKE_X_AND_Y)
@pytest.mark.parametrize(
    ("error", "parts", "x", "y"),
    [
        (ValueError, NEEDED_X + "(5, 2)", np.ones((5, 2)), Y),
        (ValueError, NEEDED_X + "(3, 1)", np.ones((3, 1)), Y),
        (ValueError, NEEDED_X + "(1, 2, 3)", np.ones((1, 2, 3)), Y),
        (ValueError, NEEDED_X + "(2, 3, 1)", np.ones((2, 3, 1)), Y),
        (ValueError, NEEDED_X + "()", 1.0, Y),
        (ValueError, NEEDED_X + "()", np.float64(1.0), Y),
        (ValueError, NEEDED_X + "(2,)", [1.0, 2.0], Y),
        (ValueError, NEEDED_X + "(0,)", [], Y),
        (ValueError, "x must hold at least one example, N >= 1; got shape (0, 3)", np.ones((0, 3)), np.ones((0, 2))),
        (ValueError, "x must be finite; x[1, 2] is nan", [[1.0, 2.0, 3.0], [4.0, 5.0, NAN]], Y),
        (ValueError, "x must be finite; x[0, 1] is -inf", [[1.0, -INF, 3.0], [NAN, 5.0, NAN]], Y),
        (ValueError, "x must be finite; x[1, 2] is nan", np.array([[1.0, 2.0, 3.0], [4.0, 5.0, NAN]]), Y),
        (ValueError, "y must have shape (N, n_L) = (2, 2), like the output; got (2,)", X, [1.0, 2.0]),
        (ValueError, "y must have shape (N, n_L) = (2, 2), like the output; got (2, 1)", X, [[1.0], [2.0]]),
        (ValueError, "y must have shape (N, n_L) = (2, 2), like the output; got (1, 2)", X, [[1.0, 2.0]]),
        (ValueError, "y must have shape (N, n_L) = (2, 2), like the output; got (3, 2)", X, np.ones((3, 2))),
        (ValueError, "y must have shape (N, n_L) = (2, 2), like the output; got ()", X, 1.0),
        (ValueError, "y must have shape (N, n_L) = (2, 2), like the output; got (0, 2)", X, np.ones((0, 2))),
        (ValueError, "y must have shape (n_L,) = (2,), like the output; got (1, 2)", X[0], [[1.0, 2.0]]),
        (ValueError, "y must have shape (n_L,) = (2,), like the output; got ()", X[0], 1.0),
        (ValueError, "y must be finite; y[1, 0] is inf", X, [[1.0, 2.0], [INF, 1.0]]),
        (ValueError, "y must be finite; y[0, 1] is nan", X, [[1.0, NAN], [INF, 1.0]]),
        (ValueError, "y must be finite; y[1, 0] is inf", X, np.array([[1.0, 2.0], [INF, 1.0]])),
    ],
)
def test_x_or_y_raises_everywhere(error, parts, x, y, call):
    raises(error, parts, TAKE_X_AND_Y[call], net(), x, y)
    if np.shape(y) == (2, 2) and "x must" in parts:
        raises(error, parts, net(), x)


def test_column_against_row_raises():
    """(N,) against (N, 1) would broadcast to (N, N)."""
    one = hg.Network.random([3, 1], activations=["identity"], seed=0)
    for call in TAKE_X_AND_Y.values():
        raises(ValueError, "y must have shape (N, n_L) = (2, 1), like the output; got (2,)", call, one, X, [1.0, 2.0])


def test_numbers_beyond_float32_raise():
    raises(ValueError, "x must be finite in float32; x[0, 1] is 1e+300", net(np.float32), [[1.0, 1e300, 3.0]])
    raises(ValueError, "y must be finite in float32; y[1, 0] is -1e+300", net(np.float32).loss, X, [[1.0, 2.0], [-1e300, 0.0]])
    raises(ValueError, "x must be finite; x[1] is nan", net(np.float32), [1.0, NAN, 1e300])
    raises(
        ValueError, "x must be finite in float32; x[1] is 1e+300", hg.literal.trace, net(np.float32), [1.0, 1e300, 3.0], Y[0]
    )


@pytest.mark.parametrize("call", TAKE_X_AND_Y)
@pytest.mark.parametrize(
    ("error", "parts", "y"),
    [
        (ValueError, "y must hold class indices from 0 to C - 1 = 2; y[0] is -1", [-1, 0]),
        (ValueError, "y must hold class indices from 0 to C - 1 = 2; y[1] is 3", [0, 3]),
        (ValueError, "y must hold class indices from 0 to C - 1 = 2; y[1] is 255", np.array([0, 255], np.uint8)),
        (
            ValueError,
            "y must hold class indices from 0 to C - 1 = 2; y[0] is 18446744073709551615",
            np.array([2**64 - 1, 1], np.uint64),
        ),
        (ValueError, "y must hold class indices as integers from 0 to C - 1 = 2; got dtype float64", [0.0, 1.0]),
        (ValueError, "y must hold class indices as integers from 0 to C - 1 = 2; got dtype float64", [0.5, NAN]),
        (ValueError, "y must hold class indices as integers from 0 to C - 1 = 2; got dtype bool", [True, False]),
        (
            ValueError,
            "y must hold class indices of shape (N,) = (2,) or distributions of shape (N, C) = (2, 3); got (2, 1)",
            [[0], [1]],
        ),
        (
            ValueError,
            "y must hold class indices of shape (N,) = (2,) or distributions of shape (N, C) = (2, 3); got (3,)",
            [0, 1, 2],
        ),
        (ValueError, "or distributions of shape (N, C) = (2, 3); got (2, 2)", [[0.5, 0.5]] * 2),
        (ValueError, "or distributions of shape (N, C) = (2, 3); got (1, 3)", [[0.5, 0.5, 0.0]]),
        (ValueError, "or distributions of shape (N, C) = (2, 3); got ()", 1),
        (ValueError, "or distributions of shape (N, C) = (2, 3); got (2, 3, 1)", np.ones((2, 3, 1))),
        (ValueError, "y must hold probabilities, each >= 0; y[1, 2] is -0.25", [[0.5, 0.5, 0.0], [0.75, 0.5, -0.25]]),
        (ValueError, "y must hold probabilities, each >= 0; y[0, 0] is -1", [[-1, 2, 0], [0, 1, 0]]),
        (ValueError, "y must hold distributions that sum to 1; y[1] sums to 0.75", [[0.5, 0.5, 0.0], [0.5, 0.25, 0.0]]),
        (ValueError, "y must hold distributions that sum to 1; y[0] sums to 2.0", [[1, 1, 0], [0, 1, 0]]),
        (ValueError, "y must hold distributions that sum to 1; y[0] sums to 0.0", np.zeros((2, 3))),
        (ValueError, "y must hold distributions that sum to 1; y[0] sums to 1.000001", [[0.5, 0.5, 0.000001], [0.0, 1.0, 0.0]]),
        (ValueError, "y must be finite; y[0, 1] is nan", [[0.5, NAN, 0.5], [0.0, 1.0, 0.0]]),
        (ValueError, "y must be finite; y[1, 0] is inf", [[0.5, 0.5, 0.0], [INF, 1.0, 0.0]]),
    ],
)
def test_class_or_distribution_raises_everywhere(error, parts, y, call):
    raises(error, parts, TAKE_X_AND_Y[call], classifier(), X, y)


@pytest.mark.parametrize("call", [name for name in TAKE_X_AND_Y if "chain" not in name])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("error", "parts", "y"),
    [
        (ValueError, "y must hold probabilities, 0 <= y <= 1; y[0, 1] is 1.5", [[0.0, 1.5], [1.0, 0.0]]),
        (ValueError, "y must hold probabilities, 0 <= y <= 1; y[1, 0] is -0.25", np.array([[0.0, 1.0], [-0.25, 1.0]])),
        (ValueError, "y must hold probabilities, 0 <= y <= 1; y[1, 0] is -0.25", np.array([[0, 1], [-0.25, 1]], np.float32)),
        (ValueError, "y must hold probabilities, 0 <= y <= 1; y[0, 0] is 1.0000000000000002", [[1 + 2.0**-52, 1], [0, 0]]),
        (ValueError, "y must hold probabilities, 0 <= y <= 1; y[1, 1] is 2", np.array([[0, 1], [1, 2]], np.uint8)),
        (ValueError, "y must be finite; y[0, 1] is nan", [[0.0, NAN], [1.0, 0.0]]),
        (ValueError, "y must be finite; y[1, 1] is inf", np.array([[0.0, 1.0], [1.0, INF]], np.float32)),
        (ValueError, "y must have shape (N, n_L) = (2, 2), like the output; got (2,)", [0, 1]),
        (ValueError, "y must have shape (N, n_L) = (2, 2), like the output; got (2, 1)", [[0], [1]]),
        (TypeError, "y must hold real numbers", [["yes", "no"], ["no", "yes"]]),
    ],
)
def test_target_of_yes_or_no_raises_everywhere(error, parts, y, dtype, call):
    raises(error, parts, TAKE_X_AND_Y[call], yes_or_no(dtype), X, y)


def test_target_of_yes_or_no_is_taken_in_every_form():
    y = [[0, 1], [1, 0]]
    losses = {
        yes_or_no().loss(X, given)
        for given in (y, np.array(y, bool), np.array(y, np.uint8), np.array(y, np.float32), np.array(y, float, order="F"))
    }
    assert len(losses) == 1
    assert yes_or_no().gradient(X[0], y[0]).loss == yes_or_no().gradient(X[:1], y[:1]).loss
    raises(ValueError, "y must hold probabilities, 0 <= y <= 1; y[1] is -1", yes_or_no().loss, X[0], [1, -1])


@pytest.mark.parametrize(
    ("parts", "y"),
    [
        ("y must hold class indices from 0 to C - 1 = 2; y is 3", 3),
        ("y must hold class indices from 0 to C - 1 = 2; y is -1", np.int8(-1)),
        ("y must hold class indices as integers from 0 to C - 1 = 2; got dtype float64", 1.0),
        ("y must hold class indices as integers from 0 to C - 1 = 2; got dtype bool", True),
        ("y must be a class index, one integer, or a distribution of shape (C,) = (3,); got (1,)", [1]),
        ("y must be a class index, one integer, or a distribution of shape (C,) = (3,); got (1,)", np.array([1])),
        ("y must be a class index, one integer, or a distribution of shape (C,) = (3,); got (1, 3)", [[0.5, 0.5, 0.0]]),
        ("y must hold probabilities, each >= 0; y[1] is -0.5", [0.5, -0.5, 1.0]),
        ("y must hold distributions that sum to 1; y sums to 1.5", [0.5, 0.5, 0.5]),
        ("y must be finite; y[2] is nan", [0.5, 0.5, NAN]),
    ],
)
def test_target_of_one_example_raises(parts, y):
    for call in ("loss", "gradient", "trace", "literal.gradient", "literal.trace"):
        raises(ValueError, parts, TAKE_X_AND_Y[call], classifier(), X[0], y)


def test_distribution_is_taken_within_its_own_rounding():
    """A sum may be off by the square root of its dtype's rounding, and by what C numbers lose that were float32 before."""
    p = np.full((2, 3), 1 / 3, np.float32)
    for accepted in (p, p.astype(np.float16), p.astype(float), [[1 / 3] * 3] * 2, [[1, 0, 0], [0, 1, 0]]):
        assert np.isfinite(classifier().loss(X, accepted))
        assert np.isfinite(classifier(np.float32).loss(X, accepted))
    at_most = np.array([[0.5, 0.5, 3 * 2.0**-23]] * 2)  # C times float32's rounding, to the bit
    assert np.isfinite(classifier().loss(X, at_most))
    raises(ValueError, "y must hold distributions that sum to 1; y[0] sums to", classifier().loss, X, at_most * (1 + 2.0**-50))
    off = np.array([[0.5, 0.5, 1e-5]] * 2)
    assert np.isfinite(classifier().loss(X, off.astype(np.float32)))
    raises(ValueError, "y must hold distributions that sum to 1; y[0] sums to 1.00001", classifier().loss, X, off)


@pytest.mark.parametrize(
    ("error", "parts", "rate"),
    [
        (ValueError, "rate must be finite and > 0 in float64; got 0", 0),
        (ValueError, "rate must be finite and > 0 in float64; got -0.1", -0.1),
        (ValueError, "rate must be finite and > 0 in float64; got nan", NAN),
        (ValueError, "rate must be finite and > 0 in float64; got inf", INF),
        (ValueError, "rate must be finite and > 0 in float64; got -inf", -INF),
        (ValueError, "rate must be finite and > 0 in float64; got 1000", 10**400),
        (ValueError, "rate must be finite and > 0 in float64; got Fraction(1, 1000", Fraction(1, 10**400)),
        (ValueError, f"rate must be finite and > 0 in float64; got {np.float32(NAN)!r}", np.float32(NAN)),
        (TypeError, "rate must be a real number > 0; got True", True),
        (TypeError, f"rate must be a real number > 0; got {np.True_!r}", np.True_),
        (TypeError, "rate must be a real number > 0; got '0.1'", "0.1"),
        (TypeError, "rate must be a real number > 0; got None", None),
        (TypeError, "rate must be a real number > 0; got 0.1j", 0.1j),
        (TypeError, "rate must be a real number > 0; got [0.1]", [0.1]),
        (TypeError, "rate must be a real number > 0; got array(0.1)", np.array(0.1)),
        (TypeError, "rate must be a real number > 0; got Decimal('0.1')", Decimal("0.1")),
    ],
)
def test_rate_raises(error, parts, rate):
    one = net()
    raises(error, parts, one.descend, one.gradient(X, Y), rate)
    raises(error, parts, hg.fit, one, X, Y, rate=rate, epochs=1)


@pytest.mark.parametrize("rate", [1e300, 1e-300])
def test_rate_that_float32_cannot_hold_raises(rate):
    one = net(np.float32)
    before = one.layers[0].w.copy()
    raises(ValueError, f"rate must be finite and > 0 in float32; got {rate}", one.descend, one.gradient(X, Y), rate)
    raises(ValueError, f"rate must be finite and > 0 in float32; got {rate}", hg.fit, one, X, Y, rate=rate, epochs=1)
    np.testing.assert_array_equal(one.layers[0].w, before)


@pytest.mark.parametrize(
    ("error", "parts", "g"),
    [
        (TypeError, "g must be a Gradient; got ndarray", lambda: np.ones(26)),
        (TypeError, "g must be a Gradient; got NoneType", lambda: None),
        (TypeError, "g must be a Gradient; got Trace", lambda: net().trace(X, Y)),
        (
            ValueError,
            "g must be a gradient of this network: w1 (4, 3) float64 is wanted; got w1 (3, 3) float64",
            lambda: classifier().gradient(X, [0, 1]),
        ),
        (
            ValueError,
            "g must be a gradient of this network: w1 (4, 3) float64 is wanted; got w1 (4, 3) float32",
            lambda: net(np.float32).gradient(X, Y),
        ),
        (
            ValueError,
            "g must be a gradient of this network: w2 (2, 4) float64 is wanted; got nothing",
            lambda: hg.Network(net().layers[:1]).gradient(X, np.ones((2, 4))),
        ),
        (
            ValueError,
            "g must be a gradient of this network: nothing is wanted; got w3 (1, 2) float64",
            lambda: hg.Network([*net().layers, hg.Dense([[1.0, 1.0]], [0.0])]).gradient(X, [[1.0], [2.0]]),
        ),
        (
            ValueError,
            "g must be a gradient of this network: w2 (2, 4) float64 is wanted; got alpha1 () float64",
            lambda: hg.Network([hg.Dense(W, B, "prelu"), net().layers[1]]).gradient(X, Y),
        ),
        (
            ValueError,
            "g's b1 must be finite; g's b1[2] is nan",
            lambda: hg.Gradient(
                1.0, (hg.LayerGradient(np.ones((4, 3)), np.array([1.0, 1.0, NAN, 1.0])), net().gradient(X, Y)[2])
            ),
        ),
    ],
)
def test_gradient_of_another_network_raises(error, parts, g):
    one = net()
    before = one.layers[0].w.copy()
    raises(error, parts, one.descend, g(), 0.1)
    np.testing.assert_array_equal(one.layers[0].w, before)


@pytest.mark.parametrize(
    ("error", "parts", "options"),
    [
        (TypeError, "net must be a Network; got NoneType", {"net": None}),
        (TypeError, "net must be a Network; got Dense", {"net": hg.Dense(W, B)}),
        (ValueError, "epochs must be an integer >= 1; got 0", {"epochs": 0}),
        (ValueError, "epochs must be an integer >= 1; got -5", {"epochs": -5}),
        (TypeError, "epochs must be an integer >= 1; got 2.0", {"epochs": 2.0}),
        (TypeError, "epochs must be an integer >= 1; got True", {"epochs": True}),
        (ValueError, "batch_size must be an integer >= 1; got 0", {"batch_size": 0}),
        (TypeError, "batch_size must be an integer >= 1; got 1.5", {"batch_size": 1.5}),
        (ValueError, "seed must be >= 0; got -1", {"seed": -1}),
        (TypeError, "seed must be an integer >= 0, a numpy Generator or None; got '1'", {"seed": "1"}),
        (TypeError, "callback must be callable; got int", {"callback": 3}),
        (ValueError, "x must be a batch of shape (N, n_0) to be trained on; got (3,)", {"x": X[0], "y": Y[0]}),
    ],
)
def test_fit_raises(error, parts, options):
    raises(error, parts, hg.fit, **({"net": net(), "x": X, "y": Y, "rate": 0.1, "epochs": 1} | options))


@pytest.mark.parametrize("of", [hg.literal.gradient, hg.literal.trace, hg.literal.chain])
def test_literal_form_raises(of):
    one, x, y = chain(), [1.0], [0.5]
    for foreign in (None, "net", one.layers[0], one.layers):
        raises(TypeError, f"net must be a Network; got {type(foreign).__name__}", of, foreign, x, y)
    for table in (None, [*EQUATIONS.values()], "equations"):
        raises(TypeError, "equations must be a mapping from number to Equation, like EQUATIONS; got", of, one, x, y, table)
    part = {number: equation for number, equation in EQUATIONS.items() if number not in (3, 11)}
    raises(ValueError, "equations must hold every equation of EQUATIONS; without 3, 11", of, one, x, y, part)
    needed = "x must have shape (N, n_0) = (N, 1), or (1,) for one example, to meet layer 1, whose w is (1, 1); got (2,)"
    raises(ValueError, needed, of, one, [1.0, 2.0], y)
    raises(ValueError, "y must have shape (n_L,) = (1,), like the output; got ()", of, one, x, 0.5)


def test_chain_raises_for_other_networks():
    raises(ValueError, "net must have one neuron a layer, n_0 = ... = n_L = 1; got widths 3-4-2", hg.literal.chain, net(), X, Y)
    soft = hg.Network([hg.Dense([[1.0]], [0.0], "softmax")])
    said = "net must have no softmax, which takes a layer of several neurons; got softmax"
    raises(ValueError, said, hg.literal.chain, soft, [1.0], [1.0])
    binary = hg.Network([hg.Dense([[1.0]], [0.0], "sigmoid")], "binary_cross_entropy")
    said = "net must have the loss squared_error, whose derivative is (4); got binary_cross_entropy"
    raises(ValueError, said, hg.literal.chain, binary, [1.0], [1.0])

"""scikit-learn: the backpropagation inside its multi-layer perceptrons, which is private and may change."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from verification.benchmark.subject import Answer, Subject, UnsuitedError

Array = npt.NDArray[Any]

ACTIVATIONS = {"identity": "identity", "sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}
OUTPUTS = {"cross_entropy": "softmax", "squared_error": "identity"}


def of_sklearn(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return `_backprop` of an MLPClassifier or an MLPRegressor that has the network's weights."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    *hidden, output = (layer.activation.name for layer in net.layers)
    if output != OUTPUTS[net.loss_name]:
        raise UnsuitedError(f"after {net.loss_name} its output layer must be {OUTPUTS[net.loss_name]}; got {output}")
    if len(set(hidden)) > 1:
        raise UnsuitedError(f"its hidden layers must have one activation; got {', '.join(hidden)}")
    classifies = net.loss_name == "cross_entropy"
    make = MLPClassifier if classifies else MLPRegressor
    activation = ACTIVATIONS[hidden[0] if hidden else "identity"]
    mlp = make(hidden_layer_sizes=net.widths[1:-1], activation=activation, alpha=0.0)
    mlp.n_layers_, mlp.n_outputs_, mlp.out_activation_ = len(net.widths), net.widths[-1], output
    mlp.coefs_ = [np.ascontiguousarray(layer.w.T) for layer in net.layers]
    mlp.intercepts_ = [layer.b.copy() for layer in net.layers]
    targets = np.eye(net.widths[-1], dtype=net.dtype)[y] if classifies else y
    weights = {"sample_weight": None} if "sample_weight" in inspect.signature(mlp._backprop).parameters else {}
    layers = len(net.layers)

    def run() -> Any:
        lists: list[list[Any]] = [[x, *[None] * layers], *([None] * layers for _ in range(3))]
        named = dict(zip(("activations", "deltas", "coef_grads", "intercept_grads"), lists, strict=True))
        return mlp._backprop(x, targets, **weights, **named)

    # Its squared loss is half the mean over outputs and examples; its gradient is that of half the mean over examples.
    of_loss, of_gradient = (1, 1) if classifies else (2 * net.widths[-1], 2)

    def read(answer: Any) -> Answer:
        loss, of_coefs, of_intercepts = answer
        pairs = zip(of_coefs, of_intercepts, strict=True)
        return of_loss * float(loss), [of_gradient * array for dw, db in pairs for array in (dw.T, db)]

    return Subject(run, read)

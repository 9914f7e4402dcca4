"""Mistakes in the products and sums of a backward pass over a batch, (11), (7) and (14), and in the order of layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from verification.mistakes.catalogue import Mistake, by_step
from verification.mistakes.reference import (
    RIGHT,
    Array,
    GradientFunction,
    Layer,
    Result,
    Run,
    exchanged,
    gradient_with,
    without_intermediates,
)
from verification.submissions.description import Description


def _by_share(name: str, thought: str, shows: str, share: Any, needs: tuple[str, ...], signature: str = "") -> Mistake:
    """Return the mistake in the factor of each example; it breaks the sum over the batch of (11).

    Its student divides the parameters' derivatives at the end, so no intermediate is there to be compared.
    """
    submission = without_intermediates(gradient_with(exchanged(share=share)))
    steps = {"share": share}
    return Mistake(name, thought, 11, shows, submission, kind="matrix", signature=signature, needs=needs, steps=steps)


def _mean(run: Run) -> bool:
    return run.network.reduction == "mean"


def _into_array_of_inputs(layer: Layer) -> Array:
    dL_da_prev = RIGHT.upstream(layer)
    if layer.before is not None:
        return dL_da_prev
    return np.asarray(dL_da_prev.astype(np.asarray(layer.run.x_given).dtype).astype(layer.w.dtype))


def _before_of_z(layer: Layer) -> Array:
    return layer.run.x if layer.before is None else layer.before.z


def _renamed(gradient: GradientFunction, number_of: Any) -> GradientFunction:
    """Return the submission whose layers bear other numbers: `number_of(number, layers)`."""

    def renamed(network: Description, x: Any, y: Any) -> Result:
        found = gradient(network, x, y)
        layers = len(network.weights)
        names = {name: name.rstrip("0123456789") for name in found if name[-1].isdigit()}
        numbered = {f"{stem}{number_of(int(name[len(stem) :]), layers)}": found[name] for name, stem in names.items()}
        return numbered | {name: found[name] for name in found if name not in names}

    return renamed


def _named_by(name: str, thought: str, shows: str, signature: str, number_of: Any, needs: tuple[str, ...] = ()) -> Mistake:
    """Return the mistake in the names: `number_of(number, layers)` is the layer's number that a derivative bears."""
    submission = _renamed(without_intermediates(gradient_with(RIGHT)), number_of)
    steps = {"results": lambda run: submission(run.network, run.x_given, run.y_given)}
    return Mistake(name, thought, 11, shows, submission, kind="order", signature=signature, needs=needs, steps=steps)


def _alpha(layer: Layer, by_unit: Any) -> Array:
    """Return what a layer's α gets from numbers (N, n): summed over the examples and, if it is shared, over the units."""
    return np.asarray(by_unit.sum(axis=0 if np.ndim(layer.slope) else None))


MISTAKES = (
    # (11), (13): the weights' derivative as a matrix product.
    by_step(
        "weights-transposed",
        "a_prev.T @ dL/dz, which has the shape (n_prev, n)",
        11,
        "two units in some layer; on square layers only the numbers are wrong, on others the shape too",
        signature="transpose",
        needs=("2 units in some layer",),
        weight_gradient=lambda layer: layer.a_prev.T @ layer.dL_dz,
    ),
    by_step(
        "weights-only-first-example",
        "the outer product of example 0",
        11,
        "a batch of two or more",
        needs=("batch",),
        weight_gradient=lambda layer: np.outer(layer.dL_dz[0], layer.a_prev[0]),
    ),
    by_step(
        "weights-only-last-example",
        "= in place of += in the loop over the examples",
        11,
        "a batch of two or more",
        needs=("batch",),
        weight_gradient=lambda layer: np.outer(layer.dL_dz[-1], layer.a_prev[-1]),
    ),
    by_step(
        "weights-largest-example",
        "the maximum over the batch in place of the sum",
        11,
        "a batch of two or more",
        needs=("batch",),
        weight_gradient=lambda layer: (layer.dL_dz[:, :, None] * layer.a_prev[:, None, :]).max(axis=0),
    ),
    by_step(
        "weights-of-mean-factors",
        "the batch is averaged first: mean of dL/dz times mean of the inputs, times N",
        11,
        "a batch of two or more",
        needs=("batch",),
        weight_gradient=lambda layer: np.outer(layer.dL_dz.sum(axis=0), layer.a_prev.mean(axis=0)),
    ),
    by_step(
        "weights-mean-again",
        "the weights' derivative is divided by N, which dL/da already was",
        11,
        "a batch of two or more",
        signature="ratio 1/N",
        needs=("batch",),
        weight_gradient=lambda layer: RIGHT.weight_gradient(layer) / len(layer.a),
    ),
    by_step(
        "output-weights-without-g-prime",
        "the output layer's weights are multiplied by the error alone; g' comes in on the way back",
        11,
        "squared error, an output activation whose derivative is not 1 where z lies",
        needs=("squared error", "output not identity"),
        weight_gradient=lambda layer: (
            layer.dL_da.T @ layer.a_prev
            if layer is layer.run.last and layer.dL_da is not None
            else RIGHT.weight_gradient(layer)
        ),
    ),
    by_step(
        "weights-with-decay",
        "weight decay is added to the gradient, but the loss does not know of it",
        11,
        "any weight but 0",
        weight_gradient=lambda layer: RIGHT.weight_gradient(layer) + layer.w.dtype.type(0.1) * layer.w,
    ),
    by_step(
        "weights-clipped",
        "gradients are clipped to [-1, 1] against explosions, and the clip was left in",
        11,
        "a derivative beyond 1",
        weight_gradient=lambda layer: np.clip(RIGHT.weight_gradient(layer), -1, 1),
    ),
    by_step(
        "weights-squeezed",
        "np.squeeze removes the axes that are not needed",
        11,
        "a width of 1: the shape",
        signature="shape",
        needs=("a width of 1",),
        weight_gradient=lambda layer: np.squeeze(RIGHT.weight_gradient(layer)),
    ),
    by_step(
        "weights-from-this-layer",
        "the layer's own activation is taken for its input",
        13,
        "wrong numbers on square layers, a wrong shape on others",
        weight_gradient=lambda layer: layer.dL_dz.T @ layer.a,
    ),
    by_step(
        "weights-always-from-x",
        "the input of every layer is x",
        13,
        "two layers: wrong numbers if the widths agree, otherwise a wrong shape",
        needs=("hidden layer",),
        weight_gradient=lambda layer: layer.dL_dz.T @ layer.run.x,
    ),
    by_step(
        "weights-from-z-before",
        "the cached z of the layer before is taken for its a",
        13,
        "two layers, the first with any activation but the identity",
        needs=("hidden layer", "some not identity"),
        weight_gradient=lambda layer: layer.dL_dz.T @ _before_of_z(layer),
    ),
    # (11): the mean over the examples.
    _by_share(
        "mean-missing",
        "the derivatives are summed over the batch, while the loss is a mean",
        "reduction mean, a batch of two or more",
        lambda run: 1.0,
        ("mean", "batch"),
        "ratio N",
    ),
    _by_share(
        "mean-twice",
        "1/N is in the derivative of the loss and again in the update",
        "reduction mean, a batch of two or more",
        lambda run: 1 / len(run.x) ** 2 if _mean(run) else 1.0,
        ("mean", "batch"),
        "ratio 1/N",
    ),
    _by_share(
        "mean-always",
        "a gradient is always a mean, though the loss is reported as a sum",
        "reduction sum, a batch of two or more",
        lambda run: 1 / len(run.x),
        ("sum", "batch"),
        "ratio 1/N",
    ),
    _by_share(
        "mean-over-inputs",
        "shape[1] in place of shape[0] for the number of examples",
        "reduction mean, N other than n_0; N = n_0 hides it",
        lambda run: 1 / run.x.shape[1] if _mean(run) else 1.0,
        ("mean",),
        "ratio N/n_0",
    ),
    _by_share(
        "mean-by-length-of-one-example",
        "N = len(x), which for one example is the number of its inputs",
        "reduction mean, one example without batch axis, two inputs or more",
        lambda run: 1 / len(run.x_given) if _mean(run) else 1.0,
        ("mean", "one example", "2 inputs"),
        "ratio 1/n_0",
    ),
    _by_share(
        "mean-of-a-sample",
        "1/(N - 1), as for the variance of a sample",
        "reduction mean, a batch of two or more",
        lambda run: 1 / max(len(run.x) - 1, 1) if _mean(run) else 1.0,
        ("mean", "batch"),
        "ratio N/(N-1)",
    ),
    # (7): the bias's derivative.
    by_step(
        "bias-over-the-units",
        "the sum runs along axis 1",
        7,
        "N = n, two or more: wrong numbers; other N: a wrong shape",
        bias_gradient=lambda layer: layer.dL_dz.sum(axis=1),
    ),
    by_step(
        "bias-mean",
        "the bias's derivative is the mean over the batch, though dL/da holds 1/N already",
        7,
        "a batch of two or more",
        signature="ratio 1/N",
        needs=("batch",),
        bias_gradient=lambda layer: layer.dL_dz.mean(axis=0),
    ),
    by_step(
        "bias-only-first-example",
        "dL/dz[0], as for one example",
        7,
        "a batch of two or more",
        needs=("batch",),
        bias_gradient=lambda layer: layer.dL_dz[0],
    ),
    by_step(
        "bias-as-row",
        "keepdims=True was left in, so that dL/db has the shape (1, n)",
        7,
        "everywhere: the shape",
        signature="shape",
        bias_gradient=lambda layer: layer.dL_dz.sum(axis=0, keepdims=True),
    ),
    by_step(
        "bias-without-g-prime",
        "dz/db = 1, so dL/db is dL/da",
        7,
        "any activation whose derivative is not 1 where z lies",
        needs=("some not identity",),
        bias_gradient=lambda layer: (layer.dL_dz if layer.dL_da is None else layer.dL_da).sum(axis=0),
    ),
    by_step(
        "bias-times-bias",
        "dz/db = b, by analogy with the weights and their inputs",
        7,
        "any bias but 1",
        bias_gradient=lambda layer: RIGHT.bias_gradient(layer) * layer.b,
    ),
    by_step(
        "bias-from-weight-gradient",
        "dL/db is summed from dL/dw, which has a row for each unit",
        7,
        "nearly everywhere: dL/db is dL/dz times the sum of the inputs",
        bias_gradient=lambda layer: layer.dL_dw.sum(axis=1),
    ),
    by_step(
        "bias-summed-over-units",
        "sum() without an axis; the one number broadcasts to all biases",
        7,
        "a layer of two units or more",
        needs=("2 units in a layer",),
        bias_gradient=lambda layer: np.full_like(layer.b, layer.dL_dz.sum()),
    ),
    # (11) for α, with da/dα in place of the other two factors.
    by_step(
        "alpha-not-learned",
        "the slope is a constant, so its derivative is 0",
        11,
        "PReLU with a z below 0",
        signature="zero",
        needs=("prelu",),
        alpha_gradient=lambda layer: np.zeros_like(layer.slope),
    ),
    by_step(
        "alpha-other-side",
        "the sum runs over the units that are above 0",
        11,
        "PReLU",
        needs=("prelu",),
        alpha_gradient=lambda layer: _alpha(layer, layer.dL_da * np.maximum(layer.z, 0)),
    ),
    by_step(
        "alpha-both-sides",
        "da/dalpha = z, on both sides of 0",
        11,
        "PReLU with a z above 0",
        needs=("prelu",),
        alpha_gradient=lambda layer: _alpha(layer, layer.dL_da * layer.z),
    ),
    by_step(
        "alpha-sign",
        "da/dalpha is the size of z below 0",
        11,
        "PReLU with a z below 0",
        signature="ratio -1",
        needs=("prelu",),
        alpha_gradient=lambda layer: -RIGHT.alpha_gradient(layer),
    ),
    by_step(
        "alpha-through-g-prime",
        "dL/dz in place of dL/da: the slope is multiplied in",
        11,
        "PReLU with a z below 0 and an alpha but 1",
        needs=("prelu",),
        alpha_gradient=lambda layer: _alpha(layer, layer.dL_dz * np.minimum(layer.z, 0)),
    ),
    by_step(
        "alpha-shared-not-summed",
        "each unit has its derivative, though they share one alpha",
        11,
        "PReLU with one shared alpha: the shape",
        signature="shape",
        needs=("prelu", "shared alpha"),
        alpha_gradient=lambda layer: (layer.dL_da * np.minimum(layer.z, 0)).sum(axis=0),
    ),
    by_step(
        "alpha-shared-mean",
        "a shared alpha gets the mean of its units' derivatives",
        11,
        "PReLU with one shared alpha and two units or more",
        signature="ratio 1/n",
        needs=("shared alpha", "2 units in a layer"),
        alpha_gradient=lambda layer: np.asarray(
            RIGHT.alpha_gradient(layer) if np.ndim(layer.slope) else RIGHT.alpha_gradient(layer) / len(layer.b)
        ),
    ),
    by_step(
        "alpha-only-first-example",
        "the derivative of example 0",
        11,
        "PReLU on a batch of two or more",
        needs=("prelu", "batch"),
        alpha_gradient=lambda layer: _alpha(layer, (layer.dL_da * np.minimum(layer.z, 0))[:1]),
    ),
    # (14): what goes back to the layer before.
    by_step(
        "upstream-transposed",
        "dL/dz @ w.T, as in the forward pass",
        14,
        "square layers of two units or more: wrong numbers; other shapes an error; width 1 hides it",
        signature="transpose",
        needs=("2 units in some layer",),
        upstream=lambda layer: layer.dL_dz @ layer.w.T,
    ),
    by_step(
        "upstream-of-the-bare-error",
        "what goes back from the output layer is the error itself, without the output's g'",
        14,
        "squared error, an output activation whose derivative is not 1 where z lies, two layers; dL/dx always",
        needs=("squared error", "output not identity"),
        upstream=lambda layer: (
            layer.dL_da @ layer.w if layer is layer.run.last and layer.dL_da is not None else RIGHT.upstream(layer)
        ),
    ),
    by_step(
        "upstream-sum-over-k",
        "the weights are summed over k in place of j",
        14,
        "two units in some layer: wrong numbers on square layers, a wrong shape or an error on others",
        needs=("2 units in some layer",),
        upstream=lambda layer: layer.dL_dz * layer.w.sum(axis=1),
    ),
    by_step(
        "upstream-with-bias",
        "dz/da is taken for w + b",
        14,
        "any bias but 0, two layers; dL/dx always",
        upstream=lambda layer: layer.dL_dz @ (layer.w + layer.b[:, None]),
    ),
    by_step(
        "upstream-updated-weights",
        "each layer takes its step as soon as its derivative is known, before the error passes through it",
        14,
        "two layers; dL/dx always",
        kind="order",
        upstream=lambda layer: layer.dL_dz @ (layer.w - layer.w.dtype.type(0.1) * layer.dL_dw),
    ),
    by_step(
        "upstream-mean-over-batch",
        "every example passes back the average of the batch",
        14,
        "a batch of two or more whose derivatives differ, two layers; dL/dx always",
        needs=("batch",),
        upstream=lambda layer: 0 * layer.a_prev + RIGHT.upstream(layer).mean(axis=0),
    ),
    by_step(
        "upstream-stops-after-two-layers",
        "the derivation for two layers is typed in; layers further down get 0",
        14,
        "three layers or more; dL/dx from two on",
        kind="order",
        signature="zero",
        needs=("hidden layer",),
        upstream=lambda layer: RIGHT.upstream(layer) * (layer is layer.run.last),
    ),
    by_step(
        "upstream-into-integer-array",
        "np.zeros_like(x) holds dL/dx; with integer inputs it cuts off the fractions",
        14,
        "integers in x: dL/dx alone",
        kind="dtype",
        needs=("integers in x",),
        upstream=_into_array_of_inputs,
    ),
    # The order of layers.
    by_step(
        "first-layer-skipped",
        "the loop over the weights is range(L - 1, 0, -1), which ends before layer 1",
        11,
        "two layers or more: the first layer's weights get 0",
        kind="order",
        signature="zero",
        needs=("hidden layer",),
        weight_gradient=lambda layer: RIGHT.weight_gradient(layer) * (layer.before is not None or layer is layer.run.last),
    ),
    _named_by(
        "layers-in-backward-order",
        "the derivatives are appended as they are found, last layer first, and named in that order",
        "two layers or more: wrong shapes, or with equal widths wrong numbers",
        "reversed",
        lambda number, layers: layers + 1 - number,
        needs=("hidden layer",),
    ),
    _named_by(
        "layers-counted-from-0",
        "layers are numbered from 0, like everything in Python",
        "everywhere: the names",
        "names",
        lambda number, layers: number - 1,
    ),
)

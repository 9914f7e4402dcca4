"""JAX, autograd and MyGrad: one loss in NumPy's manner, and each one's derivatives of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

import handgrad as hg
from verification.benchmark.subject import Subject

Array = npt.NDArray[Any]
Activations = Mapping[str, Callable[[Any], Any]]


def of_jax(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return jit of value_and_grad, waited for."""
    import jax
    import jax.numpy as jnp

    # Without it float64 becomes float32; float32 stays what it is.
    jax.config.update("jax_enable_x64", True)
    activations = {"identity": lambda z: z, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}

    def cross_entropy(z: Any, target: Any) -> Any:
        return -jnp.take_along_axis(jax.nn.log_softmax(z), target[:, None], axis=1).mean()

    loss = _loss(net, activations, cross_entropy)
    parameters, inputs, targets = jax.tree.map(jnp.asarray, (_pairs(net), x, y))
    compiled = jax.jit(jax.value_and_grad(loss))
    return Subject(lambda: jax.block_until_ready(compiled(parameters, inputs, targets)), _of_pairs)


def of_autograd(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return autograd's value_and_grad."""
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.special import logsumexp

    activations = {
        "identity": lambda z: z,
        "sigmoid": lambda z: 1 / (1 + anp.exp(-z)),
        "tanh": anp.tanh,
        "relu": lambda z: anp.maximum(z, 0),
    }

    # Its own examples multiply by the classes' indicators, too.
    def cross_entropy(z: Any, target: Any) -> Any:
        return -anp.sum((z - logsumexp(z, axis=1, keepdims=True)) * target) / len(target)

    targets = np.eye(net.widths[-1], dtype=net.dtype)[y] if net.loss_name == "cross_entropy" else y
    parameters, differentiated = _pairs(net), value_and_grad(_loss(net, activations, cross_entropy))
    return Subject(lambda: differentiated(parameters, x, targets), _of_pairs)


def of_mygrad(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return MyGrad's backward(). Its guards against writing to arrays in use are off, as it advises for speed."""
    import mygrad as mg
    from mygrad.nnet.activations import relu, sigmoid
    from mygrad.nnet.losses import softmax_crossentropy

    activations = {"identity": lambda z: z, "sigmoid": sigmoid, "tanh": mg.tanh, "relu": relu}
    loss = _loss(net, activations, softmax_crossentropy)
    pairs = [(mg.tensor(w), mg.tensor(b)) for w, b in _pairs(net)]

    def run() -> tuple[Any, list[Any]]:
        with mg.mem_guard_off:
            value = loss(pairs, x, y)
            value.backward()
        return value, [parameter.grad for pair in pairs for parameter in pair]

    return Subject(run)


def _pairs(net: hg.Network) -> list[tuple[Array, Array]]:
    return [(layer.w.copy(), layer.b.copy()) for layer in net.layers]


def _of_pairs(answer: Any) -> tuple[float, list[Array]]:
    loss, pairs = answer
    return float(loss), [np.asarray(gradient) for pair in pairs for gradient in pair]


def _loss(net: hg.Network, activations: Activations, cross_entropy: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """Return the network's loss as a function of ((w1, b1), (w2, b2), …), x and y."""
    names = [layer.activation.name for layer in net.layers]
    joined = net.loss_name == "cross_entropy"
    if joined:
        names[-1] = "identity"
    forms = [activations[name] for name in names]

    def loss(pairs: Any, x: Any, y: Any) -> Any:
        a = x
        for (w, b), g in zip(pairs, forms, strict=True):
            a = g(a @ w.T + b)
        return cross_entropy(a, y) if joined else ((a - y) ** 2).sum() / len(x)

    return loss

"""Whose gradients are timed: handgrad's own, the others' each in its owner's own manner, and the limit; and whether they agree.

A package is loaded when it is called for.
"""

from __future__ import annotations

import inspect
import math
import os
import shutil
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np

import handgrad as hg
from handgrad import checks
from verification.benchmark.networks import Array

# The loss, and the derivatives by w1, b1, w2, b2, …
Answer = tuple[float, list[Array]]
# What the others stand beside.
OWN = "handgrad"
# micrograd makes a node of every number: more multiply-adds take too long.
MOST_MULTIPLY_ADDS = 20_000


class UnsuitedError(ValueError):
    """A peer cannot do this network; the message says why."""


class MissingError(ImportError):
    """A peer's package, or what it needs besides, is not installed."""


class DisagreementError(ValueError):
    """A peer's answer is another than handgrad's; the message says where."""


def plain(answer: Any) -> Answer:
    """Return the loss and the gradients of (loss, gradients) as NumPy's."""
    loss, gradients = answer
    return float(loss), [np.asarray(gradient) for gradient in gradients]


@dataclass(frozen=True)
class Subject:
    """A gradient ready to be computed, in its owner's types: `run` is timed, `read` makes an `Answer` of its result."""

    run: Callable[[], Any]
    read: Callable[[Any], Answer] = plain


def handgrad(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return handgrad's own: the public call with its checks and its result, of a network whose numbers nobody else has."""
    own = hg.Network(net.layers, net.loss_name, net.reduction)
    return Subject(lambda: own.gradient(x, y), lambda g: (g.loss, list(g.named().values())))


def products(net: hg.Network, x: Array) -> list[tuple[Array, Array, Array]]:
    """Return left, right and out of every matrix product of one gradient, in the order of one pass.

    These are z of every layer, then dL/dw and, but for the first layer, dL/da^(l−1) from the last layer to the first, each into
    memory that is there already. Nothing lies between the products, so that the numbers are no gradient.
    """
    a = [x, *(np.empty((len(x), n), net.dtype) for n in net.widths[1:])]
    found = [(a_prev, layer.w.T, z) for layer, a_prev, z in zip(net.layers, a, a[1:], strict=False)]
    for place, layer in reversed(list(enumerate(net.layers))):
        found.append((a[place + 1].T, a[place], np.empty_like(layer.w)))
        if place:
            # a^(l−1) has served, and its memory takes dL/da^(l−1).
            found.append((a[place + 1], layer.w, a[place]))
    return found


def bare(net: hg.Network, x: Array) -> Subject:
    """Return the limit, the products alone, as a subject; it has no answer to read."""
    row, dot = products(net, x), np.dot

    def run() -> None:
        for left, right, out in row:
            dot(left, right, out)

    return Subject(run)


def agree(answer: Answer, expected: Answer) -> None:
    """Raise a DisagreementError unless a peer's answer is handgrad's but for rounding.

    Shapes and dtypes are compared first. The norm of a difference may be √(n ε) of its array's own for sums of n terms: a
    pre-activation errs by about n ε of its size, so that about such a share of the ReLUs may be at their kink for rounding
    alone, and a share of the terms moves a norm by its square root.
    """
    (loss, gradients), (loss_expected, gradients_expected) = answer, expected
    if len(gradients) != len(gradients_expected):
        raise DisagreementError(f"it must give {len(gradients_expected)} gradients; got {len(gradients)}")
    names = [f"{kind}{number}" for number in range(1, len(gradients) // 2 + 1) for kind in ("w", "b")]
    rows = list(zip(names, gradients, gradients_expected, strict=True))
    for name, given, right in rows:
        if (given.shape, given.dtype) != (right.shape, right.dtype):
            raise DisagreementError(f"{name} must be {right.shape} {right.dtype}; got {given.shape} {given.dtype}")
    dtype, terms = gradients_expected[0].dtype, max(right.shape[-1] for right in gradients_expected)
    part = float(np.sqrt(terms * np.finfo(dtype).eps))
    for name, given, right in [*rows, ("the loss", np.asarray(loss, dtype), np.asarray(loss_expected, dtype))]:
        allowed, distance = part * float(np.linalg.norm(right)), float(np.linalg.norm(given - right))
        # A NaN is not close either.
        if not distance <= allowed:
            raise DisagreementError(f"{name} must be handgrad's within {allowed:.1e}; got {distance:.1e} beside it")


def _names(net: hg.Network) -> list[str]:
    """Return the layers' activations; softmax joined with cross-entropy counts as none."""
    names = [layer.activation.name for layer in net.layers]
    return [*names[:-1], "identity"] if net.loss_name == "cross_entropy" else names


def _of_tensors(answer: Any) -> Answer:
    return answer[0].item(), [gradient.numpy() for gradient in answer[1]]


def _pairs(net: hg.Network) -> list[tuple[Array, Array]]:
    return [(layer.w.copy(), layer.b.copy()) for layer in net.layers]


def _of_pairs(answer: Any) -> tuple[float, list[Array]]:
    loss, pairs = answer
    return float(loss), [np.asarray(gradient) for pair in pairs for gradient in pair]


def _loss(
    net: hg.Network,
    activations: Mapping[str, Callable[[Any], Any]],
    cross_entropy: Callable[[Any, Any], Any],
    linear: Callable[[Any, Any, Any], Any] = lambda a, w, b: a @ w.T + b,
    squared_error: Callable[[Any, Any], Any] = lambda a, target: ((a - target) ** 2).sum() / len(target),
) -> Callable[[Any, Any, Any], Any]:
    """Return the network's loss as a function of ((w1, b1), (w2, b2), …), x and y, in somebody's own functions."""
    forms = [activations[name] for name in _names(net)]
    of_outputs = cross_entropy if net.loss_name == "cross_entropy" else squared_error

    def loss(pairs: Any, a: Any, y: Any) -> Any:
        for (w, b), g in zip(pairs, forms, strict=True):
            a = g(linear(a, w, b))
        return of_outputs(a, y)

    return loss


def _torch_loss(net: hg.Network) -> Callable[[Any, Any, Any], Any]:
    """Return the loss written with torch.nn.functional."""
    import torch
    from torch.nn import functional as F  # noqa: N812  # the name that everybody gives it

    forms = {"identity": lambda z: z, "sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}
    return _loss(net, forms, F.cross_entropy, F.linear, lambda a, target: ((a - target) ** 2).sum(dim=1).mean())


def of_torch(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return torch.autograd.grad of a loss written with torch.nn.functional."""
    import torch

    loss = _torch_loss(net)
    parameters = [torch.tensor(array, requires_grad=True) for array in net.named().values()]
    pairs = list(zip(parameters[::2], parameters[1::2], strict=True))
    inputs, targets = torch.tensor(x), torch.tensor(y)

    def run() -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        value = loss(pairs, inputs, targets)
        return value, torch.autograd.grad(value, parameters)

    return Subject(run, _of_tensors)


def of_torch_compile(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return torch.compile of torch.func.grad_and_value of the same loss, which becomes one graph.

    torch.autograd.grad of a compiled loss would leave autograd's own work in every call, and may not stand inside.
    """
    import torch

    if lacking := _lacking_to_compile():
        raise MissingError(f"torch.compile needs {lacking}, and there is none")
    parameters, inputs, targets = [torch.tensor(array) for array in net.named().values()], torch.tensor(x), torch.tensor(y)
    pairs = list(zip(parameters[::2], parameters[1::2], strict=True))
    # The graphs of the networks before count as this function's, and after eight it would no longer be compiled.
    torch.compiler.reset()
    compiled = torch.compile(torch.func.grad_and_value(_torch_loss(net)), fullgraph=True, dynamic=False)

    def read(answer: Any) -> Answer:
        gradients, loss = answer
        return loss.item(), [gradient.numpy() for pair in gradients for gradient in pair]

    return Subject(lambda: compiled(pairs, inputs, targets), read)


def _lacking_to_compile() -> str:
    """Return what torch.compile, which writes C++, lacks on this machine; "" if nothing."""
    compiler = os.environ.get("CXX") or {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")
    if shutil.which(compiler) is None:
        return f"a C++ compiler ({compiler})"
    header = Path(sysconfig.get_path("include"), "Python.h")
    return "" if header.exists() else f"Python's headers ({header})"


def of_torch_module(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return backward() of an nn.Sequential."""
    import torch

    from verification.autograd.twins import to_torch, to_torch_loss

    model, of_loss = to_torch(net), to_torch_loss(net)
    parameters = list(model.parameters())
    inputs, targets = torch.tensor(x), torch.tensor(y)

    def run() -> tuple[torch.Tensor, list[torch.Tensor | None]]:
        model.zero_grad()
        loss: torch.Tensor = of_loss(model(inputs), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss, [parameter.grad for parameter in parameters]

    return Subject(run, _of_tensors)


def of_torch_by_hand(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return the matrix form in torch's operations, without its autograd."""
    import torch
    from torch.nn import functional as F  # noqa: N812  # the name that everybody gives it

    # a from z, and dL/dz from a and dL/da.
    forms: dict[str, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {
        "identity": (lambda z: z, lambda a, dL_da: dL_da),
        "sigmoid": (torch.sigmoid, lambda a, dL_da: dL_da * a * (1 - a)),
        "tanh": (torch.tanh, lambda a, dL_da: dL_da * (1 - a * a)),
        "relu": (torch.relu, lambda a, dL_da: dL_da * (a > 0)),
    }
    pairs = [(torch.tensor(layer.w), torch.tensor(layer.b)) for layer in net.layers]
    inputs, targets, joined = torch.tensor(x), torch.tensor(y), net.loss_name == "cross_entropy"
    activations = [forms[name] for name in _names(net)]
    count, every = len(x), torch.arange(len(x))

    @torch.no_grad()
    def run() -> tuple[torch.Tensor, list[torch.Tensor]]:
        a = [inputs]
        for (w, b), (g, _) in zip(pairs, activations, strict=True):
            a.append(g(torch.addmm(b, a[-1], w.t())))
        if joined:
            log_p = F.log_softmax(a[-1], dim=1)
            loss = F.nll_loss(log_p, targets)
            dL_da = log_p.exp_()
            dL_da[every, targets] -= 1
            dL_da /= count
        else:
            error = a[-1] - targets
            loss = error.square().sum() / count
            dL_da = error.mul_(2 / count)
        gradients: list[torch.Tensor] = []
        for place in reversed(range(len(pairs))):
            dL_dz = activations[place][1](a[place + 1], dL_da)
            gradients += [dL_dz.sum(dim=0), dL_dz.t() @ a[place]]
            if place:
                dL_da = dL_dz @ pairs[place][0]
        return loss, gradients[::-1]

    return Subject(run, _of_tensors)


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


def of_numba(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return the pass written in loops for numba; its large products are the BLAS's of SciPy."""
    from verification.benchmark.jitted import CODES, compiled

    arrays = list(net.named().values())
    theta = np.concatenate([array.ravel() for array in arrays])
    layers = np.array([(*layer.w.shape[::-1], CODES[name]) for layer, name in zip(net.layers, _names(net), strict=True)])
    gradient, ends = compiled(net.loss_name), np.cumsum([array.size for array in arrays])[:-1]

    def read(answer: Any) -> Answer:
        loss, dL_dtheta = answer
        parts = zip(np.split(dL_dtheta, ends), arrays, strict=True)
        return float(loss), [part.reshape(array.shape) for part, array in parts]

    return Subject(lambda: gradient(theta, layers, x, y), read)


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


def of_sklearn(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return `_backprop`, which is private and may change, of an MLPClassifier or MLPRegressor with the network's weights."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    classifies = net.loss_name == "cross_entropy"
    make, suited = (MLPClassifier, "softmax") if classifies else (MLPRegressor, "identity")
    *hidden, output = (layer.activation.name for layer in net.layers)
    if output != suited:
        raise UnsuitedError(f"after {net.loss_name} its output layer must be {suited}; got {output}")
    if len(set(hidden)) > 1:
        raise UnsuitedError(f"its hidden layers must have one activation; got {', '.join(hidden)}")
    known = {"identity": "identity", "sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}
    activation = known[hidden[0] if hidden else "identity"]
    mlp = make(hidden_layer_sizes=net.widths[1:-1], activation=activation, alpha=0.0)
    mlp.n_layers_, mlp.n_outputs_, mlp.out_activation_ = len(net.widths), net.widths[-1], output
    mlp.coefs_ = [np.ascontiguousarray(layer.w.T) for layer in net.layers]
    mlp.intercepts_ = [layer.b.copy() for layer in net.layers]
    targets = np.eye(net.widths[-1], dtype=net.dtype)[y] if classifies else y
    weights = {"sample_weight": None} if "sample_weight" in inspect.signature(mlp._backprop).parameters else {}
    empty = [None] * len(net.layers)

    def run() -> Any:
        lists = {"activations": [x, *empty], "deltas": [*empty], "coef_grads": [*empty], "intercept_grads": [*empty]}
        return mlp._backprop(x, targets, **weights, **lists)

    # Its squared loss is half the mean over outputs and examples; its gradient is that of half the mean over examples.
    of_loss, of_gradient = (1, 1) if classifies else (2 * net.widths[-1], 2)

    def read(answer: Any) -> Answer:
        loss, of_coefs, of_intercepts = answer
        pairs = zip(of_coefs, of_intercepts, strict=True)
        return of_loss * float(loss), [of_gradient * array for dw, db in pairs for array in (dw.T, db)]

    return Subject(run, read)


def of_micrograd(net: hg.Network, x: Array, y: Array) -> Subject:
    """Return micrograd's backward() of the loss, written over every index."""
    from micrograd.engine import Value

    if net.dtype != np.float64:
        raise UnsuitedError("it computes in Python's numbers, which are float64")
    multiply_adds = sum(len(left) * right.size for left, right, _ in products(net, x))
    if multiply_adds > MOST_MULTIPLY_ADDS:
        raise UnsuitedError(f"it is asked for at most {MOST_MULTIPLY_ADDS:,} multiply-adds")
    node, slope = np.frompyfunc(Value, 1, 1), np.frompyfunc(attrgetter("grad"), 1, 1)
    parameters = [node(array) for array in net.named().values()]
    lists = [array.tolist() for array in parameters]
    pairs = list(zip(lists[::2], lists[1::2], strict=True))
    numbers = [number for array in parameters for number in array.flat]
    forms, joined = [NODES[name] for name in _names(net)], net.loss_name == "cross_entropy"
    examples, targets = x.tolist(), y.tolist()

    def of_example(a: list[Any], target: Any) -> Any:
        for (w, b), g in zip(pairs, forms, strict=True):
            a = [g(sum((w_jk * a_k for w_jk, a_k in zip(w_j, a, strict=True)), b_j)) for w_j, b_j in zip(w, b, strict=True)]
        if joined:
            return log(sum(exp(z_j) for z_j in a)) - a[target]
        return sum((a_j - y_j) ** 2 for a_j, y_j in zip(a, target, strict=True))

    def run() -> Any:
        for number in numbers:
            number.grad = 0
        loss = sum(of_example(a, target) for a, target in zip(examples, targets, strict=True)) / len(examples)
        loss.backward()
        return loss

    return Subject(run, lambda loss: (loss.data, [slope(array).astype(np.float64) for array in parameters]))


def _node(of: Callable[[float], float], slope: Callable[[float, float], float]) -> Callable[[Any], Any]:
    """Return a function that micrograd lacks, in its own style: of a number, and its slope from the number and the result."""

    def function(z: Any) -> Any:
        out = type(z)(of(z.data), (z,), of.__name__)

        def _backward() -> None:
            z.grad += slope(z.data, out.data) * out.grad

        out._backward = _backward
        return out

    return function


exp = _node(math.exp, lambda z, a: a)
log = _node(math.log, lambda z, a: 1 / z)
NODES: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "sigmoid": lambda z: (1 + exp(-z)) ** -1,
    "tanh": _node(math.tanh, lambda z, a: 1 - a**2),
    "relu": lambda z: z.relu(),
}


@dataclass(frozen=True)
class Peer:
    """Somebody else's backpropagation: what is installed, what is imported, and what calls it."""

    package: str
    module: str
    make: Callable[[hg.Network, Array, Array], Subject]

    @property
    def version(self) -> str | None:
        """The installed version; None if it is not installed."""
        return metadata.version(self.package) if find_spec(self.module) else None


PEERS = {
    "torch": Peer("torch", "torch", of_torch),
    "torch-module": Peer("torch", "torch", of_torch_module),
    "torch-hand": Peer("torch", "torch", of_torch_by_hand),
    "torch-compile": Peer("torch", "torch", of_torch_compile),
    "jax": Peer("jax", "jax", of_jax),
    "numba": Peer("numba", "numba", of_numba),
    "autograd": Peer("autograd", "autograd", of_autograd),
    "mygrad": Peer("mygrad", "mygrad", of_mygrad),
    "sklearn": Peer("scikit-learn", "sklearn", of_sklearn),
    "micrograd": Peer("micrograd", "micrograd", of_micrograd),
}
# Whoever compiles each network for ten seconds is left out where time is short.
SLOW = ("torch-compile",)


def subject(name: str, net: hg.Network, x: Array, y: Array) -> Subject:
    """Return handgrad or the peer of this name with this network and batch, ready to be called, in its own types.

    ValueError if there is no such peer, MissingError if it is not installed, UnsuitedError if it cannot do this network.
    """
    if name == OWN:
        return handgrad(net, x, y)
    peer = PEERS[checks.one_of("peers", name, PEERS)]
    if find_spec(peer.module) is None:
        raise MissingError(f"{peer.package} is not installed; the extra benchmark brings it")
    return peer.make(net, x, y)

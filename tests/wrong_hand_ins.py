"""Wrong backpropagations as students hand them in, each with what must be said of it: the table `WRONG` at the end.

Every one is code of its own, in plain NumPy, that returns the parameters' derivatives and at most the loss. It is right within
what it declares but for what its docstring says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from verification import supports


@dataclass(frozen=True)
class Wrong:
    """A wrong submission with what must be said of it.

    Parameters
    ----------
    name, submission : str, callable
        What it is called; the function or class.
    equations : tuple of frozenset of int
        One set for each mistake: the equations any of which is right to blame. Empty where none is to be blamed.
    places : tuple of str
        The derivatives that are wrong, or of the wrong shape; no other ever is. Empty where that depends on the network.
    zeros, raises, noise : bool
        All derivatives are 0; every call ends in an error; two answers to the same question differ now and then.
    halved : bool
        The loss is half the squared error, and the gradient belongs to it: a convention, beside the mistakes in `equations`;
        those of `halved` itself, which has no other, are for who takes the convention for a mistake.
    state : bool
        The first answer of an instance is right: only a row of calls shows it.
    breaks : bool
        On some of the networks that it declares it raises, or answers in another shape.
    beyond : bool
        It shows only on networks with more units or examples than are usually drawn.
    """

    name: str
    submission: Callable[..., Any]
    equations: tuple[frozenset[int], ...] = ()
    places: tuple[str, ...] = ()
    zeros: bool = False
    raises: bool = False
    noise: bool = False
    halved: bool = False
    state: bool = False
    breaks: bool = False
    beyond: bool = False


# The bias, and which factors the derivatives by w and b are made of.


@supports(
    activations=["relu"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    reductions=["mean"],
    dtypes=["float64"],
    single=False,
    layers=2,
)
def bias_from_weights(network, X, y):
    """The biases' derivatives are sums of the weights'."""
    W1, W2 = network.weights
    b1, b2 = network.biases
    num_train = X.shape[0]
    hidden = np.maximum(0, X @ W1.T + b1)
    scores = hidden @ W2.T + b2
    scores -= scores.max(axis=1, keepdims=True)
    sums = np.exp(scores).sum(axis=1, keepdims=True)
    probs = np.exp(scores) / sums
    loss = np.mean(np.log(sums[:, 0]) - scores[np.arange(num_train), y])

    dscores = probs.copy()
    dscores[np.arange(num_train), y] -= 1
    dscores /= num_train
    dhidden = dscores @ W2
    dhidden[hidden <= 0] = 0
    dW2 = dscores.T @ hidden
    dW1 = dhidden.T @ X
    db2 = dW2.sum(axis=1)
    db1 = dW1.sum(axis=1)
    return {"w1": dW1, "b1": db1, "w2": dW2, "b2": db2, "loss": loss}


@supports(activations=["tanh"], losses=["squared_error"], reductions=["sum"], single=False, layers=3)
def middle_weights_twice(network, x, y):
    """The derivative by the middle weights has a factor 2 too many."""
    (w1, w2, w3), (b1, b2, b3) = network.weights, network.biases
    a1 = np.tanh(x @ w1.T + b1)
    a2 = np.tanh(a1 @ w2.T + b2)
    a3 = np.tanh(a2 @ w3.T + b3)
    d3 = 2 * (a3 - y) * (1 - a3**2)
    d2 = (d3 @ w3) * (1 - a2**2)
    d1 = (d2 @ w2) * (1 - a1**2)
    return {
        "w3": d3.T @ a2,
        "b3": d3.sum(axis=0),
        "w2": 2 * d2.T @ a1,
        "b2": d2.sum(axis=0),
        "w1": d1.T @ x,
        "b1": d1.sum(axis=0),
    }


@supports(
    activations=["relu"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["one_hot"],
    reductions=["mean"],
    dtypes=["float64"],
    single=False,
    layers=3,
)
def two_factors_planted(network, X, Y):
    """Columns are examples; dW1 is taken three times and db3 four times."""
    W1, W2, W3 = network.weights
    b1, b2, b3 = (b.reshape(-1, 1) for b in network.biases)
    X, Y = X.T, Y.T
    m = X.shape[1]
    A1 = np.maximum(0, np.dot(W1, X) + b1)
    A2 = np.maximum(0, np.dot(W2, A1) + b2)
    Z3 = np.dot(W3, A2) + b3
    E = np.exp(Z3 - np.max(Z3, axis=0, keepdims=True))
    A3 = E / np.sum(E, axis=0, keepdims=True)

    dZ3 = A3 - Y
    dW3 = 1.0 / m * np.dot(dZ3, A2.T)
    db3 = 4.0 / m * np.sum(dZ3, axis=1)
    dZ2 = np.multiply(np.dot(W3.T, dZ3), np.int64(A2 > 0))
    dW2 = 1.0 / m * np.dot(dZ2, A1.T)
    db2 = 1.0 / m * np.sum(dZ2, axis=1)
    dZ1 = np.multiply(np.dot(W2.T, dZ2), np.int64(A1 > 0))
    dW1 = 1.0 / m * np.dot(dZ1, X.T) * 3
    db1 = 1.0 / m * np.sum(dZ1, axis=1)
    return {"w1": dW1, "b1": db1, "w2": dW2, "b2": db2, "w3": dW3, "b3": db3}


@supports(activations=["sigmoid"], losses=["squared_error"], reductions=["sum"], dtypes=["float64"], single=False, layers=2)
def output_weights_without_slope(network, x, y):
    """XOR by hand, one example after the other: the output's g′ is in the hidden derivatives, not in dL/dw2."""
    w1, w2 = network.weights
    b1, b2 = network.biases
    grads = {"w1": np.zeros_like(w1), "b1": np.zeros_like(b1), "w2": np.zeros_like(w2), "b2": np.zeros_like(b2)}
    for inputs, target in zip(x, y, strict=True):
        hidden = 1 / (1 + np.exp(-(w1 @ inputs + b1)))
        output = 1 / (1 + np.exp(-(w2 @ hidden + b2)))
        error = 2 * (output - target)
        delta_output = error * output * (1 - output)
        delta_hidden = w2.T @ delta_output * hidden * (1 - hidden)
        grads["w2"] += np.outer(error, hidden)
        grads["b2"] += delta_output
        grads["w1"] += np.outer(delta_hidden, inputs)
        grads["b1"] += delta_hidden
    return grads


@supports(
    activations=["tanh"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    dtypes=["float64"],
    single=False,
    layers=2,
)
def bias_summed_over_units(network, x, y):
    """np.sum(dz) has no axis, and adding it to zeros of the right shape hides that."""
    (W1, W2), (b1, b2) = network.weights, network.biases
    a1 = np.tanh(x @ W1.T + b1)
    z2 = a1 @ W2.T + b2
    z2 = z2 - np.max(z2, axis=1, keepdims=True)
    log_p = z2 - np.log(np.sum(np.exp(z2), axis=1, keepdims=True))
    scale = 1 / len(x) if network.reduction == "mean" else 1
    rows = np.arange(len(x))
    loss = -scale * np.sum(log_p[rows, y])

    dW1, db1 = np.zeros_like(W1), np.zeros_like(b1)
    dW2, db2 = np.zeros_like(W2), np.zeros_like(b2)
    dz2 = np.exp(log_p)
    dz2[rows, y] -= 1
    dz2 *= scale
    dW2 += dz2.T @ a1
    db2 += np.sum(dz2)
    dz1 = (dz2 @ W2) * (1 - a1 * a1)
    dW1 += dz1.T @ x
    db1 += np.sum(dz1)
    return {"w1": dW1, "b1": db1, "w2": dW2, "b2": db2, "loss": loss}


@supports(
    activations=["softmax"],
    losses=["cross_entropy"],
    targets=["one_hot", "distribution"],
    reductions=["mean"],
    dtypes=["float64"],
    single=False,
    layers=1,
)
def softmax_regression_bias(network, x, y):
    """Softmax regression: the bias's derivative is the mean over examples of the sum over classes, for every class."""
    theta, bias = network.weights[0], network.biases[0]
    logits = x @ theta.T + bias
    logits -= logits.max(axis=1, keepdims=True)
    p = np.exp(logits)
    p /= p.sum(axis=1, keepdims=True)
    d = (p - y) / x.shape[0]
    grad_bias = np.zeros(len(bias))
    grad_bias[:] = np.sum(d)
    return {"w1": d.T @ x, "b1": grad_bias}


@supports(activations=["sigmoid"], losses=["squared_error"], reductions=["sum"], single=False)
def bias_averaged(network, x, y):
    """The loss is a sum over the examples, and so is dL/dw; dL/db is a mean."""
    layers = list(zip(network.weights, network.biases, strict=True))
    outs = [x]
    for w, b in layers:
        outs.append(1 / (1 + np.exp(-(outs[-1] @ w.T + b))))
    loss = ((outs[-1] - y) ** 2).sum()
    grads = {"loss": loss}
    delta = 2 * (outs[-1] - y)
    for n in range(len(layers), 0, -1):
        delta = delta * outs[n] * (1 - outs[n])
        grads[f"w{n}"] = delta.T @ outs[n - 1]
        grads[f"b{n}"] = delta.mean(axis=0)
        delta = delta @ layers[n - 1][0]
    return grads


# Cross-entropy and p − y.


@supports(
    activations=["relu"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    reductions=["mean"],
    dtypes=["float64"],
    single=False,
)
def only_the_normaliser(network, x, y):
    """L = log(sum(e^s)) − s_y: only the logarithm is differentiated, and p stands for p − y."""
    N = x.shape[0]
    acts = [x]
    for W, b in zip(network.weights[:-1], network.biases[:-1], strict=True):
        acts.append(np.maximum(acts[-1] @ W.T + b, 0))
    s = acts[-1] @ network.weights[-1].T + network.biases[-1]
    s = s - s.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(s).sum(axis=1))
    loss = (log_sum - s[np.arange(N), y]).sum() / N

    grads = {"loss": loss}
    ds = np.exp(s - log_sum[:, None]) / N
    for i in range(len(network.weights), 0, -1):
        grads[f"w{i}"] = ds.T @ acts[i - 1]
        grads[f"b{i}"] = ds.sum(axis=0)
        ds = (ds @ network.weights[i - 1]) * (acts[i - 1] > 0)
    return grads


@supports(
    activations=["tanh"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    reductions=["mean"],
    dtypes=["float64"],
    single=False,
    layers=2,
)
def one_hot_of_labels_seen(network, x, y):
    """The number of classes is the number of different labels in the batch."""
    W1, W2 = network.weights
    b1, b2 = network.biases
    labels = np.eye(len(np.unique(y)))[y]
    h = np.tanh(x @ W1.T + b1)
    e = h @ W2.T + b2
    e = np.exp(e - e.max(axis=1, keepdims=True))
    probs = e / e.sum(axis=1, keepdims=True)
    d2 = (probs - labels) / len(y)
    d1 = (d2 @ W2) * (1 - h**2)
    return {"w2": d2.T @ h, "b2": d2.sum(axis=0), "w1": d1.T @ x, "b1": d1.sum(axis=0)}


@supports(
    activations=["relu", "identity"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["one_hot"],
    reductions=["sum"],
    dtypes=["float64"],
)
def divided_by_classes(network, x, y):
    """np.mean over the one-hot rows, in the gradient alone: p − y is divided by the number of classes."""
    x, y = np.atleast_2d(x), np.atleast_2d(y)
    zs, hs = [], [x]
    for W, b, name in zip(network.weights, network.biases, network.activations, strict=True):
        z = hs[-1] @ W.T + b
        zs.append(z)
        if name == "relu":
            hs.append(z * (z > 0))
        elif name == "identity":
            hs.append(z)
    log_p = zs[-1] - zs[-1].max(axis=1, keepdims=True)
    log_p = log_p - np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    num_classes = y.shape[1]
    dz = (np.exp(log_p) - y) / num_classes
    out = {"loss": -np.sum(y * log_p)}
    for i in reversed(range(len(zs))):
        out[f"w{i + 1}"], out[f"b{i + 1}"] = dz.T @ hs[i], dz.sum(axis=0)
        if i > 0:
            dz = dz @ network.weights[i]
            if network.activations[i - 1] == "relu":
                dz = dz * (zs[i - 1] > 0)
    return out


@supports(activations=["tanh"], outputs=["identity", "softmax"], dtypes=["float64"], targets=["one_hot"], single=False)
def cross_entropy_with_the_two(network, x, y):
    """Both losses, one line for both: the 2 of the squared error stands before p − y, too."""
    a = [x]
    for i, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        z = a[-1] @ w.T + b
        if i < len(network.weights) - 1:
            a.append(np.tanh(z))
        elif network.activations[-1] == "softmax":
            e = np.exp(z - z.max(axis=1, keepdims=True))
            a.append(e / e.sum(axis=1, keepdims=True))
        else:
            a.append(z)
    error = 2 * (a[-1] - y)
    if network.reduction == "mean":
        error = error / len(x)
    if network.loss == "squared_error" and network.activations[-1] == "softmax":
        delta = a[-1] * (error - (error * a[-1]).sum(axis=1, keepdims=True))
    else:
        delta = error
    result = {}
    for i in range(len(network.weights) - 1, -1, -1):
        result[f"w{i + 1}"] = delta.T @ a[i]
        result[f"b{i + 1}"] = delta.sum(axis=0)
        delta = delta @ network.weights[i] * (1 - a[i] ** 2)
    return result


# The forward pass.


@supports(
    activations=["relu"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    reductions=["mean"],
    dtypes=["float64"],
    single=False,
    layers=2,
)
def hidden_bias_forgotten(network, x, y):
    """The hidden layer's bias is not in z, though its derivative is returned."""
    w_hidden, w_out = network.weights
    _, b_out = network.biases
    n = len(x)
    h = x @ w_hidden.T
    h = np.where(h > 0, h, 0)
    logits = h @ w_out.T + b_out
    logits = logits - logits.max(axis=1)[:, None]
    log_probs = logits - np.log(np.exp(logits).sum(axis=1))[:, None]
    loss = -log_probs[range(n), y].mean()
    d_out = np.exp(log_probs)
    d_out[range(n), y] -= 1
    d_out = d_out / n
    d_hidden = d_out @ w_out
    d_hidden = np.where(h > 0, d_hidden, 0)
    return {
        "w1": d_hidden.T @ x,
        "b1": d_hidden.sum(axis=0),
        "w2": d_out.T @ h,
        "b2": d_out.sum(axis=0),
        "loss": loss,
    }


@supports(activations=["tanh"], losses=["squared_error"], dtypes=["float64"], batches=False, layers=2)
def hidden_bias_forgotten_tanh(network, x, y):
    """As `hidden_bias_forgotten`, for one example, tanh and the squared error."""
    w1, w2 = network.weights
    h = np.tanh(np.dot(w1, x))
    o = np.tanh(np.dot(w2, h) + network.biases[1])
    delta2 = 2 * (o - y) * (1 - np.square(o))
    delta1 = np.dot(w2.T, delta2) * (1 - np.square(h))
    return {"w1": np.outer(delta1, x), "b1": delta1, "w2": np.outer(delta2, h), "b2": delta2}


@supports(activations=["leaky_relu"], outputs=["leaky_relu", "identity"], reductions=["mean"], dtypes=["float64"], single=False)
def leaky_relu_as_maximum(network, x, y):
    """max(z, slope·z) is leaky ReLU only for slopes up to 1."""
    alphas = network.slopes
    pre, post = [], [x]
    for W, b, name, alpha in zip(network.weights, network.biases, network.activations, alphas, strict=True):
        z = post[-1] @ W.T + b
        pre.append(z)
        post.append(np.maximum(z, alpha * z) if name == "leaky_relu" else z)
    loss = np.sum((post[-1] - y) ** 2) / len(x)
    grads = {"loss": loss}
    grad = 2 * (post[-1] - y) / len(x)
    for k in range(len(pre), 0, -1):
        if network.activations[k - 1] == "leaky_relu":
            grad = grad * np.where(pre[k - 1] > 0, 1.0, alphas[k - 1])
        grads[f"w{k}"] = grad.T @ post[k - 1]
        grads[f"b{k}"] = grad.sum(axis=0)
        grad = grad @ network.weights[k - 1]
    return grads


@supports(
    activations=["tanh"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["one_hot", "distribution"],
    reductions=["mean"],
    dtypes=["float64"],
    layers=2,
)
def softmax_down_the_batch(network, x, y):
    """A softmax written for one example: with rows of examples, axis 0 is the batch."""
    (W1, W2), (b1, b2) = network.weights, network.biases
    h = np.tanh(x @ W1.T + b1)
    scores = h @ W2.T + b2
    e = np.exp(scores - np.max(scores, axis=0))
    p = e / np.sum(e, axis=0)
    dscores = np.atleast_2d(p - y)
    dscores = dscores / len(dscores)
    dh = dscores @ W2 * (1 - h**2)
    return {
        "w1": dh.T @ np.atleast_2d(x),
        "b1": dh.sum(axis=0),
        "w2": dscores.T @ np.atleast_2d(h),
        "b2": dscores.sum(axis=0),
    }


@supports(activations=["sigmoid"], losses=["squared_error"], dtypes=["float64"], single=False)
def forward_without_transpose(network, X, Y):
    """z = X W + b: it fits square layers alone."""
    cache = [X]
    for W, b in zip(network.weights, network.biases, strict=True):
        Z = np.matmul(cache[-1], W) + b
        cache.append(1.0 / (1.0 + np.exp(-Z)))
    AL = cache[-1]
    dA = 2.0 * (AL - Y)
    if network.reduction == "mean":
        dA /= Y.shape[0]
    grads = {}
    for number in range(len(network.weights), 0, -1):
        A, A_prev = cache[number], cache[number - 1]
        dZ = dA * A * (1 - A)
        grads[f"w{number}"] = np.matmul(dZ.T, A_prev)
        grads[f"b{number}"] = np.sum(dZ, axis=0)
        dA = np.matmul(dZ, network.weights[number - 1])
    return grads


# The derivatives of the activations.


@supports(activations=["identity", "sigmoid", "tanh", "relu"], losses=["squared_error"], dtypes=["float64"], single=False)
def first_derivative_everywhere(network, x, y):
    """The derivative is chosen once, by the first layer's activation."""
    functions = {
        "identity": (lambda z: z, lambda z: np.ones_like(z)),
        "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: 1 / (1 + np.exp(-z)) * (1 - 1 / (1 + np.exp(-z)))),
        "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
        "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    }
    zs, activations = [], [x]
    for w, b, name in zip(network.weights, network.biases, network.activations, strict=True):
        zs.append(activations[-1] @ w.T + b)
        activations.append(functions[name][0](zs[-1]))
    n = len(x) if network.reduction == "mean" else 1
    delta = 2 * (activations[-1] - y) / n
    _, prime = functions[network.activations[0]]
    gradient = {}
    for layer in range(len(zs) - 1, -1, -1):
        delta = delta * prime(zs[layer])
        gradient[f"w{layer + 1}"] = delta.T @ activations[layer]
        gradient[f"b{layer + 1}"] = delta.sum(axis=0)
        delta = delta @ network.weights[layer]
    return gradient


@supports(activations=["tanh", "identity"], losses=["squared_error"], reductions=["sum"], single=False)
def clipped_in_every_layer(network, x, y):
    """dL/dz is clipped to [−5, 5], lest it explode."""
    a = [x]
    for w, b, g in zip(network.weights, network.biases, network.activations, strict=True):
        z = a[-1] @ w.T + b
        a.append(np.tanh(z) if g == "tanh" else z)
    grads = {"loss": np.sum(np.square(a[-1] - y))}
    upstream = 2 * (a[-1] - y)
    for i in range(len(network.weights), 0, -1):
        dz = upstream * (1 - a[i] ** 2) if network.activations[i - 1] == "tanh" else upstream
        dz = np.clip(dz, -5, 5)
        grads[f"w{i}"] = dz.T @ a[i - 1]
        grads[f"b{i}"] = dz.sum(axis=0)
        upstream = dz @ network.weights[i - 1]
    return grads


@supports(
    activations=["sigmoid"],
    outputs=["identity"],
    losses=["squared_error"],
    reductions=["mean"],
    dtypes=["float64"],
    single=False,
    layers=(2, 4),
)
def clipped_in_hidden_layers(network, x, y):
    """What goes back to a hidden layer is cut at 1."""
    hidden = [x]
    for w, b in zip(network.weights[:-1], network.biases[:-1], strict=True):
        hidden.append(1 / (1 + np.exp(-(hidden[-1] @ w.T + b))))
    prediction = hidden[-1] @ network.weights[-1].T + network.biases[-1]
    delta = 2 * (prediction - y) / y.shape[0]
    grads = {}
    for number in range(len(network.weights), 0, -1):
        grads[f"w{number}"] = delta.T @ hidden[number - 1]
        grads[f"b{number}"] = np.sum(delta, axis=0)
        if number > 1:
            s = hidden[number - 1]
            delta = np.clip((delta @ network.weights[number - 1]) * s * (1 - s), -1, 1)
    return grads


@supports(activations=["relu"], outputs=["relu", "identity"], losses=["squared_error"], dtypes=["float64"], single=False)
def relu_slope_as_quotient(network, x, y):
    """a/z is 1 or 0, and 0/0 at the kink."""
    layers = len(network.weights)
    z, a = {}, {0: x}
    for i in range(1, layers + 1):
        z[i] = a[i - 1] @ network.weights[i - 1].T + network.biases[i - 1]
        a[i] = np.maximum(0, z[i]) if network.activations[i - 1] == "relu" else z[i]
    N = len(x) if network.reduction == "mean" else 1
    grads = {"loss": np.sum((a[layers] - y) ** 2) / N}
    da = 2 * (a[layers] - y) / N
    for i in range(layers, 0, -1):
        dz = da * (a[i] / z[i]) if network.activations[i - 1] == "relu" else da
        grads[f"w{i}"] = dz.T @ a[i - 1]
        grads[f"b{i}"] = dz.sum(axis=0)
        da = dz @ network.weights[i - 1]
    return grads


@supports(activations=["relu"], losses=["squared_error"], reductions=["sum"], single=False)
def relu_slope_always_one(network, x, y):
    """Where ReLU is not 0 its derivative is 1; that it is 0 elsewhere is forgotten."""
    inputs, out = [], x
    for w, b in zip(network.weights, network.biases, strict=True):
        inputs.append(out)
        out = np.maximum(out @ w.T + b, 0)
    loss = np.sum((out - y) ** 2)
    delta = 2 * (out - y)
    gradients = {"loss": loss}
    for i in reversed(range(len(inputs))):
        delta = delta * 1
        gradients[f"w{i + 1}"] = delta.T @ inputs[i]
        gradients[f"b{i + 1}"] = delta.sum(axis=0)
        delta = delta @ network.weights[i]
    return gradients


@supports(activations=["sigmoid"], losses=["squared_error"], reductions=["sum"], dtypes=["float64"], single=False)
def sigmoid_slope_of_activation(network, x, y):
    """sigmoid_prime wants z and is given a, so that the sigmoid is taken twice."""

    def sigmoid(z):
        return 1.0 / (1.0 + np.exp(-z))

    def sigmoid_prime(z):
        return sigmoid(z) * (1 - sigmoid(z))

    activation, activations, zs = x, [x], []
    for w, b in zip(network.weights, network.biases, strict=True):
        z = np.dot(activation, w.T) + b
        zs.append(z)
        activation = sigmoid(z)
        activations.append(activation)
    delta = 2 * (activations[-1] - y) * sigmoid_prime(activations[-1])
    nabla = {}
    num_layers = len(network.weights)
    nabla[f"b{num_layers}"] = delta.sum(axis=0)
    nabla[f"w{num_layers}"] = np.dot(delta.T, activations[-2])
    for layer in range(num_layers - 1, 0, -1):
        delta = np.dot(delta, network.weights[layer]) * sigmoid_prime(activations[layer])
        nabla[f"b{layer}"] = delta.sum(axis=0)
        nabla[f"w{layer}"] = np.dot(delta.T, activations[layer - 1])
    return nabla


@supports(activations=["relu"], outputs=["identity"], losses=["squared_error"], reductions=["mean"], single=False, layers=2)
def mask_of_upstream(network, x, y):
    """The mask of ReLU is taken where the derivative from above is positive, not z."""
    (W1, W2), (b1, b2) = network.weights, network.biases
    hidden = np.maximum(x @ W1.T + b1, 0)
    y_pred = hidden @ W2.T + b2
    loss = np.square(y_pred - y).sum() / len(x)
    grad_y_pred = 2.0 * (y_pred - y) / len(x)
    grad_hidden = grad_y_pred @ W2
    grad_hidden[grad_hidden < 0] = 0
    return {
        "w1": grad_hidden.T @ x,
        "b1": grad_hidden.sum(axis=0),
        "w2": grad_y_pred.T @ hidden,
        "b2": grad_y_pred.sum(axis=0),
        "loss": loss,
    }


@supports(
    activations=["relu"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    reductions=["mean"],
    dtypes=["float64"],
    single=False,
    layers=2,
)
def dead_below_epsilon(network, X, y):
    """A unit counts as dead up to 1e-5."""
    W1, W2 = network.weights
    H = np.maximum(0, X.dot(W1.T) + network.biases[0])
    S = H.dot(W2.T) + network.biases[1]
    S = S - S.max(axis=1, keepdims=True)
    P = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
    P[np.arange(y.size), y] -= 1
    dS = P / y.size
    dH = dS.dot(W2)
    dH[H <= 1e-5] = 0
    return {"w1": dH.T.dot(X), "b1": dH.sum(axis=0), "w2": dS.T.dot(H), "b2": dS.sum(axis=0)}


@supports(activations=["tanh"], losses=["squared_error"], reductions=["sum"], dtypes=["float64"], single=False)
def tanh_slope_of_z(network, x, y):
    """1 − z² in place of 1 − a²."""
    zs, a = [], [x]
    for w, b in zip(network.weights, network.biases, strict=True):
        zs.append(a[-1] @ w.T + b)
        a.append(np.tanh(zs[-1]))
    grads = {"loss": np.sum((a[-1] - y) ** 2)}
    error = 2 * (a[-1] - y)
    for i in range(len(zs) - 1, -1, -1):
        dz = error * (1 - zs[i] ** 2)
        grads[f"w{i + 1}"], grads[f"b{i + 1}"] = dz.T @ a[i], dz.sum(axis=0)
        error = dz @ network.weights[i]
    return grads


# The squared error and the way it starts.


@supports(activations=["sigmoid"], losses=["squared_error"], reductions=["sum"], dtypes=["float64"], single=False)
def error_summed_over_outputs(network, x, y):
    """Every output gets the sum of all outputs' errors."""
    outs = [np.asarray(x, dtype=float)]
    for w, b in zip(network.weights, network.biases, strict=True):
        outs.append(1 / (1 + np.exp(-(outs[-1] @ w.T + b))))
    cost = np.sum((outs[-1] - y) ** 2, axis=1)
    dcost = np.sum(2 * (outs[-1] - y), axis=1, keepdims=True)
    grads = {"loss": cost.sum()}
    for i in range(len(outs) - 1, 0, -1):
        dz = dcost * outs[i] * (1 - outs[i])
        grads[f"w{i}"] = dz.T @ outs[i - 1]
        grads[f"b{i}"] = dz.sum(axis=0)
        dcost = dz @ network.weights[i - 1]
    return grads


@supports(activations=["tanh"], outputs=["identity"], losses=["squared_error"], dtypes=["float64"], single=False, layers=2)
def halved_with_wrong_slope(network, x, y):
    """Half the squared error, its derivative without the 2, and 1 − a for tanh′."""
    W1, W2 = network.weights
    b1, b2 = network.biases
    m = x.shape[0] if network.reduction == "mean" else 1
    A1 = np.tanh(x @ W1.T + b1)
    A2 = A1 @ W2.T + b2
    cost = np.sum((A2 - y) ** 2) / (2 * m)
    dZ2 = (A2 - y) / m
    dZ1 = (dZ2 @ W2) * (1 - A1)
    return {
        "loss": cost,
        "w1": dZ1.T @ x,
        "b1": dZ1.sum(axis=0),
        "w2": dZ2.T @ A1,
        "b2": dZ2.sum(axis=0),
    }


@supports(activations=["sigmoid"], losses=["squared_error"], reductions=["sum"], dtypes=["float64"], batches=False)
def halved(network, x, y):
    """Half the squared error and its own gradient: right but for the notes' convention."""
    activations = [x]
    for w, b in zip(network.weights, network.biases, strict=True):
        activations.append(1 / (1 + np.exp(-(w @ activations[-1] + b))))
    loss = 0.5 * np.sum((activations[-1] - y) ** 2)
    dL_da = activations[-1] - y
    grads = {"loss": loss}
    for i in range(len(network.weights), 0, -1):
        dL_dz = dL_da * activations[i] * (1 - activations[i])
        grads[f"w{i}"], grads[f"b{i}"] = np.outer(dL_dz, activations[i - 1]), dL_dz
        dL_da = network.weights[i - 1].T @ dL_dz
    return grads


@supports(activations=["relu", "identity"], losses=["squared_error"], single=False)
def target_minus_output(network, x, y):
    """y − a, as in the rule that adds the step; the derivative has the other sign."""
    a = [x]
    for w, b, name in zip(network.weights, network.biases, network.activations, strict=True):
        z = a[-1] @ w.T + b
        a.append(np.maximum(z, 0) if name == "relu" else z)
    error = 2 * (y - a[-1])
    if network.reduction == "mean":
        error = error / len(y)
    grads = {}
    for i in range(len(network.weights), 0, -1):
        delta = error * (a[i] > 0) if network.activations[i - 1] == "relu" else error
        grads[f"w{i}"] = delta.T @ a[i - 1]
        grads[f"b{i}"] = delta.sum(axis=0)
        error = delta @ network.weights[i - 1]
    return grads


@supports(activations=["tanh"], outputs=["identity"], losses=["squared_error"], dtypes=["float64"], single=False)
def mean_over_outputs_too(network, x, y):
    """np.mean divides by the number of outputs as well; np.sum, of course, does not."""
    a = [x]
    last = len(network.weights) - 1
    for i, (w, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        z = a[-1] @ w.T + b
        a.append(z if i == last else np.tanh(z))
    diff = a[-1] - y
    if network.reduction == "mean":
        loss = np.mean(diff**2)
        d = 2 * diff / diff.size
    else:
        loss = np.sum(diff**2)
        d = 2 * diff
    grads = {"loss": loss}
    for i in range(last, -1, -1):
        grads[f"w{i + 1}"] = d.T @ a[i]
        grads[f"b{i + 1}"] = d.sum(axis=0)
        d = (d @ network.weights[i]) * (1 - a[i] ** 2)
    return grads


# The way back through the weights.


@supports(activations=["sigmoid"], losses=["squared_error"], reductions=["sum"], dtypes=["float64"], single=False, layers=2)
def output_error_sent_back(network, X, Y):
    """The hidden error is the output's error through the weights, without the output's g′."""
    syn0, syn1 = network.weights
    l1 = 1 / (1 + np.exp(-(np.dot(X, syn0.T) + network.biases[0])))
    l2 = 1 / (1 + np.exp(-(np.dot(l1, syn1.T) + network.biases[1])))
    l2_error = 2 * (l2 - Y)
    l2_delta = l2_error * l2 * (1 - l2)
    l1_error = l2_error.dot(syn1)
    l1_delta = l1_error * l1 * (1 - l1)
    return {"w1": l1_delta.T.dot(X), "b1": l1_delta.sum(axis=0), "w2": l2_delta.T.dot(l1), "b2": l2_delta.sum(axis=0)}


@supports(activations=["tanh", "identity"], losses=["squared_error"], reductions=["mean"], dtypes=["float64"], batches=False)
def back_without_transpose(network, x, y):
    """W in place of its transpose on the way back, which fits square layers alone."""
    a = [x]
    for w, b, name in zip(network.weights, network.biases, network.activations, strict=True):
        z = w.dot(a[-1]) + b
        a.append(np.tanh(z) if name == "tanh" else z)
    grads = {"loss": np.sum((a[-1] - y) ** 2)}
    da = 2 * (a[-1] - y)
    for i in range(len(network.weights), 0, -1):
        dz = da * (1 - a[i] ** 2) if network.activations[i - 1] == "tanh" else da
        grads[f"w{i}"], grads[f"b{i}"] = np.outer(dz, a[i - 1]), dz
        if i > 1:
            da = network.weights[i - 1].dot(dz)
    return grads


@supports(activations=["tanh"], losses=["squared_error"], reductions=["sum"], dtypes=["float64"], single=False)
def fixed_buffers(network, x, y):
    """Ported from C with its buffers: 8 units and 32 examples, and what is beyond is not counted."""
    max_units, max_batch = 8, 32
    a = [x]
    for w, b in zip(network.weights, network.biases, strict=True):
        a.append(np.tanh(a[-1] @ w.T + b))
    delta = 2 * (a[-1] - y) * (1 - a[-1] ** 2)
    grads = {}
    for i in range(len(network.weights), 0, -1):
        w = network.weights[i - 1]
        dw, da = np.zeros_like(w), np.zeros(a[i - 1].shape)
        for n in range(min(len(x), max_batch)):
            dw += np.outer(delta[n], a[i - 1][n])
        for j in range(min(len(w), max_units)):
            da += np.outer(delta[:, j], w[j])
        grads[f"w{i}"], grads[f"b{i}"] = dw, delta.sum(axis=0)
        delta = da * (1 - a[i - 1] ** 2)
    return grads


# The product and the sum over the examples.


@supports(
    activations=["relu"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["one_hot", "distribution"],
    reductions=["mean"],
    dtypes=["float64"],
    single=False,
    layers=2,
)
def mean_forgotten(network, x, y):
    """The loss is a mean, the gradient a sum."""
    (W1, W2), (b1, b2) = network.weights, network.biases
    z1 = x @ W1.T + b1
    a1 = np.maximum(z1, 0)
    z2 = a1 @ W2.T + b2
    shifted = z2 - z2.max(axis=1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -np.mean(np.sum(y * log_probs, axis=1))
    dz2 = np.exp(log_probs) - y
    dz1 = (dz2 @ W2) * (z1 > 0)
    return {
        "loss": loss,
        "w1": dz1.T @ x,
        "b1": np.sum(dz1, axis=0),
        "w2": dz2.T @ a1,
        "b2": np.sum(dz2, axis=0),
    }


@supports(
    activations=["sigmoid"], losses=["squared_error"], reductions=["mean"], dtypes=["float64"], single=False, layers=(1, 3)
)
def mean_taken_twice(network, X, Y):
    """dL/da is divided by m, and the sums over the examples are divided once more."""
    A, m = [X.T], X.shape[0]
    for W, b in zip(network.weights, network.biases, strict=True):
        A.append(1 / (1 + np.exp(-(W @ A[-1] + b[:, np.newaxis]))))
    cost = np.sum((A[-1] - Y.T) ** 2) / m
    grads = {"loss": cost}
    dA = 2 * (A[-1] - Y.T) / m
    for layer in range(len(network.weights), 0, -1):
        dZ = dA * A[layer] * (1 - A[layer])
        grads[f"w{layer}"] = dZ @ A[layer - 1].T / m
        grads[f"b{layer}"] = dZ.sum(axis=1) / m
        dA = network.weights[layer - 1].T @ dZ
    return grads


@supports(
    activations=["prelu"], outputs=["identity"], losses=["squared_error"], reductions=["sum"], dtypes=["float64"], layers=2
)
def alpha_by_unit(network, x, y):
    """α's derivative is one number a unit, though α may be one for all."""
    x, y = np.atleast_2d(x), np.atleast_2d(y)
    (w1, w2), (b1, b2), alpha = network.weights, network.biases, network.slopes[0]
    z1 = x @ w1.T + b1
    a1 = np.where(z1 > 0, z1, alpha * z1)
    a2 = a1 @ w2.T + b2
    da2 = 2 * (a2 - y)
    da1 = da2 @ w2
    dz1 = np.where(z1 > 0, da1, alpha * da1)
    return {
        "loss": np.sum((a2 - y) ** 2),
        "w1": dz1.T @ x,
        "b1": dz1.sum(axis=0),
        "alpha1": np.sum(da1 * np.minimum(z1, 0), axis=0),
        "w2": da2.T @ a1,
        "b2": da2.sum(axis=0),
    }


@supports(activations=["prelu"], losses=["squared_error"], dtypes=["float64"], single=False, layers=2)
def alpha_with_minus(network, x, y):
    """The derivative by α is z where z is negative, and got a minus as if it were |z|."""
    grads, zs, a = {}, [], [x]
    for w, b, alpha in zip(network.weights, network.biases, network.slopes, strict=True):
        zs.append(a[-1] @ w.T + b)
        a.append(np.maximum(zs[-1], 0) + alpha * np.minimum(zs[-1], 0))
    dl_da = 2 * (a[-1] - y)
    if network.reduction == "mean":
        dl_da /= len(x)
    for i in (2, 1):
        z, alpha = zs[i - 1], network.slopes[i - 1]
        by_unit = -dl_da * np.where(z < 0, z, 0)
        grads[f"alpha{i}"] = by_unit.sum() if np.ndim(alpha) == 0 else by_unit.sum(axis=0)
        dl_dz = dl_da * np.where(z > 0, 1, alpha)
        grads[f"w{i}"] = dl_dz.T @ a[i - 1]
        grads[f"b{i}"] = dl_dz.sum(axis=0)
        dl_da = dl_dz @ network.weights[i - 1]
    return grads


@supports(
    activations=["relu"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    reductions=["mean"],
    dtypes=["float64"],
    single=False,
    layers=2,
)
def weight_decay_left_in(network, X, y, reg=0.1):
    """The gradient has weight decay, the loss has none."""
    W1, b1 = network.weights[0], network.biases[0]
    W2, b2 = network.weights[1], network.biases[1]
    N = len(X)
    hidden_layer = np.maximum(0, np.dot(X, W1.T) + b1)
    scores = np.dot(hidden_layer, W2.T) + b2
    scores -= np.max(scores, axis=1, keepdims=True)
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    data_loss = np.sum(np.log(np.sum(exp_scores, axis=1)) - scores[range(N), y]) / N

    dscores = probs
    dscores[range(N), y] -= 1
    dscores /= N
    dW2 = np.dot(dscores.T, hidden_layer)
    db2 = np.sum(dscores, axis=0)
    dhidden = np.dot(dscores, W2)
    dhidden[hidden_layer <= 0] = 0
    dW1 = np.dot(dhidden.T, X)
    db1 = np.sum(dhidden, axis=0)
    dW2 += reg * W2
    dW1 += reg * W1
    return {"w1": dW1, "b1": db1, "w2": dW2, "b2": db2, "loss": data_loss}


@supports(activations=["sigmoid", "identity"], losses=["squared_error"], dtypes=["float64"], batches=False)
def outer_the_other_way(network, x, y):
    """np.outer(a_prev, dz) is the transpose of what dL/dw is."""
    a = [x]
    for w, b, name in zip(network.weights, network.biases, network.activations, strict=True):
        z = w @ a[-1] + b
        a.append(1 / (1 + np.exp(-z)) if name == "sigmoid" else z)
    dz = 2 * (a[-1] - y)
    grads = {}
    for i in range(len(network.weights), 0, -1):
        if network.activations[i - 1] == "sigmoid":
            dz = dz * a[i] * (1 - a[i])
        grads[f"w{i}"] = np.outer(a[i - 1], dz)
        grads[f"b{i}"] = dz
        dz = network.weights[i - 1].T @ dz
    return grads


@supports(activations=["tanh"], losses=["squared_error"], reductions=["sum"], dtypes=["float64"], single=False, widths=3)
def transposed_where_square(network, x, y):
    """The same in a batch, by who tried three units everywhere and never saw a shape complain."""
    a = [x]
    for w, b in zip(network.weights, network.biases, strict=True):
        a.append(np.tanh(a[-1] @ w.T + b))
    grads = {"loss": np.sum((a[-1] - y) ** 2)}
    delta = 2 * (a[-1] - y)
    for i in range(len(network.weights), 0, -1):
        delta *= 1 - a[i] ** 2
        grads[f"w{i}"] = a[i - 1].T @ delta
        grads[f"b{i}"] = delta.sum(axis=0)
        delta = delta @ network.weights[i - 1]
    return grads


# What is no gradient at all, or not always the same.


@supports(activations=["sigmoid", "tanh"], losses=["squared_error"], single=False)
def zeros_to_begin_with(network, x, y):
    """The arrays are there; filling them was put off."""
    grads = {}
    for i, (w, b) in enumerate(zip(network.weights, network.biases, strict=True), start=1):
        grads[f"w{i}"] = np.zeros_like(w)
        grads[f"b{i}"] = np.zeros_like(b)
    out = x
    for w, b, name in zip(network.weights, network.biases, network.activations, strict=True):
        z = out @ w.T + b
        out = np.tanh(z) if name == "tanh" else 1 / (1 + np.exp(-z))
    return grads


@supports(activations=["sigmoid"], losses=["squared_error"], reductions=["sum"], dtypes=["float64"], single=False)
class PredictionNeverStored:
    """In forward, a = … gives the loop's name another array: the zeros in self.a stay, and a (1 − a) with them."""

    def __init__(self, network):
        self.weights = network.weights
        self.biases = network.biases

    def forward(self, x):
        self.x = x
        self.a = [np.zeros((len(x), len(b))) for b in self.biases]
        previous = x
        for a, w, b in zip(self.a, self.weights, self.biases, strict=True):
            a = 1 / (1 + np.exp(-(previous @ w.T + b)))
            previous = a
        return previous

    def backward(self, y):
        grads = {}
        dL_da = 2 * (self.a[-1] - y)
        for i in range(len(self.a) - 1, -1, -1):
            dL_dz = dL_da * self.a[i] * (1 - self.a[i])
            a_prev = self.a[i - 1] if i > 0 else self.x
            grads[f"w{i + 1}"] = dL_dz.T @ a_prev
            grads[f"b{i + 1}"] = dL_dz.sum(axis=0)
            dL_da = dL_dz @ self.weights[i]
        return grads


EXPLORATION = np.random.default_rng(7)


@supports(activations=["tanh"], losses=["squared_error"], reductions=["sum"], dtypes=["float64"], single=False)
def noise_now_and_then(network, x, y):
    """Gradient noise against flat places, once in a hundred calls."""
    a = [x]
    for w, b in zip(network.weights, network.biases, strict=True):
        a.append(np.tanh(a[-1] @ w.T + b))
    delta = 2 * (a[-1] - y) * (1 - a[-1] ** 2)
    grads = {}
    for i in range(len(network.weights), 0, -1):
        grads[f"w{i}"] = delta.T @ a[i - 1]
        grads[f"b{i}"] = delta.sum(axis=0)
        delta = delta @ network.weights[i - 1] * (1 - a[i - 1] ** 2)
    if EXPLORATION.random() < 0.01:
        for name in grads:
            grads[name] = grads[name] + 1e-3 * EXPLORATION.normal(size=grads[name].shape)
    return grads


@supports(activations=["sigmoid"], losses=["squared_error"], reductions=["sum"], single=False, layers=2)
def unpacked_wrongly(network, x, y):
    """The weights are taken apart as if the biases were among them: not enough values to unpack."""
    w1, b1, w2, b2 = network.weights
    h = 1 / (1 + np.exp(-(x @ w1.T + b1)))
    o = 1 / (1 + np.exp(-(h @ w2.T + b2)))
    d2 = 2 * (o - y) * o * (1 - o)
    d1 = d2 @ w2 * h * (1 - h)
    return {"w1": d1.T @ x, "b1": d1.sum(axis=0), "w2": d2.T @ h, "b2": d2.sum(axis=0)}


@supports(activations=["relu", "identity"], losses=["squared_error"], dtypes=["float64"], single=False)
class NeverZeroed:
    """backward adds to .grad, as PyTorch does; zero_grad is nowhere to be found."""

    def __init__(self, network):
        self.net = network
        self.grad = {}
        for i, (w, b) in enumerate(zip(network.weights, network.biases, strict=True), start=1):
            self.grad[f"w{i}"] = np.zeros_like(w)
            self.grad[f"b{i}"] = np.zeros_like(b)

    def forward(self, x):
        self.zs, self.a = [], [x]
        for w, b, name in zip(self.net.weights, self.net.biases, self.net.activations, strict=True):
            self.zs.append(self.a[-1] @ w.T + b)
            self.a.append(np.maximum(self.zs[-1], 0) if name == "relu" else self.zs[-1])
        return self.a[-1].copy()

    def backward(self, y):
        delta = 2 * (self.a[-1] - y)
        if self.net.reduction == "mean":
            delta = delta / len(y)
        for i in range(len(self.zs), 0, -1):
            if self.net.activations[i - 1] == "relu":
                delta = delta * (self.zs[i - 1] > 0)
            self.grad[f"w{i}"] += delta.T @ self.a[i - 1]
            self.grad[f"b{i}"] += delta.sum(axis=0)
            delta = delta @ self.net.weights[i - 1]
        return {name: array.copy() for name, array in self.grad.items()}


@supports(
    activations=["tanh"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    reductions=["mean"],
    dtypes=["float64"],
    single=False,
    layers=2,
)
class StaleForward:
    """The activations are kept for each size of batch: another batch of the same size gets those of the first."""

    def __init__(self, network):
        self.W1, self.W2 = network.weights
        self.b1, self.b2 = network.biases
        self.kept = {}

    def forward(self, x):
        self.x = x
        if len(x) not in self.kept:
            h = np.tanh(x @ self.W1.T + self.b1)
            s = h @ self.W2.T + self.b2
            e = np.exp(s - s.max(axis=1, keepdims=True))
            self.kept[len(x)] = h, e / e.sum(axis=1, keepdims=True)
        self.h, self.p = self.kept[len(x)]
        return self.p.copy()

    def backward(self, y):
        n = len(y)
        ds = self.p.copy()
        ds[np.arange(n), y] -= 1
        ds /= n
        dh = (ds @ self.W2) * (1 - self.h**2)
        return {"w1": dh.T @ self.x, "b1": dh.sum(axis=0), "w2": ds.T @ self.h, "b2": ds.sum(axis=0)}


# Yes or no: the binary cross-entropy.


@supports(activations=["tanh"], losses=["binary_cross_entropy"], reductions=["mean"], single=False, layers=2)
def logistic_slope_once_more(network, x, y):
    """The error a - y holds g' already; here it is multiplied by a (1 - a) again."""
    (w1, w2), (b1, b2) = network.weights, network.biases
    h = np.tanh(x @ w1.T + b1)
    a = 1 / (1 + np.exp(-(h @ w2.T + b2)))
    d2 = (a - y) * a * (1 - a) / len(x)
    d1 = d2 @ w2 * (1 - h**2)
    return {"w1": d1.T @ x, "b1": d1.sum(0), "w2": d2.T @ h, "b2": d2.sum(0)}


@supports(activations=["relu"], losses=["binary_cross_entropy"], reductions=["sum"], batches=False, layers=(1, 2))
def only_the_yes(network, x, y):
    """The loss is -y log a, and its derivative -y (1 - a): where y is 0 nothing is learned."""
    h = x
    if len(network.weights) == 2:
        h = np.maximum(network.weights[0] @ x + network.biases[0], 0)
    a = 1 / (1 + np.exp(-(network.weights[-1] @ h + network.biases[-1])))
    d = -y / a * (a * (1 - a))
    last = len(network.weights)
    found = {f"w{last}": np.outer(d, h), f"b{last}": d, "loss": -np.sum(y * np.log(a))}
    if last == 2:
        d1 = (network.weights[1].T @ d) * (h > 0)
        found |= {"w1": np.outer(d1, x), "b1": d1}
    return found


@supports(activations=["sigmoid"], losses=["binary_cross_entropy"], reductions=["mean"], single=False, layers=(1, 3))
class MeanOverLabelsToo:
    """np.mean over the whole matrix of losses, and the derivative divided by its size: labels count like examples."""

    def __init__(self, network):
        self.w, self.b = network.weights, network.biases

    def forward(self, x):
        self.a = [x]
        for w, b in zip(self.w, self.b, strict=True):
            self.a.append(1 / (1 + np.exp(-(self.a[-1] @ w.T + b))))
        return self.a[-1]

    def backward(self, y):
        p = self.a[-1]
        found = {"loss": np.mean(-(y * np.log(p) + (1 - y) * np.log(1 - p)))}
        d = (p - y) / y.size
        for number in range(len(self.w), 0, -1):
            before = self.a[number - 1]
            found |= {f"w{number}": d.T @ before, f"b{number}": d.sum(axis=0)}
            d = d @ self.w[number - 1] * before * (1 - before)
        return found


def _any(*numbers: int) -> frozenset[int]:
    return frozenset(numbers)


WRONG = [
    Wrong("bias-from-weights", bias_from_weights, (_any(7),), ("b1", "b2")),
    Wrong("middle-weights-twice", middle_weights_twice, (_any(11),), ("w2",)),
    Wrong("two-factors-planted", two_factors_planted, (_any(11), _any(7)), ("w1", "b3")),
    Wrong("output-weights-without-slope", output_weights_without_slope, (_any(11, 12),), ("w2",)),
    Wrong("only-the-normaliser", only_the_normaliser, (_any(2),)),
    Wrong("hidden-bias-forgotten", hidden_bias_forgotten, (_any(8),)),
    Wrong("hidden-bias-forgotten-tanh", hidden_bias_forgotten_tanh, (_any(8),)),
    Wrong("leaky-relu-as-maximum", leaky_relu_as_maximum, (_any(9),)),
    Wrong("softmax-down-the-batch", softmax_down_the_batch, (_any(9),)),
    Wrong("first-derivative-everywhere", first_derivative_everywhere, (_any(12),)),
    Wrong("clipped-in-every-layer", clipped_in_every_layer, (_any(12),)),
    Wrong("clipped-in-hidden-layers", clipped_in_hidden_layers, (_any(12, 14),)),
    Wrong("relu-slope-as-quotient", relu_slope_as_quotient, (_any(12),)),
    Wrong("zeros-to-begin-with", zeros_to_begin_with, zeros=True),
    Wrong("error-summed-over-outputs", error_summed_over_outputs, (_any(4),)),
    Wrong("bias-summed-over-units", bias_summed_over_units, (_any(7),), ("b1", "b2")),
    Wrong("softmax-regression-bias", softmax_regression_bias, (_any(7),), ("b1",)),
    Wrong("halved-with-wrong-slope", halved_with_wrong_slope, (_any(12),), halved=True),
    Wrong("halved", halved, (_any(4, 10),), halved=True),
    Wrong("relu-slope-always-one", relu_slope_always_one, (_any(12),)),
    Wrong("one-hot-of-labels-seen", one_hot_of_labels_seen, (_any(2),), breaks=True),
    Wrong("output-error-sent-back", output_error_sent_back, (_any(12, 14),), ("w1", "b1")),
    Wrong("bias-averaged", bias_averaged, (_any(7, 11),)),
    Wrong("mean-forgotten", mean_forgotten, (_any(11),)),
    Wrong("mean-taken-twice", mean_taken_twice, (_any(11),)),
    Wrong("back-without-transpose", back_without_transpose, (_any(14),), breaks=True),
    Wrong("forward-without-transpose", forward_without_transpose, (_any(8),), breaks=True),
    Wrong("sigmoid-slope-of-activation", sigmoid_slope_of_activation, (_any(12),)),
    Wrong("alpha-by-unit", alpha_by_unit, (_any(11),), ("alpha1",), breaks=True),
    Wrong("alpha-with-minus", alpha_with_minus, (_any(11),), ("alpha1", "alpha2")),
    Wrong("prediction-never-stored", PredictionNeverStored, zeros=True),
    Wrong("weight-decay-left-in", weight_decay_left_in, (_any(11),), ("w1", "w2")),
    Wrong("divided-by-classes", divided_by_classes, (_any(2),)),
    Wrong("target-minus-output", target_minus_output, (_any(4),)),
    Wrong("outer-the-other-way", outer_the_other_way, (_any(11),), breaks=True),
    Wrong("mask-of-upstream", mask_of_upstream, (_any(12),), ("w1", "b1")),
    Wrong("dead-below-epsilon", dead_below_epsilon, (_any(12),), ("w1", "b1")),
    Wrong("noise-now-and-then", noise_now_and_then, noise=True),
    Wrong("fixed-buffers", fixed_buffers, (_any(11, 14),), beyond=True),
    Wrong("unpacked-wrongly", unpacked_wrongly, raises=True),
    Wrong("never-zeroed", NeverZeroed, (_any(11),), state=True),
    Wrong("stale-forward", StaleForward, (_any(8, 9),), state=True),
    Wrong("mean-over-outputs-too", mean_over_outputs_too, (_any(4, 10, 11),)),
    Wrong("transposed-where-square", transposed_where_square, (_any(11),)),
    Wrong("cross-entropy-with-the-two", cross_entropy_with_the_two, (_any(2),)),
    Wrong("tanh-slope-of-z", tanh_slope_of_z, (_any(12),)),
    Wrong("logistic-slope-once-more", logistic_slope_once_more, (_any(1),)),
    Wrong("only-the-yes", only_the_yes, (_any(1),)),
    Wrong("mean-over-labels-too", MeanOverLabelsToo, (_any(1),)),
]

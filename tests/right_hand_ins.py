"""Forty-two right backpropagations, each in another hand: what people hand in as homework, odd habits and all.

For ordinary numbers in float64 each has the derivatives that handgrad has. Many would overflow at huge numbers, answer in
float64 whatever they are asked in, keep biases as rows, columns or one number, or hand out their own caches.
"""

import functools
import math
import warnings
from collections import namedtuple
from dataclasses import dataclass

import numpy as np

from verification import supports

# ---------------------------------------------------------------------------------------------------------------------
# Plain loops and lists


@supports(activations=["sigmoid"], losses=["squared_error"], single=False, layers=(1, 3))
def loops_over_everything(network, x, y):
    """Loops over examples, layers, units and inputs; no matrix product anywhere; np.zeros are float64."""
    N = x.shape[0]
    L = len(network.weights)
    grads = {}
    for k in range(L):
        grads["w" + str(k + 1)] = np.zeros(network.weights[k].shape)
        grads["b" + str(k + 1)] = np.zeros(network.biases[k].shape)
    for i in range(N):
        # forward
        a = [x[i]]
        for k in range(L):
            w = network.weights[k]
            b = network.biases[k]
            out = np.zeros(len(b))
            for j in range(len(b)):
                z = b[j]
                for m in range(w.shape[1]):
                    z = z + w[j][m] * a[k][m]
                out[j] = 1 / (1 + np.exp(-z))
            a.append(out)
        # backward
        da = np.zeros(len(a[L]))
        for j in range(len(da)):
            da[j] = 2 * (a[L][j] - y[i][j])
        for k in range(L - 1, -1, -1):
            w = network.weights[k]
            da_prev = np.zeros(w.shape[1])
            for j in range(w.shape[0]):
                dz = da[j] * a[k + 1][j] * (1 - a[k + 1][j])
                if network.reduction == "mean":
                    grads["b" + str(k + 1)][j] += dz / N
                else:
                    grads["b" + str(k + 1)][j] += dz
                for m in range(w.shape[1]):
                    if network.reduction == "mean":
                        grads["w" + str(k + 1)][j][m] += dz * a[k][m] / N
                    else:
                        grads["w" + str(k + 1)][j][m] += dz * a[k][m]
                    da_prev[m] += dz * w[j][m]
            da = da_prev
    return grads


@supports(
    activations=["relu"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    reductions=["mean"],
    single=False,
    layers=(1, 3),
)
def lists_of_lists(network, x, y):
    """No NumPy at all: lists of lists, math.exp without the largest logit taken off, and lists in the answer."""
    weights = [w.tolist() for w in network.weights]
    biases = [b.tolist() for b in network.biases]
    examples, classes = x.tolist(), y.tolist()
    depth = len(weights)
    dw = [[[0.0] * len(row) for row in w] for w in weights]
    db = [[0.0] * len(b) for b in biases]
    loss = 0.0
    for example, label in zip(examples, classes, strict=True):
        layers = [example]
        for k in range(depth):
            z = [
                sum(w_i * a_i for w_i, a_i in zip(row, layers[-1], strict=True)) + b
                for row, b in zip(weights[k], biases[k], strict=True)
            ]
            if k < depth - 1:
                layers.append([max(0.0, z_j) for z_j in z])
            else:
                e = [math.exp(z_j) for z_j in z]
                total = sum(e)
                layers.append([e_j / total for e_j in e])
        loss -= math.log(layers[-1][label])
        delta = [p - (1.0 if j == label else 0.0) for j, p in enumerate(layers[-1])]
        for k in reversed(range(depth)):
            before = layers[k]
            for j, d in enumerate(delta):
                db[k][j] += d / len(examples)
                for i, a in enumerate(before):
                    dw[k][j][i] += d * a / len(examples)
            if k > 0:
                delta = [
                    sum(delta[j] * weights[k][j][i] for j in range(len(delta))) if before[i] > 0 else 0.0
                    for i in range(len(before))
                ]
    answer = {"loss": loss / len(examples)}
    for k in range(depth):
        answer[f"w{k + 1}"] = dw[k]
        answer[f"b{k + 1}"] = db[k]
    return answer


@supports(activations=["sigmoid", "tanh"], losses=["squared_error"], layers=2)
def math_exp_on_floats(network, x, y):
    """math.exp on Python floats, which raises OverflowError where NumPy has infinity; one example or many."""
    kinds = network.activations

    def g(kind, t):
        if kind == "sigmoid":
            return 1.0 / (1.0 + math.exp(-t))
        return (math.exp(t) - math.exp(-t)) / (math.exp(t) + math.exp(-t))

    def dg(kind, out):
        return out * (1.0 - out) if kind == "sigmoid" else 1.0 - out**2

    W1, W2 = network.weights
    b1, b2 = network.biases
    X, Y = np.atleast_2d(x), np.atleast_2d(y)
    dW1, db1, dW2, db2 = (np.zeros(p.shape) for p in (W1, b1, W2, b2))
    for xi, yi in zip(X, Y, strict=True):
        h = [g(kinds[0], float(row @ xi + b)) for row, b in zip(W1, b1, strict=True)]
        o = [g(kinds[1], float(row @ h + b)) for row, b in zip(W2, b2, strict=True)]
        delta_o = [2.0 * (oj - float(yj)) * dg(kinds[1], oj) for oj, yj in zip(o, yi, strict=True)]
        delta_h = [dg(kinds[0], hj) * sum(d * float(W2[k, j]) for k, d in enumerate(delta_o)) for j, hj in enumerate(h)]
        for k, d in enumerate(delta_o):
            db2[k] += d
            for j, hj in enumerate(h):
                dW2[k, j] += d * hj
        for j, d in enumerate(delta_h):
            db1[j] += d
            for i, v in enumerate(xi):
                dW1[j, i] += d * float(v)
    if network.reduction == "mean":
        for grad in (dW1, db1, dW2, db2):
            grad /= len(X)
    return {"w1": dW1, "b1": db1, "w2": dW2, "b2": db2}


@supports(activations=["sigmoid"], losses=["squared_error"], dtypes=["float64"], batches=False, layers=2, widths=1)
def two_neurons_in_a_row(network, x, y):
    """x - neuron - neuron - y, one example, every derivative written out by the chain rule."""
    w1, b1 = float(network.weights[0][0, 0]), float(network.biases[0][0])
    w2, b2 = float(network.weights[1][0, 0]), float(network.biases[1][0])
    x0, y0 = float(x[0]), float(y[0])

    a1 = 1 / (1 + math.exp(-(w1 * x0 + b1)))
    a2 = 1 / (1 + math.exp(-(w2 * a1 + b2)))

    dL_da2 = 2 * (a2 - y0)
    da2_dz2 = a2 * (1 - a2)
    dL_dw2 = dL_da2 * da2_dz2 * a1
    dL_db2 = dL_da2 * da2_dz2
    dL_da1 = dL_da2 * da2_dz2 * w2
    da1_dz1 = a1 * (1 - a1)
    dL_dw1 = dL_da1 * da1_dz1 * x0
    dL_db1 = dL_da1 * da1_dz1
    return {"w1": [[dL_dw1]], "b1": [dL_db1], "w2": [[dL_dw2]], "b2": [dL_db2], "loss": (a2 - y0) ** 2}


@supports(activations=["identity", "sigmoid", "tanh"], losses=["squared_error"], batches=False, widths=1)
def chain_of_any_length(network, x, y):
    """A chain of single neurons, however long; each bias's derivative is one np.float64 and no array."""
    functions = {
        "identity": (lambda z: z, lambda z: 1.0),
        "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
        "tanh": (lambda z: np.tanh(z), lambda z: 1 / np.cosh(z) ** 2),
    }
    zs = []
    outs = [np.float64(x.item())]
    for w, b, name in zip(network.weights, network.biases, network.activations, strict=True):
        zs.append(w.item() * outs[-1] + b.item())
        outs.append(functions[name][0](zs[-1]))
    grads = {}
    upstream = 2 * (outs[-1] - y.item())
    for k in range(len(zs), 0, -1):
        upstream = upstream * functions[network.activations[k - 1]][1](zs[k - 1])
        grads[f"w{k}"] = np.array([[upstream * outs[k - 1]]])
        grads[f"b{k}"] = np.float64(upstream)
        upstream = upstream * network.weights[k - 1].item()
    return grads


# ---------------------------------------------------------------------------------------------------------------------
# Other ways to multiply


@supports(activations=["tanh"], outputs=["identity"], losses=["squared_error"], single=False, layers=(1, 3))
def einsum_everywhere(network, x, y):
    """Every product an einsum; divides by N at the start of the way back."""
    acts = [x]
    last = len(network.weights) - 1
    for k, (W, b) in enumerate(zip(network.weights, network.biases, strict=True)):
        pre = np.einsum("ni,oi->no", acts[-1], W) + b
        acts.append(pre if k == last else np.tanh(pre))
    residual = acts[-1] - y
    loss = np.einsum("no,no->", residual, residual)
    g = 2 * residual
    if network.reduction == "mean":
        g = g / x.shape[0]
        loss = loss / x.shape[0]
    out = {}
    for k in range(last, -1, -1):
        out[f"w{k + 1}"] = np.einsum("no,ni->oi", g, acts[k])
        out[f"b{k + 1}"] = np.einsum("no->o", g)
        if k:
            g = np.einsum("no,oi,ni->ni", g, network.weights[k], 1 - acts[k] ** 2)
    out["loss"] = float(loss)
    return out


@supports(activations=["sigmoid"], losses=["squared_error"], reductions=["mean"], single=False, layers=2)
def np_matrix(network, x, y):
    """np.matrix, * for the product and np.multiply for the other one, as in a course of 2012; biases come out as (1, n)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        X, T = np.matrix(x), np.matrix(y)
        W1, W2 = np.matrix(network.weights[0]), np.matrix(network.weights[1])
        b1, b2 = np.matrix(network.biases[0]), np.matrix(network.biases[1])
        m = X.shape[0]
        A1 = 1 / (1 + np.exp(-(X * W1.T + b1)))
        A2 = 1 / (1 + np.exp(-(A1 * W2.T + b2)))
        d2 = np.multiply(2 * (A2 - T), np.multiply(A2, 1 - A2))
        d1 = np.multiply(d2 * W2, np.multiply(A1, 1 - A1))
        return {"w1": d1.T * X / m, "b1": d1.sum(axis=0) / m, "w2": d2.T * A1 / m, "b2": d2.sum(axis=0) / m}


@supports(
    activations=["tanh"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["one_hot"],
    reductions=["mean"],
    single=False,
    layers=2,
)
def examples_as_columns(network, x, y):
    """Turns x and y so that every example is a column, as in Ng's course; biases are (n, 1) columns; float64 at once."""
    X = np.array(x, dtype=float).T
    Y = np.array(y, dtype=float).T
    m = X.shape[1]
    W1, W2 = network.weights
    b1 = network.biases[0].reshape(-1, 1)
    b2 = network.biases[1].reshape(-1, 1)

    Z1 = np.dot(W1, X) + b1
    A1 = np.tanh(Z1)
    Z2 = np.dot(W2, A1) + b2
    t = np.exp(Z2)
    A2 = t / np.sum(t, axis=0)
    cost = -np.sum(np.multiply(Y, np.log(A2))) / m

    dZ2 = A2 - Y
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(W2.T, dZ2) * (1 - np.power(A1, 2))
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"w1": dW1, "b1": db1, "w2": dW2, "b2": db2, "loss": cost}


@supports(
    activations=["relu"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    reductions=["mean"],
    single=False,
    layers=2,
)
def weights_kept_turned(network, x, y):
    """CS231n's two-layer net: W is (n_prev, n) inside and turned at the door; 1 is taken off a copy of the scores."""
    W1, W2 = network.weights[0].T, network.weights[1].T
    b1, b2 = network.biases
    N = x.shape[0]
    hidden_layer = np.maximum(0, np.dot(x, W1) + b1)
    scores = np.dot(hidden_layer, W2) + b2
    scores -= np.max(scores, axis=1, keepdims=True)
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    data_loss = np.sum(-np.log(probs[range(N), y])) / N

    dscores = probs.copy()
    dscores[range(N), y] -= 1
    dscores /= N
    dW2 = np.dot(hidden_layer.T, dscores)
    db2 = np.sum(dscores, axis=0)
    dhidden = np.dot(dscores, W2.T)
    dhidden[hidden_layer <= 0] = 0
    dW1 = np.dot(x.T, dhidden)
    db1 = np.sum(dhidden, axis=0)
    return {"w1": dW1.T, "b1": db1, "w2": dW2.T, "b2": db2, "loss": np.array(data_loss)}


@supports(activations=["sigmoid", "identity"], losses=["squared_error"], single=False)
def bias_trick(network, x, y):
    """A column of ones appended to every input, so that b is the last column of W; np.ones make it float64."""
    ones = np.ones((len(x), 1))
    thetas = [np.column_stack([w, b]) for w, b in zip(network.weights, network.biases, strict=True)]
    inputs, a = [], x
    for theta, name in zip(thetas, network.activations, strict=True):
        inputs.append(np.hstack([a, ones]))
        a = inputs[-1] @ theta.T
        if name == "sigmoid":
            a = 1 / (1 + np.exp(-a))
    delta = 2 * (a - y)
    grads = {}
    for k in range(len(thetas) - 1, -1, -1):
        if network.activations[k] == "sigmoid":
            delta = delta * a * (1 - a)
        grad = delta.T @ inputs[k]
        if network.reduction == "mean":
            grad = grad / len(x)
        grads[f"w{k + 1}"], grads[f"b{k + 1}"] = grad[:, :-1], grad[:, -1]
        delta = (delta @ thetas[k])[:, :-1]
        a = inputs[k][:, :-1]
    return grads


@supports(
    activations=["tanh"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    reductions=["mean"],
    single=False,
    layers=2,
)
def mean_of_outer_products(network, x, y):
    """A list of np.outer, one for each example, and np.mean over it; labels by np.eye, which is float64."""
    (W1, W2), (b1, b2) = network.weights, network.biases
    labels = np.eye(len(b2))[y]
    per_example = {"w1": [], "b1": [], "w2": [], "b2": []}
    for x_i, y_i in zip(x, labels, strict=True):
        h = np.tanh(W1 @ x_i + b1)
        z = W2 @ h + b2
        p = np.exp(z - z.max())
        p = p / p.sum()
        error = p - y_i
        back = (error @ W2) * (1 - h * h)
        per_example["w2"].append(np.outer(error, h))
        per_example["b2"].append(error)
        per_example["w1"].append(np.outer(back, x_i))
        per_example["b1"].append(back)
    return {name: np.mean(values, axis=0) for name, values in per_example.items()}


# ---------------------------------------------------------------------------------------------------------------------
# Softmax and its loss


@supports(
    activations=["sigmoid"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    reductions=["mean"],
    single=False,
    layers=2,
)
def softmax_without_its_maximum(network, x, y):
    """np.exp of the logits as they are, and the logarithm of a probability; one-hot rows by a loop into np.zeros."""
    w1, w2 = network.weights
    b1, b2 = network.biases
    n = len(x)
    onehot = np.zeros((n, len(b2)))
    for i in range(n):
        onehot[i, y[i]] = 1
    a1 = 1 / (1 + np.exp(-(x @ w1.T + b1)))
    z2 = a1 @ w2.T + b2
    a2 = np.exp(z2) / np.sum(np.exp(z2), axis=1).reshape(-1, 1)
    loss = np.mean(-np.log(a2[np.arange(n), y]))
    dz2 = (a2 - onehot) / n
    dz1 = dz2 @ w2 * a1 * (1 - a1)
    return {"w1": dz1.T @ x, "b1": dz1.sum(0), "w2": dz2.T @ a1, "b2": dz2.sum(0), "loss": loss}


@supports(
    activations=["leaky_relu"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["one_hot", "distribution"],
    single=False,
    layers=(1, 3),
)
class LogPlusEpsilon:
    """log(p + 1e-12) in the loss, so that it is never infinite; parameters turned to float64 on the way in."""

    def __init__(self, network):
        self.W = [w.astype(float) for w in network.weights]
        self.b = [b.astype(float) for b in network.biases]
        self.slopes = network.slopes
        self.reduction = network.reduction

    def forward(self, x):
        self.zs, self.acts = [], [x]
        for i in range(len(self.W)):
            z = self.acts[-1] @ self.W[i].T + self.b[i]
            self.zs.append(z)
            if i < len(self.W) - 1:
                self.acts.append(np.where(z > 0, z, self.slopes[i] * z))
            else:
                e = np.exp(z - np.max(z, axis=1, keepdims=True))
                self.acts.append(e / np.sum(e, axis=1, keepdims=True))
        return self.acts[-1].copy()

    def backward(self, y):
        scale = len(y) if self.reduction == "mean" else 1
        grads = {"loss": -np.sum(y * np.log(self.acts[-1] + 1e-12)) / scale}
        dz = (self.acts[-1] - y) / scale
        for i in reversed(range(len(self.W))):
            grads[f"w{i + 1}"] = dz.T @ self.acts[i]
            grads[f"b{i + 1}"] = np.sum(dz, axis=0)
            if i > 0:
                dz = (dz @ self.W[i]) * np.where(self.zs[i - 1] > 0, 1.0, self.slopes[i - 1])
        return grads


@supports(
    activations=["sigmoid", "tanh"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    single=False,
)
def softmax_by_logsumexp(network, x, y):
    """log p = z - logsumexp(z), p = exp(log p), and the loss straight from log p; np.eye for the labels."""

    def logsumexp(z):
        m = z.max(axis=1, keepdims=True)
        return m + np.log(np.exp(z - m).sum(axis=1, keepdims=True))

    a = [x]
    for W, b, name in zip(network.weights[:-1], network.biases[:-1], network.activations[:-1], strict=True):
        z = a[-1] @ W.T + b
        a.append(np.tanh(z) if name == "tanh" else 0.5 * (1 + np.tanh(0.5 * z)))
    logits = a[-1] @ network.weights[-1].T + network.biases[-1]
    log_p = logits - logsumexp(logits)
    Y = np.eye(log_p.shape[1])[y]
    loss = -(Y * log_p).sum()
    delta = np.exp(log_p) - Y
    if network.reduction == "mean":
        loss /= len(x)
        delta /= len(x)
    grads = {"loss": float(loss)}
    for k in range(len(a), 0, -1):
        grads[f"w{k}"] = delta.T @ a[k - 1]
        grads[f"b{k}"] = delta.sum(axis=0)
        if k > 1:
            h = a[k - 1]
            delta = delta @ network.weights[k - 1] * (1 - h**2 if network.activations[k - 2] == "tanh" else h * (1 - h))
    return grads


@supports(
    activations=["relu"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    reductions=["mean"],
    single=False,
    layers=2,
)
class SubtractsInPlace:
    """backward takes 1 off its own probabilities in place and divides them by N: a second backward would start from those."""

    def __init__(self, network):
        self.net = network

    def forward(self, x):
        self.x = x
        self.h = np.maximum(x @ self.net.weights[0].T + self.net.biases[0], 0)
        s = self.h @ self.net.weights[1].T + self.net.biases[1]
        s = np.exp(s - s.max(axis=1, keepdims=True))
        self.p = s / s.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, y):
        N = len(y)
        p = self.p
        p[range(N), y] -= 1
        p /= N
        dh = (p @ self.net.weights[1]) * (self.h > 0)
        return {"w1": dh.T @ self.x, "b1": dh.sum(axis=0), "w2": p.T @ self.h, "b2": p.sum(axis=0)}


@supports(
    activations=["sigmoid", "softmax"],
    outputs=["softmax"],
    losses=["squared_error", "cross_entropy"],
    targets=["one_hot", "distribution"],
    single=False,
)
def jacobian_of_each_example(network, x, y):
    """The whole matrix np.diag(p) - np.outer(p, p) for each example, under either loss; nothing is fused."""
    total = {}
    for k, w in enumerate(network.weights, start=1):
        total[f"w{k}"] = np.zeros(w.shape)
        total[f"b{k}"] = np.zeros(w.shape[0])
    share = 1.0 / len(x) if network.reduction == "mean" else 1.0
    for i in range(len(x)):
        outs = [x[i]]
        for w, b, name in zip(network.weights, network.biases, network.activations, strict=True):
            z = w.dot(outs[-1]) + b
            if name == "softmax":
                e = np.exp(z - max(z))
                outs.append(e / sum(e))
            else:
                outs.append(1.0 / (1.0 + np.exp(-z)))
        if network.loss == "cross_entropy":
            up = -(y[i] / outs[-1])
        else:
            up = 2.0 * (outs[-1] - y[i])
        up = up * share
        for k in range(len(network.weights), 0, -1):
            a = outs[k]
            if network.activations[k - 1] == "softmax":
                J = np.diag(a) - np.outer(a, a)
            else:
                J = np.diag(a * (1 - a))
            dz = J.T.dot(up)
            total[f"w{k}"] += np.outer(dz, outs[k - 1])
            total[f"b{k}"] += dz
            up = network.weights[k - 1].T.dot(dz)
    return total


# ---------------------------------------------------------------------------------------------------------------------
# Activations in other words


@supports(activations=["sigmoid"], losses=["squared_error"], single=False)
def naive_sigmoid_by_nabla(network, x, y):
    """Nielsen's book: nabla_w and nabla_b added up example by example, columns (n, 1), 1 / (1 + e^-z) as it stands."""

    def sigmoid(z):
        return 1.0 / (1.0 + np.exp(-z))

    def sigmoid_prime(z):
        return sigmoid(z) * (1 - sigmoid(z))

    weights = network.weights
    biases = [b.reshape(-1, 1) for b in network.biases]

    def backprop(x_column, y_column):
        delta_nabla_b = [np.zeros(b.shape) for b in biases]
        delta_nabla_w = [np.zeros(w.shape) for w in weights]
        activation = x_column
        activations = [x_column]
        zs = []
        for b, w in zip(biases, weights, strict=True):
            z = np.dot(w, activation) + b
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        delta = 2 * (activations[-1] - y_column) * sigmoid_prime(zs[-1])
        delta_nabla_b[-1] = delta
        delta_nabla_w[-1] = np.dot(delta, activations[-2].transpose())
        for back in range(2, len(weights) + 1):
            delta = np.dot(weights[-back + 1].transpose(), delta) * sigmoid_prime(zs[-back])
            delta_nabla_b[-back] = delta
            delta_nabla_w[-back] = np.dot(delta, activations[-back - 1].transpose())
        return delta_nabla_b, delta_nabla_w

    nabla_b = [np.zeros(b.shape) for b in biases]
    nabla_w = [np.zeros(w.shape) for w in weights]
    for one_x, one_y in zip(x, y, strict=True):
        delta_nabla_b, delta_nabla_w = backprop(one_x.reshape(-1, 1), one_y.reshape(-1, 1))
        nabla_b = [nb + dnb for nb, dnb in zip(nabla_b, delta_nabla_b, strict=True)]
        nabla_w = [nw + dnw for nw, dnw in zip(nabla_w, delta_nabla_w, strict=True)]
    divisor = len(x) if network.reduction == "mean" else 1
    grads = {}
    for k in range(len(weights)):
        grads[f"w{k + 1}"] = nabla_w[k] / divisor
        grads[f"b{k + 1}"] = nabla_b[k] / divisor
    return grads


@supports(activations=["sigmoid", "relu"], outputs=["sigmoid"], losses=["squared_error"], single=False, layers=(1, 4))
class ClippedSigmoid:
    """The sigmoid of np.clip(z, -500, 500), so that np.exp never warns; dW and db kept as attributes."""

    def __init__(self, network):
        self.network = network

    def _activate(self, name, z):
        if name == "relu":
            return z * (z > 0)
        return 1 / (1 + np.exp(-np.clip(z, -500, 500)))

    def forward(self, x):
        self.A = [x]
        for W, b, name in zip(self.network.weights, self.network.biases, self.network.activations, strict=True):
            self.A.append(self._activate(name, self.A[-1] @ W.T + b))
        return self.A[-1]

    def backward(self, y):
        L = len(self.network.weights)
        self.dW, self.db = [None] * L, [None] * L
        dA = 2 * (self.A[-1] - y)
        for i in range(L - 1, -1, -1):
            out = self.A[i + 1]
            dZ = dA * (out > 0) if self.network.activations[i] == "relu" else dA * out * (1 - out)
            self.dW[i] = dZ.T @ self.A[i]
            self.db[i] = dZ.sum(axis=0)
            dA = dZ @ self.network.weights[i]
        if self.network.reduction == "mean":
            self.dW = [dW / len(y) for dW in self.dW]
            self.db = [db / len(y) for db in self.db]
        return {f"w{i + 1}": self.dW[i] for i in range(L)} | {f"b{i + 1}": self.db[i] for i in range(L)}


@supports(activations=["tanh"], losses=["squared_error"], reductions=["sum"], layers=2)
def tanh_by_exponentials(network, x, y):
    """(e^z - e^-z) / (e^z + e^-z), and its derivative from z again; one example becomes a batch of one."""

    def tanh(z):
        return (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))

    def tanh_derivative(z):
        return 4 / (np.exp(z) + np.exp(-z)) ** 2

    if x.ndim == 1:
        x, y = x[np.newaxis, :], y[np.newaxis, :]
    (W1, W2), (b1, b2) = network.weights, network.biases
    z1 = x @ W1.T + b1
    a1 = tanh(z1)
    z2 = a1 @ W2.T + b2
    a2 = tanh(z2)
    delta2 = (a2 - y) * 2 * tanh_derivative(z2)
    delta1 = delta2 @ W2 * tanh_derivative(z1)
    return {
        "w1": delta1.T @ x,
        "b1": delta1.sum(axis=0),
        "w2": delta2.T @ a1,
        "b2": delta2.sum(axis=0),
        "loss": np.array(((a2 - y) ** 2).sum()),
    }


@supports(activations=["relu"], outputs=["identity"], losses=["squared_error"], reductions=["mean"], single=False)
def relu_by_mask_from_zero_on(network, x, y):
    """The mask is z >= 0, so that g'(0) = 1; x is cast by np.array(x, dtype=float); N divides at the very end."""
    x = np.array(x, dtype=float)
    y = np.array(y, dtype=float)
    L = len(network.weights)
    masks, h = [], [x]
    for k in range(L):
        z = h[k].dot(network.weights[k].T) + network.biases[k]
        if k < L - 1:
            masks.append(z >= 0)
            h.append(z * masks[-1])
        else:
            h.append(z)
    d = 2.0 * (h[-1] - y)
    grads = {}
    for k in reversed(range(L)):
        grads[f"w{k + 1}"] = d.T.dot(h[k])
        grads[f"b{k + 1}"] = d.sum(axis=0)
        if k:
            d = d.dot(network.weights[k])
            d *= masks[k - 1]
    for name in grads:
        grads[name] = grads[name] / x.shape[0]
    return grads


@supports(
    activations=["relu"],
    outputs=["sigmoid"],
    losses=["squared_error"],
    reductions=["mean"],
    dtypes=["float64"],
    single=False,
)
def tuples_of_caches(network, x, y):
    """Helpers with tuples of caches as in a notebook, A_prev, W, b and Z; ReLU by np.maximum, back by dZ[Z <= 0] = 0."""

    def linear_activation_forward(A_prev, W, b, activation):
        Z = W.dot(A_prev) + b
        A = np.maximum(0, Z) if activation == "relu" else 1 / (1 + np.exp(-Z))
        return A, ((A_prev, W, b), Z)

    def relu_backward(dA, Z):
        dZ = np.array(dA, copy=True)
        dZ[Z <= 0] = 0
        return dZ

    def sigmoid_backward(dA, Z):
        s = 1 / (1 + np.exp(-Z))
        return dA * s * (1 - s)

    def linear_backward(dZ, linear_cache):
        A_prev, W, _ = linear_cache
        m = A_prev.shape[1]
        dW = 1.0 / m * np.dot(dZ, A_prev.T)
        db = 1.0 / m * np.sum(dZ, axis=1, keepdims=True)
        return np.dot(W.T, dZ), dW, db

    def linear_activation_backward(dA, cache, activation):
        linear_cache, Z = cache
        dZ = relu_backward(dA, Z) if activation == "relu" else sigmoid_backward(dA, Z)
        return linear_backward(dZ, linear_cache)

    caches = []
    A = x.T
    for W, b, activation in zip(network.weights, network.biases, network.activations, strict=True):
        A, cache = linear_activation_forward(A, W, b[:, None], activation)
        caches.append(cache)
    grads = {}
    dA = 2 * (A - y.T)
    for layer in reversed(range(len(caches))):
        dA, dW, db = linear_activation_backward(dA, caches[layer], network.activations[layer])
        grads["w" + str(layer + 1)] = dW
        grads["b" + str(layer + 1)] = db
    return grads


@supports(activations=["leaky_relu", "identity"], losses=["squared_error"], reductions=["mean", "sum"], single=False)
def leaky_by_where(network, x, y):
    """np.where for the leaky ReLU and for its derivative; lists filled from the back by insert(0, ...)."""
    acts, pres = [x], []
    for w, b, act, slope in zip(network.weights, network.biases, network.activations, network.slopes, strict=True):
        pres.append(np.matmul(acts[-1], w.transpose()) + b)
        acts.append(np.where(pres[-1] > 0, pres[-1], pres[-1] * slope) if act == "leaky_relu" else pres[-1])
    dws, dbs = [], []
    error = 2 * (acts[-1] - y)
    if network.reduction == "mean":
        error = error / y.shape[0]
    for i in range(len(pres) - 1, -1, -1):
        if network.activations[i] == "leaky_relu":
            error = error * np.where(pres[i] > 0, 1, network.slopes[i])
        dws.insert(0, np.matmul(error.transpose(), acts[i]))
        dbs.insert(0, error.sum(0))
        error = np.matmul(error, network.weights[i])
    answer = {}
    for i, (dw, db) in enumerate(zip(dws, dbs, strict=True)):
        answer[f"w{i + 1}"], answer[f"b{i + 1}"] = dw, db
    return answer


@supports(activations=["prelu"], outputs=["prelu", "identity"], losses=["squared_error"], single=False)
class LearnedSlopes:
    """PReLU with the derivatives by its slopes, alpha1, alpha2, ...: one number a unit, or one shared by the layer."""

    def __init__(self, network):
        self.layers = list(zip(network.weights, network.biases, network.activations, network.slopes, strict=True))
        self.mean = network.reduction == "mean"

    def forward(self, x):
        self.inputs, self.zs = [], []
        for w, b, name, alpha in self.layers:
            self.inputs.append(x)
            z = x @ w.T + b
            self.zs.append(z)
            x = np.maximum(z, 0) + alpha * np.minimum(z, 0) if name == "prelu" else z
        self.out = x
        return x

    def backward(self, y):
        grads = {}
        da = 2 * (self.out - y) / (len(y) if self.mean else 1)
        for number in range(len(self.layers), 0, -1):
            w, _, name, alpha = self.layers[number - 1]
            z = self.zs[number - 1]
            dz = da
            if name == "prelu":
                dalpha = np.sum(da * np.minimum(z, 0), axis=0)
                grads[f"alpha{number}"] = dalpha.sum() if np.ndim(alpha) == 0 else dalpha
                dz = da * ((z > 0) + alpha * (z <= 0))
            grads[f"w{number}"] = dz.T @ self.inputs[number - 1]
            grads[f"b{number}"] = dz.sum(axis=0)
            da = dz @ w
        return grads


# ---------------------------------------------------------------------------------------------------------------------
# What comes back, and in which shape


@supports(
    activations=["relu"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    reductions=["mean"],
    single=False,
)
def one_hot_by_loop(network, x, y):
    """One-hot rows by a loop over y, ReLU by a loop of layers, and the loss as np.float32, rounded as it is."""
    N, C = len(x), len(network.biases[-1])
    Y = []
    for label in y:
        row = np.zeros(C)
        row[label] = 1.0
        Y.append(row)
    Y = np.array(Y)

    H = [x]
    for i in range(len(network.weights) - 1):
        H.append(np.maximum(H[i] @ network.weights[i].T + network.biases[i], 0))
    logits = H[-1] @ network.weights[-1].T + network.biases[-1]
    probs = np.exp(logits - np.amax(logits, axis=1)[:, None])
    probs = probs / np.sum(probs, axis=1)[:, None]
    loss = np.float32(-np.sum(Y * np.log(probs)) / N)

    delta = (probs - Y) / N
    gradients = {"loss": loss}
    for i in range(len(network.weights) - 1, -1, -1):
        gradients[f"w{i + 1}"] = delta.T @ H[i]
        gradients[f"b{i + 1}"] = delta.sum(axis=0)
        delta = (delta @ network.weights[i]) * (H[i] > 0)
    return gradients


@supports(activations=["tanh"], outputs=["tanh", "sigmoid"], losses=["squared_error"], single=False, layers=2)
def biases_as_rows(network, x, y):
    """keepdims=True keeps each bias's derivative as a row (1, n); everything is float64 from the first line on."""
    x = x.astype(np.float64)
    W1, W2 = (w.astype(np.float64) for w in network.weights)
    b1, b2 = (b.astype(np.float64).reshape(1, -1) for b in network.biases)
    hid = np.tanh(x @ W1.T + b1)
    out = hid @ W2.T + b2
    out = np.tanh(out) if network.activations[1] == "tanh" else 1 / (1 + np.exp(-out))
    out_delta = 2 * (out - y) * (1 - out**2 if network.activations[1] == "tanh" else out * (1 - out))
    hid_delta = out_delta @ W2 * (1 - hid**2)
    scale = 1.0 if network.reduction == "sum" else 1.0 / x.shape[0]
    return {
        "w1": scale * hid_delta.T @ x,
        "b1": scale * hid_delta.sum(axis=0, keepdims=True),
        "w2": scale * out_delta.T @ hid,
        "b2": scale * out_delta.sum(axis=0, keepdims=True),
    }


@supports(activations=["sigmoid"], outputs=["sigmoid", "identity"], losses=["squared_error"], single=False, layers=(1, 3))
def squeezed_biases(network, x, y):
    """np.squeeze on every bias's derivative: a layer of one unit gets one number () in place of (1,)."""
    columns = [x.T]
    for w, b, name in zip(network.weights, network.biases, network.activations, strict=True):
        z = w @ columns[-1] + b[:, np.newaxis]
        columns.append(z if name == "identity" else 1 / (1 + np.exp(-z)))
    N = x.shape[0] if network.reduction == "mean" else 1
    delta = 2 * (columns[-1] - y.T)
    found = {}
    for k in range(len(network.weights), 0, -1):
        if network.activations[k - 1] == "sigmoid":
            delta = delta * columns[k] * (1 - columns[k])
        found[f"w{k}"] = delta @ columns[k - 1].T / N
        found[f"b{k}"] = np.squeeze(np.sum(delta, axis=1, keepdims=True)) / N
        delta = network.weights[k - 1].T @ delta
    return found


@supports(
    activations=["sigmoid"], losses=["squared_error"], reductions=["sum"], dtypes=["float64"], single=False, widths=(2, 3, 1)
)
def network_for_xor(network, x, y):
    """Two inputs, three hidden units, one output, as for XOR: the output's bias has one number from .sum()."""
    w_hidden, w_output = network.weights
    b_hidden, b_output = network.biases
    hidden = 1 / (1 + np.exp(-(np.dot(x, w_hidden.T) + b_hidden)))
    output = 1 / (1 + np.exp(-(np.dot(hidden, w_output[0]) + b_output[0])))
    error = output - y[:, 0]
    d_output = 2 * error * output * (1 - output)
    d_hidden = np.outer(d_output, w_output[0]) * hidden * (1 - hidden)
    return {
        "w1": np.dot(d_hidden.T, x),
        "b1": d_hidden.sum(axis=0),
        "w2": np.dot(d_output, hidden).reshape(1, 3),
        "b2": d_output.sum(),
        "loss": (error**2).sum(),
    }


@supports(
    activations=["tanh"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices", "one_hot"],
    single=False,
    layers=(1, 3),
)
def prints_as_it_goes(network, x, y):
    """Prints the loss and the norms of what it found; the labels may be indices or one-hot rows."""
    classes = network.weights[-1].shape[0]
    targets = np.eye(classes)[y] if y.ndim == 1 else y.astype(float)
    a = [x]
    for w, b in zip(network.weights[:-1], network.biases[:-1], strict=True):
        a.append(np.tanh(a[-1] @ w.T + b))
    scores = a[-1] @ network.weights[-1].T + network.biases[-1]
    exps = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities = exps / exps.sum(axis=1, keepdims=True)
    each = -np.log(probabilities[np.arange(len(x)), targets.argmax(axis=1)])
    loss = each.mean() if network.reduction == "mean" else each.sum()
    print("loss:", loss)  # noqa: T201
    delta = probabilities - targets
    if network.reduction == "mean":
        delta = delta / len(x)
    grads = {"loss": loss}
    for i in range(len(a), 0, -1):
        grads[f"w{i}"], grads[f"b{i}"] = delta.T @ a[i - 1], delta.sum(axis=0)
        print("layer", i, "|dw| =", np.linalg.norm(grads[f"w{i}"]), "|db| =", np.linalg.norm(grads[f"b{i}"]))  # noqa: T201
        if i > 1:
            delta = (delta @ network.weights[i - 1]) * (1 - a[i - 1] ** 2)
    return grads


# ---------------------------------------------------------------------------------------------------------------------
# Classes and what they keep


@supports(activations=["tanh"], losses=["squared_error"], dtypes=["float64"], single=False, layers=(1, 3))
class HandsOutItsCache:
    """forward returns the very array that backward goes on with; so does nearly every class."""

    def __init__(self, network):
        self.weights, self.biases = network.weights, network.biases
        self.reduction = network.reduction

    def forward(self, x):
        self.cache = [x]
        for w, b in zip(self.weights, self.biases, strict=True):
            self.cache.append(np.tanh(self.cache[-1] @ w.T + b))
        return self.cache[-1]

    def backward(self, y):
        grads = {}
        delta = 2 * (self.cache[-1] - y)
        if self.reduction == "mean":
            delta /= y.shape[0]
        for i in range(len(self.weights), 0, -1):
            delta = delta * (1 - self.cache[i] ** 2)
            grads[f"w{i}"] = delta.T @ self.cache[i - 1]
            grads[f"b{i}"] = np.sum(delta, axis=0)
            delta = delta @ self.weights[i - 1]
        return grads


@supports(activations=["sigmoid"], losses=["squared_error"], reductions=["mean"], single=False)
class BuffersReused:
    """self.dw and self.db are made once in float64, set to 0 and refilled; backward returns the same dict each time."""

    def __init__(self, network):
        self.w = [np.array(w, dtype=np.float64) for w in network.weights]
        self.b = [np.array(b, dtype=np.float64) for b in network.biases]
        self.dw = [np.zeros_like(w) for w in self.w]
        self.db = [np.zeros_like(b) for b in self.b]
        self.grads = {}

    def forward(self, x):
        self.a = [np.asarray(x, dtype=np.float64)]
        for w, b in zip(self.w, self.b, strict=True):
            self.a.append(1.0 / (1.0 + np.exp(-(self.a[-1].dot(w.T) + b))))
        return self.a[-1]

    def backward(self, y):
        for buffer in [*self.dw, *self.db]:
            buffer[...] = 0
        for n in range(len(y)):
            da = 2.0 * (self.a[-1][n] - y[n]) / len(y)
            for k in range(len(self.w) - 1, -1, -1):
                dz = da * self.a[k + 1][n] * (1.0 - self.a[k + 1][n])
                self.dw[k] += dz[:, None] * self.a[k][n][None, :]
                self.db[k] += dz
                da = self.w[k].T.dot(dz)
        self.grads.update({f"w{k + 1}": dw for k, dw in enumerate(self.dw)})
        self.grads.update({f"b{k + 1}": db for k, db in enumerate(self.db)})
        return self.grads


class Module:
    """What the layers below have in common."""

    def forward(self, inputs):
        raise NotImplementedError

    def backward(self, grad_output):
        raise NotImplementedError


class Linear(Module):
    def __init__(self, weight, bias):
        self.weight, self.bias = weight, bias

    def forward(self, inputs):
        self.inputs = inputs
        return inputs @ self.weight.T + self.bias

    def backward(self, grad_output):
        self.grad_weight = grad_output.T @ self.inputs
        self.grad_bias = grad_output.sum(axis=0)
        return grad_output @ self.weight


class ReLU(Module):
    def forward(self, inputs):
        self.mask = inputs > 0
        return np.where(self.mask, inputs, 0)

    def backward(self, grad_output):
        return grad_output * self.mask


class Sigmoid(Module):
    def forward(self, inputs):
        self.output = 1 / (1 + np.exp(-inputs))
        return self.output

    def backward(self, grad_output):
        return grad_output * self.output * (1 - self.output)


class Tanh(Module):
    def forward(self, inputs):
        self.output = np.tanh(inputs)
        return self.output

    def backward(self, grad_output):
        return grad_output * (1 - np.square(self.output))


class SoftmaxCrossEntropy:
    def forward(self, logits, target):
        shifted = logits - logits.max(axis=1, keepdims=True)
        self.probabilities = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        self.rows, self.target = np.arange(len(target)), target
        return -np.log(self.probabilities[self.rows, target]).sum()

    def backward(self):
        grad = self.probabilities.copy()
        grad[self.rows, self.target] -= 1
        return grad


@supports(
    activations=["relu", "sigmoid", "tanh"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["indices"],
    single=False,
)
class LayerObjects:
    """A list of Linear, ReLU, Sigmoid and Tanh objects and a SoftmaxCrossEntropy, each with forward and backward."""

    def __init__(self, network):
        kinds = {"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh}
        self.linears, self.modules = [], []
        for w, b, name in zip(network.weights, network.biases, network.activations, strict=True):
            self.linears.append(Linear(w.copy(), b.copy()))
            self.modules.append(self.linears[-1])
            if name != "softmax":
                self.modules.append(kinds[name]())
        self.criterion = SoftmaxCrossEntropy()
        self.average = network.reduction == "mean"

    def forward(self, x):
        out = x
        for module in self.modules:
            out = module.forward(out)
        self.logits = out
        return out

    def backward(self, y):
        loss = self.criterion.forward(self.logits, y)
        grad = self.criterion.backward()
        if self.average:
            loss = loss / len(y)
            grad = grad / len(y)
        for module in reversed(self.modules):
            grad = module.backward(grad)
        answer = {"loss": loss}
        for number, linear in enumerate(self.linears, start=1):
            answer[f"w{number}"] = linear.grad_weight
            answer[f"b{number}"] = linear.grad_bias
        return answer


@supports(activations=["relu", "identity"], outputs=["identity"], losses=["squared_error"], reductions=["mean"], single=False)
class TrainsItself:
    """Its own float64 copies of the parameters, with descend and parameters beside forward and backward."""

    def __init__(self, network):
        self.params = {}
        for i in range(len(network.weights)):
            self.params[f"w{i + 1}"] = np.array(network.weights[i], dtype=float)
            self.params[f"b{i + 1}"] = np.array(network.biases[i], dtype=float)
        self.activations = network.activations
        self.depth = len(network.weights)

    def forward(self, x):
        self.a = {0: x}
        for i in range(1, self.depth + 1):
            z = self.a[i - 1] @ self.params[f"w{i}"].T + self.params[f"b{i}"]
            self.a[i] = np.maximum(z, 0) if self.activations[i - 1] == "relu" else z
        return self.a[self.depth]

    def backward(self, y):
        self.grads = {}
        delta = 2 / len(y) * (self.a[self.depth] - y)
        for i in range(self.depth, 0, -1):
            if self.activations[i - 1] == "relu":
                delta = np.where(self.a[i] > 0, delta, 0)
            self.grads[f"w{i}"] = delta.T @ self.a[i - 1]
            self.grads[f"b{i}"] = delta.sum(axis=0)
            delta = delta @ self.params[f"w{i}"]
        return self.grads

    def descend(self, rate):
        for name in self.params:
            self.params[name] -= rate * self.grads[name]

    def parameters(self):
        return self.params


# ---------------------------------------------------------------------------------------------------------------------
# Clever Python


@supports(activations=["sigmoid", "tanh", "relu"], losses=["squared_error"], dtypes=["float64"], batches=False)
def recursive(network, x, y):
    """One recursive function: it goes forward on the way down, and returns dL/da of its own input on the way up."""
    grads = {}

    def through(k, a):
        if k == len(network.weights):
            return 2 * (a - y)
        z = network.weights[k] @ a + network.biases[k]
        name = network.activations[k]
        if name == "relu":
            dL_dz = through(k + 1, np.maximum(z, 0)) * np.heaviside(z, 0)
        elif name == "tanh":
            dL_dz = through(k + 1, np.tanh(z)) * (1 - np.tanh(z) ** 2)
        else:
            s = 1 / (1 + np.exp(-z))
            dL_dz = through(k + 1, s) * s * (1 - s)
        grads[f"w{k + 1}"] = np.outer(dL_dz, a)
        grads[f"b{k + 1}"] = dL_dz
        return network.weights[k].T @ dL_dz

    through(0, x)
    return grads


class Value:
    """A number that remembers where it came from."""

    def __init__(self, data, children=()):
        self.data = data
        self.grad = 0.0
        self.children = children
        self.push = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def push():
            self.grad += out.grad
            other.grad += out.grad

        out.push = push
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def push():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.push = push
        return out

    def __radd__(self, other):
        return self + other

    def tanh(self):
        out = Value(math.tanh(self.data), (self,))

        def push():
            self.grad += (1 - out.data**2) * out.grad

        out.push = push
        return out

    def relu(self):
        out = Value(self.data if self.data > 0 else 0.0, (self,))

        def push():
            self.grad += (out.data > 0) * out.grad

        out.push = push
        return out

    def backward(self):
        order, visited = [], set()

        def visit(node):
            if node not in visited:
                visited.add(node)
                for child in node.children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            node.push()


@supports(activations=["tanh", "relu"], outputs=["tanh", "relu", "identity"], losses=["squared_error"], single=False)
def scalar_autograd(network, x, y):
    """A small engine of scalars that push their gradients back, in the manner of micrograd."""
    W = [[[Value(v) for v in row] for row in w.tolist()] for w in network.weights]
    B = [[Value(v) for v in b.tolist()] for b in network.biases]
    total = Value(0.0)
    for inputs, targets in zip(x.tolist(), y.tolist(), strict=True):
        units = [Value(float(v)) for v in inputs]
        for w, b, name in zip(W, B, network.activations, strict=True):
            sums = [sum((wi * ui for wi, ui in zip(row, units, strict=True)), bias) for row, bias in zip(w, b, strict=True)]
            units = [s.tanh() if name == "tanh" else s.relu() if name == "relu" else s for s in sums]
        for unit, target in zip(units, targets, strict=True):
            difference = unit + (-target)
            total = total + difference * difference
    loss = total * (1 / len(x)) if network.reduction == "mean" else total
    loss.backward()
    grads = {"loss": loss.data}
    for k in range(len(W)):
        grads[f"w{k + 1}"] = np.array([[v.grad for v in row] for row in W[k]])
        grads[f"b{k + 1}"] = np.array([v.grad for v in B[k]])
    return grads


@supports(activations=["tanh"], losses=["squared_error"], single=False)
def by_reduce(network, x, y):
    """functools.reduce forward over the layers, and again backward over the pairs of layers and inputs."""
    layers = list(zip(network.weights, network.biases, strict=True))
    outputs = functools.reduce(lambda seen, layer: [*seen, np.tanh(seen[-1] @ layer[0].T + layer[1])], layers, [x])
    N = len(x) if network.reduction == "mean" else 1

    def step(state, numbered):
        upstream, found = state
        number, (w, _) = numbered
        delta = upstream * (1 - outputs[number] ** 2)
        return delta @ w, {**found, f"w{number}": delta.T @ outputs[number - 1] / N, f"b{number}": delta.sum(0) / N}

    backwards = reversed(list(enumerate(layers, start=1)))
    return functools.reduce(step, backwards, (2 * (outputs[-1] - y), {}))[1]


@dataclass
class DenseLayer:
    w: np.ndarray
    b: np.ndarray
    name: str
    a_prev: np.ndarray | None = None
    z: np.ndarray | None = None
    delta: np.ndarray | None = None

    def run(self, a_prev):
        self.a_prev = a_prev
        self.z = a_prev @ self.w.T + self.b
        return {"relu": lambda z: np.maximum(0, z), "sigmoid": lambda z: 1 / (1 + np.exp(-z))}[self.name](self.z)

    @property
    def slope(self):
        if self.name == "relu":
            return np.where(self.z > 0, 1.0, 0.0)
        s = 1 / (1 + np.exp(-self.z))
        return s * (1 - s)


@supports(activations=["relu", "sigmoid"], losses=["squared_error"], reductions=["sum", "mean"], single=False, layers=(1, 3))
def by_dataclasses(network, x, y):
    """A dataclass for each layer that keeps what it saw, its delta too; the derivative is a property."""
    layers = [
        DenseLayer(np.asarray(w, np.float64), np.asarray(b, np.float64), name)
        for w, b, name in zip(network.weights, network.biases, network.activations, strict=True)
    ]
    out = x
    for layer in layers:
        out = layer.run(out)
    layers[-1].delta = 2 * (out - y) * layers[-1].slope
    for layer, after in zip(layers[-2::-1], layers[:0:-1], strict=True):
        layer.delta = (after.delta @ after.w) * layer.slope
    factor = 1 / len(x) if network.reduction == "mean" else 1
    dW = {f"w{i}": layer.delta.T @ layer.a_prev * factor for i, layer in enumerate(layers, start=1)}
    dB = {f"b{i}": layer.delta.sum(axis=0) * factor for i, layer in enumerate(layers, start=1)}
    return dW | dB


@supports(activations=["identity", "sigmoid"], losses=["squared_error"], reductions=["mean"], single=False)
def by_generators(network, x, y):
    """A generator yields the layers' outputs, another yields names with gradients from the back, and dict() collects them."""

    def forward():
        a = x
        yield a
        for w, b, name in zip(network.weights, network.biases, network.activations, strict=True):
            a = a @ w.T + b
            if name == "sigmoid":
                a = 1 / (1 + np.exp(-a))
            yield a

    def backward(outputs):
        grad = 2 * (outputs[-1] - y) / len(y)
        for number in range(len(outputs) - 1, 0, -1):
            if network.activations[number - 1] == "sigmoid":
                grad = grad * outputs[number] * (1 - outputs[number])
            yield f"b{number}", grad.sum(axis=0)
            yield f"w{number}", grad.T @ outputs[number - 1]
            grad = grad @ network.weights[number - 1]

    return dict(backward(list(forward())))


Record = namedtuple("Record", "weight a_prev a local")


@supports(
    activations=["sigmoid", "leaky_relu"],
    outputs=["softmax"],
    losses=["cross_entropy"],
    targets=["one_hot", "distribution"],
    reductions=["sum"],
    single=False,
)
def tape_of_namedtuples(network, x, y):
    """A tape of namedtuples with each layer's local derivative, popped from its end on the way back."""
    tape = []
    a = x
    for w, b, name, slope in zip(network.weights, network.biases, network.activations, network.slopes, strict=True):
        z = a @ w.T + b
        if name == "softmax":
            out = np.exp(z - z.max(axis=1, keepdims=True))
            out /= out.sum(axis=1, keepdims=True)
            local = None
        elif name == "sigmoid":
            out = np.exp(-np.logaddexp(0, -z))
            local = out * (1 - out)
        else:
            local = np.ones_like(z)
            local[z < 0] = slope
            out = z * local
        tape.append(Record(w, a, out, local))
        a = out
    grads = {}
    delta = tape[-1].a - y
    while tape:
        record = tape.pop()
        if record.local is not None:
            delta = delta * record.local
        grads[f"w{len(tape) + 1}"] = delta.T @ record.a_prev
        grads[f"b{len(tape) + 1}"] = delta.sum(axis=0)
        delta = delta @ record.weight
    return grads


@supports(activations=["tanh", "relu"], outputs=["sigmoid"], losses=["squared_error"], single=False, layers=(2, 4))
class WouldRunOnCupy:
    """xp in place of np, as for CuPy; a state dict, xp.float64 for everything, and dl_dw, dl_db in place of dW, db."""

    xp = np

    def __init__(self, network):
        xp = self.xp
        self.state = {
            "W": [xp.asarray(w, dtype=xp.float64) for w in network.weights],
            "b": [xp.asarray(b, dtype=xp.float64)[xp.newaxis, :] for b in network.biases],
        }
        self.names = tuple(network.activations)
        self.reduction = network.reduction

    def forward(self, x):
        xp = self.xp
        values = [xp.ascontiguousarray(xp.asarray(x, dtype=xp.float64))]
        for W, b, name in zip(self.state["W"], self.state["b"], self.names, strict=True):
            z = xp.matmul(values[-1], W.T) + b
            if name == "sigmoid":
                values.append(xp.reciprocal(1.0 + xp.exp(-z)))
            else:
                values.append(xp.tanh(z) if name == "tanh" else xp.maximum(z, 0.0))
        self.state["values"] = values
        return values[-1].copy()

    def backward(self, y):
        xp = self.xp
        values = self.state["values"]
        dl_da = 2.0 * (values[-1] - xp.asarray(y, dtype=xp.float64))
        if self.reduction == "mean":
            dl_da /= float(len(values[0]))
        gradients = {}
        for k in range(len(self.names), 0, -1):
            a = values[k]
            derivative = {
                "sigmoid": lambda a: a * (1.0 - a),
                "tanh": lambda a: 1.0 - xp.square(a),
                "relu": lambda a: (a > 0).astype(xp.float64),
            }[self.names[k - 1]](a)
            dl_dz = dl_da * derivative
            dl_dw = xp.tensordot(dl_dz, values[k - 1], axes=(0, 0))
            dl_db = xp.matmul(xp.ones(len(dl_dz)), dl_dz)
            gradients.update({f"w{k}": dl_dw, f"b{k}": dl_db})
            dl_da = xp.matmul(dl_dz, self.state["W"][k - 1])
        return gradients


@supports()
def everything_there_is(network, x, y):
    """Any number of layers, all activations, both losses, every kind of y, one example or many; tables of lambdas."""
    dtype = network.weights[0].dtype
    single = x.ndim == 1
    X = np.atleast_2d(x).astype(dtype)
    classes = len(network.biases[-1])
    if network.loss == "cross_entropy" and y.ndim < x.ndim:
        T = np.eye(classes, dtype=dtype)[np.atleast_1d(y)]
    else:
        T = np.atleast_2d(y).astype(dtype)

    def softmax(z, s):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    g = {
        "identity": lambda z, s: z,
        "sigmoid": lambda z, s: 1 / (1 + np.exp(-z)),
        "tanh": lambda z, s: np.tanh(z),
        "relu": lambda z, s: np.maximum(z, 0),
        "leaky_relu": lambda z, s: np.where(z > 0, z, s * z),
        "prelu": lambda z, s: np.where(z > 0, z, s * z),
        "softmax": softmax,
    }
    back = {
        "identity": lambda d, z, a, s: d,
        "sigmoid": lambda d, z, a, s: d * a * (1 - a),
        "tanh": lambda d, z, a, s: d * (1 - a * a),
        "relu": lambda d, z, a, s: d * (z > 0),
        "leaky_relu": lambda d, z, a, s: np.where(z > 0, d, d * s),
        "prelu": lambda d, z, a, s: np.where(z > 0, d, d * s),
        "softmax": lambda d, z, a, s: a * (d - (d * a).sum(axis=1, keepdims=True)),
    }
    slopes = [None if s is None else np.asarray(s, dtype) for s in network.slopes]
    zs, a = [], [X]
    for w, b, name, s in zip(network.weights, network.biases, network.activations, slopes, strict=True):
        zs.append(a[-1] @ w.T + b)
        a.append(g[name](zs[-1], s))

    grads = {}
    share = 1 if single or network.reduction == "sum" else len(X)
    d = 2 * (a[-1] - T) / share
    for k in range(len(zs), 0, -1):
        name, s, z = network.activations[k - 1], slopes[k - 1], zs[k - 1]
        if name == "prelu":
            dalpha = np.where(z > 0, 0, z) * d
            grads[f"alpha{k}"] = dalpha.sum(axis=0) if s.ndim else np.asarray(dalpha.sum())
        if k == len(zs) and network.loss == "cross_entropy":
            d = (a[-1] - T) / share
        else:
            d = back[name](d, z, a[k], s)
        grads[f"w{k}"] = d.T @ a[k - 1]
        grads[f"b{k}"] = d.sum(axis=0)
        d = d @ network.weights[k - 1]
    return grads


# ---------------------------------------------------------------------------------------------------------------------
# Yes or no


@supports(activations=["tanh"], losses=["binary_cross_entropy"], reductions=["mean"], single=False, layers=2)
def log_loss_with_clip(network, x, y):
    """Logistic output with the usual clip, so that no logarithm fails; dL/da and g' one after the other."""
    eps = 1e-12
    W1, W2 = network.weights
    b1, b2 = network.biases
    m = x.shape[0]
    h = np.tanh(x @ W1.T + b1)
    p = np.clip(1 / (1 + np.exp(-(h @ W2.T + b2))), eps, 1 - eps)
    cost = -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)) / m
    dp = -(y / p) + (1 - y) / (1 - p)
    dz2 = dp * p * (1 - p) / m
    dz1 = (dz2 @ W2) * (1 - h**2)
    return {"w1": dz1.T @ x, "b1": dz1.sum(axis=0), "w2": dz2.T @ h, "b2": dz2.sum(axis=0), "loss": cost}


@supports(activations=["relu", "sigmoid"], losses=["binary_cross_entropy"])
class SeveralLabels:
    """Each output a label of its own, any depth: delta = prediction minus label, and the loss straight from the logits."""

    def __init__(self, network):
        self.net = network

    def forward(self, x):
        self.single = np.ndim(x) == 1
        self.acts = [np.atleast_2d(x)]
        for W, b, kind in zip(self.net.weights, self.net.biases, self.net.activations, strict=True):
            self.z = self.acts[-1] @ W.T + b
            self.acts.append(np.maximum(self.z, 0) if kind == "relu" else 0.5 * (1 + np.tanh(self.z / 2)))
        return self.acts[-1][0] if self.single else self.acts[-1]

    def backward(self, y):
        labels = np.atleast_2d(y)
        scale = 1 if self.net.reduction == "sum" else len(labels)
        loss = np.sum(np.maximum(self.z, 0) - self.z * labels + np.log1p(np.exp(-abs(self.z)))) / scale
        delta = (self.acts[-1] - labels) / scale
        out = {"loss": loss}
        for k in reversed(range(len(self.net.weights))):
            out[f"w{k + 1}"] = delta.T @ self.acts[k]
            out[f"b{k + 1}"] = delta.sum(0)
            if k:
                below = self.acts[k]
                slope = (below > 0) if self.net.activations[k - 1] == "relu" else below * (1 - below)
                delta = (delta @ self.net.weights[k]) * slope
        return out


HAND_INS = {
    "loops-over-everything": loops_over_everything,
    "lists-of-lists": lists_of_lists,
    "math-exp-on-floats": math_exp_on_floats,
    "two-neurons-in-a-row": two_neurons_in_a_row,
    "chain-of-any-length": chain_of_any_length,
    "einsum-everywhere": einsum_everywhere,
    "np-matrix": np_matrix,
    "examples-as-columns": examples_as_columns,
    "weights-kept-turned": weights_kept_turned,
    "bias-trick": bias_trick,
    "mean-of-outer-products": mean_of_outer_products,
    "softmax-without-its-maximum": softmax_without_its_maximum,
    "log-plus-epsilon": LogPlusEpsilon,
    "softmax-by-logsumexp": softmax_by_logsumexp,
    "subtracts-in-place": SubtractsInPlace,
    "jacobian-of-each-example": jacobian_of_each_example,
    "naive-sigmoid-by-nabla": naive_sigmoid_by_nabla,
    "clipped-sigmoid": ClippedSigmoid,
    "tanh-by-exponentials": tanh_by_exponentials,
    "relu-by-mask-from-zero-on": relu_by_mask_from_zero_on,
    "tuples-of-caches": tuples_of_caches,
    "leaky-by-where": leaky_by_where,
    "learned-slopes": LearnedSlopes,
    "one-hot-by-loop": one_hot_by_loop,
    "biases-as-rows": biases_as_rows,
    "squeezed-biases": squeezed_biases,
    "network-for-xor": network_for_xor,
    "prints-as-it-goes": prints_as_it_goes,
    "hands-out-its-cache": HandsOutItsCache,
    "buffers-reused": BuffersReused,
    "layer-objects": LayerObjects,
    "trains-itself": TrainsItself,
    "recursive": recursive,
    "scalar-autograd": scalar_autograd,
    "by-reduce": by_reduce,
    "by-dataclasses": by_dataclasses,
    "by-generators": by_generators,
    "tape-of-namedtuples": tape_of_namedtuples,
    "would-run-on-cupy": WouldRunOnCupy,
    "everything-there-is": everything_there_is,
    "log-loss-with-clip": log_loss_with_clip,
    "several-labels": SeveralLabels,
}

"""Right backpropagations by conventions of their own, as well-known teaching codes and books have them: the table at the end.

Each stands without its declaration, which the table has, beside one line of it with a slip. They are text, run as a file's is,
since the slip is made in the text.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verification import supports


@dataclass(frozen=True)
class Conventional:
    """A right submission that is to be declared, and a wrong one.

    Parameters
    ----------
    name, text : str
        What it is called; its code, which defines `gradient` or `Net`.
    convention : dict
        The conventions that it declares.
    slip : (str, str)
        A part of the text, and what stands there in the wrong one.
    equation : int
        The equation that the slip breaks.
    declared : dict
        What else it declares.
    loss_alone : bool
        Whether the slip leaves the gradient right.
    told : bool
        Whether, undeclared, it is told which convention fits.
    """

    name: str
    text: str
    convention: dict[str, Any]
    slip: tuple[str, str]
    equation: int
    declared: dict[str, Any] = field(default_factory=dict)
    loss_alone: bool = False
    told: bool = True

    def submission(self, *, wrong: bool = False, conventions: bool = True) -> Callable[..., Any]:
        """Return it, right or with the slip, with its conventions declared or not."""
        old, new = self.slip
        assert self.text.count(old) == 1, (self.name, self.text.count(old))
        names: dict[str, Any] = {"np": np}
        exec(compile(self.text.replace(old, new) if wrong else self.text, f"{self.name}.py", "exec"), names)
        found = names.get("gradient") or names["Net"]
        return supports(**{**self.declared, **(self.convention if conventions else {})})(found)


SCORES = '''
def gradient(network, X, y):
    """Two layers, scores and hinge-free softmax, as a course on image recognition writes it: X.dot(W) + b."""
    W1, W2 = network.weights
    b1, b2 = network.biases
    num_train = X.shape[0]
    hidden = np.maximum(0, X.dot(W1) + b1)
    scores = hidden.dot(W2) + b2
    scores -= np.max(scores, axis=1, keepdims=True)
    probs = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
    loss = np.sum(-np.log(probs[range(num_train), y])) / num_train
    dscores = probs
    dscores[range(num_train), y] -= 1
    dscores /= num_train
    grads = {"W2": hidden.T.dot(dscores), "b2": np.sum(dscores, axis=0)}
    dhidden = dscores.dot(W2.T)
    dhidden[hidden <= 0] = 0
    grads["W1"] = X.T.dot(dhidden)
    grads["b1"] = np.sum(dhidden, axis=0)
    grads["loss"] = loss
    return grads
'''
OF_SCORES = {
    "activations": ["relu"],
    "outputs": ["softmax"],
    "losses": ["cross_entropy"],
    "targets": ["indices"],
    "reductions": ["mean"],
    "dtypes": ["float64"],
    "single": False,
    "layers": 2,
}

NABLA = '''
def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


def gradient(network, x, y):
    """One example, a column; the book's lists nabla_b and nabla_w, and its quadratic cost with a half."""
    nabla_b = [np.zeros((len(b), 1)) for b in network.biases]
    nabla_w = [np.zeros(w.shape) for w in network.weights]
    activation = x.reshape(-1, 1)
    activations, zs = [activation], []
    for b, w in zip(network.biases, network.weights):
        z = np.dot(w, activation) + b.reshape(-1, 1)
        zs.append(z)
        activation = sigmoid(z)
        activations.append(activation)
    delta = (activations[-1] - y.reshape(-1, 1)) * sigmoid_prime(zs[-1])
    nabla_b[-1] = delta
    nabla_w[-1] = np.dot(delta, activations[-2].transpose())
    for l in range(2, len(zs) + 1):
        delta = np.dot(network.weights[-l + 1].transpose(), delta) * sigmoid_prime(zs[-l])
        nabla_b[-l] = delta
        nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())
    return {"nabla_b": nabla_b, "nabla_w": nabla_w}
'''
OF_NABLA = {"activations": ["sigmoid"], "reductions": ["sum"], "batches": False, "dtypes": ["float64"]}

MSE = """
class Net:
    def __init__(self, network):
        self.W = [w.copy() for w in network.weights]
        self.b = [b.copy() for b in network.biases]

    def forward(self, x):
        self.h = [x]
        for W, b in zip(self.W, self.b):
            self.h.append(np.tanh(self.h[-1] @ W.T + b))
        return self.h[-1]

    def backward(self, y):
        out = self.h[-1]
        grads = {"loss": np.mean((out - y) ** 2)}
        dout = 2 * (out - y) / y.size
        for i in range(len(self.W), 0, -1):
            dz = dout * (1 - self.h[i] ** 2)
            grads[f"dW{i}"] = dz.T @ self.h[i - 1]
            grads[f"db{i}"] = dz.sum(axis=0)
            dout = dz @ self.W[i - 1]
        return grads
"""

ELEVEN_LINES = """
def nonlin(x, deriv=False):
    if deriv:
        return x * (1 - x)
    return 1 / (1 + np.exp(-x))


class Net:
    def __init__(self, network):
        self.syn0, self.syn1 = [w.T.copy() for w in network.weights]

    def train(self, X, y, rate):
        l1 = nonlin(np.dot(X, self.syn0))
        l2 = nonlin(np.dot(l1, self.syn1))
        l2_error = y - l2
        l2_delta = l2_error * nonlin(l2, deriv=True)
        l1_error = l2_delta.dot(self.syn1.T)
        l1_delta = l1_error * nonlin(l1, deriv=True)
        self.syn1 += rate * l1.T.dot(l2_delta)
        self.syn0 += rate * X.T.dot(l1_delta)

    def parameters(self):
        return {"w1": self.syn0.T, "w2": self.syn1.T}
"""

COLUMNS = '''
def gradient(network, X, Y):
    """Examples in columns, m of them, as a well-known course on deep learning has it."""
    m = X.shape[1]
    A, caches = X, []
    for l, (W, b) in enumerate(zip(network.weights, network.biases), 1):
        Z = np.dot(W, A) + b
        caches.append((A, W, Z))
        if l < len(network.weights):
            A = np.tanh(Z)
        else:
            t = np.exp(Z - Z.max(axis=0, keepdims=True))
            A = t / t.sum(axis=0, keepdims=True)
    grads = {"cost": -np.sum(Y * np.log(A)) / m}
    dZ = A - Y
    for l in range(len(caches), 0, -1):
        A_prev, W, _ = caches[l - 1]
        grads["dW" + str(l)] = np.dot(dZ, A_prev.T) / m
        grads["db" + str(l)] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            dA = np.dot(W.T, dZ)
            dZ = dA * (1 - np.power(A_prev, 2))
    return grads
'''
OF_COLUMNS = {
    "activations": ["tanh"],
    "outputs": ["softmax"],
    "losses": ["cross_entropy"],
    "targets": ["one_hot"],
    "reductions": ["mean"],
    "dtypes": ["float64"],
}

DECAY = """
def gradient(network, x, y):
    x, y = np.atleast_2d(x), np.atleast_2d(y)
    lam = network.l2
    hs = [x]
    for W, b in zip(network.weights, network.biases):
        hs.append(1 / (1 + np.exp(-(hs[-1] @ W.T + b))))
    loss = np.sum((hs[-1] - y) ** 2) + 0.5 * lam * sum(np.sum(W * W) for W in network.weights)
    out = {"loss": loss}
    d = 2 * (hs[-1] - y) * hs[-1] * (1 - hs[-1])
    for i in range(len(network.weights), 0, -1):
        W = network.weights[i - 1]
        out[f"w{i}"] = d.T @ hs[i - 1] + lam * W
        out[f"b{i}"] = d.sum(axis=0)
        d = d @ W * hs[i - 1] * (1 - hs[i - 1])
    return out
"""
OF_DECAY = {
    "activations": ["sigmoid"],
    "losses": ["squared_error"],
    "reductions": ["sum"],
    "dtypes": ["float64"],
}
# λ as a number in the code, the term without a half and averaged over the examples.
CONSTANT_DECAY = (
    DECAY.replace("lam = network.l2", "lam = 0.05")
    .replace("0.5 * lam * sum", "lam / len(x) * sum")
    .replace("+ lam * W", "+ 2 * lam * W / len(x)")
)

SQUEEZED = '''
def gradient(network, x, y):
    """Weights are squeezed as soon as they come, which no layer of one unit survives."""
    W1, W2 = map(np.squeeze, network.weights)
    b1, b2 = network.biases
    h = np.tanh(x @ W1.T + b1)
    out = h @ W2.T + b2
    d2 = 2 * (out - y)
    d1 = (d2 @ W2) * (1 - h**2)
    return {"dw1": d1.T @ x, "db1": d1.sum(axis=0), "dw2": d2.T @ h, "db2": d2.sum(axis=0)}
'''
OF_SQUEEZED = {
    "activations": ["tanh"],
    "outputs": ["identity"],
    "losses": ["squared_error"],
    "reductions": ["sum"],
    "dtypes": ["float64"],
    "single": False,
    "layers": 2,
}

CLASSES = '''
def gradient(network, x, y):
    """A softmax of at least two classes: the second largest is looked for, too."""
    (W,), (b,) = network.weights, network.biases
    z = x @ W.T + b
    second = np.sort(z, axis=1)[:, -2]
    e = np.exp(z - second[:, None])
    p = e / e.sum(axis=1, keepdims=True)
    d = (p - y) / len(x)
    return {"W": [d.T @ x], "b": [d.sum(axis=0)]}
'''
OF_CLASSES = {
    "activations": ["softmax"],
    "losses": ["cross_entropy"],
    "targets": ["one_hot"],
    "reductions": ["mean"],
    "dtypes": ["float64"],
    "single": False,
    "layers": 1,
}

HALVED = NABLA
CONVENTIONAL = (
    Conventional(
        "weights-in-out",
        SCORES,
        {"weights": "in-out"},
        ("dhidden[hidden <= 0] = 0", "dhidden[hidden < 0] = 0"),
        12,
        OF_SCORES,
    ),
    Conventional(
        "half-squared-error",
        NABLA,
        {"losses": ["half_squared_error"]},
        ("delta) * sigmoid_prime(zs[-l])", "delta)"),
        12,
        OF_NABLA,
    ),
    Conventional(
        "mean-squared-error",
        MSE,
        {"losses": ["mean_squared_error"]},
        ("(1 - self.h[i] ** 2)", "(1 - self.h[i])"),
        12,
        {"activations": ["tanh"], "reductions": ["mean"], "dtypes": ["float64"], "single": False},
    ),
    Conventional(
        "a-step-without-biases",
        ELEVEN_LINES,
        {"losses": ["half_squared_error"], "biases": False},
        ("l1_delta = l1_error * nonlin(l1, deriv=True)", "l1_delta = l1_error"),
        12,
        {"activations": ["sigmoid"], "reductions": ["sum"], "layers": 2, "single": False},
    ),
    Conventional(
        "examples-as-columns",
        COLUMNS,
        {"examples": "columns"},
        ("(1 - np.power(A_prev, 2))", "(1 - A_prev)"),
        12,
        OF_COLUMNS,
    ),
    Conventional("l2", DECAY, {"l2": 0.1}, ("+ lam * W\n", "\n"), 11, OF_DECAY, told=False),
    Conventional(
        "l2-a-number-in-the-code",
        CONSTANT_DECAY,
        {"l2": 0.05},
        ('out[f"b{i}"] = d.sum(axis=0)', 'out[f"b{i}"] = d.sum(axis=0) + 2 * lam * network.biases[i - 1] / len(x)'),
        7,
        OF_DECAY,
    ),
    Conventional("least-width", SQUEEZED, {"least_width": 2}, ("2 * (out - y)", "(out - y)"), 4, OF_SQUEEZED),
    Conventional("least-classes", CLASSES, {"least_classes": 2}, ("(p - y) / len(x)", "(y - p) / len(x)"), 2, OF_CLASSES),
)

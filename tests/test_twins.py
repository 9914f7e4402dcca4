from threading import Lock

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import nn
from torch.nn import functional as F  # noqa: N812  # torch's own name for it

import handgrad as hg
import verification as v
from verification.autograd.chains import chain_of
from verification.autograd.oracles import autograd
from verification.bounds.analysis import bounds
from verification.bounds.entries import shares
from verification.bounds.rounding import NAIVE
from verification.random_networks.plain import plain_case


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(v.networks())
def test_network_there_and_back_equals_itself(net):
    back = v.from_torch(v.to_torch(net), loss=net.loss_name, reduction=net.reduction)
    assert repr(back) == repr(net)
    assert list(back.named()) == list(net.named())
    for name, array in net.named().items():
        assert back.named()[name].shape == array.shape, name
        assert back.named()[name].dtype == array.dtype, name
        assert np.array_equal(back.named()[name], array), name
    assert [layer.activation.slope for layer in back.layers] == [layer.activation.slope for layer in net.layers]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(v.cases())
def test_twin_trained_by_torch_matches_gradient(case):
    """The twin is an ordinary module: its own backward fills .grad with the numbers that autograd's oracle has."""
    net, x, y = case
    module, loss = v.to_torch(net), v.to_torch_loss(net)
    # torch's PReLU with a slope a unit takes no single example: everything goes in as a batch.
    batch, target = torch.tensor(np.atleast_2d(np.array(x, net.dtype))), torch.tensor(np.array(y))
    target = target.reshape(len(batch), -1).to(batch.dtype) if np.ndim(y) == np.ndim(x) else target.reshape(-1).long()
    loss(module(batch), target).backward()
    asked = plain_case(net, x, y)
    expected, allowed = autograd(asked), bounds(asked, NAIVE)
    for name, parameter in zip(net.named(), module.parameters(), strict=True):
        share = shares(parameter.grad.numpy().reshape(expected[name].shape), expected[name], 2 * allowed[name])
        assert (share <= 1).all(), name


def test_twin_of_network_is_independent_memory():
    net = hg.Network([hg.Dense([[1.0]], [2.0], hg.Activation("prelu", alpha=0.5))])
    module = v.to_torch(net)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 1
    assert [array.item() for array in net.named().values()] == [1.0, 2.0, 0.5]
    back = v.from_torch(module)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 1
    assert [array.item() for array in back.named().values()] == [2.0, 3.0, 1.5]


def test_twin_of_cross_entropy_network_is_logits():
    net = hg.Network.random([2, 3], activations=["softmax"], loss="cross_entropy", seed=0)
    module = v.to_torch(net)
    assert [type(each) for each in module] == [nn.Linear]
    assert isinstance(v.to_torch_loss(net), nn.CrossEntropyLoss)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_twin_of_binary_cross_entropy_network_is_logits(reduction):
    """torch's own mean divides by the units, too: the twin's loss is the mean over examples of the sum over units."""
    net = hg.Network.random([2, 3], activations=["sigmoid"], loss="binary_cross_entropy", reduction=reduction, seed=0)
    module, loss = v.to_torch(net), v.to_torch_loss(net)
    assert [type(each) for each in module] == [nn.Linear]
    x, y = torch.tensor([[1.0, 2.0], [-1.0, 0.5]]).double(), torch.tensor([[0.0, 1.0, 0.25], [1.0, 0.5, 0.0]]).double()
    of_torch = loss(module(x), y).item()
    own = nn.BCEWithLogitsLoss(reduction=reduction)(module(x), y).item()
    assert abs(of_torch - (3 if reduction == "mean" else 1) * own) <= 16 * 2.0**-53 * of_torch
    assert abs(of_torch - net.loss(x.numpy(), y.numpy())) <= 64 * 2.0**-53 * of_torch


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_twin_loss_matches_loss(reduction):
    net = hg.Network.random([2, 3], activations=["tanh"], reduction=reduction, seed=0)
    x, y = np.array([[1.0, 2.0], [-1.0, 0.5]]), np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 0.0]])
    of_torch = v.to_torch_loss(net)(v.to_torch(net)(torch.tensor(x)), torch.tensor(y)).item()
    # Six squares and their sum, each side within γ_8 of a sum of positive terms, on outputs within 4 ULP.
    assert abs(of_torch - net.loss(x, y)) <= 64 * 2.0**-53 * of_torch


def test_linear_without_bias_is_a_bias_of_zeros():
    net = v.from_torch(nn.Sequential(nn.Linear(2, 3, bias=False)))
    assert np.array_equal(net.layers[0].b, np.zeros(3))
    assert net.layers[0].b.dtype == np.float32
    assert not np.signbit(net.layers[0].b).any()


class Traced(nn.Module):
    """A module of one's own with the layers `fc` (3, 3), `again` (3, 3), `out` (3, 2) and `act`; its forward is given."""

    def __init__(self, forward, act=None, **parts):
        super().__init__()
        self.fc, self.again, self.out, self.act = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 2), act or nn.Tanh()
        for name, part in parts.items():
            setattr(self, name, part)
        self.own = forward

    def forward(self, x):
        return self.own(self, x)


class TwoInputs(nn.Linear):
    def forward(self, x, mask):
        return super().forward(x * mask)


class Unused(nn.Linear):
    def forward(self, x, mask=None):
        return super().forward(x)


class Steps(nn.Sequential):
    pass


# Modules and their activations, first layer first; each has three inputs.
CHAINS = {
    "layer": (lambda: nn.Linear(3, 2), "identity"),
    "nested": (
        lambda: nn.Sequential(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), nn.Sequential(nn.Sequential(nn.Linear(3, 2)))),
        "relu identity",
    ),
    "activation in another Sequential": (lambda: nn.Sequential(nn.Sequential(nn.Linear(3, 2)), nn.Sigmoid()), "sigmoid"),
    "subclass": (lambda: Steps(nn.Linear(3, 2), nn.ReLU(inplace=True)), "relu"),
    "dropout of nothing": (lambda: nn.Sequential(nn.Dropout(0), nn.Linear(3, 2), nn.Dropout(0.0), nn.Tanh()), "tanh"),
    "dropout in eval mode": (
        lambda: nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5), nn.Tanh(), nn.Dropout(0.9)).eval(),
        "tanh",
    ),
    "identity anywhere": (
        lambda: nn.Sequential(nn.Identity(), nn.Linear(3, 2), nn.Identity(), nn.ReLU(), nn.Identity()),
        "relu",
    ),
    "flatten": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(3, 2), nn.Flatten(-1), nn.Softmax(1)), "softmax"),
    "without bias": (lambda: nn.Sequential(nn.Linear(3, 3, bias=False), nn.PReLU(3), nn.Linear(3, 2)), "prelu identity"),
    "unused argument": (lambda: Unused(3, 2), "identity"),
    "own": (lambda: Traced(lambda m, x: m.out(m.act(m.fc(x)))), "tanh identity"),
    "own within Sequential": (lambda: nn.Sequential(Traced(lambda m, x: m.out(m.fc(x))), nn.ReLU()), "identity relu"),
    "one activation twice": (lambda: Traced(lambda m, x: m.act(m.out(m.act(m.fc(x))))), "tanh tanh"),
    "loop over layers": (lambda: Traced(lambda m, x: [x := torch.relu(each(x)) for each in (m.fc, m.again)][-1]), "relu relu"),
    "functions": (lambda: Traced(lambda m, x: F.softmax(m.out(torch.sigmoid(m.fc(x))), dim=1)), "sigmoid softmax"),
    "leaky_relu": (lambda: Traced(lambda m, x: m.out(F.leaky_relu(m.fc(x), 0.25))), "leaky_relu identity"),
    "leaky_relu as it is": (lambda: Traced(lambda m, x: m.out(F.leaky_relu(m.fc(x)))), "leaky_relu identity"),
    "leaky_relu by name": (lambda: Traced(lambda m, x: F.leaky_relu(input=m.fc(x), negative_slope=2)), "leaky_relu"),
    "prelu": (lambda: Traced(lambda m, x: F.prelu(m.fc(x), m.alpha), alpha=nn.Parameter(torch.tensor([0.5, 1, 2]))), "prelu"),
    "softmax": (lambda: Traced(lambda m, x: torch.softmax(m.again(F.softmax(m.fc(x), dim=-1)), 1)), "softmax softmax"),
    "methods": (lambda: Traced(lambda m, x: m.out(m.again(m.fc(x.flatten(1)).relu()).sigmoid()).tanh()), "relu sigmoid tanh"),
    "method softmax": (lambda: Traced(lambda m, x: m.fc(torch.flatten(x, start_dim=1)).softmax(dim=1)), "softmax"),
    "linear": (lambda: Traced(lambda m, x: torch.tanh(F.linear(x, m.fc.weight, m.fc.bias))), "tanh"),
    "linear without bias": (lambda: Traced(lambda m, x: F.linear(x, weight=m.fc.weight)), "identity"),
    "dropout": (lambda: Traced(lambda m, x: F.dropout(m.fc(x), training=m.training)).eval(), "identity"),
    "dropout of p = 0": (lambda: Traced(lambda m, x: F.dropout(m.fc(x), 0.0)), "identity"),
}


@pytest.mark.parametrize("kind", CHAINS)
def test_network_of_chain_matches_the_modules_outputs(kind):
    make, names = CHAINS[kind]
    module = make().double()
    net = v.from_torch(module)
    assert [layer.activation.name for layer in net.layers] == names.split()
    x = np.array([[1.0, -2.0, 0.5], [0.25, 4.0, -1.0]])
    # Three layers of sums of four terms, of numbers below 10, in another order.
    assert np.abs(net(x) - module(torch.tensor(x)).detach().numpy()).max() <= 1000 * 2.0**-53
    before = net(x)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 1
    np.testing.assert_array_equal(net(x), before)


def test_module_that_is_read_is_as_it_was():
    def forward(module, x):
        module.calls = getattr(module, "calls", 0) + 1
        return F.linear(x, module.fc.weight, torch.ones(3))

    module = Traced(forward)
    before = dict(vars(module))
    with pytest.raises(TypeError, match="linear in module's forward must be one of"):
        v.from_torch(module)
    assert vars(module) == before


class Counting(nn.Module):
    """Its forward counts its calls in a buffer and in a list."""

    def __init__(self):
        super().__init__()
        self.fc, self.calls = nn.Linear(3, 2), []
        self.register_buffer("count", torch.zeros(()))

    def forward(self, x):
        self.count.add_(1)
        self.calls.append(len(self.calls))
        return torch.tanh(self.fc(x))


def test_module_that_counts_its_calls_is_as_it_was():
    module = Counting()
    v.from_torch(module)
    assert v.compare(module, np.ones((2, 3)), np.ones((2, 2))).ok
    assert (module.count.item(), module.calls) == (0, [])


def test_parameters_of_a_chain_is_the_callers_own():
    module = Traced(lambda m, x: F.linear(m.act(m.fc(x)), m.out.weight, m.out.bias), act=nn.PReLU(3))
    first, last = chain_of(module)
    own = [module.fc.weight, module.fc.bias, module.act.weight, module.out.weight, module.out.bias]
    for found, right in zip([first.weight, first.bias, first.alpha, last.weight, last.bias], own, strict=True):
        assert found is right


def hooked(register, which=1):
    module = nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.Linear(1, 1)))
    register(dict(module.named_modules())[which])
    return module


@pytest.mark.parametrize("function", [v.from_torch, lambda module: v.compare(module, [[1.0]], [[1.0]])])
@pytest.mark.parametrize(
    ("module", "text"),
    [
        (hooked(lambda m: m.register_forward_hook(print), ""), "module must have no hook, since layers of handgrad have none"),
        (hooked(lambda m: m.register_forward_hook(print), "0"), "module 0 must have no hook, since layers of handgrad"),
        (hooked(lambda m: m.register_forward_hook(print), "1.0"), "module 1.0 must have no hook, "),
        (hooked(lambda m: m.register_forward_hook(print), "1"), "got a forward hook: remove it"),
        (hooked(lambda m: m.register_forward_pre_hook(print), "1"), "got a forward pre-hook: remove it"),
        (hooked(lambda m: m.register_full_backward_hook(print), "0"), "got a backward hook: remove it"),
        (hooked(lambda m: m.register_full_backward_pre_hook(print), "0"), "got a backward pre-hook: remove it"),
        (hooked(lambda m: m.weight.register_hook(print), "1.0"), "parameter 1.0.weight must have no hook, since layers of"),
        (hooked(lambda m: nn.utils.spectral_norm(m), "0"), "module 0 must have no hook"),
        (
            hooked(lambda m: setattr(m, "forward", torch.tanh), "0"),
            "module 0 must have the forward of its class, Linear; got one",
        ),
        (hooked(lambda m: setattr(m, "lock", Lock()), "0"), "module must be one that copy.deepcopy copies; got Sequential: "),
    ],
)
def test_module_that_does_more_than_its_layers_raises(function, module, text):
    with pytest.raises(TypeError) as raised:
        function(module)
    assert text in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_hook_that_is_removed_or_changes_no_gradient_is_none():
    module = nn.Linear(1, 1)
    for handle in (module.register_forward_hook(print), module.weight.register_hook(print)):
        handle.remove()
    module.weight.register_post_accumulate_grad_hook(print)
    assert v.compare(module, [[1.0]], [[1.0]]).ok


def test_logarithm_of_softmax_is_logits_under_cross_entropy():
    module = nn.Sequential(nn.Linear(3, 2), nn.LogSoftmax(dim=1)).double()
    for each in (module, Traced(lambda m, x: F.log_softmax(m.fc(x), 1)), Traced(lambda m, x: m.fc(x).log_softmax(-1))):
        net = v.from_torch(each.double(), loss="cross_entropy")
        x = np.array([[1.0, -2.0, 0.5], [0.25, 4.0, -1.0]])
        loss = nn.NLLLoss()(each(torch.tensor(x)), torch.tensor([0, 1])).item()
        assert abs(net.loss(x, [0, 1]) - loss) <= 256 * 2.0**-53 * (1 + loss)


def tied():
    module = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))
    module[2].weight = module[0].weight
    return module


def of(forward, **parts):
    return Traced(forward, **parts)


@pytest.mark.parametrize(
    ("module", "options", "error", "text"),
    [
        (hg.Network([hg.Dense([[1.0]], [0.0])]), {}, TypeError, "module must be an nn.Module; got Network"),
        (nn.Linear, {}, TypeError, "module must be an nn.Module; got type"),
        (nn.ReLU(), {}, TypeError, "module must follow a Linear without an activation yet; got ReLU()"),
        (nn.GELU(), {}, TypeError, "module must be one of Linear, Sigmoid"),
        (nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1)), {}, TypeError, "module 1 must be one of Linear, Sigmoid"),
        (
            nn.Sequential(nn.Linear(1, 1), nn.Dropout(0.5)),
            {},
            TypeError,
            "module 1 is random while it trains: call module.eval(), or make p 0; got Dropout(p=0.5, inplace=False)",
        ),
        (
            of(lambda m, x: F.dropout(m.fc(x))).eval(),
            {},
            TypeError,
            "dropout in module's forward is random while it trains: say training=self.training and call module.eval(), or make",
        ),
        (of(lambda m, x: F.prelu(m.fc(x), torch.ones(3))), {}, TypeError, "prelu in module's forward must be one of Linear"),
        (of(lambda m, x: F.dropout(m.fc(x), 0.5, m.training)), {}, TypeError, "dropout in module's forward is random while"),
        (nn.Sequential(nn.Flatten(0), nn.Linear(1, 1)), {}, TypeError, "got Flatten(start_dim=0, end_dim=-1)"),
        (of(lambda m, x: m.fc(torch.flatten(x))), {}, TypeError, "flatten in module's forward must be one of"),
        (nn.Sequential(nn.LazyLinear(1)), {}, TypeError, "module 0 has no numbers yet: call the module once on its data"),
        (nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(1, 1))), {}, TypeError, "module 0 must be one of"),
        (nn.Sequential(nn.Sequential(nn.Linear(1, 1), nn.ELU())), {}, TypeError, "module 0.1 must be one of"),
        (nn.Sequential(nn.Linear(1, 1), nn.Softmax()), {}, TypeError, "got Softmax(dim=None)"),
        (tied(), {}, TypeError, "module 2 has the parameters of module 0: layers of handgrad share none"),
        (of(lambda m, x: m.fc(m.fc(x))), {}, TypeError, "module fc is used twice: layers of handgrad share none"),
        (
            of(lambda m, x: m.act(m.again(m.act(m.fc(x)))), act=nn.PReLU()),
            {},
            TypeError,
            "module act is used twice: layers of handgrad share none",
        ),
        (of(lambda m, x: x + m.fc(x)), {}, TypeError, "add in module's forward must take what the step before it gives, and"),
        (of(lambda m, x: m.fc(x) + m.again(x)), {}, TypeError, "module again must take what the step before it gives"),
        (of(lambda m, x: 2 * m.fc(x)), {}, TypeError, "mul in module's forward must take what the step before it gives"),
        (of(lambda m, x: m.fc(x) * 2), {}, TypeError, "mul in module's forward must be one of"),
        (of(lambda m, x: m.fc(x).view(-1, 3)), {}, TypeError, "view in module's forward must be one of"),
        (of(lambda m, x: F.gelu(m.fc(x))), {}, TypeError, "gelu in module's forward must be one of"),
        (of(lambda m, x: F.softmax(m.fc(x), dim=0)), {}, TypeError, "softmax in module's forward must be one of"),
        (of(lambda m, x: m.fc(x) @ m.again.weight), {}, TypeError, "matmul in module's forward must be one of"),
        (of(lambda m, x: F.linear(m.fc(x), 2 * m.again.weight)), {}, TypeError, "mul in module's forward must take"),
        (of(lambda m, x: F.linear(x, m.fc.weight, torch.ones(3))), {}, TypeError, "linear in module's forward must be one of"),
        (of(lambda m, x: (m.fc(x), x)), {}, TypeError, "module must return what its last step gives"),
        (of(lambda m, x: {"logits": m.fc(x)}), {}, TypeError, "module must return what its last step gives"),
        (of(lambda m, x: (m.fc(x), x)[1]), {}, TypeError, "module must return what its last step gives"),
        (
            of(lambda m, x: m.fc(x) if x.sum() > 0 else x),
            {},
            TypeError,
            "no loop or branch may depend on the data; got Traced: ",
        ),
        (of(lambda m, x: [m.fc(each) for each in x]), {}, TypeError, "no loop or branch may depend on the data; got Traced: "),
        (TwoInputs(1, 1), {}, TypeError, "module's forward must take one tensor, the inputs; it takes mask, too"),
        (nn.Module(), {}, TypeError, "module must be one of Linear, Sigmoid"),
        (of(lambda m, x: m.no_such_layer(x)), {}, TypeError, "whose forward torch.fx can trace: no loop or branch may depend"),
        (nn.Sequential(nn.Linear(1, 1).bfloat16()), {}, TypeError, "w must be a tensor that NumPy can read"),
        (nn.Sequential(nn.Linear(1, 1).to("meta")), {}, TypeError, "w must be a tensor that NumPy can read"),
        (nn.Sequential(nn.Linear(1, 2), nn.LogSoftmax(1)), {}, TypeError, "LogSoftmax(dim=1) may end a module under the loss"),
        (
            nn.Sequential(nn.Linear(1, 2), nn.LogSoftmax(1), nn.Linear(2, 2)),
            {"loss": "cross_entropy"},
            TypeError,
            "LogSoftmax(dim=1) may end a module under the loss cross_entropy, and is no activation elsewhere",
        ),
        (of(lambda m, x: torch.sigmoid(m.out(x))), {"loss": "binary_cross_entropy"}, TypeError, "it ends in sigmoid"),
        (nn.Sequential(nn.Linear(1, 1), nn.Softmax(dim=0)), {}, TypeError, "got Softmax(dim=0)"),
        (nn.Sequential(nn.ReLU()), {}, TypeError, "module 0 must follow a Linear without an activation yet; got ReLU()"),
        (nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Tanh()), {}, TypeError, "module 2 must follow a Linear"),
        (nn.Sequential(), {}, ValueError, "layers must hold at least one Dense layer"),
        (nn.Sequential(nn.Linear(1, 2), nn.Linear(3, 1)), {}, ValueError, "layer 1 has 2 units but layer 2 takes 3 inputs"),
        (nn.Sequential(nn.Linear(1, 1).half()), {}, TypeError, "w must be float32 or float64; got float16"),
        (nn.Sequential(nn.Linear(1, 2), nn.Softmax(-1)), {"loss": "cross_entropy"}, TypeError, "cross_entropy takes logits"),
        (
            nn.Sequential(nn.Linear(1, 2), nn.Sigmoid()),
            {"loss": "binary_cross_entropy"},
            TypeError,
            "binary_cross_entropy takes logits: module must end in a Linear; it ends in Sigmoid()",
        ),
        (
            nn.Sequential(nn.Linear(1, 1)),
            {"loss": "mse"},
            ValueError,
            "loss must be one of squared_error, cross_entropy, binary_cross_entropy; got 'mse'",
        ),
        (nn.Sequential(nn.Linear(1, 1)), {"reduction": "none"}, ValueError, "reduction must be one of mean, sum; got 'none'"),
    ],
)
def test_from_torch_of_other_modules_raises(module, options, error, text):
    with pytest.raises(error) as raised:
        v.from_torch(module, **options)
    assert text in str(raised.value)


@pytest.mark.parametrize("function", [v.to_torch, v.to_torch_loss])
def test_to_torch_of_no_network_raises(function):
    with pytest.raises(TypeError, match="net must be a handgrad Network; got list"):
        function([])

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import nn

import handgrad as hg
import verification as v
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


@pytest.mark.parametrize(
    ("module", "options", "error", "text"),
    [
        (nn.Linear(1, 1), {}, TypeError, "module must be an nn.Sequential; got Linear"),
        (nn.Sequential(nn.Linear(1, 1), nn.Dropout(0.5)), {}, TypeError, "module 1 must be one of Linear, Identity"),
        (nn.Sequential(nn.Linear(1, 1), nn.Dropout(0.5)), {}, TypeError, "got Dropout(p=0.5, inplace=False)"),
        (nn.Sequential(nn.Linear(1, 1), nn.Softmax(dim=0)), {}, TypeError, "got Softmax(dim=0)"),
        (nn.Sequential(nn.Sequential(nn.Linear(1, 1))), {}, TypeError, "module 0 must be one of"),
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

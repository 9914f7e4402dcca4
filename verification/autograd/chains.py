"""A torch module read as a chain of layers: its forward, traced by `torch.fx`, one Linear and activation after another.

What is no such chain is refused here, with the name of the first step that does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import torch
from torch import fx, nn
from torch.nn import functional as F  # noqa: N812  # torch's own name for it
from torch.nn.modules.lazy import LazyModuleMixin

import handgrad as hg

__all__ = ["LOG_SOFTMAX", "Link", "chain_of"]

# What a last activation is called that is no activation of the notes, but gives what a cross-entropy takes.
LOG_SOFTMAX = "log_softmax"
TAKEN = (
    "Linear, Sigmoid, Tanh, ReLU, LeakyReLU, PReLU and Softmax(dim=-1), as modules or functions; "
    "Identity, Flatten() and a Dropout that does nothing"
)
# Activations without numbers of their own, and those that need an axis: as modules, functions, methods.
PLAIN: dict[object, str] = {
    kind: name
    for name, kinds in {
        "sigmoid": (nn.Sigmoid, torch.sigmoid, F.sigmoid, "sigmoid"),
        "tanh": (nn.Tanh, torch.tanh, F.tanh, "tanh"),
        "relu": (nn.ReLU, torch.relu, F.relu, "relu"),
    }.items()
    for kind in kinds
}
ALONG_AN_AXIS: dict[object, str] = {
    kind: name
    for name, kinds in {
        "softmax": (nn.Softmax, torch.softmax, F.softmax, "softmax"),
        LOG_SOFTMAX: (nn.LogSoftmax, torch.log_softmax, F.log_softmax, "log_softmax"),
    }.items()
    for kind in kinds
}
# What a module's hooks are kept in, whichever of them its version of torch has.
HOOKS = {
    "_forward_hooks": "a forward hook",
    "_forward_pre_hooks": "a forward pre-hook",
    "_backward_hooks": "a backward hook",
    "_backward_pre_hooks": "a backward pre-hook",
}


@dataclass(frozen=True, eq=False)
class Link:
    """One layer of a chain: the module's own parameters, and the activation by handgrad's name, None without one.

    `told` is the step that the activation was found in, for an error.
    """

    weight: torch.Tensor
    bias: torch.Tensor | None
    activation: str | None = None
    slope: float | None = None
    alpha: torch.Tensor | None = None
    told: str = ""


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a forward: its name for an error, what it is, and its arguments but for the activations."""

    name: str
    what: object
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]
    told: str

    def of_module(self, name: str, place: int, default: Any) -> Any:
        """Return a module's attribute; or a function's argument of that name, or in that place after the activations."""
        if isinstance(self.what, nn.Module):
            return getattr(self.what, name)
        return self.arguments[place] if len(self.arguments) > place else self.options.get(name, default)


def chain_of(module: nn.Module) -> list[Link]:
    """Return the layers that a module's forward applies one after another.

    Parameters
    ----------
    module : nn.Module
        A layer, a Sequential, nested ones, or a module of one's own; it is traced, not called on data.

    Returns
    -------
    list of Link
        First layer first; the parameters are the module's own.

    Raises
    ------
    TypeError
        If it cannot be copied or traced, it has a hook, or a step of it is none that handgrad has, is no chain, or uses a layer
        twice: the error names the step.
    """
    links: list[Link] = []
    seen: dict[int, str] = {}
    for step in _steps(module):
        if _does_nothing(step):
            continue
        link = _linear(step)
        if link is None:
            links[-1] = link = _activated(step, links)
            parameters = [link.alpha]
        else:
            links.append(link)
            parameters = [link.weight, link.bias]
        for parameter in parameters:
            if parameter is None:
                continue
            if id(parameter) in seen:
                before = seen[id(parameter)]
                said = "is used twice" if before == step.name else f"has the parameters of {before}"
                raise TypeError(f"{step.name} {said}: layers of handgrad share none")
            seen[id(parameter)] = step.name
    return links


def _steps(module: nn.Module) -> list[Step]:
    """Return the steps of a module's forward, each of which takes what the one before it gives."""
    hg.checks.instance("module", module, nn.Module, "an nn.Module")
    _without_hooks(module)
    # A copy is traced, since forward may change its module: what it adds to a buffer, or says of `self`.
    try:
        copied = deepcopy(module)
    except Exception as error:  # whatever a part that cannot be copied raises
        raise TypeError(f"module must be one that copy.deepcopy copies; got {type(module).__name__}: {error}") from None
    parts = _parts(copied)  # kept, so that no other object takes the id of one that forward drops
    own = {id(part): of_caller for part, of_caller in zip(parts, _parts(module), strict=True)}
    tracer = fx.Tracer()
    # A layer alone is not looked into: it is the one step of a Sequential.
    alone = tracer.is_leaf_module(module, "")
    root = nn.Sequential(copied) if alone else copied
    try:
        graph = tracer.trace(root)
    except Exception as error:  # whatever the module's own forward raises when it is given no numbers
        raise TypeError(
            "module must be a chain of layers, whose forward torch.fx can trace: no loop or branch may depend on the data; "
            f"got {type(module).__name__}: {error}"
        ) from None
    steps: list[Step] = []
    before: fx.Node | None = None
    for node in graph.nodes:
        if node.op == "get_attr":
            continue
        if node.op == "placeholder":
            if before is not None and node.users:
                raise TypeError(f"module's forward must take one tensor, the inputs; it takes {node.target}, too")
            before = before or node
            continue
        first = node.args[0] if node.args else node.kwargs.get("input")
        if node.op == "output":
            if first is not before:
                raise TypeError(f"module must return what its last step gives; got {node.format_node()}")
            break
        step = _step(root, own, node, alone)
        if [each for each in node.all_input_nodes if each.op != "get_attr"] != [before] or first is not before:
            raise TypeError(f"{step.name} must take what the step before it gives, and nothing else; got {node.format_node()}")
        steps.append(step)
        before = node
    return steps


def _parts(module: nn.Module) -> list[Any]:
    """Return a module's modules and parameters, which stand in the same places in a copy."""
    return [*module.modules(), *module.parameters()]


def _without_hooks(module: nn.Module) -> None:
    """Raise if what a module gives, or a gradient, may be changed by a hook, or by what torch.fx does not look at."""
    for path, each in module.named_modules():
        name = f"module {path}" if path else "module"
        if "forward" in vars(each):
            raise TypeError(
                f"{name} must have the forward of its class, {type(each).__name__}; got one that is set on it alone"
            )
        # A lazy layer has hooks until it has numbers.
        if not isinstance(each, LazyModuleMixin):
            for attribute, what in HOOKS.items():
                if getattr(each, attribute, None):
                    _refuse_hook(name, what)
    for path, parameter in module.named_parameters():
        if getattr(parameter, "_backward_hooks", None):
            _refuse_hook(f"parameter {path}", "a hook")


def _refuse_hook(name: str, what: str) -> NoReturn:
    raise TypeError(f"{name} must have no hook, since layers of handgrad have none; got {what}: remove it")


def _step(root: nn.Module, own: Mapping[int, Any], node: fx.Node, alone: bool) -> Step:
    """Return a step of the copy `root` with the caller's own modules and parameters, by the id of their copies."""

    def read(argument: Any) -> Any:
        """Return a parameter for its name."""
        if isinstance(argument, fx.Node) and argument.op == "get_attr":
            found = _attribute(root, str(argument.target))
            return own.get(id(found), found)
        return argument

    arguments, options = tuple(map(read, node.args[1:])), {name: read(value) for name, value in node.kwargs.items()}
    if node.op == "call_module":
        copied = root.get_submodule(str(node.target))
        within = own.get(id(copied), copied)
        name = "module" if alone else f"module {node.target}"
        return Step(name, within, arguments, options, str(within))
    what = node.target
    return Step(f"{node.name} in module's forward", what, arguments, options, getattr(what, "__name__", str(what)))


def _attribute(root: nn.Module, path: str) -> Any:
    """Return what a path of names leads to, "fc.weight"."""
    found: Any = root
    for name in path.split("."):
        found = getattr(found, name)
    return found


def _does_nothing(step: Step) -> bool:
    """Say whether a step hands on flat data as they are; a Dropout that does not is an error."""
    what = step.what
    kind: object = type(what) if isinstance(what, nn.Module) else what
    if kind in (nn.Flatten, torch.flatten, "flatten"):
        return step.of_module("start_dim", 0, 0) in (1, -1)
    if kind in (nn.Dropout, F.dropout):
        if step.of_module("training", 1, True) and step.of_module("p", 0, 0.5) != 0:
            right = "call module.eval()" if kind is nn.Dropout else "say training=self.training and call module.eval()"
            raise TypeError(f"{step.name} is random while it trains: {right}, or make p 0; got {step.told}")
        return True
    return kind is nn.Identity


def _linear(step: Step) -> Link | None:
    """Return a layer without an activation yet, or None if the step is none."""
    what = step.what
    if type(what) is nn.LazyLinear:
        raise TypeError(f"{step.name} has no numbers yet: call the module once on its data; got {step.told}")
    if type(what) is nn.Linear:
        return Link(what.weight, what.bias)
    if what is F.linear:
        weight, bias = step.of_module("weight", 0, None), step.of_module("bias", 1, None)
        if isinstance(weight, nn.Parameter) and isinstance(bias, nn.Parameter | None):
            return Link(weight, bias)
    return None


def _activated(step: Step, links: list[Link]) -> Link:
    """Return the last layer with this activation."""
    what, options = step.what, dict[str, Any]()
    kind: object = type(what) if isinstance(what, nn.Module) else what
    name = PLAIN.get(kind)
    if kind in ALONG_AN_AXIS and step.of_module("dim", 0, None) in (1, -1):
        name = ALONG_AN_AXIS[kind]
    elif kind in (nn.LeakyReLU, F.leaky_relu):
        name, options = "leaky_relu", {"slope": step.of_module("negative_slope", 0, 0.01)}
    elif kind in (nn.PReLU, F.prelu, torch.prelu) and isinstance(alpha := step.of_module("weight", 0, None), nn.Parameter):
        name, options = "prelu", {"alpha": alpha}
    if name is None:
        raise TypeError(f"{step.name} must be one of {TAKEN}; got {step.told}")
    if not links or links[-1].activation is not None:
        raise TypeError(f"{step.name} must follow a Linear without an activation yet; got {step.told}")
    return replace(links[-1], activation=name, told=step.told, **options)

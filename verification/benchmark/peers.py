"""Who is measured beside handgrad, and whether he is here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any

import numpy.typing as npt

import handgrad as hg
from handgrad import checks
from verification.benchmark.subject import MissingError, Subject

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Peer:
    """Somebody else's backpropagation.

    Parameters
    ----------
    package : str
        What is installed.
    module : str
        What is imported.
    room : str
        The module here that calls it; it is loaded when it is needed.
    function : str
        The function there, of (net, x, y), that returns a Subject.
    about : str
        In a few words.
    """

    package: str
    module: str
    room: str
    function: str
    about: str

    @property
    def version(self) -> str | None:
        """The installed version; None if it is not installed."""
        return metadata.version(self.package) if find_spec(self.module) else None


PEERS = {
    "torch": Peer("torch", "torch", "torch_peers", "functional", "torch.autograd.grad on torch.nn.functional"),
    "torch-module": Peer("torch", "torch", "torch_peers", "module", "nn.Module and backward()"),
    "torch-hand": Peer("torch", "torch", "torch_peers", "by_hand", "the gradients written by hand in torch"),
    "jax": Peer("jax", "jax", "array_peers", "of_jax", "jit of value_and_grad"),
    "autograd": Peer("autograd", "autograd", "array_peers", "of_autograd", "value_and_grad"),
    "mygrad": Peer("mygrad", "mygrad", "array_peers", "of_mygrad", "backward(), memory guarding off"),
    "sklearn": Peer("scikit-learn", "sklearn", "sklearn_peer", "of_sklearn", "the MLP's own _backprop"),
    "micrograd": Peer("micrograd", "micrograd", "micrograd_peer", "of_micrograd", "one Value a number, small networks only"),
}


def subject(name: str, net: hg.Network, x: Array, y: Array) -> Subject:
    """Return a peer with this network and batch, ready to be called.

    Parameters
    ----------
    name : str
        One of `PEERS`.
    net : handgrad.Network
        The network.
    x, y : ndarray
        The batch.

    Returns
    -------
    Subject
        With numbers of its own, in its own types.

    Raises
    ------
    ValueError
        If there is no such peer.
    MissingError
        If it is not installed.
    UnsuitedError
        If it cannot do this network.
    """
    peer = PEERS[checks.one_of("peers", name, PEERS)]
    if find_spec(peer.module) is None:
        raise MissingError(f"{peer.package} is not installed; the extra benchmark brings it")
    made: Subject = getattr(import_module(f"verification.benchmark.{peer.room}"), peer.function)(net, x, y)
    return made

"""What is seen of a network, and what is remarked on it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from handgrad.gradient import LayerTrace, Trace
from handgrad.network import Network

__all__ = ["Advice", "Remark", "Seen"]

Array = npt.NDArray[Any]

# What an activation can give.
RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, math.inf), "softmax": (0.0, 1.0)}


@dataclass(frozen=True)
class Remark:
    """One thing that stands out.

    Parameters
    ----------
    about : str
        A stable key, such as "dead-units".
    layer : int or None
        The layer it is about, counted from 1.
    section : str
        The section of the notes behind it; "" for what is beyond the notes.
    numbers : mapping of str to number
        What was measured, under the names of the templates.
    text : str
        The sentence.
    """

    about: str
    layer: int | None
    section: str
    numbers: Mapping[str, float] = field(hash=False)
    text: str

    def __str__(self) -> str:
        """Return the sentence."""
        return self.text


@dataclass(frozen=True, repr=False)
class Advice:
    """The remarks on a network, a data set and a rate: a sequence, false if there are none; `print` gives a line each.

    Parameters
    ----------
    remarks : tuple of Remark
        First what stops everything, then the layers, the data and the rate.
    nothing : str
        What is printed if there are none.
    """

    remarks: tuple[Remark, ...]
    nothing: str

    def __len__(self) -> int:
        """Return the number of remarks."""
        return len(self.remarks)

    def __iter__(self) -> Iterator[Remark]:
        """Iterate over the remarks."""
        return iter(self.remarks)

    def __getitem__(self, place: int) -> Remark:
        """Return a remark by its place in the sequence, from 0."""
        return self.remarks[place]

    def __str__(self) -> str:
        """Return one line a remark, or that nothing stands out."""
        return "\n".join(f"- {remark}" for remark in self) or self.nothing

    def __repr__(self) -> str:
        return f"Advice({', '.join(remark.about for remark in self) or 'nothing stands out'})"


@dataclass(frozen=True, eq=False)
class Seen:
    """A network with its data as arrays, and every number that it computes from them."""

    net: Network
    x: Array  # (N, n_0)
    y: Array  # (N, n_L), classes as distributions
    trace: Trace
    rate: float | None
    words: Mapping[str, str]
    activations: Mapping[str, str]  # their names in the same language

    @cached_property
    def finite(self) -> bool:
        """Whether the loss and every derivative are finite."""
        return bool(np.isfinite(self.trace.loss)) and bool(np.isfinite(self.derivatives).all())

    @cached_property
    def derivatives(self) -> Array:
        """∇L as the trace has it, (P,)."""
        return self.trace.gradient.vector

    @cached_property
    def parameters(self) -> Mapping[str, Array]:
        """{"w1": …, "b1": …, …} of the network, to be read only."""
        return self.net.named()

    @property
    def squared_error_after(self) -> str:
        """The output's activation if the loss is squared error; "" for the losses that are joined with theirs."""
        return self.net.layers[-1].activation.name if self.net.loss_name == "squared_error" else ""

    @property
    def reach(self) -> tuple[float, float]:
        """What squared error's output can give, least and largest; the cross-entropies refuse other targets."""
        return RANGES.get(self.squared_error_after, (-math.inf, math.inf))

    def activation(self, number: int) -> str:
        """Return the name of a layer's activation, counted from 1."""
        return self.net.layers[number - 1].activation.name

    def hidden(self) -> Iterator[tuple[int, LayerTrace]]:
        """Return the hidden layers with their numbers, as long as every number is finite; otherwise none."""
        if self.finite:
            yield from list(enumerate(self.trace, start=1))[:-1]

    def remark(
        self, about: str, numbers: Mapping[str, Any], layer: int | None = None, section: str = "", words: str = ""
    ) -> Remark:
        """Return a remark in words: its own template, or that of another name."""
        plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in numbers.items()}
        activation = self.activations[self.activation(layer)] if layer else ""
        text = self.words[words or about].format(layer=layer, section=section, activation=activation, **plain)
        return Remark(about, layer, section, plain, text)

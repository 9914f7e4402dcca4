"""The worked solution: every number of a network derived, as text, Markdown, LaTeX or a page."""

from __future__ import annotations

import html
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from handgrad import checks
from handgrad.destination import Destination
from handgrad.foreign import notes_words
from handgrad.homework import document, drawing, page, plain
from handgrad.homework.derivation import Part, derive
from handgrad.homework.digits import LEAST, MOST
from handgrad.homework.solution import Solution
from handgrad.homework.words import LANGUAGES
from handgrad.network import Network


@dataclass(frozen=True, repr=False, eq=False)
class Worked:
    """Every number of a network on some examples, derived in the notes' order, to be shown as text, Markdown, LaTeX or a page.

    Parameters
    ----------
    solution : Solution
        The network, the data, and the derivation.
    """

    solution: Solution

    def __str__(self) -> str:
        """Return it as `text`."""
        return self.text()

    def __repr__(self) -> str:
        """Return the network and how many numbers are derived."""
        count = sum(len(section.steps) for section in self.solution.derivation.sections)
        numbers = f"{count} number{'s' * (count != 1)}"
        return f"Worked({self.solution.net!r}: {numbers}; print it, or save it as .txt, .md, .tex, .html or .svg)"

    def text(self) -> str:
        """Return lines of Unicode text, for a terminal.

        Returns
        -------
        str
            A line or a few for each number.
        """
        return plain.text(self.solution)

    def markdown(self) -> str:
        """Return Markdown with its formulas in `$…$`, as GitHub and notebooks show them.

        Returns
        -------
        str
            A list item for each number.
        """
        return plain.markdown(self.solution)

    def latex(self) -> str:
        """Return a LaTeX document that pdflatex compiles.

        Returns
        -------
        str
            It needs the package amsmath alone.

        Raises
        ------
        ImportError
            If Jinja2 is not installed.
        """
        return document.latex(self.solution)

    def html(self) -> str:
        """Return one page of HTML that needs no other file and no network: a picture, a walk through the steps, all formulas.

        Returns
        -------
        str
            A whole document.

        Raises
        ------
        ImportError
            If Jinja2 or latex2mathml is not installed.
        """
        return page.page(self.solution)

    def picture(self) -> str:
        """Return the network drawn as the notes draw it, with its numbers, as a file of SVG.

        Returns
        -------
        str
            Of the first example that is shown.
        """
        return drawing.picture_file(self.solution)

    def save(self, path: str | Path) -> None:
        """Write it to a file: as a whole, or not at all.

        Parameters
        ----------
        path : str or Path
            Its ending says what is written: .txt, .md, .tex, .html, or .svg for the picture.

        Raises
        ------
        ValueError
            If it has another ending.
        OSError
            If it cannot be written.
        """
        form = FORMS[ending_of(path)]
        Destination(str(path)).write(form(self))

    def _repr_html_(self) -> str:
        """Show the page in a notebook, in a frame of its own; without what pages need, the text."""
        try:
            shown = html.escape(self.html())
        except ImportError:
            return f"<pre>{html.escape(self.text())}</pre>"
        return f'<iframe srcdoc="{shown}" title="handgrad" width="100%" height="800"></iframe>'


# A file's ending, and what is written to it.
FORMS: dict[str, Callable[[Worked], str]] = {
    ".txt": Worked.text,
    ".md": Worked.markdown,
    ".tex": Worked.latex,
    ".html": Worked.html,
    ".svg": Worked.picture,
}


def ending_of(path: str | Path) -> str:
    """Return the ending of a file if it is one of `FORMS`; ValueError otherwise."""
    return checks.ending(path, FORMS)


@notes_words
def worked(
    net: Network,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    rate: float | None = None,
    layer: int | None = None,
    unit: int | None = None,
    example: int | None = None,
    digits: int = 6,
    language: str = "en",
) -> Worked:
    """Derive every number of a network on some examples: forward, loss, backward, and a step of gradient descent.

    Parameters
    ----------
    net : Network
        Not changed.
    x, y : array_like
        As for `Network.gradient`.
    rate : float, optional
        The learning rate, > 0, of a step that is shown with the loss after it.
    layer, unit, example : int, optional
        Show this layer, this unit of it, this example of the batch alone; each counts from 1.
    digits : int
        How many significant digits are shown, 2 to 12.
    language : str
        "en", or "es", the language of the notes.

    Returns
    -------
    Worked
        `print` it; `text()`, `markdown()`, `latex()`, `html()`, `save("page.html")`; a notebook shows the page.

    Raises
    ------
    TypeError, ValueError
        If x or y does not suit the network, or another argument is out of range; if there are more than 1000 numbers to
        derive: a part of them must be chosen then.

    Notes
    -----
    Section IV.B, (3)–(7), for one neuron a layer; section IV.D–G, (8)–(14), for many. **Beyond the notes:** batches, biases'
    and inputs' derivatives, softmax with cross-entropy joined in p − y. The numbers are those of `Network.trace`, rounded.
    Where the digits shown lead to another last digit than all digits do, the step says so.

    Examples
    --------
    >>> from handgrad.network import Dense
    >>> print(worked(Network([Dense([[0.5]], [0.25], "relu")]), [1.0], [0.25], layer=1))  # doctest: +ELLIPSIS
    Backpropagation, worked out
    ...
      dL/dw⁽¹⁾ = dL/da⁽¹⁾ · da⁽¹⁾/dz⁽¹⁾ · dz⁽¹⁾/dw⁽¹⁾ = 1 · 1 · 1 = 1   (3)
    ...
    """
    checks.instance("net", net, Network, "a Network")
    checks.one_of("language", language, LANGUAGES)
    checks.between("digits", digits, LEAST, MOST)
    batch, single = net.engine.inputs(x)
    targets = net.engine.targets(y, len(batch), single)
    step = None if rate is None else checks.positive_number("rate", rate, net.dtype)
    part = Part(*checks.part(layer, unit, example, net.widths, len(batch)))
    kept = deepcopy(net)
    derivation = derive(kept, batch, targets, step, part)
    return Worked(Solution(kept, np.array(batch), np.array(targets), derivation, step, part, digits, language))

"""The pages and sheets, as Jinja2 takes them, what all pages have (`base.html`), and what they look like and do."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from handgrad.extras import needed_by

if TYPE_CHECKING:
    from jinja2 import Environment


def text_of(name: str) -> str:
    """Return the text of a file of this folder."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def environment(latex: bool = False) -> Environment:
    """Return what renders a template of this folder.

    Parameters
    ----------
    latex : bool
        For LaTeX, whose braces are its own: `(((name)))` and `((* for … *))`, and nothing is escaped. Otherwise for HTML,
        where everything is.

    Returns
    -------
    Environment
        A name that is not given is an error.

    Raises
    ------
    ImportError
        If Jinja2 is not installed.
    """
    with needed_by("a page or a LaTeX document of handgrad.homework"):
        from jinja2 import Environment, PackageLoader, StrictUndefined
    signs = ("((*", "*))", "(((", ")))", "((#", "#))") if latex else ("{%", "%}", "{{", "}}", "{#", "#}")
    return Environment(
        *signs,
        loader=PackageLoader("handgrad.homework", "templates"),
        autoescape=not latex,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

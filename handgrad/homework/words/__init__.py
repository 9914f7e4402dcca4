"""The words that homework shows: one file of TOML a language, in sections. A further language is a further file."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

from handgrad import checks

LANGUAGES = tuple(sorted(file.name.removesuffix(".toml") for file in files(__name__).iterdir() if file.name.endswith(".toml")))


@cache
def words(language: str) -> Mapping[str, Mapping[str, str]]:
    """Return the words of a language, by section and key.

    Parameters
    ----------
    language : str
        "en", "es", or another whose file is there.

    Returns
    -------
    mapping of str to mapping of str to str
        Some have {fields}.

    Raises
    ------
    TypeError, ValueError
        If there is no such language.
    """
    checks.one_of("language", language, LANGUAGES)
    table: Mapping[str, Mapping[str, str]] = tomllib.loads((files(__name__) / f"{language}.toml").read_text(encoding="utf-8"))
    return table


def wording(language: str, section: str) -> Callable[..., str]:
    """Return a function from a key, and what fills its gaps, to the words of a section.

    Parameters
    ----------
    language, section : str
        "en" or "es"; a section of its file.

    Returns
    -------
    callable
        `say(key, **fields)`.

    Raises
    ------
    TypeError, ValueError
        If there are no words in the language.

    Examples
    --------
    >>> wording("es", "figures")("layer_units", number=1, units=4)
    'capa 1 (4 neuronas)'
    """
    table = words(language)[section]

    def say(key: str, **fields: object) -> str:
        return table[key].format(**fields)

    return say

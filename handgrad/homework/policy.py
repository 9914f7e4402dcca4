"""What a page of ours may do: nothing but its own style and script, whatever stands in it."""

from __future__ import annotations

import base64
import hashlib


def content_policy(style: str, script: str) -> str:
    """Return the content security policy of a page that has one style and one script, and needs nothing from elsewhere.

    Parameters
    ----------
    style, script : str
        Exactly what stands between their tags.

    Returns
    -------
    str
        For a meta element; escape it as an attribute.
    """
    return f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"

"""The rows of a class as one page of HTML: a table to sort, and below it everything that is said about each hand-in.

What stands in the files, and what they are called, is escaped wherever it is shown, and the page's own policy
lets nothing but its own style and script work.
"""

from __future__ import annotations

import html

from handgrad.homework.policy import content_policy
from verification.classroom.look import SCRIPT, STYLE
from verification.classroom.marking import Marked
from verification.classroom.rows import RIGHT, VERDICTS, WRONG, Row
from verification.classroom.table import HEAD, cells, printable

LOOKS = {RIGHT: "right", WRONG: "wrong"}
DETAILS = "Report card, the network worked through, and a program that makes it"


def page(marked: Marked, left_out: str = "") -> str:
    """Return the page.

    Parameters
    ----------
    marked : Marked
        The class.
    left_out : str
        A line that says what is not in it.

    Returns
    -------
    str
        One HTML document that needs no other file.
    """
    policy = content_policy(STYLE, SCRIPT)
    heads = "".join(f'<th scope="col" role="columnheader"><button type="button">{name}</button></th>' for name in HEAD)
    lines = "\n".join(_line(number, row) for number, row in enumerate(marked.rows, 1))
    stories = "\n".join(_story(number, row) for number, row in enumerate(marked.rows, 1))
    left = f'<p class="quiet">{shown(left_out)}</p>' if left_out else ""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">
<title>{shown(str(marked))}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>Hand-ins</h1>
<p>{shown(str(marked))}</p>
{left}
<p class="quiet" id="how">Click a column to sort by it; a name leads to the whole story.</p>
<table role="table" aria-label="Hand-ins" aria-describedby="how">
<thead role="rowgroup"><tr role="row">{heads}</tr></thead>
<tbody role="rowgroup">
{lines}
</tbody>
</table>
{stories}
</main>
<script>{SCRIPT}</script>
</body>
</html>
"""


def shown(text: str) -> str:
    """Return a text of somebody's as HTML shows it, line by line as it is."""
    return html.escape("\n".join(map(printable, text.split("\n"))))


def _line(number: int, row: Row) -> str:
    # They are sorted as text, the whole numbers in it by their size.
    share = 1 + round(1000 * row.right / row.asked) if row.asked else 0
    keys = (row.file, VERDICTS.index(row.verdict), share, row.notes, round(1000 * row.seconds))
    found = []
    for name, text, key in zip(HEAD, cells(row), (*keys, cells(row)[-1]), strict=True):
        inner = f'<a href="#hand-in-{number}">{shown(text)}</a>' if name == "hand-in" else shown(text)
        looks = {"verdict": f"verdict {_look(row)}", "hand-in": "name", "first mistake": "mistake"}.get(name, "number")
        found.append(f'<td role="cell" class="{looks}" data-label="{name}" data-key="{shown(str(key))}">{inner}</td>')
    return f'<tr role="row">{"".join(found)}</tr>'


def _look(row: Row) -> str:
    return LOOKS.get(row.verdict, "open")


def _story(number: int, row: Row) -> str:
    about = DETAILS if row.found.get("counterexample") else "Report card"
    more = f"<details><summary>{about}</summary><pre>{shown(row.details)}</pre></details>" if row.details else ""
    credit = f"; {row.right} of {row.asked} equations are right" if row.asked else ""
    return f"""<article id="hand-in-{number}" aria-labelledby="name-{number}">
<h2 id="name-{number}">{shown(row.file)}</h2>
<p><span class="verdict {_look(row)}">{row.verdict}</span>{credit}</p>
<pre>{shown(row.story)}</pre>
{more}
</article>"""

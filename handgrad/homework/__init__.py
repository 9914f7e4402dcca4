"""Homework: every number of a small network derived and shown, figures, advice.

`worked` derives, `figures` draws, `advice` says why a network does not learn. Nothing here is loaded by `import handgrad`,
and what needs more than NumPy (the extra homework) loads it when it is called.
"""

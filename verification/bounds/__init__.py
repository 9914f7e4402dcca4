"""How far two right answers may lie apart, by a running rounding-error analysis, and how far two given ones do.

It uses `random_networks`; the rooms that compare, `autograd` and `checking`, use it.
"""

"""Somebody else's backpropagation judged: right or wrong, which equation, which classic mistake, where it shows.

It judges by handgrad and needs NumPy alone. It uses `random_networks`, `bounds`, `submissions` and `mistakes`.
"""

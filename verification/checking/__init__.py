"""Somebody else's backpropagation judged: right, or wrong in which equations, by which mistakes, and when.

It judges by handgrad and needs NumPy alone. It uses `random_networks`, `bounds`, `submissions` and `mistakes`. `check` asks
(`questions`, `asking`, `grading`, `manners`), `telling` explains what is wrong (`explanation` by `faults` and `measuring`,
otherwise `diagnosis`), `notes` what only breaks at extremes; `verdict` and `card` say it.
"""

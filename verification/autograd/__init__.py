"""handgrad beside `torch.autograd`: twins, oracles, comparison, campaigns. The one room that loads torch.

It uses `random_networks` and `bounds`, and `submissions` for a torch module that is to be checked; `benchmark` uses it.
"""

from handgrad.extras import needed_by

with needed_by("verification.autograd"):
    import torch as torch

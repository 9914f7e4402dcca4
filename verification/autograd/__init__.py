"""handgrad beside `torch.autograd`: twins, oracles, comparison, campaigns. The one room that loads torch.

It uses `random_networks` and `bounds`, and `submissions` for a torch module that is to be checked; `benchmark` uses it.
"""

try:
    import torch as torch
except ImportError:
    raise ImportError(
        "verification.autograd compares with PyTorch, which the extra verification brings: pip install 'handgrad[verification]'"
    ) from None

"""When two answers are the same but for rounding."""

import numpy as np
import pytest

from verification.checking.witnesses import is_close

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("mine", "theirs", "allowed", "same"),
    [
        ([1.0, 2.0], [1.0, 2.0], [0.0, 0.0], True),
        ([1.0, 2.0], [1.0, 3.0], [0.0, 0.0], False),
        ([1.0, 2.5], [1.0, 3.0], [0.0, 0.25], True),  # 4 times what is allowed
        ([1.0, NAN], [1.0, 3.0], [0.0, INF], True),
        # 2^20 u of the largest number, here 1.16e-4, whatever is no number beside it.
        ([1e6, 1e-4], [1e6, 0.0], [0.0, 0.0], True),
        ([1e6, 2e-4], [1e6, 0.0], [0.0, 0.0], False),
        ([NAN, 1e6, 1e-4], [NAN, 1e6, 0.0], [0.0, 0.0, 0.0], True),
        ([NAN, 1e6, 2e-4], [NAN, 1e6, 0.0], [0.0, 0.0, 0.0], False),
        ([INF, 1e6, 1e-4], [INF, 1e6, 0.0], [0.0, 0.0, 0.0], True),
        ([-INF, 1e6, 2e-4], [-INF, 1e6, 0.0], [0.0, 0.0, 0.0], False),
        ([NAN, 1.0], [1.0, 1.0], [0.0, 0.0], False),
        ([1.0, 1.0], [NAN, 1.0], [0.0, 0.0], False),
        ([1.0], [1.0, 1.0], [0.0], False),
        ([], [], [], True),
    ],
)
def test_answer_is_close_to_another(mine, theirs, allowed, same):
    assert is_close(np.array(mine), np.array(theirs), np.array(allowed), 2.0**-53) is same

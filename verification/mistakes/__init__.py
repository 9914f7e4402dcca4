"""The catalogue of classic backpropagation bugs, and of right variants that only look different.

`MISTAKES` lists wrong backpropagations, each right but for one small thing; `BENIGN` lists right ones that a checker must not
call wrong. They are submissions: a function `gradient(network, x, y)`, or a class with `forward` and `backward`.

Read these as a list of what goes wrong: `in_equations` (one equation exchanged); `in_forward`, `in_derivatives` and `in_sums`
(one step of the matrix form exchanged); `in_state` (classes that remember) and `in_sharing` (classes that share or damage).

Examples
--------
>>> from handgrad import Dense, Network
>>> from verification.submissions.description import describe
>>> mistake = next(mistake for mistake in MISTAKES if mistake.name == "output-without-2")
>>> mistake.equation, mistake.signature
(4, 'ratio 1/2')
>>> network = describe(Network([Dense([[1.0, 0.5]], [-0.5], "relu")]))
>>> mistake.submission(network, [2.0, 1.0], [1.0])["w1"]
array([[2., 1.]])
"""

from verification.mistakes import in_derivatives, in_equations, in_forward, in_sharing, in_state, in_sums
from verification.mistakes.benign import BENIGN
from verification.mistakes.catalogue import CIRCUMSTANCES, KINDS, PROTOCOL, Mistake, Variant

MISTAKES: tuple[Mistake, ...] = (
    *in_equations.MISTAKES,
    *in_forward.MISTAKES,
    *in_derivatives.MISTAKES,
    *in_sums.MISTAKES,
    *in_state.MISTAKES,
    *in_sharing.MISTAKES,
)

__all__ = ["BENIGN", "CIRCUMSTANCES", "KINDS", "MISTAKES", "PROTOCOL", "Mistake", "Variant"]

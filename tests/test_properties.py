"""literal = matrix = chain = written out = torch.autograd = complex step, on random networks within their rounding bounds."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import verification as v
from verification.autograd.comparison import TELLINGS
from verification.autograd.oracles import ANALYTIC, complex_step
from verification.bounds.analysis import both_bounds
from verification.bounds.quantities import quantities
from verification.random_networks.plain import plain_case

slow_is_fine = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@slow_is_fine
@given(v.cases())
def test_matrix_form_matches_autograd(case):
    v.assert_matches_autograd(*case)


@slow_is_fine
@given(v.cases())
def test_literal_form_matches_autograd(case):
    v.assert_matches_autograd(*case, telling="literal")


@slow_is_fine
@given(
    v.cases(activations=["identity", "relu", "sigmoid", "tanh", "leaky_relu", "prelu"], losses=["squared_error"], max_width=1)
)
def test_chain_form_matches_autograd(case):
    v.assert_matches_autograd(*case, telling="chain")


@slow_is_fine
@given(v.cases(max_examples=1))
def test_network_written_out_matches_autograd(case):
    v.assert_matches_autograd(*case, telling="written out")


@slow_is_fine
@given(v.cases())
def test_literal_form_matches_matrix_form(case):
    net, x, y = case
    with np.errstate(all="ignore"):
        matrix, literal = quantities(net.trace(x, y)), TELLINGS["literal"][0](net, x, y)
    asked = plain_case(net, x, y)
    stable, naive = both_bounds(asked)
    assert list(matrix) == list(literal)
    for name, array in matrix.items():
        assert array.shape == literal[name].shape, name
        assert array.dtype == literal[name].dtype, name
        allowed = (stable[name] + naive[name]).reshape(array.shape)
        with np.errstate(invalid="ignore"):
            close = (np.abs(array.astype(float) - literal[name]) <= allowed) | np.isinf(allowed)
        assert close.all(), name


@slow_is_fine
@given(v.cases(activations=ANALYTIC), st.data())
def test_matrix_form_matches_complex_step(case, data):
    net, x, y = case
    asked = plain_case(net, x, y)
    name = data.draw(st.sampled_from([*net.named(), "x"]))
    with np.errstate(all="ignore"):
        g = net.gradient(x, y)
        array = np.atleast_2d(g.x) if name == "x" else g.named()[name]
        index = tuple(data.draw(st.integers(0, size - 1)) for size in array.shape)
        derivative = complex_step(asked, name, index)
    stable, naive = both_bounds(asked)
    # The complex step rounds as the naive form does, on numbers with more digits, each complex product four real ones.
    more_digits = 2.0 ** (np.finfo(net.dtype).nmant - np.finfo(np.longdouble).nmant)
    allowed = stable[name][index] + 4 * more_digits * naive[name][index]
    assert abs(float(array[index]) - derivative) <= allowed or np.isinf(allowed)

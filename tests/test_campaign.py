"""The main job: it agrees with itself, finds every broken equation, and shrinks what it finds."""

import gc
import json
from math import log

import joblib
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster
from joblib.externals.loky.process_executor import TerminatedWorkerError

import handgrad as hg
from handgrad.equations import exchanged
from verification.autograd import batched, campaign, comparison
from verification.random_networks.architectures import Options
from verification.random_networks.cases import Case, contents

# A wrong right-hand side for each equation, and how the name of the first wrong quantity begins.
WRONG = {
    1: (lambda P, y_i: -log(P[y_i]) / log(2), "loss"),
    2: (lambda s, k: -s[k], "loss"),
    3: (lambda dL_da, da_dz, dz_dw: dL_da * dz_dw, ""),
    4: (lambda a, y: a - y, "dL_da"),
    5: (lambda g, z: g(z) * (1 - z), "da_dz"),
    6: (lambda a_prev: 1.0, "w"),
    7: (lambda: 0.5, "b"),
    8: (lambda b_j, w_j, a_prev: sum([w_jk * a_k for w_jk, a_k in zip(w_j, a_prev, strict=True)]) - b_j, "z"),
    9: (lambda g, z_j: g(-z_j), "a"),
    10: (lambda a, y: sum([(a_j - y_j) ** 2 for a_j, y_j in zip(a, y, strict=True)]) / len(a), "loss"),
    11: (lambda dz_j_dw_jk, da_j_dz_j, dL_da_j: dz_j_dw_jk * dL_da_j, ""),
    12: (lambda g, z_j: g(z_j) * (1 - z_j), "da_dz"),
    13: (lambda a_k: 1.0, "w"),
    14: (lambda dz_da_k, da_dz, dL_da: sum(dL_da), ""),
}


def test_campaign_leaves_the_collector_as_it_was():
    rested = gc.get_freeze_count()
    try:
        for prepare in (gc.unfreeze, gc.freeze):
            prepare()
            before = gc.get_freeze_count()
            campaign.run(examples=3, seed=1)
            # What was at rest and has died meanwhile is no longer counted.
            assert (gc.get_freeze_count() > 0) == (before > 0)
    finally:
        if not rested:
            gc.unfreeze()


def break_equation(monkeypatch, number):
    wrong = exchanged({number: WRONG[number][0]})
    telling, trace = ("chain", hg.literal.chain) if number in (3, 5, 6) else ("literal", hg.literal.trace)
    monkeypatch.setitem(comparison.TELLINGS, telling, (lambda net, x, y: comparison.quantities(trace(net, x, y, wrong)), False))
    return telling


@pytest.mark.parametrize("number", WRONG)
def test_campaign_with_a_wrong_equation_is_a_small_counterexample(monkeypatch, number):
    telling = break_equation(monkeypatch, number)
    result = campaign.run(seed=1)
    assert not result.ok
    report = result.counterexample.report
    assert report.telling == telling
    net = result.counterexample.case.net
    assert len(net.layers) <= 2
    assert max(net.widths) <= 3
    assert report.mismatches[0].name.startswith(WRONG[number][1])


def test_counterexample_program_equals_the_counterexample(monkeypatch, capsys):
    break_equation(monkeypatch, 12)
    found = campaign.run(seed=2).counterexample
    exec(found.program, {})
    assert capsys.readouterr().out == f"{found.report}\n"


def test_campaign_of_right_gradients_is_ok_and_counts():
    done = []
    result = campaign.run(examples=150, seed=3, progress=done.append)
    assert result.ok
    assert result.networks == 150
    assert done == sorted(done)
    assert done[-1] == 150
    assert 0 < result.largest_share <= 1
    assert result.largest_at
    for kind in ("loss", "dtype", "reduction", "regime", "layers", "targets", "layout", "examples"):
        assert sum(count for (of_kind, _), count in result.coverage.items() if of_kind == kind) == 150, kind
    assert result.tellings["matrix"] == 150
    assert 0 < result.tellings["literal"] < 150
    assert 0 < result.tellings["written out"] < result.tellings["literal"]
    read = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert read["networks"] == 150
    assert read["counterexample"] is None


def without_time(result):
    return {name: value for name, value in result.to_dict().items() if name != "seconds"}


def test_campaign_of_the_same_seed_equals_itself():
    first, second, other = (campaign.run(examples=60, seed=seed) for seed in (4, 4, 5))
    assert without_time(first) == without_time(second)
    assert without_time(first) != without_time(other)


def test_campaign_of_more_examples_is_a_continuation():
    short, long = campaign.run(examples=400, seed=6), campaign.run(examples=410, seed=6)
    assert all(long.coverage[feature] >= count for feature, count in short.coverage.items())
    assert long.networks == 410


def test_thorough_campaign_is_literal_on_every_network():
    result = campaign.run(examples=40, seed=7, thorough=True)
    assert result.tellings["literal"] == result.tellings["matrix"] == 40


def test_campaign_within_options_is_that_alone():
    options = Options(activations=["tanh"], losses=["squared_error"], dtypes=["float32"], max_layers=2)
    coverage = campaign.run(examples=40, seed=8, options=options).coverage
    assert coverage["activation", "tanh"] == coverage["dtype", "float32"] == coverage["loss", "squared_error"] == 40
    assert {value for kind, value in coverage if kind == "layers"} <= {"1", "2"}


@pytest.mark.parametrize("telling", ["matrix", "trace", "literal", "written out"])
def test_campaign_with_a_handgrad_that_raises_is_a_counterexample(monkeypatch, telling):
    def broken(net, x, y):
        raise IndexError("no such layer")

    monkeypatch.setitem(comparison.TELLINGS, telling, (broken, True))
    found = campaign.run(examples=200, seed=9).counterexample
    assert "raises IndexError: no such layer" in str(found.report)
    assert found.case.net.widths == (1, 1)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda arrays: arrays | {"w1": arrays["w1"][None]},
        lambda arrays: arrays | {"b1": arrays["b1"].astype(np.float64)},
        lambda arrays: {name: array for name, array in arrays.items() if name != "b1"},
    ],
    ids=["shape", "dtype", "missing"],
)
def test_campaign_with_arrays_of_another_kind_is_a_counterexample(monkeypatch, spoil):
    right, stable = comparison.TELLINGS["trace"]
    monkeypatch.setitem(comparison.TELLINGS, "trace", (lambda net, x, y: spoil(right(net, x, y)), stable))
    assert not campaign.run(examples=30, seed=10, options=Options(dtypes=["float32"])).ok


def test_campaign_networks_is_all_different(monkeypatch):
    seen = []
    right = batched.plain_case
    monkeypatch.setattr(batched, "plain_case", lambda *each: seen.append(repr(Case(*each))) or right(*each))
    campaign.run(examples=60, seed=14)
    assert len(seen) == 60
    assert len(set(seen)) >= 55


def test_campaign_fills_its_architectures_with_different_seeds_and_more_often_later(monkeypatch):
    seen = []

    def recorded(architecture, seed, count):
        seen.append((seed, count))
        return contents(architecture, seed, count)

    monkeypatch.setattr(campaign, "contents", recorded)
    campaign.run(examples=820, seed=15)
    assert [count for _, count in seen] == [2] * 200 + [4] * 100 + [8] * 2 + [4]
    assert len({seed for seed, _ in seen}) == len(seen)


def test_fillings_of_parts_are_more_the_later_they_come():
    assert [campaign.fillings(part) for part in (0, 1, 2, 3, 7, 8, 50)] == [2, 4, 8, 16, 16, 32, 32]


def test_campaign_stopped_while_shrinking_is_the_mismatch(monkeypatch):
    break_equation(monkeypatch, 4)

    def stop(case, fails):
        raise KeyboardInterrupt

    monkeypatch.setattr(campaign.shrinking, "shrink", stop)
    result = campaign.run(seed=1)
    assert result.interrupted
    assert not result.ok
    assert result.counterexample.report.mismatches


def test_campaign_stopped_by_ctrl_c_is_what_was_done_so_far():
    def stop(done):
        if done >= 20:
            raise KeyboardInterrupt

    result = campaign.run(examples=1000, seed=11, progress=stop)
    assert result.interrupted
    assert result.ok
    assert 20 <= result.networks < 1000


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"examples": 0}, ValueError, "examples must be an integer >= 1; got 0"),
        ({"examples": 1.5}, TypeError, "examples must be an integer >= 1; got 1.5"),
        ({"jobs": 0}, ValueError, "jobs must be an integer >= 1; got 0"),
        ({"seed": -1}, ValueError, "seed must be an integer >= 0; got -1"),
        ({"seed": "x"}, TypeError, "seed must be an integer >= 0"),
    ],
)
def test_campaign_of_bad_arguments_raises(arguments, error, text):
    with pytest.raises(error) as raised:
        campaign.run(**arguments)
    assert text in str(raised.value)


def test_campaign_shared_by_two_processes_equals_one():
    alone, shared = campaign.run(examples=900, seed=12), campaign.run(examples=900, seed=12, jobs=2)
    assert without_time(alone) == without_time(shared)


def test_campaign_on_a_dask_cluster_equals_one():
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, Client(cluster), joblib.parallel_config(backend="dask"):
        shared = campaign.run(examples=900, seed=12, jobs=2)
    assert without_time(shared) == without_time(campaign.run(examples=900, seed=12))


def parallel_that_dies(times, parts_done):
    """Return a stand-in for joblib's Parallel whose workers die so many times, the first time after some parts."""
    right, deaths = campaign.Parallel, []

    def dying(calls):
        done = 0 if deaths else parts_done
        deaths.append(done)
        for function, arguments, _ in list(calls)[:done]:
            yield function(*arguments)
        raise TerminatedWorkerError("the exit codes of the workers are {SIGKILL(-9)}")

    return lambda **options: dying if len(deaths) < times else right(**options | {"n_jobs": 1})


def test_campaign_whose_worker_dies_equals_one_that_lives(monkeypatch):
    monkeypatch.setattr(campaign, "Parallel", parallel_that_dies(1, parts_done=1))
    result = campaign.run(examples=900, seed=13, jobs=2)
    (death,) = result.deaths
    assert "from part 1 on" in death
    assert "SIGKILL" in death
    assert without_time(result) | {"deaths": []} == without_time(campaign.run(examples=900, seed=13))


def test_campaign_whose_workers_die_twice_on_a_part_raises(monkeypatch):
    monkeypatch.setattr(campaign, "Parallel", parallel_that_dies(2, parts_done=1))
    with pytest.raises(RuntimeError, match="workers died twice before part 1 of seed 13 was done"):
        campaign.run(examples=900, seed=13, jobs=2)

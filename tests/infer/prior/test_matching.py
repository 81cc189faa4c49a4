from __future__ import annotations

import json

import numpy as np
import pytest

from neurodrift.infer.prior.matching import match_runs


def rules_that_differ(n=400, seed=0):
    """Three rules whose speeds overlap in part, one that starts elsewhere."""
    rng = np.random.default_rng(seed)
    rule = np.repeat(["a", "b", "c"], n)
    speed = 10 ** rng.normal(np.repeat([-1.5, -1.0, -1.2], n), 0.4)
    start = np.clip(rng.normal(np.repeat([0.8, 0.8, 0.85], n), 0.05), 0, 1)
    return rule, speed, start


def test_match_runs__every_bin_weighs_the_same_for_every_rule():
    rule, speed, start = rules_that_differ()
    found = match_runs(rule, speed, start, bins=(5, 3))
    assert found.weight.max() == 1 and found.weight.min() == 0
    for low, high in zip(found.speed_edges[:-1], found.speed_edges[1:], strict=True):
        for bottom, top in zip(found.start_edges[:-1], found.start_edges[1:], strict=True):
            inside = (speed > low) & (speed < high) & (start > bottom) & (start < top)
            n = [int((inside & (rule == name)).sum()) for name in "abc"]
            w = [found.weight[inside & (rule == name)].sum() for name in "abc"]
            if min(n) > 3:  # runs on an edge belong to one side
                np.testing.assert_allclose(w, w[0], rtol=0.6)
    totals = [found.weight[rule == name].sum() for name in "abc"]
    np.testing.assert_allclose(totals, totals[0])


def test_match_runs__speed_alone_tells_before_and_hardly_after():
    found = match_runs(*rules_that_differ())
    assert found.accuracy_before > 0.5 and found.accuracy_after < found.accuracy_before - 0.1
    assert found.accuracy_after < 0.42 and found.chance == pytest.approx(1 / 3)


def test_match_runs__nothing_shared_nothing_left():
    rule = np.repeat(["a", "b"], 20)
    speed = np.r_[np.linspace(0.01, 0.02, 20), np.linspace(0.5, 0.6, 20)]
    found = match_runs(rule, speed, np.full(40, 0.5))
    assert not found.weight.any() and found.overlap == 0 and np.isnan(found.accuracy_after)
    assert found.accuracy_before == 1
    assert json.loads(found.to_json())["accuracy_after"] is None


@pytest.mark.parametrize(
    ("rule", "speed", "message"),
    [
        (["a", "a"], [0.1, 0.2], "runs of 1 rule, expected two"),
        (["a", "b"], [0.1, np.nan], "not finite"),
        (["a", "b", "c"], [0.1, 0.2], "have 3, 2 and 2 runs"),
    ],
)
def test_match_runs__refused(rule, speed, message):
    with pytest.raises(ValueError, match=message):
        match_runs(np.array(rule), np.array(speed), np.full(2, 0.5))

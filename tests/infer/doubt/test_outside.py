"""Whether a target is outside: false alarms, power, the right statistics."""

from __future__ import annotations

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.infer.classifier.runs import runs_of
from neurodrift.infer.classifier.scale import fit_scale
from neurodrift.infer.doubt.clouds import distances, fit_clouds, rule_distance_p
from neurodrift.infer.doubt.outside import left_out_power, outside, reasons
from tests.infer.clouds import one_run, table, target


def learnt(prior):
    runs = runs_of(prior)
    scale = fit_scale(runs, runs.statistic.tolist())
    features = scale.features(runs.value)
    return runs, scale, features, fit_clouds(features, runs)


def test_outside__five_percent_false_alarms():
    runs, scale, _, clouds = learnt(table(n=100, apart=3.0, seed=0))
    new = table(n=100, apart=3.0, seed=99)
    away = distances(clouds, scale.features(new["value"].values)).min(axis=1)
    p = rule_distance_p(clouds, away)
    alarms = (p <= 0.05).sum()
    assert 8 <= alarms <= 36  # of 400: 20, three standard deviations of a binomial and of edges


def test_outside__alarms_with_missing_values_too():
    options = {"n": 100, "apart": 3.0, "missing": 0.04}
    runs, scale, _, clouds = learnt(table(**options, seed=0))
    new = table(**options, seed=98)
    away = distances(clouds, scale.features(new["value"].values)).min(axis=1)
    p = rule_distance_p(clouds, away)
    assert 8 <= (p <= 0.05).sum() <= 36


def test_outside__a_rule_that_is_left_out_is_flagged():
    runs, _, _, clouds = learnt(table(n=100, apart=8.0))
    assert (left_out_power(clouds, runs) > 0.9).all()
    runs, _, _, clouds = learnt(table(n=100, apart=0.0))
    assert (left_out_power(clouds, runs) < 0.2).all()


def test_infer_rule__a_target_far_away_names_its_statistics():
    prior = table(n=80, apart=5.0)
    seen, rest = one_run(prior, 10)
    seen["value"][7] += 15.0
    seen["value"][9] -= 25.0
    found = nd.infer_rule(seen, rest)
    assert found.attrs["verdict"] == "outside the prior" and found.attrs["rule"] == ""
    assert list(found.attrs["unlike"]) == ["s09", "s07"]
    assert "because s09 and s07 lie outside the runs of every rule" in found.attrs["reason"]
    assert "No rule can be read" in nd.describe_inference(found)


def test_infer_rule__a_combination_that_no_rule_has():
    # Statistics are correlated by .5: each value occurs, the differences do not.
    rng = np.random.default_rng(3)
    prior = table(n=150, apart=3.0, n_statistics=8)
    common = rng.normal(size=(600, 1))
    prior["value"][:, 6:] = common + 0.05 * rng.normal(size=(600, 2))
    value = np.median(prior["value"].values[:150], axis=0)
    value[6:] = (1.3, -1.3)
    found = nd.infer_rule(target(value), prior)
    assert found.attrs["verdict"] == "outside the prior"
    assert set(found.attrs["unlike"]) == {"s06", "s07"}
    assert "each statistic alone occurs among the runs of some rule" in found.attrs["reason"]
    assert float(found["statistics"]["p"].max("rule").min()) > 0.05  # as the sentence says


def test_outside__a_hole_in_a_cloud_is_outside():
    # A ring: its middle is nearest to the mean, and far from every run.
    rng = np.random.default_rng(4)
    prior = table(n=150, rules=("a", "b"), n_statistics=3, apart=0.0)
    angle = rng.uniform(0, 2 * np.pi, 300)
    prior["value"][:, :2] = 4 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    prior["value"][:, 2] = rng.normal(size=300)
    _, scale, _, clouds = learnt(prior)
    middle, on_ring = scale.features(np.zeros(3)), scale.features(np.array([0.0, 4.0, 0.0]))
    assert np.abs(middle - clouds.means.mean(axis=0)).max() < 0.5  # hardly away from the mean
    assert distances(clouds, middle[None]).min() > 1.5 > distances(clouds, on_ring[None]).min()


def test_by_statistic__a_larger_error_makes_a_target_less_strange():
    runs, scale, _, clouds = learnt(table(n=80, apart=4.0))
    value = np.zeros(12)
    value[7] = 6.0
    p = [
        outside(clouds, runs, runs.value, value, np.full(12, se), scale.features(value)).statistic_p
        for se in (np.nan, 0.1, 3.0)
    ]
    assert p[0][:, 7] == pytest.approx(np.full(4, 2 / 81))
    assert (p[1][:, 7] < p[2][:, 7]).all()


def test_by_statistic__is_the_rank_without_an_error():
    runs, scale, _, clouds = learnt(table(n=30, apart=4.0))
    value = np.linspace(-1, 1, 12)
    found = outside(clouds, runs, runs.value, value, np.zeros(12), scale.features(value))
    for rule in range(4):
        own = runs.value[runs.number == rule]
        for i in range(12):
            below = (own[:, i] < value[i]).sum()
            expected = min(1, 2 * min(below + 1, 30 - below + 1) / 31)
            assert found.statistic_p[rule, i] == pytest.approx(expected)


def test_outside__verdict_and_table_agree():
    # Rules that overlap: a run is often nearer to another rule than to its own.
    runs, scale, features, clouds = learnt(table(n=60, apart=1.0, seed=5))
    middle = clouds.features[clouds.number == 0].mean(axis=0)
    where = {k: middle + k * (features[7] - middle) for k in np.linspace(0.5, 3, 26)}
    said = []
    for new in where.values():
        found = outside(clouds, runs, runs.value, new, np.full(12, 0.1), new)
        assert found.p == found.rule_p.max() and found.found == (found.rule_p <= 0.05).all()
        assert found.found == (found.distance > 1) == (found.by_rule > 1).all()
        said.append(found.found)
    assert not said[0] and said[-1] and sorted(said) == said


def test_outside__false_alarms_where_rules_overlap():
    for apart in (0.0, 1.0, 4.0):
        runs, scale, _, clouds = learnt(table(n=100, apart=apart, seed=1))
        new = table(n=200, apart=apart, seed=77)
        away = distances(clouds, scale.features(new["value"].values)).min(axis=1)
        alarms = (rule_distance_p(clouds, away) <= 0.05).mean()
        assert alarms <= 0.075  # .05, and what 400 and 800 runs leave open
        value = np.zeros(12)
        found = outside(clouds, runs, runs.value, value, value + 0.1, scale.features(value))
        assert found.false_alarms.mean() <= 0.05 + 1 / 400


def test_unexpected__is_the_residual_of_a_regression():
    runs, scale, features, clouds = learnt(table(n=400, apart=4.0))
    value = np.full(12, 5.0)
    new = scale.features(value)
    found = outside(clouds, runs, runs.value, value, np.full(12, 0.1), new)
    assert (found.unexpected >= 0).all()
    own = features[runs.number == int(found.by_rule.argmin())]
    for i in (0, 5):
        others = np.delete(np.arange(12), i)
        design = np.column_stack([np.ones(len(own)), own[:, others]])
        slope, *_ = np.linalg.lstsq(design, own[:, i], rcond=None)
        left = own[:, i] - design @ slope
        expected = abs(new[i] - slope @ np.append(1.0, new[others])) / left.std()
        assert found.unexpected[i] == pytest.approx(expected, rel=0.1)  # shrunk covariance


def test_reasons__by_themselves():
    runs, scale, _, clouds = learnt(table(n=80, apart=4.0))
    value = np.full(12, 5.0)
    found = outside(clouds, runs, runs.value, value, np.full(12, 0.1), scale.features(value))
    names, alone = reasons(found, scale.statistic)
    assert alone and 1 <= len(names) <= 5

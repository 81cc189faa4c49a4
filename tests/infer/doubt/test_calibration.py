from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

import neurodrift as nd
from neurodrift.infer.classifier.runs import runs_of
from tests.infer.clouds import RULES, table


@pytest.fixture(scope="module")
def two():
    """Two clouds of independent statistics, 2 sd apart: an accuracy of Φ(1)."""
    rng = np.random.default_rng(0)
    value = rng.normal(size=(1200, 4))
    value[600:, 0] += 2.0
    names = {
        "run": np.arange(1200),
        "statistic": ["place_a", "place_b", "rate_a", "rate_b"],
        "rule": ("run", np.repeat(["x", "y"], 600)),
    }
    prior = xr.Dataset({"value": (("run", "statistic"), value)}, coords=names)
    return prior, nd.calibrate_inference(prior)


@pytest.fixture(scope="module")
def found():
    return nd.calibrate_inference(table(n=120, apart=3.0, missing=0.02))


def test_calibrate_inference__accuracy_is_that_of_the_overlap(two):
    accuracy = two[1]["rules"]["accuracy"]
    assert accuracy.values == pytest.approx(np.full(2, norm.cdf(1)), abs=0.045)
    assert two[1]["pairs"]["accuracy"].values == pytest.approx([norm.cdf(1)], abs=0.035)
    assert two[1]["pairs"]["accuracy_se"].values == pytest.approx([0.0105], abs=0.001)


def test_calibrate_inference__what_is_left_out_is_missed(two):
    node = two[1]["sensitivity"].to_dataset()
    accuracy = node["accuracy"].to_series()
    assert accuracy["place_a"] == pytest.approx(0.5, abs=0.05)
    assert accuracy["all of place"] == pytest.approx(0.5, abs=0.05)
    assert accuracy["rate_a"] == pytest.approx(accuracy["nothing"], abs=0.02)
    assert node["log_loss"].sel(left_out="place_a") == pytest.approx(np.log(2), abs=0.02)


@pytest.mark.parametrize("level", [0.6, 0.9])
def test_calibrate_inference__sets_cover_each_rule(level):
    prior = table(n=150, apart=2.0, seed=7)
    rules = nd.calibrate_inference(prior, level=level, sensitivity=False)["rules"]
    error = np.sqrt(level * (1 - level) / 150)
    assert (rules["coverage"].values > level - 3 * error).all()
    assert 1 <= rules["set_size"].values.mean() < 2.5


def test_calibrate_inference__probabilities_are_right(found):
    node = found["reliability"].to_dataset()
    enough = node["weight"] > 0.02
    assert abs(node["claimed"] - node["found"]).where(enough).max() < 0.1
    assert node.attrs["expected_calibration_error"] < 0.06


def test_calibrate_inference__those_that_are_named_are_right(found):
    rules = found["rules"].to_dataset()
    assert (rules["named_right"] > 0.9).all() and (rules["named"] > 0.5).all()
    assert (rules["named"] < 1).all()


def test_calibrate_inference__alarms_and_what_is_left_out(found):
    rules = found["rules"].to_dataset()
    assert rules["false_alarms"].mean() == pytest.approx(0.05, abs=0.03)
    apart = nd.calibrate_inference(table(n=60, apart=9.0), sensitivity=False)["left_out"]["share"]
    assert (apart.sel(said="outside the prior") > 0.9).all()


def test_calibrate_inference__a_twin_is_taken_for_the_rule_that_is_left_out():
    prior = table(n=100, apart=7.0, rules=("a", "b", "c", "d"))
    twins = prior["rule"].values.astype(object)
    twins[:100] = np.tile(["a", "twin"], 50)  # one cloud, two names
    share = nd.calibrate_inference(prior.assign_coords(rule=("run", twins)), sensitivity=False)[
        "left_out"
    ]["share"]
    assert share.sel(rule="twin", said="a") > 0.7 and share.sel(rule="a", said="twin") > 0.7
    assert share.sel(rule="b", said="outside the prior") > 0.9
    assert share.sum("said").values == pytest.approx(np.ones(5))


def test_calibrate_inference__ranks_of_the_dose_are_flat(found):
    dose = found["dose"].to_dataset().sel(rule="update_noise", parameter="dose")
    assert dose["r2"] > 0.9 and dose["coverage"] == pytest.approx(0.9, abs=0.09)
    assert dose["rank"].sum() == pytest.approx(1)
    n = 120
    chi = (n * (dose["rank"] - 0.1) ** 2 / 0.1).sum()
    assert chi < 27.9  # 9 degrees of freedom, p .001
    assert found["dose"]["r2"].sel(rule="adam", parameter="dose").isnull()


def test_calibrate_inference__speed_alone(found):
    node = found["matching"].to_dataset()["accuracy"]
    assert (node.sel(features="speed alone") < 0.4).all()
    fast = nd.calibrate_inference(table(n=60, apart=3.0, speed_apart=3.0), sensitivity=False)
    assert (fast["matching"]["accuracy"].sel(features="speed alone") > 0.7).all()


def test_calibrate_inference__a_task_that_turns_the_statistics_round():
    prior = table(n=120, apart=5.0)
    turned = prior["task"].values == "track"
    prior["value"][turned] = prior["value"].values[turned][:, ::-1]
    node = nd.calibrate_inference(prior, sensitivity=False)["transfer"]["accuracy"]
    assert node.sel(train_task="random", test_task="random") > 0.9
    assert node.sel(train_task="random", test_task="track") < 0.5


def test_calibrate_inference__one_rule_and_one_task():
    alone = nd.calibrate_inference(table(rules=("adam",), tasks=("random",)))
    assert "transfer" not in alone.children and "pairs" not in alone.children
    assert alone["rules"]["accuracy"].item() == 1


def test_calibrate_inference__order_of_runs_does_not_matter():
    prior = table(n=30)
    other = prior.isel(run=np.random.default_rng(0).permutation(120))
    options = {"sensitivity": False}
    one, two = (nd.calibrate_inference(each, **options) for each in (prior, other))
    xr.testing.assert_identical(one, two)


def test_table__rules_are_those_of_the_tests():
    assert tuple(runs_of(table()).rules) == RULES


def test_calibrate_inference__runs_that_stand_still_are_not_named():
    prior = table(n=40, apart=7.0)
    names = ["maps_last", *[f"s{i:02d}" for i in range(1, 12)]]
    prior = prior.assign_coords(statistic=np.array(names, dtype=object))
    prior["value"][:, 0] = np.where(prior["rule"].values == "adam", 0.995, 0.5)
    rules = nd.calibrate_inference(prior, sensitivity=False)["rules"]
    assert rules["named"].sel(rule="adam") == 0 and rules["named"].sel(rule="hebbian") > 0.7

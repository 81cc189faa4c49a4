"""Which rule: known truth from clouds that share no code with the package."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.infer.classifier.logistic import restored
from neurodrift.infer.classifier.runs import runs_of
from neurodrift.schema import structure_faults
from neurodrift.schema.inference import INFERENCE, PRIOR
from tests.infer.clouds import RULES, one_run, table, target


@pytest.fixture(scope="module")
def prior():
    return table(n=60, apart=7.0)


def means(apart, n_statistics=12):
    found = np.zeros((len(RULES), n_statistics))
    found[np.arange(4), 2 + np.arange(4)] = apart / np.sqrt(2)
    return found


def test_infer_rule__nodes_and_prior_are_those_of_the_schema():
    prior = nd.examples.read_prior()
    assert structure_faults(prior, PRIOR) == [] and set(prior.variables) <= set(PRIOR)
    found = nd.infer_rule(prior.isel(run=3), prior)
    assert set(found.children) <= set(INFERENCE)
    for name, node in found.children.items():
        assert structure_faults(node.to_dataset(), INFERENCE[name]) == []
        assert set(node.variables) <= set(INFERENCE[name])
        assert all(variable.attrs["long_name"] for variable in node.variables.values())


def test_infer_rule__names_the_rule_of_clouds_that_are_apart(prior):
    named = [nd.infer_rule(target(mean), prior).attrs for mean in means(7.0)]
    assert [attrs["verdict"] for attrs in named] == ["named"] * 4
    assert [attrs["rule"] for attrs in named] == list(RULES)


def test_infer_rule__posterior_is_that_of_the_densities():
    # Independent statistics of one sd: the log odds of two Gaussian clouds are linear.
    rng = np.random.default_rng(0)
    value = rng.normal(size=(4000, 3))
    value[2000:, 0] += 2.0
    names = {
        "run": np.arange(4000),
        "statistic": list("abc"),
        "rule": ("run", ["x", "y"] * 0 or np.repeat(["x", "y"], 2000)),
    }
    big = xr.Dataset({"value": (("run", "statistic"), value)}, coords=names)
    for at in (0.0, 0.5, 1.0, 2.0):
        found = nd.infer_rule(target([at, 0.0, 0.0], names=list("abc")), big)
        expected = 1 / (1 + np.exp(-(2.0 * at - 2.0)))
        assert found["posterior"]["probability"].sel(rule="y") == pytest.approx(expected, abs=0.05)


def test_infer_rule__identical_clouds_cannot_be_told():
    same = table(apart=0.0)
    found = [nd.infer_rule(one_run(same, run)[0], same) for run in (3, 70, 130, 200)]
    assert {tree.attrs["verdict"] for tree in found} <= {"cannot tell", "outside the prior"}
    assert sum(tree.attrs["verdict"] == "cannot tell" for tree in found) >= 3
    assert "no rule can be told" in found[0].attrs["reason"]
    assert (found[0]["pairs"]["accuracy"] < 0.75).all()


def test_infer_rule__between_two_clouds_cannot_be_told():
    for apart in (1.2, 3.0):
        close = table(apart=apart, n=100)
        found = nd.infer_rule(target(means(apart)[:2].mean(axis=0)), close)
        assert found.attrs["verdict"] == "cannot tell"
        posterior = found["posterior"].to_dataset()
        if apart < 2:
            assert posterior["in_set"].sel(rule=["adam", "hebbian"]).all()
        else:  # nine in ten runs of each are nearer to their own: the set has one
            assert "No rule has a probability of 0.9" in found.attrs["reason"]


def test_infer_rule__speed_that_decides_is_no_rule():
    rng = np.random.default_rng(1)
    fast = table(apart=0.0, speed_apart=3.0, n=80)
    fast["value"][:, 1] = np.log(fast["speed"]) + 0.01 * rng.normal(size=320)
    seen = one_run(fast, 5)[0]
    found = nd.infer_rule(seen, fast)
    assert found["held_out"].attrs["accuracy"] > 0.7
    assert found.attrs["verdict"] == "cannot tell" and "speed decides" in found.attrs["reason"]


def test_infer_rule__weights_that_match_take_speed_away():
    fast = table(apart=0.0, speed_apart=1.0, n=200)
    fast["value"][:, 1] = np.log(fast["speed"])
    log = np.log(fast["speed"].values)
    number = np.unique(fast["rule"].values, return_inverse=True)[1]
    density = np.exp(-0.5 * (log - number) ** 2)  # of speeds of the own rule
    fast["weight"] = ("run", np.exp(-0.5 * (log - 1.5) ** 2) / density)
    seen = one_run(fast, 250)[0]
    matched, drawn = (nd.infer_rule(seen, fast, matched=way) for way in (True, False))
    assert drawn["held_out"].attrs["accuracy"] > matched["held_out"].attrs["accuracy"] + 0.1


def test_infer_rule__nothing_drifts_is_cannot_tell(prior):
    names = ["maps_last", "vectors_last", "rates_last", *[f"s{i:02d}" for i in range(3, 12)]]
    moved = prior.assign_coords(statistic=np.array(names, dtype=object))
    seen = target([0.97, 1.01, 0.96, *np.zeros(9)], se=0.02, names=names)
    found = nd.infer_rule(seen, moved)
    assert found.attrs["verdict"] == "cannot tell" and "No drift is seen" in found.attrs["reason"]
    seen["value"][0] = 0.9
    assert "drift is seen" not in nd.infer_rule(seen, moved).attrs["reason"]
    slow = target([0.99, 0.985, 0.99, *np.zeros(9)], se=0.001, names=names)
    assert nd.infer_rule(slow, moved).attrs["reason"].startswith("Hardly any drift is seen")


def test_infer_rule__dose_is_recovered_and_its_parts_are_not_said(prior):
    seen, rest = one_run(prior, 200)
    found = nd.infer_rule(seen, rest)
    dose = found["dose"].to_dataset().sel(rule="update_noise")
    truth = float(prior["dose"].sel(run=200))
    assert dose["dose_ci_low"] < truth < dose["dose_ci_high"] and dose["factor"] < 1.5
    assert np.isnan(found["dose"]["dose"].sel(rule="adam"))
    assert dose["r2"].sel(parameter="dose") > 0.9 > dose["r2"].sel(parameter="learning_rate") + 0.7
    text = nd.describe_inference(found)
    assert "learning rate (held-out R²" in text and "its dose is" in text


def test_infer_rule__statistics_that_are_missing(prior):
    holes = prior.copy(deep=True)
    holes["value"][:150, 3] = np.nan  # in 62 % of the runs
    holes["value"][::20, 4] = np.nan  # in 5 %
    seen = target(means(7.0)[0])
    seen["value"][5] = np.nan
    found = nd.infer_rule(seen.isel(statistic=[*range(8), *range(9, 12)]), holes)
    left = dict(
        zip(
            found["statistics"]["statistic"].values,
            found["statistics"]["left_out"].values,
            strict=True,
        )
    )
    assert left["s03"].startswith("38 % of the runs have a value")
    assert left["s04"] == "" and left["s05"] == left["s08"] == "the target has no value"
    assert found["model"]["filled"].sel(statistic="s04") == pytest.approx(0.05)
    assert found.attrs["rule"] == "adam"


def test_infer_rule__order_of_runs_and_statistics_does_not_matter(prior):
    rng = np.random.default_rng(5)
    seen, rest = one_run(prior, 80)
    other = rest.isel(run=rng.permutation(rest.sizes["run"]))
    one, two = nd.infer_rule(seen, rest), nd.infer_rule(seen, other)
    xr.testing.assert_identical(one, two)
    three = nd.infer_rule(seen.isel(statistic=rng.permutation(12)), rest)
    xr.testing.assert_identical(one, three)


def test_infer_rule__more_runs_of_a_rule_make_it_no_more_likely():
    many = table(n=300, apart=2.0, rules=("a", "b"))
    kept = np.r_[0:300, 300:360]  # five times as many of a
    middle = target(means(2.0)[:2].mean(axis=0))
    found = nd.infer_rule(middle, many.isel(run=kept))
    assert found["posterior"]["probability"].values == pytest.approx([0.5, 0.5], abs=0.15)


def test_infer_rule__one_rule():
    alone = table(rules=("adam",), n=60)
    found = nd.infer_rule(target(means(4.0)[0]), alone)
    assert found.attrs["verdict"] == "cannot tell" and "one rule" in found.attrs["reason"]
    assert nd.infer_rule(target(means(4.0)[0] + 30), alone).attrs["verdict"] == "outside the prior"
    assert "pairs" not in found.children and nd.describe_inference(found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.isel(run=[0, 1]), "at least 10 runs of each rule"),
        (lambda p: p.drop_vars("rule"), "no 'rule', expected a prior"),
        (lambda p: p.drop_vars("run"), "no labels"),
        (lambda p: p.assign(weight=p["weight"] * 0), "weight above 0: adam has 0"),
        (lambda p: p.assign(weight=p["weight"] * np.nan), "weight of the prior must be finite"),
        (lambda p: p.assign_coords(run=np.zeros(240)), "two runs of the prior have one label"),
        (lambda p: p.assign_coords(statistic=[f"t{i}" for i in range(12)]), "in common"),
    ],
)
def test_infer_rule__says_what_is_wrong_with_a_prior(prior, change, message):
    with pytest.raises(ValueError, match=message):
        nd.infer_rule(target(np.zeros(12)), change(prior))


def test_infer_rule__says_what_is_wrong_with_a_target(prior):
    with pytest.raises(ValueError, match="2 statistics can be used, at least 3"):
        nd.infer_rule(target([1.0, 2.0, *[np.nan] * 10]), prior)
    with pytest.raises(ValueError, match="twice"):
        nd.infer_rule(target([1.0, 2.0], names=["s00", "s00"]), prior)
    with pytest.raises(TypeError, match="target"):
        nd.infer_rule("mouse.zarr", prior)
    with pytest.raises(ValueError, match="method is 'abc'"):
        nd.infer_rule(target(np.zeros(12)), prior, method="abc")


def test_infer_rule__artefact_comes_back_without_pickle(prior, tmp_path):
    seen = target(means(7.0)[2])
    found = nd.infer_rule(seen, prior)
    path = nd.save_results(found, tmp_path / "inference.zarr")
    back = nd.open_results(path)
    assert nd.describe_inference(back) == nd.describe_inference(found)
    assert (
        back["model"].attrs["prior_digest"] == back.attrs["prior_digest"] == runs_of(prior).digest
    )
    fitted = restored(back["model"].to_dataset())
    new = fitted.probabilities(fitted.scale.features(seen["value"].values))
    assert new == pytest.approx(found["posterior"]["probability"].values, abs=1e-12)
    assert not [file for file in path.rglob("*") if file.suffix in (".pkl", ".pt", ".joblib")]


@pytest.mark.slow
def test_infer_rule__sbi_agrees_in_broad_strokes(tmp_path, monkeypatch):
    pytest.importorskip("sbi")
    monkeypatch.chdir(tmp_path)
    prior = table(n=150, apart=4.0)
    seen = [one_run(prior, run)[0] for run in (10, 200, 320, 470)]
    found = [nd.infer_rule(one, prior, method="sbi") for one in seen]
    for tree in found:
        neural = tree["posterior"]["probability"].values
        linear = tree["other_posterior"]["probability"].values
        assert neural.argmax() == linear.argmax()
        assert abs(neural - linear).max() < 0.25
    assert not list(tmp_path.iterdir())  # sbi wrote no logs
    again = nd.infer_rule(seen[0], prior, method="sbi")
    xr.testing.assert_identical(again, found[0])
    nd.save_results(again, tmp_path / "x.zarr")


def test_infer_rule__without_sbi_says_what_to_install(prior, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sbi.inference", None)
    with pytest.raises(ImportError, match=r"neurodrift\[inference\]"):
        nd.infer_rule(target(np.zeros(12)), prior, method="sbi")

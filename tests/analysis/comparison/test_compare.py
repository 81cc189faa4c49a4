from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import neurodrift as nd
from neurodrift.analysis.comparison._effects import SideFit, agree, t_test
from neurodrift.analysis.comparison.compare import describe_statements
from neurodrift.schema.json import description_faults
from neurodrift.schema.results import COMPARISON
from neurodrift.testing import results_of

SLOPE = {"axis": "fraction", "adjustment": "none"}


def animal(seed, *, n=8, slope=-0.2, noise=0.02, name=None, decay=0.8, slowing=0.0, **options):
    """Results of an animal with known slopes over the whole way."""
    rng = np.random.default_rng(seed)
    way = np.linspace(0, 1, n)
    moved = decay * (way - slowing * way**2 / 2)
    r = np.exp(-np.abs(moved[:, None] - moved[None, :]))
    r = r * np.exp(rng.normal(0, noise / 2, n))[:, None]
    r = np.sqrt(r * r.T)
    table = {
        "experience": 15.0 * np.arange(n),
        "day": 2.0 * np.arange(n),
        "fraction_active_units": 0.8 * (1 + slope * way + rng.normal(0, noise, n)),
        "active_fraction": 0.01 * (1 + slope * way + rng.normal(0, noise, n)),
        "information": 1.5 * (1 - slope * way + rng.normal(0, noise, n)),
        "running_speed": 12 + rng.normal(0, 1, n),
        "n_detected": np.full(n, 300),
    }
    options = {"subject": name or f"mouse {seed}", **options}
    return results_of(table, similarity=0.8 * r, relative=r, **options)


def network(seed, *, n=21, slope=-0.2, noise=0.01):
    rng = np.random.default_rng(seed)
    way = np.linspace(0, 1, n)
    table = {
        "training_step": (way * 1e6).astype(int),
        "fraction_active_units": 0.9 * (1 + slope * way + rng.normal(0, noise, n)),
        "information": 1 - slope * way,
        "information_naive": 1 - slope * way,
        "information_ssr": rng.normal(0, 5, n),
        "running_speed": np.full(n, np.nan),
    }
    r = np.exp(-np.abs(way[:, None] - way[None, :]))
    return results_of(table, similarity=r, subject=f"run {seed}", kind="activation")


def test_compare__one_animal_is_least_squares_of_its_sessions():
    tree = animal(0)
    found = nd.compare(tree, animal(1), axes=["day"])
    table = tree["sessions"].to_dataset().to_dataframe()
    for covariates in ((), ("running_speed",)):
        fit = nd.regress(table, "active_fraction", "day", covariates=covariates).sel(term="day")
        one = found.sel(
            side="mouse 0 track",
            scale="raw",
            axis="day",
            adjustment="+".join(covariates) or "none",
            effect="active_fraction",
        )
        for ours, theirs in (
            ("slope", "estimate"),
            ("slope_se", "se"),
            ("slope_dof", "dof"),
            ("slope_p", "p"),
            ("slope_ci_low", "ci_low"),
            ("slope_ci_high", "ci_high"),
        ):
            assert one[ours].item() == pytest.approx(fit[theirs].item(), rel=1e-9), ours
        assert one["slope_basis"].item() == "within one subject"


def test_compare__several_animals_are_the_mean_of_their_slopes():
    trees = [animal(seed, slope=-0.1 * seed) for seed in range(1, 6)]
    found = nd.compare(trees, animal(9), names=["mice", "other"], within="ols")
    tables = [t["sessions"].to_dataset().to_dataframe().assign(mouse=str(t)) for t in trees]
    table = pd.concat(
        [t.assign(mouse=str(i), way=t["day"] / 14) for i, t in enumerate(tables)], ignore_index=True
    )
    for scale, normalize in (("raw", None), ("first", "first")):
        for covariates, adjustment in ((("running_speed",), "running_speed"), ((), "none")):
            fit = nd.regress(
                table,
                "information",
                "way",
                covariates=covariates,
                method="subjects",
                subject="mouse",
                normalize=normalize,
            ).sel(term="way")
            one = found.sel(
                side="mice",
                scale=scale,
                axis="fraction",
                adjustment=adjustment,
                effect="information",
            )
            for ours, theirs in (("slope", "estimate"), ("slope_se", "se"), ("slope_p", "p")):
                assert one[ours].item() == pytest.approx(fit[theirs].item(), rel=1e-9)
            assert one["slope_n_subjects"].item() == 5
            assert one["slope_basis"].item() == "between subjects"


def test_compare__mixed_is_that_of_regress():
    trees = [animal(seed) for seed in range(4)]
    found = nd.compare(trees, trees[0], names=["mice", "one"], method="mixed", covariates=())
    table = pd.concat(
        [
            t["sessions"].to_dataset().to_dataframe().assign(mouse=str(i))
            for i, t in enumerate(trees)
        ],
        ignore_index=True,
    )
    for scale, normalize in (("raw", None), ("first", "first")):
        fit = nd.regress(
            table, "active_fraction", "day", method="mixed", subject="mouse", normalize=normalize
        ).sel(term="day")
        one = found.sel(
            side="mice", scale=scale, axis="day", adjustment="none", effect="active_fraction"
        )
        assert one["slope"].item() == pytest.approx(fit["estimate"].item(), rel=1e-6)
        assert one["slope_se"].item() == pytest.approx(fit["se"].item(), rel=1e-6)
        assert one["slope_basis"].item() == "one slope for all"


def literal_decay(r, at):
    """Slope of similarity on lag and its jackknife, with loops."""

    def slope(kept):
        x, y = [], []
        for i in range(len(kept)):
            for j in range(i + 1, len(kept)):
                x.append(at[kept[j]] - at[kept[i]])
                y.append(r[kept[i], kept[j]])
        return np.polyfit(x, y, 1)[0]

    n = len(at)
    left_out = [slope([k for k in range(n) if k != i]) for i in range(n)]
    return slope(range(n)), np.sqrt((n - 1) * np.var(left_out)), n - 2


def literal_slowing(r, at):
    def line(kept):
        x = [(at[i] + at[j]) / 2 for i, j in zip(kept[:-1], kept[1:], strict=True)]
        y = [-np.log(r[i, j]) / (at[j] - at[i]) for i, j in zip(kept[:-1], kept[1:], strict=True)]
        return stats.linregress(x, y)

    n = len(at)
    left_out = [line([k for k in range(n) if k != i]).slope for i in range(n)]
    jackknife = np.sqrt((n - 1) * np.var(left_out))
    fit = line(list(range(n)))
    return fit.slope, max(jackknife, fit.stderr), n - 3


@pytest.mark.parametrize("kind", ["decay", "slowing"])
def test_compare__similarity_against_its_literal_reference(kind):
    tree = animal(3, n=7, noise=0.1, slowing=0.5)
    found = nd.compare(tree, animal(4), names=["one", "other"])
    r = tree["session_drift"]["rate_map_correlation_relative"].values
    literal = {"decay": literal_decay, "slowing": literal_slowing}[kind]
    expected = literal(r, np.linspace(0, 1, 7))
    one = found.sel(
        side="one", scale="raw", effect=f"{kind} of rate_map_correlation_relative", **SLOPE
    )
    got = [one[name].item() for name in ("slope", "slope_se", "slope_dof")]
    np.testing.assert_allclose(got, expected, rtol=1e-9)


def test_compare__mean_series_and_decay_against_loops():
    trees = [animal(seed, slope=-0.05 * seed) for seed in (1, 2, 3)]
    found = nd.compare(trees, animal(4), names=["mice", "one"])
    values = np.array([t["sessions"]["active_fraction"].values for t in trees])
    values = values / values[:, :1]
    curve = found.sel(side="mice", scale="first", axis="fraction", measure="active_fraction")
    np.testing.assert_allclose(curve["series_at"], np.linspace(0, 1, 8), atol=1e-12)
    np.testing.assert_allclose(curve["series_mean"], values.mean(axis=0))
    np.testing.assert_allclose(
        curve["series_sem"], values.std(axis=0, ddof=1) / np.sqrt(3), atol=1e-12
    )
    assert (curve["series_n"] == 3).all()
    single = found.sel(side="one", scale="raw", axis="day", measure="active_fraction")
    assert np.isnan(single["series_sem"]).all() and (single["series_n"] == 1).all()

    name = "rate_map_correlation_relative"
    decay = found.sel(side="mice", axis="day", similarity=name)
    for lag in range(1, 8):
        means = [
            np.mean([t["session_drift"][name].values[i, i + lag] for i in range(8 - lag)])
            for t in trees
        ]
        assert decay["decay_at"].values[lag - 1] == pytest.approx(2.0 * lag)
        assert decay["decay_mean"].values[lag - 1] == pytest.approx(np.mean(means))
        assert decay["decay_sem"].values[lag - 1] == pytest.approx(np.std(means, ddof=1) / 3**0.5)


def test_compare__early_and_late_rates_are_means_over_neighbours():
    tree = animal(3, n=9, decay=1.2, slowing=0.8, noise=0.0)
    found = nd.compare(tree, animal(4), names=["one", "other"])
    r = tree["session_drift"]["rate_map_correlation_relative"].values
    rates = [-np.log(r[i, i + 1]) * 8 for i in range(8)]
    one = found.sel(side="one", similarity="rate_map_correlation_relative")
    assert one["rate_early"].item() == pytest.approx(np.mean(rates[:4]))
    assert one["rate_late"].item() == pytest.approx(np.mean(rates[4:]))
    assert one["rate_early"] > one["rate_late"]


def test_compare__statements_of_known_truth():
    mice = [animal(seed, slope=-0.3, slowing=0.8, noise=0.01) for seed in range(5)]
    still = [animal(seed + 10, slope=0.3, decay=0.0, noise=0.01) for seed in range(5)]
    found = nd.compare(mice, still, names=["drifting", "other"])
    verdict = found["statement_verdict"].sel(adjustment="none")
    drifting = verdict.sel(side="drifting").to_series().to_dict()
    assert drifting == {
        "fewer active units": "holds",
        "lower active fraction": "holds",
        "fewer place cells": "not testable",
        "more information": "holds",
        "representation decorrelates": "holds",
        "decorrelation slows": "holds",
    }
    other = verdict.sel(side="other").to_series().to_dict()
    assert other["fewer active units"] == "contradicted" == other["more information"]
    assert other["decorrelation slows"] in ("undecided", "contradicted")
    reason = found["statement_reason"].sel(statement="fewer place cells", adjustment="none")
    assert reason.values.tolist() == ["no recording has it"] * 2
    pair = found.isel(pair=0).sel(scale="first", effect="active_fraction", **SLOPE)
    assert pair["sign_agreement"].item() == "opposite"
    assert pair["size_agreement"].item() == "different"
    estimate = found["statement_estimate"].sel(
        side="drifting", statement="fewer active units", adjustment="none"
    )
    assert float(estimate) == pytest.approx(-0.3, abs=0.02)


def test_compare__speed_explains_a_slope_that_it_makes():
    rng = np.random.default_rng(0)
    trees = []
    for seed in range(6):
        speed = 10 + 5 * np.linspace(0, 1, 10) + rng.normal(0, 2, 10)
        active = 0.9 - 0.02 * speed + rng.normal(0, 0.002, 10)
        trees.append(
            results_of(
                {
                    "day": np.arange(10.0),
                    "fraction_active_units": active,
                    "running_speed": speed,
                },
                subject=str(seed),
            )
        )
    found = nd.compare(trees, trees[:1], names=["mice", "one"])
    verdicts = found["statement_verdict"].sel(statement="fewer active units", side="mice")
    assert verdicts.sel(adjustment="none") == "holds"
    assert verdicts.sel(adjustment="running_speed").item() in ("undecided", "no change")


def test_compare__mouse_beside_network_on_the_fraction_of_the_way():
    found = nd.compare(animal(1), [network(seed) for seed in range(4)], names=["mouse", "model"])
    assert found["clock"].values.tolist() == ["experience"] + ["training_step"] * 4
    pair = found.isel(pair=0).sel(scale="first", effect="fraction_active_units")
    shared = pair.sel(axis="fraction", adjustment="none")
    assert shared["sign_agreement"].item() == "same" == shared["size_agreement"].item()
    assert shared["ratio"].item() == pytest.approx(1, abs=0.2)
    by_day = pair.sel(axis="day", adjustment="none")
    assert by_day["pair_reason"].item() == "model: it has no day"
    assert np.isnan(by_day["difference"])
    # the network has no speed: its own slope stands beside the mouse's given speed
    given_speed = found.sel(
        scale="first", effect="fraction_active_units", axis="fraction", adjustment="running_speed"
    )
    assert given_speed["slope_reason"].sel(side="model") == "it has no running_speed"
    mouse = given_speed["slope"].sel(side="mouse")
    model = shared["difference"] + found["slope"].sel(
        side="mouse", scale="first", effect="fraction_active_units", **SLOPE
    )
    assert given_speed["difference"].item() == pytest.approx(float(model - mouse))
    notes = " ".join(json.loads(found.attrs["notes"]))
    assert "model has no running_speed" in notes and "mouse is one animal or run" in notes
    # a network's activation has no sampling noise: naive information, correlations as they are
    assert found["information_source"].values.tolist()[:2] == ["cross-fitted", "naive"]
    information = found["value"].sel(measure="information").values
    np.testing.assert_allclose(information[8:29], 1 + 0.2 * np.linspace(0, 1, 21))
    assert found.attrs["similarity"] == "rate_map_correlation_relative"


def test_compare__recordings_of_one_animal_count_once():
    pair = [animal(1, name="m", environment=e, slope=s) for e, s in (("A", -0.1), ("B", -0.3))]
    found = nd.compare(pair, [*pair, animal(2)], names=["one", "two"])
    effect = found.sel(scale="raw", effect="active_fraction", **SLOPE)
    assert effect["slope_n_subjects"].values.tolist() == [1, 2]
    assert effect["slope_basis"].values.tolist() == ["within one subject", "between subjects"]
    slopes = effect["recording_slope"].values
    errors = effect["recording_slope_se"].values
    assert effect["slope"].values[0] == pytest.approx(slopes[:2].mean())
    assert effect["slope_se"].values[0] == pytest.approx(np.hypot(*errors[:2]) / 2)
    assert effect["slope"].values[1] == pytest.approx((slopes[:2].mean() + slopes[4]) / 2)
    assert "count once" in found.attrs["notes"]


def test_compare__missing_sessions_and_first_values():
    tree = animal(1)
    active = tree["sessions"]["active_fraction"].values.copy()
    active[[0, 3]] = np.nan
    tree["sessions"]["active_fraction"] = xr.DataArray(active, dims="session")
    found = nd.compare(tree, animal(2), names=["one", "two"], within="ols")
    one = found.sel(side="one", effect="active_fraction", **SLOPE)
    line = stats.linregress(np.arange(8)[~np.isnan(active)] / 7, active[~np.isnan(active)])
    assert one["slope"].sel(scale="raw").item() == pytest.approx(line.slope)
    assert one["slope"].sel(scale="first").item() == pytest.approx(line.slope / active[1])
    assert one["slope_dof"].sel(scale="raw").item() == 4
    assert np.isnan(found["normalized"].sel(measure="active_fraction").values[[0, 3]]).all()


def test_compare__one_session_one_unit_and_constant_measures():
    single = results_of({"day": np.zeros(1), "fraction_active_units": np.ones(1)}, subject="single")
    dead = animal(3)
    dead["sessions"]["active_fraction"] = xr.DataArray(np.zeros(8), dims="session")
    found = nd.compare(animal(1), single, dead, names=["mouse", "single", "dead"])
    one = found.sel(scale="raw", effect="fraction_active_units", **SLOPE)
    assert one["slope_reason"].sel(side="single") == "one session only"
    assert (found["statement_verdict"].sel(side="single") == "not testable").all()
    zero = found.sel(effect="active_fraction", side="dead", **SLOPE)
    assert zero["slope"].sel(scale="raw").item() == 0
    assert zero["slope_p"].sel(scale="raw").item() == 1
    assert "not positive" in zero["slope_reason"].sel(scale="first").item()
    units = found.sel(scale="raw", effect="n_detected", side="mouse", **SLOPE)
    assert units["slope"].item() == 0 and units["slope_p"].item() == 1
    reasons = found["pair_reason"].sel(scale="raw", effect="fraction_active_units", **SLOPE)
    assert reasons.values.tolist() == [
        "single: one session only",
        "",
        "single: one session only",
    ]


def test_compare__two_sessions_have_a_slope_and_no_error():
    found = nd.compare(
        [animal(seed, n=2) for seed in range(5)], animal(9, n=2), names=["mice", "one"]
    )
    effect = found.sel(scale="raw", effect="active_fraction", **SLOPE)
    assert np.isfinite(effect["slope"]).all()
    assert np.isfinite(effect["slope_p"].sel(side="mice"))
    assert np.isnan(effect["slope_p"].sel(side="one"))
    assert "no degree of freedom" in effect["slope_reason"].sel(side="one").item()


def test_compare__different_numbers_of_sessions_are_interpolated():
    found = nd.compare(
        [animal(1, n=5, noise=0.0), animal(2, n=9, noise=0.0)], animal(3), names=["mice", "one"]
    )
    curve = found.sel(side="mice", scale="first", axis="fraction", measure="active_fraction")
    np.testing.assert_allclose(curve["series_at"][:5], np.linspace(0, 1, 5))
    np.testing.assert_allclose(curve["series_mean"][:5], 1 - 0.2 * np.linspace(0, 1, 5))
    assert np.isnan(curve["series_at"][5:]).all()


def test_compare__covariates_default_to_the_speed_that_there_is():
    sides = [network(1), network(2)]
    assert nd.compare(*sides)["adjustment"].values.tolist() == ["none"]
    assert nd.compare(sides[0], animal(1), covariates=())["adjustment"].values.tolist() == ["none"]
    both = nd.compare(sides[0], animal(1), covariates=["running_speed", "n_detected"])
    assert both["adjustment"].values.tolist() == ["none", "running_speed+n_detected"]


def test_compare__nothing_in_common_says_so():
    bare = results_of({"training_step": np.arange(4), "loss": np.arange(4.0)}, kind="activation")
    del bare["drift"]["rate_map_correlation"]
    found = nd.compare(animal(1), bare, names=["mouse", "net"])
    reason = found["pair_reason"].sel(scale="raw", effect="loss", **SLOPE).item()
    assert reason == "mouse: it has no loss"
    everything = found["pair_reason"].sel(scale="raw").values
    assert (everything != "").all()


@pytest.mark.parametrize(
    ("sides", "options", "error", "text"),
    [
        ([3], {}, TypeError, "side 2 is a int"),
        ([[]], {}, ValueError, "side 2 holds no results"),
        ([xr.DataTree()], {}, ValueError, "side 2 holds no results"),
        ([["mouse.zarr"]], {}, TypeError, "side 2 is a str"),
        ([animal(1)], {"names": ["a"]}, ValueError, "1 names for 2 sides"),
        ([animal(1)], {"names": ["a", "a"]}, ValueError, "different names"),
        ([animal(1)], {"axes": ["week"]}, ValueError, "expected some of fraction"),
        ([animal(1)], {"axes": ["training_step"]}, ValueError, "no recording has the axis"),
        ([animal(1)], {"covariates": ["speed"]}, ValueError, "covariate 'speed'; there are"),
        ([animal(1)], {"measures": ["sparsity"]}, ValueError, "measure 'sparsity'"),
        ([animal(1)], {"similarity": "overlap"}, ValueError, "similarity is 'overlap'"),
        ([animal(1)], {"method": "ols"}, ValueError, "expected 'subjects' or 'mixed'"),
        ([animal(1)], {"factor": 1.0}, ValueError, "factor is 1.0, expected"),
        ([animal(1)], {"level": 95}, ValueError, "level is .* expected a number, more than 0"),
        ([animal(1)], {"n_repeats": -1}, ValueError, "n_repeats is -1, expected"),
        ([[animal(1), animal(1)]], {}, ValueError, "twice"),
    ],
)
def test_compare__errors_say_what_to_do(sides, options, error, text):
    with pytest.raises(error, match=text):
        nd.compare(animal(0), *sides, **options)


def test_compare__names_of_sides_and_recordings_are_unique():
    tree = animal(1)
    found = nd.compare(tree, tree, {"x": tree, "y": animal(2)})
    assert found["side"].values.tolist() == ["mouse 1 track", "mouse 1 track (2)", "c"]
    assert found["recording"].values.tolist() == [
        "mouse 1 track",
        "mouse 1 track (2)",
        "x",
        "y",
    ]
    nested = xr.DataTree.from_dict({"/p": animal(3), "/q": animal(4)})
    assert nd.compare(tree, nested)["recording"].values.tolist()[1:] == ["p", "q"]


def test_compare__is_stored_whole_and_as_described(tmp_path):
    found = nd.compare(animal(1), [network(seed) for seed in range(3)], names=["mouse", "model"])
    stored = xr.DataTree.from_dict({"comparison": found})
    path = nd.save_results(stored, tmp_path / "comparison.zarr")
    back = nd.open_results(path)["comparison"].to_dataset()
    xr.testing.assert_identical(back, found)
    assert description_faults(back, COMPARISON) == []


def test_compare__same_bits_again_and_whatever_the_order():
    sides = {"a": [animal(seed) for seed in range(4)], "b": [animal(seed) for seed in range(5, 9)]}
    found = nd.compare(*sides.values(), names=list(sides))
    xr.testing.assert_identical(nd.compare(*sides.values(), names=list(sides)), found)
    swapped = nd.compare(sides["a"][::-1], sides["b"], names=list(sides))
    np.testing.assert_allclose(swapped["slope"], found["slope"], rtol=1e-10)
    np.testing.assert_allclose(swapped["difference_p"], found["difference_p"], rtol=1e-8)


def test_agree__difference_is_welch_and_bootstrap_widens_for_few():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 5), rng.normal(1, 2, 7)
    sides = [fit_side_of(values) for values in (a, b)]
    found = agree(*sides, factor=2, level=0.95, n_repeats=20000, rng=rng)
    expected = stats.ttest_ind(b, a, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert found["difference"] == pytest.approx(b.mean() - a.mean())
    assert found["difference_p"] == pytest.approx(expected.pvalue)
    assert found["difference_ci_low"] == pytest.approx(interval.low)
    assert found["difference_ci_high"] == pytest.approx(interval.high)
    means = [rng.choice(x, (20000, x.size)).mean(axis=1) for x in (a, b)]
    plain = np.quantile(means[1] - means[0], [0.025, 0.975])
    assert found["difference_boot_ci_low"] < plain[0] < plain[1] < found["difference_boot_ci_high"]


def fit_side_of(values):
    n = values.size
    return SideFit(
        float(values.mean()),
        float(values.std(ddof=1) / np.sqrt(n)),
        n - 1.0,
        "between subjects",
        each=values,
    )


def test_agree__bootstrap_interval_draw_by_draw():
    values = np.array([1.0, 2.0, 4.0, 4.5]), np.array([2.0, 3.0, 7.0])
    sides = [fit_side_of(each) for each in values]
    found = agree(*sides, factor=2, level=0.95, n_repeats=400, rng=np.random.default_rng(5))
    rng, means = np.random.default_rng(5), []
    for each in values:
        n, centre = each.size, each.mean()
        drawn = rng.integers(n, size=(400, n))
        wider = math.sqrt(n / (n - 1))  # a resampled mean varies by (n - 1) / n too little
        means.append([centre + (sum(each[i] for i in row) / n - centre) * wider for row in drawn])
    differences = [b - a for a, b in zip(*means, strict=True)]
    tail = stats.norm.cdf(stats.t.ppf(0.025, found["difference_dof"]))
    low, high = np.quantile(differences, [tail, 1 - tail])
    assert found["difference_boot_ci_low"] == pytest.approx(low, rel=1e-9)
    assert found["difference_boot_ci_high"] == pytest.approx(high, rel=1e-9)


def test_agree__no_bootstrap_below_three():
    sides = [fit_side_of(np.array(x)) for x in ([1.0, 2.0], [1.0, 2.0, 4.0])]
    found = agree(*sides, factor=2, level=0.95, n_repeats=100, rng=np.random.default_rng(0))
    assert "difference_boot_p" not in found and np.isfinite(found["difference_p"])


numbers = st.floats(-5, 5).filter(lambda x: abs(x) > 1e-3)
errors = st.floats(0.01, 3)


@settings(max_examples=60, deadline=None)
@given(numbers, errors, numbers, errors)
def test_agree__verdicts_follow_the_intervals(a, se_a, b, se_b):
    sides = [SideFit(a, se_a, 6.0, each=np.empty(1)), SideFit(b, se_b, 6.0, each=np.empty(1))]
    rng = np.random.default_rng(0)
    found = agree(*sides, factor=2.0, level=0.95, n_repeats=0, rng=rng)
    back = agree(*sides[::-1], factor=2.0, level=0.95, n_repeats=0, rng=rng)
    for name in ("p_same_sign", "p_opposite_sign", "p_same_size", "difference_p"):
        assert found[name] == pytest.approx(back[name]) and 0 <= found[name] <= 1
    assert found["difference"] == pytest.approx(-back["difference"])
    lows, highs = zip(*[t_test(s.estimate, s.se, s.dof, 0.95)[1:] for s in sides], strict=True)
    both_up, both_down = min(lows) > 0, max(highs) < 0
    assert (found["p_same_sign"] < 0.05) == (both_up or both_down)
    if found["p_same_size"] < 0.05:  # then the estimates are alike themselves
        assert a * b > 0 and 0.5 < b / a < 2


@pytest.mark.parametrize(
    ("a", "b"), [((-1.0, 0.1), (-1.2, 0.15)), ((1.0, 0.1), (0.7, 0.05)), ((1.0, 0.1), (2.5, 0.1))]
)
def test_agree__same_size_is_the_larger_of_two_tests(a, b):
    sides = [SideFit(*a, 6.0, each=np.empty(1)), SideFit(*b, 4.0, each=np.empty(1))]
    found = agree(*sides, factor=2.0, level=0.95, n_repeats=0, rng=np.random.default_rng(0))
    p = []
    for one, other, dof_one, dof_other in ((a, b, 6, 4), (b, a, 4, 6)):
        # twice the other is above the one; a product has its factor in its error, too
        margin = 2 * abs(other[0]) - abs(one[0])
        own, doubled = one[1] ** 2, (2 * other[1]) ** 2
        dof = (own + doubled) ** 2 / (own**2 / dof_one + doubled**2 / dof_other)
        p.append(2 * stats.t.sf(margin / math.sqrt(own + doubled), dof))
    expected = max(p) if max(p) < 1 else 1.0
    assert found["p_same_size"] == pytest.approx(expected, rel=1e-9)


def test_compare__session_without_similarity_is_as_if_it_were_not_there():
    tree = animal(3, n=8, noise=0.1)
    r = tree["session_drift"]["rate_map_correlation_relative"].values.copy()
    r[4] = r[:, 4] = np.nan
    tree["session_drift"]["rate_map_correlation_relative"] = xr.DataArray(
        r, dims=("session_a", "session_b")
    )
    found = nd.compare(tree, animal(4), names=["one", "other"])
    kept = [0, 1, 2, 3, 5, 6, 7]
    at = np.linspace(0, 1, 8)[kept]
    for kind, literal in (("decay", literal_decay), ("slowing", literal_slowing)):
        one = found.sel(
            side="one", scale="raw", effect=f"{kind} of rate_map_correlation_relative", **SLOPE
        )
        got = [one[name].item() for name in ("slope", "slope_se", "slope_dof")]
        np.testing.assert_allclose(got, literal(r[np.ix_(kept, kept)], at), rtol=1e-9)
    assert "2 of 7 neighbouring sessions of mouse 3 track have no rate" in found.attrs["notes"]


def test_compare__notes_name_what_limits_it():
    smooth = network(1)
    switching = animal(2)
    switching.attrs["n_maps"] = 2
    some = xr.DataArray(np.linspace(0.5, 0.6, 8), dims="session")
    switching["sessions"]["fraction_informative_units"] = some
    sides = (smooth, [switching, animal(3, n=2)], animal(2))
    found = nd.compare(*sides, names=["net", "mice", "m"], within="ols")
    notes = json.loads(found.attrs["notes"])
    for text in (
        "The sessions of one recording are taken as independent",
        "Sampling noise alone makes units informative in mouse 2 track:",
        "The population of mouse 2 track switches between 2 maps",
        "mouse 2 is in mice and m",
        "mouse 3 track has fewer than three sessions",
        "net and m are one each",
        "net has no day and experience",
        "training_step in net; experience in mice and m",
    ):
        assert sum(text in note for note in notes) == 1, text


def test_statements_text__has_every_verdict_and_note():
    found = nd.compare(animal(1), [network(seed) for seed in range(3)], names=["mouse", "model"])
    text = describe_statements(found)
    for statement in found["statement"].values:
        assert text.count(statement) == 4
    for note in json.loads(found.attrs["notes"]):
        assert note in text
    assert "model, given running_speed" in text and "it has no running_speed" in text

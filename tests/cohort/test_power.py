from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import neurodrift as nd
from neurodrift.cohort.power import estimate_variation
from neurodrift.schema.json import description_faults
from neurodrift.schema.results import POWER
from neurodrift.testing import results_of

DAY = np.arange(8.0)


def pilot(n, *, between=0.01, within=0.0, noise=0.05, rho=0.0, recordings=1, seed=0, days=DAY):
    """Animals of known variation, in plain numpy."""
    rng = np.random.default_rng(seed)
    trees = []
    for i in range(n):
        slope = between * rng.normal()
        for e in range(recordings):
            own = slope + within * rng.normal()
            fresh = rng.normal(size=days.size)
            told = fresh.copy()
            for k in range(1, days.size):
                told[k] = rho * told[k - 1] + np.sqrt(1 - rho**2) * fresh[k]
            y = 1 + own * days + noise * told
            trees.append(
                results_of({"day": days, "information": y}, subject=f"m{i}", environment=f"{e}")
            )
    return trees


def variation(**options):
    pooled = nd.pool_animals(pilot(**options), questions=["information ~ day"], covariates=[])
    return estimate_variation(pooled["sessions"].to_dataset(), "information")


def test_estimate_variation__finds_what_was_planted():
    found = variation(n=80, between=0.01, within=0.006, noise=0.05, rho=0.5, recordings=2)
    np.testing.assert_allclose(found.between, 0.01, rtol=0.2)
    np.testing.assert_allclose(found.within, 0.006, rtol=0.3)
    np.testing.assert_allclose(found.residual, 0.05, rtol=0.1)
    np.testing.assert_allclose(found.correlation, 0.5, atol=0.1)
    assert (found.n_animals, found.n_recordings, found.n_sessions) == (80, 2, 8)
    assert (found.step, found.span) == (1.0, 7.0)


def test_estimate_variation__no_variation_between_animals_is_none():
    found = variation(n=40, between=0.0, noise=0.05)
    assert found.between < 0.003
    assert found.correlation < 0.1


@pytest.mark.parametrize("n_groups", [1, 2])
def test_power__is_that_of_the_noncentral_t(n_groups):
    trees = pilot(40, between=0.01, noise=0.05)
    found = nd.power(
        trees, "information", effect=0.1, n_animals=[3, 6, 10], n_groups=n_groups, n_repeats=4000
    )
    sd2 = found.attrs["slope_sd_between_animals"] ** 2 + found.attrs["slope_sd_within_animals"] ** 2
    rho = found.attrs["correlation"]
    weight = (DAY - DAY.mean()) / ((DAY - DAY.mean()) ** 2).sum()
    alike = rho ** np.abs(np.subtract.outer(DAY, DAY))
    sd = np.sqrt(sd2 + found.attrs["residual_sd"] ** 2 * weight @ alike @ weight)
    for n in (3, 6, 10):
        size = float(found["slope"][0]) / sd * np.sqrt(n / n_groups)
        dof = n_groups * (n - 1)
        edge = stats.t.ppf(0.975, dof)
        exact = stats.nct.sf(edge, dof, size) + stats.nct.cdf(-edge, dof, size)
        # Welch's degrees of freedom are fewer than those of equal variances
        slack = 0.02 if n_groups == 1 else 0.05
        assert abs(found["power"].sel(animals=n).item() - exact) < slack


def test_power__of_no_effect_is_the_level():
    found = nd.power(pilot(6, rho=0.5), "information", effect=0.0, n_animals=[4, 12])
    assert (np.abs(found["power"] - 0.05) < 0.02).all()


def test_power__rises_with_animals_and_sessions_and_says_how_many_are_needed():
    trees = pilot(10, recordings=2)
    found = nd.power(trees, "information", effect=0.2, n_sessions=[4, 8], n_repeats=1000)
    assert (found["power"].diff("animals") > -0.05).all()
    assert (found["power"].sel(sessions=8) >= found["power"].sel(sessions=4) - 0.05).all()
    for k in (4, 8):
        own, needed = found.sel(sessions=k), found["animals_needed"].sel(sessions=k).item()
        enough = own["animals"].values[own["power"].values >= 0.8]
        assert np.isnan(needed) if enough.size == 0 else needed >= enough.min()
    assert not description_faults(found.assign_attrs(format_version=2), POWER)


def test_power__a_study_gives_the_same_as_its_recordings():
    trees = pilot(5)
    pooled = nd.pool_animals(trees, questions=["information ~ day"])
    options = {"effect": 0.2, "n_animals": [4], "n_repeats": 300, "seed": 3}
    one, two = (nd.power(source, "information", **options) for source in (trees, pooled))
    assert one.equals(two)
    other = nd.power(trees, "information", **{**options, "seed": 4})
    assert not one.equals(other)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"measure": "loss"}, "there is no measure 'loss'"),
        ({"effect": np.nan}, "effect is nan"),
        ({"n_animals": [1]}, "n_animals is 1"),
        ({"n_groups": 3}, "n_groups is 3"),
        ({"axis": "days"}, "axis is 'days'"),
    ],
)
def test_power__bad_input(options, told):
    with pytest.raises(ValueError, match=told):
        nd.power(pilot(3), **{"measure": "information", "effect": 0.1, **options})


def test_power__too_few_animals_or_sessions():
    with pytest.raises(ValueError, match="1 animals have a slope"):
        nd.power(pilot(1), "information", effect=0.1)
    with pytest.raises(ValueError, match="no recording has more than two sessions"):
        nd.power(pilot(3, days=np.arange(2.0)), "information", effect=0.1)
    pooled = nd.pool_animals(pilot(3), questions=["information ~ day"])
    with pytest.raises(ValueError, match="did not ask for 'loss'"):
        nd.power(pooled, "loss", effect=0.1)

"""Posteriors of the decoders against slow versions, and against another package."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import norm, poisson

from neurodrift.analysis.decoding.bayes import floored_rate, gaussian_posterior, poisson_posterior


def _made(seed=0, n_states=7, n_units=5, n_windows=11):
    rng = np.random.default_rng(seed)
    rate = rng.gamma(1.0, 3.0, (n_states, n_units)) + 0.01
    counts = rng.poisson(1.0, (n_windows, n_units))
    prior = rng.dirichlet(np.ones(n_states))
    return rate, counts, rng.uniform(0.2, 0.8, n_windows), prior


@pytest.mark.parametrize("with_prior", [True, False])
def test_poisson_posterior__literal(with_prior):
    rate, counts, seconds, prior = _made()
    found = poisson_posterior(rate, counts, seconds, prior if with_prior else None)
    for t in range(len(counts)):
        likely = np.array(
            [
                np.prod(
                    [poisson.pmf(k, r * seconds[t]) for k, r in zip(counts[t], state, strict=True)]
                )
                for state in rate
            ]
        )
        likely = likely * (prior if with_prior else 1.0)
        np.testing.assert_allclose(found[t], likely / likely.sum(), rtol=1e-9, atol=1e-15)


def test_poisson_posterior__sparse_is_the_same():
    rate, counts, seconds, prior = _made()
    plain = poisson_posterior(rate, counts, seconds, prior)
    np.testing.assert_allclose(
        poisson_posterior(rate, sp.csr_array(counts.astype(float)), seconds, prior),
        plain,
        rtol=1e-12,
    )


def test_poisson_posterior__far_states_do_not_overflow():
    found = poisson_posterior(
        np.array([[1e-3] * 400, [50.0] * 400]), np.full((1, 400), 20), np.array([0.5])
    )
    np.testing.assert_allclose(found, [[0.0, 1.0]])


@pytest.mark.parametrize("uniform", [True, False])
def test_poisson_posterior__is_that_of_pynapple(uniform):
    nap = pytest.importorskip("pynapple")
    import xarray as xr

    rate, counts, _, prior = _made(n_windows=30)
    n_states = rate.shape[0]
    curves = xr.DataArray(
        rate.T,
        dims=("unit", "x"),
        coords={"unit": np.arange(rate.shape[1]), "x": np.arange(n_states) + 0.5},
        attrs={"occupancy": prior, "bin_edges": [np.arange(n_states + 1.0)]},
    )
    data = nap.TsdFrame(t=0.25 + 0.5 * np.arange(len(counts)), d=counts.astype(float))
    _, theirs = nap.decode_bayes(curves, data, data.time_support, 0.5, uniform_prior=uniform)
    ours = poisson_posterior(rate, counts, np.full(len(counts), 0.5), None if uniform else prior)
    np.testing.assert_allclose(ours, theirs.values, atol=1e-6)


def test_gaussian_posterior__literal():
    rate, _, _, prior = _made()
    rng = np.random.default_rng(1)
    variance, activity = rng.uniform(0.5, 2.0, 5), rng.normal(3.0, 2.0, (11, 5))
    found = gaussian_posterior(rate, variance, activity, prior)
    for t, row in enumerate(activity):
        log = norm.logpdf(row, rate, np.sqrt(variance)).sum(axis=1) + np.log(prior)
        likely = np.exp(log - log.max())
        np.testing.assert_allclose(found[t], likely / likely.sum(), rtol=1e-9, atol=1e-15)


def test_floored_rate__half_an_event_in_the_time_of_a_bin():
    events, seconds = np.array([[0.0, 4.0, 0.0]]), np.array([2.0, 2.0, 0.0])
    found = floored_rate(events, seconds, np.eye(3), None)
    np.testing.assert_allclose(found[:, 0], [0.25, 2.0, np.nan])
    np.testing.assert_allclose(floored_rate(events, seconds, np.eye(3), 0.0)[0, 0], 1e-3)

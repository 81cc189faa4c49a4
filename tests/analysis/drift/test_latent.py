from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr

from neurodrift import (
    compute_latent_activity,
    compute_latent_trajectories,
    compute_rate_maps,
    compute_trial_averages,
    fit_latent_space,
    open_results,
    recording_from_arrays,
    save_results,
    testing,
)
from neurodrift.schema.json import description_faults
from neurodrift.schema.results import LATENT_ACTIVITY, LATENT_SPACE, TRAJECTORIES


def snapshots(*sessions: np.ndarray, **given) -> xr.Dataset:
    return recording_from_arrays(
        [np.asarray(item, dtype=float) for item in sessions],
        **{"kind": "activation", "frame_duration": 1.0, "training_step": range(len(sessions))}
        | given,
    )


def from_model(seed: int, n_samples: int, n_units: int, n_factors: int, noise: float = 1.0):
    rng = np.random.default_rng(seed)
    loadings = rng.normal(size=(n_units, n_factors))
    z = rng.normal(size=(n_samples, n_factors))
    own = noise * rng.uniform(0.3, 1.5, n_units)
    return z @ loadings.T + own * rng.normal(size=(n_samples, n_units)) + 3.0, loadings, own**2, z


def recurrent(seed: int, n_samples: int = 1500, n_units: int = 30) -> np.ndarray:
    """Activity of a leaky rectified network driven by noise; a few units are nearly silent."""
    rng = np.random.default_rng(seed)
    weights = 0.9 * np.linalg.qr(rng.normal(size=(n_units, n_units)))[0]
    drive = rng.normal(size=(n_samples, 4)) @ rng.normal(size=(4, n_units))
    r, path = np.zeros(n_units), []
    for kick in drive:
        r = 0.8 * r + 0.2 * np.maximum(weights @ r + 0.5 * kick - 0.1, 0)
        path.append(r)
    return np.array(path)


def log_likelihood(activity: np.ndarray, loadings: np.ndarray, noise: np.ndarray) -> float:
    n, p = activity.shape
    scale = np.sqrt(noise)
    away = (activity - activity.mean(axis=0)) / scale
    within = np.eye(p) + (loadings / scale[:, None]) @ (loadings / scale[:, None]).T
    distance = (away * np.linalg.solve(within, away.T).T).sum()
    volume = np.linalg.slogdet(within)[1] + np.log(noise).sum() + p * np.log(2 * np.pi)
    return float(-(distance + n * volume) / 2)


def angles(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Principal angles of two spans [degrees]."""
    from scipy.linalg import subspace_angles

    return np.rad2deg(subspace_angles(a, b))


@pytest.mark.parametrize(
    ("activity", "n_factors"),
    [
        (recurrent(0), 2),
        (recurrent(1, n_samples=400), 4),
        (from_model(0, 800, 12, 3)[0] * np.logspace(-6, 3, 12), 3),  # of very different scales
        (from_model(1, 40, 60, 2)[0], 2),  # fewer samples than units
        (from_model(2, 500, 5, 2)[0], 2),  # as few units as two factors need
    ],
    ids=["network", "network 4", "scales", "few samples", "few units"],
)
def test_fit_latent_space__is_at_least_as_likely_as_sklearn_and_statsmodels(activity, n_factors):
    from sklearn.decomposition import FactorAnalysis

    space = fit_latent_space(snapshots(activity), "1", n_factors=n_factors)
    ours = log_likelihood(activity, space["loadings"].values, space["noise_variance"].values)
    assert space.attrs["log_likelihood"] == pytest.approx(ours, rel=1e-9)
    scale = activity.std(axis=0)
    options = {"svd_method": "lapack", "tol": 1e-7, "max_iter": 20_000}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it does not converge where a unit has no noise
        model = FactorAnalysis(n_factors, **options).fit(activity / scale)
    theirs = log_likelihood(
        activity, model.components_.T * scale[:, None], model.noise_variance_ * scale**2
    )
    assert ours >= theirs - 1e-4
    if not space.attrs["n_heywood"] and model.noise_variance_.min() > 2e-3:
        assert ours == pytest.approx(theirs, abs=1e-4)
        latent = compute_latent_activity(snapshots(activity), space)["latent"].values
        expected = model.transform(activity / scale)
        for k in range(n_factors):  # sklearn's factors, but for sign
            r = np.corrcoef(latent[:, k], expected[:, k])[0, 1]
            assert abs(r) > 0.999
    if len(activity) > 2 * activity.shape[1]:
        from statsmodels.multivariate.factor import Factor

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own optimiser
            fitted = Factor(activity / scale, n_factor=n_factors, method="ml").fit()
        other = log_likelihood(
            activity,
            np.asarray(fitted.loadings) * scale[:, None],
            np.asarray(fitted.uniqueness) * scale**2,
        )
        assert ours >= other - 1e-3


def test_fit_latent_space__where_sklearn_stops_short():
    from sklearn.decomposition import FactorAnalysis
    from sklearn.exceptions import ConvergenceWarning

    scales = from_model(0, 800, 12, 3)[0] * np.logspace(-6, 3, 12)
    ours = fit_latent_space(snapshots(scales), "1", n_factors=3).attrs["log_likelihood"]
    model = FactorAnalysis(3).fit(scales)
    theirs = log_likelihood(scales, model.components_.T, model.noise_variance_)
    assert model.n_iter_ == 3 and ours == pytest.approx(theirs + 1612, abs=1)

    few = from_model(2, 500, 5, 2)[0]
    space = fit_latent_space(snapshots(few), "1")
    assert space.attrs["n_heywood"] == 1 and space.attrs["n_iterations"] < 100
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        options = {"svd_method": "lapack", "tol": 1e-7, "max_iter": 20_000}
        model = FactorAnalysis(2, **options).fit(few / few.std(axis=0))


def test_fit_latent_space__recovers_the_model_that_made_the_data():
    activity, loadings, noise, z = from_model(3, 20_000, 25, 2)
    space = fit_latent_space(snapshots(activity), "1")
    assert angles(space["loadings"].values, loadings).max() < 1
    np.testing.assert_allclose(space["noise_variance"], noise, rtol=0.1)
    np.testing.assert_allclose(space["mean_activity"], activity.mean(axis=0))
    shared = (loadings**2).sum(axis=1)
    np.testing.assert_allclose(space["communality"], shared / (shared + noise), atol=0.02)
    latent = compute_latent_activity(snapshots(activity), space)["latent"].values
    turned = np.linalg.lstsq(z, latent, rcond=None)[0]
    assert 1 - ((latent - z @ turned) ** 2).sum() / (latent**2).sum() > 0.97
    # canonical axes: L' Psi^-1 L diagonal and falling, largest loading positive
    found = space["loadings"].values
    precision = found.T @ (found / space["noise_variance"].values[:, None])
    assert abs(precision[0, 1]) < 1e-6 * precision[1, 1] and precision[0, 0] > precision[1, 1]
    assert (np.take_along_axis(found, np.abs(found).argmax(axis=0)[None], 0) > 0).all()


def test_fit_latent_space__low_rank_has_bounded_noise():
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(300, 2)) @ rng.normal(size=(2, 12))
    space = fit_latent_space(snapshots(plane), "1")
    assert space.attrs["n_heywood"] == 12
    np.testing.assert_allclose(space["noise_variance"], 1e-3 * plane.var(axis=0), rtol=1e-6)
    found = compute_latent_activity(snapshots(plane, 2 * plane), space)
    np.testing.assert_allclose(found["variance_in_space"], 1, atol=1e-6)
    np.testing.assert_allclose(found["subspace_overlap"], 1, atol=1e-6)

    activity = from_model(4, 600, 10, 1)[0]
    copied = np.column_stack([activity, activity[:, 0]])  # two units that are the same
    twice = fit_latent_space(snapshots(copied), "1")
    assert twice.attrs["n_heywood"] == 2
    assert twice["noise_variance"].values.min() > 0


def test_fit_latent_space__silent_and_undetected_units():
    activity, *_ = from_model(5, 400, 10, 2)
    activity[:, 3] = 0.7
    detected = np.ones((2, 10), dtype=bool)
    detected[0, 8] = False
    second = activity.copy()
    second[:, 3] = np.random.default_rng(1).normal(size=400)
    recording = snapshots(activity, second, detected=detected)
    space = fit_latent_space(recording, "1")
    assert np.flatnonzero(~space["used"].values).tolist() == [3, 8]
    assert (space["loadings"].sel(unit=3) == 0).all() and space["noise_variance"].sel(unit=3) == 0
    assert space["loadings"].sel(unit=8).isnull().all()
    assert space["mean_activity"].sel(unit=3) == pytest.approx(0.7)
    rest = [0, 1, 2, 4, 5, 6, 7, 9]
    alone = fit_latent_space(snapshots(activity[:, rest]), "1")
    np.testing.assert_allclose(space["loadings"].values[rest], alone["loadings"], rtol=1e-4)

    found = compute_latent_activity(recording, space)
    expected = compute_latent_activity(snapshots(activity[:, rest]), alone)
    np.testing.assert_allclose(found["latent"][:400], expected["latent"], rtol=1e-3, atol=1e-5)
    assert found["variance_in_space"][1] < found["variance_in_space"][0]  # unit 3 awoke outside it


def test_latent_activity__is_the_posterior_mean_by_conditioning():
    activity, *_ = from_model(6, 300, 8, 2)
    other = activity[::-1] * 1.3 + 0.2
    detected = np.ones((2, 8), dtype=bool)
    detected[1, [0, 5]] = False
    recording = snapshots(activity, other, detected=detected)
    space = fit_latent_space(recording, "1")
    latent = compute_latent_activity(recording, space)["latent"].values
    loadings, noise = space["loadings"].values, space["noise_variance"].values
    for i, data in enumerate((activity, other)):
        seen = detected[i]
        joint = loadings[seen] @ loadings[seen].T + np.diag(noise[seen])
        for k in (0, 17):  # E[z|r] = cov(z, r) cov(r)^-1 (r - mean), of the units that are seen
            away = data[k, seen] - space["mean_activity"].values[seen]
            expected = loadings[seen].T @ np.linalg.solve(joint, away)
            np.testing.assert_allclose(latent[300 * i + k], expected, rtol=1e-8)


def test_latent_activity__how_much_leaves_the_space():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(20, 6)))[0]
    z = rng.normal(size=(2000, 2))
    inside = z @ (3 * basis[:, :2]).T
    outside = z @ (3 * basis[:, 2:4]).T
    half = z @ (3 * (basis[:, :2] + basis[:, 2:4]) / np.sqrt(2)).T
    moved = inside + 5 * basis[:, 5]
    noise = 0.05 * rng.normal(size=(2000, 20))
    recording = snapshots(*(item + noise for item in (inside, outside, half, moved)))
    found = compute_latent_activity(recording, fit_latent_space(recording, "1"))
    np.testing.assert_allclose(found["subspace_overlap"], [1, 0, 0.5, 1], atol=0.02)
    np.testing.assert_allclose(found["variance_in_best_space"], 1, atol=0.01)
    np.testing.assert_allclose(found["mean_shift"], [0, 0, 0, 25 / 18], atol=0.05)
    assert description_faults(found.assign_attrs(format_version=2), LATENT_ACTIVITY) == []


def test_latent_activity__shares_of_variance_by_projections():
    first, loadings, *_ = from_model(8, 400, 9, 2)
    second = from_model(9, 300, 9, 3, noise=2.0)[0]
    recording = snapshots(first, second)
    space = fit_latent_space(recording, "1")
    found = compute_latent_activity(recording, space).isel(session=1)
    axes = space["loadings"].values
    away = second - second.mean(axis=0)
    within = 0.0
    for frame in away:  # its nearest point in the plane of the loadings
        within += ((axes @ np.linalg.lstsq(axes, frame, rcond=None)[0]) ** 2).sum()
    total = (away**2).sum()
    components = np.linalg.svd(away, compute_uv=False) ** 2
    best = components[:2].sum() / total
    assert 0.05 < within / total < 0.9 * best < 0.9  # so that no share passes for another
    assert float(found["variance_in_space"]) == pytest.approx(within / total, rel=1e-9)
    assert float(found["variance_in_best_space"]) == pytest.approx(best, rel=1e-9)
    assert float(found["subspace_overlap"]) == pytest.approx(within / total / best, rel=1e-9)
    at_fit = (axes**2).sum() + space["noise_variance"].values.sum()
    moved = ((second.mean(axis=0) - first.mean(axis=0)) ** 2).sum()
    assert float(found["mean_shift"]) == pytest.approx(moved / at_fit, rel=1e-9)


def test_latent_activity__same_bits_from_dask():
    sessions = [recurrent(i, n_samples=200, n_units=9) for i in range(3)]
    recording = snapshots(*sessions, accuracy=[0.5, 0.7, 1.0])
    lazy = recording.chunk({"time": 33, "unit": 4})
    space = fit_latent_space(recording, "2")
    xr.testing.assert_identical(fit_latent_space(lazy, "2"), space)
    found = compute_latent_activity(recording, space)
    xr.testing.assert_identical(compute_latent_activity(lazy, space), found)
    assert found["accuracy"].values.tolist() == [0.5, 0.7, 1.0]
    shuffled = recording.isel(unit=[4, 2, 0, 8, 6, 1, 3, 5, 7])
    np.testing.assert_allclose(
        compute_latent_activity(shuffled, space)["latent"], found["latent"], rtol=1e-9
    )


@pytest.mark.parametrize("n_bins", [None, 4])
def test_latent_trajectories__are_the_means_of_the_paths(n_bins):
    lengths = [[5, 8, 6, 8], [7, 5, 9, 4]]
    sessions = [recurrent(i, n_samples=sum(item), n_units=8) for i, item in enumerate(lengths)]
    recording = snapshots(
        *sessions,
        trial=[np.repeat(range(4), item) for item in lengths],
        trial_type=[np.repeat([0, 1, 0, 1], item) for item in lengths],
        accuracy=[0.5, 0.9],
    )
    space = fit_latent_space(recording, "2")
    found = compute_latent_trajectories(recording, space, n_bins=n_bins)
    assert description_faults(found.assign_attrs(format_version=2), TRAJECTORIES) == []
    assert description_faults(space.assign_attrs(format_version=2), LATENT_SPACE) == []
    latent = compute_latent_activity(recording, space)
    assert found["accuracy"].values.tolist() == [0.5, 0.9]
    assert found.attrs["fitted_session"] == "2"
    for name in ("variance_in_space", "subspace_overlap", "mean_shift"):
        np.testing.assert_array_equal(found[name], latent[name])
    path = recording_from_arrays(
        latent["latent"].values,
        kind="activation",
        frame_duration=1.0,
        session_index=recording["session_index"].values,
        trial=recording["trial"].values,
        trial_type=recording["trial_type"].values,
    )
    expected = compute_trial_averages(path, n_bins=n_bins)
    np.testing.assert_allclose(found["trajectory"], expected["response"], rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(found["n_trials"], expected["n_trials"])
    from_averages = compute_latent_trajectories(
        compute_trial_averages(recording, n_bins=n_bins), space
    )
    np.testing.assert_array_equal(from_averages["trajectory"], found["trajectory"])


def test_latent_results__store_there_and_back(tmp_path):
    recording = testing.linear_track(n_units=8, n_sessions=2, minutes=1, detection=0.8)
    averages = compute_trial_averages(recording)
    space = fit_latent_space(averages, "1", n_factors=1)
    nodes = {
        "trial_averages": averages,
        "latent_space": space,
        "latent_activity": compute_latent_activity(recording, space),
        "trajectories": compute_latent_trajectories(averages, space),
    }
    save_results(xr.DataTree.from_dict(nodes), tmp_path / "latent.zarr")
    back = open_results(tmp_path / "latent.zarr")
    for name, node in nodes.items():
        xr.testing.assert_equal(back[name].to_dataset().compute(), node)


def test_fit_latent_space__rate_maps_of_a_mouse():
    maps = compute_rate_maps(
        testing.linear_track(n_units=40, n_sessions=2, detection=0.8), smoothing=4.0
    )
    space = fit_latent_space(maps, "1", n_factors=3)
    assert space.attrs["samples"] == "rate maps" and space.attrs["n_samples"] <= 50
    np.testing.assert_array_equal(space["used"], maps["detected"][0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"session": "9"}, r"no session '9'; there are \['1'\]"),
        ({"n_factors": 0}, "n_factors is 0, expected"),
        ({"min_noise": 0.0}, "min_noise is 0.0, expected"),
        ({"n_factors": 3}, "4 units vary in session '1', but 3 factors need at least 6"),
    ],
)
def test_fit_latent_space__bad_input(options, message):
    recording = snapshots(np.random.default_rng(0).normal(size=(50, 4)))
    with pytest.raises(ValueError, match=message):
        fit_latent_space(recording, **{"session": "1", "n_factors": 1} | options)


def test_latent_activity__refuses_units_that_the_space_does_not_know():
    rng = np.random.default_rng(0)
    space = fit_latent_space(snapshots(rng.normal(size=(50, 6))), "1")
    with pytest.raises(ValueError, match="does not know 1 units, such as 6: fit it to the same"):
        compute_latent_activity(snapshots(rng.normal(size=(50, 7))), space)
    bare = snapshots(rng.normal(size=(50, 6)))
    with pytest.raises(ValueError, match="the recording has no trial"):
        compute_latent_trajectories(bare, space)
    short = snapshots(rng.normal(size=(50, 6)), rng.normal(size=(1, 6)))
    with pytest.raises(ValueError, match="session '2' has 1 samples without NaN"):
        fit_latent_space(short, "2")

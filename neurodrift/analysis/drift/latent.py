"""A latent space fitted in one session, and the activity of every session in it."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords
from neurodrift.analysis.maps.trials import KINDS, compute_trial_averages, samples_of
from neurodrift.recording import slice_sessions
from neurodrift.schema import check, label
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import LATENT_ACTIVITY, LATENT_SPACE, TRAJECTORIES

_MEASURES = ("variance_in_space", "variance_in_best_space", "subspace_overlap", "mean_shift")


@checked_options
def fit_latent_space(
    source: xr.Dataset,
    session: Hashable,
    *,
    n_factors: int = 2,
    min_noise: float = 1e-3,
) -> xr.Dataset:
    r"""Fit factor analysis to the activity of one session.

    Parameters
    ----------
    source
        A recording, whose frames are the samples; or :func:`neurodrift.compute_trial_averages` or
        :func:`neurodrift.compute_rate_maps`, which suit the sparse events of animals better. Units
        that are not ``registered`` are left out, so are samples with NaN.
    session
        Label of the session.
    n_factors
        Dimensions of the space.
    min_noise
        Least variance of a unit's own noise, as a share of its variance.

    Returns
    -------
    xarray.Dataset
        ``loadings`` (unit, factor) and ``mean_activity`` (unit) in the unit of the activity,
        ``noise_variance`` (unit) in its square, ``communality`` (unit) the share of a unit's
        variance that the factors explain, and ``used`` (unit). A unit that is constant in the
        session carries no information: it has loadings and noise 0 and is not used. A unit that
        was not detected has NaN. Attributes: ``session``, ``log_likelihood``, ``n_samples``,
        ``n_iterations`` and ``n_heywood``, the units whose noise is at its bound.

    Raises
    ------
    ValueError
        If there is no such session, there are too few samples or varying units for the factors,
        or the maximum is not found.

    Notes
    -----
    The model is :math:`r = \mu + L z + \epsilon` with independent standard normal factors z and
    noise :math:`\epsilon` of diagonal covariance :math:`\Psi`. The maximum of its likelihood is
    found by gradients on the noise of standardised units, the loadings following from
    eigenvectors [1]_, and accepted only where the gradient vanishes. scikit-learn's
    ``FactorAnalysis`` maximises the same likelihood and serves as a check in the tests; it is
    not used because it stops when a step gains little, and because it has no lower bound on the
    noise: activity of low rank, or two units that are copies of each other, then drive the noise
    of a unit to 0 (a Heywood case) and the factor becomes that unit.

    Factors are in the order of what they explain, with :math:`L^T \Psi^{-1} L` diagonal, and the
    largest loading of each is positive; so the same session gives the same axes.

    References
    ----------
    .. [1] Jöreskog (1967), Psychometrika 32:443. https://doi.org/10.1007/BF02289658

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift import fit_latent_space, recording_from_arrays
    >>> rng = np.random.default_rng(0)
    >>> shared = rng.normal(size=(500, 1))
    >>> activity = shared * [1.0, 2, 3, -1] + 0.1 * rng.normal(size=(500, 4))
    >>> recording = recording_from_arrays(activity, kind="activation", frame_duration=1.0)
    >>> fit_latent_space(recording, "1", n_factors=1)["loadings"].values.round(1).ravel().tolist()
    [1.0, 2.0, 3.0, -1.0]
    """
    samples = samples_of(source)
    activity = samples.of(samples.index(session))
    detected = ~np.isnan(activity).all(axis=0)
    activity = activity[np.isfinite(activity[:, detected]).all(axis=1)]
    used = detected.copy()
    if len(activity):
        used[detected] = np.ptp(activity[:, detected], axis=0) > 0
    _check_size(len(activity), int(used.sum()), n_factors, str(session))

    n_units = activity.shape[1]
    mean = activity.mean(axis=0)
    deviation = activity[:, used] - mean[used]
    scale = np.sqrt((deviation**2).mean(axis=0))
    standard = deviation / scale
    found = maximise(standard.T @ standard / len(activity), n_factors, min_noise)

    loadings = np.where(detected[:, None], np.zeros(n_factors), np.nan)
    noise, communality = np.where(detected, 0.0, np.nan), np.full(n_units, np.nan)
    loadings[used] = found.loadings * scale[:, None]
    noise[used] = found.noise * scale**2
    communality[used] = (found.loadings**2).sum(axis=1) / (
        (found.loadings**2).sum(axis=1) + found.noise
    )
    log_volume = 2 * np.log(scale).sum() + used.sum() * np.log(2 * np.pi)
    space = xr.Dataset(
        {
            "loadings": (("unit", "factor"), loadings),
            "noise_variance": ("unit", noise),
            "mean_activity": ("unit", mean),
            "communality": ("unit", communality),
            "used": ("unit", used),
        },
        coords={
            name: samples.source[name].variable
            for name in ("unit", "region", "subject", "environment")
            if name in samples.source.coords
        },
        attrs={
            "session": str(session),
            "samples": KINDS[samples.name],
            "n_samples": len(activity),
            "log_likelihood": float(-len(activity) / 2 * (found.minus_two + log_volume)),
            "n_iterations": found.n_iterations,
            "n_heywood": int((found.noise <= min_noise * (1 + 1e-9)).sum()),
            "min_noise": min_noise,
        },
    )
    return label(space, LATENT_SPACE)


def compute_latent_activity(recording: xr.Dataset, space: xr.Dataset) -> xr.Dataset:
    r"""The activity of every frame in a latent space.

    Parameters
    ----------
    recording
        A recording of the units of the space. NumPy or Dask; one session is in memory at a time.
    space
        Result of :func:`fit_latent_space`.

    Returns
    -------
    xarray.Dataset
        ``latent`` (time, factor), the posterior mean of the factors in units of their standard
        deviation; ``session_index`` (time); and of each session

        ``variance_in_space``
            Share of the variance of the units' activity, about the session's own means, that
            lies in the span of the loadings. Units that were constant at the fit are outside the
            space and count; units that were not detected then are left out.
        ``variance_in_best_space``
            Share in as many principal components of the session itself, the most there can be.
        ``subspace_overlap``
            The first over the second: 1 if the activity stays in the space, and as low as chance
            if it leaves it.
        ``mean_shift``
            Squared distance of the units' means from those at the fit, over the total variance
            at the fit.

    Raises
    ------
    ValueError
        If the recording has units that the space does not know.

    Notes
    -----
    .. math:: E[z | r] = (I + L^T \Psi^{-1} L)^{-1} L^T \Psi^{-1} (r - \mu)

    over the units that are used in the space and detected in the session; of the others the model
    knows nothing. Loadings, noise and mean are those of the session of the fit, in every session.

    Examples
    --------
    >>> from neurodrift import fit_latent_space, compute_latent_activity, testing
    >>> recording = testing.linear_track(n_units=8, n_sessions=2, minutes=1)
    >>> space = fit_latent_space(recording, "1")
    >>> compute_latent_activity(recording, space)["latent"].sizes["factor"]
    2
    """
    check(recording)
    samples = samples_of(recording)
    known = _known(space, samples.source)
    latent = np.empty((recording.sizes["time"], space.sizes["factor"]))
    measures = np.empty((samples.n_sessions, len(_MEASURES)))
    for i, where in enumerate(slice_sessions(recording)):
        activity = samples.of(i)
        latent[where] = _posterior_mean(activity, known)
        measures[i] = _measure(activity, known)
    coords = {"time": recording["time"].variable} | carry_coords(recording, "session")
    found = xr.Dataset(
        {
            "latent": (("time", "factor"), latent),
            "session_index": recording["session_index"].variable,
            **{name: ("session", measures[:, k]) for k, name in enumerate(_MEASURES)},
        },
        coords=coords,
        attrs={"fitted_session": space.attrs["session"]},
    )
    return label(found, LATENT_ACTIVITY)


@checked_options
def compute_latent_trajectories(
    source: xr.Dataset, space: xr.Dataset, *, n_bins: int | None = None
) -> xr.Dataset:
    """Mean path of the trials of each type through a latent space, in every session.

    Parameters
    ----------
    source
        A recording with trials, or the result of :func:`neurodrift.compute_trial_averages`.
    space
        Result of :func:`fit_latent_space`.
    n_bins
        Of a recording: parts of a trial, or ``None`` for single frames since its start, averaged
        over the trials that still run; see :func:`neurodrift.compute_trial_averages`.

    Returns
    -------
    xarray.Dataset
        ``trajectory`` (session, trial_type, trial_bin, factor) and ``n_trials`` (session,
        trial_type, trial_bin) in that mean, and of each session what
        :func:`compute_latent_activity` tells, of the frames of the recording or of the averages.
        Coordinates of the sessions, such as ``accuracy`` and ``loss``, are carried on.

    Raises
    ------
    ValueError
        If there are no trials, or units that the space does not know.

    Notes
    -----
    The posterior mean is linear in the activity, so the mean of its paths is the path of the
    mean activity.

    Examples
    --------
    >>> from neurodrift import fit_latent_space, compute_latent_trajectories, testing
    >>> recording = testing.linear_track(n_units=8, n_sessions=2, minutes=1)
    >>> space = fit_latent_space(recording, "1")
    >>> compute_latent_trajectories(recording, space, n_bins=5)["trajectory"].shape
    (2, 1, 5, 2)
    """
    samples = samples_of(source)
    known = _known(space, samples.source)
    averages = (
        source if samples.name == "response" else compute_trial_averages(source, n_bins=n_bins)
    )
    over = ("session", "trial_type", "trial_bin")
    means = samples_of(averages)
    shape = tuple(averages.sizes[dim] for dim in over) + (space.sizes["factor"],)
    trajectory = np.empty(shape)
    measures = np.empty((samples.n_sessions, len(_MEASURES)))
    for i in range(samples.n_sessions):
        trajectory[i] = _posterior_mean(means.of(i), known).reshape(shape[1:])
        measures[i] = _measure(samples.of(i), known)
    found = xr.Dataset(
        {
            "trajectory": ((*over, "factor"), trajectory),
            "n_trials": averages["n_trials"].variable,
            **{name: ("session", measures[:, k]) for k, name in enumerate(_MEASURES)},
        },
        coords={name: averages[name].variable for name in ("trial_type", "trial_time")}
        | carry_coords(averages, "session"),
        attrs={"fitted_session": space.attrs["session"]},
    )
    return label(found, TRAJECTORIES)


def _check_size(n_samples: int, n_used: int, n_factors: int, where: str) -> None:
    if n_samples < 2:
        raise ValueError(f"session {where!r} has {n_samples} samples without NaN, expected more")
    # Ledermann: with fewer units there are as many unknowns as numbers.
    if n_used < n_factors or (n_used - n_factors) ** 2 < n_used + n_factors:
        least = next(p for p in range(n_factors, 10**6) if (p - n_factors) ** 2 >= p + n_factors)
        raise ValueError(
            f"{n_used} units vary in session {where!r}, but {n_factors} factors need at least "
            f"{least}: fit fewer factors"
        )


def _known(space: xr.Dataset, source: xr.Dataset) -> dict[str, np.ndarray]:
    """The space, for the units of a source in their order."""
    place = {item: k for k, item in enumerate(space["unit"].values.tolist())}
    missing = [item for item in source["unit"].values.tolist() if item not in place]
    if missing:
        raise ValueError(
            f"the space does not know {len(missing)} units, such as {missing[0]!r}: fit it to the "
            "same recording, with all its units"
        )
    rows = [place[item] for item in source["unit"].values.tolist()]
    names = ("loadings", "noise_variance", "mean_activity", "used")
    return {name: space[name].values[rows] for name in names}


def _posterior_mean(activity: np.ndarray, known: dict[str, np.ndarray]) -> np.ndarray:
    """Posterior mean (sample, factor); NaN where a unit that was detected has no value."""
    use = known["used"] & ~np.isnan(activity).all(axis=0)
    loadings = known["loadings"][use]
    weighted = loadings / known["noise_variance"][use, None]
    precision = np.eye(loadings.shape[1]) + loadings.T @ weighted
    gain = np.linalg.solve(precision, weighted.T).T
    return (activity[:, use] - known["mean_activity"][use]) @ gain


def _measure(activity: np.ndarray, known: dict[str, np.ndarray]) -> list[float]:
    """Variance in the space, in the best one, their ratio, and the shift of the mean."""
    use = np.isfinite(known["mean_activity"]) & ~np.isnan(activity).all(axis=0)
    activity, loadings = activity[:, use], known["loadings"][use]
    activity = activity[np.isfinite(activity).all(axis=1)]
    if len(activity) < 2 or not known["used"][use].any():
        return [np.nan] * len(_MEASURES)
    mean = activity.mean(axis=0)
    still = np.ptp(activity, axis=0) == 0
    centred = np.where(still, 0.0, activity - mean)
    covariance = centred.T @ centred / len(activity)
    total = np.trace(covariance)
    at_fit = ((loadings**2).sum(axis=1) + known["noise_variance"][use]).sum()
    shift = ((mean - known["mean_activity"][use]) ** 2).sum() / at_fit
    if not total > 0:
        return [np.nan, np.nan, np.nan, shift]
    basis, singular, _ = np.linalg.svd(loadings, full_matrices=False)
    basis = basis[:, singular > 1e-12 * singular[0]]
    inside = np.trace(basis.T @ covariance @ basis) / total
    best = np.linalg.eigvalsh(covariance)[::-1][: basis.shape[1]].sum() / total
    return [inside, best, inside / best, shift]


GRADIENT = 1e-5  # largest slope of -2/n log likelihood on log noise that counts as the maximum


@dataclass(frozen=True)
class Factors:
    """A fitted model of standardised units.

    Parameters
    ----------
    loadings
        (unit, factor), the factor that explains most first, largest loading of each positive.
    noise
        (unit) variance of each unit's own.
    minus_two
        -2/n log likelihood without the constant n log(2 pi).
    n_iterations
        Steps of the optimiser.
    """

    loadings: np.ndarray
    noise: np.ndarray
    minus_two: float
    n_iterations: int


def maximise(correlation: np.ndarray, n_factors: int, min_noise: float) -> Factors:
    """Loadings and noise that make a correlation matrix most likely.

    Given the noise, the best loadings follow from the largest eigenvectors of the correlation in
    units of the noise; what is left is a smooth function of the noise alone (Jöreskog 1967,
    https://doi.org/10.1007/BF02289658), minimised by L-BFGS-B over log noise within
    [log min_noise, 0].

    Parameters
    ----------
    correlation
        (unit, unit) correlation of the units.
    n_factors
        Number of factors.
    min_noise
        Least noise of a unit, as a share of its variance.

    Returns
    -------
    Factors
        The maximum.

    Raises
    ------
    ValueError
        If the optimiser stops elsewhere.
    """
    from scipy.optimize import minimize

    n_units = len(correlation)
    bounds = (np.log(min_noise), 0.0)
    # 1 / diagonal of the inverse is what the other units leave of a unit
    ridge = correlation + 1e-6 * np.eye(n_units)
    left = (1 - 0.5 * n_factors / n_units) / np.diagonal(np.linalg.inv(ridge))
    start = np.clip(np.log(left), *bounds)

    def height(log_noise: np.ndarray) -> tuple[float, np.ndarray]:
        noise = np.exp(log_noise)
        loadings, value = _given_noise(correlation, noise, n_factors)
        return value, ((loadings**2).sum(axis=1) + noise - 1) / noise

    found = minimize(
        height,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[bounds] * n_units,
        options={"maxiter": 10_000, "maxfun": 20_000, "ftol": 0.0, "gtol": GRADIENT, "maxcor": 30},
    )
    slope = height(found.x)[1]
    free = found.x - np.clip(found.x - slope, *bounds)  # 0 where a bound holds against the slope
    if np.abs(free).max() > 10 * GRADIENT:
        raise ValueError(
            f"factor analysis with {n_factors} factors of {n_units} units did not converge "
            f"({found.message}; slope {np.abs(free).max():.2g}): fit fewer factors"
        )
    noise = np.exp(found.x)
    loadings, value = _given_noise(correlation, noise, n_factors)
    largest = np.take_along_axis(loadings, np.abs(loadings).argmax(axis=0)[None], axis=0)
    loadings = loadings * np.where(largest < 0, -1.0, 1.0)
    return Factors(loadings, noise, value, int(found.nit))


def _given_noise(
    correlation: np.ndarray, noise: np.ndarray, n_factors: int
) -> tuple[np.ndarray, float]:
    """Best loadings for a noise, and -2/n log likelihood without its constant."""
    from scipy.linalg import eigh

    scale = np.sqrt(noise)
    within = correlation / scale[:, None] / scale
    last = len(noise) - 1
    values, vectors = eigh(within, subset_by_index=[last - n_factors + 1, last])
    values, vectors = values[::-1], vectors[:, ::-1]
    signal = np.maximum(values, 1.0)
    loadings = scale[:, None] * vectors * np.sqrt(signal - 1)
    rest = np.trace(within) - values.sum()
    fit = np.where(values > 1, np.log(signal) + 1, values).sum()
    return loadings, float(np.log(noise).sum() + fit + rest)

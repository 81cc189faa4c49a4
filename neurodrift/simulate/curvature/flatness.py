"""How noise biases a walk on a loss landscape toward flat places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import xarray as xr


def measure_flatness_bias(
    walks: xr.Dataset,
    *,
    quantity: Literal["distance", "curvature", "hessian_trace"] = "distance",
    bins: int | Sequence[float] = 10,
    lag: int = 1,
) -> xr.Dataset:
    r"""Measure how a walk drifts toward flat places, in dependence of where it is.

    Parameters
    ----------
    walks
        From :func:`neurodrift.simulate.curvature.landscape.descend`: the quantity over
        (walker, step).
    quantity
        What drifts: the ``distance`` along the valley, or the logarithm of the ``curvature`` or
        of the ``hessian_trace``. Curvatures that are not positive are left out.
    bins
        Number of bins with equally many starts, or their edges.
    lag
        Recorded steps over which a change is taken. Changes do not overlap.

    Returns
    -------
    xarray.Dataset
        Over ``bin``: ``start`` (mean of the quantity), ``drift`` (mean change per step),
        ``drift_se`` (its standard error), ``spread`` (standard deviation of a change, per root
        of steps), ``n`` (changes). For the distance on the toy landscape also ``predicted``, see
        :func:`predict_valley_drift`.

    Raises
    ------
    ValueError
        If the walks do not have the quantity or are too short.

    Notes
    -----
    The estimand is :math:`E[q(t + L) - q(t) \mid q(t)] / L`, the expected change per step of the
    quantity q of a walker that is somewhere, with a lag of L steps; the estimate is the mean over
    walkers and times that start in a bin. A negative drift of the curvature is a bias toward flat
    places.

    A long lag mixes places, and wide bins average over the slope of the drift: shorten the one,
    narrow the other. Walkers that diverge leave with their steep places, as do curvatures that are
    not positive, so what is left is flatter than all. Standard errors take changes as independent;
    those of one walker in a row are so only if the lag exceeds its memory.

    References
    ----------
    Ratzon, Derdikman & Barak (2024), eLife 12:RP90069. https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> from neurodrift.simulate.curvature.flatness import measure_flatness_bias
    >>> from neurodrift.simulate.curvature.landscape import descend, valley
    >>> walks = descend(
    ...     valley(), start=(1.0, 0.0), learning_rate=0.05, update_noise=0.2, n_steps=400,
    ...     n_walkers=500, every=100,
    ... )
    >>> bias = measure_flatness_bias(walks, bins=1)
    >>> bool(bias["drift"] < 0)
    True
    """
    if quantity not in walks:
        raise ValueError(
            f"the walks have no {quantity!r}, they have {sorted(map(str, walks.data_vars))}: "
            "choose one of these, or give the landscape a distance"
        )
    if lag < 1 or walks.sizes["step"] <= lag:
        raise ValueError(
            f"lag is {lag}, expected 1 to {walks.sizes['step'] - 1} of the recorded steps"
        )
    values = walks[quantity].values[:, ::lag]
    if quantity != "distance":
        values = np.log(np.where(values > 0, values, np.nan))
    n_steps = float(np.diff(walks["step"].values[:2])[0]) * lag
    before, change = values[:, :-1].ravel(), np.diff(values, axis=1).ravel()
    usable = np.isfinite(before) & np.isfinite(change)
    before, change = before[usable], change[usable]
    if before.size < 2:
        raise ValueError(f"fewer than 2 changes of {quantity!r} are finite: walk longer")
    if isinstance(bins, int | np.integer):
        edges = np.quantile(before, np.linspace(0, 1, bins + 1))
    else:
        edges = np.asarray(bins, dtype=float)
    index = np.searchsorted(edges, before, side="right") - 1
    index[before == edges[-1]] = edges.size - 2
    inside = (index >= 0) & (index < edges.size - 1)
    index, before, change = index[inside], before[inside], change[inside]
    n = np.bincount(index, minlength=edges.size - 1)
    with np.errstate(divide="ignore", invalid="ignore"):  # empty bins are NaN
        start = np.bincount(index, before, edges.size - 1) / n
        mean = np.bincount(index, change, edges.size - 1) / n
        square = np.bincount(index, (change - mean[index]) ** 2, edges.size - 1)
        sd = np.sqrt(square / (n - 1))
        error = sd / np.sqrt(n)
    result = xr.Dataset(
        {
            "start": ("bin", start),
            "drift": ("bin", mean / n_steps),
            "drift_se": ("bin", error / n_steps),
            "spread": ("bin", sd / np.sqrt(n_steps)),
            "n": ("bin", n),
        },
        attrs={"quantity": quantity, "steps": n_steps},
    )
    if quantity == "distance" and walks.attrs.get("landscape") == "valley":
        noise = {
            name: walks.attrs[name] for name in ("update_noise", "label_noise", "label_noise_kind")
        }
        result["predicted"] = (
            "bin",
            predict_valley_drift(start, walks.attrs["learning_rate"], **noise),
        )
    return result


def predict_valley_drift(
    distance: float | np.ndarray,
    learning_rate: float,
    *,
    update_noise: float = 0.0,
    label_noise: float = 0.0,
    label_noise_kind: Literal["gaussian", "uniform"] = "gaussian",
) -> np.ndarray:
    """Expected change of the distance from the origin in one step along the valley of x²y².

    Parameters
    ----------
    distance
        Distance from the origin along the valley, of any shape.
    learning_rate, update_noise, label_noise, label_noise_kind
        As in :func:`neurodrift.simulate.curvature.landscape.descend`.

    Returns
    -------
    numpy.ndarray
        Expected change per step, of that shape; negative is toward the flat origin. NaN where the
        valley is too steep for the learning rate, learning_rate · distance² >= 1.

    Notes
    -----
    At distance x the parameter across the valley, y, is multiplied by 1 - 2 eta x² and kicked in
    every step, so it has the stationary variance
    v = (eta sigma² / (2 x²) + 2 eta s²) / (2 (1 - eta x²)), with update noise sigma and label
    noise of standard deviation s; the gradient along the valley, 2 x y², then moves x by
    -2 eta x v on average. For small eta this is -(eta sigma)²/4 times the slope of the log of
    the curvature under update noise, and -(eta s)²/2 times the slope of the Hessian's trace
    under label noise: update noise lowers the sum of log eigenvalues, label noise the sum of
    eigenvalues [1]_. It holds while y is small against x and forgets its past faster than x
    changes.

    References
    ----------
    .. [1] Blanc, Gupta, Valiant, Valiant (2020), "Implicit regularization for deep neural
       networks driven by an Ornstein-Uhlenbeck like process", COLT,
       https://doi.org/10.48550/arXiv.1904.09080

    Examples
    --------
    >>> from neurodrift.simulate.curvature.flatness import predict_valley_drift
    >>> float(predict_valley_drift(1.0, 0.01, update_noise=0.1).round(9))
    -5.05e-07
    """
    x = np.asarray(distance, dtype=float)
    label_sd = label_noise / np.sqrt(12) if label_noise_kind == "uniform" else label_noise
    stable = learning_rate * x**2 < 1
    with np.errstate(divide="ignore", invalid="ignore"):
        kick = learning_rate * (update_noise**2 / (2 * x**2) + 2 * label_sd**2)
        variance = kick / (2 * (1 - learning_rate * x**2))
        return np.where(stable, -2 * learning_rate * x * variance, np.nan)

"""What a run came to: final sparsity, curvature over training, and which runs are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, get_args

import numpy as np
import xarray as xr

from neurodrift.progress import bar
from neurodrift.simulate.curvature.hessian import (
    compute_hessian_spectrum,
    compute_published_eigenvalues,
    count_eigenvalues,
    count_live_parameters,
)
from neurodrift.simulate.curvature.loss_point import LossPoint
from neurodrift.simulate.curvature.timescale import fit_published_timescale
from neurodrift.simulate.gradient.run import Run
from neurodrift.threads import one_blas_thread

CountRule = Literal["relative", "published", "published_expected"]
Collection = Literal["all", "published"]

SPECTRUM = {
    "eig_sum": "sum of the Hessian's eigenvalues",
    "eig_max": "largest eigenvalue",
    "eig_min": "smallest eigenvalue",
    "eig_nonzero": "share of eigenvalues that are not zero",
    "eig_positive": "share of eigenvalues above zero",
    "eig_sum_log": "sum of the logarithms of the positive eigenvalues",
    "gauss_newton_sum": "sum of the Gauss-Newton part's eigenvalues",
    "gauss_newton_max": "largest eigenvalue of the Gauss-Newton part",
}
"""Variables of :func:`compute_hessian_measures`, and what they are."""

_FINAL = {
    "loss": "last loss over the variance of the targets",
    "log_loss": "log10 of the last loss",
    "active_units": "final fraction of active units, relative to the first sample",
    "active": "final active fraction, relative to the first sample",
    "log_tau": "log10 of the published fit's rate, 0 where it fails",
    "last_step": "last step with a value",
}
_FINAL_SPECTRUM = {
    "eig_sum": "final sum of eigenvalues, relative to the first ones",
    "eig_max": "final largest eigenvalue, relative to the first ones",
    "eig_nonzero": "final share of non-zero eigenvalues",
    "eig_sum_log": "final sum of log eigenvalues minus the first ones'",
}
_KEPT = "kept"
_REASONS = (
    _KEPT,
    "stopped before its end",
    "no active unit in a sample",
    "fewer than 100 Hessian samples",
    "last loss above 1e10",
)


@one_blas_thread()
def compute_hessian_measures(
    points: Run | Sequence[LossPoint],
    *,
    step: Sequence[int] | np.ndarray | None = None,
    rule: CountRule = "relative",
    rtol: float = 1e-9,
    progress: bool = False,
) -> xr.Dataset:
    """Sums and counts of the Hessian's eigenvalues at each snapshot of a run.

    Parameters
    ----------
    points
        Of one network at several times, in order; or a run of a network with one hidden layer, for
        the points at all its snapshots.
    step
        Training step of each point; when omitted those of the run's snapshots, or 0, 1, ...
    rule
        ``relative`` counts by :func:`neurodrift.simulate.curvature.hessian.count_eigenvalues`;
        ``published`` counts those of
        :func:`neurodrift.simulate.curvature.hessian.compute_published_eigenvalues`
        that are above 0, as the code of the paper does (seconds at 3000 parameters);
        ``published_expected`` is the expectation of that at the price of ``relative``: the positive
        eigenvalues and half of the null directions of active units.
    rtol
        Tolerance of ``relative`` and ``published_expected``.
    progress
        Whether to show a bar, a point a step.

    Returns
    -------
    xarray.Dataset
        Over ``step``: ``eig_sum``, ``eig_max``, ``eig_min`` [loss], ``eig_nonzero``,
        ``eig_positive`` [share of all parameters], ``eig_sum_log`` (natural logarithms of the
        positive ones), and ``gauss_newton_sum``, ``gauss_newton_max`` [loss]. The published rules
        call the positive eigenvalues the non-zero ones: ``eig_nonzero`` equals ``eig_positive``.
        A point whose weights are not finite is NaN.

    Raises
    ------
    ValueError
        If there is not one step for each point, the rule is unknown, or the run is of a network
        with another architecture.

    Examples
    --------
    >>> from neurodrift.simulate.curvature.loss_point import LossPoint
    >>> from neurodrift.simulate.curvature.measures import compute_hessian_measures
    >>> point = LossPoint([[1.0]], [0.0], [[1.0]], inputs=[[1.0]], targets=[[1.0]])
    >>> measures = compute_hessian_measures([point])
    >>> measures["eig_sum"].item(), measures["eig_nonzero"].round(3).item()
    (6.0, 0.333)

    Of a run, at every snapshot:

    >>> import neurodrift as nd
    >>> run = nd.simulate.train(
    ...     nd.simulate.random(n_samples=20, n_inputs=5),
    ...     network=nd.simulate.Network(n_hidden=10),
    ...     n_steps=100,
    ...     snapshots=3,
    ... )
    >>> compute_hessian_measures(run)["eig_max"].dims
    ('step',)
    """
    if rule not in get_args(CountRule):
        raise ValueError(f"rule is {rule!r}; expected one of {', '.join(get_args(CountRule))}")
    if isinstance(points, LossPoint):
        raise TypeError("points is one LossPoint; expected a run or a sequence: give [point]")
    made = points.snapshot_steps if isinstance(points, Run) else np.arange(len(points))
    steps = made if step is None else np.asarray(step)
    if steps.shape != made.shape:
        raise ValueError(f"step has shape {steps.shape}; expected one for each of {made.size}")
    found: Iterable[LossPoint] = (
        (LossPoint.from_run(points, one) for one in made.tolist())  # one at a time in memory
        if isinstance(points, Run)
        else points
    )
    steps_done = bar(range(made.size), "curvature", progress, unit="point")
    table = np.array(
        [_measure(point, rule, rtol) for _, point in zip(steps_done, found, strict=True)]
    )
    table = table.reshape(made.size, len(SPECTRUM))
    return xr.Dataset(
        {
            name: ("step", column, {"long_name": doc, "units": "1"})
            for (name, doc), column in zip(SPECTRUM.items(), table.T, strict=True)
        },
        coords={"step": ("step", steps, {"long_name": "training step"})},
        attrs={"rule": rule, "rtol": 0.0 if rule == "published" else rtol},
    )


def _measure(point: LossPoint, rule: CountRule, rtol: float) -> list[float]:
    if not point.is_finite:
        return [np.nan] * len(SPECTRUM)
    linear = compute_hessian_spectrum(point, part="gauss_newton")
    if rule == "published":
        values = compute_published_eigenvalues(point)
        counts = count_eigenvalues(values, rtol=0.0)
    else:
        values = compute_hessian_spectrum(point)
        counts = count_eigenvalues(values, rtol=rtol)
    nonzero, positive = counts["nonzero"], counts["positive"]
    if rule == "published_expected":
        null = count_live_parameters(point) - nonzero
        positive += max(null, 0) / 2
    if rule != "relative":
        nonzero = positive
    return [
        values.sum(),
        values.max(),
        values.min(),
        nonzero / values.size,
        positive / values.size,
        counts["sum_log"],
        linear.sum(),
        linear.max(),
    ]


def summarize_training(
    measures: xr.Dataset,
    spectra: xr.Dataset | None = None,
    *,
    collection: Collection = "all",
    n_average: int = 10,
) -> xr.Dataset:
    """One row for each run: the columns of the published tables, and whether they keep the run.

    Parameters
    ----------
    measures
        ``loss``, ``active_fraction`` and ``fraction_active_units`` over (..., step), as a run
        yields them; the loss divided by the variance of the targets, to compare with the tables.
        A run that stopped early has NaN, or zeros as in the published arrays, from there on.
    spectra
        ``eig_sum``, ``eig_max``, ``eig_nonzero``, ``eig_sum_log`` over (..., step), from
        :func:`compute_hessian_measures`; it has its own steps.
    collection
        ``all`` keeps every run. ``published`` drops, as the published tables do without saying so,
        runs that stopped early (dead or diverged networks), had no active unit in any one
        sample, have fewer than 100 Hessian samples, or a last loss above 1e10.
    n_average
        Samples whose mean is the final value. As published, the last one is not among them. Curves
        of fewer than twice as many and one take fewer, so that beginning and end share none;
        curves of fewer than three samples have no final value.

    Returns
    -------
    xarray.Dataset
        Over the other dimensions (``run``): ``loss``, the last one, as a run prints it, and
        ``log_loss``, its log10, which the published tables have; ``active_units``, ``active``
        [relative to the first sample], ``log_tau`` [log10 of 1/step] by
        :func:`neurodrift.simulate.curvature.timescale.fit_published_timescale`, ``last_step``;
        with ``spectra`` ``eig_sum``, ``eig_max`` [relative to the mean of the first samples],
        ``eig_nonzero`` [share], and ``eig_sum_log``, a difference of final and first mean;
        ``kept`` (by the published rule, whatever ``collection`` is) and ``reason``. Values of a run
        that stopped are of the part that it has. The attributes ``n_runs`` and
        ``n_kept`` are there with either collection.

    Raises
    ------
    ValueError
        If a variable or ``step`` is missing, or ``published`` is asked of a single run or of
        several dimensions of runs.

    Notes
    -----
    The published rule says nothing of a run's outcome, yet dropped runs are mostly those with
    strong noise: medians over kept runs describe networks that survived.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from neurodrift.simulate.curvature.measures import summarize_training
    >>> units = np.linspace([0.8, 0.8], [0.4, 0.0], 51)
    >>> curves = {name: (("step", "run"), units) for name in
    ...           ("loss", "active_fraction", "fraction_active_units")}
    >>> table = summarize_training(xr.Dataset(curves, {"step": np.arange(51)}))
    >>> print(table["active_units"].values.round(2), table["kept"].values)
    [0.56 0.11] [ True False]
    >>> print(table["reason"].values[1])
    no active unit in a sample
    """
    if collection not in get_args(Collection):
        raise ValueError(f"collection is {collection!r}; expected 'all' or 'published'")
    if n_average < 1:
        raise ValueError(f"n_average is {n_average}; expected at least 1")
    _check_curves(measures, ("loss", "active_fraction", "fraction_active_units"), "measures")
    units, active = measures["fraction_active_units"], measures["active_fraction"]
    loss = measures["loss"]
    last_loss = _reduce(loss, lambda row: row[-1])
    # a loss of exactly 0, as after noise-free training of a tiny task, has no logarithm
    result = {
        "loss": last_loss,
        "log_loss": np.log10(last_loss.where(last_loss > 0)),
        "active_units": _reduce(units, lambda row: _final(row, n_average) / row[0]),
        "active": _reduce(active, lambda row: _final(row, n_average) / row[0]),
        "log_tau": fit_published_timescale(units)["log_tau"],
        "last_step": _reduce(measures["step"].where(units.notnull()), lambda row: row[-1]),
    }
    docs = dict(_FINAL)
    code = xr.zeros_like(last_loss, dtype=int)
    code = code.where(~(last_loss > 1e10), 4)
    if spectra is not None:
        _check_curves(spectra, tuple(_FINAL_SPECTRUM), "spectra")
        docs |= _FINAL_SPECTRUM
        final = {
            n: _reduce(spectra[n], lambda row: _final(row, n_average)) for n in _FINAL_SPECTRUM
        }
        first = {n: _reduce(spectra[n], lambda row: _first(row, n_average)) for n in final}
        result["eig_sum"] = final["eig_sum"] / first["eig_sum"]
        result["eig_max"] = final["eig_max"] / first["eig_max"]
        result["eig_nonzero"] = final["eig_nonzero"]
        result["eig_sum_log"] = final["eig_sum_log"] - first["eig_sum_log"]
        code = code.where(spectra["eig_sum"].notnull().sum("step") >= 100, 3)
    code = code.where((active != 0).all("step"), 2)
    code = code.where((active + loss).notnull().all("step"), 1)
    table = xr.Dataset(result)
    for name, doc in docs.items():
        table[name].attrs = {"long_name": doc, "units": "step" if name == "last_step" else "1"}
    table["kept"] = code == 0
    table["reason"] = code.copy(data=np.array(_REASONS, object)[code.values])
    table.attrs = {
        "collection": collection,
        "n_runs": int(code.size),
        "n_kept": int((code == 0).sum()),
        "n_average": n_average,
    }
    if collection == "all":
        return table
    if code.ndim != 1:
        raise ValueError(
            f"the runs have dims {code.dims}; 'published' drops rows of one dimension: stack them, "
            "or take collection='all' and read 'kept'"
        )
    return table.isel({code.dims[0]: np.flatnonzero(code.values == 0)})


def _check_curves(dataset: xr.Dataset, names: tuple[str, ...], what: str) -> None:
    missing = [name for name in (*names, "step") if name not in dataset.variables]
    missing += [
        f"{name} over step"
        for name in names
        if name in dataset and "step" not in dataset[name].dims
    ]
    if missing:
        raise ValueError(f"{what} lacks {', '.join(missing)}; it has {list(dataset.variables)}")


def _final(row: np.ndarray, n_average: int) -> float:
    """Mean of the last samples but the very last one, which the published tables leave out."""
    window = _window(row, n_average)
    return float(row[-1 - window : -1].mean()) if window else float("nan")


def _first(row: np.ndarray, n_average: int) -> float:
    """Mean of as many first samples."""
    window = _window(row, n_average)
    return float(row[:window].mean()) if window else float("nan")


def _window(row: np.ndarray, n_average: int) -> int:
    """Samples of a mean, so few that those of the beginning are not those of the end."""
    return min(n_average, (row.size - 1) // 2)


def _reduce(curve: xr.DataArray, statistic: Callable[[np.ndarray], float]) -> xr.DataArray:
    """Statistic of the values that a curve has; NaN where it has none or starts at 0."""

    def reduce(row: np.ndarray) -> float:
        row = row[np.isfinite(row)]
        with np.errstate(divide="ignore", invalid="ignore"):
            value = statistic(row) if row.size else np.nan
        return float(value) if np.isfinite(value) else np.nan

    return xr.apply_ufunc(
        reduce,
        curve,
        input_core_dims=[["step"]],
        vectorize=True,
        dask="parallelized",
        output_dtypes=[float],
        keep_attrs=False,
    )

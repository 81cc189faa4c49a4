"""How long a network takes to become sparse: a robust fit, and the published one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.schema.options import checked_options
from neurodrift.seeds import generator
from neurodrift.threads import one_blas_thread

_FITTED = {
    "timescale": "time constant of the exponential",
    "timescale_low": "lower end of the confidence interval of the timescale",
    "timescale_high": "upper end of the confidence interval of the timescale; inf: no bound",
    "level_start": "fitted level before the decline",
    "level_end": "fitted level that the decline tends to",
    "r_squared": "share of the curve's variance that the fit explains",
    "half_time": "first step at which the curve is at or below half of its start; NaN: never",
    "half_time_low": "lower end of the confidence interval of the half time",
    "half_time_high": "upper end of the confidence interval of the half time; inf: no bound",
    "last_step": "last step with a value; a half time that is NaN is later than it",
}
_STATUS = ("too short", "not sparsified", "incomplete", "fitted")
_IN_STEPS = ("timescale", "half_time", "last_step")
_PER_DECADE = 16


@checked_options
def estimate_sparsification_time(
    fraction: xr.DataArray,
    *,
    n_units: int | None = None,
    min_drop: float = 0.05,
    level: float = 0.95,
    n_repeats: int = 200,
    seed: int = 0,
) -> xr.Dataset:
    r"""Timescale of sparsification: exponential decline to a level, with its uncertainty.

    Parameters
    ----------
    fraction
        Fraction of active units, or active fraction (..., step); ``step`` needs its coordinate,
        increasing. NaN where a run had stopped.
    n_units
        Number of hidden units, if ``fraction`` is the share of them that is active. Intervals then
        come from units that fall silent independently of each other, which makes a staircase.
        Without it they come from the residuals of the fit as stationary first-order
        autoregressive noise, and are too narrow for a staircase.
    min_drop
        A curve whose fitted fall within the run is a smaller share of its start did not sparsify.
    level
        Level of the intervals.
    n_repeats
        Simulated curves for each test of a timescale; 0 for no interval.
    seed
        Seed of the simulated curves. Every curve uses the same random stream, so that its result
        does not depend on the others.

    Returns
    -------
    xarray.Dataset
        Over the other dimensions: ``timescale``, ``timescale_low``, ``timescale_high`` [step],
        ``level_start``, ``level_end``, ``r_squared``; ``half_time`` with its interval (NaN without
        ``n_units``) [step], which assumes no exponential and includes any plateau before the
        decline; ``last_step``; and ``status``:

        - ``fitted``;
        - ``incomplete``: the run ended before 63 % of the fitted decline, so the timescale is
          an extrapolation;
        - ``not sparsified``: the timescale is NaN, and the run says only that it is long;
        - ``too short``: fewer than 5 samples, or nothing active at the start.

    Raises
    ------
    ValueError
        If there is no increasing coordinate ``step``, or an option is out of range.

    Notes
    -----
    Least squares of :math:`u(t) = c + a\, e^{-(t - t_0) / \tau}` with :math:`a, c \ge 0` and the
    first sample at :math:`t_0`, over a grid of :math:`\tau` that spans all that the samples can
    tell, with :math:`a` and :math:`c` solved at each point, then refined: there is no starting
    value and no failure to converge. ``r_squared`` says whether an exponential describes the curve.
    The interval holds every :math:`\tau` that is not rejected: fixing it raises the squared error
    above the best fit's (by difference with `n_units`, by ratio without) no more than in the stated
    share of curves that are simulated with that :math:`\tau` and refitted. For these tests curves
    of more than 400 samples are shortened to as many.

    The half time is read from the closest non-increasing curve (isotonic regression); its interval
    is that of a median of survival times.

    References
    ----------
    Brookmeyer & Crowley (1982), "A confidence interval for the median survival time".
    https://doi.org/10.2307/2530286

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from neurodrift.simulate.curvature.timescale import estimate_sparsification_time
    >>> step = np.arange(0, 5000, 10)
    >>> units = xr.DataArray(0.2 + 0.7 * np.exp(-step / 800), coords={"step": step}, dims="step")
    >>> result = estimate_sparsification_time(units)
    >>> print(str(result["status"].values), round(float(result["timescale"]), 3))
    fitted 800.0
    >>> print(float(result["half_time"]))
    830.0
    """
    _check_step(fraction)
    if n_units is not None and n_units < 1:
        raise ValueError(f"n_units is {n_units}; expected at least 1")
    options = {
        "n_units": n_units,
        "min_drop": min_drop,
        "level": level,
        "n_repeats": n_repeats,
        "seed": seed,
    }
    *columns, status = xr.apply_ufunc(
        _sparsification_time,
        fraction,
        fraction["step"].astype(float),
        input_core_dims=[["step"], ["step"]],
        output_core_dims=[[]] * (len(_FITTED) + 1),
        kwargs=options,
        vectorize=True,
        dask="parallelized",
        output_dtypes=[float] * (len(_FITTED) + 1),
        keep_attrs=False,
    )
    result = xr.Dataset(dict(zip(_FITTED, columns, strict=True)))
    for name, doc in _FITTED.items():
        units = "step" if name.startswith(_IN_STEPS) else "1"
        result[name].attrs = {"long_name": doc, "units": units}
    result["status"] = xr.apply_ufunc(
        lambda code: np.array(_STATUS, object)[code.astype(int)],
        status,
        dask="parallelized",
        output_dtypes=[object],
    )
    return result.assign_attrs({k: v for k, v in options.items() if v is not None})


def fit_published_timescale(fraction: xr.DataArray) -> xr.Dataset:
    r"""Rate of sparsification exactly as the published code fits it.

    Parameters
    ----------
    fraction
        Fraction of active units (..., step), with the coordinate ``step``, increasing.

    Returns
    -------
    xarray.Dataset
        Over the other dimensions: ``rate`` [1/step], the fitted slope, NaN where the fit fails, and
        ``log_tau``, the published column of that name: :math:`\log_{10}` of the *rate*, which
        is :math:`-\log_{10} \tau`, and 0 where the fit fails.

    Raises
    ------
    ValueError
        If there is no increasing coordinate ``step``.

    Notes
    -----
    The curve is cut before the sample that is nearest to nine tenths of its way from maximum to
    minimum. The smallest value left is subtracted, :math:`10^{-10}` added, and
    :math:`\ln u` fitted by a straight line over ``step`` with the weights
    :math:`\sqrt{\mathrm{reversed}(t / t_\max)}` on the residuals. The subtraction steepens the
    curve (an exact exponential comes out half too fast), and the smallest values, wherever and
    however many they are, lie at :math:`\ln 10^{-10} = -23`. Where two samples are left and the
    first is step 0, the second has weight 0, one sample gives no slope, and the fit fails. It is
    here to reproduce the published tables; :func:`estimate_sparsification_time` is the one to use.

    References
    ----------
    Ratzon, Derdikman & Barak (2024). https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from neurodrift.simulate.curvature.timescale import fit_published_timescale
    >>> step = np.arange(0, 5000, 10)
    >>> units = xr.DataArray(0.2 + 0.7 * np.exp(-step / 800), coords={"step": step}, dims="step")
    >>> print(float(fit_published_timescale(units)["log_tau"].round(2)), "not", -2.9)
    -2.73 not -2.9
    """
    _check_step(fraction)
    rate = xr.apply_ufunc(
        _published_rate,
        fraction,
        fraction["step"].astype(float),
        input_core_dims=[["step"], ["step"]],
        vectorize=True,
        dask="parallelized",
        output_dtypes=[float],
        keep_attrs=False,
    )
    rate.attrs = {"long_name": "slope of the published fit", "units": "1/step"}
    # the published code fails on a slope of exactly 0 too
    log_rate = np.log10(np.abs(rate.where(rate != 0))).fillna(0.0)
    log_rate.attrs = {"long_name": "log10 of the absolute rate, 0 where it fails", "units": "1"}
    return xr.Dataset({"rate": rate, "log_tau": log_rate})


def _check_step(fraction: xr.DataArray) -> None:
    if "step" not in fraction.dims or "step" not in fraction.coords:
        raise ValueError(
            f"the curve has dims {fraction.dims} and coords {tuple(fraction.coords)}; expected a "
            "dimension 'step' with training steps as its coordinate"
        )
    if not (np.diff(fraction["step"].values) > 0).all():
        raise ValueError("step is not strictly increasing: sort the samples by step")


def _published_rate(curve: np.ndarray, step: np.ndarray) -> float:
    if not np.isfinite(curve).all():
        return np.nan
    nearly_done = curve.max() - 0.9 * (curve.max() - curve.min())
    end = int(np.abs(curve - nearly_done).argmin())
    # a single sample divides by its own step, which is 0
    if end < 2:
        return np.nan
    log_rest = np.log(curve[:end] - (curve[:end].min() - 1e-10))
    weight = np.sqrt(step[:end][::-1] / step[end - 1])
    # two samples that begin at step 0: the second has weight 0, and one gives no slope
    if np.count_nonzero(weight) < 2:
        return np.nan
    return float(np.polyfit(step[:end], log_rest, 1, w=weight)[0])


@one_blas_thread()
def _sparsification_time(
    curve: np.ndarray,
    step: np.ndarray,
    *,
    n_units: int | None,
    min_drop: float,
    level: float,
    n_repeats: int,
    seed: int,
) -> tuple[Any, ...]:
    finite = np.isfinite(curve)
    u, t = curve[finite], step[finite]
    out = dict.fromkeys(_FITTED, np.nan)
    if t.size:
        out["last_step"] = t[-1]
    if t.size < 5 or not u[0] > 0:
        return *out.values(), 0
    low_tail = (1 - level) / 2
    out |= _half_time(u, t, n_units, low_tail)
    t = t - t[0]
    shortest = np.diff(t).min() / 4
    n_taus = int(_PER_DECADE * np.log10(100 * t[-1] / shortest))
    taus = np.geomspace(shortest, 100 * t[-1], n_taus)
    tau, a, c, error = (v[0] for v in fit(u[None], t, taus))
    fitted = c + a * np.exp(-t / tau)
    total = ((u - u.mean()) ** 2).sum()
    out |= {"level_start": c + a, "level_end": c}
    out["r_squared"] = 1 - error / total if total > 0 else np.nan
    if 1 - fitted[-1] / fitted[0] < min_drop:
        return *out.values(), 1
    out["timescale"] = tau
    if n_repeats:
        u, t = shorter(u, t, tau, n_units is None)
        error = fit(u[None], t, taus)[3][0]
        tests = AllowedTimescales(u, t, taus, error, n_units, level, n_repeats, seed)
        out["timescale_low"] = tests.edge(tau, taus[0], 0.0)
        out["timescale_high"] = tests.edge(tau, taus[-1], np.inf)
    return *out.values(), 2 if tau > t[-1] else 3


def _half_time(u: np.ndarray, t: np.ndarray, n_units: int | None, tail: float) -> dict[str, float]:
    from scipy.optimize import isotonic_regression
    from scipy.special import ndtri

    level = isotonic_regression(u, increasing=False).x
    share = level / level[0]
    out = {"half_time": _first(t, share <= 0.5, np.nan)}
    if n_units is not None:
        # the share of the units active at first that is still active is a binomial proportion
        reach = -ndtri(tail) * 0.5 / np.sqrt(max(level[0] * n_units, 1.0))
        # the last sample above; between two samples the curve can be anywhere
        out["half_time_low"] = t[max(int((share > 0.5 + reach).sum()) - 1, 0)]
        out["half_time_high"] = _first(t, share <= 0.5 - reach, np.inf)
    return out


def _first(t: np.ndarray, reached: np.ndarray, otherwise: float) -> float:
    return float(t[reached.argmax()]) if reached.any() else otherwise


MOST = 400
"""Samples of a curve that is tested."""


@dataclass(frozen=True)
class AllowedTimescales:
    """Which timescales the curve does not contradict, by simulated curves that have them."""

    u: np.ndarray
    t: np.ndarray
    taus: np.ndarray
    least: float  # squared error of the best fit
    n_units: int | None
    level: float
    n_curves: int
    seed: int

    def edge(self, inside: float, outside: float, otherwise: float) -> float:
        """End of the interval between a timescale that is accepted and one that may not be."""
        if self.accepts(outside):
            return otherwise
        for _ in range(10):
            middle = np.sqrt(inside * outside)
            inside, outside = (middle, outside) if self.accepts(middle) else (inside, middle)
        return float(np.sqrt(inside * outside))

    def accepts(self, tau: float) -> bool:
        """Whether fixing the timescale costs no more than it does where it is true."""
        taus = np.full(1, tau)
        a, c, fixed = (v[0] for v in _fit_at(self.u[None], self.t, taus))
        rng = generator(self.seed, "sparsification")
        if self.n_units is None:
            fitted = c + a * np.exp(-self.t / tau)
            curves = _autoregressive(fitted, self.u - fitted, self.n_curves, rng)
        else:
            curves = _staircases(self.t, tau, a, c, self.n_units, self.n_curves, rng)
        near = self.taus[(self.taus > tau / 30) & (self.taus < tau * 30)]
        fixed_again = _fit_at(curves, self.t, taus)[2]
        least_again = np.minimum(fit(curves, self.t, near)[3], fixed_again)
        if self.n_units is not None:  # how much noise there is follows from the number of units
            allowed = np.quantile(fixed_again - least_again, self.level)
            return bool(fixed - self.least <= allowed)
        # rounding errors, which are all that a fit without noise leaves
        floor = 1e-12 * (self.u @ self.u)
        allowed = np.quantile((fixed_again + floor) / (least_again + floor), self.level)
        return bool(fixed + floor <= allowed * (self.least + floor))


def shorter(
    u: np.ndarray, t: np.ndarray, tau: float, averages: bool
) -> tuple[np.ndarray, np.ndarray]:
    """At most `MOST` samples, no further apart than a fifth of the timescale."""
    together = int(min(np.ceil(t.size / MOST), tau * t.size / (5 * t[-1])))
    together = max(together, 1)
    n = min(t.size // together, MOST) * together
    groups = u[:n].reshape(-1, together), t[:n].reshape(-1, together)
    if averages:
        return groups[0].mean(axis=1), groups[1].mean(axis=1)
    return groups[0][:, 0], groups[1][:, 0]


def _staircases(
    t: np.ndarray, tau: float, a: float, c: float, n_units: int, n_curves: int, rng: Any
) -> np.ndarray:
    """Curves of units of which a share ``c`` stays and a share ``a`` falls silent at random."""
    stay = round(c * n_units)
    lives = rng.exponential(tau, (n_curves, max(round((a + c) * n_units) - stay, 1)))
    gone = [np.searchsorted(np.sort(row), t, side="right") for row in lives]
    return (stay + lives.shape[1] - np.array(gone)) / n_units


def _autoregressive(fitted: np.ndarray, residual: np.ndarray, n_curves: int, rng: Any) -> Any:
    """The fit with first-order autoregressive noise, estimated from and drawn of its residuals."""
    from scipy.signal import lfilter

    power = residual @ residual
    memory = 0.0 if power == 0 else float(residual[1:] @ residual[:-1] / power)
    # a fit takes slow noise away, so that the estimate falls short by about this much
    memory += (1 + 4 * memory) / residual.size
    memory = min(max(memory, 0.0), 0.999)
    fresh = residual[1:] - memory * residual[:-1]
    drawn = rng.choice(fresh - fresh.mean(), (n_curves, residual.size))
    drawn[:, 0] /= np.sqrt(1 - memory**2)
    return fitted + lfilter([1.0], [1.0, -memory], drawn, axis=1)


def fit(curves: np.ndarray, t: np.ndarray, taus: np.ndarray) -> tuple[np.ndarray, ...]:
    """Timescale, amplitude, level and squared error of each curve (curve, step)."""
    bases = np.exp(-t / taus[:, None])
    error = _solve(curves[:, None], bases, curves @ bases.T / t.size)[2]
    log_tau = np.log(taus[error.argmin(axis=1)])
    reach = np.log(taus[1] / taus[0])
    rows = np.arange(len(curves))
    for _ in range(5):
        # the vertex of a parabola; the best of three where the error has a kink, at level 0
        tries = log_tau + reach * np.array([-1.0, 0.0, 1.0])[:, None]
        left, here, right = (_fit_at(curves, t, np.exp(row))[2] for row in tries)
        bend = left - 2 * here + right
        move = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend > 0)
        vertex = log_tau + reach * np.clip(move, -1, 1)
        errors = np.stack([_fit_at(curves, t, np.exp(vertex))[2], left, here, right])
        log_tau = np.stack([vertex, *tries])[errors.argmin(axis=0), rows]
        reach /= 4
    tau = np.exp(np.clip(log_tau, np.log(taus[0]), np.log(taus[-1])))
    return tau, *_fit_at(curves, t, tau)


def _fit_at(curves: np.ndarray, t: np.ndarray, tau: np.ndarray) -> tuple[np.ndarray, ...]:
    basis = np.exp(-t / tau[:, None])
    return _solve(curves, basis, (curves * basis).mean(axis=-1))


def _solve(
    curves: np.ndarray, basis: np.ndarray, product: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Amplitude and level, neither negative, and squared error of ``level + amplitude * basis``."""
    mean, square = curves.mean(axis=-1), (curves**2).mean(axis=-1)
    mean_basis, square_basis = basis.mean(axis=-1), (basis**2).mean(axis=-1)
    a = (product - mean * mean_basis) / (square_basis - mean_basis**2)
    c = mean - a * mean_basis
    a = np.where(c < 0, product / square_basis, np.maximum(a, 0))
    c = np.where(c < 0, 0.0, mean - a * mean_basis)
    error = square - 2 * (a * product + c * mean) + 2 * a * c * mean_basis
    error = error + a**2 * square_basis + c**2
    return a, c, np.maximum(error, 0) * curves.shape[-1]

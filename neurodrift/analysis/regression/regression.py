"""Regression of session measures on time and experience, over one or many subjects."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.analysis._inference import t_interval
from neurodrift.analysis.regression.tables import tabulate_sessions
from neurodrift.schema import label
from neurodrift.schema.objects import names_in
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import MEASURES, REGRESSION, SLOPES

_PREDICTORS = ("day", "experience", "training_step", "session_number")

Method = Literal["ols", "mixed", "subjects"]
Normalize = Literal["first", "mean"]


@checked_options
def regress(
    table: pd.DataFrame | xr.DataTree,
    y: str,
    x: str | Sequence[str],
    *,
    covariates: Sequence[str] = (),
    method: Method = "ols",
    subject: str | None = None,
    normalize: Normalize | None = None,
    normalize_x: Literal["first", "range"] | None = None,
    series: str | Sequence[str] | None = None,
    level: float = 0.95,
) -> xr.Dataset:
    r"""Regress a session measure on time, experience or both.

    Parameters
    ----------
    table
        One row for each session (:func:`~neurodrift.analysis.regression.tables.tabulate_sessions`)
        or each pair of sessions (:func:`~neurodrift.analysis.regression.tables.tabulate_drift`);
        concatenate the tables of several recordings. The results of :func:`neurodrift.analyze`
        stand for the table of their sessions. Rows with a missing value in a used column are
        left out and counted.
    y
        Column to explain.
    x
        Column or columns of interest; several are fitted together, each given the others.
    covariates
        Columns that are controlled for, such as running speed, running time or events.
    method
        ``"ols"``: least squares with intercept and t-test over all rows, as in [1]_; right when
        rows are independent, so for one animal or for means over animals. ``"mixed"``: REML with
        a random intercept for each subject; right when subjects differ in level but share the
        slope. ``"subjects"``: one least-squares fit for each subject and a t-test over the
        subjects' coefficients; right also when slopes differ between subjects or when the rows
        of a subject depend on each other, as pairs of sessions do.
    subject
        Column that names the subject; needed by ``"mixed"`` and ``"subjects"``.
    normalize
        Divide `y` by its value at the smallest `x` (``"first"``) or by its mean (``"mean"``)
        within each series.
    normalize_x
        Subtract the smallest `x` within each series (``"first"``), and divide by the range
        (``"range"``).
    series
        Columns whose combinations are the series for normalisation; `subject` when omitted, and
        one series when there is none.
    level
        Coverage of the confidence intervals.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``se``, ``t``, ``dof``, ``p``, ``ci_low``, ``ci_high``, ``vif`` (term), with
        the terms ``"intercept"``, `x` and `covariates`; ``n_rows``, ``n_dropped``,
        ``n_subjects``, ``r_squared`` (for ``"mixed"`` of the predictors alone, without the
        subjects; for ``"subjects"`` the mean over subjects), ``residual_variance``,
        ``subject_variance`` and ``at_boundary`` (NaN and False where there is no such part). At
        the boundary no difference between subjects was found, and the fit is least squares.

    Raises
    ------
    ValueError
        If a column is missing or not numeric, predictors are constant or collinear, no degree of
        freedom is left, or a series starts at zero and cannot be normalised.

    Notes
    -----
    ``"mixed"`` tests with Satterthwaite's degrees of freedom [2]_,

    .. math:: \nu = 2 v^2 / (g^T A g),

    :math:`v` the variance of the coefficient, :math:`g` its gradient by the two variances and
    :math:`A` their asymptotic covariance; the normal distribution, which statsmodels uses, is
    too narrow for a few animals.

    Measured coverage of 95 % intervals for the slope [%], 1000 repeats each
    (``benchmarks/calibration_regression.py``):

    ================================================  ====  =====  ========
    table                                             ols   mixed  subjects
    ================================================  ====  =====  ========
    1 animal, 8 sessions                              95.2
    means of 6 animals, each over its first session   95.3
    4 animals, same 8 sessions                        97.7  94.2   93.2
    4 animals, uneven sessions and experience         79.3  93.5   96.4
    12 animals, uneven sessions and experience        75.3  93.4   96.2
    6 animals whose slopes differ (sd 0.15)           95.5  86.2   95.5
    pairs of 8 sessions on their lag, 1 animal        92.0
    pairs of 8 sessions on their lag, 6 animals       97.3  93.3   94.7
    ================================================  ====  =====  ========

    Least squares over the sessions of several animals misses to either side, and a random
    intercept does not help against slopes that differ; ``"subjects"`` does.

    References
    ----------
    .. [1] Ratzon, Derdikman and Barak (2024), eLife. https://doi.org/10.7554/eLife.90069
    .. [2] Satterthwaite (1946), Biometrics Bulletin. https://doi.org/10.2307/3002019

    Examples
    --------
    >>> import pandas as pd
    >>> from neurodrift.analysis.regression.regression import regress
    >>> table = pd.DataFrame({"day": [0, 2, 4, 6], "active": [80, 71, 59, 50.0]})
    >>> fit = regress(table, "active", "day")
    >>> round(float(fit["estimate"].sel(term="day")), 2), float(fit["dof"].sel(term="day"))
    (-5.1, 2.0)
    """
    table = tabulate_sessions(table) if isinstance(table, xr.DataTree) else table
    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"table is a {type(table).__name__}, expected a DataFrame, such as tabulate_sessions "
            "gives, or results of neurodrift.analyze"
        )
    x = [x] if isinstance(x, str) else list(x)
    predictors = [*x, *names_in("covariates", covariates)]
    _check_arguments(table, y, predictors, method, subject, normalize, level)
    series = [subject] if series is None and subject is not None else series
    series = [series] if isinstance(series, str) else list(series or [])
    columns = list(dict.fromkeys([y, *predictors, *series, *([subject] if subject else [])]))
    rows = _numeric(table[columns], [y, *predictors])
    kept = rows.dropna().reset_index(drop=True)
    if kept.empty:
        raise ValueError(f"no row of the table has all of {', '.join(map(repr, columns))}")
    kept = _normalized(kept, y, x, series, normalize, normalize_x)

    response = kept[y].to_numpy(float)
    design = np.column_stack(
        [np.ones(len(kept)), *(kept[name].to_numpy(float) for name in predictors)]
    )
    if subject is None:
        number = np.zeros(len(kept), dtype=int)
    else:
        number = pd.factorize(kept[subject].astype(str))[0]
    fit = _FITS[method](design, response, number, predictors)
    fit |= _t_tests(fit, level)
    terms = np.array(["intercept", *predictors], dtype=object)
    per_term = ("estimate", "se", "t", "dof", "p", "ci_low", "ci_high", "vif")
    fit["vif"] = _variance_inflation(design)
    result = xr.Dataset(
        {name: ("term", np.asarray(fit[name], float)) for name in per_term}, coords={"term": terms}
    )
    result = result.assign(
        n_rows=len(kept),
        n_dropped=len(rows) - len(kept),
        n_subjects=int(number.max()) + 1,
        r_squared=float(fit["r_squared"]),
        residual_variance=float(fit["residual_variance"]),
        subject_variance=float(fit.get("subject_variance", np.nan)),
        at_boundary=bool(fit.get("subject_variance", np.nan) == 0),
    )
    result = label(result, REGRESSION)
    result.attrs = {
        "method": method,
        "y": y,
        "x": ", ".join(x),
        "covariates": ", ".join(covariates),
        "subject": subject or "",
        "normalize": normalize or "",
        "normalize_x": normalize_x or "",
        "series": ", ".join(series),
        "level": level,
    }
    return result


def _check_arguments(
    table: pd.DataFrame,
    y: str,
    predictors: list[str],
    method: str,
    subject: str | None,
    normalize: str | None,
    level: float,
) -> None:
    missing = [
        name for name in [y, *predictors, *([subject] if subject else [])] if name not in table
    ]
    if missing:
        raise ValueError(f"no column {missing}; the table has {', '.join(map(str, table.columns))}")
    if len(set(predictors)) < len(predictors) or y in predictors or not predictors:
        raise ValueError(f"y={y!r} and predictors {predictors} must be different columns")
    if method not in _FITS:
        raise ValueError(f"method is {method!r}, expected one of {', '.join(_FITS)}")
    if method != "ols" and subject is None:
        raise ValueError(f"method={method!r} needs subject=, the column that names the subjects")
    if normalize not in (None, "first", "mean"):
        raise ValueError(f"normalize is {normalize!r}, expected 'first', 'mean' or None")


def _numeric(rows: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    rows = rows.copy()
    for name in dict.fromkeys(names):
        if not (pd.api.types.is_numeric_dtype(rows[name]) or rows[name].isna().all()):
            raise ValueError(f"column {name!r} has dtype {rows[name].dtype}, expected numbers")
        rows[name] = rows[name].astype(float)
        n_infinite = int(np.isinf(rows[name]).sum())
        if n_infinite:
            warnings.warn(
                f"column {name!r} is infinite in {n_infinite} of {len(rows)} rows, which are left "
                "out",
                stacklevel=4,
            )
            rows[name] = rows[name].replace([np.inf, -np.inf], np.nan)
    return rows


def _normalized(
    rows: pd.DataFrame,
    y: str,
    x: list[str],
    series: list[str],
    normalize: str | None,
    normalize_x: str | None,
) -> pd.DataFrame:
    if normalize is None and normalize_x is None:
        return rows
    named = (
        rows[series].astype(str).agg(" ".join, axis=1) if series else pd.Series("table", rows.index)
    )
    response, along = (
        rows[y].to_numpy(copy=True),
        {name: rows[name].to_numpy(copy=True) for name in x},
    )
    for name in named.unique():
        own = np.asarray(named == name)
        if normalize is not None:
            first = along[x[0]][own] == along[x[0]][own].min()
            scale = response[own].mean() if normalize == "mean" else response[own][first].mean()
            if scale == 0:
                what = "mean" if normalize == "mean" else f"value at the smallest {x[0]!r}"
                raise ValueError(f"cannot normalise {y!r}: its {what} is 0 in series {name!r}")
            response[own] /= scale
        for values in along.values() if normalize_x is not None else ():
            values[own] -= values[own].min()
            if normalize_x == "range" and values[own].max() > 0:
                values[own] /= values[own].max()
    return rows.assign(**{y: response}, **along)


def _check_design(design: np.ndarray, predictors: list[str], needed: int, who: str) -> None:
    n_rows, n_terms = design.shape
    if n_rows - n_terms < needed:
        raise ValueError(
            f"{n_rows} rows{who} for {n_terms} coefficients leave no degree of freedom: give more "
            "sessions or fewer predictors"
        )
    for name, column in zip(predictors, design[:, 1:].T, strict=True):
        if np.ptp(column) <= 1e-12 * np.abs(column).max():
            raise ValueError(f"predictor {name!r} is constant{who}: leave it out")
    spread = design[:, 1:] - design[:, 1:].mean(axis=0)
    spread = spread / np.linalg.norm(spread, axis=0)
    if np.linalg.matrix_rank(spread, tol=1e-8) < n_terms - 1:
        raise ValueError(
            f"predictors {', '.join(map(repr, predictors))} are collinear{who}: their effects "
            "cannot be told apart; leave one out"
        )


def _ols(design: np.ndarray, y: np.ndarray, number: np.ndarray, names: list[str]) -> dict[str, Any]:
    import statsmodels.api as sm

    _check_design(design, names, 1, "")
    level = y[0] if np.ptp(y) == 0 else 0.0  # of a constant, so that its slope is 0 and not noise
    fit = sm.OLS(y - level, design).fit()
    return {
        "estimate": fit.params + level * (np.arange(design.shape[1]) == 0),
        "se": fit.bse,
        "dof": np.full(design.shape[1], fit.df_resid),
        "r_squared": fit.rsquared if np.ptp(y) > 0 else np.nan,
        "residual_variance": fit.scale,
    }


def _mixed(
    design: np.ndarray, y: np.ndarray, number: np.ndarray, names: list[str]
) -> dict[str, Any]:
    n_subjects = int(number.max()) + 1
    if n_subjects < 2:
        raise ValueError("one subject only: use method='ols', or give more subjects")
    _check_design(design, names, 2, "")
    if (np.bincount(number) < 2).all():
        raise ValueError(
            "every subject has one row only, so subjects and rows cannot be told apart"
        )
    fit = fit_random_intercept(design, y, number)
    explained = float(np.var(design @ fit.estimate))
    total = explained + fit.subject_variance + fit.residual_variance
    return {
        "estimate": fit.estimate,
        "se": fit.se,
        "dof": fit.dof,
        "r_squared": explained / total if total > 0 else np.nan,
        "residual_variance": fit.residual_variance,
        "subject_variance": fit.subject_variance,
    }


def _subjects(
    design: np.ndarray, y: np.ndarray, number: np.ndarray, names: list[str]
) -> dict[str, Any]:
    n_subjects = int(number.max()) + 1
    if n_subjects < 2:
        raise ValueError("one subject only: use method='ols', or give more subjects")
    estimates, r_squared, variance = [], [], []
    for k in range(n_subjects):
        own = number == k
        _check_design(design[own], names, 0, f" of subject {k + 1} of {n_subjects}")
        estimate = np.linalg.lstsq(design[own], y[own], rcond=None)[0]
        residual = y[own] - design[own] @ estimate
        spread = ((y[own] - y[own].mean()) ** 2).sum()
        estimates.append(estimate)
        r_squared.append(1 - (residual**2).sum() / spread if spread > 0 else np.nan)
        variance.append((residual**2).sum() / max(own.sum() - design.shape[1], 1))
    each = np.array(estimates)
    return {
        "estimate": each.mean(axis=0),
        "se": each.std(axis=0, ddof=1) / np.sqrt(n_subjects),
        "dof": np.full(design.shape[1], n_subjects - 1.0),
        "r_squared": np.mean(r_squared),
        "residual_variance": np.mean(variance),
    }


_FITS: dict[str, Any] = {"ols": _ols, "mixed": _mixed, "subjects": _subjects}


def _t_tests(fit: dict[str, Any], level: float) -> dict[str, np.ndarray]:
    from scipy.stats import t as student

    estimate, se, dof = (np.asarray(fit[name], float) for name in ("estimate", "se", "dof"))
    t = np.divide(estimate, se, out=np.full(se.shape, np.nan), where=se > 0)
    low, high = t_interval(estimate, se, dof, level)
    return {
        "t": t,
        "p": 2 * student.sf(np.abs(t), dof),
        "ci_low": low,
        "ci_high": high,
    }


def _variance_inflation(design: np.ndarray) -> np.ndarray:
    """1 / (1 - R²) of each predictor on the others; NaN for the intercept."""
    spread = design[:, 1:] - design[:, 1:].mean(axis=0)
    spread = spread / np.linalg.norm(spread, axis=0)
    return np.concatenate([[np.nan], np.diag(np.linalg.inv(spread.T @ spread))])


_LOG_RATIOS = np.linspace(-14.0, 14.0, 57)


def regress_each(table: pd.DataFrame) -> xr.Dataset:
    """Least-squares slope of each session measure on each predictor, with and without speed.

    Parameters
    ----------
    table
        One row for each session, from
        :func:`~neurodrift.analysis.regression.tables.tabulate_sessions`.

    Returns
    -------
    xarray.Dataset
        Over (measure, predictor): ``slope`` with its error and interval, and
        ``slope_given_speed`` with running speed as a covariate and ``slope_given_events`` with the
        events of a unit; NaN with too few sessions.
    """
    measures = [
        name
        for name in ("fraction_active_units", "active_fraction", *MEASURES)
        if name in table and not name.startswith("n_") and not name.endswith("_se")
    ]
    predictors = [
        name
        for name in _PREDICTORS
        if name in table and (name != "session_number" or not {"day", "training_step"} & set(table))
    ]
    statistics = ("estimate", "se", "t", "dof", "p", "ci_low", "ci_high")
    names = ["slope", *statistics[1:]]
    names += [f"{name}_given_speed" for name in ("slope", "p")]
    found = {name: np.full((len(measures), len(predictors)), np.nan) for name in names}
    for i, measure in enumerate(measures):
        for j, predictor in enumerate(predictors):
            for covariates in ((), ("running_speed",)):
                used = table[[measure, predictor, *covariates]].dropna()
                if len(used) < 3 + len(covariates) or (used[predictor].nunique() < 2):
                    continue
                if covariates and used["running_speed"].nunique() < 2:
                    continue
                fit = regress(table, measure, predictor, covariates=covariates).sel(term=predictor)
                if covariates:
                    found["slope_given_speed"][i, j] = fit["estimate"]
                    found["p_given_speed"][i, j] = fit["p"]
                else:
                    for name, statistic in zip(names, statistics, strict=False):
                        found[name][i, j] = fit[statistic]
    slopes = xr.Dataset(
        {name: (("measure", "predictor"), values) for name, values in found.items()},
        coords={
            "measure": np.array(measures, dtype=object),
            "predictor": np.array(predictors, dtype=object),
        },
        attrs={"method": "ols", "level": 0.95},
    )
    slopes = slopes.assign(_given_events(table, measures, predictors))
    return label(slopes, SLOPES)


def _given_events(
    table: pd.DataFrame, measures: list[str], predictors: list[str]
) -> dict[str, tuple[tuple[str, str], np.ndarray]]:
    """Slopes with the events of a unit as covariate."""
    events = "events_per_unit"
    found = {name: np.full((len(measures), len(predictors)), np.nan) for name in ("slope", "p")}
    for i, measure in enumerate(measures if events in table else []):
        for j, predictor in enumerate(predictors):
            used = table[[measure, predictor, events]].dropna()
            if len(used) < 4 or min(used[predictor].nunique(), used[events].nunique()) < 2:
                continue
            try:
                fit = regress(used, measure, predictor, covariates=[events]).sel(term=predictor)
            except ValueError:  # collinear: their effects cannot be told apart
                continue
            found["slope"][i, j], found["p"][i, j] = fit["estimate"], fit["p"]
    return {f"{name}_given_events": (("measure", "predictor"), v) for name, v in found.items()}


@dataclass(frozen=True)
class RandomIntercept:
    """Fit of :func:`fit_random_intercept`: coefficients with their errors, and variances."""

    estimate: np.ndarray
    se: np.ndarray
    dof: np.ndarray
    residual_variance: float
    subject_variance: float


def fit_random_intercept(design: np.ndarray, y: np.ndarray, subject: np.ndarray) -> RandomIntercept:
    """Fit ``y = design @ beta + intercept[subject] + residual`` by REML.

    Parameters
    ----------
    design
        (row, term) of full column rank.
    y
        (row) response.
    subject
        (row) number of the subject.

    Returns
    -------
    RandomIntercept
        Coefficients, standard errors and Satterthwaite degrees of freedom (term), variances.
    """
    from scipy.optimize import minimize_scalar

    n_rows, n_terms = design.shape
    # An orthonormal basis and the residuals of least squares keep the sums well conditioned.
    basis, triangle = np.linalg.qr(design)
    start = basis.T @ y
    residual = y - basis @ start
    columns = np.column_stack([basis, residual])
    number, size = np.unique(subject, return_inverse=True, return_counts=True)[1:]
    sums = np.zeros((size.size, n_terms + 1))
    np.add.at(sums, number, columns)
    cross = columns.T @ columns

    back = np.linalg.inv(triangle)
    if residual @ residual <= 1e-24 * (y @ y):  # a perfect fit has no variance to share out
        dof = np.full(n_terms, float(n_rows - n_terms))
        return RandomIntercept(back @ start, np.zeros(n_terms), dof, 0.0, 0.0)

    def solve(ratio: float) -> tuple[np.ndarray, float, float]:
        weight = ratio / (1 + size * ratio)
        moments = cross - (sums * weight[:, None]).T @ sums
        shift = np.linalg.solve(moments[:-1, :-1], moments[:-1, -1])
        rss = moments[-1, -1] - moments[:-1, -1] @ shift
        log_det = np.linalg.slogdet(moments[:-1, :-1])[1] + np.log1p(size * ratio).sum()
        return shift, rss, (n_rows - n_terms) * np.log(max(rss, np.finfo(float).tiny)) + log_det

    deviance = [solve(float(np.exp(t)))[2] for t in _LOG_RATIOS]
    k = int(np.argmin(deviance))
    bracket = (_LOG_RATIOS[max(k - 1, 0)], _LOG_RATIOS[min(k + 1, _LOG_RATIOS.size - 1)])
    found = minimize_scalar(
        lambda t: solve(float(np.exp(t)))[2],
        bounds=bracket,
        method="bounded",
        options={"xatol": 1e-9},
    )
    ratio = float(np.exp(found.x)) if found.fun < solve(0.0)[2] else 0.0
    shift, rss, _ = solve(ratio)
    residual_variance = rss / (n_rows - n_terms)
    subject_variance = ratio * residual_variance
    se, dof = _errors(back, sums[:, :-1], size.astype(float), residual_variance, ratio)
    return RandomIntercept(back @ (start + shift), se, dof, residual_variance, subject_variance)


def _errors(
    back: np.ndarray, sums: np.ndarray, size: np.ndarray, residual_variance: float, ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    """Standard errors and Satterthwaite's degrees of freedom of the coefficients.

    The covariance of a subject's rows, its inverse, its derivatives by the two variances and all
    their products are a I + b J (J all ones); each is kept as the pair (a, b over subjects).
    """
    n_terms = sums.shape[1]
    inverse = (1 / residual_variance, -ratio / (1 + size * ratio) / residual_variance)
    derivatives = [(1.0, np.zeros_like(size)), (0.0, np.ones_like(size))]

    def times(*pairs: tuple[float, np.ndarray]) -> tuple[float, np.ndarray]:
        a, b = pairs[0]
        for c, d in pairs[1:]:
            a, b = a * c, a * d + b * c + size * b * d
        return a, b

    def quadratic(pair: tuple[float, np.ndarray]) -> np.ndarray:
        return pair[0] * np.eye(n_terms) + (sums * pair[1][:, None]).T @ sums

    covariance = np.linalg.inv(quadratic(inverse))
    middle = [quadratic(times(inverse, d, inverse)) for d in derivatives]
    information = np.empty((2, 2))
    for j, first in enumerate(derivatives):
        for k, second in enumerate(derivatives):
            product = times(inverse, first, inverse, second)
            trace = float((size * (product[0] + product[1])).sum())
            information[j, k] = 0.5 * (
                trace
                - 2 * np.trace(covariance @ quadratic(times(product, inverse)))
                + np.trace(covariance @ middle[j] @ covariance @ middle[k])
            )
    of_variances = np.linalg.inv(information)
    variance = np.einsum("ij,jk,ik->i", back, covariance, back)
    gradient = np.stack(
        [np.einsum("ij,jk,ik->i", back, covariance @ m @ covariance, back) for m in middle], axis=-1
    )
    spread = np.einsum("ij,jk,ik->i", gradient, of_variances, gradient)
    return np.sqrt(variance), 2 * variance**2 / spread

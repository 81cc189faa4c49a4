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
from neurodrift.analysis.series.mixed import fit_random_intercept
from neurodrift.analysis.series.trend import (
    TIMES,
    Trend,
    fit_trend,
    places,
    smallest_detectable,
)
from neurodrift.schema import label
from neurodrift.schema.objects import names_in
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import MEASURES, REGRESSION, SLOPES

_PREDICTORS = ("day", "experience", "training_step", "session_number")
_INFLATED = 10.0  # variance inflation above which predictors cannot be told apart

Method = Literal["ar1", "ols", "mixed", "mixed_independent", "subjects"]
Normalize = Literal["first", "mean"]


@checked_options
def regress(
    table: pd.DataFrame | xr.DataTree,
    y: str,
    x: str | Sequence[str],
    *,
    covariates: Sequence[str] = (),
    method: Method = "ar1",
    subject: str | None = None,
    normalize: Normalize | None = None,
    normalize_x: Literal["first", "range"] | None = None,
    series: str | Sequence[str] | None = None,
    time: str | None = None,
    level: float = 0.95,
) -> xr.Dataset:
    r"""Regress a session measure on time, experience or both.

    It estimates the change of the measure for each unit of a predictor in this animal, or in
    animals like these, given the other predictors; not its cause. Neighbouring sessions are alike
    beyond the trend, and the intervals allow for it.

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
        ``"ar1"``, for the sessions of one animal or means over animals: least squares that averages
        over how alike neighbouring sessions are
        (:func:`~neurodrift.analysis.series.trend.fit_trend`). ``"mixed"``: the same with a random
        intercept for each subject, by REML; right when subjects differ in level but share the
        slope. ``"subjects"``: one least-squares fit for each subject and a t-test over the
        subjects' coefficients; right also when slopes differ between subjects, or when the rows of
        a subject depend on each other in another way, as pairs of sessions do. ``"ols"`` and
        ``"mixed_independent"`` take rows as independent, the published way [1]_: their
        intervals are too narrow where neighbouring sessions are alike.
    subject
        Column that names the subject; needed by ``"mixed"``, ``"mixed_independent"`` and
        ``"subjects"``.
    normalize
        Divide `y` by its value at the smallest `x` (``"first"``) or by its mean (``"mean"``)
        within each series. Divided by the mean, all subjects have the same level, so that
        ``"mixed"`` has no difference between them to estimate: it says so in a warning and gives
        each subject an intercept of its own.
    normalize_x
        Subtract the smallest `x` within each series (``"first"``), and divide by the range
        (``"range"``).
    series
        Columns whose combinations are the series for normalisation; `subject` when omitted, and
        one series when there is none. Sessions of different series are never neighbours: for that
        the columns ``subject`` and ``environment`` count too, where the table has them.
    time
        Column that says when a session was, by which neighbours are told: sessions :math:`d` usual
        steps apart are correlated by :math:`\rho^d`. When omitted the first of
        ``training_step``, ``day``, ``experience`` and ``session_number`` that tells the rows of a
        series apart, and the first `x` where none does.
    level
        Coverage of the confidence intervals.

    Returns
    -------
    xarray.Dataset
        ``estimate``, ``se``, ``t``, ``dof``, ``p``, ``ci_low``, ``ci_high``, ``vif`` and
        ``detectable``, the smallest coefficient that these rows would have shown with a power of
        80 % (term), with the terms ``"intercept"``, `x` and `covariates`; ``n_rows``,
        ``n_dropped``, ``n_subjects``, ``r_squared`` (for ``"mixed"`` of the predictors alone,
        without the subjects; for ``"subjects"`` the mean over subjects), ``residual_variance``,
        ``subject_variance`` and ``at_boundary`` (NaN and False where there is no such part). At
        the boundary no difference between subjects was found, and the fit has none.
        ``correlation`` of neighbouring sessions and its standard deviation ``correlation_sd``,
        given the data (NaN where it was not asked). ``joint_f``, ``joint_dof``, ``joint_dof_left``
        and ``joint_p`` test the predictors that the attribute ``collinear`` names together: those
        with a ``vif`` above 10, of which none can be told from the others. The attribute
        ``inference`` says what the interval is about, sessions or animals.

    Raises
    ------
    ValueError
        If a column is missing or not numeric, predictors are constant or collinear, no degree of
        freedom is left, a series starts at zero and cannot be normalised, or two rows of a series
        are at the same time.

    Warns
    -----
    UserWarning
        If predictors are hardly to be told apart, values are infinite, rows of several subjects are
        taken as one, or `normalize` leaves nothing for ``"mixed"``.

    Notes
    -----
    Three sessions say nothing of how alike neighbours are, and four or five next to nothing: the
    interval then averages over all that is possible, and its width says that little can be known.

    ``"mixed"`` tests with Satterthwaite's degrees of freedom [2]_,

    .. math:: \nu = 2 v^2 / (g^T A g),

    :math:`v` the variance of the coefficient, :math:`g` its gradient by the two variances and
    :math:`A` their asymptotic covariance; the normal distribution, which statsmodels uses, is
    too narrow for a few animals.

    Measured coverage of 95 % intervals for the slope of one animal, whose neighbouring sessions
    correlate by rho beyond the trend [%], and the median width over that of generalised least
    squares that knows rho; 4000 draws each (``benchmarks/slope_coverage.py``):

    =====================  ====  =====  =====  =====
    sessions               rho   ols    ar1    width
    =====================  ====  =====  =====  =====
    4                      0     95.3   97.5   1.40
    4                      .5    89.6   94.4   0.97
    8                      0     94.8   99.4   1.71
    8                      .3    88.2   98.0   1.32
    8                      .5    81.4   96.0   1.09
    8                      .7    71.3   91.6   0.86
    16                     0     95.3   99.4   1.58
    16                     .5    76.1   96.5   1.30
    16                     .7    61.2   92.7   1.07
    32                     .7    59.5   95.8   1.37
    8, 1 to 4 days apart   .5    80.0   95.7   1.10
    =====================  ====  =====  =====  =====

    With eight independent sessions the intervals are wider than they had to be, were that known;
    no method that covers 90 % at a correlation of .7 makes them less than 1.5 times as wide.

    Several animals (``benchmarks/calibration_regression.py``, before the correlation entered
    ``"mixed"``): least squares over their rows together misses to either side, a random intercept
    is too narrow where slopes differ (86 % with sd 0.15), ``"subjects"`` is not.

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
    (-5.06, 2.0)
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
    asked = [time] if time is not None else []
    columns = list(
        dict.fromkeys([y, *predictors, *series, *([subject] if subject else []), *asked])
    )
    rows = _numeric(table[columns], [y, *predictors, *asked])
    there = rows.notna().all(axis=1)
    kept = rows[there].reset_index(drop=True)
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
    at = own = None
    if method in ("ar1", "mixed"):
        at, own = _when(table, there.to_numpy(), x[0], series, subject, time)
        several = table["subject"].nunique() if "subject" in table and subject is None else 1
        if method == "ar1" and several > 1:
            warnings.warn(
                f"the table has {several} subjects, whose rows are taken as if "
                "they had one level: use method='subjects' or 'mixed' with subject=",
                stacklevel=3,
            )
    data = _Data(design, response, number, predictors, at, own, normalize == "mean")
    fit = _FITS[method](data)
    fit |= _t_tests(fit, level)
    terms = np.array(["intercept", *predictors], dtype=object)
    per_term = ("estimate", "se", "t", "dof", "p", "ci_low", "ci_high", "vif", "detectable")
    fit["vif"] = _variance_inflation(design)
    fit["detectable"] = [
        smallest_detectable(se, dof, level) for se, dof in zip(fit["se"], fit["dof"], strict=True)
    ]
    joint = _joint_test(fit, predictors)
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
        correlation=float(fit.get("correlation", np.nan)),
        correlation_sd=float(fit.get("correlation_sd", np.nan)),
        **{name: joint[name] for name in ("joint_f", "joint_dof", "joint_dof_left", "joint_p")},
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
        "collinear": ", ".join(joint["names"]),
        "inference": _unit_of_inference(method, int(number.max()) + 1, len(kept)),
    }
    if "use" in table.attrs:
        result.attrs["use"] = table.attrs["use"]
    return result


@dataclass(frozen=True, eq=False)
class _Data:
    """What is fitted: design (row, term), response, number of the subject, when and which series.

    `centred`: every subject was divided by its mean, and so has no level of its own.
    """

    design: np.ndarray
    y: np.ndarray
    number: np.ndarray
    names: list[str]
    at: np.ndarray | None
    series: np.ndarray | None
    centred: bool


def _when(
    table: pd.DataFrame,
    there: np.ndarray,
    x: str,
    series: list[str],
    subject: str | None,
    time: str | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Place in time of each used row, in steps, and the number of its series.

    Steps are counted among all rows of a series, whether they have values or not.
    """
    parts = [*series, *([subject] if subject else [])]
    parts = list(dict.fromkeys([*parts, *(c for c in ("subject", "environment") if c in table)]))
    named = np.zeros(len(table), dtype=int)
    if parts:
        named = pd.factorize(table[parts].astype(str).agg("\0".join, axis=1))[0]
    candidates = [time] if time is not None else [*(c for c in TIMES if c in table), x]
    for name in candidates:
        column = pd.to_numeric(table[name], errors="coerce").to_numpy(float)
        usable = np.isfinite(column[there]).all()
        twice = pd.DataFrame({"series": named[there], "at": column[there]}).duplicated().any()
        if usable and not twice:
            break
    else:
        raise ValueError(
            f"rows lie at the same {candidates[-1]!r}, so that it is not known which are "
            "neighbours. Sessions: name the column that tells them apart by time= and the animals "
            "by subject=. Pairs of sessions depend on each other in another way: use "
            "method='subjects' over several animals. method='ols' takes rows as independent"
        )
    at = np.full(len(table), np.nan)
    for k in np.unique(named):
        known = np.flatnonzero((named == k) & np.isfinite(column))
        known = known[np.argsort(column[known], kind="stable")]
        at[known] = places(column[known])
    return at[there], named[there]


def _joint_test(fit: dict[str, Any], predictors: list[str]) -> dict[str, Any]:
    """F of the predictors that cannot be told apart, and a warning; NaN where there are none."""
    from scipy.stats import f as fisher

    found = np.flatnonzero(np.asarray(fit["vif"]) > _INFLATED)
    nothing = dict.fromkeys(("joint_f", "joint_dof", "joint_dof_left", "joint_p"), np.nan)
    if not found.size:
        return nothing | {"names": []}
    names = [predictors[i - 1] for i in found]
    warnings.warn(
        f"{' and '.join(map(repr, names))} hardly vary apart: the variance of a coefficient is up "
        f"to {np.max(fit['vif'][found]):.0f} times that of the predictor alone; joint_p tests them "
        "together",
        stacklevel=4,
    )
    estimate, covariance = np.asarray(fit["estimate"])[found], fit["covariance"]
    part = covariance[np.ix_(found, found)]
    size, left = float(found.size), float(np.min(np.asarray(fit["dof"])[found]))
    if "n_slopes" in fit:  # Hotelling's test over subjects
        left = fit["n_slopes"] - size
        part = part * (fit["n_slopes"] - 1) / left if left > 0 else part
    unit = np.sqrt(np.diag(part))
    if not (left > 0 and (unit > 0).all()):
        return nothing | {"names": names}
    z = estimate / unit
    f = float(z @ np.linalg.solve(part / np.outer(unit, unit), z) / size)
    p = float(fisher.sf(f, size, left))
    return {"joint_f": f, "joint_dof": size, "joint_dof_left": left, "joint_p": p, "names": names}


def _unit_of_inference(method: str, n_subjects: int, n_rows: int) -> str:
    """What the interval is about."""
    if method == "subjects":
        return f"animals: {n_subjects} subjects, each with a slope of its own"
    if method.startswith("mixed"):
        return f"sessions of {n_subjects} subjects that share one slope"
    return f"sessions: {n_rows} rows, nothing on other animals"


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
    if method not in ("ar1", "ols") and subject is None:
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
        if not _varies(column):
            raise ValueError(f"predictor {name!r} is constant{who}: leave it out")
    spread = design[:, 1:] - design[:, 1:].mean(axis=0)
    spread = spread / np.linalg.norm(spread, axis=0)
    if np.linalg.matrix_rank(spread, tol=1e-8) < n_terms - 1:
        raise ValueError(
            f"predictors {', '.join(map(repr, predictors))} are collinear{who}: their effects "
            "cannot be told apart; leave one out"
        )


def _ols(data: _Data, *, checked: bool = False) -> dict[str, Any]:
    import statsmodels.api as sm

    design, y = data.design, data.y
    if not checked:
        _check_design(design, data.names, 1, "")
    # without its level, so that a constant has the slope 0, and a large offset takes no digits
    level = y[0] if np.ptp(y) == 0 else float(y.mean())
    fit = sm.OLS(y - level, design).fit()
    return {
        "estimate": fit.params + level * (np.arange(design.shape[1]) == 0),
        "se": fit.bse,
        "covariance": fit.cov_params(),
        "dof": np.full(design.shape[1], fit.df_resid),
        "r_squared": fit.rsquared if np.ptp(y) > 0 else np.nan,
        "residual_variance": fit.scale,
    }


def _told(trend: Trend) -> dict[str, Any]:
    return {
        "estimate": trend.estimate,
        "se": trend.se,
        "covariance": trend.covariance,
        "dof": trend.dof,
        "residual_variance": trend.residual_variance,
        "correlation": trend.correlation,
        "correlation_sd": trend.correlation_sd,
    }


def _ar1(data: _Data) -> dict[str, Any]:
    _check_design(data.design, data.names, 1, "")
    assert data.at is not None
    trend = fit_trend(data.design, data.y, data.at, data.series)
    left = data.y - data.design @ trend.estimate
    spread = data.y - data.y.mean()
    total = float(spread @ spread)
    explained = 1 - float(left @ left) / total if total > 0 else np.nan
    return _told(trend) | {"r_squared": explained}


def _mixed(data: _Data) -> dict[str, Any]:
    n_subjects = int(data.number.max()) + 1
    if n_subjects < 2:
        raise ValueError("one subject only: use method='ar1', or give more subjects")
    _check_design(data.design, data.names, 2, "")
    if (np.bincount(data.number) < 2).all():
        raise ValueError(
            "every subject has one row only, so subjects and rows cannot be told apart"
        )
    if data.centred:
        return _own_intercepts(data)
    fit = fit_random_intercept(data.design, data.y, data.number, at=data.at, series=data.series)
    explained = float(np.var(data.design @ fit.estimate))
    total = explained + fit.subject_variance + fit.residual_variance
    found = _told(fit) | {
        "r_squared": explained / total if total > 0 else np.nan,
        "subject_variance": fit.subject_variance,
    }
    if data.at is None:
        found |= {"correlation": np.nan, "correlation_sd": np.nan}
    return found


def _own_intercepts(data: _Data) -> dict[str, Any]:
    """Fit with an intercept of each subject's own: all were divided by their means."""
    warnings.warn(
        "normalize='mean' leaves no difference between subjects, whose variance is 0 by "
        "construction: each has an intercept of its own instead of a random one, and the intercept "
        "is their mean",
        stacklevel=5,
    )
    n_subjects = int(data.number.max()) + 1
    predictors = data.design[:, 1:]
    own = np.eye(n_subjects)[data.number]
    # the first column is the mean of the intercepts, the others how far each is from the last one
    contrasts = own[:, :-1] - own[:, -1:]
    _check_design(
        np.column_stack([data.design, contrasts]),
        [*data.names, *(f"subject {k + 1}" for k in range(n_subjects - 1))],
        1,
        " beside an intercept for each subject",
    )
    design = np.column_stack([data.design, contrasts])
    if data.at is None:
        ols = _ols(_Data(design, data.y, data.number, [], None, None, False), checked=True)
        kept = {name: ols[name] for name in ("residual_variance",)}
        kept |= {"correlation": np.nan, "correlation_sd": np.nan}
        trend = kept | {name: ols[name] for name in ("estimate", "se", "covariance", "dof")}
    else:
        trend = _told(fit_trend(design, data.y, data.at, data.series))
    n_terms = data.design.shape[1]
    for name in ("estimate", "se", "dof"):
        trend[name] = np.asarray(trend[name])[:n_terms]
    trend["covariance"] = np.asarray(trend["covariance"])[:n_terms, :n_terms]
    explained = float(np.var(predictors @ trend["estimate"][1:]))
    total = explained + trend["residual_variance"]
    return trend | {
        "r_squared": explained / total if total > 0 else np.nan,
        "subject_variance": 0.0,
    }


def _subjects(data: _Data) -> dict[str, Any]:
    n_subjects = int(data.number.max()) + 1
    if n_subjects < 2:
        raise ValueError("one subject only: use method='ar1', or give more subjects")
    estimates, r_squared, variance = [], [], []
    for k in range(n_subjects):
        own = data.number == k
        design, y = data.design[own], data.y[own]
        _check_design(design, data.names, 0, f" of subject {k + 1} of {n_subjects}")
        level = float(y.mean())
        estimate = np.linalg.lstsq(design, y - level, rcond=None)[0]
        estimate[0] += level
        residual = y - design @ estimate
        spread = ((y - level) ** 2).sum()
        estimates.append(estimate)
        r_squared.append(1 - (residual**2).sum() / spread if spread > 0 else np.nan)
        variance.append((residual**2).sum() / max(own.sum() - design.shape[1], 1))
    each = np.array(estimates)
    return {
        "estimate": each.mean(axis=0),
        "se": each.std(axis=0, ddof=1) / np.sqrt(n_subjects),
        "covariance": np.cov(each, rowvar=False) / n_subjects,
        "dof": np.full(data.design.shape[1], n_subjects - 1.0),
        "n_slopes": n_subjects,
        "r_squared": np.mean(r_squared),
        "residual_variance": np.mean(variance),
    }


_FITS: dict[str, Any] = {
    "ar1": _ar1,
    "ols": _ols,
    "mixed": _mixed,
    "mixed_independent": _mixed,
    "subjects": _subjects,
}


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


def regress_each(table: pd.DataFrame, *, method: Literal["ar1", "ols"] = "ar1") -> xr.Dataset:
    """Slope of each session measure on each predictor, with and without speed.

    Parameters
    ----------
    table
        One row for each session, from
        :func:`~neurodrift.analysis.regression.tables.tabulate_sessions`.
    method
        As for :func:`regress`.

    Returns
    -------
    xarray.Dataset
        Over (measure, predictor): ``slope`` with its error and interval, the smallest slope that
        is ``detectable`` with a power of 80 %, the ``correlation`` of neighbouring sessions,
        ``slope_given_speed`` with running speed as a covariate, whose ``vif_given_speed`` says
        whether speed and the predictor can be told apart, and ``slope_given_events`` with the
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
    statistics = ("estimate", "se", "t", "dof", "p", "ci_low", "ci_high", "detectable")
    names = ["slope", *statistics[1:], "correlation"]
    names += [f"{name}_given_speed" for name in ("slope", "p", "vif")]
    names += [f"{name}_given_events" for name in ("slope", "p")]
    found = {name: np.full((len(measures), len(predictors)), np.nan) for name in names}
    for i, measure in enumerate(measures):
        for j, predictor in enumerate(predictors):
            fit = _slope(table, measure, predictor, [], method)
            if fit is not None:
                own = fit.sel(term=predictor)
                for name, statistic in zip(names, statistics, strict=False):
                    found[name][i, j] = own[statistic]
                found["correlation"][i, j] = fit["correlation"]
            for of, covariate in _GIVEN.items():
                given = _slope(table, measure, predictor, [covariate], method)
                if given is not None:
                    own = given.sel(term=predictor)
                    for name, statistic in (("slope", "estimate"), ("p", "p"), ("vif", "vif")):
                        if f"{name}_given_{of}" in found:
                            found[f"{name}_given_{of}"][i, j] = own[statistic]
    slopes = xr.Dataset(
        {name: (("measure", "predictor"), values) for name, values in found.items()},
        coords={
            "measure": np.array(measures, dtype=object),
            "predictor": np.array(predictors, dtype=object),
        },
        attrs={"method": method, "level": 0.95},
    )
    return label(slopes, SLOPES)


_GIVEN = {"speed": "running_speed", "events": "events_per_unit"}
"""Covariates that every slope is given with besides, by their short names."""


def _slope(
    table: pd.DataFrame, measure: str, predictor: str, covariates: list[str], method: Any
) -> xr.Dataset | None:
    """Fit of a measure; None with too few sessions, or where the covariate cannot be told apart."""
    columns = [predictor, *covariates]
    if not set(columns) <= set(table):
        return None
    used = table[[measure, *columns]].dropna()
    if len(used) < 3 + len(covariates):
        return None
    if not all(_varies(used[name].to_numpy(float)) for name in columns):
        return None
    with warnings.catch_warnings():  # the inflation is in the result
        warnings.filterwarnings("ignore", message=".*hardly vary apart")
        try:
            return regress(table, measure, predictor, covariates=covariates, method=method)
        except ValueError:
            if covariates:  # collinear: their effects cannot be told apart
                return None
            raise


def _varies(values: np.ndarray) -> bool:
    """Whether values differ by more than rounding."""
    return bool(np.ptp(values) > 1e-12 * np.abs(values).max())

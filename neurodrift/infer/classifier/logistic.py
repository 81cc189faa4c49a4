"""Which rule a vector of statistics comes from: multinomial logistic regression, calibrated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.infer.classifier.runs import Runs, as_labels
from neurodrift.infer.classifier.scale import Scale
from neurodrift.seeds import generator
from neurodrift.threads import one_blas_thread

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Inverse strengths of the penalty on squared coefficients, one of which is chosen."""

FOLDS = 5
_MOST_ROUNDS = 3000


@dataclass(frozen=True)
class Classifier:
    """A fitted classifier.

    Parameters
    ----------
    rules
        Names (rule).
    scale
        What makes features of statistics.
    coefficient, intercept
        (rule, statistic) and (rule) of the scores.
    temperature
        By which scores are divided, so that held-out probabilities are right on average.
    strength
        Chosen inverse strength of the penalty.
    n_runs
        Runs that it was fitted to: no probability is nearer to 0 or 1 than these can say.
    held_out
        Log probabilities (run, rule) of the runs it was fitted to, each by a fit without it.
    """

    rules: list[str]
    scale: Scale
    coefficient: np.ndarray
    intercept: np.ndarray
    temperature: float
    strength: float
    n_runs: int
    held_out: np.ndarray

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Posterior (..., rule) of features (..., statistic), every rule as likely before."""
        return np.exp(self.log_p(features @ self.coefficient.T + self.intercept))

    def log_p(self, scores: np.ndarray) -> np.ndarray:
        """Log posterior (..., rule) of scores (..., rule)."""
        return _log_p(scores / self.temperature, self.n_runs)

    def contributions(self, features: np.ndarray, rule: int, other: int) -> np.ndarray:
        """What each statistic adds to the log odds of one rule over another (statistic)."""
        apart = self.coefficient[rule] - self.coefficient[other]
        return np.asarray(apart * features / self.temperature)


def fit_classifier(
    runs: Runs, scale: Scale, features: np.ndarray, *, seed: int = 0, strength: float | None = None
) -> Classifier:
    """Fit a classifier.

    Parameters
    ----------
    runs
        The prior, of which rules and weights are used.
    scale
        What made the features.
    features
        (run, statistic).
    seed
        Names the random streams of the folds.
    strength
        Inverse strength of the penalty; chosen by held-out log-loss when omitted.

    Returns
    -------
    Classifier
        With probabilities that were calibrated on folds that the fit had not seen.

    Raises
    ------
    ImportError
        If scikit-learn is missing.

    Notes
    -----
    Scores are divided by one temperature, which minimises the log-loss of held-out runs (Guo et
    al. 2017): it changes no order of the rules. One run more of each rule is then added to the
    runs that stand behind a probability, so that none is 0 or 1. Every rule has the same weight
    in sum.

    References
    ----------
    https://doi.org/10.48550/arXiv.1706.04599
    """
    folds = folds_of(runs, seed)
    if len(runs.rules) < 2:
        n = features.shape[1]
        none, alone = np.zeros((runs.rule.size, 1)), np.zeros((1, n))
        return Classifier(runs.rules, scale, alone, np.zeros(1), 1.0, 1.0, len(none), none)
    tried = {
        each: held_out_scores(runs, features, folds, each)
        for each in (STRENGTHS if strength is None else (strength,))
    }
    losses = {each: _cooled(runs, scores) for each, scores in tried.items()}
    best = min(losses, key=lambda each: losses[each][1])
    temperature = losses[best][0]
    coefficient, intercept = _fitted(features, runs, np.ones(runs.rule.size, bool), best)
    n_runs = runs.rule.size
    held_out = _log_p(tried[best] / temperature, n_runs)
    return Classifier(
        runs.rules, scale, coefficient, intercept, temperature, best, n_runs, held_out
    )


def folds_of(runs: Runs, seed: int, *purpose: str) -> np.ndarray:
    """Which fold each run belongs to (run), drawn within each rule and apart where it counts."""
    found = np.empty(runs.rule.size, dtype=int)
    for name in runs.rules:
        for counts in (True, False):
            own = np.flatnonzero((runs.rule == name) & ((runs.weight > 0) == counts))
            order = generator(seed, "infer", "folds", *purpose, name, counts).permutation(own.size)
            found[own[order]] = np.arange(own.size) % FOLDS
    return found


def held_out_scores(
    runs: Runs, features: np.ndarray, folds: np.ndarray, strength: float
) -> np.ndarray:
    """Scores (run, rule) of each run by a fit to the other folds."""
    found = np.empty((runs.rule.size, len(runs.rules)))
    for fold in range(FOLDS):
        out = folds == fold
        coefficient, intercept = _fitted(features, runs, ~out, strength)
        found[out] = features[out] @ coefficient.T + intercept
    return found


@one_blas_thread()  # on two, small fits took ten times as long on a busy machine
def _fitted(
    features: np.ndarray, runs: Runs, kept: np.ndarray, strength: float
) -> tuple[np.ndarray, np.ndarray]:
    kept = kept & (runs.weight > 0)
    model: Any = logistic()(C=strength, max_iter=_MOST_ROUNDS)
    model.fit(features[kept], runs.number[kept], sample_weight=runs.weight[kept])
    coefficient, intercept = model.coef_, model.intercept_
    if len(runs.rules) == 2:  # one row of log odds there
        coefficient = np.concatenate([-coefficient, coefficient]) / 2
        intercept = np.concatenate([-intercept, intercept]) / 2
    return coefficient, intercept


def logistic(what: str = "inference of a rule") -> Any:
    """The class of scikit-learn, or an error that says what needs it, and its extra."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise ImportError(
            f'{what} needs scikit-learn: pip install "neurodrift[decoders]"'
        ) from error
    return LogisticRegression


def _cooled(runs: Runs, scores: np.ndarray) -> tuple[float, float]:
    """Temperature with the least held-out log-loss, and that loss."""
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        return log_loss(_log_softmax(scores / np.exp(log_temperature)), runs)

    found = minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded")
    return float(np.exp(found.x)), float(found.fun)


def log_loss(log_p: np.ndarray, runs: Runs) -> float:
    """Weighted mean of the negative log probability [nat] of each run's own rule."""
    own = log_p[np.arange(runs.rule.size), runs.number]
    return float(-np.average(own, weights=runs.weight))


def _log_p(scores: np.ndarray, n_runs: int) -> np.ndarray:
    """Log probabilities, none nearer to 0 or 1 than a number of runs can say."""
    probability = np.exp(_log_softmax(scores))
    return np.asarray(np.log((n_runs * probability + 1) / (n_runs + scores.shape[-1])))


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    scores = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True)))


def stored(classifier: Classifier, runs: Runs) -> xr.Dataset:
    """A classifier as numbers with names, which a store holds without pickle.

    Parameters
    ----------
    classifier
        The classifier.
    runs
        The prior that it was fitted to.

    Returns
    -------
    xarray.Dataset
        ``coefficient`` (rule, statistic), ``intercept`` (rule), ``loss``, ``centre``,
        ``spread``, ``filled`` (statistic), ``held_out_log_probability`` (fitted_run, rule) and
        ``fitted_rule`` (fitted_run), ``fitted_weight`` (fitted_run); temperature, strength and
        the digest of the prior as attributes.
    """
    scale = classifier.scale
    return xr.Dataset(
        {
            "coefficient": (("rule", "statistic"), classifier.coefficient),
            "intercept": ("rule", classifier.intercept),
            "loss": ("statistic", scale.loss),
            "centre": ("statistic", scale.centre),
            "spread": ("statistic", scale.spread),
            "filled": ("statistic", scale.filled),
            "held_out_log_probability": (("fitted_run", "rule"), classifier.held_out),
            "fitted_rule": ("fitted_run", runs.rule.astype(object)),
            "fitted_weight": ("fitted_run", runs.weight),
        },
        coords={
            "rule": as_labels(classifier.rules),
            "statistic": scale.statistic.astype(object),
        },
        attrs={
            "temperature": classifier.temperature,
            "strength": classifier.strength,
            "prior_digest": runs.digest,
        },
    )


def restored(model: xr.Dataset) -> Classifier:
    """The classifier that :func:`stored` made numbers of."""
    scale = Scale(
        model["statistic"].values.astype(str),
        model["loss"].values.astype(bool),
        model["centre"].values,
        model["spread"].values,
        model["filled"].values,
    )
    return Classifier(
        rules=[str(name) for name in model["rule"].values],
        scale=scale,
        coefficient=model["coefficient"].transpose("rule", "statistic").values,
        intercept=model["intercept"].values,
        temperature=float(model.attrs["temperature"]),
        strength=float(model.attrs["strength"]),
        n_runs=model.sizes["fitted_run"],
        held_out=model["held_out_log_probability"].transpose("fitted_run", "rule").values,
    )

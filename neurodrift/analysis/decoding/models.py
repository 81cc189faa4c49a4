"""Decoders that learn from some laps of a session and guess in windows of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp

from neurodrift.analysis.decoding.bayes import _score, floored_rate
from neurodrift.analysis.decoding.target import Target
from neurodrift.analysis.decoding.windows import Part

_BATCH = 2_000_000  # numbers of a posterior that are held at once

Model = Callable[[Any, np.ndarray, np.ndarray], np.ndarray]
"""Takes activity (window, unit), sparse or not, seconds (window), allowed states (way, bin)."""


class Learner(Protocol):
    """What makes a model of laps of a session."""

    def __call__(self, part: Part, rows: np.ndarray) -> Model:
        """Learn from some laps (row) of a session."""


@dataclass(frozen=True)
class Bayes:
    """A Bayesian decoder, Poisson of counts and Gaussian of anything else.

    Parameters
    ----------
    target
        What is decoded.
    counts
        Whether activity is counts.
    kernel
        (bin, bin) smoothing of the maps.
    min_rate
        Lowest rate [events/s], None for half an event in the time of the bin.
    occupancy
        Whether the prior is the time that the animal spent in each state, else flat.
    """

    target: Target
    counts: bool
    kernel: np.ndarray
    min_rate: float | None
    occupancy: bool

    def __call__(self, part: Part, rows: np.ndarray) -> Model:
        """Learn from some laps (row) of a session."""
        n_ways, n_bins = self.target.places.ways.size, part.lasting.shape[1]
        n_units = part.activity.shape[1]
        chosen = np.flatnonzero(rows)
        pick = sp.csr_array(
            (np.ones(chosen.size), (part.row_way[chosen], chosen)), shape=(n_ways, rows.size)
        )
        sums = np.asarray((pick @ part.sums).todense()).reshape(n_ways, n_units, n_bins)
        spent = np.asarray(pick @ part.lasting)
        if self.counts:
            rate = [
                floored_rate(sums[d], spent[d], self.kernel, self.min_rate) for d in range(n_ways)
            ]
            tuning = np.concatenate(rate)
        else:
            tuning = np.concatenate(
                [_mean_maps(sums[d], spent[d], self.kernel) for d in range(n_ways)]
            )
        known = (spent > 0).ravel() & np.isfinite(tuning).all(axis=1)
        tuning = tuning[known]
        prior = spent.ravel()[known]
        if self.counts:
            weights, offset = np.log(tuning), -tuning.sum(axis=1)
        else:
            weights, offset = _gaussian(part, rows, tuning, known, n_bins)

        def model(activity: Any, seconds: np.ndarray, allowed: np.ndarray) -> np.ndarray:
            states = allowed.ravel()[known]
            at = np.flatnonzero(known)[states]
            if not at.size:
                return np.full((activity.shape[0], self.target.places.centres.shape[1]), np.nan)
            before = prior[states] / prior[states].sum() if self.occupancy else None
            step = max(1, _BATCH // max(1, n_ways * n_bins))
            guesses = []
            for start in range(0, max(activity.shape[0], 1), step):
                some, lasting = activity[start : start + step], seconds[start : start + step]
                if not self.counts:
                    some, lasting = _rates(some, lasting), np.ones(lasting.size)
                score = _score(weights[states], offset[states], some, lasting, before)
                score -= score.max(axis=1, keepdims=True, initial=-np.inf)
                np.exp(score, out=score)
                full = score
                if at.size < n_ways * n_bins:
                    full = np.zeros((score.shape[0], n_ways * n_bins))
                    full[:, at] = score
                guesses.append(self.target.guess(full.reshape(-1, n_ways, n_bins)))
            return np.concatenate(guesses)

        return model


def _mean_maps(sums: np.ndarray, spent: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """(bin, unit) mean activity, smoothed, NaN where no time was spent."""
    time = (kernel @ spent)[:, None]
    found = np.full((spent.size, sums.shape[0]), np.nan)
    return np.divide(kernel @ sums.T, time, out=found, where=time > 0)


def _gaussian(
    part: Part, rows: np.ndarray, tuning: np.ndarray, known: np.ndarray, n_bins: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights and offsets of the states, with the variance about the maps in the laps learnt."""
    number = np.cumsum(known) - 1
    state = part.way * n_bins + part.place
    own = np.flatnonzero(rows[part.row] & known[state])
    level = _rates(part.activity[own], part.seconds[own])
    apart = level - tuning[number[state[own]]]
    variance = (apart**2).mean(axis=0) if own.size else np.zeros(tuning.shape[1])
    scaled = np.divide(tuning, variance, out=np.zeros_like(tuning), where=variance > 0)
    return scaled, -0.5 * (tuning * scaled).sum(axis=1)


@dataclass(frozen=True)
class Estimator:
    """Any estimator with the interface of scikit-learn, on the rates of the windows.

    Parameters
    ----------
    target
        What is decoded.
    made
        The estimator; a copy is fitted.
    """

    target: Target
    made: Any

    def __call__(self, part: Part, rows: np.ndarray) -> Model:
        """Learn from some laps (row) of a session."""
        from sklearn.base import clone, is_classifier

        target, centres = self.target, self.target.places.centres
        own = np.flatnonzero(rows[part.row])
        x = _rates(part.activity[own], part.seconds[own])
        truth = target.truth(part)[own]
        kind = target.places.geometry.kind
        by_bin = kind in ("graph", "category")
        place = target.aim == "position"
        sort = is_classifier(self.made)
        if not place:
            y = truth[:, 0] if not sort else truth[:, 0].astype(np.int64)
        elif sort:
            y = part.place[own]
        elif by_bin:
            y = np.eye(centres.shape[0])[part.place[own]]
        elif kind == "circular":
            y = target.as_angle(truth)
        else:
            y = truth if truth.shape[1] > 1 else truth[:, 0]
        fitted = clone(self.made).fit(x, y)

        def model(activity: Any, seconds: np.ndarray, allowed: np.ndarray) -> np.ndarray:
            found = np.asarray(fitted.predict(_rates(activity, seconds)))
            if not place:
                names = np.unique(target.codes)
                near = np.abs(found[:, None] - names[None]).argmin(axis=1)
                return names[near][:, None].astype(float)
            if sort:
                return centres[found.astype(np.int64)]
            if by_bin:
                return centres[found.argmax(axis=1)]
            if kind == "circular":
                return target.from_angle(found)
            return found.reshape(found.shape[0], -1)

        return model


def _rates(activity: Any, seconds: np.ndarray) -> np.ndarray:
    plain = activity if isinstance(activity, np.ndarray) else activity.toarray()
    return np.asarray(plain / seconds[:, None])


def learner_of(decoder: Any, target: Target, bayes: dict[str, Any]) -> Learner:
    """The decoder that a caller means.

    Parameters
    ----------
    decoder
        ``"bayes"``, ``"linear"`` or an estimator of scikit-learn.
    target
        What is decoded.
    bayes
        Options of :class:`Bayes`.

    Returns
    -------
    Learner
        It.

    Raises
    ------
    TypeError
        If it is something else.
    """
    if isinstance(decoder, str) and decoder == "bayes":
        return Bayes(target, **bayes)
    if isinstance(decoder, str) and decoder == "linear":
        try:
            from sklearn.linear_model import Ridge, RidgeClassifier
        except ImportError as error:
            raise ImportError(
                'decoder="linear" needs scikit-learn: pip install "neurodrift[decoders]"'
            ) from error
        return Estimator(target, Ridge() if target.aim == "position" else RidgeClassifier())
    if not (hasattr(decoder, "fit") and hasattr(decoder, "predict")) or isinstance(decoder, type):
        raise TypeError(
            f"decoder is {decoder!r:.60}, expected 'bayes', 'linear' or an estimator of "
            "scikit-learn such as sklearn.linear_model.Ridge()"
        )
    return Estimator(target, decoder)

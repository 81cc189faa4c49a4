"""Statistics of a target and of runs on one scale, without those that one of them lacks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodrift.infer.classifier.runs import Runs

LEAST_THERE = 0.5
"""Share of the runs, of every rule together, in which a statistic must be there to be used."""

STEADY = 0.6
"""The same for the test of what is outside, where a value that is filled in stands for a run's."""

SIMILARITIES = tuple(
    f"{of}_{lag}"
    for of in ("maps", "vectors", "rates", "overlap", "relations")
    for lag in ("first", "last")
)
"""Statistics of which the logarithm of the loss, 1 minus the similarity, is a feature."""

_LEAST_LOSS = 1e-3
_LINEAR = 3.0  # standard deviations up to which a deviation counts as it is
_QUARTILES_TO_SD = 1.349  # range of the middle half of a normal distribution over its sd


@dataclass(frozen=True)
class Scale:
    """How statistics become features.

    Parameters
    ----------
    statistic
        Names of those that are used (statistic).
    loss
        Which are similarities, and stand for the base-10 logarithm of their loss (statistic).
    centre, spread
        Median over all runs, and range of the middle half as a standard deviation (statistic).
    filled
        Share of the runs in which each was missing (statistic).
    """

    statistic: np.ndarray
    loss: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    filled: np.ndarray

    @property
    def steady(self) -> np.ndarray:
        """Statistics (statistic) that hardly any run lacks; all, where there are none."""
        found = self.filled <= 1 - STEADY
        return found if found.any() else np.ones(found.size, bool)

    def deviations(self, value: np.ndarray) -> np.ndarray:
        """How many standard deviations values (..., statistic) are from the centre."""
        return np.asarray((_logarithm(value, self.loss) - self.centre) / self.spread)

    def features(self, value: np.ndarray) -> np.ndarray:
        """Features of values of the statistics in use.

        Parameters
        ----------
        value
            (..., statistic).

        Returns
        -------
        numpy.ndarray
            (..., statistic) 3 asinh(z / 3) of deviations z in standard deviations, of which those
            far beyond 3 count by their logarithm, so that one wild run moves little. A missing
            value is the median of all runs, whatever their rule.
        """
        found = _LINEAR * np.arcsinh(self.deviations(value) / _LINEAR)
        return np.where(np.isnan(found), 0.0, found)


def usable(runs: Runs, target: np.ndarray) -> dict[str, str]:
    """Why each statistic is used or left out.

    Parameters
    ----------
    runs
        The prior.
    target
        Values (statistic) in the order of the prior; NaN where the target has none.

    Returns
    -------
    dict
        For each statistic a reason to leave it out; empty text where it is used.
    """
    there = np.isfinite(runs.value)
    share = there.mean(axis=0)
    found = {}
    for i, name in enumerate(runs.statistic.tolist()):
        if not np.isfinite(target[i]):
            found[name] = "the target has no value"
        elif share[i] < LEAST_THERE:
            found[name] = f"{100 * share[i]:.0f} % of the runs have a value, too few"
        elif np.ptp(runs.value[there[:, i], i]) == 0:
            found[name] = "all runs have the same value"
        else:
            found[name] = ""
    return found


def fit_scale(runs: Runs, names: list[str]) -> Scale:
    """Centre and spread of statistics over all runs.

    Parameters
    ----------
    runs
        The prior.
    names
        Statistics that are used.

    Returns
    -------
    Scale
        What makes features of them.
    """
    loss = np.isin(names, SIMILARITIES)
    filled = np.isnan(columns(runs, names)).mean(axis=0)
    value = _logarithm(columns(runs, names), loss)
    centre = np.nanmedian(value, axis=0)
    low, high = np.nanquantile(value, [0.25, 0.75], axis=0)
    spread = (high - low) / _QUARTILES_TO_SD
    spread = np.where(spread > 0, spread, np.nanstd(value, axis=0))
    return Scale(np.array(names), loss, centre, np.where(spread > 0, spread, 1.0), filled)


def _logarithm(value: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """Values (..., statistic), of similarities the logarithm of their loss."""
    return np.where(loss, np.log10(np.maximum(1 - value, _LEAST_LOSS)), value)


def columns(runs: Runs, names: list[str]) -> np.ndarray:
    """Values of some statistics (run, statistic); infinite ones are missing."""
    place = {name: i for i, name in enumerate(runs.statistic.tolist())}
    value = runs.value[:, [place[name] for name in names]]
    return np.where(np.isfinite(value), value, np.nan)

"""Rules made equal in how fast they drift and where they start, so that neither gives them away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from neurodrift.infer.classifier.speed import SLOWEST, speed_alone

MOST_BINS = (8, 4)
"""Bins of speed and of the share of active units at the start, at most."""


@dataclass(frozen=True)
class Matching:
    r"""How runs were matched, and what that did.

    Parameters
    ----------
    weight
        (run) 0 where a run has no counterparts; else so that the weights of every rule are the
        same in sum in each bin. The largest is 1.
    speed_edges, start_edges
        Of the bins.
    n_runs, n_left, n_effective
        By rule: runs, those with a weight above 0, and :math:`(\sum w)^2 / \sum w^2`.
    speed_range, start_range
        By rule: 5th and 95th percentile.
    overlap
        Share of all runs that have a weight above 0.
    n_bins_shared
        Bins in which every rule has runs.
    accuracy_before, accuracy_after
        Of a classifier that knows speed and start alone, on runs that it was not trained on, each
        rule counting the same. NaN where a rule has too few runs to tell.
    chance
        One over the number of rules.
    """

    weight: np.ndarray
    speed_edges: tuple[float, ...]
    start_edges: tuple[float, ...]
    n_runs: dict[str, int]
    n_left: dict[str, int]
    n_effective: dict[str, float]
    speed_range: dict[str, tuple[float, float]]
    start_range: dict[str, tuple[float, float]]
    overlap: float
    n_bins_shared: int
    accuracy_before: float
    accuracy_after: float
    chance: float

    def to_json(self) -> str:
        """The report, without the weights.

        Returns
        -------
        str
            JSON; NaN is null.
        """
        told = {name: value for name, value in asdict(self).items() if name != "weight"}
        return json.dumps(_without_nan(told))


def describe_matching(report: Mapping[str, Any]) -> str:
    """The report of a matching in a few lines.

    Parameters
    ----------
    report
        Of :meth:`Matching.to_json`, read.

    Returns
    -------
    str
        For the terminal.
    """
    n_bins = max(len(report["speed_edges"]) - 1, 1) * max(len(report["start_edges"]) - 1, 1)
    lines = [
        f"{report['overlap']:.0%} of the runs have counterparts of every rule, in "
        f"{report['n_bins_shared']} of {n_bins} bins of speed and start"
    ]
    for rule, n in report["n_runs"].items():
        low, high = report["speed_range"][rule]
        lines.append(
            f"  {rule}: {report['n_left'][rule]} of {n} runs (as good as "
            f"{report['n_effective'][rule]:.0f}), speed {low:.2g} to {high:.2g}"
        )
    before, after = (report[f"accuracy_{when}"] for when in ("before", "after"))
    told = [
        "too few runs to tell" if value is None else f"{value:.0%}" for value in (before, after)
    ]
    lines.append(
        f"right from speed and start alone: {told[0]} before, {told[1]} after; chance is "
        f"{report['chance']:.0%}"
    )
    return "\n".join(lines)


def match_runs(
    rule: np.ndarray,
    speed: np.ndarray,
    start: np.ndarray,
    *,
    bins: tuple[int, int] | None = None,
    seed: int = 0,
) -> Matching:
    r"""Weights that make speed and starting point the same across rules.

    Parameters
    ----------
    rule
        (run) names.
    speed
        (run) loss of the correlation of maps, see :func:`neurodrift.infer.prior.pace.drift_speed`.
    start
        (run) share of active units in the first session.
    bins
        Numbers of bins of speed, on a logarithmic scale, and of start; by the number of runs when
        omitted.
    seed
        Seed of the folds of the classifier.

    Returns
    -------
    Matching
        Weights and report.

    Raises
    ------
    ValueError
        If lengths differ, a value is not finite, or there is one rule alone.

    Notes
    -----
    Bins divide the range that all rules share, from the largest 5th to the smallest 95th
    percentile, into quantiles of the runs in it. In a bin with :math:`n_r` runs of rule r the
    weight is :math:`\min_r n_r / n_r`; 0 where one of them is 0. Within a bin nothing is matched:
    what a classifier still gains from speed is reported.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.infer.prior.matching import match_runs
    >>> speed = np.tile([0.1, 0.2, 0.3, 0.4], 4)
    >>> found = match_runs(np.repeat(["a", "b"], 8), speed, np.full(16, 0.5))
    >>> float(found.weight.min()), found.chance
    (1.0, 0.5)
    """
    rule, speed, start = np.asarray(rule), np.asarray(speed, float), np.asarray(start, float)
    if not rule.size == speed.size == start.size:
        raise ValueError(
            f"rule, speed and start have {rule.size}, {speed.size} and {start.size} runs, expected "
            "one number of them"
        )
    if not (np.isfinite(speed).all() and np.isfinite(start).all()):
        raise ValueError("speed or start is not finite somewhere: leave those runs out")
    names, number = np.unique(rule, return_inverse=True)
    if names.size < 2:
        raise ValueError(f"runs of {names.size} rule, expected two or more to be matched")
    pace = np.log10(np.maximum(speed, SLOWEST))
    bins = bins or _n_bins(pace, start, number)
    pace_edges, start_edges = _edges(pace, number, bins[0]), _edges(start, number, bins[1])
    weight = _weights(number, _bins(pace, pace_edges), _bins(start, start_edges))
    shared = weight > 0
    cells = {*zip(_bins(pace, pace_edges)[shared], _bins(start, start_edges)[shared], strict=True)}
    by_rule = {str(name): number == i for i, name in enumerate(names)}
    return Matching(
        weight=weight,
        speed_edges=tuple((10**pace_edges).tolist()),
        start_edges=tuple(start_edges.tolist()),
        n_runs={name: int(own.sum()) for name, own in by_rule.items()},
        n_left={name: int((own & shared).sum()) for name, own in by_rule.items()},
        n_effective={name: _effective(weight[own]) for name, own in by_rule.items()},
        speed_range={name: _middle(speed[own]) for name, own in by_rule.items()},
        start_range={name: _middle(start[own]) for name, own in by_rule.items()},
        overlap=float(shared.mean()),
        n_bins_shared=len(cells),
        accuracy_before=speed_alone(number, pace, start, np.ones(number.size), seed=seed),
        accuracy_after=speed_alone(number, pace, start, weight, seed=seed),
        chance=1 / names.size,
    )


def _n_bins(pace: np.ndarray, start: np.ndarray, number: np.ndarray) -> tuple[int, int]:
    """As many bins as the rule with the fewest runs in the shared range can fill."""
    inside = np.ones(number.size, bool)
    for values in (pace, start):
        edges = _edges(values, number, 1)
        inside &= (values >= edges[0]) & (values <= edges[-1])
    n = np.bincount(number[inside], minlength=number.max() + 1).min()
    most_paces, most_starts = MOST_BINS
    return (
        int(np.clip(np.sqrt(n / 2), 2, most_paces)),
        int(np.clip(np.sqrt(n / 8), 1, most_starts)),
    )


def _edges(values: np.ndarray, number: np.ndarray, n: int) -> np.ndarray:
    """Quantiles of the runs in the range that all rules share; two equal ends without one."""
    ends = np.array([_middle(values[number == i]) for i in np.unique(number)])
    low, high = ends[:, 0].max(), ends[:, 1].min()
    if low > high:
        return np.array([low, low])
    inside = values[(values >= low) & (values <= high)]
    return np.unique(np.quantile(inside, np.linspace(0, 1, n + 1))) if inside.size else ends[0]


def _bins(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Bin of each value, -1 outside."""
    if edges.size == 1:  # all values are one
        return np.where(values == edges[0], 0, -1)
    found = np.searchsorted(edges, values, side="right") - 1
    found[values == edges[-1]] = edges.size - 2
    found[(values < edges[0]) | (values > edges[-1])] = -1
    return found


def _weights(number: np.ndarray, pace: np.ndarray, start: np.ndarray) -> np.ndarray:
    weight = np.zeros(number.size)
    n_rules = number.max() + 1
    inside = (pace >= 0) & (start >= 0)
    cell = pace * (start.max() + 1) + start
    for one in np.unique(cell[inside]):
        there = inside & (cell == one)
        n = np.bincount(number[there], minlength=n_rules)
        if n.min() > 0:
            weight[there] = n.min() / n[number[there]]
    return weight / weight.max() if weight.max() > 0 else weight


def _middle(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, [0.05, 0.95])
    return float(low), float(high)


def _effective(weight: np.ndarray) -> float:
    squares = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squares if squares else 0.0


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and np.isnan(value) else value

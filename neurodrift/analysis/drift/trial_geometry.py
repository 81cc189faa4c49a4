"""The direction of drift within the variability of trials (after Aitken et al. 2022)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, lag_coords, only_registered
from neurodrift.analysis.maps.binning import Binning
from neurodrift.analysis.maps.rate_maps import compute_rate_maps
from neurodrift.kinematics import number_laps
from neurodrift.schema import label
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import DRIFT_GEOMETRY

_PAIR = ("session_a", "session_b")
_N_FOLDS = 3
_CLEAR = 2.0  # standard errors by which drift must exceed the noise
_ROUNDING = 1e-9

Trials = Sequence[np.ndarray]
"""(trial, unit) activity of each group, the trials that should be alike: those at one place."""


@checked_options
def compute_drift_geometry(
    recording: xr.Dataset,
    *,
    by: Literal["lap", "trial"] | None = None,
    binning: Binning | None = None,
    min_laps: int = 9,
    n_components: int = 5,
) -> xr.Dataset:
    r"""Whether a code drifts in the directions in which it varies from lap to lap.

    Parameters
    ----------
    recording
        A recording with a position and laps or trials; NumPy or Dask (then one or two sessions are
        in memory at a time). Units that are not ``registered`` are left out.
    by
        What one population vector is made from, at each bin and running direction; laps where the
        recording has them or a position on a line, round track or maze, otherwise trials.
    binning
        As for :func:`neurodrift.compute_rate_maps`. Bins are not smoothed.
    min_laps
        Fewest laps or trials through a bin in both sessions.
    n_components
        Principal components that angles are given for.

    Returns
    -------
    xarray.Dataset
        Over (session_a, session_b), of the units detected and the bins passed in both:

        ``gamma``, ``gamma_chance``
            Share of the change in the variational space of a, mean over bins, and that of a change
            in any direction. Noise raises it: see ``gamma_corrected``.
        ``gamma_corrected``
            The same without noise; NaN where the change is not clearly above it.
        ``change_square``, ``change_square_within``, ``change_square_se``
            Square of the change without noise, its part in the variational space, and the error of
            the first where nothing changes [squared unit of the maps]; mean over bins.
        ``relative_size``, ``relative_size_corrected``
            Length of the change over that of the mean vector.
        ``overlap``, ``overlap_chance``
            Of the variational spaces of a and b.
        ``n_units``, ``n_bins``
            That entered.

        Over (session_a, session_b, component): ``angle`` of the change with a component [deg],
        above 90 where activity falls along it, and ``angle_corrected``. Over session_a:
        ``dimension``, ``variance_within`` (share in the variational space) and ``gamma_halves``,
        the gamma between halves of one session, in which nothing changes. ``variance_share``
        (session_a, component).

    Raises
    ------
    ValueError
        If there is no position, or neither laps nor trials.

    Notes
    -----
    Principal components :math:`w_i` of the trials of a bin (turned so that the mean vector lies on
    their positive side) explain shares :math:`v_i` of the variance. With

    .. math:: D = \frac{(\sum_i v_i)^2}{\sum_i v_i^2}

    the variational space is that of the first :math:`\lceil D \rceil` components, P its projector,
    and for the change of the mean vector, d,

    .. math::

       \gamma = \frac{\lVert P d \rVert^2}{\lVert d \rVert^2}, \qquad
       \Gamma = \frac{\sum_{ij} (w^a_i \cdot w^b_j)^2}{\min(\lceil D_a \rceil, \lceil D_b \rceil)}

    by chance :math:`\lceil D \rceil / n` of n units, and
    :math:`\max(\lceil D_a \rceil, \lceil D_b \rceil) / n` [1]_. Since d holds the noise of two
    means, which lies in the variational space, :math:`\gamma` is above chance where nothing drifts.
    The corrected numbers, which are ours, take every third trial: two thirds give independent
    changes, whose products have no noise in the mean, and the last one gives P, in each of the
    three ways; products are added over bins before they are divided. The mean square of a change
    is clear where it is above 2 standard errors of what noise alone gives,
    :math:`\sqrt{\mathrm{tr}\, S^2 / 3}` for the covariance S of the noise of a third, if bins are
    independent.

    References
    ----------
    .. [1] Aitken, Garrett, Olsen & Mihalas (2022), PLoS Comput Biol.
       https://doi.org/10.1371/journal.pcbi.1010716

    Examples
    --------
    >>> from neurodrift import Binning, compute_drift_geometry, testing
    >>> track = testing.linear_track(n_units=30, n_sessions=3, minutes=10.0)
    >>> found = compute_drift_geometry(track, binning=Binning(bin_width=20), min_laps=6)
    >>> found["gamma"].dims, bool(found["gamma_chance"].max() < 1)
    (('session_a', 'session_b'), True)
    """
    if by is None:
        by = "lap" if "lap" in recording or "trial" not in recording else "trial"
        if "lap" not in recording and "x" in recording and "y" not in recording:
            try:
                recording, by = number_laps(recording), "lap"
            except ValueError:  # a geometry without laps
                if "trial" not in recording:
                    raise
    if by not in recording:
        raise ValueError(
            f"the recording has no {by}: the geometry of drift needs laps or trials, such as "
            "recording_from_arrays(..., lap=...)"
        )
    if n_components < 1:
        raise ValueError(f"n_components is {n_components}, expected at least 1")
    recording = only_registered(recording)
    maps = compute_rate_maps(recording, binning=binning, by=by)
    names = recording["session"].values
    detected = recording["detected"].transpose("session", "unit").values
    n = names.size
    found = _Found.empty(n, n_components)
    labels = [_main_map(maps, name) for name in names]
    for a in range(n):
        of_a = _groups(maps, names[a], labels[a])
        found.add_session(a, [g[:, detected[a]] for g in of_a], min_laps)
        for b in range(n):
            if a == b or labels[a] != labels[b]:
                continue
            units = detected[a] & detected[b]
            of_b = _groups(maps, names[b], labels[b])
            both = [
                (one[:, units], other[:, units])
                for one, other in zip(of_a, of_b, strict=True)
                if min(len(one), len(other)) >= min_laps
            ]
            found.add_pair(a, b, [one for one, _ in both], [other for _, other in both])
    coords = carry_coords(recording)
    coords |= {name: names for name in _PAIR}
    coords |= lag_coords(recording, _PAIR, np.arange(n))
    coords["component"] = np.arange(1, n_components + 1)
    return label(found.dataset(coords, by, min_laps), DRIFT_GEOMETRY)


def _main_map(maps: xr.Dataset, session: Any) -> int:
    """Map that most trials of a session lie in; 0 where maps have no label."""
    if "map_label" not in maps.coords:
        return 0
    own = maps["map_label"].values[maps["session"].values == session]
    values, counts = np.unique(own, return_counts=True)
    return int(values[counts.argmax()]) if values.size else 0


def _groups(maps: xr.Dataset, session: Any, map_label: int) -> list[np.ndarray]:
    """(trial, unit) rates of each running direction and bin, of the trials that passed it."""
    own = maps["session"].values == session
    if "map_label" in maps.coords:
        own = own & (maps["map_label"].values == map_label)
    part = maps[["rate", "occupancy"]].isel(segment=np.flatnonzero(own)).compute()
    rate = part["rate"].transpose("direction", "position", "segment", "unit").values
    passed = part["occupancy"].transpose("direction", "position", "segment").values > 0
    return [rate[d, p][passed[d, p]] for d in range(rate.shape[0]) for p in range(rate.shape[1])]


@dataclass(frozen=True, eq=False)
class Axes:
    """Principal components of the trials of a group.

    Parameters
    ----------
    mean
        (unit) mean vector.
    share
        (component) share of the variance, falling.
    directions
        (component, unit) of length 1, with the mean vector on their positive side.
    """

    mean: np.ndarray
    share: np.ndarray
    directions: np.ndarray

    @property
    def dimension(self) -> float:
        """Participation ratio of the shares."""
        return float(self.share.sum() ** 2 / (self.share**2).sum())

    @property
    def n_within(self) -> int:
        """Dimensions of the variational space."""
        return math.ceil(self.dimension - _ROUNDING)

    @property
    def within(self) -> np.ndarray:
        """(component, unit) basis of the variational space."""
        return self.directions[: self.n_within]

    @classmethod
    def of(cls, trials: np.ndarray) -> Axes | None:
        """Of (trial, unit) activity; None where nothing varies."""
        if not len(trials) or not trials.shape[1]:
            return None
        mean = trials.mean(axis=0)
        _, size, directions = np.linalg.svd(trials - mean, full_matrices=False)
        kept = size > _ROUNDING * max(float(np.abs(trials).max()), 1e-300)
        if not kept.any():
            return None
        directions = directions[kept]
        sign = np.where(directions @ mean < 0, -1.0, 1.0)
        share = size[kept] ** 2 / (size[kept] ** 2).sum()
        return cls(mean, share, sign[:, None] * directions)


@dataclass(frozen=True, eq=False)
class PairGeometry:
    """Numbers of one pair of sessions, see :func:`compute_drift_geometry`.

    Parameters
    ----------
    numbers
        By name.
    angle, angle_corrected
        (component) [deg].
    """

    numbers: dict[str, float]
    angle: np.ndarray
    angle_corrected: np.ndarray


def geometry_of_pair(a: Trials, b: Trials, *, n_components: int = 5) -> PairGeometry:
    """Geometry of the change from one session to another, from the trials themselves.

    Parameters
    ----------
    a, b
        (trial, unit) activity of the same groups and units in both sessions, finite; three trials
        or more of each. Groups in which nothing varies in a do not count.
    n_components
        Principal components that angles are given for.

    Returns
    -------
    PairGeometry
        NaN where no group counts.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.analysis.drift.trial_geometry import geometry_of_pair
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.standard_normal((2, 300, 5)) * [3.0, 1, 1, 1, 1]
    >>> along = geometry_of_pair([10 + noise[0]], [10 + noise[1] - [4, 0, 0, 0, 0]])
    >>> round(along.numbers["gamma_corrected"], 1), bool(along.angle[0] > 90)
    (1.0, True)
    """
    rows: list[dict[str, float]] = []
    naive: list[np.ndarray] = []
    along: list[np.ndarray] = []
    for one, other in zip(a, b, strict=True):
        row = _group(one, other, n_components)
        if row is not None:
            rows.append(row[0])
            naive.append(row[1])
            along.append(row[2])
    missing = np.full(n_components, np.nan)
    if not rows:
        numbers = dict.fromkeys(_NUMBERS, math.nan)
        return PairGeometry(numbers | {"n_bins": 0}, missing, missing)
    mean = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    square, size = mean["change_square"], mean["mean_square"]
    se = math.sqrt(mean.pop("null_variance") / len(rows))
    clear = square > _CLEAR * se and square > 0
    numbers = {
        **{name: mean[name] for name in _NUMBERS if name in mean},
        "change_square_se": se,
        "gamma_corrected": mean["change_square_within"] / square if clear else math.nan,
        "relative_size_corrected": math.sqrt(square / size) if clear and size > 0 else math.nan,
        "n_bins": len(rows),
    }
    cosines = _mean_of_known(np.array(along))
    cosines = cosines / math.sqrt(square) if clear else missing
    angle = _mean_of_known(np.degrees(np.arccos(np.clip(naive, -1, 1))))
    return PairGeometry(numbers, angle, np.degrees(np.arccos(np.clip(cosines, -1, 1))))


_NUMBERS = (
    "gamma",
    "gamma_chance",
    "gamma_corrected",
    "change_square",
    "change_square_within",
    "change_square_se",
    "relative_size",
    "relative_size_corrected",
    "overlap",
    "overlap_chance",
)


def _group(
    a: np.ndarray, b: np.ndarray, n_components: int
) -> tuple[dict[str, float], np.ndarray, np.ndarray] | None:
    """Numbers of one group; cosines with the components, and the change along them."""
    axes, axes_b = Axes.of(a), Axes.of(b)
    folds = [Axes.of(a[f::_N_FOLDS]) for f in range(_N_FOLDS)]
    if axes is None or axes_b is None or None in folds or len(b) < _N_FOLDS:
        return None
    n = a.shape[1]
    change = axes_b.mean - axes.mean
    square = float(change @ change)
    if square == 0:
        return None
    product = axes.within @ axes_b.within.T
    k, k_b = axes.n_within, axes_b.n_within
    row = {
        "gamma": float(((axes.within @ change) ** 2).sum()) / square,
        "gamma_chance": k / n,
        "relative_size": math.sqrt(square / float(axes.mean @ axes.mean))
        if axes.mean.any()
        else math.nan,
        "overlap": float((product**2).sum()) / min(k, k_b),
        "overlap_chance": max(k, k_b) / n,
    }
    means = [(a[f::_N_FOLDS].mean(axis=0), b[f::_N_FOLDS].mean(axis=0)) for f in range(_N_FOLDS)]
    totals = np.zeros(3)
    along = np.zeros((_N_FOLDS, n_components))
    for f in range(_N_FOLDS):
        (a_1, b_1), (a_2, b_2) = means[f - 1], means[f - 2]
        one, other = b_1 - a_1, b_2 - a_2
        apart = folds[f]
        assert apart is not None
        totals += one @ other, (apart.within @ one) @ (apart.within @ other), a_1 @ a_2
        along[f] = _padded(apart.directions @ (one + other) / 2, n_components)
    row["change_square"], row["change_square_within"], row["mean_square"] = totals / _N_FOLDS
    row["null_variance"] = _noise_square(a, b) / _N_FOLDS
    cosine = _padded(axes.directions @ change / math.sqrt(square), n_components)
    return row, cosine, along.mean(axis=0)


def _noise_square(a: np.ndarray, b: np.ndarray) -> float:
    """Trace of the squared covariance of the noise of the change of a third of the trials."""
    away = [(x - x.mean(axis=0)) / math.sqrt((len(x) - 1) * len(x) / _N_FOLDS) for x in (a, b)]
    return float(sum(((one @ other.T) ** 2).sum() for one in away for other in away))


def _padded(values: np.ndarray, n: int) -> np.ndarray:
    return np.concatenate([values[:n], np.full(max(n - values.size, 0), np.nan)])


def _mean_of_known(values: np.ndarray) -> np.ndarray:
    """Mean over the first axis of what is not NaN; NaN where all is."""
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan)


@dataclass(eq=False)
class _Found:
    """Arrays of all sessions and pairs."""

    pairs: dict[str, np.ndarray]
    angles: dict[str, np.ndarray]
    sessions: dict[str, np.ndarray]
    share: np.ndarray
    counts: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def empty(cls, n: int, n_components: int) -> _Found:
        return cls(
            {name: np.full((n, n), np.nan) for name in _NUMBERS},
            {name: np.full((n, n, n_components), np.nan) for name in ("angle", "angle_corrected")},
            {name: np.full(n, np.nan) for name in ("dimension", "variance_within", "gamma_halves")},
            np.full((n, n_components), np.nan),
            {name: np.zeros((n, n), dtype=np.int64) for name in ("n_units", "n_bins")},
        )

    def add_session(self, a: int, groups: Trials, min_laps: int) -> None:
        """What the trials of one session say: dimension, shares, and gamma of its halves."""
        enough = [group for group in groups if len(group) >= min_laps]
        axes = [one for one in map(Axes.of, enough) if one is not None]
        if not axes:
            return
        self.sessions["dimension"][a] = np.mean([one.dimension for one in axes])
        within = [one.share[: one.n_within].sum() for one in axes]
        self.sessions["variance_within"][a] = np.mean(within)
        n_components = self.share.shape[1]
        shares = np.array([_padded(one.share, n_components) for one in axes])
        self.share[a] = _mean_of_known(shares)
        halves = geometry_of_pair(
            [group[::2] for group in enough], [group[1::2] for group in enough]
        )
        self.sessions["gamma_halves"][a] = halves.numbers["gamma"]

    def add_pair(self, a: int, b: int, of_a: Trials, of_b: Trials) -> None:
        """What the trials of two sessions say."""
        found = geometry_of_pair(of_a, of_b, n_components=self.share.shape[1])
        for name in _NUMBERS:
            self.pairs[name][a, b] = found.numbers[name]
        self.angles["angle"][a, b] = found.angle
        self.angles["angle_corrected"][a, b] = found.angle_corrected
        self.counts["n_bins"][a, b] = found.numbers["n_bins"]
        self.counts["n_units"][a, b] = of_a[0].shape[1] if of_a else 0

    def dataset(self, coords: dict[str, Any], by: str, min_laps: int) -> xr.Dataset:
        """All of it, labelled."""
        variables: dict[str, Any] = {n: (_PAIR, v) for n, v in (self.pairs | self.counts).items()}
        variables |= {n: ((*_PAIR, "component"), v) for n, v in self.angles.items()}
        variables |= {n: ("session_a", v) for n, v in self.sessions.items()}
        variables["variance_share"] = (("session_a", "component"), self.share)
        reason = (
            ""
            if self.counts["n_bins"].any()
            else (f"no bin was passed in {min_laps} {by}s of two sessions by units that vary")
        )
        attrs = {"by": by, "min_laps": min_laps, "reason": reason}
        return xr.Dataset(variables, coords=coords, attrs=attrs)

"""Whether the relations among patterns stay from session to session, beyond what any code has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, lag_coords
from neurodrift.analysis._inference import permutation_p
from neurodrift.analysis.drift.drift import pearson
from neurodrift.analysis.relations.codes import Codes, codes_of
from neurodrift.analysis.relations.dissimilarity import crossnobis
from neurodrift.analysis.relations.order import order_trend
from neurodrift.analysis.relations.structure import (
    Classes,
    centred_gram,
    pattern_correlations,
    procrustes_angle,
    unbiased_hsic,
)
from neurodrift.analysis.relations.symmetries import Symmetry, symmetries
from neurodrift.analysis.relations.unrelated import unrelated_codes
from neurodrift.schema import label
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import RELATIONS
from neurodrift.seeds import generator

FEWEST_UNITS = 10
"""Units below which nothing is told of the relations among patterns."""

MIN_RELIABILITY = 0.1
"""Correlation of the relations in both halves of a session below which nothing is told."""

_FEWEST_POINTS = 5
_PAIR = ("session_a", "session_b")


@checked_options
def compute_relations(
    halves: xr.Dataset, *, n_draws: int = 100, n_permutations: int = 1000, seed: int = 0
) -> xr.Dataset:
    r"""Similarity of the relations among population vectors, between sessions and against chance.

    The estimand is the correlation, over pairs of places, of how alike the two places are in
    session a with how alike they are in session b. It does not ask which unit is active where:
    units may change while the relations stay [1]_.

    **Two unrelated codes of one track agree by .96 or more**, because places that lie close to each
    other have similar patterns in any code. Look at ``structure_excess``, what sessions have in
    common beyond unrelated codes, and at ``structure_free``, from which the mean of all pairs of
    places at the same distance is taken; on a line unrelated codes share even that (.80 with 1,000
    units), because the ends of a track are alike in all codes.

    Parameters
    ----------
    halves
        Half maps, from :func:`neurodrift.compute_half_maps`, not smoothed: the noise of
        neighbouring bins is then independent, and is not taken for relations among them.
    n_draws
        How often every session is redrawn as an unrelated code.
    n_permutations
        Random orders of the sessions for the trend with lag, where there are more than seven.
    seed
        Seed of both.

    Returns
    -------
    xarray.Dataset
        Over (session_a, session_b); the diagonal compares the halves of a session. A pair takes
        the units detected (``n_units``) and the bins visited (``n_points``, in each direction) in
        both halves of both.

        ``structure``
            The correlation of relations, always between halves of two sessions, as in [1]_.
        ``structure_relative``
            The same divided by what the halves of the two sessions have.
        ``structure_null``, ``structure_excess``, ``structure_p``
            Mean of ``structure_relative`` over unrelated codes with the same tuning, the excess
            over it, and the share of them that reach the observed value.
        ``structure_free`` and ``structure_free_relative``, ``_null``, ``_excess``, ``_p``
            The same of the relations less their mean at each distance.
        ``vectors``, ``vectors_relative``
            Mean correlation of the population vectors of the same places, for comparison.
        ``crossnobis``
            Correlation of the squared distances of patterns, estimated from both halves of each
            session (:func:`neurodrift.compute_dissimilarities`).
        ``cka``, ``cka_relative``
            Linear centred kernel alignment by the unbiased criterion, of halves.
        ``procrustes``
            Angle that remains after the best rotation [degree], of halves.
        ``symmetry``, ``symmetry_gain``, ``symmetry_p``
            The symmetry of the environment after which ``structure_free_relative`` is largest;
            how much larger it is than without, less the same of the halves of one session; and the
            share of unrelated codes for which the largest value reaches the observed one.

        ``trend`` [1/session], ``trend_p``: slope of ``structure_relative`` on the lag in sessions,
        against other orders of the sessions. ``mean_NAME`` and ``mean_NAME_p``: over all pairs, of
        ``structure`` and ``structure_free``, for ``_relative``, ``_null`` and ``_excess``.

        NaN where it cannot be told: fewer than 10 units or 5 points, halves of a session whose
        relations do not agree beyond their noise, or different maps (``map_label``).

    Raises
    ------
    TypeError, ValueError
        If it is given no half maps.

    Notes
    -----
    With :math:`U_a^h` the correlations over units of each two population vectors in half h of
    session a, ``structure`` is the mean of :math:`c(U_a^1, U_b^2)` and :math:`c(U_a^2, U_b^1)`, and
    ``structure_relative`` the mean of these covariances over :math:`\sqrt{\mathrm{cov}(U_a^1,
    U_a^2)\, \mathrm{cov}(U_b^1, U_b^2)}`.

    Few events and few units make all of these noisy, and the halves no longer agree; more units
    make unrelated codes more alike. Both are in the null, which has the units, the events and the
    noise of the recording. On a circle it keeps no place that more fields lie at than at others:
    what such a place makes alike counts as excess there.

    References
    ----------
    .. [1] Deitch, Rubin & Ziv (2021), Curr Biol. https://doi.org/10.1016/j.cub.2021.07.062

    Examples
    --------
    >>> from neurodrift import compute_half_maps, testing
    >>> from neurodrift.analysis.relations import compute_relations
    >>> track = testing.linear_track(n_units=60, n_sessions=3, drift=0.3)
    >>> found = compute_relations(compute_half_maps(track), n_draws=20)
    >>> found["structure_relative"].dims
    ('session_a', 'session_b')
    >>> bool((found["structure_p"].values[0, 1:] <= 1).all())
    True
    """
    codes = codes_of(halves)
    work = _Comparison(codes)
    n = codes.n_sessions
    values = {
        name: np.full((n, n), np.nan)
        for name, var in RELATIONS.items()
        if var.dims == _PAIR and var.kind == "float" and not var.coord
    }
    for name in ("n_units", "n_points"):
        values[name] = np.zeros((n, n), dtype=np.int64)
    names = np.full((n, n), "", dtype=object)
    pairs = [(a, b) for a in range(n) for b in range(a, n)]
    for a, b in pairs:
        units, points = codes.between(a, b)
        values["n_units"][a, b] = values["n_units"][b, a] = units.size
        values["n_points"][a, b] = values["n_points"][b, a] = points.size
        if not work.enough(a, b):
            continue
        for name, value in work.compare(a, b).items():
            values[name][a, b] = values[name][b, a] = value
        moved = work.moved(a, b)
        if moved is not None and a != b:
            values["symmetry_gain"][a, b] = values["symmetry_gain"][b, a] = moved[0]
            names[a, b] = names[b, a] = moved[1]
    apart = [(a, b) for a, b in pairs if a < b and work.enough(a, b)]
    null = _null(codes, work, apart, n_draws, seed)
    summary = _against_null(values, null, apart)
    at = np.arange(n, dtype=float)
    off = np.where(np.eye(n, dtype=bool), np.nan, values["structure_relative"])
    slope, p, n_orders = order_trend(off, at, n_permutations, generator(seed, "orders"))
    result = xr.Dataset(
        {name: (_PAIR, values[name]) for name in RELATIONS if name in values}
        | {"symmetry": (_PAIR, names)}
        | {name: ((), value) for name, value in summary.items()}
        | {"trend": ((), slope), "trend_p": ((), p)},
        coords=_coords(codes),
        attrs={
            "n_draws": n_draws,
            "n_orders": n_orders,
            "unrelated": "turned" if codes.is_ring else "maps of other units",
            "n_symmetries": len(work.moves),
            "seed": seed,
            "reason": _reason(codes, values),
        },
    )
    return label(result, RELATIONS)


def _reason(codes: Codes, values: dict[str, np.ndarray]) -> str:
    """Why no pair of sessions has a value; empty where one has."""
    upper = np.triu_indices(codes.n_sessions, k=1)
    if not upper[0].size:
        return "there is one session"
    if np.isfinite(values["structure_relative"][upper]).any():
        return ""
    if values["n_units"][upper].max() < FEWEST_UNITS:
        return f"no two sessions share {FEWEST_UNITS} units"
    if values["n_points"][upper].max() < _FEWEST_POINTS:
        return f"no two sessions share {_FEWEST_POINTS} visited bins"
    return "the relations in both halves of a session do not agree beyond their noise"


def _coords(codes: Codes) -> dict[str, Any]:
    one = codes.source.isel(segment=codes.firsts)
    names = one["session"].values
    coords: dict[str, Any] = {_PAIR[0]: (_PAIR[0], names), _PAIR[1]: (_PAIR[1], names)}
    coords |= lag_coords(one, _PAIR, np.arange(names.size))
    return coords | carry_coords(codes.source)


@dataclass(frozen=True, eq=False)
class Relations:
    """Relations of both halves of a code over the same pairs of points.

    Parameters
    ----------
    whole, free
        (half, pair), the second less the mean of each lag.
    """

    whole: np.ndarray
    free: np.ndarray


@dataclass(eq=False)
class _Comparison:
    """Pairs of sessions of a recording, with what was computed for one kept for the next."""

    codes: Codes
    moves: list[Symmetry] = field(init=False)
    lags: np.ndarray = field(init=False)
    kept: dict[tuple[int, bytes, bytes], Relations] = field(default_factory=dict)
    classes: dict[bytes, Classes] = field(default_factory=dict)
    gains: dict[tuple[int, bytes, bytes], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.moves = symmetries(self.codes)
        self.lags = self.codes.lag_class()

    def enough(self, a: int, b: int) -> bool:
        """Whether two sessions share enough units and points."""
        units, points = self.codes.between(a, b)
        return units.size >= FEWEST_UNITS and points.size >= _FEWEST_POINTS

    def classes_of(self, points: np.ndarray) -> Classes:
        key = points.tobytes()
        if key not in self.classes:
            self.classes[key] = Classes.of(self.lags, points)
        return self.classes[key]

    def relations(
        self,
        rate: np.ndarray,
        session: int,
        units: np.ndarray,
        points: np.ndarray,
        kept: dict[tuple[int, bytes, bytes], Relations],
    ) -> Relations:
        """Relations of one session, of codes that `kept` belongs to."""
        key = (session, units.tobytes(), points.tobytes())
        if key not in kept:
            both = rate[session][:, units[:, None], points]
            whole = np.stack([pattern_correlations(half) for half in both])
            free = self.classes_of(points).free
            kept[key] = Relations(whole, np.stack([free(half) for half in whole]))
        return kept[key]

    def compare(self, a: int, b: int) -> dict[str, float]:
        """Every measure of two sessions but those against unrelated codes."""
        units, points = self.codes.between(a, b)
        one, other = (self.relations(self.codes.rate, s, units, points, self.kept) for s in (a, b))
        rates = [self.codes.rate[s][:, units[:, None], points] for s in (a, b)]
        halves = [(0, 1), (1, 0)] if a != b else [(0, 1)]
        found: dict[str, float] = {}
        for name, x, y in (
            ("structure", one.whole, other.whole),
            ("structure_free", one.free, other.free),
        ):
            found[name] = float(np.mean([pearson(x[i], y[j]) for i, j in halves]))
            found[f"{name}_relative"] = relative(x, y)
        found["vectors"] = float(
            np.mean([np.nanmean(pearson(rates[0][i].T, rates[1][j].T)) for i, j in halves])
        )
        within = [np.nanmean(pearson(rate[0].T, rate[1].T)) for rate in rates]
        found["vectors_relative"] = ratio(found["vectors"], *within)
        grams = [[centred_gram(half) for half in rate] for rate in rates]

        def criterion(s: int, i: int, t: int, j: int) -> float:
            return unbiased_hsic(grams[s][i], grams[t][j])

        between = float(np.mean([criterion(0, i, 1, j) for i, j in halves]))
        own = [criterion(s, i, s, i) for s in (0, 1) for i in (0, 1)]
        size = np.sqrt(np.sqrt(np.prod(own))) if min(own) > 0 else np.nan
        found["cka"] = between / size if size > 0 else np.nan
        found["cka_relative"] = ratio(between, criterion(0, 0, 0, 1), criterion(1, 0, 1, 1))
        found["procrustes"] = float(
            np.mean([procrustes_angle(rates[0][i], rates[1][j]) for i, j in halves])
        )
        if a != b:
            above = np.triu_indices(points.size, k=1)
            squared = [crossnobis(rate[0], rate[1])[above] for rate in rates]
            found["crossnobis"] = float(pearson(squared[0], squared[1]))
        return found

    def moved(self, a: int, b: int) -> tuple[float, str] | None:
        """Gain of the best symmetry over none, calibrated on halves; None where there is none."""
        units, points = self.codes.between(a, b)
        if not self.moves or points.size < self.codes.position.size:
            return None
        best = self.best_move(self.codes.rate, a, b, units, points, self.kept)
        if best is None:
            return None
        one, other = (self.relations(self.codes.rate, s, units, points, self.kept) for s in (a, b))
        plain = relative(one.free, other.free)
        chance = []
        for s in (a, b):
            key = (s, units.tobytes(), points.tobytes())
            if key not in self.gains:
                own = self.best_move(self.codes.rate, s, s, units, points, self.kept)
                self.gains[key] = own[0] - 1.0 if own is not None else np.nan
            chance.append(max(0.0, self.gains[key]))
        return best[0] - plain - float(np.mean(chance)), self.moves[best[1]].name

    def best_move(
        self,
        rate: np.ndarray,
        a: int,
        b: int,
        units: np.ndarray,
        points: np.ndarray,
        kept: dict[tuple[int, bytes, bytes], Relations],
    ) -> tuple[float, int] | None:
        """Largest relative similarity without lags after any symmetry, and its number."""
        one, other = (self.relations(rate, s, units, points, kept) for s in (a, b))
        ceiling = within(one.free, other.free)
        if not ceiling > 0:
            return None
        n = self.codes.position.size
        square = [np.zeros((n, n)) for _ in range(2)]
        above = np.triu_indices(n, k=1)
        for matrix, values in zip(square, other.free, strict=True):
            matrix[above] = values
            matrix += matrix.T
        gained = []
        for move in self.moves:
            rows, columns = move.source[above[0]], move.source[above[1]]
            y = [matrix[rows, columns] for matrix in square]
            halves = [(0, 1), (1, 0)]
            gained.append(np.mean([(one.free[i] * y[j]).mean() for i, j in halves]) / ceiling)
        best = int(np.argmax(gained))
        return float(gained[best]), best


def relative(x: np.ndarray, y: np.ndarray) -> float:
    """Covariance of the relations of two codes (half, pair) over that of the halves of each."""
    c = covariances(x, y)
    for own, (one, other) in zip(c[1:], (x, y), strict=True):
        spread = one.std() * other.std()
        if not (spread > 0 and own > _reliable(x.shape[1]) * spread):
            return np.nan
    return float(c[0] / np.sqrt(c[1] * c[2]))


def _reliable(n_pairs: int) -> float:
    """Correlation of halves below which they do not agree beyond their noise."""
    return max(MIN_RELIABILITY, 2.0 / np.sqrt(max(n_pairs, 1)))


def covariances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(3) covariance between two codes (half, pair), within the one, and within the other.

    Products are always of different halves, so that their noise is independent, also where the
    codes were drawn from the same units.
    """
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    n = x.shape[1]
    between = (x[0] @ y[1] + x[1] @ y[0]) / 2
    return np.array([between, x[0] @ x[1], y[0] @ y[1]]) / n


def within(x: np.ndarray, y: np.ndarray) -> float:
    """Geometric mean of the covariances of the halves of two codes; NaN if one is not above 0."""
    c = covariances(x, y)
    return float(np.sqrt(c[1] * c[2])) if min(c[1:]) > 0 else np.nan


def ratio(between: float, one: float, other: float) -> float:
    """A similarity over the geometric mean of its two ceilings; NaN if one is not above 0."""
    return float(between / np.sqrt(one * other)) if min(one, other) > 0 else np.nan


_KINDS = ("structure", "structure_free")


def _null(
    codes: Codes, work: _Comparison, pairs: list[tuple[int, int]], n_draws: int, seed: int
) -> dict[str, np.ndarray]:
    """Relative similarities (draw, pair) of unrelated codes, and their best after a symmetry."""
    found = {name: np.full((n_draws, len(pairs), 3), np.nan) for name in _KINDS}
    shared = np.zeros((n_draws, len(pairs), 2))
    best = np.full((n_draws, len(pairs)), np.nan)
    if not pairs:
        return {name: found[name][..., 0] for name in _KINDS} | {"best": best}
    for k, draw in enumerate(unrelated_codes(codes, n_draws, seed)):
        kept: dict[tuple[int, bytes, bytes], Relations] = {}
        for i, (a, b) in enumerate(pairs):
            units, points = codes.between(a, b)
            one, other = (work.relations(draw.rate, s, units, points, kept) for s in (a, b))
            found["structure"][k, i] = covariances(one.whole, other.whole)
            found["structure_free"][k, i] = covariances(one.free, other.free)
            shared[k, i] = draw.shared[a, b], (draw.shared[a, a] + draw.shared[b, b]) / 2
            if work.moves and points.size == codes.position.size and k < _FEW_MOVES:
                move = work.best_move(draw.rate, a, b, units, points, kept)
                best[k, i] = np.nan if move is None else move[0]
    return {name: _without_sampling(found[name], shared) for name in _KINDS} | {"best": best}


_FEW_MOVES = 20  # draws in which every symmetry is tried


def _without_sampling(c: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """Relative similarity (draw, pair) without what codes share by coming from the same units.

    The sampling variance of a code is what the halves of one have in common and two codes of the
    same units have not.
    """
    own = np.sqrt(np.clip(c[..., 1] * c[..., 2], 0, None))
    apart = (shared[..., 1] - shared[..., 0]).mean(axis=0)
    sampling = np.clip((own - c[..., 0]).mean(axis=0), 0, None)
    sampling = np.divide(sampling, apart, out=np.zeros_like(sampling), where=apart > 0)
    between = c[..., 0] - shared[..., 0] * sampling
    ceiling = own - (shared[..., 1] - 1) * sampling
    usual = np.clip(ceiling.mean(axis=0), 0, None)
    ceiling = np.where(ceiling > usual / 2, ceiling, usual)
    return np.asarray(
        np.divide(between, ceiling, out=np.full(between.shape, np.nan), where=ceiling > 0)
    )


def _against_null(
    values: dict[str, np.ndarray], null: dict[str, np.ndarray], pairs: list[tuple[int, int]]
) -> dict[str, float]:
    """Fill in what unrelated codes have, pair by pair, and give the means over pairs."""
    summary: dict[str, float] = {}
    for name in _KINDS:
        observed = np.array([values[f"{name}_relative"][pair] for pair in pairs])
        drawn = null[name]
        for i, (a, b) in enumerate(pairs):
            if not (np.isfinite(observed[i]) and np.isfinite(drawn[:, i]).all()):
                continue
            chance = max(0.0, float(drawn[:, i].mean()))  # what codes share is a variance
            found = {
                "null": chance,
                "excess": observed[i] - chance,
                "p": permutation_p(int((drawn[:, i] >= observed[i]).sum()), len(drawn)),
            }
            for end, value in found.items():
                values[f"{name}_{end}"][a, b] = values[f"{name}_{end}"][b, a] = value
        known = [i for i in range(len(pairs)) if np.isfinite(observed[i] + drawn[:, i].sum())]
        mean = observed[known].mean() if known else np.nan
        of_draw = drawn[:, known].mean(axis=1) if known else np.full(1, np.nan)
        summary[f"mean_{name}"] = float(mean)
        expected = np.maximum(0.0, of_draw.mean())
        summary[f"mean_{name}_null"] = float(expected)
        summary[f"mean_{name}_excess"] = float(mean - expected)
        summary[f"mean_{name}_p"] = (
            float(permutation_p(int((of_draw >= mean).sum()), of_draw.size)) if known else np.nan
        )
    for i, (a, b) in enumerate(pairs):
        gain, drawn = values["symmetry_gain"][a, b], null["best"][:, i]
        drawn = drawn[np.isfinite(drawn)]
        if np.isfinite(gain) and drawn.size:
            best = gain + values["structure_free_relative"][a, b]
            p = permutation_p(int((drawn >= best).sum()), drawn.size)
            values["symmetry_p"][a, b] = values["symmetry_p"][b, a] = p
    return summary

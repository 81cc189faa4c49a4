"""Whether the change of a code is one rotation and move of all units, or each unit's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, lag_coords
from neurodrift.analysis._inference import permutation_p
from neurodrift.analysis.alignment.decoding import READERS, reading_errors
from neurodrift.analysis.alignment.rotation import fit_rotation, shared_dimensions
from neurodrift.analysis.relations.codes import Codes, codes_of
from neurodrift.analysis.relations.unrelated import unrelated_codes
from neurodrift.schema import label
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import ALIGNMENT
from neurodrift.seeds import generator

FEWEST_UNITS = 20
"""Units below which nothing is told of rotations."""

_FEWEST_POINTS = 5
_CLEAR = 3.0  # standard errors over units by which a change must be above 0
_PAIR = ("session_a", "session_b")
_TESTS = ("transfer", "extrapolation")
_GAIN = ("reading_gain", "reading_gain_independent", "reading_gain_p")
_N_ANGLES = 5
_TIMES_NOISE = 3.0  # a dimension that is so many times as strong as noise is turned by half


@checked_options
def compute_alignment(halves: xr.Dataset, *, n_draws: int = 20, seed: int = 0) -> xr.Dataset:
    r"""How much of the change between sessions a rotation and a move of the whole code explain.

    The estimand is the share of the change of the population vectors that is explained by
    :math:`f_b = Q f_a + m` with one orthogonal Q for all places. The move m is the change of each
    unit's mean. It is always explained, also where every unit changes its rate on its own, and so
    it is taken away first and told apart (``move``); sessions are scaled to the same variance, so
    that fewer events in all units are no change. Of the rest the share is 1 for a code that turns
    as a whole, and about 0 where each unit changes on its own.

    Bins left out between others are no test of this: .95 and more of two unrelated codes is
    "explained" in that way, because neighbouring bins are alike. Here the rotation is fitted to
    other data than it is asked of.

    Parameters
    ----------
    halves
        Half maps, from :func:`neurodrift.compute_half_maps`, not smoothed.
    n_draws
        Draws of each of the two nulls.
    seed
        Seed of the draws.

    Returns
    -------
    xarray.Dataset
        Over (session_a, session_b), b later than a, NaN elsewhere:

        ``transfer``
            Share explained in one running direction (or trial type) by the rotation
            fitted in another, mean of all ways. It stays below 1 also for a true rotation where
            the directions do not span the same dimensions: what is not seen cannot be fitted.
        ``extrapolation``
            Share explained of the step from b to a session as far behind b as b is behind a, when
            the rotation from a to b is done again, in proportion to the days. Below 0 where the
            next step is another one.
        ``NAME_independent``, ``NAME_excess``, ``NAME_p``
            Mean of the same where the time of every second unit, drawn at random, runs backwards:
            each unit changes as much, but not together. Excess over it, and the share of draws that
            reach the observed value.
        ``NAME_unrelated``, ``NAME_unrelated_p``
            The same where the later sessions are unrelated codes.
        ``reading_aligned``, ``reading_unaligned``, ``reading_own``
            Mean error [cm] of reading the place of the patterns of b in one direction, from those
            of a turned by the rotation fitted in another direction, from those of a as they were,
            and from the other half of b itself; the nearest pattern by correlation.
            ``reading_gain`` is what the rotation takes off the error, mean over pairs;
            ``reading_gain_independent`` the same where units change on their own, and
            ``reading_gain_p`` the share of such draws that reach it.
        ``move``
            Share of the change that is the same at all places.
        ``change``
            Root mean square change of a unit at a place, without noise, in the unit of the maps.
        ``angle`` (session_a, session_b, plane)
            Largest angles of the rotation [degree]; noise makes them larger.
        ``n_dimensions``, ``n_units``, ``n_points``
            Dimensions that were compared, units detected in both, places.

        ``mean_NAME``, ``mean_NAME_excess``, ``mean_NAME_p``: over pairs. NaN where it cannot be
        told: fewer than 20 units, no dimension beyond the noise, one direction only, no third
        session, or no change that is clear from noise (``n_unchanged`` pairs).

    Raises
    ------
    TypeError, ValueError
        If it is given no half maps.

    Notes
    -----
    With :math:`r^h` what the rotation fitted to halves h leaves of halves h, and :math:`d^h` the
    change, both of vectors less their mean over places,

    .. math:: E = 1 - \frac{\sum r^1 \cdot r^2}{\sum d^1 \cdot d^2}

    Both are free of noise on average, since the halves' noise is independent. The rotation itself
    is fitted to noisy maps: it turns dimensions that are much stronger than their noise, and
    explains somewhat less than the true one would.

    The null of units on their own keeps the path of each unit, only that it runs backwards for
    some. Where each unit goes on steadily, as all fields of a code that shifts do, a step can be
    foretold without any turning together: ``extrapolation`` is then high in this null as well.

    Examples
    --------
    >>> from neurodrift import compute_half_maps, testing
    >>> from neurodrift.analysis.alignment import compute_alignment
    >>> track = testing.linear_track(n_units=40, n_sessions=3, drift=0.5)
    >>> found = compute_alignment(compute_half_maps(track), n_draws=5)
    >>> found["transfer"].dims
    ('session_a', 'session_b')
    """
    codes = codes_of(halves)
    n = codes.n_sessions
    values = {
        name: np.full((n, n), np.nan)
        for name, var in ALIGNMENT.items()
        if var.dims == _PAIR and var.kind == "float" and not var.coord
    }
    for name in ("n_dimensions", "n_units", "n_points"):
        values[name] = np.zeros((n, n), dtype=np.int64)
    angles = np.full((n, n, _N_ANGLES), np.nan)
    observed: dict[tuple[str, int, int], float] = {}
    unchanged = 0
    for a in range(n):
        for b in range(a + 1, n):
            units, points = codes.between(a, b)
            values["n_units"][a, b], values["n_points"][a, b] = units.size, points.size
            if units.size < FEWEST_UNITS or points.size < _FEWEST_POINTS:
                continue
            pair = [codes.rate[s][:, units[:, None], points] for s in (a, b)]
            values["change"][a, b], values["move"][a, b] = _change(*pair)
            values["n_dimensions"][a, b], found = _angles(*pair)
            angles[a, b, : found.size] = found
            for name in _TESTS:
                case = _case(codes, name, a, b)
                if case is None:
                    continue
                share = case.explained(codes.rate)
                unchanged += int(share is None)
                if share is not None:
                    observed[name, a, b] = values[name][a, b] = share
    drawn = _drawn(codes, observed, n_draws, seed)
    summary = _against_nulls(values, observed, drawn)
    summary |= _read(codes, values, observed, n_draws, seed)
    result = xr.Dataset(
        {name: (_PAIR, values[name]) for name in ALIGNMENT if name in values}
        | {"angle": ((*_PAIR, "plane"), angles)}
        | {name: ((), value) for name, value in summary.items()}
        | {"n_unchanged": ((), unchanged)},
        coords=_coords(codes),
        attrs={"n_draws": n_draws, "seed": seed, "reason": _reason(codes, values)},
    )
    return label(result, ALIGNMENT)


def _coords(codes: Codes) -> dict[str, Any]:
    one = codes.source.isel(segment=codes.firsts)
    names = one["session"].values
    coords: dict[str, Any] = {_PAIR[0]: (_PAIR[0], names), _PAIR[1]: (_PAIR[1], names)}
    coords |= lag_coords(one, _PAIR, np.arange(names.size))
    return coords | carry_coords(codes.source)


def _reason(codes: Codes, values: dict[str, np.ndarray]) -> str:
    """Why nothing is told; empty where something is."""
    if any(np.isfinite(values[name]).any() for name in _TESTS):
        return ""
    if codes.n_sessions < 2:
        return "there is one session"
    if values["n_units"].max() < FEWEST_UNITS:
        return f"no two sessions share {FEWEST_UNITS} units"
    if codes.direction.max(initial=0) == 0 and codes.n_sessions < 3:
        return "there is one running direction, and no third session"
    if values["n_dimensions"].max() < 1:
        return "the halves of a session have no dimension in common beyond their noise"
    return "no change between sessions is clear from noise"


def _angles(a: np.ndarray, b: np.ndarray) -> tuple[int, np.ndarray]:
    """Dimensions that are compared, and the largest angles of the rotation of all data."""
    a, b = _centred(a), _centred(b)
    axes, noise = shared_dimensions(a, b)
    if not axes.shape[1]:
        return 0, np.zeros(0)
    rotation = fit_rotation(a.mean(axis=0) @ axes, b.mean(axis=0) @ axes, _TIMES_NOISE * noise)
    return axes.shape[1], rotation.angles()[:_N_ANGLES]


def _change(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Root mean square change without noise, and the share of it that is the same everywhere."""
    step = b - a
    total = float((step[0] * step[1]).mean())
    mean = step.mean(axis=-1)
    if not total > 0:
        return 0.0, np.nan
    return float(np.sqrt(total)), float((mean[0] * mean[1]).mean() / total)


@dataclass(frozen=True, eq=False)
class _Case:
    """What a rotation is fitted to and asked of.

    Parameters
    ----------
    sessions
        From, to, and the session that is asked of where it is another one.
    units
        Units of all of them.
    ways
        Points fitted to, and points asked of.
    times
        How often the rotation is done.
    """

    sessions: tuple[int, ...]
    units: np.ndarray
    ways: list[tuple[np.ndarray, np.ndarray]]
    times: float

    def explained(
        self,
        rate: np.ndarray,
        *,
        first: np.ndarray | None = None,
        backwards: np.ndarray | None = None,
        clear: bool = True,
    ) -> float | None:
        """Share of the change that is explained; None where no change is clear from noise.

        Parameters
        ----------
        rate
            (session, half, unit, point)
        first
            The same, of which the first session is taken; `rate` when omitted.
        backwards
            (unit) whose time runs backwards.
        clear
            Whether the change must be clear from noise, and not above 0 alone.
        """
        seen = self._codes(rate, first)
        ways = self._known_ways(seen)
        codes = self._scaled(seen, backwards, ways)
        if codes is None:
            return None
        left, change = 0.0, np.zeros(self.units.size)
        for fitted, asked in ways:
            turned = self._turned(codes, fitted, asked)
            before, after = (_centred(code[:, :, asked]) for code in codes[-2:])
            step = after - before
            change += (step[0] * step[1]).sum(axis=1)
            if turned is None:
                return None
            left += float(((after[0] - turned[0]) * (after[1] - turned[1])).sum())
        total = change.sum()
        error = np.sqrt(change.size) * change.std(ddof=1)
        if not total > (_CLEAR * error if clear else 0.0):
            return None
        return float(1 - left / total)

    def read(
        self, rate: np.ndarray, away: np.ndarray, backwards: np.ndarray | None = None
    ) -> np.ndarray:
        """Errors of :func:`reading_errors`, mean over what is asked; NaN where it cannot be said.

        Parameters
        ----------
        rate
            (session, half, unit, point)
        away
            (point, point) distance of the places.
        backwards
            (unit) whose time runs backwards.
        """
        codes = self._scaled(self._codes(rate, None), backwards, self.ways)
        found = []
        for fitted, asked in self.ways:
            turned = None if codes is None else self._turned(codes, fitted, asked)
            if codes is None or turned is None:
                return np.full(len(READERS), np.nan)
            before, after = (_centred(code[:, :, asked]) for code in codes[-2:])
            found.append(reading_errors(turned, before, after, away[np.ix_(asked, asked)]))
        return np.asarray(np.mean(found, axis=0))

    def _known_ways(self, codes: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """The ways without unknown points: a draw lacks what its source did not visit."""
        known = np.all([np.isfinite(code).all(axis=(0, 1)) for code in codes], axis=0)
        ways = [(fitted[known[fitted]], asked[known[asked]]) for fitted, asked in self.ways]
        few = any(min(fitted.size, asked.size) < _FEWEST_POINTS for fitted, asked in ways)
        return [] if few else ways

    def _codes(self, rate: np.ndarray, first: np.ndarray | None) -> list[np.ndarray]:
        """Codes (half, unit, point) of the sessions."""
        one = rate if first is None else first
        sources = zip(self.sessions, (one, rate, rate), strict=False)
        return [source[s][:, self.units] for s, source in sources]

    def _scaled(
        self,
        codes: list[np.ndarray],
        backwards: np.ndarray | None,
        ways: list[tuple[np.ndarray, np.ndarray]],
    ) -> list[np.ndarray] | None:
        """Codes (half, unit, point) of the sessions with the same variance; None without any."""
        if not ways:
            return None
        points = np.unique(np.concatenate([way[0] for way in ways]))
        power = [_power(code[:, :, points]) for code in codes]
        if not min(power) > 0:
            return None
        codes = [code * np.sqrt(power[0] / own) for code, own in zip(codes, power, strict=True)]
        if backwards is not None:
            turn = backwards[self.units][:, None]
            pairs = zip(codes, codes[::-1], strict=True)
            codes = [np.where(turn, late, early) for early, late in pairs]
        return codes

    def _turned(
        self, codes: list[np.ndarray], fitted: np.ndarray, asked: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """What is asked of, turned by the rotation of what is fitted; None without dimensions."""
        a, b = (_centred(code[:, :, fitted]) for code in codes[:2])
        axes, noise = shared_dimensions(a, b)
        if not axes.shape[1]:
            return None
        before = _centred(codes[-2][:, :, asked])
        first, second = (
            fit_rotation(a[h] @ axes, b[h] @ axes, _TIMES_NOISE * noise).apply(
                before[h], self.times
            )
            for h in (0, 1)
        )
        return first, second


def _power(code: np.ndarray) -> float:
    """Variance over points of a code (half, unit, point), summed over units, without noise."""
    centred = _centred(code)
    return float((centred[0] * centred[1]).sum())


def _centred(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., point) less their mean over points."""
    return np.asarray(vectors - vectors.mean(axis=-1, keepdims=True))


def _times(codes: Codes) -> np.ndarray:
    """(session) days where they are known and increase, otherwise numbers."""
    one = codes.source.isel(segment=codes.firsts)
    if "day" in one.coords:
        days = one["day"].values.astype(float)
        if np.isfinite(days).all() and (np.diff(days) > 0).all():
            return days
    return np.arange(codes.n_sessions, dtype=float)


def _case(codes: Codes, name: str, a: int, b: int) -> _Case | None:
    """What is fitted and asked; None where the recording has no such thing."""
    units, points = codes.between(a, b)
    if name == "transfer":
        every = range(int(codes.direction.max(initial=0)) + 1)
        apart = [points[codes.direction[points] == d] for d in every]
        apart = [some for some in apart if some.size >= _FEWEST_POINTS]
        ways = [(fitted, asked) for fitted in apart for asked in apart if fitted is not asked]
        return _Case((a, b), units, ways, 1.0) if ways else None
    c = 2 * b - a
    if c >= codes.n_sessions or codes.map_label[c] != codes.map_label[b]:
        return None
    units = units[codes.detected[c][units]]
    points = points[codes.visited[c][points]]
    if units.size < FEWEST_UNITS or points.size < _FEWEST_POINTS:
        return None
    at = _times(codes)
    return _Case((a, b, c), units, [(points, points)], float((at[c] - at[b]) / (at[b] - at[a])))


_Drawn = dict[tuple[str, str, int, int], np.ndarray]


def _drawn(
    codes: Codes,
    observed: dict[tuple[str, int, int], float],
    n_draws: int,
    seed: int,
) -> _Drawn:
    """Share explained (draw) of each case under both nulls."""
    cases = {key: _case(codes, *key) for key in observed}
    found: _Drawn = {
        (null, *key): np.full(n_draws, np.nan)
        for null in ("independent", "unrelated")
        for key in cases
    }
    if not cases:
        return found
    for k, draw in enumerate(unrelated_codes(codes, n_draws, seed)):
        backwards = _backwards(codes, seed, k)
        for key, case in cases.items():
            assert case is not None
            value = case.explained(codes.rate, backwards=backwards, clear=False)
            found["independent", *key][k] = np.nan if value is None else value
            value = case.explained(draw.rate, first=codes.rate, clear=False)
            found["unrelated", *key][k] = np.nan if value is None else value
    return found


def _backwards(codes: Codes, seed: int, draw: int) -> np.ndarray:
    """(unit) whose time runs backwards in a draw."""
    return np.less(generator(seed, "backwards", draw).random(codes.rate.shape[2:3]), 0.5)


def _read(
    codes: Codes,
    values: dict[str, np.ndarray],
    observed: dict[tuple[str, int, int], float],
    n_draws: int,
    seed: int,
) -> dict[str, float]:
    """Fill in errors of reading, and give what alignment gains against units on their own."""
    away = codes.distances()[np.ix_(codes.position, codes.position)]
    cases = {(a, b): _case(codes, name, a, b) for name, a, b in observed if name == "transfer"}
    gains, drawn = [], np.zeros((len(cases), n_draws))
    for i, ((a, b), case) in enumerate(cases.items()):
        assert case is not None
        errors = case.read(codes.rate, away)
        for reader, error in zip(READERS, errors, strict=True):
            values[f"reading_{reader}"][a, b] = error
        gains.append(errors[1] - errors[0])
        for k in range(n_draws):
            aligned, unaligned, _ = case.read(codes.rate, away, _backwards(codes, seed, k))
            drawn[i, k] = unaligned - aligned
    known = np.isfinite(drawn).all(axis=0)
    if not gains or not known.any() or not np.isfinite(gains).all():
        return dict.fromkeys(_GAIN, np.nan)
    gain, chance = float(np.mean(gains)), drawn[:, known].mean(axis=0)
    reached = int((chance >= gain - 1e-12).sum())
    p = float(permutation_p(reached, chance.size))
    return dict(zip(_GAIN, (gain, float(chance.mean()), p), strict=True))


def _against_nulls(
    values: dict[str, np.ndarray], observed: dict[tuple[str, int, int], float], drawn: _Drawn
) -> dict[str, float]:
    """Fill in both nulls, case by case, and give the means over cases."""
    summary: dict[str, float] = {}
    for name in _TESTS:
        cases = {key: value for key, value in observed.items() if key[0] == name}
        for (_, a, b), value in cases.items():
            for null, end in (("independent", "p"), ("unrelated", "unrelated_p")):
                chance = drawn[null, name, a, b]
                chance = chance[np.isfinite(chance)]
                if chance.size:
                    values[f"{name}_{null}"][a, b] = chance.mean()
                    reached = int((chance >= value).sum())
                    values[f"{name}_{end}"][a, b] = permutation_p(reached, chance.size)
            values[f"{name}_excess"][a, b] = value - values[f"{name}_independent"][a, b]
        summary |= _mean_of(name, cases, drawn)
    return summary


def _mean_of(
    name: str, cases: dict[tuple[str, int, int], float], drawn: _Drawn
) -> dict[str, float]:
    """Mean over cases, its excess over units that change on their own, and p."""
    mean = float(np.mean(list(cases.values()))) if cases else np.nan
    found = {f"mean_{name}": mean}
    for null, excess, p in (
        ("independent", f"mean_{name}_excess", f"mean_{name}_p"),
        ("unrelated", f"mean_{name}_unrelated_excess", f"mean_{name}_unrelated_p"),
    ):
        chance = np.array([drawn[null, *key] for key in cases])
        known = np.isfinite(chance).all(axis=0) if chance.size else np.zeros(0, dtype=bool)
        if not known.any():
            found |= {excess: np.nan, p: np.nan}
            continue
        of_draw = chance[:, known].mean(axis=0)
        reached = int((of_draw >= mean).sum())
        found |= {
            excess: mean - float(of_draw.mean()),
            p: float(permutation_p(reached, of_draw.size)),
        }
    return found

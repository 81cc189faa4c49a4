"""Similarity without the attenuation by noise, from parts of sessions with independent noise.

Noise lowers every similarity of two sessions. Products of two parts whose noise is independent
are free of it on average, so that covariances of such parts, within and between sessions, tell how
alike the sessions are beneath the noise [1]_.

.. [1] Spearman (1904), Am J Psychol. https://doi.org/10.2307/1412159
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.schema import label
from neurodrift.schema.objects import expect_array, expect_same_labels
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import DRIFT

MIN_RELIABILITY = 2.0
"""Standard errors by which a ceiling must be above 0; below it nothing can be told from noise."""

_FEW_EVENTS = 20.0  # events at which a map counts half as much as one of very many
_FEWEST_UNITS = 3
_EQUAL = 1e-12  # relative spread below which numbers are equal up to rounding
_FLAT = 1e-9  # share of the variance over units, of which a single unit may have all


@dataclass(frozen=True, eq=False)
class Parts:
    """Maps of the parts of a session.

    Parameters
    ----------
    maps
        (part, unit, direction, position), NaN where not visited or not detected.
    events
        (part, unit, direction, position) that the maps are made of; None where events are not
        counted.
    seconds
        (part, direction, position) time in each bin.
    """

    maps: np.ndarray
    events: np.ndarray | None
    seconds: np.ndarray


def map_products(a: Parts, b: Parts, visited: np.ndarray) -> np.ndarray:
    r"""Products of the maps of each unit: between sessions a and b, within a, and within b.

    Parameters
    ----------
    a, b
        Parts of the two sessions. Where events are counted, a map counts as long as its part
        lasted and is divided by its events: given how many there are, where they fall tells of
        tuning alone, and neither a change of the rate between the sessions nor parts of unequal
        length change anything; a unit weighs :math:`n_a n_b / (n_a + 20) / (n_b + 20)` by its
        events in both. Otherwise maps are scaled to unit length, and products are Pearson
        correlations.
    visited
        (direction, position) bins that every part of both has.

    Returns
    -------
    numpy.ndarray
        (5, unit) weighted sums over directions, 0 for units that lack a map in some part: the
        three products, and the squared noise of the two within sessions.
    """
    total = np.zeros((5, a.maps.shape[1]))
    events = [side.events for side in (a, b) if side.events is not None]
    counts = len(events) == 2
    for d in range(visited.shape[0]):
        at = visited[d]
        if at.sum() < _FEWEST_UNITS:
            continue
        maps = [side.maps[:, :, d][:, :, at] for side in (a, b)]
        if counts:
            lasted = [side.seconds[:, d][:, at].sum(axis=-1)[:, None, None] for side in (a, b)]
            maps = [
                t * (m - m.mean(axis=-1, keepdims=True)) for m, t in zip(maps, lasted, strict=True)
            ]
            size = [number[:, :, d][:, :, at].sum(axis=-1) for number in events]
        else:
            maps = [_unit_length(m, -1) for m in maps]
            size = [np.ones(m.shape[:-1]) for m in maps]
        summed, number = [m.sum(axis=0) for m in maps], [n.sum(axis=0) for n in size]
        products = [(summed[0] * summed[1]).sum(axis=-1)]
        pairs = [number[0] * number[1]]
        for side in (0, 1):
            own = summed[side] ** 2 - (maps[side] ** 2).sum(axis=0)
            products.append(own.sum(axis=-1))
            pairs.append(number[side] ** 2 - (size[side] ** 2).sum(axis=0))
        weight = np.ones_like(number[0])
        if counts:
            weight = np.prod([n / (n + _FEW_EVENTS) for n in number], axis=0)
        found = np.array(products) * weight
        known: np.ndarray = np.isfinite(found).all(axis=0) & (np.array(pairs) > 0).all(axis=0)
        known &= np.all([(n > 0).all(axis=0) for n in size], axis=0)
        total[:3] += np.divide(found, np.array(pairs), out=np.zeros_like(found), where=known)
        for side in (0, 1):
            one, other = (
                maps[side][k::2].sum(axis=0)[known] / size[side][k::2].sum(axis=0)[known][:, None]
                for k in (0, 1)
            )
            total[3 + side][known] += (weight[known] * _noise(one, other)) ** 2
    return total


def _unit_length(values: np.ndarray, axis: int) -> np.ndarray:
    """Deviations from the mean, of length 1; NaN where all are equal but for rounding."""
    top = np.abs(values).max(axis=axis, keepdims=True)
    scaled = values / np.where(top > 0, top, np.nan)  # so that squares do not vanish
    apart = scaled - scaled.mean(axis=axis, keepdims=True)
    flat = np.abs(apart).max(axis=axis, keepdims=True) <= _EQUAL
    return np.asarray(apart / np.where(flat, np.nan, np.sqrt((apart**2).sum(axis, keepdims=True))))


def _noise(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Size of the noise in the product along the last axis of two parts that are equally noisy.

    With :math:`s, d` half their sum and difference the product is :math:`s^2 - d^2`. Its variance
    for given true values is the mean of :math:`4 (s d)^2`, also where noise of points is shared.
    """
    return np.asarray(((one**2).sum(axis=-1) - (other**2).sum(axis=-1)) / 2)


def disattenuated_maps(products: np.ndarray) -> tuple[float, float]:
    """Correlation of the maps of two sessions without their noise, over units.

    Parameters
    ----------
    products
        (5, unit) result of :func:`map_products`.

    Returns
    -------
    float, float
        The correlation and its standard error over units; NaN where it cannot be told from noise.
    """
    some = products[:, (products != 0).any(axis=0)]
    n = some.shape[1]
    if n < _FEWEST_UNITS:
        return np.nan, np.nan
    return _ratio(some[:3], np.sqrt(some[3:].sum(axis=1)) / n)


def disattenuated_vectors(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Correlation over units of the vectors of two sessions without their noise.

    Parameters
    ----------
    a, b
        (part, unit, point) finite activity of the parts of a session. More than two parts are
        averaged to two, every second one to the same. Correlations are averaged over points, with
        the ceilings over the same points.

    Returns
    -------
    float, float
        The correlation and its standard error over units; NaN where it cannot be told from noise.
    """
    n = a.shape[1]
    if n <= _FEWEST_UNITS or min(len(a), len(b)) < 2:
        return np.nan, np.nan
    halves = [side[k::2].mean(axis=0) for side in (a, b) for k in (0, 1)]
    halves = [_unit_length(half, 0) for half in halves]
    vary = np.isfinite(halves).all(axis=(0, 1))
    if not vary.any():
        return np.nan, np.nan
    halves = [half[:, vary] for half in halves]
    share = n / (n - 1)  # of a unit's product that its sum lacks without it
    left = [np.clip(1 - share * half**2, 0, None) for half in halves]

    def correlation(i: int, j: int) -> np.ndarray:
        """Mean over points, of all units and then without each of them."""
        products = halves[i] * halves[j]
        whole = products.sum(axis=0)
        size = np.sqrt(left[i] * left[j])
        each = np.divide(
            whole - share * products, size, out=np.full(size.shape, np.nan), where=size > _FLAT
        )
        number = np.isfinite(each).sum(axis=1)
        mean = np.where(np.isfinite(each), each, 0.0).sum(axis=1) / np.maximum(number, 1)
        return np.concatenate([[whole.mean()], mean])

    between = np.mean([correlation(i, j) for i in (0, 1) for j in (2, 3)], axis=0)
    found = np.array([between, correlation(0, 1), correlation(2, 3)])
    q = np.array([_noise(halves[k], halves[k + 1]) for k in (0, 2)])
    noise = np.sqrt((q * q).sum(axis=1)) / vary.sum()
    return jackknifed(found[:, 0], found[:, 1:], _CEILINGS, noise, _over_ceiling)


_CEILINGS = (1, 2)


def _over_ceiling(c: np.ndarray) -> np.ndarray:
    """Covariance between sessions over those within them."""
    return np.asarray(c[0] / np.sqrt(c[1] * c[2]))


def _ratio(products: np.ndarray, noise: np.ndarray) -> tuple[float, float]:
    """Ratio to its ceiling of mean products (3, unit): between, within a, within b."""
    n, total = products.shape[1], products.sum(axis=1)
    without = (total[:, None] - products) / (n - 1)
    return jackknifed(total / n, without, _CEILINGS, noise, _over_ceiling)


def jackknifed(
    total: np.ndarray,
    without: np.ndarray,
    ceilings: tuple[int, ...],
    noise: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
) -> tuple[float, float]:
    """A statistic of covariances and its standard error over units, by the jackknife.

    Parameters
    ----------
    total
        (covariance) of all units.
    without
        (covariance, unit) without each unit.
    ceilings
        Which covariances are divided by, and must be above their noise.
    noise
        (ceiling) its standard error, of these units.
    statistic
        Maps (covariance, ...) to (...).

    Returns
    -------
    float, float
        NaN where a ceiling is not :data:`MIN_RELIABILITY` standard errors above 0.
    """
    n = without.shape[1]
    below = list(ceilings)
    clear = (total[below] > MIN_RELIABILITY * noise) & (total[below] > 0)
    if not clear.all() or not (without[below] > 0).all():
        return np.nan, np.nan
    estimate, each = float(statistic(total)), statistic(without)
    mean = float(each.mean())
    se = np.sqrt((n - 1) / n * ((each - mean) ** 2).sum())
    return estimate, float(se)


def disattenuated_samples(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    """Similarity without noise of the activity of two sessions, over samples and units together.

    Parameters
    ----------
    a, b
        (2, sample, unit) finite activity in two parts of each session.

    Returns
    -------
    dict
        ``correlation``, ``r_squared``, ``r_squared_centred`` and ``determination`` (of b, with a
        as the reference), each with ``_se`` over units.
    """
    names = ("correlation", "r_squared", "r_squared_centred", "determination")
    found = dict.fromkeys([f"{name}{end}" for name in names for end in ("", "_se")], np.nan)
    n_samples, n_units = a.shape[1:]
    if n_units < _FEWEST_UNITS or n_samples < 2:
        return found
    pairs = [(a[i], b[j]) for i, j in ((0, 0), (1, 1), (0, 1), (1, 0))]
    pairs += [(a[0], a[1]), (b[0], b[1])]
    pooled, own, raw = [], [], []
    for x, y in pairs:
        xy, x_sum, y_sum = (x * y).sum(axis=0), x.sum(axis=0), y.sum(axis=0)
        own.append(_with_and_without(xy - x_sum * y_sum / n_samples))
        raw.append(_with_and_without(xy))
        sums = [np.concatenate([[v.sum()], v.sum() - v]) for v in (xy, x_sum, y_sum)]
        number = n_samples * np.concatenate([[n_units], np.full(n_units, n_units - 1)])
        pooled.append((sums[0] - sums[1] * sums[2] / number) / number)

    def squared(c: np.ndarray) -> np.ndarray:
        return np.asarray((c[0] * c[1] + c[2] * c[3]) / 2 / (c[4] * c[5]))

    noise = {}
    for name, axes in (("pooled", (0, 1)), ("own", 0)):
        centred = [[v - v.mean(axis=axes) for v in side] for side in (a, b)]
        q = np.array([_noise(one.T, other.T) for one, other in centred])
        number = n_units * (n_samples if name == "pooled" else 1)
        noise[name] = np.sqrt((q * q).sum(axis=1)) / number

    def kept(
        key: str, curves: list[np.ndarray], below: tuple[int, ...], at: np.ndarray, statistic: Any
    ) -> None:
        both = np.array(curves)
        found[key], found[f"{key}_se"] = jackknifed(both[:, 0], both[:, 1:], below, at, statistic)

    def plain(c: np.ndarray) -> np.ndarray:
        return np.asarray(c[:4].mean(axis=0) / np.sqrt(c[4] * c[5]))

    kept("correlation", pooled, (4, 5), noise["pooled"], plain)
    kept("r_squared", pooled, (4, 5), noise["pooled"], squared)
    kept("r_squared_centred", own, (4, 5), noise["own"], squared)
    change = raw[4] + raw[5] - np.mean(raw[:4], axis=0) * 2
    kept("determination", [change, own[4]], (1,), noise["own"][:1], lambda c: 1 - c[0] / c[1])
    return found


def like_itself(found: dict[str, float]) -> dict[str, float]:
    """Similarities of a session with itself: 1 without an error, where they can be told at all."""
    return {
        name: value if np.isnan(value) else float(not name.endswith("_se"))
        for name, value in found.items()
    }


def _with_and_without(values: np.ndarray) -> np.ndarray:
    """Mean of all values, and of all but each."""
    n, total = values.size, values.sum()
    return np.concatenate([[total / n], (total - values) / (n - 1)])


@checked_options
def compute_relative_overlap(
    members: xr.DataArray, *, chance: float = 0.0, tested: xr.DataArray | None = None
) -> xr.Dataset:
    r"""Overlap of the units that belong to two sessions, without misses and chance finds.

    The estimand is the Jaccard index of the units that belong to each session, such as the place
    cells, were every one found and no other. The index of those that were found falls as events
    become few, with no change of who is a place cell: a test misses other cells in each session.

    Parameters
    ----------
    members
        (session, half, unit) or (session, half, unit, direction) whether a unit was found in each
        half of a session, from data that no other half shares, such as ``chosen`` of
        :func:`neurodrift.compute_cross_fitted_information`. With directions, a unit belongs if it
        does in any.
    chance
        Probability that a unit is found which does not belong, the level of a test: of one
        direction, where there are directions.
    tested
        Over the dims of `members`: what could be found at all, by chance or otherwise, such as maps
        with enough events. All when omitted.

    Returns
    -------
    xarray.Dataset
        ``overlap`` and ``overlap_se`` over (session_a, session_b), 1 on the diagonal. NaN where
        the two halves of a session share no more units than chance and its noise allow.

    Raises
    ------
    ValueError
        If there are not two halves.

    Notes
    -----
    With :math:`m_{sh}(u)` whether unit u is found in half h of session s, less chance, and
    products of different halves only,

    .. math::
        O = \frac{\frac14 \sum_{hk} \sum_u m_{ah} m_{bk}}
        {\sqrt{\sum_u m_{a1} m_{a2} \sum_u m_{b1} m_{b2}}} , \qquad J = \frac{O}{2 - O} .

    A unit that does not belong adds 0 on average. O is the cosine of the probabilities with which
    units are found, 1 if those of b are in proportion to those of a. J is the Jaccard index of two
    sets of equal size; sets of unequal size lower it a little less than that index. The standard
    error is the jackknife over units.

    Where other units are found because the rates changed between the sessions, the overlap falls,
    too: without drift it is .68 where events fall to a fifth, .77 where every unit's rate changes
    by a log-normal factor (``benchmarks/ceiling.py``). Find members in sessions with equal events
    then (:func:`neurodrift.match_sessions`), as :func:`neurodrift.compute_matched_measures` does.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from neurodrift.analysis.drift.attenuation import compute_relative_overlap
    >>> rng = np.random.default_rng(1)
    >>> belongs = np.ones((2, 1, 400), dtype=bool)
    >>> belongs[0, 0, :100] = belongs[1, 0, -100:] = False  # 200 of 400 in both
    >>> found = belongs & (rng.random((2, 2, 400)) < 0.6)  # a test that misses four of ten
    >>> members = xr.DataArray(found, dims=("session", "half", "unit"))
    >>> float(compute_relative_overlap(members)["overlap"][0, 1].round(1))
    0.5
    """
    expect_array("members", members, ["session", "half", "unit"], "members of each half")
    if members.sizes["half"] != 2:
        raise ValueError(f"members has {members.sizes['half']} halves, expected 2")
    order = ("session", "half", "unit", *(d for d in members.dims if d == "direction"))
    found = members.transpose(*order).values.astype(bool)
    could = np.ones(found.shape, dtype=bool)
    if tested is not None:
        expect_same_labels("tested", tested, members, ("session", "unit"))
        at = {d: members[d].values for d in ("session", "unit") if d in members.coords}
        could = tested.sel(at).transpose(*order).values.astype(bool)
    if found.ndim == 3:
        found, could = found[..., None], could[..., None]
    m: np.ndarray = found.any(axis=3) - (1 - (1 - chance) ** could.sum(axis=3))
    if "unit" in members.coords:
        m = m[:, :, np.argsort(members["unit"].values.astype(str), kind="stable")]
    n_sessions, _, n = m.shape
    value = np.full((n_sessions, n_sessions, 2), np.nan)
    for a in range(n_sessions):
        for b in range(a, n_sessions):
            between = m[a].mean(axis=0) * m[b].mean(axis=0)
            within = [m[s, 0] * m[s, 1] for s in (a, b)]
            products = np.array([within[0] if a == b else between, *within])
            if n < _FEWEST_UNITS:
                continue
            q = np.array([_noise(m[s, 0][:, None], m[s, 1][:, None]) for s in (a, b)])
            cosine, se = _ratio(products, np.sqrt((q * q).sum(axis=1)) / n)
            overlap = cosine / (2 - cosine) if cosine < 2 else np.nan
            slope = 2 / (2 - cosine) ** 2 if cosine < 2 else np.nan
            value[a, b] = value[b, a] = (overlap, se * slope)
    coords: dict[str, Any] = {}
    if "session" in members.coords:
        labels = members["session"].values
        coords = {"session_a": ("session_a", labels), "session_b": ("session_b", labels)}
    pair = ("session_a", "session_b")
    return xr.Dataset(
        {"overlap": (pair, value[..., 0]), "overlap_se": (pair, value[..., 1])}, coords=coords
    )


def relative_overlap_as(
    name: str, members: xr.DataArray, chance: float = 0.0, tested: xr.DataArray | None = None
) -> xr.Dataset:
    """The relative overlap under the names that it has beside a drift.

    Parameters
    ----------
    name
        ``"place_cell_overlap"`` or ``"active_cell_overlap"``.
    members, chance, tested
        As for :func:`compute_relative_overlap`.

    Returns
    -------
    xarray.Dataset
        ``NAME_relative`` and ``NAME_relative_se`` over (session_a, session_b).
    """
    found = compute_relative_overlap(members, chance=chance, tested=tested)
    named = found.rename(overlap=f"{name}_relative", overlap_se=f"{name}_relative_se")
    return label(named, DRIFT)

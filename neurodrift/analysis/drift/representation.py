"""How much of a representation is the same in two sessions, unit by unit."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import lag_coords
from neurodrift.analysis.drift.attenuation import disattenuated_samples, like_itself
from neurodrift.analysis.maps.trials import KINDS, Samples, expect_equal_frames, samples_of
from neurodrift.schema import SESSION_COORDS, label
from neurodrift.schema.results import REPRESENTATION

_PAIR = ("session_a", "session_b")
_COUNTS = tuple(name for name in REPRESENTATION if name.startswith("n_"))


def compute_representation_stability(
    source: xr.Dataset,
    *,
    reference: Hashable | Iterable[Hashable] | None = None,
    per_unit: bool = True,
    halves: xr.Dataset | tuple[xr.Dataset, xr.Dataset] | None = None,
) -> xr.Dataset:
    r"""Similarity of the activity of the same units in pairs of sessions, by several measures.

    Parameters
    ----------
    source
        What the same samples of every session are taken from. A recording whose sessions show the
        same inputs frame by frame, as snapshots of a network do; or the means over trials of an
        animal, :func:`neurodrift.compute_trial_averages`; or :func:`neurodrift.compute_rate_maps`
        by session, with directions and positions as samples. NumPy or Dask: two sessions are in
        memory at a time. Units that are not ``registered`` are left out.
    reference
        Label of the session that all are compared with, or several labels; every session when
        omitted.
    per_unit
        Whether to keep ``unit_r_squared``.
    halves
        The same samples from two halves of every session: the result of
        :func:`neurodrift.compute_half_maps` beside rate maps, or a pair of sources. Then the
        measures without noise are given, too.

    Returns
    -------
    xarray.Dataset
        Over (session_a, session_b), where a is the reference and b what is compared with it; a
        session compared with itself has 1. A pair takes the units detected in both
        (``n_units``) and the samples that are known for all of them (``n_samples``).

        ``correlation`` and ``r_squared``
            Pearson correlation over all values (sample, unit) together, and its square [1]_. It
            is high already when units keep their mean rates, whatever they encode.
        ``r_squared_permuted``
            What is expected of ``r_squared`` when the units of b are permuted: what population
            and task have in common, without any unit keeping its role.
        ``r_squared_centred``, ``r_squared_centred_permuted``
            The same after each unit's mean in each session is taken away.
        ``determination``
            1 - \|b - a\|² / \|a - mean of each unit\|². Not symmetric, and below 0 where b is
            further from a than a's own means. Unlike a correlation it falls when activity is
            scaled or shifted.
        ``determination_pooled``
            The same with the one mean of all values of a; never smaller.
        ``unit_r_squared`` (session_a, session_b, unit)
            Squared correlation of a unit over samples; NaN where it is constant in either.
        ``mean_unit_r_squared``, ``mean_unit_r_squared_lost``
            Its mean over units that vary in both (``n_units_varying``); and over those that vary
            in a, where those that are constant in b (``n_units_lost``) count as 0.
            ``n_units_gained`` vary in b alone.

        With `halves` also ``correlation_relative``, ``r_squared_relative``,
        ``r_squared_centred_relative`` and ``determination_relative``, the same without noise, and
        their standard errors over units, ``_relative_se``; NaN where the halves of a session do
        not agree beyond their noise.

        Coordinates: ``lag`` [sessions], ``lag_day``, ``lag_experience``, ``lag_training_step``,
        and of each session what the source tells of it, such as ``accuracy_b`` and ``loss_b``.

    Raises
    ------
    ValueError
        If sessions of a recording differ in their frames, or there is no such session.

    Notes
    -----
    With values :math:`a_{su}` and :math:`b_{su}` centred by their overall means, the mean of
    :math:`r^2` over all permutations of the units of b is exact,

    .. math:: \frac{\left(U \sum_s \bar a_s \bar b_s\right)^2
        + \frac{1}{U-1} \sum_{uv} \left(\sum_s (a_{su} - \bar a_s)(b_{sv} - \bar b_s)\right)^2}
        {\sum a^2 \sum b^2}

    with means :math:`\bar a_s` over the U units [2]_; no random numbers are drawn.

    Noise of the activity lowers every measure: without any change of the rates r_squared is .98
    with 72 events a unit and map, .65 with 6. With `halves`, products of the same noise are left
    out: numerators are products of a half of a with a half of b (squares: of two such with
    different halves), and the powers below them products of the two halves of one session.

    A squared correlation does not tell a representation from its negative; ``correlation`` does.

    References
    ----------
    .. [1] Jensen (2021), "An algorithmic hypothesis of differential neural stability in the
       brain", a note on Kao et al. (2021), https://doi.org/10.48550/arXiv.2106.08085
    .. [2] Hoeffding (1951), Ann Math Stat. https://doi.org/10.1214/aoms/1177729545

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift import recording_from_arrays, compute_representation_stability
    >>> first = np.array([[0.0, 2.0], [1.0, 2.0], [2.0, 5.0]])
    >>> recording = recording_from_arrays(
    ...     [first, 2 * first], kind="activation", frame_duration=1.0, training_step=[10, 20]
    ... )
    >>> found = compute_representation_stability(recording, reference="1").squeeze("session_a")
    >>> found["r_squared"].values.round(3).tolist()
    [1.0, 1.0]
    >>> found["determination"].values.round(3).tolist()
    [1.0, -3.75]
    """
    samples = samples_of(source)
    if samples.name == "activity":
        expect_equal_frames(samples.source)
    firsts = _references(samples, reference)
    n_sessions, n_units = samples.n_sessions, samples.source.sizes["unit"]

    values = {
        name: np.full((len(firsts), n_sessions), 0 if name in _COUNTS else np.nan)
        for name, var in REPRESENTATION.items()
        if var.dims == _PAIR and not var.coord
    }
    if per_unit:
        values["unit_r_squared"] = np.full((len(firsts), n_sessions, n_units), np.nan)
    parts = None if halves is None else _parts(halves, samples)
    if parts is not None:
        ends = ("_relative", "_relative_se")
        values |= {
            f"{name}{end}": np.full((len(firsts), n_sessions), np.nan)
            for name in _RELATIVE
            for end in ends
        }
    else:
        values = {name: array for name, array in values.items() if "_relative" not in name}
    rows = {session: row for row, session in enumerate(firsts)}
    for row, i in enumerate(firsts):
        a = samples.of(i)
        for j in range(n_sessions):
            if rows.get(j, row) < row:
                continue  # compared already, both ways
            b = a if i == j else samples.of(j)
            # in the order of the sessions, so that the last bits are those of every reference
            both = _compare(a, b) if i <= j else _compare(b, a)[::-1]
            if parts is not None:
                beside = (_without_noise(parts, i, j), _without_noise(parts, j, i))
                both = (both[0] | beside[0], both[1] | beside[1])
            for found, at in zip(both, ((row, j), (rows.get(j), i)), strict=True):
                if at[0] is not None:
                    for name, array in values.items():
                        array[at] = found[name]

    dims = {name: _PAIR for name in values} | {"unit_r_squared": (*_PAIR, "unit")}
    result = xr.Dataset(
        {name: (dims[name], values[name]) for name in REPRESENTATION if name in values},
        coords=_coords(samples.source, firsts, per_unit),
        attrs={"samples": KINDS[samples.name]}
        | {key: source.attrs[key] for key in ("binning", "smoothing") if key in source.attrs},
    )
    return label(result, REPRESENTATION)


_RELATIVE = ("correlation", "r_squared", "r_squared_centred", "determination")


def _parts(
    halves: xr.Dataset | tuple[xr.Dataset, xr.Dataset], whole: Samples
) -> tuple[Samples, Samples]:
    """Samples of both halves of every session, over the units of the whole."""
    if isinstance(halves, xr.Dataset):
        if "half" not in halves.coords or "segment" not in halves.dims:
            raise ValueError("halves has no half: give compute_half_maps(...) or a pair of sources")
        if "map_label" in halves.coords:
            raise ValueError("halves are of several maps: make them of a recording of one map")
        of_half = [
            halves.isel(segment=halves["half"].values == half).swap_dims(segment="session")
            for half in (0, 1)
        ]
    else:
        of_half = list(halves)
    if len(of_half) != 2:
        raise ValueError(f"halves has {len(of_half)} parts, expected 2")
    found = [samples_of(part) for part in of_half]
    sessions, units = (whole.source[name].values.tolist() for name in ("session", "unit"))
    aligned = []
    for part in found:
        for name, labels in (("session", sessions), ("unit", units)):
            missing = set(labels) - set(part.source[name].values.tolist())
            if missing:
                some = ", ".join(sorted(map(str, missing))[:5])
                raise ValueError(f"a half lacks {len(missing)} of the {name} labels: {some}")
        chosen = part.source.sel(unit=units)
        aligned.append(
            Samples(chosen if part.name == "activity" else chosen.sel(session=sessions), part.name)
        )
    return aligned[0], aligned[1]


def _without_noise(parts: tuple[Samples, Samples], i: int, j: int) -> dict[str, float]:
    """Measures of session j with i as the reference, from the halves of both."""
    sides = [np.stack([part.of(session) for part in parts]) for session in (i, j)]
    together = np.concatenate(sides)
    units = ~np.isnan(together).all(axis=1).any(axis=0)
    rows = np.isfinite(together[:, :, units]).all(axis=(0, 2))
    found = disattenuated_samples(*(side[:, rows][:, :, units] for side in sides))
    if i == j:
        found = like_itself(found)
    return {
        f"{name}_relative{end}": found[f"{name}{end}"] for name in _RELATIVE for end in ("", "_se")
    }


def _references(samples: Samples, reference: Any) -> list[int]:
    if reference is None:
        return list(range(samples.n_sessions))
    single = isinstance(reference, str) or not isinstance(reference, Iterable)
    firsts = [samples.index(item) for item in ([reference] if single else reference)]
    if not firsts or len(set(firsts)) < len(firsts):
        raise ValueError(f"reference is {reference!r}, expected one or several different sessions")
    return firsts


def _compare(a: np.ndarray, b: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measures of b with a as the reference, and of a with b as the reference."""
    common = np.flatnonzero(~(np.isnan(a).all(axis=0) | np.isnan(b).all(axis=0)))
    rows = np.flatnonzero(np.isfinite(a[:, common] + b[:, common]).all(axis=1))
    n_units, n_samples = common.size, rows.size
    unit = np.full(a.shape[1], np.nan)
    both: dict[str, Any] = {"n_units": n_units, "n_samples": n_samples if n_units else 0}
    both |= {"n_units_varying": 0, "unit_r_squared": unit}
    if not n_units or n_samples < 2:
        nothing = {name: 0 if name in _COUNTS else np.nan for name in REPRESENTATION} | both
        return nothing, nothing
    a, b = a[np.ix_(rows, common)], b[np.ix_(rows, common)]
    still_a, still_b = np.ptp(a, axis=0) == 0, np.ptp(b, axis=0) == 0
    pooled_a, pooled_b = _pooled(a), _pooled(b)
    own_a, own_b = _centred(a, still_a), _centred(b, still_b)
    both["correlation"] = _correlation(pooled_a, pooled_b)
    both["r_squared"] = both["correlation"] ** 2
    both["r_squared_permuted"] = _permuted(pooled_a, pooled_b)
    both["r_squared_centred"] = _correlation(own_a, own_b) ** 2
    both["r_squared_centred_permuted"] = _permuted(own_a, own_b)

    vary = ~still_a & ~still_b
    power_a, power_b = (own_a**2).sum(axis=0), (own_b**2).sum(axis=0)
    shared = (own_a * own_b).sum(axis=0)[vary]
    of_unit = np.minimum(shared / power_a[vary] * (shared / power_b[vary]), 1.0)
    unit[common[vary]] = of_unit
    both["n_units_varying"] = of_unit.size
    both["mean_unit_r_squared"] = _ratio(of_unit.sum(), of_unit.size)
    change = ((b - a) ** 2).sum()

    def towards(own: np.ndarray, pooled: np.ndarray, lost: int, gained: int) -> dict[str, Any]:
        return both | {
            "determination": 1 - _ratio(change, own.sum()),
            "determination_pooled": 1 - _ratio(change, (pooled**2).sum()),
            "mean_unit_r_squared_lost": _ratio(of_unit.sum(), of_unit.size + lost),
            "n_units_lost": lost,
            "n_units_gained": gained,
        }

    only_a, only_b = int((~still_a & still_b).sum()), int((still_a & ~still_b).sum())
    return towards(power_a, pooled_a, only_a, only_b), towards(power_b, pooled_b, only_b, only_a)


def _pooled(values: np.ndarray) -> np.ndarray:
    return values - values.mean() if np.ptp(values) else np.zeros_like(values)


def _centred(values: np.ndarray, still: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=0)
    centred[:, still] = 0.0  # not the rounding error of a mean
    return centred


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else np.nan


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    size = np.sqrt((a**2).sum()) * np.sqrt((b**2).sum())
    return float(np.clip((a * b).sum() / size, -1, 1)) if size > 0 else np.nan


def _permuted(a: np.ndarray, b: np.ndarray) -> float:
    """Mean of the squared correlation over all permutations of the units of b."""
    n_units = a.shape[1]
    power_a, power_b = (a**2).sum(), (b**2).sum()
    if n_units < 2 or not min(power_a, power_b) > 0:
        return np.nan
    mean_a, mean_b = a.mean(axis=1), b.mean(axis=1)
    a, b = a - mean_a[:, None], b - mean_b[:, None]
    few = len(a) < n_units  # the same sum, over pairs of samples or of units
    spread = ((a @ a.T) * (b @ b.T)).sum() if few else ((a.T @ b) ** 2).sum()
    shared = n_units * (mean_a * mean_b).sum()
    return float((shared**2 + spread / (n_units - 1)) / power_a / power_b)


def _coords(source: xr.Dataset, firsts: list[int], per_unit: bool) -> dict[str, Any]:
    every = np.arange(source.sizes["session"])
    coords: dict[str, Any] = {}
    for name in ("session", *SESSION_COORDS):
        if name in source.coords and name != "frame_duration":
            values = source[name].values
            coords[f"{name}_a"] = (_PAIR[0], values[firsts])
            coords[f"{name}_b"] = (_PAIR[1], values)
    coords |= lag_coords(source, _PAIR, every, firsts)
    kept = ("subject", "environment", *(("unit", "region") if per_unit else ()))
    return coords | {n: source[n].variable for n in kept if n in source.coords}

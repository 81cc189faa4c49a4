"""How the centre of a place field moves from lap to lap within a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, node_of
from neurodrift.analysis._inference import permutation_p
from neurodrift.analysis.fields.matching import Fields
from neurodrift.analysis.maps.binning import Binning, as_binning, bin_frames
from neurodrift.geometry.distance import difference
from neurodrift.geometry.geometry import Geometry
from neurodrift.kinematics import number_laps, running_where_missing
from neurodrift.recording import slice_sessions
from neurodrift.schema import check, label
from neurodrift.schema.objects import expect_array
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import LAP_SHIFTS
from neurodrift.seeds import generator

_VISITED = 0.8  # share of a window's bins that a lap must pass
_SLIDING = 5  # laps of a sliding mean
_FEWEST = 5  # fields behind a mean


@checked_options
def compute_lap_shifts(
    recording: xr.Dataset,
    fields: xr.Dataset | xr.DataTree,
    *,
    binning: Binning | None = None,
    laps: xr.DataArray | None = None,
    min_laps: int = 5,
    alpha: float = 0.05,
    reference_lap: int = 12,
    n_permutations: int = 199,
    seed: int = 0,
) -> xr.Dataset:
    r"""Movement of the centre of each place field from lap to lap, and over the night.

    The estimand is how far the centre of a field's activity moves with each lap, along the way
    the animal runs: below 0 is backward, as plasticity at the synapses of the field moves it.

    Parameters
    ----------
    recording
        A recording on a line or a circle with laps; NumPy or Dask, one session is in memory at a
        time. Laps are those of its ``lap``, otherwise of its position, otherwise its trials.
    fields
        Its place fields, :func:`neurodrift.detect_place_fields`, by session; or its results.
    binning
        As for the maps of the fields; theirs when omitted.
    laps
        (time) number of the lap of each frame, in place of the recording's.
    min_laps
        Fewest laps with activity of a field that is fitted.
    alpha
        Level at which a field is said to move, by the F test of its slope.
    reference_lap
        Lap since onset that ``displacement`` is 0 at.
    n_permutations
        Random orders of the laps of each field behind ``mean_slope_p``.
    seed
        Seed of these.

    Returns
    -------
    xarray.Dataset
        Over ``field``, of the fields that are whole and have enough laps: ``slope`` [cm/lap],
        ``slope_se``, ``slope_p``, ``moves`` (-1 backward, 0 not, 1 forward), ``n_active_laps``,
        ``onset`` [laps], first lap with activity; and of which ``session_index``, ``unit``,
        ``direction`` and ``field_number`` it is. Over session: ``mean_slope`` with ``_se`` over
        fields and ``mean_slope_p``, two-sided, against random orders of laps;
        ``fraction_backward``, ``fraction_forward``, ``n_fields``, ``n_cut`` (fields left out at an
        end of the track) and ``n_few`` (too few laps); ``overnight_shift`` [cm], from the last
        active lap of the session before to the first one, of fields that are the same, with
        ``_se`` and ``n_overnight``. Over (session, lap_since_onset): ``displacement`` [cm], mean
        over fields and five laps, and ``n_displaced``. NaN below 5 fields.

    Raises
    ------
    ValueError
        If the track is a maze, a plane or categories, there are no laps, or the fields are not of
        this recording and binning.

    Notes
    -----
    In lap t the centre is :math:`\sum_x x\, r_t(x) / \sum_x r_t(x)` over the bins of a window, on a
    circle the angle of :math:`\sum_x r_t(x) e^{2 \pi i x / L}`. A window as narrow as the field
    would pull centres to its middle; this one is wider by half a field on either side, less where
    the track or another field begins, and always lies evenly round the field. Fields that touch an
    end of a line are left out, since they are cut there, and their centre moves one way. Laps
    without activity there, or that pass less than .8 of the window, have no centre. The slope is
    that of least squares over laps since onset; published for CA1 and CA3 in [1]_ [2]_.

    Activity outside of the field still pulls centres to the middle of the window: with 1 % of the
    field's peak rate as background, slopes are measured 2 to 8 % too small
    (``benchmarks/drift_survival.py``).

    References
    ----------
    .. [1] Dong, Madar & Sheffield (2021), Nat Commun.
       https://doi.org/10.1038/s41467-021-23260-3
    .. [2] Madar et al. (2025), Nat Neurosci. https://doi.org/10.1038/s41593-025-01894-6

    Examples
    --------
    >>> from neurodrift import analyze, compute_lap_shifts, testing
    >>> recording = testing.linear_track(n_units=20, n_sessions=2, tuned=1, minutes=15)
    >>> results = analyze(recording, measures=["place_fields"], n_repeats=5)
    >>> compute_lap_shifts(recording, results)["mean_slope"].dims
    ('session',)
    """
    check(recording)
    found = Fields.of(node_of(fields, "place_fields"))
    if binning is None and "binning" in found.source.attrs:
        binning = Binning.from_json(str(found.source.attrs["binning"]))
    binning = as_binning(binning)
    if binning.speed_range != (0.0, np.inf):
        recording = running_where_missing(recording)
    frames = bin_frames(recording, binning)
    _expect_same_bins(frames, found)
    lap = _laps(recording, laps)
    tracked = [_follow(recording, frames, found, lap, s, at) for s, at in _sessions(recording)]
    rows = [row for part in tracked for row in part.rows]
    centres = [centre for part in tracked for centre in part.centres]
    fit = [_fitted(centre) for centre in centres]
    enough = np.array([one["n"] >= min_laps for one in fit], dtype=bool)
    n_sessions = recording.sizes["session"]
    of = np.array([row[0] for row in rows], dtype=int)
    kept = np.flatnonzero(enough)
    slope, p = (np.array([fit[i][k] for i in kept], dtype=float) for k in ("slope", "p"))
    moves = np.where(p < alpha, np.sign(slope), 0).astype(np.int64)
    whole: dict[str, Any] = {"slope": slope, "slope_p": p, "moves": moves}
    whole["slope_se"] = np.array([fit[i]["se"] for i in kept], dtype=float)
    whole["n_active_laps"] = np.array([fit[i]["n"] for i in kept], dtype=np.int64)
    whole["onset"] = np.array([fit[i]["onset"] for i in kept], dtype=np.int64)
    by_session = _by_session(of[kept], slope, moves, n_sessions)
    by_session["n_cut"] = np.array([part.n_cut for part in tracked], dtype=np.int64)
    by_session["n_few"] = np.bincount(of[~enough], minlength=n_sessions)
    by_session["mean_slope_p"] = _permuted(
        [centres[i] for i in kept], of[kept], by_session["mean_slope"], n_permutations, seed
    )
    by_session |= _overnight(found, rows, centres, [part.middles for part in tracked])
    displacement, number = _displaced(
        [centres[i] for i in kept], of[kept], n_sessions, reference_lap
    )
    units, ways = found.source["unit"].values, found.source["direction"].values
    owner = np.array([rows[i][1:] for i in kept], dtype=int).reshape(-1, 3)
    dims = ("session", "lap_since_onset")
    result = xr.Dataset(
        {name: ("field", values) for name, values in whole.items()}
        | {name: ("session", values) for name, values in by_session.items()}
        | {"displacement": (dims, displacement), "n_displaced": (dims, number)},
        coords=carry_coords(recording, "session")
        | {
            "session_index": ("field", of[kept]),
            "unit": ("field", units[owner[:, 0]]),
            "direction": ("field", ways[owner[:, 1]]),
            "field_number": ("field", owner[:, 2] + 1),
            "lap_since_onset": np.arange(displacement.shape[1]),
        },
        attrs={
            "min_laps": min_laps,
            "alpha": alpha,
            "reference_lap": reference_lap,
            "n_permutations": n_permutations,
            "seed": seed,
        },
    )
    result = label(result, LAP_SHIFTS)
    for name in ("slope", "slope_se", "mean_slope", "mean_slope_se"):
        result[name].attrs["units"] = f"{found.geometry.unit}/lap"
    for name in ("overnight_shift", "overnight_shift_se", "displacement"):
        result[name].attrs["units"] = found.geometry.unit
    return result


@dataclass(frozen=True)
class Followed:
    """Fields of one session.

    Parameters
    ----------
    rows
        Session, unit, direction and field of each.
    centres
        (lap) centre in each pass of its direction, from the middle of its window [cm], along the
        way the animal runs; NaN where there is none.
    middles
        Middle of the window by (unit, direction, field) [cm], and the sign of the running
        direction.
    n_cut
        Fields at an end of the track.
    """

    rows: list[tuple[int, int, int, int]]
    centres: list[np.ndarray]
    middles: dict[tuple[int, int, int], tuple[float, int]]
    n_cut: int


def _sessions(recording: xr.Dataset) -> list[tuple[int, slice]]:
    return list(enumerate(slice_sessions(recording)))


def _expect_same_bins(frames: xr.Dataset, found: Fields) -> None:
    mine, theirs = frames["x_bin"].values, found.source["x_bin"].values
    same = mine.shape == theirs.shape and np.allclose(mine, theirs)
    if not same or not np.array_equal(frames["direction"], found.source["direction"]):
        raise ValueError(
            "the fields have other bins or directions than the recording with this binning: give "
            "the binning that their maps were made with"
        )


def _laps(recording: xr.Dataset, laps: xr.DataArray | None) -> np.ndarray:
    """(time) number of the lap."""
    if laps is not None:
        expect_array("laps", laps, ["time"])
        return np.asarray(laps.values, dtype=np.int64)
    if "lap" in recording:
        return np.asarray(recording["lap"].values, dtype=np.int64)
    if "x" in recording and "y" not in recording:
        return np.asarray(number_laps(recording)["lap"].values, dtype=np.int64)
    raise ValueError("the recording has no lap: give laps, the number of the lap of each frame")


def _follow(
    recording: xr.Dataset, frames: xr.Dataset, found: Fields, lap: np.ndarray, s: int, at: slice
) -> Followed:
    """Centres of the fields of one session in every lap."""
    if s >= found.x.shape[0] or not np.array_equal(
        recording["session"].values, found.source["session"].values
    ):
        raise ValueError("the fields are of other sessions than the recording")
    rows, centres, n_cut = [], [], 0
    middles: dict[tuple[int, int, int], tuple[float, int]] = {}
    bins, way, number = (
        frames["position_bin"].values[at],
        frames["direction_bin"].values[at],
        lap[at],
    )
    seconds = recording["frame_duration"].values[at]
    used = (bins >= 0) & (way >= 0) & (number >= 0)
    n_bins = frames.sizes["position"]
    units = found.source["unit"].values
    for d, direction in enumerate(found.source["direction"].values):
        here = np.flatnonzero(used & (way == d))
        owners = np.flatnonzero(np.isfinite(found.x[s, :, d]).any(axis=-1))
        owners = owners[np.argsort(units[owners].astype(str), kind="stable")]  # whatever the order
        if not here.size or not owners.size:
            continue
        labels, rank = np.unique(number[here], return_inverse=True)
        cell = rank * n_bins + bins[here]
        size = labels.size * n_bins
        time = np.bincount(cell, weights=seconds[here], minlength=size).reshape(-1, n_bins)
        activity = recording["activity"].isel(time=at).sel(unit=units[owners])
        values = np.asarray(activity.values)[here]
        sign = int(np.sign(direction)) or _heading(recording, at, here, found.geometry)
        for column, u in enumerate(owners):
            amount = np.bincount(cell, weights=values[:, column], minlength=size)
            rate = np.divide(
                amount.reshape(-1, n_bins), time, out=np.zeros(time.shape), where=time > 0
            )
            for k in np.flatnonzero(np.isfinite(found.x[s, u, d])):
                window = _window(found, s, int(u), d, int(k))
                if window is None:
                    n_cut += 1
                    continue
                middle, offset, inside = window
                seen = (time[:, inside] > 0).mean(axis=1) >= _VISITED
                centre = centre_of(rate[:, inside], offset[inside], found.geometry)
                rows.append((s, int(u), d, int(k)))
                centres.append(sign * np.where(seen, centre, np.nan))
                middles[int(u), d, int(k)] = (middle, sign)
    return Followed(rows, centres, middles, n_cut)


def _heading(recording: xr.Dataset, at: slice, here: np.ndarray, geometry: Geometry) -> int:
    """Sign of the way that the animal mostly runs."""
    x = recording["x"].values[at].astype(float)
    step = np.diff(x, append=np.nan)[here]
    if geometry.kind == "circular" and geometry.length:
        step = step - geometry.length * np.round(step / geometry.length)
    total = np.nansum(step)
    return -1 if total < 0 else 1


def _window(
    found: Fields, s: int, u: int, d: int, k: int
) -> tuple[float, np.ndarray, np.ndarray] | None:
    """Middle of a field, way of each bin from it, and the bins of its window; None if it is cut."""
    geometry, width = found.geometry, found.width
    x = found.source["x_bin"].values.astype(float)
    member = found.member[s, u, d]
    own = np.flatnonzero(member == k + 1)
    circular = geometry.kind == "circular"
    if not circular and (own[0] == 0 or own[-1] == x.size - 1):
        return None
    away = difference(geometry, found.x[s, u, d, k], x)
    low = (away - width / 2)[own].min()
    high = (away + width / 2)[own].max()
    middle, half = found.x[s, u, d, k] + (low + high) / 2, (high - low) / 2
    away = difference(geometry, middle, x)
    room = [2 * half]
    if circular:
        assert geometry.length is not None
        room.append(geometry.length / 2)
    else:
        room += [middle - (x[0] - width[0] / 2), x[-1] + width[-1] / 2 - middle]
    other = (member > 0) & (member != k + 1)
    if other.any():
        room.append(float((np.abs(away) - width / 2)[other].min()))
    reach = max(half, min(room))
    return float(middle), away, np.abs(away) + width / 2 <= reach + 1e-6


def centre_of(rate: np.ndarray, offset: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Centre of the activity of each lap.

    Parameters
    ----------
    rate
        (lap, bin) rates in a window.
    offset
        (bin) way of each bin from the middle of the window [cm].
    geometry
        A line or a circle.

    Returns
    -------
    numpy.ndarray
        (lap) way of the centre from the middle [cm], NaN without activity.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.analysis.fields.lap_shifts import centre_of
    >>> from neurodrift.geometry import linear
    >>> centre_of(np.array([[0.0, 1.0, 3.0]]), np.array([-2.0, 0.0, 2.0]), linear()).tolist()
    [1.5]
    """
    total = rate.sum(axis=1)
    active = total > 0
    if geometry.kind != "circular" or not geometry.length:
        weighted = rate @ offset
        return np.divide(weighted, total, out=np.full(total.shape, np.nan), where=active)
    turn = 2 * np.pi / geometry.length
    angle = np.arctan2(rate @ np.sin(turn * offset), rate @ np.cos(turn * offset))
    return np.where(active, angle / turn, np.nan)


def _fitted(centre: np.ndarray) -> dict[str, float]:
    """Least squares of the centre on the lap since onset, with the F test of its slope."""
    from scipy.special import fdtrc

    active = np.flatnonzero(np.isfinite(centre))
    n = active.size
    nothing = {"slope": np.nan, "se": np.nan, "p": np.nan, "n": n}
    nothing["onset"] = int(active[0]) if n else -1
    if n < 3:
        return nothing
    t, y = active - active.mean(), centre[active] - centre[active].mean()
    squares = (t * t).sum()
    slope = (t * y).sum() / squares
    explained = slope * slope * squares
    rest = max(float((y * y).sum() - explained), 0.0)
    variance = rest / (n - 2)
    se = np.sqrt(variance / squares)
    p = (
        float(fdtrc(1, n - 2, explained / variance))
        if variance > 0
        else (1.0 if not explained else 0.0)
    )
    return nothing | {"slope": float(slope), "se": float(se), "p": p}


def _by_session(
    of: np.ndarray, slope: np.ndarray, moves: np.ndarray, n_sessions: int
) -> dict[str, np.ndarray]:
    names = ("mean_slope", "mean_slope_se", "fraction_backward", "fraction_forward")
    found = {name: np.full(n_sessions, np.nan) for name in names}
    found["n_fields"] = np.bincount(of, minlength=n_sessions)
    for s in range(n_sessions):
        own = of == s
        if own.sum() < _FEWEST:
            continue
        found["mean_slope"][s] = slope[own].mean()
        found["mean_slope_se"][s] = slope[own].std(ddof=1) / np.sqrt(own.sum())
        found["fraction_backward"][s] = (moves[own] < 0).mean()
        found["fraction_forward"][s] = (moves[own] > 0).mean()
    return found


def _permuted(
    centres: list[np.ndarray], of: np.ndarray, mean: np.ndarray, n_permutations: int, seed: int
) -> np.ndarray:
    """Two-sided p of the mean slope of each session, laps of every field in random order."""
    p = np.full(mean.size, np.nan)
    for s in np.flatnonzero(np.isfinite(mean)):
        own = [centres[i] for i in np.flatnonzero(of == s)]
        rng = generator(seed, "order of laps", s)
        total = np.zeros(n_permutations)
        for centre in own:
            active = np.flatnonzero(np.isfinite(centre))
            t = active - active.mean()
            order = rng.random((n_permutations, active.size)).argsort(axis=1)
            total += centre[active][order] @ t / (t * t).sum()
        reached = np.abs(total / len(own)) >= abs(mean[s]) - 1e-12
        p[s] = permutation_p(int(reached.sum()), n_permutations)
    return p


def _overnight(
    found: Fields,
    rows: list[tuple[int, int, int, int]],
    centres: list[np.ndarray],
    middles: list[dict[tuple[int, int, int], tuple[float, int]]],
) -> dict[str, np.ndarray]:
    """From the last active lap of a session to the first of the next, of the same fields."""
    n = len(middles)
    value, se = np.full((2, n), np.nan)
    number = np.zeros(n, dtype=np.int64)
    index = {row: i for i, row in enumerate(rows)}
    for b in range(1, n):
        a = b - 1
        both = found.looked[a] & found.looked[b]
        match = found.match(a, b, both, both, 0.6, 1.0)
        ways = []
        for (u, d), i, j in zip(match.map, match.first, match.second, strict=True):
            here, there = (a, int(u), int(d), int(i)), (b, int(u), int(d), int(j))
            if here not in index or there not in index:
                continue
            last, first = (centres[index[key]] for key in (here, there))
            last, first = last[np.isfinite(last)], first[np.isfinite(first)]
            if not last.size or not first.size:
                continue
            (from_, sign), (to, _) = middles[a][here[1:]], middles[b][there[1:]]
            way = sign * float(difference(found.geometry, np.array(from_), np.array(to)))
            ways.append(way + first[0] - last[-1])
        ways.sort()  # the same sum whatever the order of the units
        number[b] = len(ways)
        if len(ways) >= _FEWEST:
            value[b], se[b] = np.mean(ways), np.std(ways, ddof=1) / np.sqrt(len(ways))
    return {"overnight_shift": value, "overnight_shift_se": se, "n_overnight": number}


def _displaced(
    centres: list[np.ndarray], of: np.ndarray, n_sessions: int, reference: int
) -> tuple[np.ndarray, np.ndarray]:
    """(session, lap since onset) mean way from the place at the reference lap, over five laps."""
    since = [centre[np.flatnonzero(np.isfinite(centre))[0] :] for centre in centres]
    most = max((one.size for one in since), default=0)
    value = np.full((n_sessions, most), np.nan)
    number = np.zeros((n_sessions, most), dtype=np.int64)
    half = _SLIDING // 2
    for s in range(n_sessions):
        own = [since[i] for i in np.flatnonzero(of == s)]
        table = np.full((len(own), most), np.nan)
        for row, one in enumerate(own):
            around = one[max(reference - half, 0) : reference + half + 1]
            if np.isfinite(around).any():
                table[row, : one.size] = one - around[np.isfinite(around)].mean()
        for k in range(most):
            some = table[:, max(k - half, 0) : k + half + 1]
            there = np.isfinite(some)
            number[s, k] = there.any(axis=1).sum() if some.size else 0
            if number[s, k] >= _FEWEST:
                value[s, k] = some[there].mean()
    return value, number

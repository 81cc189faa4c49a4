"""Whether the units of two sessions are the same: agreement against shuffled identity."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from neurodrift.analysis._inference import permutation_p
from neurodrift.analysis.drift.ceiling import compute_half_maps, finest_split
from neurodrift.analysis.identity._map_clusters import Intervals, fit
from neurodrift.analysis.identity._similarity import (
    MIN_UNITS,
    N_GROUPS,
    Products,
    agreement,
    jackknife_se,
    products,
    root_maps,
)
from neurodrift.analysis.identity.shares import wrong_shares
from neurodrift.analysis.maps.binning import Binning, as_binning, session_activity
from neurodrift.analysis.maps.rate_maps import compute_rate_maps
from neurodrift.recording import slice_sessions
from neurodrift.schema import check, label
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import REGISTRATION
from neurodrift.seeds import generator

_UNITS_AT_ONCE = 512  # rows of a table of all pairs of units
LEAST_GAIN = 0.5  # another place must leave less than half of the misfit
SOME_WRONG = 0.05
"""Share of wrong identities that the lower end of the interval must pass for a warning."""


class _Place(NamedTuple):
    order: np.ndarray  # which place in time each session is given
    moved: tuple[int, ...]
    gain: float
    p: float


@checked_options
def check_registration(
    recording: xr.Dataset,
    *,
    binning: Binning | None = None,
    smoothing: float | None = None,
    n_repeats: int = 2000,
    alpha: float = 0.01,
    seed: int = 0,
) -> xr.Dataset:
    r"""Find sessions whose units are not those of the others, or that lie at a wrong place.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask. Where it has a ``map_label``, only maps of
        the same label are compared.
    binning
        Position bins and the frames that count; the defaults of :class:`Binning` when omitted.
    smoothing
        Standard deviation of a Gaussian over position [cm]; the width of a bin when omitted.
    n_repeats
        Permutations of the units.
    alpha
        Level of a verdict, over all tests of a session together.
    seed
        Seed of the permutations; each pair of sessions has a random stream of its own.

    Returns
    -------
    xarray.Dataset
        Over (session, other): ``agreement`` of the maps, about 0 for units that are not the
        same, with ``agreement_se`` and ``agreement_p`` against permuted units;
        ``rate_agreement`` (rank correlation of mean activities over all frames) with
        ``rate_agreement_p``; ``n_shared``, units detected in both. Over ``session``: ``within``,
        the agreement of its halves, with ``within_p``; ``verdict``; ``better_place``, the session
        whose place in time it fits instead, or "".

        Over (session, other): ``map_similarity``, that of the maps without noise; ``wrong_share``,
        the units that are not the same in both, with ``wrong_share_ci_low`` and ``_ci_high``, NaN
        where it cannot be told from drift; ``wrong_share_bound``, what it is at most
        (:func:`~neurodrift.analysis.identity.shares.wrong_shares`). Over ``session``:
        ``wrong_in_session`` with its interval. ``kept_by_drift``: the similarity that drift leaves
        after one step. ``gain`` and ``gain_p``: the fraction of the
        misfit to steady drift that the best exchange of places removes, and its p.

    Raises
    ------
    ValueError
        If there is no position.

    Notes
    -----
    Sessions that agree with each other better than permuted units do (p corrected for the number
    of other sessions) are linked, and the largest linked set is taken to be right. The verdict
    on another session whose halves agree is ``"map_switch"`` if the mean activities of its units
    agree with those of the set, since they are kept when a population switches to another map,
    and ``"misregistered"`` if not. ``"swapped"`` sessions do agree, but the model of
    :func:`neurodrift.detect_maps` for steady drift leaves less than half of the misfit when they
    exchange places or one is moved to another place (jackknife over units, corrected for the
    number of exchanges). ``"partly_wrong"`` sessions are linked, but surely more than 5 % of their
    units are others (95 % interval over all sessions): what is lost at once, not with time, whether
    drift is steady or not. The first and the last session cannot be told so: faster drift at the
    ends looks the same, and ``wrong_in_session`` takes it as steady. ``"unclear"``: halves
    that do not agree, or too few shared units. All others are ``"ok"``: linked to the others, and
    no share above 5 % is shown. Fewer than 5 sessions or 50 units show none; ``wrong_share_bound``
    says how many there may be.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.identity.registration import check_registration
    >>> recording = testing.several_maps([[1, 1]] * 4, n_units=60, detection=0.9)
    >>> check_registration(recording, n_repeats=400)["verdict"].values.tolist()
    ['ok', 'ok', 'ok', 'ok']
    """
    check(recording)
    binning = as_binning(binning)
    smoothing = binning.smoothing_or_default(smoothing)
    maps, labels = _maps(recording, binning, smoothing)
    names = [str(item) for item in recording["session"].values]
    n_sessions = len(names)
    member = np.array([names.index(str(item)) for item in maps["session"].values])
    rate, detected, visited = root_maps(maps, "segment")
    means = _mean_activity(recording)
    known = recording["detected"].isel(unit=_by_label(recording)).values

    values: dict[str, np.ndarray] = {
        name: np.full((n_sessions, n_sessions), np.nan)
        for name in ("agreement", "agreement_p", "rate_agreement", "rate_agreement_p")
    }
    n_units = (known.astype(np.int64) @ known.T).astype(np.int64)
    for a in range(n_sessions):
        for b in range(a + 1, n_sessions):
            units = np.flatnonzero(known[a] & known[b])
            if units.size < MIN_UNITS:
                continue
            rng = generator(seed, "registration", names[a], names[b])
            orders = _orders(rng, units.size, n_repeats)
            shares = [
                products(rate[i, units], rate[j, units], visited[i] * visited[j])
                for i in np.flatnonzero(member == a)
                for j in np.flatnonzero(member == b)
                if labels[i] == labels[j]
            ]
            ranks = Products(_ranked(means[a, units])[:, None], _ranked(means[b, units])[:, None])
            found = (*_permuted(shares, orders), *_permuted([ranks], orders))
            for name, number in zip(values, found, strict=True):
                values[name][a, b] = values[name][b, a] = number

    within, within_p = _within(recording, binning, smoothing, n_repeats, seed)
    sessions = _session_agreement(maps, member, labels, n_sessions)
    verdict = _verdicts(values, within_p, alpha)
    place = _better_place(sessions, _days(recording), np.flatnonzero(verdict == "ok"))
    better = np.full(n_sessions, "", dtype=object)
    if place is not None and place.p < alpha:
        for k in place.moved:
            verdict[k] = "swapped"
            better[k] = names[place.order[k]]
    wrong = wrong_shares(
        recording, binning=binning, smoothing=smoothing, days=_days(recording), seed=seed
    )
    with np.errstate(invalid="ignore"):
        partly = (wrong.sure > SOME_WRONG) & (verdict == "ok") & (verdict != "swapped").all()
    verdict[partly] = "partly_wrong"
    pair = ("session", "other")
    result = xr.Dataset(
        {name: (pair, array) for name, array in values.items()}
        | {
            "agreement_se": (pair, np.where(np.isfinite(values["agreement"]), sessions[2], np.nan)),
            "n_shared": (pair, n_units),
            "within": ("session", within),
            "within_p": ("session", within_p),
            "map_similarity": (pair, wrong.similarity),
            "wrong_share": (pair, wrong.share),
            "wrong_share_ci_low": (pair, wrong.low),
            "wrong_share_ci_high": (pair, wrong.high),
            "wrong_share_bound": (pair, wrong.bound),
            "wrong_in_session": ("session", wrong.own),
            "wrong_in_session_ci_low": ("session", wrong.own_low),
            "wrong_in_session_ci_high": ("session", wrong.own_high),
            "kept_by_drift": wrong.kept,
            "verdict": ("session", verdict),
            "better_place": ("session", better),
            "gain": np.nan if place is None else place.gain,
            "gain_p": 1.0 if place is None else place.p,
        },
        coords={"session": recording["session"].values, "other": np.array(names, dtype=object)},
        attrs={
            "n_repeats": n_repeats,
            "alpha": alpha,
            "seed": seed,
            "binning": binning.to_json(),
            "smoothing": smoothing,
        },
    )
    return label(result, REGISTRATION)


def registration_warnings(checked: xr.Dataset) -> list[str]:
    """Sentences on sessions that are not as they should be, for people.

    Parameters
    ----------
    checked
        Result of :func:`check_registration`.

    Returns
    -------
    list of str
        One sentence for each such session, empty if all is well.
    """
    found = _of_shares(checked)
    for name, verdict, place in zip(
        checked["session"].values,
        checked["verdict"].values,
        checked["better_place"].values,
        strict=True,
    ):
        if verdict == "misregistered":
            found.append(
                f"Session {name}: its maps and mean activities agree with those of other sessions "
                "no better than with shuffled units; its registration is probably wrong."
            )
        elif verdict == "map_switch":
            found.append(
                f"Session {name}: its maps agree with no other session, but its mean activities "
                "do; the population probably switched to another map (see detect_maps)."
            )
        elif verdict == "swapped":
            found.append(
                f"Session {name}: its maps fit the place of session {place} better than its own; "
                "sessions may be swapped."
            )
        elif verdict == "unclear":
            found.append(
                f"Session {name}: too little to tell whether its units are those of the others."
            )
    return found


def _of_shares(checked: xr.Dataset) -> list[str]:
    """One sentence on all sessions of which some units are wrong."""
    partly = checked["verdict"].values == "partly_wrong"
    if not partly.any() or "wrong_in_session" not in checked:
        return []
    rows = [
        f"{name} ({100 * share:.0f} %, 95 % interval {100 * low:.0f} to {100 * high:.0f} %)"
        for name, share, low, high, own in zip(
            checked["session"].values,
            *(checked[f"wrong_in_session{end}"].values for end in ("", "_ci_low", "_ci_high")),
            partly,
            strict=True,
        )
        if own
    ]
    return [
        f"Part of the maps is lost at once, whatever the time between sessions: units of session "
        f"{', '.join(rows)} have a wrong identity, or cells that change their maps from each "
        "session to the next. Drift of these sessions is too fast by that; look at the "
        "registration."
    ]


def _maps(
    recording: xr.Dataset, binning: Binning, smoothing: float
) -> tuple[xr.Dataset, np.ndarray]:
    """Maps over segments: of each session, or of each map within it; and the labels."""
    labels = np.zeros(recording.sizes["time"], dtype=np.int64)
    if "map_label" in recording and np.unique(recording["map_label"].values).size > 1:
        given = recording["map_label"].values.astype(np.int64)
        labels = np.where(given > 0, given, -1)
        for where in slice_sessions(recording):
            if not (labels[where] > 0).any():
                labels[where] = 0  # a session without labels is compared as a whole
    by = xr.DataArray(labels, dims="time")
    maps = compute_rate_maps(recording, binning=binning, smoothing=smoothing, by=by)
    return maps, maps["group"].values


def _by_label(recording: xr.Dataset) -> np.ndarray:
    return np.argsort(recording["unit"].values.astype(str), kind="stable")


def _mean_activity(recording: xr.Dataset) -> np.ndarray:
    """Mean activity (session, unit) over all frames, units sorted by label."""
    means = [
        session_activity(recording, where).mean("time").values
        if where.stop > where.start
        else np.zeros(recording.sizes["unit"])
        for where in slice_sessions(recording)
    ]
    return np.stack(means)[:, _by_label(recording)]


def _days(recording: xr.Dataset) -> np.ndarray:
    if "day" in recording.coords and np.isfinite(recording["day"].values).all():
        return recording["day"].values.astype(float)
    return np.arange(recording.sizes["session"], dtype=float)


def _ranked(values: np.ndarray) -> np.ndarray:
    """Ranks of mean 0 and length 1, so that a product is a rank correlation; 0 if all tie."""
    from scipy.stats import rankdata

    ranks = rankdata(values)
    ranks = ranks - ranks.mean()
    length = np.sqrt((ranks**2).sum())
    return ranks / length if length > 0 else ranks


def _orders(rng: np.random.Generator, n_units: int, n_repeats: int) -> np.ndarray:
    """Permutations (shuffle, unit) of the units."""
    orders = np.tile(np.arange(n_units, dtype=np.int32), (n_repeats, 1))
    return rng.permuted(orders, axis=1, out=orders)


def _permuted(shares: list[Products | None], orders: np.ndarray) -> tuple[float, float]:
    """Mean agreement of some maps and its p against permutations (shuffle, unit) of the units."""
    known = [share for share in shares if share is not None]
    if not known:
        return np.nan, np.nan
    observed, null = 0.0, np.zeros(len(orders))
    # Unit by unit, whose row of the table stays in a cache while it is looked up.
    of_unit = np.ascontiguousarray(orders.T)
    for start in range(0, len(of_unit), _UNITS_AT_ONCE):
        some = slice(start, start + _UNITS_AT_ONCE)
        table = np.mean([share.rows(some) for share in known], axis=0)
        for unit, row in enumerate(table, start):
            observed += float(row[unit])
            null += row.take(of_unit[unit])
    n_reached = np.count_nonzero(null >= observed - 1e-12)
    return observed, float(permutation_p(n_reached, len(orders)))


def _within(
    recording: xr.Dataset, binning: Binning, smoothing: float, n_repeats: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Agreement of the halves of each session, and its p."""
    halves = compute_half_maps(
        recording, binning=binning, smoothing=smoothing, split=finest_split(recording)
    )
    names = [str(item) for item in recording["session"].values]
    rate, detected, visited = root_maps(halves, "segment")
    labels = halves["map_label"].values if "map_label" in halves.coords else np.zeros(len(rate))
    half, session = halves["half"].values, halves["session"].values.astype(str)
    found = np.full((2, len(names)), np.nan)
    for k, name in enumerate(names):
        own = np.flatnonzero(session == name)
        units = np.flatnonzero(detected[own].all(axis=0)) if own.size else own
        if units.size < MIN_UNITS:
            continue
        rng = generator(seed, "registration", name, name)
        orders = _orders(rng, units.size, n_repeats)
        shares = [
            products(rate[i, units], rate[j, units], visited[i] * visited[j])
            for i in own[half[own] == 0]
            for j in own[half[own] == 1]
            if labels[i] == labels[j]
        ]
        found[:, k] = _permuted(shares, orders)
    return found[0], found[1]


def _session_agreement(
    maps: xr.Dataset, member: np.ndarray, labels: np.ndarray, n_sessions: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Agreement (session, session) over equal labels, without each group of units, and its s.e."""
    similar = agreement(maps)
    stacked = np.concatenate([similar.whole[None], similar.without])
    usable = (labels[:, None] == labels[None, :]) & np.isfinite(similar.whole)
    total = np.zeros((len(stacked), n_sessions, n_sessions))
    count = np.zeros((n_sessions, n_sessions))
    i, j = np.nonzero(usable & ~np.eye(len(labels), dtype=bool))
    np.add.at(count, (member[i], member[j]), 1)
    for row, values in zip(total, stacked, strict=True):
        np.add.at(row, (member[i], member[j]), values[i, j])
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean[0], mean[1:], jackknife_se(mean[1:])


def _verdicts(values: dict[str, np.ndarray], within_p: np.ndarray, alpha: float) -> np.ndarray:
    """Verdict on each session, before its place is looked at."""
    n_sessions = len(within_p)
    level = alpha / max(n_sessions - 1, 1)
    with np.errstate(invalid="ignore"):
        linked = values["agreement_p"] <= level
        rates = values["rate_agreement_p"] <= level
    group = np.arange(n_sessions)
    for a, b in zip(*np.nonzero(linked), strict=True):
        group[group == group[b]] = group[a]
    sizes = np.bincount(group, minlength=n_sessions)
    right = group == group[int(np.argmax(sizes[group]))]
    verdict = np.full(n_sessions, "ok", dtype=object)
    compared = np.isfinite(values["agreement_p"]) | np.isfinite(values["rate_agreement_p"])
    for k in range(n_sessions):
        if n_sessions == 1 or right[k] and right.sum() > 1:
            continue
        if not compared[k].any() or not within_p[k] < alpha or (right.sum() == 1 and right[k]):
            verdict[k] = "unclear"
        else:
            verdict[k] = "map_switch" if rates[k, right].any() else "misregistered"
    return verdict


def _better_place(
    sessions: tuple[np.ndarray, np.ndarray, np.ndarray], days: np.ndarray, good: np.ndarray
) -> _Place | None:
    """The exchange of places, or move to another place, that fits steady drift best."""
    from scipy.special import stdtr

    if good.size < 4:
        return None
    whole, without = sessions[0][np.ix_(good, good)], sessions[1][:, good][:, :, good]
    own = np.arange(good.size)
    orders = _exchanges(good.size)
    before = _misfit(whole, days[good])
    after = [_misfit(whole, days[good][order]) for order in orders]
    if not np.isfinite(before) or before <= 0 or not orders:
        return None
    best = orders[int(np.argmin(after))]
    gains = np.array(
        [1 - _misfit(some, days[good][best]) / _misfit(some, days[good]) for some in without]
    )
    gain = 1 - min(after) / before
    error = max(float(jackknife_se(gains)), 1e-6)
    p = min(1.0, len(orders) * float(stdtr(N_GROUPS - 1, -(gain - LEAST_GAIN) / error)))
    full = np.arange(days.size)
    full[good] = good[best]
    return _Place(full, _out_of_place(best, own, good), float(gain), p)


def _out_of_place(best: np.ndarray, own: np.ndarray, good: np.ndarray) -> tuple[int, ...]:
    """The two sessions that are exchanged, or the one that is moved past others."""
    changed = np.flatnonzero(best != own)
    if changed.size > 2:
        changed = changed[np.argmax(np.abs(best - own)[changed])][None]
    return tuple(int(good[k]) for k in changed)


def _exchanges(n: int) -> list[np.ndarray]:
    """Orders that exchange two places, or move one session to another place."""
    found = {}
    for a in range(n):
        for b in range(n):
            if a < b:
                order = np.arange(n)
                order[[a, b]] = b, a
                found[order.tobytes()] = order
            if a != b:
                rest = np.delete(np.arange(n), a)
                line = np.insert(rest, b, a)  # sessions in the order of time
                order = np.empty(n, dtype=np.int64)
                order[line] = np.arange(n)
                found[order.tobytes()] = order
    return list(found.values())


def _misfit(whole: np.ndarray, days: np.ndarray) -> float:
    """Sum of squares that steady drift leaves."""
    expected = fit(whole, np.isfinite(whole), Intervals.between(days)).expected
    rest: Any = (whole - expected)[np.triu_indices(len(whole), k=1)]
    rest = rest[np.isfinite(rest)]
    return float((rest**2).sum()) if rest.size else np.nan

"""Decoders trained in one session and tested in another, for all pairs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, lag_coords, registered_units
from neurodrift.analysis.decoding.models import learner_of
from neurodrift.analysis.decoding.pairs import Found, Pairs
from neurodrift.analysis.decoding.target import Aim, Point, Target, smoothing_kernel
from neurodrift.analysis.decoding.windows import is_count, session_parts, sorted_units
from neurodrift.analysis.maps.binning import Binning, as_binning
from neurodrift.schema import check, label
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import check_option, checked_options
from neurodrift.schema.results import DECODING

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

MatchOf = Literal["auto", "events", "laps"]
"""What is made equal in the two sessions of a pair."""

_PAIR = ("session_a", "session_b")
_SURE = 0.05  # p of a session's own decoder above which nothing is relative to it


@checked_options
def decode_across_sessions(
    recording: xr.Dataset,
    *,
    decoder: Literal["bayes", "linear"] | BaseEstimator = "bayes",
    target: Aim = "position",
    window: float = 0.5,
    binning: Binning | None = None,
    smoothing: float | None = None,
    prior: Literal["flat", "occupancy"] = "flat",
    point: Point = "argmax",
    match: MatchOf | None = "auto",
    min_rate: float | None = None,
    n_folds: int = 5,
    block: float = 30.0,
    n_repeats: int = 100,
    test: bool = True,
    seed: int = 0,
) -> xr.Dataset:
    r"""How well a decoder of one session reads another.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask. One session is read at a time; its sums in
        windows are kept.
    decoder
        ``"bayes"``: Poisson for spikes and events, Gaussian for other kinds. ``"linear"``: ridge
        regression (for a direction or a type of trial, a ridge classifier). Or an estimator with
        scikit-learn's interface, on the rates of the windows: a classifier of bins, or a regressor
        of the position (of its cosine and sine on a circle, of the bins of a maze).
    target
        ``"position"``, along the track, round the circle, along the arms or in the field;
        ``"direction"`` of running; or ``"trial_type"``, with ``Binning(trial_types=True)``. A
        direction and a type are decoded without knowing the position.
    window
        Length of a window [s] in which activity is summed.
    binning
        Position bins and the frames that count; the defaults of :class:`Binning` when omitted.
    smoothing
        Of the maps of the Bayesian decoder [cm], along what is mapped; the width of a bin when
        omitted.
    prior
        Of the Bayesian decoder: ``"flat"``, or the ``"occupancy"`` of the training laps, which
        a session's own decoder profits from.
    point
        Most probable bin (``"argmax"``) or ``"mean"`` of the probability, which hedges.
    match
        ``"events"``: each unit keeps as many events in both sessions of a pair, in the bins that
        both visited, and as many laps teach. ``"laps"``: as many laps. None: all that there is.
        ``"auto"``: events of counts, laps of other kinds.
    min_rate
        Lowest rate of the Bayesian decoder [events/s]; half an event in the time of the bin when
        omitted.
    n_folds
        Laps are dealt in so many folds, each tested with decoders that learnt from the others:
        those of its own session, and as many of another.
    block
        Length of a block [s] where there are neither laps nor trials.
    n_repeats
        Shifts of position against activity behind chance and p.
    test
        Whether laps of both sessions are permuted for ``worse_p``.
    seed
        Seed of every random stream.

    Returns
    -------
    xarray.Dataset
        Over (session_a, session_b), trained in a and tested in b: ``error``, the mean of windows
        [unit of the position], or the share of wrong guesses of a direction or type;
        ``error_median``; ``own_error``, of decoders of b itself in the same windows, with units,
        events and laps matched to a; ``chance`` and ``own_chance``, the mean error with positions
        shifted; ``relative``; ``p`` of the error and ``own_p`` of the own one against the
        shifts; ``worse_p``, that a teaches worse than b itself; ``n_units``, ``n_laps`` that teach
        and ``n_windows`` that test. On the diagonal the session's own decoder with all its units
        and events. NaN where the sessions share no unit, bin or map, or a direction has fewer
        than two laps; the attribute ``left_out`` says why. Units that are not ``registered`` are
        left out, and where the recording has a ``map_label``, only laps of the map that both
        sessions spent most time in are used.

    Raises
    ------
    ValueError
        If there is no position or unit, or an option does not fit the recording.
    TypeError
        If the decoder is none.

    Notes
    -----
    .. math:: \mathrm{relative} = \frac{C_{ab} - E_{ab}}{C_{bb} - E_{bb}}

    of errors E and chance C: 1 where a day teaches as well as the test day itself, 0 where it
    teaches nothing. Both errors are of the same windows, and of equally many units, laps and
    events, so that neither more data nor a change of all rates moves it. It is NaN where the
    session's own decoder is no better than chance (p above .05).

    Chance shifts the positions of the test session in a circle against its activity, so that
    behaviour stays as it was [1]_. For ``worse_p``, laps of both sessions are dealt in `n_folds`
    groups each; every group teaches a decoder that reads all others, and the excess of the errors
    across sessions over those within is compared with all ways to call half of the groups
    session b. It is exact where the sessions do not differ, less sure than ``relative``, since a
    group is a small teacher, and NaN with fewer than three groups.

    Units that fall silent in one session of a pair are left out by ``match="events"``: what is
    asked is whether the others keep their places. With ``match="laps"`` they count as a loss.

    Posteriors are those of pynapple's ``decode_bayes`` to 1e-6; measured truths and speed are in
    the docs (decoding).

    References
    ----------
    .. [1] Ziv et al. (2013), Nat Neurosci. https://doi.org/10.1038/nn.3329

    Examples
    --------
    >>> from neurodrift import decode_across_sessions, testing
    >>> recording = testing.linear_track(n_units=20, n_sessions=3, minutes=4)
    >>> found = decode_across_sessions(recording)
    >>> found["error"].dims
    ('session_a', 'session_b')
    """
    check(recording)
    binning = as_binning(binning)
    smoothing = binning.smoothing_or_default(smoothing)
    expect_choice("prior", prior, ("flat", "occupancy"))
    check_option("n_folds", n_folds)
    if match is not None:
        expect_choice("match", match, ("auto", "events", "laps"))
    counts = is_count(recording)
    if match == "events" and not counts:
        kind = recording["activity"].attrs["kind"]
        raise ValueError(
            f"activity is of the kind {kind}, of which no events are counted: match='laps'"
        )
    if match == "auto":
        match = "events" if counts else "laps"
    refuse_nothing(recording, window)
    recording = sorted_units(recording)
    parts, places, lap = session_parts(recording, binning, window, block)
    aim = Target(target, point, places)
    bayes = {
        "counts": counts,
        "kernel": smoothing_kernel(places, smoothing),
        "min_rate": min_rate,
        "occupancy": prior == "occupancy",
    }
    detected = recording["detected"].transpose("session", "unit").values.astype(bool)
    pairs = Pairs(
        parts=parts,
        names=[str(item) for item in recording["session"].values],
        detected=detected & registered_units(recording).values,
        target=aim,
        learner=learner_of(decoder, aim, bayes),
        events=match == "events",
        laps=match is not None,
        n_folds=n_folds,
        n_repeats=n_repeats,
        seed=seed,
        tests=test,
    )
    result = _laid_out(recording, pairs)
    for name in ("error", "error_median", "own_error", "chance", "own_chance"):
        result[name].attrs["units"] = aim.unit
    result.attrs |= {
        "decoder": decoder if isinstance(decoder, str) else type(decoder).__name__,
        "target": target,
        "window": window,
        "prior": prior,
        "point": point,
        "match": match or "none",
        "n_folds": n_folds,
        "n_repeats": n_repeats,
        "cut_at": lap,
        "binning": binning.to_json(),
        "smoothing": smoothing,
        "seed": seed,
    }
    return result


def refuse_nothing(recording: xr.Dataset, window: float) -> None:
    """Raise an error where there is nothing to decode, or no window to decode it in."""
    if not window > 0:
        raise ValueError(f"window is {window!r}, expected a number of more than 0 [s], such as 0.5")
    if "x" not in recording:
        raise ValueError(
            "the recording has no position 'x', so that there is nothing to decode; which session "
            "it was needs none (decode_session)"
        )
    if not recording.sizes["unit"]:
        raise ValueError("the recording has no unit, and nothing to decode from")


def _laid_out(recording: xr.Dataset, pairs: Pairs) -> xr.Dataset:
    """Every pair, laid along both sessions."""
    n = recording.sizes["session"]
    each = np.empty((n, n), dtype=object)
    for a in range(n):
        for b in range(a, n):
            each[a, b], each[b, a] = pairs.compare(a, b)
    values: dict[str, Any] = {}
    for name, kind in Found.__annotations__.items():
        if name != "why":
            flat = [getattr(one, name) for one in each.ravel()]
            values[name] = (_PAIR, np.array(flat, dtype=kind).reshape(n, n))
    told = (values["own_chance"][1] > values["own_error"][1]) & (values["own_p"][1] <= _SURE)
    gain = values["own_chance"][1] - values["own_error"][1]
    kept = values["chance"][1] - values["error"][1]
    relative = np.divide(kept, gain, out=np.full((n, n), np.nan), where=told)
    values["relative"] = (_PAIR, relative)
    labels = recording["session"].values
    coords = carry_coords(recording) | dict(zip(_PAIR, [labels] * 2, strict=True))
    coords |= lag_coords(recording, _PAIR, np.arange(n))
    result = label(xr.Dataset(values, coords=coords), DECODING)
    why: dict[str, int] = {}
    for one in each.ravel():
        if one.why:
            why[one.why] = why.get(one.why, 0) + 1
    return result.assign_attrs(left_out=json.dumps(why))

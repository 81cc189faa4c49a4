"""Stability of rate maps within a session, and how far criteria for place cells agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
import xarray as xr

from neurodrift.analysis.maps.binning import Binning, as_binning, bin_frames
from neurodrift.analysis.maps.smoothing import smoothing_steps, weighs_by_time
from neurodrift.analysis.place_cells._behaviour import AnyNull
from neurodrift.analysis.place_cells._directions import Combine, over_directions
from neurodrift.analysis.place_cells._half_maps import StabilityNull
from neurodrift.analysis.place_cells._speed import BeyondSpeed, SpeedKept
from neurodrift.analysis.place_cells._tests import (
    Behaviour,
    laps_by_direction,
    shuffle_tests,
)
from neurodrift.analysis.place_cells.shuffles import Statistic
from neurodrift.schema import label
from neurodrift.schema.kinds import KINDS
from neurodrift.schema.objects import expect_choice, expect_mask, expect_same_labels
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import STABILITY


@checked_options
def compute_map_stability(
    recording: xr.Dataset,
    *,
    binning: Binning | None = None,
    split: Literal["lap", "trial", "half"] = "lap",
    smoothing: float = 0.0,
    null: AnyNull = "auto",
    n_repeats: int = 1000,
    min_shift: float = 0.0,
    block: float = 5.0,
    min_events: int = 5,
    alpha: float = 0.05,
    combine: Combine = "bonferroni",
    seed: int = 0,
) -> xr.Dataset:
    """Correlate each unit's maps of two halves of a session, and test it against shuffles.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask. Activity must not be negative.
    binning
        Position bins and the frames that count; the defaults of :class:`Binning` when omitted.
    split
        ``"lap"`` and ``"trial"``: odd against even ones, counted for each direction by itself,
        since laps alternate in direction; frames of none are left out. ``"half"``: first against
        second half of the frames.
    smoothing
        Standard deviation of a Gaussian over position [cm], as in
        :func:`neurodrift.compute_rate_maps`.
    null, n_repeats, min_shift, block, min_events, alpha, seed
        As for :func:`detect_place_cells`; where ``"auto"`` finds neither speed nor laps, random
        circular shifts.
    combine
        How directions make a stable unit, as for :func:`detect_place_cells`.

    Returns
    -------
    xarray.Dataset
        Over (session, unit, direction): ``stability`` (Pearson correlation over bins visited in
        both halves, NaN where a map is constant), ``p``, ``z``, ``null_mean``, ``null_p95``,
        ``n_events``, ``tested``, ``significant``; over (session, unit): ``is_stable``. ``null`` and
        what goes with it are as from :func:`detect_place_cells`.

    Raises
    ------
    ValueError
        If an option is unknown, there is no position, no lap or trial where one is needed, or
        activity is negative.

    Notes
    -----
    A shuffle moves the activity of both halves together. Shuffles whose correlation is not
    defined, because a half has no activity, are left out of the null.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.place_cells.stability import compute_map_stability
    >>> recording = testing.linear_track(n_units=4, n_sessions=1, tuned=0.5, minutes=10)
    >>> compute_map_stability(recording, n_repeats=200)["is_stable"].values.tolist()
    [[True, True, False, False]]
    """
    expect_choice("split", split, ("lap", "trial", "half"))
    expect_choice("combine", combine, get_args(Combine))
    if split != "half" and split not in recording:
        raise ValueError(f"split={split!r}, but the recording has no {split}: use split='half'")
    binning = as_binning(binning)
    frames = bin_frames(recording, binning)
    parts = np.empty(0)
    if split != "half":
        # Frames of no lap or trial belong to neither half.
        frames = frames.copy()
        for name in ("position_bin", "direction_bin"):
            frames[name] = frames[name].where(recording[split].values >= 0, -1)
        parts = recording[split].values
        if split == "lap":
            parts = laps_by_direction(recording, frames, "lap")
    steps = smoothing_steps(frames, smoothing) if smoothing > 0 else ()
    n_bins, by_time = frames.sizes["position"], weighs_by_time(frames)

    signed = KINDS[recording["activity"].attrs["kind"]].signed

    def model(behaviour: Behaviour) -> Statistic:
        at, seconds = behaviour.at, behaviour.seconds
        if split != "half":
            half = np.unique(parts[at], return_inverse=True)[1] % 2
        elif seconds is None:
            half = np.arange(at.size) * 2 // at.size
        else:
            middle = np.cumsum(seconds) - seconds / 2
            half = (2 * middle >= seconds.sum()).astype(np.int64)
        plain = StabilityNull(
            behaviour.position, half, n_bins, steps, behaviour.lap, seconds, by_time=by_time
        )
        if behaviour.speed is None:
            return plain
        kept = SpeedKept(plain.states, plain.n_states, behaviour.speed, behaviour.lap, seconds)

        def of_level(beyond: np.ndarray, whole: np.ndarray) -> np.ndarray:
            return plain.correlate(beyond, np.broadcast_to(kept.time, beyond.shape))

        compare = of_level if signed else plain.correlate
        return BeyondSpeed(plain.observed, kept, compare, signed)

    result = shuffle_tests(
        recording,
        frames,
        "session",
        model,
        null=null,
        n_repeats=n_repeats,
        min_shift=min_shift,
        block=block,
        min_events=min_events,
        seed=seed,
        otherwise="circular",
    ).rename(observed="stability", compared="compared_with_null")
    result["significant"] = result["p"] < alpha
    result["is_stable"] = over_directions(result, combine, alpha)
    result = label(result, STABILITY)
    for name in ("compared_with_null", "null_mean", "null_p95"):
        result[name].attrs["units"] = "1"
    result.attrs |= {
        "alpha": alpha,
        "combine": combine,
        "split": split,
        "smoothing": smoothing,
        "binning": binning.to_json(),
    }
    return result


def compare_criteria(
    criteria: Mapping[str, xr.DataArray], *, among: xr.DataArray | None = None
) -> xr.Dataset:
    r"""How far criteria for place cells agree, for each session and pair of criteria.

    Parameters
    ----------
    criteria
        (session, unit) verdicts by name, such as ``is_place_cell`` and ``is_stable``.
    among
        (session, unit) units to count, such as those tested; all when omitted.

    Returns
    -------
    xarray.Dataset
        Over (session, criterion, other): ``both``, ``only_criterion``, ``only_other``,
        ``neither`` (numbers of units), ``agreement`` (fraction of units) and ``kappa``.

    Raises
    ------
    ValueError
        If no criterion is given, or units or sessions are not the same.

    Notes
    -----
    Cohen's :math:`\kappa = (p_o - p_e) / (1 - p_e)` with the observed agreement :math:`p_o` and
    the agreement :math:`p_e` expected by chance [1]_; NaN where :math:`p_e = 1`.

    References
    ----------
    .. [1] Cohen (1960), Educ Psychol Meas. https://doi.org/10.1177/001316446002000104

    Examples
    --------
    >>> import xarray as xr
    >>> from neurodrift.analysis.place_cells.stability import compare_criteria
    >>> a = xr.DataArray([[True, True, False, False]], dims=("session", "unit"))
    >>> b = xr.DataArray([[True, False, False, False]], dims=("session", "unit"))
    >>> result = compare_criteria({"information": a, "stability": b})
    >>> result["kappa"].sel(criterion="information", other="stability").values.tolist()
    [0.5]
    """
    if not criteria:
        raise ValueError("no criteria given, expected (session, unit) verdicts by name")
    if not isinstance(criteria, Mapping):
        raise TypeError("criteria is no mapping, expected {name: (session, unit) verdicts}")
    asked = dict(criteria) if among is None else {**criteria, "among": among}
    for name, verdict in asked.items():
        expect_mask(str(name), verdict)
        expect_same_labels(str(name), verdict, asked[next(iter(asked))], ("session", "unit"))
    names = np.array([str(name) for name in criteria], dtype=object)
    verdicts = xr.concat(
        xr.align(*(array.astype(bool) for array in criteria.values()), join="exact"),
        dim="criterion",
        coords="minimal",
        compat="override",
    ).assign_coords(criterion=names)
    counted = xr.ones_like(verdicts.isel(criterion=0, drop=True)) if among is None else among
    verdicts, counted = xr.align(verdicts, counted.astype(bool), join="exact")
    first, other = verdicts, verdicts.rename(criterion="other")
    table = xr.Dataset(
        {
            "both": (first & other & counted).sum("unit"),
            "only_criterion": (first & ~other & counted).sum("unit"),
            "only_other": (~first & other & counted).sum("unit"),
            "neither": (~first & ~other & counted).sum("unit"),
        }
    )
    n = counted.sum("unit")
    n = n.where(n > 0)
    table["agreement"] = (table["both"] + table["neither"]) / n
    yes = (table["both"] + table["only_criterion"]) / n
    other_yes = (table["both"] + table["only_other"]) / n
    chance = yes * other_yes + (1 - yes) * (1 - other_yes)
    table["kappa"] = (table["agreement"] - chance) / (1 - chance).where(chance < 1)
    return table.transpose("session", "criterion", "other", ...)

"""Which units are place cells: spatial information against shuffled activity."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import scipy.sparse as sp
import xarray as xr

from neurodrift.analysis.maps.binning import Binning, as_binning, bin_frames
from neurodrift.analysis.maps.rate_maps import Grouping
from neurodrift.analysis.maps.smoothing import apply_steps, smoothing_steps
from neurodrift.analysis.place_cells._behaviour import AnyNull
from neurodrift.analysis.place_cells._directions import Combine, over_directions
from neurodrift.analysis.place_cells._null import InformationNull, information_beyond
from neurodrift.analysis.place_cells._speed import BeyondSpeed, Compare, SpeedKept
from neurodrift.analysis.place_cells._tests import Behaviour, Model, shuffle_tests
from neurodrift.analysis.place_cells._variance import VarianceNull
from neurodrift.analysis.place_cells.shuffles import Statistic
from neurodrift.schema import check, label
from neurodrift.schema.kinds import allows
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import PLACE_CELLS

_NEIGHBOURS = 1.5  # standard deviation [bins] over which maps beyond speed are smoothed


@checked_options
def detect_place_cells(
    recording: xr.Dataset,
    *,
    binning: Binning | None = None,
    by: Grouping | xr.DataArray = "session",
    null: AnyNull = "auto",
    n_repeats: int = 1000,
    min_shift: float = 0.0,
    block: float = 5.0,
    min_events: int = 5,
    alpha: float = 0.05,
    criterion: Literal["p", "q"] = "p",
    combine: Combine | None = None,
    fdr_scope: Literal["session", "direction", "recording"] = "session",
    seed: int = 0,
) -> xr.Dataset:
    r"""Test whether units tell more of position than shuffled activity does.

    Of spikes, events, amplitudes and deconvolved activity the statistic is spatial information, of
    fluorescence the share of its variance that position explains.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask. Activity must not be negative, unless it is
        fluorescence.
    binning
        Position bins and the frames that count; the defaults of :class:`Binning` when omitted.
    by
        What one test is made from; see :func:`neurodrift.compute_rate_maps`. ``"trial"`` with
        ``null="occupancy"`` and ``min_events=3`` is the test of [1]_, but for the running events
        in excluded bins, which they count and draw although their maps leave them out.
    null
        How activity is moved against position, always within the frames of one session (or
        segment) and direction laid end to end. ``"auto"``: the null that fits the behaviour there,
        which is ``"speed"`` where running speed follows position, ``"lap"`` where laps (or trials)
        pass most of the positions, and ``"circular_exact"`` otherwise; see Notes. ``"speed"``:
        along what running speed lets expect, within each lap where there are laps.
        ``"circular_exact"`` (every circular shift), ``"circular"``, ``"lap"`` (within each lap, or
        trial where there are no laps), ``"block"``, ``"permutation"`` or ``"occupancy"``. The last
        three break the autocorrelation of the activity and can find too many place cells; see
        :func:`neurodrift.analysis.place_cells.shuffles.compute_null_distribution`.
    n_repeats
        Number of shuffles; without meaning for ``"circular_exact"``. Where 20 of the first 200 are
        as large as the unit, p is above .1 and it is not shuffled further: its ``null_mean``,
        ``null_p95`` and ``z`` are of 200.
    min_shift
        Least circular shift, either way [s]. The identity belongs to the exact null all the same.
    block
        Length of a block for ``null="block"`` [s].
    min_events
        Fewest events, in the frames that count, of a unit that is tested; for kinds other than
        spikes and events, fewest frames with activity.
    alpha
        Level of significance.
    criterion
        Whether p (as in the literature) or q is held against `alpha`.
    combine
        How directions make a place cell: significant in any after the ``"bonferroni"`` correction
        for the directions tested, in ``"any"`` (as in the literature; two directions then find up
        to ``2 * alpha`` false ones), or in ``"all"`` directions. When omitted, ``"bonferroni"``,
        and ``"any"`` for q, which is corrected for directions.
    fdr_scope
        Tests that q corrects for: all units and directions of a session (or segment), the units
        of a session apart by direction, or everything in the recording.
    seed
        Seed of the shuffles. Each session, unit and direction has a random stream of its own.

    Returns
    -------
    xarray.Dataset
        Over (session, unit, direction): ``information`` [bit/event] (of fluorescence NaN, and
        ``explained_variance`` beside it, from 0 to 1), ``p``, ``q``, ``z``,
        ``null_mean``, ``null_p95`` [bit/event], ``n_events``, ``tested``, ``significant``, and
        ``compared_with_null``, which is information, or of the null ``"speed"`` the information
        beyond speed; over (session, unit): ``is_place_cell``. Over (session, direction): ``null``
        and ``null_reason``, and of the behaviour ``periodicity``, ``occupancy_trend``,
        ``speed_share`` and ``speed_variation``. What was not tested is NaN or False. The first
        dimension is ``segment`` if `by` is not ``"session"``.

    Raises
    ------
    ValueError
        If an option is unknown, there is no position, a lap is needed and missing, or activity
        is negative.

    Notes
    -----
    The statistic is the information of [2]_ with occupancy :math:`p_s` and rate :math:`r_s`,

    .. math:: I = \sum_s p_s \frac{r_s}{\bar r} \log_2 \frac{r_s}{\bar r}.

    Of fluorescence it is the squared correlation ratio [4]_, with means :math:`m_s` and :math:`m`
    and variance :math:`v` over time,

    .. math:: \eta^2 = \sum_s p_s (m_s - m)^2 / v.

    Circular shifts of the whole session are no control where position repeats itself: on a belt at
    constant speed a shift only moves the map. ``periodicity`` is the share of a map's variance that
    a shift keeps, on average. At .02 shifts within laps find 4 points more of weak fields (0.2 Hz)
    than circular ones, at .05 10 points, at .1 25, at .6 all instead of none. Shifts within laps
    hardly find fewer, and hold their level where activity and behaviour change together over the
    session (``occupancy_trend``, the share of the variance of session time that position
    explains), where circular ones find 37 % of untuned units.

    A unit that follows running speed looks tuned where speed follows position. ``speed_share`` and
    ``speed_variation`` are the share of the variance of speed that position explains, and the
    variation of mean speed over positions, both from the covariance of odd and even laps; from .05
    of both on, the null is ``"speed"``. A unit's rate :math:`r(v)` is learnt by classes of the
    speed now or of its weighted past. Activity is shifted along :math:`\int r(v) dt` instead of
    time, so that bursts stay whole, :math:`r(v)` is learnt again, and the statistic is information
    with :math:`\int_s r(v) dt` for the time in bin s, both smoothed over neighbouring bins (1.5
    bins). Of all delays of the past that explain the unit almost as well as the best one does, the
    largest p counts. Spikes and events may also follow speed at a lag from -0.75 to 2 s, or its
    change. One of these explains most fields, so that they are asked only where the unit shows it:
    its log-likelihood is 8 above that of one rate at all speeds, and among passages of the same bin
    the unit follows. With rates :math:`r_c` by class of speed c and the share :math:`q_{cs}` of the
    time in bin s, :math:`\sum \log (r_c / \sum_c q_{cs} r_c)` over the events is .5 or more, and
    1.75 standard deviations above what bins alone let expect. Where speed
    is the same in every lap, a field cannot be told from speed altogether: weak fields are lost,
    and speed at a lag can look like place, as can traces that trail speed by more than 2 s.
    Speed is that of the recording; without one, nothing is known of it.

    Frames of unequal length are laid end to end as long as they are, and activity is moved in time.
    The exact test has :math:`p = |\{k : I_k \ge I_0\}| / T` over all shifts :math:`k` of the
    :math:`T` frames, the identity included; ties count against the unit. A sampled null has
    :math:`p = (r + 1) / (n + 1)`. ``null_mean``, ``null_p95`` and ``z`` come from the same null;
    where no shift is allowed, p is 1. q is that of Benjamini and Hochberg [3]_.

    References
    ----------
    .. [1] Sheintuch et al. (2020), Curr Biol. https://doi.org/10.1016/j.cub.2020.02.018
    .. [2] Skaggs et al. (1993), NIPS 5.
       https://papers.nips.cc/paper/1992/hash/5dd9db5e033da9c6fb5ba83c7a7ebea9-Abstract.html
    .. [3] Benjamini & Hochberg (1995), J R Stat Soc B.
       https://doi.org/10.1111/j.2517-6161.1995.tb02031.x
    .. [4] Pearson (1911), Proc R Soc A. https://doi.org/10.1098/rspa.1911.0044

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.place_cells.place_cells import detect_place_cells
    >>> recording = testing.linear_track(n_units=10, n_sessions=1, tuned=0.7, minutes=10)
    >>> detect_place_cells(recording)["is_place_cell"].sum().item()
    7
    """
    expect_choice("criterion", criterion, ("p", "q"))
    combine = combine or ("any" if criterion == "q" else "bonferroni")
    expect_choice("combine", combine, get_args(Combine))
    expect_choice("fdr_scope", fdr_scope, ("session", "direction", "recording"))
    if criterion == "q" and combine == "bonferroni":
        raise ValueError("criterion='q' already corrects over directions: use combine='any'")
    binning = as_binning(binning)
    check(recording)
    of_trace = allows(recording, "variance_test")
    frames = bin_frames(recording, binning)
    result = shuffle_tests(
        recording,
        frames,
        by,
        _variance_model(frames) if of_trace else information_model(frames),
        null=null,
        n_repeats=n_repeats,
        min_shift=min_shift,
        block=block,
        min_events=min_events,
        seed=seed,
    ).rename(
        observed="explained_variance" if of_trace else "information",
        compared="compared_with_null",
    )
    if of_trace:
        result["information"] = result["explained_variance"] * np.nan
    core = {
        "session": ["unit", "direction"],
        "direction": ["unit"],
        "recording": [str(dim) for dim in result["p"].dims],
    }[fdr_scope]
    result["q"] = _over(result["p"], core, _false_discovery_rate)
    result["significant"] = result[criterion] < alpha
    result["is_place_cell"] = over_directions(result, combine, alpha)
    result = label(result, PLACE_CELLS)
    for name in ("compared_with_null", "null_mean", "null_p95"):
        result[name].attrs["units"] = "1" if of_trace else "bit/event"
    result.attrs |= {
        "alpha": alpha,
        "criterion": criterion,
        "combine": combine,
        "fdr_scope": fdr_scope,
        "binning": binning.to_json(),
    }
    return result


def information_model(frames: xr.Dataset) -> Model:
    """Spatial information of activity in the bins of `frames`, for :func:`shuffle_tests`."""
    return partial(_statistic, frames, InformationNull, lambda _: information_beyond, False)


def _variance_model(frames: xr.Dataset) -> Model:
    """The share of variance that position explains."""
    return partial(_statistic, frames, VarianceNull, _share_beyond, True)


def _share_beyond(kept: SpeedKept) -> Compare:
    """The share of variance that is left beyond speed."""

    def share(beyond: np.ndarray, whole: np.ndarray) -> np.ndarray:
        return np.asarray((beyond**2 / kept.time).sum(axis=1) / np.maximum(whole, 1e-300))

    return share


def _statistic(
    frames: xr.Dataset,
    plain_of: type[InformationNull] | type[VarianceNull],
    compare_of: Callable[[SpeedKept], Compare],
    level: bool,
    behaviour: Behaviour,
) -> Statistic:
    """A statistic of activity in visited bins, beyond speed where its dependence is kept."""
    visited, states = np.unique(behaviour.position, return_inverse=True)
    plain = plain_of(states, behaviour.lap, behaviour.seconds)
    if behaviour.speed is None:
        return plain
    kept = _kept(behaviour, frames, visited, states)
    return BeyondSpeed(plain.observed, kept, compare_of(kept), level)


def _kept(
    behaviour: Behaviour, frames: xr.Dataset, visited: np.ndarray, states: np.ndarray
) -> SpeedKept:
    """Activity moved along speed, in visited bins that share it with their neighbours."""
    assert behaviour.speed is not None
    centres = np.unique(frames["x_bin"].values)
    steps: list[sp.csr_array] = []
    if centres.size > 1:
        steps += smoothing_steps(frames, _NEIGHBOURS * float(np.median(np.diff(centres))))
        steps[0] = steps[0][:, visited]
        steps[-1] = steps[-1][visited, :]

    weight = apply_steps(steps, np.ones((1, visited.size)))
    return SpeedKept(
        states,
        visited.size,
        behaviour.speed,
        behaviour.lap,
        behaviour.seconds,
        lambda values: apply_steps(steps, values / weight),
    )


def _over(array: xr.DataArray, core: list[str], function: Callable[..., Any]) -> xr.DataArray:
    if array.chunks is not None:
        array = array.chunk(dict.fromkeys(core, -1))
    return xr.apply_ufunc(
        function,
        array,
        input_core_dims=[core],
        output_core_dims=[core],
        kwargs={"n_core": len(core)},
        dask="parallelized",
        output_dtypes=[np.float64],
    ).transpose(*array.dims)


def _false_discovery_rate(p: np.ndarray, n_core: int) -> np.ndarray:
    from statsmodels.stats.multitest import multipletests

    q = np.full(p.shape, np.nan)
    for family in np.ndindex(p.shape[: p.ndim - n_core]):
        tested = np.isfinite(p[family])
        if tested.any():
            q[family][tested] = multipletests(p[family][tested], method="fdr_bh")[1]
    return q

"""When fast learning, directed drift and null drift dominate a recording."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from neurodrift.analysis.phases._fit import find_phases
from neurodrift.analysis.phases._series import from_results, from_series
from neurodrift.analysis.phases._text import conclusion, describe_phases, limits, verdict
from neurodrift.analysis.series.plateau import DONE, NEGLIGIBLE
from neurodrift.analysis.series.verdicts import MARGIN
from neurodrift.schema import FORMAT_VERSION, label
from neurodrift.schema.objects import names_in
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import PHASES

__all__ = ["describe_phases", "detect_phases"]


@checked_options
def detect_phases(
    source: xr.DataTree | xr.Dataset,
    *,
    measures: Sequence[str] | None = None,
    axis: str | None = None,
    done: float = DONE,
    negligible: float = NEGLIGIBLE,
    margin: float = MARGIN,
    level: float = 0.95,
    n_repeats: int = 999,
    seed: int = 0,
) -> xr.Dataset:
    r"""Find the phases of learning of one recording or one simulated run.

    Parameters
    ----------
    source
        Results of :func:`neurodrift.analyze`; or a Dataset of series over one dimension, such as
        the measures of a run (``loss``, ``active_fraction``, ``fraction_active_units`` over
        ``step``), which says nothing of the representation. A loss may have any unit, smaller is
        better.
    measures
        Names of the activity statistics. When omitted: ``fraction_active_units``,
        ``active_fraction``, ``fraction_place_cells`` and the mean information of place maps (SSR,
        otherwise BAE, otherwise naive), those that are there.
    axis
        ``"training_step"``, ``"experience"`` [min], ``"day"`` or ``"session_number"``; the first
        of them that is known for every session and increases when omitted.
    done
        Part of a change that is done when its phase is over.
    negligible
        Changes smaller than this part of the level do not count.
    margin
        A statistic is constant only if a change of this part of its mean from the first to the last
        session would have been found with a power of 80 %, and its interval lies within it.
        Otherwise it is undecided. A quarter by default, see
        :data:`neurodrift.analysis.series.verdicts.MARGIN`.
    level
        Coverage of the intervals.
    n_repeats, seed
        Permutations of the sessions behind the test for drift, and their seed.

    Returns
    -------
    xarray.Dataset
        Over ``session`` (samples of a plain series, at most 101 of them): the coordinate ``at``
        (place on the axis), ``dominant`` (name of the phase) and ``probability`` (phase, session).
        Over ``border`` (end of fast learning, end of directed drift): ``change_point``,
        ``change_point_ci_low``, ``change_point_ci_high`` [axis], NaN where there is no such change
        and infinite beyond the last session, and ``reached``, the probability that it lies within.
        Over ``quantity`` (loss, statistics, representation): ``log10_bayes_factor`` of a change
        against none, ``trend``, ``end`` with ``end_ci_low`` and ``end_ci_high``, ``total_change``
        (given that there is one, relative to its start) with its interval, and over (quantity,
        session) ``series`` and ``fitted``. Over (phase, quantity) the evidence against the
        definition: ``change`` within the phase, relative to its start, with ``change_ci_low`` and
        ``change_ci_high``, ``evidence`` (log10 Bayes factor), ``observed`` and ``expected``. Over
        ``phase``: ``n_sessions``, ``drift_rate`` [1/axis] with ``drift_rate_ci_low`` and
        ``drift_rate_ci_high``, ``drift_p`` (similarity falls with the lag) and ``rate_evidence``
        (log10 Bayes factor that the rate changes). ``neighbour_change`` with its interval and
        ``neighbour_p`` are of all sessions after fast learning. Attributes ``verdict``,
        ``conclusion`` and ``limits`` in words.

    Raises
    ------
    ValueError
        If the source has no such measure or axis, or is not over one dimension.

    Notes
    -----
    The definition is Table 1 of [1]_. Fast learning: the loss improves, statistics may change,
    the representation changes. Directed drift: the loss is constant, statistics change in one
    direction, the representation changes. Null drift: loss and statistics are constant, the
    representation changes at a steady rate. The phases overlap; each sample goes to the one
    whose signature dominates: where a change is found, the border is its median, and `dominant`
    keeps to it; ``probability`` also weighs that there may be no change at all.

    Each series is either constant or moves to a plateau, in or after the recording, by a straight
    line, an exponential, the logarithm of one, a power law, late or at once, with first-order
    autoregressive noise whose memory is averaged over. The end of a change is where `done` of it is
    done: three time constants of an exponential, the corner of a line less a twentieth. Every
    interval between sessions is as probable beforehand to hold it, a fifth is beyond the last one.
    Bayes factors come from the Zellner-Siow prior [2]_, intervals from the posterior over ends,
    shapes and memories, a candidate wider to either side. The loss enters as the logarithm of loss
    plus a hundredth of its largest value. Statistics are read from the end of fast learning on.
    Those that change may end together or each at its own time, and the last one counts. Their
    evidence is pooled with the exponent (effective number of series) / (number of series).

    The loss counts as falling if it does so early on, whatever becomes of it later: its Bayes
    factor is the mean over the whole recording, its first half, quarter and so on.

    A change of a statistic is *found* with a Bayes factor of at least 10, or with one above 1 by
    the slope of its sessions (:func:`~neurodrift.analysis.series.trend.fit_trend`), whose p is
    corrected for the number of statistics by Holm's method. Where it is done, what follows is null
    drift only if it is five sessions or more and no statistic changes in them, otherwise undecided.
    A change is *absent* with a factor of at most 1 if the
    uncorrected slope finds nothing either, a change by `margin` would have been found with a power
    of 80 %, and the interval of the change lies within it; otherwise it is undecided. ``state``
    says so of each quantity, ``detectable`` the smallest steady change from the first to the last
    session, relative to the mean, that would have been found. The loss is constant only if it
    would have been seen to halve. The representation drifts if similarity falls with the lag, by a
    permutation test of sessions [3]_, or neighbours share less than half of what noise allows; it
    is constant if not, and the change between neighbours is surely less than a tenth.

    ``drift_rate`` is the mean of :math:`-\ln r_{i,i+1} / (t_{i+1} - t_i)`, :math:`r` the
    similarity without noise. It is the mean of a convex function, and so a little above 0 even
    without drift: no test.

    Of results of :func:`neurodrift.analyze` the statistics are those on an equal footing, where
    they are known as often and of ten units or more; ``limits`` says which.

    Measured over 500 repeats (``benchmarks/calibration_phases.py``): the 95 % intervals hold the
    true border in 97 to 100 %, for 8 to 101 samples, noise of 5 to 20 % of the change, independent
    or with correlation 0.5; with 8 sessions and noise from 10 % on, most are open upwards.
    Of 150 recordings of eight sessions with four statistics that stay
    (``benchmarks/power.py``), 0 % are called directed with independent sessions, and 4 to 6 % with
    neighbours that correlate by .5; with noise of 2 % of the mean 97 and 84 % are called null drift
    only, with 10 % all are undecided. A change by 27 % is called constant in at most 1 %.

    References
    ----------
    .. [1] Ratzon, Derdikman and Barak (2024), eLife. https://doi.org/10.7554/eLife.90069
    .. [2] Liang et al. (2008), J Am Stat Assoc. https://doi.org/10.1198/016214507000001337
    .. [3] Mantel (1967), Cancer Res. https://pubmed.ncbi.nlm.nih.gov/6018555

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> from neurodrift.analysis.phases.phases import detect_phases
    >>> step = np.arange(0, 3000, 50)
    >>> noise = 0.01 * np.random.default_rng(0).standard_normal((2, step.size))
    >>> series = {
    ...     "loss": ("step", 0.1 + np.exp(-step / 100) + noise[0]),
    ...     "fraction_active_units": ("step", 1 - 0.5 * np.minimum(step / 1500, 1) + noise[1]),
    ... }
    >>> found = detect_phases(xr.Dataset(series, {"step": step}))
    >>> found.attrs["verdict"]
    'fast learning, then directed drift, then null drift or none'
    """
    measures = None if measures is None else names_in("measures", measures)
    if isinstance(source, xr.DataTree):
        series = from_results(source, measures, axis)
    else:
        series = from_series(source, measures, axis)
    found = find_phases(
        series,
        done=done,
        negligible=negligible,
        margin=margin,
        level=level,
        n_repeats=n_repeats,
        seed=seed,
    )
    result = label(found, PHASES)
    for name in ("at", "change_point", "change_point_ci_low", "change_point_ci_high"):
        result[name].attrs["units"] = series.units
    for name in ("end", "end_ci_low", "end_ci_high"):
        result[name].attrs["units"] = series.units
    result.attrs = {
        "title": "phases of learning",
        "format_version": FORMAT_VERSION,
        "axis": series.axis,
        "axis_units": series.units,
        "done": done,
        "negligible": negligible,
        "margin": margin,
        "level": level,
        "n_repeats": n_repeats,
        "seed": seed,
        "has_loss": int(series.loss is not None),
        "similarity": series.similarity_name,
        "confounds": found.attrs["confounds"],
    }
    result.attrs["verdict"] = verdict(result)
    result.attrs["conclusion"] = conclusion(result)
    result.attrs["limits"] = limits(result, series.notes)
    return result

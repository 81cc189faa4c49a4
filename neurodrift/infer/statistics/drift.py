"""Statistics of drift of a recording, of the results of its analysis, or of what was seen."""

from __future__ import annotations

import xarray as xr

from neurodrift.analysis.maps.binning import Binning
from neurodrift.infer.observation.counts import Observed
from neurodrift.infer.observation.recording import observed_of
from neurodrift.infer.observation.sessions import Undetected
from neurodrift.infer.statistics.vector import statistics_of
from neurodrift.schema.options import checked_options


@checked_options
def drift_statistics(
    source: xr.Dataset | xr.DataTree | Observed,
    *,
    binning: Binning | None = None,
    undetected: Undetected = "auto",
    se: bool = True,
    seed: int = 0,
) -> xr.Dataset:
    r"""Statistics of drift as one vector, the same for animals and networks.

    They speak of the rule that moves a code, not of the recording: time is from the first session
    to the last whatever its unit, rates are over each session's gain and most over each unit's own
    mean, similarities are over those between halves of one session, and squares are products of
    halves, so that few events do not enlarge them.

    Parameters
    ----------
    source
        A recording; or results of :func:`neurodrift.analyze` with maps that are not smoothed; or
        what :func:`neurodrift.infer.observation.recording.observed_of` gives.
    binning
        Bins of position and frames that count, as for :func:`neurodrift.compute_half_maps`; of a
        recording only.
    undetected
        What a unit is that was not detected in a session: ``"missing"``; ``"silent"``; or
        ``"auto"``: silent where cells were found in each session by their activity (attribute
        ``detection`` is ``each_session``), otherwise missing.
    se
        Whether standard errors are computed
        (:func:`neurodrift.infer.statistics.vector.statistics_of`).
    seed
        Of random groups of units.

    Returns
    -------
    xarray.Dataset
        ``value`` and, where asked for, ``se`` (statistic) [1]. NaN where a statistic is not
        defined. docs/drift-statistics.md says what each is, why it speaks of the rule, and what
        biases it. Attributes ``n_cells``, ``n_events`` (of a cell and session) and ``n_sessions``
        say how much was seen: a prior must have been seen alike.

    Raises
    ------
    TypeError
        If `source` is none of these.
    ValueError
        If the activity is fluorescence or below 0, there are neither positions nor trial types nor
        inputs, no session has two halves, or the results hold no such maps.

    Notes
    -----
    With the activity :math:`f^h_a` of half h of session a, a similarity of sessions a and b is

    .. math:: S_{ab} = \frac{\overline{f_a^h \cdot f_b^k}}
        {\sqrt{(f_a^1 \cdot f_a^2)(f_b^1 \cdot f_b^2)}}

    with products summed over units and conditions before they are divided [1]_. Standard errors
    come from leaving out one of 20 groups of units in turn, and say how much it mattered which
    cells were seen; they say nothing of other animals.

    References
    ----------
    .. [1] Spearman (1904), Am J Psychol 15:72. https://doi.org/10.2307/1412159

    Examples
    --------
    >>> import neurodrift as nd
    >>> from neurodrift import testing
    >>> recording = testing.linear_track(n_units=40, n_sessions=4, drift=0.3)
    >>> found = nd.drift_statistics(recording)
    >>> found["value"].dims, bool(found["value"].sel(statistic="maps_first") < 1)
    (('statistic',), True)
    """
    if isinstance(source, Observed):
        return statistics_of(source, se=se, seed=seed)
    observed = observed_of(source, binning=binning, undetected=undetected)
    found = statistics_of(observed, se=se, seed=seed)
    own = {
        name: source[name].values for name in ("subject", "environment") if name in source.coords
    }
    return found.assign_coords(own)

"""The node of measures on an equal footing."""

from __future__ import annotations

import xarray as xr

from neurodrift.analysis.footing.measures import compute_matched_measures
from neurodrift.analysis.nodes.work import Work
from neurodrift.schema.results import MEASURES


def matched(work: Work) -> xr.Dataset:
    """Measures after the sessions were made equal."""
    assert work.match is not None
    return compute_matched_measures(
        work.recording,
        match=work.match,
        binning=work.binning,
        smoothing=work.smoothing,
        min_events=work.min_events,
        alpha=work.alpha,
        null=work.null,
        combine=work.combine,
        n_repeats=max(1, work.n_repeats // 5),
        n_draws=work.n_draws,
        seed=work.seed,
    )


def matched_measures(found: xr.Dataset) -> xr.Dataset:
    """Measures on an equal footing, by session.

    Parameters
    ----------
    found
        From `compute_matched_measures`.

    Returns
    -------
    xarray.Dataset
        Over ``session``, for `tabulate_sessions`, as ``NAME_matched``.
    """
    names = [n for n, v in found.items() if v.dims == ("session",) and f"{n}_matched" in MEASURES]
    return found[names].rename({name: f"{name}_matched" for name in names})

"""Share of active units were every session's cells seen as seldom as in the poorest one."""

from __future__ import annotations

import numpy as np
import xarray as xr


def fraction_active_at_equal_events(sparsity: xr.Dataset, counted: xr.DataArray) -> xr.DataArray:
    r"""Share of active units with as many events a cell in every session.

    A bleaching indicator or a lower threshold loses events of all cells alike, and the poorest
    cells drop below the least events of an active unit. Events of session s are kept with the
    probability :math:`f_s = \min_t m_t / m_s`, with :math:`m_s` the median number of events of the
    units that have any; a unit with n events is then active with the probability that a binomial of
    n and :math:`f_s` is not below that least number. Cells that fall silent while others go on do
    not change :math:`m_s`.

    Parameters
    ----------
    sparsity
        Result of :func:`neurodrift.compute_sparsity`.
    counted
        (session, unit) units that the share is of.

    Returns
    -------
    xarray.DataArray
        (session) the expected share; NaN without a counted unit or an event.
    """
    from scipy.stats import binom

    events = sparsity["n_events"].transpose("session", "unit").values
    mask = counted.transpose("session", "unit").values
    typical = np.array([np.median(n[n > 0]) if (n > 0).any() else np.nan for n in events])
    kept = np.full(typical.size, np.nan)
    if np.isfinite(typical).any():
        kept = np.nanmin(typical) / typical
    least = int(sparsity.attrs["min_events"])
    active = binom.sf(least - 1, np.nan_to_num(events), kept[:, None])
    n = mask.sum(axis=1)
    total = np.where(mask, active, 0.0).sum(axis=1)
    share = np.divide(total, n, out=np.full(n.size, np.nan), where=n > 0)
    return xr.DataArray(share, dims="session")

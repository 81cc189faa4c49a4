"""Deconvolved activity from traces of fluorescence, by OASIS: an explicit step."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.recording import finish, is_even, slice_sessions
from neurodrift.schema import check
from neurodrift.schema.options import checked_options


@checked_options
def deconvolve(recording: xr.Dataset, *, min_size: float = 0.0, n_threads: int = 1) -> xr.Dataset:
    r"""Deconvolve the traces of a recording of fluorescence, session by session.

    Parameters
    ----------
    recording
        A recording of kind ``fluorescence`` (F, dF/F or denoised traces) whose frames are of one
        length in each session. NumPy or Dask; one session is in memory at a time.
    min_size
        Events smaller than this many standard deviations of the trace's noise are left out;
        0 keeps all. The noise is that of the residual between trace and fit.
    n_threads
        Units that are deconvolved at once.

    Returns
    -------
    xarray.Dataset
        The recording with activity of kind ``deconvolved`` [a.u. of the trace]: every analysis of
        events can be asked of it.

    Raises
    ------
    ImportError
        If ``oasis-deconv`` is not installed.
    ValueError
        If activity is no fluorescence, or frames differ in length.

    Notes
    -----
    A trace is taken as :math:`c_t = \gamma c_{t-1} + s_t` with noise and a baseline; OASIS [1]_
    finds the sparse :math:`s \ge 0`, and the decay, noise and baseline from the trace itself. What
    biases it: the noise is estimated anew in each session, so that events of a noisier or shorter
    session are found less often. Compare sessions by matched numbers of events, and look at the
    traces.

    References
    ----------
    .. [1] Friedrich, Zhou & Paninski (2017), PLoS Comput Biol.
       https://doi.org/10.1371/journal.pcbi.1005423

    Examples
    --------
    >>> import numpy as np
    >>> import neurodrift as nd
    >>> events = np.zeros((3000, 1))
    >>> events[100::150] = 1
    >>> decay = np.exp(-np.arange(60) / 15)
    >>> noise = 0.05 * np.random.default_rng(0).standard_normal((3000, 1))
    >>> trace = np.convolve(events[:, 0], decay)[:3000, None] + noise
    >>> recording = nd.recording_from_arrays(trace, kind="fluorescence", frame_duration=0.05)
    >>> found = nd.deconvolve(recording, min_size=5)["activity"].values
    >>> int((found > 0).sum()), int((events > 0).sum())
    (20, 20)
    """
    functions = _oasis()
    check(recording)
    kind = recording["activity"].attrs["kind"]
    if kind != "fluorescence":
        raise ValueError(f"activity is of kind {kind!r}: only fluorescence can be deconvolved")
    found = np.zeros(recording["activity"].shape)
    for i, where in enumerate(slice_sessions(recording)):
        if where.start == where.stop:
            continue
        if not is_even(recording["frame_duration"].values[where]):
            raise ValueError(
                f"frames of session {str(recording['session'].values[i])!r} differ in length, and "
                "a decay from frame to frame is fitted: bring the traces to even frames first"
            )
        traces = np.asarray(recording["activity"].isel(time=where).values, dtype=np.float64)
        seen = np.flatnonzero(recording["detected"].values[i])

        def fill(unit: int, traces: np.ndarray = traces, where: slice = where) -> None:
            found[where, unit] = _events(functions, np.ascontiguousarray(traces[:, unit]), min_size)

        with ThreadPoolExecutor(n_threads) as pool:
            list(pool.map(fill, seen.tolist()))
    result = recording.copy()
    result["activity"] = (recording["activity"].dims, found)
    return finish(result, "deconvolved").assign_attrs(deconvolved_by=f"OASIS, {min_size:g} sd")


def _events(functions: Any, trace: np.ndarray, min_size: float) -> np.ndarray:
    """Deconvolved activity of one trace."""
    if np.ptp(trace) == 0:
        return np.zeros(trace.size)
    fit, events, baseline, *_ = functions.deconvolve(trace, penalty=1)
    noise = float(np.std(trace - baseline - fit))
    events = np.where(events > 1e-9 * np.ptp(trace), events, 0.0)
    return np.where(events >= min_size * noise, events, 0.0)


def _oasis() -> Any:
    try:
        from oasis import functions
    except ImportError as error:
        raise ImportError('OASIS is not installed: pip install "neurodrift[oasis]"') from error
    return functions

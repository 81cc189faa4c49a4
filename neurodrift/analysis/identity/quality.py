"""How many units each step keeps, and whether the units of two sessions are the same."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import align_mask, registered_units
from neurodrift.analysis.identity.registration import check_registration, registration_warnings
from neurodrift.schema import check, label
from neurodrift.schema.objects import expect_mask
from neurodrift.schema.results import UNIT_COUNTS

STEPS = ("detected", "registered", "active", "tested", "place_cells")


def count_units(
    recording: xr.Dataset,
    *,
    active: xr.DataArray | None = None,
    tested: xr.DataArray | None = None,
    place_cells: xr.DataArray | None = None,
) -> xr.Dataset:
    """Count the units that each step of an analysis keeps, and those common to each two sessions.

    Parameters
    ----------
    recording
        A recording over (session, time, unit).
    active, tested, place_cells
        (session, unit) what a step found, such as ``sparsity(...)["is_active"]``,
        ``place_cells(...)["tested"].any("direction")`` and ``["is_place_cell"]``; left out when
        omitted.

    Returns
    -------
    xarray.Dataset
        ``n_recorded``, units of the recording in any session; over ``step`` (detected,
        registered and those given): ``n_units`` (step, session); ``n_in_any`` and ``n_in_every``
        session (step); ``n_common`` (step, session, other), units with a known identity that
        pass the step in both sessions (on the diagonal, in the session); ``fraction_common``,
        of the units that pass in either. ``registered`` are detected units whose identity in
        other sessions is known. Where the recording has a ``registration_score``,
        ``median_registration_score`` (session) of the detected units.

    Raises
    ------
    ValueError
        If units or sessions of a step are not those of the recording.

    Notes
    -----
    No step here drops a unit: counts are of each step by itself among the detected units, and
    pairs of sessions are compared over the units common to that pair, never over those common to
    all sessions.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.identity.quality import count_units
    >>> recording = testing.linear_track(n_units=20, n_sessions=3, detection=0.6, minutes=1)
    >>> counts = count_units(recording)
    >>> counts["n_units"].sel(step="detected").values.tolist()
    [14, 16, 13]
    >>> counts["n_common"].sel(step="detected", session="1", other="2").item()
    11
    """
    check(recording)
    detected = recording["detected"].transpose("session", "unit").values
    known = registered_units(recording).values
    passing = {"detected": detected, "registered": detected & known}
    for name, step in (("active", active), ("tested", tested), ("place_cells", place_cells)):
        if step is not None:
            expect_mask(name, step)
            aligned = align_mask(step, recording, name, "recording")
            passing[name] = aligned.values.astype(bool) & detected
    masks = np.stack(list(passing.values()))
    shared = (masks & known).astype(np.int64)
    common = np.einsum("ksu,ktu->kst", shared, shared)
    size = np.einsum("kss->ks", common)
    either = size[:, :, None] + size[:, None, :] - common
    fraction = np.divide(common, either, out=np.full(common.shape, np.nan), where=either > 0)
    sessions = recording["session"].values
    triple = ("step", "session", "other")
    counts = xr.Dataset(
        {
            "n_recorded": recording.sizes["unit"],
            "n_units": (("step", "session"), masks.sum(axis=2)),
            "n_in_any": ("step", masks.any(axis=1).sum(axis=1)),
            "n_in_every": ("step", (masks & known).all(axis=1).sum(axis=1)),
            "n_common": (triple, common),
            "fraction_common": (triple, fraction),
        },
        coords={
            "step": np.array(list(passing), dtype=object),
            "session": sessions,
            "other": ("other", sessions),
        },
    )
    if "registration_score" in recording:
        score = recording["registration_score"].transpose("session", "unit").values
        scores = [row[own & np.isfinite(row)] for row, own in zip(score, detected, strict=True)]
        counts["median_registration_score"] = (
            "session",
            [float(np.median(row)) if row.size else np.nan for row in scores],
        )
    return label(counts, UNIT_COUNTS)


def quality(
    recording: xr.Dataset,
    counts: xr.Dataset,
    *,
    switches: xr.Dataset | None = None,
    **options: Any,
) -> xr.Dataset:
    """Unit counts and the check of the registration, with sentences on what is not as it should be.

    Parameters
    ----------
    recording
        A recording with a position.
    counts
        Result of :func:`count_units`.
    switches
        Result of :func:`neurodrift.detect_maps`, where its labels are not used.
    **options
        Of :func:`neurodrift.check_registration`.

    Returns
    -------
    xarray.Dataset
        The variables of both; the attribute ``warnings`` is a JSON list of sentences.

    Examples
    --------
    >>> from neurodrift import testing, count_units
    >>> from neurodrift.analysis.identity.quality import quality
    >>> recording = testing.linear_track(n_units=12, n_sessions=2, minutes=5)
    >>> found = quality(recording, count_units(recording), n_repeats=300)
    >>> found["verdict"].values.tolist(), found.attrs["warnings"]
    (['ok', 'ok'], '[]')
    """
    checked = check_registration(recording, **options)
    sentences = registration_warnings(checked)
    if switches is not None and switches["n_maps"] > 1:
        sentences.insert(
            0,
            f"The population seems to switch between {int(switches['n_maps'])} maps of the "
            "environment (node map_switches), which other results mix with drift: keep them apart "
            "with map_labels='detect'.",
        )
    both = xr.merge([counts, checked], join="exact", compat="no_conflicts", combine_attrs="drop")
    return both.assign_attrs(checked.attrs | {"warnings": json.dumps(sentences)})

"""Which units keep their maps, in words."""

from __future__ import annotations

import numpy as np
import xarray as xr

_WORDS = {
    "rate": ("a higher rate", "a lower rate"),
    "information": ("more information", "less information"),
    "width": ("wider fields", "narrower fields"),
    "peak": ("a higher peak", "a lower peak"),
}


def describe_stability(found: xr.Dataset) -> str:
    """Which units keep their maps, in a sentence.

    Parameters
    ----------
    found
        Result of :func:`neurodrift.predict_stability`, or the node ``stable_units``.

    Returns
    -------
    str
        With the effects beyond units without a link.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=30, n_sessions=3, minutes=6)
    >>> nd.describe_stability(nd.predict_stability(track, n_repeats=39))[:5]
    'Which'
    """
    told = np.isfinite(found["effect"].values)
    if not told.any():
        why = str(found.attrs.get("left_out", "")) or "too few units"
        return f"Which units keep their maps cannot be told: {why}."
    n = int(found["n_units"].sum())
    if not found["beyond"].values.any():
        tried = ", ".join(str(name) for name in found["predictor"].values)
        least = float(np.nanmin(found["p"].values)) if np.isfinite(found["p"]).any() else np.nan
        return (
            f"Which units keep their maps is not told by their {tried}: no link is stronger than "
            f"chance among units of the same rates gives ({n} units; smallest p of "
            f"{found.sizes['predictor']} tests {least:.2g}, before correction for their number)."
        )
    parts = []
    for k in np.flatnonzero(found["beyond"].values):
        name = str(found["predictor"].values[k])
        effect, null = float(found["effect"][k]), float(found["effect_null"][k])
        more = _WORDS.get(name, (f"a higher {name}", f"a lower {name}"))[int(effect < null)]
        partial = float(found["partial"][k])
        given = f"{partial:+.2f} given the others" if np.isfinite(partial) else "alone"
        parts.append(
            f"{more} (rank correlation {effect:+.2f}, {null:+.2f} without a link, "
            f"p = {float(found['p'][k]):.2g}; {given})"
        )
    return f"Units with {'; with '.join(parts)} keep their maps better, of {n} units."

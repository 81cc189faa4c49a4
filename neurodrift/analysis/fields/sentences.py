"""What became of place fields, in words."""

from __future__ import annotations

import numpy as np
import xarray as xr

SIGNIFICANT = 0.05
_NAMES = ("moved", "lost", "kept_chance", "mean_shift")


def describe_fields(fields: xr.Dataset) -> list[str]:
    """What became of fields until the next session, and how they move from lap to lap.

    Parameters
    ----------
    fields
        The node ``fields``.

    Returns
    -------
    list of str
        Sentences; one that says why nothing can be told.
    """
    kept = mean_by_lag(fields, "kept")
    if not kept.size or not np.isfinite(kept[0]):
        return ["Too few place fields are known in two neighbouring sessions to follow them."]
    of = {
        name: mean_by_lag(fields, name)[0]
        for name in ("moved", "lost", "kept_chance", "mean_shift")
    }
    unit = fields["mean_shift"].attrs.get("units", "cm")
    sentences = [
        f"Of the fields of cells that are place cells in two neighbouring sessions, "
        f"{100 * kept[0]:.0f} % are at their place in the next "
        f"({100 * of['kept_chance']:.0f} % by chance), {100 * of['moved']:.0f} % have moved and "
        f"{100 * of['lost']:.0f} % are gone; they lie {of['mean_shift']:+.1f} {unit} further on "
        "average."
    ]
    slopes = fields["lap_slope"].values if "lap_slope" in fields else np.array([])
    known = np.isfinite(slopes)
    if known.any():
        p = fields["lap_slope_p"].values
        found = (p <= SIGNIFICANT) & known
        back = int((found & (slopes < 0)).sum())
        sentences.append(
            f"With each lap the centres of fields move by {slopes[known].mean():+.2f} {unit} along "
            f"the way, the mean of {int(known.sum())} sessions; backward in {back} and forward in "
            f"{int(found.sum()) - back} of them (p < .05)."
        )
    return [sentence.replace("-", "\u2212") for sentence in sentences]


def mean_by_lag(fields: xr.Dataset, name: str) -> np.ndarray:
    """Mean over pairs of sessions by the sessions from the first to the second.

    Parameters
    ----------
    fields
        A result over pairs of sessions.
    name
        One of its variables.

    Returns
    -------
    numpy.ndarray
        (lag) from one session on; NaN where no pair is known.
    """
    values = fields[name].values
    found = []
    for k in range(1, values.shape[0]):
        own = np.diagonal(values, k)
        own = own[np.isfinite(own)]
        found.append(own.mean() if own.size else np.nan)
    return np.array(found)

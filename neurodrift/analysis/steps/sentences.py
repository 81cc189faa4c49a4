"""What the steps of the units say, in plain words."""

from __future__ import annotations

import numpy as np
import xarray as xr

_PER = {
    "day": "a day",
    "experience": "a minute of experience",
    "training_step": "a training step",
    "session": "a session",
}


def steps_sentences(found: xr.Dataset) -> list[str]:
    """How far fields move, by what law, and whether single units jump.

    Parameters
    ----------
    found
        Result of :func:`neurodrift.compute_steps`.

    Returns
    -------
    list of str
        Sentences, none where nothing could be told.

    Examples
    --------
    >>> import neurodrift as nd
    >>> from neurodrift.analysis.steps.sentences import steps_sentences
    >>> steps_sentences(nd.compute_steps(nd.testing.linear_track(n_units=5, n_sessions=2)))
    []
    """
    what = "fields" if found.attrs["variable"] == "centre" else "rates"
    if "not larger than noise" in found.attrs["reason"]:
        return [f"Whether {what} move between neighbouring sessions cannot be told from noise."]
    if not np.isfinite(found["excess_kurtosis"]):
        return []
    lag = found["lag"].values
    near = found["mean_square_step"].values[lag == 1]
    size = float(np.sqrt(max(np.nanmean(near), 0.0)))
    unit = found.attrs["units"]
    said = [
        f"Between neighbouring sessions {what} move by {size:.2g} {unit} (root mean square, "
        f"without noise): {_short(found, 'diffusion')} {unit}² {_PER[found.attrs['axis']]} of "
        "diffusion."
    ]
    if np.isfinite(found["exponent"]):
        said.append(
            f"The mean square grows with the lag to the power {_short(found, 'exponent')}; 1 is a "
            "random walk, 0 scatter about a fixed place."
        )
    if np.isfinite(found["jumpiness"]):
        said.append(_jumps(found))
    if found["directedness_low"] > 0:
        said.append("Steps go on in their direction.")
    elif found["directedness_high"] < 0:
        said.append("Steps go back on those before them.")
    if found["step_correlation_low"] > 0.05:
        said.append(f"Units move together (correlation {_short(found, 'step_correlation')}).")
    return said


def _jumps(found: xr.Dataset) -> str:
    value = f"excess kurtosis {_short(found, 'excess_kurtosis')}"
    if found["jumpiness_low"] > 0:
        return f"Few units move far while the others stay: drift in jumps ({value})."
    if found["jumpiness_high"] < 3:
        return f"The steps are those of many small moves ({value})."
    return f"Whether drift comes in jumps or in small steps cannot be told ({value})."


def _short(found: xr.Dataset, name: str) -> str:
    ends = [f"{found[f'{name}{end}'].item():.2g}" for end in ("", "_low", "_high")]
    return f"{ends[0]} ({ends[1]} to {ends[2]})".replace("-", "−")

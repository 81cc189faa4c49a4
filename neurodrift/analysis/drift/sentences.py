"""What the drift index and the course over lags say, in plain words."""

from __future__ import annotations

import numpy as np
import xarray as xr

_UNITS = {
    "day": "days",
    "experience": "min of experience",
    "training_step": "training steps",
    "session": "sessions",
}
_ONE = {
    "days": "a day",
    "min of experience": "a minute of experience",
    "training steps": "a training step",
    "sessions": "a session",
}
_MEASURES = {
    "rate_map_correlation_relative": "The correlation of maps without noise",
    "rate_map_correlation": "The correlation of maps",
    "ensemble_rate_correlation_relative": "The correlation of ensemble rates without noise",
    "ensemble_rate_correlation": "The correlation of ensemble rates",
}


def course_sentence(fitted: xr.Dataset) -> str:
    """How similarity falls with the lag.

    Parameters
    ----------
    fitted
        Result of :func:`neurodrift.fit_time_constant`.

    Returns
    -------
    str
        A sentence, empty where nothing was fitted.

    Examples
    --------
    >>> import neurodrift as nd
    >>> from neurodrift.analysis.drift.sentences import course_sentence
    >>> track = nd.testing.linear_track(n_units=20, n_sessions=2)
    >>> drift = nd.compute_session_drift(nd.compute_drift(nd.compute_half_maps(track)))
    >>> course_sentence(nd.fit_time_constant(drift))
    ''
    """
    chosen = fitted.attrs["chosen"]
    if not chosen:
        return ""
    measure = str(fitted.attrs["measure"])
    what = _MEASURES.get(measure, measure.replace("_", " "))
    units = _UNITS[str(fitted.attrs["axis"])]
    if chosen == "constant":
        return (
            f"{what}: its shape over the time between sessions cannot be told. Each session was "
            "predicted from all others, and neither a line nor a fall to a floor did it better "
            "than a constant by more than a standard error. This is no test of whether it falls: "
            f"the line that fits best changes by {_interval(fitted, 'slope')} in {_one(units)}."
        )
    if chosen == "linear":
        return (
            f"{what} changes by {_interval(fitted, 'slope')} in {_one(units)}; a floor is not seen."
        )
    half = ", with no half-life that these sessions could tell"
    if np.isfinite(fitted["half_life"]):
        half = f" with a half-life of {_interval(fitted, 'half_life')} {units}"
    return f"{what} falls to a floor of {_interval(fitted, 'floor')}{half}."


def index_sentence(found: xr.Dataset) -> str:
    """The drift index of neighbouring and of the farthest sessions.

    Parameters
    ----------
    found
        Result of :func:`neurodrift.compute_drift_index`.

    Returns
    -------
    str
        A sentence, empty where there is no index above its control.
    """
    lag = found["lag"].transpose("session_a", "session_b").values
    above = found["drift_index_above_control"].transpose("session_a", "session_b").values
    known = np.isfinite(above) & (lag > 0)
    if not known.any():
        return ""
    near = above[known & (lag == lag[known].min())].mean()
    far = above[known & (lag == lag[known].max())].mean()
    if lag[known].min() == lag[known].max():
        return f"The drift index of Marks and Goard is {_short(near)} above that of noise alone."
    return (
        f"The drift index of Marks and Goard is {_short(near)} above that of noise alone between "
        f"neighbouring sessions, and {_short(far)} between those farthest apart."
    )


def _interval(fitted: xr.Dataset, name: str) -> str:
    ends = [_short(fitted[f"{name}{end}"].item()) for end in ("", "_low", "_high")]
    return f"{ends[0]} ({ends[1]} to {ends[2]})"


def _short(value: float) -> str:
    text = f"{value:.2g}"
    if "e" in text:
        text = f"{value:.0f}" if abs(value) >= 1 else f"{value:.1e}"
    return text.replace("-", "−")


def _one(units: str) -> str:
    return _ONE[units]

"""What behaviour explains, in words."""

from __future__ import annotations

import json
from collections.abc import Sequence

import xarray as xr

_BEYOND = 0.05  # p from which a predictor is not beyond chance
_WORDS = {
    "rate_map_correlation_relative": "the similarity of maps",
    "rate_map_correlation": "the similarity of maps",
    "ensemble_rate_correlation": "the similarity of mean rates",
    "ensemble_rate_correlation_relative": "the similarity of mean rates",
    "error": "the decoding error",
}


def describe_behaviour(found: xr.Dataset) -> str:
    """What time and behaviour explain of a change, in two or three sentences.

    Parameters
    ----------
    found
        Result of :func:`neurodrift.explain_drift`, or the node ``behaviour`` of the results.

    Returns
    -------
    str
        With the shares of variance, and whether both can be told apart.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=10, n_sessions=6, minutes=4)
    >>> results = nd.analyze(track, measures=["session_drift", "behaviour"])
    >>> nd.describe_behaviour(nd.explain_drift(results))[:7]
    'Between'
    """
    verdict = str(found.attrs.get("verdict", ""))
    if not verdict or verdict == "too few sessions":
        why = str(found.attrs.get("left_out", "")) or "there are no five sessions with a similarity"
        return f"Whether behaviour explains the change cannot be told: {why}."
    times = json.loads(str(found.attrs["times"]))
    lag, unit = times[0], _PER.get(times[0], "step")
    what = _WORDS.get(str(found.attrs["measure"]), str(found.attrs["measure"]).replace("_", " "))
    n = float(found["n_sessions"].mean())
    slope = float(found["slope"].sel(term=lag))
    alone = float(found["slope_alone"].sel(term=lag))
    if verdict == "cannot be told apart":
        low, high = sorted((slope, alone))
        return (
            f"Between {n:.0f} sessions, behaviour changed along with time (correlation over pairs "
            f"{float(found['confounding'].max()):.2f}), so that both cannot be told apart: the "
            f"slope of {what} is anything from {low:.2g} to {high:.2g} per {unit}, with and "
            "without behaviour."
        )
    net = (found["explained"] - found["explained_by_chance"]).values
    shares = [f"{100 * max(0.0, share):.0f} %" for share in net]
    text = (
        f"Between {n:.0f} sessions, time explains {shares[0]} of the variance of {what} beyond "
        f"chance, behaviour {shares[1]}, both together {shares[2]} (chance is taken off each, so "
        "that both together can have less than one). "
    )
    rest = [str(term) for term in found["term"].values if term not in times]
    time = _terms(found, times, what)
    behaviour = _corrected(found, rest)
    least = f"p = {min(behaviour.values()):.2g}"
    if len(rest) > 1:
        least += f" of {min(behaviour, key=behaviour.__getitem__).replace('_', ' ')}, corrected"
    close = {
        "time": f"What goes with time is not explained by behaviour: {time}.",
        "behaviour": f"The change goes with behaviour ({least}) and not with time: {time}. "
        "Do not call it drift.",
        "both": f"Time and behaviour each explain a part (behaviour: {least}): {time}.",
        "neither": f"Neither is beyond chance: {time}; behaviour: {least}.",
    }
    return text + close[verdict]


_PER = {
    "lag_day": "day",
    "lag_experience": "minute of experience",
    "lag_training_step": "training step",
    "lag": "session",
}


def _corrected(found: xr.Dataset, terms: Sequence[str]) -> dict[str, float]:
    """P of each term, times their number, as the verdict weighs them."""
    p = {term: float(found["p"].sel(term=term)) for term in terms}
    return {term: min(1.0, value * len(terms)) for term, value in p.items()}


def _terms(found: xr.Dataset, times: Sequence[str], what: str) -> str:
    """Slope and p of each predictor of time, those beyond chance first."""
    p = _corrected(found, times)
    told = []
    for term in sorted(times, key=lambda term: p[term] > _BEYOND):  # stable: days first
        slope = float(found["slope"].sel(term=term))
        way = "falls" if slope < 0 else "rises"
        unit = _PER.get(term, "step")
        chance = ", not beyond chance" if p[term] > _BEYOND else ""
        told.append(f"{way} by {abs(slope):.2g} per {unit} (p = {p[term]:.2g}{chance})")
    beside = " beside behaviour"
    if len(times) > 1:
        beside += f" and each other, p corrected for {len(times)} predictors of time"
    return f"{what} {' and '.join(told)}{beside}"

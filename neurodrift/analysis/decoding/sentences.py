"""What decoders across sessions found, in words."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

_SURE = 0.05


def describe_decoding(found: xr.Dataset) -> str:
    """What a decoder of the first session still does in the last, and the other way round.

    Parameters
    ----------
    found
        Result of :func:`neurodrift.decode_across_sessions`, or the node ``decoding``.

    Returns
    -------
    str
        Of the pair of sessions that are furthest apart, of those that can be told.

    Examples
    --------
    >>> from neurodrift import decode_across_sessions, testing
    >>> from neurodrift.analysis.decoding.sentences import describe_decoding
    >>> recording = testing.linear_track(n_units=20, n_sessions=3, minutes=4)
    >>> describe_decoding(decode_across_sessions(recording))[:32]
    'A decoder trained in session 1 s'
    """
    lag = np.where(np.isfinite(found["error"].values), found["lag"].values, -1)
    if not (lag > 0).any():
        why = ", ".join(json.loads(found.attrs.get("left_out", "{}"))) or "there is one session"
        return f"No decoder could be tested in another session: {why}."
    a, b = (int(i) for i in np.unravel_index(np.argmax(lag), lag.shape))
    text = _one_way(found, a, b)
    if not np.isfinite(found["error"].values[b, a]):
        return text
    text += f" The other way round, {_other_way(found, b, a)}"
    mean = float(found["error"].values[[a, b], [b, a]].mean())
    return f"{text} The mean of both ways is {_size(found, mean)}."


def _one_way(found: xr.Dataset, a: int, b: int) -> str:
    first, last = (str(found[name].values[i]) for name, i in (("session_a", a), ("session_b", b)))
    one = _numbers(found, a, b)
    after = ""
    if "lag_day" in found.coords and np.isfinite(found["lag_day"].values[a, b]):
        after = f", {float(found['lag_day'].values[a, b]):g} days later"
    error, own = (_size(found, one[name]) for name in ("error", "own_error"))
    chance, own_chance = (_size(found, one[name]) for name in ("chance", "own_chance"))
    if not one["p"] <= _SURE:
        return (
            f"A decoder trained in session {first} is no better than chance in session {last}"
            f"{after}: it errs by {error} (chance {chance}; decoder of session {last} itself "
            f"{own}, its chance {own_chance})."
        )
    text = (
        f"A decoder trained in session {first} still tells the {_aim(found)} in session {last}"
        f"{after}, with a mean error of {error} (chance {chance}); the decoder of session {last} "
        f"itself errs by {own} (its chance {own_chance})."
    )
    if np.isfinite(one["relative"]):
        text += f" The gain over chance is {_percent(one)} of that of the session's own decoder"
        text += f"{_sure(one)}."
    return text


def _other_way(found: xr.Dataset, a: int, b: int) -> str:
    """The same pair with the sessions exchanged, in a few words."""
    first, last = (str(found[name].values[i]) for name, i in (("session_a", a), ("session_b", b)))
    one = _numbers(found, a, b)
    error, chance = (_size(found, one[name]) for name in ("error", "chance"))
    text = f"trained in session {first} and tested in session {last}, it errs by {error} (chance "
    text += f"{chance})"
    if not one["p"] <= _SURE:
        return f"{text}, no better than chance."
    if not np.isfinite(one["relative"]):
        return f"{text}."
    own, own_chance = (_size(found, one[name]) for name in ("own_error", "own_chance"))
    return f"{text}, own decoder {own} (its chance {own_chance}): {_percent(one)}{_sure(one)}."


def _numbers(found: xr.Dataset, a: int, b: int) -> dict[str, float]:
    return {str(name): float(values.values[a, b]) for name, values in found.data_vars.items()}


def _percent(one: dict[str, float]) -> str:
    return f"{100 * one['relative']:.0f} %"


def _sure(one: dict[str, float]) -> str:
    if not np.isfinite(one["worse_p"]):
        return ""
    sure = "less than its own" if one["worse_p"] <= _SURE else "not told from its own"
    return f", {sure} (p = {one['worse_p']:.2g})"


def _aim(found: xr.Dataset) -> str:
    aim = str(found.attrs.get("target", "position"))
    return {"position": "position", "direction": "direction of running"}.get(aim, "type of trial")


def _size(found: xr.Dataset, value: float) -> str:
    unit = str(found["error"].attrs.get("units", ""))
    if unit in ("", "1"):
        return f"{100 * value:.0f} % of the windows"
    return f"{value:.3g} {unit}"

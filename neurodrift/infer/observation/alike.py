"""Whether the networks of a prior were seen as the target was: as many cells, events, sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.infer.observation.protocol import Observation

COMPARED = ("cells", "events of a cell and session", "sessions")
"""What is compared."""

MUCH = 1.5
"""Factor by which cells, events or sessions must differ to be told."""


@dataclass(frozen=True)
class Seen:
    """How a prior and a target were seen, side by side.

    Parameters
    ----------
    compared
        Those of `COMPARED` that are known of both.
    differences
        A few words for each that differs by a factor of more than `MUCH`.
    """

    compared: tuple[str, ...]
    differences: tuple[str, ...]

    @property
    def warning(self) -> str:
        """One sentence with what to do; empty without a difference."""
        if not self.differences:
            return ""
        return (
            f"the networks of this prior were not seen as the target was ({told(self)}), so that "
            "it may be outside the prior, or be given a wrong name, for that alone; see them as "
            "the target was: nd.open_prior(store, nd.observation_of(recording)), on the command "
            "line --observation target; for more active cells simulate larger networks"
        )


def told(seen: Seen) -> str:
    """The differences in a row."""
    return "; ".join(seen.differences)


def compare_seen(target: Mapping[str, Any], prior: xr.Dataset) -> Seen:
    """Compare how a target and the networks of a prior were seen.

    Parameters
    ----------
    target
        Attributes of its statistics: ``n_cells``, ``n_events`` of a cell and session,
        ``n_sessions``, ``noise_free``; what is missing is not known.
    prior
        Of :func:`neurodrift.open_prior`.

    Returns
    -------
    Seen
        What differs by a factor of more than `MUCH`; events are compared with the range that the
        networks have.

    Examples
    --------
    >>> import neurodrift as nd
    >>> from neurodrift.infer.observation.alike import compare_seen
    >>> few = {"n_cells": 50, "n_events": 150.0, "n_sessions": 8}
    >>> compare_seen(few, nd.examples.read_prior()).differences
    ('200 cells there, 50 here',)
    """
    found = [
        _numbers("cells", _cells(prior), _number(target, "n_cells"), _most(prior)),
        _events(prior, target),
        _numbers("sessions", _number(prior.attrs, "n_sessions"), _number(target, "n_sessions")),
    ]
    known = tuple(name for name, one in zip(COMPARED, found, strict=True) if one is not None)
    return Seen(known, tuple(words for words in found if words))


def _numbers(what: str, there: float, here: float, aside: str = "") -> str | None:
    """Words of a difference, empty for none; None where one is not known."""
    if not (there > 0 and here > 0):
        return None
    if max(there / here, here / there) <= MUCH:
        return ""
    return f"{there:.0f} {what} there{aside}, {here:.0f} here"


def _events(prior: xr.Dataset, target: Mapping[str, Any]) -> str | None:
    seen = _observation(prior)
    if seen is None:
        return None
    here = _number(target, "n_events")
    noise_free = bool(target.get("noise_free", False))
    if seen.noise_free or noise_free:
        if seen.noise_free and noise_free:
            return ""
        if noise_free:
            return "with noise there, without here"
        return f"without noise there, with {here:.3g} events here" if here > 0 else None
    low, high = seen.events_per_cell
    if not here > 0:
        return None
    if low / MUCH <= here <= high * MUCH:
        return ""
    range_ = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
    return f"{range_} events a cell and session there, {here:.3g} here"


def _cells(prior: xr.Dataset) -> float:
    if "n_cells" in prior and prior["n_cells"].notnull().any():
        return float(prior["n_cells"].median())
    seen = _observation(prior)
    return float("nan") if seen is None or seen.n_cells is None else float(seen.n_cells)


def _most(prior: xr.Dataset) -> str:
    """Whether more cells were asked for than are active."""
    seen, there = _observation(prior), _cells(prior)
    if seen is None or seen.n_cells is None or not seen.n_cells > there * MUCH:
        return ""
    return " (no more are ever active)"


def _observation(prior: xr.Dataset) -> Observation | None:
    text = prior.attrs.get("observation_json")
    return Observation.from_json(str(text)) if text else None


def _number(attrs: Mapping[Any, Any], name: str) -> float:
    try:
        return float(np.asarray(attrs.get(name, np.nan), dtype=float))
    except (TypeError, ValueError):
        return float("nan")

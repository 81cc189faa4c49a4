"""Whether each unit or field is on in each session, and where nobody knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import align_mask, carry_coords
from neurodrift.schema.objects import expect_array, expect_choice, expect_mask
from neurodrift.seeds import generator

Of = Literal["place_cells", "active"]
Undetected = Literal["auto", "missing", "off"]

_CANNOT_TELL = 0.1  # power less level of a test below which its verdict says nothing
N_GROUPS = 10  # of units, for jackknives


@dataclass(frozen=True)
class States:
    """States of units over sessions, units sorted by label so that their order changes nothing.

    Parameters
    ----------
    on
        (session, unit) 1 on, 0 off, NaN missing.
    power, level
        (session, unit) probability that the test finds a unit that is on, and one that is off; 1
        and 0 where the state itself is known. NaN where the test could not tell.
    corrected
        Whether they were given.
    member
        (unit) number of the cluster that the unit belongs to.
    coords
        Of the sessions.
    day
        (session) days, None where they are not known.
    noun
        Name of the dimension that states are of.
    detection, undetected
        How units were found in each session, and what was made of those that were not.
    """

    on: np.ndarray
    power: np.ndarray
    level: np.ndarray
    corrected: bool
    member: np.ndarray
    coords: dict[str, Any]
    day: np.ndarray | None
    noun: str
    detection: str
    undetected: str

    @property
    def known(self) -> np.ndarray:
        """(session, unit) whether the state was observed."""
        return np.isfinite(self.on)

    @property
    def hidden(self) -> np.ndarray:
        """(session, unit) unbiased estimate of the true state, NaN where the test cannot tell."""
        span = self.power - self.level
        found = np.full(self.on.shape, np.nan)
        usable = self.known & (span >= _CANNOT_TELL)
        return np.divide(self.on - self.level, span, out=found, where=usable)

    def weights(self, n_repeats: int, seed: int, purpose: str) -> np.ndarray:
        """(repeat, unit) how often each unit is drawn when clusters are resampled."""
        n = int(self.member.max(initial=-1)) + 1
        if not n:
            return np.zeros((n_repeats, 0))
        drawn = generator(seed, purpose).multinomial(n, np.full(n, 1 / n), size=n_repeats)
        return np.asarray(drawn[:, self.member], dtype=float)

    def attrs(self) -> dict[str, Any]:
        """What results say of the states."""
        return {
            "states_of": self.noun,
            "detection": self.detection,
            "undetected": self.undetected,
            "corrected": int(self.corrected),
            "n_units": int(self.known.any(axis=0).sum()),
        }


def states_of(
    states: xr.DataArray | xr.DataTree,
    *,
    of: Of = "place_cells",
    detected: xr.DataArray | None = None,
    undetected: Undetected = "auto",
    power: xr.DataArray | float | None = None,
    false_alarms: xr.DataArray | float | None = None,
    clusters: xr.DataArray | None = None,
) -> States:
    """Take states from a table of verdicts or from the results of an analysis.

    Parameters
    ----------
    states
        (session, unit) or (session, field) True and False, or 1, 0 and NaN for missing; or the
        results of :func:`neurodrift.analyze`.
    of
        Which units of the results are on: ``"place_cells"`` or ``"active"`` ones.
    detected
        (session, unit) whether a unit was detected; of the results theirs.
    undetected
        What a unit is that was not detected: ``"missing"``, or ``"off"``. ``"auto"``: off where
        cells were found in each session by their activity (attribute ``detection`` is
        ``each_session``), so that one that was not found was silent; otherwise missing.
    power, false_alarms
        Probability that the test of the state finds a unit that is on, and one that is off: one
        number, or (session, unit). Of results, both come from :func:`test_power`.
    clusters
        (unit) label of what is resampled for confidence, such as the animal; units when omitted.

    Returns
    -------
    States
        Registered units alone.

    Raises
    ------
    ValueError
        If dimensions, labels or numbers do not fit.
    """
    expect_choice("undetected", undetected, ("auto", "missing", "off"))
    detection = "unknown"
    if isinstance(states, xr.DataTree):
        states, detected, detection = _of_results(states, of, detected)
    expect_array("states", states, ["session"], "states over (session, unit)")
    dims = [str(dim) for dim in states.dims if dim != "session"]
    if len(dims) != 1:
        raise ValueError(f"states has dims {states.dims}, expected (session, unit)")
    noun = dims[0]
    states = states.transpose("session", noun)
    detection = str(states.attrs.get("detection", detection))
    if undetected == "auto":
        undetected = "off" if detection == "each_session" else "missing"
    labels = states[noun].values.astype(str) if noun in states.coords else _numbers(states, noun)
    order = np.argsort(labels, kind="stable")
    if "registered" in states.coords:
        order = order[states["registered"].values[order].astype(bool)]
    on = states.values.astype(float)
    if not np.isin(on[np.isfinite(on)], (0, 1)).all():
        raise ValueError("states holds other numbers than 0, 1 and NaN for missing")
    there = np.ones(on.shape, dtype=bool)
    if detected is not None:
        expect_mask("detected", detected)
        there = align_mask(detected, states.to_dataset(name="on"), "detected", "states").values
    level = _laid("false_alarms", false_alarms, states, 0.0)
    strength = _laid("power", power, states, 1.0)
    silent = ~there if undetected == "off" else np.zeros(on.shape, dtype=bool)
    on = np.where(there, on, 0.0 if undetected == "off" else np.nan)
    member = np.arange(order.size)
    if clusters is not None:
        expect_array("clusters", clusters, [noun])
        member = np.unique(clusters.sel({noun: states[noun]}).values, return_inverse=True)[1]
        member = member[order]
    return States(
        on=on[:, order],
        power=np.where(silent, 1.0, strength)[:, order],
        level=np.where(silent, 0.0, level)[:, order],
        corrected=power is not None,
        member=member,
        coords=carry_coords(states.to_dataset(name="on"), "session"),
        day=states["day"].values.astype(float) if "day" in states.coords else None,
        noun=noun,
        detection=detection,
        undetected=undetected,
    )


def _of_results(
    results: xr.DataTree, of: str, detected: xr.DataArray | None
) -> tuple[xr.DataArray, xr.DataArray, str]:
    expect_choice("of", of, ("place_cells", "active"))
    name, variable = {
        "place_cells": ("place_cells", "is_place_cell"),
        "active": ("sparsity", "is_active"),
    }[of]
    for needed in dict.fromkeys((name, "sparsity")):
        if needed not in results.children:
            raise ValueError(
                f"the results have no node {needed}: run neurodrift.analyze with it among the "
                "measures"
            )
    sparsity = results["sparsity"].to_dataset()
    found = results[name].to_dataset()[variable]
    detected = sparsity["detected"] if detected is None else detected
    return found, detected.reset_coords(drop=True), str(sparsity.attrs["detection"])


def _numbers(states: xr.DataArray, noun: str) -> np.ndarray:
    n = states.sizes[noun]
    return np.array([str(i).zfill(len(str(n))) for i in range(n)])


def _laid(
    name: str, given: xr.DataArray | float | None, states: xr.DataArray, otherwise: float
) -> np.ndarray:
    """(session, unit) probabilities."""
    if isinstance(given, xr.DataArray):
        noun = str(states.dims[1])
        at = {dim: states[dim].values for dim in ("session", noun) if dim in given.dims}
        values = given.sel(at).transpose("session", noun).values.astype(float)
    else:
        values = np.full(states.shape, otherwise if given is None else float(given))
    bad = np.isfinite(values) & ((values < 0) | (values > 1))
    if bad.any():
        raise ValueError(f"{name} has {values[bad][0]:g}, expected probabilities from 0 to 1")
    return values


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Part over whole, NaN where the whole is not above 0.

    Parameters
    ----------
    part, whole
        Sums of one shape.

    Returns
    -------
    numpy.ndarray
        Their ratio.
    """
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def interval(drawn: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Percentiles of bootstrap draws (repeat, ...), NaN where a tenth of them say nothing.

    Parameters
    ----------
    drawn
        Values of every draw.
    level
        Coverage.

    Returns
    -------
    tuple
        Lower and upper end.
    """
    if not drawn.size:
        return np.full(drawn.shape[1:], np.nan), np.full(drawn.shape[1:], np.nan)
    enough = np.isfinite(drawn).mean(axis=0) > 0.9
    filled = np.where(enough, drawn, 0.0)
    ends = np.nanquantile(filled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return np.where(enough, ends[0], np.nan), np.where(enough, ends[1], np.nan)

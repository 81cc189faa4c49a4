"""How often a test finds a unit again that did not change: its power, learnt from halves."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift.schema import label
from neurodrift.schema.objects import expect_array
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import TEST_POWER

_FEWEST = 20  # units of a session found in some half


@checked_options
def compute_test_power(
    halves: xr.DataArray,
    found: xr.DataArray,
    n_events: xr.DataArray,
    *,
    tested: xr.DataArray | None = None,
    alpha: float = 0.05,
    min_events: int = 5,
) -> xr.Dataset:
    r"""Power of the test of place cells, for each unit at the events that it has when it is one.

    The estimand is the probability that the test of the whole session finds a unit which is a
    place cell there. It is learnt from the same test on both halves of every session, between
    which nothing changes: how often a unit that is found in one half is found in the other.

    Parameters
    ----------
    halves
        (session, half, unit) or (session, half, unit, direction) whether a unit is found in each
        half, at the level `alpha` in each direction: ``chosen`` of
        :func:`neurodrift.compute_cross_fitted_information`.
    found
        (session, unit) whether it is found in the whole session: ``is_place_cell``.
    n_events
        (session, unit) events in the frames that count, of the whole session; NaN where a unit was
        not detected.
    tested
        Over the dims of `halves`: what was tested. All when omitted.
    alpha
        Level of the test, of a unit in the whole session.
    min_events
        Fewest events of a unit that is tested.

    Returns
    -------
    xarray.Dataset
        Over (session, unit): ``power`` of a unit that is a place cell, and ``false_alarms``, which
        is `alpha`, or 0 where a unit has too few events to be tested. NaN, with the reason in the
        attribute ``reason``, where fewer than 20 units of sessions are found in some half, or
        halves agree no more than by chance.

    Notes
    -----
    A place cell with N events is found in each half with
    :math:`\Phi(b_0 + b_1 \sqrt{N / 2} - z)`, where z is the quantile of the level of the half's
    test; these are the numbers of largest likelihood over all units and sessions, in which any
    other unit is found at the level. This gives how power depends on events, of which a whole
    session has N. Its height follows from products of verdicts: between sessions, those of whole
    sessions and those of halves hold the same change, so that their ratio tells how much more the
    whole finds,

    .. math:: \overline{p - q} = \frac{\sum_{a \ne b} (o_a - q)(o_b - q)}
        {\sum_{a \ne b} \bar m_a \bar m_b} \cdot
        \frac{\sum_a m_{a1} m_{a2}}{\sum_a (o_a - q)} ,

    with verdicts o of whole sessions and m of halves less their level, times what the curve says
    that a whole session finds more. N is the mean over the
    sessions in which the unit was found, times the session's share of all events: a unit that falls
    silent has changed, and a session with fewer events of all units has not. A map that changes
    within the session counts as a test that misses.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from neurodrift.analysis.survival.power import compute_test_power
    >>> rng = np.random.default_rng(1)
    >>> halves = xr.DataArray(rng.random((6, 2, 300)) < 0.6, dims=("session", "half", "unit"))
    >>> found = xr.DataArray(rng.random((6, 300)) < 0.8, dims=("session", "unit"))
    >>> events = xr.DataArray(rng.poisson(40, (6, 300)), dims=("session", "unit"))
    >>> float(compute_test_power(halves, found, events)["power"].mean().round(1))
    0.8
    """
    expect_array("halves", halves, ["session", "half", "unit"], "members of each half")
    expect_array("found", found, ["session", "unit"], "members in each session")
    expect_array("n_events", n_events, ["session", "unit"], "events of the whole session")
    if halves.sizes["half"] != 2:
        raise ValueError(f"halves has {halves.sizes['half']} halves, expected 2")
    could = xr.ones_like(halves, dtype=bool) if tested is None else tested
    named = all("unit" in array.coords for array in (halves, found, n_events, could))
    given = n_events["unit"].values if named else None
    if given is not None:  # in the order of labels, so that sums do not depend on that of units
        ordered = given[np.argsort(given.astype(str), kind="stable")]
        halves, found, n_events, could = (
            array.sel(unit=ordered) for array in (halves, found, n_events, could)
        )
    axis = [dim for dim in halves.dims if dim not in ("session", "half", "unit")]
    order = ("session", "half", "unit")
    halved = (halves & could).any(axis).transpose(*order).values.astype(float)
    n_tests = could.sum(axis).transpose(*order).values
    seen = n_events.transpose("session", "unit").values.astype(float)
    events = np.nan_to_num(seen)
    verdict = found.transpose("session", "unit").values.astype(float)
    false = np.where(events >= min_events, alpha, 0.0)
    level = 1 - (1 - alpha) ** n_tests.mean(axis=1)
    used = (n_tests > 0).all(axis=1) & (events > 0)
    number = halved.sum(axis=1)
    power, reason, fit = np.full(events.shape, np.nan), "", np.full(5, np.nan)
    if (number[used] > 0).sum() < _FEWEST:
        reason = f"fewer than {_FEWEST} units of sessions are found in some half"
    else:
        fit[:4] = _fit(number[used], events[used], level[used])
        expected = _events_when_found(seen, verdict)
        gain = _gain(fit, expected, verdict, level, alpha)
        less = halved - (1 - (1 - alpha) ** n_tests)
        height = _height(less * gain[:, None, None], verdict - false)
        if height is None:
            reason = "halves of sessions agree no more than chance allows"
        else:
            fit[4] = _offset(fit, expected, verdict, height, alpha)
            power = _found(fit, expected, np.full(events.shape, alpha), fit[4])
    dims = ("session", "unit")
    result = xr.Dataset(
        {"power": (dims, power), "false_alarms": (dims, false)},
        coords={name: n_events[name].variable for name in dims if name in n_events.coords},
        attrs={"alpha": alpha, "reason": reason, "fit": fit.tolist()},
    )
    if given is not None:
        result = result.sel(unit=given)
    return label(result, TEST_POWER)


def _gain(
    fit: np.ndarray, events: np.ndarray, verdict: np.ndarray, level: np.ndarray, alpha: float
) -> np.ndarray:
    """(session) how much more a whole session finds than a half, by the curve."""
    which = np.where(verdict.any(axis=0), verdict.sum(axis=0), 0.0)
    whole = _found(fit, events, np.full(events.shape, alpha)) - alpha
    level = np.clip(level, 1e-9, 1 - 1e-9)
    half = _found(fit, events / 2, level) - level
    more, less = (which * whole).sum(axis=1), (which * half).sum(axis=1)
    return np.where(less > 0, more / np.where(less > 0, less, 1.0), 1.0)


def _height(halved: np.ndarray, verdict: np.ndarray) -> float | None:
    """Mean power less level of the whole session, of the units that it finds; None if unknown."""
    middle = halved.mean(axis=1)

    def between(values: np.ndarray) -> float:
        """Sum of the products of different sessions."""
        return float((values.sum(axis=0) ** 2 - (values**2).sum(axis=0)).sum())

    within, whole, parts = (halved[:, 0] * halved[:, 1]).sum(), between(verdict), between(middle)
    if min(within, whole, parts, verdict.sum()) <= 0:
        return None
    return float(whole / parts * within / verdict.sum())


def _events_when_found(seen: np.ndarray, verdict: np.ndarray) -> np.ndarray:
    """(session, unit) events that a unit has in a session if it is as where it was found."""
    there = np.isfinite(seen)
    events = np.where(there, seen, 0.0)
    mean = events.sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    usual = (there * mean).sum(axis=1)
    share = np.where(usual > 0, events.sum(axis=1) / np.where(usual > 0, usual, 1.0), 1.0)
    which = np.where(verdict.any(axis=0), verdict * there, there)
    room = (which * share[:, None]).sum(axis=0)
    own = (which * events).sum(axis=0) / np.where(room > 0, room, 1.0)
    return np.asarray(share[:, None] * own)


def _offset(
    fit: np.ndarray, events: np.ndarray, verdict: np.ndarray, height: float, alpha: float
) -> float:
    """What is added to the curve so that the units found have the mean power that they should."""
    own = events[verdict > 0]
    level = np.full(own.shape, alpha)
    aim = min(height, 0.999 - alpha)
    low, high = -8.0, 8.0
    for _ in range(40):
        middle = (low + high) / 2
        over = (_found(fit, own, level, middle) - alpha).mean() > aim
        low, high = (low, middle) if over else (middle, high)
    return (low + high) / 2


def power_of_results(results: xr.DataTree | dict[str, xr.Dataset]) -> xr.Dataset | None:
    """Power of the test of place cells of an analysis; None where halves were not tested.

    Parameters
    ----------
    results
        Results, or nodes by name.

    Returns
    -------
    xarray.Dataset or None
        From :func:`compute_test_power`.
    """
    names = results.children if isinstance(results, xr.DataTree) else results
    if not {"cross_fitted", "place_cells"} <= set(names):
        return None
    cells, cross = (
        node.to_dataset() if isinstance(node, xr.DataTree) else node
        for node in (results["place_cells"], results["cross_fitted"])
    )
    if "n_events" not in cells:
        return None
    return compute_test_power(
        cross["chosen"],
        cells["is_place_cell"],
        cells["n_events"].sum("direction", min_count=1),
        tested=cross["tested"],
        alpha=float(cells.attrs["alpha"]),
        min_events=max(1, int(cross.attrs["min_events"])),
    )


def _found(
    fit: np.ndarray, events: np.ndarray, level: np.ndarray, offset: float = 0.0
) -> np.ndarray:
    """Probability that a place cell is found, at least the level."""
    from scipy.special import ndtr, ndtri

    away = np.maximum(fit[0] + fit[1] * np.sqrt(events) + offset, 0.0)
    return np.asarray(ndtr(away + ndtri(level)))


def _fit(number: np.ndarray, events: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Parameters of largest likelihood, of how many halves (0, 1, 2) found each unit."""
    from scipy.optimize import minimize
    from scipy.special import expit

    scale = np.log(events) - np.log(events).mean()

    def surprise(fit: np.ndarray) -> float:
        share = expit(fit[2] + fit[3] * scale)
        p = np.clip(_found(fit, events / 2, level), 1e-9, 1 - 1e-9)
        hit, miss = p**number * (1 - p) ** (2 - number), level**number * (1 - level) ** (2 - number)
        return -float(np.log(share * hit + (1 - share) * miss).sum()) + 0.01 * float(fit @ fit)

    bounds = [(-2.0, 6.0), (0.0, 5.0), (-8.0, 8.0), (-8.0, 8.0)]
    starts = ([0.5, 0.2, 0.0, 0.0], [2.5, 0.05, -1.0, 0.5])
    tries = [minimize(surprise, start, bounds=bounds, method="L-BFGS-B") for start in starts]
    return np.asarray(min(tries, key=lambda one: float(one.fun)).x)

"""Which rules a recording could tell apart, and what more cells, events or sessions would add."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

import numpy as np
import xarray as xr

from neurodrift.infer.classifier.fit import Fit, names_in_use
from neurodrift.infer.classifier.runs import runs_of
from neurodrift.infer.doubt.held_out import measure_pairs, measure_rules
from neurodrift.infer.doubt.verdict import TOLD_APART, percent
from neurodrift.infer.observation.protocol import Observation
from neurodrift.infer.prior.store import open_prior
from neurodrift.schema.objects import expect_type
from neurodrift.schema.options import checked_options
from neurodrift.schema.words import listing


@checked_options
def plan_recording(
    prior: str | os.PathLike[str],
    observation: Observation,
    *,
    cells: Sequence[float] = (2.0,),
    events: Sequence[float] = (3.0,),
    sessions: Sequence[int] = (4,),
    matched: bool = True,
    seed: int = 0,
) -> xr.Dataset:
    """How well rules are told apart as a recording was made, and as it could have been.

    Estimates the accuracy of :func:`neurodrift.infer_rule` in runs of a prior that the fit has not
    seen, when the same networks are seen in several ways. It is of networks: what an animal's drift
    is like is another question.

    Parameters
    ----------
    prior
        A store of :func:`neurodrift.simulate_prior`, which keeps the activity of its networks.
    observation
        How the recording saw, from :func:`neurodrift.observation_of`.
    cells, events
        Factors by which there are more cells, and more events of each.
    sessions
        Numbers of sessions to take, evenly from the first to the last; at most as many as the
        networks have. For more than the recording has, simulate a prior with more
        (``--set prior.n_sessions=16``).
    matched
        Whether runs count by the weights that make the speeds of all rules alike.
    seed
        Names the random streams of the folds.

    Returns
    -------
    xarray.Dataset
        Over ``plan``, the recording itself first: ``accuracy`` (mean over rules; chance is the
        attribute ``chance``), ``log_loss`` [nat], ``n_cells``, ``n_events`` (means over networks),
        ``n_sessions``; ``pair_accuracy`` (plan, pair) between two rules alone (chance .5) with
        ``pair_accuracy_se``; coordinates ``rule_a``, ``rule_b``.

    Raises
    ------
    TypeError
        If `observation` is none.
    ValueError
        If it is no prior, a factor is not above 0, or there are other numbers of sessions.

    Notes
    -----
    More cells than a network has ever active cannot be seen: ``n_cells`` says how many were.

    Examples
    --------
    >>> import tempfile
    >>> import neurodrift as nd
    >>> small = {"families.gradient.settings.n_steps": 300}
    >>> path = nd.simulate_prior(
    ...     "inference-prior-random", tempfile.mkdtemp() + "/p.zarr", small, n_runs=90, workers=0
    ... )
    >>> seen = nd.Observation(name="mouse", n_cells=20, events_per_cell=(20, 20))
    >>> found = nd.plan_recording(path, seen, events=(), sessions=(), matched=False)
    >>> found["plan"].values.tolist(), found["n_cells"].values.round().tolist()
    (['as recorded', '2 times the cells'], [20.0, 40.0])
    """
    expect_type("observation", observation, Observation, "an Observation: nd.observation_of(...)")
    plans: list[tuple[str, Observation, int | None]] = [("as recorded", observation, None)]
    for factor in cells:
        times, own = _factor("cells", factor), observation.n_cells
        more = dataclasses.replace(observation, n_cells=None if own is None else round(times * own))
        plans.append((f"{times:g} times the cells", more, None))
    for factor in events:
        times = _factor("events", factor)
        low, high = observation.events_per_cell
        more = dataclasses.replace(observation, events_per_cell=(times * low, times * high))
        plans.append((f"{times:g} times the events", more, None))
    plans += [(f"{n} sessions", observation, int(n)) for n in sessions]
    rows = [_measured(prior, seen, n, matched, seed) for _, seen, n in plans]
    found = xr.concat(rows, dim="plan", combine_attrs="drop_conflicts")
    names = np.array([name for name, _, _ in plans], dtype=object)
    return found.assign_coords(plan=names).assign_attrs(matched=int(matched), seed=seed)


def _factor(name: str, factor: float) -> float:
    if not (np.isfinite(factor) and factor > 0):
        raise ValueError(f"{name} has {factor!r}, expected factors above 0, such as 2")
    return float(factor)


def _measured(
    store: str | os.PathLike[str],
    observation: Observation,
    n_sessions: int | None,
    matched: bool,
    seed: int,
) -> xr.Dataset:
    prior = open_prior(store, observation, n_sessions=n_sessions)
    runs = runs_of(prior, matched=matched)
    log_p = Fit.of(runs, names_in_use(runs), seed).classifier.held_out
    rules, pairs = measure_rules(log_p, runs), measure_pairs(log_p, runs)
    return xr.Dataset(
        {
            "accuracy": rules.attrs["accuracy"],
            "log_loss": rules.attrs["log_loss"],
            "n_cells": float(prior["n_cells"].mean()),
            "n_events": float(prior["n_events"].mean()),
            "n_sessions": prior.attrs["n_sessions"],
            "pair_accuracy": pairs["accuracy"],
            "pair_accuracy_se": pairs["accuracy_se"],
        },
        attrs={"chance": rules.attrs["chance"]},
    )


def describe_plan(found: xr.Dataset) -> str:
    """What a plan found, in words.

    Parameters
    ----------
    found
        Result of :func:`plan_recording`.

    Returns
    -------
    str
        A line for each way to see, with the pairs of rules that are not told apart.

    Examples
    --------
    >>> import xarray as xr
    >>> import neurodrift as nd
    >>> found = xr.Dataset(
    ...     {
    ...         "accuracy": ("plan", [0.75]),
    ...         "n_cells": ("plan", [90.0]),
    ...         "n_sessions": ("plan", [8]),
    ...         "pair_accuracy": (("plan", "pair"), [[0.75]]),
    ...     },
    ...     coords={"plan": ["as recorded"], "rule_a": ("pair", ["a"]), "rule_b": ("pair", ["b"])},
    ... )
    >>> print(nd.describe_plan(found)[:62])
    as recorded (90 cells, 8 sessions): the rule is right in 75 %
    """
    return "\n".join(_line(found.isel(plan=i)) for i in range(found.sizes["plan"]))


def _line(one: xr.Dataset) -> str:
    close = one["pair_accuracy"].values < TOLD_APART
    pairs = [
        f"{a} from {b} ({percent(share)})"
        for a, b, share in zip(
            one["rule_a"].values[close],
            one["rule_b"].values[close],
            one["pair_accuracy"].values[close],
            strict=True,
        )
    ]
    what = f"not surely told apart: {listing(pairs)}" if pairs else "any two rules are told apart"
    seen = f"{float(one['n_cells']):.0f} cells, {int(one['n_sessions'])} sessions"
    return (
        f"{one['plan'].item()} ({seen}): the rule is right in {percent(one['accuracy'].item())} "
        f"of networks; {what}."
    )

"""Drift of a run held against the theory: what noise should have done, and what it did."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import xarray as xr

from neurodrift.schema.objects import expect_type
from neurodrift.simulate.curvature.manifold import along, predict_at, tangent_of
from neurodrift.simulate.curvature.tangent import Tangent, gauss_newton_trace
from neurodrift.simulate.gradient.run import Run


def compare_solution_drift(
    run: Run, *, steps: Sequence[int] | None = None, horizon: float | None = None
) -> xr.Dataset:
    r"""Predicted beside simulated drift, from each snapshot of a run to the next.

    Parameters
    ----------
    run
        A run with update or label noise that has learned its task, of any depth.
    steps
        Snapshots to go through, in order; all of the run when omitted.
    horizon
        As in :func:`~neurodrift.simulate.curvature.manifold.predict_solution_drift`; the steps
        from each snapshot to the next when omitted.

    Returns
    -------
    xarray.Dataset
        Over ``interval``, with coordinates ``step`` and ``next_step``, each twice, with
        ``predicted_`` and ``observed_`` before its name: ``hidden_squared``, squared change of the
        activity, all samples and units together; ``hidden_mean``, change of the mean activity:
        below 0 the network becomes sparser; ``weight_squared``, squared change of the weights along
        the manifold; ``trace``, change of the sum of the eigenvalues of the Gauss-Newton part of
        the Hessian [loss], predicted for label noise only, since a walk changes it too. Then
        ``hidden_cosine`` and ``weight_cosine``, of the observed change with the predicted flow (a
        walk has a flow too, but one run shows it only over long times);
        ``curvature``, the second derivative of the loss along the observed change of the weights,
        and ``curvature_ratio``, that over the mean of all eigenvalues: drift is in flat directions
        where it is below 1, while most of what label noise changes from one snapshot to the next
        is steep fluctuation about the solution. ``loss`` at the start of the interval.

    Raises
    ------
    ValueError
        If there are fewer than two snapshots, or the rule has no theory.

    Warns
    -----
    UserWarning
        As :func:`~neurodrift.simulate.curvature.manifold.predict_solution_drift` does; each text
        once.

    Notes
    -----
    Expected squares are those of a flow and a walk: :math:`|f|^2 \Delta^2 + D \Delta` over
    :math:`\Delta` steps, with the flow :math:`f` and the growth of the variance :math:`D` per step
    at the start. Over intervals so long that the manifold bends they are only an order of size.

    Examples
    --------
    >>> import neurodrift as nd
    >>> run = nd.simulate.train(
    ...     nd.simulate.random(n_samples=3, n_inputs=4, n_outputs=1),
    ...     network=nd.simulate.Network(n_hidden=10, activation="tanh"),
    ...     rule=nd.simulate.Rule("sgd", learning_rate=0.1, update_noise=0.01),
    ...     n_steps=3000,
    ...     snapshots=[2000, 2500, 3000],
    ... )
    >>> held = nd.simulate.compare_solution_drift(run)
    >>> held.sizes["interval"], bool((held["curvature_ratio"] < 1).all())
    (2, True)
    """
    expect_type("run", run, Run, "a run of nd.simulate.train, or of an opened sweep")
    chosen = run.snapshot_steps.tolist() if steps is None else [int(step) for step in steps]
    if len(chosen) < 2 or (np.diff(chosen) <= 0).any():
        raise ValueError(f"steps are {chosen}; expected two snapshots or more, in order")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        rows = _intervals(run, chosen, horizon)
    for text in dict.fromkeys(str(item.message) for item in caught):
        warnings.warn(text, stacklevel=2)
    found = xr.Dataset({name: ("interval", [row[name] for row in rows]) for name in rows[0]})
    return found.assign_coords(
        step=("interval", chosen[:-1]), next_step=("interval", chosen[1:])
    ).assign_attrs(noise="update" if run.rule.update_noise else "label")


def _intervals(run: Run, steps: list[int], horizon: float | None) -> list[dict[str, float]]:
    """One row an interval; each snapshot is differentiated once, two are in memory."""
    rows, here = [], tangent_of(run, steps[0])
    for one, other in pairwise(steps):
        there = tangent_of(run, other)
        length = other - one
        expected, steep = predict_at(here, run.rule, str(run.network.activation), horizon or length)
        rows.append(_interval(here, there, length, expected, steep))
        here = there
    return rows


def _interval(
    here: Tangent, there: Tangent, length: int, expected: xr.Dataset, steep: np.ndarray
) -> dict[str, float]:
    change = there.hidden - here.hidden
    moved = there.weights - here.weights
    kept, flow = along(moved, steep), along(expected["flow"].values, steep)
    drift = expected["hidden_drift"].values.ravel()
    curvature = _curvature(here.jacobian, moved)
    diffuses = expected.attrs["noise"] == "update"
    mean = gauss_newton_trace(here.jacobian) / moved.size
    return {
        "predicted_hidden_squared": length * float(expected["hidden_diffusion"].sum())
        + length**2 * float(drift @ drift)
        + 2 * float(expected["hidden_fluctuation"].sum()),
        "observed_hidden_squared": float(change @ change),
        "predicted_hidden_mean": length * float(drift.mean()),
        "observed_hidden_mean": float(change.mean()),
        "predicted_weight_squared": length * float(expected["weight_diffusion"])
        + length**2 * float(flow @ flow),
        "observed_weight_squared": float(kept @ kept),
        "predicted_trace": np.nan if diffuses else length * float(expected["trace_slope"]),
        "observed_trace": gauss_newton_trace(there.jacobian) - gauss_newton_trace(here.jacobian),
        "hidden_cosine": _cosine(change, drift),
        "weight_cosine": _cosine(kept, flow),
        "curvature": curvature,
        "curvature_ratio": curvature / mean if mean else np.nan,
        "loss": here.loss,
    }


def _curvature(jacobian: np.ndarray, moved: np.ndarray) -> float:
    square = float(moved @ moved)
    return (
        float(2.0 / len(jacobian) * ((jacobian @ moved) ** 2).sum()) / square if square else np.nan
    )


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / size if size else np.nan

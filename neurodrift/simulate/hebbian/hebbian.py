"""Hebbian and anti-Hebbian similarity matching, which drifts under noisy plasticity."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import xarray as xr

from neurodrift.recording import recording_from_arrays
from neurodrift.schema.objects import expect_type
from neurodrift.schema.options import checked_options
from neurodrift.seeds import generator
from neurodrift.simulate import checkpoint as _checkpoint
from neurodrift.simulate.gradient.engine import Spacing, sample_steps
from neurodrift.simulate.hebbian.inputs import HebbianInputs
from neurodrift.simulate.hebbian.network import (
    FixedPoint,
    HebbianNetwork,
    HebbianRule,
    expect_solved,
    kernel_numbers,
    responses,
)
from neurodrift.simulate.stretches import Stretches
from neurodrift.threads import one_blas_thread

Steps = int | Sequence[int] | np.ndarray

_NOISE = ("forward", "lateral", "bias")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class HebbianRun:
    """What one run leaves, see :func:`train_hebbian`.

    Parameters
    ----------
    inputs, network, rule, seed
        What was trained.
    measures
        Over `step`, the number of updates made; every variable says what it is.
    snapshot_steps
        (snapshot) number of updates made.
    weights
        ``W`` (snapshot, unit, feature), ``M`` (snapshot, unit, unit) and ``b`` (snapshot, unit).
    reason
        Why it ended: ``finished``; a network that loses its fixed point is an error.
    """

    inputs: HebbianInputs
    network: HebbianNetwork
    rule: HebbianRule
    seed: int
    measures: xr.Dataset
    snapshot_steps: np.ndarray
    weights: dict[str, np.ndarray]
    reason: str = "finished"

    def activity(self, snapshot: int) -> np.ndarray:
        """Responses of a snapshot.

        Parameters
        ----------
        snapshot
            Its index, negative from the end.

        Returns
        -------
        numpy.ndarray
            (sample, unit) exact fixed points.
        """
        weights = {name: array[snapshot] for name, array in self.weights.items()}
        return responses(self.inputs.inputs, network=self.network, **weights)

    def recording(self, *, subject: str | None = None) -> xr.Dataset:
        """The responses over training, as any recording.

        Parameters
        ----------
        subject
            Name of the run; ``"seed N"`` when omitted.

        Returns
        -------
        xarray.Dataset
            A recording of kind ``activation``: a session is a snapshot, labelled by its step, time
            runs over all inputs (1 s each), position is that of the input [cm]. ``loss`` is that
            of the measures.

        Examples
        --------
        >>> from neurodrift.simulate.hebbian.hebbian import train_hebbian
        >>> from neurodrift.simulate.hebbian.inputs import ring
        >>> from neurodrift.simulate.hebbian.network import HebbianNetwork
        >>> run = train_hebbian(
        ...     ring(n_positions=50), network=HebbianNetwork(n_units=20), n_steps=100, snapshots=3
        ... )
        >>> recording = run.recording()
        >>> recording["session"].values.tolist(), dict(recording.sizes)
        (['step 0', 'step 50', 'step 100'], {'time': 150, 'unit': 20, 'session': 3})
        """
        steps = self.snapshot_steps.tolist()
        activity = [self.activity(i) for i in range(len(steps))]
        inputs = self.inputs
        frames: dict[str, Any] = {name: getattr(inputs, name) for name in ("x", "y")}
        with one_blas_thread():
            loss = [similarity_loss(inputs.inputs, a, self.network.alpha) for a in activity]
        along: dict[str, Any] = {
            name: [v] * len(steps) for name, v in frames.items() if v is not None
        }
        return recording_from_arrays(
            activity,
            kind="activation",
            frame_duration=1.0,
            session=[f"step {step}" for step in steps],
            training_step=steps,
            loss=loss,
            subject=f"seed {self.seed}" if subject is None else subject,
            environment=inputs.name,
            **along,
        )

    def groups(self) -> dict[str, xr.Dataset]:
        """What is stored beside the recording.

        Returns
        -------
        dict of xarray.Dataset
            ``measures`` and ``weights``.
        """
        dims = {"W": ("unit", "feature"), "M": ("unit", "from_unit"), "b": ("unit",)}
        arrays = {name: (("snapshot_step", *dims[name]), a) for name, a in self.weights.items()}
        weights = xr.Dataset(arrays, coords={"snapshot_step": self.snapshot_steps})
        return {"measures": self.measures, "weights": weights}

    def table(self) -> xr.Dataset:
        """What a sweep's table shows of it.

        Returns
        -------
        xarray.Dataset
            The measures, and ``snapshots_made``.
        """
        return self.measures.assign(snapshots_made=len(self.snapshot_steps))

    def text(self) -> str:
        """What happened, in two lines.

        Returns
        -------
        str
            For the terminal.
        """
        last = int(self.measures["step"][-1])
        changes = [
            f"{name.replace('_', ' ')} {values[0]:.3g} to {values[-1]:.3g}"
            for name in MEASURES
            if name in self.measures and name not in ("rsm_change", "pv_correlation")
            for values in [self.measures[name].values]
        ]
        correlation = float(self.measures["pv_correlation"][-1])
        return (
            f"{self.inputs.name}, {self.network.n_units} {self.network.response} units, seed "
            f"{self.seed}: {last} steps\n{', '.join(changes)}; correlation of population vectors "
            f"with the first {correlation:.3g}"
        )

    def __repr__(self) -> str:
        """What was trained and came out."""
        return f"<HebbianRun of {self.text()}>"


@checked_options
def train_hebbian(
    inputs: HebbianInputs,
    *,
    network: HebbianNetwork | None = None,
    rule: HebbianRule | None = None,
    n_steps: int = 20_000,
    measures: Steps = 101,
    snapshots: Steps = 11,
    spacing: Spacing = "linear",
    fixed_point: FixedPoint = "exact",
    peak_threshold: float = 0.05,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int = 10_000,
) -> HebbianRun:
    """Show inputs in random order to a network that learns from each.

    Parameters
    ----------
    inputs
        What is shown, one drawn at random for each step.
    network, rule
        What learns, and how; their defaults when omitted.
    n_steps
        Number of updates.
    measures, snapshots
        Steps at which to measure, and to keep weights, or how many.
    spacing
        ``linear`` or ``log`` steps, where they are given as a number.
    fixed_point
        How responses are found while learning: ``exact``, or by the published ``iteration`` (Euler
        steps of .05 from rest until the relative change over .05 is below 1e-4, at most 10,000).
        Measures and recordings always hold the exact one.
    peak_threshold
        Peak response of an active unit, by the published definition.
    seed
        Of the first weights, of the order of the inputs and of each noise, which are independent
        streams: leaving one noise out leaves the others as they are.
    checkpoint
        File to save the state to and to resume from: a run that was interrupted ends bit for bit
        as if it had not been.
    checkpoint_every
        Updates between two checkpoints.

    Returns
    -------
    HebbianRun
        Measures and snapshots. The result does not depend on the number of threads.

    Raises
    ------
    ValueError
        If an option is impossible, the network loses its fixed point or grows without limit, or
        the checkpoint belongs to another run.

    Notes
    -----
    A matrix M that is far from symmetric may have several fixed points. Learning starts the exact
    solution from the units that were active when the sample was last shown; a recording starts
    each input from the one before, so that it is a function of the weights alone.

    References
    ----------
    .. [1] Qin et al. (2023), Nat Neurosci. https://doi.org/10.1038/s41593-022-01225-z

    Examples
    --------
    >>> from neurodrift.simulate.hebbian.hebbian import train_hebbian
    >>> from neurodrift.simulate.hebbian.inputs import ring
    >>> from neurodrift.simulate.hebbian.network import HebbianNetwork
    >>> run = train_hebbian(
    ...     ring(n_positions=100), network=HebbianNetwork(n_units=50), n_steps=2000, measures=3
    ... )
    >>> loss = run.measures["loss"].values
    >>> bool(loss[-1] < loss[0])
    True
    """
    expect_type("inputs", inputs, HebbianInputs, "HebbianInputs, such as of ring()")
    from neurodrift.simulate.gradient._numba.noise import N_STREAMS
    from neurodrift.simulate.hebbian import _kernels as kernels

    network = HebbianNetwork() if network is None else network
    rule = HebbianRule() if rule is None else rule
    if n_steps < 1:
        raise ValueError(f"n_steps is {n_steps}, expected at least 1")
    if checkpoint_every < 1:
        raise ValueError(f"checkpoint_every is {checkpoint_every}, expected at least 1")
    if fixed_point not in get_args(FixedPoint):
        raise ValueError(f"fixed_point is {fixed_point!r}, expected one of {get_args(FixedPoint)}")
    looks = {"measures": measures, "snapshots": snapshots}
    steps = {name: look_steps(name, wanted, n_steps, spacing) for name, wanted in looks.items()}

    first = generator(seed, "first weights").standard_normal((network.n_units, inputs.n_features))
    forward = np.ascontiguousarray(network.weight_scale * first.T)
    lateral, bias = np.eye(network.n_units), np.zeros(network.n_units)
    order = generator(seed, "order of samples").integers(inputs.n_samples, size=n_steps)
    states = np.stack([
        generator(seed, "plasticity noise", name).integers(
            2**32, size=4 * N_STREAMS, dtype=np.uint32
        )
        for name in _NOISE
    ])  # fmt: skip
    active = np.ones((inputs.n_samples, network.n_units), dtype=bool)
    numbers, counters = kernel_numbers(network, rule), np.zeros(4, dtype=np.int64)
    clipped = rule.clip_lateral and network.response != "linear"
    linear, iterated = network.response == "linear", fixed_point == "iteration"

    rows: list[dict[str, float]] = []
    kept: list[tuple[np.ndarray, ...]] = []
    reference: np.ndarray | None = None
    made = 0
    stops = np.union1d(steps["measures"], steps["snapshots"])
    path, identity = None, ""
    if checkpoint is not None:
        path = Path(checkpoint)
        parts = [asdict(network), asdict(rule), fixed_point, peak_threshold, seed]
        identity = _checkpoint.fingerprint(["hebbian", inputs.inputs, *steps.values(), *parts])
        stored = _checkpoint.load_state(path, identity)
        if stored is not None:
            forward, lateral, bias, active, states, counters = stored["arrays"]
            rows, reference, made = stored["rows"], stored["reference"], stored["made"]
            kept = [tuple(arrays) for arrays in stored["kept"]]
            stops = stops[stops > made]
        saves = np.arange(checkpoint_every, stops[-1], checkpoint_every) if stops.size else stops
        stops = np.union1d(stops, saves[saves > made])
    stretches = Stretches()
    for step in stops.tolist():
        for stop in stretches.stops(made, step):
            status, done = kernels.advance(
                inputs.inputs, order[made:stop], forward, lateral, bias, active, numbers, linear,
                iterated, clipped, states, counters,
            )  # fmt: skip
            expect_solved(status, made + done, network)
            made = stop
        now: dict[str, Any] = {"W": forward.T, "M": lateral.T, "b": bias}
        if step in steps["snapshots"]:
            kept.append(tuple(array.copy() for array in now.values()))
        if step in steps["measures"]:
            activity = responses(inputs.inputs, network=network, **now, step=step)
            reference = activity if reference is None else reference
            with one_blas_thread():
                ridge = network.lam2 * np.eye(network.n_units)
                filters = np.linalg.solve(lateral.T + ridge, forward.T) if linear else None
                rows.append(
                    measures_of(
                        inputs.inputs, activity, reference, alpha=network.alpha,
                        threshold=peak_threshold, filters=filters,
                    )
                )  # fmt: skip
        if path is not None and (step == stops[-1] or (step and step % checkpoint_every == 0)):
            arrays = (forward, lateral, bias, active, states, counters)
            state = {"arrays": arrays, "rows": rows, "reference": reference, "made": made}
            _checkpoint.save_state(path, identity, state | {"kept": kept})
    table = xr.Dataset(
        {
            name: ("step", [row[name] for row in rows], {"long_name": text})
            for name, text in MEASURES.items()
            if name in rows[0]
        },
        coords={"step": ("step", steps["measures"], {"long_name": "updates made"})},
        attrs={
            "inputs": inputs.name,
            "seed": seed,
            "fixed_point": fixed_point,
            "peak_threshold": peak_threshold,
            **asdict(network),
            **asdict(rule),
            "systems_per_step": float(counters[kernels.SOLVES] / max(made, 1)),
            "lemke_solutions": int(counters[kernels.FALLBACKS]),
            "iterations_per_step": float(counters[kernels.ITERATIONS] / max(made, 1)),
            "not_converged": int(counters[kernels.UNCONVERGED]),
        },
    )
    weights = {name: np.stack([one[i] for one in kept]) for i, name in enumerate("WMb")}
    return HebbianRun(
        inputs=inputs,
        network=network,
        rule=rule,
        seed=seed,
        measures=table,
        snapshot_steps=steps["snapshots"],
        weights=weights,
    )


def look_steps(name: str, wanted: Steps, n_steps: int, spacing: Spacing) -> np.ndarray:
    """Steps to look at, given as a number or a list.

    Parameters
    ----------
    name
        Of the option, for errors.
    wanted
        How many steps, or which.
    n_steps
        Steps of the run.
    spacing
        Of steps given as a number.

    Returns
    -------
    numpy.ndarray
        Increasing numbers of updates made.

    Raises
    ------
    ValueError
        If there is none, or one lies outside the run.
    """
    if isinstance(wanted, int | np.integer):
        return sample_steps(n_steps, int(wanted), spacing=spacing)
    steps = np.unique(np.asarray(wanted))
    if not steps.size or not np.issubdtype(steps.dtype, np.integer):
        raise ValueError(f"{name} are {list(wanted)}, expected whole numbers of steps")
    if steps[0] < 0 or steps[-1] > n_steps:
        raise ValueError(f"{name} has steps {steps[0]} to {steps[-1]}, expected 0 to {n_steps}")
    return steps.astype(np.int64)


MEASURES = {
    "loss": "mean squared difference of the similarities of inputs, less alpha, and of responses",
    "active_fraction": "share of active pairs of input and unit",
    "fraction_active_units": "share of units active for any input",
    "fraction_units_above_threshold": "share of units whose peak is above peak_threshold",
    "pv_correlation": "correlation over units with the first measured step, mean over inputs",
    "rsm_change": "change of the similarities of responses since the first measured step, relative",
    "subspace_error": "distance of the subspace from the first components of the inputs, relative",
}
"""Of rectified units all but the last, of linear ones no share of active units."""


def measures_of(
    inputs: np.ndarray,
    activity: np.ndarray,
    first: np.ndarray,
    *,
    alpha: float,
    threshold: float,
    filters: np.ndarray | None,
) -> dict[str, float]:
    """Every measure of one step.

    Parameters
    ----------
    inputs
        (sample, feature) inputs.
    activity, first
        (sample, unit) responses now and at the first measured step.
    alpha
        What the similarities of the inputs are lessened by.
    threshold
        Of the peak of an active unit.
    filters
        (unit, feature) response of linear units to each feature; None: rectified units.

    Returns
    -------
    dict
        Values by name.
    """
    found = {
        "loss": similarity_loss(inputs, activity, alpha),
        "pv_correlation": pv_correlation(activity, first),
        "rsm_change": rsm_change(activity, first),
    }
    if filters is not None:
        return found | {"subspace_error": subspace_error(inputs, filters)}
    peak = activity.max(axis=0)
    return found | {
        "active_fraction": float((activity > 0).mean()),
        "fraction_active_units": float((peak > 0).mean()),
        "fraction_units_above_threshold": float((peak > threshold).mean()),
    }


def similarity_loss(inputs: np.ndarray, activity: np.ndarray, alpha: float) -> float:
    """Mean over all pairs of samples of (x·x' - alpha - y·y')², without the matrix of pairs."""
    # the factors of x·x' - alpha - y·y' with their signs, so that only small squares are made
    constant = np.full((inputs.shape[0], 1), np.sqrt(alpha))
    columns = np.concatenate([inputs, constant, activity], axis=1)
    signs = np.r_[np.ones(inputs.shape[1]), -np.ones(1 + activity.shape[1])]
    gram = columns.T @ columns
    total = ((signs[:, None] * signs) * gram**2).sum()
    return float(max(total, 0.0) / inputs.shape[0] ** 2)


def rsm_change(activity: np.ndarray, first: np.ndarray) -> float:
    """Norm of the change of the similarities (sample, sample), over their first norm."""
    now, before = (np.sum((one.T @ one) ** 2) for one in (activity, first))
    both = np.sum((activity.T @ first) ** 2)
    if before == 0:
        return float("nan")
    return float(np.sqrt(max(now - 2 * both + before, 0.0) / before))


def pv_correlation(activity: np.ndarray, first: np.ndarray) -> float:
    """Pearson's correlation over units of each sample's response, mean over samples."""
    one, other = (a - a.mean(axis=1, keepdims=True) for a in (activity, first))
    size = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    known = size > 0
    if not known.any():
        return float("nan")
    return float(((one * other).sum(axis=1)[known] / size[known]).mean())


def subspace_error(inputs: np.ndarray, filters: np.ndarray) -> float:
    """Norm of F'F - VV' over that of VV', with V the inputs' first components."""
    n = min(filters.shape[0], inputs.shape[1])
    _, vectors = np.linalg.eigh(inputs.T @ inputs)
    wanted = vectors[:, -n:] @ vectors[:, -n:].T
    return float(np.linalg.norm(filters.T @ filters - wanted) / np.sqrt(n))

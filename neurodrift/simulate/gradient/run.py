"""A finished training run: its measures, its snapshots, and the recording they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import xarray as xr

from neurodrift.recording import recording_from_arrays
from neurodrift.schema.words import rise_of_loss
from neurodrift.simulate.gradient.networks import Network, forward, initialise
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.task import Task

Reason = Literal["finished", "diverged", "dead"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Why a run ended, in the order of their numbers in stores."""

MEASURES = {
    "loss": "clean mean squared error over the variance of the targets",
    "active_fraction": "share of active pairs of sample and unit",
    "fraction_active_units": "share of units active on any sample",
}
"""What is measured over training, see :class:`Run`."""

EARLY_LOSS = "loss of the update itself, with noisy targets, over the variance of the targets"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Run:
    """What one training run leaves, see :func:`neurodrift.simulate.gradient.engine.train`.

    Parameters
    ----------
    task, network, rule, seed
        What was trained.
    measures
        Over `step`, the number of updates made: ``loss`` (clean mean squared error divided by the
        variance of the targets), ``active_fraction`` (of pairs of sample and unit) and
        ``fraction_active_units`` (units active on any sample); over `early_step`, the update:
        ``early_loss`` (with noisy targets, before the update). The attributes say how it was made.
    snapshot_steps
        (snapshot) number of updates made.
    weights
        Every trainable array over (snapshot, ...): ``W`` (snapshot, hidden, feature), ``b``
        (snapshot, hidden) and ``V`` (snapshot, output, hidden) of a network with one hidden layer.
    reason
        Why it ended: ``finished``; ``diverged``, the loss was not finite or stayed above 10;
        ``dead``, no unit gave any output.
    spectra
        Hessian measures over the steps of the snapshots, where they were asked for.
    keeps_weights
        Whether the weights are stored with the run.
    """

    task: Task
    network: Network
    rule: Rule
    seed: int
    measures: xr.Dataset
    snapshot_steps: np.ndarray
    weights: dict[str, np.ndarray]
    reason: Reason
    spectra: xr.Dataset | None = None
    keeps_weights: bool = True

    def snapshot(self, step: int) -> dict[str, np.ndarray]:
        """Weights of one snapshot.

        Parameters
        ----------
        step
            Number of updates made, one of `snapshot_steps`.

        Returns
        -------
        dict of numpy.ndarray
            Every trainable array by name.

        Raises
        ------
        ValueError
            If there is no snapshot of this step.
        """
        found = np.flatnonzero(self.snapshot_steps == step)
        if not found.size:
            raise ValueError(
                f"no snapshot of step {step}; there are those of {self.snapshot_steps.tolist()}"
            )
        return {name: array[found[0]] for name, array in self.weights.items()}

    def recording(self, *, subject: str | None = None) -> xr.Dataset:
        """The hidden layer over training, as any recording.

        Parameters
        ----------
        subject
            Name of the run; ``"seed N"`` when omitted.

        Returns
        -------
        xarray.Dataset
            A recording of kind ``activation``: a session is a snapshot, labelled by its step; time
            runs over the samples of the task (1 s each, unless the task has times), without noise;
            a unit is a unit of the recorded hidden layer. Position, direction and trial are those
            of the task. ``loss`` is the clean mean squared error over the variance of the targets,
            as in the measures.

        Raises
        ------
        ValueError
            If the run ended before its first snapshot.

        Examples
        --------
        >>> from neurodrift.simulate.gradient.engine import train
        >>> from neurodrift.simulate.gradient.tasks import predictive_track
        >>> run = train(predictive_track(n_samples=60), n_steps=100, snapshots=[0, 10, 100])
        >>> recording = run.recording()
        >>> recording["session"].values.tolist()
        ['step 0', 'step 10', 'step 100']
        >>> dict(recording.sizes)
        {'time': 180, 'unit': 100, 'session': 3}
        """
        steps = self.snapshot_steps.tolist()
        if not steps:
            last = self.measures.attrs["steps_made"]
            raise ValueError(
                f"the run has no snapshot to record: it ended after {last} steps ({self.reason})"
            )
        passes = [
            forward(self.network, self.snapshot(step), self.task.inputs, self.task.n_outputs)
            for step in steps
        ]
        loss = [np.mean((outputs - self.task.targets) ** 2) for outputs, _ in passes]
        frames = {name: [values] * len(steps) for name, values in self.task.frames().items()}
        return recording_from_arrays(
            [hidden for _, hidden in passes],
            kind="activation",
            frame_duration=None if "time" in frames else 1.0,
            session=[f"step {step}" for step in steps],
            training_step=steps,
            loss=np.array(loss, dtype=float) / self.task.target_variance,
            subject=f"seed {self.seed}" if subject is None else subject,
            environment=self.task.name,
            **frames,  # type: ignore[arg-type]
        )

    def groups(self) -> dict[str, xr.Dataset]:
        """What is stored beside the recording.

        Returns
        -------
        dict of xarray.Dataset
            ``measures``, ``weights`` and ``hessian``, as far as they are kept.
        """
        found = {"measures": self.measures}
        if self.keeps_weights:
            found["weights"] = self._weights()
        if self.spectra is not None:
            found["hessian"] = self.spectra
        return found

    def table(self) -> xr.Dataset:
        """What a sweep's table shows of it.

        Returns
        -------
        xarray.Dataset
            ``steps_made``, ``snapshots_made``, the measures over ``step``, ``early_loss`` over
            ``early_step``, those of the Hessian over ``snapshot_step``.
        """
        found = self.measures.drop_attrs(deep=False)
        if self.spectra is not None:
            spectra = self.spectra.drop_attrs(deep=False)
            found = found.merge(spectra.rename(step="snapshot_step"))
        made = {"steps_made": self.measures.attrs["steps_made"]}
        return found.assign(made | {"snapshots_made": len(self.snapshot_steps)})

    def text(self) -> str:
        """What happened, in two lines, with a third where the loss rises.

        Returns
        -------
        str
            For the terminal.
        """
        text = f"{self.reason} after {self.measures.attrs['steps_made']} steps"
        loss, active = (self.measures[n].values for n in ("loss", "fraction_active_units"))
        if not loss.size:
            return text
        text += (
            f"\nloss {loss[0]:.3g} to {loss[-1]:.3g}, active units {active[0]:.2f} to "
            f"{active[-1]:.2f}"
        )
        rise = rise_of_loss(loss, self.measures["step"].values)
        return f"{text}\nwarning: {rise}: it does not learn its task" if rise else text

    def __repr__(self) -> str:
        """A line on what was trained, and what happened."""
        return (
            f"<Run of {self.task.name}, {self.network.n_hidden} hidden units, seed {self.seed}, "
            f"{len(self.snapshot_steps)} snapshots: {self.text()}>"
        )

    def _weights(self) -> xr.Dataset:
        shapes = initialise(
            self.task.n_inputs, self.network.n_hidden, self.task.n_outputs, depth=self.network.depth
        )
        arrays = {}
        for name, array in shapes.items():
            none = np.zeros((0, *array.shape), self.measures.attrs["dtype"])
            values = self.weights.get(name, none)
            arrays[name] = (("snapshot_step", *_dims(name, array.ndim)), values)
        return xr.Dataset(arrays, coords={"snapshot_step": self.snapshot_steps})


def _dims(name: str, n: int) -> tuple[str, ...]:
    """Rows and columns have names of their own, as layers differ in size."""
    if name == "V":
        return ("output", "hidden")
    first = name in ("W", "W1")
    return ("hidden", "feature" if first else "hidden_before")[:n]

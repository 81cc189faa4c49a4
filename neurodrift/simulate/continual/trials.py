"""Batches of trials of several tasks, with their noise, from named random streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from neurodrift.seeds import generator
from neurodrift.simulate.continual.kronecker import Kronecker
from neurodrift.simulate.continual.recurrent import (
    Batch,
    RecurrentNetwork,
    Weights,
    log_probabilities,
    loss_and_gradient,
    propagate_back,
    run_network,
)
from neurodrift.simulate.continual.tasks import TaskSequence, Trials


@dataclass(frozen=True, kw_only=True)
class TrialSettings:
    """How a trial is shown.

    Parameters
    ----------
    heads
        ``single``: all tasks share the outputs, and a constant input of its own tells each task.
        ``multi``: every task has outputs of its own, and nothing tells the task.
    n_read
        Steps of zero input after each trial, in which the outputs are read.
    input_noise
        Standard deviation of noise on the input channels, at every step.
    """

    heads: Literal["single", "multi"] = "single"
    n_read: int = 5
    input_noise: float = 1.0

    def __post_init__(self) -> None:
        faults = []
        if self.heads not in ("single", "multi"):
            faults.append(f"heads is {self.heads!r}, expected single or multi")
        if self.n_read < 1:
            faults.append(f"n_read is {self.n_read}, expected at least 1")
        if not 0 <= self.input_noise < np.inf:
            faults.append(f"input_noise is {self.input_noise}, expected 0 or more")
        if faults:
            raise ValueError("trials: " + "; ".join(faults))

    def n_inputs(self, tasks: TaskSequence) -> int:
        """Input channels with the cue."""
        return tasks.n_channels + (len(tasks) if self.heads == "single" else 0)

    def n_outputs(self, tasks: TaskSequence) -> int:
        """Outputs of all heads."""
        return tasks.n_classes * (1 if self.heads == "single" else len(tasks))


class Stream:
    """Random choices and noise of one purpose; streams of different names are independent."""

    def __init__(self, seed: int, *names: object) -> None:
        from neurodrift.simulate.gradient._numba.noise import BATCH, N_STREAMS, fill_normal

        self.choices = generator(seed, "choices", *names)
        words = generator(seed, "noise", *names).integers(
            2**32, size=4 * N_STREAMS, dtype=np.uint32
        )
        self._state, self._fill, self._batch = words, fill_normal, BATCH

    def normal(self, *shape: int) -> np.ndarray:
        """Standard normal numbers in float32."""
        n = int(np.prod(shape))
        out = np.empty(-(-n // self._batch) * self._batch, np.float32)
        self._fill(self._state, out, n)
        return out[:n].reshape(shape)


class TrialPool:
    """All trials of one part of all tasks, ready to be shown.

    Parameters
    ----------
    tasks, part
        The tasks; ``train`` or ``test``.
    settings, network
        How trials are shown, and the scale of the process noise.
    dtype
        Precision.
    """

    def __init__(
        self,
        tasks: TaskSequence,
        part: str,
        settings: TrialSettings,
        network: RecurrentNetwork,
        dtype: Any,
    ) -> None:
        parts: list[Trials] = [getattr(task, part) for task in tasks.tasks]
        self._inputs = np.concatenate([one.inputs.astype(np.float32) for one in parts])
        lengths = np.concatenate([one.lengths for one in parts])
        self._offsets = np.append(0, np.cumsum(lengths))
        self._labels = np.concatenate([one.labels for one in parts])
        self._task = np.repeat(np.arange(len(tasks)), [len(one) for one in parts])
        self._n_classes = np.array([task.n_classes for task in tasks.tasks])
        shape = (len(tasks), tasks.n_classes)
        key = self._task * shape[1] + self._labels  # trials lie sorted by task and class
        self._first = np.searchsorted(key, np.arange(shape[0] * shape[1])).reshape(shape)
        self._count = np.bincount(key, minlength=shape[0] * shape[1]).reshape(shape)
        self._settings, self._network, self._dtype = settings, network, np.dtype(dtype)

    def draw(self, task: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw a trial for each task number: a class with equal chances, then one of its trials.

        Parameters
        ----------
        task
            (trial) from 0.
        rng
            Where chance comes from.

        Returns
        -------
        numpy.ndarray
            (trial) numbers for :meth:`batch`.
        """
        chance = rng.random((2, task.size))
        label = (chance[0] * self._n_classes[task]).astype(np.int64)
        within = (chance[1] * self._count[task, label]).astype(np.int64)
        return np.asarray(self._first[task, label] + within)

    def of_task(self, task: int, most: int | None = None) -> np.ndarray:
        """The first trials of each class of a task.

        Parameters
        ----------
        task
            From 0.
        most
            As many in all, shared equally by the classes; all trials when omitted.

        Returns
        -------
        numpy.ndarray
            (trial) numbers for :meth:`batch`.
        """
        n_classes = int(self._n_classes[task])
        each = -(-most // n_classes) if most is not None else len(self._labels)
        return np.concatenate(
            [
                self._first[task, c] + np.arange(min(each, int(self._count[task, c])))
                for c in range(n_classes)
            ]
        )

    def batch(
        self,
        which: np.ndarray,
        stream: Stream | None,
        *,
        process_noise: bool = True,
    ) -> Batch:
        """Lay trials end to end with steps to read, cue and noise.

        Parameters
        ----------
        which
            (trial) their numbers.
        stream
            Where noise comes from; None for none.
        process_noise
            Whether the units have noise, too.

        Returns
        -------
        Batch
            The trials.
        """
        n_read, n_channels = self._settings.n_read, self._inputs.shape[1]
        task = self._task[which]
        lengths = self._offsets[which + 1] - self._offsets[which]
        ends = np.cumsum(lengths + n_read)
        offsets = np.append(0, ends)
        step = np.arange(ends[-1]) - np.repeat(offsets[:-1], lengths + n_read)
        shown = step < np.repeat(lengths, lengths + n_read)
        single = self._settings.heads == "single"
        n_cue = len(self._n_classes) if single else 0
        inputs = np.zeros((ends[-1], n_channels + n_cue), self._dtype)
        source = (np.repeat(self._offsets[which], lengths + n_read) + step)[shown]
        inputs[shown, :n_channels] = self._inputs[source]
        if single:
            inputs[np.arange(ends[-1]), n_channels + np.repeat(task, lengths + n_read)] = 1
        noise = None
        if stream is not None:
            inputs[:, :n_channels] += self._settings.input_noise * stream.normal(
                ends[-1], n_channels
            )
            if process_noise and self._network.noise_sd:
                noise = stream.normal(ends[-1], self._network.n_units).astype(self._dtype)
                noise *= self._dtype.type(self._network.noise_sd)
        n_classes = self._n_classes[task]
        head = np.zeros_like(task) if single else task * int(self._n_classes.max())
        return Batch(
            inputs=inputs,
            noise=noise,
            offsets=offsets,
            labels=self._labels[which],
            head=head,
            n_classes=n_classes,
            n_read=n_read,
        )


class TaskExamples:
    """What a learner may ask for while it learns one task.

    Parameters
    ----------
    network, pool
        The network, and the trials of all tasks.
    task
        Number of the task, from 0.
    batch_size, n_fisher, data_size, seed
        As for :func:`neurodrift.simulate.continual.continual.train_continual`.
    """

    def __init__(
        self,
        network: RecurrentNetwork,
        pool: TrialPool,
        task: int,
        batch_size: int,
        n_fisher: int,
        data_size: int,
        seed: int,
    ) -> None:
        self.k, self.data_size, self.loss = task + 1, data_size, np.nan
        self._network, self._pool, self._task = network, pool, task
        self._batch_size, self._n_fisher = batch_size, n_fisher
        self._now, self._before, self._fisher = (
            Stream(seed, purpose, task) for purpose in ("this task", "earlier tasks", "Fisher")
        )

    def gradient(self, weights: Weights) -> Weights:
        """Gradient of the loss of this task, from fresh trials."""
        task = np.full(self._batch_size, self._task)
        self.loss, found = self._gradient(weights, task, self._now)
        return found

    def earlier_gradient(self, weights: Weights) -> Weights:
        """Gradient of the mean loss of the tasks before; the task of each trial is uniform."""
        task = self._before.choices.integers(self._task, size=self._batch_size)
        return self._gradient(weights, task, self._before)[1]

    def _gradient(
        self, weights: Weights, task: np.ndarray, stream: Stream
    ) -> tuple[float, Weights]:
        batch = self._pool.batch(self._pool.draw(task, stream.choices), stream)
        loss, found = loss_and_gradient(self._network, cast(weights, batch), batch)
        return loss, {name: array.astype(np.float64) for name, array in found.items()}

    def fisher_factors(self, weights: Weights) -> dict[str, Kronecker]:
        """Fisher information of one trial of this task, as Kronecker products."""
        return _factors(*self._sampled(weights), self._network)

    def squared_gradient(self, weights: Weights) -> Weights:
        """Diagonal of the Fisher information of one trial of this task."""
        from neurodrift.simulate.continual._kernels import squared_outer

        batch, before, after, current, output = self._sampled(weights)
        n = len(batch.labels)
        return {
            "W": squared_outer(before, current, batch.offsets) / n,
            "C": squared_outer(after, output, batch.offsets) / n,
        }

    def _sampled(
        self, weights: Weights
    ) -> tuple[Batch, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Trials with classes drawn from the network's own probabilities, and their errors."""
        network, stream = self._network, self._fisher
        task = np.full(self._n_fisher, self._task)
        batch = self._pool.batch(self._pool.draw(task, stream.choices), stream)
        weights = cast(weights, batch)
        activity = run_network(network, weights, batch)
        log_p = log_probabilities(weights, batch, activity)
        chance = stream.choices.random(log_p.shape[:2])[..., None]
        below = np.cumsum(np.exp(log_p), axis=2) < chance
        targets = np.minimum(below.sum(axis=2), batch.n_classes[:, None] - 1)
        errors = propagate_back(network, weights, batch, activity, log_p, targets)
        output = np.zeros((len(batch.inputs), weights["C"].shape[1]))
        output[batch.read_rows] = errors.output
        z = np.concatenate([activity.before, batch.inputs], axis=1)
        double = [np.ascontiguousarray(a, np.float64) for a in (z, activity.after, errors.current)]
        return batch, double[0], double[1], double[2], output


def _factors(
    batch: Batch,
    before: np.ndarray,
    after: np.ndarray,
    current: np.ndarray,
    output: np.ndarray,
    network: RecurrentNetwork,
) -> dict[str, Kronecker]:
    """Products of the mean outer products of what goes into the weights and of its errors."""
    from neurodrift.simulate.continual._kernels import mean_outer

    scale = float(np.sqrt(np.diff(batch.offsets).mean()))
    z, r, h, y = (scale * mean_outer(a, batch.offsets) for a in (before, after, current, output))
    return {"W": Kronecker(z, h), "C": Kronecker(r, y)}


def cast(weights: Weights, batch: Batch) -> Weights:
    """Weights in the precision of a batch."""
    return {name: array.astype(batch.inputs.dtype) for name, array in weights.items()}

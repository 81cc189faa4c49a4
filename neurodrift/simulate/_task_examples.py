"""What a learner is given: gradients and Fisher information of one task, from random trials."""

from __future__ import annotations

import numpy as np

from neurodrift.simulate._trials import Stream, TrialPool
from neurodrift.simulate.kronecker import Kronecker
from neurodrift.simulate.recurrent import (
    Batch,
    RecurrentNetwork,
    Weights,
    log_probabilities,
    loss_and_gradient,
    propagate_back,
    run_network,
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
        As for :func:`neurodrift.simulate.continual.train_continual`.
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
        from neurodrift.simulate._kernels_recurrent import squared_outer

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
    from neurodrift.simulate._kernels_recurrent import mean_outer

    scale = float(np.sqrt(np.diff(batch.offsets).mean()))
    z, r, h, y = (scale * mean_outer(a, batch.offsets) for a in (before, after, current, output))
    return {"W": Kronecker(z, h), "C": Kronecker(r, y)}


def cast(weights: Weights, batch: Batch) -> Weights:
    """Weights in the precision of a batch."""
    return {name: array.astype(batch.inputs.dtype) for name, array in weights.items()}

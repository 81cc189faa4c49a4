"""What every learner is, and what it may ask for."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, Protocol

import numpy as np

from neurodrift.simulate.continual.kronecker import Kronecker, identity, nearest_sum
from neurodrift.simulate.continual.recurrent import Weights


class Examples(Protocol):
    """What a learner may ask for while it learns task `k`."""

    k: int
    """Number of the task, from 1."""

    data_size: int
    """Nominal number of trials of a task, N: it sets how strong the prior is."""

    def gradient(self, weights: Weights) -> Weights:
        """Gradient of the loss of this task, from fresh trials."""

    def earlier_gradient(self, weights: Weights) -> Weights:
        """Gradient of the mean loss of the k - 1 tasks before, from fresh trials."""

    def fisher_factors(self, weights: Weights) -> dict[str, Kronecker]:
        """Fisher information of one trial of this task, as Kronecker products."""

    def squared_gradient(self, weights: Weights) -> Weights:
        """Diagonal of the Fisher information of one trial of this task."""


@dataclass(kw_only=True)
class Learner:
    """A rule that changes the weights step by step: by itself, gradient descent with momentum.

    Its fields are its options. What it remembers it makes in :meth:`start`. A rule overrides what
    it does otherwise: the :meth:`gradient` it follows, the :meth:`descent` it makes of it, what it
    keeps of a task when that is over (:meth:`finish`).

    Parameters
    ----------
    learning_rate
        Size of a step.
    momentum
        Share of the last descent that is kept.
    """

    learning_rate: float = 0.01
    momentum: float = 0.9

    def __post_init__(self) -> None:
        faults = []
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, str) and not 0 <= value < np.inf:
                faults.append(f"{field.name} is {value}, expected 0 or more")
        if self.momentum >= 1:
            faults.append(f"momentum is {self.momentum}, expected below 1")
        if faults:
            raise ValueError(f"learner {type(self).__name__}: " + "; ".join(faults))

    def start(self, weights: Weights, data_size: int) -> None:
        """Begin with these weights, before the first task.

        Parameters
        ----------
        weights
            Float64.
        data_size
            Nominal number of trials of a task.
        """
        self._momentum = {name: np.zeros_like(array) for name, array in weights.items()}

    def gradient(self, weights: Weights, examples: Examples) -> Weights:
        """What is to be made small, as its gradient.

        Parameters
        ----------
        weights, examples
            The weights now, and where to get gradients of losses.

        Returns
        -------
        dict of numpy.ndarray
            As the weights.
        """
        return examples.gradient(weights)

    def descent(self, name: str, gradient: np.ndarray, examples: Examples) -> np.ndarray:
        """The way down, before the learning rate: here the gradient with momentum.

        Parameters
        ----------
        name
            Of an array of weights.
        gradient
            Of what is to be made small, by this array.
        examples
            The task.

        Returns
        -------
        numpy.ndarray
            As the array: what is multiplied by the learning rate and subtracted from it.
        """
        self._momentum[name] = self.momentum * self._momentum[name] + gradient
        return self._momentum[name]

    def step(self, weights: Weights, examples: Examples) -> None:
        """Change the weights once, in place.

        Parameters
        ----------
        weights
            Float64.
        examples
            Of the task that is learned now.
        """
        for name, gradient in self.gradient(weights, examples).items():
            weights[name] -= self.learning_rate * self.descent(name, gradient, examples)

    def finish(self, weights: Weights, examples: Examples) -> None:
        """Keep what is to be remembered of a task, which ends with these weights.

        Parameters
        ----------
        weights, examples
            The weights at its end, and its trials.
        """


@dataclass(kw_only=True)
class AdamLearner(Learner):
    """A learner that goes by Adam's rule [1]_ or by momentum.

    Parameters
    ----------
    optimiser
        ``adam`` or ``momentum``.

    References
    ----------
    .. [1] D. P. Kingma, J. Ba (2015), https://doi.org/10.48550/arXiv.1412.6980
    """

    learning_rate: float = 0.003
    optimiser: Literal["adam", "momentum"] = "adam"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.optimiser not in ("adam", "momentum"):
            raise ValueError(f"optimiser is {self.optimiser!r}, expected adam or momentum")

    def start(self, weights: Weights, data_size: int) -> None:
        """Begin with these weights."""
        super().start(weights, data_size)
        self._square = {name: np.zeros_like(array) for name, array in weights.items()}
        self._n_steps = dict.fromkeys(weights, 0)

    def descent(self, name: str, gradient: np.ndarray, examples: Examples) -> np.ndarray:
        """Go by the running mean of the gradient over the root of that of its square."""
        if self.optimiser == "momentum":
            return super().descent(name, gradient, examples)
        decay, square_decay, epsilon = 0.9, 0.999, 1e-8
        self._n_steps[name] += 1
        n, mean, square = self._n_steps[name], self._momentum[name], self._square[name]
        mean += (1 - decay) * (gradient - mean)
        square += (1 - square_decay) * (gradient**2 - square)
        root = np.sqrt(square / (1 - square_decay**n)) + epsilon
        return np.asarray(mean / (1 - decay**n) / root)


class Posterior:
    r"""Normal approximation :math:`N(\mu, (N \Lambda)^{-1})` of what the tasks so far tell.

    Parameters
    ----------
    weights
        Whose shapes count.
    data_size
        N; the prior precision of every weight is 1, that is, 1 / N of one trial.

    Attributes
    ----------
    mean
        Of every array of weights.
    precision
        :math:`\Lambda` of every array, for one trial.
    """

    def __init__(self, weights: Weights, data_size: int) -> None:
        self.mean = {name: np.zeros_like(array) for name, array in weights.items()}
        self.precision: dict[str, Kronecker] = {
            name: identity(len(array), array.shape[1], 1 / data_size)
            for name, array in weights.items()
        }

    def penalised(self, gradient: Weights, weights: Weights, strength: float) -> Weights:
        r"""Add the gradient of :math:`\lambda (\theta - \mu)^T \Lambda (\theta - \mu) / 2`.

        Parameters
        ----------
        gradient
            Of the loss.
        weights
            :math:`\theta`.
        strength
            :math:`\lambda`.

        Returns
        -------
        dict of numpy.ndarray
            Of the loss with the penalty.
        """
        return {
            name: gradient[name] + strength * precision.times(weights[name] - self.mean[name])
            for name, precision in self.precision.items()
        }

    def add(self, weights: Weights, examples: Examples) -> None:
        """Take in a task that ends with these weights.

        Parameters
        ----------
        weights, examples
            Its weights and trials.
        """
        for name, factors in examples.fisher_factors(weights).items():
            self.precision[name] = nearest_sum(self.precision[name], factors)
            self.mean[name] = weights[name].copy()

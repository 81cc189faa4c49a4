"""The Kronecker-factored Laplace approximation that learners keep of the tasks before."""

from __future__ import annotations

import numpy as np

from neurodrift.simulate.kronecker import Kronecker, identity, nearest_sum
from neurodrift.simulate.learners._learner import Examples
from neurodrift.simulate.recurrent import Weights


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

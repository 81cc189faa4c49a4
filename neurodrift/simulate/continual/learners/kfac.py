"""A Laplace approximation as penalty, without a preconditioner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodrift.simulate.continual.learners.learner import AdamLearner, Examples, Posterior
from neurodrift.simulate.continual.recurrent import Weights


@dataclass(kw_only=True)
class KFAC(AdamLearner):
    r"""Stay near the last weights, by a Kronecker-factored Laplace approximation [1]_.

    Parameters
    ----------
    strength
        :math:`\lambda`; 1 follows from the equation, the default did best on the stroke tasks.
    slowing
        With ``momentum``, the rate in task k is divided by ``1 + slowing * (k - 1)``.

    Notes
    -----
    The gradient is :math:`\nabla \ell_k + \lambda L (\theta - \mu_{k-1}) R`.

    References
    ----------
    .. [1] H. Ritter, A. Botev, D. Barber (2018), https://doi.org/10.48550/arXiv.1805.07810

    Examples
    --------
    >>> from neurodrift.simulate.continual.learners import KFAC
    >>> KFAC(optimiser="momentum", learning_rate=0.01).slowing
    50.0
    """

    strength: float = 30.0
    slowing: float = 50.0

    def start(self, weights: Weights, data_size: int) -> None:
        """Begin at the prior, which is centred on 0."""
        super().start(weights, data_size)
        self._posterior = Posterior(weights, data_size)

    def gradient(self, weights: Weights, examples: Examples) -> Weights:
        """Gradient of the task's loss and of the penalty."""
        return self._posterior.penalised(examples.gradient(weights), weights, self.strength)

    def descent(self, name: str, gradient: np.ndarray, examples: Examples) -> np.ndarray:
        """Go more slowly with every task if by momentum."""
        found = super().descent(name, gradient, examples)
        slower = self.slowing * (examples.k - 1) if self.optimiser == "momentum" else 0
        return found / (1 + slower)

    def finish(self, weights: Weights, examples: Examples) -> None:
        """Add the task to the approximation."""
        self._posterior.add(weights, examples)

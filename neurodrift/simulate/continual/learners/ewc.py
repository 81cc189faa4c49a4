"""Elastic weight consolidation: a penalty on every weight by its own importance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodrift.simulate.continual.learners.learner import AdamLearner, Examples
from neurodrift.simulate.continual.recurrent import Weights


@dataclass(kw_only=True)
class EWC(AdamLearner):
    r"""Stay near the weights of the task before, by the diagonal of the Fisher information [1]_.

    Parameters
    ----------
    strength
        :math:`\lambda`; 1 follows from the equation, the default did best on the stroke tasks.

    Notes
    -----
    The gradient is :math:`\nabla \ell_k + \lambda\, \Lambda_{k-1} (\theta - \mu_{k-1})` with
    :math:`\mu_{k-1}` the weights after the task before and :math:`\Lambda_{k-1} = 1 / N` plus the
    sum of the diagonals of the Fisher information of one trial over the tasks before (one running
    penalty, as in [2]_, not one for each task).

    References
    ----------
    .. [1] J. Kirkpatrick et al. (2017), https://doi.org/10.1073/pnas.1611835114
    .. [2] F. Huszár (2018), https://doi.org/10.1073/pnas.1717042115

    Examples
    --------
    >>> from neurodrift.simulate.continual.learners import EWC
    >>> EWC(strength=30.0).optimiser
    'adam'
    """

    strength: float = 100.0

    def start(self, weights: Weights, data_size: int) -> None:
        """Begin at the prior, which is centred on 0."""
        super().start(weights, data_size)
        self._centre = {name: np.zeros_like(array) for name, array in weights.items()}
        self._precision = {n: np.full_like(array, 1 / data_size) for n, array in weights.items()}

    def gradient(self, weights: Weights, examples: Examples) -> Weights:
        """Gradient of the task's loss and of the penalty."""
        found = examples.gradient(weights)
        for name, array in weights.items():
            away = array - self._centre[name]
            found[name] = found[name] + self.strength * self._precision[name] * away
        return found

    def finish(self, weights: Weights, examples: Examples) -> None:
        """Add the importance of every weight for this task."""
        for name, square in examples.squared_gradient(weights).items():
            self._precision[name] = self._precision[name] + square
            self._centre[name] = weights[name].copy()

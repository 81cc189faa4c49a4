"""Plain gradient descent, which forgets."""

from __future__ import annotations

from dataclasses import dataclass

from neurodrift.simulate.continual.learners.learner import Examples, Learner
from neurodrift.simulate.continual.recurrent import Weights


@dataclass(kw_only=True)
class SGD(Learner):
    r"""Gradient descent with momentum on the task at hand.

    Parameters
    ----------
    l2
        Strength :math:`\lambda` of the penalty :math:`\lambda |\theta|^2 / 2`.

    Examples
    --------
    >>> from neurodrift.simulate.continual.learners import SGD
    >>> SGD(learning_rate=0.02)
    SGD(learning_rate=0.02, momentum=0.9, l2=1e-05)
    """

    l2: float = 1e-5

    def gradient(self, weights: Weights, examples: Examples) -> Weights:
        """Gradient of the task's loss and of the penalty."""
        found = examples.gradient(weights)
        return {name: found[name] + self.l2 * array for name, array in weights.items()}

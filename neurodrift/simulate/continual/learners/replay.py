"""Replay of trials of the tasks before, drawn anew from the true data."""

from __future__ import annotations

from dataclasses import dataclass

from neurodrift.simulate.continual.learners.learner import Examples
from neurodrift.simulate.continual.learners.sgd import SGD
from neurodrift.simulate.continual.recurrent import Weights


@dataclass(kw_only=True)
class Replay(SGD):
    r"""Descend the mean loss of all tasks so far, equations 5 and 6 of [1]_.

    Notes
    -----
    .. math::

        \theta \leftarrow \theta - \gamma \left[ \tfrac{1}{k} \nabla \ell_k
        + \tfrac{k - 1}{k} \nabla \ell_{<k} \right],
        \quad \ell_{<k} = \tfrac{1}{k - 1} \sum_{j<k} \ell_j

    with trials of the tasks before from as many draws as of this one, the task of each uniform.

    References
    ----------
    .. [1] K. T. Jensen (2021), "An algorithmic hypothesis of differential neural stability in the
       brain".

    Examples
    --------
    >>> from neurodrift.simulate.continual.learners import Replay
    >>> Replay().momentum
    0.9
    """

    def gradient(self, weights: Weights, examples: Examples) -> Weights:
        """Weighted sum of the gradients of this task and of those before."""
        found, k = super().gradient(weights, examples), examples.k
        if k == 1:
            return found
        earlier = examples.earlier_gradient(weights)
        l2 = self.l2 * (k - 1) / k  # of which `found` / k holds a k-th
        return {
            name: found[name] / k + (k - 1) / k * earlier[name] + l2 * array
            for name, array in weights.items()
        }

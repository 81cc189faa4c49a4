"""Natural continual learning: the Laplace approximation as penalty and as preconditioner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodrift.simulate.continual.kronecker import Kronecker
from neurodrift.simulate.continual.learners.learner import Examples, Learner, Posterior
from neurodrift.simulate.continual.recurrent import Weights


@dataclass(kw_only=True)
class NCL(Learner):
    r"""Move where the tasks before do not care, equation 4 of [1]_.

    Parameters
    ----------
    strength
        :math:`\lambda` of the penalty; 1 follows from the equation.
    damping
        :math:`\alpha` of the preconditioner, which limits how far a step goes where the tasks
        before say nothing.

    Notes
    -----
    The equation is
    :math:`\theta \leftarrow \theta - \gamma [\Lambda_{k-1}^{-1} \nabla \ell_k
    + (\theta - \mu_{k-1})]`. With momentum inside and precisions of one trial, as in the published
    code of [2]_:

    .. math::

        g = \nabla \ell_k + \lambda L (\theta - \mu_{k-1}) R, \quad m \leftarrow 0.9\, m + g, \quad
        \theta \leftarrow \theta - \frac{\gamma}{N} P_L\, m\, P_R

    where :math:`P_L \otimes P_R` is the damped inverse of :math:`\Lambda_{k-1} = L \otimes R`
    (:meth:`neurodrift.simulate.continual.kronecker.Kronecker.preconditioner`). Where
    :math:`\Lambda` is the
    prior and :math:`\alpha = 0`, this is gradient descent with the rate :math:`\gamma`. Momentum is
    not reset between tasks.

    References
    ----------
    .. [1] K. T. Jensen (2021), "An algorithmic hypothesis of differential neural stability in the
       brain".
    .. [2] T.-C. Kao, K. T. Jensen, G. M. van de Ven, A. Bernacchia, G. Hennequin (2021), "Natural
       continual learning", NeurIPS, https://doi.org/10.48550/arXiv.2106.08085

    Examples
    --------
    >>> from neurodrift.simulate.continual.learners import NCL
    >>> NCL(damping=1e-6).strength
    1.0
    """

    strength: float = 1.0
    damping: float = 1e-3

    def start(self, weights: Weights, data_size: int) -> None:
        """Begin at the prior, which is centred on 0."""
        super().start(weights, data_size)
        self._posterior = Posterior(weights, data_size)
        self._precondition()

    def gradient(self, weights: Weights, examples: Examples) -> Weights:
        """Gradient of the task's loss and of the penalty."""
        return self._posterior.penalised(examples.gradient(weights), weights, self.strength)

    def descent(self, name: str, gradient: np.ndarray, examples: Examples) -> np.ndarray:
        """Momentum in the metric of the tasks before."""
        found = super().descent(name, gradient, examples)
        return self._inverse[name].times(found) / examples.data_size

    def finish(self, weights: Weights, examples: Examples) -> None:
        """Add the task to the approximation."""
        self._posterior.add(weights, examples)
        self._precondition()

    def _precondition(self) -> None:
        self._inverse: dict[str, Kronecker] = {
            name: precision.preconditioner(self.damping)
            for name, precision in self._posterior.precision.items()
        }

"""Where a network stands on its loss: its weights and the data that the loss is taken over."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import cached_property

import numpy as np

from neurodrift.simulate.gradient.networks import DERIVATIVES, STRAIGHT, Derivatives
from neurodrift.simulate.gradient.run import Run
from neurodrift.simulate.gradient.task import Task
from neurodrift.threads import one_blas_thread

_ARRAYS = ("W", "b", "V", "inputs", "targets")


@dataclass(frozen=True, eq=False)
class LossPoint:
    r"""A network with one hidden layer at one point of its loss, the mean squared error.

    The functions of :mod:`neurodrift.simulate.curvature.hessian`,
    :func:`neurodrift.simulate.curvature.measures.compute_hessian_measures` and
    :func:`neurodrift.simulate.curvature.laplace.compute_permuted_energy` take it.

    Parameters
    ----------
    W
        Input weights (hidden, feature).
    b
        Biases (hidden,).
    V
        Output weights (output, hidden); there is no output bias.
    inputs
        Inputs without noise (sample, feature).
    targets
        Targets without noise (sample, output).
    activation
        Name of one of :data:`neurodrift.simulate.gradient.networks.ACTIVATIONS`, as torch defines
        them.

    Raises
    ------
    ValueError
        If shapes disagree, inputs or targets are not finite, or the activation is unknown.

    Notes
    -----
    The network is :math:`o = V \phi(W x + b)`. Arrays are copied as float64 and cannot be changed.
    Weights that are not finite, those of a network that has diverged, are let in, for
    :func:`~neurodrift.simulate.curvature.measures.compute_hessian_measures` makes NaN of them; all
    else refuses them when it runs the network.

    Examples
    --------
    >>> from neurodrift.simulate.curvature.loss_point import LossPoint
    >>> point = LossPoint(W=[[1.0], [1.0]], b=[0.0, -9.0], V=[[2.0, 5.0]], inputs=[[1.0]],
    ...                   targets=[[3.0]])
    >>> point.hidden, point.loss   # the second unit is silent
    (array([[1., 0.]]), 1.0)
    """

    W: np.ndarray
    b: np.ndarray
    V: np.ndarray
    inputs: np.ndarray
    targets: np.ndarray
    _: KW_ONLY
    activation: str = "relu"

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            object.__setattr__(self, name, _read_only(getattr(self, name)))
        W, b, V, inputs, targets = (getattr(self, name) for name in _ARRAYS)
        if any(a.ndim != 2 for a in (W, V, inputs, targets)) or not (
            W.shape == (b.size, inputs.shape[1])
            and b.ndim == 1
            and V.shape == (targets.shape[1], b.size)
            and len(inputs) == len(targets) > 0
        ):
            shapes = {name: getattr(self, name).shape for name in _ARRAYS}
            raise ValueError(
                f"shapes do not fit: {shapes}; "
                "expected W (hidden, feature), b (hidden,), V (output, hidden), inputs (sample, "
                "feature), targets (sample, output), at least one sample"
            )
        self._refuse_not_finite("inputs", "targets")
        if self.activation not in DERIVATIVES:
            raise ValueError(
                f"activation is {self.activation!r}; expected one of {', '.join(DERIVATIVES)}; use "
                "neurodrift.simulate.curvature.lanczos.estimate_model_curvature for any other "
                "network"
            )

    @classmethod
    def from_run(cls, run: Run, step: int, *, task: Task | None = None) -> LossPoint:
        """The point at which a training run was at one of its snapshots.

        Parameters
        ----------
        run
            Of a network with one hidden layer.
        step
            Number of updates made, one of the run's `snapshot_steps`.
        task
            Another task than the run's own to take the loss over.

        Returns
        -------
        LossPoint
            Weights of the snapshot, activation of the network, inputs and targets of the task.

        Raises
        ------
        ValueError
            If there is no snapshot of this step, or the network has another architecture.

        Examples
        --------
        >>> from neurodrift.simulate.curvature.loss_point import LossPoint
        >>> from neurodrift.simulate.gradient.engine import train
        >>> from neurodrift.simulate.gradient.tasks import random
        >>> run = train(random(), n_steps=100, measures=[0, 100])
        >>> start, end = (LossPoint.from_run(run, step) for step in (0, 100))
        >>> end.loss < start.loss
        True
        """
        network = run.network
        if network.module is not None or network.depth != 1:
            kind = "a module of its own" if network.module else f"{network.depth} of them"
            raise ValueError(
                f"the block Hessian is for one hidden layer, but the network has {kind}; use "
                "neurodrift.simulate.curvature.lanczos.estimate_model_curvature for any other"
            )
        task = run.task if task is None else task
        activation: str = network.activation  # type: ignore[assignment]  # others are refused
        return cls(
            **run.snapshot(step), inputs=task.inputs, targets=task.targets, activation=activation
        )

    @property
    def n_hidden(self) -> int:
        """Number of hidden units."""
        return self.b.size

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases."""
        return self.W.size + self.b.size + self.V.size

    @property
    def is_finite(self) -> bool:
        """Whether every weight is: a network that has diverged has no Hessian."""
        return all(bool(np.isfinite(a).all()) for a in (self.W, self.b, self.V))

    @property
    def scale(self) -> float:
        """Two over the number of targets, the second derivative of the loss by an output."""
        return 2.0 / self.targets.size

    @property
    def is_straight(self) -> bool:
        """Whether the activation has no second derivative wherever it has a first one."""
        return self.activation in STRAIGHT

    @cached_property
    def extended_inputs(self) -> np.ndarray:
        """Inputs with a last column of ones, by which biases are weights (sample, feature + 1)."""
        return np.column_stack([self.inputs, np.ones(len(self.inputs))])

    @cached_property
    def _hidden(self) -> Derivatives:
        self._refuse_not_finite("W", "b", "V")
        with one_blas_thread():  # the last bits would depend on their number
            return DERIVATIVES[self.activation](self.inputs @ self.W.T + self.b)

    @property
    def hidden(self) -> np.ndarray:
        """Activity of the hidden units (sample, hidden)."""
        return self._hidden[0]

    @property
    def slope(self) -> np.ndarray:
        """First derivative of the activation (sample, hidden)."""
        return self._hidden[1]

    @property
    def bend(self) -> np.ndarray:
        """Second derivative of the activation (sample, hidden)."""
        return self._hidden[2]

    @cached_property
    def error(self) -> np.ndarray:
        """Outputs minus targets (sample, output)."""
        with one_blas_thread():
            return self.hidden @ self.V.T - self.targets

    @property
    def loss(self) -> float:
        """Mean squared error over samples and outputs."""
        return float((self.error**2).mean())

    def _refuse_not_finite(self, *names: str) -> None:
        for name in names:
            if not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"{name} has values that are not finite: the run has diverged")


def _read_only(values: np.ndarray) -> np.ndarray:
    """The values as float64 that nobody can change; those of another point are not copied."""
    own = isinstance(values, np.ndarray) and values.base is None and not values.flags.writeable
    if own and values.dtype == np.float64:
        return values
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array

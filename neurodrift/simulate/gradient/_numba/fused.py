"""The fast engine: one network of one hidden ReLU layer, trained by numba kernels on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurodrift.seeds import generator
from neurodrift.simulate.gradient.networks import Network, initial_weights
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.task import Task

RULES = ("sgd", "adam", "rmsprop", "sed", "momentum")
"""In the order of the kernels' numbers."""


def obstacles(network: Network, rule: Rule) -> list[str]:
    """What keeps a run from the fast engine, one phrase each; empty if nothing does."""
    found = []
    if not network.is_published:
        found.append("a network other than one hidden layer of ReLU units")
    if rule.input_noise and rule.name == "sed":
        found.append("input noise of 'sed'")
    if rule.batch_size is not None:
        found.append("minibatches")
    return found


class FusedNetwork:
    r"""One network in training.

    Parameters
    ----------
    task, network, rule, seed
        What is trained, and the seed of weights and noise.
    dtype
        ``float64`` or ``float32``; noise is always drawn in float32.
    n_early
        Number of first steps whose training loss is kept.
    rank_factor
        Replace the inputs by their rank factor where that is smaller (SGD and SED, without input
        noise).
    packed
        Compute silent units lazily; not with input noise.
    weights
        W, b and V to start from; those of the seed when omitted.

    Notes
    -----
    *Rank factor.* With the QR decomposition :math:`Z^T = Q R` of the inputs :math:`Z = (x, 1)`
    (sample, feature), the pre-activations are :math:`Z \Theta^T = R^T (\Theta Q)^T`. Gradients of
    :math:`\Theta = (W, b)` lie in the span of Q, and isotropic normal noise stays isotropic and
    normal under :math:`Q`, so :math:`\Theta Q` is trained by the same law with fewer columns. What
    is orthogonal to Q influences nothing and is a sum of independent normal steps: its increment
    since the last look is drawn at once, when the weights are asked for.

    *Silent units*: see :mod:`neurodrift.simulate.gradient._numba.training`.
    """

    n_networks = 1

    def __init__(
        self,
        task: Task,
        network: Network,
        rule: Rule,
        seed: int,
        *,
        dtype: str = "float64",
        n_early: int = 0,
        rank_factor: bool = True,
        packed: bool = True,
        weights: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        from neurodrift.simulate.gradient._numba import layers as _kernels_layers
        from neurodrift.simulate.gradient._numba import noise as _kernels_noise
        from neurodrift.simulate.gradient._numba import training as _kernels_training

        self._kernels: Any = _kernels_training
        self._rule, self._seed = rule, seed
        self._n_units = network.n_hidden
        kind = np.dtype(dtype)

        if weights is None:
            weights = initial_weights(network, task.n_inputs, task.n_outputs, seed)
        theta = np.column_stack([weights["W"], weights["b"]])
        design = np.column_stack([task.inputs, np.ones(task.n_samples)])
        self._basis: np.ndarray | None = None
        self._outside = np.zeros_like(theta)
        kernel = self._kernel
        still = not rule.input_noise  # which leaves the span of the inputs and wakes silent units
        few = task.n_samples < task.n_inputs + 1
        if rank_factor and still and few and kernel in ("sgd", "sed"):
            basis, triangle = np.linalg.qr(design.T)
            self._basis = basis
            self._outside = theta - theta @ basis @ basis.T
            theta, design = theta @ basis, triangle.T
        self._inputs = np.ascontiguousarray(design, dtype=kind)
        self._targets = np.ascontiguousarray(task.targets, dtype=kind)

        block = _kernels_layers.BLOCK
        width = -(-self._n_units // block) * block
        n_rows = design.shape[1] + task.n_outputs
        self._rows = np.zeros((n_rows, width), kind)
        self._rows[: design.shape[1], : self._n_units] = theta.T
        self._rows[design.shape[1] :, : self._n_units] = weights["V"]
        self._mean = np.zeros((n_rows if kernel in ("adam", "momentum") else 0, width), kind)
        self._square = np.zeros((n_rows if kernel in ("adam", "rmsprop") else 0, width), kind)
        self._counters = np.array([0, width], dtype=np.int64)
        self._unit = np.arange(width)
        self._since = np.zeros(width, dtype=np.int64)
        words = generator(seed, "training noise").integers(
            2**32, size=4 * _kernels_noise.N_STREAMS, dtype=np.uint32
        )
        self._stream = words
        self._packed = (
            packed and still and (kernel == "sgd" or (kernel != "sed" and not rule.update_noise))
        )
        # of what is not yet drawn outside the basis: steps, or by SED squared loss differences
        self._pending = np.zeros(1)
        self._numbers = np.array(
            [
                rule.rate,
                rule.update_noise,
                rule.label_noise,
                *rule.betas,
                rule.decay,
                rule.epsilon,
                1e-200 if kind == np.float64 else 1e-36,
                rule.perturbation / np.sqrt(self._n_units),
                rule.perturbation / np.sqrt(task.n_outputs),
                rule.input_noise,
                rule.node_dropout,
                rule.momentum,
            ]
        )
        self._early = np.full(n_early, np.nan)

    @property
    def _kernel(self) -> str:
        """Name in `RULES` of what makes a step."""
        return "momentum" if self._rule.momentum else self._rule.name

    @property
    def early(self) -> np.ndarray:
        """(network, step) training loss of the first steps, NaN where not yet made."""
        return self._early[None]

    def advance(self, step: int) -> None:
        """Train until this many steps have been made in all."""
        kernels, rule = self._kernels, self._rule
        made = max(step - int(self._counters[0]), 0)
        uniform = rule.label_noise_kind == "uniform"
        if rule.name == "sed":
            kernels.advance_sed(
                self._inputs,
                self._targets,
                self._rows,
                self._counters,
                self._stream,
                self._numbers,
                uniform,
                rule.perturbed_loss == "clean",
                self._n_units,
                step,
                self._early,
                self._pending,
            )
            return
        kernels.advance(
            *self._network,
            self._numbers,
            RULES.index(self._kernel),
            uniform,
            self._packed,
            self._n_units,
            step,
            self._early,
        )
        self._pending += made

    @property
    def _network(self) -> tuple[Any, ...]:
        """What the kernels know a network by."""
        names = ("inputs", "targets", "rows", "mean", "square", "counters", "unit", "since")
        return tuple(getattr(self, f"_{name}") for name in (*names, "stream"))

    def measure(self) -> np.ndarray:
        """(network, 4): clean mean squared error, active fraction, active units, any activity."""
        out = np.zeros((1, 4))
        self._kernels.measure(
            *self._network,
            self._lazy_scale,
            self._n_units,
            out[0],
        )
        return out

    @property
    def _lazy_scale(self) -> float:
        return self._rule.rate * self._rule.update_noise if self._packed else 0.0

    def weights(self) -> list[dict[str, np.ndarray]]:
        """W, b and V of the network, after whatever was left to draw has been drawn."""
        self._settle()
        n_rows = self._inputs.shape[1]
        by_unit = np.empty((self._rows.shape[0], self._n_units), self._rows.dtype)
        by_unit[:, self._unit[: self._n_units]] = self._rows[:, : self._n_units]
        theta = by_unit[:n_rows].T
        if self._basis is not None:
            theta = theta.astype(np.float64) @ self._basis.T + self._outside
        theta = theta.astype(self._rows.dtype)
        return [{"W": theta[:, :-1].copy(), "b": theta[:, -1].copy(), "V": by_unit[n_rows:].copy()}]

    def _settle(self) -> None:
        step, front = (int(n) for n in self._counters)
        behind = slice(front, self._n_units)
        waited = step - self._since[behind]
        if self._lazy_scale and waited.any():
            draw = generator(self._seed, "noise of silent units", step)
            n_rows = self._inputs.shape[1]
            noise = draw.standard_normal((self._rows.shape[0] - n_rows, waited.size))
            scale = self._lazy_scale * np.sqrt(waited)
            self._rows[n_rows:, behind] += (scale * noise).astype(self._rows.dtype)
            self._since[behind] = step
        jump = self._rule.update_noise
        if self._rule.name == "sed":
            jump = float(self._numbers[self._kernels.PERTURB_IN])
        jump *= self._rule.rate
        if self._basis is not None and jump and self._pending[0]:
            draw = generator(self._seed, "noise outside the inputs", step)
            noise = draw.standard_normal(self._outside.shape) * jump * np.sqrt(self._pending)
            self._outside += noise - noise @ self._basis @ self._basis.T
            self._pending[:] = 0

    def state(self) -> dict[str, np.ndarray]:
        """Everything that changes in training; :meth:`restore` goes on from it bit for bit."""
        return {name: getattr(self, f"_{name}").copy() for name in _STATE}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a state."""
        for name in _STATE:
            getattr(self, f"_{name}")[...] = state[name]


_STATE = (
    "rows",
    "mean",
    "square",
    "counters",
    "unit",
    "since",
    "stream",
    "outside",
    "pending",
    "early",
)

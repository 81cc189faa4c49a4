"""First and second derivatives of a network's outputs and hidden activity by its weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from neurodrift.simulate.curvature.loss_point import LossPoint
from neurodrift.simulate.gradient.networks import build, with_hidden
from neurodrift.simulate.gradient.run import Run

if TYPE_CHECKING:
    import torch

_CHUNK = 64  # directions differentiated together


class Tangent(Protocol):
    """A network near one point: outputs over (sample, output), weights in torch's order, flat."""

    loss: float
    hidden_shape: tuple[int, int]
    """Sizes (sample, unit) of the recorded layer."""

    @property
    def weights(self) -> np.ndarray:
        """Where it stands (parameter,)."""

    @property
    def hidden(self) -> np.ndarray:
        """Activity of the recorded layer (sample * unit,)."""

    @property
    def jacobian(self) -> np.ndarray:
        """First derivatives of the outputs (entry, parameter)."""

    @property
    def hidden_jacobian(self) -> np.ndarray:
        """First derivatives of the recorded layer (sample * unit, parameter)."""

    def contract(self, directions: np.ndarray) -> np.ndarray:
        """Sum over outputs of their Hessian times a direction of their own (entry, parameter)."""

    def output_bend(self, rows: np.ndarray) -> np.ndarray:
        """Trace of each output's Hessian over what is orthogonal to `rows` (row, parameter)."""

    def hidden_bend(self, rows: np.ndarray) -> np.ndarray:
        """The same of each hidden activity."""


def gauss_newton_trace(jacobian: np.ndarray) -> float:
    """Sum of the eigenvalues of the Gauss-Newton part of the Hessian of the mean squared error.

    Parameters
    ----------
    jacobian
        First derivatives of the outputs (entry, parameter).

    Returns
    -------
    float
        Theirs [loss].
    """
    return float(2.0 / len(jacobian) * (jacobian**2).sum())


class LayerTangent:
    """Of a network with one hidden layer, by formulas.

    Parameters
    ----------
    point
        Its weights, activation and data.
    """

    def __init__(self, point: LossPoint) -> None:
        self.point = point
        self.loss = point.loss
        self.hidden_shape = (len(point.inputs), point.n_hidden)
        self.weights = np.concatenate([point.W.ravel(), point.b, point.V.ravel()])
        self.hidden = point.hidden.ravel()

    def _flat(self, W: np.ndarray, V: np.ndarray) -> np.ndarray:
        """Parts for extended input weights (..., hidden, feature + 1) and V, in torch's order."""
        lead = W.shape[:-2]
        parts = W[..., :-1].reshape(*lead, -1), W[..., -1], V.reshape(*lead, -1)
        return np.concatenate(parts, axis=-1)

    def _parts(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Extended input weights (row, hidden, feature + 1) and V (row, output, hidden)."""
        point, n = self.point, len(rows)
        at = np.cumsum([point.W.size, point.b.size])
        W, b, V = np.split(rows, at, axis=1)
        extended = np.concatenate([W.reshape(n, *point.W.shape), b[:, :, None]], axis=2)
        return extended, V.reshape(n, *point.V.shape)

    @cached_property
    def jacobian(self) -> np.ndarray:
        """First derivatives of the outputs (entry, parameter)."""
        point = self.point
        W = np.einsum("kj,sj,sf->skjf", point.V, point.slope, point.extended_inputs)
        n_outputs = len(point.V)
        V = np.einsum("kl,sj->sklj", np.eye(n_outputs), point.hidden)
        return self._flat(W, V).reshape(-1, point.n_parameters)

    @cached_property
    def hidden_jacobian(self) -> np.ndarray:
        """First derivatives of the hidden layer (sample * unit, parameter)."""
        point = self.point
        n_samples, n_hidden = self.hidden_shape
        W = np.einsum("ij,sj,sf->sijf", np.eye(n_hidden), point.slope, point.extended_inputs)
        V = np.zeros((n_samples, n_hidden, *point.V.shape))
        return self._flat(W, V).reshape(-1, point.n_parameters)

    def contract(self, directions: np.ndarray) -> np.ndarray:
        """Sum over outputs of their Hessian times a direction of their own (entry, parameter)."""
        point = self.point
        n_samples, n_outputs = point.targets.shape
        W, V = self._parts(directions)
        W = W.reshape(n_samples, n_outputs, *W.shape[1:])
        V = V.reshape(n_samples, n_outputs, *V.shape[1:])
        kicks = np.einsum("skjf,sf->skj", W, point.extended_inputs)
        own = np.einsum("skkj->skj", V)  # an output has its own row of V alone
        bent = np.einsum("skj,kj,sj->sj", kicks, point.V, point.bend)
        turned = np.einsum("skj,sj->sj", own, point.slope)
        to_W = np.einsum("sj,sf->jf", bent + turned, point.extended_inputs)
        to_V = np.einsum("skj,sj->kj", kicks, point.slope)
        return self._flat(to_W, to_V)

    def output_bend(self, rows: np.ndarray) -> np.ndarray:
        """Trace of each output's Hessian over what is orthogonal to `rows` (row, parameter)."""
        point = self.point
        W, V = self._parts(rows)
        kicks = np.einsum("rjf,sf->rsj", W, point.extended_inputs)
        length = (point.extended_inputs**2).sum(axis=1)[:, None] - (kicks**2).sum(axis=0)
        straight = (length * point.bend) @ point.V.T
        crossed = np.einsum("rsj,rkj,sj->sk", kicks, V, point.slope)
        return (straight - 2 * crossed).ravel()

    def hidden_bend(self, rows: np.ndarray) -> np.ndarray:
        """The same of each hidden activity."""
        point = self.point
        kicks = np.einsum("rjf,sf->rsj", self._parts(rows)[0], point.extended_inputs)
        length = (point.extended_inputs**2).sum(axis=1)[:, None] - (kicks**2).sum(axis=0)
        return (length * point.bend).ravel()


class ModuleTangent:
    """Of any network that torch runs, by differentiating it.

    Parameters
    ----------
    run
        A run of this network.
    step
        One of its snapshots.
    """

    def __init__(self, run: Run, step: int) -> None:
        import torch

        weights = run.snapshot(step)
        self._shapes = {name: array.shape for name, array in weights.items()}
        self._sizes = [array.size for array in weights.values()]
        module = build(run.network, run.task.inputs.shape[1], run.task.n_outputs).double()
        assert run.network.hidden_layer is not None
        self._forward = with_hidden(module, run.network.hidden_layer)
        self._inputs = torch.as_tensor(run.task.inputs, dtype=torch.float64)
        flat = np.concatenate([array.ravel() for array in weights.values()]).astype(float)
        if not np.isfinite(flat).all():
            raise ValueError(f"weights of step {step} are not finite: the run has diverged")
        self.weights = flat
        self._weights = torch.as_tensor(flat)
        with torch.no_grad():
            outputs, hidden = self._forward(self._named(self._weights), self._inputs)
        self.loss = float(((outputs.numpy() - run.task.targets) ** 2).mean())
        self.hidden_shape = (hidden.shape[0], hidden.shape[1])
        self.hidden = hidden.numpy().ravel()

    def _named(self, flat: torch.Tensor) -> dict[str, torch.Tensor]:
        import torch

        pieces: tuple[torch.Tensor, ...] = torch.split(flat, self._sizes)
        named = zip(self._shapes.items(), pieces, strict=True)
        return {name: piece.reshape(shape) for (name, shape), piece in named}

    def _outputs(self, flat: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self._forward(self._named(flat), self._inputs)[0]
        return outputs.reshape(-1)

    def _hidden(self, flat: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self._forward(self._named(flat), self._inputs)[1]
        return hidden.reshape(-1)

    @cached_property
    def jacobian(self) -> np.ndarray:
        """First derivatives of the outputs (entry, parameter)."""
        return self._first(self._outputs)

    @cached_property
    def hidden_jacobian(self) -> np.ndarray:
        """First derivatives of the recorded layer (sample * unit, parameter)."""
        return self._first(self._hidden)

    def _first(self, function: Callable[[torch.Tensor], torch.Tensor]) -> np.ndarray:
        import torch

        found: torch.Tensor = torch.func.jacrev(function, chunk_size=_CHUNK)(self._weights)
        return found.detach().numpy()

    def contract(self, directions: np.ndarray) -> np.ndarray:
        """Sum over outputs of their Hessian times a direction of their own (entry, parameter)."""
        import torch

        along = torch.as_tensor(directions)

        def weighted(flat: torch.Tensor) -> torch.Tensor:
            rows: torch.Tensor = torch.func.jacrev(self._outputs)(flat)
            return (rows * along).sum()

        found: torch.Tensor = torch.func.grad(weighted)(self._weights)
        return found.detach().numpy()

    def output_bend(self, rows: np.ndarray) -> np.ndarray:
        """Trace of each output's Hessian over what is orthogonal to `rows` (row, parameter)."""
        return self._bend(self._outputs, rows)

    def hidden_bend(self, rows: np.ndarray) -> np.ndarray:
        """The same of each hidden activity."""
        return self._bend(self._hidden, rows)

    def _bend(
        self, function: Callable[[torch.Tensor], torch.Tensor], rows: np.ndarray
    ) -> np.ndarray:
        everywhere = self._second(function, np.eye(self._weights.numel()))
        return everywhere - self._second(function, rows)

    def _second(
        self, function: Callable[[torch.Tensor], torch.Tensor], directions: np.ndarray
    ) -> np.ndarray:
        """Sum over directions of the second derivative along each."""
        import torch

        def along(direction: torch.Tensor) -> torch.Tensor:
            def slope(flat: torch.Tensor) -> torch.Tensor:
                found: torch.Tensor = torch.func.jvp(function, (flat,), (direction,))[1]
                return found

            found: torch.Tensor = torch.func.jvp(slope, (self._weights,), (direction,))[1]
            return found

        total = np.zeros(1)
        with warnings.catch_warnings():  # torch loads parts of its own that it deprecates
            warnings.simplefilter("ignore", DeprecationWarning)
            for start in range(0, len(directions), _CHUNK):
                chunk = torch.as_tensor(directions[start : start + _CHUNK])
                total = total + torch.func.vmap(along)(chunk).detach().sum(dim=0).numpy()
        return total

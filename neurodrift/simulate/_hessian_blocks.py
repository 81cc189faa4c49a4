"""Blocks of the Hessian of a one-hidden-layer network, in bases without its exact null space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodrift.simulate._activations import ACTIVATIONS, STRAIGHT


@dataclass(frozen=True)
class State:
    x: np.ndarray  # (sample, feature + 1), the inputs with a last column of ones
    V: np.ndarray  # (output, unit)
    error: np.ndarray  # (sample, output)
    h: np.ndarray  # (sample, unit), activation
    slope: np.ndarray  # (sample, unit), first derivative
    bend: np.ndarray  # (sample, unit), second derivative
    straight: bool  # whether every second derivative is zero by definition
    hidden: int
    scale: float


def state_of(
    W: np.ndarray,
    b: np.ndarray,
    V: np.ndarray,
    inputs: np.ndarray,
    targets: np.ndarray,
    activation: str,
) -> State:
    W, b, V, inputs, targets = (np.asarray(a, float) for a in (W, b, V, inputs, targets))
    shapes = {"W": W.shape, "b": b.shape, "V": V.shape, "inputs": inputs.shape}
    shapes["targets"] = targets.shape
    if any(a.ndim != 2 for a in (W, V, inputs, targets)) or not (
        W.shape == (b.size, inputs.shape[1])
        and b.ndim == 1
        and V.shape == (targets.shape[1], b.size)
        and len(inputs) == len(targets) > 0
    ):
        raise ValueError(
            f"shapes do not fit: {shapes}; expected W (hidden, feature), b (hidden,), V (output, "
            "hidden), inputs (sample, feature), targets (sample, output), at least one sample"
        )
    for name, array in zip(shapes, (W, b, V, inputs, targets), strict=True):
        if not np.isfinite(array).all():
            raise ValueError(f"{name} has values that are not finite: the run has diverged")
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"activation is {activation!r}; expected one of {', '.join(ACTIVATIONS)}; "
            "use neurodrift.simulate.lanczos.model_curvature for any other network"
        )
    h, slope, bend = ACTIVATIONS[activation](inputs @ W.T + b)
    return State(
        x=np.column_stack([inputs, np.ones(len(inputs))]),
        V=V,
        error=h @ V.T - targets,
        h=h,
        slope=slope,
        bend=bend,
        straight=activation in STRAIGHT,
        hidden=b.size,
        scale=2.0 / targets.size,
    )


def gauss_newton(state: State) -> np.ndarray:
    """J J^T, (sample * output) squared: kernels of the inputs and of the hidden layer."""
    n_samples, n_outputs = state.error.shape
    gates = (state.slope[:, None, :] * state.V).reshape(n_samples * n_outputs, -1)
    kernel = (gates @ gates.T).reshape(n_samples, n_outputs, n_samples, n_outputs)
    kernel *= (state.x @ state.x.T)[:, None, :, None]
    hidden_kernel = state.h @ state.h.T
    for k in range(n_outputs):
        kernel[:, k, :, k] += hidden_kernel
    return kernel.reshape(n_samples * n_outputs, -1) * state.scale


def reduced(state: State) -> np.ndarray:
    """The Hessian in an orthonormal basis from which exactly null directions are gone."""
    n_samples, n_outputs = state.error.shape
    n_entries = n_samples * n_outputs
    seen, unseen, blocks = [], [], []
    for j in range(state.hidden):
        driven = (state.slope[:, j] != 0) | (state.bend[:, j] != 0)
        if not driven.any() and not state.h[:, j].any():
            continue
        # coordinates of the driving inputs in a basis of their span; the rest is never read
        x = np.zeros((n_samples, min(int(driven.sum()), state.x.shape[1])))
        x[driven] = _coordinates(state.x[driven])
        cross = (x * state.slope[:, j, None]).T @ state.error
        turn_weights, turn_outputs, rank = _turns(cross, state.straight)
        x = x @ turn_weights
        weights = np.einsum("k,s,sd->skd", state.V[:, j], state.slope[:, j], x)
        outputs = state.h[:, j, None, None] * turn_outputs
        kept = x.shape[1] if not state.straight else rank
        seen += [weights[..., :kept], outputs[..., :rank]]
        unseen += [weights[..., kept:], outputs[..., rank:]]
        bend = (x * ((state.error @ state.V[:, j]) * state.bend[:, j])[:, None]).T @ x
        blocks.append(
            (bend[:kept, :kept], turn_weights[:, :kept].T @ cross @ turn_outputs[:, :rank])
        )
    if not blocks:
        return np.zeros((0, 0))
    jacobian = np.concatenate(seen, axis=2).reshape(n_entries, -1)
    rest = np.concatenate(unseen, axis=2).reshape(n_entries, -1)
    jacobian = np.concatenate([jacobian, _coordinates(rest)], axis=1)
    hessian = jacobian.T @ jacobian
    start = 0
    for bend, cross in blocks:
        middle, end = start + len(bend), start + len(bend) + cross.shape[1]
        hessian[start:middle, start:middle] += bend
        hessian[start:middle, middle:end] += cross
        hessian[middle:end, start:middle] += cross.T
        start = end
    return hessian * state.scale


def _coordinates(rows: np.ndarray) -> np.ndarray:
    """Rows in an orthonormal basis of a space that holds them all, never wider than tall."""
    if rows.shape[1] <= rows.shape[0]:
        return rows
    return np.transpose(np.linalg.qr(rows.T, mode="r"))


def _turns(cross: np.ndarray, straight: bool) -> tuple[np.ndarray, np.ndarray, int]:
    """Rotations of a unit's input and output weights that gather ``cross`` in one corner."""
    n_weights, n_outputs = cross.shape
    turn_weights, turn_outputs = np.eye(n_weights), np.eye(n_outputs)
    if n_outputs > n_weights:
        turn_outputs = np.linalg.qr(cross.T, mode="complete")[0]
    elif n_weights > n_outputs and straight:
        turn_weights = np.linalg.qr(cross, mode="complete")[0]
    return turn_weights, turn_outputs, min(n_weights, n_outputs)

"""Activation functions with their first and second derivatives, as torch defines them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Derivatives = tuple[np.ndarray, np.ndarray, np.ndarray]


def _relu(a: np.ndarray) -> Derivatives:
    return np.maximum(a, 0.0), (a > 0).astype(float), np.zeros_like(a)


def _leaky_relu(a: np.ndarray) -> Derivatives:
    slope = np.where(a > 0, 1.0, 0.01)
    return a * slope, slope, np.zeros_like(a)


def _linear(a: np.ndarray) -> Derivatives:
    return a, np.ones_like(a), np.zeros_like(a)


def _tanh(a: np.ndarray) -> Derivatives:
    h = np.tanh(a)
    return h, 1 - h**2, -2 * h * (1 - h**2)


def _sigmoid(a: np.ndarray) -> Derivatives:
    from scipy.special import expit

    h = expit(a)
    slope = h * expit(-a)
    return h, slope, slope * (1 - 2 * h)


def _gelu(a: np.ndarray) -> Derivatives:
    from scipy.special import ndtr

    density = np.exp(-(a**2) / 2) / np.sqrt(2 * np.pi)
    return a * ndtr(a), ndtr(a) + a * density, (2 - a**2) * density


def _elu(a: np.ndarray) -> Derivatives:
    below = np.where(a > 0, 0.0, np.exp(np.minimum(a, 0.0)))
    return np.where(a > 0, a, np.expm1(np.minimum(a, 0.0))), np.where(a > 0, 1.0, below), below


def _silu(a: np.ndarray) -> Derivatives:
    gate, slope, bend = _sigmoid(a)
    return a * gate, gate + a * slope, 2 * slope + a * bend


def _softplus(a: np.ndarray) -> Derivatives:
    gate, slope, _ = _sigmoid(a)
    straight = a > 20  # torch's threshold
    h = np.where(straight, a, np.logaddexp(0.0, a))
    return h, np.where(straight, 1.0, gate), np.where(straight, 0.0, slope)


ACTIVATIONS: dict[str, Callable[[np.ndarray], Derivatives]] = {
    "relu": _relu,
    "leaky_relu": _leaky_relu,
    "gelu": _gelu,
    "elu": _elu,
    "silu": _silu,
    "softplus": _softplus,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "linear": _linear,
}
"""Activation with its first and second derivative, by name; torch's definitions and defaults."""

STRAIGHT = ("relu", "leaky_relu", "linear")
"""Those whose second derivative is zero wherever it exists."""

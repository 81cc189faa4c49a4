"""Noisy gradient descent on low-dimensional loss landscapes, and its bias toward flat places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift.schema.options import checked_options
from neurodrift.seeds import generator

Function = Callable[[np.ndarray], Any]

_BLOCK = 256  # steps whose noise is drawn at once; it does not change the draws


@dataclass(frozen=True, kw_only=True)
class Landscape:
    """A loss over a few parameters, for many walkers at once.

    Every function takes parameters (walker, parameter) and must treat walkers alike.

    Parameters
    ----------
    name
        Name of the landscape.
    parameters
        Names of the parameters.
    gradient
        Gradient of the loss, (walker, parameter). May be left out where `outputs` and `jacobian`
        are given.
    loss
        Loss, (walker).
    outputs, jacobian
        Of a least-squares loss, the mean over outputs of (output - label)² with labels 0: the
        outputs (walker, output) and their derivatives (walker, output, parameter). Label noise
        needs them; loss and gradient follow from them.
    distance
        Place along the valley, (walker), for example the distance from its flattest point.

    Raises
    ------
    ValueError
        If neither a gradient nor outputs with a jacobian are given.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.curvature.landscape import Landscape
    >>> bowl = Landscape(
    ...     name="bowl", parameters=("x",), gradient=lambda p: p, loss=lambda p: p[:, 0] ** 2 / 2
    ... )
    >>> bowl.slope(np.array([[3.0]])).tolist()
    [[3.0]]
    """

    name: str
    parameters: tuple[str, ...]
    gradient: Function | None = None
    loss: Function | None = None
    outputs: Function | None = None
    jacobian: Function | None = None
    distance: Function | None = None

    def __post_init__(self) -> None:
        if (self.outputs is None) != (self.jacobian is None):
            raise ValueError(f"landscape {self.name!r}: outputs and jacobian go together")
        if self.gradient is None and self.outputs is None:
            raise ValueError(
                f"landscape {self.name!r} has no gradient: give gradient, or outputs and jacobian"
            )
        if not self.parameters:
            raise ValueError(f"landscape {self.name!r} has no parameters: name at least one")

    def slope(self, theta: np.ndarray, label: np.ndarray | None = None) -> np.ndarray:
        """Gradient of the loss.

        Parameters
        ----------
        theta
            (walker, parameter) parameters.
        label
            (walker, output) labels; 0 when omitted.

        Returns
        -------
        numpy.ndarray
            (walker, parameter) gradient.
        """
        if label is None and self.gradient is not None:
            return np.asarray(self.gradient(theta), dtype=float)
        assert self.outputs is not None and self.jacobian is not None
        error = np.asarray(self.outputs(theta), dtype=float)
        if label is not None:
            error = error - label
        slopes = np.asarray(self.jacobian(theta), dtype=float)
        return 2 * np.einsum("wo,wop->wp", error, slopes) / error.shape[1]

    def height(self, theta: np.ndarray) -> np.ndarray | None:
        """Loss.

        Parameters
        ----------
        theta
            (walker, parameter) parameters.

        Returns
        -------
        numpy.ndarray or None
            (walker) loss, None where the landscape cannot tell.
        """
        if self.loss is not None:
            return np.asarray(self.loss(theta), dtype=float)
        if self.outputs is not None:
            return np.mean(np.asarray(self.outputs(theta), dtype=float) ** 2, axis=1)
        return None

    def hessian(self, theta: np.ndarray) -> np.ndarray:
        """Second derivatives of the loss, from central differences of the gradient.

        Parameters
        ----------
        theta
            (walker, parameter) parameters.

        Returns
        -------
        numpy.ndarray
            (walker, parameter, parameter), symmetric; NaN where a walker is not finite.
        """
        n_walkers, n_parameters = theta.shape
        hessian = np.full((n_walkers, n_parameters, n_parameters), np.nan)
        step = 6e-6 * np.maximum(1.0, np.abs(theta))  # cube root of the machine precision
        for i in range(n_parameters):
            shift = np.zeros_like(theta)
            shift[:, i] = step[:, i]
            rise = self.slope(theta + shift) - self.slope(theta - shift)
            hessian[:, i] = rise / (2 * step[:, i : i + 1])
        return (hessian + hessian.transpose(0, 2, 1)) / 2

    def curvatures(self, theta: np.ndarray) -> np.ndarray:
        """Eigenvalues of the Hessian.

        Parameters
        ----------
        theta
            (walker, parameter) parameters.

        Returns
        -------
        numpy.ndarray
            (walker, parameter) eigenvalues, ascending; NaN where a walker is not finite.
        """
        hessian = self.hessian(theta)
        finite = np.isfinite(hessian).all(axis=(1, 2))
        eigenvalues = np.full(theta.shape, np.nan)
        eigenvalues[finite] = np.linalg.eigvalsh(hessian[finite])
        return eigenvalues


def valley() -> Landscape:
    """The toy landscape x²y², whose valley floor is flat toward the origin [1]_.

    Returns
    -------
    Landscape
        Least squares of the output x·y with label 0. Its `distance` is that from the origin
        along the arm of the valley that the walker is in, max(abs(x), abs(y)); the curvature
        across the valley there is twice its square.

    References
    ----------
    .. [1] Ratzon, Derdikman, Barak (2024), eLife 12:RP90069,
       https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.curvature.landscape import valley
    >>> valley().height(np.array([[2.0, 0.5], [3.0, 0.0]])).tolist()
    [1.0, 0.0]
    """
    return Landscape(
        name="valley",
        parameters=("x", "y"),
        gradient=lambda p: 2 * p * (p * p)[:, ::-1],
        loss=lambda p: np.prod(p * p, axis=1),
        outputs=lambda p: np.prod(p, axis=1, keepdims=True),
        jacobian=lambda p: p[:, None, ::-1],
        distance=lambda p: np.abs(p).max(axis=1),
    )


@checked_options
def descend(
    landscape: Landscape,
    *,
    start: Sequence[float] | np.ndarray,
    learning_rate: float,
    n_steps: int,
    update_noise: float = 0.0,
    label_noise: float = 0.0,
    label_noise_kind: Literal["gaussian", "uniform"] = "gaussian",
    n_walkers: int | None = None,
    every: int = 1,
    seed: int = 0,
) -> xr.Dataset:
    """Let walkers descend a landscape by gradient steps with noise.

    Parameters
    ----------
    landscape
        Where to walk; :func:`valley` for the toy landscape of the paper.
    start
        (parameter) start of all walkers, or (walker, parameter).
    learning_rate
        Factor of the noisy gradient.
    n_steps
        Steps of every walker.
    update_noise
        Standard deviation of the Gaussian noise added to every component of the gradient.
    label_noise
        Scale of the noise added to every label: the standard deviation if Gaussian, the full
        width if uniform.
    label_noise_kind
        ``gaussian``, or ``uniform`` as in the published code.
    n_walkers
        Number of walkers; the rows of `start` when omitted.
    every
        Steps between recorded ones. The start is recorded and, if a multiple, the last step.
    seed
        Seed of the noise. Walker `i` has a stream of its own, whatever the number of walkers.

    Returns
    -------
    xarray.Dataset
        ``theta`` (walker, step, parameter); over (walker, step) ``loss`` if the landscape knows
        it, ``hessian_trace`` and ``curvature`` (sum and largest of the Hessian's eigenvalues)
        and ``distance`` if the landscape has one; ``diverged`` (walker). A walker that leaves
        the finite numbers is NaN from then on.

    Raises
    ------
    ValueError
        If an option makes no sense or does not fit the landscape.

    Notes
    -----
    One step is theta ← theta - learning_rate · (gradient + update_noise · xi) with independent
    standard normal xi; label noise enters the gradient of mean (output - noise)². Curvatures come
    from central differences of the gradient.

    References
    ----------
    Ratzon, Derdikman & Barak (2024), eLife 12:RP90069. https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> from neurodrift.simulate.curvature.landscape import descend, valley
    >>> walks = descend(
    ...     valley(), start=(1.0, 0.0), learning_rate=0.05, update_noise=0.2, n_steps=400,
    ...     n_walkers=200, every=100,
    ... )
    >>> dict(walks.sizes)
    {'walker': 200, 'step': 5, 'parameter': 2}
    >>> bool(walks["distance"].median("walker").diff("step").mean() < 0)
    True
    """
    theta = _start(landscape, start, n_walkers)
    _check_descent(landscape, learning_rate, n_steps, update_noise, label_noise, every)
    if label_noise_kind not in ("gaussian", "uniform"):
        raise ValueError(
            f"label_noise_kind is {label_noise_kind!r}, expected 'gaussian' or 'uniform'"
        )
    n_labels = 0
    if label_noise:
        assert landscape.outputs is not None
        n_labels = np.asarray(landscape.outputs(theta)).shape[1]
    streams = {
        "update": [generator(seed, "landscape", "update", i) for i in range(len(theta))],
        "label": [generator(seed, "landscape", "label", i) for i in range(len(theta))],
    }
    steps = np.arange(0, n_steps + 1, every)
    path = np.empty((len(theta), steps.size, theta.shape[1]))
    path[:, 0] = theta
    kicks = labels = np.empty(0)
    with np.errstate(over="ignore", invalid="ignore"):  # a diverging walker ends as NaN
        for step in range(1, n_steps + 1):
            at = (step - 1) % _BLOCK
            if at == 0:
                size = min(_BLOCK, n_steps - step + 1)
                kicks = _draw(streams["update"], (size, theta.shape[1]), update_noise, "gaussian")
                labels = _draw(streams["label"], (size, n_labels), label_noise, label_noise_kind)
            slope = landscape.slope(theta, labels[:, at] if n_labels else None)
            if update_noise:
                slope = slope + kicks[:, at]
            theta = theta - learning_rate * slope
            if step % every == 0:
                theta = np.where(np.isfinite(theta).all(axis=1, keepdims=True), theta, np.nan)
                path[:, step // every] = theta
        walks = _measure(landscape, path, steps)
    return walks.assign_attrs(
        landscape=landscape.name,
        learning_rate=learning_rate,
        update_noise=update_noise,
        label_noise=label_noise,
        label_noise_kind=label_noise_kind,
        seed=seed,
    )


def _measure(landscape: Landscape, path: np.ndarray, steps: np.ndarray) -> xr.Dataset:
    shape = path.shape[:2]
    flat = path.reshape(-1, path.shape[2])
    eigenvalues = landscape.curvatures(flat)
    over = ("walker", "step")
    measures = {
        "hessian_trace": (over, eigenvalues.sum(axis=1).reshape(shape)),
        "curvature": (over, eigenvalues[:, -1].reshape(shape)),
    }
    height = landscape.height(flat)
    if height is not None:
        measures["loss"] = (over, height.reshape(shape))
    if landscape.distance is not None:
        measures["distance"] = (over, np.asarray(landscape.distance(flat)).reshape(shape))
    return xr.Dataset(
        {
            "theta": (("walker", "step", "parameter"), path),
            **measures,
            "diverged": ("walker", np.isnan(path[:, -1]).any(axis=1)),
        },
        coords={
            "walker": np.arange(shape[0]),
            "step": steps,
            "parameter": np.array(landscape.parameters, dtype=object),
        },
    )


def _draw(
    streams: list[np.random.Generator], shape: tuple[int, int], scale: float, kind: str
) -> np.ndarray:
    if not scale:
        return np.empty(0)
    if kind == "uniform":
        return scale * (np.stack([stream.random(shape) for stream in streams]) - 0.5)
    return scale * np.stack([stream.standard_normal(shape) for stream in streams])


def _start(landscape: Landscape, start: Any, n_walkers: int | None) -> np.ndarray:
    theta = np.array(start, dtype=float)
    theta = theta[None] if theta.ndim == 1 else theta
    n_parameters = len(landscape.parameters)
    if theta.ndim != 2 or theta.shape[1] != n_parameters or not np.isfinite(theta).all():
        raise ValueError(
            f"start has shape {np.shape(start)}, expected finite numbers over (parameter) or "
            f"(walker, parameter) with the {n_parameters} parameters {landscape.parameters}"
        )
    if n_walkers is None or n_walkers == len(theta):
        return theta
    if len(theta) != 1 or n_walkers < 1:
        raise ValueError(
            f"start has {len(theta)} rows but n_walkers is {n_walkers}: give one row for all "
            "walkers or one for each"
        )
    return np.repeat(theta, n_walkers, axis=0)


def _check_descent(
    landscape: Landscape,
    learning_rate: float,
    n_steps: int,
    update_noise: float,
    label_noise: float,
    every: int,
) -> None:
    faults = []
    if not (np.isfinite(learning_rate) and learning_rate > 0):
        faults.append(f"learning_rate is {learning_rate}, expected a positive number")
    if n_steps < 1 or not 1 <= every <= n_steps:
        faults.append(f"n_steps is {n_steps} and every {every}, expected 1 <= every <= n_steps")
    for name, scale in (("update_noise", update_noise), ("label_noise", label_noise)):
        if not (np.isfinite(scale) and scale >= 0):
            faults.append(f"{name} is {scale}, expected a number of at least 0")
    if label_noise and landscape.outputs is None:
        faults.append(
            f"landscape {landscape.name!r} has no outputs, so there is no label to add noise to: "
            "give it outputs and jacobian, or use update_noise"
        )
    if faults:
        raise ValueError("; ".join(faults))

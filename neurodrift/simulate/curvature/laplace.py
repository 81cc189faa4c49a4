"""The loss that a Laplace approximation remembers: quadratic, and local to one minimum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.schema.options import checked_options
from neurodrift.seeds import generator
from neurodrift.simulate.curvature.hessian import Part
from neurodrift.simulate.curvature.landscape import Function, Landscape
from neurodrift.simulate.curvature.loss_point import LossPoint
from neurodrift.threads import one_blas_thread


@dataclass(frozen=True, eq=False)
class Laplace:
    r"""Quadratic approximation of a loss about one place.

    Parameters
    ----------
    at
        (parameter) the place, a minimum.
    value
        Loss there.
    hessian
        (parameter, parameter) second derivatives there.
    slope
        (parameter) first derivatives there. They are no part of the approximation, which takes
        the place for a minimum, but tell how far it is from one.

    Notes
    -----
    .. math:: \tilde\ell(\theta) = \ell(\mu) + \tfrac12 (\theta-\mu)^T H (\theta-\mu)

    It is the negative logarithm of a Gaussian posterior with mean :math:`\mu` and precision H. Far
    from :math:`\mu` it is no estimate of the loss: it knows one minimum only.

    References
    ----------
    MacKay (1992), "A practical Bayesian framework for backpropagation networks".
    https://doi.org/10.1162/neco.1992.4.3.448

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.curvature.laplace import Laplace
    >>> bowl = Laplace(at=np.zeros(2), value=1.0, hessian=np.diag([2.0, 4.0]), slope=np.zeros(2))
    >>> bowl([[0.0, 0.0], [1.0, 1.0]]).tolist()
    [1.0, 4.0]
    """

    at: np.ndarray
    value: float
    hessian: np.ndarray
    slope: np.ndarray

    def __call__(self, theta: np.ndarray) -> np.ndarray:
        """Approximate loss.

        Parameters
        ----------
        theta
            (..., parameter) parameters.

        Returns
        -------
        numpy.ndarray
            (...) loss.
        """
        away = np.asarray(theta, dtype=float) - self.at
        return self.value + 0.5 * np.einsum("...i,ij,...j->...", away, self.hessian, away)

    def landscape(self, parameters: Sequence[str]) -> Landscape:
        """The approximation as a landscape to descend.

        Parameters
        ----------
        parameters
            Names of the parameters.

        Returns
        -------
        Landscape
            With gradient and loss, for :func:`neurodrift.simulate.curvature.landscape.descend`.
        """
        return Landscape(
            name="laplace approximation",
            parameters=tuple(parameters),
            gradient=lambda theta: (theta - self.at) @ self.hessian,
            loss=self,
        )


def fit_laplace(
    loss: Landscape | Function, at: Sequence[float] | np.ndarray, *, hessian: Any = None
) -> Laplace:
    """Laplace approximation of a loss of a few parameters.

    Parameters
    ----------
    loss
        A landscape that knows its loss, or a function of parameters (walker, parameter) that
        gives the loss (walker).
    at
        (parameter) where to approximate, a minimum.
    hessian
        (parameter, parameter) second derivatives there; when omitted, from central differences of
        a landscape's gradient (errors about 1e-10 of its third derivatives), or of the function
        (about 1e-7 of its size).

    Returns
    -------
    Laplace
        The approximation, a function of parameters (..., parameter).

    Raises
    ------
    ValueError
        If shapes disagree, or loss or derivatives are not finite there.

    References
    ----------
    Huszár (2017), "On quadratic penalties in elastic weight consolidation",
    https://doi.org/10.48550/arXiv.1712.03847

    Examples
    --------
    >>> from neurodrift.simulate.curvature.laplace import fit_laplace, two_minima
    >>> approximation = fit_laplace(two_minima(distance=2.0, barrier=0.5), (-1.0, 0.0))
    >>> approximation.hessian.round(4).tolist()
    [[4.0, 0.0], [0.0, 4.0]]
    >>> approximation([[-1.0, 0.0], [1.0, 0.0]]).round(4).tolist()   # both minima
    [0.0, 8.0]
    """
    place = np.array(at, dtype=float)
    if place.ndim != 1 or not place.size or not np.isfinite(place).all():
        raise ValueError(f"at is {at!r}, expected finite numbers over (parameter)")
    height = _heights(loss)
    value = float(np.asarray(height(place[None])).reshape(-1)[0])
    size = place.size
    if isinstance(loss, Landscape):
        slope = loss.slope(place[None])[0]
    else:
        slope = _differences(height, place)
    if hessian is not None:
        curvature = np.array(hessian, dtype=float)
        if curvature.shape != (size, size):
            raise ValueError(
                f"hessian has shape {curvature.shape}, expected (parameter, parameter) = "
                f"{(size, size)}"
            )
    elif isinstance(loss, Landscape):
        curvature = loss.hessian(place[None])[0]
    else:
        curvature = _second_differences(height, place)
    curvature = (curvature + curvature.T) / 2
    if not (np.isfinite(value) and np.isfinite(slope).all() and np.isfinite(curvature).all()):
        raise ValueError(f"the loss or its derivatives are not finite at {place.tolist()}")
    return Laplace(place, value, curvature, slope)


def two_minima(*, distance: float = 2.0, barrier: float = 0.5, stiffness: float = 4.0) -> Landscape:
    r"""A loss of two parameters with two equal minima and a barrier between them [1]_.

    Parameters
    ----------
    distance
        Between the minima, which lie at x = ± half of it and y = 0, with loss 0.
    barrier
        Loss of the saddle between them, at the origin.
    stiffness
        Second derivative along y, everywhere.

    Returns
    -------
    Landscape
        barrier · ((2x / distance)² - 1)² + stiffness · y² / 2, as the least squares of two
        outputs. Its ``distance`` is x, so that walks tell in which minimum they are.

    References
    ----------
    .. [1] After Figure 3 of Jensen (2021), "An algorithmic hypothesis of differential neural
       stability in the brain".

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.curvature.laplace import two_minima
    >>> two_minima(barrier=0.5).height(np.array([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])).tolist()
    [0.0, 0.5, 0.0]
    """
    if not (distance > 0 and barrier > 0 and stiffness > 0):
        raise ValueError(
            f"distance {distance}, barrier {barrier} and stiffness {stiffness} must be positive"
        )
    half, high, steep = distance / 2, np.sqrt(2 * barrier), np.sqrt(stiffness)

    def outputs(theta: np.ndarray) -> np.ndarray:
        x, y = theta[:, 0], theta[:, 1]
        return np.stack([high * ((x / half) ** 2 - 1), steep * y], axis=1)

    def jacobian(theta: np.ndarray) -> np.ndarray:
        slopes = np.zeros((len(theta), 2, 2))
        slopes[:, 0, 0] = 2 * high * theta[:, 0] / half**2
        slopes[:, 1, 1] = steep
        return slopes

    return Landscape(
        name="two minima",
        parameters=("x", "y"),
        outputs=outputs,
        jacobian=jacobian,
        distance=lambda theta: theta[:, 0],
    )


def compute_loss_grids(
    loss: Landscape | Function, approximation: Laplace, x: np.ndarray, y: np.ndarray
) -> xr.Dataset:
    """A loss of two parameters and its Laplace approximation on a grid.

    Parameters
    ----------
    loss
        The loss, as for :func:`fit_laplace`.
    approximation
        Its approximation.
    x, y
        (column) and (row) values of the first and of the second parameter.

    Returns
    -------
    xarray.Dataset
        ``true_loss`` and ``laplace_loss`` over (y, x).

    Raises
    ------
    ValueError
        If there are not two parameters.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.curvature.laplace import fit_laplace, compute_loss_grids
    >>> from neurodrift.simulate.curvature.laplace import two_minima
    >>> toy = two_minima()
    >>> grid = np.linspace(-2, 2, 5)
    >>> grids = compute_loss_grids(toy, fit_laplace(toy, (-1.0, 0.0)), grid, grid)
    >>> float(grids["true_loss"].sel(x=1, y=0)), float(grids["laplace_loss"].sel(x=1, y=0).round(3))
    (0.0, 8.0)
    """
    if approximation.at.size != 2:
        raise ValueError(f"the approximation is of {approximation.at.size} parameters, expected 2")
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    theta = np.stack(np.meshgrid(x, y), axis=-1)
    true = np.asarray(_heights(loss)(theta.reshape(-1, 2))).reshape(y.size, x.size)
    return xr.Dataset(
        {"true_loss": (("y", "x"), true), "laplace_loss": (("y", "x"), approximation(theta))},
        coords={"x": x, "y": y},
    )


@one_blas_thread()
@checked_options
def compute_permuted_energy(
    point: LossPoint,
    *,
    part: Part = "gauss_newton",
    n_permuted: int | None = None,
    n_repeats: int = 100,
    seed: int = 0,
) -> xr.Dataset:
    r"""What a Laplace approximation makes of a network whose hidden units are permuted.

    A network with permuted units computes the same, so its loss is the same, however far its
    parameters have moved. The approximation at the parameters before knows only the distance, in
    units of the curvature there [1]_.

    Parameters
    ----------
    point
        A trained network on its task.
    part
        ``gauss_newton``, the part that is never negative and that the Fisher information is; or
        ``full``.
    n_permuted
        Number of units that change places with each other, 2 for a swap; all when omitted.
    n_repeats
        Random permutations to try. Units that stay in place by chance are allowed.
    seed
        Seed of the permutations.

    Returns
    -------
    xarray.Dataset
        Over ``permutation``: ``loss`` of the permuted network, ``laplace_loss``,
        ``squared_distance`` of the parameters, and ``order`` (permutation, unit), which unit
        stands where. Attributes: ``loss`` before, and ``loss_of_mean`` of outputs that are the
        mean target, for scale.

    Raises
    ------
    ValueError
        If a weight is not finite or an option makes no sense.

    Notes
    -----
    With the change :math:`\delta` of all parameters the approximation is
    :math:`\ell(\mu) + \tfrac12 \delta^T H \delta`; the Hessian is exact and never formed, as
    :math:`\delta^T H \delta` takes only the first and second derivative of the outputs along
    :math:`\delta`.

    References
    ----------
    .. [1] Jensen (2021), "An algorithmic hypothesis of differential neural stability in the
       brain".

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.curvature.laplace import compute_permuted_energy
    >>> from neurodrift.simulate.curvature.loss_point import LossPoint
    >>> rng = np.random.default_rng(0)
    >>> W, b, V = rng.normal(size=(8, 3)), rng.normal(size=8), rng.normal(size=(2, 8))
    >>> inputs = rng.normal(size=(20, 3))
    >>> targets = np.maximum(inputs @ W.T + b, 0) @ V.T   # a perfect solution
    >>> point = LossPoint(W, b, V, inputs, targets)
    >>> found = compute_permuted_energy(point, n_permuted=2, n_repeats=5)
    >>> bool((found["loss"] < 1e-25).all() and (found["laplace_loss"] > 0.01).all())
    True
    """
    if part not in ("full", "gauss_newton"):
        raise ValueError(f"part is {part!r}; expected full, gauss_newton")
    n_units = point.n_hidden
    n_permuted = n_units if n_permuted is None else n_permuted
    if not 2 <= n_permuted <= n_units or n_repeats < 1:
        raise ValueError(
            f"n_permuted is {n_permuted} and n_repeats {n_repeats}; expected "
            f"2 <= n_permuted <= {n_units} hidden units and n_repeats >= 1"
        )
    orders = np.tile(np.arange(n_units), (n_repeats, 1))
    for i, order in enumerate(orders):
        rng = generator(seed, "permuted units", i)
        chosen = rng.choice(n_units, n_permuted, replace=False)
        moved = np.roll(chosen, 1) if n_permuted == 2 else rng.permutation(chosen)
        order[chosen] = moved
    first = np.column_stack([point.W, point.b])
    found = np.empty((n_repeats, 3))
    for i, order in enumerate(orders):
        after = replace(point, W=first[order, :-1], b=first[order, -1], V=point.V[:, order])
        d_first, d_second = first[order] - first, after.V - point.V
        drive = point.extended_inputs @ d_first.T
        along = point.hidden @ d_second.T + (point.slope * drive) @ point.V.T
        bend = (along**2).sum()
        if part == "full":
            curved = 2 * (point.slope * drive) @ d_second.T + (point.bend * drive**2) @ point.V.T
            bend += (point.error * curved).sum()
        distance = (d_first**2).sum() + (d_second**2).sum()
        found[i] = after.loss, point.loss + 0.5 * point.scale * bend, distance
    goal = point.targets
    names = ("loss", "laplace_loss", "squared_distance")
    return xr.Dataset(
        {name: ("permutation", column) for name, column in zip(names, found.T, strict=True)}
        | {"order": (("permutation", "unit"), orders)},
        attrs={
            "loss": point.loss,
            "loss_of_mean": float(((goal - goal.mean(axis=0)) ** 2).mean()),
            "part": part,
            "n_permuted": n_permuted,
            "seed": seed,
        },
    )


def _heights(loss: Landscape | Function) -> Function:
    if not isinstance(loss, Landscape):
        return loss
    if loss.loss is None and loss.outputs is None:
        raise ValueError(
            f"landscape {loss.name!r} knows its gradient only: give it a loss, or outputs and "
            "jacobian"
        )
    return loss.height


def _differences(height: Function, place: np.ndarray) -> np.ndarray:
    step = 6e-6 * np.maximum(1.0, np.abs(place))  # cube root of the machine precision
    shifts = np.diag(step)
    rise = np.asarray(height(place + shifts)) - np.asarray(height(place - shifts))
    return rise / (2 * step)


def _second_differences(height: Function, place: np.ndarray) -> np.ndarray:
    """Hessian from the loss at two steps along every pair of parameters."""
    step = 1.2e-4 * np.maximum(1.0, np.abs(place))  # fourth root of the machine precision
    i, j = (index.ravel() for index in np.indices((place.size, place.size)))
    shifts = np.diag(step)
    corners = [
        np.asarray(height(place + a * shifts[i] + c * shifts[j]))
        for a, c in ((1, 1), (1, -1), (-1, 1), (-1, -1))
    ]
    rise = corners[0] - corners[1] - corners[2] + corners[3]
    return (rise / (4 * step[i] * step[j])).reshape(place.size, place.size)

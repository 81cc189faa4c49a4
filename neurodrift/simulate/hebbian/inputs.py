"""Inputs of Hebbian similarity matching: a ring, grid cells on a track or in a box, components."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurodrift.schema.options import checked_options
from neurodrift.seeds import generator

PUBLISHED_VARIANCES = (4.5, 3.5, 1.0, *[0.01] * 7)
"""Of the components of :func:`psp`, before they are divided by the root of their number."""


@dataclass(frozen=True, eq=False, kw_only=True)
class HebbianInputs:
    """What a similarity-matching network is shown: every input with its place.

    Parameters
    ----------
    name
        Name of the inputs, the environment of the recordings made with them.
    inputs
        (sample, feature) inputs, finite.
    x, y
        (sample) place of each input [cm]; None where inputs have no place. `y` needs `x`.

    Raises
    ------
    ValueError
        If shapes disagree or a number is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.hebbian.inputs import HebbianInputs
    >>> angle = np.linspace(0, 3, 30)
    >>> HebbianInputs(name="arc", inputs=np.c_[np.cos(angle), np.sin(angle)], x=angle).n_features
    2
    """

    name: str
    inputs: np.ndarray
    x: np.ndarray | None = None
    y: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Check shapes and numbers, and make the arrays float64."""
        faults = []
        arrays: dict[str, np.ndarray] = {}
        for name in ("inputs", "x", "y"):
            if getattr(self, name) is None:
                continue
            array = np.array(getattr(self, name), dtype=np.float64, order="C")
            arrays[name] = array
            n_dims = 2 if name == "inputs" else 1
            if array.ndim != n_dims or not array.size:
                faults.append(f"{name} has shape {array.shape}, expected {n_dims} dimensions")
            elif not np.isfinite(array).all():
                faults.append(f"{name} has numbers that are not finite")
            elif name != "inputs" and array.size != arrays["inputs"].shape[0]:
                faults.append(
                    f"{name} has {array.size} places, expected one for each of the "
                    f"{arrays['inputs'].shape[0]} inputs"
                )
        if self.y is not None and self.x is None:
            faults.append("y is given without x")
        if faults:
            raise ValueError(f"inputs {self.name!r}: {'; '.join(faults)}")
        for name, array in arrays.items():
            object.__setattr__(self, name, array)

    @property
    def n_samples(self) -> int:
        """Number of inputs."""
        return int(self.inputs.shape[0])

    @property
    def n_features(self) -> int:
        """Numbers in one input."""
        return int(self.inputs.shape[1])


def ring(*, n_positions: int = 628, length: float = 200.0) -> HebbianInputs:
    r"""Points on the unit circle.

    Parameters
    ----------
    n_positions
        Number of angles, evenly spaced.
    length
        Circumference in the recording [cm]. The ring is cut open at angle 0; an input's x is the
        middle of its share of the ring.

    Returns
    -------
    HebbianInputs
        :math:`(\cos\theta, \sin\theta)`.

    Examples
    --------
    >>> from neurodrift.simulate.hebbian.inputs import ring
    >>> ring(n_positions=4).inputs.round(6).tolist()
    [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [-0.0, -1.0]]
    """
    _expect(n_positions=n_positions, length=length)
    share = np.arange(n_positions) / n_positions
    angle = 2 * np.pi * share
    inputs = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return HebbianInputs(name="ring", inputs=inputs, x=_middles(n_positions, length))


def place_1d(
    *,
    n_positions: int = 200,
    n_scales: int = 5,
    base_scale: float = 0.2,
    scale_ratio: float = 1.42,
    n_orientations: int = 6,
    n_offsets: int = 3,
    slice_angle: float = math.pi / 6,
    length: float = 200.0,
) -> HebbianInputs:
    """Grid cells along a straight track, a slice through their two-dimensional lattice.

    Parameters
    ----------
    n_positions
        Number of places, evenly spaced.
    n_scales, base_scale, scale_ratio
        Spacings of the grid modules: how many, the smallest [track lengths], and the ratio of
        neighbours.
    n_orientations
        Orientations in a module, evenly spaced over 60 degrees.
    n_offsets
        Phases along each of the two axes.
    slice_angle
        Direction of the track in the lattice [rad], within a quarter turn of its first axis.
    length
        Length of the track in the recording [cm].

    Returns
    -------
    HebbianInputs
        ``n_scales * n_orientations * n_offsets**2`` inputs, 270 by default.

    Notes
    -----
    A grid cell of spacing λ, orientation θ and phase r0 has the rate
    ``2/3 (mean_m cos(4π/(√3 λ) u_m·(r - r0)) + 1/2)``, with u_m (m = 1, 2, 3) of angle 2πm/3 + θ,
    at ``r = (1, tan(slice_angle)) i / n_positions`` [1]_.

    References
    ----------
    .. [1] Qin et al. (2023), Nat Neurosci. https://doi.org/10.1038/s41593-022-01225-z

    Examples
    --------
    >>> from neurodrift.simulate.hebbian.inputs import place_1d
    >>> place_1d().inputs.shape
    (200, 270)
    """
    _expect(n_positions=n_positions, length=length)
    if not -math.pi / 2 < slice_angle < math.pi / 2:
        raise ValueError(f"slice_angle is {slice_angle}, expected between -pi/2 and pi/2")
    share = np.arange(n_positions) / n_positions
    places = np.stack([share, math.tan(slice_angle) * share], axis=1)
    inputs = _grid_cells(places, n_scales, base_scale, scale_ratio, n_orientations, n_offsets)
    return HebbianInputs(name="place 1-D", inputs=inputs, x=_middles(n_positions, length))


def place_2d(
    *,
    n_positions: int = 32,
    n_scales: int = 5,
    base_scale: float = 0.2,
    scale_ratio: float = 1.42,
    n_orientations: int = 6,
    n_offsets: int = 5,
    length: float = 100.0,
) -> HebbianInputs:
    """Grid cells in a square box.

    Parameters
    ----------
    n_positions
        Places along each side.
    n_scales, base_scale, scale_ratio, n_orientations, n_offsets
        As for :func:`place_1d`; spacings are in sides.
    length
        Side of the box in the recording [cm].

    Returns
    -------
    HebbianInputs
        Row after row of places; 750 inputs by default.

    Examples
    --------
    >>> from neurodrift.simulate.hebbian.inputs import place_2d
    >>> place_2d().inputs.shape
    (1024, 750)
    """
    _expect(n_positions=n_positions, length=length)
    share = np.arange(n_positions) / n_positions
    along_y, along_x = np.meshgrid(share, share, indexing="ij")
    places = np.stack([along_x.ravel(), along_y.ravel()], axis=1)
    inputs = _grid_cells(places, n_scales, base_scale, scale_ratio, n_orientations, n_offsets)
    y, x = np.meshgrid(*[_middles(n_positions, length)] * 2, indexing="ij")
    return HebbianInputs(name="place 2-D", inputs=inputs, x=x.ravel(), y=y.ravel())


@checked_options
def psp(
    *,
    n_samples: int = 2000,
    variances: Sequence[float] | None = None,
    seed: int = 0,
) -> HebbianInputs:
    """Gaussian inputs with a few strong components, for principal-subspace projection.

    Parameters
    ----------
    n_samples
        Number of inputs.
    variances
        Variance along each axis, in falling order; the published ones when omitted:
        (4.5, 3.5, 1 and seven of .01) / √10.
    seed
        Seed of the inputs.

    Returns
    -------
    HebbianInputs
        Inputs without a place.

    Examples
    --------
    >>> from neurodrift.simulate.hebbian.inputs import psp
    >>> psp(n_samples=50).inputs.shape
    (50, 10)
    """
    _expect(n_samples=n_samples)
    published = np.array(PUBLISHED_VARIANCES) / math.sqrt(len(PUBLISHED_VARIANCES))
    spread = published if variances is None else np.asarray(variances, dtype=float)
    if spread.ndim != 1 or not spread.size or not (spread > 0).all() or (np.diff(spread) > 0).any():
        raise ValueError(f"variances are {variances}, expected positive numbers in falling order")
    normal = generator(seed, "psp inputs").standard_normal((n_samples, spread.size))
    return HebbianInputs(name="psp", inputs=normal * np.sqrt(spread))


INPUTS: dict[str, Callable[..., HebbianInputs]] = {
    "ring": ring,
    "place_1d": place_1d,
    "place_2d": place_2d,
    "psp": psp,
}
"""Makers of inputs by name."""


def _grid_cells(
    places: np.ndarray,
    n_scales: int,
    base_scale: float,
    scale_ratio: float,
    n_orientations: int,
    n_offsets: int,
) -> np.ndarray:
    """Rates (place, cell) at places (place, 2)."""
    _expect(n_scales=n_scales, n_orientations=n_orientations, n_offsets=n_offsets)
    _expect(base_scale=base_scale, scale_ratio=scale_ratio)
    rates = []
    for scale in base_scale * scale_ratio ** np.arange(n_scales):
        for turn in np.arange(n_orientations) * np.pi / 3 / n_orientations:
            angle = 2 * np.pi * np.arange(1, 4) / 3 + turn
            waves = 4 * np.pi / (np.sqrt(3) * scale) * np.stack([np.cos(angle), np.sin(angle)])
            for offset in np.ndindex(n_offsets, n_offsets):
                phase = np.array(offset) / n_offsets * scale
                rates.append(2 / 3 * (np.cos((places - phase) @ waves).mean(axis=1) + 0.5))
    return np.stack(rates, axis=1)


def _middles(n: int, length: float) -> np.ndarray:
    """Middles of equal stretches, which lie on no edge of a bin."""
    return (np.arange(n) + 0.5) / n * length


def _expect(**numbers: Any) -> None:
    for name, value in numbers.items():
        whole = name.startswith("n_")
        if not value > 0 or not math.isfinite(value) or (whole and value != int(value)):
            kind = "a whole number of at least 1" if whole else "a positive number"
            raise ValueError(f"{name} is {value}, expected {kind}")

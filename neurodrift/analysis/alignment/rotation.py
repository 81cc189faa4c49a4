"""The rotation that takes one code nearest to another, and the dimensions that it is told from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_SPANS = 1e-9  # of the largest, below which a dimension is not spanned
_WELL = 1e-5  # of the largest, above which products keep enough digits
_ROUND = 1e-9  # relative size of an eigenvalue that is 0 but for rounding


@dataclass(frozen=True, eq=False)
class Rotation:
    """A rotation within a few dimensions of the space of units; all others stay as they are.

    Parameters
    ----------
    basis
        (unit, dimension) orthonormal.
    turn
        (dimension, dimension) orthogonal.
    """

    basis: np.ndarray
    turn: np.ndarray

    def apply(self, vectors: np.ndarray, times: float = 1.0) -> np.ndarray:
        """Turn vectors (unit, point), so many times."""
        turn = self.turn if times == 1.0 else _power(self.turn, times)
        inside = self.basis.T @ vectors
        return np.asarray(vectors + self.basis @ (turn @ inside - inside))

    def angles(self) -> np.ndarray:
        """(plane) angles of the rotation [degree], the largest first."""
        found = np.abs(np.degrees(np.angle(np.linalg.eigvals(self.turn))))
        return np.sort(found)[::-1][::2]


def fit_rotation(a: np.ndarray, b: np.ndarray, noise: float) -> Rotation:
    r"""The rotation that takes vectors of one code nearest to those of another.

    Parameters
    ----------
    a, b
        (unit, dimension) the same combinations of places in both.
    noise
        Strength at which a dimension is noise, in the unit of the squared maps, above 0.

    Returns
    -------
    Rotation
        The polar factor of :math:`F_b F_a^T + \lambda I`: the nearest rotation, with the noise
        :math:`\lambda` in favour of no rotation at all. Dimensions that are much stronger than
        their noise are turned as they turn; others stay.
    """
    basis = _basis(np.hstack([a, b]))
    products = (basis.T @ b) @ (basis.T @ a).T
    u, _, vt = np.linalg.svd(products + noise * np.eye(len(products)))
    return Rotation(basis, u @ vt)


def shared_dimensions(*codes: np.ndarray) -> tuple[np.ndarray, float]:
    """Combinations of places that the halves of sessions agree on, and the strength of noise.

    Parameters
    ----------
    *codes
        (half, unit, point) with mean 0 over points, of each session.

    Returns
    -------
    axes : numpy.ndarray
        (point, dimension) orthonormal: those whose share in both halves is further above 0 than
        the lowest is below. What halves do not share, noise, has eigenvalues on both sides alike;
        a signal only above. At most half as many as units.
    noise : float
        How far the lowest is below 0, at least a very small part of the highest.
    """
    products = sum(code[0].T @ code[1] for code in codes) / len(codes)
    found, axes = np.linalg.eigh((products + products.T) / 2)
    noise = max(-float(found[0]), _ROUND * abs(float(found[-1])))
    above = min(int((found > noise).sum()), codes[0].shape[1] // 2)
    return np.asarray(axes[:, found.size - above :]), noise


def _basis(vectors: np.ndarray) -> np.ndarray:
    """Orthonormal vectors (unit, dimension) that span the columns; faster than by QR."""
    size, axes = np.linalg.eigh(vectors.T @ vectors)
    some = size > _SPANS * max(float(size[-1]), np.finfo(float).tiny)
    rough = vectors @ (axes[:, some] / np.sqrt(size[some]))
    if size[some].min(initial=np.inf) > _WELL * size[-1]:
        return np.asarray(rough)
    # once more, since products lose half of the digits
    size, axes = np.linalg.eigh(rough.T @ rough)
    return np.asarray(rough @ (axes / np.sqrt(size)))


def _power(turn: np.ndarray, times: float) -> np.ndarray:
    """A rotation done a number of times that need not be whole."""
    from scipy.linalg import schur

    triangle, axes = schur(turn, output="complex")
    angle = np.angle(np.diag(triangle))
    return np.asarray((axes * np.exp(1j * times * angle) @ axes.conj().T).real)

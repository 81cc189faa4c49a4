"""Products between sessions that noise does not enlarge, and similarities of them."""

from __future__ import annotations

import numpy as np

from neurodrift.infer.measures.view import View


def products(values: np.ndarray) -> np.ndarray:
    """(unit, session, session) mean product over conditions, between halves.

    Parameters
    ----------
    values
        (unit, session, half, condition)

    Returns
    -------
    numpy.ndarray
        Of two sessions the mean over the four pairs of halves; of a session with itself the
        product of its two halves.
    """
    n_conditions = max(1, values.shape[-1])
    total = values.sum(axis=2)
    found = total @ total.transpose(0, 2, 1) / (4 * n_conditions)
    own = (values[:, :, 0] * values[:, :, 1]).sum(axis=-1) / n_conditions
    at = np.arange(own.shape[1])
    found[:, at, at] = own
    return np.asarray(found)


def over_units(view: View, numbers: np.ndarray) -> np.ndarray:
    """(replicate, session, session) sum over the units that both sessions have.

    Parameters
    ----------
    view
        What was seen.
    numbers
        (unit, session, session)

    Returns
    -------
    numpy.ndarray
    """
    both = view.detected[:, :, None] * view.detected[:, None, :]
    n = view.n_sessions
    return np.asarray((view.kept @ (numbers * both).reshape(-1, n * n)).reshape(-1, n, n))


def above_noise(view: View, squares: np.ndarray) -> np.ndarray:
    """(replicate) whether squares that may be below 0 by chance are above it together.

    Parameters
    ----------
    view
        What was seen.
    squares
        (unit, step) without noise on average, 0 where there is none.

    Returns
    -------
    numpy.ndarray
        Their sum is twice the root of the sum of their squares or more.
    """
    total, square = view.kept @ squares.sum(axis=1), view.kept @ (squares**2).sum(axis=1)
    return np.asarray((total > 0) & (total >= 2 * np.sqrt(square)))


def own_power(view: View, numbers: np.ndarray) -> np.ndarray:
    """(replicate, session, other) a session's product with itself, over units of both sessions."""
    own = np.diagonal(numbers, axis1=1, axis2=2)
    return over_units(view, np.broadcast_to(own[:, :, None], numbers.shape))


def cosine(shared: np.ndarray, power: np.ndarray) -> np.ndarray:
    """(replicate, session, session) shared products over the power of the two.

    Parameters
    ----------
    shared, power
        (replicate, session, session); `power` of the first over the units of both.

    Returns
    -------
    numpy.ndarray
        NaN where a power is not above 0.
    """
    other = power.transpose(0, 2, 1)
    there = (power > 0) & (other > 0)
    norm = np.sqrt(np.where(there, power, np.nan)) * np.sqrt(np.where(there, other, np.nan))
    return np.asarray(shared / norm)


def unit_similarity(view: View, values: np.ndarray) -> np.ndarray:
    """(replicate, session, session) similarity of what each unit does, ceiling taken out.

    Parameters
    ----------
    view
        What was seen.
    values
        (unit, session, half, condition)

    Returns
    -------
    numpy.ndarray
    """
    found = products(values)
    return cosine(over_units(view, found), own_power(view, found))


def population_similarity(view: View, values: np.ndarray) -> np.ndarray:
    """(replicate, session, session) correlation over units in each condition, ceiling taken out.

    Parameters
    ----------
    view
        What was seen.
    values
        (unit, session, half, condition)

    Returns
    -------
    numpy.ndarray
    """
    n_units, n_sessions, _, n_conditions = values.shape
    chosen = view.kept[:, None, :] * view.detected.T  # of the other session
    flat = values.reshape(n_units, -1)
    sums = (chosen.reshape(-1, n_units) @ flat).reshape(
        -1, n_sessions, n_sessions, 2, n_conditions
    )  # (replicate, other, session, half, condition)
    sums = sums.transpose(0, 2, 1, 3, 4)
    number = over_units(view, np.ones((n_units, n_sessions, n_sessions)))
    whole = sums.mean(axis=3)
    means = (whole * whole.transpose(0, 2, 1, 3)).sum(axis=-1)
    own = (sums[:, :, :, 0] * sums[:, :, :, 1]).sum(axis=-1)
    found = products(values) * n_conditions
    with np.errstate(divide="ignore", invalid="ignore"):
        shared = over_units(view, found) - means / number
        power = own_power(view, found) - own / number
    return cosine(shared, power)

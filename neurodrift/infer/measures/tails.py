"""Whether few units take most of the steps of tuning, and how uneven units are between halves."""

from __future__ import annotations

import numpy as np

from neurodrift.infer.measures.view import View


def unevenness(view: View) -> float:
    r"""Variance of a random factor of each unit's activity in each half of a session.

    Laps in which a unit comes on or stays silent make all conditions of a half vary together. The
    products of a unit's activity in every second condition and in the others are larger for that
    within a half than between halves.

    Parameters
    ----------
    view
        What was seen.

    Returns
    -------
    float
        0 for Poisson counts and for networks; by chance below it.

    Notes
    -----
    With mean activities o and e in every second condition and in the others,
    :math:`1 + v = \overline{o_1 e_1 + o_2 e_2} / \overline{o_1 e_2 + o_2 e_1}`.
    """
    odd, even = (view.weighted[..., start::2].sum(axis=-1) for start in (0, 1))
    within = (odd * even).sum()
    between = (odd * even[:, :, ::-1]).sum()
    return float(max(within / between - 1, -0.5)) if between > 0 else 0.0


def concentration(view: View) -> np.ndarray:
    r"""(replicate) how much squared steps are concentrated in few units, more than tuning is.

    Parameters
    ----------
    view
        What was seen, of two sessions or more and two conditions or more.

    Returns
    -------
    numpy.ndarray
        Logarithm of :math:`\overline{D_o D_e} / \bar D_o \bar D_e` less that of the squared tuning;
        D is the squared step of a unit in every second condition (o) and in the others (e). 0 where
        all units move alike, 2.3 where a tenth of them moves in each step.

    Notes
    -----
    From halves, :math:`D = A + B - 2 N`, with the squared tuning A before and B after the step, and
    their product N. The parts o and e of one half share the half's random factor, whose variance v
    is :func:`unevenness`; each product of two terms is divided by what the factor makes of it:
    :math:`(1 + v)^2` for A with A, :math:`1 + v` for A with N, :math:`(1 + v / 2)^2` for N with N.
    """
    parts = [view.weighted[..., start::2] for start in (0, 1)]
    powers = [(part[:, :, 0] * part[:, :, 1]).mean(axis=-1) for part in parts]
    sums = [part.sum(axis=2) for part in parts]
    shared = [(one[:, 1:] * one[:, :-1]).mean(axis=-1) / 4 for one in sums]
    factor = 1 + unevenness(view)
    steps, joint = [], 0.0
    before, after = [p[:, :-1] for p in powers], [p[:, 1:] for p in powers]
    for one, both in zip(zip(before, after, strict=True), shared, strict=True):
        steps.append(one[0] + one[1] - 2 * both)
    for own, other in ((before, after), (after, before)):
        joint = joint + own[0] * own[1] / factor**2 + own[0] * other[1]
        joint = joint - 2 * (own[0] * shared[1] + own[1] * shared[0]) / factor
    joint = joint + 4 * shared[0] * shared[1] / ((1 + factor) / 2) ** 2
    seen = view.detected[:, 1:] * view.detected[:, :-1]
    moved = _relative(view, joint, steps, seen)
    size = _relative(view, powers[0] * powers[1] / factor**2, powers, view.detected)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((moved > 0) & (size > 0), np.log(moved / size), np.nan)


def _relative(
    view: View, joint: np.ndarray, parts: list[np.ndarray], seen: np.ndarray
) -> np.ndarray:
    """(replicate) mean of joint products over the product of the means of both parts."""
    number, both, one, other = (
        (view.kept @ (values * seen)).sum(axis=1)
        for values in (np.ones_like(joint), joint, parts[0], parts[1])
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((one > 0) & (other > 0), both * number / (one * other), np.nan)

"""How well the templates of one session name the conditions of another."""

from __future__ import annotations

import numpy as np

from neurodrift.infer.measures.view import View
from neurodrift.infer.observation.subset import evenly
from neurodrift.seeds import generator

GROUP = 25
"""Units that decode together, however many there are."""


MOST_CONDITIONS = 60
"""Conditions that are named, evenly over all where there are more."""


def decoding(view: View) -> np.ndarray:
    """(replicate, session, session) skill of a template decoder, over that within the sessions.

    A condition is named by the correlation over units with the templates of the other half or
    session; its rank among all conditions gives the skill, 1 for always first and 0 for chance.
    Units decode in groups of `GROUP`; a replicate leaves one group out.
    """
    n_units, n_sessions = view.detected.shape
    chosen = evenly(view.segment.size, MOST_CONDITIONS)
    size = min(GROUP, n_units)
    n_groups = n_units // size if size else 0
    if n_groups == 0 or size < 3 or chosen.size < 3:
        return np.full((1, n_sessions, n_sessions), np.nan)
    order = generator(view.seed, "statistics", "decoding").permutation(n_units)
    order = order[: n_groups * size].reshape(n_groups, size)
    values = (
        view.rate[..., chosen]
        / np.sqrt(np.where(view.mean > 0, view.mean, 1.0))[:, None, None, None]
    )
    values = values[order]
    seen = view.detected[order]
    skill = np.full((n_groups, n_sessions, n_sessions), np.nan)
    for a in range(n_sessions):
        for b in range(a, n_sessions):
            both = seen[:, :, a] * seen[:, :, b]
            one, other = (_standard(values[:, :, s], both) for s in (a, b))
            halves = [(0, 1)] if a == b else [(0, 0), (0, 1), (1, 0), (1, 1)]
            found = [_skill(one[:, h], other[:, k]) for h, k in halves]
            skill[:, a, b] = skill[:, b, a] = np.mean(found, axis=0)
    kept = np.ones((1, n_groups))
    if len(view.kept) > 1 and n_groups > 1:
        kept = np.concatenate([kept, 1 - np.eye(n_groups)])
    known = np.isfinite(skill)
    flat = np.where(known, skill, 0.0).reshape(n_groups, -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (kept @ flat) / (kept @ known.reshape(n_groups, -1))
    mean = mean.reshape(-1, n_sessions, n_sessions)
    own = np.diagonal(mean, axis1=1, axis2=2)
    own = np.where(own > 0, own, np.nan)
    return np.asarray(mean / np.sqrt(own[:, :, None] * own[:, None, :]))


def _standard(values: np.ndarray, both: np.ndarray) -> np.ndarray:
    """(group, half, unit, condition) patterns with mean 0 and norm 1 over the units of both."""
    n = np.maximum(both.sum(axis=1), 1)[:, None, None]
    kept = both[:, :, None, None]
    away = (values - (values * kept).sum(axis=1, keepdims=True) / n[:, None]) * kept
    norm = np.sqrt((away**2).sum(axis=1, keepdims=True))
    away = np.divide(away, norm, out=np.zeros_like(away), where=norm > 0)
    return np.asarray(away.transpose(0, 2, 1, 3))


def _skill(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(group) 1 less twice the share of wrong conditions that come before the right one."""
    alike = np.round(one.transpose(0, 2, 1) @ other, 9)  # equal ones beside each other
    right = np.diagonal(alike, axis1=1, axis2=2)
    n = alike.shape[-1]
    before = _share_before(alike, right[:, :, None]) + _share_before(alike, right[:, None, :])
    return np.asarray(1 - before.sum(axis=(1, 2)) / (n * (n - 1)))


def _share_before(alike: np.ndarray, right: np.ndarray) -> np.ndarray:
    """1 for each that is before the right one, 1/2 for each beside it, 0 for itself."""
    found = (alike > right) + 0.5 * (alike == right)
    at = np.arange(alike.shape[-1])
    found[:, at, at] = 0.0
    return np.asarray(found)

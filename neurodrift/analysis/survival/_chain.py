"""A two-state Markov chain, observed by a test that errs: loss and gain of largest likelihood."""

from __future__ import annotations

import numpy as np

from neurodrift.analysis.survival.states import N_GROUPS, States

_FEWEST_UNITS = 10
_MOST_SE = 0.2  # of a rate that can be told


def emissions(states: States) -> np.ndarray:
    """(state, session, unit) probability of what was observed in units that are off and on."""
    usable = states.known & np.isfinite(states.power)
    seen = states.on == 1
    off = np.where(seen, states.level, 1 - states.level)
    on = np.where(seen, states.power, 1 - states.power)
    return np.where(usable, np.stack([off, on]), 1.0)


def log_likelihood(rates: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """(unit) or (chain, unit) log-likelihood of a chain by the forward algorithm.

    Parameters
    ----------
    rates
        Share on in the first session, loss and gain in one step; or many of them (3, chain).
    chance
        (state, session, unit) of :func:`emissions`.
    """
    first, loss, gain = np.asarray(rates)[..., None]
    off, on = (1 - first) * chance[0, 0], first * chance[1, 0]
    total: np.ndarray = np.zeros(on.shape)
    for s in range(1, chance.shape[1] + 1):
        scale = np.maximum(off + on, 1e-300)
        total += np.log(scale)
        if s == chance.shape[1]:
            break
        off, on = off / scale, on / scale
        off, on = (
            (off * (1 - gain) + on * loss) * chance[0, s],
            (off * gain + on * (1 - loss)) * chance[1, s],
        )
    return total


def fit_chain(states: States) -> dict[str, float]:
    """Loss and gain in one step from session to session, with a jackknife's standard errors."""
    none = dict.fromkeys(("loss", "gain", "loss_se", "gain_se"), np.nan)
    chance = emissions(states)
    informative = (states.known & np.isfinite(states.power)).sum(axis=0) > 1
    if states.on.shape[0] < 2 or informative.sum() < _FEWEST_UNITS:
        return none
    chance, member = chance[:, :, informative], states.member[informative]
    best = _best(chance, np.array([0.5, 0.2, 0.2]))
    groups = np.unique(member, return_inverse=True)[1] % N_GROUPS
    n_groups = int(groups.max()) + 1
    if n_groups < 3:
        return none | {"loss": best[1], "gain": best[2]}
    without = np.array([_best(chance[:, :, groups != g], best) for g in range(n_groups)])
    spread = ((without - without.mean(axis=0)) ** 2).sum(axis=0)
    se = np.sqrt(spread * (n_groups - 1) / n_groups)
    found = {"loss": best[1], "gain": best[2], "loss_se": se[1], "gain_se": se[2]}
    for name in ("loss", "gain"):  # nothing is lost where nothing is on, and cannot be told
        if not found[f"{name}_se"] <= _MOST_SE:
            found[name] = np.nan
    return found


def _best(chance: np.ndarray, start: np.ndarray) -> np.ndarray:
    from scipy.optimize import minimize

    least, step = 1e-5, 1e-6
    moved = step * np.concatenate([np.zeros((3, 1)), np.eye(3), -np.eye(3)], axis=1)

    def surprise(rates: np.ndarray) -> tuple[float, np.ndarray]:
        values = -log_likelihood(rates[:, None] + moved, chance).mean(axis=1)
        return float(values[0]), (values[1:4] - values[4:]) / (2 * step)

    found = minimize(
        surprise,
        np.clip(start, 0.01, 0.99),
        bounds=[(least, 1 - least)] * 3,
        jac=True,
        method="L-BFGS-B",
        options={"ftol": 1e-7, "maxiter": 60},
    )
    return np.asarray(found.x)

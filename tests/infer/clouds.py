"""Tables of statistics by rule with known overlap, from no code of the package."""

from __future__ import annotations

import numpy as np
import xarray as xr

RULES = ("adam", "hebbian", "label_noise", "update_noise")


def table(
    *,
    n=60,
    apart=4.0,
    n_statistics=12,
    rules=RULES,
    missing=0.0,
    seed=0,
    tasks=("random", "track"),
    speed_apart=0.0,
    dose_noise=0.1,
):
    """A prior: Gaussian clouds whose means are `apart` standard deviations from each other.

    Statistics are correlated by .5; the first of them carries the dose of "update_noise" and
    "label_noise"; `learning_rate` and `noise` are random parts of the dose.
    """
    rng = np.random.default_rng(seed)
    k = len(rules)
    rule = np.repeat(np.array(rules, dtype=object), n)
    number = np.repeat(np.arange(k), n)
    means = np.zeros((k, n_statistics))
    means[np.arange(k), 2 + np.arange(k) % (n_statistics - 2)] = apart / np.sqrt(2)
    value = means[number] + draws(rng, k * n, n_statistics)
    has_dose = np.char.find(rule.astype(str), "noise") >= 0
    log_dose = rng.uniform(-2, 2, k * n)
    value[:, 0] = np.where(has_dose, log_dose + dose_noise * rng.normal(size=k * n), value[:, 0])
    log_rate = rng.uniform(-2, 2, k * n)
    speed = np.exp(rng.normal(size=k * n) + speed_apart * number)
    value[rng.random(value.shape) < missing] = np.nan
    return xr.Dataset(
        {
            "value": (("run", "statistic"), value),
            "dose": ("run", np.where(has_dose, 10**log_dose, np.nan)),
            "learning_rate": ("run", 10**log_rate),
            "noise": ("run", np.where(has_dose, 10 ** (log_dose - log_rate), np.nan)),
        },
        coords={
            "run": np.arange(k * n),
            "statistic": np.array([f"s{i:02d}" for i in range(n_statistics)], dtype=object),
            "rule": ("run", rule),
            "task": ("run", np.array(tasks, dtype=object)[rng.integers(len(tasks), size=k * n)]),
            "speed": ("run", speed),
            "weight": ("run", np.ones(k * n)),
        },
        attrs={"version": "synthetic 1"},
    )


def draws(rng, n, n_statistics):
    """Standard normal numbers (run, statistic), correlated by .5 within a run."""
    return (rng.normal(size=(n, n_statistics)) + rng.normal(size=(n, 1))) / np.sqrt(2)


def target(value, se=0.05, names=None):
    """A target with these values."""
    value = np.asarray(value, dtype=float)
    names = [f"s{i:02d}" for i in range(value.size)] if names is None else names
    return xr.Dataset(
        {"value": ("statistic", value), "se": ("statistic", np.full(value.size, se))},
        coords={"statistic": np.array(names, dtype=object)},
    )


def one_run(prior, run):
    """One run as a target, and the prior without it."""
    kept = prior["run"].values != run
    return target(prior["value"].sel(run=run).values), prior.isel(run=kept)

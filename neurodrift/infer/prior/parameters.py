"""What a rule was run with, in words that all kinds of rules share, and its dose of noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from neurodrift.simulate.settings.kinds import GRADIENT

NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class RunValues:
    r"""Parameters of a run.

    Parameters
    ----------
    task
        Name of the task or of the inputs.
    learning_rate
        NaN where nothing is learned.
    noise
        Scale of the noise that makes the rule drift, NaN where there is none.
    width
        Units of the recorded layer.
    n_steps, start_step
        Updates in all, and before the first session; NaN where there are no updates.
    dose
        Of update noise :math:`(\eta\sigma)^2 t`, of label noise :math:`(\eta\delta)^2 t / M`, where
        t is the number of updates from the first session to the last and M the number of
        outputs; NaN of other rules.
    """

    task: str
    width: int
    learning_rate: float = NAN
    noise: float = NAN
    n_steps: float = NAN
    start_step: float = NAN
    dose: float = NAN


def parameters_of(run: Mapping[str, Any]) -> RunValues:
    """Parameters of a run of any kind that a prior has.

    Parameters
    ----------
    run
        Complete settings, plain values, with the steps of its snapshots.

    Returns
    -------
    RunValues
        Those of its rule, its network and its sessions.

    Examples
    --------
    >>> from neurodrift.infer.prior.parameters import parameters_of
    >>> from neurodrift.simulate.settings.kinds import settings_from_values, settings_values
    >>> run = settings_from_values({
    ...     "task": {"name": "random"}, "rule": {"update_noise": 0.1}, "n_steps": 1000,
    ...     "snapshots": [500, 1000],
    ... })
    >>> round(parameters_of(settings_values(run)).dose, 9)  # (0.1 * 0.1)^2 * 500
    0.05
    """
    kind = run.get("simulation", GRADIENT)
    if kind not in READERS:
        raise ValueError(
            f"a prior has no runs of the kind {kind!r}, expected one of {', '.join(READERS)}"
        )
    return READERS[kind](run)


def _gradient(run: Mapping[str, Any]) -> RunValues:
    rule, steps = run["rule"], run["snapshots"]
    label = rule["label_noise"]
    if rule["label_noise_kind"] == "uniform":
        label /= math.sqrt(12)
    rate, time = rule["learning_rate"], steps[-1] - steps[0]
    noises = [rule["update_noise"], label, rule["input_noise"], rule["node_dropout"]]
    dose, slow = NAN, rate / (1 - rule.get("momentum", 0.0))  # what momentum makes of the rate
    if rule["name"] == "sgd" and sum(noise > 0 for noise in noises) == 1:
        if rule["update_noise"]:
            dose = (slow * rule["update_noise"]) ** 2 * time
        elif label:
            dose = (slow * label) ** 2 * time / _n_outputs(run["task"])
    if rule["name"] == "sed":
        noises.append(rule["perturbation"])
    return RunValues(
        task=run["task"]["name"],
        width=run["network"]["n_hidden"],
        learning_rate=rate,
        noise=next((noise for noise in noises if noise), NAN),
        n_steps=run["n_steps"],
        start_step=steps[0],
        dose=dose,
    )


def _n_outputs(task: Mapping[str, Any]) -> int:
    """Outputs of a built-in task: those it names, else as many as its inputs or rays."""
    names = ("n_outputs", "n_rays", "n_inputs")
    return int(next(task[name] for name in names if name in task))


def _hebbian(run: Mapping[str, Any]) -> RunValues:
    return RunValues(
        task=run["inputs"]["name"],
        width=run["network"]["n_units"],
        learning_rate=run["rule"]["learning_rate"],
        noise=run["rule"]["forward_noise"] or NAN,
        n_steps=run["n_steps"],
        start_step=run["snapshots"][0],
    )


def _fluctuation(run: Mapping[str, Any]) -> RunValues:
    return RunValues(task="track", width=run["n_units"], noise=run["log_sd"])


READERS: dict[str, Callable[[Mapping[str, Any]], RunValues]] = {
    GRADIENT: _gradient,
    "hebbian": _hebbian,
    "fluctuation": _fluctuation,
}
"""Kinds of simulations that a prior may have."""

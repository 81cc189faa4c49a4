"""The runs of a prior as arrays, in an order of their own, with weights that are equal by rule."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from neurodrift.schema.objects import expect_dataset

FEWEST = 10
"""Runs of a rule below which nothing can be learnt of it."""

PARAMETERS = ("dose", "learning_rate", "noise", "n_steps")
"""What a run was made with, where its rule has it."""

_MADE_BY = "a prior of simulated runs (neurodrift simulate-prior): value(run, statistic), rule(run)"


@dataclass(frozen=True)
class Runs:
    """Simulated runs: what was seen of each, and what each was made with.

    Parameters
    ----------
    value
        Statistics (run, statistic); NaN where one could not be computed.
    statistic
        Names (statistic).
    rule, task
        Names (run).
    speed
        How fast each run drifts (run); NaN where it is not known.
    weight
        Of each run (run); every rule has the same sum, which is its number of runs on average.
        0 where a run has no counterpart of the same speed.
    parameters
        Numbers (run) by name, some of `PARAMETERS`; NaN where a rule has none.
    digest
        Of everything above and of the version of the prior.
    """

    value: np.ndarray
    statistic: np.ndarray
    rule: np.ndarray
    task: np.ndarray
    speed: np.ndarray
    weight: np.ndarray
    parameters: dict[str, np.ndarray]
    digest: str

    @property
    def rules(self) -> list[str]:
        """Names of the rules, sorted."""
        return sorted(set(self.rule.tolist()))

    @property
    def balance(self) -> np.ndarray:
        """Weights (run) that count every run, and every rule as much as any other."""
        return _equal_by_rule(np.ones(self.rule.size), self.rule)

    @property
    def number(self) -> np.ndarray:
        """Which of the rules each run has (run)."""
        return np.searchsorted(np.array(self.rules), self.rule)

    def some(self, kept: np.ndarray) -> Runs:
        """Those runs for which `kept` (run) is True, with equal weights by rule."""
        rule = self.rule[kept]
        return replace(
            self,
            value=self.value[kept],
            rule=rule,
            task=self.task[kept],
            speed=self.speed[kept],
            weight=_equal_by_rule(self.weight[kept], rule),
            parameters={name: values[kept] for name, values in self.parameters.items()},
        )

    def has_whole(self, task: str) -> bool:
        """Whether every rule has enough runs of a task to be learnt from."""
        own = self.rule[(self.task == task) & (self.weight > 0)]
        return all((own == rule).sum() >= FEWEST for rule in self.rules)


def runs_of(prior: xr.Dataset, *, matched: bool = True) -> Runs:
    """Read a prior.

    Parameters
    ----------
    prior
        ``value`` (run, statistic); ``rule``, and where they are known ``task``, ``speed``,
        ``weight`` (run); some of `PARAMETERS` (run).
    matched
        Whether the weights count that match the rules on the speed of drift.

    Returns
    -------
    Runs
        Sorted by the labels of the runs, so that nothing depends on their order in `prior`.

    Raises
    ------
    TypeError
        If it is no Dataset.
    ValueError
        If it is no prior, or a rule has fewer than `FEWEST` runs.
    """
    expect_dataset("prior", prior, ["value", "rule"], _MADE_BY)
    if set(prior["value"].dims) != {"run", "statistic"} or "statistic" not in prior.coords:
        raise ValueError(
            f"value of the prior has dims {prior['value'].dims}, expected (run, statistic) with "
            "the names of the statistics"
        )
    prior = _sorted(prior)
    n = prior.sizes["run"]
    rule = texts_of(prior, "rule")
    weight = _numbers(prior, "weight", n) if matched and "weight" in prior else np.ones(n)
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise ValueError("weight of the prior must be finite and not negative")
    _refuse_few(rule, weight, matched)
    value = prior["value"].transpose("run", "statistic").values.astype(float)
    parameters = {name: _numbers(prior, name, n) for name in PARAMETERS if name in prior}
    found = Runs(
        value=value,
        statistic=prior["statistic"].values.astype(str),
        rule=rule,
        task=texts_of(prior, "task"),
        speed=_numbers(prior, "speed", n),
        weight=_equal_by_rule(weight, rule),
        parameters=parameters,
        digest="",
    )
    return replace(found, digest=_digest(found, str(prior.attrs.get("version", ""))))


def expect_enough(prior: xr.Dataset, *, matched: bool = True) -> None:
    """Refuse a prior that has too few runs of a rule, before anything is made of it.

    Parameters
    ----------
    prior
        As for :func:`runs_of`.
    matched
        Whether runs count by the weights that match the rules on the speed of drift.

    Raises
    ------
    ValueError
        If a rule has fewer than `FEWEST` runs that count.
    """
    rule = texts_of(prior, "rule")
    weight = _numbers(prior, "weight", rule.size) if matched and "weight" in prior else None
    _refuse_few(rule, np.ones(rule.size) if weight is None else weight, matched)


def _refuse_few(rule: np.ndarray, weight: np.ndarray, matched: bool) -> None:
    few = too_few(rule, weight)
    if not few:
        return
    counted = " with a weight above 0" if matched else ""
    last = ""
    if matched and not too_few(rule):
        last = ", or do without matched speeds (matched=False, on the command line --as-drawn)"
    raise ValueError(
        f"the prior needs at least {FEWEST} runs of each rule{counted}: {few}; simulate more "
        f"or leave the rule out{last}"
    )


def has_enough(prior: xr.Dataset) -> bool:
    """Whether every rule has `FEWEST` runs whose weight, which matches speeds, is above 0."""
    rule = texts_of(prior, "rule")
    return not too_few(rule, _numbers(prior, "weight", rule.size) if "weight" in prior else None)


def too_few(rule: np.ndarray, weight: np.ndarray | None = None) -> str:
    """Which rules have fewer than `FEWEST` runs with a weight above 0, in words.

    Parameters
    ----------
    rule
        Names (run).
    weight
        Of each run (run); all count when omitted.

    Returns
    -------
    str
        Empty where every rule has enough.
    """
    count = np.ones(rule.size, bool) if weight is None else weight > 0
    counts = {name: int(count[rule == name].sum()) for name in sorted(set(rule.tolist()))}
    if not counts:
        return "it has none"
    return ", ".join(f"{name} has {n}" for name, n in counts.items() if n < FEWEST)


def _sorted(prior: xr.Dataset) -> xr.Dataset:
    if "run" not in prior.coords:
        raise ValueError("the runs of the prior have no labels: expected a coordinate run")
    labels = prior["run"].values.astype(str)
    if len(set(labels.tolist())) < labels.size:
        raise ValueError("two runs of the prior have one label: labels of runs must be unique")
    return prior.isel(run=np.argsort(labels, kind="stable"))


def texts_of(prior: xr.Dataset, name: str) -> np.ndarray:
    """Texts (run) of a prior or of the table of a sweep, empty where it has none of the name."""
    if name not in prior:
        return np.full(prior.sizes["run"], "")
    return np.asarray(prior[name].values.astype(object).astype(str))


def as_labels(names: Iterable[str]) -> np.ndarray:
    """Names as a coordinate that a store holds: objects, not texts of one width."""
    return np.array(list(names), dtype=object)


def _numbers(prior: xr.Dataset, name: str, n: int) -> np.ndarray:
    return prior[name].values.astype(float) if name in prior else np.full(n, np.nan)


def _equal_by_rule(weight: np.ndarray, rule: np.ndarray) -> np.ndarray:
    names, number = np.unique(rule, return_inverse=True)
    total = np.bincount(number, weights=weight, minlength=names.size)
    safe = np.where(total > 0, total, 1.0)
    return np.asarray(weight * rule.size / (names.size * safe[number]))


def _digest(runs: Runs, version: str) -> str:
    digest = hashlib.blake2b(version.encode(), digest_size=16)
    for texts in (runs.statistic, runs.rule, runs.task):
        digest.update("\n".join(texts.tolist()).encode())
    for numbers in (runs.value, runs.speed, runs.weight, *runs.parameters.values()):
        digest.update(np.ascontiguousarray(numbers, dtype="<f8").tobytes())
    return digest.hexdigest()

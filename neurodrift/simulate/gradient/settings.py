"""Settings of one simulated run: from YAML to a trained network, and the published ones by name."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import xarray as xr

from neurodrift.schema.yaml import Place, Source, schema_faults
from neurodrift.simulate.curvature.measures import compute_hessian_measures
from neurodrift.simulate.gradient.engine import Spacing, choose_engine, sample_steps, train_ensemble
from neurodrift.simulate.gradient.networks import Network
from neurodrift.simulate.gradient.rules import LEARNING_RATES, Rule
from neurodrift.simulate.gradient.run import Run
from neurodrift.simulate.gradient.tasks import TASKS, Task
from neurodrift.simulate.settings.kinds import read_config
from neurodrift.simulate.settings.schema import (
    SECTIONS,
    complete,
    make_integers,
    network_options,
    rule_options,
    settings_schema,
    task_options,
)

_MOST_NUMBERS = 10**11  # nearly a terabyte in memory


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Everything that decides what one run becomes, with every default filled in.

    Parameters
    ----------
    label
        Free words, to tell groups of runs apart.
    seed
        Seed of weights and noise.
    task, network, rule
        Options by name; a task's maker is ``task["name"]``.
    n_steps
        Number of updates.
    measures, snapshots
        Steps at which to measure, and to keep weights, or how many.
    spacing
        ``linear`` or ``log`` steps, or ``published``: those of the published code.
    n_early
        First updates whose training loss is kept.
    engine, device, dtype, divergence
        As for :func:`neurodrift.simulate.gradient.engine.train`.
    hessian
        How non-zero eigenvalues are counted at each snapshot, see
        :func:`neurodrift.simulate.curvature.measures.compute_hessian_measures`; None: no Hessian.
    weights
        Whether the weights at snapshots are stored, which a recording is made from.
    """

    kind: ClassVar[str] = "gradient"

    label: str = ""
    seed: int = 0
    task: dict[str, Any] = dataclasses.field(default_factory=dict)
    network: dict[str, Any] = dataclasses.field(default_factory=dict)
    rule: dict[str, Any] = dataclasses.field(default_factory=dict)
    n_steps: int = 10_000
    measures: int | list[int] = 1001
    snapshots: int | list[int] = 11
    spacing: str = "linear"
    n_early: int = 0
    engine: str = "auto"
    device: str = "cpu"
    dtype: str = "float64"
    divergence: str = "lasting"
    hessian: str | None = None
    weights: bool = True

    def build(self) -> tuple[Task, Network, Rule]:
        """Task, network and learning rule, checked.

        Returns
        -------
        tuple
            Task, network and rule.

        Raises
        ------
        ValueError
            If an option is impossible.
        """
        options = dict(self.task)
        task = TASKS[options.pop("name")](**options)
        rule = Rule(**self.rule | {"betas": tuple(self.rule["betas"])})
        return task, Network(**self.network), rule

    def steps(self, which: Literal["measures", "snapshots"]) -> np.ndarray:
        """Steps of measures or snapshots.

        Parameters
        ----------
        which
            Of what.

        Returns
        -------
        numpy.ndarray
            Increasing numbers of updates made.
        """
        wanted = getattr(self, which)
        if not isinstance(wanted, int):
            return np.unique(np.asarray(wanted, dtype=np.int64))
        if self.spacing == "published":
            return sample_steps(self.n_steps, wanted, published=True)
        spacing: Spacing = "log" if self.spacing == "log" else "linear"
        return sample_steps(self.n_steps, wanted, spacing=spacing)

    def parameters(self) -> dict[str, Any]:
        """What may differ within a sweep, by dotted keys such as ``rule.update_noise``.

        Returns
        -------
        dict
            Values by key.
        """
        flat = {"label": self.label, "seed": self.seed}
        for section in SECTIONS:
            flat |= {f"{section}.{name}": v for name, v in getattr(self, section).items()}
        return flat

    def train(self, *, checkpoint: str | os.PathLike[str] | None = None) -> Run:
        """Train the network.

        Parameters
        ----------
        checkpoint
            File to save the state to and resume from.

        Returns
        -------
        Run
            The run.
        """
        return train_runs([self], checkpoint=checkpoint)[0]

    def curvature(self, run: Run) -> xr.Dataset | None:
        """Hessian measures of a run's snapshots, if the settings ask for them.

        Parameters
        ----------
        run
            A run made with these settings.

        Returns
        -------
        xarray.Dataset or None
            See :func:`neurodrift.simulate.curvature.measures.compute_hessian_measures`.
        """
        if self.hessian is None or not len(run.snapshot_steps):
            return None
        rule: Any = self.hessian
        return compute_hessian_measures(run, rule=rule)


def train_runs(
    settings: Sequence[RunSettings], *, checkpoint: str | os.PathLike[str] | None = None
) -> list[Run]:
    """Train runs that differ in task, network, rule and seed only, on this thread.

    Parameters
    ----------
    settings
        Of each run.
    checkpoint
        See :func:`neurodrift.simulate.gradient.engine.train_ensemble`.

    Returns
    -------
    list of Run
        In order.
    """
    first = settings[0]
    built = [one.build() for one in settings]
    options: dict[str, Any] = {n: getattr(first, n) for n in ("n_steps", "n_early", "engine")}
    options |= {n: getattr(first, n) for n in ("device", "dtype", "divergence")}
    return train_ensemble(
        [task for task, _, _ in built],
        network=[network for _, network, _ in built],
        rule=[rule for _, _, rule in built],
        seed=[one.seed for one in settings],
        measures=first.steps("measures"),
        snapshots=first.steps("snapshots"),
        checkpoint=checkpoint,
        n_threads=1,
        **options,
    )


def settings_from_values(
    values: Mapping[str, Any], source: Source | None = None, place: Place = ()
) -> RunSettings:
    """Check plain values and fill in the defaults.

    Parameters
    ----------
    values
        As in a YAML file.
    source, place
        Where they stand, for errors.

    Returns
    -------
    RunSettings
        Complete settings.

    Raises
    ------
    ValueError
        If a key is unknown or a value impossible; all faults are listed.

    Examples
    --------
    >>> from neurodrift.simulate.gradient.settings import settings_from_values
    >>> settings = settings_from_values({"task": {"name": "random"}, "n_steps": 100})
    >>> settings.rule["learning_rate"], settings.train().reason
    (0.1, 'finished')
    """
    source = source or Source("the configuration")
    faults = schema_faults(values, settings_schema(), place)
    if faults:
        raise source.error(faults)
    return complete_settings(values)


def complete_settings(values: Mapping[str, Any]) -> RunSettings:
    """Fill in the defaults of values that the schema accepts.

    Parameters
    ----------
    values
        As in a YAML file.

    Returns
    -------
    RunSettings
        Complete settings.
    """
    words = ("description", "simulation")
    given = {name: value for name, value in values.items() if name not in words}
    name = given["task"]["name"]
    task = {"name": name} | complete(task_options(name), given["task"])
    rule = complete(rule_options(), given.get("rule", {}))
    if rule["learning_rate"] is None:
        rule["learning_rate"] = LEARNING_RATES[rule["name"]]
    network = complete(network_options(), given.get("network", {}))
    if network["hidden_layer"] is None:
        network["hidden_layer"] = f"hidden{network['depth']}"
    make_integers(given, "n_steps", "seed", "n_early", "measures", "snapshots")
    return RunSettings(**given | {"task": task, "network": network, "rule": rule})


def read_settings(
    name: str | os.PathLike[str], changes: Mapping[str, Any] | None = None
) -> RunSettings:
    """Settings of one run from a YAML file, or the published ones of a name.

    Parameters
    ----------
    name
        YAML file, or a name in ``catalogs/`` such as ``ratzon2024-track``. A section ``sweep`` is
        left out.
    changes
        Values by dotted key that take the place of the file's.

    Returns
    -------
    RunSettings
        Complete settings.

    Raises
    ------
    OSError
        If there is no such file or name.
    ValueError
        If the file cannot be used; the faults are named with their lines.

    Examples
    --------
    >>> from neurodrift.simulate.gradient.settings import read_settings
    >>> read_settings("ratzon2024-track", {"seed": 3}).network["n_hidden"]
    500
    """
    values, source = read_config(name, changes)
    values.pop("sweep", None)
    settings = settings_from_values(values, source)
    check_builds(settings, source)
    return settings


def check_builds(settings: RunSettings, source: Source, what: str = "") -> None:
    """Raise one error if task, network and rule cannot be made.

    Parameters
    ----------
    settings
        Of one run.
    source
        Where they stand.
    what
        Which run of a sweep.
    """
    try:
        task, network, rule = settings.build()
        choose_engine(task, network, rule, settings.engine, settings.device)
        latest = max(int(settings.steps(which)[-1]) for which in ("measures", "snapshots"))
        if latest > settings.n_steps:
            raise ValueError(f"a measure or snapshot at step {latest} is after n_steps")
        if settings.hessian is not None and network.depth > 1:
            raise ValueError("hessian needs a network with one hidden layer: set it to null")
        n_numbers = network.n_parameters(task.n_inputs, task.n_outputs)
        n_numbers *= max(settings.steps("snapshots").size, 1)
        if n_numbers > _MOST_NUMBERS:
            raise ValueError(f"the snapshots of the weights are {n_numbers:.1e} numbers, too many")
    except MemoryError as error:
        raise ValueError(f"{source.name} cannot be used: {what}too large: {error}") from error
    except (ValueError, TypeError) as error:
        raise ValueError(f"{source.name} cannot be used: {what}{error}") from error

"""Settings of training by gradient descent on one task (``simulation: gradient``, the default)."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import xarray as xr

from neurodrift.simulate.curvature.measures import (
    SPECTRUM,
    CountRule,
    compute_hessian_measures,
)
from neurodrift.simulate.gradient.engine import (
    DEVICES,
    Divergence,
    Engine,
    Precision,
    Spacing,
    choose_engine,
    sample_steps,
    train,
)
from neurodrift.simulate.gradient.networks import ACTIVATIONS, Network, Regime
from neurodrift.simulate.gradient.rules import LEARNING_RATES, Rule
from neurodrift.simulate.gradient.run import EARLY_LOSS, MEASURES, Run
from neurodrift.simulate.gradient.tasks import TASKS, Task
from neurodrift.simulate.settings.schema import (
    SCHEMA,
    STEPS_SCHEMA,
    SettingsError,
    complete,
    make_integers,
    named_schema,
    options_of,
    refuse_faults,
    section_schema,
)

_MOST_NUMBERS = 10**11  # nearly a terabyte in memory


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Everything that decides what one run becomes; defaults are filled in, faults are refused.

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

    Raises
    ------
    ValueError
        If a value is impossible; all faults are listed.

    Examples
    --------
    >>> from neurodrift.simulate.gradient.settings import RunSettings
    >>> settings = RunSettings(task={"name": "random"}, n_steps=100)
    >>> settings.rule["learning_rate"], settings.simulate().reason
    (0.1, 'finished')
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

    def __post_init__(self) -> None:
        refuse_faults(self)
        name = self.task["name"]
        rule = complete(options_of(Rule), self.rule)
        if rule["learning_rate"] is None:
            rule["learning_rate"] = LEARNING_RATES[rule["name"]]
        network = complete(_network_options(), self.network)
        if network["hidden_layer"] is None:
            network["hidden_layer"] = f"hidden{network['depth']}"
        task = {"name": name} | complete(options_of(TASKS[name]), self.task)
        for section, options in (("task", task), ("network", network), ("rule", rule)):
            object.__setattr__(self, section, options)
        make_integers(self, "n_steps", "seed", "n_early", "measures", "snapshots")
        self.check()

    @staticmethod
    def schema() -> dict[str, Any]:
        """JSON Schema of the settings, made from the options of the code.

        Returns
        -------
        dict
            Draft 2020-12.

        Examples
        --------
        >>> from neurodrift.simulate.gradient.settings import RunSettings
        >>> RunSettings.schema()["properties"]["rule"]["properties"]["update_noise"]
        {'type': 'number', 'minimum': 0}
        """
        return dict(_schema())

    def check(self) -> None:
        """Raise an error if task, network and rule cannot be made, or do not fit together.

        Raises
        ------
        ValueError
            What no schema refuses: a batch above the samples, the block Hessian of a deep network.
        """
        try:
            task, network, rule = self.build()
            choose_engine(task, network, rule, self.engine, self.device)
            latest = max(int(self.steps(which)[-1]) for which in ("measures", "snapshots"))
            if latest > self.n_steps:
                raise ValueError(f"a measure or snapshot at step {latest} is after n_steps")
            if self.hessian is not None and network.depth > 1:
                raise ValueError("hessian needs a network with one hidden layer: set it to null")
            n_numbers = network.n_parameters(task.n_inputs, task.n_outputs)
            n_numbers *= max(self.steps("snapshots").size, 1)
            if n_numbers > _MOST_NUMBERS:
                raise ValueError(
                    f"the snapshots of the weights are {n_numbers:.1e} numbers, too many"
                )
        except MemoryError as error:
            raise SettingsError([((), f"too large: {error}")]) from error
        except (ValueError, TypeError) as error:
            raise SettingsError([((), str(error))]) from error

    def build(self) -> tuple[Task, Network, Rule]:
        """Task, network and learning rule.

        Returns
        -------
        tuple
            Task, network and rule.
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
        looks = wanted if isinstance(wanted, int) else tuple(wanted)
        return _steps(looks, self.n_steps, self.spacing).copy()

    def outline(self) -> xr.Dataset:
        """What :meth:`Run.table` has at most.

        Returns
        -------
        xarray.Dataset
            Coordinates whole; values are placeholders.
        """
        looks = [
            wanted if isinstance(wanted, int) else tuple(wanted)
            for wanted in (self.measures, self.snapshots)
        ]
        hessian = self.hessian is not None
        return _outline(*looks, self.n_steps, self.spacing, self.n_early, hessian)

    def n_bytes(self) -> int:
        """Memory of the stored weights.

        Returns
        -------
        int
            Bytes at most.
        """
        if not self.weights:
            return 0
        n_numbers = Network(**self.network).n_parameters(*_task_size(json.dumps(self.task)))
        return n_numbers * self.steps("snapshots").size * np.dtype(self.dtype).itemsize

    def simulate(self, *, checkpoint: str | os.PathLike[str] | None = None) -> Run:
        """Train the network, on this thread.

        Parameters
        ----------
        checkpoint
            File to save the state to and to resume from.

        Returns
        -------
        Run
            The run.
        """
        self.check()
        task, network, rule = self.build()
        options: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("n_steps", "n_early", "engine", "device", "dtype", "divergence", "seed")
        }
        run = train(
            task,
            network=network,
            rule=rule,
            measures=self.steps("measures"),
            snapshots=self.steps("snapshots"),
            checkpoint=checkpoint,
            n_threads=1,
            **options,
        )
        return dataclasses.replace(run, spectra=self._curvature(run), keeps_weights=self.weights)

    def restore(self, groups: Mapping[str, xr.Dataset]) -> Run:
        """The run of which these groups were stored.

        Parameters
        ----------
        groups
            As :meth:`Run.groups` gave them.

        Returns
        -------
        Run
            As it was.

        Raises
        ------
        ValueError
            If its weights were not stored.
        """
        if "weights" not in groups:
            raise ValueError(
                "the run was made with weights: false, so it has no snapshots; train it again: "
                "settings.simulate(), with weights: true to record it"
            )
        task, network, rule = self.build()
        weights, measures = groups["weights"], groups["measures"]
        return Run(
            task=task,
            network=network,
            rule=rule,
            seed=self.seed,
            measures=measures,
            snapshot_steps=weights["snapshot_step"].values,
            weights={str(name): array.values for name, array in weights.data_vars.items()},
            reason=measures.attrs["reason"],
            spectra=groups.get("hessian"),
        )

    def _curvature(self, run: Run) -> xr.Dataset | None:
        """Hessian measures of a run's snapshots, if the settings ask for them."""
        if self.hessian is None or not len(run.snapshot_steps):
            return None
        rule: Any = self.hessian
        return compute_hessian_measures(run, rule=rule)


@functools.lru_cache(maxsize=4096)
def _task_size(task: str) -> tuple[int, int]:
    """Numbers of inputs and outputs, of a task's options in JSON."""
    options = json.loads(task)
    made = TASKS[options.pop("name")](**options)
    return made.n_inputs, made.n_outputs


@functools.lru_cache(maxsize=64)
def _steps(wanted: int | tuple[int, ...], n_steps: int, spacing: str) -> np.ndarray:
    if not isinstance(wanted, int):
        return np.unique(np.asarray(wanted, dtype=np.int64))
    if spacing == "published":
        return sample_steps(n_steps, wanted, published=True)
    return sample_steps(n_steps, wanted, spacing="log" if spacing == "log" else "linear")


@functools.lru_cache(maxsize=64)
def _outline(
    measures: int | tuple[int, ...],
    snapshots: int | tuple[int, ...],
    n_steps: int,
    spacing: str,
    n_early: int,
    hessian: bool,
) -> xr.Dataset:
    steps, kept = _steps(measures, n_steps, spacing), _steps(snapshots, n_steps, spacing)
    n_early = min(n_early, n_steps)
    coords: dict[str, Any] = {
        "step": ("step", steps, {"long_name": "updates made"}),
        "snapshot_step": (
            "snapshot_step",
            kept,
            {"long_name": "updates made before the snapshot"},
        ),
    }
    curves = {name: ("step", text) for name, text in MEASURES.items()}
    if n_early:
        coords["early_step"] = np.arange(1, n_early + 1)
        curves["early_loss"] = ("early_step", EARLY_LOSS)
    if hessian:
        curves |= {name: ("snapshot_step", text) for name, text in SPECTRUM.items()}
    sizes = {"step": steps.size, "snapshot_step": kept.size, "early_step": n_early}
    variables: dict[str, Any] = {
        "steps_made": ((), 0, {"units": "step", "long_name": "updates made"}),
        "snapshots_made": ((), 0, {"long_name": "snapshots before its end"}),
    }
    for name, (dim, text) in curves.items():
        empty = np.broadcast_to(np.nan, sizes[dim])
        variables[name] = (dim, empty, {"units": "1", "long_name": text})
    return xr.Dataset(variables, coords)


@functools.cache
def _schema() -> dict[str, Any]:
    whole = {"type": "integer", "minimum": 1}
    return {
        "$schema": SCHEMA,
        "title": "neurodrift settings of training by gradient descent",
        "type": "object",
        "required": ["task"],
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string"},
            "simulation": {"const": "gradient"},
            "label": {"type": "string"},
            "seed": {"type": "integer", "minimum": 0},
            "task": named_schema({name: options_of(maker) for name, maker in TASKS.items()}),
            "network": section_schema(_network_options()),
            "rule": section_schema(options_of(Rule)),
            "n_steps": whole,
            "measures": STEPS_SCHEMA,
            "snapshots": STEPS_SCHEMA,
            "spacing": {"enum": [*get_args(Spacing), "published"]},
            "n_early": {"type": "integer", "minimum": 0},
            "engine": {"enum": list(get_args(Engine))},
            "device": {
                "type": "string",
                "pattern": f"^({DEVICES})$",
                "description": "expected cpu, cuda, or cuda:0, cuda:1, ...",
            },
            "dtype": {"enum": list(get_args(Precision))},
            "divergence": {"enum": list(get_args(Divergence))},
            "hessian": {"enum": [None, *get_args(CountRule)]},
            "weights": {"type": "boolean"},
        },
    }


def _network_options() -> dict[str, tuple[Any, Any]]:
    """Type and default of every option of a built-in network."""
    names = Literal[ACTIVATIONS]  # type: ignore[valid-type]
    return {
        "n_hidden": (int, 100),
        "regime": (Regime, "rich"),
        "activation": (names, "relu"),
        "depth": (int, 1),
        "hidden_layer": (str | None, None),
    }

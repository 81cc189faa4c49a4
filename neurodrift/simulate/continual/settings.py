"""Settings of learning one task after the other: from YAML to a run (``simulation: continual``)."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import xarray as xr

from neurodrift.schema.yaml import Source, schema_faults
from neurodrift.simulate.continual.continual import ContinualRun, train_continual
from neurodrift.simulate.continual.learners import LEARNERS
from neurodrift.simulate.continual.recurrent import RecurrentNetwork
from neurodrift.simulate.continual.strokes import drawn_strokes, read_strokes
from neurodrift.simulate.continual.tasks import TaskSequence, stroke_tasks
from neurodrift.simulate.continual.trials import TrialSettings
from neurodrift.simulate.gradient.store import open_measures
from neurodrift.simulate.settings.schema import (
    SCHEMA,
    complete,
    make_integers,
    named_schema,
    options_of,
    section_schema,
)

SECTIONS = ("tasks", "network", "trials", "learner", "probe")

Options = dict[str, tuple[Any, Any]]
_TASKS: dict[str, Options] = {
    "smnist": {"path": (str | None, None), "n_tasks": (int, 15)},
    "drawn": {"n_each": (int, 400), "n_tasks": (int, 15), "seed": (int, 0)},
}
_PROBE: Options = {
    "task": (int, 2),
    "n_trials": (int, 100),
    "noise": (bool, True),
    "seed": (int, 0),
}
_NUMBERS = ("n_steps", "batch_size", "n_fisher", "data_size", "n_test")


@dataclass(frozen=True, kw_only=True)
class ContinualSettings:
    """Everything that decides what one run becomes, with every default filled in.

    Parameters
    ----------
    label
        Free words.
    seed, initial_seed
        See :func:`neurodrift.simulate.continual.continual.train_continual`.
    tasks
        ``name``: ``smnist``, the digits of de Jong (2016) at ``path``, or ``drawn`` ones, which
        need no data.
    network, trials, learner
        Options of :class:`neurodrift.simulate.continual.recurrent.RecurrentNetwork`, of how trials
        are shown, and of the learner ``name``.
    probe
        Which task's trials the stored recording shows: ``task`` (its number), ``n_trials``,
        ``noise`` on inputs, ``seed``.
    n_steps, batch_size, n_fisher, data_size, n_test, dtype
        See :func:`neurodrift.simulate.continual.continual.train_continual`.
    """

    kind: ClassVar[str] = "continual"

    label: str = ""
    seed: int = 0
    initial_seed: int | None = None
    tasks: dict[str, Any] = field(default_factory=lambda: {"name": "smnist"})
    network: dict[str, Any] = field(default_factory=dict)
    trials: dict[str, Any] = field(default_factory=dict)
    learner: dict[str, Any] = field(default_factory=lambda: {"name": "ncl"})
    probe: dict[str, Any] = field(default_factory=dict)
    n_steps: int = 1953
    batch_size: int = 256
    n_fisher: int = 2048
    data_size: int = 50_000
    n_test: int = 1000
    dtype: str = "float32"

    def build_tasks(self) -> TaskSequence:
        """The tasks, read or drawn.

        Returns
        -------
        TaskSequence
            In the order of learning.
        """
        options = dict(self.tasks)
        n_tasks = options.pop("n_tasks")
        drawn = options.pop("name") == "drawn"
        strokes = drawn_strokes(**options) if drawn else read_strokes(**options)
        return stroke_tasks(strokes, n_tasks)

    def simulate(self) -> Continual:
        """Learn all tasks.

        Returns
        -------
        Continual
            The run with its probe.
        """
        options = dict(self.learner)
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        run = train_continual(
            self.build_tasks(),
            learner=LEARNERS[options.pop("name")](**options),
            network=RecurrentNetwork(**self.network),
            trials=TrialSettings(**self.trials),
            seed=self.seed,
            initial_seed=self.initial_seed,
            dtype=self.dtype,
            **numbers,
        )
        return Continual(run, self.probe)


@dataclass(frozen=True, eq=False)
class Continual:
    """A run and what of it is stored: the recording of its probe, measures and weights."""

    run: ContinualRun
    probe: dict[str, Any]

    def recording(self, *, subject: str | None = None) -> xr.Dataset:
        """The recording of the probe, see :meth:`ContinualRun.recording`."""
        options = dict(self.probe)
        return self.run.recording(
            options.pop("task"), probe_seed=options.pop("seed"), subject=subject, **options
        )

    def groups(self) -> dict[str, xr.Dataset]:
        """What is stored beside the recording."""
        dims = {"W": ("snapshot", "source", "unit"), "C": ("snapshot", "unit", "output")}
        weights = xr.Dataset({name: (dims[name], a) for name, a in self.run.weights.items()})
        return {"measures": self.run.measures, "weights": weights}

    def text(self) -> str:
        """What came out, in a line."""
        measures = self.run.measures
        last = measures["accuracy"].values[-1]
        learned = len(measures["snapshot"]) - 1
        mean = f"mean accuracy {last[:learned].mean():.3f}" if learned else "no task learned"
        return (
            f"{self.run.reason}: {self.run.learner['name']}, seed {self.run.seed}, {learned} of "
            f"{len(last)} tasks; {mean} on those"
        )


def open_continual(
    path: str | os.PathLike[str], *, tasks_path: str | os.PathLike[str] | None = None
) -> ContinualRun:
    """A stored run, to record it on the trials of any task.

    Parameters
    ----------
    path
        A store made by ``neurodrift simulate`` or ``neurodrift sweep``.
    tasks_path
        Where the stroke digits are now, if not where they were.

    Returns
    -------
    ContinualRun
        The run as it was made.

    Raises
    ------
    FileNotFoundError
        If there is no store, or the digits are not where they were.
    ValueError
        If it is no run of continual learning.

    Examples
    --------
    >>> import tempfile
    >>> from neurodrift.simulate.continual.settings import open_continual, settings_from_values
    >>> from neurodrift.simulate.settings.kinds import save_result
    >>> settings = settings_from_values({
    ...     "simulation": "continual", "learner": {"name": "sgd"}, "n_steps": 2, "batch_size": 4,
    ...     "tasks": {"name": "drawn", "n_each": 4, "n_tasks": 2},
    ... })
    >>> path = save_result(settings.simulate(), settings, tempfile.mkdtemp() + "/run.zarr")
    >>> open_continual(path).recording("2 v 3").sizes["session"]
    3
    """
    measures = open_measures(path)
    stored = json.loads(measures.attrs.pop("settings", "{}"))
    if stored.pop("simulation", None) != "continual":
        raise ValueError(f"{path} is no run of continual learning")
    stored.pop("neurodrift_version")
    settings = ContinualSettings(**stored)
    if tasks_path is not None and settings.tasks["name"] == "smnist":
        settings.tasks["path"] = os.fspath(tasks_path)
    weights = open_measures(path, "weights")
    return ContinualRun(
        tasks=settings.build_tasks(),
        network=RecurrentNetwork(**settings.network),
        trials=TrialSettings(**settings.trials),
        seed=settings.seed,
        learner=settings.learner,
        weights={name: weights[name].values for name in ("W", "C")},
        measures=measures,
        n_steps=settings.n_steps,
        reason=measures.attrs["reason"],
    )


def schema() -> dict[str, Any]:
    """JSON Schema of the settings.

    Returns
    -------
    dict
        Draft 2020-12.

    Examples
    --------
    >>> from neurodrift.simulate.continual.settings import schema
    >>> schema()["properties"]["n_steps"]
    {'type': 'integer', 'minimum': 1}
    """
    text = {"type": "string"}
    return {
        "$schema": SCHEMA,
        "title": "neurodrift settings of continual learning",
        "type": "object",
        "required": ["simulation", "tasks", "learner"],
        "additionalProperties": False,
        "properties": {
            "description": text,
            "simulation": {"const": "continual"},
            "label": text,
            "seed": {"type": "integer", "minimum": 0},
            "initial_seed": {"type": ["integer", "null"], "minimum": 0},
            "tasks": named_schema(_TASKS),
            "network": section_schema(options_of(RecurrentNetwork)),
            "trials": section_schema(options_of(TrialSettings)),
            "learner": named_schema({name: options_of(kind) for name, kind in LEARNERS.items()}),
            "probe": section_schema(_PROBE),
            **{name: {"type": "integer", "minimum": 1} for name in _NUMBERS},
            "dtype": {"enum": ["float32", "float64"]},
        },
    }


def settings_from_values(
    values: Mapping[str, Any], source: Source | None = None
) -> ContinualSettings:
    """Check plain values and fill in the defaults.

    Parameters
    ----------
    values
        As in a YAML file.
    source
        Where they stand, for errors.

    Returns
    -------
    ContinualSettings
        Complete settings.

    Raises
    ------
    ValueError
        If a key is unknown or a value impossible; all faults are listed.

    Examples
    --------
    >>> from neurodrift.simulate.continual.settings import settings_from_values
    >>> values = {"simulation": "continual", "tasks": {"name": "drawn"}, "learner": {"name": "ewc"}}
    >>> settings_from_values(values).learner["strength"]
    100.0
    """
    source = source or Source("the configuration")
    faults = schema_faults(values, schema())
    if faults:
        raise source.error(faults)
    words = ("description", "simulation", *SECTIONS)
    given = {name: value for name, value in values.items() if name not in words}
    make_integers(given, "seed", "initial_seed", *_NUMBERS)
    tasks, learner = values["tasks"]["name"], values["learner"]["name"]
    settings = ContinualSettings(
        **given,
        tasks={"name": tasks} | complete(_TASKS[tasks], values["tasks"]),
        network=complete(options_of(RecurrentNetwork), values.get("network", {})),
        trials=complete(options_of(TrialSettings), values.get("trials", {})),
        learner={"name": learner} | complete(options_of(LEARNERS[learner]), values["learner"]),
        probe=complete(_PROBE, values.get("probe", {})),
    )
    try:
        RecurrentNetwork(**settings.network)
        TrialSettings(**settings.trials)
        LEARNERS[learner](**{n: v for n, v in settings.learner.items() if n != "name"})
        if not 1 <= settings.tasks["n_tasks"] <= 15:
            raise ValueError(f"tasks.n_tasks is {settings.tasks['n_tasks']}, expected 1 to 15")
        if not 1 <= settings.probe["task"] <= settings.tasks["n_tasks"]:
            raise ValueError(
                f"probe.task is {settings.probe['task']}, expected one of the "
                f"{settings.tasks['n_tasks']} tasks"
            )
    except ValueError as error:
        raise ValueError(f"{source.name} cannot be used: {error}") from error
    return settings

"""Settings of learning one task after the other (``simulation: continual``)."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from neurodrift.simulate.continual.continual import ContinualRun, label_measures, train_continual
from neurodrift.simulate.continual.learners import LEARNERS
from neurodrift.simulate.continual.recurrent import RecurrentNetwork
from neurodrift.simulate.continual.strokes import CHANNELS, drawn_strokes, read_strokes
from neurodrift.simulate.continual.tasks import TaskSequence, stroke_pairs, stroke_tasks
from neurodrift.simulate.continual.trials import TrialSettings
from neurodrift.simulate.settings.schema import (
    SCHEMA,
    SettingsError,
    complete,
    make_integers,
    named_schema,
    options_of,
    refuse_faults,
    section_schema,
)

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
    """Everything that decides what one run becomes; defaults are filled in, faults are refused.

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

    Raises
    ------
    ValueError
        If a value is impossible.

    Examples
    --------
    >>> from neurodrift.simulate.continual.settings import ContinualSettings
    >>> ContinualSettings(tasks={"name": "drawn"}, learner={"name": "ewc"}).learner["strength"]
    100.0
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

    def __post_init__(self) -> None:
        refuse_faults(self)
        tasks, learner = self.tasks["name"], self.learner["name"]
        sections = {
            "tasks": {"name": tasks} | complete(_TASKS[tasks], self.tasks),
            "network": complete(options_of(RecurrentNetwork), self.network),
            "trials": complete(options_of(TrialSettings), self.trials),
            "learner": {"name": learner} | complete(options_of(LEARNERS[learner]), self.learner),
            "probe": complete(_PROBE, self.probe),
        }
        for section, options in sections.items():
            object.__setattr__(self, section, options)
        make_integers(self, "seed", "initial_seed", *_NUMBERS)
        self.check()

    @staticmethod
    def schema() -> dict[str, Any]:
        """JSON Schema of the settings.

        Returns
        -------
        dict
            Draft 2020-12.

        Examples
        --------
        >>> from neurodrift.simulate.continual.settings import ContinualSettings
        >>> ContinualSettings.schema()["properties"]["n_steps"]
        {'type': 'integer', 'minimum': 1}
        """
        return dict(_schema())

    def check(self) -> None:
        """Raise an error if network, trials, learner or tasks cannot be made.

        Raises
        ------
        ValueError
            What no schema refuses.
        """
        try:
            self._parts()
            n_tasks, probed = self.tasks["n_tasks"], self.probe["task"]
            if not 1 <= n_tasks <= 15:
                raise ValueError(f"tasks.n_tasks is {n_tasks}, expected 1 to 15")
            if not 1 <= probed <= n_tasks:
                raise ValueError(f"probe.task is {probed}, expected one of the {n_tasks} tasks")
        except ValueError as error:
            raise SettingsError([((), str(error))]) from error

    def _parts(self) -> dict[str, Any]:
        options = dict(self.learner)
        return {
            "learner": LEARNERS[options.pop("name")](**options),
            "network": RecurrentNetwork(**self.network),
            "trials": TrialSettings(**self.trials),
        }

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

    def outline(self) -> xr.Dataset:
        """What :meth:`ContinualRun.table` has at most.

        Returns
        -------
        xarray.Dataset
            Coordinates whole; values are placeholders.
        """
        return _outline(self.tasks["n_tasks"], self.n_steps)

    def n_bytes(self) -> int:
        """Memory of the stored weights.

        Returns
        -------
        int
            Bytes at most.
        """
        n_units, n_tasks = self.network["n_units"], self.tasks["n_tasks"]
        n_rows = n_units + len(CHANNELS) + n_tasks  # the cue is one channel a task
        return 8 * (1 + n_tasks) * n_units * (n_rows + 2 * n_tasks)

    def simulate(self, *, checkpoint: str | os.PathLike[str] | None = None) -> ContinualRun:
        """Learn all tasks.

        Parameters
        ----------
        checkpoint
            File to save the state to after each task, and to resume from.

        Returns
        -------
        ContinualRun
            The run with its probe.
        """
        self.check()
        run = train_continual(
            self.build_tasks(),
            seed=self.seed,
            initial_seed=self.initial_seed,
            dtype=self.dtype,
            checkpoint=checkpoint,
            **self._parts(),
            **{name: getattr(self, name) for name in _NUMBERS},
        )
        return replace(run, probe=dict(self.probe))

    def restore(self, groups: Mapping[str, xr.Dataset]) -> ContinualRun:
        """The run of which these groups were stored.

        Parameters
        ----------
        groups
            As :meth:`ContinualRun.groups` gave them.

        Returns
        -------
        ContinualRun
            As it was, to be recorded on the trials of any task.
        """
        weights, measures, parts = groups["weights"], groups["measures"], self._parts()
        return ContinualRun(
            tasks=self.build_tasks(),
            network=parts["network"],
            trials=parts["trials"],
            seed=self.seed,
            learner=dict(self.learner),
            weights={name: weights[name].values for name in ("W", "C")},
            measures=measures,
            n_steps=self.n_steps,
            reason=measures.attrs["reason"],
            probe=dict(self.probe),
        )


@functools.lru_cache(maxsize=64)
def _outline(n_tasks: int, n_steps: int) -> xr.Dataset:
    empty = np.full((1 + n_tasks, n_tasks, 3), np.nan)
    losses = np.broadcast_to(np.nan, (n_tasks, n_steps))
    return label_measures(empty, losses, list(stroke_pairs(n_tasks))).assign(
        snapshots_made=((), 0, {"long_name": "snapshots before its end"})
    )


@functools.cache
def _schema() -> dict[str, Any]:
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

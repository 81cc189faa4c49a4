"""One run of a prior: a simulation of any kind, seen in one way or several, as statistics."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from neurodrift.infer.observation.counts import Observed, events_of_a_cell
from neurodrift.infer.observation.network import observe
from neurodrift.infer.observation.protocol import Observation
from neurodrift.infer.observation.subset import nearest_sessions
from neurodrift.infer.prior.conditions import conditions_of
from neurodrift.infer.prior.pace import active_share, drift_speed
from neurodrift.infer.prior.parameters import RunValues, parameters_of
from neurodrift.infer.statistics.vector import STATISTICS, VERSION, statistics_of
from neurodrift.simulate.settings.kinds import settings_from_values

NUMBERS = {
    "speed": "loss of the correlation of maps from the first session to the last",
    "start": "share of active units in the first session",
    "loss_start": "loss over the variance of the targets in the first session",
    "loss_end": "loss over the variance of the targets in the last session",
    "learning_rate": "learning rate",
    "noise": "scale of the rule's noise",
    "n_hidden": "units of the layer",
    "n_steps": "updates made in all",
    "start_step": "updates made before the first session",
    "dose": "(learning rate x noise)^2 x steps; of label noise over the number of outputs",
}
"""What is kept of each run beside its statistics."""


@dataclass(frozen=True, kw_only=True)
class PriorRunSettings:
    """Everything that decides what one run of a prior becomes; a kind of settings for a sweep.

    Parameters
    ----------
    label
        The rule that the run stands for.
    seed
        Seed of what is seen; the simulation has its own.
    run
        Complete settings of the simulation, plain values.
    sessions
        Which sessions of the simulation are seen; all when empty.
    learning
        Whether learning was meant to be ``over`` when the sessions begin, or ``under way``.
    prior
        Settings and observations of the whole prior, in JSON.
    """

    kind: ClassVar[str] = "prior"

    label: str
    seed: int
    run: dict[str, Any]
    sessions: list[int] = field(default_factory=list)
    learning: str = ""
    prior: str = "{}"

    @property
    def observations(self) -> tuple[Observation, ...]:
        """How the run is seen."""
        return _observations(self.prior)

    def times(self) -> list[int]:
        """When the sessions are.

        Returns
        -------
        list of int
            Updates made; of a simulation without steps its sessions.
        """
        return self.sessions or self.run.get("snapshots") or list(range(_n_sessions(self.run)))

    def check(self) -> None:
        """Raise an error if the simulation cannot be made.

        Raises
        ------
        ValueError
            What its own settings refuse.
        """
        settings_from_values(self.run)

    def outline(self) -> xr.Dataset:
        """What :meth:`PriorRun.table` has.

        Returns
        -------
        xarray.Dataset
            Coordinates whole, values placeholders.
        """
        return _outline(self.prior)

    def n_bytes(self) -> int:
        """Memory of the stored activity.

        Returns
        -------
        int
            Bytes at most.
        """
        n_sessions = len(self.sessions) or _n_sessions(self.run)
        return 4 * n_sessions * parameters_of(self.run).width * _n_frames(self.run)

    def simulate(self, *, checkpoint: str | os.PathLike[str] | None = None) -> PriorRun:
        """Simulate the network, see it, and make statistics of what was seen.

        Parameters
        ----------
        checkpoint
            File to save the state of the simulation to and to resume from.

        Returns
        -------
        PriorRun
            The run; with NaN where it ended before its last session, or nothing was active.
        """
        settings = settings_from_values(self.run)
        result = settings.simulate(checkpoint=checkpoint)
        wanted = self.sessions or list(range(_n_sessions(self.run)))
        if result.reason != "finished":
            return PriorRun(settings=self, reason=result.reason)
        recording = result.recording()
        found = conditions_of(recording)
        activity = np.ascontiguousarray(found.activity[wanted], np.float32)  # sums are by order
        if not (activity > 0).any():
            return PriorRun(settings=self, reason="silent")
        loss = recording["loss"].values[wanted][[0, -1]] if "loss" in recording else None
        return PriorRun(
            settings=self,
            reason="finished",
            activity=activity,
            segment=found.segment,
            geometry=found.geometry,
            loss=(np.nan, np.nan) if loss is None else (float(loss[0]), float(loss[1])),
        )

    def restore(self, groups: Mapping[str, xr.Dataset]) -> PriorRun:
        """The run of which these groups were stored.

        Parameters
        ----------
        groups
            As :meth:`PriorRun.groups` gave them.

        Returns
        -------
        PriorRun
            As it was.
        """
        stored = groups["seen"]
        if "activity" not in stored:
            return PriorRun(settings=self, reason=stored.attrs["reason"])
        return PriorRun(
            settings=self,
            reason=stored.attrs["reason"],
            activity=stored["activity"].values,
            segment=stored["segment"].values,
            geometry=stored.attrs["geometry"],
            loss=tuple(stored["loss"].values.tolist()),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class PriorRun:
    """A run of a prior.

    Parameters
    ----------
    settings
        Of the run.
    reason
        Why it ended.
    activity
        (session, unit, condition) without noise; None of a run that did not reach its end.
    segment, geometry
        How the conditions lie.
    loss
        In the first session and in the last.
    """

    settings: PriorRunSettings
    reason: str
    activity: np.ndarray | None = None
    segment: np.ndarray | None = None
    geometry: str = "none"
    loss: tuple[float, float] = (float("nan"), float("nan"))

    def observed(self, observation: Observation) -> Observed:
        """The run as an observation sees it.

        Parameters
        ----------
        observation
            One of the prior's, or any other of at most as many sessions. Of more sessions of the
            run those nearest in time are seen.

        Returns
        -------
        Observed
            The same in every call.

        Raises
        ------
        ValueError
            If the run did not reach its end, or has fewer sessions.
        """
        if self.activity is None:
            raise ValueError(f"the run ended before its last session ({self.reason})")
        times = np.asarray(self.settings.times())
        kept = nearest_sessions(times, observation.days)
        return observe(
            self.activity[kept],
            observation,
            self.settings.seed,
            day=observation.days or times,
            segment=self.segment,
            geometry=self.geometry,
        )

    def groups(self) -> dict[str, xr.Dataset]:
        """What is stored beside the table.

        Returns
        -------
        dict of xarray.Dataset
            ``seen``: activity, segment and loss.
        """
        attrs = {"reason": self.reason, "geometry": self.geometry}
        if self.activity is None:
            return {"seen": xr.Dataset(attrs=attrs)}
        stored = {
            "activity": (("session", "unit", "condition"), self.activity),
            "segment": ("condition", self.segment),
            "loss": ("end", np.array(self.loss)),
        }
        return {"seen": xr.Dataset(stored, attrs=attrs)}

    def table(self) -> xr.Dataset:
        """Numbers and statistics of the run.

        Returns
        -------
        xarray.Dataset
            :data:`NUMBERS`; ``value`` (observation, statistic); ``n_cells`` and ``n_events``, mean
            events of a cell and session that was detected (observation).
        """
        table = _outline(self.settings.prior).copy(deep=True)
        if self.activity is None:
            return table
        found = parameters_of(self.settings.run)
        numbers = {
            "speed": drift_speed(self.activity),
            "start": active_share(self.activity),
            "loss_start": self.loss[0],
            "loss_end": self.loss[1],
        } | _plain(found)
        for name, value in numbers.items():
            table[name].values[...] = value
        for i, observation in enumerate(self.settings.observations):
            seen = self.observed(observation)
            table["value"].values[i] = statistics_of(seen, se=False)["value"].values
            table["n_cells"].values[i] = seen.detected.shape[1]
            table["n_events"].values[i] = events_of_a_cell(seen)
        return table.assign(snapshots_made=len(self.activity))

    def text(self) -> str:
        """What came out, in a line.

        Returns
        -------
        str
            For the terminal.
        """
        if self.activity is None:
            return f"{self.settings.label}: {self.reason}"
        return (
            f"{self.settings.label}: {len(self.activity)} sessions, maps changed by "
            f"{drift_speed(self.activity):.2g}, {active_share(self.activity):.2f} of the units "
            "active at the start"
        )


def _plain(found: RunValues) -> dict[str, float]:
    return {
        "learning_rate": found.learning_rate,
        "noise": found.noise,
        "n_hidden": found.width,
        "n_steps": found.n_steps,
        "start_step": found.start_step,
        "dose": found.dose,
    }


def _n_sessions(run: Mapping[str, Any]) -> int:
    return int(run["n_sessions"]) if "n_sessions" in run else len(run["snapshots"])


def _n_frames(run: Mapping[str, Any]) -> int:
    """Frames of a session: no run has more conditions."""
    sections = (run, run.get("task", {}), run.get("inputs", {}))
    names = ("n_samples", "n_positions")
    return int(next(part[name] for part in sections for name in names if name in part))


@functools.lru_cache(maxsize=8)
def _observations(prior: str) -> tuple[Observation, ...]:
    return tuple(Observation.from_values(one) for one in json.loads(prior)["observations"])


@functools.lru_cache(maxsize=8)
def _outline(prior: str) -> xr.Dataset:
    names = [one.name for one in _observations(prior)]
    numbers = {name: ((), np.array(np.nan), {"long_name": text}) for name, text in NUMBERS.items()}
    values = np.full((len(names), len(STATISTICS)), np.nan)
    seen = {
        "n_cells": ("observation", np.full(len(names), np.nan), {"long_name": "cells seen"}),
        "n_events": (
            "observation",
            np.full(len(names), np.nan),
            {"long_name": "mean events of a detected cell in a session"},
        ),
        "value": (("observation", "statistic"), values, {"long_name": "statistics of drift"}),
        "snapshots_made": ((), 0, {"long_name": "sessions"}),
        "statistics_version": ((), VERSION, {"long_name": "version of the statistics"}),
    }
    coords = {
        "observation": np.array(names, dtype=object),
        "statistic": np.array(list(STATISTICS), dtype=object),
        "prior": ((), np.array(prior, dtype=object)),
    }
    return xr.Dataset(numbers | seen, coords=coords)

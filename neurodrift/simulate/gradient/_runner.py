"""One group of runs from start to end: stops on the way, what is kept there, checkpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import numpy as np
import xarray as xr

from neurodrift.simulate import checkpoint as _checkpoint
from neurodrift.simulate.gradient._numba.fused import FusedNetwork
from neurodrift.simulate.gradient._torch import TorchNetworks
from neurodrift.simulate.gradient.networks import Network
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.run import EARLY_LOSS, MEASURES, REASONS, Run
from neurodrift.simulate.gradient.task import Task
from neurodrift.simulate.stretches import Stretches

HIGHEST_LOSS = 10.0
"""Normalised clean loss above which a run has diverged, if it stays there."""

PATIENCE = 1000
"""Updates for which it must stay there; large steps often throw a network up and back again."""


@dataclass(frozen=True)
class Setup:
    """One run to be made."""

    task: Task
    network: Network
    rule: Rule
    seed: int
    engine: str
    weights: Mapping[str, np.ndarray] | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is the same for all runs of a call."""

    n_steps: int
    snapshots: np.ndarray
    measures: np.ndarray
    n_early: int
    device: str
    dtype: str
    divergence: str
    checkpoint_every: int


class Trainer(Protocol):
    """What an engine offers: the networks of one group in training."""

    n_networks: int

    @property
    def early(self) -> np.ndarray:
        """(network, step) training loss of the first steps."""

    def advance(self, step: int) -> None:
        """Train until this many steps have been made in all."""

    def measure(self) -> np.ndarray:
        """(network, 4): clean mean squared error, active fraction, active units, any activity."""

    def weights(self) -> list[dict[str, np.ndarray]]:
        """Parameters by name, of each network."""

    def state(self) -> dict[str, np.ndarray]:
        """Everything that changes in training."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a state."""


def train_group(
    setups: list[Setup], plan: Plan, path: Path | None, ended: Event | None = None
) -> list[Run]:
    """Make the runs of one group, whose networks are trained side by side.

    Parameters
    ----------
    setups
        The runs: one, or several that the torch engine can stack.
    plan
        Steps, looks, precision.
    path
        Checkpoint file.
    ended
        Set by another thread that wants no more of this, as after Ctrl-C.

    Returns
    -------
    list of Run
        In order.

    Raises
    ------
    InterruptedError
        If `ended` was set.
    """
    trainer = _trainer(setups, plan)
    book = _Book(setups, plan)
    start, identity = -1, ""
    if path is not None:
        identity = _identity(setups, plan)
        found = _checkpoint.load(path, identity)
        if found is not None:
            start = int(found["step"])
            trainer.restore(_below(found, "trainer."))
            book.restore(_below(found, "book."))
    saves = np.arange(plan.checkpoint_every, plan.n_steps, plan.checkpoint_every)
    if path is None:
        saves = saves[:0]
    stops = np.concatenate([plan.snapshots, plan.measures, saves, [plan.n_steps]]).astype(np.int64)
    stretches, made = Stretches(), max(start, 0)
    for step in np.unique(stops[stops > start]).tolist():
        if book.over:
            break
        for stop in stretches.stops(made, step):
            if ended is not None and ended.is_set():
                raise InterruptedError("the training was given up")
            trainer.advance(stop)
        made = max(made, step)
        book.write(step, trainer)
        last = book.over or step == plan.n_steps
        if path is not None and (last or (step and step % plan.checkpoint_every == 0)):
            arrays = {f"trainer.{name}": array for name, array in trainer.state().items()}
            arrays |= {f"book.{name}": array for name, array in book.state().items()}
            _checkpoint.save(path, identity, arrays | {"step": np.array(step)})
    return book.runs(trainer.early)


def _trainer(setups: list[Setup], plan: Plan) -> Trainer:
    first = setups[0]
    if first.engine == "numba":
        return FusedNetwork(
            first.task,
            first.network,
            first.rule,
            first.seed,
            dtype=plan.dtype,
            n_early=plan.n_early,
            weights=first.weights,
        )
    return TorchNetworks(
        [s.task for s in setups],
        first.network,
        [s.rule for s in setups],
        [s.seed for s in setups],
        dtype=plan.dtype,
        device=plan.device,
        n_early=plan.n_early,
        weights=[s.weights for s in setups],
    )


def _identity(setups: list[Setup], plan: Plan) -> str:
    parts: list[Any] = [plan.n_steps, plan.snapshots, plan.measures, plan.n_early, plan.dtype]
    parts.append(plan.divergence)
    for s in setups:
        parts += [s.engine, s.seed, s.rule, s.task.name, s.task.inputs, s.task.targets]
        parts += list(vars(s.network).values())
        parts += [] if s.weights is None else [part for item in s.weights.items() for part in item]
    return _checkpoint.fingerprint(parts)


def _below(arrays: dict[str, np.ndarray], start: str) -> dict[str, np.ndarray]:
    return {n.removeprefix(start): array for n, array in arrays.items() if n.startswith(start)}


class _Book:
    """What is kept of each run of a group, and which runs have ended early."""

    def __init__(self, setups: list[Setup], plan: Plan) -> None:
        n = len(setups)
        self._setups, self._plan = setups, plan
        self._scale = np.array([s.task.target_variance for s in setups])
        self._values = np.full((n, plan.measures.size, len(MEASURES)), np.nan)
        self._high_since = np.full(n, -1)
        self._reason = np.zeros(n, dtype=np.int64)
        self._end = np.full(n, plan.n_steps)
        self._kept: list[dict[str, list[np.ndarray]]] = [{"step": []} for _ in setups]

    @property
    def over(self) -> bool:
        """Whether every run has ended early."""
        return bool((self._reason > 0).all())

    def write(self, step: int, trainer: Trainer) -> None:
        """Measure and keep weights, where the plan asks for it at this step."""
        place = np.flatnonzero(self._plan.measures == step)
        kept = step in self._plan.snapshots
        if place.size or kept or step == self._plan.n_steps:
            found = trainer.measure()
            found[:, 0] /= self._scale
            running = self._reason == 0
            diverged = ~np.isfinite(found[:, 0])
            if place.size:
                self._values[running, place[0]] = found[running, :3]
                diverged |= self._stays_high(step, found[:, 0])
            ended = np.where(diverged, 1, np.where(found[:, 3] > 0, 0, 2))
            self._reason[running] = ended[running]
            self._end[running & (ended > 0)] = step
        if kept and not self.over:
            for i, weights in enumerate(trainer.weights()):
                if self._reason[i] == 0:
                    self._kept[i]["step"].append(np.array(step))
                    for name, array in weights.items():
                        self._kept[i].setdefault(f"weights.{name}", []).append(array)

    def _stays_high(self, step: int, loss: np.ndarray) -> np.ndarray:
        high = ~(loss <= HIGHEST_LOSS)
        self._high_since[high & (self._high_since < 0)] = step
        self._high_since[~high] = -1
        patience = PATIENCE if self._plan.divergence == "lasting" else 0
        return high & (step > 0) & (step - self._high_since >= patience)

    def runs(self, early: np.ndarray) -> list[Run]:
        """Every run, ended."""
        return [self._run(i, early[i]) for i in range(len(self._setups))]

    def _run(self, i: int, early: np.ndarray) -> Run:
        s, plan = self._setups[i], self._plan
        end = int(self._end[i])
        made = plan.measures <= end
        early = early[:end] / self._scale[i]
        measures = xr.Dataset(
            {
                name: ("step", self._values[i, made, k], {"units": "1", "long_name": text})
                for k, (name, text) in enumerate(MEASURES.items())
            },
            coords={"step": plan.measures[made], "early_step": np.arange(1, early.size + 1)},
        )
        measures["early_loss"] = ("early_step", early, {"units": "1", "long_name": EARLY_LOSS})
        reason = REASONS[self._reason[i]]
        measures.attrs = {
            "title": "neurodrift training run",
            "task": s.task.name,
            "rule": json.dumps(asdict(s.rule)),
            "network": json.dumps({n: _plain(v) for n, v in vars(s.network).items()}),
            "seed": s.seed,
            "engine": s.engine,
            "dtype": plan.dtype,
            "divergence": plan.divergence,
            "n_steps": plan.n_steps,
            "steps_made": end,
            "reason": reason,
        }
        kept = {name: np.stack(arrays) for name, arrays in self._kept[i].items() if arrays}
        return Run(
            task=s.task,
            network=s.network,
            rule=s.rule,
            seed=s.seed,
            measures=measures,
            snapshot_steps=kept.get("step", np.zeros(0, dtype=np.int64)),
            weights=_below(kept, "weights."),
            reason=reason,
        )

    def state(self) -> dict[str, np.ndarray]:
        """Everything that has been written."""
        arrays = {
            name: getattr(self, f"_{name}") for name in ("values", "high_since", "reason", "end")
        }
        for i, kept in enumerate(self._kept):
            arrays |= {f"kept.{i}.{name}": np.stack(found) for name, found in kept.items() if found}
        return arrays

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go back to a state."""
        for name in ("values", "high_since", "reason", "end"):
            setattr(self, f"_{name}", state[name])
        for i in range(len(self._kept)):
            found = _below(state, f"kept.{i}.")
            self._kept[i] = {"step": []} | {name: list(array) for name, array in found.items()}


def _plain(value: Any) -> Any:
    return getattr(value, "__qualname__", repr(value)) if callable(value) else value

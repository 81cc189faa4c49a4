"""A kind of simulation that is not the package's: tuning curves whose centres walk at random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr

import neurodrift as nd
from neurodrift.simulate.checkpoint import load_state, save_state
from neurodrift.simulate.settings.schema import refuse_faults


@dataclass(frozen=True, kw_only=True)
class WalkSettings:
    kind: ClassVar[str] = "walk"

    label: str = ""
    seed: int = 0
    n_units: int = 8
    n_days: int = 4
    step: float = 5.0

    def __post_init__(self):
        refuse_faults(self)
        self.check()

    @staticmethod
    def schema():
        whole = {"type": "integer", "minimum": 1}
        return {
            "title": "tuning curves that walk",
            "type": "object",
            "required": ["simulation"],
            "additionalProperties": False,
            "properties": {
                "simulation": {"const": "walk"},
                "label": {"type": "string"},
                "seed": {"type": "integer", "minimum": 0},
                "n_units": whole,
                "n_days": whole,
                "step": {"type": "number", "minimum": 0},
            },
        }

    def check(self):
        if self.step > 100:
            raise ValueError(f"step is {self.step}, more than the track")

    def outline(self):
        walked = ("day", np.full(self.n_days, np.nan))
        return xr.Dataset({"walked": walked, "snapshots_made": 0}, {"day": np.arange(self.n_days)})

    def n_bytes(self):
        return 8 * self.n_days * self.n_units

    def simulate(self, *, checkpoint=None):
        rng = np.random.default_rng(self.seed)
        steps = rng.normal(0, self.step, (self.n_days, self.n_units))
        centres = None if checkpoint is None else load_state(checkpoint, repr(self))
        centres = [rng.uniform(0, 100, self.n_units)] if centres is None else centres
        for day in range(len(centres), self.n_days):
            centres.append((centres[-1] + steps[day]) % 100)
            if checkpoint is not None:
                save_state(checkpoint, repr(self), centres)
        return Walk(np.stack(centres), self.seed)

    def restore(self, groups: Mapping[str, xr.Dataset]):
        return Walk(groups["weights"]["centre"].values, self.seed)


@dataclass(frozen=True, eq=False)
class Walk:
    centres: np.ndarray
    seed: int
    reason: str = "finished"

    def recording(self, *, subject=None):
        x = np.tile(np.linspace(0, 99.9, 200), 2)
        away = np.abs((x[None, :, None] - self.centres[:, None] + 50) % 100 - 50)
        return nd.recording_from_arrays(
            list(np.exp(-((away / 10) ** 2))),
            kind="activation",
            frame_duration=1.0,
            x=[x] * len(self.centres),
            day=np.arange(len(self.centres), dtype=float),
            subject=f"walk {self.seed}" if subject is None else subject,
            environment="line",
        )

    def groups(self) -> dict[str, Any]:
        weights = xr.Dataset({"centre": (("day", "unit"), self.centres)})
        return {"measures": self.table().drop_vars("snapshots_made"), "weights": weights}

    def table(self):
        walked = np.abs(self.centres - self.centres[0]).mean(axis=1)
        days = np.arange(len(self.centres))
        return xr.Dataset({"walked": ("day", walked), "snapshots_made": len(days)}, {"day": days})

    def text(self):
        return f"{self.reason}: {self.centres.shape[1]} units walked"

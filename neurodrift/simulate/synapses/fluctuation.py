"""Synapses whose strength fluctuates in proportion to itself, and the units that they drive."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from neurodrift.recording import recording_from_arrays
from neurodrift.seeds import generator
from neurodrift.simulate.checkpoint import fingerprint, load_state, save_state
from neurodrift.simulate.settings.schema import SCHEMA, SettingsError, make_integers, refuse_faults

_MOST_NUMBERS = 10**9


@dataclass(frozen=True, kw_only=True)
class FluctuationSettings:
    r"""Settings of weights that fluctuate (``simulation: fluctuation``).

    Parameters
    ----------
    label
        Free words, to tell groups of runs apart.
    seed
        Seed of the weights and of their noise.
    n_units, n_inputs
        Units, and inputs of each: bumps of activity spread evenly over a track.
    log_mean, log_sd
        Mean and standard deviation of the logarithm of the weights in the steady state.
    tau
        Time that the logarithm takes to forget [d].
    interval, n_sessions
        Days between sessions, and how many there are.
    input_width
        Standard deviation of the bump of an input [cm].
    inhibition
        What is taken off a unit's drive, as a multiple of the mean drive of all units there.
    length, n_positions
        Of the track [cm], and places on it.

    Raises
    ------
    ValueError
        If a value is impossible; all faults are listed.

    Notes
    -----
    Every weight follows

    .. math:: d \ln w = -\frac{\ln w - \mu}{\tau} dt + \sqrt{\frac{2 s^2}{\tau}}\, dB

    from its steady state, which is log-normal. From session to session this is solved exactly.
    It is a stand-in after Morales, Muñoz and Tu [1]_, whose equations and constants it does not
    have: multiplicative fluctuation with a given steady state, and no plasticity of presentations.
    Units respond with :math:`y = \max(W x - g \overline{W x}, 0)`.

    References
    ----------
    .. [1] Morales, Muñoz & Tu (2025), PNAS. https://doi.org/10.1073/pnas.2501811122

    Examples
    --------
    >>> from neurodrift.simulate.synapses.fluctuation import FluctuationSettings
    >>> run = FluctuationSettings(n_units=5, n_sessions=3).simulate()
    >>> run.weights.shape, dict(run.recording().sizes)
    ((3, 5, 100), {'time': 600, 'unit': 5, 'session': 3})
    """

    kind: ClassVar[str] = "fluctuation"

    label: str = ""
    seed: int = 0
    n_units: int = 100
    n_inputs: int = 100
    log_mean: float = 0.0
    log_sd: float = 1.0
    tau: float = 10.0
    interval: float = 1.0
    n_sessions: int = 10
    input_width: float = 5.0
    inhibition: float = 1.5
    length: float = 100.0
    n_positions: int = 200

    def __post_init__(self) -> None:
        refuse_faults(self)
        make_integers(self, "seed", "n_units", "n_inputs", "n_sessions", "n_positions")
        for name in (*_POSITIVE, *_AT_LEAST_0, "log_mean"):
            object.__setattr__(self, name, float(getattr(self, name)))
        self.check()

    @staticmethod
    def schema() -> dict[str, Any]:
        """JSON Schema of the settings.

        Returns
        -------
        dict
            Draft 2020-12.
        """
        whole = {"type": "integer", "minimum": 1}
        positive = {name: {"type": "number", "exclusiveMinimum": 0} for name in _POSITIVE}
        least = {name: {"type": "number", "minimum": 0} for name in _AT_LEAST_0}
        return {
            "$schema": SCHEMA,
            "title": "neurodrift settings of weights that fluctuate",
            "type": "object",
            "required": ["simulation"],
            "additionalProperties": False,
            "properties": {
                "description": {"type": "string"},
                "simulation": {"const": "fluctuation"},
                "label": {"type": "string"},
                "seed": {"type": "integer", "minimum": 0},
                "n_units": whole,
                "n_inputs": whole,
                "log_mean": {"type": "number"},
                "n_sessions": whole,
                "n_positions": whole,
            }
            | positive
            | least,
        }

    def check(self) -> None:
        """Raise one error with everything that no schema refuses.

        Raises
        ------
        ValueError
            If there are too many weights to keep.
        """
        if self.n_sessions * self.n_units * self.n_inputs > _MOST_NUMBERS:
            text = "n_sessions, n_units and n_inputs make more than 1e9 weights: keep fewer"
            raise SettingsError([((), text)])

    def outline(self) -> xr.Dataset:
        """What :meth:`FluctuationRun.table` has at most.

        Returns
        -------
        xarray.Dataset
            Coordinates whole; values are placeholders.
        """
        empty = np.full(self.n_sessions, np.nan)
        return _table(self.days(), empty, empty, empty).assign(snapshots_made=0)

    def days(self) -> np.ndarray:
        """Day of each session.

        Returns
        -------
        numpy.ndarray
            From 0.
        """
        return self.interval * np.arange(self.n_sessions)

    def n_bytes(self) -> int:
        """Memory of the stored weights.

        Returns
        -------
        int
            Bytes.
        """
        return 8 * self.n_sessions * self.n_units * self.n_inputs

    def simulate(self, *, checkpoint: str | os.PathLike[str] | None = None) -> FluctuationRun:
        """Let the weights fluctuate.

        Parameters
        ----------
        checkpoint
            File to save the state to after every session and to resume from.

        Returns
        -------
        FluctuationRun
            The run.
        """
        identity = fingerprint(["fluctuation", dataclasses.asdict(self)])
        stored = None if checkpoint is None else load_state(Path(checkpoint), identity)
        logs: list[np.ndarray] = [] if stored is None else list(stored)
        stays = math.exp(-self.interval / self.tau)
        new = self.log_sd * math.sqrt(-math.expm1(-2 * self.interval / self.tau))
        for session in range(len(logs), self.n_sessions):
            noise = generator(self.seed, "synaptic fluctuation", session).standard_normal(
                (self.n_units, self.n_inputs)
            )
            if session:
                moved = self.log_mean + stays * (logs[-1] - self.log_mean) + new * noise
            else:
                moved = self.log_mean + self.log_sd * noise
            logs.append(moved)
            if checkpoint is not None:
                save_state(Path(checkpoint), identity, logs)
        return FluctuationRun(settings=self, weights=np.exp(np.stack(logs)))

    def restore(self, groups: Mapping[str, xr.Dataset]) -> FluctuationRun:
        """The run of which these groups were stored.

        Parameters
        ----------
        groups
            As :meth:`FluctuationRun.groups` gave them.

        Returns
        -------
        FluctuationRun
            As it was.
        """
        return FluctuationRun(settings=self, weights=groups["weights"]["W"].values)


_POSITIVE = ("tau", "interval", "input_width", "length")
_AT_LEAST_0 = ("log_sd", "inhibition")


@dataclass(frozen=True, eq=False, kw_only=True)
class FluctuationRun:
    """Weights that fluctuated.

    Parameters
    ----------
    settings
        Of the run.
    weights
        (session, unit, input) above 0.
    reason
        Why it ended.
    """

    settings: FluctuationSettings
    weights: np.ndarray
    reason: str = "finished"

    def activity(self, session: int) -> np.ndarray:
        """Responses along the track.

        Parameters
        ----------
        session
            Its number, negative from the end.

        Returns
        -------
        numpy.ndarray
            (position, unit) 0 or above.
        """
        s = self.settings
        centres = (np.arange(s.n_inputs) + 0.5) / s.n_inputs * s.length
        bumps = np.exp(-0.5 * ((self._places()[:, None] - centres) / s.input_width) ** 2)
        drive = bumps @ self.weights[session].T
        return np.maximum(drive - s.inhibition * drive.mean(axis=1, keepdims=True), 0.0)

    def _places(self) -> np.ndarray:
        s = self.settings
        return np.asarray((np.arange(s.n_positions) + 0.5) / s.n_positions * s.length)

    def recording(self, *, subject: str | None = None) -> xr.Dataset:
        """The responses of all sessions, as any recording.

        Parameters
        ----------
        subject
            Name of the run; ``"seed N"`` when omitted.

        Returns
        -------
        xarray.Dataset
            Of kind ``activation``: time runs once along the track, 1 s a place.
        """
        n_sessions = len(self.weights)
        return recording_from_arrays(
            [self.activity(i) for i in range(n_sessions)],
            kind="activation",
            frame_duration=1.0,
            day=self.settings.days(),
            subject=f"seed {self.settings.seed}" if subject is None else subject,
            environment="track",
            x=[self._places()] * n_sessions,
        )

    def groups(self) -> dict[str, xr.Dataset]:
        """What is stored beside the recording.

        Returns
        -------
        dict of xarray.Dataset
            ``measures`` and ``weights``.
        """
        weights = {"W": (("session_day", "unit", "feature"), self.weights)}
        stored = xr.Dataset(weights, coords={"session_day": self.settings.days()})
        return {"measures": self.table().drop_vars("snapshots_made"), "weights": stored}

    def table(self) -> xr.Dataset:
        """Curves of a sweep's table.

        Returns
        -------
        xarray.Dataset
            ``log_weight_mean``, ``log_weight_sd`` and ``log_weight_correlation`` with the first
            session, over `day`; ``snapshots_made``.
        """
        logs = np.log(self.weights).reshape(len(self.weights), -1)
        away = logs - logs.mean(axis=1, keepdims=True)
        size = np.sqrt((away**2).sum(axis=1))
        product = (away * away[0]).sum(axis=1)
        alike = np.full(product.size, np.nan)
        known = size * size[0] > 0
        alike[known] = product[known] / (size[known] * size[0])
        table = _table(self.settings.days(), logs.mean(axis=1), logs.std(axis=1), alike)
        return table.assign(snapshots_made=len(self.weights))

    def text(self) -> str:
        """What came out, in a line.

        Returns
        -------
        str
            For the terminal.
        """
        found = self.table()
        mean, sd, alike = (
            found[f"log_weight_{name}"].values for name in ("mean", "sd", "correlation")
        )
        return (
            f"{len(self.weights)} sessions, seed {self.settings.seed}: logarithm of the weights "
            f"{mean[-1]:.3g} ± {sd[-1]:.3g}; its correlation with the first session {alike[-1]:.3g}"
        )


def _table(days: np.ndarray, mean: np.ndarray, sd: np.ndarray, alike: np.ndarray) -> xr.Dataset:
    curves = {
        "log_weight_mean": (mean, "mean logarithm of the weights"),
        "log_weight_sd": (sd, "standard deviation of the logarithm of the weights"),
        "log_weight_correlation": (alike, "of the logarithms with those of the first session"),
    }
    return xr.Dataset(
        {name: ("day", values, {"long_name": text}) for name, (values, text) in curves.items()},
        coords={"day": ("day", days, {"long_name": "days", "units": "d"})},
    )

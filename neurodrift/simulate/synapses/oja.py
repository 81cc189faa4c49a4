"""Oja's subspace rule among stimuli that do not matter, whose noise makes the code drift."""

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
from neurodrift.simulate.gradient.engine import sample_steps
from neurodrift.simulate.settings.schema import (
    SCHEMA,
    SettingsError,
    make_integers,
    refuse_faults,
)

_BLOCK = 4096  # steps whose random numbers are drawn at once
_LENGTH = 100.0  # of the circle of probes [cm]
_MOST_NUMBERS = 10**9


@dataclass(frozen=True, kw_only=True)
class OjaSettings:
    r"""Settings of one run of Oja's subspace rule (``simulation: oja``).

    Parameters
    ----------
    label
        Free words, to tell groups of runs apart.
    seed
        Seed of the inputs and of the noise, two streams.
    n_inputs, n_relevant
        Inputs, and how many of them are relevant. There are as many units as relevant inputs.
    irrelevant_variance
        Variance of each irrelevant input, below 1; relevant ones have 1.
    learning_rate
        Of the rule.
    synaptic_noise
        Sigma: each weight jumps by a standard deviation of sigma times the root of the learning
        rate in every step.
    n_steps, snapshots
        Inputs shown, and how many times the weights are kept on the way, evenly from step 0.
    n_probes
        Stimuli of a recording, evenly round a circle among the relevant ones.

    Raises
    ------
    ValueError
        If a value is impossible; all faults are listed.

    Notes
    -----
    A unit's response is linear, :math:`y = W x`, and after each normal input

    .. math:: W \leftarrow W + \eta\, y (x - W^T y)^T + \sqrt\eta\, \sigma \xi

    after Pashakhanloo [1]_. The weights start as the relevant axes, that is after learning.

    References
    ----------
    .. [1] Pashakhanloo (2025), NeurIPS. https://arxiv.org/abs/2510.21588

    Examples
    --------
    >>> from neurodrift.simulate.synapses.oja import OjaSettings
    >>> run = OjaSettings(n_steps=1000, snapshots=3).simulate()
    >>> dict(run.recording().sizes)
    {'time': 600, 'unit': 3, 'session': 3}
    """

    kind: ClassVar[str] = "oja"

    label: str = ""
    seed: int = 0
    n_inputs: int = 10
    n_relevant: int = 3
    irrelevant_variance: float = 0.2
    learning_rate: float = 0.02
    synaptic_noise: float = 0.0
    n_steps: int = 2_000_000
    snapshots: int = 101
    n_probes: int = 200

    def __post_init__(self) -> None:
        refuse_faults(self)
        make_integers(self, "seed", "n_inputs", "n_relevant", "n_steps", "snapshots", "n_probes")
        for name in ("irrelevant_variance", "learning_rate", "synaptic_noise"):
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
        positive = {"type": "number", "exclusiveMinimum": 0}
        return {
            "$schema": SCHEMA,
            "title": "neurodrift settings of a run of Oja's subspace rule",
            "type": "object",
            "required": ["simulation"],
            "additionalProperties": False,
            "properties": {
                "description": {"type": "string"},
                "simulation": {"const": "oja"},
                "label": {"type": "string"},
                "seed": {"type": "integer", "minimum": 0},
                "n_inputs": whole,
                "n_relevant": whole,
                "irrelevant_variance": {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
                "learning_rate": positive,
                "synaptic_noise": {"type": "number", "minimum": 0},
                "n_steps": whole,
                "snapshots": {"type": "integer", "minimum": 2},
                "n_probes": whole,
            },
        }

    def check(self) -> None:
        """Raise one error with everything that no schema refuses.

        Raises
        ------
        ValueError
            If there are more relevant inputs than inputs, or too many snapshots.
        """
        faults: list[tuple[tuple[str | int, ...], str]] = []
        if self.n_relevant > self.n_inputs:
            text = f"is {self.n_relevant}, expected at most n_inputs, {self.n_inputs}"
            faults.append((("n_relevant",), text))
        if self.snapshots * self.n_relevant * self.n_inputs > _MOST_NUMBERS:
            faults.append((("snapshots",), "hold more than 1e9 weights: keep fewer"))
        if faults:
            raise SettingsError(faults)

    def steps(self) -> np.ndarray:
        """Steps at which weights are kept.

        Returns
        -------
        numpy.ndarray
            Increasing numbers of updates made.
        """
        return sample_steps(self.n_steps, self.snapshots)

    def outline(self) -> xr.Dataset:
        """What :meth:`OjaRun.table` has at most.

        Returns
        -------
        xarray.Dataset
            Coordinates whole; values are placeholders.
        """
        steps = self.steps()
        empty = np.full(steps.size, np.nan)
        return _table(steps, empty, empty, [math.nan] * 3).assign(snapshots_made=0)

    def n_bytes(self) -> int:
        """Memory of the stored weights.

        Returns
        -------
        int
            Bytes.
        """
        return 8 * self.steps().size * self.n_relevant * self.n_inputs

    def simulate(self, *, checkpoint: str | os.PathLike[str] | None = None) -> OjaRun:
        """Show the inputs.

        Parameters
        ----------
        checkpoint
            File to save the state to at every snapshot and to resume from.

        Returns
        -------
        OjaRun
            The run.
        """
        weights = np.eye(self.n_relevant, self.n_inputs)
        kept: list[np.ndarray] = []
        made, identity = 0, fingerprint(["oja", dataclasses.asdict(self)])
        stored = None if checkpoint is None else load_state(Path(checkpoint), identity)
        if stored is not None:
            weights, kept, made = stored["weights"], list(stored["kept"]), stored["made"]
        for step in self.steps()[len(kept) :].tolist():
            made = self._advance(weights, made, step)
            if not np.isfinite(weights).all():
                raise ValueError(
                    f"the weights are not finite after {made} steps: set learning_rate (now "
                    f"{self.learning_rate}) or synaptic_noise (now {self.synaptic_noise}) lower"
                )
            kept.append(weights.copy())
            if checkpoint is not None:
                state = {"weights": weights, "kept": kept, "made": made}
                save_state(Path(checkpoint), identity, state)
        return OjaRun(settings=self, steps=self.steps(), weights=np.stack(kept))

    def _advance(self, weights: np.ndarray, made: int, step: int) -> int:
        """Learn in place until this many steps are made; random numbers depend on the step."""
        from neurodrift.simulate.synapses._kernels import advance

        sd = math.sqrt(self.learning_rate) * self.synaptic_noise
        while made < step:
            block, first = divmod(made, _BLOCK)
            stop = min(step, (block + 1) * _BLOCK)
            inputs, noise = self.draws(block)
            part = slice(first, stop - block * _BLOCK)
            advance(weights, inputs[part], noise[part], self.learning_rate, sd)
            made = stop
        return made

    def draws(self, block: int) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and noise of 4096 steps.

        Parameters
        ----------
        block
            Its number, from 0.

        Returns
        -------
        inputs : numpy.ndarray
            (step, input).
        noise : numpy.ndarray
            (step, unit, input) standard normal; no unit where there is no synaptic noise.
        """
        spread = np.full(self.n_inputs, math.sqrt(self.irrelevant_variance))
        spread[: self.n_relevant] = 1.0
        normal = generator(self.seed, "oja inputs", block).standard_normal((_BLOCK, self.n_inputs))
        n_units = self.n_relevant if self.synaptic_noise else 0
        noise = generator(self.seed, "oja noise", block)
        return normal * spread, noise.standard_normal((_BLOCK, n_units, self.n_inputs))

    def restore(self, groups: Mapping[str, xr.Dataset]) -> OjaRun:
        """The run of which these groups were stored.

        Parameters
        ----------
        groups
            As :meth:`OjaRun.groups` gave them.

        Returns
        -------
        OjaRun
            As it was.
        """
        return OjaRun(settings=self, steps=self.steps(), weights=groups["weights"]["W"].values)


@dataclass(frozen=True, eq=False, kw_only=True)
class OjaRun:
    """What one run of Oja's rule leaves.

    Parameters
    ----------
    settings
        Of the run.
    steps
        (snapshot) number of updates made.
    weights
        (snapshot, unit, input).
    reason
        Why it ended.
    """

    settings: OjaSettings
    steps: np.ndarray
    weights: np.ndarray
    reason: str = "finished"

    def probes(self) -> tuple[np.ndarray, np.ndarray]:
        """Relevant stimuli round a closed curve.

        Returns
        -------
        place : numpy.ndarray
            (stimulus) along the curve [cm], of 100.
        stimuli : numpy.ndarray
            (stimulus, relevant input), of variance 1: cosine and sine of the angle, of twice the
            angle, and so on.
        """
        share = (np.arange(self.settings.n_probes) + 0.5) / self.settings.n_probes
        waves = np.arange(self.settings.n_relevant)
        angle = 2 * np.pi * share[:, None] * (waves // 2 + 1)
        stimuli = math.sqrt(2) * np.where(waves % 2, np.sin(angle), np.cos(angle))
        return share * _LENGTH, stimuli

    def recording(self, *, subject: str | None = None) -> xr.Dataset:
        """Responses to the relevant stimuli over training, as any recording.

        Parameters
        ----------
        subject
            Name of the run; ``"seed N"`` when omitted.

        Returns
        -------
        xarray.Dataset
            Of kind ``activation``: a session is a snapshot, time runs over the stimuli (1 s each),
            which have a place on a circle of 100 cm. Responses are linear, and so below 0 as well.
        """
        place, stimuli = self.probes()
        m = self.settings.n_relevant
        return recording_from_arrays(
            [stimuli @ w[:, :m].T for w in self.weights],
            kind="activation",
            frame_duration=1.0,
            session=[f"step {step}" for step in self.steps],
            training_step=self.steps.tolist(),
            subject=f"seed {self.settings.seed}" if subject is None else subject,
            environment="relevant stimuli",
            geometry=f"circular:{_LENGTH:g}",
            x=[place] * len(self.steps),
        )

    def groups(self) -> dict[str, xr.Dataset]:
        """What is stored beside the recording.

        Returns
        -------
        dict of xarray.Dataset
            ``measures`` and ``weights``.
        """
        weights = {"W": (("snapshot_step", "unit", "feature"), self.weights)}
        stored = xr.Dataset(weights, coords={"snapshot_step": self.steps})
        return {"measures": self.table().drop_vars("snapshots_made"), "weights": stored}

    def table(self) -> xr.Dataset:
        """Numbers and curves of a sweep's table.

        Returns
        -------
        xarray.Dataset
            ``correlation`` and ``subspace_error`` over `step`; ``drift_rate``, its standard error
            and ``predicted_drift_rate`` [1/step]; ``snapshots_made``.
        """
        s = self.settings
        relevant = self.weights[:, :, : s.n_relevant]
        norm = np.sqrt((relevant**2).sum(axis=(1, 2)))
        correlation = (relevant * relevant[0]).sum(axis=(1, 2)) / (norm * norm[0])
        found = measure_drift_rate(relevant, self.steps)
        predicted = predict_drift_rate(
            n_inputs=s.n_inputs,
            n_relevant=s.n_relevant,
            irrelevant_variance=s.irrelevant_variance,
            learning_rate=s.learning_rate,
            synaptic_noise=s.synaptic_noise,
        )
        wanted = np.eye(s.n_relevant, s.n_inputs)
        outer = np.swapaxes(self.weights, 1, 2) @ self.weights - wanted.T @ wanted
        error = np.linalg.norm(outer, axis=(1, 2)) / math.sqrt(s.n_relevant)
        table = _table(self.steps, correlation, error, [*found, predicted])
        return table.assign(snapshots_made=len(self.steps))

    def text(self) -> str:
        """What came out, in two lines.

        Returns
        -------
        str
            For the terminal.
        """
        s, found = self.settings, self.table()
        return (
            f"{s.n_relevant} relevant of {s.n_inputs} inputs, seed {s.seed}: {self.steps[-1]} steps"
            f"\ndrift rate {found['drift_rate'].item():.2g} ± {found['drift_rate_se'].item():.1g} "
            f"per step, predicted {found['predicted_drift_rate'].item():.2g}; correlation with the "
            f"first responses {found['correlation'].values[-1]:.3g}"
        )


def _table(
    steps: np.ndarray, correlation: np.ndarray, error: np.ndarray, rates: list[float]
) -> xr.Dataset:
    about = {
        "drift_rate": "decay of the correlation of responses with earlier ones, per step",
        "drift_rate_se": "standard error of the drift rate, per step",
        "predicted_drift_rate": "small-noise theory, per step",
    }
    curves = {
        "correlation": (correlation, "responses to relevant stimuli, with those of step 0"),
        "subspace_error": (error, "distance of the subspace from the relevant one, relative"),
    }
    numbers = {
        name: ((), value, {"long_name": text})
        for (name, text), value in zip(about.items(), rates, strict=True)
    }
    lines = {name: ("step", values, {"long_name": t}) for name, (values, t) in curves.items()}
    return xr.Dataset(
        lines | numbers, coords={"step": ("step", steps, {"long_name": "updates made"})}
    )


def predict_drift_rate(
    *,
    n_inputs: int,
    n_relevant: int,
    irrelevant_variance: float,
    learning_rate: float,
    synaptic_noise: float = 0.0,
) -> float:
    r"""Drift rate of Oja's subspace rule by theory.

    Parameters
    ----------
    n_inputs, n_relevant, irrelevant_variance, learning_rate, synaptic_noise
        As in :class:`OjaSettings`.

    Returns
    -------
    float
        D of :math:`c(y_0, y_t) = e^{-D t}` [1/step].

    Notes
    -----
    With n inputs, m of them relevant,

    .. math::

       D = \frac{\eta^3 \lambda^2 (m - 1) (n - m)}{8 (1 - \lambda)}
         + \frac{(m - 1) \eta \sigma^2}{4}

    The first term is the leading one in :math:`\eta`. Its factor :math:`1 / (1 - \lambda)` is our
    derivation; [1]_ gives the form for small :math:`\lambda`. The second is that of synaptic noise.

    References
    ----------
    .. [1] Pashakhanloo (2025), NeurIPS. https://arxiv.org/abs/2510.21588

    Examples
    --------
    >>> from neurodrift.simulate.synapses.oja import predict_drift_rate
    >>> rate = predict_drift_rate(
    ...     n_inputs=10, n_relevant=3, irrelevant_variance=0.2, learning_rate=0.02
    ... )
    >>> f"{rate:.1e}"
    '7.0e-07'
    """
    eta, lam, m = learning_rate, irrelevant_variance, n_relevant
    learning = eta**3 * lam**2 * (m - 1) * (n_inputs - m) / (8 * (1 - lam))
    return learning + (m - 1) * eta * synaptic_noise**2 / 4


def measure_drift_rate(relevant: np.ndarray, steps: np.ndarray) -> tuple[float, float]:
    r"""Drift rate from the rotation of the responses between neighbouring snapshots.

    Parameters
    ----------
    relevant
        (snapshot, unit, relevant input) weights of as many units as relevant inputs.
    steps
        (snapshot) updates made, evenly spaced.

    Returns
    -------
    rate : float
        D [1/step].
    se : float
        Its standard error over snapshots, which are independent once the rest has relaxed.

    Notes
    -----
    With :math:`Q_t` the rotation nearest to the weights (polar decomposition),
    :math:`c = \overline{\mathrm{tr}(Q_t^T Q_{t+L})} / m` and :math:`D = -\ln c / L`. Choose
    the lag L well above :math:`1 / \eta (1 - \lambda)` and below 1 / D: a lag so long that
    :math:`c \le 0` gives NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.synapses.oja import measure_drift_rate
    >>> turns = 0.1 * np.arange(4)
    >>> turned = [[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in turns]
    >>> round(measure_drift_rate(np.array(turned), np.arange(4))[0], 5)
    0.00501
    """
    u, _, v = np.linalg.svd(relevant)
    turn = u @ v
    lags = np.diff(steps)
    if not lags.size or np.ptp(lags) > 1:  # rounding of evenly spaced steps
        return math.nan, math.nan
    c = (turn[1:] * turn[:-1]).sum(axis=(1, 2)) / relevant.shape[-1]
    mean, lag = c.mean(), lags.mean()
    if mean <= 0:
        return math.nan, math.nan
    se = c.std(ddof=1) / math.sqrt(c.size) / mean / lag if c.size > 1 else math.nan
    return float(max(-math.log(mean), 0.0) / lag), float(se)

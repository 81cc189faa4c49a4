"""Settings of Hebbian similarity matching (``simulation: hebbian``)."""

from __future__ import annotations

import dataclasses
import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

import numpy as np
import xarray as xr

from neurodrift.schema.yaml import Place
from neurodrift.simulate.gradient.engine import Spacing
from neurodrift.simulate.hebbian.hebbian import MEASURES, HebbianRun, look_steps, train_hebbian
from neurodrift.simulate.hebbian.inputs import INPUTS, HebbianInputs
from neurodrift.simulate.hebbian.network import FixedPoint, HebbianNetwork, HebbianRule
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

_MOST_NUMBERS = 10**10  # 80 gigabytes in memory


@dataclass(frozen=True, kw_only=True)
class HebbianSettings:
    """Everything that decides what one run becomes; defaults are filled in, faults are refused.

    Parameters
    ----------
    label
        Free words, to tell groups of runs apart.
    seed
        Seed of first weights, order and noise.
    inputs, network, rule
        Options by name; the maker of the inputs is ``inputs["name"]``.
    n_steps, measures, snapshots, spacing, fixed_point, peak_threshold
        As for :func:`neurodrift.simulate.hebbian.hebbian.train_hebbian`.

    Raises
    ------
    ValueError
        If a value is impossible; all faults are listed.

    Examples
    --------
    >>> from neurodrift.simulate.hebbian.settings import HebbianSettings
    >>> settings = HebbianSettings(inputs={"name": "ring"}, network={"n_units": 20}, n_steps=100)
    >>> settings.rule["learning_rate"], settings.simulate().measures.sizes["step"]
    (0.02, 101)
    """

    kind: ClassVar[str] = "hebbian"

    label: str = ""
    seed: int = 0
    inputs: dict[str, Any] = dataclasses.field(default_factory=dict)
    network: dict[str, Any] = dataclasses.field(default_factory=dict)
    rule: dict[str, Any] = dataclasses.field(default_factory=dict)
    n_steps: int = 20_000
    measures: int | list[int] = 101
    snapshots: int | list[int] = 11
    spacing: Spacing = "linear"
    fixed_point: FixedPoint = "exact"
    peak_threshold: float = 0.05

    def __post_init__(self) -> None:
        refuse_faults(self)
        maker = self.inputs["name"]
        sections = {
            "inputs": {"name": maker} | complete(options_of(INPUTS[maker]), self.inputs),
            "network": complete(options_of(HebbianNetwork), self.network),
            "rule": complete(options_of(HebbianRule), self.rule),
        }
        for section, options in sections.items():
            object.__setattr__(self, section, options)
        make_integers(self, "seed", "n_steps", "measures", "snapshots")
        object.__setattr__(self, "peak_threshold", float(self.peak_threshold))
        self.check()

    @staticmethod
    def schema() -> dict[str, Any]:
        """JSON Schema of the settings, made from the options that the code has.

        Returns
        -------
        dict
            Draft 2020-12.

        Examples
        --------
        >>> from neurodrift.simulate.hebbian.settings import HebbianSettings
        >>> HebbianSettings.schema()["properties"]["rule"]["properties"]["forward_noise"]
        {'type': 'number', 'minimum': 0}
        """
        return dict(_schema())

    def check(self) -> None:
        """Raise one error with everything that no schema refuses.

        Raises
        ------
        ValueError
            If inputs, network, rule or steps cannot be made.
        """
        faults: list[tuple[Place, str]] = []

        def tried(key: str, make: Callable[[], Any]) -> Any:
            try:
                return make()
            except (ValueError, MemoryError) as error:
                faults.append(((key,), str(error).removeprefix(f"{key}: ")))
                return None

        inputs = tried("inputs", lambda: _made_inputs(self.inputs))
        network = tried("network", lambda: HebbianNetwork(**self.network))
        tried("rule", lambda: HebbianRule(**self.rule))
        for name in ("measures", "snapshots"):
            steps = tried(name, functools.partial(self.steps, name))
            if name == "snapshots" and None not in (inputs, network) and steps is not None:
                n_numbers = steps.size * network.n_units * (inputs.n_features + network.n_units)
                if n_numbers > _MOST_NUMBERS:
                    text = f"the snapshots of the weights are {n_numbers:.1e} numbers, too many"
                    faults.append(((name,), text))
        if faults:
            raise SettingsError(faults)

    def steps(self, which: str) -> np.ndarray:
        """Steps of ``measures`` or ``snapshots``.

        Parameters
        ----------
        which
            Of what.

        Returns
        -------
        numpy.ndarray
            Increasing numbers of updates made.
        """
        return look_steps(which, getattr(self, which), self.n_steps, self.spacing)

    def build(self) -> tuple[HebbianInputs, HebbianNetwork, HebbianRule]:
        """Inputs, network and plasticity, checked.

        Returns
        -------
        tuple
            Inputs, network and rule.

        Raises
        ------
        ValueError
            If an option is impossible.
        """
        return _made_inputs(self.inputs), HebbianNetwork(**self.network), HebbianRule(**self.rule)

    def outline(self) -> xr.Dataset:
        """What :meth:`HebbianRun.table` has at most.

        Returns
        -------
        xarray.Dataset
            Coordinates whole; values are placeholders.
        """
        linear = self.network["response"] == "linear"
        return _outline(tuple(self.steps("measures").tolist()), linear)

    def n_bytes(self) -> int:
        """Memory of the stored weights.

        Returns
        -------
        int
            Bytes at most.
        """
        inputs, network, _ = self.build()
        n_numbers = network.n_units * (inputs.n_features + network.n_units + 1)
        return 8 * n_numbers * self.steps("snapshots").size

    def simulate(self, *, checkpoint: str | os.PathLike[str] | None = None) -> HebbianRun:
        """Train the network.

        Parameters
        ----------
        checkpoint
            File to save the state to and to resume from.

        Returns
        -------
        HebbianRun
            The run.
        """
        self.check()
        inputs, network, rule = self.build()
        return train_hebbian(
            inputs,
            network=network,
            rule=rule,
            n_steps=self.n_steps,
            measures=self.measures,
            snapshots=self.snapshots,
            spacing=self.spacing,
            fixed_point=self.fixed_point,
            peak_threshold=self.peak_threshold,
            seed=self.seed,
            checkpoint=checkpoint,
        )

    def restore(self, groups: Mapping[str, xr.Dataset]) -> HebbianRun:
        """The run of which these groups were stored.

        Parameters
        ----------
        groups
            As :meth:`HebbianRun.groups` gave them.

        Returns
        -------
        HebbianRun
            As it was.
        """
        inputs, network, rule = self.build()
        weights = groups["weights"]
        return HebbianRun(
            inputs=inputs,
            network=network,
            rule=rule,
            seed=self.seed,
            measures=groups["measures"],
            snapshot_steps=weights["snapshot_step"].values,
            weights={name: weights[name].values for name in ("W", "M", "b")},
        )


def _made_inputs(options: Mapping[str, Any]) -> HebbianInputs:
    return INPUTS[options["name"]](**{n: v for n, v in options.items() if n != "name"})


@functools.lru_cache(maxsize=64)
def _outline(steps: tuple[int, ...], linear: bool) -> xr.Dataset:
    shared = ("loss", "pv_correlation", "rsm_change")
    empty = np.broadcast_to(np.nan, len(steps))
    variables: dict[str, Any] = {
        name: ("step", empty, {"long_name": text})
        for name, text in MEASURES.items()
        if name in shared or (name == "subspace_error") == linear
    }
    variables["snapshots_made"] = ((), 0, {"long_name": "snapshots before its end"})
    made = np.array(steps, dtype=np.int64)
    return xr.Dataset(variables, {"step": ("step", made, {"long_name": "updates made"})})


@functools.cache
def _schema() -> dict[str, Any]:
    return {
        "$schema": SCHEMA,
        "title": "neurodrift settings of a run of Hebbian similarity matching",
        "type": "object",
        "required": ["simulation", "inputs"],
        "additionalProperties": False,
        "properties": {
            "description": {"type": "string"},
            "simulation": {"const": "hebbian"},
            "label": {"type": "string"},
            "seed": {"type": "integer", "minimum": 0},
            "inputs": _inputs_schema(),
            "network": section_schema(options_of(HebbianNetwork)),
            "rule": section_schema(options_of(HebbianRule)),
            "n_steps": {"type": "integer", "minimum": 1},
            "measures": STEPS_SCHEMA,
            "snapshots": STEPS_SCHEMA,
            "spacing": {"enum": list(get_args(Spacing))},
            "fixed_point": {"enum": list(get_args(FixedPoint))},
            "peak_threshold": {"type": "number", "minimum": 0},
        },
    }


def _inputs_schema() -> dict[str, Any]:
    listed = {"type": ["array", "null"], "items": {"type": "number", "exclusiveMinimum": 0}}
    numbers = {name: dict(options_of(maker)) for name, maker in INPUTS.items()}
    numbers["psp"].pop("variances")  # a list, which the common schema does not know
    found = named_schema(numbers)
    found["allOf"][list(INPUTS).index("psp")]["then"]["properties"]["variances"] = listed
    return found

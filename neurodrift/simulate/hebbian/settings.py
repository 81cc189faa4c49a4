"""Settings of a run of Hebbian similarity matching: from YAML to a trained network."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, get_args

from neurodrift.schema.yaml import Place, Source, schema_faults
from neurodrift.simulate.gradient.engine import Spacing
from neurodrift.simulate.hebbian.hebbian import HebbianRun, look_steps, train_hebbian
from neurodrift.simulate.hebbian.inputs import INPUTS, HebbianInputs
from neurodrift.simulate.hebbian.network import FixedPoint, HebbianNetwork, HebbianRule
from neurodrift.simulate.settings.schema import (
    SCHEMA,
    complete,
    make_integers,
    named_schema,
    options_of,
    section_schema,
    settings_schema,
)

_MOST_NUMBERS = 10**10  # 80 gigabytes in memory


@dataclass(frozen=True, kw_only=True)
class HebbianSettings:
    """Everything that decides what one run becomes, with every default filled in.

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

    def simulate(self) -> HebbianRun:
        """Train the network.

        Returns
        -------
        HebbianRun
            The run.
        """
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
        )


def schema() -> dict[str, Any]:
    """JSON Schema of the settings, made from the options that the code has.

    Returns
    -------
    dict
        Draft 2020-12.

    Examples
    --------
    >>> from neurodrift.simulate.hebbian.settings import schema
    >>> schema()["properties"]["rule"]["properties"]["forward_noise"]
    {'type': 'number', 'minimum': 0}
    """
    steps = settings_schema()["properties"]["measures"]
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
            "measures": steps,
            "snapshots": steps,
            "spacing": {"enum": list(get_args(Spacing))},
            "fixed_point": {"enum": list(get_args(FixedPoint))},
            "peak_threshold": {"type": "number", "minimum": 0},
        },
    }


def settings_from_values(
    values: Mapping[str, Any], source: Source | None = None, place: Place = ()
) -> HebbianSettings:
    """Check plain values and fill in the defaults.

    Parameters
    ----------
    values
        As in a YAML file.
    source, place
        Where they stand, for errors.

    Returns
    -------
    HebbianSettings
        Complete settings.

    Raises
    ------
    ValueError
        If a key is unknown or a value impossible; all faults are listed.

    Examples
    --------
    >>> from neurodrift.simulate.hebbian.settings import settings_from_values
    >>> values = {"simulation": "hebbian", "inputs": {"name": "ring"}, "network": {"n_units": 20}}
    >>> settings = settings_from_values(values | {"n_steps": 100, "measures": 2})
    >>> settings.rule["learning_rate"], settings.simulate().measures.sizes["step"]
    (0.02, 2)
    """
    source = source or Source("the configuration")
    faults = schema_faults(values, schema(), place)
    if faults:
        raise source.error(faults)
    given = {n: v for n, v in values.items() if n not in ("description", "simulation")}
    maker = given["inputs"]["name"]
    given["inputs"] = {"name": maker} | complete(options_of(INPUTS[maker]), given["inputs"])
    given["network"] = complete(options_of(HebbianNetwork), given.get("network", {}))
    given["rule"] = complete(options_of(HebbianRule), given.get("rule", {}))
    make_integers(given, "seed", "n_steps", "measures", "snapshots")
    if "peak_threshold" in given:
        given["peak_threshold"] = float(given["peak_threshold"])
    settings = HebbianSettings(**given)
    _check(settings, source, place)
    return settings


def _check(settings: HebbianSettings, source: Source, place: Place) -> None:
    """Raise one error with everything that no schema says."""
    faults: list[tuple[Place, str]] = []

    def tried(key: str, make: Callable[[], Any]) -> Any:
        try:
            return make()
        except (ValueError, MemoryError) as error:
            faults.append(((*place, key), str(error).removeprefix(f"{key}: ")))
            return None

    inputs = tried("inputs", lambda: _made_inputs(settings.inputs))
    network = tried("network", lambda: HebbianNetwork(**settings.network))
    tried("rule", lambda: HebbianRule(**settings.rule))
    for name in ("measures", "snapshots"):
        wanted = getattr(settings, name)
        look = functools.partial(look_steps, name, wanted, settings.n_steps, settings.spacing)
        steps = tried(name, look)
        if name == "snapshots" and None not in (inputs, network) and steps is not None:
            n_numbers = steps.size * network.n_units * (inputs.n_features + network.n_units)
            if n_numbers > _MOST_NUMBERS:
                text = f"the snapshots of the weights are {n_numbers:.1e} numbers, too many"
                faults.append(((*place, name), text))
    if faults:
        raise source.error(faults)


def _made_inputs(options: Mapping[str, Any]) -> HebbianInputs:
    return INPUTS[options["name"]](**{n: v for n, v in options.items() if n != "name"})


def _inputs_schema() -> dict[str, Any]:
    listed = {"type": ["array", "null"], "items": {"type": "number", "exclusiveMinimum": 0}}
    numbers = {name: dict(options_of(maker)) for name, maker in INPUTS.items()}
    numbers["psp"].pop("variances")  # a list, which the common schema does not know
    found = named_schema(numbers)
    found["allOf"][list(INPUTS).index("psp")]["then"]["properties"]["variances"] = listed
    return found

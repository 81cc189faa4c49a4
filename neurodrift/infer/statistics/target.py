"""What a rule is inferred for: statistics of drift, whatever they are given as."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.infer.statistics.drift import drift_statistics
from neurodrift.schema.objects import expect_type

Source = xr.Dataset | xr.DataTree


@dataclass(frozen=True)
class Target:
    """Statistics of a target in the order of a prior.

    Parameters
    ----------
    value, se
        (statistic) with standard errors; NaN where it has none.
    name
        Whose they are.
    seen
        How much was seen: attributes of the statistics.
    """

    value: np.ndarray
    se: np.ndarray
    name: str
    seen: dict[str, Any] = field(default_factory=dict)


def target_of(source: Source, statistics: np.ndarray) -> Target:
    """Statistics of a target.

    Parameters
    ----------
    source
        The result of :func:`neurodrift.drift_statistics`, or what that takes: a recording, or
        results of :func:`neurodrift.analyze`.
    statistics
        Names that the prior has, in its order.

    Returns
    -------
    Target
        NaN for statistics of the prior that the target lacks.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If a statistic is there twice, or none of the prior's is there.
    """
    expect_type("target", source, (xr.Dataset, xr.DataTree), "statistics, a recording or results")
    table = _table(source)
    names = table["statistic"].values.astype(str)
    if len(set(names.tolist())) < names.size:
        raise ValueError("a statistic is twice in the target: expected each once")
    place = {name: i for i, name in enumerate(names.tolist())}
    shared = [name for name in statistics.tolist() if name in place]
    if not shared:
        raise ValueError(
            "target and prior have no statistic in common: were they made by one version of "
            "neurodrift?"
        )
    values = {key: np.full(statistics.size, np.nan) for key in ("value", "se")}
    for i, name in enumerate(statistics.tolist()):
        for key, found in values.items():
            if name in place and key in table:
                found[i] = float(table[key].values[place[name]])
    value = np.where(np.isfinite(values["value"]), values["value"], np.nan)
    return Target(value, values["se"], _name(table), {str(k): v for k, v in table.attrs.items()})


def _name(table: xr.Dataset) -> str:
    """Subject and environment where they are known."""
    words = [str(table[key].item()) for key in ("subject", "environment") if _is_one(table, key)]
    return ", ".join(word for word in words if word) or "the target"


def _is_one(table: xr.Dataset, key: str) -> bool:
    return key in table.coords and table[key].ndim == 0


def _table(source: Source) -> xr.Dataset:
    """The statistics themselves, or those of a recording or of results."""
    node = source.to_dataset() if isinstance(source, xr.DataTree) else source
    if "value" in node and node["value"].dims == ("statistic",):
        return node
    return drift_statistics(source)

"""One tree of results as the page reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.io.zarr import in_order
from neurodrift.report.words import plain_text
from neurodrift.schema import FORMAT_VERSION
from neurodrift.schema.results import RESULTS

NEEDED = ("sparsity", "drift", "sessions", "regression")
"""Nodes without which there is nothing to report."""

PREDICTORS = {
    "day": ("day", "a day"),
    "experience": ("experience [min]", "a minute of experience"),
    "training_step": ("training step", "a step"),
    "session_number": ("session number", "a session"),
}
"""How a predictor is written on an axis and in a sentence."""

LAGS = {
    "day": ("lag_day", "lag [days]"),
    "experience": ("lag_experience", "lag [min of experience]"),
    "training_step": ("lag_training_step", "lag [training steps]"),
    "session_number": ("lag", "lag [sessions]"),
}
"""Coordinate of pairs that goes with a predictor, and its axis."""


@dataclass(frozen=True)
class View:
    """Results of one recording, checked, with what many parts of the page ask for.

    Parameters
    ----------
    key
        Identifier in the page.
    name
        What the reader sees.
    tree
        Result of :func:`neurodrift.analyze`.
    """

    key: str
    name: str
    tree: xr.DataTree

    @cached_property
    def nodes(self) -> dict[str, xr.Dataset]:
        """Datasets by the name of their node, their variables in the order of the schema."""
        return {
            name: in_order(node.to_dataset(), RESULTS.get(name, ()))
            for name, node in self.tree.children.items()
        }

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """What :func:`neurodrift.analyze` was asked for."""
        return dict(json.loads(self.tree.attrs["parameters"]))

    @cached_property
    def source_attributes(self) -> dict[str, Any]:
        """Attributes of the recording."""
        return dict(json.loads(self.tree.attrs.get("recording", "{}")))

    @cached_property
    def sessions(self) -> pd.DataFrame:
        """One row for each session, in order, its label as the index."""
        node = self.nodes["sessions"]
        table = node.to_dataframe()[[str(name) for name in node.data_vars]]
        return table.sort_values("session_number") if "session_number" in table else table

    @property
    def labels(self) -> list[str]:
        """Labels of the sessions in order."""
        return [str(item) for item in self.sessions.index]

    @property
    def subject(self) -> str:
        """Animal or run."""
        return str(self.tree["subject"].item())

    @property
    def environment(self) -> str:
        """Environment or task."""
        return str(self.tree["environment"].item())

    @property
    def kind(self) -> str:
        """Kind of the activity."""
        return str(self.nodes["sparsity"].attrs.get("activity_kind", ""))

    @property
    def simulated(self) -> bool:
        """Whether sessions are snapshots of a network in training."""
        return "training_step" in self.sessions

    @property
    def noun(self) -> str:
        """What a unit is called: ``cell``, or ``unit`` of a network."""
        return "unit" if self.kind == "activation" else "cell"

    @property
    def n_units(self) -> int:
        """Units of the recording."""
        return int(self.nodes["sparsity"].sizes["unit"])

    @cached_property
    def predictors(self) -> list[str]:
        """What the measures were regressed on, the main one first."""
        known = [str(name) for name in self.nodes["regression"]["predictor"].values]
        return [name for name in PREDICTORS if name in known and name in self.sessions]

    @property
    def main_predictor(self) -> str:
        """The axis on which sessions are drawn first."""
        return self.predictors[0] if self.predictors else "session_number"

    @property
    def pairs(self) -> xr.Dataset:
        """Drift of the pairs of sessions, with the noise ceiling where there is one."""
        if not self.noisy:
            return self.nodes["drift"]
        return self.nodes.get("session_drift", self.nodes["drift"])

    @property
    def noisy(self) -> bool:
        """Whether activity has noise, so that halves of a session give a noise ceiling."""
        return self.kind != "activation"

    @property
    def counted(self) -> str:
        """Which units fractions are of: ``detected`` or ``registered``."""
        by_session = self.nodes["sparsity"].attrs.get("detection") == "each_session"
        return "registered" if by_session else "detected"

    @property
    def level(self) -> str:
        """Coverage of the intervals of slopes, in per cent."""
        return f"{100 * float(self.nodes['regression'].attrs.get('level', 0.95)):g}\u00a0%"

    def ceiling(self, measure: str) -> np.ndarray:
        """Similarity of two halves of each session; empty where halves were not compared.

        Parameters
        ----------
        measure
            A correlation of the drift.

        Returns
        -------
        numpy.ndarray
            (session), NaN where a session has none.
        """
        halves = self.nodes.get("session_drift")
        if halves is None or measure not in halves or not self.noisy:
            return np.empty(0)
        return np.diagonal(halves[measure].values).astype(float)

    def per(self, predictor: str) -> tuple[float, str]:
        """Steps of a predictor that a slope is written for, and how that is said."""
        if predictor != "training_step":
            return 1.0, PREDICTORS[predictor][1]
        last = float(self.sessions["training_step"].abs().max())
        steps = 10 ** int(np.floor(np.log10(last))) if last >= 1 else 1
        if steps == 1:
            return 1.0, "a step"
        return float(steps), f"per {steps:,} steps".replace(",", "\u202f")

    def slope(self, measure: str, predictor: str | None = None) -> dict[str, float] | None:
        """Slope of a measure with its interval.

        Parameters
        ----------
        measure
            Column of the sessions.
        predictor
            Column it was regressed on; the main one when omitted.

        Returns
        -------
        dict or None
            The variables of the node ``regression``; None where there is no slope.
        """
        fits, predictor = self.nodes["regression"], predictor or self.main_predictor
        if measure not in fits["measure"].values or predictor not in fits["predictor"].values:
            return None
        one = fits.sel(measure=measure, predictor=predictor)
        found = {str(name): float(array) for name, array in one.data_vars.items()}
        return found if np.isfinite(found["slope"]) else None


def finite_mean(values: np.ndarray) -> float:
    """Mean of the finite values, NaN where there are none."""
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else float("nan")


def views(results: xr.DataTree | Sequence[xr.DataTree] | Mapping[str, xr.DataTree]) -> list[View]:
    """Check results and give each a name of its own.

    Parameters
    ----------
    results
        One tree, several, or several by name.

    Returns
    -------
    list of View
        In the order given.

    Raises
    ------
    TypeError
        If something is no tree of results.
    ValueError
        If there are none, or a tree lacks what the report needs.
    """
    if isinstance(results, xr.DataTree):
        named: list[tuple[str | None, Any]] = [(None, results)]
    elif isinstance(results, Mapping):
        named = list(results.items())
    else:
        named = [(None, tree) for tree in results]
    if not named:
        raise ValueError("there are no results to report: pass at least one tree of analyze()")
    found: list[View] = []
    for i, (name, tree) in enumerate(named, start=1):
        check_results(tree, name or f"results {i}")
        own = name or f"{tree['subject'].item()} · {plain_text(str(tree['environment'].item()))}"
        taken = {view.name for view in found}
        unique, n = own, 2
        while unique in taken:
            unique, n = f"{own} ({n})", n + 1
        found.append(View(f"r{i}", unique, tree))
    return found


def check_results(tree: Any, name: str) -> None:
    """Refuse what is not the whole result of an analysis.

    Parameters
    ----------
    tree
        Anything.
    name
        How an error calls it.

    Raises
    ------
    TypeError
        If it is no tree.
    ValueError
        If its format version differs, or a node or attribute is missing.
    """
    if not isinstance(tree, xr.DataTree):
        raise TypeError(
            f"{name}: expected results (xarray.DataTree) of neurodrift.analyze, "
            f"got {type(tree).__name__}"
        )
    version = tree.attrs.get("format_version")
    if version != FORMAT_VERSION:
        raise ValueError(
            f"{name} has format version {version}, but this report reads {FORMAT_VERSION}: "
            "run neurodrift analyze on the recording again"
        )
    missing = [f"node {node!r}" for node in NEEDED if node not in tree.children]
    missing += [f"attribute {key!r}" for key in ("parameters",) if key not in tree.attrs]
    missing += [f"coordinate {key!r}" for key in ("subject", "environment") if key not in tree]
    if missing:
        raise ValueError(
            f"{name} lacks {', '.join(missing)}: a report needs the whole result of "
            "neurodrift analyze, made with this version"
        )

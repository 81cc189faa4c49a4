"""One stored study as its page reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.cohort.cohort import Cohort, gather_cohort
from neurodrift.cohort.pool import answers_of
from neurodrift.report.words import in_sentence, plain, title_of
from neurodrift.schema.words import listing

_KNOWN = {"subject", "environment", "state", "why", "warnings", "n_sessions", "n_units"}

AXES = {
    "day": "day",
    "experience": "experience [min]",
    "training_step": "training step",
    "session_number": "session",
    "fraction": "fraction of the way",
}
"""How an axis is written."""

LAGS = {
    "day": "lag [days]",
    "experience": "lag [min of experience]",
    "training_step": "lag [training steps]",
    "session_number": "lag [sessions]",
    "fraction": "lag [fraction of the way]",
}
"""How a lag along an axis is written."""


@dataclass(frozen=True, eq=False)
class StudyView:
    """A study, with what many parts of the page ask for.

    Parameters
    ----------
    tree
        As it is stored in ``study.zarr``.
    multiverse
        As it is stored in ``multiverse.zarr``, or None.
    links
        Where the report of a recording is, by the name of the recording.
    methods
        Paragraphs on the analysis of a recording with the keys of their papers, or None.
    outdated
        Whether there is a multiverse of other recordings, questions or options, which is not shown.
    """

    tree: xr.DataTree
    multiverse: xr.DataTree | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    methods: Any = None
    outdated: bool = False

    @property
    def title(self) -> str:
        """Its name."""
        return str(self.tree.attrs.get("study", "study"))

    @cached_property
    def answers(self) -> xr.Dataset:
        """The answers, in memory."""
        return answers_of(self.tree).load()

    @property
    def questions(self) -> list[str]:
        """The questions in their order."""
        return [str(question) for question in self.answers["question"].values]

    @property
    def variants(self) -> list[str]:
        """Ways in which each is answered."""
        return [str(variant) for variant in self.answers["variant"].values]

    @property
    def level(self) -> float:
        """Coverage of the intervals."""
        return float(self.tree.attrs["level"])

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """What :func:`neurodrift.pool_animals` was asked for."""
        return dict(json.loads(self.tree.attrs["parameters"]))

    @property
    def axis(self) -> str:
        """What the default questions are along."""
        return str(self.parameters["axis"])

    @cached_property
    def recordings(self) -> pd.DataFrame:
        """One row for each recording, those that failed among them."""
        node = self.tree["members"].to_dataset().load()
        table = node.to_dataframe().reset_index()
        lead = ["recording", "subject", "environment", *self.declared(table)]
        tail = ["n_sessions", "n_units", "state", "why", "warnings"]
        return table[[*lead, *(name for name in tail if name in table)]]

    @staticmethod
    def declared(table: pd.DataFrame) -> list[str]:
        """Columns of a table of recordings that are factors."""
        return [str(name) for name in table if name not in _KNOWN | {"recording"}]

    @cached_property
    def trees(self) -> dict[str, xr.DataTree]:
        """Results of the recordings by name, in the order of the study."""
        found = self.tree["recordings"].children
        order = [str(name) for name in self.recordings["recording"]]
        return {name: found[_step(name)] for name in order if _step(name) in found}

    @cached_property
    def cohort(self) -> Cohort:
        """The recordings as tables, with their factors."""
        table = self.recordings.set_index("recording")
        names = [n for n in self.parameters["factors"] if n in table]
        factors = {
            name: {f: _number(table.at[name, f]) for f in names}
            for name in self.trees
            if name in table.index
        }
        told = json.loads(self.tree.attrs.get("intervention", "null"))
        return gather_cohort(
            self.trees, factors if names else None, None if told is None else told["day"]
        )

    @cached_property
    def groups(self) -> dict[str, str]:
        """Group of each recording by the first factor that has groups of animals."""
        for name in self.cohort.declared:
            factor = self.cohort.factors[name]
            if factor.levels and not factor.within:
                return {key: str(value) for key, value in factor.values.items()}
        return {}

    @property
    def group_names(self) -> list[str]:
        """The groups in the order in which they are given; empty without groups."""
        return list(
            dict.fromkeys(self.groups[m.name] for m in self.members if m.name in self.groups)
        )

    @property
    def members(self) -> tuple[Any, ...]:
        """The recordings that were analysed."""
        return self.cohort.members

    @property
    def animals(self) -> list[str]:
        """The animals, or runs, in the order of the study."""
        return list(dict.fromkeys(m.replicate for m in self.members))


def _step(name: str) -> str:
    return name.replace("/", "∕")


def _number(value: Any) -> Any:
    """A factor as it was given: numbers are numbers, an empty text is none."""
    if value == "" or value is None:
        return None
    return value.item() if isinstance(value, np.generic) else value


def question_title(row: xr.Dataset) -> str:
    """A question in words.

    Parameters
    ----------
    row
        Answers to it.

    Returns
    -------
    str
        Such as ``Place cells over the days, by genotype``.
    """
    measure, kind, axis = (str(row[name].item()) for name in ("measure", "kind", "axis"))
    words = title_of(measure)
    if kind == "decay":
        words = f"Similarity by lag: {in_sentence(measure)}"
    elif kind == "slope":
        over = {"day": "the days", "session_number": "the sessions", "training_step": "training"}
        words += f" over {over.get(axis, plain(axis))}"
    elif kind == "intervention":
        words += " after the intervention"
    factors = [plain(name) for name in str(row["factors"].item()).split(", ") if name]
    return f"{words}, by {listing(factors)}" if factors else words


def variant_title(variant: str) -> str:
    """A variant of an answer in words.

    Parameters
    ----------
    variant
        Its name.

    Returns
    -------
    str
        Such as ``running speed held``.
    """
    known = {
        "raw": "as recorded",
        "matched": "equal footing",
        "given all": "all of these held",
        "mixed": "one slope for all",
    }
    if variant in known:
        return known[variant]
    return f"{in_sentence(variant.removeprefix('given '))} held"

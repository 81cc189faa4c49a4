"""The recordings of a cohort, and what is known of their animals: genotype, treatment, age."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from neurodrift.analysis.comparison.members import Member, gather
from neurodrift.cohort.questions import AXES, INTERVENTION
from neurodrift.schema.objects import names_in

if TYPE_CHECKING:
    from neurodrift.schema.types import Factors, Results

COVARIATES = ("running_speed", "events_per_unit", "running_time")
"""What is held by default: speed [cm/s], events of a unit, running time [min]."""

_INSTEAD = {"running_time": "tracked_time"}
_NO_MEASURE = ("session", "session_number", "fraction", "day", "experience", "training_step")


@dataclass(frozen=True, eq=False)
class Factor:
    """What tells animals, or recordings of an animal, apart.

    Parameters
    ----------
    name
        Its name.
    values
        Value of each recording by its name: a text, or a number; recordings whose value is not
        known are not there.
    levels
        The groups in the order in which they are given, the first one the reference; none where
        the factor is a number.
    within
        Whether it differs between recordings of an animal.
    """

    name: str
    values: dict[str, str | float]
    levels: tuple[str, ...]
    within: bool


@dataclass(frozen=True, eq=False)
class Cohort:
    """The recordings and what is known of them.

    Parameters
    ----------
    members
        The recordings.
    factors
        Factors by name; ``environment`` is always there.
    declared
        Names of the factors that were given.
    covariates
        Columns of the sessions that are held.
    starts
        Where on the axis the intervention begins, by the name of the recording.
    """

    members: tuple[Member, ...]
    factors: dict[str, Factor]
    declared: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    starts: dict[str, float] = field(default_factory=dict)

    @property
    def measures(self) -> list[str]:
        """Columns of the sessions that some recording has."""
        names = dict.fromkeys(str(name) for m in self.members for name in m.sessions)
        return [
            name
            for name in names
            if name not in _NO_MEASURE and any(m.has(name) for m in self.members)
        ]

    @property
    def similarities(self) -> list[str]:
        """Similarities of two sessions that some recording has."""
        names = dict.fromkeys(name for m in self.members for name in m.similarity)
        return [name for name in names if any(m.has(name) for m in self.members)]


def gather_cohort(
    results: Results,
    factors: Factors | None = None,
    intervention: float | Mapping[str, float] | None = None,
    covariates: Sequence[str] | None = None,
) -> Cohort:
    """The cohort of the results of several recordings.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze`: a mapping of names, or a list.
    factors
        Of each recording, or of each animal, by name: columns of texts (groups) or numbers.
    intervention
        Where it begins on the axis, for all or by the name of the recording or of the animal.
    covariates
        Columns of the sessions that are held; those of :data:`COVARIATES` that there are when
        omitted.

    Returns
    -------
    Cohort
        The recordings with what is known of them.

    Raises
    ------
    ValueError
        If a name is not one of the recordings or animals, or a covariate is in no recording.
    """
    members = tuple(gather([results], ["cohort"]))
    table = _table(members, factors)
    found = {"environment": _factor("environment", members, [m.environment for m in members])}
    for name in map(str, table):
        if name in AXES or name == INTERVENTION:
            raise ValueError(
                f"a factor is called {name!r}, which is a term of questions: rename it"
            )
        found[name] = _factor(name, members, list(table[name]))
    cohort = Cohort(members, found, tuple(map(str, table)))
    chosen = _covariates(cohort, covariates)
    return Cohort(members, found, tuple(map(str, table)), chosen, _starts(members, intervention))


def _table(members: Sequence[Member], factors: Factors | None) -> pd.DataFrame:
    """One row a recording, in order, a column for each factor."""
    names = [m.name for m in members]
    if factors is None:
        return pd.DataFrame(index=names)
    if isinstance(factors, pd.DataFrame):
        given = factors
    elif isinstance(factors, Mapping) and all(isinstance(v, Mapping) for v in factors.values()):
        given = pd.DataFrame.from_dict(
            {key: dict(value) for key, value in factors.items()}, orient="index"
        )
    else:
        raise TypeError(
            f"factors is a {type(factors).__name__}, expected a table indexed by recording or "
            "animal, or a mapping of names to mappings, such as {'mouse 1': {'genotype': 'wt'}}"
        )
    given = given.rename(index=str)
    if not given.index.is_unique:
        twice = given.index[given.index.duplicated()][0]
        raise ValueError(f"factors has {twice!r} twice: give one row for each")
    known = dict.fromkeys(name for m in members for name in (m.name, m.replicate, m.subject))
    unknown = [name for name in given.index if name not in known]
    if unknown:
        raise ValueError(
            f"factors has {', '.join(map(repr, unknown))}, which is no recording and no animal; "
            f"recordings are {', '.join(names)}"
        )
    rows = [
        next((n for n in (m.name, m.replicate, m.subject) if n in given.index), None)
        for m in members
    ]
    columns = {
        str(name): [None if row is None else given.at[row, name] for row in rows] for name in given
    }
    return pd.DataFrame(columns, index=names, dtype=object)


def _factor(name: str, members: Sequence[Member], column: list[object]) -> Factor:
    told = {m.name: v for m, v in zip(members, column, strict=True) if not _missing(v)}
    number = all(
        isinstance(v, int | float | np.number) and not isinstance(v, bool | np.bool_)
        for v in told.values()
    )
    values: dict[str, str | float] = {
        key: float(v) if number else str(v)  # type: ignore[arg-type]
        for key, v in told.items()
    }
    by_animal: dict[str, set[str | float]] = {}
    for m in members:
        if m.name in values:
            by_animal.setdefault(m.replicate, set()).add(values[m.name])
    within = any(len(own) > 1 for own in by_animal.values())
    levels = () if number else tuple(dict.fromkeys(str(v) for v in values.values()))
    return Factor(name, values, levels, within)


def _missing(value: object) -> bool:
    return value is None or value == "" or bool(pd.isna(value))  # type: ignore[call-overload]


def _covariates(cohort: Cohort, given: Sequence[str] | None) -> tuple[str, ...]:
    if given is None:
        wanted = [
            name if any(m.has(name) for m in cohort.members) else _INSTEAD.get(name, name)
            for name in COVARIATES
        ]
        return tuple(name for name in wanted if _varies(cohort.members, name))
    chosen = names_in("covariates", given)
    unknown = [name for name in chosen if not any(m.has(name) for m in cohort.members)]
    if unknown:
        raise ValueError(
            f"no recording has the covariate {unknown[0]!r}; there are {', '.join(cohort.measures)}"
        )
    return tuple(dict.fromkeys(chosen))


def _varies(members: Sequence[Member], name: str) -> bool:
    """Whether a column differs between the sessions of some recording."""
    for member in members:
        values = member.column(name)
        values = values[np.isfinite(values)]
        if values.size > 1 and np.ptp(values) > 1e-9 * np.abs(values).max():
            return True
    return False


def _starts(
    members: Sequence[Member], given: float | Mapping[str, float] | None
) -> dict[str, float]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return {m.name: float(given) for m in members}
    known = {name for m in members for name in (m.name, m.replicate, m.subject)}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ValueError(
            f"intervention has {unknown[0]!r}, which is no recording and no animal; recordings are "
            f"{', '.join(m.name for m in members)}"
        )
    found = {}
    for m in members:
        name = next((n for n in (m.name, m.replicate, m.subject) if n in given), None)
        if name is not None:
            found[m.name] = float(given[name])
    return found

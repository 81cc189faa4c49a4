"""What a study leaves in its folder: one tree, tidy tables, one report."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.analysis.regression.tables import tabulate_drift, tabulate_sessions
from neurodrift.cohort.pool import pool_animals, tabulate_answers
from neurodrift.io.tables import tidy
from neurodrift.studies.folder import TREE
from neurodrift.studies.one import Made, results_path
from neurodrift.studies.plan import Plan
from neurodrift.studies.recordings import Planned, Recordings
from neurodrift.studies.universes import without_units

_LABELS = ("subject", "environment", "session", "session_a", "session_b", "session_number", "day")
"""First columns of tables; the others by name, since a store does not keep their order."""


def write_study(plan: Plan, cohort: Recordings, made: Sequence[Made], folder: Path) -> xr.DataTree:
    """Pool the recordings of a study, and write the tree and the tables.

    Parameters
    ----------
    plan, cohort, made
        The study, its recordings, and what came of each.
    folder
        Its folder.

    Returns
    -------
    xarray.DataTree
        As it is stored in ``study.zarr``.
    """
    from neurodrift.io.zarr import open_results, save_results

    well = {one.name for one in made if one.state != "failed"}
    recordings = [one for one in cohort.recordings if one.name in well]
    trees = {one.name: open_results(results_path(folder, one)) for one in recordings}
    pooled = pooled_of(plan, recordings, trees)
    tables = tables_of(plan, cohort, made, trees, pooled)
    write_tables(tables, folder / "tables")
    nodes: dict[str, Any] = {"/": xr.Dataset(attrs=pooled.attrs | _about(plan, cohort, made))}
    nodes |= {f"/{name}": node.to_dataset() for name, node in pooled.children.items()}
    nodes["/members"] = _as_node(tables["recordings"])
    for name, tree in trees.items():
        small = without_units(tree)
        nodes[f"/recordings/{_safe(name)}"] = small.to_dataset().assign_attrs(tree.attrs)
        for key, node in small.children.items():
            nodes[f"/recordings/{_safe(name)}/{key}"] = node.to_dataset(inherit=False)
    found = xr.DataTree.from_dict(nodes)
    save_results(found, folder / TREE, overwrite=True)
    return found


def pooled_of(
    plan: Plan, recordings: Sequence[Planned], trees: Mapping[str, xr.DataTree]
) -> xr.DataTree:
    """The answers of a study's animals.

    Parameters
    ----------
    plan, recordings
        The study and its recordings.
    trees
        Results by the name of the recording.

    Returns
    -------
    xarray.DataTree
        From :func:`neurodrift.pool_animals`.
    """
    return pool_animals(
        dict(trees),
        factors=factors_of(recordings, trees),
        questions=None if plan.questions is None else list(plan.questions),
        axis=plan.axis,
        intervention=intervention_of(plan),
        covariates=None if plan.covariates is None else list(plan.covariates),
        level=plan.level,
        correction="none" if plan.correction == "none" else "holm",
    )


def factors_of(
    recordings: Sequence[Planned], among: Mapping[str, Any]
) -> dict[str, dict[str, Any]] | None:
    """Factors of recordings, by the recording's name.

    Parameters
    ----------
    recordings
        All of a study.
    among
        Names of those that count.

    Returns
    -------
    dict or None
        None where there are none.
    """
    found = {one.name: dict(one.factors) for one in recordings if one.name in among}
    return found if any(found.values()) else None


def intervention_of(plan: Plan) -> Any:
    """Where the intervention of a study begins, None without one.

    Parameters
    ----------
    plan
        The study.

    Returns
    -------
    float, mapping or None
        A day, or days by animal.
    """
    return None if plan.intervention is None else plan.intervention["day"]


def tables_of(
    plan: Plan,
    cohort: Recordings,
    made: Sequence[Made],
    trees: Mapping[str, xr.DataTree],
    pooled: xr.DataTree,
) -> dict[str, pd.DataFrame]:
    """Tidy tables of a study.

    Parameters
    ----------
    plan, cohort, made
        The study, its recordings, and what came of each.
    trees, pooled
        Results by the name of the recording, and the answers.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``answers`` and ``animals`` of the questions, ``recordings``, ``sessions`` and ``pairs`` of
        sessions of every recording, each with the factors.
    """
    names = list(dict.fromkeys(name for one in cohort.recordings for name in one.factors))
    of = {one.name: one for one in cohort.recordings}
    rows = [
        {
            "recording": one.name,
            "subject": of[one.name].subject,
            "environment": of[one.name].environment,
            **{name: of[one.name].factors.get(name, "") for name in names},
            "state": "failed" if one.state == "failed" else "analysed",
            "why": one.text,
            "warnings": "; ".join(one.warned),
            **_sizes(trees.get(one.name)),
        }
        for one in made
    ]
    tables = {"recordings": pd.DataFrame(rows), "answers": tabulate_answers(pooled)}
    tables["animals"] = _animals(pooled)
    for name, tabulate in (("sessions", tabulate_sessions), ("pairs", tabulate_drift)):
        parts = [pd.DataFrame({"recording": np.array([], dtype=object)})]
        for key, tree in trees.items():
            if name == "pairs" and not {"session_drift", "drift"} & {*tree.children}:
                continue  # of one session
            part = tabulate(tree)
            lead = {"recording": key} | {f: of[key].factors.get(f, "") for f in names}
            part = part.assign(**{n: v for n, v in lead.items() if n not in part})
            first = [n for n in (*lead, *_LABELS) if n in part]
            parts.append(part[[*first, *sorted({str(n) for n in part} - set(first))]])
        tables[name] = pd.concat(parts[1:] or parts, ignore_index=True)
    for table in tables.values():
        for name in {*names} & {*table}:
            table[name] = _alike(table[name])
    return tables


def _sizes(tree: xr.DataTree | None) -> dict[str, Any]:
    if tree is None:
        return {"n_sessions": 0, "n_units": 0}
    sizes: dict[str, int] = {}
    for node in tree.children.values():
        sizes |= {str(name): n for name, n in node.sizes.items()}
    return {"n_sessions": sizes.get("session", 0), "n_units": sizes.get("unit", 0)}


def _animals(pooled: xr.DataTree) -> pd.DataFrame:
    node = pooled["animals"].to_dataset()
    table = tidy(node).drop(columns=list(node.sizes), errors="ignore")
    table = table.rename(columns={"animal_question": "question", "animal_variant": "variant"})
    lead = ["question", "variant", "subject", "group"]
    return table[[*lead, *(name for name in table if name not in lead)]]


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write tables as CSV, and as Parquet where pyarrow is installed.

    Parameters
    ----------
    tables
        Tables by their name.
    folder
        Where they go.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    from neurodrift.io.tables import write_table

    endings = [".csv", *([".parquet"] if importlib.util.find_spec("pyarrow") else [])]
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_table(table, folder / f"{name}{ending}", overwrite=True)
        for name, table in tables.items()
        for ending in endings
    ]


def _about(plan: Plan, cohort: Recordings, made: Sequence[Made]) -> dict[str, Any]:
    from neurodrift._version import __version__

    return {
        "title": "neurodrift results",
        "study": plan.title,
        "neurodrift_version": __version__,
        "asked": plan.asked,
        "analysis": json.dumps({n: v for n, v in plan.analysis.items()}, default=str),
        "intervention": json.dumps(plan.intervention),
        "notes_of_files": json.dumps(list(cohort.notes), ensure_ascii=False),
        "failed": json.dumps({m.name: m.text for m in made if m.state == "failed"}),
    }


def _as_node(table: pd.DataFrame) -> xr.Dataset:
    columns = {str(name): ("recording", table[name].to_numpy()) for name in table}
    labels = columns.pop("recording")
    return xr.Dataset(columns, coords={"recording": labels})


def _alike(column: pd.Series) -> np.ndarray:
    """Values of one kind; numbers beside words are words."""
    if column.dtype != object or column.map(lambda value: isinstance(value, str)).all():
        return column.to_numpy()
    return column.map(str).to_numpy(dtype=object)


def _safe(name: str) -> str:
    """A name as one step of a path in a tree."""
    return name.replace("/", "∕")

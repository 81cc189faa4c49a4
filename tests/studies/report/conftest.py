"""Stored studies of synthetic mice with known numbers, made without any analysis."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurodrift import pool_animals
from neurodrift.schema import FORMAT_VERSION
from neurodrift.studies.report.view import StudyView
from neurodrift.testing import results_of

DAY = 2.0 * np.arange(6)


def _mouse(rng, subject, environment="A", *, day=DAY, slope=-0.01, information=0.05):
    """One recording whose place cells fall and whose information rises."""
    n = day.size
    apart = np.abs(day[:, None] - day[None, :])
    place = 0.5 + slope * day + rng.normal(0, 0.01, n)
    told = 1 + information * day + rng.normal(0, 0.05, n)
    return results_of(
        {
            "day": day,
            "running_speed": 12 + rng.normal(0, 1, n),
            "events_per_unit": 40 + rng.normal(0, 3, n),
            "running_time": 10 + rng.normal(0, 1, n),
            "fraction_place_cells": place,
            "fraction_place_cells_matched": 0.8 * place + rng.normal(0, 0.01, n),
            "information": told,
        },
        relative=np.exp(-0.05 * apart) + rng.normal(0, 0.01, (n, n)),
        subject=subject,
        environment=environment,
    )


def _mice(n, *, environments="A", seed=0, **options):
    rng = np.random.default_rng(seed)
    return {f"m{i} {e}": _mouse(rng, f"m{i}", e, **options) for i in range(n) for e in environments}


def _study(trees, *, factors=None, title="Some mice", failed=None, warned=None, **options):
    """What :func:`neurodrift.studies.written.write_study` stores of these results."""
    told = options.get("intervention")
    options.setdefault(
        "questions",
        [
            "fraction_place_cells ~ day",
            "information ~ day",
            "decay of rate_map_correlation_relative ~ day",
        ],
    )
    pooled = pool_animals(trees, factors=factors, **options)
    failed, warned = failed or {}, warned or {}
    names = [*trees, *failed]
    columns = {
        "recording": names,
        "subject": [str(trees[n]["subject"].item()) if n in trees else "" for n in names],
        "environment": [str(trees[n]["environment"].item()) if n in trees else "" for n in names],
    }
    for factor in dict.fromkeys(f for own in (factors or {}).values() for f in own):
        columns[factor] = [
            factors.get(name, factors.get(subject, {})).get(factor, "")
            for name, subject in zip(names, columns["subject"], strict=True)
        ]
    columns |= {
        "state": ["failed" if n in failed else "analysed" for n in names],
        "why": [failed.get(n, "") for n in names],
        "warnings": [warned.get(n, "") for n in names],
        "n_sessions": [trees[n]["sessions"].sizes["session"] if n in trees else 0 for n in names],
        "n_units": [50 if n in trees else 0 for n in names],
    }
    table = pd.DataFrame(columns)
    about = {
        "title": "neurodrift results",
        "study": title,
        "neurodrift_version": "0.0",
        "analysis": json.dumps({"track": [0, 96]}),
        "intervention": json.dumps(None if told is None else {"day": told, "what": "lesion"}),
        "notes_of_files": json.dumps(["x.nwb: passed over"]),
        "failed": json.dumps(failed),
    }
    nodes = {"/": xr.Dataset(attrs=pooled.attrs | about)}
    nodes |= {f"/{name}": node.to_dataset() for name, node in pooled.children.items()}
    labels = table.pop("recording").to_numpy(object)
    members = {str(n): ("recording", table[n].to_numpy()) for n in table}
    nodes["/members"] = xr.Dataset(members, coords={"recording": labels})
    for name, tree in trees.items():
        step = name.replace("/", "∕")
        nodes[f"/recordings/{step}"] = tree.to_dataset()
        nodes |= {
            f"/recordings/{step}/{key}": node.to_dataset(inherit=False)
            for key, node in tree.children.items()
        }
    return xr.DataTree.from_dict(nodes)


def _multiverse(names, *, p_median=0.008, smallest_p=0.0005, fault=""):
    """Six ways, of which the last one failed; in five place cells rise, in four significantly."""
    levels = list(itertools.product(("2 cm", "4 cm", "8 cm"), ("1 cm/s", "5 cm/s")))
    relative = np.array([0.1, 0.2, 0.3, 0.25, 0.12, np.nan])
    p = np.array([0.2, 0.01, 0.01, 0.01, 0.04, np.nan])
    questions = np.array(["fraction_place_cells ~ day"], dtype=object)
    way = ("universe", "question")

    def column(values):
        return way, np.asarray(values, dtype=float)[:, None]

    faults = np.array([""] * 5 + [fault or "m0: no laps <b>"], dtype=object)
    curve = xr.Dataset(
        {
            "estimate": column(relative / 10),
            "se": column(np.full(6, 0.01)),
            "dof": column(np.full(6, 5.0)),
            "ci_low": column(relative / 10 - 0.01),
            "ci_high": column(relative / 10 + 0.01),
            "p": column(p),
            "relative": column(relative),
            "relative_low": column(relative - 0.1),
            "relative_high": column(relative + 0.1),
            "n_animals": column(np.full(6, 6.0)),
            "reason": (way, np.array([[""]] * 6, dtype=object)),
            "fault": ("universe", faults),
        },
        coords={
            "universe": np.arange(6),
            "question": questions,
            "choice_bin_width": ("universe", np.array([a for a, _ in levels], dtype=object)),
            "choice_speed": ("universe", np.array([b for _, b in levels], dtype=object)),
        },
    )
    numbers = {
        "median": 0.2,
        "lowest": 0.1,
        "highest": 0.3,
        "share_same_sign": 1.0,
        "share_significant": 0.8,
        "share_against": 0.0,
        "n_universes": 5,
        "n_failed": 1,
        "p_median": p_median,
        "p_share": 0.01,
        "p_mean_z": 0.01,
        "n_permutations": 64,
        "smallest_p": smallest_p,
    }
    conclusions = xr.Dataset(
        {name: ("question", np.array([value])) for name, value in numbers.items()}
        | {"permuted": ("question", np.array(["signs of animals"], dtype=object))},
        coords={"question": questions},
    )
    labels = [f"bin_width: {a}" for a in ("2 cm", "4 cm", "8 cm")]
    labels += [f"speed: {b}" for b in ("1 cm/s", "5 cm/s")]
    influence = xr.Dataset(
        {
            "share_of_spread": (("question", "choice"), np.array([[0.54, 0.1]])),
            "level_mean": (("question", "level"), np.array([[0.15, 0.27, 0.12, 0.2, 0.2]])),
        },
        coords={
            "question": questions,
            "choice": np.array(["bin_width", "speed"], dtype=object),
            "level": np.array(labels, dtype=object),
        },
    )
    nodes = {"curve": curve, "conclusions": conclusions, "influence": influence}
    tree = xr.DataTree.from_dict(nodes)
    tree.attrs = {
        "title": "neurodrift results",
        "format_version": FORMAT_VERSION,
        "level": 0.95,
        "n_permutations": 2000,
        "recordings": json.dumps(list(names)),
    }
    return tree


@pytest.fixture(scope="session")
def mice():
    """Results of so many mice by name."""
    return _mice


@pytest.fixture(scope="session")
def study_of():
    """A stored study of results."""
    return _study


@pytest.fixture(scope="session")
def ways_of():
    """A multiverse of recordings with these names."""
    return _multiverse


@pytest.fixture(scope="session")
def view_of():
    """A study as the page reads it."""

    def made(trees, multiverse=None, links=None, **options):
        return StudyView(_study(trees, **options), multiverse, links or {})

    return made

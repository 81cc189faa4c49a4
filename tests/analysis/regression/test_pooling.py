from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neurodrift import compute_sparsity, tabulate_sessions, testing
from neurodrift.analysis.regression.regression import regress
from neurodrift.analysis.regression.tables import pool_sessions


def table(subject: str, environment: str, sessions: list[int], seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = len(sessions)
    detected = rng.integers(20, 60, n)
    active = detected - rng.integers(0, 10, n)
    return pd.DataFrame(
        {
            "subject": subject,
            "environment": environment,
            "session": sessions,
            "n_detected": detected,
            "n_active": active,
            "n_place_cells": rng.integers(1, 9, n),
            "information_ssr": np.where(rng.random(n) < 0.2, np.nan, rng.random(n)),
        }
    )


def test_pool_sessions__every_cell_counts_once() -> None:
    tables = [
        table("bon", "A", [1, 2, 3, 10], 0),
        table("bon", "B", [1, 2], 1),
        table("ten", "A", [1, 2, 3], 2),
    ]
    found = pool_sessions(tables)
    labels = [("bon", "1"), ("bon", "2"), ("bon", "3"), ("bon", "10")]
    labels += [("ten", "1"), ("ten", "2"), ("ten", "3")]
    assert list(zip(found["subject"], found["session"], strict=True)) == labels
    for row in found.itertuples():
        cells = []  # one entry for each cell: place cell or not, and each place cell's information
        information = []
        for part in tables:
            for item in part.itertuples():
                if (item.subject, str(item.session)) == (row.subject, row.session):
                    cells += [True] * item.n_place_cells
                    cells += [False] * (item.n_detected - item.n_place_cells)
                    information += [item.information_ssr] * item.n_place_cells
        assert row.n_detected == len(cells)
        assert row.fraction_place_cells == pytest.approx(np.mean(cells))
        known = [value for value in information if np.isfinite(value)]
        expected = np.mean(known) if known else np.nan
        assert row.information_ssr == pytest.approx(expected, nan_ok=True)


def test_pool_sessions__tables_of_recordings() -> None:
    recordings = [
        testing.linear_track(n_units=5, n_sessions=2, minutes=1, seed=i).assign_coords(
            environment=name
        )
        for i, name in enumerate("AB")
    ]
    found = pool_sessions([tabulate_sessions(item, compute_sparsity(item)) for item in recordings])
    assert found["n_environments"].tolist() == [2, 2]
    assert "fraction_place_cells" not in found and "fraction_active_units" in found


def test_pool_sessions__faults() -> None:
    one = table("bon", "A", [1, 2], 0)
    with pytest.raises(ValueError, match="session '1' of bon in A occurs twice"):
        pool_sessions([one, one])
    with pytest.raises(ValueError, match="table 1 has no column n_detected"):
        pool_sessions([one, one.drop(columns="n_detected")])
    with pytest.raises(ValueError, match="no table given"):
        pool_sessions([])


def test_pool_sessions__is_descriptive_and_the_animal_is_the_unit() -> None:
    tables = [table(name, e, [1, 2, 3, 4], k) for k, (name, e) in enumerate(_ANIMALS)]
    pooled = pool_sessions(tables)
    assert pooled.attrs["use"].startswith("descriptive")
    pooled["session_number"] = pooled.groupby("subject").cumcount()
    fit = regress(
        pooled, "fraction_active_units", "session_number", method="subjects", subject="subject"
    )
    assert fit.attrs["inference"].startswith("animals: 3 subjects") and fit["dof"][1] == 2
    assert fit.attrs["use"] == pooled.attrs["use"]
    with pytest.warns(UserWarning, match="3 subjects, whose rows are taken as if"):
        one = regress(pooled, "fraction_active_units", "session_number")
    assert "nothing on other animals" in one.attrs["inference"]


_ANIMALS = [(name, e) for name in ("bon", "ten", "fra") for e in "AB"]

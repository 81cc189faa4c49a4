"""Tables of registered units, read row by row."""

from __future__ import annotations

import numpy as np
import pytest

from neurodrift.convert.pipelines.registration import (
    Registration,
    registered_ids,
    registration_from_table,
)
from neurodrift.gate.inputs import Activity


def literal_rows(table, count_from):
    """Rows with any unit, counted from 0, -1 where there is none; and which rows these are."""
    rows, kept = [], []
    for number, given in enumerate(table):
        row = [-1 if np.isnan(one) or one < count_from else int(one) - count_from for one in given]
        if any(one >= 0 for one in row):
            rows.append(row)
            kept.append(number)
    return rows, kept


@pytest.mark.parametrize(
    ("table", "count_from"),
    [
        ([[1, 0, 3], [0, 0, 0], [2, 2, 0], [0, 1, 1]], 1),
        ([[1, np.nan], [np.nan, np.nan], [2, 1]], 1),
        ([[0, -1], [-1, -1], [1, 0], [2, 1]], 0),
    ],
)
def test_registration_from_table__row_by_row(table, count_from):
    score = np.arange(len(table)) / 10
    found = registration_from_table(table, count_from=count_from, source="map", score=score)
    rows, kept = literal_rows(table, count_from)
    assert found.table.tolist() == rows
    assert found.score.tolist() == [score[k] for k in kept]


@pytest.mark.parametrize("refers_to", ["source", "kept"])
def test_registered_ids__unit_by_unit(refers_to):
    # of 6 units in the source those in rows 0, 2, 3 and 5 were kept
    kept = np.array([0, 2, 3, 5])
    activity = Activity(
        kind="spikes", source="sorter", times=[np.zeros(1)] * 4, rows=kept, n_source=6
    )
    table = np.array([[3, 1], [-1, 0], [0, -1], [1, 1]])
    registration = Registration(table=table, source="map", refers_to=refers_to)
    ids, findings = registered_ids(registration, 0, activity)
    expected = []
    for place, row in enumerate(kept.tolist()):
        counted = row if refers_to == "source" else place
        named = [k for k in range(4) if table[k, 0] == counted]
        expected.append(named[0] if named else -1)
    assert ids.tolist() == expected
    n_lost = sum(row >= 0 for row in table[:, 0]) - sum(one >= 0 for one in expected)
    assert any("not among those kept" in finding.text for finding in findings) == (n_lost > 0)

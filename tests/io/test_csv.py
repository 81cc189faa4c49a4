"""Tables are data, also to a spreadsheet."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd

from neurodrift.io.csv import csv_text


def test_csv_text__no_cell_is_a_formula():
    bad = ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]
    frame = pd.DataFrame({"=session": bad, "n": [-1, 2, 3, 4, 5, 6], "x": np.linspace(-1, 1, 6)})
    read = pd.read_csv(io.StringIO(csv_text(frame)))
    assert read.columns.tolist() == ["'=session", "n", "x"]
    assert read["'=session"].tolist() == [f"'{text}".replace("\r", " ") for text in bad]
    assert read["n"].tolist() == frame["n"].tolist()  # numbers stay numbers
    np.testing.assert_allclose(read["x"], frame["x"])


def test_csv_text__all_else_is_as_pandas_writes_it():
    frame = pd.DataFrame(
        {
            "label": ["a", "b,c", 'd"e'],
            "mixed": [1, "=x", None],
            "when": pd.to_datetime(["2026-01-01"] * 3),
            "flag": [True, False, True],
        }
    )
    plain = frame.to_csv(index=False, lineterminator="\n")
    assert csv_text(frame) == plain.replace("=x", "'=x")
    assert csv_text(frame[["label", "when"]].iloc[:0]) == "label,when\n"
    doubled = pd.DataFrame([["=a", -1]], columns=["c", "c"])
    assert csv_text(doubled) == "c,c\n'=a,-1\n"

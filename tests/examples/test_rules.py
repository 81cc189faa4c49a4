"""The small prior that is stored beside the examples."""

from __future__ import annotations

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.examples.rules import FILE, RUNS, read_prior


def test_read_prior__is_small_and_whole():
    prior = read_prior()
    names, counts = np.unique(prior["rule"].values.astype(str), return_counts=True)
    assert names.size == 5 and (counts == RUNS).all() and FILE.stat().st_size < 300_000
    assert prior["weight"].max() == 1 and (prior["speed"] > -1e-5).all()
    has_dose = np.isfinite(prior["dose"].values)
    assert set(prior["rule"].values[has_dose]) == {"label noise", "update noise"}
    assert np.isfinite(prior["value"]).mean() > 0.5


def test_read_prior__some_rules_can_be_told_apart():
    pytest.importorskip("sklearn")
    found = nd.calibrate_inference(read_prior(), matched=False, sensitivity=False)
    accuracy = found["rules"]["accuracy"]
    assert accuracy.sel(rule="label noise") > 0.85
    pairs = found["pairs"].to_dataset().set_index(pair=["rule_a", "rule_b"])["accuracy"]
    assert pairs.sel(pair=("adam", "rmsprop")).item() < 0.75
    assert pairs.sel(pair=("adam", "label noise")).item() > 0.9
    assert found["rules"]["false_alarms"].mean() == pytest.approx(0.05, abs=0.05)

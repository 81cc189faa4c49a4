from __future__ import annotations

import numpy as np
import pytest

from neurodrift.infer.classifier.runs import runs_of
from neurodrift.infer.classifier.scale import fit_scale
from neurodrift.infer.doubt.recovered import fit_parameter
from tests.infer.clouds import table


def test_fit_parameter__intervals_cover():
    runs = runs_of(table(n=400, rules=("label_noise", "update_noise"), dose_noise=0.5))
    features = fit_scale(runs, runs.statistic.tolist()).features(runs.value)
    dose = runs.parameters["dose"]
    half = np.arange(800) % 2 == 0
    fitted = fit_parameter(features[half], dose[half], runs.some(half), "update_noise")
    others = np.flatnonzero(~half & (runs.rule == "update_noise"))
    ends = [fitted.interval(features[i], 0.8) for i in others]
    covered = np.mean(
        [low <= dose[i] <= high for i, (_, low, high) in zip(others, ends, strict=True)]
    )
    assert 0.7 < covered < 0.9  # 0.8 within three standard errors of 200 runs
    assert fitted.r2 == pytest.approx(1 - np.var(fitted.residuals) / np.var(fitted.truth), abs=0.02)


def test_fit_parameter__ridge_against_a_literal_one():
    runs = runs_of(table(n=40, rules=("label_noise", "update_noise")))
    features = fit_scale(runs, runs.statistic.tolist()).features(runs.value)
    dose = runs.parameters["dose"]
    own = runs.rule == "label_noise"
    fitted = fit_parameter(features, dose, runs, "label_noise")
    x, y = features[own] - features[own].mean(axis=0), np.log10(dose[own])
    losses = {}
    for penalty in 10.0 ** np.arange(-1, 5):
        inverse = np.linalg.inv(x.T @ x + penalty * np.eye(x.shape[1]))
        hat = x @ inverse @ x.T + 1 / len(y)
        residual = y - hat @ y
        losses[penalty] = np.mean((residual / (1 - np.trace(hat) / len(y))) ** 2), inverse
    best = min(losses, key=lambda each: losses[each][0])
    assert fitted.coefficient == pytest.approx(losses[best][1] @ x.T @ (y - y.mean()))

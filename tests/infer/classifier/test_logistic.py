from __future__ import annotations

from neurodrift.infer.classifier.logistic import fit_classifier
from neurodrift.infer.classifier.runs import runs_of
from neurodrift.infer.classifier.scale import columns, fit_scale
from tests.infer.clouds import table


def test_fit_classifier__held_out_probabilities_are_of_fits_without_the_run():
    # A rule that is a coin: fits that had seen a run would do better than chance.
    coin = table(apart=0.0, n=40, n_statistics=60)
    runs = runs_of(coin)
    scale = fit_scale(runs, runs.statistic.tolist()[2:])
    features = scale.features(columns(runs, runs.statistic.tolist()[2:]))
    found = fit_classifier(runs, scale, features, strength=10.0)
    assert (found.held_out.argmax(axis=1) == runs.number).mean() < 0.4
    assert (found.probabilities(features).argmax(axis=1) == runs.number).mean() > 0.6

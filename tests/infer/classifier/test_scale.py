from __future__ import annotations

import numpy as np
import pytest

from neurodrift.infer.classifier.runs import runs_of
from neurodrift.infer.classifier.scale import fit_scale
from tests.infer.clouds import table


def test_scale__features_by_hand():
    prior = table(n=20, rules=("a", "b"), n_statistics=3)
    prior = prior.assign_coords(statistic=["maps_last", "tails", "bend"])
    prior["value"][:, 0] = 1 - 10.0 ** -np.linspace(0.1, 3, 40)
    runs = runs_of(prior)
    scale = fit_scale(runs, ["maps_last", "bend"])
    own = prior["value"].values
    for name, raw, at in (
        ("maps_last", np.log10(1 - own[:, 0]), 0),
        ("bend", own[:, 2], 1),
    ):
        low, middle, high = np.quantile(raw, [0.25, 0.5, 0.75])
        z = (raw[7] - middle) / (high - low) * 1.349
        expected = 3 * np.arcsinh(z / 3)
        found = scale.features(prior["value"].sel(statistic=["maps_last", "bend"]).values[7])
        assert found[at] == pytest.approx(expected), name
    assert scale.features(np.array([np.nan, np.nan])).tolist() == [0, 0]
    assert scale.features(np.array([1.5, 0.0]))[0] == scale.features(np.array([0.9999, 0.0]))[0]

from __future__ import annotations

import pytest

from neurodrift.infer.prior.parameters import parameters_of
from neurodrift.simulate.settings.kinds import settings_from_values


def test_parameters__momentum_is_plain_descent_with_a_larger_rate():
    from neurodrift.simulate.settings.kinds import settings_values

    def dose(**rule):
        run = {"task": {"name": "random"}, "n_steps": 1000, "snapshots": [500, 1000]}
        return parameters_of(settings_values(settings_from_values(run | {"rule": rule}))).dose

    plain = dose(learning_rate=0.1, update_noise=0.2)
    assert dose(learning_rate=0.01, momentum=0.9, update_noise=0.2) == pytest.approx(plain)

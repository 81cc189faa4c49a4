from __future__ import annotations

from neurodrift.infer.classifier.runs import runs_of
from tests.infer.clouds import table


def test_runs_of__digest_follows_what_is_in_it():
    prior = table(n=60, apart=7.0)
    digest = runs_of(prior).digest
    assert digest == runs_of(prior.isel(run=slice(None, None, -1))).digest
    changed = prior.copy(deep=True)
    changed["value"][0, 0] += 1e-9
    assert runs_of(changed).digest != digest
    assert runs_of(prior.assign_attrs(version="2")).digest != digest

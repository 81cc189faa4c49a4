from __future__ import annotations

import json

import numpy as np
import xarray as xr

import neurodrift as nd

DAY = "information ~ day"
FACTORS = {f"m{i}": {"genotype": "wt" if i < 4 else "ko"} for i in range(8)}


def codes(pooled):
    return {note["code"] for note in json.loads(pooled.attrs["notes"])}


def text(pooled, code):
    return next(n["text"] for n in json.loads(pooled.attrs["notes"]) if n["code"] == code)


def change(tree, name, per_day):
    sessions = tree["sessions"].to_dataset()
    changed = sessions[name] + per_day * sessions["day"]
    tree["sessions"] = sessions.assign({name: changed})


def test_cautions_of__nothing_odd(cohort):
    pooled = nd.pool_animals(cohort(0, n=8), factors=FACTORS, questions=[DAY])
    assert codes(pooled) == set()


def test_cautions_of__events_or_cells_fall_in_one_group(cohort):
    for name, per_day in (("events_per_unit", -2.0), ("n_detected", -5.0)):
        trees = cohort(1, n=8)
        for key, tree in trees.items():
            change(tree, "n_detected", np.random.default_rng(int(key[1])).normal(0, 0.1))
            if int(key[1]) >= 4:
                change(tree, name, per_day)
        pooled = nd.pool_animals(trees, factors=FACTORS, questions=[DAY])
        assert f"groups-{name}" in codes(pooled)
        told = text(pooled, f"groups-{name}")
        assert "in wt" in told
        assert "in ko" in told
        assert "genotype" in told


def test_cautions_of__the_registration_is_worse_in_one_group(cohort):
    trees = cohort(2, n=8)
    rng = np.random.default_rng(0)
    for key, tree in trees.items():
        share = (0.4 if int(key[1]) >= 4 else 0.1) + rng.uniform(0, 0.02, (6, 6))
        odd = ["other_cells" if key == "m5 A" and s == 2 else "ok" for s in range(6)]
        tree["quality"] = xr.Dataset(
            {"wrong_share": (("session", "other"), share), "verdict": ("session", odd)},
            coords={"session": [str(s + 1) for s in range(6)]},
        )
    pooled = nd.pool_animals(trees, factors=FACTORS, questions=[DAY])
    told = text(pooled, "groups-registration").replace("\u00a0", " ")
    assert "an estimated 11 % in wt and 41 % in ko are others" in told
    assert "in doubt in m5 A (session 3)" in text(pooled, "registration")


def test_cautions_of__behaviour_changes_in_the_whole_cohort(cohort):
    pooled = nd.pool_animals(cohort(3, n=6, speed=0.5), questions=[DAY])
    assert "changes-running_speed" in codes(pooled)
    assert "cm/s a day" in text(pooled, "changes-running_speed")


def test_cautions_of__few_animals(cohort):
    assert "few-animals" in codes(nd.pool_animals(cohort(4, n=4), questions=[DAY]))
    assert "few-animals" not in codes(nd.pool_animals(cohort(4, n=5), questions=[DAY]))

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


DECAY = "decay of rate_map_correlation_relative ~ day"


def with_matches(tree, share, now=0.6, wrong=0.1):
    """The tree with an estimate of wrong matches (NaN for none), and what they would take."""
    pair, labels = ("session_a", "session_b"), [str(s + 1) for s in range(6)]
    off = np.where(np.eye(6, dtype=bool), np.nan, 1.0)
    lag = np.arange(6)[None, :] - np.arange(6)[:, None]
    values = {"within": 1.0, "similarity": now, "wrong": wrong, "needed": (1 - now) / (1 - wrong)}
    tree["identity_sensitivity"] = xr.Dataset(
        {name: (("measure", *pair), (value * off)[None]) for name, value in values.items()},
        coords={
            "measure": ["rate_map_correlation_relative"],
            "lag": (pair, lag),
            **dict.fromkeys(pair, labels),
        },
    )
    names = ("wrong_share", "wrong_share_ci_low", "wrong_share_ci_high")
    checked = {name: (("session", "other"), share * off) for name in names}
    checked["verdict"] = ("session", np.full(6, "ok", dtype=object))
    tree["quality"] = xr.Dataset(checked, coords={"session": labels, "other": labels})


def test_cautions_of__what_wrong_matches_make_of_each_animal(cohort):
    trees = cohort(4, n=5)
    for i, tree in enumerate(trees.values()):
        with_matches(tree, (0.05, 0.2, 0.1, np.nan, 0.5)[i])
    told = text(nd.pool_animals(trees, questions=[DECAY]), "wrong-matches").replace("\u00a0", " ")
    # a share w takes w (1 - 0.1) of the 1 - 0.6 that is lost, all of it at most; worst first
    assert told.index("m4 A 0.40 of 0.40 (50 % of") < told.index("m1 A 0.18 of 0.40 (20 % of")
    assert "There is no estimate in m3 A." in told
    assert "wrong-matches" not in codes(nd.pool_animals(trees, questions=[DAY]))
    for tree in trees.values():
        with_matches(tree, 0.01)
    assert "few-wrong-matches" in codes(nd.pool_animals(trees, questions=[DECAY]))
    for tree in trees.values():
        with_matches(tree, np.nan)
    assert "unknown-matches" in codes(nd.pool_animals(trees, questions=[DECAY]))


def test_cautions_of__behaviour_changes_in_the_whole_cohort(cohort):
    pooled = nd.pool_animals(cohort(3, n=6, speed=0.5), questions=[DAY])
    assert "changes-running_speed" in codes(pooled)
    assert "cm/s a day" in text(pooled, "changes-running_speed")


def test_cautions_of__few_animals(cohort):
    assert "few-animals" in codes(nd.pool_animals(cohort(4, n=4), questions=[DAY]))
    assert "few-animals" not in codes(nd.pool_animals(cohort(4, n=5), questions=[DAY]))

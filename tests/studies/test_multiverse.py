"""A multiverse: its numbers are those of single analyses, and no choice is silently idle."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from studies_help import make_mouse, same, write_mice

import neurodrift as nd
from neurodrift import Binning
from neurodrift.studies import universes
from neurodrift.studies.choices import choice, combinations, default_choices

FAST = {"n_repeats": 5, "n_draws": 2}
QUESTIONS = ["fraction_place_cells ~ day", "decay of rate_map_correlation_relative"]


def plan_of(folder, **given):
    return {
        "recordings": [{"path": f"{folder}/*.zarr"}],
        "analysis": FAST,
        "questions": QUESTIONS,
    } | given


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mice")
    write_mice(folder, 3, n_sessions=4, n_units=8)
    return folder


CHOICES = {
    "bin_width": [4, 10],
    "matching": ["none", "time"],
    "held": [[], ["running_speed"]],
    "criterion": {"strict": {"alpha": 0.01}, "any": {"alpha": 0.2, "combine": "any"}},
}


@pytest.fixture(scope="module")
def found(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("done") / "out"
    return nd.multiverse(plan_of(data), out, choices=CHOICES), out


def one(curve, **labels):
    at = np.ones(curve.sizes["universe"], dtype=bool)
    for name, text in labels.items():
        at &= curve[f"choice_{name}"].values == text
    assert at.sum() == 1
    return curve.isel(universe=int(np.flatnonzero(at)[0]))


@pytest.mark.parametrize(
    ("labels", "options", "variant"),
    [
        (("4 cm", "as recorded", "nothing", "strict"), {"alpha": 0.01}, "raw"),
        (
            ("10 cm", "equal time", "nothing", "any"),
            {"alpha": 0.2, "combine": "any", "bin_width": 10},
            "matched",
        ),
        (
            ("10 cm", "as recorded", "running speed", "strict"),
            {"alpha": 0.01, "bin_width": 10},
            "given running_speed",
        ),
    ],
)
def test_multiverse__is_what_single_analyses_give(data, found, labels, options, variant):
    own = one(found[0]["curve"], **dict(zip(CHOICES, labels, strict=True)))
    results = {
        f"m{i} linear track": nd.analyze(
            nd.open_recording(data / f"m{i}.zarr"), match="time", **FAST | options
        )
        for i in range(3)
    }
    answers = nd.pool_animals(results, questions=QUESTIONS)["answers"].to_dataset()
    told = answers.sel(variant=variant).sel(question=own["question"])
    for name in ("estimate", "se", "p", "dof"):
        np.testing.assert_array_equal(own[name].values, told[name].values)
        assert variant == "matched" or np.isfinite(own[name].values).any()  # 8 units are too few
    np.testing.assert_allclose(own["relative"], told["relative"], rtol=1e-9)


def test_multiverse__what_it_holds(found):
    tree, out = found
    curve, told = tree["curve"], tree["conclusions"].to_dataset()
    assert curve.sizes == {"universe": 16, "question": 2}
    known = curve["relative"].to_pandas().notna()
    assert told["n_universes"].values.tolist() == known.sum().tolist()
    column = curve["relative"].isel(question=0).to_pandas().dropna()
    assert float(told["median"][0]) == pytest.approx(column.median())
    assert float(told["share_same_sign"][0]) == np.mean(np.sign(column) == np.sign(column.median()))
    assert told["permuted"].values[0] == "signs of animals"
    assert told["n_permutations"].values[0] == 8 and told["smallest_p"].values[0] == 2 / 8
    same(nd.open_results(out / "multiverse.zarr"), tree)


def test_multiverse__influence_is_the_share_of_main_effects(found):
    curve, told = found[0]["curve"].to_dataset(), found[0]["influence"].to_dataset()
    table = curve["relative"].isel(question=0).to_dataframe().reset_index().dropna()
    for name in CHOICES:
        means = table.groupby(f"choice_{name}")["relative"].transform("mean")
        share = ((means - table["relative"].mean()) ** 2).sum()
        share /= ((table["relative"] - table["relative"].mean()) ** 2).sum()
        own = told["share_of_spread"].isel(question=0).sel(choice=name)
        assert float(own) == pytest.approx(share, abs=1e-12)


def test_multiverse__again_computes_nothing(data, found, computed):
    tree, out = found
    same(nd.multiverse(plan_of(data), out, choices=CHOICES), tree)
    assert computed == []


def test_multiverse__after_it_was_interrupted(data, found, tmp_path, monkeypatch):
    real, n = universes.make_job, []

    def interrupted(job):
        n.append(job)
        if len(n) == 3:
            raise KeyboardInterrupt
        return real(job)

    monkeypatch.setattr("neurodrift.studies.multiverse.make_job", interrupted)
    few = {"bin_width": [4, 10], "matching": ["none", "time"]}
    with pytest.raises(KeyboardInterrupt):
        nd.multiverse(plan_of(data), tmp_path / "out", choices=few)
    first = sorted((tmp_path / "out" / "multiverse").iterdir())
    assert len(first) == 2
    monkeypatch.undo()
    resumed = nd.multiverse(plan_of(data), tmp_path / "out", choices=few)
    same(resumed, nd.multiverse(plan_of(data), tmp_path / "anew", choices=few, workers=2))


def test_multiverse__a_way_that_fails_is_shown(data, tmp_path):
    choices = {"ends": {"kept": {"exclude_ends": 0}, "all": {"exclude_ends": 500}}}
    tree = nd.multiverse(plan_of(data, questions=QUESTIONS[:1]), tmp_path / "out", choices=choices)
    curve = tree["curve"].to_dataset()
    assert curve["fault"].values[0] == "" and "m0 linear track: " in curve["fault"].values[1]
    assert np.isnan(curve["estimate"].values[1]).all() and curve["reason"].values[1, 0]
    assert tree["conclusions"]["n_failed"].values.tolist() == [1]


def test_multiverse__every_way_fails(data, tmp_path):
    choices = {"exclude_ends": [400, 500]}
    with pytest.raises(ValueError, match="none of 2 ways could be analysed: m0 linear track: "):
        nd.multiverse(plan_of(data), tmp_path / "out", choices=choices)


def test_multiverse__a_recording_that_fails_does_not_stop_others(data, tmp_path):
    (tmp_path / "broken.nwb").write_bytes(b"nothing")
    plan = plan_of(data, recordings=[{"path": [f"{data}/*.zarr", f"{tmp_path}/*.nwb"]}])
    tree = nd.multiverse(plan, tmp_path / "out", choices={"bin_width": [4, 10]})
    curve = tree["curve"].to_dataset()
    assert (curve["n_animals"].isel(question=0) == 3).all()
    assert all(text.startswith("broken: ") for text in curve["fault"].values)


@pytest.mark.filterwarnings("error::UserWarning")
def test_multiverse__an_idle_choice_is_told(data, tmp_path):
    choices = {"min_information": [0.01, 0.5], "bin_width": [4, 10]}
    with pytest.warns(UserWarning, match="'min_information' changed no answer"):
        tree = nd.multiverse(
            plan_of(data, questions=QUESTIONS[:1]), tmp_path / "out", choices=choices
        )
    assert json.loads(tree.attrs["without_effect"]) == ["min_information"]


def test_multiverse__registration(tmp_path):
    for i in range(2):
        mouse = make_mouse(i, f"m{i}", n_sessions=3, n_units=8)
        score = np.random.default_rng(i).uniform(0.3, 1, mouse["detected"].shape)
        mouse = mouse.assign(registration_score=(mouse["detected"].dims, score))
        nd.save_recording(mouse, tmp_path / f"m{i}.zarr")
    plan = plan_of(tmp_path, questions=["n_detected ~ day"])
    tree = nd.multiverse(plan, tmp_path / "out", choices={"registration": [0, 0.7]})
    for i, least in enumerate((0, 0.7)):
        slopes = []
        for k in range(2):
            mouse = nd.open_recording(tmp_path / f"m{k}.zarr")
            sure = (mouse["registration_score"] >= least) & mouse["detected"]
            slopes.append(np.polyfit(mouse["day"], sure.sum("unit"), 1)[0])
        own = float(tree["curve"]["estimate"].values[i, 0])
        assert own == pytest.approx(np.mean(slopes))
    nd.save_recording(make_mouse(5, "m5"), tmp_path / "m5.zarr")  # has no scores
    tree = nd.multiverse(plan, tmp_path / "out", choices={"registration": [0, 0.7]})
    assert "m5 linear track: the recording has no registration_score" in str(
        tree["curve"]["fault"].values[0]
    )


def test_multiverse__one_animal(data, tmp_path):
    plan = plan_of(data, recordings=[{"path": f"{data}/m0.zarr"}])
    tree = nd.multiverse(plan, tmp_path / "out", choices={"bin_width": [4, 10]})
    told = tree["conclusions"].to_dataset()
    assert set(told["permuted"].values) == {"sessions of the animal"}
    assert (told["n_permutations"] == 24).all()


def test_multiverse__keeps_what_a_study_said(tmp_path):
    write_mice(tmp_path, 1)
    plan = plan_of(tmp_path, multiverse={"bin_width": [4, 10]})
    nd.study(plan, tmp_path / "out", reports=False, multiverse=True)
    told = json.loads((tmp_path / "out" / "study.json").read_text())["recordings"]
    nd.multiverse(plan, tmp_path / "out")
    assert told and json.loads((tmp_path / "out" / "study.json").read_text())["recordings"] == told


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ({"colour": [1, 2]}, "colour.*no option of the analysis"),
        ({"bin_width": [4]}, "1 levels, expected two"),
        ({"bin_width": [4, 4.0]}, "a level twice: 4 cm, 4 cm"),
        ({"bin_width": [4, -4]}, "bin_width: -4 cm: "),
        ({"alpha": [0.05, 5]}, "alpha: 5: alpha is 5"),
        ({"null": ["auto", "circle"]}, "null.*circle"),
        ({"match": ["time", "events"]}, "say `matching`"),
        ({"measures": [["drift"], ["maps"]]}, "changes no answer"),
        ({"slopes": ["ols", "ar1"]}, "no part of the answers"),
        ({"mine": {"a": {"match": "time"}, "b": {}}}, "mine.*expected options|say `matching`"),
        ({"mine": {"a": {"alhpa": 0.1}, "b": {"alpha": 0.2}}}, "unknown option 'alhpa'"),
        ({"speed": [-1, 2]}, "speed is -1"),
        ({"speed": [1, 2], "speed_range": [[1, 9], [2, 9]]}, "both set 'speed_range'"),
        ({"a": {"x": {"alpha": 0.1}, "y": {"alpha": 0.2}}, "alpha": [0.1, 0.2]}, "both set"),
        ({"matching": ["none", "laps"]}, "matching is 'laps'"),
        ({"held": [1, 2]}, "held is 1"),
        ({"registration": ["low", "high"]}, "registration is 'low'"),
        ({}, "no choice"),
    ],
)
def test_multiverse__choices_are_looked_at_first(tmp_path, choices, told):
    plan = {"recordings": [{"path": str(tmp_path / "none.zarr")}]}
    with pytest.raises(ValueError, match=f"(?s){told}"):
        nd.multiverse(plan, tmp_path / "out", choices=choices)
    assert not (tmp_path / "out").exists()


def test_study__choices_are_looked_at_before_the_work(tmp_path):
    (tmp_path / "s.yaml").write_text(
        "recordings: [{path: none.zarr}]\nmultiverse:\n  bin_width: [2, 4]\n  alpha: [1, 5]\n"
    )
    with pytest.raises(ValueError, match=r"line 4: multiverse.alpha"):
        nd.study(tmp_path / "s.yaml", tmp_path / "out", multiverse=True)


def test_combinations__all_of_them():
    found = combinations([choice("bin_width", [2, 4]), choice("speed", [1, 2, 5])])
    assert len(found) == 6
    assert pd.DataFrame([u.levels for u in found]).drop_duplicates().shape == (6, 2)


def test_binning_of__speed_track_and_pairs():
    settings = {"speed_range": [1, 40], "track": [0, 90], "bin_width": 3}
    both = combinations([choice("speed", [2, 5]), choice("track", [[0, 90], [0, 96]])])
    assert [universes.binning_of(u, settings) for u in both] == [
        Binning(bin_width=3, track=(0, end), speed_range=(low, 40))
        for low in (2, 5)
        for end in (90, 96)
    ]


def test_default_choices__of_a_track_and_of_a_network():
    mouse = make_mouse()
    names = [one.name for one in default_choices([mouse], {})]
    assert names == ["bin_width", "speed", "null", "criterion", "matching"]
    widths = default_choices([mouse], {"bin_width": 4, "track": [0, 96]})[0].levels
    for level in widths:  # each is a whole number of bins
        assert (96 / level.options["bin_width"]) == pytest.approx(
            round(96 / level.options["bin_width"])
        )
    still = mouse.drop_vars("speed")
    assert "speed" not in [one.name for one in default_choices([still], {})]

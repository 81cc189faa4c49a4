"""The command `neurodrift infer`."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.cli import main
from tests.infer.clouds import one_run, table

pytest.importorskip("sklearn")  # the wheel without extras has none; the tests' own environment has


@pytest.fixture
def stores(tmp_path):
    """A prior and two targets as stores: a run of the prior, and one far away."""
    prior = table(n=40, apart=8.0)
    seen, rest = one_run(prior, 90)
    far = seen.copy(deep=True)
    far["value"][7] += 40.0
    for name, dataset in {"prior": rest, "seen": seen, "far": far}.items():
        tree = xr.DataTree(dataset.assign_attrs(title=f"neurodrift {name}"))
        nd.save_results(tree, tmp_path / f"{name}.zarr")
    return tmp_path


def test_infer__names_a_rule_and_writes_store_and_page(stores, capsys):
    words = ["infer", str(stores / "seen.zarr"), "--prior", str(stores / "prior.zarr")]
    words += ["-o", str(stores / "inference.zarr"), "--report", str(stores / "rule.html")]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert said.startswith("named: label_noise.") and "next: open it in a browser" in said
    found = nd.open_results(stores / "inference.zarr")
    assert found.attrs["rule"] == "label_noise" and found.attrs["source"].endswith("seen.zarr")
    page = (stores / "rule.html").read_text()
    assert "Most like label noise" in page and "None of these rules" not in page
    assert main(words) == 2 and "exists and was kept" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0


def test_infer__json_of_a_target_that_is_outside(stores, capsys):
    words = ["infer", str(stores / "far.zarr"), "--prior", str(stores / "prior.zarr")]
    assert main([*words, "-o", str(stores / "x.zarr"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == "outside the prior" and told["rule"] == "" and "s07" in told["reason"]
    assert sum(told["probability"].values()) == pytest.approx(1) and told["outside_p"] <= 0.05


def test_infer__errors_are_short(stores, capsys):
    prior, seen = str(stores / "prior.zarr"), str(stores / "seen.zarr")
    out = ["-o", str(stores / "x.zarr")]
    for words, told in (
        ([str(stores / "none.zarr"), "--prior", prior], "no store at"),
        ([seen, "--prior", seen], "expected a prior"),
        ([seen, "--prior", prior, "--observation", "mouse"], "one observation"),
        ([seen, "--prior", prior, "--level", "3"], "level is 3"),
    ):
        assert main(["infer", *words, *out]) == 2
        said = capsys.readouterr().err
        assert told in said and "Traceback" not in said
    assert main(["infer", seen, "--prior", prior, "-o", prior, "--overwrite"]) == 2
    assert "never replaced" in capsys.readouterr().err


def test_infer__seed_and_level_are_kept(stores):
    words = ["infer", str(stores / "seen.zarr"), "--prior", str(stores / "prior.zarr"), "-q"]
    words += ["-o", str(stores / "y.zarr"), "--seed", "3", "--level", "0.8", "--as-drawn"]
    assert main(words) == 0
    attrs = nd.open_results(stores / "y.zarr").attrs
    assert (attrs["seed"], attrs["level"], attrs["matched"]) == (3, 0.8, 0)
    assert np.isfinite(nd.open_results(stores / "y.zarr")["posterior"]["distance"]).all()


def test_infer__the_example_prior_and_how_it_was_seen(tmp_path, capsys):
    recording = nd.testing.linear_track(n_units=40, n_sessions=4, minutes=6, drift=0.3)
    nd.save_recording(recording, tmp_path / "mouse.zarr")
    words = ["infer", str(tmp_path / "mouse.zarr"), "--prior", "example", "--as-drawn"]
    words += ["-o", str(tmp_path / "x.zarr"), "--report", str(tmp_path / "x.html")]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert said.count("warning: the networks of this prior were not seen as the target was") == 1
    assert "But the networks of the prior were not seen" in said
    assert "200 cells there, 40 here" in said and "8 sessions there, 4 here" in said
    page = (tmp_path / "x.html").read_text()
    assert "The prior was not seen as the target was" in page.split('id="rules"')[0]
    assert "They were not seen as the target was (" in page


def test_infer__a_missing_prior_says_how_one_is_made(stores, capsys):
    words = ["infer", str(stores / "seen.zarr"), "-o", str(stores / "x.zarr"), "--prior"]
    assert main([*words, str(stores / "none.zarr")]) == 2
    said = capsys.readouterr().err
    assert "neurodrift simulate-prior" in said and "--prior example" in said


def test_infer__too_few_runs_are_refused_before_all_are_seen(tmp_path, capsys, monkeypatch):
    small = {"families.gradient.settings.n_steps": 100}
    nd.simulate_prior("inference-prior-random", tmp_path / "p.zarr", small, n_runs=6, workers=0)
    nd.save_recording(nd.testing.linear_track(n_units=12, n_sessions=3), tmp_path / "m.zarr")
    monkeypatch.setattr("neurodrift.infer.prior.store._seen_anew", None)
    words = ["infer", str(tmp_path / "m.zarr"), "--prior", str(tmp_path / "p.zarr")]
    words += ["--observation", "target", "-o", str(tmp_path / "x.zarr")]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "at least 10 runs of each rule" in said and "--as-drawn" not in said

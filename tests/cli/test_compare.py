from __future__ import annotations

import pytest

import neurodrift as nd
from neurodrift.cli import main
from neurodrift.simulate.settings.sweep import sweep_from_values
from neurodrift.simulate.sweep import run_sweep

FAST = ["--n-repeats", "5", "--workers", "1"]


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """Two recordings, the results of one, and a sweep of two networks on a track."""
    folder = tmp_path_factory.mktemp("stores")
    for seed in (1, 2):
        mouse = nd.testing.linear_track(n_units=5, n_sessions=3, minutes=1, seed=seed)
        mouse = mouse.assign_coords(subject=f"mouse {seed}")
        nd.save_recording(mouse, folder / f"mouse{seed}.zarr")
    results = nd.analyze(nd.open_recording(folder / "mouse2.zarr"), n_repeats=5, n_draws=1)
    nd.save_results(results, folder / "results2.zarr")
    config = {
        "task": {"name": "predictive_track", "n_samples": 40},
        "network": {"n_hidden": 12},
        "n_steps": 300,
        "measures": 4,
        "snapshots": 4,
        "sweep": {"ranges": [{"key": "seed", "values": [0, 1]}]},
    }
    run_sweep(sweep_from_values(config), folder / "sweep.zarr", workers=0)
    return folder


def test_compare__recording_beside_results_makes_a_report(stores, tmp_path, capsys):
    out, saved = tmp_path / "report.html", tmp_path / "comparison.zarr"
    words = ["compare", stores / "mouse1.zarr", stores / "results2.zarr", "-o", out]
    assert main([*map(str, words), "--save", str(saved), *FAST]) == 0
    printed = capsys.readouterr().out
    assert "mouse 1 linear track" in printed and "representation decorrelates" in printed
    page = out.read_text()
    assert "mouse 1 linear track" in page and "mouse 2 linear track" in page
    found = nd.open_results(saved)["comparison"].to_dataset()
    assert found["side"].values.tolist() == ["mouse 1 linear track", "mouse 2 linear track"]
    # the analysis made here is that of analyze
    whole = nd.analyze(nd.open_recording(stores / "mouse1.zarr"), n_repeats=5)
    expected = nd.compare(whole, nd.open_results(stores / "results2.zarr"))
    assert expected.equals(found)


def test_compare__sides_of_several_and_a_sweep(stores, tmp_path, capsys):
    out, saved = tmp_path / "report.html", tmp_path / "comparison.zarr"
    mice = [str(stores / name) for name in ("mouse1.zarr", "results2.zarr")]
    words = ["--side", "mice", *mice, "--side", "model", str(stores / "sweep.zarr")]
    assert main(["compare", *words, "-o", str(out), "--save", str(saved), *FAST]) == 0
    found = nd.open_results(saved)["comparison"].to_dataset()
    assert found["side"].values.tolist() == ["mice", "model"]
    assert found["recording_side"].values.tolist() == ["mice"] * 2 + ["model"] * 2
    assert "model has no running_speed" in capsys.readouterr().out
    one = found["series_at"].sel(side="model", axis="fraction").values
    assert one[0] == 0 and one[3] == 1


def test_compare__one_run_of_a_sweep_as_a_positional_side(stores, tmp_path):
    out, saved = tmp_path / "report.html", tmp_path / "comparison.zarr"
    words = [str(stores / "results2.zarr"), str(stores / "sweep.zarr"), "--runs", "1"]
    assert main(["compare", *words, "-o", str(out), "--save", str(saved), *FAST]) == 0
    found = nd.open_results(saved)["comparison"].to_dataset()
    assert found["recording"].values.tolist()[1] == "run 1 predictive_track"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["{results}"], "needs two sides"),
        (["{results}", "--side", "mice"], "--side mice has no store"),
        (["{results}", "{folder}/none.zarr"], "no store at"),
        (["{results}", "{folder}"], "no store at"),
        (["{results}", "{results}/sessions"], "neither a recording"),
        (["{results}", "{folder}/sweep.zarr", "--runs", "7"], "no run 7"),
        (["{results}", "{results}", "--covariates", "wind"], "covariate 'wind'"),
    ],
)
def test_compare__errors_come_before_the_work(words, text, stores, tmp_path, capsys):
    names = {"folder": stores, "results": stores / "results2.zarr"}
    out = tmp_path / "report.html"
    filled = [word.format(**names) for word in words]
    assert main(["compare", "-o", str(out), *filled, *FAST]) == 2
    captured = capsys.readouterr()
    assert text in captured.err
    assert not out.exists()


def test_compare__keeps_an_existing_report(stores, tmp_path, capsys):
    out = tmp_path / "report.html"
    out.write_text("mine")
    store = str(stores / "results2.zarr")
    assert main(["compare", store, store, "-o", str(out)]) == 2
    assert "exists and was kept" in capsys.readouterr().err and out.read_text() == "mine"

from __future__ import annotations

import pytest

from neurodrift import demo, open_recording, open_results


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(demo, "MOUSE", demo.MOUSE | {"n_units": 12, "n_sessions": 3})


def test_run_demo__prints_truth_and_leaves_stores_and_a_report(small, tmp_path):
    out = tmp_path / "demo"
    printed = demo.run_demo(out)
    assert "truth" in printed and "SSR" in printed
    assert len(list((out / "nwb").glob("*.nwb"))) == 3
    assert open_recording(out / "recording.zarr").sizes["session"] == 3
    assert "drift" in open_results(out / "results.zarr").children
    page = (out / "report.html").read_text(encoding="utf-8")
    assert 'id="comparison"' in page and "small network" in page


def test_run_demo__keeps_what_exists(small, tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(FileExistsError, match="kept"):
        demo.run_demo(tmp_path)
    with pytest.raises(FileExistsError, match="no demo of neurodrift and was kept"):
        demo.run_demo(tmp_path, overwrite=True)
    assert (tmp_path / "mine.txt").read_text() == "kept"

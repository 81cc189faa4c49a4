"""The report of a study's folder, and its files."""

from __future__ import annotations

import re

import pytest

from neurodrift import save_recording, save_results, testing
from neurodrift.cli import main
from neurodrift.studies.report.document import StudyReport


@pytest.fixture
def folder(tmp_path, mice, study_of):
    out = tmp_path / "out"
    trees = mice(3)
    save_results(study_of(trees), out / "study.zarr")
    (out / "animals").mkdir()
    (out / "animals" / "m0_A.html").write_text("", encoding="utf-8")
    return out


def test_write__beside_the_study_with_links(folder):
    path = StudyReport(folder).write()
    assert path == folder / "report.html"
    text = path.read_text(encoding="utf-8")
    assert 'href="animals/m0_A.html"' in text and "m1_A.html" not in text
    with pytest.raises(FileExistsError):
        StudyReport(folder).write()
    assert StudyReport(folder).write(overwrite=True).read_text(encoding="utf-8") == text


def test_write__elsewhere_links_lead_back(folder, tmp_path):
    text = StudyReport(folder, title="Other").write(tmp_path / "a" / "page.html").read_text("utf-8")
    assert 'href="../out/animals/m0_A.html"' in text and "<h1>Other</h1>" in text


def test_report__multiverse_of_the_same_recordings_alone(folder, ways_of, mice):
    save_results(ways_of(["other"]), folder / "multiverse.zarr")
    assert 'id="multiverse"' not in StudyReport(folder).html()
    save_results(ways_of(mice(3)), folder / "multiverse.zarr", overwrite=True)
    assert 'id="multiverse"' in StudyReport(folder).html()
    assert "A multiverse is not shown" not in StudyReport(folder).html()


def test_report__multiverse_of_other_options_is_told_and_not_shown(folder, ways_of, mice):
    ways = ways_of(mice(3))
    ways.attrs["asked"] = '{"level": 0.9}'
    save_results(ways, folder / "multiverse.zarr", overwrite=True)
    html = StudyReport(folder).html()
    assert 'id="multiverse"' not in html
    assert "A multiverse is not shown" in html and "Run the command with --multiverse again" in html


def test_report__refuses_what_is_no_study(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no study\.zarr"):
        StudyReport(tmp_path)


def test_write__keeps_what_is_no_report(folder):
    (folder / "report.html").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="no report"):
        StudyReport(folder).write(overwrite=True)


def test_figures__svg_pdf_csv(folder, tmp_path):
    made = StudyReport(folder).write_figures(tmp_path / "figures")
    names = {path.stem for path in made.glob("*.svg")}
    assert {"animals-information", "drift-rate-map-correlation-relative"} <= names
    assert names == {path.stem for path in made.glob("*.pdf")}
    assert names == {path.stem for path in made.glob("*.csv")}


def test_command__report_of_a_study(folder, tmp_path, capsys):
    out = tmp_path / "page.html"
    assert main(["report", str(folder), "-o", str(out), "--title", "Mine"]) == 0
    assert "<h1>Mine</h1>" in out.read_text(encoding="utf-8")
    assert re.search(r"page\.html: .* MB", capsys.readouterr().out)
    beside = folder / "report.html"
    assert main(["report", str(folder), "-o", str(beside)]) == 0 and beside.is_file()
    assert main(["report", str(folder), "-o", str(folder / "study.zarr"), "--overwrite"]) != 0
    assert (folder / "study.zarr" / "zarr.json").is_file()
    code = main(["report", str(folder), str(folder), "-o", str(tmp_path / "b.html")])
    assert code != 0 and "takes no other results" in capsys.readouterr().err


def test_command__study_with_all_ways(tmp_path, capsys):
    mouse = testing.linear_track(n_units=8, n_sessions=4, minutes=3)
    save_recording(mouse, tmp_path / "m.zarr")
    (tmp_path / "study.yaml").write_text(
        "study: One\n"
        "recordings: [{path: m.zarr}]\n"
        "analysis: {n_repeats: 10, match: none}\n"
        "questions: [decay of rate_map_correlation ~ day]\n"
        "multiverse: {bin_width: [4, 8], smoothing: [2, 6]}\n",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    command = ["study", str(tmp_path / "study.yaml"), "-o", str(out), "--workers", "0"]
    assert main([*command, "--multiverse", "--no-reports"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"In \d of 4 ways the similarity of rate maps", said)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert re.search(r"In \d of 4 ways", page) and "Methods of each recording" in page
    assert main([*command, "--multiverse", "--no-reports"]) == 0
    assert (out / "report.html").read_text(encoding="utf-8") == page

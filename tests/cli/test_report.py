"""The command ``report``, in this process, on a small store."""

from __future__ import annotations

import pytest

import neurodrift as nd
from neurodrift.cli import main


@pytest.fixture(scope="module")
def recording():
    recording = nd.testing.linear_track(n_units=4, n_sessions=2, minutes=1)
    return recording.drop_vars(["x", "speed", "direction", "trial", "lap"])


@pytest.fixture(scope="module")
def stored(recording, tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "mouse.zarr"
    return nd.save_results(nd.analyze(recording), path)


def test_report__one_and_several(stored, tmp_path, capsys):
    out = tmp_path / "report.html"
    assert main(["report", str(stored), "-o", str(out), "--title", "My <mouse>"]) == 0
    assert "1 recording\n" in capsys.readouterr().out
    assert "<h1>My &lt;mouse&gt;</h1>" in out.read_text(encoding="utf-8")
    assert main(["report", str(stored), str(stored), "-o", str(out)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["report", str(stored), str(stored), "-o", str(out), "--overwrite"]) == 0
    assert 'role="tablist"' in out.read_text(encoding="utf-8")


def test_report__names_the_store_that_is_no_result(recording, tmp_path, capsys):
    path = nd.save_recording(recording, tmp_path / "recording.zarr")
    assert main(["report", str(path), "-o", str(tmp_path / "report.html")]) == 2
    error = capsys.readouterr().err
    assert str(path) in error and "is a recording, no results" in error
    assert not (tmp_path / "report.html").exists()


def test_report__refuses_a_comparison_that_is_none(stored, tmp_path, capsys):
    out = tmp_path / "report.html"
    assert main(["report", str(stored), "-o", str(out), "--comparison", str(stored)]) == 2
    assert "holds no comparison" in capsys.readouterr().err


def test_report__figures_for_a_paper(stored, tmp_path, capsys):
    out, folder = tmp_path / "report.html", tmp_path / "figures"
    command = ["report", str(stored), "-o", str(out), "--figures", str(folder)]
    assert main(command) == 0
    said = capsys.readouterr().out
    n = len(list(folder.glob("*.svg")))
    assert n >= 3 and f"{folder}: {n} figures as SVG, PDF and CSV" in said
    assert len(list(folder.glob("*.pdf"))) == len(list(folder.glob("*.csv"))) == n
    out.unlink()
    assert main(command) == 2  # the folder is kept, and nothing is written beside it
    assert "--overwrite" in capsys.readouterr().err and not out.exists()
    assert main([*command, "--overwrite"]) == 0


def needs_weasyprint():
    """Skip where WeasyPrint, or the Pango that it needs, is not there."""
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as error:
        pytest.skip(f"no WeasyPrint: {error}")


def test_report__pdf_beside_the_page(stored, tmp_path, capsys):
    needs_weasyprint()
    out = tmp_path / "report.html"
    assert main(["report", str(stored), "-o", str(out), "--pdf"]) == 0
    assert f"{out.with_suffix('.pdf')}: the same for paper" in capsys.readouterr().out
    assert out.with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    out.unlink()
    assert main(["report", str(stored), "-o", str(out), "--pdf"]) == 2
    assert "--overwrite" in capsys.readouterr().err and not out.exists()


def test_report__pdf_without_its_extra(stored, tmp_path, capsys, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "weasyprint", None)
    out = tmp_path / "report.html"
    assert main(["report", str(stored), "-o", str(out), "--pdf"]) == 2
    assert "pip install neurodrift[report-pdf]" in capsys.readouterr().err

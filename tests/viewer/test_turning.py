from __future__ import annotations

import pytest

from neurodrift.viewer.cells import Cells
from neurodrift.viewer.marks import Marks
from neurodrift.viewer.turning import Turning


@pytest.fixture
def turning(results, mouse, tmp_path):
    return Turning(Cells(results, mouse), Marks(tmp_path / "c.yaml", of="mouse"))


def test_step__stays_at_the_ends(turning):
    turning.step(-1)
    assert turning.label == "0"
    for _ in range(20):
        turning.step(1)
    assert turning.label == "11"
    turning.step_session(-1)
    assert turning.session == 0
    turning.step_session(9)
    assert turning.session == 2


def test_filter__place_cells_and_left_out(turning):
    ever = turning.cells.is_place_cell.any(axis=0)
    turning.choose_filter("place cells")
    assert turning.listed() == [i for i in range(12) if ever[i]]
    turning.choose_filter("not place cells")
    assert turning.listed() == [i for i in range(12) if not ever[i]]
    turning.choose_filter("all")
    turning.unit = 4
    turning.mark("noise")
    turning.choose_filter("left out")
    assert turning.listed() == [4] and turning.reason == "noise"
    turning.choose_filter("kept")
    assert 4 not in turning.listed()
    with pytest.raises(ValueError, match="filter"):
        turning.choose_filter("odd ones")


def test_step__from_a_cell_that_has_left_the_list(turning):
    turning.choose_filter("kept")
    turning.unit = 4
    turning.mark()
    turning.step(1)
    assert turning.label == "5"
    turning.unit = 4
    turning.step(-1)
    assert turning.label == "3"


def test_filters__of_a_recording_know_no_place_cells(mouse, tmp_path):
    turning = Turning(Cells(None, mouse), Marks(tmp_path / "c.yaml", of="mouse"))
    assert turning.filters == ("all", "left out", "kept")


def test_mark_session__only_where_the_cell_was_detected(turning):
    detected = turning.cells.detected
    session, unit = next(
        (s, u) for s in range(3) for u in range(12) if not detected[s, u] and detected[:, u].any()
    )
    turning.unit, turning.session = unit, session
    assert "was not detected in session" in turning.mark_session("x")
    turning.session = int(detected[:, unit].argmax())
    assert turning.mark_session("blurred") == ""
    assert turning.reason == "blurred"
    turning.note("blurred by hand")
    assert turning.reason == "blurred by hand"
    turning.mark_session()
    assert turning.marks.n_units == 0
    turning.mark("all")
    assert "left out everywhere" in turning.mark_session()
    turning.mark()
    assert turning.marks.n_units == 0

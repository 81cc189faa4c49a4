from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift.analysis.alignment.sentences import alignment_sentences
from neurodrift.analysis.relations.sentences import relations_sentences


def relations(p: float, gain: float = np.nan) -> xr.Dataset:
    pair = ("session_a", "session_b")
    values = {"mean_structure": 0.93, "mean_structure_excess": 0.04, "mean_structure_p": p}
    values |= {"mean_structure_free": 0.5, "mean_structure_free_null": 0.1}
    values |= {"mean_structure_free_p": p, "trend": -0.02, "trend_p": 0.0005}
    return xr.Dataset(values).assign(
        symmetry=(pair, np.full((2, 2), "a reflection", dtype=object)),
        symmetry_gain=(pair, np.full((2, 2), gain)),
        symmetry_p=(pair, np.full((2, 2), 0.04)),
    )


def test_relations__stay_or_are_not_shown_to() -> None:
    stay = relations_sentences(relations(0.02))
    assert stay[0] == (
        "The relations among places stay (0.93 of what halves of one session have), 0.04 above "
        "what two unrelated codes of this environment have (p = 0.02)."
    )
    assert "(p < .001)" in stay[2]
    open_question = relations_sentences(relations(0.4))
    assert "unrelated codes of this environment have 0.89 (p = 0.4)" in open_question[0]
    assert "is not shown" in open_question[0]


def test_relations__changed_up_to_a_symmetry() -> None:
    assert len(relations_sentences(relations(0.02, gain=-0.1))) == 3
    moved = relations_sentences(relations(0.02, gain=0.3))[-1]
    assert "only up to a reflection (0.30 more alike after it)" in moved


def alignment(share: float, p: float, unrelated: float) -> xr.Dataset:
    found = {"mean_transfer": share, "mean_transfer_excess": share, "mean_transfer_p": p}
    found |= {"mean_transfer_unrelated_p": unrelated, "mean_extrapolation": np.nan}
    found |= dict.fromkeys(
        [f"mean_extrapolation{end}" for end in ("_excess", "_p", "_unrelated_p")], np.nan
    )
    return xr.Dataset(found)


def test_alignment__together_only_above_both_nulls() -> None:
    assert "units change together" in alignment_sentences(alignment(0.4, 0.05, 0.05))[0]
    for p, unrelated in ((0.3, 0.05), (0.05, 0.3)):
        said = alignment_sentences(alignment(0.4, p, unrelated))[0]
        assert "together" not in said and "p = 0.3" in said
    assert "together" not in alignment_sentences(alignment(-0.4, 0.05, 0.05))[0]


def test_alignment__nothing_to_tell() -> None:
    (said,) = alignment_sentences(alignment(np.nan, np.nan, np.nan))
    assert said == "Whether units change together cannot be told: no change is clear from noise."

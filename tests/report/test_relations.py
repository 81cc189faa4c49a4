from __future__ import annotations

import numpy as np

from neurodrift import analyze, testing
from neurodrift.analysis.relations.sentences import relations_sentences
from neurodrift.analysis.summary import summary
from neurodrift.report.findings import findings
from neurodrift.report.relations import relations_figures
from neurodrift.report.view import views


def test_relations__have_a_sentence_a_figure_and_a_line_of_the_summary() -> None:
    track = testing.linear_track(n_units=30, n_sessions=3, peak_rate=4.0)
    results = analyze(track)
    (view,) = views(results)
    (figure,) = relations_figures(view)
    table = figure.frame if hasattr(figure, "frame") else figure.data
    values = results["relations"]["structure_relative"].values[np.triu_indices(3, k=1)]
    np.testing.assert_allclose(table["relations among places"], values)
    said = {finding.key: finding.text for finding in findings(view)}
    assert "relations among places" in said["relations"].lower()
    assert "alignment" in said
    lines = str(summary(results)).splitlines()
    told = relations_sentences(results["relations"].to_dataset())
    assert said["relations"] == " ".join(told) and set(told) <= set(lines)

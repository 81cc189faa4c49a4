from __future__ import annotations

import neurodrift as nd


def test_summary__is_text_in_print_and_tables_in_a_notebook():
    track = nd.testing.linear_track(n_units=8, n_sessions=4, minutes=2)
    track = track.assign_coords(subject="<b>mouse</b>")
    found = nd.summary(nd.analyze(track, n_repeats=5, n_draws=1))
    text, page = str(found), found._repr_html_()
    assert text == repr(found) and text.startswith("<b>mouse</b>, linear track\n")
    assert page.count("<table") == 2 and "&lt;b&gt;mouse" in page and "<b>mouse" not in page
    for word in ("fraction_active_units", "place cells", "detectable"):
        assert word in text and word in page


def test_summary__one_session_has_no_phases():
    track = nd.testing.linear_track(n_units=5, n_sessions=1, minutes=1)
    results = nd.analyze(track, measures=["phases"])
    assert "phases" not in results
    assert "phases:" not in str(nd.summary(results))
    assert "there is one session, and nothing to change from" in str(nd.summary(results))

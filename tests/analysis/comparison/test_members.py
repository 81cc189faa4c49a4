from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift.analysis.comparison.members import gather
from neurodrift.testing import results_of

LABELS = np.array(["1", "2", "3"], dtype=object)


def tree(**nodes):
    sessions = {"day": np.arange(3.0), "information": np.ones(3), "information_matched": np.ones(3)}
    found = results_of(sessions)
    for name, node in nodes.items():
        found[name] = node
    return found


def matched(n_units):
    pair = ("session_a", "session_b")
    r = np.arange(9.0).reshape(3, 3) / 10
    coords = {"session": LABELS, "session_a": LABELS, "session_b": LABELS}
    own = {"rate_map_correlation_relative": (pair, r), "information": ("session", np.ones(3))}
    return xr.Dataset(own, coords=coords, attrs={"n_units": n_units})


def test_gather__similarities_on_an_equal_footing_where_units_are_enough():
    member = gather([tree(matched=matched(40))], None)[0]
    found = member.similarity["rate_map_correlation_relative_matched"]
    np.testing.assert_array_equal(found[np.triu_indices(3, k=1)], [0.1, 0.2, 0.5])
    assert "information" in member.matched
    few = gather([tree(matched=matched(5))], None)[0]
    assert "rate_map_correlation_relative_matched" not in few.similarity
    assert not few.matched


def test_gather__wrong_cells_and_doubtful_sessions_of_the_registration():
    share = np.array([[0.9, 0.1, np.nan], [0.1, 0.9, 0.3], [np.nan, 0.3, 0.9]])
    quality = xr.Dataset(
        {
            "wrong_share": (("session", "other"), share),
            "verdict": ("session", ["ok", "moved", "ok"]),
        },
        coords={"session": LABELS},
    )
    member = gather([tree(quality=quality)], None)[0]
    np.testing.assert_allclose(member.wrong_cells, 0.2)
    assert member.doubtful == ("2",)
    plain = gather([tree()], None)[0]
    assert np.isnan(plain.wrong_cells)
    assert plain.doubtful == ()

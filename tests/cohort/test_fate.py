from __future__ import annotations

import numpy as np
import pytest

from neurodrift.cohort.fate import judge_fate

WIDE, NONE = (-5.0, 5.0), (np.nan, np.nan)


@pytest.mark.parametrize(
    ("found", "again", "estimate", "interval", "moved", "told"),
    [
        (True, True, 0.8, (0.1, 1.5), NONE, "stays"),
        (True, True, -0.8, (-1.5, -0.1), NONE, "turns round"),
        (True, False, 0.1, (-0.5, 0.7), NONE, "vanishes"),  # 1 is outside
        (True, False, 0.1, (-1.5, 1.7), (0.2, 1.6), "vanishes"),  # what was taken is not 0
        (True, False, -0.1, (-1.5, 1.7), (0.2, 1.6), "vanishes"),
        (True, False, 0.6, (-0.5, 1.7), (0.2, 0.6), "undecided"),  # more than half is left
        (True, False, 0.1, WIDE, (-4.0, 6.0), "undecided"),
        (True, False, 0.1, WIDE, NONE, "undecided"),
        (False, True, 0.8, (0.1, 1.5), NONE, "appears"),
        (False, False, 0.8, WIDE, NONE, "none"),
    ],
)
def test_judge_fate(found, again, estimate, interval, moved, told):
    fate = judge_fate(
        found=found,
        found_again=again,
        before=1.0,
        estimate=estimate,
        interval=interval,
        moved=moved,
    )
    assert fate == told

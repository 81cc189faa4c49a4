"""docs/kinds.md says what every combination of kind, geometry and statistic gives today."""

from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_kinds_page__is_what_comes_out():
    found = runpy.run_path(str(DOCS / "try_kinds.py"))["page"]()
    assert found == (DOCS / "kinds.md").read_text(), "python docs/try_kinds.py docs/kinds.md"
    assert "Each kind gives the same in every geometry." in found

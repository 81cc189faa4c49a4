"""The page on messages quotes what the package says."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_troubleshooting__quotes_are_messages_of_the_package():
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \|", page, flags=re.MULTILINE)
    quoted = [text for row in rows for text in re.findall(r"`([^`]+)`", row)]
    source = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "neurodrift").rglob("*.py")
    )
    joined = re.sub(r'"\s*\n\s*f?"', "", source)  # of strings that go on in the next line
    parts = [part.strip(" :.") for text in quoted for part in re.split(r"\.\.\.|: ", text)]
    missing = [part for part in parts if part and part not in joined]
    assert len(quoted) > 12 and missing == []

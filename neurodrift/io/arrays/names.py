"""The errors for names that a file does not have, or that are not given."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any


def missing_variable(path: Path, variable: Any, known: list[str]) -> ValueError:
    """The error for a name that a file does not have."""
    lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(str(variable).lower(), lower, 1)
    hint = f"; did you mean {lower[near[0]]!r}" if near else ""
    listed = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    return ValueError(f"{path} has no variable {variable!r}{hint}; it holds {listed or 'nothing'}")


def only_one(path: Path, names: list[str]) -> str:
    """The name to take where none is given."""
    if len(names) != 1:
        raise ValueError(
            f"{path} holds {len(names)} variables, so one must be named: {', '.join(names[:20])}"
        )
    return names[0]

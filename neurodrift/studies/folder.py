"""What lies in the folder of a study."""

from __future__ import annotations

import os
from pathlib import Path

TREE = "study.zarr"
"""The answers, and what there is of each recording without its units."""

MULTIVERSE = "multiverse.zarr"
"""The answers under every combination of choices."""

STORES = (TREE, MULTIVERSE, "results", "animals", "recordings", "cache", "tables")
"""All that a report of a study may be written beside, and never over."""


def is_study(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder holds a finished study.

    Parameters
    ----------
    folder
        Any path.

    Returns
    -------
    bool
        Whether the answers are there.
    """
    return (Path(folder) / TREE / "zarr.json").is_file()

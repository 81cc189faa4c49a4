"""CA1 and CA3 on two tracks, Sheintuch et al. 2023 (github.com/zivlab/cell_assemblies).

The release holds no recordings, only what was computed from them: one file for each mouse with one
struct, ``this_mouse_data``. Its fields were learnt from the published script; the data files could
not be read when this was written, so every field is checked for its shape and the error says what
differs.

References
----------
.. [1] Sheintuch L, Geva N, Deitch D, Rubin A, Ziv Y. Organization of hippocampal CA3 into
   correlated cell assemblies supports a stable spatial code. Cell Reports 42, 112119 (2023).
   https://doi.org/10.1016/j.celrep.2023.112119
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodrift.convert.files import write_tables
from neurodrift.io.arrays.mat import read_mat

if TYPE_CHECKING:
    import pandas as pd

REGIONS = {
    **dict.fromkeys(("C5M1", "C6M3", "C6M4", "C8M2"), "CA1"),
    **dict.fromkeys(("C14M4", "C15M2", "C23M4", "C24M3", "C24M4"), "CA3"),
}
N_SESSIONS = 16
DAYS = np.concatenate([np.arange(1, 16, 2), np.arange(19, 34, 2)])  # of the experiment, from 1
NOVEL = (1, 2, 3, 9, 10, 11)  # sessions that the authors count as novel

COLUMNS = {
    "subject": "mouse",
    "region": "CA1 or CA3",
    "environment": "straight or L, the shape of the track",
    "session": "number of the session over both tracks, from 1",
    "session_number": "number of the session in its environment, from 0",
    "day": "days since the first session [d]",
    "is_novel": "whether the authors count the session as novel",
    "n_registered": "cells found in any session: rows of cell_to_index_map",
    "n_detected": "cells found in this session: its entries in cell_to_index_map",
    "n_active": "number_of_neurons_sessions",
    "fraction_active_of_union": "n_active / n_registered, as Ratzon et al. 2024 count it",
    "information_ssr": "average_SI_SSR_bit_spike_sessions [bit/spike]",
    "mean_rate": "average_firing_rates_sessions, in the unit of the source",
    "n_traversals": "number_of_track_traversals_sessions",
    "population_vector_correlation": "within_day_PV_correlations",
}
_FIELDS = {
    "n_active": "number_of_neurons_sessions",
    "information_ssr": "average_SI_SSR_bit_spike_sessions",
    "mean_rate": "average_firing_rates_sessions",
    "n_traversals": "number_of_track_traversals_sessions",
    "population_vector_correlation": "within_day_PV_correlations",
}
_REQUIRED = ("n_active", "information_ssr")
ABOUT = {
    "title": "Sessions of Sheintuch et al. 2023",
    "citation": "Sheintuch L, Geva N, Deitch D, Rubin A, Ziv Y. Organization of hippocampal CA3 "
    "into correlated cell assemblies supports a stable spatial code. Cell Reports 42, 112119 "
    "(2023)",
    "doi": "10.1016/j.celrep.2023.112119",
    "source": "github.com/zivlab/cell_assemblies",
}


def convert(
    source_dir: str | os.PathLike[str],
    out_dir: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> list[Path]:
    """Convert the mice of a folder to one table, with a row for each mouse and session.

    The release has no recordings, so there is nothing to write as NWB.

    Parameters
    ----------
    source_dir
        Folder with the files ``C5M1.mat``, ..., or one of them.
    out_dir
        Where ``sessions.csv`` and ``about.json`` go.
    overwrite
        Whether existing files are replaced.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    FileExistsError
        If a file exists and `overwrite` is False.
    ValueError
        If there is no such file, or it has another layout; the message names the file and field.
    """
    import pandas as pd

    source_dir = Path(source_dir)
    paths = [source_dir] if source_dir.is_file() else sorted(source_dir.glob("C*M*.mat"))
    if not paths:
        raise ValueError(
            f"no file like C6M4.mat in {source_dir}: give the folder Data of "
            "github.com/zivlab/cell_assemblies"
        )
    tables = [sessions(path) for path in paths]
    table = pd.concat(tables, ignore_index=True)
    table.attrs = tables[0].attrs
    return write_tables(
        {"sessions": table}, out_dir, about=ABOUT, sources=paths, overwrite=overwrite
    )


def sessions(path: str | os.PathLike[str]) -> pd.DataFrame:
    """What one mouse's file says of its sessions.

    Parameters
    ----------
    path
        A file such as ``C6M4.mat``.

    Returns
    -------
    pandas.DataFrame
        One row for each session, columns as in :data:`COLUMNS`; a session that the mouse lacks is
        NaN.

    Raises
    ------
    ValueError
        If a field is missing or has another shape.
    """
    import pandas as pd

    path = Path(path)
    content = read_mat(path, ["this_mouse_data"])["this_mouse_data"]
    if not isinstance(content, dict):
        raise ValueError(
            f"this_mouse_data of {path} is no struct: it is not one of a mouse's files"
        )
    mouse = path.stem
    if mouse not in REGIONS:
        raise ValueError(
            f"{path} is named after no mouse of the data set ({', '.join(REGIONS)}), and the name "
            "is all that tells the region: keep the published names"
        )
    index = _numbers(content, "cell_to_index_map", path)
    if index.ndim != 2 or index.shape[1] != N_SESSIONS or (index < 0).any():
        raise ValueError(
            f"cell_to_index_map of {path} has shape {index.shape}, expected (cells, {N_SESSIONS}) "
            "of column numbers, 0 = not found"
        )
    number = np.arange(N_SESSIONS)
    columns: dict[str, Any] = {
        "subject": mouse,
        "region": REGIONS[mouse],
        "environment": np.where(number < 8, "straight", "L"),
        "session": [str(i + 1) for i in number],
        "session_number": number % 8,
        "day": (DAYS - DAYS[0]).astype(float),
        "is_novel": np.isin(number + 1, NOVEL),
        "n_registered": index.shape[0],
        "n_detected": (index > 0).sum(axis=0),
    }
    for name, field in _FIELDS.items():
        if field not in content and name not in _REQUIRED:
            continue
        values = _numbers(content, field, path).ravel()
        if values.size != N_SESSIONS:
            raise ValueError(
                f"{field} of {path} has {values.size} values, expected one for each of the "
                f"{N_SESSIONS} sessions"
            )
        columns[name] = values
        if name == "n_active":
            if (values > index.shape[0]).any() or (values < 0).any():
                raise ValueError(
                    f"{field} of {path} counts up to {np.nanmax(values):g} cells, but "
                    f"cell_to_index_map has {index.shape[0]}"
                )
            columns["fraction_active_of_union"] = values / index.shape[0]
    table = pd.DataFrame(columns)
    table.attrs = {str(name): COLUMNS[str(name)] for name in table}
    return table


def _numbers(content: dict[str, Any], field: str, path: Path) -> np.ndarray:
    values = content.get(field)
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub" or not values.size:
        raise ValueError(
            f"this_mouse_data of {path} has no numbers in {field}; it has "
            f"{', '.join(sorted(content)[:20])}"
        )
    return values.astype(np.float64)

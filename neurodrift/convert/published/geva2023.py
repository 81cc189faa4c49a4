"""Time against experience, Geva et al. 2023 (github.com/zivlab/time_vs_experience).

Long familiar tracks: the stationary data set of the comparison. The release holds no recordings,
but about fifty variables over (mouse, environment), in ``processed_data.mat``. Their names and
shapes were learnt from the published scripts; the file itself could not be read when this was
written, so each variable is checked and the error says what differs.

References
----------
.. [1] Geva N, Deitch D, Rubin A, Ziv Y. Time and experience differentially affect distinct aspects
   of hippocampal representational drift. Neuron 111, 2357-2366 (2023).
   https://doi.org/10.1016/j.neuron.2023.05.005
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurodrift.convert.files import write_tables
from neurodrift.io.arrays.mat import list_mat, read_mat

if TYPE_CHECKING:
    import pandas as pd

FILE = "processed_data.mat"
MICE = ("C82M2", "C83M3", "C84M2", "C82M3", "C82M4", "C84M4", "C89M0", "C92M6")
ENVIRONMENTS = ("A", "B")
DAYS = {"A": np.arange(2, 21, 2), "B": np.arange(1, 22, 4)}  # of the experiment, from 1
L_SHAPED_A = ("C82M3", "C82M4", "C84M4")  # mice whose environment A was the L, and B the straight

SESSIONS = {
    "fraction_place_cells": "fraction_pc_each_sess_all_mice",
    "information_place": "mean_info_each_sess_all_mice",
    "n_place_cells": "num_place_cells_each_sess_all_mice",
    "mean_rate": "mean_activity_rate_per_sess_all_mice",
    "field_width": "mean_place_field_width_all_mice",
    "n_fields": "mean_place_field_number_all_mice",
}
LAGS = {
    "ensemble_rate_correlation": "ensemble_rate_corr_elapsed_time_all_mice",
    "rate_map_correlation": "tuning_curve_corr_elapsed_time_all_mice",
    "population_vector_correlation": "pv_corr_elapsed_time_all_mice",
}
REQUIRED = ("fraction_place_cells", "information_place")
COLUMNS = {
    "subject": "mouse",
    "environment": "A (every 2nd day) or B (every 4th)",
    "track": "straight or L",
    "session": "number of the session in its environment, from 1",
    "session_number": "number of the session in its environment, from 0",
    "day": "days since the first day of the experiment [d]",
    "fraction_place_cells": "fraction_pc_each_sess_all_mice",
    "information_place": "mean_info_each_sess_all_mice, of place cells [bit/event]",
    "n_place_cells": "num_place_cells_each_sess_all_mice",
    "mean_rate": "mean_activity_rate_per_sess_all_mice, of place cells [Hz]",
    "field_width": "mean_place_field_width_all_mice [cm]",
    "n_fields": "mean_place_field_number_all_mice",
    "lag": "sessions between the visits",
    "lag_day": "days between the visits [d]",
    "ensemble_rate_correlation": "ensemble_rate_corr_elapsed_time_all_mice",
    "rate_map_correlation": "tuning_curve_corr_elapsed_time_all_mice",
    "population_vector_correlation": "pv_corr_elapsed_time_all_mice",
}
ABOUT = {
    "title": "Sessions and lags of Geva et al. 2023",
    "citation": "Geva N, Deitch D, Rubin A, Ziv Y. Time and experience differentially affect "
    "distinct aspects of hippocampal representational drift. Neuron 111, 2357-2366 (2023)",
    "doi": "10.1016/j.neuron.2023.05.005",
    "source": "github.com/zivlab/time_vs_experience",
}


def convert(
    source_dir: str | os.PathLike[str],
    out_dir: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> list[Path]:
    """Convert the data set to a table of sessions and one of lags between them.

    The release has no recordings, so there is nothing to write as NWB.

    Parameters
    ----------
    source_dir
        The folder with ``processed_data.mat``, or that file.
    out_dir
        Where ``sessions.csv``, ``lags.csv`` (if the source has correlations) and ``about.json`` go.
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
        If the file is missing or has another layout; the message names the variable.
    """
    source_dir = Path(source_dir)
    path = source_dir if source_dir.is_file() else source_dir / FILE
    if not path.is_file():
        raise ValueError(
            f"no {FILE} in {source_dir}: give the folder data of "
            "github.com/zivlab/time_vs_experience"
        )
    return write_tables(tables(path), out_dir, about=ABOUT, sources=[path], overwrite=overwrite)


def tables(path: str | os.PathLike[str]) -> dict[str, pd.DataFrame]:
    """The tables of sessions and of lags.

    Parameters
    ----------
    path
        ``processed_data.mat``.

    Returns
    -------
    dict of str to pandas.DataFrame
        ``sessions``, with a row for each mouse, environment and session, and ``lags``, with one
        for each mouse, environment and number of sessions between visits, if the file has any of
        :data:`LAGS`. Measures that the file lacks are left out.

    Raises
    ------
    ValueError
        If what :data:`REQUIRED` names is missing, or a variable has another shape.
    """
    path = Path(path)
    there = {item.name for item in list_mat(path)}
    missing = [SESSIONS[name] for name in REQUIRED if SESSIONS[name] not in there]
    if missing:
        raise ValueError(
            f"{path} has no {', '.join(missing)}; it has {', '.join(sorted(there)[:20])}: give "
            f"{FILE} of github.com/zivlab/time_vs_experience"
        )
    wanted = [name for name in (*SESSIONS.values(), *LAGS.values()) if name in there]
    content = read_mat(path, wanted)
    found = {"sessions": _table(content, SESSIONS, path, shorter=0)}
    if any(name in content for name in LAGS.values()):
        found["lags"] = _table(content, LAGS, path, shorter=1)
    return found


def _table(
    content: dict[str, Any], measures: dict[str, str], path: Path, *, shorter: int
) -> pd.DataFrame:
    """Rows for sessions, or (`shorter` by one) for the lags between them."""
    import pandas as pd

    present = {name: source for name, source in measures.items() if source in content}
    parts = []
    for i, mouse in enumerate(MICE):
        for j, environment in enumerate(ENVIRONMENTS):
            days = DAYS[environment]
            number = np.arange(days.size - shorter)
            is_l = (mouse in L_SHAPED_A) == (environment == "A")
            columns: dict[str, Any] = {"subject": mouse, "environment": environment}
            columns["track"] = "L" if is_l else "straight"
            if shorter:
                columns |= {"lag": number + 1, "lag_day": (number + 1.0) * (days[1] - days[0])}
            else:
                columns |= {"session": [str(k + 1) for k in number], "session_number": number}
                columns["day"] = days - 1.0
            for name, source in present.items():
                columns[name] = _row(content[source], source, i, j, number.size, path)
            parts.append(pd.DataFrame(columns))
    table = pd.concat(parts, ignore_index=True)
    table.attrs = {str(name): COLUMNS[str(name)] for name in table}
    return table


def _row(value: Any, name: str, mouse: int, environment: int, size: int, path: Path) -> np.ndarray:
    shape = (len(MICE), len(ENVIRONMENTS))
    if not isinstance(value, np.ndarray) or value.dtype != object or value.shape != shape:
        found = getattr(value, "shape", type(value).__name__)
        raise ValueError(
            f"{name} of {path} is {found}, expected a cell of {shape} (mouse, environment)"
        )
    row = value[mouse, environment]
    if not isinstance(row, np.ndarray) or row.dtype.kind not in "fiu" or row.size != size:
        found = getattr(row, "shape", type(row).__name__)
        raise ValueError(
            f"{name}{{{mouse + 1},{environment + 1}}} of {path} is {found}, expected {size} numbers"
        )
    return row.ravel().astype(np.float64)

"""Tables as files that other programs read: CSV, Parquet, MATLAB."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurodrift.io.csv import csv_text
from neurodrift.io.output import whole

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

FORMATS = (".csv", ".parquet", ".mat")
"""Endings of the files that :func:`write_table` writes."""

MOST = 31
"""Longest name of a field that MATLAB's own writers and readers of version 5 files take."""

_SHORTER = {
    "population_vector": "pv",
    "ensemble_rate": "rate",
    "correlation": "corr",
    "relative": "rel",
    "information": "info",
    "fraction": "frac",
    "place_cell": "pc",
    "active_cell": "ac",
    "matched": "eq",
}


def tidy(dataset: xr.Dataset, dims: Sequence[str] | None = None) -> pd.DataFrame:
    """A dataset as a table whose columns stand in one order, whatever xarray or a store did.

    Parameters
    ----------
    dataset
        Variables to be side by side.
    dims
        Order of the dimensions, the last of which changes first.

    Returns
    -------
    pandas.DataFrame
        One row an entry. Columns: the dimensions, the other coordinates by name, the variables
        in the order of `dataset`.
    """
    frame = dataset.to_dataframe(dim_order=None if dims is None else list(dims)).reset_index()
    variables = [str(name) for name in dataset.data_vars]
    lead = [
        str(name) for name in (dims or dataset.sizes) if name in frame and name not in variables
    ]
    others = sorted(set(map(str, frame)) - {*lead, *variables})
    return frame[[*lead, *others, *variables]]


def write_table(
    table: pd.DataFrame, path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write a table as a file.

    Parameters
    ----------
    table
        One row an observation, such as from :func:`neurodrift.tabulate_units`; its index is left
        out.
    path
        The file. Its ending says the format: ``.csv`` (a text that a spreadsheet would run as a
        formula gets an apostrophe before it), ``.parquet``, or ``.mat``: a struct ``data`` of
        columns, for ``struct2table(data)``, where logical and whole numbers with a missing value
        are NaN, texts are cells, and long names are shortened; the cell ``names`` has them whole.
    overwrite
        Whether a table of the same ending is replaced.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    FileExistsError
        If the file exists and `overwrite` is False.
    ImportError
        If the extra ``parquet`` is missing.
    ValueError
        If the ending is another one, or two columns have one name.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from neurodrift.io.tables import write_table
    >>> path = write_table(pd.DataFrame({"unit": [1, 2]}), tempfile.mkdtemp() + "/units.csv")
    >>> path.read_text().split()
    ['unit', '1', '2']
    """
    path = Path(path)
    if path.suffix not in FORMATS:
        raise ValueError(f"{path} ends in {path.suffix!r}, expected {', '.join(FORMATS)}")
    twice = table.columns[table.columns.duplicated()].tolist()
    if twice:
        raise ValueError(f"the table has two columns {twice[0]!r}: rename one")
    write = {".csv": _write_csv, ".parquet": _write_parquet, ".mat": _write_mat}[path.suffix]
    with whole(
        path,
        overwrite=overwrite,
        what=f"{path.suffix} file",
        is_ours=lambda there: there.is_file(),
        suffix=path.suffix,
    ) as unfinished:
        write(table, unfinished)
    return path


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    path.write_text(csv_text(table), encoding="utf-8")


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise ImportError(
            f'{path}: Parquet needs pyarrow: pip install "neurodrift[parquet]"'
        ) from None
    table.to_parquet(path, index=False, engine="pyarrow")


def _write_mat(table: pd.DataFrame, path: Path) -> None:
    from scipy.io import savemat

    whole_names = [str(name) for name in table.columns]
    names = _field_names(whole_names)
    columns = {name: _column(table.iloc[:, i]) for i, name in enumerate(names)}
    listed = np.empty((len(names), 1), dtype=object)
    listed[:, 0] = whole_names
    made = {"data": columns, "names": listed}
    savemat(str(path), made, appendmat=False, do_compression=True)


def _column(values: pd.Series) -> np.ndarray:
    """A column as MATLAB has it: numbers, or a cell of texts."""
    if values.dtype.kind in "biuf":
        missing = values.isna().to_numpy()
        plain = values.to_numpy(dtype=float, na_value=np.nan)
        if values.dtype.kind != "f" and not missing.any():
            plain = values.to_numpy(dtype=bool if values.dtype.kind == "b" else np.int64)
        return plain[:, None]
    cell = np.empty((len(values), 1), dtype=object)
    cell[:, 0] = [
        "" if none else str(item) for item, none in zip(values, values.isna(), strict=True)
    ]
    return cell


def _field_names(names: Sequence[str]) -> list[str]:
    """Names of fields: letters, digits and underscores, at most 31, no two alike."""
    found: list[str] = []
    for name in names:
        short = re.sub(r"\W", "_", name, flags=re.ASCII)
        short = short if short[:1].isalpha() else f"x{short}"
        for word, less in _SHORTER.items():
            if len(short) > MOST:
                short = short.replace(word, less)
        short, number = short[:MOST], 2
        while short in found:
            end = f"_{number}"
            short, number = (
                short[: MOST - len(end)].removesuffix(f"_{number - 1}") + end,
                number + 1,
            )
        found.append(short)
    return found

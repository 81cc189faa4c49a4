"""CSV whose texts stay texts in a spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(frame: pd.DataFrame, *, float_format: str | None = None) -> str:
    """A table as comma-separated text.

    Spreadsheets run a cell that begins with ``=``, ``+``, ``-`` or ``@`` as a formula, and a label
    can come from anywhere. Such a text gets an apostrophe before it; numbers stay numbers.

    Parameters
    ----------
    frame
        The table; its index is left out.
    float_format
        As for :meth:`pandas.DataFrame.to_csv`.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> import pandas as pd
    >>> from neurodrift.io.csv import csv_text
    >>> print(csv_text(pd.DataFrame({"session": ["=1+1", "day 2"], "change": [-1.5, 2.0]})), end="")
    session,change
    '=1+1,-1.5
    day 2,2.0
    """
    safe = frame.rename(columns=_as_text)
    for i, dtype in enumerate(frame.dtypes):
        if dtype.kind not in "biufcmM":
            safe.isetitem(i, list(map(_as_text, frame.iloc[:, i])))
    text: str = safe.to_csv(index=False, float_format=float_format, lineterminator="\n")
    return text


def _as_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = f"'{value}" if value.startswith(_FORMULA) else value
    return text.replace("\r", " ")  # which many readers take for the end of a row

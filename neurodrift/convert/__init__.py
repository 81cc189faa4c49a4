"""Converters from the formats of public data sets, one module for each.

They write NWB where there are recordings, and summary tables where there are only those.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONVERTERS = {
    "arrays": "neurodrift.convert.own.arrays:convert",
    "geva2023": "neurodrift.convert.published.geva2023:convert",
    "hc-6": "neurodrift.convert.published.hc6:convert",
    "sheintuch2020": "neurodrift.convert.published.sheintuch2020:convert",
    "sheintuch2022": "neurodrift.convert.published.sheintuch2022:convert",
    "sheintuch2023": "neurodrift.convert.published.sheintuch2023:convert",
}
"""Name of a data set -> ``"module:function"``, imported when it is used."""

WITHOUT_CONVERTER = {
    "hc-22": "the layout of its files is documented nowhere that we could read, and we had no "
    "file: see what a file holds with `neurodrift inspect FILE`, and describe it in a mapping for "
    "`neurodrift convert arrays MAPPING.yaml`",
    "khatib2023": "the data are not public: ask the authors "
    "(https://doi.org/10.1016/j.neuron.2023.05.014), and describe their files in a mapping for "
    "`neurodrift convert arrays MAPPING.yaml`",
    "smnist": "its digits are what a simulation learns, no recording: give their folder to "
    "`neurodrift simulate jensen2021 --set tasks.path=FOLDER`",
}
"""Data sets that nothing converts, and why."""


def converter(name: str) -> Callable[..., list[Path]]:
    """The function that converts a data set.

    Parameters
    ----------
    name
        A name in :data:`CONVERTERS`.

    Returns
    -------
    callable
        ``convert(source_dir, out_dir, *, overwrite=False)``, returning the files it wrote.

    Raises
    ------
    ValueError
        If there is no such converter; for a data set without one it says why.

    Examples
    --------
    >>> from neurodrift.convert import converter
    >>> converter("sheintuch2020").__name__
    'convert'
    """
    if name in WITHOUT_CONVERTER:
        raise ValueError(f"no converter for {name}: {WITHOUT_CONVERTER[name]}")
    if name not in CONVERTERS:
        raise ValueError(f"no converter {name!r}; there are {', '.join(sorted(CONVERTERS))}")
    module, function = CONVERTERS[name].split(":")
    found: Any = getattr(importlib.import_module(module), function)
    return found

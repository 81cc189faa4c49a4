"""Converters from the formats of public data sets to NWB, one module for each."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONVERTERS = {
    "arrays": "neurodrift.convert.arrays:convert",
    "sheintuch2020": "neurodrift.convert.sheintuch2020:convert",
}
"""Name of a data set -> ``"module:function"``, imported when it is used."""


def converter(name: str) -> Callable[..., list[Path]]:
    """The function that converts a data set.

    Parameters
    ----------
    name
        A name in :data:`CONVERTERS`.

    Returns
    -------
    callable
        ``convert(source_dir, out_dir, *, overwrite=False)``, returning the paths it wrote.

    Raises
    ------
    ValueError
        If there is no such converter.

    Examples
    --------
    >>> from neurodrift.convert import converter
    >>> converter("sheintuch2020").__name__
    'convert'
    """
    if name not in CONVERTERS:
        raise ValueError(f"no converter {name!r}; there are {', '.join(sorted(CONVERTERS))}")
    module, function = CONVERTERS[name].split(":")
    found: Any = getattr(importlib.import_module(module), function)
    return found

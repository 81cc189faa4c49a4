"""The readers of other pipelines' files, by name."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

READERS: dict[str, dict[str, str]] = {
    "activity": {
        "suite2p": "neurodrift.convert.pipelines.suite2p:read_suite2p",
        "caiman": "neurodrift.convert.pipelines.caiman:read_caiman",
        "inscopix": "neurodrift.convert.pipelines.inscopix:read_inscopix",
        "minian": "neurodrift.convert.pipelines.minian:read_minian",
        "phy": "neurodrift.convert.pipelines.phy:read_phy",
    },
    "position": {
        "deeplabcut": "neurodrift.convert.pipelines.deeplabcut:read_deeplabcut",
        "ethovision": "neurodrift.convert.pipelines.ethovision:read_ethovision",
        "sleap": "neurodrift.convert.pipelines.sleap:read_sleap",
    },
    "registration": {
        "cellreg": "neurodrift.convert.pipelines.cellreg:read_cellreg",
        "caiman": "neurodrift.convert.pipelines.caiman:read_caiman_assignments",
        "roicat": "neurodrift.convert.pipelines.roicat:read_roicat",
        "track2p": "neurodrift.convert.pipelines.track2p:read_track2p",
        "unitmatch": "neurodrift.convert.pipelines.unitmatch:read_unitmatch",
    },
}
"""What is read -> name of the pipeline -> ``"module:function"``, imported when it is used.

An activity's reader takes a path, the keywords ``time`` and ``rate`` of the frames and its own
options and returns an :class:`~neurodrift.gate.inputs.Activity`; a position's takes
``cm_per_pixel`` as well, None where the mapping gives none, and returns a
:class:`~neurodrift.gate.inputs.Position`; a registration's returns a
:class:`~neurodrift.convert.pipelines.registration.Registration`.
"""

_SHARED = {"time", "rate", "cm_per_pixel"}


def reader(what: str, name: str) -> Callable[..., Any]:
    """The reader of a pipeline's files.

    Parameters
    ----------
    what
        ``activity``, ``position`` or ``registration``.
    name
        Name of the pipeline.

    Returns
    -------
    callable
        The function.

    Raises
    ------
    ValueError
        If there is none.

    Examples
    --------
    >>> from neurodrift.convert.pipelines.readers import reader
    >>> reader("registration", "cellreg").__name__
    'read_cellreg'
    """
    if name not in READERS[what]:
        raise ValueError(f"no reader {name!r} of {what}; there are {', '.join(READERS[what])}")
    module, function = READERS[what][name].split(":")
    found: Any = getattr(importlib.import_module(module), function)
    return found


def reader_options(what: str, name: str) -> list[str]:
    """Names of the options that only this reader has.

    Parameters
    ----------
    what, name
        As for :func:`reader`.

    Returns
    -------
    list of str
        The options.
    """
    found = inspect.signature(reader(what, name)).parameters.values()
    own = [item.name for item in found if item.kind is inspect.Parameter.KEYWORD_ONLY]
    return [item for item in own if item not in _SHARED]


def knows_length(what: str, name: str) -> bool:
    """Whether a position's reader finds the unit of length in the file.

    Parameters
    ----------
    what, name
        As for :func:`reader`.

    Returns
    -------
    bool
        Whether ``cm_per_pixel`` may be omitted.

    Examples
    --------
    >>> from neurodrift.convert.pipelines.readers import knows_length
    >>> knows_length("position", "ethovision"), knows_length("position", "sleap")
    (True, False)
    """
    found = inspect.signature(reader(what, name)).parameters.get("cm_per_pixel")
    return found is not None and found.default is None


def text_options(what: str) -> list[str]:
    """Names of the options that are texts, of all readers.

    Parameters
    ----------
    what
        As for :func:`reader`.

    Returns
    -------
    list of str
        The options.

    Examples
    --------
    >>> from neurodrift.convert.pipelines.readers import text_options
    >>> text_options("position")
    ['bodypart', 'individual', 'point', 'clock_column', 'sheet', 'node', 'track']
    """
    found = [
        item.name
        for name in READERS[what]
        for item in inspect.signature(reader(what, name)).parameters.values()
        if item.kind is inspect.Parameter.KEYWORD_ONLY and item.annotation in ("str", "str | None")
    ]
    return list(dict.fromkeys(found))

"""What a check found, and what becomes of it: refused, warned of, or noted."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import xarray as xr

EVERYTHING = "*"
"""In ``accept``: what comes passed the gate before."""


ACCEPTABLE: tuple[str, ...] = (
    "axes",
    "clock_unit",
    "counts",
    "days",
    "epochs",
    "frame_duration",
    "geometry",
    "integer_times",
    "negative_times",
    "overlap",
    "position_extent",
    "rates",
    "sentinel",
    "session_overlap",
    "silence",
    "speed",
    "subject",
    "trace",
)
"""Names of the findings that can be what was measured, and that `accept` takes back."""


class GateWarning(UserWarning):
    """Something is odd, but can be what was measured."""


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Parameters
    ----------
    name
        Name of the check, as ``accept`` takes it.
    text
        What is wrong or worth knowing, and what to do.
    stops
        Whether it makes a number wrong, so that nothing is written or returned.
    may_be_true
        Whether it can be what was measured, so that a user may accept it.
    warns
        Whether the user is warned.
    numbers
        The numbers behind it.
    """

    name: str
    text: str
    stops: bool = False
    may_be_true: bool = False
    warns: bool = False
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def severity(self) -> Literal["stops", "warns", "notes"]:
        """What becomes of it where it is not accepted."""
        return "stops" if self.stops else "warns" if self.warns else "notes"

    def told(self, where: str) -> dict[str, Any]:
        """What is to be kept of it, once it has not stopped anything."""
        return {
            "where": where,
            "name": self.name,
            "severity": self.severity,
            "text": self.text,
            "numbers": dict(self.numbers),
            "accepted": self.stops,
        }


def checked_accept(accept: Collection[str]) -> set[str]:
    """Names of findings that are taken as true.

    Parameters
    ----------
    accept
        As a user gave them.

    Returns
    -------
    set of str
        The names.

    Raises
    ------
    TypeError
        If it is no list.
    ValueError
        If a name is no finding's, or that of one which is never true.
    """
    if isinstance(accept, str):
        raise TypeError(f"accept is the text {accept!r}, expected a list of names: [{accept!r}]")
    if not isinstance(accept, Collection):
        raise TypeError(f"accept is {accept!r}, expected a list of names of findings")
    unknown = sorted(map(str, set(accept) - {EVERYTHING, *ACCEPTABLE}))
    if unknown:
        raise ValueError(
            f"accept names {', '.join(unknown)}, expected some of {', '.join(ACCEPTABLE)}"
        )
    return set(accept)


def settle(
    findings: Sequence[Finding], where: str, accept: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Refuse, warn or note what checks found.

    Parameters
    ----------
    findings
        What they found.
    where
        What was checked, for messages.
    accept
        Names of checks whose refusals are taken as true.

    Returns
    -------
    list of dict
        What is to be kept of each: ``where``, ``name``, ``severity``, ``text``, ``numbers`` and
        whether it was ``accepted``.

    Raises
    ------
    ValueError
        If a check refuses and is not accepted.
    """
    accept = checked_accept(accept)
    if EVERYTHING in accept:
        return []
    refused = [
        item for item in findings if item.stops and not (item.may_be_true and item.name in accept)
    ]
    if refused:
        hint = sorted({item.name for item in refused if item.may_be_true})
        listed = "\n".join(f"- {item.text}" for item in refused)
        names = f"accept={hint} (in a mapping, accept: [{', '.join(hint)}])"
        more = f"\nIf that is what was measured, say so: {names}" if hint else ""
        raise ValueError(f"{where} does not pass the gate:\n{listed}{more}")
    for item in findings:
        if item.warns:
            warnings.warn(f"{where}: {item.text}", GateWarning, stacklevel=3)
    return [item.told(where) for item in findings]


def at_the_command_line(message: str) -> str:
    """What an error of :func:`settle` says to somebody who writes no Python.

    Parameters
    ----------
    message
        The message of an error.

    Returns
    -------
    str
        The same with ``--accept`` where it says ``accept=``.
    """

    def option(found: re.Match[str]) -> str:
        return f"--accept {' '.join(re.findall(r'[a-z_]+', found[1]))}"

    return re.sub(r"accept=\[((?:'[a-z_]+'(?:, )?)+)\]", option, message)


def add_findings(recording: xr.Dataset, told: Sequence[Mapping[str, Any]]) -> xr.Dataset:
    """A recording that keeps what was warned of or accepted.

    Parameters
    ----------
    recording
        A recording.
    told
        From :func:`settle`; notes are not kept.

    Returns
    -------
    xarray.Dataset
        The recording, with `told` behind what its attribute ``findings``, a JSON list, holds.
    """
    kept = [item for item in told if item["severity"] != "notes"]
    if not kept:
        return recording
    before = json.loads(recording.attrs.get("findings", "[]"))
    return recording.assign_attrs(findings=json.dumps([*before, *kept]))


def sentences(told: Sequence[Mapping[str, Any]]) -> list[str]:
    """What :func:`settle` keeps, as sentences for the notes of a file.

    Parameters
    ----------
    told
        From :func:`settle`.

    Returns
    -------
    list of str
        One sentence each.
    """
    return [f"{item['text'][0].upper()}{item['text'][1:]}." for item in told]

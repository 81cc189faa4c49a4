"""What a check found, and what becomes of it: refused, warned of, or noted."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass


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
    refuses
        Whether the conversion stops.
    may_be_true
        Whether it can be what was measured, so that a user may accept it.
    warns
        Whether the user is warned.
    """

    name: str
    text: str
    refuses: bool = False
    may_be_true: bool = False
    warns: bool = False


def settle(findings: Sequence[Finding], where: str, accept: Collection[str] = ()) -> list[str]:
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
    list of str
        What is to be noted.

    Raises
    ------
    ValueError
        If a check refuses and is not accepted.
    """
    refused = [item for item in findings if item.refuses and item.name not in accept]
    if refused:
        hint = sorted({item.name for item in refused if item.may_be_true})
        listed = "\n".join(f"- {item.text}" for item in refused)
        more = f"\nIf that is what was measured, accept: [{', '.join(hint)}]" if hint else ""
        raise ValueError(f"{where} cannot be converted:\n{listed}{more}")
    for item in findings:
        if item.warns:
            warnings.warn(f"{where}: {item.text}", GateWarning, stacklevel=3)
    return [f"{item.text[0].upper()}{item.text[1:]}." for item in findings]

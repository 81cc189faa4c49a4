"""One warning of a report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Caution:
    """One warning.

    Parameters
    ----------
    code
        Name for tests and links.
    level
        ``"serious"``: a result may be wrong or absent; ``"care"``: it needs thought; ``"note"``.
    title
        A few words.
    text
        What was found, with its number, and what follows.
    """

    code: str
    level: str
    title: str
    text: str

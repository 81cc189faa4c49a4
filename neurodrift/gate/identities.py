"""Whether any unit is known in more than one session."""

from __future__ import annotations

import numpy as np

from neurodrift.gate.findings import Finding

NO_REGISTRATION = (
    "no registration: every unit is of one session only, so nothing can be compared from session "
    "to session (add `registration:` to the mapping)"
)
"""What is said of several sessions whose units nothing joins."""


def identity_findings(detected: np.ndarray) -> list[Finding]:
    """Whether sessions that are joined share no unit.

    Parameters
    ----------
    detected
        (session, unit) whether a session has a unit.

    Returns
    -------
    list of Finding
        One that warns where there are several sessions and each unit is of one of them.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.gate.identities import identity_findings
    >>> [item.name for item in identity_findings(np.eye(2, dtype=bool))]
    ['no_registration']
    >>> identity_findings(np.ones((2, 3), dtype=bool))
    []
    """
    if len(detected) < 2 or not detected.any() or (detected.sum(axis=0) > 1).any():
        return []
    numbers = {"sessions": len(detected), "units": detected.shape[1]}
    return [Finding("no_registration", NO_REGISTRATION, warns=True, numbers=numbers)]

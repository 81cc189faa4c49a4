"""Which animal and environment an NWB file is of, without reading what was recorded."""

from __future__ import annotations

import os
from pathlib import Path

from neurodrift.io.nwb.opened import opened_nwb
from neurodrift.io.nwb.tables import told_by_epochs


def animal_of(
    path: str | os.PathLike[str], environment: str | None = None
) -> tuple[str, str | None]:
    """Subject and environment of an NWB file.

    Parameters
    ----------
    path
        The file.
    environment
        The environment that is read, of a file that tells several.

    Returns
    -------
    subject : str
        Empty if the file does not tell it.
    environment : str or None
        None if the file does not tell it and none is given.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read, or has several environments and none is named.

    Examples
    --------
    >>> import tempfile
    >>> from neurodrift import testing
    >>> from neurodrift.io.nwb import session_from_recording, write_session
    >>> from neurodrift.io.nwb.animal import animal_of
    >>> session = session_from_recording(testing.linear_track(n_units=2, minutes=1), "1")
    >>> animal_of(write_session(session, tempfile.mkdtemp() + "/1.nwb"))
    ('synthetic', 'linear track')
    """
    path = Path(path)
    with opened_nwb(path) as nwbfile:
        told = told_by_epochs(nwbfile, path.name, environment)["environment"]
        subject = nwbfile.subject.subject_id if nwbfile.subject else None
    return str(subject or ""), environment if told is None else str(told)

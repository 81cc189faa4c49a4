"""Own arrays to NWB files, as a mapping in YAML says.

A mapping names, for every session, where activity or spike times, position, clocks, trials and
the identities of units are; ``neurodrift convert arrays --init`` writes one to start from.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.convert._mapped import (
    from_start,
    mapped_activity,
    mapped_position,
    mapped_registration,
    mapped_trials,
    registration_column,
    with_silent_units,
)
from neurodrift.convert._mapping import ArrayMapping, load_mapping
from neurodrift.convert._mapping_schema import TEMPLATE
from neurodrift.convert.registration import Registration, registered_ids
from neurodrift.convert.sessions import nwb_session, settle, write_sessions
from neurodrift.io.nwb_session import Columns, NwbSession
from neurodrift.io.zarr import refuse_existing

SCORE = "registration_score"


def convert(
    source: str | os.PathLike[str],
    out_dir: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    report: Callable[[str], None] | None = None,
) -> list[Path]:
    """Convert own arrays to one NWB file for each session.

    Parameters
    ----------
    source
        The mapping, a YAML file.
    out_dir
        Folder of the new files, named ``<subject>_<environment>_<session>.nwb``.
    overwrite
        Whether existing files are replaced.
    report
        Called with a line about every session: units, frames, gaps, overlaps, registration.

    Returns
    -------
    list of pathlib.Path
        The files, in the order of the mapping. If anything fails, none is written.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    FileExistsError
        If a file exists and `overwrite` is False.
    ValueError
        If the mapping or a file is wrong; the line of the mapping is named.
    """
    mapping = load_mapping(source)
    registration = mapped_registration(mapping)
    make = partial(_reported, mapping, registration, report)
    names = [_file_name(mapping, label) for label in mapping.labels]
    if len(set(names)) < len(names):
        raise mapping.source.error([(("sessions",), "labels make equal file names")])
    sessions = {name: partial(make, i) for i, name in enumerate(names)}
    return write_sessions(sessions, out_dir, overwrite=overwrite)


def mapped_sessions(source: str | os.PathLike[str]) -> list[NwbSession]:
    """The sessions of a mapping, not written.

    Parameters
    ----------
    source
        The mapping, a YAML file.

    Returns
    -------
    list of NwbSession
        The sessions, for :func:`neurodrift.convert.sessions.recording_from_sessions`.
    """
    mapping = load_mapping(source)
    registration = mapped_registration(mapping)
    return [_session(mapping, registration, i) for i in range(len(mapping.labels))]


def write_template(path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Write a commented mapping to start from.

    Parameters
    ----------
    path
        The new YAML file.
    overwrite
        Whether an existing file is replaced.

    Returns
    -------
    pathlib.Path
        `path`.
    """
    path = Path(path)
    refuse_existing(path, overwrite)
    path.write_text(TEMPLATE, encoding="utf-8")
    return path


def _reported(
    mapping: ArrayMapping,
    registration: Registration | None,
    report: Callable[[str], None] | None,
    index: int,
) -> NwbSession:
    session = _session(mapping, registration, index)
    if report is not None:
        n_frames = 0 if session.time is None else len(session.time)
        units = f"{len(session.registered_cell_id)} units, {n_frames} frames of position"
        report(f"session {session.session}: {units}. {session.file_fields['notes']}")
    return session


def _session(mapping: ArrayMapping, registration: Registration | None, index: int) -> NwbSession:
    values, label = mapping.values, mapping.labels[index]
    own = values["sessions"][index]
    place, section = mapping.section("position", index), mapping.section("activity", index)
    assert section is not None  # the schema asks for it
    position = None if place is None else mapped_position(place)
    activity = mapped_activity(section, position)
    if activity.regions is None and "region" in values:
        activity = replace(activity, regions=[values["region"]] * activity.n_units)
    notes = [values["notes"]] if "notes" in values else []
    ids = None
    try:
        if registration is not None:
            column = registration_column(mapping, registration, index)
            activity = with_silent_units(activity, section, registration, column)
            ids, findings = registered_ids(registration, column, activity)
            notes += settle(findings, f"session {label}")
            if registration.score is not None:
                score = np.where(ids >= 0, registration.score[np.maximum(ids, 0)], np.nan)
                about = ("how sure the registration is, from 0 to 1", score)
                activity = replace(activity, columns={**activity.columns, SCORE: about})
        trials: Columns | None = mapped_trials(mapping.section("trials", index))
        activity, position, trials, origin = from_start(activity, position, trials)
        if origin:
            notes.append(f"The source counts its clock from {-origin:.6f} s before the session.")
        if "start" not in own:
            notes.append("The date of the session is not known; it stands for its day only.")
        fields: dict[str, Any] = {
            key: values[key] for key in ("lab", "institution") if key in values
        }
        if "experimenter" in values:
            fields["experimenter"] = [values["experimenter"]]
        return nwb_session(
            activity,
            position,
            subject=str(values["subject"]["id"]),
            environment=str(values["environment"]),
            session=label,
            start=mapping.starts[index],
            registered_cell_id=ids,
            trials=trials,
            day=mapping.days[index],
            experience=own.get("experience"),
            accuracy=own.get("accuracy"),
            accept=[*values.get("accept", []), *own.get("accept", [])],
            notes=notes,
            subject_fields={k: v for k, v in values["subject"].items() if k != "id"},
            file_fields=fields,
        )
    except ValueError as error:
        if str(error).startswith(mapping.source.name):
            raise
        raise mapping.source.error([(("sessions", index), str(error))]) from error


def _file_name(mapping: ArrayMapping, label: str) -> str:
    parts = (mapping.values["subject"]["id"], mapping.values["environment"], label)
    return "_".join(re.sub(r"[^\w.-]+", "-", str(part)) for part in parts)

"""What a mapping of own arrays may say: its JSON Schema, and a commented template."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from neurodrift.convert.readers import READERS
from neurodrift.schema import ACTIVITY_KINDS

TIME_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0, "frames": None, "samples": None}
"""Seconds in a unit of time; frames and samples are counted, and need a rate."""

LENGTHS = ("cm", "m", "mm", "pixels")
CHECKS: tuple[str, ...] = (
    "axes",
    "clock_unit",
    "integer_times",
    "negative_times",
    "overlap",
    "position_extent",
    "rates",
    "speed",
)
"""Checks whose refusals a user may accept as true of the data."""


_TEXT = {"type": "string", "minLength": 1}
_POSITIVE = {"type": "number", "exclusiveMinimum": 0}
_REFERENCE = {
    "description": "expected the name of a variable or column of this section's file, the number "
    "of a column (from 0), or {file: ..., variable: ...}",
    "oneOf": [
        _TEXT,
        {"type": "integer", "minimum": 0},
        {
            "type": "object",
            "required": ["file"],
            "additionalProperties": False,
            "properties": {
                "file": _TEXT,
                "variable": {"oneOf": [_TEXT, {"type": "integer", "minimum": 0}]},
            },
        },
    ],
}
_TIME = {
    "time": _REFERENCE,
    "time_unit": {"enum": list(TIME_UNITS)},
    "rate": _POSITIVE,
    "count_from": {"enum": [0, 1]},
    "offset": {"type": "number"},
}


def mapping_schema() -> dict[str, Any]:
    """JSON Schema of a mapping.

    Returns
    -------
    dict
        Draft 2020-12.

    Examples
    --------
    >>> from neurodrift.convert._mapping_schema import mapping_schema
    >>> mapping_schema()["required"]
    ['subject', 'environment', 'activity', 'sessions']
    """
    activity = _section(
        "activity",
        samples=_REFERENCE,
        axes={"enum": [["frames", "units"], ["units", "frames"]]},
        times=_REFERENCE,
        unit=_REFERENCE,
        unit_count_from={"enum": [0, 1]},
        keep=_REFERENCE,
        regions=_REFERENCE,
        kind={"enum": list(ACTIVITY_KINDS)},
        **_TIME,
    )
    position = _section(
        "position",
        x=_REFERENCE,
        y=_REFERENCE,
        xy=_REFERENCE,
        unit={"enum": list(LENGTHS)},
        cm_per_pixel=_POSITIVE,
        missing={"type": "number"},
        **_TIME,
    )
    trials = _section(
        None,
        start=_REFERENCE,
        stop=_REFERENCE,
        number=_REFERENCE,
        trial_type=_REFERENCE,
        map_label=_REFERENCE,
        **{key: _TIME[key] for key in ("time_unit", "rate", "count_from", "offset")},
    )
    registration = _section(
        "registration",
        table=_REFERENCE,
        axes={"enum": [["units", "sessions"], ["sessions", "units"]]},
        count_from={"enum": [0, 1]},
        sessions={"type": "array", "items": _label(), "minItems": 1},
    )
    sessions = {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "required": ["session"],
            "additionalProperties": False,
            "properties": {
                "session": _label(),
                "start": {},
                "day": {"type": "number", "minimum": 0},
                "experience": {"type": "number", "minimum": 0},
                "accuracy": {"type": "number", "minimum": 0, "maximum": 1},
                "activity": activity,
                "position": position,
                "trials": trials,
                "accept": _accept(),
            },
        },
    }
    subject = {
        name: _TEXT for name in ("species", "sex", "age", "genotype", "strain", "description")
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "neurodrift mapping of own arrays to NWB",
        "type": "object",
        "required": ["subject", "environment", "activity", "sessions"],
        "additionalProperties": False,
        "properties": {
            "subject": {
                "type": "object",
                "required": ["id"],
                "additionalProperties": False,
                "properties": {"id": _label(), **subject},
            },
            "environment": _label(),
            "region": _TEXT,
            "time_zone": _TEXT,
            "notes": _TEXT,
            "lab": _TEXT,
            "institution": _TEXT,
            "experimenter": _TEXT,
            "activity": activity,
            "position": position,
            "trials": trials,
            "registration": registration,
            "sessions": sessions,
            "accept": _accept(),
        },
    }


def write_mapping_schema(folder: str | os.PathLike[str]) -> Path:
    """Write the JSON Schema of mappings.

    Parameters
    ----------
    folder
        Where ``mapping.schema.json`` goes.

    Returns
    -------
    pathlib.Path
        The file.
    """
    path = Path(folder) / "mapping.schema.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(mapping_schema(), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _section(reads: str | None, **properties: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"file": _TEXT}
    if reads is not None:
        found |= {"reader": {"enum": list(READERS[reads])}, "options": {"type": "object"}}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": found | properties,
    }


def _label() -> dict[str, Any]:
    return {"type": ["string", "integer"]}


def _accept() -> dict[str, Any]:
    return {"type": "array", "items": {"enum": list(CHECKS)}}


TEMPLATE = """\
# How own arrays become NWB files: neurodrift convert arrays THIS_FILE --out FOLDER
# Paths are relative to this file; {session} stands for the label of the session.
# `neurodrift inspect FILE ...` shows what files hold and proposes a mapping.

subject:
  id: mouse-1
  species: Mus musculus
  # sex: F            # F, M, U
  # age: P90D         # ISO 8601
environment: linear track
region: CA1
# time_zone: Europe/Berlin      # of the starts below; UTC if left out

activity:
  # kind says what one number is: spikes or events (counts), amplitudes (of events),
  # deconvolved (rates), activation (anything else).
  kind: spikes
  # Files: .npy .npz .csv .tsv .txt .parquet .mat (v5 to v7.3) .h5 .hdf5
  file: "spikes_{session}.mat"
  # Spike or event times, one vector for each unit: a MATLAB cell, a group of HDF5 datasets
  # ("group/*"), arrays of an .npz ("unit*"), or one table with a column of times and one of units.
  times: spike_times
  # unit: unit_id               # the column of units, where `times` is a column of a table
  # unit_count_from: 1          # number of the first unit there, where there is a registration
  time_unit: s                  # s, ms, us, min; frames or samples, which need a rate
  # rate: 30000
  # count_from: 1               # for frames and samples: number of the first one
  # Or samples in frames instead of times:
  # samples: traces             # (frames, units)
  # axes: [frames, units]       # or [units, frames]
  # time: frame_times           # timestamps of the frames, or `rate:` in Hz
  # keep: iscell                # one number for each unit, 0 to leave it out
  # regions: areas              # one text for each unit
  # Or a pipeline's own files:
  # reader: suite2p             # suite2p, caiman, minian, phy
  # file: "{session}/suite2p/plane0"
  # options: {signal: spks}

position:
  file: "position_{session}.csv"
  x: x                          # a column by name or number (from 0)
  # y: y                        # leave out on a linear track
  # xy: position                # or one array (frames, 2)
  unit: cm                      # cm, m, mm, pixels
  # cm_per_pixel: 0.12          # for pixels
  time: time                    # or `rate:` in Hz
  time_unit: s
  # offset: 0.0                 # seconds to add to this clock
  # missing: 0                  # value that means "not tracked"
  # Or tracks of a pose estimator, in pixels:
  # reader: deeplabcut          # deeplabcut, sleap
  # options: {bodypart: nose, min_likelihood: 0.9}

# trials:
#   file: "trials_{session}.csv"
#   start: start
#   stop: stop
#   # number: trial
#   # trial_type: odour         # numbers, -1 = none
#   # map_label: map

# registration:
#   reader: cellreg             # cellreg, caiman, track2p; or a table of your own:
#   file: cellRegistered.mat
#   # table: cell_to_index_map
#   # count_from: 1             # number of a session's first unit in a table of your own
#   # sessions: [1, 2]          # of its columns; in the order below if left out

sessions:
  - session: 1
    start: 2026-01-05 10:00:00
  - session: 2
    start: 2026-01-07 10:00:00
    # activity, position, trials: what differs in this session
    # day: 2                    # days since the first session; follows from the starts
    # accuracy: 0.85            # share of correct trials

# accept: [position_extent]     # a check that refuses what is true of these data
"""
"""A mapping to start from."""


if __name__ == "__main__":
    print(write_mapping_schema(sys.argv[1]))

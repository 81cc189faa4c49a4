"""The contract: names, dimensions, units and kinds of everything that is passed on or stored.

A recording is held against :data:`RECORDING`, results against the tables of
:mod:`neurodrift.schema.results`, settings and mappings against JSON Schemas with the line of every
fault. Checks, labels, stored schemas and docs come from these tables, and from nowhere else.
"""

from neurodrift.schema.kinds import ACTIVITY_KINDS, COUNT_KINDS, KINDS, LEVEL_KINDS
from neurodrift.schema.recording import (
    DETECTION,
    FORMAT_VERSION,
    RECORDING,
    SESSION_COORDS,
    UNIT_COORDS,
    check,
    recording_table,
)
from neurodrift.schema.var import DTYPE_KINDS, Var, label, structure_faults, table

__all__ = [
    "ACTIVITY_KINDS",
    "COUNT_KINDS",
    "DETECTION",
    "DTYPE_KINDS",
    "FORMAT_VERSION",
    "KINDS",
    "LEVEL_KINDS",
    "RECORDING",
    "SESSION_COORDS",
    "UNIT_COORDS",
    "Var",
    "check",
    "label",
    "recording_table",
    "structure_faults",
    "table",
]

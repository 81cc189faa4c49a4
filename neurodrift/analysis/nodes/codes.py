"""Nodes of the relations among patterns, and of codes that turn as a whole."""

from __future__ import annotations

import xarray as xr

from neurodrift.analysis.alignment.alignment import compute_alignment
from neurodrift.analysis.nodes.pairs import over_all_sessions
from neurodrift.analysis.nodes.work import Work
from neurodrift.analysis.relations.relations import compute_relations
from neurodrift.schema.results import ALIGNMENT, RELATIONS

_RELATION_DRAWS = 49  # of unrelated codes: the least p is .02
_ALIGNMENT_DRAWS = 19  # of each null: the least p is .05


def relations(work: Work) -> xr.Dataset:
    """Similarities of places within each session, and whether they stay."""
    found = compute_relations(work.plain_halves, n_draws=_RELATION_DRAWS, seed=work.seed)
    return over_all_sessions(found, work.recording, RELATIONS)


def alignment(work: Work) -> xr.Dataset:
    """Whether a turn of the whole code carries one session into another."""
    found = compute_alignment(work.plain_halves, n_draws=_ALIGNMENT_DRAWS, seed=work.seed)
    return over_all_sessions(found, work.recording, ALIGNMENT)

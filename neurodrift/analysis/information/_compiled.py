"""Whether kernels still have to be compiled on this machine, which the first run does."""

from __future__ import annotations

from pathlib import Path

FIRST = (
    "analyze: the first run on this machine compiles its kernels, which takes longer than the "
    "analysis of a small recording; later runs find them compiled"
)


def is_first_run() -> bool:
    """Whether numba has kept nothing that it compiled for the information of maps.

    Returns
    -------
    bool
        False as well where numba keeps nothing.
    """
    from neurodrift.analysis.information._kernels import spatial_sums

    kept = spatial_sums.stats.cache_path
    return kept is not None and not any(Path(kept).glob("_kernels.spatial_sums-*.nbi"))

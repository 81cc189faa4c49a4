"""The shape of the environment, or of another variable that is mapped.

What a step, a lap, a neighbouring bin and an end are depends on whether an animal runs to and fro,
round a circle, through a virtual corridor, in a maze or in a field. A :class:`Geometry` says which;
a recording holds it, and every analysis asks it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "geometry": [
            "Geometry",
            "as_geometry",
            "category",
            "circular",
            "field",
            "geometry_of",
            "graph",
            "linear",
            "vr",
        ],
        "mazes": ["figure_eight", "plus_maze", "t_maze", "w_track"],
        "linearization": ["linearize"],
        "proposal": ["Proposal", "propose_geometry"],
    },
)

"""Whether the relations among patterns stay, while the patterns themselves may change.

Two unrelated codes of one track have nearly the same relations, since the track makes them.
Everything here is therefore held against codes that have nothing in common but their statistics.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "dissimilarity": ["compute_dissimilarities"],
        "relations": ["compute_relations"],
    },
)

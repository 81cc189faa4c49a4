"""Which units keep their maps: what one half of a day tells of the days after it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "predict": ["predict_stability"],
        "sentences": ["describe_stability"],
    },
)

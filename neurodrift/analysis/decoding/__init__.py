"""Decoders across sessions: whether activity of one day is still read with what another day taught.

A decoder asks what a reader of the population would notice of drift. It is trained in one session
and tested in another, beside one that was trained in the test session itself.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "across": ["decode_across_sessions"],
        "bayes": ["gaussian_posterior", "poisson_posterior"],
        "day": ["decode_session"],
        "sentences": ["describe_decoding"],
        "several": ["decode_from_several_sessions"],
    },
)

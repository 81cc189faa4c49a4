"""Rules for learning one task after the other. A new one is one file here and a line below."""

from __future__ import annotations

from neurodrift.simulate.learners._learner import Examples, Learner
from neurodrift.simulate.learners.ewc import EWC
from neurodrift.simulate.learners.kfac import KFAC
from neurodrift.simulate.learners.ncl import NCL
from neurodrift.simulate.learners.replay import Replay
from neurodrift.simulate.learners.sgd import SGD

LEARNERS: dict[str, type[Learner]] = {
    "sgd": SGD,
    "replay": Replay,
    "ewc": EWC,
    "kfac": KFAC,
    "ncl": NCL,
}
"""Every learner by name."""

__all__ = ["EWC", "KFAC", "LEARNERS", "NCL", "SGD", "Examples", "Learner", "Replay"]

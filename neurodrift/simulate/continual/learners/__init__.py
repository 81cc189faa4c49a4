"""Rules for learning one task after the other. A new one is one file here and a line below."""

from __future__ import annotations

from neurodrift.simulate.continual.learners.ewc import EWC
from neurodrift.simulate.continual.learners.kfac import KFAC
from neurodrift.simulate.continual.learners.learner import Examples, Learner
from neurodrift.simulate.continual.learners.ncl import NCL
from neurodrift.simulate.continual.learners.replay import Replay
from neurodrift.simulate.continual.learners.sgd import SGD

LEARNERS: dict[str, type[Learner]] = {
    "sgd": SGD,
    "replay": Replay,
    "ewc": EWC,
    "kfac": KFAC,
    "ncl": NCL,
}
"""Every learner by name."""

__all__ = ["EWC", "KFAC", "LEARNERS", "NCL", "SGD", "Examples", "Learner", "Replay"]

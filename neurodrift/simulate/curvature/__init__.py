"""The shape of the loss around a network: how steep, how flat, and what noise makes of it.

A :class:`LossPoint` is a network with one hidden layer at one point of its loss, such as a snapshot
of a run. Of it `hessian` gives every eigenvalue, `measures` their sums and counts over training;
`lanczos` estimates the same for any torch model. `timescale` says how long a network takes to
become sparse. `landscape` lets walkers descend a loss of a few parameters with noise, `flatness`
measures how that noise pushes them to flat places, and `laplace` is the loss as its quadratic
approximation at a minimum remembers it. Each public name is loaded when it is used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

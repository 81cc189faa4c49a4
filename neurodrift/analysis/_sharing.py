"""Work that analyses with other options have in common, done once while they run side by side.

A node that was computed before is found by :mod:`neurodrift.analysis.cache`. Inside a node there is
work that fewer options touch: shuffles do not depend on the level of the test, thinned sessions not
on the null. Within :func:`shared_work` such a function computes once for the same arguments.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec

import xarray as xr

_P = ParamSpec("_P")
_known: ContextVar[dict[str, xr.Dataset] | None] = ContextVar("known", default=None)


@contextmanager
def shared_work() -> Iterator[None]:
    """Remember, for the time of a ``with`` block, what its analyses have in common."""
    token = _known.set({})
    try:
        yield
    finally:
        _known.reset(token)


def shareable(function: Callable[_P, xr.Dataset]) -> Callable[_P, xr.Dataset]:
    """Let a function whose result depends on its arguments alone be shared.

    Parameters
    ----------
    function
        It is called once for equal arguments within :func:`shared_work`, and its result is then in
        memory; elsewhere nothing changes. Arguments whose equality nobody can tell are not shared.

    Returns
    -------
    callable
        The function.
    """

    @functools.wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> xr.Dataset:
        known = _known.get()
        if known is None:
            return function(*args, **kwargs)
        key = _key(function, args, kwargs)
        if key is None:
            return function(*args, **kwargs)
        if key not in known:
            known[key] = function(*args, **kwargs).compute()
        return known[key].copy()

    return call


def _key(function: Callable[..., object], args: object, kwargs: object) -> str | None:
    from dask.base import tokenize
    from dask.tokenize import TokenizationError

    try:
        name = f"{function.__module__}.{function.__qualname__}"
        return str(tokenize(name, args, kwargs, ensure_deterministic=True))
    except TokenizationError:
        return None

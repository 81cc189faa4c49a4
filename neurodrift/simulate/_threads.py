"""How many threads linear algebra uses, so that runs side by side do not fight over the cores.

Eigenvalues of a few hundred parameters take longer on two BLAS threads than on one, on a busy
machine many times longer; and the last bits of a result depend on the number of threads.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_LOCK = threading.Lock()
_IN_FORCE: list[Any] = []  # the limit, once for everybody who asked for it


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep NumPy's linear algebra to one thread; calls may nest and overlap.

    The number of threads belongs to the process, so the first to ask sets the limit and the last
    to leave takes it away.
    """
    with _LOCK:
        limit = _controller().limit(limits=1) if not _IN_FORCE else _IN_FORCE[-1]
        _IN_FORCE.append(limit)
    try:
        yield
    finally:
        with _LOCK:
            _IN_FORCE.pop()
            if not _IN_FORCE:
                limit.restore_original_limits()


@functools.cache
def _controller() -> Any:
    """Looking for the libraries takes milliseconds, setting a limit none."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


@contextmanager
def torch_threads(n: int | None) -> Iterator[None]:
    """Give torch this many threads on the CPU; None leaves it as it is."""
    if n is None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)

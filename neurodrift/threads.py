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
_BEFORE: list[list[int]] = []  # threads of each library before, once for everybody who asked


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep linear algebra of NumPy and SciPy to one thread; calls may nest, and overlap in threads.

    The number of threads belongs to the process, so the first to ask sets the limit and the last
    to leave takes it away.
    """
    libraries = _libraries()
    with _LOCK:
        now = [library.num_threads for library in libraries]
        if not _BEFORE:
            _set(libraries, [1] * len(libraries))
        _BEFORE.append(_BEFORE[0] if _BEFORE else now)
    try:
        yield
    finally:
        with _LOCK:
            before = _BEFORE.pop()
            if not _BEFORE:
                _set(libraries, before)


@functools.cache
def _libraries() -> list[Any]:
    """Looking for the libraries takes milliseconds, setting a limit none."""
    import scipy.linalg  # noqa: F401  brings a library of its own, which would be missed
    from threadpoolctl import ThreadpoolController

    return list(ThreadpoolController().select(user_api="blas").lib_controllers)


def _set(libraries: list[Any], numbers: list[int]) -> None:
    for library, number in zip(libraries, numbers, strict=True):
        # threadpoolctl 3.8 listens to the thread that set a limit first and to no other
        free = getattr(library, "clear_controlling_thread", lambda **_: None)
        free(force=True)
        library.set_num_threads(number)
        free(force=True)


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

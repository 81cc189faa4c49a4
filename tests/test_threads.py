from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from neurodrift.seeds import generator
from neurodrift.simulate.curvature.hessian import compute_hessian_spectrum
from neurodrift.simulate.curvature.loss_point import LossPoint
from neurodrift.simulate.curvature.measures import compute_hessian_measures
from neurodrift.threads import one_blas_thread, torch_threads


def blas_threads():
    return {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}


def network(n_hidden=60):
    rng = generator(0, "test", "threads")
    shapes = ((n_hidden, 20), (n_hidden,), (10, n_hidden), (10, 20), (10, 10))
    return [rng.normal(size=shape) for shape in shapes]


@pytest.fixture
def two_threads():
    with threadpool_limits(limits=2, user_api="blas"):
        if blas_threads() != {2}:
            pytest.skip("this BLAS cannot have two threads")
        yield


def test_one_blas_thread__nested_and_restored(two_threads):
    with one_blas_thread():
        assert blas_threads() == {1}
        with one_blas_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def test_one_blas_thread__a_library_that_scipy_brings_later():
    """What is first imported under the limit has one thread too."""
    script = """
from threadpoolctl import threadpool_info
from neurodrift.threads import one_blas_thread
with one_blas_thread():
    import scipy.linalg
    print({lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"})
"""
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "{1}"


def test_one_blas_thread__restored_after_an_error(two_threads):
    with pytest.raises(ZeroDivisionError), one_blas_thread():
        raise ZeroDivisionError
    assert blas_threads() == {2}


def test_one_blas_thread__overlapping_threads(two_threads):
    """The one that came first leaves first, which must not free the other one."""
    steps, seen = [Barrier(2, timeout=30) for _ in range(3)], []

    def first():
        with one_blas_thread():
            steps[0].wait()
            steps[1].wait()
        steps[2].wait()

    def second():
        steps[0].wait()
        with one_blas_thread():
            steps[1].wait()
            steps[2].wait()
            seen.append(blas_threads())

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(first), pool.submit(second)]:
            future.result()
    assert seen == [{1}]
    assert blas_threads() == {2}


def test_hessian_spectrum__same_bits_on_any_number_of_threads(two_threads):
    point = LossPoint(*network())
    found = compute_hessian_spectrum(point)
    with threadpool_limits(limits=1):
        np.testing.assert_array_equal(found, compute_hessian_spectrum(LossPoint(*network())))
    measures = compute_hessian_measures([point])
    assert measures["eig_sum"].item() == found.sum()
    assert blas_threads() == {2}


def test_torch_threads__set_and_restored():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    with torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with torch_threads(None):
        assert torch.get_num_threads() == before

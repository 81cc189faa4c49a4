"""Numba kernels that fill arrays with random numbers, nothing else.

64 independent xoshiro128++ generators advance side by side, so that the compiler turns every
operation into vector instructions; their states come from the run's own seed. Normal numbers are
pairs by Box and Muller's transform of 24-bit uniforms (so none is larger than 5.8), in float32.
Numbers are worked on in place as 32-bit words: every loop reads and writes one array.

References: D. Blackman & S. Vigna (2021), https://doi.org/10.1145/3460772; the polynomials of the
logarithm, sine and cosine are those of S. Moshier's Cephes library in single precision.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from neurodrift.simulate.gradient._numba.simd import (
    LANES,
    bits_of_float,
    float_of_bits,
    load_words,
    store_words,
    xoshiro,
)

N_STREAMS = 64
"""Generators side by side; a state holds four words of each."""

BATCH = 2 * N_STREAMS
"""Normal numbers come in batches of this size."""

CHUNK = 16
"""Batches between the two halves of the work, few enough to stay in the first cache."""

_ANGLE = np.float32(2.0**-24 * math.pi / 2)
_EIGHTH = np.float32(math.pi / 4)
_LN_2 = np.float32(math.log(2))
_ROOT_HALF = 0x3F3504F3  # the bits of sqrt(1/2) as float32

_FAST = {"contract", "nsz"}


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _advance(state, words):  # type: ignore[no-untyped-def]
    """Fill whole halves of batches with random bits; sixteen generators at a time."""
    for lane in range(0, N_STREAMS, LANES):
        s0, s1 = load_words(state, lane), load_words(state, N_STREAMS + lane)
        s2, s3 = load_words(state, 2 * N_STREAMS + lane), load_words(state, 3 * N_STREAMS + lane)
        for i in range(lane, words.size, N_STREAMS):
            bits, s0, s1, s2, s3 = xoshiro(s0, s1, s2, s3)
            store_words(words, i, bits)
        store_words(state, lane, s0)
        store_words(state, N_STREAMS + lane, s1)
        store_words(state, 2 * N_STREAMS + lane, s2)
        store_words(state, 3 * N_STREAMS + lane, s3)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def fill_uniform(state: np.ndarray, out: np.ndarray, n: int) -> None:
    """Fill out[:n], rounded up to whole batches, with uniform numbers between -0.5 and 0.5."""
    single, word, integer = np.float32, np.uint32, np.int32
    words = out.view(np.uint32)
    words = words[: (n + N_STREAMS - 1) // N_STREAMS * N_STREAMS]
    _advance(state, words)
    for i in range(words.size):
        high = single(integer(word(words[i] >> word(8))))
        words[i] = word(bits_of_float((high - single(2**23 - 0.5)) * single(2.0**-24)))


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def fill_normal(state: np.ndarray, out: np.ndarray, n: int) -> None:
    """Fill out[:n], rounded up to whole batches, with standard normal numbers."""
    words = out.view(np.uint32)
    n_batches = (n + BATCH - 1) // BATCH
    for first in range(0, n_batches, CHUNK):
        last = min(first + CHUNK, n_batches)
        part = words[first * BATCH : last * BATCH]
        _advance(state, part)
        _box_muller(part)


@numba.njit(cache=True, nogil=True, fastmath=_FAST)
def _box_muller(words):  # type: ignore[no-untyped-def]
    """Turn batches of random bits into normal numbers, in place."""
    single, word, integer = np.float32, np.uint32, np.int32
    for batch in range(words.size // BATCH):
        start = batch * BATCH
        for i in range(N_STREAMS):
            # logarithm of u = (1 ... 2^24) / 2^24 from its exponent and its mantissa
            u = single(integer(word(words[start + i] >> word(8)) + word(1)))
            shifted = integer(bits_of_float(u) - integer(_ROOT_HALF))
            exponent = single(integer(integer(shifted >> integer(23)) - integer(24)))
            mantissa = integer(integer(shifted & integer(0x007FFFFF)) + integer(_ROOT_HALF))
            m = float_of_bits(word(mantissa)) - single(1)
            p = single(7.0376836292e-2)
            p = p * m + single(-1.1514610310e-1)
            p = p * m + single(1.1676998740e-1)
            p = p * m + single(-1.2420140846e-1)
            p = p * m + single(1.4249322787e-1)
            p = p * m + single(-1.6668057665e-1)
            p = p * m + single(2.0000714765e-1)
            p = p * m + single(-2.4999993993e-1)
            p = p * m + single(3.3333331174e-1)
            square = m * m
            logarithm = (p * m * square - single(0.5) * square + m) + exponent * _LN_2
            radius = np.sqrt(single(-2) * min(logarithm, single(0)))
            # angle within +-45 degrees from 24 bits, the quadrant from two others
            turn = words[start + N_STREAMS + i]
            fraction = single(integer(word(word(turn << word(2)) >> word(8))))
            a = (fraction + single(0.5)) * _ANGLE - _EIGHTH
            b = a * a
            s = (single(-1.9515295891e-4) * b + single(8.3321608736e-3)) * b
            s = (s + single(-1.6666654611e-1)) * b * a + a
            c = (single(2.443315711809948e-5) * b + single(-1.388731625493765e-3)) * b
            c = (c + single(4.166664568298827e-2)) * b * b - single(0.5) * b + single(1)
            swap = word(turn & word(0x40000000)) != word(0)
            sign = word(turn & word(0x80000000))
            radius = float_of_bits(word(word(bits_of_float(radius)) ^ sign))
            words[start + i] = word(bits_of_float(radius * (c if swap else s)))
            words[start + N_STREAMS + i] = word(bits_of_float(radius * (-s if swap else c)))

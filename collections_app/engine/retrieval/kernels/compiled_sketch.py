"""Compiled loops over sketches: scanning their bits, and unpacking what is stored of a page."""

import numpy as np
from numba.core import types
from numpy.typing import NDArray

from collections_app.engine.retrieval.arrays import (
    MAX_SKETCH_VECTORS,
    WORDS_AT_ONCE,
    Bytes,
    Floats,
    Numbers,
    Page,
    Words,
)
from collections_app.engine.retrieval.kernels.jit import compiled
from collections_app.engine.retrieval.kernels.simd import (
    add_words,
    broadcast_word,
    differing_bits,
    load_words,
    min_lane,
    min_words,
    popcount,
    prefetch,
)

_NUMBERS = types.int64[::1]
_STARTS = types.Array(types.int64, 1, "C", readonly=True)
_WORDS = types.Array(types.uint64, 1, "C", readonly=True)
_SIGNS = types.Array(types.uint64, 2, "C", readonly=True)
_PLANES = types.Array(types.uint64, 3, "C", readonly=True)
_SCORES = types.float32[::1]
_BYTES = types.Array(types.uint8, 1, "C", readonly=True)
_PACKED = types.Array(types.uint8, 2, "C", readonly=True)
_MULTIPLES = types.Array(types.int8, 1, "C", readonly=True)


@compiled(types.void(_WORDS, _STARTS, _STARTS, _SIGNS, _SCORES, types.int64, _SCORES))
def count_bits(
    words: Words, starts: Numbers, rows: Numbers, signs: Words, gains: Floats, dim: int, scores: Floats
) -> None:
    """Store the MaxSim scores of the pages `rows`, comparing bits with bits."""
    each = signs.shape[1]
    for number in range(len(rows)):
        start = starts[rows[number]]
        size = starts[rows[number] + 1] - start
        begin = start * each
        score = np.float32(0)
        for i in range(len(signs)):
            first, second = signs[i, 0], signs[i, 1]
            least = broadcast_word(np.uint64(64 * each))
            for j in range(begin, begin + size, WORDS_AT_ONCE):
                differing = add_words(
                    differing_bits(load_words(words, j), first), differing_bits(load_words(words, j + size), second)
                )
                for w in range(2, each):
                    differing = add_words(differing, differing_bits(load_words(words, j + w * size), signs[i, w]))
                least = min_words(least, differing)
            score += gains[i] * np.float32(dim - 2 * min_lane(least))
        scores[number] = score


@compiled(types.void(_WORDS, _STARTS, _STARTS, _PLANES, _SCORES, _SCORES))
def weigh_bits(words: Words, starts: Numbers, rows: Numbers, planes: Words, steps: Floats, scores: Floats) -> None:
    """Store the MaxSim scores of the pages `rows`, comparing bits with the query's numbers in sixteen steps.

    The rows are few of many, so no processor guesses which page is next: it is loaded while this one is compared.

    A level is k + 1/2 for k from -8 to 7, and a sign is 2 b - 1 for a bit b. Twice a level is 2 u - 15, where u is the
    number that the four bit planes make. The sum of level times sign is then the sum of (2 u - 15) b, minus a term that
    is the same for every page.
    """
    each = planes.shape[2]
    ones, partial = np.zeros(MAX_SKETCH_VECTORS, dtype=np.int64), np.zeros(MAX_SKETCH_VECTORS, dtype=np.int64)
    for number in range(len(rows)):
        start = starts[rows[number]]
        size = starts[rows[number] + 1] - start
        begin = start * each
        following = rows[min(number + 1, len(rows) - 1)]
        for j in range(starts[following] * each, starts[following + 1] * each, WORDS_AT_ONCE):
            prefetch(words, j)
        for j in range(size):
            ones[j] = 0
        for w in range(each):
            column = words[begin + w * size :]
            for j in range(size):
                ones[j] += 15 * np.int64(popcount(column[j]))
        score = np.float32(0)
        for i in range(len(planes)):
            best = np.int64(0)
            for w in range(0, each, 2):
                left, right = words[begin + w * size :], words[begin + (w + 1) * size :]
                a0, b0, c0, d0 = planes[i, 0, w], planes[i, 1, w], planes[i, 2, w], planes[i, 3, w]
                a1, b1, c1, d1 = planes[i, 0, w + 1], planes[i, 1, w + 1], planes[i, 2, w + 1], planes[i, 3, w + 1]
                best = np.int64(-(2**62))
                for j in range(size):
                    x, y = left[j], right[j]
                    low = popcount(x & a0) + popcount(y & a1) + ((popcount(x & b0) + popcount(y & b1)) << np.uint64(1))
                    high = popcount(x & c0) + popcount(y & c1) + ((popcount(x & d0) + popcount(y & d1)) << np.uint64(1))
                    total = np.int64((low + (high << np.uint64(2))) << np.uint64(1)) + (partial[j] if w else -ones[j])
                    if w < each - 2:
                        partial[j] = total
                    best = max(best, total)
            score += steps[i] * np.float32(best)
        scores[number] = score


@compiled(types.uint64(_BYTES))
def _word(eight: Bytes) -> np.uint64:
    """Read a little-endian word; LLVM makes this one instruction."""
    low = np.uint64(eight[0]) | np.uint64(eight[1]) << np.uint64(8)
    low |= np.uint64(eight[2]) << np.uint64(16) | np.uint64(eight[3]) << np.uint64(24)
    high = np.uint64(eight[4]) | np.uint64(eight[5]) << np.uint64(8)
    high |= np.uint64(eight[6]) << np.uint64(16) | np.uint64(eight[7]) << np.uint64(24)
    return low | high << np.uint64(32)


@compiled(types.void(_BYTES, _NUMBERS, types.int64, _NUMBERS, _NUMBERS, types.int64, types.uint64[::1]))
def arrange_words(
    data: Bytes, begins: Numbers, row: int, counts: Numbers, starts: Numbers, each: int, words: Words
) -> None:
    """Copy the vectors of sketches into `words`, word by word, filling each page up with its last vector.

    Page i has `counts[i]` vectors of `row` bytes from `begins[i]` on; `words` has `each` words for a vector.
    """
    whole = row // 8
    for i in range(len(begins)):
        size = starts[i + 1] - starts[i]
        into = words[starts[i] * each : starts[i + 1] * each]
        for j in range(size):
            at = begins[i] + min(j, counts[i] - 1) * row
            for w in range(whole):
                into[w * size + j] = _word(data[at + 8 * w : at + 8 * w + 8])
            for byte in range(8 * whole, row):
                into[whole * size + j] |= np.uint64(data[at + byte]) << np.uint64(8 * (byte & 7))


@compiled(types.void(_PACKED, _MULTIPLES, types.int8[:, ::1]))
def unpack_six_bits(packed: Bytes, multiples: NDArray[np.int8], numbers: Page) -> None:
    """Unpack four numbers of six bits from each three bytes, and multiply each vector's numbers by its multiple."""
    for row in range(len(multiples)):
        for four in range(numbers.shape[1] // 4):
            a, b, c = packed[row, 3 * four], packed[row, 3 * four + 1], packed[row, 3 * four + 2]
            numbers[row, 4 * four] = ((a & 63) - 32) * multiples[row]
            numbers[row, 4 * four + 1] = ((a >> 6 | (b & 15) << 2) - 32) * multiples[row]
            numbers[row, 4 * four + 2] = ((b >> 4 | (c & 3) << 4) - 32) * multiples[row]
            numbers[row, 4 * four + 3] = ((c >> 2) - 32) * multiples[row]

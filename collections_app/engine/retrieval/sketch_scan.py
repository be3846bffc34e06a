"""How well pages answer by their sketches: MaxSim over bits, in a few hundred nanoseconds a page.

`coarsely` compares bits with bits, which is quick; `finely` compares them with the query's numbers in sixteen steps,
which takes about three times as long and ranks far better. Both say which pages are worth a closer look: their scores
compare with each other and with nothing else.

In memory the bits of a page lie word by word, the first words of all its vectors, then the second ones, so that one
instruction of the processor counts those of several vectors. Where a page has no multiple of eight vectors, its last
one is there more than once, which changes no score.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numba.core import types
from numpy.typing import NDArray

from collections_app.engine.retrieval.jit import compiled
from collections_app.engine.retrieval.parallel import spread
from collections_app.engine.retrieval.simd import (
    WORDS_AT_ONCE,
    bits_apart,
    lower,
    lowest,
    ones_of,
    sums,
    words_at,
    words_of,
)
from collections_app.engine.retrieval.sketch import FORMAT, HEADER_BYTES, width

Words: TypeAlias = NDArray[np.uint64]
Numbers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float32]

_LEVELS = np.float32(7.5)  # sixteen, half a step apart from zero on both sides
_MOST = 256  # vectors of a page in a sketch: their number is a byte
_NUMBERS = types.int64[::1]
_BYTES = types.Array(types.uint8, 1, "C", readonly=True)
_PART_COARSE, _PART_FINE = 512, 64  # pages, for a tenth of a millisecond or two
_MOST_PARTS = 256  # each of a millisecond at most, of a million pages
_FOUR_BITS = np.arange(4, dtype=np.uint8)[:, None]
_PAIR_BYTES = 16  # words come in pairs; most models have 128 dimensions, which are one


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """The bits of many pages: page i has the vectors from `starts[i]` to `starts[i + 1]`, a multiple of eight."""

    words: Words
    starts: Numbers

    @property
    def nbytes(self) -> int:
        return self.words.nbytes + self.starts.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Sketched:
    """Sketches in both forms, ready to be scanned."""

    dim: int
    fine: Codes
    coarse: Codes

    def __len__(self) -> int:
        return len(self.fine.starts) - 1

    @property
    def nbytes(self) -> int:
        return self.fine.nbytes + self.coarse.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A query as the scans take it: the signs of its vectors, their numbers bit by bit, and what each counts."""

    signs: Words  # (q, words)
    gains: Floats  # (q,)
    planes: Words  # (q, 4, words)
    steps: Floats  # (q,)


def asked(query: NDArray[np.float16] | Floats, weights: Floats | None = None) -> Asked:
    """`weights` tell how much each of the query's vectors counts; one may be negative."""
    vectors = query.astype(np.float32)
    counts = np.ones(len(vectors), dtype=np.float32) if weights is None else weights.astype(np.float32)
    steps = (np.abs(vectors).max(axis=1) / _LEVELS).astype(np.float32)
    levels = (np.floor(vectors / np.where(steps > 0, steps, 1)[:, None]).clip(-8, 7) + 8).astype(np.uint8)
    planes = _packed((levels[:, None] >> _FOUR_BITS) & 1)
    return Asked(_packed(vectors > 0), counts * np.linalg.norm(vectors, axis=1), planes, counts * steps)


def load(sketches: bytes, lengths: NDArray[np.int64], *, dim: int) -> tuple[Sketched, NDArray[np.bool_]]:
    """Sketches that lie one after the other, and which of them could be used; the others are left out."""
    data = np.frombuffer(sketches, dtype=np.uint8)
    begins = np.cumsum(lengths) - lengths
    usable = lengths >= HEADER_BYTES
    headers = np.zeros((len(lengths), HEADER_BYTES), dtype=np.int64)
    headers[usable] = data[begins[usable, None] + np.arange(HEADER_BYTES)]
    forms, fine, coarse = headers.T
    whole = lengths == HEADER_BYTES + (fine + coarse) * width(dim)
    usable &= (forms == FORMAT) & whole & (coarse >= 1) & (coarse <= fine)
    begins, counts = begins[usable], (fine[usable], coarse[usable])
    pairs = -(-dim // (8 * _PAIR_BYTES))
    made = []
    skipped = np.full(len(begins), HEADER_BYTES, dtype=np.int64)
    for count in counts:
        starts = np.zeros(len(begins) + 1, dtype=np.int64)
        np.cumsum(count + -count % WORDS_AT_ONCE, out=starts[1:])
        words = np.zeros(int(starts[-1]) * 2 * pairs, dtype=np.uint64)
        _spread(data, begins + skipped, width(dim), count, starts, 2 * pairs, words)
        made.append(Codes(words, starts))
        skipped += count * width(dim)
    return Sketched(dim, made[0], made[1]), usable


def joined(parts: list[Sketched]) -> Sketched:
    """The pages of several, one after the other."""

    def together(codes: list[Codes]) -> Codes:
        sizes = np.concatenate([[0], *(np.diff(one.starts) for one in codes)])
        return Codes(np.concatenate([one.words for one in codes]), np.cumsum(sizes, dtype=np.int64))

    return Sketched(parts[0].dim, together([one.fine for one in parts]), together([one.coarse for one in parts]))


def taken(sketched: Sketched, rows: Numbers) -> Sketched:
    """Those pages only."""

    def some(codes: Codes) -> Codes:
        sizes = np.diff(codes.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        each = len(codes.words) // max(1, int(codes.starts[-1]))
        moved = np.repeat((codes.starts[rows] - starts[:-1]) * each, sizes * each)
        return Codes(codes.words[moved + np.arange(len(moved))], starts)

    return Sketched(sketched.dim, some(sketched.fine), some(sketched.coarse))


def coarsely(query: Asked, codes: Codes, rows: Numbers, *, dim: int) -> Floats:
    """Scores of the pages `rows`, bits against bits."""
    found = np.empty(len(rows), dtype=np.float32)

    def some(start: int, stop: int) -> None:
        part = rows[start:stop]
        _count(codes.words, codes.starts, part, query.signs, query.gains, dim, found[start:stop])

    spread(some, len(rows), each=max(_PART_COARSE, len(rows) // _MOST_PARTS))
    return found


def finely(query: Asked, codes: Codes, rows: Numbers) -> Floats:
    """Scores of the pages `rows`, bits against numbers."""
    found = np.empty(len(rows), dtype=np.float32)

    def some(start: int, stop: int) -> None:
        _weigh(codes.words, codes.starts, rows[start:stop], query.planes, query.steps, found[start:stop])

    spread(some, len(rows), each=_PART_FINE)
    return found


def _packed(bits: NDArray[Any]) -> Words:
    """Rows of bits as rows of words, in pairs."""
    packed = np.packbits(bits, axis=-1, bitorder="little")
    rows = np.zeros((*packed.shape[:-1], -(-packed.shape[-1] // _PAIR_BYTES) * _PAIR_BYTES), dtype=np.uint8)
    rows[..., : packed.shape[-1]] = packed
    return rows.view("<u8").astype(np.uint64)


@compiled(types.uint64(_BYTES))
def _word(eight: NDArray[np.uint8]) -> np.uint64:
    # The compiler makes one instruction of it.
    low = np.uint64(eight[0]) | np.uint64(eight[1]) << np.uint64(8)
    low |= np.uint64(eight[2]) << np.uint64(16) | np.uint64(eight[3]) << np.uint64(24)
    high = np.uint64(eight[4]) | np.uint64(eight[5]) << np.uint64(8)
    high |= np.uint64(eight[6]) << np.uint64(16) | np.uint64(eight[7]) << np.uint64(24)
    return low | high << np.uint64(32)


@compiled("void(uint64[::1], int64[::1], int64[::1], uint64[:, ::1], float32[::1], int64, float32[::1])")
def _count(words: Words, starts: Numbers, rows: Numbers, signs: Words, gains: Floats, dim: int, found: Floats) -> None:
    each = signs.shape[1]
    for number in range(len(rows)):
        start = starts[rows[number]]
        size = starts[rows[number] + 1] - start
        begin = start * each
        score = np.float32(0)
        for i in range(len(signs)):
            first, second = signs[i, 0], signs[i, 1]
            least = words_of(np.uint64(64 * each))
            for j in range(begin, begin + size, WORDS_AT_ONCE):
                apart = sums(bits_apart(words_at(words, j), first), bits_apart(words_at(words, j + size), second))
                for w in range(2, each):
                    apart = sums(apart, bits_apart(words_at(words, j + w * size), signs[i, w]))
                least = lower(least, apart)
            score += gains[i] * np.float32(dim - 2 * lowest(least))
        found[number] = score


@compiled("void(uint64[::1], int64[::1], int64[::1], uint64[:, :, ::1], float32[::1], float32[::1])")
def _weigh(words: Words, starts: Numbers, rows: Numbers, planes: Words, steps: Floats, found: Floats) -> None:
    # A level is k + 1/2 for k from -8 to 7, and a sign is 2 b - 1 for a bit b; twice a level is 2 u - 15 where u has
    # the four bits. The sum of level times sign is then that of (2 u - 15) b, less what is the same for every page.
    each = planes.shape[2]
    ones, before = np.zeros(_MOST, dtype=np.int64), np.zeros(_MOST, dtype=np.int64)
    for number in range(len(rows)):
        start = starts[rows[number]]
        size = starts[rows[number] + 1] - start
        begin = start * each
        for j in range(size):
            ones[j] = 0
        for w in range(each):
            one = words[begin + w * size :]
            for j in range(size):
                ones[j] += 15 * np.int64(ones_of(one[j]))
        score = np.float32(0)
        for i in range(len(planes)):
            best = np.int64(0)
            for w in range(0, each, 2):
                one, other = words[begin + w * size :], words[begin + (w + 1) * size :]
                a0, b0, c0, d0 = planes[i, 0, w], planes[i, 1, w], planes[i, 2, w], planes[i, 3, w]
                a1, b1, c1, d1 = planes[i, 0, w + 1], planes[i, 1, w + 1], planes[i, 2, w + 1], planes[i, 3, w + 1]
                best = np.int64(-(2**62))
                for j in range(size):
                    x, y = one[j], other[j]
                    low = ones_of(x & a0) + ones_of(y & a1) + ((ones_of(x & b0) + ones_of(y & b1)) << np.uint64(1))
                    high = ones_of(x & c0) + ones_of(y & c1) + ((ones_of(x & d0) + ones_of(y & d1)) << np.uint64(1))
                    so_far = np.int64((low + (high << np.uint64(2))) << np.uint64(1)) + (before[j] if w else -ones[j])
                    if w < each - 2:
                        before[j] = so_far
                    best = max(best, so_far)
            score += steps[i] * np.float32(best)
        found[number] = score


@compiled(types.void(_BYTES, _NUMBERS, types.int64, _NUMBERS, _NUMBERS, types.int64, types.uint64[::1]))
def _spread(
    data: NDArray[np.uint8], begins: Numbers, row: int, count: Numbers, starts: Numbers, each: int, words: Words
) -> None:
    whole = row // 8
    for i in range(len(begins)):
        size = starts[i + 1] - starts[i]
        into = words[starts[i] * each : starts[i + 1] * each]
        for j in range(size):
            at = begins[i] + min(j, count[i] - 1) * row
            for w in range(whole):
                into[w * size + j] = _word(data[at + 8 * w : at + 8 * w + 8])
            for byte in range(8 * whole, row):
                into[whole * size + j] |= np.uint64(data[at + byte]) << np.uint64(8 * (byte & 7))

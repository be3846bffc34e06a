"""Scores of pages by their sketches: MaxSim over bits, in a few hundred nanoseconds per page.

`score_coarse` compares bits with bits, which is fast. `score_fine` compares them with the query's numbers in sixteen
steps, which takes about three times as long and ranks far better. Both only choose candidates: a score is comparable
with others of the same kind and query, and with nothing else.

In memory the bits of a page are stored word by word: the first words of all its vectors, then the second ones, so that
one instruction counts the bits of several vectors. If the number of vectors is not a multiple of eight, the last vector
is repeated, which changes no score.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.retrieval.arrays import WORDS_AT_ONCE, Floats, Numbers, Words
from collections_app.engine.retrieval.kernels import dispatch
from collections_app.engine.retrieval.parallel import run_in_chunks
from collections_app.engine.retrieval.sketch import FORMAT, HEADER_BYTES, vector_bytes

_HALF_LEVELS = np.float32(7.5)  # sixteen levels, half a step away from zero on both sides
_COARSE_CHUNK, _FINE_CHUNK = 512, 64  # pages, for a tenth of a millisecond or two
_MAX_CHUNKS = 256  # so that a chunk of a million pages takes a millisecond at most
_FOUR_BITS = np.arange(4, dtype=np.uint8)[:, None]
_PAIR_BYTES = 16  # words come in pairs; a vector of 128 dimensions, which most models have, is one


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """The bits of many pages: page i has the vectors from `starts[i]` to `starts[i + 1]`, a multiple of eight."""

    words: Words
    starts: Numbers

    @property
    def nbytes(self) -> int:
        return self.words.nbytes + self.starts.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class LoadedSketches:
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
class EncodedQuery:
    """A query as the scans need it: signs and norms for the coarse one, bit planes and steps for the fine one."""

    signs: Words  # (q, words)
    gains: Floats  # (q,), weight times norm
    planes: Words  # (q, 4, words), the levels of the numbers, bit by bit
    steps: Floats  # (q,), weight times the size of a level


def encode_query(query: NDArray[np.float16] | Floats, weights: Floats | None = None) -> EncodedQuery:
    """Encode the vectors of a query, each counting by its weight, which may be negative."""
    vectors = query.astype(np.float32)
    counts = np.ones(len(vectors), dtype=np.float32) if weights is None else weights.astype(np.float32)
    steps = (np.abs(vectors).max(axis=1) / _HALF_LEVELS).astype(np.float32)
    levels = (np.floor(vectors / np.where(steps > 0, steps, 1)[:, None]).clip(-8, 7) + 8).astype(np.uint8)
    planes = _packed((levels[:, None] >> _FOUR_BITS) & 1)
    return EncodedQuery(_packed(vectors > 0), counts * np.linalg.norm(vectors, axis=1), planes, counts * steps)


def load(sketches: bytes, lengths: NDArray[np.int64], *, dim: int) -> tuple[LoadedSketches, NDArray[np.bool_]]:
    """Load concatenated sketches; return them and which of them are valid. Invalid ones are left out."""
    data = np.frombuffer(sketches, dtype=np.uint8)
    begins = np.cumsum(lengths) - lengths
    valid = lengths >= HEADER_BYTES
    headers = np.zeros((len(lengths), HEADER_BYTES), dtype=np.int64)
    headers[valid] = data[begins[valid, None] + np.arange(HEADER_BYTES)]
    formats, fine, coarse = headers.T
    complete = lengths == HEADER_BYTES + (fine + coarse) * vector_bytes(dim)
    valid &= (formats == FORMAT) & complete & (coarse >= 1) & (coarse <= fine)
    begins = begins[valid] + HEADER_BYTES
    words_of_vector = words_per_vector(dim)
    forms = []
    for counts in (fine[valid], coarse[valid]):
        starts = np.zeros(len(begins) + 1, dtype=np.int64)
        np.cumsum(counts + -counts % WORDS_AT_ONCE, out=starts[1:])
        words = np.zeros(int(starts[-1]) * words_of_vector, dtype=np.uint64)
        dispatch.arrange_words(data, begins, vector_bytes(dim), counts, starts, words_of_vector, words)
        forms.append(Codes(words, starts))
        begins = begins + counts * vector_bytes(dim)
    return LoadedSketches(dim, forms[0], forms[1]), valid


def words_per_vector(dim: int) -> int:
    """Return the number of words that the bits of one vector take in memory."""
    return 2 * -(-dim // (8 * _PAIR_BYTES))


def concatenate(parts: list[LoadedSketches]) -> LoadedSketches:
    """Return the pages of all parts, in order."""

    def concatenate_codes(codes: list[Codes]) -> Codes:
        sizes = np.concatenate([[0], *(np.diff(part.starts) for part in codes)])
        return Codes(np.concatenate([part.words for part in codes]), np.cumsum(sizes, dtype=np.int64))

    fine, coarse = concatenate_codes([part.fine for part in parts]), concatenate_codes([part.coarse for part in parts])
    return LoadedSketches(parts[0].dim, fine, coarse)


def select(sketches: LoadedSketches, rows: Numbers) -> LoadedSketches:
    """Return a copy with only the pages `rows`, in that order."""

    def select_codes(codes: Codes) -> Codes:
        sizes = np.diff(codes.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        each = len(codes.words) // max(1, int(codes.starts[-1]))
        offsets = np.repeat((codes.starts[rows] - starts[:-1]) * each, sizes * each)
        return Codes(codes.words[offsets + np.arange(len(offsets))], starts)

    return LoadedSketches(sketches.dim, select_codes(sketches.fine), select_codes(sketches.coarse))


def score_coarse(query: EncodedQuery, codes: Codes, rows: Numbers, *, dim: int) -> Floats:
    """Score the pages `rows`, comparing bits with bits."""
    scores = np.empty(len(rows), dtype=np.float32)

    def work(start: int, stop: int) -> None:
        chunk = rows[start:stop]
        dispatch.count_bits(codes.words, codes.starts, chunk, query.signs, query.gains, dim, scores[start:stop])

    run_in_chunks(work, len(rows), size=max(_COARSE_CHUNK, len(rows) // _MAX_CHUNKS))
    return scores


def score_fine(query: EncodedQuery, codes: Codes, rows: Numbers) -> Floats:
    """Score the pages `rows`, comparing bits with the query's numbers."""
    scores = np.empty(len(rows), dtype=np.float32)

    def work(start: int, stop: int) -> None:
        chunk = rows[start:stop]
        dispatch.weigh_bits(codes.words, codes.starts, chunk, query.planes, query.steps, scores[start:stop])

    run_in_chunks(work, len(rows), size=_FINE_CHUNK)
    return scores


def _packed(bits: NDArray[Any]) -> Words:
    """Pack rows of bits into rows of words, padded to pairs."""
    packed = np.packbits(bits, axis=-1, bitorder="little")
    rows = np.zeros((*packed.shape[:-1], -(-packed.shape[-1] // _PAIR_BYTES) * _PAIR_BYTES), dtype=np.uint8)
    rows[..., : packed.shape[-1]] = packed
    return rows.view("<u8").astype(np.uint64)

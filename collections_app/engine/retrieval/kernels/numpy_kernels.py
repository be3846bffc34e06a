"""The kernels in plain NumPy. Their compiled twins, which have the same signatures, say more about each."""

import ctypes
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from collections_app.engine.retrieval.arrays import (
    CHECKSUM_FACTOR,
    CHECKSUM_LANES,
    WORDS_AT_ONCE,
    Bytes,
    Floats,
    Numbers,
    Page,
    Words,
)
from collections_app.engine.retrieval.single_threaded_blas import single_threaded

_BIT_WEIGHTS = np.array([1, 2, 4, 8], dtype=np.int64)[:, None]
_counter_lock = Lock()


def decode_halves(page: Page, rows: Floats) -> None:
    """Decode float16 bits into `rows`, repeating the last vector where rows are left."""
    rows[...] = _floats(page)[np.minimum(np.arange(len(rows)), len(page) - 1)]


def best_products(query: Floats, page: Page, best: Floats) -> None:
    """Store in `best` the highest product of each vector of the query with any vector of the page."""
    with single_threaded():
        best[...] = np.fmax.reduce(query @ _floats(page).T, axis=1)


def sum_over_pages(
    query: Floats, addresses: Numbers, lengths: Numbers, kind: Page, gains: Floats, counter: Numbers, sums: Floats
) -> None:
    """Store the weighted MaxSim score of each page that this call takes from the shared counter."""
    element = ctypes.c_int16 if kind.dtype == np.int16 else ctypes.c_int8
    dim = query.shape[1]
    best = np.empty(len(query), dtype=np.float32)
    while (number := _fetch_add(counter)) < len(addresses):
        count = int(lengths[number])
        numbers = np.ctypeslib.as_array((element * (count * dim)).from_address(int(addresses[number])))
        best_products(query, numbers.reshape(count, dim), best)
        sums[number] = gains @ best


def sum_over_float_code_pages(
    query: Floats, addresses: Numbers, lengths: Numbers, offsets: Floats, gains: Floats, counter: Numbers, sums: Floats
) -> None:
    """Store the weighted MaxSim score of each page of codes that this call takes from the shared counter."""
    dim = query.shape[1]
    while (number := _fetch_add(counter)) < len(addresses):
        padded = int(lengths[number]) + -int(lengths[number]) % 16
        start = int(addresses[number]) + 8
        steps = np.ctypeslib.as_array((ctypes.c_int16 * padded).from_address(start)).view(np.float16)
        packed = np.ctypeslib.as_array((ctypes.c_uint8 * (padded * dim // 2)).from_address(start + 2 * padded))
        parts = packed.reshape(-1, dim // 8, 16, 4).transpose(1, 3, 0, 2)
        codes = np.stack([parts & 15, parts >> 4], axis=1).reshape(dim, padded)
        with single_threaded():
            products = query @ codes.astype(np.float32)
        products = (2 * products - offsets[:, None]) * steps.astype(np.float32)
        total = np.float32(0)
        for gain, best in zip(gains, products.max(axis=1), strict=True):  # in the order of the compiled twin
            total += gain * best
        sums[number] = total


def count_bits(
    words: Words, starts: Numbers, rows: Numbers, signs: Words, gains: Floats, dim: int, scores: Floats
) -> None:
    """Store the MaxSim scores of the pages `rows`, comparing bits with bits."""
    for number, row in enumerate(rows):
        page = _page_words(words, starts, row, signs.shape[1])
        differing = np.bitwise_count(page ^ signs[:, :, None]).sum(axis=1, dtype=np.int64)
        scores[number] = gains @ (dim - 2 * differing.min(axis=1)).astype(np.float32)


def weigh_bits(words: Words, starts: Numbers, rows: Numbers, planes: Words, steps: Floats, scores: Floats) -> None:
    """Store the MaxSim scores of the pages `rows`, comparing bits with the query's numbers in sixteen steps."""
    for number, row in enumerate(rows):
        page = _page_words(words, starts, row, planes.shape[2])
        ones = np.bitwise_count(page).sum(axis=0, dtype=np.int64)
        shared = np.bitwise_count(page & planes[..., None]).sum(axis=2, dtype=np.int64)
        products = 2 * (shared * _BIT_WEIGHTS).sum(axis=1) - 15 * ones
        scores[number] = steps @ products.max(axis=1).astype(np.float32)


def arrange_words(
    data: Bytes, begins: Numbers, row: int, counts: Numbers, starts: Numbers, each: int, words: Words
) -> None:
    """Copy the vectors of sketches into `words`, word by word, filling each page up with its last vector."""
    for i, (begin, count) in enumerate(zip(begins.tolist(), counts.tolist(), strict=True)):
        vectors = data[begin : begin + count * row].reshape(count, row)
        padded = np.zeros((count + -count % WORDS_AT_ONCE, 8 * each), dtype=np.uint8)
        padded[:, :row] = vectors[np.minimum(np.arange(len(padded)), count - 1)]
        words[starts[i] * each : starts[i + 1] * each] = padded.view("<u8").T.ravel()


def checksum(words: Words) -> np.uint64:
    """Return a checksum of the words."""
    factor, half = np.uint64(CHECKSUM_FACTOR), np.uint64(32)
    lanes = np.zeros(CHECKSUM_LANES, dtype=np.uint64)
    for start in range(0, len(words), CHECKSUM_LANES):
        row = words[start : start + CHECKSUM_LANES]
        mixed = (lanes[: len(row)] ^ row) * factor
        lanes[: len(row)] = mixed ^ (mixed >> half)
    total = len(words)
    for lane in lanes.tolist():
        total = (total ^ lane) * CHECKSUM_FACTOR & (2**64 - 1)
        total ^= total >> 32
    return np.uint64(total)


def unpack_six_bits(packed: Bytes, multiples: NDArray[np.int8], numbers: Page) -> None:
    """Unpack four numbers of six bits from each three bytes, and multiply each vector's numbers by its multiple."""
    a, b, c = (packed[:, start::3].astype(np.int16) for start in range(3))
    six_bits = np.stack([a & 63, a >> 6 | (b & 15) << 2, b >> 4 | (c & 3) << 4, c >> 2], axis=-1)
    numbers[...] = (six_bits.reshape(numbers.shape) - 32) * multiples[:, None]


def merge_clusters(distances: Floats, weights: Floats, sources: Numbers, targets: Numbers, heights: Floats) -> None:
    """Build the tree of Ward's method by the nearest-neighbour chain; overwrites `distances` and `weights`."""
    count = len(weights)
    squares = distances.diagonal().copy()
    shares = weights[:, None] * weights / (weights[:, None] + weights)
    gaps = squares[:, None] + squares - np.float32(2) * distances
    distances[...] = np.maximum(gaps, np.float32(0)) * shares
    np.fill_diagonal(distances, np.inf)
    alive = np.ones(count, dtype=np.bool_)
    chain: list[int] = []
    for step in range(count - 1):
        if not chain:
            chain = [int(alive.argmax())]
        while True:
            last = chain[-1]
            near = chain[-2] if len(chain) > 1 else last
            nearest = int(distances[last].argmin())
            if distances[last, nearest] < distances[last, near]:
                near = nearest
            if (len(chain) > 1 and near == chain[-2]) or len(chain) == count:
                break
            chain.append(near)
        chain = chain[:-2] if len(chain) > 1 and near == chain[-2] else []
        height = distances[last, near]
        sources[step], targets[step], heights[step] = last, near, height
        alive[last] = False
        others = np.flatnonzero(alive)
        others = others[others != near]
        sums = (weights[last] + weights[others]) * distances[last, others]
        sums += (weights[near] + weights[others]) * distances[near, others]
        merged = (sums - weights[others] * height) / (weights[last] + weights[near] + weights[others])
        distances[near, others] = distances[others, near] = merged
        distances[:, last] = np.inf
        weights[near] += weights[last]


def label_clusters(sources: Numbers, targets: Numbers, labels: Numbers) -> int:
    """Number the clusters that are left after the merges, in the order of their first members; return how many."""
    parent = list(range(len(labels)))

    def root_of(member: int) -> int:
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    for left, right in zip(sources.tolist(), targets.tolist(), strict=True):
        parent[root_of(left)] = root_of(right)
    numbers: dict[int, int] = {}
    labels[...] = [numbers.setdefault(root_of(member), len(numbers)) for member in range(len(labels))]
    return len(numbers)


def sum_by_label(vectors: Floats, weights: Floats, labels: Numbers, sums: Floats) -> None:
    """Add each vector, times its weight, to the sum of its label."""
    np.add.at(sums, labels, weights[:, None] * vectors)


def merge_vectors(vectors: Floats, weights: Floats, limit: int, means: Floats, totals: Floats) -> int:
    """Store the means and weights of at most `limit` clusters of these vectors; return how many there are."""
    sources, targets = np.empty((2, len(vectors) - 1), dtype=np.int64)
    heights = np.empty(len(vectors) - 1, dtype=np.float32)
    with single_threaded():
        products = vectors @ vectors.T
    merge_clusters(products, weights.copy(), sources, targets, heights)
    cheapest = np.argsort(heights, kind="stable")[: max(0, len(vectors) - limit)]
    labels = np.arange(len(vectors))
    count = label_clusters(sources[cheapest], targets[cheapest], labels)
    sum_by_label(vectors, weights, labels, means)
    np.add.at(totals, labels, weights)
    means[:count] /= totals[:count, None]
    return count


def _floats(page: Page) -> Floats:
    return (
        np.ascontiguousarray(page).view(np.float16).astype(np.float32) if page.dtype == np.int16 else page.astype("f4")
    )


def _page_words(words: Words, starts: Numbers, row: int, each: int) -> Words:
    """Return the words of one page: (words of a vector, vectors)."""
    return words[starts[row] * each : starts[row + 1] * each].reshape(each, -1)


def _fetch_add(counter: Numbers) -> int:
    with _counter_lock:
        number = int(counter[0])
        counter[0] = number + 1
        return number

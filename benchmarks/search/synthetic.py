"""Synthetic pages and queries with the geometry of visual models: the vectors of a page share a direction, half of
them are background, and the pages of a document are about the same concepts.

Everything is derived from a seed, per document: page 99,999 can be generated without the 99,998 before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

# Increase this when the pages change: generated pages are stored on disk under this number.
EDITION = 1
DIM = 128
VECTORS = 1030
PAGES_OF_A_DOCUMENT = 10
QUESTIONS = 50
# Every query is about one of the first pages, so that it has an answer in any subset.
TARGETS = 1000

_TOPICS, _CONCEPTS, _BACKGROUNDS, _PROMPTS = 200, 6000, 64, 5
_QUESTIONS_SEED = 1_000_000_000

Floats = NDArray[np.float32]
Halves = NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Ten pages, and the concept of each of their vectors, or -1 for the background."""

    vectors: Floats  # (10, 1030, 128)
    concepts: NDArray[np.int64]  # (10, 1030)

    def pages(self) -> Halves:
        """Return the pages as they are stored."""
        return self.vectors.astype(np.float16)


class World:
    """The concepts that all documents share."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        rng = np.random.default_rng(seed)
        self._spectrum = _spectrum()
        self._mean = _unit(self._noise(rng, 1))[0]
        topics = _unit(self._noise(rng, _TOPICS))
        self._topic_of = rng.integers(0, _TOPICS, _CONCEPTS)
        self._concepts = _unit(topics[self._topic_of] + 0.75 * self._noise_unit(rng, _CONCEPTS))
        self._backgrounds = _unit(self._noise(rng, _BACKGROUNDS))
        self._gap = _unit(self._noise(rng, 1))[0]
        self._prompts = _unit(self._noise(rng, _PROMPTS))
        frequencies = np.arange(1, _CONCEPTS + 1) ** -0.8
        self._frequencies = rng.permutation(frequencies / frequencies.sum())
        turn, _ = np.linalg.qr(rng.standard_normal((DIM, DIM)))
        self._turn = turn.astype(np.float32)

    def document(self, number: int) -> Drawn:
        """Generate pages `10 * number` to `10 * number + 9`."""
        rng = np.random.default_rng([self._seed, number])
        pool = self._pool(rng)
        style = _unit(self._noise(rng, 1))[0]
        backgrounds = rng.choice(_BACKGROUNDS, 6, replace=False)
        pages = [self._page(rng, pool, style, backgrounds) for _ in range(PAGES_OF_A_DOCUMENT)]
        vectors = np.stack([vectors for vectors, _ in pages])
        return Drawn(vectors @ self._turn, np.stack([concepts for _, concepts in pages]))

    @cached_property
    def targets(self) -> list[int]:
        """Return the target page of each query."""
        rng = np.random.default_rng([self._seed, _QUESTIONS_SEED])
        return [int(one) for one in rng.choice(TARGETS, QUESTIONS, replace=False)]

    def questions(self) -> list[Floats]:
        """Generate queries of twenty to thirty vectors in float16 precision; the first five only mark it as a query."""
        queries = (self._question(number, target) for number, target in enumerate(self.targets))
        return [one.astype(np.float16).astype(np.float32) for one in queries]

    def subject(self, number: int) -> NDArray[np.int64]:
        """Return the concepts that a query is about."""
        target = self.targets[number]
        concepts = self.document(target // PAGES_OF_A_DOCUMENT).concepts[target % PAGES_OF_A_DOCUMENT]
        return _subject(np.random.default_rng([self._seed, _QUESTIONS_SEED, number]), concepts)

    def _question(self, number: int, target: int) -> Floats:
        rng = np.random.default_rng([self._seed, _QUESTIONS_SEED, number])
        document = self.document(target // PAGES_OF_A_DOCUMENT)
        page = document.pages()[target % PAGES_OF_A_DOCUMENT].astype(np.float32) @ self._turn.T
        about = document.concepts[target % PAGES_OF_A_DOCUMENT]
        concepts = _subject(rng, about)
        rows = [*_unit(self._prompts + 0.3 * self._mean + 0.25 * self._noise(rng, _PROMPTS) / np.sqrt(DIM))]
        for _ in range(int(rng.integers(20, 31)) - _PROMPTS):
            concept = rng.choice(concepts)
            seen = page[rng.choice(np.flatnonzero(about == concept))]
            noise = rng.uniform(0.85, 1.3) * self._noise(rng, 1)[0] / np.sqrt(DIM)
            rows.append(_unit((0.45 * seen + 0.6 * self._concepts[concept] + 0.35 * self._gap + noise)[None])[0])
        return np.asarray(np.stack(rows) @ self._turn, dtype=np.float32)

    def _pool(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw the main concepts of a document."""
        topics = rng.choice(_TOPICS, 6, replace=False)
        known = np.flatnonzero(np.isin(self._topic_of, topics))
        weights = self._frequencies[known] / self._frequencies[known].sum()
        return rng.choice(known, min(60, len(known)), replace=False, p=weights)

    def _page(
        self, rng: np.random.Generator, pool: NDArray[np.int64], style: Floats, backgrounds: NDArray[np.int64]
    ) -> tuple[Floats, NDArray[np.int64]]:
        of_pool = rng.random(int(rng.integers(24, 49))) < 0.8
        common = rng.choice(_CONCEPTS, int((~of_pool).sum()), p=self._frequencies)
        spoken = np.concatenate([rng.choice(pool, min(int(of_pool.sum()), len(pool)), replace=False), common])
        of_background = rng.random(VECTORS) < rng.uniform(0.2, 0.5)
        which = rng.choice(len(spoken), VECTORS, p=rng.dirichlet(np.full(len(spoken), 1.5)))
        local = self._concepts[spoken] + 0.35 * _unit(self._noise(rng, len(spoken)))
        base = np.where(of_background[:, None], self._backgrounds[rng.choice(backgrounds, VECTORS)], local[which])
        loud = np.where(of_background, 0.45, 0.75).astype(np.float32)[:, None] / np.float32(np.sqrt(DIM))
        around = 0.55 * self._mean + 0.25 * style + 0.15 * _unit(self._noise(rng, 1))[0]
        vectors = _unit(base + around + loud * self._noise(rng, VECTORS))
        return vectors, np.where(of_background, -1, spoken[which])

    def _noise(self, rng: np.random.Generator, count: int) -> Floats:
        return rng.standard_normal((count, DIM), dtype=np.float32) * self._spectrum

    def _noise_unit(self, rng: np.random.Generator, count: int) -> Floats:
        return _unit(self._noise(rng, count))


def _subject(rng: np.random.Generator, about: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw some of the concepts of a page."""
    known = np.unique(about[about >= 0])
    return rng.choice(known, min(len(known), int(rng.integers(3, 7))), replace=False)


def documents(world: World, pages: int) -> Iterator[Drawn]:
    """Generate the first documents, up to the number of pages."""
    return (world.document(number) for number in range(-(-pages // PAGES_OF_A_DOCUMENT)))


def _spectrum() -> Floats:
    """Return a power-law weighting of the dimensions that preserves the expected length."""
    weights = np.arange(1, DIM + 1, dtype=np.float32) ** np.float32(-0.45)
    return np.asarray(weights / np.sqrt((weights**2).mean()), dtype=np.float32)


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

"""Pages and questions that nobody wrote, with the geometry of visual models: every page's vectors share a direction,
half of them is background, and neighbours of a document speak of the same things.

Everything follows from a seed, a document by itself: page 99,999 can be made without the 99,998 before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

# Another one for other pages: what was drawn is kept on disk under this number.
EDITION = 1
DIM = 128
VECTORS = 1030
PAGES_OF_A_DOCUMENT = 10
QUESTIONS = 50
# Every question is about one of the first pages, so that it has an answer however few pages there are.
_TARGETS = 1000

_TOPICS, _CONCEPTS, _BACKGROUNDS, _PROMPTS = 200, 6000, 64, 5
_QUESTIONS_SEED = 1_000_000_000

Floats = NDArray[np.float32]
Halves = NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Ten pages, and what each of their vectors is about: a concept, or -1 for the background."""

    vectors: Floats  # (10, 1030, 128)
    concepts: NDArray[np.int64]  # (10, 1030)

    def pages(self) -> Halves:
        """As pages are kept."""
        return self.vectors.astype(np.float16)


class World:
    """What all documents have in common."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        drawn = np.random.default_rng(seed)
        self._spectrum = _spectrum()
        self._mean = _unit(self._noise(drawn, 1))[0]
        topics = _unit(self._noise(drawn, _TOPICS))
        self._topic_of = drawn.integers(0, _TOPICS, _CONCEPTS)
        self._concepts = _unit(topics[self._topic_of] + 0.75 * self._noise_unit(drawn, _CONCEPTS))
        self._backgrounds = _unit(self._noise(drawn, _BACKGROUNDS))
        self._gap = _unit(self._noise(drawn, 1))[0]
        self._prompts = _unit(self._noise(drawn, _PROMPTS))
        frequencies = np.arange(1, _CONCEPTS + 1) ** -0.8
        self._frequencies = drawn.permutation(frequencies / frequencies.sum())
        turn, _ = np.linalg.qr(drawn.standard_normal((DIM, DIM)))
        self._turn = turn.astype(np.float32)

    def document(self, number: int) -> Drawn:
        """Pages `10 * number` to `10 * number + 9`."""
        drawn = np.random.default_rng([self._seed, number])
        pool = self._pool(drawn)
        style = _unit(self._noise(drawn, 1))[0]
        backgrounds = drawn.choice(_BACKGROUNDS, 6, replace=False)
        pages = [self._page(drawn, pool, style, backgrounds) for _ in range(PAGES_OF_A_DOCUMENT)]
        vectors = np.stack([vectors for vectors, _ in pages])
        return Drawn(vectors @ self._turn, np.stack([concepts for _, concepts in pages]))

    @cached_property
    def targets(self) -> list[int]:
        """The page that each question is about."""
        drawn = np.random.default_rng([self._seed, _QUESTIONS_SEED])
        return [int(one) for one in drawn.choice(_TARGETS, QUESTIONS, replace=False)]

    def questions(self) -> list[Floats]:
        """Twenty to thirty vectors each, no finer than halves; the first five say only that it is a question."""
        asked = (self._question(number, target) for number, target in enumerate(self.targets))
        return [one.astype(np.float16).astype(np.float32) for one in asked]

    def _question(self, number: int, target: int) -> Floats:
        drawn = np.random.default_rng([self._seed, _QUESTIONS_SEED, number])
        found = self.document(target // PAGES_OF_A_DOCUMENT)
        page = found.pages()[target % PAGES_OF_A_DOCUMENT].astype(np.float32) @ self._turn.T
        about = found.concepts[target % PAGES_OF_A_DOCUMENT]
        known = np.unique(about[about >= 0])
        wanted = drawn.choice(known, min(len(known), int(drawn.integers(3, 7))), replace=False)
        rows = [*_unit(self._prompts + 0.3 * self._mean + 0.25 * self._noise(drawn, _PROMPTS) / np.sqrt(DIM))]
        for _ in range(int(drawn.integers(20, 31)) - _PROMPTS):
            concept = drawn.choice(wanted)
            seen = page[drawn.choice(np.flatnonzero(about == concept))]
            noise = drawn.uniform(0.85, 1.3) * self._noise(drawn, 1)[0] / np.sqrt(DIM)
            rows.append(_unit((0.45 * seen + 0.6 * self._concepts[concept] + 0.35 * self._gap + noise)[None])[0])
        return np.asarray(np.stack(rows) @ self._turn, dtype=np.float32)

    def _pool(self, drawn: np.random.Generator) -> NDArray[np.int64]:
        """The concepts that a document mostly speaks of."""
        topics = drawn.choice(_TOPICS, 6, replace=False)
        known = np.flatnonzero(np.isin(self._topic_of, topics))
        weights = self._frequencies[known] / self._frequencies[known].sum()
        return drawn.choice(known, min(60, len(known)), replace=False, p=weights)

    def _page(
        self, drawn: np.random.Generator, pool: NDArray[np.int64], style: Floats, backgrounds: NDArray[np.int64]
    ) -> tuple[Floats, NDArray[np.int64]]:
        of_pool = drawn.random(int(drawn.integers(24, 49))) < 0.8
        common = drawn.choice(_CONCEPTS, int((~of_pool).sum()), p=self._frequencies)
        spoken = np.concatenate([drawn.choice(pool, min(int(of_pool.sum()), len(pool)), replace=False), common])
        of_background = drawn.random(VECTORS) < drawn.uniform(0.2, 0.5)
        which = drawn.choice(len(spoken), VECTORS, p=drawn.dirichlet(np.full(len(spoken), 1.5)))
        local = self._concepts[spoken] + 0.35 * _unit(self._noise(drawn, len(spoken)))
        base = np.where(of_background[:, None], self._backgrounds[drawn.choice(backgrounds, VECTORS)], local[which])
        loud = np.where(of_background, 0.45, 0.75).astype(np.float32)[:, None] / np.float32(np.sqrt(DIM))
        around = 0.55 * self._mean + 0.25 * style + 0.15 * _unit(self._noise(drawn, 1))[0]
        vectors = _unit(base + around + loud * self._noise(drawn, VECTORS))
        return vectors, np.where(of_background, -1, spoken[which])

    def _noise(self, drawn: np.random.Generator, count: int) -> Floats:
        return drawn.standard_normal((count, DIM), dtype=np.float32) * self._spectrum

    def _noise_unit(self, drawn: np.random.Generator, count: int) -> Floats:
        return _unit(self._noise(drawn, count))


def documents(world: World, pages: int) -> Iterator[Drawn]:
    """The first documents, as many as have so many pages together."""
    return (world.document(number) for number in range(-(-pages // PAGES_OF_A_DOCUMENT)))


def _spectrum() -> Floats:
    """Dimensions matter less and less, by a power law; a draw has the length of one that weighs all alike."""
    weights = np.arange(1, DIM + 1, dtype=np.float32) ** np.float32(-0.45)
    return np.asarray(weights / np.sqrt((weights**2).mean()), dtype=np.float32)


def _unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)

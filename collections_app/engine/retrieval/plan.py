"""How a search proceeds, depending on the number of pages in scope. Every threshold is here.

The figures were chosen on 10,000 synthetic pages of 1,030 vectors; `make bench` measures their cost and their recall.
`coarse_candidates` suits real text: coarse sketches rank pages with a rare word lower (`make bench-quality`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many pages go through each stage; the last stage gives pages their exact score."""

    exhaustive: int = 100  # up to so many pages are all scored exactly
    coarse_candidates: int = 1000
    coarse_share_of_few: float = 0.1
    coarse_max_of_few: int = 3000  # limits the share above
    coarse_share_of_many: float = 0.02
    merged_vectors: int = 8  # a query of many more is merged to so many for the first looks at sketches,
    merged_share: float = 1 / 4  # or to this share of its vectors, if that is more
    merged_widening: int = 2  # coarse candidates of a merged query, relative to one that is not
    merged_fine_share: float = 1 / 4  # of the coarse candidates of one that is not
    fine_cost: float = 9  # time to compare a page by its fine sketch, relative to its coarse one,
    fine_overhead: float = 6  # and what a page itself takes, as a number of vectors
    pooled_candidates: int = 96
    pooled_share: float = 1 / 64
    pooled_max: int = 400  # limits the share above
    min_exact: int = 12
    max_exact: int = 64
    max_exact_per_hit: int = 3
    patience: float = 2.7
    pooled_per_document: int = 3

    def steps(self, pages: int, *, hits: int) -> "Steps | None":
        """Return the sizes of the stages for so many hits from so many pages, or None to score all pages exactly."""
        min_exact = max(self.min_exact, hits + 2)
        max_exact = max(self.max_exact, self.max_exact_per_hit * hits)
        if pages <= max(self.exhaustive, max_exact):
            return None
        pooled_share = min(int(self.pooled_share * pages), self.pooled_max)
        pooled = max(self.pooled_candidates, pooled_share, 3 * min_exact // 2, max_exact)
        coarse_share = max(
            min(int(self.coarse_share_of_few * pages), self.coarse_max_of_few), int(self.coarse_share_of_many * pages)
        )
        coarse = max(self.coarse_candidates, coarse_share, 3 * pooled)
        return Steps(
            plan=self,
            pages=pages,
            coarse_candidates=coarse,
            merged_coarse_candidates=self.merged_widening * coarse,
            merged_fine_candidates=max(int(self.merged_fine_share * coarse), 2 * pooled),
            pooled_candidates=pooled,
            min_exact=min_exact,
            max_exact=max_exact,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The stages of one search: coarse sketches of all pages, fine sketches, pooled vectors, and exact scores.

    Each stage ranks the best pages of the one before. If a query has many vectors, the stages of sketches first use
    merged ones: `merged_coarse_candidates` are then ranked by their fine sketches, and of these
    `merged_fine_candidates` again, by all vectors. Exact scores are given to at least `min_exact` and at most
    `max_exact` pages, and stop when the next page would have to exceed its pooled estimate by the plan's `patience`
    standard deviations more than the pages before it did.
    """

    plan: Plan
    pages: int
    coarse_candidates: int
    merged_coarse_candidates: int
    merged_fine_candidates: int
    pooled_candidates: int
    min_exact: int
    max_exact: int

    def merged_limit(self, vectors: int) -> int:
        """Return to how many vectors a query of so many is merged; to all of them if merging would save no time."""
        limit = max(self.plan.merged_vectors, int(self.plan.merged_share * vectors))
        whole = self._time(self.coarse_candidates, vectors)
        first = self._time(self.merged_coarse_candidates, limit)
        return limit if first + self._fine_time(self.merged_fine_candidates, vectors) < whole else vectors

    def _time(self, candidates: int, vectors: int) -> float:
        """Return the time to compare a query with sketches, as a number of coarse comparisons of one vector."""
        return self._fine_time(candidates, vectors) + (self.pages * vectors if self.pages > candidates else 0)

    def _fine_time(self, candidates: int, vectors: int) -> float:
        return self.plan.fine_cost * min(candidates, self.pages) * (vectors + self.plan.fine_overhead)

    def is_settled(self, gaps: Sequence[float], *, estimate: float, threshold: float) -> bool:
        """Check whether a page of this estimate is unlikely to reach the threshold.

        `gaps` are the differences between exact score and estimate of the pages scored so far.
        """
        # There are a few dozen gaps; arrays would be slower.
        mean = sum(gaps) / len(gaps)
        deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
        return estimate + mean + self.plan.patience * deviation < threshold


PLAN = Plan()

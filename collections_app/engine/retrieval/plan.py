"""How a search goes about its work, by how many pages are in scope. Every threshold is here.

The figures were chosen on 10,000 synthetic pages of 1,030 vectors; `make bench` shows what they cost and find.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many pages are looked at in each way; the last ones get their exact score."""

    exact_at_once: int = 100
    glanced_at: int = 300
    share_of_few: float = 0.1
    few: int = 3000  # at most so many by that share
    share_of_many: float = 0.02
    pooled: int = 96
    share_pooled: float = 1 / 64
    most_pooled: int = 400  # by that share
    least_exact: int = 12
    most_exact: int = 64
    most_for_each_hit: int = 3
    patience: float = 2.7
    of_each_document: int = 3

    def steps(self, pages: int, *, hits: int) -> "Steps | None":
        """What to do for so many hits from so many pages; None: score them all exactly."""
        least = max(self.least_exact, hits + 2)
        most = max(self.most_exact, self.most_for_each_hit * hits)
        if pages <= max(self.exact_at_once, most):
            return None
        pooled = max(self.pooled, min(int(self.share_pooled * pages), self.most_pooled), 3 * least // 2, most)
        few = min(int(self.share_of_few * pages), self.few)
        glanced_at = max(self.glanced_at, few, int(self.share_of_many * pages), 3 * pooled)
        return Steps(glanced_at=glanced_at, pooled=pooled, least=least, most=most, patience=self.patience)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The best of a quick look get a better one, the best of that one a third with pooled vectors.

    Of these the likeliest get their exact score, at least and at most so many: until the next one would have to be
    further above what its pooled vectors say, by so many standard deviations, than those before it were.
    """

    glanced_at: int
    pooled: int
    least: int
    most: int
    patience: float

    def is_settled(self, gaps: Sequence[float], *, estimate: float, bar: float) -> bool:
        """Whether a page of this estimate hardly reaches the bar, when exact scores were so much above estimates."""
        # There are some dozens, for which an array takes longer.
        mean = sum(gaps) / len(gaps)
        deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
        return estimate + mean + self.patience * deviation < bar


PLAN = Plan()

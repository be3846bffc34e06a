"""How a search goes about its work, by how many pages are in scope. Every threshold is here.

The figures were chosen on 10,000 synthetic pages of 1,030 vectors; `make bench` shows what they cost and find.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many pages are looked at in each way; the last ones get their exact score."""

    exact_at_once: int = 100
    glanced_at: int = 400
    share_of_few: float = 0.15
    few: int = 5000  # at most so many by that share
    share_of_many: float = 0.02
    pooled: int = 96
    pooled_of_many: int = 400
    many: int = 50_000
    least_exact: int = 32
    exact_for_each_hit: int = 3
    of_each_document: int = 3

    def steps(self, pages: int, *, hits: int) -> "Steps | None":
        """What to do for so many hits from so many pages; None: score them all exactly."""
        exact = max(self.least_exact, self.exact_for_each_hit * hits)
        if pages <= max(self.exact_at_once, exact):
            return None
        pooled = max(self.pooled if pages < self.many else self.pooled_of_many, 3 * exact)
        few = min(int(self.share_of_few * pages), self.few)
        glanced_at = max(self.glanced_at, few, int(self.share_of_many * pages), 3 * pooled)
        return Steps(glanced_at=glanced_at, pooled=pooled, exact=exact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The best of a quick look get a better one, the best of that one a third with pooled vectors, then the last."""

    glanced_at: int
    pooled: int
    exact: int


PLAN = Plan()

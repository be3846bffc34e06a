"""How a search goes about its work, by how many pages are in scope. Every threshold is here.

The figures were chosen on 10,000 synthetic pages of 1,030 vectors, of which the best ten of all were looked for: they
hold 0.99 of them, and always the first.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many pages are looked at in each way; the last ones get their exact score."""

    exact_at_once: int = 100
    glanced_at: int = 2000
    glanced_at_share: float = 0.05
    most_glanced_at: int = 50_000
    pooled: int = 200
    pooled_of_many: int = 400
    many: int = 50_000
    least_exact: int = 32
    exact_for_each_hit: int = 4
    of_each_document: int = 3

    def steps(self, pages: int, *, hits: int) -> "Steps | None":
        """What to do for so many hits from so many pages; None: score them all exactly."""
        exact = max(self.least_exact, self.exact_for_each_hit * hits)
        if pages <= max(self.exact_at_once, exact):
            return None
        pooled = max(self.pooled if pages < self.many else self.pooled_of_many, 3 * exact)
        glanced_at = min(max(self.glanced_at, int(self.glanced_at_share * pages)), self.most_glanced_at)
        return Steps(glanced_at=max(glanced_at, 3 * pooled), pooled=pooled, exact=exact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """The best of a quick look get a better one, the best of that one a third with pooled vectors, then the last."""

    glanced_at: int
    pooled: int
    exact: int


PLAN = Plan()

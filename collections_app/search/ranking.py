"""Pages in order: by what they mean to the model, by their words, or by both."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from accounts.access import Caller
from collections_app.engine.retrieval import fusion
from collections_app.engine.retrieval.stopwatch import Stopwatch
from collections_app.models import Page
from collections_app.search import scope, vector_search, word_search
from collections_app.search.scope import Scope
from collections_app.search.vector_search import Mode, Query, Scored, Wanted

Ranking: TypeAlias = Literal["maxsim", "hybrid", "lexical"]

# So many of the best by score take part in a fusion; who stands lower gains next to nothing by his place.
_DEEP = 1000
# Where not every page has a score, few of each ranking: all of them are scored exactly.
_DEEP_ENOUGH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A page with its score, and the places that it has in each ranking that was made, from 1."""

    page_id: int
    score: float | None = None
    by_score: int | None = None
    by_words: int | None = None
    fused: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What both ways of ranking need to know."""

    caller: Caller
    where: Scope
    words: str
    most: int
    at_least: float | None = None
    by_document: bool = False
    mode: Mode = "auto"
    afresh: bool = False
    until: float
    watch: Stopwatch

    def wanted(self, *, most: int) -> Wanted:
        """The ranking by score that goes into this one."""
        return Wanted(most=most, mode=self.mode, afresh=self.afresh, until=self.until, watch=self.watch)


@dataclass(slots=True, kw_only=True)
class Ranked:
    """The best pages, best first; how they were scored, if they were, and how many have words that were looked for."""

    placed: list[Placed]
    pages: int
    scored: Scored | None = None
    matched: int | None = None  # None: words were not looked for


def by_score(ask: Ask, query: Query) -> Ranked:
    wanted = replace(ask.wanted(most=ask.most), at_least=ask.at_least, by_document=ask.by_document)
    found = vector_search.best(ask.caller, query, ask.where, wanted)
    placed = [
        Placed(page_id=page_id, score=score, by_score=place) for place, (page_id, score) in enumerate(found.ranked, 1)
    ]
    return Ranked(placed=placed, pages=found.pages, scored=found)


def by_words(ask: Ask) -> Ranked:
    pages = scope.pages(ask.caller, ask.where).count()
    with ask.watch.stage("words"):
        matches = word_search.matches(ask.caller, ask.where, ask.words, pages_in_scope=pages)
    placed = [Placed(page_id=match.page_id, by_words=place) for place, match in enumerate(matches, 1)]
    return Ranked(placed=_chosen(ask, placed), pages=pages, matched=len(matches))


def by_both(ask: Ask, query: Query) -> Ranked:
    """Fused by places. Every page that comes of it has its exact score."""
    deep = max(_DEEP if ask.mode == "exact" else _DEEP_ENOUGH, ask.most)
    found = vector_search.best(ask.caller, query, ask.where, ask.wanted(most=deep))
    with ask.watch.stage("words"):
        matches = word_search.matches(ask.caller, ask.where, ask.words, pages_in_scope=found.pages)
    # Where a page has the very identifier that is asked for, those that only have words like it get nothing for them.
    exact = any(match.exact for match in matches)
    matched = [match.page_id for match in matches if match.exact or not exact][:deep]
    scores = dict(found.ranked)
    places = {page_id: place for place, page_id in enumerate(scores, 1)}
    unscored = [page_id for page_id in matched if page_id not in scores]
    with ask.watch.stage("score"):
        scores |= vector_search.of(ask.caller, query, ask.where, unscored, until=ask.until)
    # Without vectors of this space there is no score, and no hit goes without.
    words = {page_id: place for place, page_id in enumerate((one for one in matched if one in scores), 1)}
    placed = [
        Placed(
            page_id=page_id,
            score=scores[page_id],
            by_score=places.get(page_id),
            by_words=words.get(page_id),
            fused=fused,
        )
        for page_id, fused in fusion.fused(list(places), list(words))
        if scores[page_id] >= (-math.inf if ask.at_least is None else ask.at_least)
    ]
    return Ranked(placed=_chosen(ask, placed), pages=found.pages, scored=found, matched=len(words))


def _chosen(ask: Ask, placed: Sequence[Placed]) -> list[Placed]:
    if not ask.by_document:
        return list(placed[: ask.most])
    rows = Page.objects.filter(owner_id=ask.caller.owner_id, pk__in=[one.page_id for one in placed])
    documents = dict(rows.values_list("pk", "revision__document_id"))
    there = {one.page_id: one for one in placed if one.page_id in documents}
    return [there[page_id] for page_id in fusion.firsts(list(there), groups=documents)[: ask.most]]

"""Sketches in memory, by collection and space, as the database has them at the moment of each search.

Whoever changes what a collection shows moves its `vectors_seq` in the same transaction. A search reads that number
first, and brings a segment that is behind up to date; so it sees whatever was ready when it began. What is in memory
only says which pages are worth a look: the search itself reads from the database which of them may be seen.
"""

import os
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TypeAlias

import numpy as np
from django.conf import settings
from prometheus_client import Counter, Gauge

from collections_app.engine.retrieval.segment import NOTHING, Block, Contents, Numbers, Segment, Unsketched
from collections_app.storage import sketches
from paliapi.units import MEBIBYTE

_bytes = Gauge("paliapi_index_bytes", "Memory that sketches take.", multiprocess_mode="livesum")
_loaded = Counter("paliapi_index_pages_loaded", "Pages whose sketches were read from the database.")
_dropped = Counter("paliapi_index_segments_dropped", "Collections whose sketches had to make room for others.")

_GATES = 64

_Key: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Space:
    """Which vectors are compared."""

    id: int
    dim: int


@dataclass(frozen=True, slots=True)
class Place:
    """A collection as a search finds it; what was loaded before `sketches_seq` is no longer good."""

    collection_id: int
    vectors_seq: int
    sketches_seq: int


class Index:
    """The segments of one process, those that were asked for last; safe to use from many threads."""

    def __init__(self) -> None:
        self.begin_again()

    def begin_again(self) -> None:
        """With nothing, and with locks that nobody holds."""
        self._lock = Lock()
        self._gates = [Lock() for _ in range(_GATES)]
        self._segments: OrderedDict[_Key, Segment] = OrderedDict()

    def segments(self, owner_id: int, places: Sequence[Place], space: Space, *, afresh: bool = False) -> list[Segment]:
        """One for each place; inside `acting_for(owner_id)`. Afresh: whatever the numbers say."""
        current = {} if afresh else self._current(owner_id, places, space.id)
        if len(current) < len(places):
            # One thread loads, and others who want the same wait for it.
            with self._gates[hash((owner_id, space.id)) % _GATES]:
                current |= {} if afresh else self._current(owner_id, places, space.id)
                late = [place for place in places if place.collection_id not in current]
                current |= self._renewed(owner_id, late, space)
        return [current[place.collection_id] for place in places]

    def _current(self, owner_id: int, places: Sequence[Place], space_id: int) -> dict[int, Segment]:
        found = {}
        with self._lock:
            for place in places:
                key = (owner_id, place.collection_id, space_id)
                segment = self._segments.get(key)
                if segment is not None and segment.seq >= place.vectors_seq:
                    self._segments.move_to_end(key)
                    found[place.collection_id] = segment
        return found

    def _renewed(self, owner_id: int, places: Sequence[Place], space: Space) -> dict[int, Segment]:
        """Brought up to date, all of them by the same few statements."""
        if not places:
            return {}
        shown = sketches.contents(owner_id, [place.collection_id for place in places])
        old = {place.collection_id: self._old(owner_id, place, space.id) for place in places}
        found = _load(owner_id, space, shown, old)
        made = {}
        for place in places:
            blocks, unsketched = found[place.collection_id]
            segment = old[place.collection_id].renewed(
                place.vectors_seq, shown[place.collection_id], blocks, unsketched
            )
            made[place.collection_id] = segment
        self._keep({(owner_id, collection_id, space.id): segment for collection_id, segment in made.items()})
        return made

    def _old(self, owner_id: int, place: Place, space_id: int) -> Segment:
        with self._lock:
            old = self._segments.get((owner_id, place.collection_id, space_id))
        return NOTHING if old is None or old.seq < place.sketches_seq else old

    def _keep(self, made: dict[_Key, Segment]) -> None:
        with self._lock:
            for key, segment in made.items():
                self._segments[key] = segment
                self._segments.move_to_end(key)
            size = sum(segment.nbytes for segment in self._segments.values())
            # One segment stays however large it is: the next search is likely to want it again.
            while size > settings.ENV.index_mb * MEBIBYTE and len(self._segments) > 1:
                _, dropped = self._segments.popitem(last=False)
                size -= dropped.nbytes
                _dropped.inc()
            _bytes.set(size)


def _load(
    owner_id: int, space: Space, shown: dict[int, Contents], old: dict[int, Segment]
) -> dict[int, tuple[list[Block], Unsketched]]:
    """What the old segments lack, by collection."""
    new = {key: ~np.isin(contents.revisions, old[key].known()) for key, contents in shown.items()}
    revisions = np.concatenate([shown[key].revisions[lacks] for key, lacks in new.items()])
    pages = np.concatenate([shown[key].pages[lacks] for key, lacks in new.items()])
    loaded = list(sketches.load(owner_id, space.id, dim=space.dim, revisions=revisions, pages=pages))
    _loaded.inc(sum(len(one.block.page_ids) for one in loaded))
    if len(shown) == 1:
        return {key: ([one.block for one in loaded], _together([one.unsketched for one in loaded])) for key in shown}
    return {
        key: (
            [one.block.of(contents.revisions) for one in loaded],
            _together([one.unsketched.of(contents.revisions) for one in loaded]),
        )
        for key, contents in shown.items()
    }


def _together(parts: list[Unsketched]) -> Unsketched:
    nothing: Numbers = np.empty(0, dtype=np.int64)
    return Unsketched(
        np.concatenate([nothing, *(part.page_ids for part in parts)]),
        np.concatenate([nothing, *(part.revisions for part in parts)]),
    )


here = Index()
# A lock that some thread held when the process was copied would never be let go.
os.register_at_fork(after_in_child=here.begin_again)

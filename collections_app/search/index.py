"""The sketches of pages in memory, by collection and space, up to date at the moment of each search.

Every transaction that changes what a collection shows also increments its `vectors_seq`. A search reads that counter
first and updates segments that are behind, so it sees everything that was ready when it began. The index only suggests
candidates: which pages the search may return is read from the database.
"""

import os
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import TypeAlias

import numpy as np
from django.conf import settings
from prometheus_client import Counter, Gauge

from accounts.ownership import OwnerTransaction
from collections_app.engine.retrieval.arrays import Numbers
from collections_app.engine.retrieval.segment import EMPTY, Block, RevisionTable, Segment, Unsketched
from collections_app.search.scope import CollectionVersion
from collections_app.storage import sketches
from paliapi.units import MEBIBYTE

_bytes = Gauge("paliapi_index_bytes", "Memory that sketches take.", multiprocess_mode="livesum")
_loaded = Counter("paliapi_index_pages_loaded", "Pages whose sketches were read from the database.")
_dropped = Counter("paliapi_index_segments_dropped", "Collections whose sketches were evicted to make room.")

_LOADING_LOCKS = 64

_Key: TypeAlias = tuple[int, int, int]  # owner, collection, space


class Index:
    """The most recently used segments of one process. Safe to use from many threads."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start empty and with new locks."""
        self._lock = Lock()
        self._loading_locks = [Lock() for _ in range(_LOADING_LOCKS)]
        self._segments: OrderedDict[_Key, Segment] = OrderedDict()

    def segments(
        self,
        tx: OwnerTransaction,
        versions: Sequence[CollectionVersion],
        *,
        space_id: int,
        dim: int,
        force_reload: bool = False,
    ) -> list[Segment]:
        """Return an up-to-date segment for each collection; reload all if forced."""
        owner_id = tx.owner_id
        current = {} if force_reload else self._current(owner_id, versions, space_id)
        if len(current) < len(versions):
            # One thread loads; others that need the same segments wait for it.
            with self._loading_locks[hash((owner_id, space_id)) % _LOADING_LOCKS]:
                current |= {} if force_reload else self._current(owner_id, versions, space_id)
                outdated = [version for version in versions if version.collection_id not in current]
                if outdated:
                    current |= self._refresh(tx, outdated, space_id=space_id, dim=dim)
        return [current[version.collection_id] for version in versions]

    def _current(self, owner_id: int, versions: Sequence[CollectionVersion], space_id: int) -> dict[int, Segment]:
        current = {}
        with self._lock:
            for version in versions:
                key = (owner_id, version.collection_id, space_id)
                segment = self._segments.get(key)
                if segment is not None and segment.seq >= version.vectors_seq:
                    self._segments.move_to_end(key)
                    current[version.collection_id] = segment
        return current

    def _refresh(
        self, tx: OwnerTransaction, versions: Sequence[CollectionVersion], *, space_id: int, dim: int
    ) -> dict[int, Segment]:
        """Bring segments up to date, all with the same few statements."""
        shown = sketches.load_revision_tables(tx, [version.collection_id for version in versions])
        old = {version.collection_id: self._reusable(tx.owner_id, version, space_id) for version in versions}
        loaded = _load(tx, shown, old, space_id=space_id, dim=dim)
        refreshed = {}
        for version in versions:
            key = version.collection_id
            blocks, unsketched = loaded[key]
            refreshed[key] = old[key].updated(version.vectors_seq, shown[key], blocks, unsketched)
        self._store({(tx.owner_id, key, space_id): segment for key, segment in refreshed.items()})
        return refreshed

    def _reusable(self, owner_id: int, version: CollectionVersion, space_id: int) -> Segment:
        """Return the segment in memory, or an empty one if the sketches were rebuilt since."""
        with self._lock:
            old = self._segments.get((owner_id, version.collection_id, space_id))
        return EMPTY if old is None or old.seq < version.sketches_seq else old

    def _store(self, segments: dict[_Key, Segment]) -> None:
        with self._lock:
            for key, segment in segments.items():
                self._segments[key] = segment
                self._segments.move_to_end(key)
            size = sum(segment.nbytes for segment in self._segments.values())
            # The last segment stays however large it is: the next search will probably need it.
            while size > settings.ENV.index_mb * MEBIBYTE and len(self._segments) > 1:
                _, evicted = self._segments.popitem(last=False)
                size -= evicted.nbytes
                _dropped.inc()
            _bytes.set(size)


def _load(
    tx: OwnerTransaction, shown: dict[int, RevisionTable], old: dict[int, Segment], *, space_id: int, dim: int
) -> dict[int, tuple[list[Block], Unsketched]]:
    """Load what the old segments lack, by collection."""
    missing = {key: ~np.isin(contents.revision_ids, old[key].loaded_revisions()) for key, contents in shown.items()}
    revisions = np.concatenate([shown[key].revision_ids[lacks] for key, lacks in missing.items()])
    pages = np.concatenate([shown[key].page_counts[lacks] for key, lacks in missing.items()])
    loaded = list(sketches.load_sketches(tx, space_id, dim=dim, revision_ids=revisions, page_counts=pages))
    _loaded.inc(sum(len(batch.block.page_ids) for batch in loaded))
    if len(shown) == 1:
        unsketched = _concatenate([batch.unsketched for batch in loaded])
        return {key: ([batch.block for batch in loaded], unsketched) for key in shown}
    return {
        key: (
            [batch.block.of_revisions(contents.revision_ids) for batch in loaded],
            _concatenate([batch.unsketched.of_revisions(contents.revision_ids) for batch in loaded]),
        )
        for key, contents in shown.items()
    }


def _concatenate(parts: list[Unsketched]) -> Unsketched:
    empty: Numbers = np.empty(0, dtype=np.int64)
    return Unsketched(
        np.concatenate([empty, *(part.page_ids for part in parts)]),
        np.concatenate([empty, *(part.revision_ids for part in parts)]),
    )


process_index = Index()
# A lock that a thread of the parent held at the moment of the fork would never be released.
os.register_at_fork(after_in_child=process_index.reset)

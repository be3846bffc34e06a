"""The sketches of pages, by collection and space, in files or in memory, up to date at the moment of each search.

Every transaction that changes what a collection shows also increments its `vectors_seq`. A search reads that counter
first and updates segments that are behind, so it sees everything that was ready when it began. The index only suggests
candidates: which pages the search may return is read from the database.
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

from accounts.ownership import OwnerTransaction
from collections_app.engine.retrieval.arrays import Numbers
from collections_app.engine.retrieval.segment import EMPTY, Block, RevisionTable, Segment, Unsketched
from collections_app.engine.retrieval.sketch_files.block_file import Label
from collections_app.engine.retrieval.sketch_files.shared_folder import MIN_PAGES, SharedFolder
from collections_app.search.scope import CollectionVersion
from collections_app.storage import sketches
from paliapi.units import MEBIBYTE

_bytes = Gauge("paliapi_index_bytes", "Memory that sketches take.", multiprocess_mode="livesum")
_loaded = Counter("paliapi_index_pages_loaded", "Pages whose sketches were read from the database.")
_dropped = Counter("paliapi_index_segments_dropped", "Collections whose sketches were evicted to make room.")

_LOADING_LOCKS = 64
_MAX_FILES = 256  # each keeps a file descriptor open

_Key: TypeAlias = tuple[int, int, int]  # owner, collection, space


class Index:
    """The most recently used segments of one process. Safe to use from many threads."""

    def __init__(self, *, pages_per_file: int = MIN_PAGES) -> None:
        """Put blocks of at least that many pages into files."""
        self._pages_per_file = pages_per_file
        self.reset()

    def reset(self) -> None:
        """Start empty and with new locks."""
        self._lock = Lock()
        self._loading_locks = [Lock() for _ in range(_LOADING_LOCKS)]
        self._segments: OrderedDict[_Key, Segment] = OrderedDict()
        self._folder = SharedFolder(self._pages_per_file)

    def segments(
        self,
        tx: OwnerTransaction,
        versions: Sequence[CollectionVersion],
        *,
        space_id: int,
        dim: int,
        force_reload: bool = False,
    ) -> list[Segment]:
        """Return an up-to-date segment for each collection; reload all if forced.

        A segment may be later than its version, by what has changed since.
        """
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
        return {key: segment for key, segment in current.items() if segment.has_unchanged_files()}

    def _refresh(
        self, tx: OwnerTransaction, versions: Sequence[CollectionVersion], *, space_id: int, dim: int
    ) -> dict[int, Segment]:
        """Bring segments up to date, all with the same few statements."""
        contents = sketches.load_contents(tx, [version.collection_id for version in versions])
        shown = {key: each.revisions for key, each in contents.items()}
        files = _Files(self._folder, tx.owner_id, space_id, dim)
        old = {
            version.collection_id: files.adopt(
                self._reusable(tx.owner_id, version, space_id), shown[version.collection_id], version
            )
            for version in versions
        }
        loaded = _load(tx, shown, old, space_id=space_id, dim=dim)
        refreshed = {}
        for version in versions:
            key = version.collection_id
            blocks, unsketched = loaded[key]
            seq = max(contents[key].seq, version.vectors_seq)
            updated = old[key].updated(seq, shown[key], blocks, unsketched)
            refreshed[key] = files.store(updated, version)
        self._store({(tx.owner_id, key, space_id): segment for key, segment in refreshed.items()})
        return refreshed

    def _reusable(self, owner_id: int, version: CollectionVersion, space_id: int) -> Segment:
        """Return what is usable of the segment: nothing if the sketches were rebuilt since."""
        with self._lock:
            old = self._segments.get((owner_id, version.collection_id, space_id))
        return EMPTY if old is None or old.seq < version.sketches_seq else old.without_changed_files()

    def _store(self, segments: dict[_Key, Segment]) -> None:
        with self._lock:
            for key, segment in segments.items():
                self._segments[key] = segment
                self._segments.move_to_end(key)
            size = sum(segment.nbytes for segment in self._segments.values())
            files = sum(len(segment.files) for segment in self._segments.values())
            # The last segment stays however large it is: the next search will probably need it.
            while (size > settings.ENV.index_mb * MEBIBYTE or files > _MAX_FILES) and len(self._segments) > 1:
                _, evicted = self._segments.popitem(last=False)
                size, files = size - evicted.nbytes, files - len(evicted.files)
                _dropped.inc()
            _bytes.set(size)


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of the collections of an owner in a space."""

    folder: SharedFolder
    owner_id: int
    space_id: int
    dim: int

    def adopt(self, old: Segment, shown: RevisionTable, version: CollectionVersion) -> Segment:
        """Return the segment with what other processes have stored."""
        if not settings.ENV.index_files_mb:
            return old
        return self.folder.adopt(old, shown, settings.ENV.index_files, self._label(version))

    def store(self, segment: Segment, version: CollectionVersion) -> Segment:
        """Return the segment with its large blocks in files."""
        env = settings.ENV
        max_bytes = env.index_files_mb * MEBIBYTE
        return self.folder.store(segment, env.index_files, self._label(version), max_bytes=max_bytes)

    def _label(self, version: CollectionVersion) -> Label:
        return Label(self.owner_id, version.collection_id, self.space_id, self.dim, version.sketches_seq)


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

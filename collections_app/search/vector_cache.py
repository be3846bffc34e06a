"""The vectors of recently read pages, in this process: fetching them from Postgres is what takes time.

The most recently used are in memory, and more of them in a file. They are copies: they don't say who may see a page, or
whether it still exists. The vectors of a page never change except in form, which is part of the key, so nothing has to
be invalidated.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from django.conf import settings
from prometheus_client import Counter, Gauge

from accounts.ownership import OwnerTransaction
from collections_app.engine.retrieval.codes import codec
from collections_app.engine.retrieval.codes.codec import CodedPage, VectorStorage
from collections_app.engine.retrieval.files.file_cache import FileCache
from collections_app.engine.retrieval.lru_cache import LruCache
from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.sketch import PooledPage
from collections_app.storage import vectors
from paliapi.units import MEBIBYTE

_bytes = Gauge("paliapi_vectors_cache_bytes", "Memory that vectors of pages take.", multiprocess_mode="livesum")
_file_bytes = Gauge("paliapi_vectors_file_bytes", "Disk that vectors of pages take.", multiprocess_mode="livesum")
_reads = Counter("paliapi_vectors_read", "Pages whose vectors were read, by where they were found.", ["form", "where"])
_whole_in_memory, _whole_in_file, _whole_in_database = (
    _reads.labels("whole", where) for where in ("memory", "file", "database")
)
_pooled_in_memory, _pooled_in_database = (_reads.labels("pooled", where) for where in ("memory", "database"))

Form = TypeVar("Form")
StoredPage: TypeAlias = MultiVector | CodedPage
_Key: TypeAlias = tuple[Any, ...]  # owner, page, and for whole pages the form

# One part in four of the memory is for pooled vectors: a sixteenth of the size, and read for five times as many pages.
_POOLED_SHARE = 4

_full: LruCache[_Key, StoredPage] = LruCache()
_pooled: LruCache[_Key, PooledPage] = LruCache()
_file: FileCache[_Key] = FileCache()
for _cache in (_full, _pooled, _file):
    os.register_at_fork(after_in_child=_cache.reset)


@dataclass(frozen=True, slots=True)
class VectorForm:
    """The form in which one ranking scores all pages.

    `replaced` has the collections in scope whose full vectors were replaced, each with a number that increases when
    they are.
    """

    storage: VectorStorage = VectorStorage.FULL
    replaced: tuple[tuple[int, int], ...] = ()

    @property
    def is_compact(self) -> bool:
        return self.storage == VectorStorage.COMPACT

    @property
    def key(self) -> tuple[str, tuple[tuple[int, int], ...]]:
        """What identifies the form; unlike the form itself, it is hashed without running Python."""
        return self.storage.value, self.replaced


def read_stored(tx: OwnerTransaction, page_ids: Sequence[int], *, dim: int, form: VectorForm) -> dict[int, StoredPage]:
    """Return the vectors of the pages that have readable ones, from the database; raise OnlyCodes as it does."""
    if form.is_compact:
        return dict(vectors.read_codes(tx, page_ids, dim=dim))
    return dict(vectors.read_full(tx, page_ids, dim=dim))


def read(tx: OwnerTransaction, page_ids: Sequence[int], *, dim: int, form: VectorForm) -> dict[int, StoredPage]:
    """Do the same with what is cached, in the order of the ids."""
    cached = _lookup(_full, tx.owner_id, page_ids, form.key)
    _whole_in_memory.inc(len(cached))
    if len(cached) < len(page_ids):
        loaded = _read_from_file(tx, [page_id for page_id in page_ids if page_id not in cached], dim, form)
        max_bytes = settings.ENV.vectors_cache_mb * MEBIBYTE
        key = form.key
        entries = {(tx.owner_id, page_id, key): (page, page.nbytes) for page_id, page in loaded.items()}
        _full.put(entries, max_bytes=max_bytes - max_bytes // _POOLED_SHARE)
        _report_size()
        cached |= loaded
    return {page_id: page for page_id in page_ids if (page := cached.get(page_id)) is not None}


def read_pooled(tx: OwnerTransaction, page_ids: Sequence[int], *, dim: int) -> dict[int, PooledPage]:
    """Return the pooled vectors of the pages that have some, in the order of the ids."""
    cached = _lookup(_pooled, tx.owner_id, page_ids)
    missing = [] if len(cached) == len(page_ids) else [page_id for page_id in page_ids if page_id not in cached]
    _pooled_in_memory.inc(len(cached))
    _pooled_in_database.inc(len(missing))
    if missing:
        loaded = vectors.read_pooled(tx, missing, dim=dim)
        max_bytes = settings.ENV.vectors_cache_mb * MEBIBYTE // _POOLED_SHARE
        entries = {(tx.owner_id, page_id): (page, page.numbers.nbytes) for page_id, page in loaded.items()}
        _pooled.put(entries, max_bytes=max_bytes)
        _report_size()
        return {page_id: page for page_id in page_ids if (page := cached.get(page_id) or loaded.get(page_id))}
    return cached


def _read_from_file(tx: OwnerTransaction, page_ids: Sequence[int], dim: int, form: VectorForm) -> dict[int, StoredPage]:
    """Return vectors from the file, or else from the database."""
    cached = _lookup(_file, tx.owner_id, page_ids, form.key)
    if form.is_compact:
        cached = {page_id: codec.load(array.data) for page_id, array in cached.items()}
    missing = [page_id for page_id in page_ids if page_id not in cached]
    _whole_in_file.inc(len(cached))
    _whole_in_database.inc(len(missing))
    loaded = read_stored(tx, missing, dim=dim, form=form) if missing else {}
    env = settings.ENV
    key = form.key
    arrays = {
        (tx.owner_id, page_id, key): page.data if isinstance(page, CodedPage) else page
        for page_id, page in loaded.items()
    }
    _file.put(arrays, folder=env.home, max_bytes=env.vectors_file_mb * MEBIBYTE)
    return cached | loaded


def _lookup(
    cache: LruCache[_Key, Form] | FileCache[_Key], owner_id: int, page_ids: Sequence[int], *form: Any
) -> dict[int, Any]:
    """Return what is cached by page, in the order of the ids."""
    entries = cache.get_many([(owner_id, page_id, *form) for page_id in page_ids])
    if len(entries) == len(page_ids):
        return dict(zip(page_ids, entries.values(), strict=True))
    return {key[1]: entry for key, entry in entries.items()}


def _report_size() -> None:
    _bytes.set(_full.nbytes + _pooled.nbytes)
    _file_bytes.set(_file.nbytes)

"""The vectors of recently read pages, in this process: fetching them from Postgres is what takes time.

The most recently used are in memory, and more of them in a file. They are copies: they don't say who may see a page, or
whether it still exists. The vectors of a page never change, so nothing has to be invalidated.
"""

import os
from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

from django.conf import settings
from prometheus_client import Counter, Gauge

from accounts.ownership import OwnerTransaction
from collections_app.engine.retrieval.files.file_cache import FileCache
from collections_app.engine.retrieval.lru_cache import LruCache
from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.sketch import PooledPage
from collections_app.storage import vectors
from paliapi.units import MEBIBYTE

_bytes = Gauge("paliapi_vectors_cache_bytes", "Memory that vectors of pages take.", multiprocess_mode="livesum")
_file_bytes = Gauge("paliapi_vectors_file_bytes", "Disk that vectors of pages take.", multiprocess_mode="livesum")
_reads = Counter("paliapi_vectors_read", "Pages whose vectors were read, by where they were found.", ["form", "where"])

Form = TypeVar("Form")
_Key: TypeAlias = tuple[int, int]  # owner, page

# One part in four of the memory is for pooled vectors: a sixteenth of the size, and read for five times as many pages.
_POOLED_SHARE = 4

_full: LruCache[_Key, MultiVector] = LruCache()
_pooled: LruCache[_Key, PooledPage] = LruCache()
_file: FileCache[_Key] = FileCache()
for _cache in (_full, _pooled, _file):
    os.register_at_fork(after_in_child=_cache.reset)


def read(tx: OwnerTransaction, page_ids: Sequence[int], *, dim: int) -> dict[int, MultiVector]:
    """Return the vectors of the pages that have readable ones, in the order of the ids."""
    cached = _lookup(_full, tx.owner_id, page_ids)
    _count("whole", "memory", len(cached))
    if len(cached) < len(page_ids):
        loaded = _read_from_file(tx, [page_id for page_id in page_ids if page_id not in cached], dim=dim)
        max_bytes = settings.ENV.vectors_cache_mb * MEBIBYTE
        entries = {(tx.owner_id, page_id): (page, page.nbytes) for page_id, page in loaded.items()}
        _full.put(entries, max_bytes=max_bytes - max_bytes // _POOLED_SHARE)
        _report_size()
        cached |= loaded
    return {page_id: page for page_id in page_ids if (page := cached.get(page_id)) is not None}


def read_pooled(tx: OwnerTransaction, page_ids: Sequence[int], *, dim: int) -> dict[int, PooledPage]:
    """Return the pooled vectors of the pages that have some, in the order of the ids."""
    cached = _lookup(_pooled, tx.owner_id, page_ids)
    missing = [page_id for page_id in page_ids if page_id not in cached]
    _count("pooled", "memory", len(cached))
    _count("pooled", "database", len(missing))
    if missing:
        loaded = vectors.read_pooled(tx, missing, dim=dim)
        max_bytes = settings.ENV.vectors_cache_mb * MEBIBYTE // _POOLED_SHARE
        entries = {(tx.owner_id, page_id): (page, page.numbers.nbytes) for page_id, page in loaded.items()}
        _pooled.put(entries, max_bytes=max_bytes)
        _report_size()
        cached |= loaded
    return {page_id: cached[page_id] for page_id in page_ids if page_id in cached}


def _read_from_file(tx: OwnerTransaction, page_ids: Sequence[int], *, dim: int) -> dict[int, MultiVector]:
    """Return vectors from the file, or else from the database."""
    cached = _lookup(_file, tx.owner_id, page_ids)
    missing = [page_id for page_id in page_ids if page_id not in cached]
    _count("whole", "file", len(cached))
    _count("whole", "database", len(missing))
    loaded = vectors.read(tx, missing, dim=dim) if missing else {}
    env = settings.ENV
    entries = {(tx.owner_id, page_id): page for page_id, page in loaded.items()}
    _file.put(entries, folder=env.home, max_bytes=env.vectors_file_mb * MEBIBYTE)
    return cached | loaded


def _lookup(cache: LruCache[_Key, Form] | FileCache[_Key], owner_id: int, page_ids: Sequence[int]) -> dict[int, Any]:
    entries = cache.get_many([(owner_id, page_id) for page_id in page_ids])
    return {page_id: form for (_, page_id), form in entries.items()}


def _count(form: str, where: str, pages: int) -> None:
    _reads.labels(form, where).inc(pages)


def _report_size() -> None:
    _bytes.set(_full.nbytes + _pooled.nbytes)
    _file_bytes.set(_file.nbytes)

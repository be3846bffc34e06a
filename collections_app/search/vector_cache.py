"""Vectors of pages that were looked at lately, close to this process: getting them from Postgres is what takes time.

Those that were asked for last are in memory, more of them in a file. They are copies of what the database has, and say
nothing of who may see a page or whether it is still there. The vectors of a page never change: other vectors are those
of another page.
"""

import os
from collections.abc import Sequence
from typing import Any, TypeAlias, TypeVar

from django.conf import settings
from prometheus_client import Counter, Gauge

from collections_app.engine.retrieval.file_cache import Scratch
from collections_app.engine.retrieval.lru_cache import Bounded
from collections_app.engine.retrieval.multivector import MultiVector
from collections_app.engine.retrieval.sketch import PooledPage
from collections_app.storage import vectors
from paliapi.units import MEBIBYTE

_bytes = Gauge("paliapi_vectors_cache_bytes", "Memory that vectors of pages take.", multiprocess_mode="livesum")
_file_bytes = Gauge("paliapi_vectors_file_bytes", "Disk that vectors of pages take.", multiprocess_mode="livesum")
_read = Counter("paliapi_vectors_read", "Pages whose vectors were asked for, and where they were.", ["form", "where"])

Form = TypeVar("Form")
_Key: TypeAlias = tuple[int, int]

# Of what is kept: pooled vectors are a sixteenth as large, and five times as many are looked at.
_POOLED_SHARE = 4

_whole: Bounded[_Key, MultiVector] = Bounded()
_pooled: Bounded[_Key, PooledPage] = Bounded()
_file: Scratch[_Key] = Scratch()
for _kept in (_whole, _pooled, _file):
    os.register_at_fork(after_in_child=_kept.begin_again)


def whole(owner_id: int, page_ids: Sequence[int], *, dim: int) -> dict[int, MultiVector]:
    """The vectors of those pages that can be scored; inside `acting_for(owner_id)`."""
    found = _taken(_whole, owner_id, page_ids)
    _count("whole", "memory", len(found))
    if len(found) < len(page_ids):
        more = _farther(owner_id, [page_id for page_id in page_ids if page_id not in found], dim=dim)
        most = settings.ENV.vectors_cache_mb * MEBIBYTE
        kept = {(owner_id, key): (page, page.nbytes) for key, page in more.items()}
        _whole.put(kept, most_bytes=most - most // _POOLED_SHARE)
        _tell()
        found |= more
    return {page_id: page for page_id in page_ids if (page := found.get(page_id)) is not None}


def _farther(owner_id: int, page_ids: Sequence[int], *, dim: int) -> dict[int, MultiVector]:
    """From the file, or else from the database."""
    found = _taken(_file, owner_id, page_ids)
    missing = [page_id for page_id in page_ids if page_id not in found]
    _count("whole", "file", len(found))
    _count("whole", "database", len(missing))
    read = vectors.read(owner_id, missing, dim=dim) if missing else {}
    env = settings.ENV
    new = {(owner_id, page_id): page for page_id, page in read.items()}
    _file.put(new, folder=env.home, most_bytes=env.vectors_file_mb * MEBIBYTE)
    return found | read


def pooled(owner_id: int, page_ids: Sequence[int], *, dim: int) -> dict[int, PooledPage]:
    """The pooled vectors of those that have some, in the order of the ids; inside `acting_for(owner_id)`."""
    found = _taken(_pooled, owner_id, page_ids)
    missing = [page_id for page_id in page_ids if page_id not in found]
    _count("pooled", "memory", len(found))
    _count("pooled", "database", len(missing))
    if missing:
        read = vectors.read_pooled(owner_id, missing, dim=dim)
        most = settings.ENV.vectors_cache_mb * MEBIBYTE // _POOLED_SHARE
        kept = {(owner_id, key): (page, page.numbers.nbytes) for key, page in read.items()}
        _pooled.put(kept, most_bytes=most)
        _tell()
        found |= read
    return {page_id: found[page_id] for page_id in page_ids if page_id in found}


def _taken(kept: Bounded[_Key, Form] | Scratch[_Key], owner_id: int, page_ids: Sequence[int]) -> dict[int, Any]:
    found = kept.take([(owner_id, page_id) for page_id in page_ids])
    return {page_id: form for (_, page_id), form in found.items()}


def _count(form: str, where: str, pages: int) -> None:
    _read.labels(form, where).inc(pages)


def _tell() -> None:
    _bytes.set(_whole.nbytes + _pooled.nbytes)
    _file_bytes.set(_file.nbytes)

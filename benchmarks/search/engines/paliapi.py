"""PaliAPI's search function over its own tables, filled as a worker does it."""

from typing import ClassVar

from django.conf import settings
from django.db import connection

from accounts.access import Caller
from accounts.models import CustomUser
from accounts.ownership import acting_for
from benchmarks.search import fill
from benchmarks.search.corpus import BEST
from benchmarks.search.engines.base import Engine
from benchmarks.search.query_service import text_of
from collections_app import catalogue
from collections_app.engine.retrieval.codes.codec import VectorStorage
from collections_app.models import PageEmbedding
from collections_app.search import Mode, SearchRequest, TextQuery, search

_COLLECTION = "pages"


class PaliapiAuto(Engine):
    mode: ClassVar[Mode] = "auto"
    storage: ClassVar[VectorStorage] = VectorStorage.FULL
    note = "the default of POST /v1/search/"

    def build(self) -> None:
        email = f"{self.storage}-{len(self.corpus)}@benchmarks.example"
        self._size = settings.ENV.home / f"{email}.bytes"
        known = CustomUser.objects.filter(email=email).values_list("pk", flat=True).first()
        self._caller = Caller.of_owner(known, email=email) if known else fill.owner(email)
        if known is None:
            before = _table_bytes()
            with acting_for(self._caller.owner_id) as tx:
                catalogue.create_collection(
                    tx, self._caller, name=_COLLECTION, metadata={}, vector_storage=self.storage
                )
            fill.put(fill.Shelf(self._caller, _COLLECTION), self.corpus.pages)
            self._size.write_text(str(_table_bytes() - before), encoding="ascii")

    def search(self, question: int, setting: str) -> list[int]:  # noqa: ARG002 - there is but one way
        query = TextQuery(text_of(question), at="")
        request = SearchRequest(query=query, collections=frozenset({_COLLECTION}), mode=self.mode, top_k=BEST)
        return [fill.number_of(hit) for hit in search(self._caller, request).hits]

    def bytes_per_page(self) -> float:
        """Return by how much filling the collection, by this process or an earlier one, enlarged the table."""
        return int(self._size.read_text(encoding="ascii")) / len(self.corpus)


class PaliapiExact(PaliapiAuto):
    mode = "exact"
    most_questions = 10
    rounds = 1
    note = "every page in scope is read from Postgres and scored"


class PaliapiCompact(PaliapiAuto):
    storage = VectorStorage.COMPACT
    note = "the default of POST /v1/search/ over a compact collection"


def _table_bytes() -> int:
    """Return what the table of vectors takes, with indexes and TOAST."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s)", [PageEmbedding._meta.db_table])
        return int(cursor.fetchone()[0])

"""PaliAPI's search function over its own tables, filled as a worker does it."""

from typing import ClassVar

from django.db import connection

from accounts.access import Caller
from accounts.models import CustomUser
from accounts.ownership import acting_as_staff
from benchmarks.search import fill
from benchmarks.search.corpus import BEST
from benchmarks.search.engines.base import Engine
from benchmarks.search.query_service import text_of
from collections_app.models import PageEmbedding
from collections_app.search import Mode, SearchRequest, TextQuery, search

_COLLECTION = "pages"


class PaliapiAuto(Engine):
    mode: ClassVar[Mode] = "auto"
    note = "the default of POST /v1/search/"

    def build(self) -> None:
        email = f"{len(self.corpus)}@benchmarks.example"
        known = CustomUser.objects.filter(email=email).values_list("pk", flat=True).first()
        self._caller = Caller.of_owner(known, email=email) if known else fill.owner(email)
        if known is None:
            fill.put(fill.Shelf(self._caller, _COLLECTION), self.corpus.pages)

    def search(self, question: int, setting: str) -> list[int]:  # noqa: ARG002 - there is but one way
        query = TextQuery(text_of(question), at="")
        request = SearchRequest(query=query, collections=frozenset({_COLLECTION}), mode=self.mode, top_k=BEST)
        return [fill.number_of(hit) for hit in search(self._caller, request).hits]

    def bytes_per_page(self) -> float:
        with acting_as_staff():
            count = PageEmbedding.objects.count()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_total_relation_size(%s)", [PageEmbedding._meta.db_table])
            row = cursor.fetchone()
        return float(row[0]) / count if row else 0.0


class PaliapiExact(PaliapiAuto):
    mode = "exact"
    most_questions = 10
    rounds = 1
    note = "every page in scope is read from Postgres and scored"

"""Qdrant's engine in this process: HNSW over 32 pooled vectors a page, then its own MaxSim over all vectors."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from qdrant_edge import (
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeVectorParams,
    HnswIndexConfig,
    MultiVectorComparator,
    MultiVectorConfig,
    Point,
    Prefetch,
    Query,
    QueryRequest,
    SearchParams,
    UpdateOperation,
    VectorStorageDatatype,
)

from benchmarks.harness.household import FOLDER
from benchmarks.search.corpus import BEST
from benchmarks.search.engines.base import Engine
from benchmarks.search.engines.pooled import pooled
from benchmarks.search.synthetic import DIM

_AT_ONCE = 50
_EF = 128


class Qdrant(Engine):
    note = "in process; float16, HNSW m 16, ef_construct 100, ef 128 over 32 pooled vectors a page; its own rescoring"

    def build(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="qdrant-", dir=FOLDER))
        multi = MultiVectorConfig(MultiVectorComparator.MaxSim)
        kind = VectorStorageDatatype.Float16
        vectors = {
            "all": EdgeVectorParams(
                DIM, Distance.Dot, multivector_config=multi, datatype=kind, hnsw_config=HnswIndexConfig(0, 100, 0)
            ),
            "pooled": EdgeVectorParams(
                DIM, Distance.Dot, multivector_config=multi, datatype=kind, hnsw_config=HnswIndexConfig(16, 100, 0)
            ),
        }
        self._shard = EdgeShard.create(str(self._folder), EdgeConfig(vectors))
        few = pooled(self.corpus)
        for start in range(0, len(self.corpus), _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, len(self.corpus)))
            points = [
                Point(number, {"all": self.corpus.pages[number].tolist(), "pooled": few[number].tolist()})
                for number in numbers
            ]
            self._shard.update(UpdateOperation.upsert_points(points))
        self._shard.flush()
        self._shard.optimize()

    def settings(self) -> Sequence[str]:
        return ("50 exact", "100 exact", "200 exact", "400 exact")

    def search(self, question: int, setting: str) -> list[int]:
        query = self.corpus.questions[question].tolist()
        first = Prefetch(
            int(setting.split()[0]), query=Query.Nearest(query, "pooled"), params=SearchParams(hnsw_ef=_EF)
        )
        hits = self._shard.query(QueryRequest(BEST, query=Query.Nearest(query, "all"), prefetches=[first]))
        return [int(one.id) for one in hits]

    def bytes_per_page(self) -> float:
        return sum(file.stat().st_size for file in self._folder.rglob("*") if file.is_file()) / len(self.corpus)

    def close(self) -> None:
        self._shard.close()
        shutil.rmtree(self._folder, ignore_errors=True)

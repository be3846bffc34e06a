"""Qdrant's engine in this process: HNSW over 32 pooled vectors a page, then its own MaxSim over all vectors.

The vectors are float16, in TurboQuant's four bits, or float16 with binary codes that choose what is scored.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from qdrant_edge import (
    BinaryQuantizationConfig,
    Distance,
    EdgeConfig,
    EdgeShard,
    EdgeVectorParams,
    HnswIndexConfig,
    MultiVectorComparator,
    MultiVectorConfig,
    Point,
    Prefetch,
    QuantizationSearchParams,
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
    datatype: ClassVar[VectorStorageDatatype] = VectorStorageDatatype.Float16
    codes: ClassVar[BinaryQuantizationConfig | None] = None
    last_look: ClassVar[SearchParams | None] = None

    def build(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="qdrant-", dir=FOLDER))
        vectors = {
            "all": self._vectors(HnswIndexConfig(0, 100, 0)),
            "pooled": self._vectors(HnswIndexConfig(16, 100, 0)),
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

    def _vectors(self, index: HnswIndexConfig) -> EdgeVectorParams:
        return EdgeVectorParams(
            DIM,
            Distance.Dot,
            multivector_config=MultiVectorConfig(MultiVectorComparator.MaxSim),
            datatype=self.datatype,
            quantization_config=self.codes,
            hnsw_config=index,
        )

    def settings(self) -> Sequence[str]:
        return ("50 exact", "100 exact", "200 exact", "400 exact", "800 exact")

    def search(self, question: int, setting: str) -> list[int]:
        query = self.corpus.questions[question].tolist()
        first = Prefetch(
            int(setting.split()[0]), query=Query.Nearest(query, "pooled"), params=SearchParams(hnsw_ef=_EF)
        )
        request = QueryRequest(BEST, query=Query.Nearest(query, "all"), prefetches=[first], params=self.last_look)
        hits = self._shard.query(request)
        return [int(one.id) for one in hits]

    def bytes_per_page(self) -> float:
        return sum(file.stat().st_size for file in self._folder.rglob("*") if file.is_file()) / len(self.corpus)

    def close(self) -> None:
        self._shard.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class QdrantTurbo(Qdrant):
    datatype = VectorStorageDatatype.Turbo4
    note = "as qdrant, with all vectors stored in TurboQuant's four bits"


class QdrantBinary(Qdrant):
    codes = BinaryQuantizationConfig()
    last_look = SearchParams(quantization=QuantizationSearchParams(rescore=True, oversampling=4.0))
    note = "as qdrant, with binary codes of all vectors; the best 40 by codes are scored by float16"

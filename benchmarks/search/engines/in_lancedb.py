"""LanceDB in this process: its multivector index (IVF_PQ), refined with all vectors."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import lancedb
import numpy as np
import pyarrow as pa

from benchmarks.harness.household import FOLDER
from benchmarks.search.corpus import BEST
from benchmarks.search.engines.base import Engine
from benchmarks.search.synthetic import DIM

_AT_ONCE = 50


class LanceDB(Engine):
    most_questions = 20
    rounds = 1
    # Building the index in float16 takes fifty times as long.
    note = "in process; float32, IVF_PQ over all vectors, 32 sub-vectors, cosine"

    def build(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="lancedb-", dir=FOLDER))
        shape = pa.schema([("page", pa.int32()), ("vectors", pa.list_(pa.list_(pa.float32(), DIM)))])
        database = lancedb.connect(str(self._folder))
        self._table = database.create_table("pages", data=self._batches(shape), schema=shape)
        self._table.create_index(metric="cosine", vector_column_name="vectors", index_type="IVF_PQ", num_sub_vectors=32)

    def settings(self) -> Sequence[str]:
        return ("10 probes, refined 10 times", "20 probes, refined 10 times", "40 probes, refined 10 times")

    def search(self, question: int, setting: str) -> list[int]:
        probes, _, _, refined, _ = setting.split()
        query = self._table.search(self.corpus.questions[question], vector_column_name="vectors")
        rows = (
            query.limit(BEST).nprobes(int(probes)).refine_factor(int(refined)).select(["page", "_distance"]).to_list()
        )
        return [int(row["page"]) for row in rows]

    def bytes_per_page(self) -> float:
        return sum(file.stat().st_size for file in self._folder.rglob("*") if file.is_file()) / len(self.corpus)

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def _batches(self, shape: pa.Schema) -> Iterator[pa.RecordBatch]:
        for start in range(0, len(self.corpus), _AT_ONCE):
            pages = self.corpus.pages[start : start + _AT_ONCE].astype(np.float32)
            rows = pa.FixedSizeListArray.from_arrays(pa.array(pages.reshape(-1)), DIM)
            starts = np.arange(len(pages) + 1, dtype=np.int32) * pages.shape[1]
            each = pa.ListArray.from_arrays(pa.array(starts), rows)
            numbers = pa.array(range(start, start + len(pages)), pa.int32())
            yield pa.RecordBatch.from_arrays([numbers, each], schema=shape)

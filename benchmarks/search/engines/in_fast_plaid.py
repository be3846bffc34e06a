"""FastPlaid in this process: centroids with four-bit residuals, on the CPU."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from fast_plaid import search

from benchmarks.harness.household import FOLDER
from benchmarks.search.corpus import BEST
from benchmarks.search.engines.base import Engine


class FastPlaid(Engine):
    most_questions = 20
    rounds = 1
    note = "in process; four-bit residuals, on the CPU"

    def build(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="fast-plaid-", dir=FOLDER))
        self._index = search.FastPlaid(index=str(self._folder), device="cpu")
        pages = [torch.from_numpy(np.asarray(page, dtype=np.float32)) for page in self.corpus.pages]
        self._index.create(documents_embeddings=pages)

    def settings(self) -> Sequence[str]:
        return ("8 probes, 512 scored", "16 probes, 1024 scored", "32 probes, 4096 scored")

    def search(self, question: int, setting: str) -> list[int]:
        probes, _, scored, _ = setting.split()
        query = torch.from_numpy(np.asarray(self.corpus.questions[question], dtype=np.float32))[None]
        (hits,) = self._index.search(query, top_k=BEST, n_ivf_probe=int(probes), n_full_scores=int(scored))
        return [int(page) for page, _ in hits]

    def bytes_per_page(self) -> float:
        return sum(file.stat().st_size for file in self._folder.rglob("*") if file.is_file()) / len(self.corpus)

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

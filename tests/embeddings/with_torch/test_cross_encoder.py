"""Rerankers with random weights of real architectures: real tokenizers, real forward passes."""

import json
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from embeddings.backends.base import Prepared
from embeddings.backends.checkpoints import ModelNotFound, WeightsMissing
from embeddings.backends.choose import choose_reranker
from embeddings.backends.cross_encoder import CrossEncoder
from embeddings.backends.families import UnsupportedModel
from embeddings.backends.lexical import LexicalBackend
from embeddings.config import Settings
from embeddings.contract import MultiVector
from embeddings.errors import InvalidField
from embeddings.server import self_test
from tests.embeddings.counting import CountingReranker
from tests.embeddings.serving import serving, serving_with, settings
from tests.embeddings.with_torch import tiny

MODELS: dict[str, Callable[[Path], Path]] = {"xlm-roberta": tiny.xlm_roberta, "bert": tiny.bert}
QUERY = "when must the invoice be paid?"
TEXTS = ("the invoice must be paid within thirty days.", "penguins", "emperor penguins breed on the ice " * 40, "")


def settings_for(folder: Path, **values: str) -> Settings:
    chosen = {"COLPALI_RERANKER": str(folder), "COLPALI_DTYPE": "float32", "COLPALI_DEVICE": "cpu"}
    return settings(**chosen, COLPALI_OFFLINE="true", **values)


def open_reranker(folder: Path) -> CrossEncoder:
    reranker = choose_reranker(settings_for(folder))
    assert isinstance(reranker, CrossEncoder)
    reranker.load()
    return reranker


@pytest.fixture(scope="module", params=list(MODELS))
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return MODELS[request.param](tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def reranker(folder: Path) -> CrossEncoder:
    return open_reranker(folder)


def scores(reranker: CrossEncoder, pairs: Sequence[Prepared]) -> list[float]:
    """Return the scores of pairs in one batch."""
    return [float(scored.vectors[0, 0]) for scored in reranker.encode(reranker.collate(pairs))]


def test_info_describes_the_loaded_model(folder: Path, reranker: CrossEncoder) -> None:
    space = reranker.info.space
    assert (space.model, space.dim) == (str(folder), 1)
    assert space.revision.startswith("folder-")
    assert (reranker.info.device, reranker.info.dtype) == ("cpu", "float32, sdpa")


def test_scores_are_those_of_transformers(folder: Path, reranker: CrossEncoder) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    texts = [TEXTS[0], TEXTS[1], TEXTS[3]]
    with torch.inference_mode():
        expected = model(**tokenizer([QUERY] * 3, texts, padding=True, return_tensors="pt")).logits[:, 0].tolist()
    pairs = [pair for text in texts for pair in reranker.split(QUERY, text)]
    assert scores(reranker, pairs) == pytest.approx(expected, rel=5e-3, abs=2e-3)


def test_score_does_not_depend_on_the_batch(reranker: CrossEncoder) -> None:
    pairs = [pair for text in TEXTS for pair in reranker.split(QUERY, text)]
    alone = [scores(reranker, [pair])[0] for pair in pairs]
    assert scores(reranker, pairs) == pytest.approx(alone, rel=5e-3, abs=2e-3)
    assert len({round(score, 4) for score in alone}) > 1


def test_long_text_becomes_overlapping_passages_that_fit_the_model(reranker: CrossEncoder) -> None:
    pairs = reranker.split(QUERY, TEXTS[2])
    assert len(pairs) > 2
    assert all(pair.tokens == pair.payload["input_ids"].shape[1] <= 512 for pair in pairs)
    assert all(pair.tokens > 256 for pair in pairs[:-1])
    tokens = [pair.payload["input_ids"][0].tolist() for pair in pairs]
    query_length = next(length for length, column in enumerate(zip(*tokens, strict=False)) if len(set(column)) > 1)
    passages = [ids[query_length:-1] for ids in tokens]
    for before, after in pairwise(passages):
        assert any(before[-length:] == after[:length] for length in range(32, 65)), "they overlap"
    assert len(reranker.split(QUERY, "short")) == len(reranker.split(QUERY, "")) == 1


def test_long_query_is_refused(reranker: CrossEncoder) -> None:
    assert reranker.split("a " * 100, "text")
    with pytest.raises(InvalidField, match="accepts at most"):
        reranker.split("invoice " * 300, "text")


def test_special_tokens_in_a_text_are_plain_text(reranker: CrossEncoder) -> None:
    special = reranker._tokenizer.sep_token
    (plain,), (hostile,) = reranker.split(QUERY, "a b"), reranker.split(QUERY, f"a {special} b")
    number = reranker._tokenizer.convert_tokens_to_ids(special)
    count = int((plain.payload["input_ids"] == number).sum())
    assert int((hostile.payload["input_ids"] == number).sum()) == count


def test_texts_are_split_on_many_threads(reranker: CrossEncoder) -> None:
    expected = [[pair.payload["input_ids"].tolist() for pair in reranker.split(QUERY, text)] for text in TEXTS]
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda number: reranker.split(QUERY, TEXTS[number % 4]), range(64)))
    for number, result in enumerate(results):
        assert [pair.payload["input_ids"].tolist() for pair in result] == expected[number % 4]


def test_service_ranks_texts_by_the_model(reranker: CrossEncoder) -> None:
    # Random weights may fail the self-test, so the reranker is wrapped in one that passes it.
    with serving(_Trusted(reranker)) as client:
        body = {"query": QUERY, "documents": list(TEXTS), "method": "cross_encoder"}
        content = client.post("/rerank", json=body).json()
        description = client.get("/health").json()["reranker"]
    assert content["model"] == description["model"] == reranker.info.space.model
    assert content["revision"] == description["revision"]
    best = [max(scores(reranker, reranker.split(QUERY, text))) for text in TEXTS]
    for result in content["results"]:
        expected = 1 / (1 + math.exp(-best[result["index"]]))
        assert result["relevance_score"] == pytest.approx(expected, rel=5e-3, abs=2e-3)


class _Trusted(CountingReranker):
    """The loaded reranker, but with the scores of another for the query of the self-test."""

    def __init__(self, reranker: CrossEncoder) -> None:
        super().__init__()
        self._reranker = reranker
        self.info = reranker.info

    def split(self, query: str, text: str) -> list[Prepared]:
        return super().split(query, text) if query == self_test._QUERY else self._reranker.split(query, text)

    def collate(self, batch: Sequence[Prepared]) -> Any:
        of_self_test = isinstance(batch[0].payload, tuple)
        return super().collate(batch) if of_self_test else self._reranker.collate(batch)

    def encode(self, batch: Any) -> list[MultiVector]:
        return super().encode(batch) if isinstance(batch, list) else self._reranker.encode(batch)


@pytest.mark.parametrize("scale", [1.0, -1.0])
def test_service_becomes_ready_only_if_the_weights_can_rank(tmp_path: Path, scale: float) -> None:
    """Random weights prefer one of the two texts; with the last layer negated, they prefer the other one."""
    reranker = open_reranker(tiny.xlm_roberta(tmp_path))
    right, wrong = (self_test._score(reranker, " ".join(lines)) for lines in self_test._PAGES)
    file = tmp_path / "model.safetensors"
    weights = load_file(file)
    sign = scale if right > wrong else -scale
    for name in ("classifier.out_proj.weight", "classifier.out_proj.bias"):
        weights[name] = weights[name] * sign
    save_file(weights, file, metadata={"format": "pt"})
    state = "ready" if scale > 0 else "failed"
    with serving_with(LexicalBackend(), choose_reranker(settings_for(tmp_path))) as client:
        while (status := client.get("/health").json()["status"]) == "loading":
            pass
        assert status == state


def test_only_classifiers_with_one_label_and_all_weights_are_accepted(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="2 labels"):
        open_reranker(tiny.xlm_roberta(tmp_path / "two", labels=2))
    incomplete = tiny.xlm_roberta(tmp_path / "incomplete")
    weights = load_file(incomplete / "model.safetensors")
    del weights["classifier.out_proj.weight"]
    save_file(weights, incomplete / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsMissing, match="classifier"):
        open_reranker(incomplete)
    encoder = tiny.xlm_roberta(tmp_path / "encoder")
    config = json.loads((encoder / "config.json").read_text())
    (encoder / "config.json").write_text(json.dumps(config | {"architectures": ["XLMRobertaModel"]}))
    with pytest.raises(UnsupportedModel, match="XLMRobertaModel"):
        open_reranker(encoder)
    with pytest.raises(ModelNotFound):
        open_reranker(tmp_path / "nothing")


def test_passages_fit_a_model_with_few_positions(tmp_path: Path) -> None:
    reranker = open_reranker(tiny.xlm_roberta(tmp_path, positions=130))
    pairs = reranker.split("ice", TEXTS[2])
    assert max(pair.tokens for pair in pairs) == 128
    assert np.isfinite(scores(reranker, pairs)).all()

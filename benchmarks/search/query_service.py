"""The benchmarks' embeddings service: `python -m benchmarks.search.query_service PORT`

The real service around a model with known vectors: `question 17` becomes the vectors of that query, an image those of a
page. The model thus takes no time.
"""

import sys
from collections.abc import Sequence
from itertools import count

import uvicorn

from benchmarks.search.synthetic import DIM, World
from embeddings.backends.base import BackendInfo, Item, Prepared
from embeddings.config import Settings
from embeddings.contract import MultiVector, VectorSpace
from embeddings.server.app import create_app
from embeddings.server.engine import EmbeddingEngine

SPACE = VectorSpace("benchmarks/synthetic", "1", DIM)


def text_of(question: int) -> str:
    """Return the text of a query."""
    return f"question {question}"


class Known:
    """A model that takes no time."""

    info = BackendInfo(backend="synthetic", space=SPACE)

    def __init__(self) -> None:
        self._numbers = count()

    def load(self) -> None:
        world = World()
        self._questions = [MultiVector(one.astype("float16")) for one in world.questions()]
        self._pages = [MultiVector(one) for one in world.document(0).pages()]

    def prepare(self, item: Item) -> Prepared:
        if item.image is not None:
            vectors = self._pages[next(self._numbers) % len(self._pages)]
        else:
            number = (item.text or "").removeprefix("question ")
            vectors = self._questions[int(number) % len(self._questions) if number.isdecimal() else 0]
        return Prepared(tokens=len(vectors.vectors), payload=vectors)

    def collate(self, batch: Sequence[Prepared]) -> list[MultiVector]:
        return [prepared.payload for prepared in batch]

    def encode(self, batch: list[MultiVector]) -> list[MultiVector]:
        return batch

    def close(self) -> None:
        """Do nothing."""


def main() -> None:
    """Serve on the port given as the argument."""
    settings = Settings(auth="none", max_queue_tokens=10**8)
    app = create_app(EmbeddingEngine(Known(), settings=settings), settings=settings)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None, access_log=False)


if __name__ == "__main__":
    main()

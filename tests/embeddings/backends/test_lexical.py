"""The lexical backend."""

import base64

import numpy as np
from PIL import Image

from embeddings.backends.base import Item
from embeddings.backends.lexical import LexicalBackend
from embeddings.contract import MultiVector, Word
from embeddings.server import images
from tests.embeddings.serving import encoded, maxsim, text_image


def embed(item: Item) -> MultiVector:
    backend = LexicalBackend()
    return backend.encode(backend.collate([backend.prepare(item)]))[0]


def query(text: str) -> MultiVector:
    return embed(Item("query", text=text))


def page(text: str) -> MultiVector:
    words = tuple(Word(word, 0, 0, 1, 1) for word in text.split())
    return embed(Item("document", image=text_image(text), words=words))


def test_page_with_the_words_of_the_query_scores_best() -> None:
    pages = [
        page("penguins live in antarctica"),
        page("invoice 2024-117 total 99.50"),
        page("invoice 2024-118 total 99.50"),
    ]
    scores = [maxsim(query("Invoice 2024-118").vectors, candidate.vectors) for candidate in pages]
    assert np.argmax(scores) == 2


def test_image_matches_itself_and_texts_do_not_match_gradientswithout_words() -> None:
    gradients = [Image.radial_gradient("L"), Image.linear_gradient("L"), Image.linear_gradient("L").rotate(90)]
    pages = [embed(Item("document", image=image.convert("RGB"))).vectors for image in gradients]
    same = embed(Item("query", image=gradients[1].resize((100, 100)).convert("RGB"))).vectors
    assert np.argmax([maxsim(same, candidate) for candidate in pages]) == 1
    assert maxsim(query("gradient").vectors, pages[0]) == 0


def test_appearance_of_a_jpeg_does_not_depend_on_the_decoded_size() -> None:
    whole = Image.radial_gradient("L").resize((1100, 1400)).convert("RGB")
    reduced = images.decode(base64.b64decode(encoded(whole, kind="JPEG")), max_pixels=2_000_000)
    vectors = [embed(Item("document", image=image)).vectors.astype(np.float32) for image in (whole, reduced)]
    assert reduced.size == (275, 350)
    np.testing.assert_allclose(vectors[0], vectors[1], atol=0.02)

"""The lexical backend."""

import base64

import numpy as np
from PIL import Image

from embeddings.backends import words
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
    found = tuple(Word(word, 0, 0, 1, 1) for word in text.split())
    return embed(Item("document", image=text_image(text), words=found))


def test_words_are_found_whatever_their_case_and_form() -> None:
    assert words.split("Invoice No. 2024-117: 1,250.00 EUR, ﬁne Straße_x") == [
        "invoice", "no", "2024-117", "1,250.00", "eur", "fine", "strasse", "x",
    ]  # fmt: skip


def test_a_words_direction_never_changes() -> None:
    np.testing.assert_allclose(words.direction("invoice", dim=4), [0.3985, -0.4544, 0.4848, -0.6322], atol=1e-3)


def test_the_page_with_the_words_wins() -> None:
    pages = [
        page("penguins live in antarctica"),
        page("invoice 2024-117 total 99.50"),
        page("invoice 2024-118 total 99.50"),
    ]
    scores = [maxsim(query("Invoice 2024-118").vectors, one.vectors) for one in pages]
    assert np.argmax(scores) == 2


def test_an_image_finds_itself_and_no_text_finds_an_image_without_words() -> None:
    pictures = [Image.radial_gradient("L"), Image.linear_gradient("L"), Image.linear_gradient("L").rotate(90)]
    shown = [embed(Item("document", image=picture.convert("RGB"))).vectors for picture in pictures]
    asked = embed(Item("query", image=pictures[1].resize((100, 100)).convert("RGB"))).vectors
    assert np.argmax([maxsim(asked, one) for one in shown]) == 1
    assert maxsim(query("gradient").vectors, shown[0]) == 0


def test_a_jpeg_looks_the_same_however_finely_it_is_decoded() -> None:
    picture = Image.radial_gradient("L").resize((1100, 1400)).convert("RGB")
    coarse = images.decode(base64.b64decode(encoded(picture, kind="JPEG")), max_pixels=2_000_000)
    looks = [embed(Item("document", image=image)).vectors.astype(np.float32) for image in (picture, coarse)]
    assert coarse.size == (275, 350)
    np.testing.assert_allclose(looks[0], looks[1], atol=0.02)

"""Pages without a text layer, whose words the embeddings service reads off the image."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pytest_django import Settings

from accounts.ownership import acting_for
from collections_app.models import Page, PageEmbedding
from embeddings.contract import NPZ, Layout, MultiVector, VectorSpace, pack
from tests.cast import Someone
from tests.collections_app.documents import put
from tests.collections_app.engine.rendering.samples import pdf, picture
from tests.collections_app.ingestion import latest_revision, process_all, shown_texts
from tests.embeddings.scripted import ReceivedRequest, Reply, scripted

SPACE = VectorSpace("paliapi/reader", "1", 8)
WORDS: list[list[str | float]] = [["Order", 0.1, 0.1, 0.2, 0.12], ["ZX-\0 9981/B", 0.3, 0.1, 0.5, 0.12]]


def reader(words: Any) -> Callable[[ReceivedRequest], Reply]:
    """A service that has read these words on every page that came without."""

    def reply(asked: ReceivedRequest) -> Reply:
        body = asked.json()
        embedded = [MultiVector(np.eye(2, 8, dtype=np.float16))] * len(body["inputs"])
        if body["input_type"] == "image":
            boxes: list[list[float] | None] = [[0.1, 0.1, 0.2, 0.12], [0.3, 0.1, 0.5, 0.12]]
            given: Layout = {"kind": "boxes", "boxes": boxes}
            read: Layout = {"kind": "boxes", "boxes": boxes, "words": words}
            embedded = [
                MultiVector(one.vectors, given if isinstance(sent, dict) else read)
                for one, sent in zip(embedded, body["inputs"], strict=True)
            ]
        content = pack(embedded, input_type=body["input_type"], space=SPACE, with_layout=True)
        return Reply(200, content, {"content-type": NPZ})

    return reply


def test_what_was_read_is_the_text_of_the_page_and_found_by_its_words(alice: Someone, settings: Settings) -> None:
    with scripted(reader(WORDS)) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        put(alice, "scan", picture("PNG", Image.new("RGB", (30, 20), "red")))
        put(alice, "layered", pdf("text of its own"))
        process_all()
        assert shown_texts(alice, "scan") == ["Order ZX- 9981/B"]
        assert shown_texts(alice, "layered") == ["text of its own"]
        asked = {"query": "ZX 9981 B", "images": "none", "include": ["regions", "text"]}
        hit = alice.post("/v1/search/", asked).json()["results"][0]
    assert (hit["document_name"], hit["text"]) == ("scan", "Order ZX- 9981/B")
    assert {region["text"] for region in hit["regions"]["boxes"]} <= {"Order", "ZX- 9981/B", "Order ZX- 9981/B"}
    with acting_for(alice.id):
        layouts: list[Any] = list(PageEmbedding.objects.filter(owner_id=alice.id).values_list("layout", flat=True))
        assert all("words" not in layout for layout in layouts)
        read = dict(Page.objects.filter(owner_id=alice.id).values_list("text", "text_was_read"))
    assert read == {"Order ZX- 9981/B": True, "text of its own": False}


def test_an_equal_page_takes_over_what_was_read(alice: Someone, settings: Settings) -> None:
    image = picture("PNG", Image.new("RGB", (30, 20), "red"))
    with scripted(reader(WORDS)) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        for name in ("first", "second", "third"):
            put(alice, name, image)
            process_all()
    for name in ("second", "third"):
        assert latest_revision(alice, name).reused_pages == 1
        assert shown_texts(alice, name) == ["Order ZX- 9981/B"]


@pytest.mark.parametrize(
    "words",
    [
        None,
        "words",
        [None],
        [["x"]],
        [["x", 0, 0, 1, 2]],
        [["", 0, 0, 1, 1]],
        [["x" * 1001, 0, 0, 1, 1]],
        [[5, 0, 0, 1, 1]],
    ],
    ids=range(8),
)
def test_what_cannot_have_been_read_is_left_out(alice: Someone, settings: Settings, words: Any) -> None:
    with scripted(reader(words)) as server:
        settings.ENV = replace(settings.ENV, embeddings_url=server.url)
        put(alice, "scan", picture("PNG", Image.new("RGB", (30, 20), "red")))
        process_all()
    assert shown_texts(alice, "scan") == [""]

"""Bombs end with their code in a process with little memory. `make bombs` covers large ones and other documents."""

import io

import pytest

from collections_app.engine.rendering.protocol import PageNotRendered, RenderLimits
from collections_app.engine.rendering.render import render
from paliapi.errors import Error
from tests.collections_app.engine.rendering.bombs import (
    IN_FILES,
    READY,
    Bomb,
    deep_tree,
    huge_image_in_pdf,
    many_pages,
)

# Bombs that take long to build or to end have their own tests; Office files need LibreOffice.
_SLOW = (huge_image_in_pdf, deep_tree, many_pages)
_QUICK = [
    bomb
    for bomb in IN_FILES
    if bomb.make not in _SLOW and not bomb.name.startswith(("a docx", "forms that", "a page description", "a PNG of"))
]


def end_of(content: bytes) -> str:
    try:
        for page in render(io.BytesIO(content), limits=RenderLimits(memory_mb=400, page_s=20), encoding="jpeg"):
            assert page.width * page.height <= 25_000_000
    except PageNotRendered as failure:
        return failure.error.code
    except Error as error:
        return error.code
    return READY


@pytest.mark.parametrize("bomb", _QUICK, ids=str)
def test_every_bomb_ends_with_its_code(bomb: Bomb) -> None:
    assert end_of(bomb.make()) in bomb.ends


@pytest.mark.parametrize(("content", "code"), [(many_pages(5000), "too_many_pages"), (deep_tree(3000), "file_damaged")])
def test_an_oversized_page_tree_is_not_walked_for_ever(content: bytes, code: str) -> None:
    assert end_of(content) in {code, READY, "file_without_pages"}

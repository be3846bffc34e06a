"""Each ends in its code, in a process of little memory; the large ones, and the neighbours, are for `make bombs`."""

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
    huge_picture_in_pdf,
    many_pages,
)

# Those that take long to make, or to end, are tested by themselves; those of Office need LibreOffice.
_SLOW = (huge_picture_in_pdf, deep_tree, many_pages)
_QUICK = [
    bomb
    for bomb in IN_FILES
    if bomb.make not in _SLOW and not bomb.name.startswith(("a docx", "forms that", "a page description", "a PNG of"))
]


def end_of(content: bytes) -> str:
    try:
        for page in render(io.BytesIO(content), limits=RenderLimits(memory_mb=400, page_s=20), encoding="jpeg"):
            assert page.width * page.height <= 25_000_000
    except PageNotRendered as failed:
        return failed.error.code
    except Error as refused:
        return refused.code
    return READY


@pytest.mark.parametrize("bomb", _QUICK, ids=str)
def test_a_bomb_ends_in_its_code(bomb: Bomb) -> None:
    assert end_of(bomb.make()) in bomb.ends


@pytest.mark.parametrize(("content", "code"), [(many_pages(5000), "too_many_pages"), (deep_tree(3000), "file_damaged")])
def test_a_tree_of_pages_is_not_walked_for_ever(content: bytes, code: str) -> None:
    assert end_of(content) in {code, READY, "file_without_pages"}

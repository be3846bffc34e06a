from pathlib import Path

import pytest

from collections_app.engine.rendering.formats.documentation import table, update
from collections_app.engine.rendering.formats.registry import FORMATS

PAGE = Path(__file__).parents[5] / "docs" / "formats.md"


def test_the_committed_table_is_current() -> None:
    assert update(PAGE.read_text(encoding="utf-8")) == PAGE.read_text(encoding="utf-8"), "run `make schema`"


def test_every_format_has_exactly_one_row() -> None:
    assert all(table().count(f"`{format_.extension}`") == 1 for format_ in FORMATS)


def test_only_the_table_is_replaced() -> None:
    page = "before\n<!-- formats -->\n| old |\n<!-- end of formats -->\nafter\n"
    updated = update(page)
    assert updated.startswith("before\n<!-- formats -->\n")
    assert updated.endswith("<!-- end of formats -->\nafter\n")
    assert "| old |" not in updated
    assert update(updated) == updated


def test_a_page_without_markers_is_an_error() -> None:
    with pytest.raises(ValueError, match="no markers"):
        update("# Accepted files\n")

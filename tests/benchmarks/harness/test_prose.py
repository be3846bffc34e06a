"""Generated PDFs of English sentences."""

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pytest

from benchmarks.harness import prose, text_pdf


def test_pages_have_the_words_and_differ_and_the_seed_determines_them() -> None:
    pages = prose.pages(3, seed=1)
    texts = [" ".join(line.text for line in page) for page in pages]
    assert [len(text.split()) for text in texts] == [prose.WORDS] * 3
    assert len(set(texts)) == 3
    assert prose.pages(3, seed=1) == pages != prose.pages(3, seed=2)
    assert all(0 < line.y < text_pdf.HEIGHT for page in pages for line in page)


def test_scans_have_no_text_layer() -> None:
    with pdfium.PdfDocument(prose.scanned(2, seed=1, words=100)) as document:
        assert [page.get_textpage().count_chars() for page in document] == [0, 0]
        assert document[0].get_size() == pytest.approx((595, 842), abs=1)

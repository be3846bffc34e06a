"""Excerpts of pages in lists of hits."""

from paliapi_client.cli.snippets import snippet

TEXT = "Introduction to towers. " * 40 + "A light of the first order is seen twenty miles away. " + "Appendix. " * 40


def test_excerpt_has_the_words_of_the_query() -> None:
    excerpt = snippet(TEXT, "How far is a light seen?")
    assert "light of the first order is seen" in excerpt
    assert len(excerpt) <= 162
    assert excerpt.startswith("…")
    assert excerpt.endswith("…")


def test_short_text_is_whole() -> None:
    assert snippet("two\n\n lines ", "x") == "two lines"


def test_text_without_the_words_begins_at_its_start() -> None:
    assert snippet(TEXT, "granite").startswith("Introduction")
    assert snippet("", "granite") == ""
    assert len(snippet("x" * 1000, "granite")) <= 162

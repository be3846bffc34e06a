"""Hits as the templates show them."""

from console.views.hits import snippet, thumbnail_size


def test_snippet_shows_where_most_words_are() -> None:
    text = "lamp " + "x " * 300 + "the lamp of the tower " + "y " * 300
    pieces = snippet(text, ["tower", "lamp"])
    assert [piece for piece, marked in pieces if marked] == ["lamp", "tower"]
    assert len("".join(piece for piece, _ in pieces)) < 240


def test_snippet_of_a_page_without_the_words_is_its_beginning() -> None:
    assert snippet("first words", ["tower"]) == [("first words", False)]
    assert snippet("first words", []) == [("first words", False)]
    assert snippet("", []) == []


def test_words_are_taken_literally() -> None:
    assert snippet("a+b (c", ["a+b"]) == [("a+b", True), (" (c", False)]


def test_thumbnails_keep_their_shape() -> None:
    assert thumbnail_size(1240, 1754) == (255, 360)
    assert thumbnail_size(20, 10) == (20, 10)
    assert thumbnail_size(100, 100_000) == (1, 360)

"""The questions that were written down."""

from collections import Counter

from benchmarks.quality.documentation import Page
from benchmarks.quality.questions import KINDS, questions


def test_there_are_questions_of_every_kind_and_no_others() -> None:
    kinds = Counter(question.kind for question in questions())
    assert set(kinds) == set(KINDS)
    assert sum(kinds.values()) >= 400
    assert min(kinds.values()) >= 12


def test_no_question_is_repeated_and_all_have_answers() -> None:
    every = questions()
    assert len({(question.kind, question.text) for question in every}) == len(every)
    assert all(question.keys for question in every)


def test_a_page_in_any_language_answers() -> None:
    question = questions()[0]
    (key, *_) = question.keys
    others = Page("man/other.1", "en", "", "")
    assert question.answers([Page(key, "en", "", ""), others, Page(key, "de", "", "")]) == [0, 2]

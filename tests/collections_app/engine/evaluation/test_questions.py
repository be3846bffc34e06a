"""Questions and judgements from text and JSON."""

import json

import pytest

from collections_app.engine.evaluation.errors import QuestionsInvalid
from collections_app.engine.evaluation.questions import MAX_QUESTIONS, Judgement, Question, check, parse

HEADER = "query-id\tcorpus-id\tscore\n"
QUERIES = '{"_id": "q1", "text": "one"}\n{"_id": "q2", "text": "two"}\n'


def refusal(queries: str, qrels: str) -> list[str]:
    with pytest.raises(QuestionsInvalid) as refused:
        parse(queries, qrels)
    return [f"{problem.pointer} {problem.detail}" for problem in refused.value.problems]


def test_lines_become_questions_with_judgements() -> None:
    qrels = f"{HEADER}q1\ta b.pdf#3\t2\nq1\tc#d.pdf#12\t1\nq2\te.pdf#1\t0\n"
    (question,) = parse(QUERIES, qrels)
    relevant = (Judgement("a b.pdf", 3, 2), Judgement("c#d.pdf", 12, 1))
    assert question == Question("q1", "one", relevant), "the other one has nothing relevant"
    assert Question.from_json(json.loads(json.dumps(question.to_json()))) == question


def test_judgements_of_whole_documents() -> None:
    (question,) = parse(QUERIES, f"{HEADER}q1\ta#0\t1\nq1\tb#x\t1\n")
    assert [one.item for one in question.relevant] == [("a#0", None), ("b#x", None)]


def test_byte_order_mark_carriage_returns_blank_lines_and_a_missing_header_do_not_matter() -> None:
    queries = "\ufeff" + QUERIES.replace("\n", "\r\n\r\n")
    assert [one.id for one in parse(queries, "\ufeffq1\ta.pdf\t1\r\n\r\nq2\tb.pdf\t1")] == ["q1", "q2"]


def test_separators_within_a_text_do_not_end_a_line() -> None:
    (question,) = parse('{"_id": 7, "text": "a\u2028b\x85c"}', f"{HEADER}7\ta.pdf\t1")
    assert (question.id, question.text) == ("7", "a\u2028b\x85c")


@pytest.mark.parametrize(
    ("queries", "qrels", "expected"),
    [
        ("[1]", "", "/queries Line 1 is not a JSON object."),
        ("[" * 100_000, "", "/queries Line 1 is not a JSON object."),
        ('{"_id": true, "text": "x"}', "", "/queries Line 1 needs `_id` and `text`."),
        ('{"_id": "a"}', "", "/queries Line 1 needs `_id` and `text`."),
        (QUERIES + QUERIES, "", '/queries Line 3 repeats the id "q1".'),
        (QUERIES, "q1\ta.pdf\n", "/qrels Line 1 must have an id, a page or document, and a whole number."),
        (
            QUERIES,
            f"{HEADER}q1\ta.pdf\t1.5\n",
            "/qrels Line 2 must have an id, a page or document, and a whole number.",
        ),
        (QUERIES, f"{HEADER}q9\ta.pdf\t1\n", '/qrels Line 2 judges the unknown question "q9".'),
        (QUERIES, f"{HEADER}q1\ta.pdf\t1\nq1\ta.pdf\t2\n", '/questions/0/relevant/1 A judgement of "q1" is repeated.'),
        (
            QUERIES,
            f"{HEADER}q1\ta.pdf\t1\nq2\ta.pdf#1\t2\n",
            "/questions Judge either pages or whole documents, not both.",
        ),
        (QUERIES, f"{HEADER}q1\ta.pdf#9999999999\t1\n", "/questions/0/relevant/0 A page number is out of range."),
        (QUERIES, f"{HEADER}q1\ta.pdf\t11\n", "/questions/0/relevant/0 A grade may be at most 10."),
        (QUERIES, f"{HEADER}q1\t \t1\n", "/questions/0/relevant/0 A document name may not be blank."),
        (QUERIES, f"{HEADER}q1\ta\x00\t1\n", "/questions/0/relevant/0 A document name contains a NUL character"),
        (
            '{"_id": "a", "text": "\\ud800"}',
            f"{HEADER}a\ta.pdf\t1\n",
            '/questions/0/text The text of "a" contains a NUL',
        ),
        ('{"_id": "a", "text": " "}', f"{HEADER}a\ta.pdf\t1\n", '/questions/0/text The text of "a" may not be blank.'),
        (QUERIES, f"{HEADER}q1\ta.pdf\t0\n", "/questions No question has a relevant page or document."),
    ],
)
def test_mistakes_are_reported_with_their_place(queries: str, qrels: str, expected: str) -> None:
    assert any(detail.startswith(expected) for detail in refusal(queries, qrels))


def test_too_many_questions_are_refused_and_only_the_first_mistakes_reported() -> None:
    relevant = (Judgement("a", None, 1),)
    with pytest.raises(QuestionsInvalid, match=f"more than {MAX_QUESTIONS}"):
        check([Question(str(number), "x", relevant) for number in range(MAX_QUESTIONS + 1)])
    assert len(refusal("no\n" * 1000, "")) == 20

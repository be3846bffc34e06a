"""Usage recomputed from what is stored, to compare it with what was counted."""

import json
from typing import Any

from accounts.ownership import acting_for
from accounts.quotas import usage
from collections_app.models import Collection, Document, IdempotentAnswer, Page, Revision
from collections_app.tables.evaluations import Evaluation, EvaluationRun
from tests.cast import Someone


def assert_usage_matches_rows(who: Someone) -> None:
    """Assert that the usage equals what the rows add up to, and that each row knows its own share."""
    with acting_for(who.id) as tx:
        stored = usage(tx)
        collections = list(Collection.objects.filter(owner_id=who.id))
        revisions = list(Revision.objects.filter(owner_id=who.id).select_related("file"))
        answers = list(IdempotentAnswer.objects.filter(owner_id=who.id))
        evaluations = list(Evaluation.objects.filter(owner_id=who.id))
        runs = list(EvaluationRun.objects.filter(owner_id=who.id))
        assert stored.collections == len(collections)
        assert stored.documents == Document.objects.filter(owner_id=who.id).count()
        assert stored.pages == Page.objects.filter(owner_id=who.id).count()
    for collection in collections:
        assert collection.size == _bytes(collection.metadata)
    for revision in revisions:
        is_copy = revision.copy_of is not None  # made while a document is embedded again, and counted afterwards
        assert revision.size == (
            0 if is_copy else _bytes(revision.metadata) + (revision.file.size if revision.file else 0)
        )
    for answer in answers:
        assert answer.size == _bytes(answer.body) + _bytes(answer.headers)
    for evaluation in evaluations:
        assert evaluation.size == _bytes({"questions": evaluation.questions})
    counted = [row.size for rows in (collections, revisions, answers, evaluations, runs) for row in rows]
    assert stored.bytes == sum(counted)


def _bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()) if value else 0

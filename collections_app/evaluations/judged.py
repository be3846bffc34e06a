"""Operations on evaluations: create, list, find and delete them.

Each takes the owner's open transaction and the caller, whose key may reach only some collections.
"""

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db.models import Count, Max, OuterRef, QuerySet, Subquery, Sum

from accounts.access import Caller
from accounts.ownership import OwnerTransaction, lock_owner
from accounts.quotas import charge
from collections_app import catalogue
from collections_app.engine.evaluation.questions import Question
from collections_app.engine.input import jsonb
from collections_app.engine.input.names import ALL_COLLECTIONS
from collections_app.evaluations.errors import EvaluationNotFound, TooManyEvaluations
from collections_app.models import Collection, Document, Page
from collections_app.tables.evaluations import Evaluation, EvaluationRun, RunStatus

_MAX_ID = 2**63 - 1

Item = tuple[str, int | None]


def visible_to(tx: OwnerTransaction, caller: Caller, *, collection_name: str = ALL_COLLECTIONS) -> QuerySet[Evaluation]:
    """Return the evaluations of collections that the caller reaches, without their questions."""
    collections = Collection.objects.visible_to(caller)
    if collection_name != ALL_COLLECTIONS:
        collections = collections.named(collection_name)
    rows = Evaluation.objects.filter(owner_id=tx.owner_id, collection__in=collections)
    return rows.select_related("collection").defer("questions").annotate(run_count=Count("runs"))


def with_latest_run(rows: QuerySet[Evaluation]) -> QuerySet[Evaluation]:
    """Add the id of the latest run that is done to each row."""
    done = EvaluationRun.objects.filter(evaluation=OuterRef("pk"), owner=OuterRef("owner"), status=RunStatus.DONE)
    latest = done.order_by().values("evaluation").annotate(latest=Max("pk")).values("latest")
    return rows.annotate(latest_run=Subquery(latest))


def find(tx: OwnerTransaction, caller: Caller, evaluation_id: int) -> Evaluation:
    evaluation = visible_to(tx, caller).filter(pk=evaluation_id).first() if evaluation_id <= _MAX_ID else None
    if evaluation is None:
        raise EvaluationNotFound
    return evaluation


def create(
    tx: OwnerTransaction, caller: Caller, *, name: str, collection_name: str, questions: Sequence[Question]
) -> Evaluation:
    """Store checked questions about a collection."""
    collection = catalogue.find_collection(tx, caller, collection_name)
    lock_owner(tx)
    if Evaluation.objects.filter(owner_id=tx.owner_id).count() >= settings.ENV.max_evaluations:
        raise TooManyEvaluations(f"An account may have {settings.ENV.max_evaluations} evaluations.")
    stored = [question.to_json() for question in questions]
    row = Evaluation(
        owner_id=tx.owner_id,
        collection=collection,
        name=name,
        questions=stored,
        question_count=len(stored),
        size=jsonb.size({"questions": stored}),
    )
    row.save(force_insert=True)
    charge(tx, bytes=row.size)
    return find(tx, caller, row.pk)


def delete(tx: OwnerTransaction, caller: Caller, evaluation_id: int) -> None:
    """Delete an evaluation with its runs; a worker that measures one stops at its next write."""
    evaluation = find(tx, caller, evaluation_id)
    row = Evaluation.objects.filter(owner_id=tx.owner_id, pk=evaluation.pk).only("pk", "size").select_for_update()
    if (locked := row.first()) is None:
        raise EvaluationNotFound
    runs = EvaluationRun.objects.filter(owner_id=tx.owner_id, evaluation=locked)
    size = locked.size + runs.aggregate(size=Sum("size", default=0))["size"]
    locked.delete()
    charge(tx, bytes=-size)


def questions_of(tx: OwnerTransaction, evaluation: Evaluation) -> list[Question]:
    row = Evaluation.objects.only("questions").get(owner_id=tx.owner_id, pk=evaluation.pk)
    return [Question.from_json(stored) for stored in row.questions]


def missing_items(tx: OwnerTransaction, collection: Collection, questions: Iterable[Question]) -> list[Item]:
    """Return the judged pages and documents that the collection does not show, in the order of the questions."""
    items = list(dict.fromkeys(one.item for question in questions for one in question.relevant))
    names = {document for document, _ in items}
    documents = Document.objects.filter(owner_id=tx.owner_id, collection=collection, name__in=names)
    shown = dict(documents.filter(shown__isnull=False).values_list("name", "shown"))
    revisions = {revision: name for name, revision in shown.items()}
    numbers = {number for _, number in items if number is not None}
    rows = Page.objects.filter(owner_id=tx.owner_id, revision__in=revisions, number__in=numbers) if numbers else ()
    pages = {(revisions[page.revision_id], page.number) for page in (rows and rows.only("revision_id", "number"))}
    return [item for item in items if (item not in pages if item[1] is not None else item[0] not in shown)]

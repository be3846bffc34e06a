"""The cost of every operation. One without a cost, or without a row here, fails."""

from typing import Any

import pytest
from django.urls import resolve

from accounts.limits.budgets import cost_of
from accounts.views import OwnedView
from tests.house.openapi import Operation, operations

# In units: see `accounts.limits.budgets`. `docs/api.md` has those above one, and those of options.
COSTS = {
    "getMe": 1,
    "getUsage": 1,
    "listKeys": 1,
    "createKey": 1,
    "revokeKey": 1,
    "rotateKey": 1,
    "listCollections": 1,
    "createCollection": 1,
    "getCollection": 1,
    "updateCollection": 1,
    "deleteCollection": 5,
    "getCollectionQuality": 1,
    "listDocuments": 1,
    "upsertDocument": 0,
    "upsertDocuments": 0,
    "getDocument": 1,
    "updateDocument": 2,
    "deleteDocument": 2,
    "deleteDocumentCompatible": 2,
    "cancelDocument": 1,
    "retryDocument": 1,
    "streamDocumentEvents": 2,
    "listJobs": 1,
    "getProgress": 1,
    "getPage": 1,
    "getPageImage": 1,
    "filter": 1,
    "listEvaluations": 1,
    "createEvaluation": 5,
    "getEvaluation": 1,
    "deleteEvaluation": 2,
    "listEvaluationRuns": 1,
    "startEvaluationRun": 20,
    "getEvaluationRun": 1,
    "deleteEvaluationRun": 1,
    "cancelEvaluationRun": 1,
    "listEvaluationRunQuestions": 5,
    "compareEvaluationRuns": 5,
    "search": 1,
    "searchImage": 1,
    "difyRetrieval": 1,
    "createEmbeddings": 1,
    "fileToImages": 10,
    "fileToBase64": 2,
    "listWebhooks": 1,
    "createWebhook": 1,
    "addWebhookCompatible": 1,
    "getWebhook": 1,
    "updateWebhook": 1,
    "deleteWebhook": 1,
    "rotateWebhookSecret": 1,
    "testWebhook": 2,
    "listWebhookDeliveries": 1,
    "replayWebhookDelivery": 2,
}


def view_of(operation: Operation) -> Any:
    path = operation.path
    for name in operation.parameters("path"):
        path = path.replace(f"{{{name}}}", "1")
    return resolve(path).func.cls  # type: ignore[attr-defined]


def test_every_operation_with_a_key_has_a_cost() -> None:
    owned = {one.id for one in operations() if issubclass(view_of(one), OwnedView)}
    assert owned == COSTS.keys() == {one.id for one in operations() if not one.is_open}


@pytest.mark.parametrize("name", COSTS)
def test_cost_is_declared_by_the_view(name: str) -> None:
    operation = next(one for one in operations() if one.id == name)
    view = view_of(operation)
    assert operation.method in view.costs
    assert cost_of(view, operation.method) == COSTS[name]

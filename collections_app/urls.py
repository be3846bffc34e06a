"""The routes of the product. Fixed paths come first, because names may contain slashes."""

from django.urls import path

from collections_app.api.collections import CollectionDetail, Collections
from collections_app.api.conversions import FileToBase64, FileToImages
from collections_app.api.dify.views import DifyRetrieval
from collections_app.api.documents import DeleteDocument, DocumentDetail, Documents
from collections_app.api.embeddings import EmbeddingsView
from collections_app.api.evaluations.views import (
    CancelEvaluationRun,
    EvaluationDetail,
    EvaluationRunComparison,
    EvaluationRunDetail,
    EvaluationRunQuestions,
    EvaluationRuns,
    Evaluations,
)
from collections_app.api.events import Events
from collections_app.api.filter import FilterView
from collections_app.api.jobs import CancelDocument, Jobs, Progress, RetryDocument
from collections_app.api.pages import PageDetail, PageImage, SignedFile, SignedPageImage, SignedPageThumbnail
from collections_app.api.quality import CollectionQuality
from collections_app.api.search import SearchImageView, SearchView
from collections_app.api.upsert import Upsert, UpsertMany
from collections_app.api.webhooks import (
    ColiVarasWebhook,
    ReplayDelivery,
    RotateSecret,
    SendTest,
    WebhookDeliveries,
    WebhookDetail,
    Webhooks,
)

urlpatterns = [
    # First, because they are requested most: Django tries one route after another.
    path("search/", SearchView.as_view(), name="search"),
    path("search-image/", SearchImageView.as_view(), name="searchImage"),
    path("dify/retrieval", DifyRetrieval.as_view(), name="difyRetrieval"),
    path("collections/", Collections.as_view(), name="collections"),
    path("collections/<path:collection_name>/quality/", CollectionQuality.as_view(), name="collectionQuality"),
    path("collections/<path:collection_name>/", CollectionDetail.as_view(), name="collection"),
    path("documents/", Documents.as_view(), name="documents"),
    path("documents/upsert-document/", Upsert.as_view(), name="upsertDocument"),
    path("documents/upsert-documents/", UpsertMany.as_view(), name="upsertDocuments"),
    path("documents/delete-document/<path:document_name>/", DeleteDocument.as_view(), name="deleteDocument"),
    path("documents/<path:document_name>/cancel/", CancelDocument.as_view(), name="cancelDocument"),
    path("documents/<path:document_name>/retry/", RetryDocument.as_view(), name="retryDocument"),
    path("documents/<path:document_name>/events/", Events.as_view(), name="streamDocumentEvents"),
    # Without a slash at the end, so that it is no document's path.
    path("documents/<path:document_name>/pages/<int:page_number>", PageDetail.as_view(), name="getPage"),
    path("documents/<path:document_name>/pages/<int:page_number>/image", PageImage.as_view(), name="getPageImage"),
    path("documents/<path:document_name>/", DocumentDetail.as_view(), name="document"),
    path("evaluations/", Evaluations.as_view(), name="evaluations"),
    path("evaluations/<int:evaluation_id>/", EvaluationDetail.as_view(), name="evaluation"),
    path("evaluations/<int:evaluation_id>/runs/", EvaluationRuns.as_view(), name="evaluationRuns"),
    path("evaluations/<int:evaluation_id>/runs/<int:run_id>/", EvaluationRunDetail.as_view(), name="evaluationRun"),
    path(
        "evaluations/<int:evaluation_id>/runs/<int:run_id>/cancel/",
        CancelEvaluationRun.as_view(),
        name="cancelEvaluationRun",
    ),
    path(
        "evaluations/<int:evaluation_id>/runs/<int:run_id>/questions/",
        EvaluationRunQuestions.as_view(),
        name="evaluationRunQuestions",
    ),
    path(
        "evaluations/<int:evaluation_id>/runs/<int:run_id>/comparison/",
        EvaluationRunComparison.as_view(),
        name="evaluationRunComparison",
    ),
    path("files/pages/<str:image_token>", SignedPageImage.as_view(), name="getSignedPageImage"),
    path("files/thumbnails/<str:thumbnail_token>", SignedPageThumbnail.as_view(), name="getSignedPageThumbnail"),
    path("jobs/", Jobs.as_view(), name="jobs"),
    path("progress/", Progress.as_view(), name="getProgress"),
    path("files/<str:token>", SignedFile.as_view(), name="getFile"),
    path("filter/", FilterView.as_view(), name="filter"),
    path("embeddings/", EmbeddingsView.as_view(), name="embeddings"),
    path("helpers/file-to-imgbase64/", FileToImages.as_view(), name="fileToImages"),
    path("helpers/file-to-base64/", FileToBase64.as_view(), name="fileToBase64"),
    path("webhook/", ColiVarasWebhook.as_view(), name="webhookCompatible"),
    path("webhooks/", Webhooks.as_view(), name="webhooks"),
    path("webhooks/<int:webhook_id>/", WebhookDetail.as_view(), name="webhook"),
    path("webhooks/<int:webhook_id>/rotate-secret/", RotateSecret.as_view(), name="rotateWebhookSecret"),
    path("webhooks/<int:webhook_id>/test/", SendTest.as_view(), name="testWebhook"),
    path("webhooks/<int:webhook_id>/deliveries/", WebhookDeliveries.as_view(), name="webhookDeliveries"),
    path(
        "webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/replay/",
        ReplayDelivery.as_view(),
        name="replayWebhookDelivery",
    ),
]

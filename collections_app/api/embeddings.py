"""The endpoint that computes embeddings, compatible with ColiVara's."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.views import OwnedView
from collections_app import costs, embeddings_client
from collections_app.api.validation import validated
from paliapi.http.parsers import max_json_upload_bytes
from paliapi.http.serializers import BoundedListField, TextField

MAX_INPUTS = 32


class EmbeddingsIn(serializers.Serializer[Any]):
    input_data = BoundedListField(
        child=TextField(), min_length=1, max_length=MAX_INPUTS, help_text="Queries, or images in base64."
    )
    task = serializers.ChoiceField(choices=["query", "image"], help_text="What the inputs are.")


class EmbeddingOut(serializers.Serializer[Any]):
    object = serializers.CharField(help_text="Always `embedding`.")
    embedding = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))
    index = serializers.IntegerField(help_text="Index of the input, from 0.")


class EmbeddingsUsage(serializers.Serializer[Any]):
    prompt_tokens = serializers.IntegerField(help_text="Number of vectors computed.")
    total_tokens = serializers.IntegerField()


class EmbeddingsOut(serializers.Serializer[Any]):
    data = EmbeddingOut(many=True)  # type: ignore[assignment]
    model = serializers.CharField()
    usage = EmbeddingsUsage()


_EXAMPLE = {
    "data": [{"object": "embedding", "embedding": [[0.12, -0.03, 0.08]], "index": 0}],
    "model": "tsystems/colqwen2.5-3b-multilingual-v1.0",
    "usage": {"prompt_tokens": 1, "total_tokens": 1},
}


class EmbeddingsView(OwnedView):
    costs: ClassVar = {"POST": 1}
    scopes: ClassVar = {"POST": "search"}
    searching_methods: ClassVar = frozenset({"POST"})
    transactional = False  # it calls another service
    max_body_bytes = staticmethod(max_json_upload_bytes)

    @extend_schema(
        operation_id="createEmbeddings",
        tags=["embeddings"],
        summary="Embed queries or images",
        description="Returns one multi-vector of unit vectors for each input, in order.",
        request=EmbeddingsIn,
        responses=EmbeddingsOut,
        examples=[
            OpenApiExample("Queries", value={"input_data": ["total amount due"], "task": "query"}, request_only=True),
            OpenApiExample("One multi-vector", value=_EXAMPLE, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        body = validated(EmbeddingsIn, request)
        self.charge(costs.of_inputs(body["input_data"], task=body["task"]))
        embedded = embeddings_client.embed(body["input_data"], task=body["task"], at="/input_data")
        count = sum(len(multi_vector.vectors) for multi_vector in embedded.multi_vectors)
        return Response(
            {
                "data": [
                    {"object": "embedding", "embedding": multi_vector.vectors.tolist(), "index": index}
                    for index, multi_vector in enumerate(embedded.multi_vectors)
                ],
                "model": embedded.space.model if embedded.space else "",
                "usage": {"prompt_tokens": count, "total_tokens": count},
            }
        )

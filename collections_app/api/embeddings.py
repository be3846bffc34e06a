"""Embeddings over HTTP, as ColiVara's clients ask for them."""

from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rate_limits import concurrent
from accounts.views import OwnedView
from collections_app import embeddings_client
from collections_app.api.validation import validated
from paliapi.http.parsers import largest_json_upload
from paliapi.http.serializers import TextField

MOST_INPUTS = 32


class EmbeddingsIn(serializers.Serializer[Any]):
    input_data = serializers.ListField(
        child=TextField(), min_length=1, max_length=MOST_INPUTS, help_text="Questions, or images in base64."
    )
    task = serializers.ChoiceField(choices=["query", "image"], help_text="What the inputs are.")


class EmbeddingOut(serializers.Serializer[Any]):
    object = serializers.CharField(help_text="Always `embedding`.")
    embedding = serializers.ListField(child=serializers.ListField(child=serializers.FloatField()))
    index = serializers.IntegerField(help_text="Which input it is of.")


class EmbeddingsUsage(serializers.Serializer[Any]):
    prompt_tokens = serializers.IntegerField(help_text="Vectors made.")
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
    scopes: ClassVar = {"POST": "search"}
    transactional = False  # it asks another machine
    max_body_bytes = staticmethod(largest_json_upload)

    @extend_schema(
        operation_id="createEmbeddings",
        tags=["embeddings"],
        summary="Turn questions or images into multi-vectors",
        description="One multi-vector for each input, in order: as many unit vectors as the model makes of it.",
        request=EmbeddingsIn,
        responses=EmbeddingsOut,
        examples=[
            OpenApiExample("Questions", value={"input_data": ["total amount due"], "task": "query"}, request_only=True),
            OpenApiExample("One multi-vector", value=_EXAMPLE, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        data = validated(EmbeddingsIn, request)
        with concurrent("search", owner_id=self.caller.owner_id, limit=settings.ENV.max_concurrent_searches):
            made = embeddings_client.embed(data["input_data"], task=data["task"], at="/input_data")
        count = sum(len(one.vectors) for one in made.multi_vectors)
        return Response(
            {
                "data": [
                    {"object": "embedding", "embedding": one.vectors.tolist(), "index": index}
                    for index, one in enumerate(made.multi_vectors)
                ],
                "model": made.space.model if made.space else "",
                "usage": {"prompt_tokens": count, "total_tokens": count},
            }
        )

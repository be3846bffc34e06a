"""Files turned into what other calls take."""

import base64
from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rate_limits import concurrent
from accounts.views import OwnedView
from collections_app.api.upload_source import received
from collections_app.api.validation import validated
from collections_app.ingest import preview
from paliapi.http.parsers import MultiPartParser


class FileIn(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True, help_text="The file; its name does not matter.")


class ImageOut(serializers.Serializer[Any]):
    img_base64 = serializers.CharField(help_text="PNG, without a `data:` prefix.")
    page_number = serializers.IntegerField(help_text="From 1.")


class Base64Out(serializers.Serializer[Any]):
    data = serializers.CharField(help_text="The file in base64.")  # type: ignore[assignment]


class FileToImages(OwnedView):
    scopes: ClassVar = {"POST": "write"}
    parser_classes = (MultiPartParser,)
    transactional = False

    @extend_schema(
        operation_id="fileToImages",
        tags=["helpers"],
        summary="Turn a file into images of its pages",
        description="Any file that a document may have; nothing is kept.",
        request={"multipart/form-data": FileIn},
        responses=ImageOut(many=True),
        examples=[
            OpenApiExample("Pages", value={"img_base64": "iVBORw0KGgo=", "page_number": 1}, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        with concurrent("upload", owner_id=self.caller.owner_id, limit=settings.ENV.max_concurrent_uploads):
            file = validated(FileIn, request)["file"]
            pages = preview.to_images(received(file).file)
            return Response(
                [
                    {"img_base64": base64.b64encode(page.image).decode("ascii"), "page_number": page.number}
                    for page in pages
                ]
            )


class FileToBase64(OwnedView):
    scopes: ClassVar = {"POST": "write"}
    parser_classes = (MultiPartParser,)
    transactional = False

    @extend_schema(
        operation_id="fileToBase64",
        tags=["helpers"],
        summary="Turn a file into base64",
        description="Nothing is kept.",
        request={"multipart/form-data": FileIn},
        responses=Base64Out,
        examples=[OpenApiExample("Text", value={"data": "aGVsbG8="}, response_only=True)],
    )
    def post(self, request: Request) -> Response:
        with concurrent("upload", owner_id=self.caller.owner_id, limit=settings.ENV.max_concurrent_uploads):
            file = validated(FileIn, request)["file"]
            return Response({"data": base64.b64encode(file.read()).decode("ascii")})

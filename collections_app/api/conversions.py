"""File conversions for clients: page images and base64. Nothing is stored."""

import base64
from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.limits.process_slots import process_slot
from accounts.rate_limits import concurrent
from accounts.views import OwnedView
from collections_app.api.errors import ConversionsBusy
from collections_app.api.validation import validated
from collections_app.ingest import preview
from paliapi.http.parsers import MultiPartParser
from paliapi.http.uploads import ReceivedFile


class FileIn(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True, help_text="The file; its name is ignored.")


class ImageOut(serializers.Serializer[Any]):
    img_base64 = serializers.CharField(help_text="PNG in base64, without a `data:` prefix.")
    page_number = serializers.IntegerField(help_text="Starts at 1.")


class Base64Out(serializers.Serializer[Any]):
    data = serializers.CharField(help_text="The file in base64.")  # type: ignore[assignment]


class _FileConversion(OwnedView):
    """A view that converts one uploaded file."""

    scopes: ClassVar = {"POST": "write"}
    parser_classes = (MultiPartParser,)
    transactional = False

    def post(self, request: Request) -> Response:
        with concurrent("upload", owner_id=self.caller.owner_id, limit=settings.ENV.max_concurrent_uploads):
            return Response(self.convert(validated(FileIn, request)["file"]))

    def convert(self, file: ReceivedFile) -> Any:
        raise NotImplementedError


@extend_schema_view(
    post=extend_schema(
        operation_id="fileToImages",
        tags=["helpers"],
        summary="Convert a file to page images",
        description="Accepts every file type that a document may have. Nothing is stored.",
        request={"multipart/form-data": FileIn},
        responses=ImageOut(many=True),
        examples=[
            OpenApiExample("Pages", value={"img_base64": "iVBORw0KGgo=", "page_number": 1}, response_only=True),
        ],
    )
)
class FileToImages(_FileConversion):
    costs: ClassVar = {"POST": 10}

    def convert(self, file: ReceivedFile) -> list[dict[str, Any]]:
        with process_slot("conversion", limit=max(1, settings.ENV.web_threads // 4)) as is_free:
            if not is_free:
                raise ConversionsBusy(retry_after_s=5)
            pages = preview.to_images(file)
        return [
            {"img_base64": base64.b64encode(page.image).decode("ascii"), "page_number": page.number} for page in pages
        ]


@extend_schema_view(
    post=extend_schema(
        operation_id="fileToBase64",
        tags=["helpers"],
        summary="Convert a file to base64",
        description="Nothing is stored.",
        request={"multipart/form-data": FileIn},
        responses=Base64Out,
        examples=[OpenApiExample("Text", value={"data": "aGVsbG8="}, response_only=True)],
    )
)
class FileToBase64(_FileConversion):
    costs: ClassVar = {"POST": 2}

    def convert(self, file: ReceivedFile) -> dict[str, str]:
        return {"data": base64.b64encode(file.read()).decode("ascii")}

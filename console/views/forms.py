"""The base class of pages with forms, and what several of these forms have in common."""

import json
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from rest_framework import serializers
from rest_framework.request import Request

from accounts.ownership import OwnerTransaction, acting_for
from collections_app.api.document_in import FormMetadataField
from collections_app.api.validation import CollectionNameField, NameField
from console.problem_pages import advice
from console.views.base import ConsoleView
from paliapi.errors import Error, Invalid, NotFound
from paliapi.http import problems


class ConfirmationMismatch(Invalid):
    code = "confirmation_mismatch"
    title = "The name that was typed differs, so nothing was deleted."


class CollectionSettings(serializers.Serializer[Any]):
    name = CollectionNameField()
    metadata = FormMetadataField(required=False)


class DocumentSettings(serializers.Serializer[Any]):
    name = NameField()
    move_to = CollectionNameField(required=False)
    metadata = FormMetadataField(required=False)


class FormPage(ConsoleView):
    """A page with forms."""

    @property
    def transactional(self) -> bool:  # type: ignore[override]
        return self.request.method in ("GET", "HEAD")  # a change has a transaction of its own, which may be undone

    def show(self, tx: OwnerTransaction, **context: Any) -> HttpResponse:
        """Return the page."""
        raise NotImplementedError

    def get(self, _request: Request, **_of_path: Any) -> HttpResponse:
        return self.show(self.transaction)


class FormView(FormPage):
    """What a form of the page is sent to. If the change is refused, the page is shown again, with what was typed."""

    def change(self) -> str:
        """Do what the form says, and return the URL of the page that shows the result."""
        raise NotImplementedError

    def respond(self) -> HttpResponseBase:
        """Do what the form says, and return the response, which may show what is shown only once."""
        return redirect(self.change())

    def post(self, _request: Request, **_of_path: Any) -> HttpResponseBase:
        try:
            return self.respond()
        except NotFound:
            raise
        except (Error, serializers.ValidationError) as error:
            if not self.caller.may("read"):  # the page shows what is stored
                raise
            return self._show_again(error)

    def _show_again(self, error: Error | serializers.ValidationError) -> HttpResponse:
        refusal = problems.error_response(error if isinstance(error, Error) else problems.invalid(error))
        problem = json.loads(refusal.content)
        with acting_for(self.caller.owner_id) as tx:
            response = self.show(tx, problem=problem, advice=advice(problem, refusal), typed=self.form)
        response.status_code = refusal.status_code
        return response

    def validated(self, serializer_class: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """Return the fields of the form, validated as the API does."""
        serializer = serializer_class(data=self.form)
        serializer.is_valid(raise_exception=True)
        return {name: value for name, value in serializer.validated_data.items() if value is not None}

    def require_typed(self, name: str) -> None:
        """Raise ConfirmationMismatch unless the form has this name."""
        if self.form.get("typed", "") != name:
            raise ConfirmationMismatch

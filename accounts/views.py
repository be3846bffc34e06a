"""Base class of the views that work on the rows of one owner."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Caller, Scope
from accounts.ownership import OwnerTransaction, acting_for
from paliapi.errors import MAX_PROBLEMS, Invalid, Problem, Unauthenticated
from paliapi.http.problems import escape_pointer

_Handler = Callable[..., Response]


class UnknownParameter(Invalid):
    code = "unknown_parameter"
    title = "Unknown query parameter."


class ParameterInvalid(Invalid):
    code = "parameter_invalid"
    title = "This query parameter has an invalid value."


def caller_of(request: Request) -> Caller:
    caller = request.auth
    if not isinstance(caller, Caller):
        raise Unauthenticated
    return caller


class OwnedView(APIView):
    """A view whose handlers run in one transaction that sees the rows of the key's owner.

    A view that uses storage or the network sets `transactional = False` and opens `acting_for` where it needs rows.
    """

    transactional: ClassVar[bool] = True
    scopes: ClassVar[Mapping[str, Scope | None]] = {}
    cost: ClassVar[int] = 1
    # The known query parameters. None: unknown ones are ignored, because existing clients may send them.
    query: ClassVar[frozenset[str] | None] = None

    _transaction: OwnerTransaction

    @property
    def caller(self) -> Caller:
        return caller_of(self.request)

    @property
    def transaction(self) -> OwnerTransaction:
        """The owner's transaction, which is open while a handler of a `transactional` view runs."""
        return self._transaction

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Handle a request like `APIView.dispatch`, but with the handler inside the owner's transaction."""
        self.args, self.kwargs = args, kwargs
        self.headers = self.default_response_headers
        self.request = self.initialize_request(request, *args, **kwargs)
        try:
            self.initial(self.request, *args, **kwargs)
            response = self._handle(self.request, *args, **kwargs)
        except Exception as exc:
            response = self.handle_exception(exc)
        self.response = self.finalize_response(self.request, response, *args, **kwargs)
        return self.response

    def _handle(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        method = (request.method or "").lower()
        handler: _Handler | None = getattr(self, method, None) if method in self.http_method_names else None
        if handler is None:
            return self.http_method_not_allowed(request, *args, **kwargs)
        if not self.transactional:
            return handler(request, *args, **kwargs)
        with acting_for(self.caller.owner_id) as self._transaction:
            return handler(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self._refuse_unknown_parameters(request)

    def _refuse_unknown_parameters(self, request: Request) -> None:
        unknown = sorted(set(request.query_params) - self.query)[:MAX_PROBLEMS] if self.query is not None else []
        if unknown:
            problems = tuple(
                Problem(f"/{escape_pointer(name)}", UnknownParameter.code, UnknownParameter.title) for name in unknown
            )
            raise UnknownParameter(f"Unknown query parameter {unknown[0][:100]!r}.", problems=problems)

    def check_permissions(self, request: Request) -> None:
        # The rate limit first, so that a forbidden request also costs the key and carries the rate-limit headers.
        super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, _request: Request) -> None:
        """Do nothing: `check_permissions` has checked the rate limit."""


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The security scheme of API keys in the OpenAPI document."""

    target_class = "accounts.authentication.KeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key: `pali_...`. Create one with `POST /v1/keys/` or `manage.py create_api_key`.",
        }

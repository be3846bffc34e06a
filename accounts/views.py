"""Views for whom the key of a request belongs to."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.access import Caller, Scope
from accounts.ownership import OwnerTransaction, acting_for
from paliapi.errors import Invalid, Problem, Unauthenticated
from paliapi.http.problems import escape_pointer


class UnknownParameter(Invalid):
    code = "unknown_parameter"
    title = "The address has a query parameter that means nothing here."


class OwnedView(APIView):
    """A view that works on the rows of whom the key belongs to, in one transaction.

    One that talks to storage or the network says `transactional = False`, and opens `acting_for` where it needs rows.
    """

    transactional: ClassVar[bool] = True
    scopes: ClassVar[Mapping[str, Scope | None]] = {}
    cost: ClassVar[int] = 1
    # The query parameters there are; None: others are passed over, because existing clients may send them.
    query: ClassVar[frozenset[str] | None] = None

    _transaction: OwnerTransaction

    @property
    def caller(self) -> Caller:
        caller = self.request.auth
        if not isinstance(caller, Caller):
            raise Unauthenticated
        return caller

    @property
    def transaction(self) -> OwnerTransaction:
        """The owner's transaction, which is open while a handler of a `transactional` view runs."""
        return self._transaction

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self._refuse_unknown_parameters(request)
        method = (request.method or "").lower()
        handler = getattr(self, method, None) if method in self.http_method_names else None
        if self.transactional and handler is not None:
            # On this instance alone: `dispatch` looks the handler up next.
            setattr(self, method, self._as_owner(handler))

    def _refuse_unknown_parameters(self, request: Request) -> None:
        unknown = sorted(set(request.query_params) - self.query)[:20] if self.query is not None else []
        if unknown:
            problems = tuple(
                Problem(f"/{escape_pointer(name)}", UnknownParameter.code, "There is no such parameter.")
                for name in unknown
            )
            raise UnknownParameter(f"There is no parameter {unknown[0][:100]!r}.", problems=problems)

    def check_permissions(self, request: Request) -> None:
        # The rate first, so that refusals cost the key too, and carry its headers.
        super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, _request: Request) -> None:
        """Done with the permissions."""

    def _as_owner(self, handler: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(handler)
        def handle(request: Request, *args: Any, **kwargs: Any) -> Response:
            with acting_for(self.caller.owner_id) as self._transaction:
                return handler(request, *args, **kwargs)

        return handle


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document tells of keys."""

    target_class = "accounts.authentication.KeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key: `pali_...`. Make one with `POST /v1/keys/` or `manage.py create_api_key`.",
        }
